"""Who is found, and which strangers are let in, by age, sex and group as a sample's own labels say.

    python benchmarks/bias_groups.py ../shared/data/utkface_sample.zip --lfw ../shared/data/lfw.zip

Photographs are those of UTKFace, whose names begin with age, sex (0 male, 1 female) and group (0 White, 1 Black, 2
Asian, 3 Indian, 4 other), as others judged them; they are cropped faces, so both detectors are flattered. Strangers are
asked of a model of all photographs in $CELEBML_PHOTOS (as benchmarks/recognition.py reads them), at its own threshold.
Labeled Faces in the Wild has no such labels; its strangers are divided by skin tone of the pixels
(celebml.strangers.skin_tone). Neither zip is part of the project. What is measured is added to benchmarks/bias.json.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from recognition import HERE, PHOTOS

from celebml.classifier import CelebrityClassifier
from celebml.datasets import cache_folder, load_folder
from celebml.evaluate import wilson
from celebml.faces import HaarDetector
from celebml.files import write_json
from celebml.landmarks import YuNetDetector
from celebml.photographs import read_photograph
from celebml.pipeline import train
from celebml.strangers import skin_tone

GROUPS = ("White", "Black", "Asian", "Indian", "other")
AGES = {"0–5": 0, "6–17": 6, "18–39": 18, "40–59": 40, "60 and over": 60}  # from, years
HELD_BACK = ("Serena_Williams", "Roger_Federer")  # whom a model of the athletes knows
LEAST = 28  # photographs that a group of age, sex and group has to have, to be the worst of them


def shares(table: pd.DataFrame, by: list[str] | str, key: str) -> list[dict]:
    """Share of photographs for which `key` is true, with Wilson's interval, for each value of `by`."""
    found = []
    for value, part in table.dropna(subset=[key]).groupby(by, observed=True):
        share = float(part[key].mean())
        low, high = wilson(share, len(part))
        name = value if isinstance(value, str) else ", ".join(map(str, value))
        found.append({"group": name, "photos": len(part), "share": share, "low": float(low), "high": float(high)})
    return found


def by_each(table: pd.DataFrame, key: str) -> dict:
    """By age, by sex, by group, and the worst and the best of all three together."""
    found = {by: shares(table, by, key) for by in ("age", "sex", "group")}
    cells = [row for row in shares(table, ["age", "sex", "group"], key) if row["photos"] >= LEAST]
    ends = {"lowest": min(cells, key=lambda row: row["share"]), "highest": max(cells, key=lambda row: row["share"])}
    share = float(table[key].dropna().mean())
    return {"all": share, "photos": int(table[key].notna().sum())} | found | ends


def labelled(path: Path, classifier: CelebrityClassifier | None) -> pd.DataFrame:
    """A row a photograph: its labels, whether each detector finds a face, and whether the model knows it."""
    detectors, rows = {"found_classic": HaarDetector(), "found_best": YuNetDetector()}, []
    with zipfile.ZipFile(path) as file:
        for name in sorted(file.namelist()):
            words = Path(name).name.split("_")
            if len(words) < 4 or not all(word.isdigit() for word in words[:3]):
                continue  # a few names lack a label
            photo, (age, sex, group) = read_photograph(file.read(name)), map(int, words[:3])
            found = {key: detector(photo).faces for key, detector in detectors.items()}
            row = {"age": next(band for band, start in reversed(AGES.items()) if age >= start)}
            row |= {"sex": ("male", "female")[sex], "group": GROUPS[group]}
            row |= {key: bool(faces) for key, faces in found.items()}
            row["accepted"] = np.nan
            if classifier and found["found_best"]:
                row["accepted"] = float(classifier.answer(found["found_best"][0]).known)
            rows.append(row)
    return pd.DataFrame(rows)


def tones(path: Path, classifier: CelebrityClassifier, every: int) -> dict:
    """Strangers of LFW accepted, in thirds by skin tone of the pixels."""
    rows, detector = [], YuNetDetector()
    with zipfile.ZipFile(path) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        for name in [name for name in names if Path(name).parent.name not in HELD_BACK][::every]:
            faces = detector(read_photograph(file.read(name))).faces
            if faces:
                middle = min(faces, key=lambda face: abs(face.box.x + face.box.width / 2 - 125))
                rows.append({"tone": skin_tone(middle.crop), "accepted": float(classifier.answer(middle).known)})
    table = pd.DataFrame(rows)
    table["third"] = pd.qcut(table.tone, 3, labels=["darkest", "middle", "lightest"]).astype(str)
    grey = table.tone.isna()
    return {
        "all": float(table.accepted.mean()),
        "photos": len(table),
        "thirds": shares(table[~grey], "third", "accepted"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("utkface", type=Path)
    parser.add_argument("--lfw", type=Path)
    parser.add_argument("--every", type=int, default=3, help="of LFW's photographs, each so many is asked about")
    parser.add_argument("--threshold", type=float, help="in place of the model's own; nothing is written then")
    parser.add_argument("--out", type=Path, default=HERE / "bias.json")
    options = parser.parse_args()
    classifier = train(load_folder(PHOTOS), memory=cache_folder() / "faces") if PHOTOS.is_dir() else None
    if classifier and options.threshold is not None:
        classifier.threshold = options.threshold
    table = labelled(options.utkface, classifier)
    found = {key: by_each(table, key) for key in ("found_classic", "found_best")}
    if classifier:
        found["strangers_accepted"] = by_each(table, "accepted")
        if options.lfw:
            found["lfw_strangers_accepted"] = tones(options.lfw, classifier, options.every)
    for key, row in found.items():
        print(f"\n{key}: {row['all']:.3f} of {row['photos']}")
        for by in ("age", "sex", "group", "thirds"):
            print("  " + "; ".join(f"{one['group']} {one['share']:.3f} ({one['photos']})" for one in row.get(by, ())))
        print("  ", row.get("lowest"), row.get("highest"))
    if options.threshold is not None:
        return
    result = json.loads(options.out.read_text(encoding="utf-8")) if options.out.is_file() else {}
    result.pop("age", None)
    write_json(options.out, result | {"by_label": found})


if __name__ == "__main__":
    main()

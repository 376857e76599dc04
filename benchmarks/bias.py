"""Who is missed: faces found and named by skin tone, on the photographs that there are.

    python benchmarks/bias.py --out benchmarks/bias.json

Skin tone is the individual typology angle of the cheeks' pixels (`celebml.strangers.skin_tone`; Chardon, Cretois and
Hourseau, 1991). It belongs to a photograph, not to a person: lamp, make-up and white balance move it. Photographs come
from $CELEBML_PHOTOS (default: ../shared/data/athletes beside the project; not part of the project) and from the default
set. A photograph whose tone cannot be measured, for want of a face or of colour, takes the median of its person's.
People are numbered from dark to light and not named.

What this cannot say. There are five people in either set. Where the tone differs between them (its share of variance is
given), a group that is missed may be one person with difficult photographs; where it differs within them, it is light
and not skin that is measured. The comparison inside each person is of light alone. No photograph here comes with an
age; `python benchmarks/bias_groups.py` measures by age, sex and group on a sample that others labelled.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from recognition import HERE, PHOTOS, files, listed

from celebml.datasets import PhotoSet, cache_folder, load_folder, load_photographs
from celebml.evaluate import wilson
from celebml.files import write_json
from celebml.pipeline import evaluate
from celebml.recipes import load_recipe
from celebml.stages import Looked, look
from celebml.steps import bars
from celebml.strangers import skin_tone

OUTCOMES = {
    "found_classic": "face found, classic",
    "found_best": "face found, ours",
    "right_classic": "named, classic",
    "right_best": "named, ours",
}
BANDS = {"dark": -181, "brown": -30, "tan": 10, "intermediate": 28, "light": 41, "very light": 55}  # from, degrees


def chosen_tones(looked: Looked) -> np.ndarray:
    """Tone (n,) of the face that each photograph is about, as a model of all of them sees it; nan for want of one."""
    described, names = looked.descriptions["best"], np.asarray(looked.photos.names)
    model = load_recipe("best").fit(described, names, looked.groups)
    return np.array(
        [
            skin_tone(detection.faces[model.speaker(description)].crop) if detection.faces else np.nan
            for detection, description in zip(looked.detections["best"], described, strict=True)
        ]
    )


def outcomes(looked: Looked, repeats: int) -> pd.DataFrame:
    """A row a photograph whose label is right: its person by number, its tone, and what became of it."""
    table = pd.DataFrame({"name": looked.photos.names, "group": looked.groups, "tone": chosen_tones(looked)})
    with bars() as step:
        scored = evaluate(looked, n_repeats=repeats, step=step)
    for name, scores in scored.items():
        table[f"found_{name}"] = [float(bool(found.faces)) for found in looked.detections[name]]
        table[f"right_{name}"] = (scores.named == scores.truth).mean(0)  # all are scored: each person has many pictures
    table = table[~np.isin(files(looked.photos), sorted(listed("wrong_labels.csv")))]
    usual = table.groupby("name").tone.transform("median")
    table["measured"], table["tone"] = table.tone.notna(), table.tone.fillna(usual)
    table["person"] = usual.rank(method="dense").astype(int)
    return table.drop(columns="name")


def shares(table: pd.DataFrame, by: pd.Series) -> list[dict]:
    """Photographs, people and outcomes with Wilson's intervals, for each value of `by`."""
    found = []
    for value, part in table.groupby(by, observed=True):
        row = {"group": str(value), "photos": len(part), "people": int(part.person.nunique())}
        row["tone"] = {f"{100 * q:.0f} %": float(part.tone.quantile(q)) for q in (0.05, 0.5, 0.95)}
        for key in OUTCOMES:
            low, high = wilson(part[key].mean(), len(part))
            row[key] = {"share": float(part[key].mean()), "low": float(low), "high": float(high)}
        found.append(row)
    return found


def inside_people(table: pd.DataFrame, rounds: int = 2000) -> dict:
    """Lighter half of each person's photographs minus the darker, mean over people; 95 % bootstrap over pictures."""
    random, found = np.random.default_rng(0), {}
    measured = table[table.measured]
    lighter = measured.tone > measured.groupby("person").tone.transform("median")
    for key in OUTCOMES:
        difference, drawn = [], []
        for _, person in measured.groupby("person"):
            halves, again = [], []
            for half in (True, False):
                pictures = person[lighter[person.index] == half].groupby("group")[key].agg(["sum", "size"]).to_numpy()
                rows = random.integers(len(pictures), size=(rounds, len(pictures)))
                halves.append(np.divide(*pictures.sum(0)))
                again.append(np.divide(*pictures[rows].sum(1).T))
            difference.append(halves[0] - halves[1])
            drawn.append(again[0] - again[1])
        low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
        found[key] = {"difference": float(np.mean(difference)), "low": float(low), "high": float(high)}
    return found


def measure(photos: PhotoSet, repeats: int, jobs: int) -> dict:
    """Everything about one set."""
    with bars() as step:
        looked = look(photos, n_jobs=jobs, memory=cache_folder() / "faces", step=step)
    table = outcomes(looked, repeats)
    edges = [*BANDS.values(), 181]
    within = table.groupby("person").tone.transform("mean")
    return {
        "photos": len(table),
        "wrong_labels_left_out": len(photos) - len(table),
        "tone_measured": int(table.measured.sum()),
        "share_of_variance_between_people": float(within.var() / table.tone.var()),
        "thirds": shares(table, pd.qcut(table.tone, 3, labels=["darkest", "middle", "lightest"])),
        "bands": shares(table, pd.cut(table.tone, edges, labels=list(BANDS), right=False)),
        "people": shares(table, table.person),
        "lighter_minus_darker_inside_people": inside_people(table),
    }


def show(source: str, result: dict) -> None:
    """Print one set's tables."""
    print(f"\n{source}: {result['photos']} photographs, tone measured on {result['tone_measured']};")
    print(f"{result['share_of_variance_between_people']:.0%} of its variance is between people")
    for kind in ("thirds", "bands", "people"):
        print(
            f"\n{kind:<13}{'photos':>7}{'people':>7}{'tone':>6}"
            + "".join(f"{words:>22}" for words in OUTCOMES.values())
        )
        for row in result[kind]:
            line = f"{row['group']:<13}{row['photos']:>7}{row['people']:>7}{row['tone']['50 %']:>6.0f}"
            cells = [f"{row[key]['share']:.2f} ({row[key]['low']:.2f}–{row[key]['high']:.2f})" for key in OUTCOMES]
            print(line + "".join(f"{cell:>22}" for cell in cells))
    print("\nlighter minus darker half of each person's photographs")
    for key, row in result["lighter_minus_darker_inside_people"].items():
        print(f"{OUTCOMES[key]:<22}{row['difference']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "bias.json")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    default = load_photographs()
    result = json.loads(options.out.read_text(encoding="utf-8")) if options.out.is_file() else {}
    sets = {PHOTOS.name: load_folder(PHOTOS)} if PHOTOS.is_dir() else {}
    if default.source == "johns":  # the AT&T faces, which stand in for them, are grey
        sets["johns"] = default
    for source, photos in sets.items():
        result[source] = measure(photos, options.repeats, options.jobs)
        show(source, result[source])
    write_json(options.out, result)
    print(f"\nwritten to {options.out}")


if __name__ == "__main__":
    main()

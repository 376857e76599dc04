"""Is a name that is said with 0.9 right nine times of ten? By photographs a person, on the athletes and on LFW.

    python benchmarks/probabilities.py ../shared/data/lfw.zip --out benchmarks/probabilities.json

For each gallery so many photographs of each person are drawn and learnt from, and others are asked about. The athletes
are those of benchmarks/recognition.py, five people; near-duplicates never stand on both sides. People of Labeled Faces
in the Wild are halved at random, and each half is asked of a face space learnt from the other half. How sure a model is
(SURER and TRUSTED in celebml/known.py) was chosen on half 0 and looked at on all of them, so that no set pays for
another; one photograph a person has no folds, and its temperature is a constant.
ECE has 15 bins of equal width, and is a mean over galleries' photographs together.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from unittest import mock

import numpy as np
from lfw import HELD_BACK, Faces, central_crop, halves, learn
from recognition import HERE, PHOTOS, files, listed

from celebml.datasets import cache_folder, load_folder
from celebml.descriptions import Description
from celebml.features import FaceFeatures
from celebml.files import write_json
from celebml.models import BestModel
from celebml.stages import look

EACH = (1, 2, 3, 10, 40)  # photographs a person
GALLERIES = {5: (10, 8, 8, 6, 4), 15: (4, 2, 3, 2, 0)}  # of so many people, for each of them
ASKED = 8  # photographs of a person of LFW, at most

Answers = tuple[np.ndarray, np.ndarray]  # probabilities (n, n_people), and the true people's numbers (n,)


def answers(model: BestModel, asked: list[Description], names: np.ndarray) -> Answers:
    """Probabilities of the face that each photograph is about."""
    rows = [one.rows[model.speaker(one)] for one in asked]
    return model.predict_proba(np.stack(rows)), np.searchsorted(model.classes_, names)


def summary(told: list[Answers]) -> dict[str, float]:
    """Figures over all galleries' answers."""
    best, right = (np.concatenate(part) for part in zip(*((p.max(1), p.argmax(1) == y) for p, y in told), strict=True))
    true = np.concatenate([p[np.arange(len(p)), y] for p, y in told])
    brier = np.concatenate([((p - np.eye(p.shape[1])[y]) ** 2).sum(1) for p, y in told])
    bins = np.minimum((best * 15).astype(int), 14)
    gaps = [abs(best[bins == k].mean() - right[bins == k].mean()) * np.mean(bins == k) for k in np.unique(bins)]
    nll = -np.log(np.maximum(true, 1e-12)).mean()
    found = {"ece": np.sum(gaps), "said": best.mean(), "right": right.mean(), "nll": nll, "brier": brier.mean()}
    return {name: float(value) for name, value in found.items()} | {"galleries": len(told), "asked": len(best)}


def athletes() -> Iterator[dict]:
    """Five people of raw photographs whose label is right."""
    looked = look(load_folder(PHOTOS), ("best",), 1, cache_folder() / "faces")
    described, names = looked.descriptions["best"], np.asarray(looked.photos.names)
    wrong = np.isin(files(looked.photos), sorted(listed("wrong_labels.csv")))
    usable = np.flatnonzero([len(one.rows) > 0 and not bad for one, bad in zip(described, wrong, strict=True)])
    random, people = np.random.default_rng(0), np.unique(names)
    for each, count in zip(EACH, GALLERIES[5], strict=True):
        told = []
        for _ in range(count):
            drawn = [random.permutation(usable[names[usable] == person])[:each] for person in people]
            learnt = np.concatenate(drawn)
            asked = usable[~np.isin(looked.groups[usable], looked.groups[learnt])]
            model = BestModel().fit([described[i] for i in learnt], names[learnt], looked.groups[learnt])
            told.append(answers(model, [described[i] for i in asked], names[asked]))
        yield {"set": "athletes", "each": each, "people": len(people)} | summary(told)


def of_lfw(faces: Faces, half: int) -> Iterator[dict]:
    """People of one half, by a space of the other."""
    apart, own = faces.of_people(HELD_BACK), halves(faces) == half
    space, random, features = learn(faces, ~own & ~apart), np.random.default_rng(half), FaceFeatures()
    _, person, counts = np.unique(faces.people, return_inverse=True, return_counts=True)
    with zipfile.ZipFile(faces.zip) as file, mock.patch("celebml.known.face_space", lambda: space):
        place = {Path(name).stem: name for name in file.namelist()}

        @lru_cache(maxsize=4000)
        def described(row: int) -> Description:
            rows = features.transform([central_crop(file, place[faces.names[row]])])
            return Description(rows, np.ones(1), blocks=features.blocks)

        for n_people, galleries in GALLERIES.items():
            for each, count in zip(EACH, galleries, strict=True):
                enough, told = np.unique(person[own & ~apart & (counts[person] >= each + 4)]), []
                for _ in range(count):
                    drawn = [
                        random.permutation(np.flatnonzero(person == k)) for k in random.permutation(enough)[:n_people]
                    ]
                    learnt, asked = (
                        np.concatenate([rows[part] for rows in drawn])
                        for part in (slice(each), slice(each, each + ASKED))
                    )
                    model = BestModel().fit(
                        [described(i) for i in learnt], faces.people[learnt], np.arange(len(learnt))
                    )
                    told.append(answers(model, [described(i) for i in asked], faces.people[asked]))
                if told:
                    yield {"set": f"LFW, half {half}", "each": each, "people": n_people} | summary(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--out", type=Path, default=HERE / "probabilities.json")
    parser.add_argument("--work", type=Path, default=Path(".lfw"), help="where described faces are kept")
    options = parser.parse_args()
    rows, faces = [], Faces.of(options.zip, options.work)
    for part in (athletes(), of_lfw(faces, 0), of_lfw(faces, 1)):
        for row in part:
            rows.append(row)
            print(row, flush=True)
    write_json(options.out, {"rows": rows})


if __name__ == "__main__":
    main()

"""Labeled Faces in the Wild: verification (View 2), and people met against people not met.

    python benchmarks/lfw.py ../shared/data/lfw.zip --out benchmarks/lfw.json

View 2 in the category *unrestricted, outside data without names*: for each of the ten folds a space is learnt from the
people of the other nine, and the threshold is the best one for the other folds' pairs, each scored by its own space.
Open set, after Günther and others (Toward open-set face recognition, 2017): of people with more than three photographs
three are learnt from and the others asked about; people with two or three photographs are known unknowns, people with
one are unknown. A second gallery has five photographs each of people with twenty or more. People are halved at random;
each half is asked of a space learnt from the other half, so nobody is judged by a space that has met them. Settings
were chosen on View 1.

Four recipes stand side by side: discriminants alone, as before there was a face space; the space alone; both, as the
library has them, added up for the name, and the space for "known at all?"; and dlib's embedding, where `celebml[deep]`
is installed, in the second gallery only.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from celebml.deep import DeepFeatures, MeansModel
from celebml.descriptions import Description
from celebml.face_space import FaceSpace, _kept, folded, known_scores, learn_space, meet, unit_length
from celebml.features import FaceFeatures
from celebml.files import write_json
from celebml.known import face_space, space_share
from celebml.landmarks import YuNetDetector
from celebml.models import BestModel
from celebml.photographs import read_photograph

HELD_BACK = ("Serena_Williams", "Roger_Federer")  # they are among the athletes of benchmarks/recognition.py
PUBLISHED = {"SLBP": 0.9000, "Joint Bayesian": 0.9090, "Fisher vectors": 0.9303, "high-dimensional LBP": 0.9318}


@dataclass(frozen=True, eq=False)
class Faces:
    """The face in the middle of each photograph, described and folded with its mirror image; float16 on disk."""

    names: np.ndarray
    half: np.ndarray
    lists: dict[str, list[str]]
    zip: Path

    @classmethod
    def of(cls, path: Path, work: Path) -> Faces:
        """Read, find and describe, or take what an earlier run left in `work`."""
        with zipfile.ZipFile(path) as file:
            names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
            lists = {name: file.read(name).decode().splitlines() for name in file.namelist() if name.endswith(".txt")}
            rows = work / "half.npy"
            if not rows.is_file():
                work.mkdir(parents=True, exist_ok=True)
                describe_all(file, names, rows)
        return cls(np.array([Path(name).stem for name in names]), np.load(rows, mmap_mode="r"), lists, path)

    @property
    def people(self) -> np.ndarray:
        """Whom each photograph shows."""
        return np.array([name[:-5] for name in self.names])

    def of_people(self, names) -> np.ndarray:
        """Which photographs show one of them."""
        return np.isin(self.people, list(names))


def central_crop(file: zipfile.ZipFile, name: str) -> np.ndarray:
    """The face in the middle of a photograph of 250×250."""
    detector = YuNetDetector()
    found = detector(read_photograph(file.read(name), at_least=detector.at_least)).faces
    middle = [np.hypot(f.box.x + f.box.width / 2 - 125, f.box.y + f.box.height / 2 - 125) for f in found]
    return found[int(np.argmin(middle))].crop


def describe_all(file: zipfile.ZipFile, names: list[str], rows: Path) -> None:
    """Folded rows of all photographs, written whole or not at all."""
    space, features = face_space(), FaceFeatures()
    part = rows.with_suffix(".part.npy")
    half = np.lib.format.open_memmap(part, "w+", np.float16, (len(names), len(space.left)))
    for start in range(0, len(names), 64):
        crops = [central_crop(file, name) for name in names[start : start + 64]]
        half[start : start + 64] = folded(features.transform(crops), space.left, space.mirrored)
    half.flush()
    part.rename(rows)


def learn(faces: Faces, chosen: np.ndarray) -> FaceSpace:
    """A space from some of the photographs."""
    rows, space = np.flatnonzero(chosen), face_space()
    half = np.empty((len(rows), faces.half.shape[1]), np.float32)
    for start in range(0, len(rows), 1000):
        half[start : start + 1000] = faces.half[rows[start : start + 1000]]
    return learn_space(half, faces.people[rows], (space.left, space.mirrored, space.coloured), FaceFeatures().blocks)


def placed(faces: Faces, space: FaceSpace, rows: np.ndarray) -> np.ndarray:
    """Photographs in a space."""
    parts = []
    for start in range(0, len(rows), 500):
        half = np.asarray(faces.half[rows[start : start + 500]], np.float32) - space.mean
        parts.append(unit_length(_kept(half, space.cells) @ space.directions, space.between))
    return np.concatenate(parts)


def pairs(faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """View 2's pairs (6000, 2) as row numbers, and whether they show one person."""
    number = {name: row for row, name in enumerate(faces.names)}
    found, same = [], []
    for line in faces.lists["pairs.txt"][1:]:
        words = line.split()
        one = len(words) == 3
        first, second = (words[0], words[1]), (words[0 if one else 2], words[2 if one else 3])
        found.append([number[f"{name}_{int(place):04d}"] for name, place in (first, second)])
        same.append(one)
    return np.array(found), np.array(same)


def fold_people(faces: Faces) -> list[list[str]]:
    """The people of View 2's ten folds."""
    lines, folds, at = faces.lists["people.txt"], [], 1
    for _ in range(int(lines[0])):
        count = int(lines[at])
        folds.append([line.split()[0] for line in lines[at + 1 : at + 1 + count]])
        at += 1 + count
    return folds


def pair_scores(space: FaceSpace, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Log likelihood ratio of one person against two."""
    one, two = 1 + space.between, 1 + 2 * space.between
    square = (one / two - 1 / one) / 2
    return (first * second) @ (space.between / two) - (first**2 + second**2) @ square


def best_threshold(scores: np.ndarray, same: np.ndarray) -> float:
    """The threshold that is right most often."""
    order = np.argsort(-scores)
    return float(scores[order][np.argmax(np.cumsum(np.where(same[order], 1, -1)))])


def view2(faces: Faces) -> dict:
    """Ten folds; mean and standard error of the share right, area, and true accepts at few false ones."""
    rows, same = pairs(faces)
    fold, scores = np.arange(len(rows)) // 600, np.zeros(len(rows))
    for number, people in enumerate(fold_people(faces)):
        space, here = learn(faces, ~faces.of_people(people)), fold == number
        z = [placed(faces, space, rows[here, side]) for side in (0, 1)]
        scores[here] = pair_scores(space, *z)
        print(f"fold {number}: area {roc_auc_score(same[here], scores[here]):.4f}", flush=True)
    return verification(scores, same, fold)


def verification(scores: np.ndarray, same: np.ndarray, fold: np.ndarray) -> dict:
    """What ten folds of scores come to."""
    right = []
    for number in range(10):
        here = fold == number
        threshold = best_threshold(scores[~here], same[~here])
        right.append(float(np.mean((scores[here] >= threshold) == same[here])))
    false, true, _ = roc_curve(same, scores)
    at = {f"true_accepts_at_{far}": float(true[false <= far].max()) for far in (0.01, 0.001)}
    error = float(np.std(right, ddof=1) / np.sqrt(10))
    kept = slice(None, None, max(1, len(false) // 300))
    curve = [np.round(line[kept], 5).tolist() for line in (false, true)]
    found = {"accuracy": float(np.mean(right)), "standard_error": error, "folds": right}
    return found | {"auc": float(roc_auc_score(same, scores)), **at, "roc": curve}


@dataclass(frozen=True, eq=False)
class OpenSet:
    """Günther's parts of some people's photographs, as row numbers."""

    gallery: np.ndarray
    probes: np.ndarray
    known_unknown: np.ndarray
    unknown: np.ndarray


def open_set(people: np.ndarray, rows: np.ndarray) -> OpenSet:
    """Three photographs a person to learn from, the others asked about, among the photographs `rows`."""
    _, index, counts = np.unique(people[rows], return_inverse=True, return_counts=True)
    place = np.arange(len(rows)) - np.concatenate([[0], np.cumsum(counts)])[index]  # rows are sorted by name
    many = counts[index] > 3
    parts = many & (place < 3), many & (place >= 3), (counts[index] > 1) & ~many, counts[index] == 1
    return OpenSet(*(rows[part] for part in parts))


def identification(scores: np.ndarray, right: np.ndarray, strangers: np.ndarray) -> dict:
    """Share of known people's probes that are named rightly and above the threshold of 10 and 1 % of strangers."""
    found = {"closed": float(right.mean())}
    for far in (0.1, 0.01):
        threshold = np.sort(strangers)[::-1][int(far * len(strangers))]
        found[f"dir_at_{far}"] = float(np.mean(right & (scores > threshold)))
    return found


def halves(faces: Faces) -> np.ndarray:
    """0 or 1 for each photograph, by person."""
    names, index = np.unique(faces.people, return_inverse=True)
    return (np.random.default_rng(0).permutation(len(names)) % 2)[index]


def many_photographs(people: np.ndarray, rows: np.ndarray, seed: int) -> OpenSet:
    """Five photographs to learn from of people with twenty or more, up to seven asked about; 350 strangers with one."""
    _, index, counts = np.unique(people[rows], return_inverse=True, return_counts=True)
    place = np.arange(len(rows)) - np.concatenate([[0], np.cumsum(counts)])[index]
    many, alone = counts[index] >= 20, np.random.default_rng(seed).permutation(rows[counts[index] == 1])
    return OpenSet(rows[many & (place < 5)], rows[many & (place >= 5) & (place < 12)], alone[:0], np.sort(alone[:350]))


def whole(faces: Faces, rows: np.ndarray) -> np.ndarray:
    """Rows of features, symmetric: the mean of a face and its mirror image, on both sides."""
    space, half = face_space(), np.asarray(faces.half[rows], np.float32)
    both = np.zeros((len(rows), 2 * half.shape[1]), np.float32)
    both[:, space.left], both[:, space.mirrored] = half, half
    return both


def embedded(faces: Faces, rows: np.ndarray) -> np.ndarray:
    """Embeddings of photographs."""
    features = DeepFeatures()
    with zipfile.ZipFile(faces.zip) as file:
        place = {Path(name).stem: name for name in file.namelist()}
        crops = (central_crop(file, place[name]) for name in faces.names[rows])
        return np.concatenate([features.transform([crop]) for crop in crops])


Judged = dict[str, tuple[np.ndarray, np.ndarray]]  # by recipe: known scores, and who is named


def by_ours(faces: Faces, space: FaceSpace, gallery: np.ndarray, asked: np.ndarray) -> Judged:
    """Discriminants, the space, and both of them, taught a gallery and asked about other photographs."""
    names, index = np.unique(faces.people[gallery], return_inverse=True)
    blocks = FaceFeatures().blocks
    shown = [Description(row[None], np.ones(1), blocks=blocks) for row in whole(faces, gallery)]
    with mock.patch("celebml.tables.space_of", lambda blocks=None: None):  # which has met them
        model = BestModel().fit(shown, faces.people[gallery], np.arange(len(gallery)))
    parts = [model.scores(whole(faces, asked[start : start + 500])) for start in range(0, len(asked), 500)]
    scores = np.concatenate(parts)
    met, z = meet(space, placed(faces, space, gallery), index), placed(faces, space, asked)
    known, nearest = known_scores(space, met, z), names[(z @ met.weights + met.intercept).argmax(1)]
    ratios = z @ met.weights + met.intercept
    both = scores + space_share(np.bincount(index)) * (ratios - ratios.mean(1, keepdims=True))
    return {
        "discriminants": (scores.max(1), model.classes_[scores.argmax(1)]),
        "face space": (known, nearest),
        "both": (known, model.classes_[both.argmax(1)]),
    }


def by_embedding(faces: Faces, gallery: np.ndarray, asked: np.ndarray) -> Judged:
    """The nearest mean of dlib's embeddings; nothing where the extra is not installed."""
    if DeepFeatures().missing():
        return {}
    shown = [Description(row[None], np.ones(1)) for row in embedded(faces, gallery)]
    model = MeansModel().fit(shown, faces.people[gallery], np.arange(len(gallery)))
    probabilities, known = model.judge(embedded(faces, asked))
    return {"deep": (known, model.classes_[probabilities.argmax(1)])}


def curve(found: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[list[float]]:
    """Shares of strangers accepted, and of probes accepted and named rightly, over both halves."""
    scores, right, strangers = (np.concatenate([part[k] for part in found]) for k in range(3))
    fars = np.geomspace(0.002, 1, 60)
    limits = [np.sort(strangers)[::-1][min(int(far * len(strangers)), len(strangers) - 1)] for far in fars]
    return [fars.round(5).tolist(), [round(float(np.mean(right & (scores > limit))), 4) for limit in limits]]


def open_sets(faces: Faces) -> dict:
    """Both galleries, both halves of the people, each by a space from the other half."""
    half, people, rows, kept = halves(faces), faces.people, [], {}
    for number in (0, 1):
        space, here = learn(faces, half != number), np.flatnonzero(half == number)
        for gallery, parts in (("three", open_set(people, here)), ("five", many_photographs(people, here, number))):
            asked = np.concatenate([parts.probes, parts.known_unknown, parts.unknown])
            judged = by_ours(faces, space, parts.gallery, asked)
            if gallery == "five":
                judged |= by_embedding(faces, parts.gallery, asked)
            n, ends = len(parts.probes), np.cumsum([len(parts.probes), len(parts.known_unknown), len(parts.unknown)])
            for recipe, (scores, named) in judged.items():
                right = named[:n] == people[parts.probes]
                for kind, start, stop in (("known_unknown", *ends[:2]), ("unknown", *ends[1:])):
                    if stop > start:
                        row = identification(scores[:n], right, scores[start:stop])
                        told = {"gallery": gallery, "half": number, "recipe": recipe, "strangers": kind}
                        rows.append(told | {"people": len(np.unique(people[parts.gallery])), "probes": n} | row)
                        print(rows[-1], flush=True)
                kept.setdefault(f"{gallery}, {recipe}", []).append((scores[:n], right, scores[ends[1] : ends[2]]))
    return {"rows": rows, "curves": {name: curve(found) for name, found in kept.items()}}


COLOURS = {"discriminants": "#999999", "face space": "#56B4E9", "both": "#0072B2", "deep": "#009E73"}


def draw_open_set(result: dict, path: Path) -> None:
    """Probes named rightly against strangers accepted, for both galleries."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "celebml"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
    for axis, (gallery, title) in zip(axes, (("three", "three photographs a person"), ("five", "five")), strict=True):
        for recipe, colour in COLOURS.items():
            if line := result["open_set"]["curves"].get(f"{gallery}, {recipe}"):
                axis.plot(*line, color=colour, label=recipe)
        axis.set(xscale="log", xlabel="strangers accepted", ylim=(0, 1), title=title)
    axes[0].set_ylabel("known people named rightly")
    axes[1].legend(loc="lower right")
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def draw(result: dict, path: Path) -> None:
    """Verification's curve beside the published figures."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "celebml"
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(4.5, 3.5))
    axis.plot(*result["view2"]["roc"], color="#0072B2", label=f"ours, {result['view2']['accuracy']:.4f} right")
    axis.plot([0, 1], [1, 0], color="#999999", linewidth=0.8)
    for name, share in PUBLISHED.items():
        axis.plot(1 - share, share, ".", color="#D55E00")
        axis.annotate(f" {name}", (1 - share, share), fontsize=7, va="top")
    axis.set(xlabel="pairs of two people accepted", ylabel="pairs of one person accepted", xlim=(0, 0.3), ylim=(0.7, 1))
    axis.legend(loc="lower right")
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("lfw.json"))
    parser.add_argument("--work", type=Path, default=Path(".lfw"), help="where described faces are kept")
    parser.add_argument("--open-set", action="store_true", help="keep View 2 as it stands in --out")
    options = parser.parse_args()
    faces = Faces.of(options.zip, options.work)
    result = {"photographs": len(faces.names), "open_set": open_sets(faces)}
    earlier = json.loads(options.out.read_text(encoding="utf-8")) if options.open_set and options.out.is_file() else {}
    result["view2"] = earlier.get("view2") or view2(faces)
    write_json(options.out, result)
    draw(result, options.out.with_suffix(".svg"))
    draw_open_set(result, options.out.with_name("lfw_open_set.svg"))
    print({name: value for name, value in result["view2"].items() if name != "roc"})


if __name__ == "__main__":
    main()

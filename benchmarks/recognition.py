"""Recognition measured: raw web photographs, the AT&T protocols, strangers, what each part gives, size and time.

    python benchmarks/recognition.py --out benchmarks/recognition.json

Raw photographs are read from $CELEBML_PHOTOS (default: ../shared/data/athletes beside the project) and are not part of
the project; without them only the AT&T rows are measured. File names of wrong labels come from benchmarks/labels/.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from celebml.bundle import Bundle, save_bundle
from celebml.datasets import PhotoSet, cache_folder, load_att, load_folder
from celebml.descriptions import Description
from celebml.evaluate import NOBODY, Scores, score_recipe
from celebml.features import FaceFeatures
from celebml.files import write_json
from celebml.known import face_space
from celebml.recipes import compared, load_recipe
from celebml.search import grouped_folds
from celebml.stages import Looked, look
from celebml.steps import bars
from celebml.strangers import stranger_curve

HERE = Path(__file__).parent
PHOTOS = Path(os.environ.get("CELEBML_PHOTOS", HERE.parents[1] / "shared" / "data" / "athletes"))


def listed(name: str) -> set[str]:
    """File names ("person/file") of one list made by eye; empty where there is none."""
    path = HERE / "labels" / name
    return {row["file"] for row in csv.DictReader(path.open(encoding="utf-8"))} if path.is_file() else set()


def files(photos: PhotoSet) -> np.ndarray:
    """Each photograph as "person/file", as the lists have them."""
    return np.array([f"{path.parent.name}/{path.name}" for path in photos.paths])


def summary(scores: Scores, chosen: np.ndarray) -> dict[str, float]:
    """Accuracy on some of the photographs, mean and spread over repeats."""
    right = (scores.named == scores.truth)[:, chosen].mean(1)
    return {"accuracy": float(right.mean()), "sd_over_repeats": float(right.std()), "photos": int(chosen.sum())}


def raw_photographs(looked: Looked, repeats: int) -> dict:
    """Each recipe on all photographs, and on those that show a face and whose label is right."""
    wrong, found = np.isin(files(looked.photos), sorted(listed("wrong_labels.csv"))), {}
    for name, described in looked.descriptions.items():
        recipe = load_recipe(name)
        with bars() as step:
            scores = score_recipe(recipe, described, looked.photos.names, looked.groups, n_repeats=repeats, step=step)
        clean = ~wrong & (scores.named[0] != NOBODY)
        found[name] = {"all": scores.summary() | {"photos": len(wrong)}, "label_right": summary(scores, clean)}
    return found


def strangers(looked: Looked, name: str, repeats: int) -> dict:
    """Each person left out in turn, photographs with one face: are known people told from the one nobody has met?"""
    recipe, described = load_recipe(name), looked.descriptions[name]
    names, wrong = np.asarray(looked.photos.names), np.isin(files(looked.photos), sorted(listed("wrong_labels.csv")))
    usable = np.flatnonzero([len(d.rows) == 1 and not bad for d, bad in zip(described, wrong, strict=True)])
    found = {}
    for stranger in np.unique(names):
        known, unknown = usable[names[usable] != stranger], usable[names[usable] == stranger]
        own, others, right, own_passed, passed = [], [], [], [], []
        for repeat in range(repeats):
            for train, test in grouped_folds(names[known], looked.groups[known], 5, repeat):
                rows, asked = known[train], known[test]
                model = recipe.fit([described[i] for i in rows], names[rows], looked.groups[rows], repeat)
                scores = [np.array([model.photo_score(described[i]) for i in some]) for some in (asked, unknown)]
                own.append(scores[0])
                others.append(scores[1])
                right += [model.name_of(described[i]) == names[i] for i in asked]
                own_passed.append(np.mean(scores[0] >= model.threshold_))
                passed.append(np.mean(scores[1] >= model.threshold_))
        own, others = np.concatenate(own), np.concatenate(others)
        curve, limit = stranger_curve(own, others), np.sort(others)[::-1][int(0.01 * len(others))]
        found[str(stranger)] = {
            "auroc": curve.auroc,
            "accepted_at_95": curve.strangers_at(0.95),
            "dir_at_0.01": float(np.mean((own > limit) & np.array(right))),
            "accepted_at_own_threshold": float(np.mean(passed)),
            "known_at_own_threshold": float(np.mean(own_passed)),
        }
    means = {key: float(np.mean([row[key] for row in found.values()])) for key in next(iter(found.values()))}
    worst = max(row["accepted_at_95"] for row in found.values())
    return means | {"worst_accepted_at_95": worst, "photos": len(usable), "by_person": found}


def att_protocols(described: list[Description]) -> dict:
    """The published splits of the AT&T faces, and two photographs a person; groups are not joined, as is customary."""
    names, number = np.array(load_att().names), np.arange(400) % 10

    def right(train: np.ndarray) -> float:
        model = load_recipe("best").fit([described[i] for i in train], names[train], train)
        test = np.setdiff1d(np.arange(400), train)
        return float(np.mean([model.name_of(described[i]) == names[i] for i in test]))

    def splits(each: int) -> dict[str, float]:
        accuracies = []
        for seed in range(10):
            random = np.random.default_rng(seed)
            chosen = [10 * person + random.permutation(10)[:each] for person in range(40)]
            accuracies.append(right(np.concatenate(chosen)))
        return {"mean": float(np.mean(accuracies)), "sd": float(np.std(accuracies))}

    first = right(np.flatnonzero(number < 5))
    return {"first_five": {"right": round(200 * first), "of": 200}, "five": splits(5), "two": splits(2)}


def att_strangers(described: list[Description]) -> dict:
    """Ten people left out in turn; the others' last photographs are the known ones. Both by models that met neither."""
    names, accepted, aurocs = np.array(load_att().names), [], []
    person, number = np.arange(400) // 10, np.arange(400) % 10
    for block in range(4):
        out = person // 10 == block
        train = np.flatnonzero(~out & (number < 6))
        model = load_recipe("best").fit([described[i] for i in train], names[train], train)
        known = np.array([model.photo_score(described[i]) for i in np.flatnonzero(~out & (number >= 6))])
        unknown = np.array([model.photo_score(described[i]) for i in np.flatnonzero(out)])
        curve = stranger_curve(known, unknown)
        accepted.append(curve.strangers_at(0.95))
        aurocs.append(curve.auroc)
    return {"accepted_at_95": float(np.mean(accepted)), "auroc": float(np.mean(aurocs))}


def without(described: list[Description], columns: np.ndarray) -> list[Description]:
    """The same faces with some columns of the average face, which say nothing to the discriminants or to the space."""
    space = face_space()
    average = np.ones(len(columns), np.float32)
    average[space.left] = average[space.mirrored] = space.mean

    def silent(rows: np.ndarray) -> np.ndarray:
        rows = rows.copy()
        rows[:, columns] = average[columns]
        return rows

    return [Description(silent(d.rows), d.areas, d.blocks) for d in described]


def ablation(looked: Looked, repeats: int) -> dict:
    """Our recipe with one descriptor alone, with one missing, and on the biggest face only."""
    described, blocks = looked.descriptions["best"], FaceFeatures().blocks
    columns = np.arange(blocks[-1].columns.stop)
    variants = {"all five": described}
    for block in blocks:
        inside = np.isin(columns, columns[block.columns])
        variants[f"only {block.name}"] = without(described, ~inside)
        variants[f"without {block.name}"] = without(described, inside)
    variants["biggest face only"] = [Description(d.rows[:1], d.areas[:1], d.blocks) for d in described]
    found = {}
    for name, variant in variants.items():
        recipe = load_recipe("best")
        scores = score_recipe(recipe, variant, looked.photos.names, looked.groups, n_repeats=repeats).summary()
        found[name] = {"accuracy_all": scores["accuracy_all"], "sd": scores["sd"]}
        print(f"{name:<28}{scores['accuracy_all']:.3f} ± {scores['sd']:.3f}", flush=True)
    return found


def cost(looked: Looked) -> dict:
    """Processor time of features and answer for one face on one thread, and the size of a bundle."""
    recipe, described = load_recipe("best"), looked.descriptions["best"]
    seen = [i for i, d in enumerate(described) if len(d.rows)]
    names = np.asarray(looked.photos.names)
    model = recipe.fit([described[i] for i in seen], names[seen], looked.groups[seen])
    crop = looked.detections["best"][seen[0]].faces[0].crop
    times = []
    with threadpool_limits(1):
        for _ in range(60):
            start = time.process_time()
            model.judge(recipe.features.transform([crop]))
            times.append(time.process_time() - start)
    with tempfile.TemporaryDirectory() as folder:
        bundle = save_bundle(Bundle("best", model), Path(folder) / "bundle")
        size = sum(path.stat().st_size for path in bundle.rglob("*"))
    return {"features_and_prediction_ms": float(np.median(times) * 1e3), "bundle_mb": size / 1e6}


def draw(result: dict, path: Path) -> None:
    """Share of all raw photographs named rightly, by recipe and by what is taken away, as a picture for the README."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "celebml"  # the same picture from the same numbers
    import matplotlib.pyplot as plt

    rows = [("the classic recipe", result["raw"]["classic"]["all"], "#D55E00")]
    rows += [("our recipe", result["raw"]["best"]["all"], "#0072B2")]
    if "deep" in result["raw"]:
        rows += [("a deep embedding (optional)", result["raw"]["deep"]["all"], "#999999")]
    rows += [(name, row, "#56B4E9") for name, row in result.get("ablation", {}).items() if name != "all five"]
    figure, axis = plt.subplots(figsize=(7, 0.33 * len(rows) + 0.9))
    for height, (_, row, colour) in enumerate(rows):
        axis.barh(height, row["accuracy_all"], xerr=row["sd"], color=colour, height=0.7, ecolor="#444444")
    axis.set(yticks=range(len(rows)), yticklabels=[name for name, _, _ in rows], xlim=(0, 1))
    axis.set_xlabel("share of all photographs named rightly, mean ± sd over folds")
    axis.invert_yaxis()
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "recognition.json")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ablation", action="store_true", help="also measure what each part gives (some minutes)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    memory, result = cache_folder() / "faces", {}
    with bars() as step:
        att = look(load_att(), ("best",), options.jobs, memory, step=step)
    result["att"] = att_protocols(att.descriptions["best"]) | {"strangers": att_strangers(att.descriptions["best"])}
    print(result["att"], flush=True)
    if PHOTOS.is_dir():
        with bars() as step:
            looked = look(load_folder(PHOTOS), compared(), options.jobs, memory, step=step)
        result["raw"] = raw_photographs(looked, options.repeats)
        told = [name for name in looked.recipes if name != "classic"]  # which knows no strangers
        result["strangers"] = {name: strangers(looked, name, options.repeats) for name in told}
        result["cost"] = cost(looked)
        print(result["raw"], result["cost"], flush=True)
        if options.ablation:
            result["ablation"] = ablation(looked, 1)
    else:
        print(f"{PHOTOS} is not there: raw photographs were not measured")
    write_json(options.out, result)
    if "raw" in result:
        draw(result, options.out.with_suffix(".svg"))
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()

"""Measure what cleaning finds, against labels made by eye: copies, wrong people, several faces.

    python benchmarks/cleaning.py [--json] [--recipe best] [--seeds 3]

Reads the photographs in $CELEBML_PHOTOS (default ../shared/data/athletes), one sub-folder a person; the labels in
benchmarks/labels name files of that folder and nothing else. Without the folder there is nothing to measure.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from celebml.clean import decide
from celebml.datasets import PhotoSet, load_folder
from celebml.detection import detect, detect_all
from celebml.duplicates import near_duplicate_groups, near_duplicate_pairs
from celebml.landmarks import YuNetDetector
from celebml.photographs import read_photograph
from celebml.recipes import load_recipe
from celebml.suspects import folder_doubts

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("CELEBML_PHOTOS", HERE.parent.parent / "shared" / "data" / "athletes"))


def labels(name: str) -> list[dict[str, str]]:
    """Rows of one label file."""
    with (HERE / "labels" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _cropped(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    top, bottom, left, right = random.uniform(0, 0.15, 4)
    return pixels[int(top * height) : int((1 - bottom) * height), int(left * width) : int((1 - right) * width)]


def _recompressed(pixels: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def _turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _relit(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return cv2.convertScaleAbs(pixels, alpha=random.choice([0.7, 1.3]), beta=random.choice([0, 15]))


def _resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


Transform = Callable[[np.ndarray, np.random.Generator], np.ndarray]
TRANSFORMS: dict[str, Transform] = {
    "crop up to 15 % a side": _cropped,
    "mirror": lambda pixels, _: pixels[:, ::-1],
    "JPEG quality 30": lambda pixels, _: _recompressed(pixels, 30),
    "half size": lambda pixels, _: _resized(pixels, 0.5),
    "turn by 5 degrees": lambda pixels, random: _turned(pixels, random.choice([-5, 5])),
    "brightness ±30 %": _relit,
    "crop, mirror, 60 %, JPEG 50": lambda pixels, random: _recompressed(
        _resized(np.ascontiguousarray(_cropped(pixels, random)[:, ::-1]), 0.6), 50
    ),
}


def copies_by_eye(files: list[str], detections: list) -> dict[str, float]:
    """Precision and recall on the pairs of copies found by eye, and how many look-alike pairs were taken for copies."""
    group = {row["file"]: row["group"] for row in labels("near_duplicates")}
    truth = {(i, j) for i, j in combinations(range(len(files)), 2) if group.get(files[i], i) == group.get(files[j], j)}
    numbers = near_duplicate_groups(detections)
    said = {(i, j) for i, j in combinations(range(len(files)), 2) if numbers[i] == numbers[j]}
    place = {file: i for i, file in enumerate(files)}
    alike = {tuple(sorted((place[row["file_a"]], place[row["file_b"]]))) for row in labels("lookalikes")}
    return {
        "pairs_by_eye": len(truth),
        "pairs_found": len(said),
        "precision": len(truth & said) / max(len(said), 1),
        "recall": len(truth & said) / max(len(truth), 1),
        "lookalike_pairs": len(alike),
        "lookalikes_taken_for_copies": len(alike & said),
    }


def copies_made(photos: PhotoSet, detections: list, count: int, random: np.random.Generator) -> dict[str, dict]:
    """Of photographs transformed by us: how many are found again among all others, and how many wrong ones with them.

    `without_face` counts transformed photographs in which no face is found any more, which nothing could group.
    """
    detector, chosen = YuNetDetector(), random.choice(len(photos), min(count, len(photos)), replace=False)
    chosen = [int(i) for i in chosen if detections[i].faces]
    known, result = near_duplicate_groups(detections), {}
    for kind, transform in TRANSFORMS.items():
        made = [
            detect(np.ascontiguousarray(transform(read_photograph(photos.paths[i]).pixels, random)), detector)
            for i in chosen
        ]
        right = wrong = 0
        pairs = near_duplicate_pairs([*detections, *made])
        for number, origin in enumerate(chosen, len(photos)):
            partners = {one if other == number else other for one, other in pairs if number in (one, other)}
            partners = {i for i in partners if i < len(photos)}
            right += any(known[i] == known[origin] for i in partners)
            wrong += any(known[i] != known[origin] for i in partners)
        result[kind] = {
            "recall": right / len(chosen),
            "precision": right / max(right + wrong, 1),
            "without_face": sum(not found.faces for found in made),
            "photographs": len(chosen),
        }
    return result


def shares(doubts: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """Share of the wrong ones among the most doubtful 5 % and 10 % of all photographs."""
    order = np.argsort(-np.nan_to_num(doubts, nan=-1.0), kind="stable")
    found = {share: float(wrong[order[: round(len(order) * share / 100)]].sum()) for share in (5, 10)}
    total = int(wrong.sum())
    return {f"in_first_{share}_percent": count / max(total, 1) for share, count in found.items()} | {"wrong": total}


def wrong_people(files: list[str], photos: PhotoSet, looked: dict, recipe: str, seeds: int) -> dict[str, dict]:
    """How early wrong people stand in the ranking by doubt: those found by eye, and names moved at random."""
    listed = {row["file"] for row in labels("wrong_labels")}
    by_eye = np.array([file in listed for file in files])
    names, value = np.array(photos.names), {}
    people = sorted(set(photos.names))
    described, groups = looked["described"], looked["groups"]
    doubts, _ = folder_doubts(load_recipe(recipe), described, names, groups)
    value["by_eye"] = shares(doubts, by_eye)
    value["by_eye"]["places"] = sorted(int((doubts > doubts[i]).sum()) + 1 for i in np.flatnonzero(by_eye))
    listed |= {row["file"] for row in labels("several_faces")}
    doubts, _ = folder_doubts(load_recipe(recipe), described, names, groups, biggest=True)
    value["biggest_face_by_eye"] = shares(doubts, np.array([file in listed for file in files]))
    rounds = []
    for seed in range(seeds):
        random, moved = np.random.default_rng(seed), names.copy()
        seen = np.flatnonzero([len(description.rows) > 0 for description in described])
        swapped = random.choice(seen, round(0.05 * len(names)), replace=False)
        for i in swapped:
            moved[i] = random.choice([name for name in people if name != names[i]])
        marks = np.isin(np.arange(len(names)), swapped)
        rounds.append(shares(folder_doubts(load_recipe(recipe), described, moved, groups)[0], marks))
    value["five_percent_moved"] = {
        key: {"mean": float(np.mean([r[key] for r in rounds])), "all": [round(r[key], 3) for r in rounds]}
        for key in ("in_first_5_percent", "in_first_10_percent")
    }
    return value


def kept_faces(files: list[str], photos: PhotoSet, detections: list) -> dict[str, float]:
    """Crops of the biggest face that show somebody else, by eye, before and after leaving out what cleaning rejects."""
    wrong = {row["file"] for name in ("several_faces", "wrong_labels") for row in labels(name)}
    reasons = {file: row["reason"] for file, row in zip(files, decide(photos, detections), strict=True)}
    several = {file for file, reason in reasons.items() if reason == "several faces"}
    seen = {file for file, found in zip(files, detections, strict=True) if found.faces}
    kept = {file for file, reason in reasons.items() if not reason}
    return {
        "faces": len(seen),
        "wrong_faces": len(seen & wrong),
        "kept": len(kept),
        "wrong_kept": len(kept & wrong),
        "said_several": len(several),
        "said_several_and_wrong": len(several & wrong),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="best")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--transformed", type=int, default=120, help="photographs that are transformed")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER}: no photographs here; name a folder in CELEBML_PHOTOS")
    photos = load_folder(FOLDER)
    files = [path.relative_to(FOLDER).as_posix() for path in photos.paths]
    detections = detect_all(photos.paths, YuNetDetector(), n_jobs=-1)
    recipe = load_recipe(asked.recipe)
    seen = detections if recipe.detector == YuNetDetector() else detect_all(photos.paths, recipe.detector, n_jobs=-1)
    looked = {"groups": near_duplicate_groups(detections), "described": recipe.describe(seen)}
    value = {
        "photographs": len(photos),
        "copies_by_eye": copies_by_eye(files, detections),
        "copies_made": copies_made(photos, detections, asked.transformed, np.random.default_rng(0)),
        "kept_faces": kept_faces(files, photos, detections),
        "wrong_people": {"recipe": asked.recipe} | wrong_people(files, photos, looked, asked.recipe, asked.seeds),
    }
    print(json.dumps(value, indent=None if asked.as_json else 2, ensure_ascii=False))


if __name__ == "__main__":
    main()

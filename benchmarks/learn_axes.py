"""Learn the axes of the descriptors that `celebml/axes.npz` holds, from photographs of many people.

    python benchmarks/learn_axes.py ../shared/data/lfw.zip [--out celebml/axes.npz] [--most 2500]

Of each person in the development list of Labeled Faces in the Wild (peopleDevTrain.txt) who has fewer than twenty
photographs, the first photograph is looked at. Nothing is learnt about who anybody is. What is written: the average and
the spread of each column, and for each descriptor two rotations, one of its cells and one of the numbers in a cell, and
the order of the coordinates. No photograph can be drawn from them.
"""

import argparse
import zipfile
from pathlib import Path

import numpy as np
from scipy import linalg
from tqdm import tqdm

from celebml.descriptions import Block
from celebml.descriptors import _BINS, _RING, N_PATTERNS
from celebml.features import FaceFeatures
from celebml.landmarks import YuNetDetector
from celebml.photographs import read_photograph

KNOWN_ELSEWHERE = {"Roger_Federer", "Serena_Williams"}  # in the photographs that recognition is measured on


def rows_of(archive: zipfile.ZipFile, most: int) -> np.ndarray:
    """One row of features for each person (n_people, n_features)."""
    names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
    listed = archive.read(next(n for n in archive.namelist() if n.endswith("peopleDevTrain.txt"))).decode().split("\n")
    counts = {line.split()[0]: int(line.split()[1]) for line in listed[1:] if line.strip()}
    people = [who for who, count in counts.items() if count < 20 and who not in KNOWN_ELSEWHERE][:most]
    firsts = {name.split("/")[-2]: name for name in reversed(names)}
    detector, features, rows = YuNetDetector(), FaceFeatures(), []
    for who in tqdm(people, "faces"):
        found = detector(read_photograph(archive.read(firsts[who]), at_least=detector.at_least))
        if found.faces:
            rows.append(features.transform([found.faces[0].crop])[0])
    return np.stack(rows)


def mirrored_channels(block: Block) -> np.ndarray:
    """Where each number of a cell is found in the mirror image's cell."""
    if block.name in ("patterns", "colour patterns"):
        bits = [_RING.index((down, -across)) for down, across in _RING]
        pattern = np.zeros(N_PATTERNS, int)
        for code in range(256):
            pattern[_BINS[sum(((code >> bit) & 1) << bits[bit] for bit in range(8))]] = _BINS[code]
        return np.concatenate([pattern + N_PATTERNS * k for k in range(block.channels // N_PATTERNS)])
    if block.name == "gradients":
        return (9 - np.arange(18)) % 18
    return np.arange(block.channels)


def measured_channels(block: Block, features: FaceFeatures) -> np.ndarray:
    """The same, for scattering: read off random pictures, and checked to be a permutation."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, (24, 20, 20, 3)).astype(np.uint8)
    crops = [np.kron(picture, np.ones((8, 8, 1), np.uint8)) for picture in coarse]
    grids = [
        features.transform(some)[:, block.columns].reshape(len(crops), block.grid, block.grid, block.channels)
        for some in (crops, [np.ascontiguousarray(crop[:, ::-1]) for crop in crops])
    ]
    one, other = grids[0][:, :, ::-1].reshape(-1, block.channels), grids[1].reshape(-1, block.channels)
    apart = np.array([((one - column[:, None]) ** 2).mean(0) for column in other.T])
    found = apart.argmin(1)
    assert len(set(found)) == block.channels, "no permutation"
    return found


def eigenvectors(scatter: np.ndarray, mirror: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthogonal vectors of a scatter, largest first; 1 for each that a mirror image leaves alone, or else -1."""
    identity, found = np.eye(len(scatter)), []
    for sign in (1, -1):
        values, vectors = linalg.eigh((identity + sign * identity[mirror]) / 2)
        half = vectors[:, values > 0.5]
        values, vectors = linalg.eigh(half.T @ scatter @ half)
        found += [(value, half @ vector, sign) for value, vector in zip(values, vectors.T, strict=True)]
    found.sort(key=lambda one: -one[0])
    return np.array([vector for _, vector, _ in found]).T, np.array([sign for *_, sign in found])


def axes(rows: np.ndarray, block: Block, mirror: np.ndarray) -> dict[str, np.ndarray]:
    """Mean, spread, rotations and order of one descriptor."""
    cells = np.arange(block.grid**2).reshape(block.grid, block.grid)[:, ::-1].ravel()
    grid = rows[:, block.columns].astype(np.float64).reshape(len(rows), len(cells), block.channels)
    both = np.concatenate([grid, grid[:, cells][:, :, mirror]])
    spread = both.std(0)
    spread += 0.1 * np.sqrt(np.mean(spread**2))  # so that a number that hardly ever changes is not blown up
    scaled = (both - both.mean(0)) / spread
    by_cell, cell_sign = eigenvectors(np.tensordot(scaled, scaled, ([0, 2], [0, 2])), cells)
    by_channel, channel_sign = eigenvectors(np.tensordot(scaled, scaled, ([0, 1], [0, 1])), mirror)
    varies = ((by_cell.T @ scaled @ by_channel) ** 2).mean(0).ravel()
    even = np.flatnonzero(np.outer(cell_sign, channel_sign).ravel() > 0)
    even = even[np.argsort(-varies[even], kind="stable")]
    numbers = {"mean": both.mean(0).ravel(), "spread": spread.ravel(), "cells": by_cell, "channels": by_channel}
    found = {f"{block.name} {key}": value.astype(np.float32) for key, value in numbers.items()}
    return found | {f"{block.name} even": even.astype(np.int16)}


def main() -> None:
    """Look, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "celebml" / "axes.npz")
    parser.add_argument("--most", type=int, default=2500)
    chosen = parser.parse_args()
    with zipfile.ZipFile(chosen.archive) as archive:
        rows = rows_of(archive, chosen.most)
    features, found = FaceFeatures(), {}
    for block in features.blocks:
        mirror = measured_channels(block, features) if block.name == "scattering" else mirrored_channels(block)
        found |= axes(rows, block, mirror)
    np.savez_compressed(chosen.out, **found)
    print(f"{len(rows)} people, {chosen.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

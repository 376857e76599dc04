"""What several tests share: a few people of the AT&T faces, and a model of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

from celebml.classifier import CelebrityClassifier
from celebml.datasets import PhotoSet, load_att


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("CELEBML_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def people() -> PhotoSet:
    """Four people, six photographs each, none of them copies of another."""
    att, chosen = load_att(), [p * 10 + k for p in (0, 1, 2, 4) for k in range(6)]
    return PhotoSet(tuple(att.paths[i] for i in chosen), tuple(att.names[i] for i in chosen), "att")


@pytest.fixture(scope="session")
def folder(people, tmp_path_factory) -> Path:
    """The same as a user would lay them out: one sub-folder a person."""
    root = tmp_path_factory.mktemp("photos")
    for path, name in zip(people.paths, people.names, strict=True):
        (root / name).mkdir(exist_ok=True)
        (root / name / path.name).write_bytes(path.read_bytes())
    return root


@pytest.fixture(scope="session")
def classifier(people) -> CelebrityClassifier:
    """The best recipe, trained on those four people."""
    return CelebrityClassifier().fit(people.paths, people.names)


@pytest.fixture(scope="session")
def bundle(classifier, tmp_path_factory) -> Path:
    """A saved model that tests may read but not change."""
    return classifier.save(tmp_path_factory.mktemp("saved") / "bundle")


@pytest.fixture
def random() -> np.random.Generator:
    """Random numbers that are the same every time."""
    return np.random.default_rng(0)

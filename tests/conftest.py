"""What several tests share: a few people of the AT&T faces, and a model of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from remembered import DETECTORS, remembering

os.environ.setdefault("MPLBACKEND", "Agg")

from celebml.classifier import CelebrityClassifier
from celebml.datasets import PhotoSet, load_att

# What takes longest begins first, so that no process is left alone with it at the end.
LONGEST = ("test_dashboard_screen.py", "test_static_page.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Each process takes whole files, so that what a file starts is started once; chapters are taken one by one."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return nodeid if file.endswith("test_chapters.py") else file

    config.option.loadscopereorder = False
    return Files(config, log)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("CELEBML_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def remembered() -> Iterator[None]:
    """A module's tests look at each photograph once."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in DETECTORS:
            patch.setattr(kind, "__call__", remembering(kind.__call__))
        yield


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

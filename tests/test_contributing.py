"""What CONTRIBUTING.md promises is done here once, as it says."""

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from click.testing import CliRunner
from own_model import Nearest

from celebml import datasets, features, recipes
from celebml.cli import main
from celebml.datasets import PhotoSet, load_att
from celebml.features import OURS, Descriptor, FaceFeatures
from celebml.landmarks import YuNetDetector
from celebml.models import BestModel
from celebml.recipes import Recipe, register_part, register_recipe
from tools.imports import PICTURE, imports, reduced, svg

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def registries():
    "What a test adds is gone after it."
    with ExitStack() as stack:
        for table in (datasets.SOURCES, features.DESCRIPTORS, recipes.MODELS, recipes.RECIPES):
            stack.enter_context(patch.dict(table))
        yield


def three() -> PhotoSet:
    "A source of three people."
    att = load_att()
    return PhotoSet(att.paths[:30], att.names[:30], "three", ("AT&T Laboratories Cambridge",))


def asked(*words):
    done = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_data_source_has_a_word_that_every_command_takes(tmp_path):
    datasets.SOURCES["three"] = three
    told = asked("train", "three", "--out", tmp_path / "bundle", "--jobs", 1)
    assert told["photos"] == 30 and told["people"] == ["s1", "s2", "s3"]


def test_a_descriptor_a_model_and_a_recipe_reach_the_command_line(tmp_path):
    def brightness(crops):
        return np.stack([crop[::40, ::40].mean(2).reshape(16, 1) for crop in crops]).astype(np.float32)

    datasets.SOURCES["three"] = three
    features.DESCRIPTORS["brightness"] = Descriptor(brightness, 160, 4, 1)
    register_part("nearest", Nearest)
    register_recipe(Recipe("nearest", YuNetDetector(), FaceFeatures((*OURS, "brightness")), Nearest))
    register_recipe(Recipe("brighter", YuNetDetector(), FaceFeatures((*OURS, "brightness")), BestModel))
    told = asked("evaluate", "three", "--recipe", "nearest", "--recipe", "brighter", "--repeats", 1, "--jobs", 1)
    assert set(told["recipes"]) == {"nearest", "brighter"}
    asked("train", "three", "--out", tmp_path / "bundle", "--recipe", "nearest", "--jobs", 1)
    answer = asked("classify", tmp_path / "bundle", three().paths[0])["photos"][0]["faces"][0]
    assert answer["name"] in {"s1", "s2", "s3"} and answer["known"] is None


def test_the_picture_shows_who_imports_whom_and_there_is_no_circle():
    drawn = svg(imports())  # raises for a circle
    assert PICTURE.read_text(encoding="utf-8") == drawn, "draw it anew: python tools/imports.py"
    assert "docs/imports.svg" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_a_page_of_the_course_is_put_into_the_contents_by_its_number(tmp_path):
    for name in ("nbs", "docs", "README.md"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("_build", "exercises"))
        else:
            shutil.copyfile(source, tmp_path / name)
    chapter = json.loads((tmp_path / "nbs" / "51_files.ipynb").read_text(encoding="utf-8"))
    chapter["cells"][0]["source"] = ["# A page of ours\n", "> It is here to be listed.\n", "\n", "**Time** 7 minutes."]
    (tmp_path / "nbs" / "99_ours.ipynb").write_text(json.dumps(chapter), encoding="utf-8")
    subprocess.run([sys.executable, tmp_path / "docs" / "contents.py"], check=True, cwd=tmp_path)
    told = (tmp_path / "docs" / "parts" / "library.md").read_text(encoding="utf-8")
    assert "A page of ours" in told and "99_ours.ipynb" in told

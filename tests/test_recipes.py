"""A recipe is what it says: any parts go together, are saved by name, and open again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml import recipes
from celebml.bundle import load_bundle
from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_att
from celebml.errors import BundleError
from celebml.faces import HaarDetector
from celebml.features import DESCRIPTORS, OURS, ClassicFeatures, Descriptor, FaceFeatures, SideBySide, features_of
from celebml.landmarks import YuNetDetector
from celebml.models import BestModel, ClassicModel
from celebml.recipes import Recipe, RecipeError, load_recipe, recipe_of

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("remembered")


@pytest.fixture(scope="module")
def six():
    "Three people of the AT&T faces, six photographs each."
    att = load_att()
    chosen = [i for i in range(30) if i % 10 < 6]
    return [att.paths[i] for i in chosen], [att.names[i] for i in chosen]


PARTS = {
    "two descriptors": FaceFeatures(("scattering", "patterns")),
    "in another order": FaceFeatures(("colours", "gradients")),
    "side by side": SideBySide((ClassicFeatures(level=2), FaceFeatures(("gradients",)))),
    "classic": ClassicFeatures(),
}


@pytest.mark.parametrize("detector", [YuNetDetector(), HaarDetector(eyes=0)], ids=["yunet", "haar"])
@pytest.mark.parametrize("features", PARTS.values(), ids=PARTS)
def test_any_detector_and_features_are_fitted_saved_opened_and_explained(detector, features, six, tmp_path):
    mine = Recipe("mine", detector, features, BestModel)
    photos, names = six
    classifier = CelebrityClassifier(mine).fit(photos, names, groups=range(len(photos)))
    named = classifier.predict(photos)
    assert np.mean([one == name for one, name in zip(named, names, strict=True)]) > 0.8
    again = CelebrityClassifier.load(classifier.save(tmp_path / "bundle"))
    assert again.recipe_ == mine and again.predict(photos[::3]) == named[::3]
    answer = next(found[0] for photo in photos if (found := again.classify(photo)))
    why = again.explain(answer)
    assert np.isclose(why.baseline + why.regions.sum(), why.score, atol=1e-4)
    assert np.isclose(why.baseline + sum(why.descriptors.values()), why.score, atol=1e-4)


def test_the_search_goes_with_our_features_and_says_that_it_cannot_explain(six, tmp_path):
    photos, names = six
    mine = Recipe("searched", YuNetDetector(), FaceFeatures(("colours", "gradients")), ClassicModel)
    classifier = CelebrityClassifier(mine).fit(photos, names, groups=range(len(photos)))
    again = CelebrityClassifier.load(classifier.save(tmp_path / "bundle"))
    assert not again.can_explain and again.threshold is None
    with pytest.raises(TypeError, match="cannot say why"):
        again.explain(again.classify(photos[0])[0])


@given(names=st.permutations(OURS).flatmap(lambda names: st.integers(1, 5).map(lambda n: tuple(names[:n]))))
@settings(max_examples=20, deadline=None)
def test_columns_stand_where_the_blocks_say_in_any_order(names):
    crop = np.random.default_rng(0).integers(0, 255, (160, 160, 3), np.uint8)
    features = FaceFeatures(names)
    row = features.transform([crop])[0]
    assert len(row) == features.blocks[-1].columns.stop
    for block in features.blocks:
        assert np.array_equal(row[block.columns], FaceFeatures((block.name,)).transform([crop])[0])
    assert features_of(features.spec()) == features


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"detector": "haar"}, "not callable"),
        ({"detector": len}, "at_least"),
        ({"features": FaceFeatures(("eyebrows",))}, "no descriptor 'eyebrows'"),
        ({"features": FaceFeatures(())}, "no descriptor"),
        ({"features": ("patterns",)}, "features are"),
        ({"model": ClassicFeatures}, "not a FaceModel"),
        ({"name": "../mine"}, "a name has letters"),
    ],
)
def test_a_pair_that_cannot_work_is_refused_when_the_recipe_is_made(wrong, said):
    with pytest.raises(RecipeError, match=said):
        replace(load_recipe(), **wrong)


def test_a_descriptor_that_is_added_changes_no_earlier_recipe_and_no_bundle(six, tmp_path, monkeypatch):
    photos, names = six
    folder = CelebrityClassifier().fit(photos, names, groups=range(len(photos))).save(tmp_path / "bundle")
    before, width = CelebrityClassifier.load(folder).predict(photos), FaceFeatures().blocks[-1].columns.stop
    added = Descriptor(lambda crops: np.ones((len(crops), 4, 1), np.float32), 160, 2, 1)
    monkeypatch.setitem(DESCRIPTORS, "corners", added)
    assert FaceFeatures().blocks[-1].columns.stop == width
    assert CelebrityClassifier.load(folder).predict(photos) == before
    mine = Recipe("cornered", YuNetDetector(), FaceFeatures((*OURS, "corners")), BestModel)
    fresh = CelebrityClassifier(mine).fit(photos, names, groups=range(len(photos)))
    own = fresh.save(tmp_path / "own")
    monkeypatch.setitem(DESCRIPTORS, "corners", replace(added, revision=2))
    with pytest.raises(BundleError, match="corners is at revision 2 here, and 1 is asked for"):
        load_bundle(own)


def test_a_bundle_of_the_first_version_still_opens(six, tmp_path):
    "As version 0.1 wrote it: the recipe's name, no display names, and a model that knows no blocks."
    photos, names = six
    classifier = CelebrityClassifier().fit(photos, names, groups=range(len(photos)))
    folder = classifier.save(tmp_path / "bundle")
    import hashlib
    import zipfile

    old, schema = tmp_path / "old.skops", None
    with zipfile.ZipFile(folder / "model.skops") as now, zipfile.ZipFile(old, "w", zipfile.ZIP_DEFLATED) as then:
        for name in now.namelist():
            data = now.read(name)
            if name == "schema.json":
                schema = json.loads(data)
                schema["__module__"] = "celebml.recipes"
                for unknown in ("coloured_", "silent_"):
                    del schema["content"]["content"][unknown]
                data = json.dumps(schema).encode()
            then.writestr(name, data)
    (folder / "model.skops").write_bytes(old.read_bytes())
    (folder / "names.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"format": 1, "recipe": "best"}
    del manifest["sha256"]["names.json"]
    manifest["sha256"]["model.skops"] = hashlib.sha256(old.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    again = CelebrityClassifier.load(folder)
    assert again.recipe_ == load_recipe("best") and again.predict(photos) == classifier.predict(photos)


def test_what_a_bundle_names_and_is_not_here_is_a_sentence(six, tmp_path):
    spec = load_recipe().spec()
    for wrong in ({"model": "oracle"}, {"detector": {"name": "psychic"}}, {"detector": {"name": "haar", "mood": 1}}):
        with pytest.raises(RecipeError):
            recipe_of(spec | wrong)
    for features in ([], [{"features": "smells"}], [{"features": "face"}], [{"features": "face", "name": "x"}]):
        with pytest.raises(RecipeError):
            recipe_of(spec | {"features": features})


def test_a_recipe_of_ones_own_reaches_every_command_by_its_module(six, tmp_path):
    photos = tmp_path / "photos"
    for path, name in zip(*six, strict=True):
        (photos / name).mkdir(parents=True, exist_ok=True)
        (photos / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "my_recipes.py").write_text(
        "from celebml.features import FaceFeatures\nfrom celebml.landmarks import YuNetDetector\n"
        "from celebml.models import BestModel\nfrom celebml.recipes import Recipe\n"
        "mine = Recipe('mine', YuNetDetector(), FaceFeatures(('gradients',)), BestModel)\n"
    )
    words = [
        "-m",
        "celebml",
        "run",
        "photos",
        "--out",
        "out",
        "--recipe",
        "my_recipes:mine",
        "--repeats",
        "1",
        "--json",
    ]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)["recipes"]) == ["classic", "mine"]
    assert CelebrityClassifier.load(tmp_path / "out" / "bundle").recipe_.name == "mine"


def test_a_registered_recipe_is_known_by_name(monkeypatch):
    monkeypatch.setattr(recipes, "RECIPES", dict(recipes.RECIPES))
    mine = recipes.register_recipe(Recipe("gradients-only", YuNetDetector(), FaceFeatures(("gradients",)), BestModel))
    assert load_recipe("gradients-only") is mine and "gradients-only" in recipes.recipe_names()
    with pytest.raises(RecipeError, match="another recipe"):
        recipes.register_recipe(replace(mine, features=ClassicFeatures()))
    with pytest.raises(RecipeError, match=r"not known; choose one of best, classic, deep, gradients-only"):
        load_recipe("secret")


def test_an_unknown_recipe_is_a_sentence_of_the_command_line(tmp_path):
    from celebml.cli import main

    done = CliRunner().invoke(main, ["train", "att", "--out", str(tmp_path / "b"), "--recipe", "nowhere:mine"])
    assert done.exit_code == 1 and "cannot be imported" in done.stderr and "Traceback" not in done.stderr


def test_nothing_outside_the_recipes_module_names_a_recipe_or_asks_for_a_class():
    names = re.compile(r"""(["'])(best|classic)\1|isinstance\([^()]*\b(BestModel|ClassicModel)\b""")
    found = []
    for path in [*(ROOT / "celebml").glob("*.py"), *(ROOT / "app").rglob("*.py"), *(ROOT / "app").rglob("*.js")]:
        if path.name in ("recipes.py", "_modidx.py"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if names.search(line) and not ("features" in line and path.name == "features.py"):
                found.append(f"{path.name}:{number}: {line.strip()}")
    assert not found


def test_both_recipes_are_known_and_others_are_not():
    assert [load_recipe(name).name for name in ("best", "classic")] == ["best", "classic"]
    with pytest.raises(ValueError, match="best, classic"):
        load_recipe("shallow")


def test_an_announced_recipe_that_cannot_be_imported_is_a_sentence(monkeypatch):
    broken = EntryPoint("broken", "no_such_module:mine", "celebml.recipes")
    monkeypatch.setattr(recipes, "entry_points", lambda group: [broken])
    assert "broken" in recipes.recipe_names()
    with pytest.raises(RecipeError, match=r"'broken' cannot be imported"):
        load_recipe("broken")

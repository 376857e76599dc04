"""The deep recipe is a recipe like the others, and its absence is a sentence."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.bundle import load_bundle
from celebml.classifier import CelebrityClassifier
from celebml.costs import Cost, advice
from celebml.datasets import load_att
from celebml.deep import CHIP, FARTHEST, DeepFeatures, MeansModel, nearest_faces, network_chip
from celebml.descriptions import Description
from celebml.errors import BundleError
from celebml.evaluate import Scores
from celebml.landmarks import TEMPLATE, YuNetDetector
from celebml.recipes import Recipe, RecipeError, compared, load_recipe, recipe_of

ROOT = Path(__file__).parents[1]
needs_deep = pytest.mark.skipif(bool(DeepFeatures().missing()), reason='pip install "celebml[deep]" to run it')


def made_up(n_people, each, spread, seed=0):
    "Photographs of one face, embeddings around a person's own, unit length apart; and whose they are."
    random = np.random.default_rng(seed)
    who = random.normal(size=(n_people, 128)) / 128**0.5 / 2**0.5
    person = np.repeat(np.arange(n_people), each)
    rows = who[person] + spread * random.normal(size=(len(person), 128)) / 128**0.5
    return [Description(row[None].astype(np.float32), np.ones(1)) for row in rows], person


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)


def test_eyes_lie_where_the_network_expects_them():
    crop = np.zeros((160, 160, 3), np.uint8)
    for x, y in TEMPLATE[:2].round().astype(int):
        crop[y - 1 : y + 2, x - 1 : x + 2] = 255
    chip = network_chip(crop)[..., 0].astype(float)
    assert chip.shape == (CHIP, CHIP)
    for half, eye in ((slice(None, 75), (48.7, 47.1)), (slice(75, None), (101.3, 47.1))):
        y, x = (axis + 0.0 for axis in np.nonzero(chip[:, half] > 100))
        assert abs(x.mean() + (half.start or 0) - eye[0]) < 1 and abs(y.mean() - eye[1]) < 1


def test_the_nearest_person_is_named_and_the_far_are_unknown():
    described, person = made_up(8, 10, 0.3)
    known = person < 5
    train = np.flatnonzero(known & (np.arange(80) % 10 < 6))
    model = MeansModel().fit([described[i] for i in train], person[train], train)
    own = np.flatnonzero(known & (np.arange(80) % 10 >= 6))
    assert [int(model.name_of(described[i])) for i in own] == person[own].tolist()
    scores = np.array([model.photo_score(one) for one in described])
    assert np.mean(scores[own] >= model.threshold_) >= 0.9
    assert not (scores[~known] >= model.threshold_).any()
    assert len(model.known_scores_) == len(train) == len(model.stranger_scores_)
    assert np.mean(model.stranger_scores_ >= model.threshold_) == 0


@given(n_people=st.integers(2, 5), each=st.integers(1, 6), spread=st.floats(0, 2), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_any_photographs_give_probabilities_and_a_threshold(n_people, each, spread, seed):
    described, person = made_up(n_people, each, spread, seed)
    model = MeansModel().fit(described, person, range(len(person)))
    probabilities, known = model.judge(np.concatenate([one.rows for one in described]))
    assert np.allclose(probabilities.sum(1), 1) and np.isfinite(known).all()
    assert -FARTHEST <= model.threshold_ <= 0 and np.isfinite(model.temperature_)


def test_a_photograph_is_about_the_face_that_recurs():
    described, person = made_up(3, 6, 0.2)
    other = made_up(1, 1, 0.2, seed=9)[0][0].rows
    own = described[0].rows
    described[0] = Description(np.concatenate([other, own]), np.array([100.0, 80.0]))
    assert np.allclose(nearest_faces(described, person, 2)[0], own[0])
    described[0] = Description(np.concatenate([other, own]), np.array([100.0, 5.0]))
    assert np.allclose(nearest_faces(described, person, 2)[0], other[0]), "too small to be what it is about"


def test_distances_are_refused_where_they_mean_nothing():
    with pytest.raises(RecipeError, match="in an embedding"):
        Recipe("far", YuNetDetector(), load_recipe("best").features, MeansModel)


def test_without_its_packages_the_recipe_is_one_sentence(absent, tmp_path):
    from celebml.cli import main

    assert "deep" not in compared()
    done = CliRunner().invoke(main, ["train", "att", "--out", str(tmp_path / "b"), "--recipe", "deep"])
    assert done.exit_code == 1 and not (tmp_path / "b").exists()
    assert done.stderr.count("\n") <= 2 and "recipe 'deep' needs dlib" in done.stderr
    assert 'pip install "celebml[deep]"' in done.stderr


def test_without_its_packages_its_spec_does_not_open(absent):
    spec = json.loads(json.dumps({"detector": {"name": "yunet"}, "name": "deep", "model": "means"}))
    with pytest.raises(RecipeError, match="celebml\\[deep\\]"):
        recipe_of(spec | {"features": DeepFeatures().spec()})


def test_the_points_that_are_not_free_are_never_read():
    for path in [*(ROOT / "celebml").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]:
        assert "shape_predictor" not in path.read_text(encoding="utf-8"), path


@needs_deep
def test_trained_saved_opened_and_asked(tmp_path, monkeypatch):
    att = load_att()
    known, strangers = [i for i in range(30) if i % 10 < 4], [35, 45, 55, 65]
    classifier = CelebrityClassifier("deep").fit(
        [att.paths[i] for i in known], [att.names[i] for i in known], groups=range(len(known))
    )
    again = CelebrityClassifier.load(classifier.save(tmp_path / "bundle"))
    asked = [att.paths[i] for i in (7, 18, 29, *strangers)]
    assert again.predict(asked, reject=True) == ["s1", "s2", "s3", *["unknown"] * 4]
    assert not again.can_explain
    with pytest.raises(TypeError, match="recipe 'deep' cannot say why"):
        again.explain(again.classify(asked[0])[0])
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(BundleError, match="celebml\\[deep\\]"):
        load_bundle(tmp_path / "bundle")


@needs_deep
def test_a_face_in_a_batch_is_the_face_alone(monkeypatch):
    monkeypatch.setattr("celebml.deep.BATCH", 2)
    crops = [np.random.default_rng(seed).integers(0, 255, (160, 160, 3), np.uint8) for seed in range(3)]
    together = DeepFeatures().transform(crops)
    assert np.allclose(together, np.concatenate([DeepFeatures().transform([crop]) for crop in crops]), atol=1e-4)


def scores(name, right):
    truth, folds = np.repeat(["a", "b"], 50), np.tile(np.arange(5), 20)[None]
    named = np.where(np.arange(100) < right, truth, "c")[np.random.default_rng(0).permutation(100)]
    return Scores(name, truth[np.random.default_rng(0).permutation(100)], named[None].astype(object), folds)


@pytest.mark.parametrize(
    ("right", "explains", "taken"),
    [((95, 96), (True, False), "one"), ((60, 96), (True, False), "two"), ((95, 96), (False, False), "two")],
    ids=["a reason decides between equals", "the better is better", "the quicker decides then"],
)
def test_the_sentence_says_which_to_take(right, explains, taken):
    both = {"one": scores("one", right[0]), "two": scores("two", right[1])}
    costs = {name: Cost(ms, 1, why, 0.1) for name, ms, why in zip(both, (9, 3), explains, strict=True)}
    assert advice(both, costs).startswith(f"take {taken}: it names {right[taken == 'two']}.0 %")


def test_the_sentence_says_whom_strangers_do_not_pass():
    both = {"one": scores("one", 95), "two": scores("two", 94)}
    told = advice(both, {"one": Cost(3, 1, True, 0.09), "two": Cost(90, 22, False, 0.01)})
    assert "take two: it accepts 1.0 % of people left out, one 9.0 %" in told
    assert "strangers" not in advice(both, {"one": Cost(3, 1, True, 0.09), "two": Cost(90, 22, False, 0.08)})
    assert "strangers" not in advice(both, {"one": Cost(3, 1, True, None), "two": Cost(90, 22, False, 0.0)})

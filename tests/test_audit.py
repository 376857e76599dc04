"""Behaviour of the audit: suspects first, copies across people, one dictionary behind page and card."""

import json
from pathlib import Path

import numpy as np
import pytest

from celebml.audit import audit, audit_page, dataset_card, duplicate_groups
from celebml.datasets import PhotoSet
from celebml.descriptions import Description
from celebml.detection import detect_all
from celebml.duplicates import near_duplicate_groups
from celebml.faces import Detection
from celebml.landmarks import YuNetDetector
from celebml.manifest import Entry
from celebml.suspects import folder_doubts, misfiled


class Nearest:
    """A small recipe: the nearest mean names a face."""

    def fit(self, descriptions, names, groups, random_state=0):
        """Means by person."""
        self.classes_ = np.unique(names)
        rows = np.array([max(description.rows, key=np.linalg.norm) for description in descriptions])
        self.means = np.array([rows[names == name].mean(0) for name in self.classes_])
        return self

    def predict_proba(self, rows):
        """Softmax of minus the distances."""
        score = np.exp(-np.linalg.norm(rows[:, None] - self.means[None], axis=2))
        return score / score.sum(1, keepdims=True)


def described(names, random, faces=1):
    """A description for each name, the person's own number plus noise."""
    people = sorted(set(names))
    made = []
    for name in names:
        rows = random.normal(0, 0.3, (faces, 4))
        rows[-1, people.index(name)] += 5
        made.append(Description(rows, np.linspace(100, 60, faces)))
    return made


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("faces", [1, 3])
def test_moved_photographs_are_doubted_most(seed, faces):
    random, true = np.random.default_rng(seed), np.repeat(["ada", "alan", "grace"], 20)
    looked, said = described(true, random, faces), true.copy()
    moved = random.choice(60, 4, replace=False)
    said[moved] = [{"ada": "alan", "alan": "grace", "grace": "ada"}[name] for name in true[moved]]
    doubts, instead = folder_doubts(Nearest(), looked, said, np.arange(60))
    assert set(np.argsort(-doubts)[:4]) == set(moved)
    assert [instead[i] for i in moved] == true[moved].tolist()


def test_a_copy_does_not_vouch_for_its_original():
    random, names = np.random.default_rng(0), np.repeat(["ada", "alan"], 10)
    looked = described(names, random)
    looked[0] = looked[1] = Description(np.array([[0.0, 0, 0, 9]]), np.array([100.0]))
    groups = np.arange(20)
    apart = folder_doubts(Nearest(), looked, names, groups)[0][:2]
    groups[1] = 0
    together = folder_doubts(Nearest(), looked, names, groups)[0][:2]
    assert (together >= apart - 1e-9).all()
    assert together.max() > apart.max()


def test_nothing_is_said_of_people_with_too_few_pictures():
    names = ["ada"] * 2 + ["alan"] * 8 + ["grace"] * 8
    doubts, instead = folder_doubts(Nearest(), described(names, np.random.default_rng(0)), names, np.arange(18))
    assert np.isnan(doubts[:2]).all()
    assert not np.isnan(doubts[2:]).any()
    assert instead[0] == ""
    one = folder_doubts(Nearest(), described(["ada"] * 5, np.random.default_rng(0)), ["ada"] * 5, np.arange(5))
    assert np.isnan(one[0]).all()


def test_a_photograph_without_a_face_is_not_doubted():
    names = ["ada"] * 6 + ["alan"] * 6
    looked = described(names, np.random.default_rng(0))
    looked[3] = Description(np.zeros((0, 4)), np.zeros(0))
    assert np.flatnonzero(np.isnan(folder_doubts(Nearest(), looked, names, np.arange(12))[0])).tolist() == [3]


def test_equal_bytes_are_copies_even_without_a_face():
    groups = duplicate_groups(["ada", "ada", "alan"], ["x", "y", "x"], [Detection()] * 3)
    assert groups == {"within": [], "across": [[0, 2]]}
    assert duplicate_groups(["ada", "ada"], ["x", "x"], [Detection()] * 2)["within"] == [[0, 1]]


@pytest.fixture(scope="module")
def looked_at(people):
    """The shared people with one photograph in two folders, and what the detector says."""
    photos = PhotoSet((*people.paths, people.paths[0]), (*people.names, people.names[-1]), "<b>att</b>")
    return photos, detect_all(photos.paths, YuNetDetector())


def test_the_audit_says_what_is_there(looked_at):
    photos, detections = looked_at
    doubts = np.linspace(0, 1, len(photos)), np.array(["s1"] * len(photos))
    value = audit(photos, detections, doubts)
    assert json.loads(json.dumps(value)) == value
    assert sum(person["photographs"] for person in value["people"].values()) == len(photos)
    assert sum(value["reasons"].values()) == len(photos)
    assert value["reasons"].get("kept", 0) + len(value["problems"]) == len(photos)
    assert len(value["duplicates"]["across"]) == 1
    assert [s["doubt"] for s in value["suspects"]] == sorted((s["doubt"] for s in value["suspects"]), reverse=True)
    assert value["licences"] == {"none": len(photos)}


def test_licences_are_found_by_content(looked_at):
    import hashlib

    photos, detections = looked_at
    digest = hashlib.sha256(photos.paths[1].read_bytes()).hexdigest()
    value = audit(photos, detections, entries=[Entry("s1", "elsewhere.pgm", digest, licence="CC-BY-4.0")])
    assert value["licences"]["CC-BY-4.0"] == 1
    assert len(value["without_licence"]) == len(photos) - 1


def test_page_and_card_say_the_same_and_run_nothing(looked_at):
    photos, detections = looked_at
    value = audit(photos, detections)
    page, card = audit_page(value, photos, detections), dataset_card(value)
    assert "<b>att" not in page
    assert "<script" not in page
    assert page.count("data:image/jpeg;base64,") >= 2
    for name, person in value["people"].items():
        assert f"| {name} | {person['photographs']} | {person['good']} |" in card
        assert name in page


def test_the_best_recipe_finds_a_stranger(people):
    from celebml.recipes import load_recipe

    recipe, names = load_recipe("best"), np.array(people.names)
    names[8] = people.names[0]
    detections = detect_all(people.paths, recipe.detector)
    doubts, instead = folder_doubts(recipe, recipe.describe(detections), names, near_duplicate_groups(detections))
    assert np.nanargmax(doubts) == 8
    assert instead[8] == people.names[8]


def test_only_strong_doubts_count_as_misfiled():
    photos = PhotoSet((Path("a"), Path("b"), Path("c")), ("ada",) * 3)
    doubts = np.array([0.95, np.nan, 0.5]), np.array(["alan", "", "grace"])
    assert misfiled(photos, doubts) == {Path("a"): "alan"}
    assert misfiled(photos, doubts, 0.4) == {Path("a"): "alan", Path("c"): "grace"}

"""Scores count every photograph once, and say how sure they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest

from celebml.answers import FaceModel
from celebml.descriptions import Description
from celebml.evaluate import NOBODY, Scores, calibration_error, reliability, score_recipe, wilson
from celebml.faces import HaarDetector
from celebml.features import ClassicFeatures
from celebml.recipes import Recipe, load_recipe


class Parrot(FaceModel):
    """A model that says what it was told to, so that scores can be worked out by hand."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, descriptions, names, groups):
        self.learnt = {float(d.rows[0, 0]) for d in descriptions if len(d.rows)}
        return self

    def name_of(self, description):
        if not len(description.rows):
            return None
        assert float(description.rows[0, 0]) not in self.learnt, "tested on what it learnt from"
        return "ada" if description.rows[0, 1] else "alan"


def test_scores_count_photographs_without_a_face_and_test_nothing_learnt():
    names, faces = np.array(["ada"] * 6 + ["alan"] * 4), [1, 1, 1, 1, None, 0, 0, 0, 1, None]
    described = [
        Description(np.zeros((0, 2)), np.zeros(0)) if face is None else Description(np.array([[k, face]]), np.ones(1))
        for k, face in enumerate(faces)
    ]
    scores = score_recipe(
        Recipe("parrot", HaarDetector(), ClassicFeatures(), Parrot), described, names, np.arange(10), n_repeats=2
    )
    summary = scores.summary()
    assert summary["coverage"] == 0.8
    assert summary["accuracy_covered"] == 0.75
    assert summary["accuracy_all"] == pytest.approx(0.6)
    table = scores.confusion()
    assert table.loc["ada"].to_dict() == {"ada": 4, "alan": 1, NOBODY: 1}
    assert summary["macro_f1"] == pytest.approx((2 * 4 / (6 + 5) + 2 * 2 / (4 + 3)) / 2)
    assert "alan" in scores.report()


@pytest.mark.parametrize(("seen", "right"), [({"ada"}, 0.5), (set(), 0.0)])
def test_a_detector_that_finds_one_person_or_nobody_is_scored_and_not_an_error(seen, right):
    names = np.array(["ada"] * 4 + ["alan"] * 4)
    found, none = Description(np.ones((1, 4096), np.float32), np.ones(1)), Description(np.zeros((0, 4096)), np.zeros(0))
    described = [found if name in seen else none for name in names]
    scores = score_recipe(load_recipe("classic"), described, names, np.arange(8), n_repeats=1)
    assert scores.summary()["accuracy_all"] == right


def test_spread_is_over_folds():
    truth = np.array(["a", "a", "b", "b"])
    scores = Scores("x", truth, np.array([["a", "a", "a", "a"]]), np.array([[0, 0, 1, 1]]))
    assert scores.by_fold.tolist() == [1.0, 0.0]
    assert scores.summary()["sd"] == 0.5


@given(right=st.integers(0, 40), more=st.integers(0, 40))
def test_the_interval_of_a_share_is_scipys(right, more):
    assume(right + more)
    known = binomtest(right, right + more).proportion_ci(method="wilson")
    low, high = wilson(right / (right + more), right + more, 1.959964)
    assert np.allclose((low, high), (known.low, known.high), atol=1e-6) and 0 <= low <= high <= 1


def test_reliability_counts_every_photograph_once(random):
    said = random.random(53)
    table = reliability(said, random.random(53) < said, n_bins=4)
    assert table.photographs.sum() == 53 and np.ptp(table.photographs) <= 1
    assert table.said.is_monotonic_increasing
    assert ((table.low <= table.right) & (table.right <= table.high)).all()
    assert len(reliability(said[:2], [True, False])) == 2, "no more bins than photographs"


def test_the_calibration_error_is_the_distance_between_said_and_right():
    assert calibration_error(reliability([0.5] * 4, [True, False, True, False], n_bins=1)) == pytest.approx(0)
    assert calibration_error(reliability([0.6] * 3 + [1.0], [True] * 4, n_bins=4)) == pytest.approx(0.3)

"""What a model says of faces that it knows, and of others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up import made_up

from celebml.descriptions import Block, Description
from celebml.features import FaceFeatures
from celebml.known import SPACE_REVISION
from celebml.models import BestModel


def test_the_face_a_photograph_is_about_is_found_though_another_is_bigger(random):
    described, y, centres = made_up(random)
    someone = (random.normal(size=(1, centres.shape[1]))).astype(np.float32) * 2
    intruded = list(described)
    for photo in (0, 7, 13):
        one = described[photo]
        intruded[photo] = Description(np.concatenate([someone, one.rows]), np.array([150.0, 100.0]), one.blocks)
    model = BestModel().fit(intruded, y, np.arange(len(y)))
    assert [model.speaker(intruded[photo]) for photo in (0, 7, 13)] == [1, 1, 1]
    assert [model.name_of(one) for one in intruded] == y.tolist()


def test_strangers_score_below_the_people(random):
    described, y, centres = made_up(random, people=5)
    model = BestModel().fit(described, y, np.arange(len(y)))
    strangers = random.normal(size=(20, centres.shape[1])).astype(np.float32)
    assert np.mean(model.known_score(strangers) >= model.threshold_) <= 0.1
    assert np.mean(model.known_scores_ >= model.threshold_) == pytest.approx(0.95, abs=0.06)


def test_scores_add_to_nothing_and_probabilities_to_one(random):
    described, y, _ = made_up(random)
    model = BestModel().fit(described, y, np.arange(len(y)))
    rows = np.concatenate([one.rows for one in described])
    scores = model.scores(rows)
    assert np.allclose(scores.sum(1), 0, atol=1e-4 * np.abs(scores).max())
    assert np.allclose(model.predict_proba(rows).sum(1), 1)


def test_a_grey_photograph_is_not_judged_by_its_missing_colour(random):
    described, y, _ = made_up(random)
    model = BestModel().fit(described, y, np.arange(len(y)))
    features, row = FaceFeatures(), described[0].rows.copy()
    colours = features.blocks[features.names.index("colours")].columns
    row[:, colours] = 0
    other = row.copy()
    other[:, np.concatenate([block.coloured for block in features.blocks])] = 9
    other[:, colours] = 0
    assert np.array_equal(model.scores(row), model.scores(other))
    assert not np.allclose(model.scores(row), model.scores(described[0].rows), atol=1e-3)


def test_probabilities_keep_a_grain_of_doubt(random):
    described, y, _ = made_up(random, far=3.0)
    block = Block("all", 160, 1, described[0].rows.shape[1], 0)  # made-up rows stand outside the space
    described = [replace(one, blocks=(block,)) for one in described]
    model = BestModel().fit(described, y, np.arange(len(y)))
    sure = model.predict_proba(np.concatenate([one.rows for one in described])).max(1)
    assert np.median(sure) < 0.9999


def test_the_least_that_can_be_learnt_from_is_a_picture_of_each_of_two_people(random):
    described, y, _ = made_up(random, people=2, each=1)
    model = BestModel().fit(described, y, np.arange(2))
    assert not len(model.known_scores_) and model.threshold_ == pytest.approx(np.quantile(model.passer_scores_, 0.96))
    assert [model.name_of(one) for one in described] == ["p0", "p1"]


def test_people_who_stand_in_another_face_space_are_not_read_as_if_they_stood_in_this_one(random):
    described, y, _ = made_up(random, people=2, each=2)
    model = BestModel().fit(described, y, np.arange(len(y)))
    model.take_blocks(FaceFeatures().blocks)
    for was in (None, 1):
        vars(model).pop("space_", None)
        if was:
            model.space_ = was
        with pytest.raises(ValueError, match=f"revision 1 of the face space, and revision {SPACE_REVISION}"):
            model.take_blocks(FaceFeatures().blocks)

"""A report leaves its figures as they were."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

from celebml.answers import FaceModel
from celebml.datasets import PhotoSet
from celebml.evaluate import Scores
from celebml.report import html_report, model_card, strangers_told


def test_a_report_leaves_the_callers_figures_alone():
    before, mine = matplotlib.get_backend(), plt.figure()
    truth = np.array(["ada", "ada", "alan", "alan"])
    scores = Scores("best", truth, truth[None], np.array([[0, 1, 0, 1]]))
    page = html_report(PhotoSet(tuple(map(Path, "abcd")), tuple(truth), "made up"), {}, {"best": scores}, [], None)
    assert "base64," in page
    assert (matplotlib.get_backend(), plt.get_fignums()) == (before, [mine.number])
    plt.close(mine)


def test_strangers_of_both_kinds_are_told_in_one_sentence_that_the_card_repeats():
    left_out, passers = np.array([0.1, 0.2, 0.3, 0.6]), np.linspace(-1, 0.52, 100)
    told = strangers_told(left_out, passers, 0.5)
    assert told == "25.0 % (4.6 % to 69.9 %) of people left out of training and 2.0 % (0.6 % to 7.0 %) of passers-by"
    assert strangers_told(np.zeros(0), passers, 0.5) == "2.0 % (0.6 % to 7.0 %) of passers-by"
    assert strangers_told(None, None, 0.5) == strangers_told(left_out, passers, None) == ""
    model = FaceModel()
    model.threshold_, model.known_scores_, model.stranger_scores_, model.passer_scores_ = (
        0.5,
        passers,
        left_out,
        passers,
    )
    truth = np.array(["ada", "ada", "alan", "alan"])
    scores = Scores("best", truth, truth[None], np.array([[0, 1, 0, 1]]))
    photos = PhotoSet(tuple(map(Path, "abcd")), tuple(truth), "made up")
    card = model_card(photos, {"best": scores}, model)
    assert f"It also accepts {told}." in card and "Passers-by are faces of nobody" in card
    model.passer_scores_ = None  # a recipe that foretells none says nothing of them
    assert "asser" not in model_card(photos, {"best": scores}, model)

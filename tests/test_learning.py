"""Features, search, models and scores: they equal their definitions, and learn nothing that they should not."""

from __future__ import annotations

from pathlib import Path

import cv2
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import pywt
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from celebml.datasets import PhotoSet
from celebml.descriptors import local_patterns, pattern_histograms
from celebml.discriminant import gram_discriminant
from celebml.evaluate import NOBODY, Scores, calibration_error, reliability, score_recipe, wilson
from celebml.features import ClassicFeatures, Description, FaceFeatures
from celebml.recipes import BestModel, Recipe, load_recipe
from celebml.report import html_report
from celebml.scattering import scattering, scattering_by_definition
from celebml.search import GramSearchCV, enough_pictures, grouped_folds, model_grid, search_models
from celebml.strangers import skin_tone
from celebml.wavelets import wavelet_detail


def crops(random, count=3, size=160):
    """Smooth random pictures, which have structure at several scales."""
    noise = random.random((count, 20, 20, 3)).astype(np.float32)
    return [
        (cv2.resize(one, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)
        for one in noise
    ]


# features


@settings(max_examples=25, deadline=None)
@given(height=st.integers(20, 90), width=st.integers(20, 90), level=st.integers(1, 5))
def test_wavelet_detail_is_the_picture_without_its_coarsest_average(height, width, level):
    grey = np.random.default_rng(height * width).random((height, width)) * 255
    detail = wavelet_detail(grey, level=level)
    assert detail.shape == grey.shape
    levels = pywt.wavedec2(grey, "haar", level=min(level, pywt.dwtn_max_level(grey.shape, "haar")))
    levels = [levels[0], *[tuple(np.zeros_like(part) for part in parts) for parts in levels[1:]]]
    assert np.allclose(detail + pywt.waverec2(levels, "haar")[:height, :width], grey, atol=1e-3)


def test_classic_rows_keep_signs_and_the_order_of_colours(random):
    red = np.zeros((50, 40, 3), np.uint8)
    red[..., 0] = 200
    row = ClassicFeatures().fit_transform([red])[0]
    assert row[:3072].reshape(32, 32, 3)[0, 0].tolist() == [200, 0, 0]
    assert (ClassicFeatures().transform(crops(random))[:, 3072:] < 0).any()


@pytest.mark.parametrize(("scales", "angles", "size"), [(2, 6, 32), (2, 8, 64), (3, 6, 64)])
def test_scattering_is_what_its_definition_says(random, scales, angles, size):
    picture = np.stack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops(random, 2, size)]) / 255
    quick = scattering(picture, scales, angles)
    for one, other in zip(quick, picture, strict=True):
        exact = scattering_by_definition(other, scales, angles)
        assert one.shape == exact.shape
        assert np.linalg.norm(one - exact) < 0.01 * np.linalg.norm(exact)


def test_scattering_of_other_sizes_says_what_it_wants():
    with pytest.raises(ValueError, match="multiple of 8"):
        scattering(np.zeros((1, 20, 20)), 3, 6)


def test_patterns_do_not_see_the_light(random):
    grey = random.integers(0, 100, (2, 40, 40)).astype(np.uint8)
    assert (local_patterns(grey, 2) == local_patterns(grey * 2 + 30, 2)).mean() > 0.99


def test_pattern_histograms_are_shares(random):
    shares = pattern_histograms(random.integers(0, 256, (3, 96, 96)).astype(np.uint8)) ** 2
    assert np.allclose(shares.reshape(3, 64, 3, 59).sum(3), 1)


@pytest.mark.parametrize("features", [ClassicFeatures(), FaceFeatures()])
def test_a_face_has_the_same_row_alone_and_in_a_batch(features, random):
    many = crops(random, 20)
    together = features.transform(many)
    assert np.isfinite(together).all()
    for number in (0, 7, 19):
        assert np.allclose(features.transform(many[number : number + 1])[0], together[number], atol=1e-4)


def test_blocks_cover_every_column_once():
    blocks = FaceFeatures().blocks
    assert [block.columns.start for block in blocks] == [0, *[block.columns.stop for block in blocks[:-1]]]


# search


def clouds(random, people=4, each=9, numbers=200, spread=1.0):
    """People as clouds of points."""
    y = np.repeat([f"p{k}" for k in range(people)], each)
    return (
        random.normal(size=(people, numbers))[np.unique(y, return_inverse=True)[1]] * spread
        + random.normal(size=(len(y), numbers))
    ).astype(np.float32), y


@pytest.mark.parametrize("spread", [0.15, 0.4])
def test_the_gram_search_gives_scikit_learns_scores(random, spread):
    X, y = clouds(random, spread=spread)
    folds = grouped_folds(y, np.arange(len(y)))
    pipeline, grid = model_grid()
    ours, theirs = GramSearchCV(pipeline, grid, folds).fit(X, y), GridSearchCV(pipeline, grid, cv=folds).fit(X, y)
    for key in ("mean_test_score", "std_test_score", "split3_test_score"):
        assert np.allclose(ours.cv_results_[key], theirs.cv_results_[key], atol=1e-6), key
    assert repr(ours.best_params_) == repr(theirs.best_params_)
    assert ours.best_score_ == pytest.approx(theirs.best_score_)
    assert (ours.predict(X) == theirs.predict(X)).all()


@pytest.mark.parametrize("class_weight", [None, "balanced", {"p0": 0.02, "p1": 3}])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_a_machine_left_out_of_the_path_is_the_one_that_stands_for_it(random, kernel, class_weight):
    X, y = clouds(random, numbers=8, spread=0.7)
    X, y = X[:-5], y[:-5]  # uneven, so that balanced weights are
    folds = grouped_folds(y, np.arange(len(y)))
    grid = {"svc__C": [300, 1e-4, 0.3, 1e-2, 3, 30, 0.1, 1]}
    pipeline = make_pipeline(StandardScaler(), SVC(kernel=kernel, class_weight=class_weight))
    ours, theirs = GramSearchCV(pipeline, grid, folds).fit(X, y), GridSearchCV(pipeline, grid, cv=folds).fit(X, y)
    assert np.allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-6)
    assert len(set(ours.cv_results_["mean_test_score"])) > 2  # the settings differ


def test_the_gram_search_fits_models_it_has_no_shortcut_for(random):
    X, y = clouds(random, numbers=20)
    folds = grouped_folds(y, np.arange(len(y)))
    grid = {"gaussiannb__var_smoothing": [1e-9, 1e-1]}
    pipeline = make_pipeline(StandardScaler(), GaussianNB())
    ours, theirs = GramSearchCV(pipeline, grid, folds).fit(X, y), GridSearchCV(pipeline, grid, cv=folds).fit(X, y)
    assert np.allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_folds_test_each_picture_once_and_never_divide_a_group(data):
    sizes = data.draw(st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=7), min_size=2, max_size=5))
    y = np.concatenate([[f"p{k}"] * sum(groups) for k, groups in enumerate(sizes)])
    groups = np.repeat(np.arange(sum(map(len, sizes))), np.concatenate(sizes))
    tested = enough_pictures(y, groups)
    if len(set(y[tested])) < 2:
        with pytest.raises(ValueError, match="two people"):
            grouped_folds(y, groups)
        return
    folds = grouped_folds(y, groups)
    assert sorted(np.concatenate([test for _, test in folds])) == np.flatnonzero(tested).tolist()
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == len(y)
        assert set(y[train]) == set(y)


def test_the_name_is_always_the_most_probable(random):
    X, y = clouds(random, spread=0.2)
    model = search_models(X, y, np.arange(len(y)))
    assert (model.classes_[model.predict_proba(X).argmax(1)] == model.predict(X)).all()


def test_a_search_needs_no_more_than_two_pictures(random):
    X, y = clouds(random, people=2, each=1)
    assert isinstance(search_models(X, y, np.arange(2))[-1], LogisticRegression)
    X, y = clouds(random, people=2, each=2)
    assert set(search_models(X, y, np.arange(4)).predict(X)) <= set(y)


def test_a_forest_holds_its_smaller_forests(random):
    X, y = clouds(random, spread=0.2)
    five = RandomForestClassifier(5, random_state=3).fit(X, y)
    ten = RandomForestClassifier(10, random_state=3).fit(X, y)
    votes = sum(tree.predict_proba(X) for tree in ten.estimators_[:5])
    assert np.allclose(votes / 5, five.predict_proba(X))


# our model


@settings(max_examples=20, deadline=None)
@given(counts=st.lists(st.integers(1, 6), min_size=2, max_size=5), shrinkage=st.floats(0.01, 3))
def test_the_discriminant_is_what_the_formula_says(counts, shrinkage):
    random = np.random.default_rng(sum(counts))
    y = np.repeat([f"p{k}" for k in range(len(counts))], counts)
    if len(y) == len(counts):
        return  # nobody has any spread to measure by
    X = random.normal(size=(len(y), 15))
    means = np.stack([X[y == name].mean(0) for name in np.unique(y)])
    residuals = X - means[np.unique(y, return_inverse=True)[1]]
    added = shrinkage * (residuals**2).sum() / len(y) ** 2
    weights = np.linalg.solve(residuals.T @ residuals / len(y) + added * np.eye(15), (means - means.mean(0)).T)
    scores = X @ weights - np.sum((means + means.mean(0)).T * weights, axis=0) / 2
    mixture, intercept = gram_discriminant(X @ X.T, y, shrinkage)
    ours = X @ X.T @ mixture + intercept
    assert np.allclose(ours, scores - scores.mean(1, keepdims=True), atol=1e-6 * np.abs(scores).max())


def made_up(random, people=3, each=6, far=0.8):
    """Descriptions of made-up faces, each photograph showing its person biggest."""
    width = FaceFeatures().blocks[-1].columns.stop
    centres, y, described = random.normal(size=(people, width)) * far, [], []
    for person in range(people):
        for _ in range(each):
            row = (centres[person] + random.normal(size=(1, width))).astype(np.float32)
            described.append(
                Description(row, np.array([100.0]), row + 0.1 * random.normal(size=row.shape).astype(np.float32))
            )
            y.append(f"p{person}")
    return described, np.array(y), centres


def test_the_face_a_photograph_is_about_is_found_though_another_is_bigger(random):
    described, y, centres = made_up(random)
    someone = (random.normal(size=(1, centres.shape[1]))).astype(np.float32) * 2
    intruded = list(described)
    for photo in (0, 7, 13):
        one = described[photo]
        rows, mirrored = np.concatenate([someone, one.rows]), np.concatenate([someone, one.mirrored])
        intruded[photo] = Description(rows, np.array([150.0, 100.0]), mirrored)
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
    assert np.allclose(model.scores(rows).sum(1), 0, atol=2e-2)
    assert np.allclose(model.predict_proba(rows).sum(1), 1)


def test_a_grey_photograph_is_not_judged_by_its_missing_colour(random):
    described, y, _ = made_up(random)
    model = BestModel().fit(described, y, np.arange(len(y)))
    features, row = FaceFeatures(), described[0].rows.copy()
    colours = features.blocks[features.names.index("colours")].columns
    row[:, colours] = 0
    other = row.copy()
    other[:, features.colour_columns] = 9
    other[:, colours] = 0
    assert np.array_equal(model.scores(row), model.scores(other))
    assert not np.allclose(model.scores(row), model.scores(described[0].rows), atol=1e-3)


def test_probabilities_keep_a_grain_of_doubt(random):
    described, y, _ = made_up(random, far=3.0)
    model = BestModel().fit(described, y, np.arange(len(y)))
    sure = model.predict_proba(np.concatenate([one.rows for one in described])).max(1)
    assert np.median(sure) < 0.9999


def test_the_least_that_can_be_learnt_from_is_a_picture_of_each_of_two_people(random):
    described, y, _ = made_up(random, people=2, each=1)
    model = BestModel().fit(described, y, np.arange(2))
    assert model.threshold_ is None
    assert [model.name_of(one) for one in described] == ["p0", "p1"]


# scores


class Parrot:
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
    scores = score_recipe(Recipe("parrot", None, None, Parrot), described, names, np.arange(10), n_repeats=2)
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


# skin tone


@settings(max_examples=40, deadline=None)
@given(red=st.integers(90, 160), green=st.floats(0.55, 0.9), blue=st.floats(0.5, 0.95), brighter=st.floats(1.1, 1.5))
def test_the_brighter_the_crop_the_larger_the_angle(red, green, blue, brighter):
    colour = np.array([red, green * red, green * blue * red])
    dark, light = (np.full((160, 160, 3), (times * colour).astype(np.uint8), np.uint8) for times in (1, brighter))
    assert skin_tone(dark) < skin_tone(light)


def test_skin_tone_looks_at_the_cheeks_alone_and_at_colour_pictures_alone(random):
    skin = np.full((160, 160, 3), (180, 140, 120), np.uint8)
    hidden = skin.copy()
    hidden[:75] = random.integers(0, 255, (75, 160, 3))  # hair, brow and eyes
    assert skin_tone(hidden) == skin_tone(skin)
    assert np.isnan(skin_tone(np.full((160, 160, 3), 90, np.uint8)))
    with pytest.raises(ValueError, match="160"):
        skin_tone(skin[:100])


def test_both_recipes_are_known_and_others_are_not():
    assert [load_recipe(name).name for name in ("best", "classic")] == ["best", "classic"]
    with pytest.raises(ValueError, match="best, classic"):
        load_recipe("deep")


def test_a_report_leaves_the_callers_figures_alone():
    before, mine = matplotlib.get_backend(), plt.figure()
    truth = np.array(["ada", "ada", "alan", "alan"])
    scores = Scores("best", truth, truth[None], np.array([[0, 1, 0, 1]]))
    page = html_report(PhotoSet(tuple(map(Path, "abcd")), tuple(truth), "made up"), {}, {"best": scores}, [], None)
    assert "base64," in page
    assert (matplotlib.get_backend(), plt.get_fignums()) == (before, [mine.number])
    plt.close(mine)

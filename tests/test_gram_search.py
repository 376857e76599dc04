"""GramSearchCV has GridSearchCV's manners; its scores are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import clouds
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from celebml.gram_search import GramSearchCV, search_models
from celebml.search import grouped_folds, model_grid

PIPELINE = make_pipeline(StandardScaler(), SVC(kernel="linear"))
GRID = {"svc__C": [0.1, 1, 10]}


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    y = np.repeat(["ada", "alan", "grace"], 20)
    X = random.normal(size=(60, 12)) + np.repeat(random.normal(size=(3, 12)), 20, axis=0)
    return X, y, np.tile(np.arange(10), 6)


@pytest.mark.parametrize("cv", [5, None, StratifiedKFold(3), "generator"], ids=str)
@pytest.mark.parametrize("scoring", [None, "f1_macro", "balanced_accuracy"])
def test_cv_and_scoring_are_what_grid_search_takes(rows, cv, scoring):
    X, y, _ = rows

    def folds():
        return StratifiedKFold(4).split(X, y) if cv == "generator" else cv

    ours = GramSearchCV(PIPELINE, GRID, cv=folds(), scoring=scoring).fit(X, y)
    theirs = GridSearchCV(PIPELINE, GRID, cv=folds(), scoring=scoring).fit(X, y)
    assert np.allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])
    assert ours.best_params_ == theirs.best_params_ and ours.n_splits_ == theirs.n_splits_
    assert np.array_equal(ours.decision_function(X), theirs.decision_function(X))
    assert ours.score(X, y) == theirs.score(X, y) and ours.n_features_in_ == theirs.n_features_in_ == 12
    assert not hasattr(ours, "predict_proba") and not hasattr(theirs, "predict_proba")


def test_groups_are_passed_on(rows):
    X, y, groups = rows
    ours = GramSearchCV(PIPELINE, GRID, cv=GroupKFold(5)).fit(X, y, groups)
    theirs = GridSearchCV(PIPELINE, GRID, cv=GroupKFold(5)).fit(X, y, groups=groups)
    assert np.allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


def test_a_generator_that_is_used_up_and_a_pipeline_it_cannot_shorten_are_sentences(rows):
    X, y, _ = rows
    search = GramSearchCV(PIPELINE, GRID, cv=StratifiedKFold(3).split(X, y)).fit(X, y)
    with pytest.raises(ValueError, match="a generator can be used once, so pass a list"):
        search.fit(X, y)
    longer = make_pipeline(StandardScaler(), StandardScaler(), SVC())
    for estimator in (longer, SVC()):
        with pytest.raises(ValueError, match="use GridSearchCV for this one"):
            GramSearchCV(estimator, {}).fit(X, y)


def test_without_refit_there_are_scores_and_no_names(rows):
    X, y, _ = rows
    search = GramSearchCV(PIPELINE, GRID, cv=3, refit=False)
    with pytest.raises(NotFittedError):
        search.predict(X)
    assert search.fit(X, y).best_params_
    with pytest.raises(AttributeError, match="refit is False"):
        search.predict(X)
    assert clone(search).get_params()["refit"] is False and "refit=False" in repr(search)


def test_scikit_learns_own_checks():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    search = GramSearchCV(pipeline, {"logisticregression__C": [0.1, 1]}, cv=2)
    check_estimator(search, on_skip=None)


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


def test_a_forest_holds_its_smaller_forests(random):
    X, y = clouds(random, spread=0.2)
    five = RandomForestClassifier(5, random_state=3).fit(X, y)
    ten = RandomForestClassifier(10, random_state=3).fit(X, y)
    votes = sum(tree.predict_proba(X) for tree in ten.estimators_[:5])
    assert np.allclose(votes / 5, five.predict_proba(X))


def test_the_winner_learns_from_everything_once_and_names_as_the_search_would(random, monkeypatch):
    X, y = clouds(random, spread=0.2)
    folds, learnt, fit = grouped_folds(y, np.arange(len(y))), [], Pipeline.fit
    pipeline, grid = model_grid()
    known = GramSearchCV(pipeline, grid, folds).fit(X, y)
    monkeypatch.setattr(Pipeline, "fit", lambda self, X, *rest: learnt.append(len(X)) or fit(self, X, *rest))
    found = search_models(X, y, np.arange(len(y)))
    assert learnt.count(len(X)) == 1
    assert (found.predict(X) == known.predict(X)).all()

"""Folds divide no group, and few pictures are enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_up import clouds
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from celebml.gram_search import search_models
from celebml.search import enough_pictures, grouped_folds, stratified_tests

seeds = st.integers(0, 2**32 - 1)


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


@settings(max_examples=40, deadline=None)
@given(
    n_splits=st.integers(2, 6),
    people=st.integers(2, 40),
    most=st.integers(6, 30),
    alike=st.floats(0.1, 1.2),
    seed=seeds,
)
def test_folds_are_those_of_scikit_learn(n_splits, people, most, alike, seed):
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat(np.arange(people), random.integers(6, most + 1, people)))
    groups = random.integers(0, max(int(alike * len(y)), n_splits), len(y))  # some of several photographs and people
    assume(len(np.unique(groups)) >= n_splits)  # scikit-learn makes no fold without a group
    known = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed).split(y, y, groups)
    for test, (_, other) in zip(stratified_tests(y, groups, n_splits, seed), known, strict=True):
        assert np.array_equal(test, other)


def test_the_name_is_always_the_most_probable(random):
    X, y = clouds(random, spread=0.2)
    model = search_models(X, y, np.arange(len(y)))
    assert (model.classes_[model.predict_proba(X).argmax(1)] == model.predict(X)).all()


def test_a_search_needs_no_more_than_two_pictures(random):
    X, y = clouds(random, people=2, each=1)
    assert isinstance(search_models(X, y, np.arange(2))[-1], LogisticRegression)
    X, y = clouds(random, people=2, each=2)
    assert set(search_models(X, y, np.arange(4)).predict(X)) <= set(y)

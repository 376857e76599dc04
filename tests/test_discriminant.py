"""The discriminant is what the formula says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.discriminant import gram_discriminant


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
    within = residuals.T @ residuals / len(y)
    weights = np.linalg.solve(within + added * np.eye(15), means.T)
    longer = np.trace(np.linalg.solve(within + added * np.eye(15), within)) / np.unique(y, return_counts=True)[1]
    scores = X @ weights - (np.sum(means.T * weights, axis=0) - longer) / 2
    mixture, intercept = gram_discriminant(X @ X.T, y, shrinkage)
    ours = X @ X.T @ mixture + intercept
    assert np.allclose(ours, scores - scores.mean(1, keepdims=True), atol=1e-6 * np.abs(scores).max())

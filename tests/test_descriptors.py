"""Patterns see texture and not the light."""

from __future__ import annotations

import numpy as np

from celebml.descriptors import local_patterns, pattern_histograms


def test_patterns_do_not_see_the_light(random):
    grey = random.integers(0, 100, (2, 40, 40)).astype(np.uint8)
    assert (local_patterns(grey, 2) == local_patterns(grey * 2 + 30, 2)).mean() > 0.99


def test_pattern_histograms_are_shares(random):
    shares = pattern_histograms(random.integers(0, 256, (3, 96, 96)).astype(np.uint8)) ** 2
    assert np.allclose(shares.reshape(3, 64, 3, 59).sum(3), 1)

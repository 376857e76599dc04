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


def test_patterns_are_those_of_the_definition(random):
    grey = random.integers(0, 256, (2, 24, 31)).astype(np.uint8)
    ring = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
    for radius in (1, 2, 3):
        x = np.pad(grey, ((0, 0), (radius, radius), (radius, radius)), mode="edge")
        codes = np.zeros(grey.shape, int)
        for bit, (down, across) in enumerate(ring):
            top, left = radius * (1 + down), radius * (1 + across)
            codes += (x[:, top : top + 24, left : left + 31] >= grey).astype(int) << bit
        assert (local_patterns(grey, radius) == codes).all()

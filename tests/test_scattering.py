"""Scattering is what its definition says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from made_up import crops

from celebml.scattering import scattering, scattering_by_definition


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

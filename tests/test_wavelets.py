"""Wavelet detail is what a coarse average leaves."""

from __future__ import annotations

import numpy as np
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.wavelets import wavelet_detail


@settings(max_examples=25, deadline=None)
@given(height=st.integers(20, 90), width=st.integers(20, 90), level=st.integers(1, 5))
def test_wavelet_detail_is_the_picture_without_its_coarsest_average(height, width, level):
    grey = np.random.default_rng(height * width).random((height, width)) * 255
    detail = wavelet_detail(grey, level=level)
    assert detail.shape == grey.shape
    levels = pywt.wavedec2(grey, "haar", level=min(level, pywt.dwtn_max_level(grey.shape, "haar")))
    levels = [levels[0], *[tuple(np.zeros_like(part) for part in parts) for parts in levels[1:]]]
    assert np.allclose(detail + pywt.waverec2(levels, "haar")[:height, :width], grey, atol=1e-3)

"""The colour of skin is measured on the cheeks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.strangers import skin_tone


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

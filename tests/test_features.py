"""Rows of features: which number stands where."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import crops

from celebml.features import ClassicFeatures, FaceFeatures


def test_classic_rows_keep_signs_and_the_order_of_colours(random):
    red = np.zeros((50, 40, 3), np.uint8)
    red[..., 0] = 200
    row = ClassicFeatures().fit_transform([red])[0]
    assert row[:3072].reshape(32, 32, 3)[0, 0].tolist() == [200, 0, 0]
    assert (ClassicFeatures().transform(crops(random))[:, 3072:] < 0).any()


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

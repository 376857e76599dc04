"""Each descriptor's graph gives Python's numbers."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.features import FaceFeatures, middle_square
from celebml.landmarks import CROP_SIZE
from celebml.onnx_descriptors import CROPS, crop_planes, descriptor, shrunk_middle
from celebml.onnx_graph import Graph

BLOCKS = FaceFeatures().blocks
each_block = pytest.mark.parametrize("block", BLOCKS, ids=[block.name for block in BLOCKS])


def session(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def crops_of(seed: int) -> np.ndarray:
    "Noise, a slope, one grey, one of little contrast, one black and white."
    random = np.random.default_rng(seed)
    crops = random.integers(0, 256, (5, CROP_SIZE, CROP_SIZE, 3), dtype=np.uint8)
    crops[1] = np.linspace(0, 255, CROP_SIZE)[:, None, None] * random.random(3)
    crops[2] = crops[2, ..., :1]
    crops[3] = random.integers(0, 230, 3) + crops[3] // 10  # quite flat, it would be rounding errors over nothing
    crops[4] = 255 * (crops[4] > 127)
    return crops


@pytest.fixture(scope="module")
def graphs():
    "One graph a descriptor."
    made = {}
    for block in BLOCKS:
        g = Graph()
        found = descriptor(g, crop_planes(g), block.name)
        made[block.name] = session(g.model([CROPS], [(found, "FLOAT", ["n", "positions", "channels"])], {}))
    return made


@each_block
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_descriptor_gives_pythons_numbers(graphs, block, seed):
    crops = crops_of(seed)
    ours = graphs[block.name].run(None, {"crops": crops})[0]
    assert ours.shape == (len(crops), block.grid**2, block.channels)
    theirs = FaceFeatures((block.name,)).transform(crops)
    np.testing.assert_allclose(ours.reshape(len(crops), -1), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("width", "size"), [(120, 96), (136, 64), (136, 32), (96, 12)])
def test_view_gives_pythons_bytes(width, size):
    crops = crops_of(width + size)
    g = Graph()
    found = shrunk_middle(g, crop_planes(g), width, size)
    ours = session(g.model([CROPS], [(found, "FLOAT", ["n", 3, size, size])], {})).run(None, {"crops": crops})[0]
    assert np.array_equal(ours.transpose(0, 2, 3, 1), middle_square(crops, width, size))

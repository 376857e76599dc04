"""Nodes become a file that is checked, or a sentence."""

import sys

import numpy as np
import pytest
from test_onnx_descriptors import session

from celebml.onnx_graph import ExportError, Graph


def test_numbers_and_names_go_together():
    g = Graph()
    g("Add", g("Mul", g.part(g.padded("x", 1, "edge"), 3, 0, 2), 2), 1, name="y")
    model = g.model([("x", "FLOAT", [1, 1, 2, 2])], [("y", "FLOAT", [1, 1, 4, 2])], {"unit": "metres"})
    found = session(model).run(None, {"x": np.float32([[[[1, 2], [3, 4]]]])})[0]
    assert found[0, 0].tolist() == [[3, 3], [3, 3], [7, 7], [7, 7]]
    assert {fact.key: fact.value for fact in model.metadata_props} == {"unit": "metres"}


def test_without_the_package_onnx_the_mend_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExportError, match=r'pip install "celebml\[publish\]"'):
        Graph()

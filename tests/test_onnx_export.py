"""The graph of a model says what Python says, and refuses what it has no form for."""

import gzip
import json
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from test_onnx_descriptors import BLOCKS, session

from celebml.bundle import load_bundle
from celebml.datasets import load_att
from celebml.errors import CelebmlError
from celebml.explain import explain_row
from celebml.features import FaceFeatures
from celebml.landmarks import CROP_SIZE, TEMPLATE, YuNetDetector
from celebml.models import ClassicModel
from celebml.onnx_export import export_onnx, face_graph, tells_strangers
from celebml.onnx_graph import ExportError
from celebml.photographs import read_photograph
from celebml.recipes import DEFAULT


@pytest.fixture(scope="module")
def model(bundle):
    return load_bundle(bundle).model


@pytest.fixture(scope="module")
def faces(people):
    detect = YuNetDetector()
    found = [detect(read_photograph(path)).faces[0].crop for path in people.paths[::3]]
    noise = np.random.default_rng(1).integers(0, 40, (2, CROP_SIZE, CROP_SIZE, 3), dtype=np.uint8)
    return np.concatenate([np.stack(found), np.minimum(255, np.stack(found[:2]) + noise.astype(int)).astype(np.uint8)])


@pytest.fixture(scope="module")
def found(model, faces):
    ready = session(face_graph(model, BLOCKS))
    return dict(zip([end.name for end in ready.get_outputs()], ready.run(None, {"crops": faces}), strict=True))


def test_model_says_what_python_says(model, faces, found):
    rows = FaceFeatures().transform(faces)
    probabilities, known = model.judge(rows)
    np.testing.assert_allclose(found["probabilities"], probabilities, atol=1e-4)
    np.testing.assert_allclose(found["scores"], model.scores(rows), rtol=1e-4, atol=1e-4)
    assert tells_strangers(model)
    np.testing.assert_allclose(found["known_score"], known, rtol=1e-4, atol=2e-3)
    assert np.array_equal(found["known"], known >= model.threshold_)


def test_reasons_are_pythons_and_add_up(model, faces, found):
    row = FaceFeatures().transform(faces[:1])[0]
    for person, name in enumerate(model.classes_):
        reasons = explain_row(model, row, BLOCKS, str(name))
        np.testing.assert_allclose(found["regions"][0, person], reasons.regions, atol=1e-4)
    sums = found["regions"].sum((2, 3)) + found["intercept"]
    np.testing.assert_allclose(sums, found["scores"], rtol=1e-4, atol=1e-3)


def test_graph_knows_whom_python_knows_in_grey_and_in_colour(model):
    detect, random = YuNetDetector(), np.random.default_rng(0)
    grey = np.stack([detect(read_photograph(path)).faces[0].crop for path in load_att().paths[8::10]])
    tinted = np.clip(grey * random.uniform(0.7, 1.2, (len(grey), 1, 1, 3)) + random.integers(0, 6, grey.shape), 0, 255)
    crops = np.concatenate([grey, tinted.astype(np.uint8)])
    score, known = session(face_graph(model, BLOCKS)).run(["known_score", "known"], {"crops": crops})
    theirs = model.known_score(FaceFeatures().transform(crops))
    assert "met_faces_" in vars(model), "it is the face space that is written, not the best score"
    assert theirs.std() > 5, "faces that all score alike would show nothing"
    np.testing.assert_allclose(score, theirs, rtol=1e-4, atol=2e-3)
    assert np.mean(known == (theirs >= model.threshold_)) >= 0.99


def test_face_space_costs_a_graph_little_enough_for_a_page(model):
    from copy import copy

    without = copy(model)
    without.threshold_ = None
    packed = [len(gzip.compress(face_graph(one, BLOCKS).SerializeToString(), 6)) for one in (model, without)]
    assert packed[0] - packed[1] < 2.7e6


def test_one_face_gets_the_answer_that_it_gets_among_others(model, faces, found):
    alone = session(face_graph(model, BLOCKS)).run(["probabilities"], {"crops": faces[2:3]})[0]
    np.testing.assert_allclose(alone[0], found["probabilities"][2], atol=1e-5)


def test_file_says_whom_it_knows_and_where_the_landmarks_belong(bundle, model, tmp_path):
    path = export_onnx(bundle, tmp_path / "faces.onnx")
    facts = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == [str(name) for name in model.classes_]
    assert json.loads(facts["threshold"]) == pytest.approx(model.threshold_)
    np.testing.assert_allclose(json.loads(facts["template"]), TEMPLATE, atol=1e-3)
    assert [file.name for file in tmp_path.iterdir()] == ["faces.onnx"]


def test_model_without_a_threshold_does_not_say_who_is_known(model):
    from copy import copy

    other = copy(model)
    other.threshold_ = None
    assert "known" not in [end.name for end in face_graph(other, BLOCKS).graph.output]


def test_another_way_of_telling_strangers_is_left_out_rather_than_told_wrongly(model):
    from copy import copy

    class Other(type(model)):
        def judge(self, rows):
            probabilities, known = super().judge(rows)
            return probabilities, known / 2 + 1

    other = copy(model)
    other.__class__ = Other
    assert not tells_strangers(other)
    assert not {"known", "known_score"} & {end.name for end in face_graph(other, BLOCKS).graph.output}


def test_other_recipes_and_descriptors_are_refused_in_a_sentence(model):
    with pytest.raises(ExportError, match=f'only models of the recipe "{DEFAULT}"'):
        face_graph(ClassicModel(), BLOCKS)
    with pytest.raises(CelebmlError, match='the descriptor "eigenfaces" has no form'):
        face_graph(model, [SimpleNamespace(name="eigenfaces")])


def test_graph_is_valid_and_plain(model):
    graph = face_graph(model, BLOCKS)
    onnx.checker.check_model(graph, full_check=True)
    assert {node.domain for node in graph.graph.node} == {""}, "operators of the standard only"

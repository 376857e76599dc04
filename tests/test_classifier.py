"""The classifier and its bundle: what is saved is what is loaded, and nothing else is."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml.bundle import load_bundle
from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_att
from celebml.errors import BundleError, DataError, PhotographError
from celebml.files import OutputError
from celebml.photographs import read_photograph
from celebml.recipes import load_recipe

pytestmark = pytest.mark.usefixtures("remembered")


@pytest.fixture(scope="module")
def unseen():
    """Four more photographs of each person, which the model has not seen."""
    att = load_att()
    chosen = [p * 10 + k for p in (0, 1, 2, 4) for k in range(6, 10)]
    return [att.paths[i] for i in chosen], [att.names[i] for i in chosen]


def test_it_names_people_in_photographs_it_has_not_seen(classifier, unseen):
    assert classifier.predict(unseen[0]) == unseen[1]
    assert classifier.score(*unseen) == 1


def test_the_classic_recipe_has_the_same_interface(people, unseen, tmp_path):
    classic = CelebrityClassifier("classic").fit(people.paths, people.names)
    named = classic.predict(unseen[0])
    assert {None} < set(named) <= {None, *people.names}
    loaded = CelebrityClassifier.load(classic.save(tmp_path / "classic"))
    assert loaded.predict(unseen[0]) == named
    assert all(answer.known is None for path in unseen[0] for answer in loaded.classify(path))


def test_paths_bytes_and_arrays_give_the_same_answers(classifier, people):
    path = people.paths[0]
    answers = [
        classifier.classify(photo)[0] for photo in (path, str(path), path.read_bytes(), read_photograph(path).pixels)
    ]
    assert len({answer.box for answer in answers}) == 1
    assert len({answer.probability for answer in answers}) == 1


def test_answers_hold_together(classifier, unseen):
    for path in unseen[0]:
        for answer in classifier.classify(path):
            assert set(answer.probabilities) == set(classifier.classes_)
            assert sum(answer.probabilities.values()) == pytest.approx(1)
            assert answer.name == max(answer.probabilities, key=answer.probabilities.get)
            assert answer.known is (answer.score >= classifier.model_.threshold_)
            assert json.loads(json.dumps(answer.as_dict()))["name"] == answer.name


def test_no_face_and_unreadable_are_none_in_predict(classifier, tmp_path):
    (tmp_path / "letter.jpg").write_text("Dear Ada")
    assert classifier.predict([np.full((80, 80, 3), 99, np.uint8), tmp_path / "letter.jpg"]) == [None, None]
    assert classifier.classify(np.full((80, 80, 3), 99, np.uint8)) == []
    with pytest.raises(PhotographError):
        classifier.classify(tmp_path / "letter.jpg")


def test_a_stranger_is_unknown_only_when_asked_and_the_best_name_stays(classifier):
    att = load_att()
    strangers = [att.paths[i] for i in range(100, 200, 5)]
    named, rejected = classifier.predict(strangers), classifier.predict(strangers, reject=True)
    assert set(named) <= set(classifier.classes_)
    assert rejected.count("unknown") >= 0.6 * len(strangers)


def test_bad_photographs_among_good_ones_cost_nothing(people, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"")
    photos = [tmp_path / "bad.jpg", *people.paths[:12], np.zeros((50, 50, 3), np.uint8)]
    names = ["s1", *people.names[:12], "s2"]
    classifier = CelebrityClassifier().fit(photos, names)
    assert classifier.predict(people.paths[:12]) == list(people.names[:12])


@pytest.mark.parametrize("count", [0, 6])
def test_fewer_than_two_people_is_one_sentence(people, count):
    with pytest.raises(DataError, match="two people"):
        CelebrityClassifier().fit(people.paths[:count], people.names[:count])


def test_names_must_match_photographs(people):
    with pytest.raises(DataError, match="2 photographs and 1 names"):
        CelebrityClassifier().fit(people.paths[:2], ["s1"])


def test_a_single_photograph_is_no_list_of_them(classifier, people):

    data = people.paths[0].read_bytes()
    pixels = np.zeros((300, 300, 3), np.uint8)
    picture = Image.new("RGB", (300, 300))
    for one in (people.paths[0], str(people.paths[0]), data, bytearray(data), BytesIO(data), picture, pixels):
        with pytest.raises(DataError, match=r"single one; put it in brackets: \[photo\]"):
            classifier.predict(one)
        with pytest.raises(DataError, match="single one"):
            CelebrityClassifier().fit(one, ["Ada"])
    for none in (None, 7):
        with pytest.raises(DataError, match="takes a list of photographs"):
            classifier.predict(none)


def test_every_form_of_a_photograph_is_named_alike(classifier, people):

    path = people.paths[0]
    with Image.open(path) as picture, path.open("rb") as file:
        rgb = np.asarray(picture.convert("RGB"))
        forms = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), BytesIO(path.read_bytes()), file]
        forms += [memoryview(path.read_bytes()), picture, rgb]
        assert classifier.predict(forms) == [people.names[0]] * len(forms)
    assert classifier.predict(iter([path])) == classifier.predict(np.stack([rgb])) == [people.names[0]]


@pytest.mark.parametrize("name", [None, float("nan"), 1.5, "", "  ", "\n", "unknown", " Unknown", True, b"Ada"])
def test_names_that_name_nobody_are_not_learnt(people, name, monkeypatch):
    monkeypatch.setattr("celebml.stages.find_faces", lambda *_: pytest.fail("it looked at photographs first"))
    names = [*people.names[:-1], name]
    with pytest.raises(DataError, match=r"needs a name|nobody can be called"):
        CelebrityClassifier().fit(people.paths, names)


# the bundle


def test_a_loaded_bundle_answers_to_the_bit(classifier, bundle, unseen):
    loaded = CelebrityClassifier.load(bundle)
    for path in unseen[0][:4]:
        assert [a.as_dict() for a in loaded.classify(path)] == [a.as_dict() for a in classifier.classify(path)]
    assert json.loads((bundle / "labels.json").read_text()) == {"s1": 0, "s2": 1, "s3": 2, "s5": 3}


def test_the_joblib_copy_is_the_same_model(classifier, bundle):
    assert np.array_equal(joblib.load(bundle / "model.joblib").coef_, classifier.model_.coef_)


def test_a_bundle_is_small(bundle):
    assert sum(path.stat().st_size for path in bundle.rglob("*")) < 4e6


def test_saving_over_a_bundle_replaces_it_whole(classifier, tmp_path):
    for _ in range(2):
        classifier.save(tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    (tmp_path / "bundle" / "notes.txt").write_text("the user's own")
    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        classifier.save(tmp_path / "bundle")
    assert (tmp_path / "bundle" / "notes.txt").exists()


class Evil:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def change(bundle, tmp_path):
    """A copy of the bundle to spoil."""
    return shutil.copytree(bundle, tmp_path / "copy")


@settings(max_examples=20, deadline=None)
@given(where=st.floats(0, 0.999), name=st.sampled_from(["model.skops", "model.joblib", "labels.json", "metrics.json"]))
def test_any_changed_byte_is_noticed(bundle, tmp_path_factory, where, name):
    copy = shutil.copytree(bundle, tmp_path_factory.mktemp("spoilt") / "copy")
    data = bytearray((copy / name).read_bytes())
    data[int(where * len(data))] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        load_bundle(copy)


@pytest.mark.parametrize(
    "name", ["manifest.json", "model.skops", "labels.json", "metrics.json", "MODEL_CARD.md", "model.joblib"]
)
def test_any_missing_file_is_one_sentence(bundle, tmp_path, name):
    copy = change(bundle, tmp_path)
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        load_bundle(copy)


def manifest(copy, edit):
    """Edit the manifest of a bundle, making its checksums true again."""
    import hashlib

    value = json.loads((copy / "manifest.json").read_text())
    value["sha256"] = {name: hashlib.sha256((copy / name).read_bytes()).hexdigest() for name in value["sha256"]}
    edit(value)
    (copy / "manifest.json").write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda m: m.update(format=99), "format 99"),
        (lambda m: m["versions"].update({"scikit-learn": "0.24.2"}), r"scikit-learn 0\.24\.2"),
        (lambda m: m["sha256"].pop("labels.json"), "does not list labels.json"),
        (lambda m: m["sha256"].update({"../outside": "0"}), "outside the bundle"),
        (lambda m: m["sha256"].update({"/etc/hostname": "0"}), "outside the bundle"),
        (lambda m: m.update(recipe=7), "a recipe"),
        (lambda m: m.pop("versions"), "damaged"),
        (lambda m: m.update(sha256=[]), "does not list|damaged"),
    ],
)
def test_other_versions_and_odd_manifests_are_refused(bundle, tmp_path, edit, says):
    copy = change(bundle, tmp_path)
    manifest(copy, edit)
    with pytest.raises(BundleError, match=says):
        load_bundle(copy)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "{", '"a"', "\x00"])
def test_a_manifest_that_is_none_is_refused(bundle, tmp_path, text):
    copy = change(bundle, tmp_path)
    (copy / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=r"manifest\.json is damaged"):
        load_bundle(copy)


def test_a_pickle_in_the_models_place_is_never_run(bundle, tmp_path):
    for name in ("model.skops", "model.joblib"):
        copy, mark = shutil.copytree(bundle, tmp_path / name), tmp_path / f"{name}-ran"
        (copy / name).write_bytes(pickle.dumps(Evil(mark)))
        manifest(copy, lambda value: None)
        if name == "model.skops":
            with pytest.raises(BundleError, match="cannot be trusted"):
                load_bundle(copy)
        else:
            load_bundle(copy)
        assert not mark.exists()


def test_a_model_of_another_type_is_refused(bundle, tmp_path):
    copy = change(bundle, tmp_path)
    with zipfile.ZipFile(copy / "model.skops") as old:
        schema = old.read("schema.json").decode()
        files = {name: old.read(name) for name in old.namelist() if name != "schema.json"}
    with zipfile.ZipFile(copy / "model.skops", "w") as new:
        new.writestr(
            "schema.json", schema.replace('"BestModel"', '"Popen"').replace('"celebml.recipes"', '"subprocess"')
        )
        for name, data in files.items():
            new.writestr(name, data)
    manifest(copy, lambda value: None)
    with pytest.raises(BundleError, match="cannot be trusted"):
        load_bundle(copy)


def test_a_pickle_in_an_arrays_place_is_never_run(bundle, tmp_path):
    copy, mark = change(bundle, tmp_path), tmp_path / "ran"
    with zipfile.ZipFile(copy / "model.skops") as old:
        files = {name: old.read(name) for name in old.namelist()}
    array = BytesIO()
    np.save(array, np.array([Evil(mark)], object), allow_pickle=True)
    files[next(name for name in files if name.endswith(".npy"))] = array.getvalue()
    with zipfile.ZipFile(copy / "model.skops", "w") as new:
        for name, data in files.items():
            new.writestr(name, data)
    manifest(copy, lambda value: None)
    with pytest.raises(BundleError, match="cannot be trusted"):
        load_bundle(copy)
    assert not mark.exists()


def test_our_reading_of_a_model_is_that_of_skops(bundle):
    import skops.io

    ours = load_bundle(bundle).model.__getstate__()
    theirs = vars(skops.io.load(bundle / "model.skops", trusted=["celebml.models.BestModel"]))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, strict=isinstance(value, np.ndarray))


def test_naming_a_face_imports_nothing_that_only_training_needs(bundle, people):
    heavy = {"sklearn", "skops", "pandas", "matplotlib", "joblib", "scipy.optimize", "scipy.stats"}
    code = "import sys; from celebml.classifier import CelebrityClassifier as Classifier; "
    code += "Classifier.load(sys.argv[1]).classify(sys.argv[2]); "
    code += f"print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code, bundle, people.paths[0]], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"features": load_recipe("classic").features.spec()}, "does not fit the features"),
        ({"features": [{"features": "smells"}]}, "no features 'smells' here"),
        ({"model": "oracle"}, "'oracle' is not known here"),
    ],
)
def test_a_model_that_does_not_fit_the_features_is_refused(bundle, tmp_path, edit, said):
    copy = change(bundle, tmp_path)
    manifest(copy, lambda value: value["recipe"].update(edit))
    with pytest.raises(BundleError, match=said):
        load_bundle(copy)


def test_the_classifier_keeps_scikit_learns_manners(people):
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError

    classifier = CelebrityClassifier(random_state=3)
    assert clone(classifier).get_params() == {"recipe": "best", "random_state": 3}
    assert repr(classifier.set_params(random_state=4)) == "CelebrityClassifier(recipe='best', random_state=4)"
    with pytest.raises(ValueError, match="no setting 'colour'"):
        classifier.set_params(colour=1)
    blank = np.full((300, 300, 3), 128, np.uint8)
    for ask in (classifier.predict, lambda photos: classifier.classify(photos[0])):
        with pytest.raises(NotFittedError, match="call fit, or load a bundle"):
            ask([blank])
    model = clone(load_recipe().model(random_state=2))
    assert model.random_state == 2 and "random_state=2" in repr(model)
    with pytest.raises(NotFittedError):
        model.predict_proba(np.zeros((1, 4), np.float32))

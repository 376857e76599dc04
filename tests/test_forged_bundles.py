"""Bundles that somebody made to fit: each is one `BundleError`, in a second and 200 MB, and none of their code runs."""

from __future__ import annotations

import hashlib
import io
import json
import resource
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from celebml.bundle import load_bundle
from celebml.classifier import CelebrityClassifier
from celebml.errors import BundleError

ODD = (None, True, -1, 2**70, 1e308, "", "x", [], {}, [[[]]], "\ud800")
FORGED: dict[str, Callable[[Path], None]] = {}


def signed(folder: Path, change: Callable[[dict], object] = lambda manifest: None) -> None:
    """Make the manifest's digests true again, and change what else it says."""
    manifest = json.loads((folder / "manifest.json").read_text())
    names = [name for name in manifest["sha256"] if (folder / name).is_file()]
    manifest["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / "manifest.json").write_text(json.dumps(change(manifest) or manifest))


def forge(name: str) -> Callable:
    def add(work: Callable[[Path], None]) -> Callable[[Path], None]:
        assert name not in FORGED, name
        FORGED[name] = work
        return work

    return add


def _put(value: dict, path: tuple, new: object) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new


# --- the manifest, part by part

PARTS = [("format",), ("recipe",), ("versions",), ("sha256",), ("versions", "scikit-learn"), ("sha256", "model.skops")]
RECIPE = [("name",), ("detector",), ("detector", "name"), ("features",), ("model",), ("features", 0)]
RECIPE += [("features", 0, "name"), ("features", 0, "revision"), ("features", 0, "features")]
DETECTOR = {
    "looks": [[], 7, "x", [[640]], [[10**6, 0.0]], [[640, -1.0]], [[640, 0.0]] * 500, [[640, "x"]], [[0, 0.0]]],
    "threshold": ["x", -1, 2.0, None, [], True],
    "max_faces": [0, -1, 10**9, 1.5, "x", None],
    "worth": [-0.1, 7, "x", None],
    "oracle": [1],
}
for part in PARTS:
    for number, odd in enumerate(ODD):
        forge(f"manifest {'.'.join(part)} {number}")(
            lambda folder, part=part, odd=odd: signed(folder, lambda manifest: _put(manifest, part, odd))
        )
for part in RECIPE:
    for number, odd in enumerate((None, -1, 1e308, "", "x y", [], {}, [[[]]])):
        forge(f"recipe {'.'.join(map(str, part))} {number}")(
            lambda folder, part=("recipe", *part), odd=odd: signed(folder, lambda manifest: _put(manifest, part, odd))
        )
for name, odds in DETECTOR.items():
    for number, odd in enumerate(odds):
        forge(f"detector {name} {number}")(
            lambda folder, name=name, odd=odd: signed(
                folder, lambda manifest: _put(manifest, ("recipe", "detector", name), odd)
            )
        )
TEXTS = [
    "",
    "[]",
    "null",
    "7",
    "{",
    "[" * 200_000,
    '{"format": NaN}',
    '{"format": 1e999}',
    "\x00",
    "\ufeff{}",
    "9" * 5000,
]
for number, text in enumerate(TEXTS):
    forge(f"manifest text {number}")(lambda folder, text=text: (folder / "manifest.json").write_text(text))


@forge("a manifest of 3 GB")
def _(folder):
    with (folder / "manifest.json").open("r+b") as file:
        file.truncate(3_000_000_000)


@forge("a manifest that is a pipe")
def _(folder):
    import os

    (folder / "manifest.json").unlink()
    os.mkfifo(folder / "manifest.json")


@forge("features without end")
def _(folder):
    signed(folder, lambda manifest: _put(manifest, ("recipe", "features"), manifest["recipe"]["features"] * 10_000))


@forge("two thousand features")
def _(folder):
    one = {"features": "classic", "wavelet": "db1", "level": 0}
    signed(folder, lambda manifest: _put(manifest, ("recipe", "features"), [one] * 2000))


for name in ("../outside", "/etc/hostname", "a/../../b", "x" * 300, "a\0b", "pictures/"):
    forge(f"a listed file {name[:20]!r}")(
        lambda folder, name=name: signed(folder, lambda manifest: _put(manifest, ("sha256", name), "0" * 64))
    )


@forge("a file that is not listed")
def _(folder):
    (folder / "run_me.py").write_text("print('hello')")
    signed(folder)


@forge("a copy for joblib that is sparse")
def _(folder):
    with (folder / "model.joblib").open("r+b") as file:
        file.truncate(40_000_000_000)


@forge("a million pictures listed")
def _(folder):
    def many(manifest):
        manifest["sha256"] |= {f"pictures/{number}.jpg": "0" * 64 for number in range(60_000)}

    signed(folder, many)


# --- the documents

DOCUMENTS = {
    "labels.json": [
        "[]", "{}", '{"s1": 1, "s2": 0}', '{"s1": NaN}', "{", '{"s1": 0}', "7", "[" * 99_999, '"' + "x" * 9_000_000,
    ],
    "names.json": [
        "[]", '{"Eve": "Eve"}', '{"s1": 7}', '{"s1": ""}', '{"s1": "a\\u0000b"}', '{"s1": "\\ud800"}', "NaN",
        "{",
    ],
    "metrics.json": [
        "[]", "7", "null",
        '{"best": {"accuracy_all": "all"}}', '{"best": {"accuracy_all": 7}}', '{"best": {"sd": null}}',
        '{"photos": -1}', '{"photos": "x"}', '{"people": []}', '{"people": {"s1": "x"}}', '{"best": {"sd": NaN}}',
        "1e999", '{"a":' * 99_999,
    ],
    "MODEL_CARD.md": [b"\xff\xfe\x00", b"x" * 3_000_000],
}  # fmt: skip
for name, texts in DOCUMENTS.items():
    for number, text in enumerate(texts):

        def write(folder, name=name, text=text):
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
            signed(folder)

        forge(f"{name} {number}")(write)


# --- the model


def zipped(folder: Path, change: Callable[[dict, dict], object]) -> None:
    """Change the document and the members of the model's zip, and sign."""
    path = folder / "model.skops"
    with zipfile.ZipFile(path) as old:
        files = {name: old.read(name) for name in old.namelist()}
    tree = json.loads(files["schema.json"])
    change(tree["content"]["content"], files)
    files["schema.json"] = files["schema.json"] if tree is None else json.dumps(tree).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in files.items():
            new.writestr(name, data)
    signed(folder)


def stored(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def in_place_of(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """An array that another one takes the place of."""

    def work(folder):
        def put(nodes, files):
            file = nodes[name]["file"]
            files[file] = stored(change(np.load(io.BytesIO(files[file]))))

        zipped(folder, put)

    return work


def spoilt(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def put(array):
        array = array.copy()
        array.flat[0] = value
        return array

    return put


FLOATS = ("coef_", "mean_", "intercept_", "known_scores_", "stranger_scores_", "passer_scores_", "met_faces_")
for name in FLOATS:
    forge(f"{name} nan")(in_place_of(name, spoilt(np.nan)))
    forge(f"{name} inf")(in_place_of(name, spoilt(-np.inf)))
    forge(f"{name} float64")(in_place_of(name, lambda array: array.astype(np.float64)))
    forge(f"{name} text")(in_place_of(name, lambda array: np.full(array.shape, "x")))
    forge(f"{name} flat")(in_place_of(name, lambda array: array.reshape(*array.shape, 1)))
for name in ("coef_", "mean_", "intercept_", "met_people_", "met_faces_", "silent_"):
    forge(f"{name} short")(in_place_of(name, lambda array: array[:-1]))
    forge(f"{name} long")(in_place_of(name, lambda array: np.concatenate([array, array])))
forge("met_people_ others")(in_place_of("met_people_", spoilt(7)))
forge("met_people_ below")(in_place_of("met_people_", spoilt(-1)))
forge("silent_ wide")(in_place_of("silent_", spoilt(2**40)))
forge("silent_ below")(in_place_of("silent_", spoilt(-5)))
for number, people in enumerate(
    (
        ["s1"],
        [],
        ["s1", "s1", "s3", "s5"],
        ["s5", "s3", "s2", "s1"],
        ["", "s2", "s3", "s5"],
        ["s1", "s2", "s3", "unknown"],
    )
):
    forge(f"classes_ {number}")(in_place_of("classes_", lambda array, people=people: np.array(people, "<U9")))
forge("classes_ of a million")(in_place_of("classes_", lambda array: np.array([f"{n:07}" for n in range(1_000_000)])))
forge("classes_ as numbers")(in_place_of("classes_", lambda array: np.arange(4)))
forge("classes_ as bytes")(in_place_of("classes_", lambda array: array.astype("S")))
forge("classes_ too long")(in_place_of("classes_", lambda array: array.astype("<U5000")))
forge("coef_ of 3 GB")(in_place_of("coef_", lambda array: np.zeros((38720, 4000), np.float16)))
forge("coef_ the wrong way round")(in_place_of("coef_", lambda array: np.ascontiguousarray(array.T)))
forge("coef_ of the other byte order")(in_place_of("coef_", lambda array: array.astype(">f2")))

NUMBERS = {
    "temperature_": ["0", "-1", "1e999", "NaN", "Infinity", '"x"', "[]", "null", "true", "{", "1e300"],
    "threshold_": ["NaN", "1e300", '"x"', "[]", "true", "9" * 400],
    "shrinkage": ["-1", "NaN", "null", '"x"'],
    "rounds": ["-1", "1.5", "99999999", "null"],
    "random_state": ["1.5", '"x"', "9" * 400],
}
for name, texts in NUMBERS.items():
    for text in texts:
        forge(f"{name} {text[:9]}")(
            lambda folder, name=name, text=text: zipped(folder, lambda nodes, files: nodes[name].update(content=text))
        )


def a_node(node: object, name: str = "predict_proba") -> Callable[[Path], None]:
    return lambda folder: zipped(folder, lambda nodes, files: nodes.update({name: node}))


number = {"__loader__": "JsonNode", "content": "7", "__class__": "str", "__module__": "builtins", "is_json": True}
for name in ("predict_proba", "judge", "take_blocks", "__class__", "__dict__", "training_", "_met", "plain"):
    forge(f"an attribute {name}")(a_node(number, name))
for kind in (
    "FunctionNode",
    "MethodNode",
    "ObjectNode",
    "TypeNode",
    "PartialNode",
    "DictNode",
    "TreeNode",
    "Evil",
    7,
    None,
):
    forge(f"a node {kind}")(
        a_node({"__loader__": kind, "content": {}, "__class__": "open", "__module__": "os"}, "mean_")
    )
for odd in (7, None, [], "x"):
    forge(f"a node that is {odd!r}")(a_node(odd, "mean_"))
for file in ("../../etc/passwd", "schema.json", "nowhere.npy", 7, None, "a/b.npy"):
    forge(f"an array in {file!r}")(a_node({"__loader__": "NdArrayNode", "type": "numpy", "file": file}, "mean_"))
forge("without weights")(lambda folder: zipped(folder, lambda nodes, files: nodes.pop("coef_") and None))
forge("without people")(lambda folder: zipped(folder, lambda nodes, files: nodes.pop("classes_") and None))


def the_zip(work: Callable[[zipfile.ZipFile], object]) -> Callable[[Path], None]:
    def change(folder):
        with zipfile.ZipFile(folder / "model.skops", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
            work(file)
        signed(folder)

    return change


def _endless(file: zipfile.ZipFile, name: str, size: int) -> None:
    with file.open(name, "w", force_zip64=True) as member:
        for _ in range(size // 10_000_000):
            member.write(bytes(10_000_000))


forge("a schema of 300 MB in 300 kB")(the_zip(lambda file: _endless(file, "schema.json", 300_000_000)))
forge("an empty zip")(the_zip(lambda file: None))
forge("nothing but letters")(the_zip(lambda file: file.writestr("schema.json", "letters")))
forge("a schema without end")(the_zip(lambda file: file.writestr("schema.json", '{"content":' * 100_000)))
forge("thirty thousand members")(the_zip(lambda file: [file.writestr(f"{n}.npy", b"") for n in range(30_000)]))
forge("no zip")(lambda folder: ((folder / "model.skops").write_bytes(b"PK\3\4 letters"), signed(folder)))
forge("half a zip")(
    lambda folder: ((folder / "model.skops").write_bytes((folder / "model.skops").read_bytes()[:5000]), signed(folder))
)
HEADERS = {
    "more than memory": "{'descr': '<f2', 'fortran_order': False, 'shape': (99999999999, 4)}",
    "negative": "{'descr': '<f2', 'fortran_order': False, 'shape': (-1, -4)}",
    "overflowing": "{'descr': '<f2', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (4,)}",
    "records": "{'descr': [('a', '<f2')], 'fortran_order': False, 'shape': (4,)}",
    "code": "__import__('os').system('touch ran')",
    "letters": "x",
    "deep": "(" * 3000,
}
for name, header in HEADERS.items():
    text = header.encode() + b" " * (-len(header) % 64) + b"\n"
    data = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + bytes(99)
    forge(f"an array header: {name}")(
        lambda folder, data=data: zipped(folder, lambda nodes, files: files.update({nodes["coef_"]["file"]: data}))
    )


def test_there_are_many():
    assert len(FORGED) >= 300


def opened(folder):
    "What opening a bundle ends with (nothing where it is one sentence), processor seconds, and kilobytes more."
    before, began, said = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), "it was opened"
    try:
        load_bundle(folder)
    except BundleError as error:
        said = "" if len(str(error)) < 800 and "\n" not in str(error) else str(error)
    except Exception as error:  # noqa: BLE001 - any other is what is looked for
        said = repr(error)
    return said, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


@pytest.mark.parametrize("start", range(12))
def test_each_forged_bundle_is_one_sentence_soon_and_small(start, bundle, tmp_path):
    wrong = {}
    for name in list(FORGED)[start::12]:
        copy = shutil.copytree(bundle, tmp_path / "copy")
        FORGED[name](copy)
        said, took, grew = opened(copy)
        if took > 1:  # a collection of garbage may have fallen into it
            took = min(took, opened(copy)[1])
        if said or took > 1 or grew > 200_000:  # kilobytes
            wrong[name] = said, took, grew
        shutil.rmtree(copy)
    assert not wrong


# --- the classic model, whose scikit-learn objects used to be read


@pytest.fixture(scope="module")
def classic(people, tmp_path_factory) -> Path:
    chosen = [number for number in range(len(people)) if number % 6 < 4]
    model = CelebrityClassifier("classic").fit(
        [people.paths[i] for i in chosen], [people.names[i] for i in chosen], groups=range(len(chosen))
    )
    return model.save(tmp_path_factory.mktemp("classic") / "bundle")


def test_a_classic_model_spoilt_in_any_number_is_refused_or_answers(classic, tmp_path):
    """No number in it can lead a walk astray: the process goes on, with a sentence or with probabilities."""
    values = load_bundle(classic).model.__getstate__()
    arrays = [name for name, value in values.items() if isinstance(value, np.ndarray) and value.dtype.kind in "fi"]
    refused = 0
    for name in arrays:
        for odd in (np.nan, np.inf, -1, 2**40, 0):
            kind = values[name].dtype.kind
            if kind == "i" and not np.isfinite(odd):
                continue
            copy = shutil.copytree(classic, tmp_path / "copy")
            in_place_of(name, spoilt(odd))(copy)
            try:
                told = CelebrityClassifier.load(copy).predict([np.zeros((160, 160, 3), np.uint8)])
                assert told == [None]
            except BundleError:
                refused += 1
            shutil.rmtree(copy)
    assert refused >= 2 * len(arrays)


def test_a_bundle_with_trees_of_scikit_learn_is_refused_unread(classic, tmp_path):
    import skops.io
    from sklearn.ensemble import RandomForestClassifier

    copy = shutil.copytree(classic, tmp_path / "copy")
    forest = RandomForestClassifier(2).fit(np.eye(4), list("abab"))
    skops.io.dump(forest, copy / "model.skops")
    signed(copy)
    with pytest.raises(BundleError, match="holds a RandomForestClassifier, and not the recipe's model"):
        load_bundle(copy)

"""A classifier that is taught further, and one that forgets: as if it had been so from the start."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml.bundle import _learnt, load_bundle
from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_att
from celebml.errors import BundleError, DataError
from celebml.files import sha256_of
from celebml.photographs import read_photograph
from celebml.recipes import BASELINE, DEFAULT, MODELS, load_recipe
from celebml.training import TrainingPhotos, digest_of

NAMES = ("Grace Hopper", "Alan Turing", "Ada King, Countess of Lovelace", "Joan Clarke")


@pytest.fixture(scope="module", autouse=True)
def quick(remembered):
    """Each photograph is described once, too, for all tests here."""
    recipe, told = load_recipe(DEFAULT), {}
    describe = type(recipe.features).transform

    def described(self, crops):
        for crop in crops:
            if crop.tobytes() not in told:
                told[crop.tobytes()] = describe(self, [crop])[0]
        return np.array([told[crop.tobytes()] for crop in crops], np.float32).reshape(
            len(crops), self.blocks[-1].columns.stop
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(recipe.features), "transform", described)
        yield


@pytest.fixture(scope="module")
def photos():
    """Six photographs of each of the four, two of which show two people, and their names."""
    paths = load_att().paths
    own = [[paths[10 * person + k] for k in range(6)] for person in (0, 1, 2, 4)]
    pixels = [[read_photograph(path).pixels for path in some] for some in own]
    for one, other in ((0, 1), (2, 3)):  # somebody larger stands beside them
        smaller = pixels[one][5][::2, ::2]
        wide = np.full((112, 92 + smaller.shape[1], 3), 90, np.uint8)
        wide[:, :92] = read_photograph(paths[10 * (0, 1, 2, 4)[other] + 8]).pixels
        wide[: len(smaller), 92:] = smaller
        pixels[one][5] = wide
    return [picture for some in pixels for picture in some], np.repeat(NAMES, 6)


@pytest.fixture(scope="module")
def taught(photos):
    """A classifier of all of them."""
    return CelebrityClassifier().fit(*photos)


def assert_same(one: CelebrityClassifier, other: CelebrityClassifier, exactly: bool = False) -> None:
    """The same people, weights, temperature, threshold and scores; to the bit, or to the rounding of half precision."""
    state, known = (model.__getstate__() for model in (one.model_, other.model_))
    assert state.keys() == known.keys()
    for name, value in known.items():
        found, value = np.asarray(state[name]), np.asarray(value)
        assert (found.shape, found.dtype) == (value.shape, value.dtype), name
        if exactly or found.dtype.kind not in "fc":
            assert np.array_equal(found, value), name
        else:
            assert np.allclose(found, value.astype(float), rtol=2e-3, atol=2e-3 * np.abs(value.astype(float)).max()), (
                name
            )
    found, known = (c.model_.training_.finished(len(c.model_.coef_)).coef for c in (one, other))
    assert np.allclose(found, known, atol=1e-6 * np.abs(known).max())


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_portions_in_any_order_give_what_a_fit_of_all_gives(photos, data):
    pixels, names = photos
    order = np.array(data.draw(st.permutations(range(24))))
    cuts = sorted(data.draw(st.sets(st.integers(12, 23), max_size=3)))
    portions = np.split(order, cuts)
    if len(set(names[portions[0]])) < 2:
        return
    classifier = CelebrityClassifier()
    for portion in portions:
        classifier.partial_fit([pixels[i] for i in portion], names[portion])
    gone = data.draw(st.integers(0, 3))
    at_once = CelebrityClassifier().fit([pixels[i] for i in order], names[order])
    assert_same(classifier.settle(), at_once)
    left = [i for i in order if names[i] != NAMES[gone]]
    never = CelebrityClassifier().fit([pixels[i] for i in left], names[left])
    assert_same(classifier.forget([NAMES[gone]]), never)


def test_the_answer_changes_at_once_and_the_old_bundle_does_not(photos):
    pixels, names = photos
    classifier = CelebrityClassifier().fit(pixels[:18], names[:18])
    told = CelebrityClassifier.from_bundle(classifier.bundle_).with_story(
        card="Of three people", metrics={"photos": 18}
    )
    told.partial_fit(pixels[18:20], names[18:20])
    assert told.predict([pixels[20]]) == [NAMES[3]] and classifier.predict([pixels[20]]) != [NAMES[3]]
    assert (told.card, told.metrics_) == ("", {})  # they told of another model
    assert len(classifier.classes_) == 3
    before = told.bundle_
    assert told.partial_fit([np.zeros((80, 80, 3), np.uint8)], ["nobody is to be seen"]).bundle_ is before


def everything(folder: Path) -> dict[str, bytes]:
    """All that a folder holds, out of its zips and compressed files too."""
    found = {}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        name, data = str(path.relative_to(folder)), path.read_bytes()
        found[name] = name.encode() + data
        if path.suffix in (".skops", ".npz"):
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                found |= {f"{name}/{member}": file.read(member) for member in file.namelist()}
        elif path.suffix == ".joblib":
            found[f"{name}/"] = lzma.decompress(data)
    return found


def traces(classifier: CelebrityClassifier, name: str) -> list[bytes]:
    """What might tell of a person: their name as text and as NumPy keeps it, their photographs, faces and numbers."""
    training, learnt = classifier.model_.training_, classifier.bundle_.learnt
    own = np.flatnonzero(training.names == name)
    faces = np.flatnonzero(np.isin(training.table.photo, own))
    texts = [name, *learnt.digests[own]]
    found = [text.encode(kind) for text in texts for kind in ("utf-8", "utf-16-le", "utf-32-le")]
    found += [grey.tobytes() for grey in learnt.greys[np.isin(learnt.owner, own)]]
    numbers = [*training.table.even, training.table.met]  # of which those of colour are the same for all grey faces
    numbers = [array for array in numbers if np.ptp(array, axis=0).max() > 0.01]
    found += [array[i, 3:11].astype(kind).tobytes() for array in numbers for i in faces for kind in ("f2", "f4", "f8")]
    return [trace for trace in found if any(trace)]


def told_of(taught: CelebrityClassifier) -> CelebrityClassifier:
    """With all that a bundle may say of people."""
    pictures = {f"portraits/{name}.jpg": b"portrait of " + name.encode() for name in NAMES}
    pictures |= {f"examples/{k:02d}-{name}.jpg": b"photograph" for k, name in enumerate(NAMES, 4)}
    pictures |= {"all of them.jpg": b"a group, and who knows who is in it"}
    card, labels = "A model of " + "; ".join(NAMES), {name: f"{name} herself or himself" for name in NAMES}
    return taught.with_story(card=card, metrics={"people": dict.fromkeys(NAMES, 6)}, pictures=pictures, labels=labels)


@pytest.mark.parametrize("teachable", [True, False])
def test_whoever_is_forgotten_leaves_no_trace_in_the_bundle(taught, photos, tmp_path, teachable):
    pixels, names = photos
    gone, classifier = NAMES[2], told_of(taught)  # who has the longest name, and a photograph with somebody else
    before = everything(classifier.save(tmp_path / "before", teachable=True))
    known = traces(classifier, gone)
    assert all(any(trace in data for data in before.values()) for trace in known[:3:2])  # the test sees what is there
    if teachable:  # opened from the folder, and saved over it
        classifier = CelebrityClassifier.load(tmp_path / "before", teachable=True)
    classifier.forget([gone])
    after = everything(classifier.save(tmp_path / ("before" if teachable else "after"), teachable=teachable))
    assert ("training.npz" in after) == teachable
    assert not [(name, trace) for trace in known for name, data in after.items() if trace in data]
    kept = {name for name in after if name.startswith("pictures/")}
    left = [name for name in NAMES if name != gone]
    expected = {f"pictures/portraits/{name}.jpg" for name in left}
    assert kept == expected | {
        f"pictures/examples/{k:02d}-{name}.jpg" for k, name in enumerate(NAMES, 4) if name != gone
    }
    assert json.loads(after["names.json"].removeprefix(b"names.json")) == {
        n: f"{n} herself or himself" for n in sorted(left)
    }
    stays = names != gone
    never = CelebrityClassifier().fit([p for p, s in zip(pixels, stays, strict=True) if s], names[stays])
    assert_same(classifier, never, exactly=True)
    if teachable:
        arrays = [c.model_.training_arrays() | c.bundle_.learnt.arrays() for c in (classifier, never)]
        assert arrays[0].keys() == arrays[1].keys()
        for name, value in arrays[1].items():
            assert arrays[0][name].dtype == value.dtype and np.array_equal(arrays[0][name], value), name


def test_a_photograph_is_forgotten_by_its_content(taught, photos):
    pixels, names = photos
    classifier = told_of(taught)
    classifier.forget(photos=[pixels[1].copy(), pixels[7]])
    left = np.setdiff1d(np.arange(24), [1, 7])
    assert_same(classifier, CelebrityClassifier().fit([pixels[i] for i in left], names[left]), exactly=True)
    assert set(classifier.pictures) == {f"portraits/{n}.jpg" for n in NAMES[2:]} | {
        f"examples/{k:02d}-{n}.jpg" for k, n in enumerate(NAMES[2:], 6)
    }
    assert len(classifier.display_names) == 4


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        ({"names": ["Nobody"]}, "nobody called 'Nobody' was learnt; the people are Ada"),
        ({"photos": [np.zeros((50, 50, 3), np.uint8)]}, "a photograph: not among the photographs that were learnt"),
        ({"photos": ["nowhere.jpg"]}, "nowhere.jpg: not among"),
        ({"names": NAMES[:3]}, "two people must remain"),
    ],
)
def test_what_cannot_be_forgotten_is_said_and_changes_nothing(taught, gone, why):
    before = taught.bundle_
    with pytest.raises(DataError, match=why):
        taught.forget(**gone)
    assert taught.bundle_ is before


def test_groups_that_were_given_are_asked_for_again(photos):
    pixels, names = photos
    pairs = np.arange(24) // 2
    classifier = CelebrityClassifier().fit(pixels[:20], names[:20], pairs[:20])
    classifier.partial_fit(pixels[20:22], names[20:22], pairs[20:22]).partial_fit(pixels[22:], names[22:])
    apart = np.concatenate([pairs[:22], [11, 12]])  # each of the last two is a picture of its own
    assert_same(classifier.settle(), CelebrityClassifier().fit(pixels, names, apart))


def test_an_opened_bundle_is_taught_further_or_says_why_not(taught, photos, tmp_path):
    pixels, names = photos
    first = CelebrityClassifier().fit(pixels[:20], names[:20])
    opened = CelebrityClassifier.load(first.save(tmp_path / "with", teachable=True), teachable=True)
    assert opened.teachable and (tmp_path / "with" / "training.npz").stat().st_size < 20 * 120_000 + 1_000_000
    assert_same(opened.partial_fit(pixels[20:], names[20:]).settle(), taught, exactly=False)
    plain = CelebrityClassifier.load(tmp_path / "with")
    assert not plain.teachable
    for change in (lambda: plain.forget(NAMES[:1]), lambda: plain.partial_fit(pixels[:1], names[:1])):
        with pytest.raises(DataError, match="open the bundle with teachable=True, or fit it again"):
            change()
    with pytest.raises(BundleError, match="this model holds nothing of its photographs"):
        plain.save(tmp_path / "again", teachable=True)
    assert not (tmp_path / "again").exists()
    taught.save(tmp_path / "without")
    with pytest.raises(BundleError, match="save with teachable=True"):
        CelebrityClassifier.load(tmp_path / "without", teachable=True)


def test_a_model_that_learns_from_all_at_once_says_so(photos):
    pixels, names = photos
    classic = CelebrityClassifier(BASELINE).fit(pixels, names)
    assert not classic.teachable
    with pytest.raises(DataError, match="'classic' learns from all photographs at once; fit it again"):
        classic.partial_fit(pixels[12:13], names[12:13])


def test_training_that_does_not_fit_is_refused(taught, tmp_path):
    folder = taught.save(tmp_path / "bundle", teachable=True)
    with np.load(folder / "training.npz") as file:
        whole = dict(file)
    changes = {
        "names": whole["names"][:-1],
        "chosen": whole["chosen"] + 1,
        "photos digests": whole["photos digests"][:3],
        "0 columns": np.array([0, 7, 9]),
        "1 faces": whole["1 faces"][:, 0],
        "photos owner": whole["photos owner"] - 5,
        "met": np.array("nothing"),
    }
    for name, value in changes.items():
        np.savez(folder / "training.npz", **whole | {name: value})
        with pytest.raises(BundleError, match=r"training.npz is damaged .*copy the bundle again"):
            _learnt(folder, True, load_bundle_model(folder))
        left = {key: array for key, array in whole.items() if key != name}
        np.savez(folder / "training.npz", **left)
        with pytest.raises(BundleError, match=r"training.npz is damaged"):
            _learnt(folder, True, load_bundle_model(folder))
    with pytest.raises(BundleError, match=r"training.npz is not the file that was saved"):
        load_bundle(folder)
    (folder / "training.npz").write_bytes(b"PK")
    with pytest.raises(BundleError, match=r"training.npz is damaged"):
        _learnt(folder, True, load_bundle_model(folder))
    assert sha256_of(folder / "training.npz")


def load_bundle_model(folder: Path):
    """The model alone, as the bundle's files have it."""
    from celebml.bundle import _read_model

    return _read_model(folder / "model.skops", MODELS["discriminants"])


def test_a_photograph_is_known_by_what_it_holds(tmp_path):
    path = load_att().paths[0]
    (tmp_path / "other name.pgm").write_bytes(path.read_bytes())
    assert digest_of(path) == digest_of(str(tmp_path / "other name.pgm")) == digest_of(path.read_bytes()) != ""
    photo = read_photograph(path)
    with path.open("rb") as file:
        assert digest_of(io.BytesIO(path.read_bytes())) == digest_of(file) == digest_of(path)
    assert digest_of(Image.fromarray(photo.pixels)) == digest_of(photo)
    assert digest_of(photo) == digest_of(photo.pixels) != digest_of(photo.pixels[:, ::-1])
    assert digest_of(tmp_path / "none") == digest_of(None) == ""
    assert len(TrainingPhotos.of([], []).numbers()) == 0

"""Somebody is forgotten: in every kind of file, by a search of every byte, and nothing of anybody else's."""

import hashlib
import io
import json
import lzma
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml import forget
from celebml.audit import audit, audit_page
from celebml.claims import claim
from celebml.classifier import CelebrityClassifier
from celebml.clean import clean_folder
from celebml.cli import main
from celebml.collect import gather
from celebml.datasets import load_folder
from celebml.decisions import Decision, append_decision, read_decisions
from celebml.detection import detect_all, memory_size
from celebml.erasing import digests_of, in_files
from celebml.errors import DataError
from celebml.forget import forget_person
from celebml.landmarks import YuNetDetector
from celebml.manifest import read_manifest
from celebml.pipeline import work_memory
from celebml.sources import from_folder
from celebml.traces import Sought, find_traces, same_name, spellings, traces_in

NAME = "Zoë O'Hara"

pytestmark = pytest.mark.usefixtures("remembered")


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def unpacked(data: bytes) -> bytes:
    "All that is in a file, written out: this test's own way of opening packets."
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return b"".join(name.encode() + unpacked(file.read(name)) for name in file.namelist())
    return unpacked(lzma.decompress(data)) if data.startswith(b"\xfd7zXZ") else data


@pytest.fixture(scope="module")
def everything(people, classifier, tmp_path_factory) -> Path:
    "A folder with whatever celebml makes of photographs of three people; one of them is Zoë."
    root = tmp_path_factory.mktemp("everything")
    names = {name: NAME if name == people.names[0] else name for name in list(people.people)[:3]}
    few = [i for i, name in enumerate(people.names) if name in names and people.names[:i].count(name) < 3]
    for path, name in ((people.paths[i], people.names[i]) for i in few):
        (root / "downloads" / names[name]).mkdir(parents=True, exist_ok=True)
        (root / "downloads" / names[name] / path.name).write_bytes(path.read_bytes())
    found = from_folder(root / "downloads", list(names.values()))
    gather(found, root / "collected")
    photos = load_folder(root / "collected")
    clean_folder(photos, root / "faces", YuNetDetector())
    detections = detect_all(photos.paths, YuNetDetector(), 1, root / "memory")
    with claim(root / "audit", "audit") as place:
        value = audit(photos, detections, None, read_manifest(root / "collected"))
        place.write("audit.html", audit_page(value, photos, detections))
        place.write("audit.json", json.dumps(value))
    for person in (NAME, "s2"):
        path = next((root / "collected" / person).iterdir())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        append_decision(root / "collected" / "decisions.jsonl", Decision(digest, person, "keep", reviewer="Ada"))
    trained = CelebrityClassifier().fit(photos.paths, photos.names)
    portrait = io.BytesIO()
    Image.new("RGB", (8, 8)).save(portrait, "JPEG")
    pictures = {f"portraits/{name}.jpg": portrait.getvalue() for name in trained.classes_}
    story = {
        "pictures": pictures,
        "labels": {NAME: "Zoë"},
        "card": f"It knows {NAME}.",
        "metrics": {"people": photos.people},
    }
    with claim(root / "run", "run") as place:
        place.mark()
        trained.with_story(**story).save(root / "run" / "bundle")
        place.write("report.html", f"<p>{NAME}</p>")
    with claim(root / "page", "page", whole=True) as place:
        place.write("index.html", "<p>Who?</p>")
        place.write("labels.json", json.dumps([NAME, "s2"]))
    return root


@pytest.fixture
def place(everything, tmp_path) -> Path:
    "A copy of it, for one test."
    return Path(shutil.copytree(everything, tmp_path / "all"))


def test_nothing_of_somebody_is_left_in_any_byte_and_everybody_else_stays(place, tmp_path, monkeypatch):
    monkeypatch.setenv("CELEBML_CACHE", str(tmp_path / "cache"))
    memory = shutil.move(place / "memory", work_memory())
    before = contents(place)
    hers = [data for name, data in before.items() if name.startswith(("downloads/Zo", "collected/Zo"))]
    digests = [hashlib.sha256(data).hexdigest().encode() for data in hers]

    planned = forget_person(NAME, [place], memory, dry_run=True)
    assert contents(place) == before and memory_size(memory)[0] == 9

    receipt = tmp_path / "receipt.json"
    done = CliRunner().invoke(main, ["forget", NAME, str(place), "--yes", "--json", "--receipt", str(receipt)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["traces"] == [] and told["done"] == planned.counts
    written = receipt.read_bytes()  # it does not say whose it is
    assert json.loads(written)["left"] == 0
    assert not traces_in(written, Sought(NAME)) and str(place).encode() not in written

    for name, data in contents(place).items():
        opened = unpacked(data)
        for trace in ("Zoë", "O'Hara", "O&#x27;Hara", "Zo\\u00eb", "O&#39;Hara"):
            for encoding in ("utf-8", "utf-16-le", "utf-32-le"):
                assert trace.encode(encoding) not in opened, (name, trace)
            assert trace not in name
        assert not [one for one in digests if one in opened], name
        assert not [one for one in hers if one[64:] in opened], name
    assert memory_size(memory) == (0, 0)
    others = {name: data for name, data in before.items() if name.startswith("downloads/s") or "/s2/" in name}
    assert others.items() <= contents(place).items()
    assert CelebrityClassifier.load(place / "run" / "bundle").classes_.tolist() == ["s2", "s3"]
    assert [one.person for one in read_decisions(place / "collected" / "decisions.jsonl")] == ["s2"]
    assert {entry.person for entry in read_manifest(place / "collected")} == {"s2", "s3"}
    assert not (place / "page").exists() and not (place / "audit").exists()


def test_nobody_outside_the_folders_and_nothing_of_the_user_s_own_is_touched(place, tmp_path):
    outside = tmp_path / "outside" / NAME
    outside.mkdir(parents=True)
    (outside / "1.jpg").write_bytes(b"mine")
    (place / "downloads" / "link").symlink_to(outside, target_is_directory=True)
    (place / "downloads" / NAME / "letter.txt").write_text("Dear Zoë O'Hara", encoding="utf-8")
    receipt = forget_person(NAME, [place / "downloads"])
    assert (outside / "1.jpg").read_bytes() == b"mine" and (place / "collected" / NAME).is_dir()
    assert [path.name for path, _ in receipt.left] == ["letter.txt"]
    told = CliRunner().invoke(main, ["forget", NAME, str(place / "downloads"), "--keep-cache", "--yes"])
    assert told.exit_code == 1 and "letter.txt" in told.output


def test_a_model_that_cannot_be_without_them_is_refused_before_anything_goes(place):
    before = contents(place)
    shutil.rmtree(place / "downloads")
    shutil.rmtree(place / "collected")
    kept = contents(place)
    with pytest.raises(DataError, match="cannot forget Zoë O'Hara by itself; add the folder"):
        forget_person(NAME, [place])
    assert contents(place) == kept and len(kept) < len(before)
    assert forget_person(NAME, [place], erase_models=True).left == []
    assert not (place / "run" / "bundle").exists()


def test_stopped_anywhere_and_asked_again_it_ends_the_same(place, monkeypatch):
    shutil.copy(next((place / "downloads" / NAME).iterdir()), place / "downloads" / "s2" / "copy.pgm")
    plan = forget._plan
    many = len(plan([place], Sought(NAME, digests_of([place], NAME)), None, True))
    assert many >= 6
    for stop in range(many):
        monkeypatch.setattr(forget, "_plan", lambda *asked, stop=stop: plan(*asked)[: stop % 3 + 1])
        forget_person(NAME, [place], erase_models=True)
    monkeypatch.setattr(forget, "_plan", plan)
    assert forget_person(NAME, [place], erase_models=True).left == []
    assert not (place / "downloads" / "s2" / "copy.pgm").exists()


def test_copies_go_before_what_tells_whose_they_are(place):
    shutil.copy(next((place / "downloads" / NAME).iterdir()), place / "downloads" / "s2" / "copy.pgm")
    acts = list(in_files([place / "downloads"], Sought(NAME, digests_of([place / "downloads"], NAME)), ()))
    assert [path.parent.name == NAME for path in acts[0].paths] == [False, True, True, True]


def test_a_model_that_holds_what_it_learnt_from_forgets_by_itself(people, tmp_path):
    few = [i for i, name in enumerate(people.names) if people.names[:i].count(name) < 3]
    names = [NAME if people.names[i] == people.names[0] else people.names[i] for i in few]
    CelebrityClassifier().fit([people.paths[i] for i in few], names).save(tmp_path / "bundle", teachable=True)
    receipt = forget_person(NAME, [tmp_path])  # no photographs are at hand
    assert receipt.left == [] and set(receipt.counts) == {"learnt again: models"}
    again = CelebrityClassifier.load(tmp_path / "bundle", teachable=True)
    assert again.classes_.tolist() == sorted({name for name in names if name != NAME})


def test_corrections_of_a_site_lose_their_rows_and_their_faces(tmp_path):
    feedback = pytest.importorskip("celebml_app.site.feedback")
    kept = feedback.Feedback(tmp_path / "kept", 10_000_000)
    random = np.random.default_rng(0)
    faces = [Image.fromarray(random.integers(0, 255, (60, 60, 3), np.uint8)) for _ in range(3)]
    for face, said, right in zip(faces, ("s2", NAME, "s3"), (NAME, "s2", "s2"), strict=True):
        kept.add(face, said, right, "model")
    receipt = forget_person(NAME, [tmp_path / "kept"])
    assert receipt.left == [] and len(list((tmp_path / "kept").rglob("*.jpg"))) == 2
    assert kept.forget_old() == 0  # the database opens, and has two rows that are young


def test_what_a_dashboard_keeps_goes_with_its_bin_and_its_history(place, people, tmp_path):
    store = pytest.importorskip("celebml_app.dashboard.kept.store")
    kept = store.Store(tmp_path / "dashboard")
    for i, person in enumerate((NAME, NAME, "Bob")):
        kept.add(person, f"{i}.pgm", people.paths[i].read_bytes())
    kept.remove(kept.places_of(NAME)[:1])
    assert kept.in_bin() == 1
    assert forget_person(NAME, [tmp_path / "dashboard"]).left == []
    again = store.Store(tmp_path / "dashboard")
    assert again.photos().people == {"Bob": 1} and again.in_bin() == 0


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ([], "name the folders"),
        (["nowhere"], "is no folder"),
        (["~"], "home folder"),
        (["/"], "home folder"),
        (["."], "go out of it"),
    ],
)
def test_folders_that_were_hardly_meant_are_refused(folders, said):
    with pytest.raises(DataError, match=said):
        forget_person("Ada", [Path(folder).expanduser() for folder in folders])


def test_a_name_without_a_letter_is_refused(tmp_path):
    with pytest.raises(DataError, match="a name"):
        forget_person(" - ", [tmp_path])


letters = st.text(st.characters(categories=["L", "N"]), min_size=2, max_size=8)


@settings(deadline=None)
@given(letters, st.sampled_from(["{}", "a {} b", '{{"person": "{}"}}', "/people/{}/1.jpg", "{},1"]))
def test_a_name_is_found_in_each_of_its_spellings(name, around):
    sought = Sought(name)
    for spelt in spellings(name):
        assert traces_in(around.format(spelt).encode(), sought) == ["name"]
    assert same_name(name.replace("_", " "), f" {name} ")


@settings(deadline=None)
@given(letters)
def test_a_longer_name_is_somebody_else_s(name):
    assert traces_in(f"x{name}x".encode(), Sought(name)) in ([], ["name"] if not name.isascii() else [])
    array = np.array([f"{name}a", "Bob"]).tobytes()
    assert traces_in(array, Sought(name, others=frozenset({f"{name}a"}))) == []


def test_a_packet_that_cannot_be_opened_is_said(tmp_path):
    packet = io.BytesIO()
    with zipfile.ZipFile(packet, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", "Ada" * 100)
    data = bytearray(packet.getvalue())
    data[40:60] = bytes(20)
    (tmp_path / "damaged.zip").write_bytes(data)
    ((path, what),) = find_traces([tmp_path], Sought("Ada"))
    assert path.name == "damaged.zip" and "cannot be looked into" in what[0]

"""Folders of any kind give every good photograph; fetched data is whole or absent."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml import datasets
from celebml.datasets import DataError, PhotoSet, fetch_johns, load_folder, load_photographs, usable


def put(path, kind="PNG"):
    """A small picture at a path, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (40, 40)).save(path, kind)


def test_names_of_any_kind_are_found(tmp_path):
    for name in ("with space.jpg", "портрет.png", "x.jfif", "no-ending", "UPPER.JPEG", "a.jpg.0.jpg", "emoji😀.webp"):
        put(tmp_path / "Çağla Ö" / name)
    assert len(load_folder(tmp_path)) == 7


@settings(max_examples=20, deadline=None)
@given(
    names=st.sets(
        st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=20)
    )
)
def test_any_file_name_that_the_system_takes_is_found(tmp_path_factory, names):
    root, made = tmp_path_factory.mktemp("names"), 0
    put(root / "first" / "sure.png")
    for name in names:
        if not name.startswith(".") and name.lower() not in ("thumbs.db", "desktop.ini") and len(name.encode()) < 200:
            put(root / "ada" / (name + ".png"))
            made += 1
    assert load_folder(root).people.get("ada", 0) == made


def test_what_is_no_photograph_is_passed_over_and_what_claims_to_be_is_kept(tmp_path):
    put(tmp_path / "ada" / "good.png")
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "letter.jpg"):
        (tmp_path / "ada" / name).write_text("text")
    assert [path.name for path in load_folder(tmp_path).paths] == ["good.png", "letter.jpg"]


def test_names_that_differ_in_case_are_one_person_and_the_user_is_told(tmp_path):
    put(tmp_path / "Ada" / "1.png")
    put(tmp_path / "ada" / "2.png")
    photos = load_folder(tmp_path)
    assert photos.people == {"Ada": 2}
    assert "differ only in case" in photos.notes[0]


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.mkdir(), lambda path: (path / "ada").mkdir(parents=True)]
)
def test_missing_and_empty_folders_are_one_sentence(tmp_path, make):
    make(tmp_path / "photos")
    with pytest.raises(DataError, match=r"cannot be opened|no photographs"):
        load_folder(tmp_path / "photos")


def test_an_unreadable_person_is_left_out_and_the_others_stay(tmp_path, monkeypatch):
    put(tmp_path / "ada" / "1.png")
    put(tmp_path / "alan" / "1.png")
    plain = type(tmp_path).iterdir

    def refuse(path):
        if path.name == "alan":  # the tests may run as a user whom no rights stop
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    photos = load_folder(tmp_path)
    assert photos.people == {"ada": 1}
    assert photos.notes == ("alan: folder cannot be opened (Permission denied), left out",)


def test_people_with_too_few_photographs_are_left_out_with_a_note(tmp_path):
    for file in ("ada/1.png", "ada/2.png", "alan/1.png", "alan/2.png", "grace/1.png"):
        put(tmp_path / file)
    kept = usable(load_folder(tmp_path))
    assert kept.people == {"ada": 2, "alan": 2}
    assert kept.notes == ("grace: fewer than 2 photographs, left out",)


def test_one_person_is_not_enough(tmp_path):
    put(tmp_path / "ada" / "1.png")
    put(tmp_path / "ada" / "2.png")
    with pytest.raises(DataError, match="two people"):
        usable(load_folder(tmp_path))


def test_the_att_faces_come_with_the_install():
    att = load_photographs("att")
    assert len(att) == 400
    assert set(att.people.values()) == {10}


def johns_archive(count: int = 55) -> bytes:
    """An archive laid out like dlib's, with made-up pictures and one file that must not be extracted."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for number in range(count):
            picture = io.BytesIO()
            Image.new("L", (40, 40), number).save(picture, "JPEG")
            name = f"dlib-19.5.0/docs/docs/cache/examples/johns/John_{number % 5}/{number}.jpg"
            member = tarfile.TarInfo(name)
            member.size = picture.tell()
            tar.addfile(member, io.BytesIO(picture.getvalue()))
        outside = tarfile.TarInfo("dlib-19.5.0/../../evil.jpg")
        tar.addfile(outside, io.BytesIO())
    return file.getvalue()


def give(monkeypatch, data: bytes) -> list:
    """Replace pip by something that hands over `data`; returns the list of its calls."""
    calls = []

    def download(requirement, sha256, folder):
        calls.append(requirement)
        (folder / "dlib-19.5.0.tar.gz").write_bytes(data)
        return folder / "dlib-19.5.0.tar.gz"

    monkeypatch.setattr(datasets, "_download", download)
    return calls


def test_the_johns_are_fetched_once_and_nothing_else_is_extracted(monkeypatch):
    calls = give(monkeypatch, johns_archive())
    folder = fetch_johns()
    assert fetch_johns() == folder
    assert len(calls) == 1
    assert len(list(folder.rglob("*.jpg"))) == 55
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("data", [b"", johns_archive()[: len(johns_archive()) // 2], johns_archive(54)])
def test_an_incomplete_archive_leaves_nothing_that_looks_whole(monkeypatch, data):
    give(monkeypatch, data)
    with pytest.raises(DataError):
        fetch_johns()
    assert not list(datasets.cache_folder().iterdir())


def test_an_interrupted_download_leaves_nothing_that_looks_whole(monkeypatch):
    def stopped(requirement, sha256, folder):
        (folder / "dlib-19.5.0.tar.gz").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "_download", stopped)
    with pytest.raises(KeyboardInterrupt):
        fetch_johns()
    assert not list(datasets.cache_folder().iterdir())


def test_other_bytes_than_expected_are_refused(monkeypatch, tmp_path):
    class Done:
        returncode, stderr = 0, ""

    def pip(command, **options):
        (tmp_path / "dlib-19.5.0.tar.gz").write_bytes(b"something else")
        return Done

    monkeypatch.setattr(datasets.subprocess, "run", pip)
    with pytest.raises(DataError, match=hashlib.sha256(b"something else").hexdigest()):
        datasets._download("dlib==19.5.0", datasets.JOHNS_SHA256, tmp_path)


def test_without_the_johns_the_att_faces_take_their_place_with_one_line(monkeypatch):
    def missing(*words):
        raise DataError("dlib==19.5.0 could not be downloaded (no network)")

    monkeypatch.setattr(datasets, "_download", missing)
    photos = load_photographs("johns")
    assert photos.source == "att"
    assert photos.notes[0] == "dlib==19.5.0 could not be downloaded (no network): using the AT&T faces instead"


def test_people_counts_photographs():
    assert PhotoSet((None,) * 3, ("b", "a", "b")).people == {"a": 1, "b": 2}

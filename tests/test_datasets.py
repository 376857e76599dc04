"""Folders of any kind give every good photograph; fetched data is whole or absent."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml import datasets
from celebml.datasets import PhotoSet, fetch_johns, load_folder, load_photographs, usable
from celebml.errors import DataError


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
    plain = os.scandir

    def refuse(path):
        if Path(path).name in ("alan", "closed"):  # the tests may run as a user whom no rights stop
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path)

    put(tmp_path / "ada" / "closed" / "2.png")
    monkeypatch.setattr(os, "scandir", refuse)
    photos = load_folder(tmp_path)
    assert photos.people == {"ada": 1}
    said = "folder cannot be opened (Permission denied), left out"
    assert photos.notes == (f"ada/closed: {said}", f"alan: {said}")


def test_what_is_passed_over_is_said_and_counted(tmp_path):
    put(tmp_path / "ada" / "1.png")
    put(tmp_path / "lost.png")
    put(tmp_path / "found.jpeg")
    os.mkfifo(tmp_path / "ada" / "pipe.jpg")
    for name in ("phone.HEIC", "raw.cr2", "drawing.eps", "layers.psd"):
        (tmp_path / "ada" / name).write_bytes(b"what it is")
    photos = load_folder(tmp_path)
    assert [path.name for path in photos.paths] == ["1.png", "drawing.eps", "layers.psd", "phone.HEIC", "raw.cr2"]
    assert photos.notes == (
        "2 photographs lie beside the people's folders (found.jpeg), left out; put them in one",
        "ada: 1 that are no files, such as pipe.jpg, left out",
    )


def test_folders_that_no_path_can_reach_are_left_out(tmp_path):
    put(tmp_path / "ada" / "1.png")
    (tmp_path / "deep").mkdir()
    here = os.open(tmp_path / "deep", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("long-name", dir_fd=here)
        here, above = os.open("long-name", os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    photos = load_folder(tmp_path)
    assert photos.people == {"ada": 1}
    assert any("File name too long" in note for note in photos.notes)
    subprocess.run(["rm", "-r", str(tmp_path / "deep")], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="names that are not UTF-8 exist on Linux only")
def test_a_name_that_is_not_utf8_is_spelt_so_that_everything_can_show_it(tmp_path):
    put(tmp_path / os.fsdecode(b"Zo\xeb") / os.fsdecode(b"caf\xe9.png"))
    photos = load_folder(tmp_path)
    assert photos.people == {"Zo\\udceb": 1}
    assert "is not UTF-8" in photos.notes[0]


def test_a_folder_without_a_name_is_refused(monkeypatch, tmp_path):
    put(tmp_path / "ada" / "1.png")
    monkeypatch.chdir(tmp_path)
    for folder in ("", "a\0b", "\ud800"):
        with pytest.raises(DataError, match=r"no name|cannot be opened"):
            load_folder(folder)


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


def johns(count: int = 55) -> dict[str, bytes]:
    """Made-up pictures of the five, under the names that they have once they are fetched."""
    found = {}
    for number in range(count):
        picture = io.BytesIO()
        Image.new("L", (40, 40), number).save(picture, "JPEG")
        found[f"John {number % 5}/{number}.jpg"] = picture.getvalue()
    return found


def johns_archive(count: int = 55) -> bytes:
    """An archive laid out like dlib's, with one file that must not be extracted."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, data in johns(count).items():
            member = tarfile.TarInfo(f"dlib-19.5.0/docs/docs/cache/examples/johns/{name.replace(' ', '_')}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        outside = tarfile.TarInfo("dlib-19.5.0/../../evil.jpg")
        tar.addfile(outside, io.BytesIO())
    return file.getvalue()


def give(monkeypatch, data: bytes, pip=lambda: subprocess.CompletedProcess((), 0, stderr="")) -> list:
    """Let pip hand over `data`, and end as told; returns the list of its calls."""
    calls = []

    def run(command, **_):
        calls.append(command)
        (Path(command[command.index("--dest") + 1]) / "dlib-19.5.0.tar.gz").write_bytes(data)
        return pip()

    digests = [f"{name} {hashlib.sha256(picture).hexdigest()}" for name, picture in sorted(johns().items())]
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(datasets, "JOHNS_SHA256", hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(datasets, "JOHNS_PHOTOS_SHA256", hashlib.sha256("\n".join(digests).encode()).hexdigest())
    return calls


def test_the_johns_are_fetched_once_and_nothing_else_is_extracted(monkeypatch):
    calls = give(monkeypatch, johns_archive())
    folder = fetch_johns()
    assert fetch_johns() == folder
    assert len(calls) == 1
    assert len(list(folder.rglob("*.jpg"))) == 55
    assert list(folder.parent.iterdir()) == [folder]


def test_a_fetched_set_that_was_changed_is_not_used(monkeypatch):
    calls = give(monkeypatch, johns_archive())
    photo = next(fetch_johns().rglob("*.jpg"))
    whole = photo.read_bytes()
    photo.write_bytes(whole[:-1])
    with pytest.raises(DataError, match="was changed on the disk; delete it"):
        fetch_johns()
    photo.write_bytes(whole)
    fetch_johns()
    assert len(calls) == 1


def test_two_first_fetches_leave_one_whole_set(monkeypatch):
    def nothing_yet():
        assert all(not path.is_file() for path in datasets.cache_folder().glob("johns-*/*"))
        return subprocess.CompletedProcess((), 0, stderr="")

    calls, both = give(monkeypatch, johns_archive(), nothing_yet), threading.Barrier(2)
    found = []
    fetch = lambda: (both.wait(), found.append(fetch_johns()))
    threads = [threading.Thread(target=fetch) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found[0] == found[1]
    assert len(calls) == 1
    assert len(list(found[0].rglob("*.jpg"))) == 55


@pytest.mark.parametrize("data", [b"", johns_archive()[: len(johns_archive()) // 2], johns_archive(54)])
def test_an_incomplete_archive_leaves_nothing_that_looks_whole(monkeypatch, data):
    give(monkeypatch, data)
    with pytest.raises(DataError):
        fetch_johns()
    assert not list(datasets.cache_folder().iterdir())


def test_an_interrupted_download_leaves_nothing_that_looks_whole(monkeypatch):
    def stopped():
        raise KeyboardInterrupt

    give(monkeypatch, b"half", stopped)
    with pytest.raises(KeyboardInterrupt):
        fetch_johns()
    assert not list(datasets.cache_folder().iterdir())


def test_other_bytes_than_expected_are_refused(monkeypatch):
    give(monkeypatch, b"something else")
    monkeypatch.setattr(datasets, "JOHNS_SHA256", "0" * 64)
    with pytest.raises(DataError, match=hashlib.sha256(b"something else").hexdigest()):
        fetch_johns()


def test_without_the_johns_the_att_faces_take_their_place_with_one_line(monkeypatch):
    give(monkeypatch, b"", lambda: subprocess.CompletedProcess((), 1, stderr="WARNING: retrying\nno network\n"))
    photos = load_photographs("johns")
    assert photos.source == "att"
    assert photos.notes[0] == "dlib==19.5.0 could not be downloaded (no network): using the AT&T faces instead"


def test_people_counts_photographs():
    assert PhotoSet((None,) * 3, ("b", "a", "b")).people == {"a": 1, "b": 2}

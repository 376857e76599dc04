"""Nothing of the user's is lost: where writing is refused, what is deleted, and what a kill leaves."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from celebml.claims import MARK, claim, write_new
from celebml.files import OutputError, write_whole
from celebml.whole_folders import whole_folder


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def bad_places(root: Path) -> dict[str, Path]:
    """The table of outputs that must be refused, made by hand; `photos` is the input."""
    photos = root / "set" / "photos"
    for person in ("ada", "bundle"):
        (photos / person).mkdir(parents=True)
        (photos / person / "1.jpg").write_bytes(person.encode())
    documents = root / "documents"
    documents.mkdir()
    (documents / "letter.txt").write_text("Dear Ada")
    (documents / ".unfinished-mine").write_text("my own")
    (root / "link").symlink_to(documents)
    (root / "empty").mkdir()
    (root / "link to empty").symlink_to(root / "empty")
    (root / "dangling").symlink_to(root / "nowhere")
    forged = root / "forged"
    forged.mkdir()
    (forged / "photographs.csv").write_text("person,file,crop\na,b,../documents/letter.txt\n")
    return {
        "the photographs": photos,
        "a person's folder": photos / "ada",
        "a person called bundle": photos / "bundle",
        "inside the photographs": photos / "faces",
        "its parent": root / "set",
        "documents": documents,
        "a file": documents / "letter.txt",
        "inside a file": documents / "letter.txt" / "out",
        "a link": root / "link",
        "a link to an empty folder": root / "link to empty",
        "a link to nowhere": root / "dangling",
        "an old table that names files outside": forged,
        "the working folder": Path(),
        "above it": Path(".."),
        "the root": Path("/"),
        "the home folder": Path.home(),
    }


PLACES = (
    "the photographs", "a person's folder", "a person called bundle", "inside the photographs", "its parent",
    "documents", "a file", "inside a file", "a link", "a link to an empty folder", "a link to nowhere",
    "an old table that names files outside", "the working folder", "above it", "the root", "the home folder",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["faces", "bundle"])
def test_a_bad_place_is_refused_and_left_as_it_was(place, kind, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    places = bad_places(tmp_path)
    assert set(places) == set(PLACES)
    before = contents(tmp_path)
    with pytest.raises(OutputError) as said:
        claim(places[place], kind, [tmp_path / "set" / "photos"])
    with pytest.raises(OutputError), whole_folder(places[place], kind, [tmp_path / "set" / "photos"]) as work:
        (work / "model").write_text("never")
    assert contents(tmp_path) == before
    assert "\n" not in str(said.value)
    assert any(word in str(said.value) for word in ("name a", "name the", "name another"))


def test_the_empty_name_is_refused():
    with pytest.raises(OutputError, match="no name"):
        claim("", "faces")


def test_only_what_was_written_and_is_unchanged_is_replaced_or_deleted(tmp_path):
    with claim(tmp_path / "out", "faces") as out:
        for name in ("a/1", "a/2", "b/1", "b/2"):
            out.write(name, name)
    (tmp_path / "out" / "a" / "1").write_text("changed")
    (tmp_path / "out" / "a" / "mine").write_text("mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "1").write_text("b/1")
    shutil.rmtree(tmp_path / "out" / "b")
    (tmp_path / "out" / "b").symlink_to(outside)  # the same bytes, by way of a link
    with claim(tmp_path / "out", "faces") as out:
        assert [out.remove(name) for name in ("a/1", "a/2", "a/mine", "b/1")] == [False, True, False, False]
        for name in ("a/1", "a/mine", "b/1", "../x", "/x", MARK, ""):
            with pytest.raises(OutputError):
                out.write(name, "new")
    assert contents(outside) == {"1": b"b/1"}
    assert (tmp_path / "out" / "a" / "1").read_text() == "changed"
    assert (tmp_path / "out" / "a" / "mine").read_text() == "mine"


def test_a_strangers_mark_reaches_nothing_outside(tmp_path):
    import hashlib

    (tmp_path / "treasure").write_text("gold")
    digest = hashlib.sha256(b"gold").hexdigest()
    out = tmp_path / "out"
    out.mkdir()
    (out / "way").symlink_to(tmp_path)
    names = ["../treasure", str(tmp_path / "treasure"), "way/treasure", "x/../../treasure"]
    (out / MARK).write_text(json.dumps({"celebml": 1, "kind": "faces", "files": dict.fromkeys(names, digest)}) + "\n")
    with claim(out, "faces") as faces:
        faces.clear()
    assert (tmp_path / "treasure").read_text() == "gold"


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"celebml": 2, "kind": "faces", "files": {}}', '{"celebml": 1}'])
def test_a_damaged_mark_is_one_sentence(tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARK).write_text(text)
    with pytest.raises(OutputError, match="damaged"):
        claim(tmp_path / "out", "faces")


KILLED = """
import os, sys
from celebml.claims import claim
from celebml.whole_folders import whole_folder
import celebml.whole_folders
left = int(sys.argv[2])
def counted(call):
    def counting(*a, **k):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return call(*a, **k)
    return counting
for name in ("open", "write", "close", "unlink", "rmdir", "rename", "replace", "mkdir", "ftruncate", "lstat"):
    setattr(os, name, counted(getattr(os, name)))
celebml.whole_folders.exchange = counted(celebml.whole_folders.exchange)
os.chdir(sys.argv[1])
with claim("out", "faces") as out:
    for name in ("a/1", "a/2", "b/1"):
        out.write(name, "new " + name)
    out.remove("old/1")
with whole_folder("model", "bundle") as work:
    for name in ("w1", "w2"):
        (work / name).write_text("new")
print("whole")
"""


def test_killed_before_any_step_and_run_again_it_ends_the_same(tmp_path):
    def prepared(folder):
        folder.mkdir()
        with claim(folder / "out", "faces") as out:
            out.write("a/1", "old")
            out.write("old/1", "old")
        with whole_folder(folder / "model", "bundle") as work:
            (work / "w0").write_text("old")
        return folder

    def run(folder, steps):
        return subprocess.run([sys.executable, "-c", KILLED, folder, str(steps)], capture_output=True, text=True).stdout

    whole, steps = prepared(tmp_path / "whole"), 0
    assert run(whole, 10**6) == "whole\n"
    wanted = contents(whole)
    assert set(wanted) == {f"out/{MARK}", "out/a/1", "out/a/2", "out/b/1", f"model/{MARK}", "model/w1", "model/w2"}
    while True:  # every fifth step here, and random ones of the commands in test_abuse.py
        stopped = prepared(tmp_path / str(steps))
        ended = run(stopped, steps)
        assert {"w0"} <= set(contents(stopped / "model")) or {"w1", "w2"} <= set(contents(stopped / "model"))
        assert run(stopped, 10**6) == "whole\n"
        assert contents(stopped) == wanted, steps
        assert {path.name for path in stopped.iterdir()} == {"out", "model"}, steps
        if ended:
            break
        steps += 5
    assert steps > 50


def test_two_at_once_are_refused_or_wait(tmp_path):
    with claim(tmp_path / "out", "faces") as out:
        out.write("a", "1")
        with pytest.raises(OutputError, match="another celebml"), claim(tmp_path / "out", "faces"):
            pass
        waiting = threading.Thread(target=lambda: claim(tmp_path / "out", "faces", wait=30).__enter__().write("b", "2"))
        waiting.start()
    waiting.join()
    assert {"a", "b"} <= set(contents(tmp_path / "out"))


def test_a_failure_leaves_no_folder_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), claim(tmp_path / "out", "faces"):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "model", "bundle"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_private_is_private_and_the_rest_follows_the_umask(tmp_path):
    before = os.umask(0o022)
    try:
        with claim(tmp_path / "own", "faces", private=True) as out:
            out.write("a/1", "x")
        assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "own").rglob("*") if p.is_file()} == {0o600}
        assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700
        os.umask(0o077)
        write_whole(tmp_path / "file", "x")
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_dry_run_touches_nothing(tmp_path):
    with claim(tmp_path / "out", "faces") as out:
        out.write("a/1", "1")
    before = contents(tmp_path)
    with claim(tmp_path / "out", "faces", dry_run=True) as out:
        out.write("a/2", "2")
        out.remove("a/1")
        assert out.planned == [("write", "a/2"), ("delete", "a/1")]
    with claim(tmp_path / "other" / "deep", "faces", dry_run=True) as out:
        out.write("a/2", "2")
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_rename_append_and_clear(tmp_path):
    with claim(tmp_path / "out", "dashboard") as out:
        out.write("ada/1.jpg", "a photograph")
        out.append("log", "one\n")
        out.append("log", "two\n")
        out.rename("ada/1.jpg", "grace/1.jpg")
        with pytest.raises(OutputError):
            out.rename("ada/1.jpg", "alan/1.jpg")
        assert contents(tmp_path / "out").keys() == {MARK, "log", "grace/1.jpg"}
    (tmp_path / "out" / "mine").write_text("mine")
    with claim(tmp_path / "out", "dashboard") as out:
        assert out.clear() == ["mine"]
    (tmp_path / "out" / "mine").unlink()
    with claim(tmp_path / "out", "dashboard") as out:
        assert out.clear() == []
    assert not (tmp_path / "out").exists()


def test_a_single_file_is_not_written_over(tmp_path):
    write_new(tmp_path / "sheet.csv", "one")
    write_new(tmp_path / "sheet.csv", "one")
    with pytest.raises(OutputError, match="name a new file"):
        write_new(tmp_path / "sheet.csv", "two")
    (tmp_path / "link").symlink_to(tmp_path / "sheet.csv")
    with pytest.raises(OutputError):
        write_new(tmp_path / "link", "one")


def test_a_bundle_of_version_0_1_is_replaced_only_where_its_manifest_vouches(classifier, tmp_path):
    bundle = classifier.save(tmp_path / "bundle")
    (bundle / MARK).unlink()  # as 0.1.0 wrote it
    classifier.save(bundle)
    assert (bundle / MARK).exists()
    (bundle / MARK).unlink()
    (bundle / "photo.jpg").write_text("a photograph")
    with pytest.raises(OutputError, match=r"photo\.jpg"):
        classifier.save(bundle)
    (bundle / "photo.jpg").unlink()
    (bundle / "MODEL_CARD.md").write_text("improved by hand")
    with pytest.raises(OutputError, match=r"MODEL_CARD\.md"):
        classifier.save(bundle)
    assert (bundle / "MODEL_CARD.md").read_text() == "improved by hand"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]

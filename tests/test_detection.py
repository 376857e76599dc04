"""The memory of found faces: never stale, never trusted blindly, nobody else's to read, and worth its while."""

from __future__ import annotations

import os
import pickle
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until

from celebml import detection as d
from celebml.detection import clear_memory, code_behind, detect, detect_all, detect_file, memory_size, revision_of
from celebml.faces import Box, Detection, Face, HaarDetector
from celebml.landmarks import YuNetDetector
from celebml.photographs import read_photograph


def same(one: Detection, other: Detection) -> bool:
    """Whether two detections are equal to the last bit."""
    return one.reason == other.reason and all(
        (a.box, a.score) == (b.box, b.score)
        and np.array_equal(a.crop, b.crop)
        and (a.landmarks is b.landmarks or np.array_equal(a.landmarks, b.landmarks))
        for a, b in zip(one.faces, other.faces, strict=True)
    )


@pytest.fixture
def looked(monkeypatch):
    """A list that grows with each photograph that is really looked at."""
    found = []
    real = d.detect
    monkeypatch.setattr(d, "detect", lambda *what: (found.append(1), real(*what))[1])
    return found


@pytest.mark.parametrize("detector", [YuNetDetector(), HaarDetector()])
def test_what_is_remembered_is_the_same_to_the_last_bit(detector, people, tmp_path, looked):
    first = [detect_file(path, detector, tmp_path / "m") for path in people.paths[:6]]
    again = [detect_file(path, detector, tmp_path / "m") for path in people.paths[:6]]
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert len(looked) == 6


@given(data=st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_an_answer_or_damaged(data):
    with pytest.raises(ValueError, match="digest"):
        d.detection_of(data)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_every_change_of_a_kept_answer_is_noticed(data):
    face = Face(Box(1, 2, 3, 4), np.arange(48, dtype=np.uint8).reshape(4, 4, 3), 0.7, np.arange(10.0).reshape(5, 2))
    whole = d.detection_bytes(Detection((face, face), ""))
    assert same(d.detection_of(whole), Detection((face, face)))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    cut = whole[:place]
    for damaged in (bytes(changed), cut):
        with pytest.raises(ValueError, match=r"."):
            d.detection_of(damaged)


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "a pickle", "a folder", "unreadable text"])
def test_a_damaged_answer_is_made_again_with_one_line(damage, people, tmp_path, caplog):
    memory, photo = tmp_path / "m", people.paths[0]
    first = detect_file(photo, YuNetDetector(), memory)
    entry = next(path for path in memory.rglob("*") if path.is_file())
    whole = entry.read_bytes()

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    if damage == "a folder":
        entry.unlink()
        entry.mkdir()
    else:
        flipped = whole[:-9] + bytes([whole[-9] ^ 4]) + whole[-8:]
        new = {"cut": whole[:500], "empty": b"", "flipped": flipped, "a pickle": pickle.dumps(Evil())}
        entry.write_bytes(new.get(damage, b"Dear Ada"))
    assert same(detect_file(photo, YuNetDetector(), memory), first)
    assert not (tmp_path / "evil").exists()
    assert 1 <= len(caplog.messages) <= 2
    assert "damaged" in caplog.messages[0]
    if damage != "a folder":
        assert entry.read_bytes() == whole


def test_another_revision_of_the_code_looks_again(people, tmp_path, looked):
    package = tmp_path / "code" / "celebml"
    shutil.copytree(Path(d.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    ask = "import celebml, sys; from celebml.detection import *; from celebml.landmarks import YuNetDetector as Y; "
    ask += "from celebml.faces import HaarDetector as H; print(revision_of(Y()), revision_of(H()))"

    def revisions():
        env = {**os.environ, "PYTHONPATH": str(package.parent)}
        return subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, env=env, cwd=tmp_path, check=True
        ).stdout.split()

    before = revisions()
    for file, yunet, haar in (
        ("landmarks", True, False),
        ("photographs", True, True),
        ("faces", True, True),
        ("review", False, False),
    ):
        path = package / f"{file}.py"
        path.write_text(path.read_text() + "\n# a change\n")
        now = revisions()
        assert [now[0] != before[0], now[1] != before[1]] == [yunet, haar], file
        before = now


def test_settings_weights_and_contents_are_told_apart(people, tmp_path, looked, monkeypatch):
    photo, memory = tmp_path / "photo.pgm", tmp_path / "m"
    photo.write_bytes(people.paths[0].read_bytes())
    for _ in range(2):
        detect_file(photo, YuNetDetector(), memory)
    assert len(looked) == 1
    detect_file(photo, YuNetDetector(threshold=0.6), memory)
    assert len(looked) == 2
    photo.write_bytes(people.paths[1].read_bytes())
    detect_file(photo, YuNetDetector(), memory)
    assert len(looked) == 3
    other = tmp_path / "weights"
    other.write_bytes(b"others")
    before = revision_of(YuNetDetector())
    monkeypatch.setattr(YuNetDetector, "weights", property(lambda self: [other]))
    revision_of.cache_clear()
    assert revision_of(YuNetDetector()) != before
    revision_of.cache_clear()


def test_a_detector_that_cannot_be_told_apart_is_not_remembered(people, tmp_path):
    class Whim:
        at_least = None

        def __call__(self, photo):
            return Detection(reason="no face")

    assert detect_file(people.paths[0], Whim(), tmp_path / "m").reason == "no face"
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_found_faces_are_private_under_any_umask(umask, people, tmp_path):
    (tmp_path / "m").mkdir(mode=0o755)
    before = os.umask(umask)
    try:
        detect_file(people.paths[0], YuNetDetector(), tmp_path / "m")
    finally:
        os.umask(before)
    made = [tmp_path / "m", *(tmp_path / "m").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}


def test_a_memory_that_cannot_be_written_stops_nothing(people, tmp_path, caplog):
    (tmp_path / "file").write_text("not a folder")
    assert detect_file(people.paths[0], YuNetDetector(), tmp_path / "file").faces
    assert "cannot be kept" in caplog.messages[0]
    assert len(caplog.messages) == 1


def test_two_at_once_on_one_memory_leave_whole_answers(people, tmp_path):
    ask = "import sys; from pathlib import Path; from celebml.detection import *; from celebml.landmarks import *; "
    ask += "detect_all([Path(p) for p in sys.argv[2:]], YuNetDetector(), memory=Path(sys.argv[1]))"
    command = [sys.executable, "-c", ask, str(tmp_path / "m"), *map(str, people.paths[:7])]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(one.communicate()[1], one.returncode) for one in both] == [("", 0)] * 2
    assert memory_size(tmp_path / "m")[0] == 7
    found = detect_all(people.paths[:7], YuNetDetector(), memory=tmp_path / "m")
    assert all(same(a, detect(path, YuNetDetector())) for a, path in zip(found, people.paths, strict=False))


def test_clearing_takes_nothing_but_answers(people, tmp_path):
    memory = tmp_path / "m"
    detect_all(people.paths[:3], YuNetDetector(), memory=memory)
    mine = [memory / "holiday.jpg", memory / "ab" / "note.txt", memory / "joblib" / "output.pkl"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    (memory / "ab" / ("0" * 64)).symlink_to(mine[0])
    count, size = memory_size(memory)
    assert count == 3
    assert size > 3 * 160 * 160 * 3
    assert clear_memory(memory) == 3
    assert all(path.read_text() == "mine" for path in mine)
    assert memory_size(memory) == (0, 0)


@dataclass(frozen=True)
class SlowDetector:
    """Says that it has begun, and takes its time."""

    place: str
    at_least: ClassVar[None] = None

    def __call__(self, photo):
        (Path(self.place) / str(os.getpid())).touch()
        time.sleep(60)
        return Detection(reason="no face")


def running(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked up in /proc, which Linux has")
@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_workers_die_with_their_master(how, people, tmp_path):
    import signal

    ask = "import sys; sys.path.insert(0, sys.argv[2]); from test_detection import *; "
    ask += "from celebml.datasets import load_att; detect_all(load_att().paths[:9], SlowDetector(sys.argv[1]), 2)"
    command = [sys.executable, "-c", ask, str(tmp_path), str(Path(__file__).parent)]
    master = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: master.poll() is not None or len(list(tmp_path.iterdir())) == 2)
    assert master.poll() is None, master.stdout.read().decode()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    master.send_signal(getattr(signal, how))
    master.wait()
    until(lambda: not any(map(running, workers)), 20)
    master.stdout.close()


def test_what_is_imported_by_now_changes_no_revision(monkeypatch):
    settled = code_behind([YuNetDetector.__module__, read_photograph.__module__])
    for name in ("pillow_heif", "onnxruntime"):  # imported when they are first needed
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert code_behind([YuNetDetector.__module__, read_photograph.__module__]) == settled
    assert settled["onnxruntime"]

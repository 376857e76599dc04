"""Behaviour of cleaning: a reason for every photograph, the best copy kept, and a killed run that ends the same."""

import csv
import random
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from PIL import Image

from celebml.clean import clean_folder, decide, detect, detect_all, kind_of
from celebml.datasets import PhotoSet, load_att, load_folder
from celebml.landmarks import YuNetDetector
from celebml.photographs import read_photograph
from celebml.quality import Limits, face_quality, judge

DETECTOR = YuNetDetector()


@pytest.fixture(scope="module")
def portrait():
    """A face of about 250 pixels."""
    pixels = read_photograph(load_att().paths[0]).pixels
    return cv2.resize(pixels, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def folder(tmp_path, portrait):
    """Two people with everything that can be wrong."""
    for person in ("s1", "s2"):
        (tmp_path / person).mkdir()
    save = lambda name, pixels: Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / name)
    save("s1/good.png", portrait)
    shutil.copy(tmp_path / "s1/good.png", tmp_path / "s1/again.png")
    save("s1/small mirror.png", cv2.resize(portrait[:, ::-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    save("s1/two.png", np.hstack([portrait, portrait]))
    save("s1/dark.png", cv2.convertScaleAbs(portrait, alpha=0.2))
    save("s2/bright.png", cv2.convertScaleAbs(portrait, alpha=0.3, beta=170))
    save("s2/sky.png", np.full((90, 120, 3), 200, np.uint8))
    save("s2/good.png", portrait)
    (tmp_path / "s2" / "letter.jpg").write_text("Dear admiral,")
    return tmp_path


WANTED = {
    "s1/again.png": "",
    "s1/dark.png": "too dark",
    "s1/good.png": "exact duplicate of again.png",
    "s1/small mirror.png": "near duplicate of again.png",
    "s1/two.png": "several faces",
    "s2/bright.png": "too bright",
    "s2/good.png": "",
    "s2/letter.jpg": "unreadable: not an image this program knows; save it as JPEG or PNG",
    "s2/sky.png": "no face",
}


def test_every_photograph_ends_with_its_reason(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    rows = clean_folder(load_folder(folder), out, DETECTOR)
    assert {f"{row['person']}/{row['file']}": row["reason"] for row in rows} == WANTED
    assert all(row["kept"] == (not row["reason"]) for row in rows)
    crops = {path.relative_to(out).as_posix() for path in out.glob("*/*.png")}
    assert crops == {row["crop"] for row in rows if row["kept"]}
    assert len({row["sha256"] for row in rows}) == len(rows) - 2
    with (out / "photographs.csv").open(encoding="utf-8") as file:
        assert [row["reason"] for row in csv.DictReader(file)] == [row["reason"] for row in rows]
    with Image.open(out / "photographs.png") as picture:
        assert picture.size[1] >= 100 * len({kind_of(reason) for reason in WANTED.values()})


def test_someone_else_is_left_out_with_a_name(folder):
    photos = load_folder(folder)
    good = folder / "s2" / "good.png"
    rows = decide(photos, detect_all(photos.paths, DETECTOR), strangers={good: "s1"})
    assert next(row for path, row in zip(photos.paths, rows, strict=True) if path == good)["reason"] == (
        "looks like someone else: s1"
    )


def test_the_biggest_of_near_duplicates_stays(tmp_path, portrait):
    (tmp_path / "s1").mkdir()
    small = cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    Image.fromarray(small).save(tmp_path / "s1" / "a.png")
    Image.fromarray(portrait).save(tmp_path / "s1" / "b.png")
    photos = load_folder(tmp_path)
    assert [row["reason"] for row in decide(photos, detect_all(photos.paths, DETECTOR))] == [
        "near duplicate of b.png",
        "",
    ]


def test_limits_can_be_moved(portrait):
    found = detect(np.ascontiguousarray(portrait), DETECTOR)
    assert judge(found) == ""
    side = face_quality(found.faces[0])["side"]
    assert judge(found, Limits(side=side + 1)) == "too small"
    assert judge(found, Limits(side=side)) == ""


@pytest.mark.parametrize("gain", [0.4, 0.6, 0.8])
def test_a_dark_face_is_not_a_dark_photograph(portrait, gain):
    shaded = cv2.convertScaleAbs(portrait, alpha=gain)
    assert judge(detect(shaded, DETECTOR)) not in ("too dark", "too bright")


@pytest.mark.parametrize("sigma", [12, 20])
def test_a_blurred_face_is_said(portrait, sigma):
    blurred = cv2.GaussianBlur(portrait, (0, 0), sigma)
    found = detect(blurred, DETECTOR)
    assert not found.faces or judge(found) == "blurred"


def test_what_an_earlier_run_kept_and_this_one_does_not_is_gone(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    clean_folder(load_folder(folder), out, DETECTOR)
    (out / "s1" / "mine.txt").write_text("not yours")
    (folder / "s1" / "again.png").unlink()
    rows = clean_folder(load_folder(folder), out, DETECTOR)
    assert {path.relative_to(out).as_posix() for path in out.glob("*/*.png")} == {r["crop"] for r in rows if r["kept"]}
    assert (out / "s1" / "mine.txt").exists()


def test_what_a_killed_run_left_does_not_stop_the_next(folder, tmp_path):
    (tmp_path / "s1" / ".unfinished-folder" / ".unfinished-inner").mkdir(parents=True)
    (tmp_path / "s1" / ".unfinished-folder" / ".unfinished-file").write_text("half")
    (tmp_path / ".unfinished-file").write_text("half")
    clean_folder(load_folder(folder), tmp_path, DETECTOR)
    assert not list(tmp_path.rglob(".unfinished-*"))


JOB = """
import sys
from pathlib import Path
from celebml.clean import clean_folder
from celebml.datasets import load_folder
from celebml.landmarks import YuNetDetector
source, out, memory = map(Path, sys.argv[1:])
clean_folder(load_folder(source), out, YuNetDetector(), memory=memory)
"""


def test_killed_at_any_moment_it_ends_the_same(tmp_path):
    att = load_att()
    for path, name in zip(att.paths[:40], att.names[:40], strict=True):
        (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "in" / name)
    clean_folder(load_folder(tmp_path / "in"), tmp_path / "whole", DETECTOR)
    chance, out = random.Random(3), tmp_path / "stopped"
    run = lambda: subprocess.Popen([sys.executable, "-c", JOB, tmp_path / "in", out, tmp_path / "memory"])
    # Each kill comes a little later than the last: while faces are found, written, and drawn.
    for share in (0.4, 1.1):
        process, done = (
            run(),
            lambda: len(list((tmp_path / "memory").rglob("output.pkl"))) + len(list(out.rglob("*.png"))),
        )
        enough = share * 40 * chance.uniform(0.8, 1.2)
        while process.poll() is None and done() < enough:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run().wait() == 0
    files = lambda folder: {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert files(out) == files(tmp_path / "whole")


def test_a_folder_of_nothing_but_letters_is_survived(tmp_path):
    (tmp_path / "in" / "s1").mkdir(parents=True)
    (tmp_path / "in" / "s1" / "a.jpg").write_text("letter")
    rows = clean_folder(
        PhotoSet((tmp_path / "in/s1/a.jpg", tmp_path / "gone.jpg"), ("s1", "s1")), tmp_path / "out", DETECTOR
    )
    assert [kind_of(row["reason"]) for row in rows] == ["unreadable", "unreadable"]


def test_what_only_folders_need_is_not_imported_for_one_face():
    code = "import sys, celebml.clean; print(sorted({'scipy', 'joblib', 'tqdm'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

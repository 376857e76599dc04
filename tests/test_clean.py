"""Behaviour of cleaning: a reason for every photograph, the best copy kept, and a killed run that ends the same."""

import csv
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from celebml.audit import duplicate_groups
from celebml.clean import clean_folder, decide, kind_of
from celebml.datasets import PhotoSet, load_att, load_folder
from celebml.detection import detect, detect_all
from celebml.faces import Detection
from celebml.files import OutputError
from celebml.landmarks import YuNetDetector
from celebml.photographs import read_photograph
from celebml.quality import Limits, face_quality, judge
from celebml.rows import from_csv_text

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


def test_the_table_holds_no_formula(tmp_path):
    for person in ("=1+1", "s2"):
        (tmp_path / "in" / person).mkdir(parents=True)
        (tmp_path / "in" / person / "@note.jpg").write_text("no photograph")
    clean_folder(load_folder(tmp_path / "in"), tmp_path / "out", DETECTOR)
    text = (tmp_path / "out" / "photographs.csv").read_text(encoding="utf-8")
    assert [(row["person"], row["file"]) for row in from_csv_text(text)] == [("=1+1", "@note.jpg"), ("s2", "@note.jpg")]
    assert text.count("'@note.jpg") == 2
    assert "'=1+1" in text


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


def test_what_looks_unfinished_and_is_the_users_stays(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    clean_folder(load_folder(folder), out, DETECTOR)
    (out / "s1" / ".unfinished-folder" / ".unfinished-inner").mkdir(parents=True)
    (out / "s1" / ".unfinished-folder" / ".unfinished-file").write_text("half")
    (out / ".unfinished-link").symlink_to(folder)
    before = sorted(out.rglob("*"))
    clean_folder(load_folder(folder), out, DETECTOR)
    assert sorted(out.rglob("*")) == before


def test_cleaning_into_the_photographs_or_into_an_old_table_is_refused(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("place")
    (place / "letter.txt").write_text("Dear Ada")
    (place / "old").mkdir()
    (place / "old" / "photographs.csv").write_text("person,file,crop\ns1,a,../letter.txt\n")
    files = lambda: {path: path.read_bytes() for root in (folder, place) for path in root.rglob("*") if path.is_file()}
    before = files()
    for out in (folder, folder / "s1", folder / "faces", folder.parent, place / "old", place / "letter.txt"):
        with pytest.raises(OutputError):
            clean_folder(load_folder(folder), out, DETECTOR)
    assert files() == before


def test_sixty_recompressed_and_cropped_copies_are_one(tmp_path, portrait, random):
    (tmp_path / "s1").mkdir()
    for number in range(60):
        height, width = portrait.shape[:2]
        left, top, right, bottom = (random.uniform(0, 0.06, 4) * (width, height, width, height)).astype(int)
        cut = Image.fromarray(portrait[top : height - bottom, left : width - right])
        cut.save(tmp_path / "s1" / f"{number}.jpg", quality=int(random.integers(50, 95)))
    photos = load_folder(tmp_path)
    reasons = Counter(kind_of(row["reason"]) for row in decide(photos, detect_all(photos.paths, DETECTOR)))
    assert reasons == {"kept": 1, "near duplicate": 59}


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


def test_a_photograph_that_goes_away_meanwhile_costs_itself(folder, tmp_path_factory):
    gone = {"good.png", "sky.png"}

    @dataclass(frozen=True)
    class Vanishing(YuNetDetector):
        def __call__(self, photo):
            if (path := Path(photo.name)).parent.name == "s2" and path.name in gone:
                path.unlink()
            return super().__call__(photo)

    rows = clean_folder(load_folder(folder), tmp_path_factory.mktemp("out"), Vanishing())
    found = {f"{row['person']}/{row['file']}": row["reason"] for row in rows}
    removed = "unreadable: removed while the others were looked at"
    assert found == WANTED | {"s2/good.png": removed}


def test_files_that_cannot_be_read_are_no_copies_of_each_other():
    names, paths = ("a", "a", "b"), tuple(Path("nowhere", str(number)) for number in range(3))
    nothing = [Detection(reason="unreadable: gone")] * 3
    assert [row["reason"] for row in decide(PhotoSet(paths, names), nothing)] == ["unreadable: gone"] * 3
    assert duplicate_groups(names, [""] * 3, nothing) == {"within": [], "across": []}

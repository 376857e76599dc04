"""What is kept, what is said, and how long work is watched; no screen is needed."""

import io
import threading
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.dashboard.jobs import Job, sentence, time_left
from app.dashboard.store import LONGEST, Store, people_of, person_name
from app.dashboard.teach import unzip
from app.dashboard.teaching import advice, score_sentence, train
from celebml.datasets import DataError
from celebml.evaluate import Scores
from celebml.photographs import PhotographError, read_photograph


def jpeg(width=300, height=200, colour=(200, 180, 160)):
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


@given(st.text(max_size=120))
def test_any_name_becomes_one_folder_or_a_sentence(text):
    try:
        name = person_name(text)
    except DataError as error:
        assert "name" in str(error)
    else:
        assert name and "/" not in name and "\\" not in name and not name.startswith(".") and len(name) <= 80


@pytest.mark.parametrize(
    ("paths", "typed", "people"),
    [
        (["1.jpg", "2.jpg"], "Ada", ["Ada", "Ada"]),
        (["holiday/1.jpg", "holiday/2.jpg"], "Ada", ["Ada", "Ada"]),
        (["holiday/1.jpg", "holiday/2.jpg"], "", ["holiday", "holiday"]),
        (["set/Ada/1.jpg", "set/Alan/1.jpg"], "ignored", ["Ada", "Alan"]),
    ],
)
def test_folders_name_people_where_they_tell_them_apart(paths, typed, people):
    assert people_of(paths, typed) == people


def test_files_without_folder_and_name_are_refused_in_words():
    with pytest.raises(DataError, match="type a name first"):
        people_of(["1.jpg"], "  ")


def test_photographs_are_kept_small_once_and_under_one_spelling(tmp_path):
    store = Store(tmp_path / "kept")
    first = store.add("Ada", "photo of me.jpg", jpeg(4000, 3000))
    again = store.add("ADA", "photo of me.jpg", jpeg(4000, 3000))
    assert first == again and store.photos().people == {"Ada": 1}
    assert max(read_photograph(first).size) == LONGEST
    store.remove(first)
    assert not len(store.photos()) and not first.parent.exists()


@pytest.mark.parametrize("data", [b"", b"no photograph", jpeg()[:200]])
def test_what_is_no_photograph_is_refused_and_not_kept(tmp_path, data):
    store = Store(tmp_path)
    with pytest.raises(PhotographError, match=r"x\.jpg"):
        store.add("Ada", "x.jpg", data)
    assert not len(store.photos())


def test_nothing_outside_the_folder_can_be_removed(tmp_path):
    file = tmp_path / "own.jpg"
    file.write_bytes(b"mine")
    with pytest.raises(DataError):
        Store(tmp_path / "kept").remove(file)
    assert file.exists()


def test_a_zip_gives_its_files_without_hidden_ones():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("Ada/1.jpg", "Ada/.DS_Store", "__MACOSX/Ada/1.jpg", "Alan/"):
            archive.writestr(name, b"x")
    assert list(unzip(out.getvalue())) == [("Ada/1.jpg", b"x")]
    with pytest.raises(DataError, match="damaged"):
        list(unzip(b"PK\x03\x04 and nothing more"))


def test_a_zip_that_unpacks_to_far_more_is_refused_before_it_is_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Ada/1.bmp", bytes(70_000_000))
    with pytest.raises(DataError, match="in parts"):
        list(unzip(out.getvalue()))


def test_advice_names_what_is_wrong_and_is_silent_otherwise():
    good = advice(["Ada"] * 20 + ["Alan"] * 18, np.arange(38), [True] * 38)
    assert good == []
    groups = np.r_[np.zeros(9, int), 9 + np.arange(29)]
    alike = advice(["Ada"] * 10 + ["Alan"] * 28, groups, [True] * 38)
    assert [text.split(":")[0] for text in alike] == ["Too few", "Too alike", "Unbalanced"]
    hidden = advice(["Ada"] * 20 + ["Alan"] * 20, np.arange(40), [True] * 28 + [False] * 12)
    assert any("12 of 40" in text for text in hidden)


def test_the_score_says_how_sure_it_can_be():
    truth = np.array(["Ada", "Alan"] * 10)
    few = score_sentence(Scores("best", truth, np.tile(truth, (3, 1)), np.zeros((3, 20), int)))
    assert "20 correctly" in few and "between 84 % and 100 %" in few
    many = score_sentence(Scores("best", np.tile(truth, 20), np.tile(truth, (1, 20)), np.zeros((1, 400), int)))
    assert "between 99 % and 100 %" in many
    none = score_sentence(Scores("best", truth[:10], np.tile(truth[1:11], (3, 1)), np.zeros((3, 10), int)))
    assert "named 0 correctly" in none and "between 0 % and 28 %" in none


def test_one_person_cannot_be_told_apart(tmp_path, att):
    store = Store(tmp_path)
    for k in range(3):
        store.add("Ada", f"{k}.pgm", att(0, k).read_bytes())
    with pytest.raises(DataError, match="two people"):
        train(store)


def test_work_can_be_watched_stopped_and_begun_again():
    job, begun, done = Job(), threading.Event(), []

    def endless(watched):
        while True:
            watched.step("counting", 0)
            begun.set()

    assert job.start(endless, done.append)
    assert begun.wait(5) and job.bar.layout.display == ""
    assert not job.start(endless, done.append), "two things at once"
    job.cancel.click()
    job.join(5)
    assert not job.running and "Stopped" in job.said.value and done == []
    assert job.start(lambda watched: 3, done.append)
    job.join(5)
    assert done == [3] and job.cancel.layout.display == "none"


def test_whatever_goes_wrong_ends_in_a_sentence(caplog):
    job, over = Job(), []
    job.start(lambda watched: 1 / 0, print, after=lambda: over.append(True))
    job.join(5)
    assert "division by zero" in job.said.value and "Traceback" not in job.said.value and over == [True]
    assert "unforeseen" in caplog.text
    assert sentence(DataError("no photographs")) == "No photographs."


def test_time_left_is_in_words():
    assert time_left(1, 10, 0.1) == ""
    assert time_left(5, 10, 30) == "about 30 s left"
    assert time_left(1, 10, 60) == "about 9 min left"
    assert time_left(99, 100, 10) == "a moment left"

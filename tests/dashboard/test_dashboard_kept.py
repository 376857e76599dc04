"""What is kept, what is done to it, and the way back; no screen is needed."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml.errors import DataError, PhotographError
from celebml.photographs import read_photograph
from celebml_app.dashboard.kept.gallery import Gallery
from celebml_app.dashboard.kept.locks import is_locked, locked
from celebml_app.dashboard.kept.store import LONGEST, Store, people_of, person_name


def jpeg(width=60, height=40, colour=(200, 180, 160)):
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


def contents(folder):
    "Every file below a folder with its bytes, but for the dashboard's own notes."
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] == "people"
    }


@pytest.fixture
def store(tmp_path):
    "Three photographs of Ada, two of Alan."
    made = Store(tmp_path / "kept")
    for number in range(5):
        made.add("Ada" if number < 3 else "Alan", f"{number}.jpg", jpeg(colour=(40 * number, 90, 90)), "first")
    return made


@given(st.text(max_size=300))
def test_any_name_becomes_one_folder_or_a_sentence(text):
    try:
        name = person_name(text)
    except DataError as error:
        assert "name" in str(error)
    else:
        assert name and "/" not in name and "\\" not in name and not name.startswith(".") and len(name) <= 80
        assert len(name.encode()) <= 200


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


def test_photographs_are_kept_small_once_and_under_one_spelling(tmp_path):
    store = Store(tmp_path / "kept")
    first = store.add("Ada", "photo of me.jpg", jpeg(4000, 3000))
    assert store.add("ADA", "photo of me.jpg", jpeg(4000, 3000)) == first and store.photos().people == {"Ada": 1}
    assert max(read_photograph(first).size) == LONGEST


@pytest.mark.parametrize("data", [b"", b"no photograph", jpeg()[:200]])
def test_what_is_no_photograph_is_refused_and_leaves_nothing(tmp_path, data):
    store = Store(tmp_path / "kept")
    with pytest.raises(PhotographError, match=r"x\.jpg"):
        store.add("Ada", "x.jpg", data)
    assert not len(store.photos()) and store.in_bin() == 0


def test_a_folder_with_other_things_is_refused_and_an_old_dashboards_is_taken_over(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-ada.txt").write_text("Dear Ada")
    with pytest.raises(DataError, match=r"to-ada\.txt, not written by celebml"):
        Store(tmp_path / "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["to-ada.txt"]
    old = tmp_path / "old"
    (old / "people" / "Ada").mkdir(parents=True)
    (old / "people" / "Ada" / "1.jpg").write_bytes(jpeg())
    (old / "notes.json").write_text("{}")
    assert Store(old).photos().people == {"Ada": 1} and Store(old).photos().people == {"Ada": 1}


def test_forgetting_everything_touches_only_the_photographs_and_can_be_undone(store):
    for name in ("diary.txt", "people/plan.txt", "people/Ada/notes.txt"):
        (store.folder / name).write_text("mine")
    before = contents(store.folder)
    store.clear()
    assert not len(store.photos())
    for name in ("diary.txt", "people/plan.txt", "people/Ada/notes.txt"):
        assert (store.folder / name).read_text() == "mine"
    assert str(store.undo()) == "everything forgotten (5 photographs)"
    assert contents(store.folder) == before


@pytest.mark.parametrize("place", ["../outside.jpg", "Ada/../../x.jpg", "/etc/passwd", "Ada", "a/b/c.jpg", "Ada/x.txt"])
def test_nothing_outside_the_folder_can_be_removed(store, place):
    (store.folder / "outside.jpg").write_bytes(b"mine")
    with pytest.raises(DataError):
        store.remove([place])
    assert (store.folder / "outside.jpg").exists()


def test_a_link_is_not_followed(store, tmp_path):
    (tmp_path / "mine.jpg").write_bytes(jpeg())
    (store.people / "Ada" / "link.jpg").symlink_to(tmp_path / "mine.jpg")
    with pytest.raises(DataError):
        store.remove(["Ada/link.jpg"])
    assert (tmp_path / "mine.jpg").exists()


def test_the_last_act_is_told_and_taken_back(store):
    assert str(store.history.last()) == "2 photographs added to Alan", "each person is undone by themselves"
    store.rename("Ada", "Ada Lovelace")
    assert store.photos().people == {"Ada Lovelace": 3, "Alan": 2}
    assert str(store.history.last()) == "renamed to Ada Lovelace"
    store.undo()
    assert store.photos().people == {"Ada": 3, "Alan": 2}
    store.undo()
    assert store.photos().people == {"Ada": 3}, "then the photographs that were added go again"


def test_what_arrives_after_the_first_of_it_were_taken_back_can_be_taken_back_too(store):
    before = store.photos().people
    for number in range(2):
        store.add("Grace", f"{number}.jpg", jpeg(colour=(50 * number, 9, 9)), "batch")
        assert str(store.history.last()) == "1 photograph added to Grace"
        assert store.undo().moves and store.photos().people == before
    store.history.finish()
    assert store.photos().people == before and store.history.last().who != "Grace"


def test_another_spelling_is_the_same_person(store):
    store.rename("Ada", "ADA")
    assert store.photos().people == {"ADA": 3, "Alan": 2}
    store.undo()
    assert store.photos().people == {"Ada": 3, "Alan": 2}


def test_an_emptied_bin_is_empty_and_says_so(store):
    store.remove_person("Ada")
    assert store.in_bin() == 3
    assert store.empty_bin() == 3
    assert store.in_bin() == 0 and store.undo() is None and store.photos().people == {"Alan": 2}


def test_which_face_is_remembered_wherever_the_photograph_goes(store):
    place = store.places_of("Ada")[0]
    store.choose_face(place, 1)
    store.move([place], "Alan")
    assert store.choices()[place.split("/")[1]] == 1


NAMES = st.sampled_from(["Ada", "Alan", "Bo", "ada"])
ACTS = st.lists(
    st.tuples(st.sampled_from(["remove", "move", "rename", "clear"]), st.integers(0, 5), NAMES),
    max_size=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(ACTS)
def test_undoing_every_act_gives_back_every_photograph(tmp_path_factory, acts):
    store = Store(tmp_path_factory.mktemp("undo") / "kept")
    for number in range(4):
        store.add(("Ada", "Alan")[number % 2], f"{number}.jpg", jpeg(colour=(50 * number, 9, 9)))
    before, already = contents(store.folder), len([act for act in store.history.acts() if not act.undone])
    for kind, number, name in acts:
        places = [store.place(path) for path in store.photos().paths]
        if kind == "remove" and places:
            store.remove(places[number % len(places) :][:2])
        elif kind == "move" and places:
            store.move([places[number % len(places)]], name)
        elif kind == "rename" and places:
            store.rename(places[number % len(places)].split("/")[0], name)
        elif kind == "clear":
            store.clear()
    together = sorted(hashlib.sha256(data).hexdigest() for data in contents(store.folder).values())
    assert len(together) + store.in_bin() == 4, "no photograph is ever gone"
    while len([act for act in store.history.acts() if not act.undone]) > already:
        store.undo()
    assert contents(store.folder) == before


@pytest.mark.parametrize("moves_done", [0, 1, 2, 3])
def test_an_act_that_was_killed_half_way_is_finished(store, moves_done):
    moves = [(f"people/{place}", f"bin/act/{place}") for place in store.places_of("Ada")]
    line = {"number": "act", "kind": "remove", "who": "Ada", "when": "", "moves": moves}
    with store.history.file.open("a") as file:
        file.write(json.dumps(line) + "\n")
    for old, new in moves[:moves_done]:
        (store.folder / new).parent.mkdir(parents=True, exist_ok=True)
        (store.folder / old).rename(store.folder / new)
    again = Store(store.folder)
    assert again.photos().people == {"Alan": 2} and again.in_bin() == 3
    again.undo()
    assert again.photos().people == {"Ada": 3, "Alan": 2}


def test_a_torn_line_of_the_history_costs_nothing_else(store):
    with store.history.file.open("ab") as file:
        file.write(b'{"number": "x", "ki')
    store.remove(store.places_of("Ada")[:1])
    assert str(store.history.last()) == "1 photograph of Ada removed"
    store.undo()
    assert store.photos().people == {"Ada": 3, "Alan": 2}


FULL = """
import sys
from pathlib import Path
from celebml_app.dashboard.kept.store import Store
from celebml_app.dashboard.work.jobs import sentence
store, kept, said = Store(Path(sys.argv[1]) / "kept"), 0, ""
import io
import numpy as np
from PIL import Image
for number in range(200):
    out = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 255, (300, 300, 3), np.uint8)
    Image.fromarray(noise).save(out, "JPEG", quality=95)
    try:
        store.add("Ada", f"{number}.jpg", out.getvalue(), "drop")
        kept += 1
    except OSError as error:
        said = sentence(error)
        break
again = Store(store.folder)
for path in again.photos().paths:
    Image.open(path).load()
print(kept, again.photos().people["Ada"], said)
"""


def test_a_full_disk_keeps_what_was_kept_and_says_so(tmp_path):
    "On a small disk of its own, where this system lets a test make one."
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=3m tmpfs "{disk}" && "{sys.executable}" -c \'{FULL}\' "{disk}"'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("this system lets nobody mount a small disk; run the test as root or allow user namespaces")
    kept, there, *said = done.stdout.split(maxsplit=2)
    assert int(kept) > 3 and kept == there
    assert said[0].strip() == "The disk is full. What was kept before is whole; make room and do it again."


def test_what_was_seen_is_remembered_and_damage_is_looked_at_again(store, att):
    path = store.add("Ada", "face.pgm", att(0, 0).read_bytes())
    first = Gallery(store)
    assert first.known(path) is None and first.seen(path).mark == "good"
    assert len(first.seen(path).boxes) == 1
    second = Gallery(store)
    assert second.known(path) == first.seen(path)
    second.file.write_bytes(b'{"key": "torn')
    third = Gallery(store)
    assert third.known(path) is None and third.seen(path) == first.seen(path)
    assert Image.open(io.BytesIO(third.face(path))).size == (144, 144)


def test_a_lock_is_free_when_its_holder_is_gone(tmp_path):
    lock = tmp_path / "x.lock"
    assert not is_locked(lock)
    with locked(lock):
        assert is_locked(lock)
    assert not is_locked(lock)


def test_a_zip_gives_what_it_has_and_says_what_it_has_not(tmp_path):
    from celebml_app.dashboard.server import Kept

    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for number, name in enumerate(("set/Ada/1.jpg", "set/Alan/2.jpg", "set/Alan/3.jpg", "__MACOSX/Ada/._1.jpg")):
            archive.writestr(name, jpeg(colour=(40 * number, 90, 90)))
    data = bytearray((tmp_path / "set.zip").read_bytes())
    data[data.index(b"set/Alan/3.jpg") + 200] ^= 255  # one bit of the third photograph, whose sum no longer holds
    (tmp_path / "damaged.zip").write_bytes(data)
    kept = Kept(tmp_path / "kept")
    told = kept.take("", "damaged.zip", tmp_path / "damaged.zip", "first")
    assert [one["place"].split("/")[0] for one in told["kept"]] == ["Ada", "Alan"]
    assert len(told["problems"]) == 1
    assert "3.jpg" in told["problems"][0]
    (tmp_path / "none.zip").write_bytes(b"PK\3\4 not really")
    with pytest.raises(DataError, match="the zip is damaged"):
        kept.take("", "none.zip", tmp_path / "none.zip", "second")

"""A folder that is replaced as a whole: what was in it, what is added meanwhile, and many who do it at once."""

import os
import threading

import pytest
from test_claims import contents

from celebml import whole_folders
from celebml.claims import MARK
from celebml.files import OutputError, other_name, try_lock, write_whole
from celebml.whole_folders import whole_folder


def test_a_whole_folder_with_something_of_the_users_in_it_stays(tmp_path):
    def save(text):
        with whole_folder(tmp_path / "model", "bundle") as work:
            (work / "sub").mkdir()
            (work / "sub" / "weights").write_text(text)

    save("1")
    save("2")
    (tmp_path / "model" / ".DS_Store").write_text("a file manager's")
    save("3")
    assert (tmp_path / "model" / ".DS_Store").exists()
    (tmp_path / "model" / "sub" / "note").write_text("mine")
    with pytest.raises(OutputError, match="sub/note"):
        save("4")
    (tmp_path / "model" / "sub" / "note").unlink()
    (tmp_path / "model" / "sub" / "weights").write_text("3 improved")
    with pytest.raises(OutputError, match="sub/weights"):
        save("4")
    assert (tmp_path / "model" / "sub" / "weights").read_text() == "3 improved"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_something_added_at_the_last_moment_is_not_lost(tmp_path, monkeypatch):
    with whole_folder(tmp_path / "model", "bundle") as work:
        (work / "weights").write_text("1")
    swap = whole_folders.exchange

    def late(one, other):
        if (other / "weights").read_text() == "1":
            (other / "note").write_text("mine")
        return swap(one, other)

    monkeypatch.setattr(whole_folders, "exchange", late)
    with pytest.raises(OutputError, match="note"), whole_folder(tmp_path / "model", "bundle") as work:
        (work / "weights").write_text("2")
    assert {"weights": b"1", "note": b"mine"}.items() <= contents(tmp_path / "model").items()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_where_names_cannot_be_exchanged_a_kill_between_two_renames_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(whole_folders, "exchange", lambda one, other: False)

    def save(text):
        with whole_folder(tmp_path / "model", "bundle") as work:
            (work / "weights").write_text(text)

    save("1")
    save("2")
    assert (tmp_path / "model" / "weights").read_text() == "2"
    bench = tmp_path / f"{other_name(tmp_path / 'model')}-01234567"
    bench.mkdir()
    (bench / MARK).write_text('{"celebml": 1, "kind": "unfinished", "files": {}}\n')
    (tmp_path / "model").rename(bench / "old")  # as a kill would leave it
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "model", "bundle"):
        raise KeyboardInterrupt
    assert (tmp_path / "model" / "weights").read_text() == "2"
    save("3")
    assert (tmp_path / "model" / "weights").read_text() == "3"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.skipif(os.name == "nt", reason="Windows locks a file beside the folder")
def test_a_folder_that_its_owner_has_just_removed_is_not_waited_for(tmp_path):
    assert try_lock(tmp_path / "removed") is None


def test_many_writers_of_one_file_and_of_one_folder_leave_a_whole_one(tmp_path):
    def work(number):
        for _ in range(20):
            write_whole(tmp_path / "file", str(number) * 10000)
            with whole_folder(tmp_path / "folder", "bundle") as folder:
                (folder / "one").write_text(str(number))
                (folder / "two").write_text(str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    text = (tmp_path / "file").read_text()
    assert text == text[0] * 10000
    assert (tmp_path / "folder" / "one").read_text() == (tmp_path / "folder" / "two").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]

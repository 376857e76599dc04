"""Work in a process of its own: it is known when it runs, stops, fails and is killed."""

import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
from waiting import until

from celebml.errors import DataError
from celebml.evaluate import Scores
from celebml.recipes import BASELINE, DEFAULT
from celebml_app.dashboard.kept.store import Store
from celebml_app.dashboard.session import Session
from celebml_app.dashboard.work import tasks
from celebml_app.dashboard.work.__main__ import main
from celebml_app.dashboard.work.jobs import Status, Watched, Work, sentence, time_left
from celebml_app.dashboard.work.training import changes
from celebml_app.dashboard.work.words import advice, score_sentence


def two_people(folder, att):
    "A store with three photographs each of two people."
    store = Store(folder)
    for person in (0, 2):
        for k in range(3):
            store.add(f"s{person + 1}", f"{k}.pgm", att(person, k).read_bytes())
    return store


@pytest.fixture
def work(tmp_path, att):
    "Work on a folder that is kept busy: a worker that was stopped in its tracks, with the signal for that."
    store = two_people(tmp_path / "kept", att)
    made = Work(store.folder)
    assert made.start("learn", store.fingerprint())
    made.wait_for = lambda state: until(lambda: made.status().state == state)
    until(lambda: made.status().process)
    os.kill(made.status().process, signal.SIGSTOP)
    yield made
    made.stop()


def test_one_runs_at_a_time_and_whoever_looks_knows_of_it(work):
    other = Work(work.folder)
    assert (
        other.status().running
        and other.status().task == "learn"
        and other.status().of == Store(work.folder).fingerprint()
    )
    assert not other.start("compare"), "two at once"


def test_work_that_makes_room_for_something_else_is_not_given_up(work):
    assert work.stop(lambda: Work(work.folder).status().state) == ""
    assert work.status().state == "", "whoever is cut off meanwhile leaves nothing that says stopped"


def test_a_killed_worker_is_known_at_once_and_can_be_begun_again(work):
    os.kill(work.status().process, signal.SIGKILL)
    work.wait_for("killed")
    assert "Nothing is lost" in Work(work.folder).status().text
    assert work.start("learn")
    assert work.wait().state == "done" and Store(work.folder).load().classifier.classes_.tolist() == [
        "s1",
        "s3",
    ]


def test_stopping_takes_a_moment_from_any_page_and_says_so(work):
    begun = time.monotonic()
    Work(work.folder).stop()
    assert time.monotonic() - begun < 1
    assert work.status().state == "stopped" and "photographs are kept" in work.status().text


def test_a_worker_ends_with_the_process_that_it_is_told_to_watch(tmp_path):
    import subprocess
    import sys

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        program = (
            "import time; from celebml_app.dashboard.work.jobs import end_with; "
            f"end_with({server.pid}); print('on', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as worker:
            assert worker.stdout.readline() == b"on\n"
            server.kill()
            server.wait()
            assert worker.wait(10) == 1


def test_whatever_goes_wrong_ends_in_a_sentence_without_a_folder(tmp_path, monkeypatch, caplog):
    folder = tmp_path / "kept"
    store = Store(folder)
    store.add("Ada", "1.png", _png())
    assert main(folder, "learn") == 1
    said = Work(folder).status()
    assert said.state == "failed" and "wo people" in said.text
    monkeypatch.setitem(tasks.TASKS, "learn", lambda *_: 1 / 0)
    assert main(folder, "learn") == 1
    assert "the log of the dashboard says why" in Work(folder).status().text and "unforeseen" in caplog.text
    assert str(tmp_path) not in sentence(FileNotFoundError(2, "No such file", str(tmp_path / "x.jpg")))
    assert sentence(DataError(f"{tmp_path}/a b/x.jpg: cannot be written")) == "x.jpg: cannot be written."
    assert sentence(DataError("no photographs")) == "No photographs."


def _png():
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 40), (200, 180, 160)).save(out, "PNG")
    return out.getvalue()


def test_the_time_left_only_shrinks(tmp_path, monkeypatch):
    clock, seen = [100.0], []
    monkeypatch.setattr("celebml_app.dashboard.work.jobs.time.monotonic", lambda: clock[0])
    watched = Watched(tmp_path, "learn")
    watched.plan(100)
    for number in range(60):
        clock[0] += 0.3 if number < 20 else 3.0  # it grows slow
        watched.step("counting")
        seen.append((watched.said.left, watched.said.share))
    left = [value for value, _ in seen if value >= 0]
    assert left and left == sorted(left, reverse=True)
    assert [share for _, share in seen] == sorted(share for _, share in seen)


def test_time_left_is_in_words():
    assert time_left(-1) == ""
    assert time_left(30) == "about 30 s left"
    assert time_left(540) == "about 9 min left"
    assert time_left(0.3) == "a moment left"


def test_what_nobody_wrote_is_no_work(tmp_path):
    assert Work(tmp_path).status() == Status()
    (tmp_path / "work.json").write_text('{"state": "running", "task": ')
    assert Work(tmp_path).status() == Status()


def test_advice_names_what_is_wrong_and_is_silent_otherwise():
    assert advice(["Ada"] * 20 + ["Alan"] * 18, np.arange(38), [True] * 38) == []
    groups = np.r_[np.zeros(9, int), 9 + np.arange(29)]
    alike = advice(["Ada"] * 10 + ["Alan"] * 28, groups, [True] * 38)
    assert [text.split(":")[0] for text in alike] == ["Too few", "Too alike", "Unbalanced"]
    hidden = advice(["Ada"] * 20 + ["Alan"] * 20, np.arange(40), [True] * 28 + [False] * 12)
    assert any("12 of 40" in text for text in hidden)


def test_the_score_says_how_sure_it_can_be():
    truth = np.array(["Ada", "Alan"] * 10)
    few = score_sentence(Scores(DEFAULT, truth, np.tile(truth, (3, 1)), np.zeros((3, 20), int)))
    assert "20 correctly" in few and "between 84 % and 100 %" in few
    none = score_sentence(Scores(DEFAULT, truth[:10], np.tile(truth[1:11], (3, 1)), np.zeros((3, 10), int)))
    assert "named 0 correctly" in none and "between 0 % and 28 %" in none


def test_what_changed_is_counted_by_photograph(taught):
    trained = taught.session.trained
    assert changes(None, trained) == {}
    scores = trained.scores
    named = scores.named.copy()
    named[:, 0] = "s5" if scores.truth[0] != "s5" else "s1"
    before = replace(trained, scores=replace(scores, named=named))
    assert changes(before, trained) == {"right": 17, "asked": 18, "moved": 1}
    assert changes(replace(before, recipe=BASELINE), trained) == {}, "of another recipe it says nothing"


def test_one_person_cannot_be_told_apart(tmp_path, att):
    store = Store(tmp_path / "kept")
    for k in range(3):
        store.add("Ada", f"{k}.pgm", att(0, k).read_bytes())
    with pytest.raises(DataError, match="two people"):
        tasks.task_learn(store.folder, Watched(store.folder, "learn"))


def test_a_worker_that_waits_for_more_learns_it_and_makes_room_for_other_work(tmp_path, att, monkeypatch):
    monkeypatch.setenv("CELEBML_SERVED", "1")
    store = two_people(tmp_path / "kept", att)
    work = Work(store.folder)
    assert work.start("learn", store.fingerprint())
    until(work.waits_for_more)
    process = work.status().process
    assert work.status().state == "done" and not work.status().running
    store.add("s1", "3.pgm", att(0, 3).read_bytes())
    until(lambda: (found := store.load()) is not None and found.of == store.fingerprint())
    until(work.waits_for_more)
    assert work.status().process == process, "it is the same one, which has the others at hand"
    assert work.start("curve")
    until(lambda: work.status().task == "curve")
    work.stop()


def test_what_is_asked_for_while_it_learns_begins_after_that(work):
    session = Session(work.folder)
    assert not session.compare(BASELINE) and session.work.status().task == "learn"
    session.keep_looking()
    os.kill(work.status().process, signal.SIGCONT)
    until(lambda: session.work.status().task == "compare", 60)
    session.work.stop()

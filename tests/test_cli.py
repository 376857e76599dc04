"""The command line: every command does its work, says it in words or JSON, and turns mistakes into one sentence."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from celebml.cli import main


def athletes_folder() -> Path:
    """Raw web photographs for measuring, which are not part of the project."""
    return Path(os.environ.get("CELEBML_PHOTOS", Path(__file__).parents[2] / "shared" / "data" / "athletes"))


def ask(*words, code: int = 0):
    """Run a command; check its exit code and that no traceback reaches the user."""
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == code, done.output + repr(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def answer(*words, code: int = 0) -> dict:
    """The one JSON object on standard output."""
    return json.loads(ask(*words, "--json", code=code).stdout)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_shows_an_example(name):
    assert re.search(rf"Examples?:\n\s+celebml {name}", ask(name, "--help").stdout)


def test_run_does_the_whole_job(folder, tmp_path):
    value = answer("run", folder, "--out", tmp_path / "out", "--repeats", 1)
    assert value["photos"] == 24
    assert set(value["recipes"]) == {"classic", "best"}
    assert set(value["recipes"]["best"]) == {"coverage", "accuracy_covered", "accuracy_all", "macro_f1", "sd"}
    assert value["recipes"]["best"]["accuracy_all"] > 0.9
    assert {row["person"] for row in value["held_out"]} == {"s1", "s2", "s3", "s5"}
    assert all(row["named"] == row["person"] for row in value["held_out"])
    page = Path(value["report"]).read_text()
    assert "data:image/svg+xml" in page
    assert "24 photographs of 4 people" in page
    assert "People it does not know" in page
    card = (Path(value["bundle"]) / "MODEL_CARD.md").read_text()
    assert "| best | 100.0 % |" in card
    assert "A face is called unknown" in card


def test_run_ends_with_a_table_and_the_next_command(folder, tmp_path):
    said = ask("run", folder, "--out", tmp_path / "out", "--repeats", 1).stdout
    assert "right, of all" in said
    assert f"next    celebml classify {tmp_path / 'out' / 'bundle'} PHOTO.jpg" in said


def test_train_and_classify(folder, people, tmp_path):
    value = answer("train", folder, "--out", tmp_path / "bundle")
    assert value["people"] == ["s1", "s2", "s3", "s5"]
    value = answer("classify", tmp_path / "bundle", *people.paths[::6])
    assert [photo["faces"][0]["name"] for photo in value["photos"]] == ["s1", "s2", "s3", "s5"]
    assert re.search(r"1\.pgm: s1 \d+ %", ask("classify", tmp_path / "bundle", people.paths[0]).stdout)


def test_an_unreadable_photograph_is_said_and_the_others_are_answered(bundle, people, tmp_path):
    (tmp_path / "letter.jpg").write_text("Dear Ada")
    value = answer("classify", bundle, tmp_path / "letter.jpg", people.paths[0], code=1)
    assert "not an image" in value["photos"][0]["error"]
    assert value["photos"][1]["faces"][0]["name"] == "s1"


def test_clean_writes_faces_and_a_table(folder, tmp_path):
    value = answer("clean", folder, tmp_path / "faces")
    assert value["photos"] == sum(value["reasons"].values()) == 24
    assert value["kept"] == value["reasons"]["kept"] >= 20
    assert len(list((tmp_path / "faces").rglob("*.png"))) >= value["kept"]
    assert Path(value["table"]).read_text().startswith("person,file,sha256,kept")


def test_evaluate_scores_both_recipes(folder):
    value = answer("evaluate", folder, "--repeats", 1)
    assert value["people"] == {"s1": 6, "s2": 6, "s3": 6, "s5": 6}
    assert value["recipes"]["best"]["accuracy_all"] > value["recipes"]["classic"]["accuracy_all"]


def test_doctor_is_well_here_and_says_how_to_mend(monkeypatch):
    assert answer("doctor")["ok"] is True
    import cv2

    monkeypatch.setattr(cv2.data, "haarcascades", "/nowhere/")
    import celebml.faces

    monkeypatch.setattr(celebml.faces, "_loaded", type("Empty", (), {})())
    value = answer("doctor", code=1)
    broken = [row for row in value["checks"] if not row["ok"]]
    assert [row["check"] for row in broken] == ["cascades"]
    assert "pip install" in broken[0]["detail"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["classify", "/nowhere", "x.jpg"], 1, "no bundle here"),
        (["evaluate", "/nowhere"], 1, "cannot be opened"),
        (["train", "/nowhere", "--out", "x"], 1, "cannot be opened"),
        (["run", "/nowhere", "--out", "x"], 1, "cannot be opened"),
        (["train"], 2, "--out"),
        (["classify"], 2, "BUNDLE"),
        (["evaluate", "att", "--repeats", "0"], 2, "repeats"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_mistakes_are_one_sentence(words, code, says):
    done = ask(*words, code=code)
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_one_person_and_too_few_pictures_are_one_sentence(people, tmp_path):
    for number, path in enumerate(people.paths[:3]):
        (tmp_path / "ada").mkdir(exist_ok=True)
        (tmp_path / "ada" / f"{number}.pgm").write_bytes(path.read_bytes())
    assert "two people" in ask("evaluate", tmp_path, code=1).stderr
    (tmp_path / "alan").mkdir()
    for number, path in enumerate(people.paths[6:8]):
        (tmp_path / "alan" / f"{number}.pgm").write_bytes(path.read_bytes())
    assert "two people with 3 different photographs" in ask("run", tmp_path, "--out", tmp_path / "x", code=1).stderr


def celebml(*words, **options) -> subprocess.Popen:
    """The real program, in a process of its own."""
    command = [sys.executable, "-c", "from celebml.cli import main; main()", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_help_comes_at_once_and_imports_nothing_heavy():
    heavy = {"cv2", "sklearn", "pandas", "scipy", "matplotlib"}
    code = f"import sys, celebml.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("delay", [0.8, 2.5])
def test_a_stopped_clean_goes_on_to_the_same_result(folder, tmp_path, delay):
    cache = {**os.environ, "CELEBML_CACHE": str(tmp_path / "cache")}
    whole = celebml(
        "clean", folder, tmp_path / "whole", "--jobs", 1, env={**cache, "CELEBML_CACHE": str(tmp_path / "other")}
    )
    stopped = celebml("clean", folder, tmp_path / "faces", "--jobs", 1, env=cache)
    time.sleep(delay)
    stopped.send_signal(signal.SIGKILL)
    stopped.communicate()
    again = celebml("clean", folder, tmp_path / "faces", "--jobs", 1, env=cache)
    assert (again.communicate(), again.returncode)[1] == 0
    assert (whole.communicate(), whole.returncode)[1] == 0

    def contents(root):
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    assert len(contents(tmp_path / "whole")) > 20
    assert contents(tmp_path / "faces") == contents(tmp_path / "whole")


@pytest.mark.skipif(
    not athletes_folder().is_dir(), reason="the raw photographs for measuring are not part of the project"
)
def test_the_classic_recipe_lands_where_the_peers_do():
    from celebml.classifier import load_recipe
    from celebml.clean import detect_all
    from celebml.datasets import load_folder

    photos = load_folder(athletes_folder())
    few = detect_all(photos.paths[::4], load_recipe("classic").detector, n_jobs=2)
    assert 0.42 < sum(bool(found.faces) for found in few) / len(few) < 0.62

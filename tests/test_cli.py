"""The command line: every command does its work, says it in words or JSON, and turns mistakes into one sentence."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from celebml.cli import main
from celebml.recipes import compared


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
    page = Path(value["report"]).read_text(encoding="utf-8")
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
    assert Path(value["table"]).read_text(encoding="utf-8").startswith("person,file,sha256,kept")


def test_evaluate_scores_both_recipes(folder):
    value = answer("evaluate", folder, "--repeats", 1)
    assert value["people"] == {"s1": 6, "s2": 6, "s3": 6, "s5": 6}
    assert value["recipes"]["best"]["accuracy_all"] > value["recipes"]["classic"]["accuracy_all"]
    assert value["recipes"]["best"]["explains"] and not value["recipes"]["classic"]["explains"]
    assert value["recipes"]["classic"]["strangers"] is None and value["recipes"]["best"]["megabytes"] < 3
    assert value["advice"].startswith("take best: it names")
    assert set(value["recipes"]) == set(compared())


def test_evaluate_prints_what_each_recipe_costs(folder):
    said = ask("evaluate", folder, "--repeats", 1, "--recipe", "best").stdout.splitlines()
    assert [word in said[0] for word in ("ms a face", "MB", "strangers", "says why")] == [True] * 4
    assert said[1].split()[0] == "best" and said[1].endswith("yes") and said[-1].startswith("take best")


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
    done = ask("run", tmp_path, "--out", tmp_path.with_suffix(".run"), code=1)
    assert "two people with 3 different photographs" in done.stderr


def test_help_comes_at_once_and_imports_nothing_heavy():
    heavy = {"cv2", "sklearn", "pandas", "scipy", "matplotlib"}
    code = f"import sys, celebml.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.skipif(
    not athletes_folder().is_dir(), reason="the raw photographs for measuring are not part of the project"
)
def test_the_classic_recipe_lands_where_the_peers_do():
    from celebml.classifier import load_recipe
    from celebml.datasets import load_folder
    from celebml.detection import detect_all

    photos = load_folder(athletes_folder())
    few = detect_all(photos.paths[::4], load_recipe("classic").detector, n_jobs=2)
    assert 0.42 < sum(bool(found.faces) for found in few) / len(few) < 0.62

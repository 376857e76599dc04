"""Every command and function that writes, over every place where it must not, killed, and on a full disk.

`CELEBML_ABUSE=1` in the environment makes it 200 kills and 50 full disks; without it there are a few.
"""

from __future__ import annotations

import csv
import inspect
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from test_claims import PLACES, bad_places

import celebml
from celebml.claims import MARK, claim, write_new
from celebml.cli import main
from celebml.datasets import load_folder
from celebml.files import OutputError
from celebml.whole_folders import whole_folder

MANY = bool(os.environ.get("CELEBML_ABUSE"))
PHOTOS = ("ada", "alan")


def snapshot(*roots: Path, times: bool = False) -> dict[str, object]:
    """Every file below some folders: its bytes, and when it was changed if that matters; links as what they are."""
    found: dict[str, object] = {}
    for root in roots:
        for path in root.rglob("*"):
            if path.is_symlink():
                found[str(path)] = path.readlink()
            elif path.is_file():
                found[str(path)] = (path.read_bytes(), path.stat().st_mtime_ns if times else 0)
    return found


@pytest.fixture(scope="session")
def photos(people, tmp_path_factory) -> Path:
    """Two people with a few photographs each, and a manifest as collecting leaves it."""
    root = tmp_path_factory.mktemp("originals")
    for path, name in list(zip(people.paths, people.names, strict=True))[:12]:
        (root / name).mkdir(exist_ok=True)
        with Image.open(path) as image:
            image.save(root / name / f"{path.stem}.png")
    return root


# What each command writes, as `celebml` WORDS; {photos} is the input, {out} the place.
COMMANDS = {
    "clean": ["clean", "{photos}", "{out}", "--jobs", "1"],
    "collect": ["collect", "{out}", "--from-folder", "{photos}", "--person", "s1", "--person", "s2"],
    "audit": ["audit", "{photos}", "--out", "{out}", "--quick"],
    "review": ["review", "{photos}", "--apply", "{out}", "--decisions", "{aside}/decisions.jsonl"],
    "train": ["train", "{photos}", "--out", "{out}", "--jobs", "1"],
    "run": ["run", "{photos}", "--out", "{out}", "--repeats", "1", "--jobs", "1"],
}
FILES = {  # these write one file
    "attribution": ["attribution", "{collection}", "--out", "{out}"],
    "review": ["review", "{photos}", "--export", "{out}", "--quick", "--decisions", "{aside}/decisions.jsonl"],
}
READING = {"evaluate", "classify", "doctor", "serve", "dashboard", "cache"}  # what they keep is private and their own


def filled(words: list[str], **places: object) -> list[str]:
    return [word.format(**places) for word in words]


def ask(words: list[str]):
    """Run a command here; a traceback is a failure."""
    done = CliRunner().invoke(main, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), (words, repr(done.exception))
    return done


def test_no_command_that_writes_is_forgotten():
    known = set(COMMANDS) | set(FILES) | READING | {"publish", "export-onnx", "forget"}  # these have tests of their own
    assert set(main.commands) <= known
    for name in set(main.commands) - READING:
        assert any(option.name == "dry_run" for option in main.commands[name].params), name


def somewhere(tmp_path, monkeypatch, photos) -> tuple[Path, dict]:
    """Photographs of two people, and places where nothing may be written; one is the working folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    originals = tmp_path / "set" / "photos"
    places = bad_places(tmp_path)
    for person in ("s1", "s2"):
        shutil.copytree(photos / person, originals / person)
    return originals, places


@pytest.mark.parametrize("place", PLACES)
def test_no_command_writes_where_it_must_not(place, tmp_path, monkeypatch, photos):
    originals, places = somewhere(tmp_path, monkeypatch, photos)
    before = snapshot(tmp_path, times=True)
    for name, words in COMMANDS.items():
        told = filled(words, photos=originals, out=places[place], aside=tmp_path)
        for more in ([], ["--dry-run"]):
            done = ask([*told, *more])
            assert done.exit_code in (1, 2), (name, done.output)
            assert "Traceback" not in done.output
        assert snapshot(tmp_path, times=True) == before, name


@pytest.mark.parametrize("place", ["documents", "a file", "a link", "the photographs", "a link to nowhere"])
def test_no_single_file_is_written_over(place, tmp_path, monkeypatch, photos):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    places = bad_places(tmp_path)
    collection = tmp_path / "collection"
    ask(filled(COMMANDS["collect"], photos=photos, out=collection))
    before = snapshot(tmp_path, times=True)
    for name, words in FILES.items():
        told = filled(words, photos=photos, collection=collection, out=places[place], aside=tmp_path)
        assert ask(told).exit_code in (1, 2), name
        assert snapshot(tmp_path, times=True) == before, name


def writers() -> dict[str, Callable[[Path, dict], object]]:
    """Public functions that write, each as a call with a place."""
    from celebml.bundle import save_bundle
    from celebml.clean import clean_folder
    from celebml.collect import gather
    from celebml.landmarks import YuNetDetector
    from celebml.open_collections import search_people
    from celebml.pipeline import run
    from celebml.sources import from_folder

    return {
        "save_bundle": lambda out, have: save_bundle(have["classifier"].bundle_, out),
        "CelebrityClassifier.save": lambda out, have: have["classifier"].save(out),
        "clean_folder": lambda out, have: clean_folder(load_folder(have["photos"]), out, YuNetDetector()),
        "gather": lambda out, have: gather(from_folder(have["photos"]), out),
        "search_people": lambda out, have: search_people(None, [], out),
        "run": lambda out, have: run(load_folder(have["photos"]), out),
        "claim": lambda out, have: claim(out, "faces", [have["photos"]]),
        "whole_folder": lambda out, have: whole_folder(out, "faces", [have["photos"]]).__enter__(),
        "write_new": lambda out, have: write_new(out, "new"),
    }


@pytest.mark.parametrize("writer", sorted(writers()))
def test_no_function_writes_where_it_must_not(writer, classifier, tmp_path, monkeypatch, photos):
    originals, places = somewhere(tmp_path, monkeypatch, photos)
    have = {"classifier": classifier, "photos": originals}
    before = snapshot(tmp_path, times=True)
    unknown = {
        "save_bundle",
        "CelebrityClassifier.save",
        "gather",
        "search_people",
        "write_new",
    }  # are told of no input
    for name, place in places.items():
        if writer in unknown and name == "inside the photographs":
            continue
        with pytest.raises(OutputError):
            writers()[writer](place, have)
        assert snapshot(tmp_path, times=True) == before, name


def test_no_function_that_writes_is_forgotten():
    """Who calls the low-level writers is on a short list; a new one must be looked at, and put there with a reason."""
    allowed = {
        "files": "defines them",
        "marks": "looks whether a place can be written, in a file without a name",
        "claims": "is the rule",
        "whole_folders": "is the rule for a folder that is replaced",
        "bundle": "writes into the folder that whole_folder hands out",
        "datasets": "writes into the folder that whole_folder hands out",
        "review_cli": "writes a sheet that was looked at first, and copies into a whole_folder",
        "detection": "keeps found faces under their digests, in a private folder",
        "decisions": "appends to a file of decisions that it has read",
        "sources": "reads",
        "zips": "unpacks into the folder that it is given",
        "publishing": "writes into the folder that whole_folder hands out",
        "page_files": "keeps the runtime, which was checked, in the cache folder",
        "erasing": "erases a person's files in the folders named; tests/test_forget.py",
        "forget": "takes away the empty folder that had a person's name",
        "evaluate": "renames rows of a table in memory",
        "stages": "keeps the numbers of found faces beside them, in the same private folder",
    }
    words = (
        "write_whole(", "put_whole(", "write_json(", ".write_bytes(", ".write_text(", '.open("w', '.open("a',
        "rmtree(", ".rename(", ".replace(path", "shutil.move", "copyfile(", ".unlink(", "os.remove", ".rmdir(",
    )  # fmt: skip
    folder = Path(inspect.getfile(celebml)).parent
    found = {}
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if hits := [word for word in words if word in text]:
            found[path.stem] = hits
    assert set(found) <= set(allowed), {name: hits for name, hits in found.items() if name not in allowed}


def test_originals_are_what_they_were_after_every_command(tmp_path, photos, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = snapshot(photos, times=True)
    made = {name: tmp_path / f"made-{name}" for name in COMMANDS}
    for name, words in COMMANDS.items():
        for _ in range(2):  # once anew, once over what is there
            done = ask(filled(words, photos=photos, out=made[name], aside=tmp_path))
            assert done.exit_code == 0, done.output
            assert snapshot(photos, times=True) == before, name
    bundle = made["train"]
    photo = next(photos.rglob("*.png"))
    collection = made["collect"]
    for words in (
        ["evaluate", str(photos), "--repeats", "1", "--jobs", "1", "--recipe", "best", "--folds", "3"],
        ["classify", str(bundle), str(photo)],
        filled(FILES["review"], photos=photos, out=tmp_path / "sheet.csv", aside=tmp_path),
        filled(FILES["attribution"], collection=collection, out=tmp_path / "credits.html"),
        ["attribution", str(collection)],
        ["cache", "--clear"],
    ):
        done = ask(words)
        assert done.exit_code == 0, done.output
        assert snapshot(photos, times=True) == before, words[0]
    with (tmp_path / "sheet.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[0]["decision"] = "reject"
    with (tmp_path / "filled.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    own = ["--decisions", str(tmp_path / "decisions.jsonl")]
    assert ask(["review", str(photos), "--import", str(tmp_path / "filled.csv"), *own]).exit_code == 0
    assert snapshot(photos, times=True) == before


def test_a_dry_run_says_what_then_happens(tmp_path, photos):
    for name, words in COMMANDS.items():
        out = tmp_path / name
        told = filled(words, photos=photos, out=out, aside=tmp_path)
        planned = json.loads(ask([*told, "--dry-run", "--json"]).stdout)
        assert not out.exists(), name
        assert planned["delete"] == []
        assert ask(told).exit_code == 0
        files = {str(path) for path in out.rglob("*") if path.is_file() and path.name != MARK}
        for file in planned["write"]:
            files -= {one for one in files if one == file or one.startswith(f"{file}/")}
        assert not files, name
    (tmp_path / "fewer" / "s1").mkdir(parents=True)
    shutil.copy(next(photos.glob("s1/*.png")), tmp_path / "fewer" / "s1")
    shutil.copytree(photos / "s2", tmp_path / "fewer" / "s2")
    told = filled(COMMANDS["clean"], photos=tmp_path / "fewer", out=tmp_path / "clean", aside=tmp_path)
    before = {str(path) for path in (tmp_path / "clean").rglob("*.png")}
    planned = json.loads(ask([*told, "--dry-run", "--json"]).stdout)
    assert {str(path) for path in (tmp_path / "clean").rglob("*.png")} == before
    assert ask(told).exit_code == 0
    assert before - {str(path) for path in (tmp_path / "clean").rglob("*.png")} == set(planned["delete"]) != set()


# --- killed

# Counts what touches the disk below a folder, and ends at the given step as a kill would: at once.
KILLED = """
import os, sys
step, root = int(sys.argv[1]), sys.argv[2]
left = step
def touched(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree"):
        place = arguments[0]
        reading = event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if isinstance(place, (str, bytes, os.PathLike)) and os.fsdecode(place).startswith(root) and not reading:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), 9)
sys.addaudithook(touched)
from celebml.cli import main
try:
    main(sys.argv[3:], standalone_mode=False)
finally:
    os.write(2, f"steps {step - left}\\n".encode())
"""


def program(step: int, root: Path, words: list[str], cache: Path) -> tuple[int, int, str]:
    """Run the real program, killed at a step; its exit code, the steps it took (0 if killed) and what it said."""
    # One process: a worker that had no task yet when its master was killed would hold the pipe for loky's five minutes.
    env = {**os.environ, "CELEBML_CACHE": str(cache), "OMP_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1"}
    command = [sys.executable, "-c", KILLED, str(step), str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300, check=False)
    steps = [int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("steps ")]
    return done.returncode, steps[-1] if steps else 0, done.stdout + done.stderr


def result(out: Path) -> dict[str, object]:
    """All that a command left, byte for byte; of a saved model what it says, since its file holds addresses."""
    from celebml.classifier import CelebrityClassifier

    told: dict[str, object] = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.name in ("model.skops", "model.joblib", "manifest.json", MARK):
            told[name] = "is there"
        elif path.name == "manifest.csv":  # has the time of each copy in it
            told[name] = len(path.read_text(encoding="utf-8").splitlines())
        elif path.is_file():
            told[name] = path.read_bytes()
    for manifest in out.rglob("manifest.json"):
        model = CelebrityClassifier.load(manifest.parent)
        grey = np.random.default_rng(0).integers(0, 255, (160, 160, 3), np.uint8)
        told["says"] = [str(name) for name in model.classes_], model.predict([grey])
    return told


@pytest.fixture(scope="module")
def undisturbed(photos, tmp_path_factory) -> Callable[[str], tuple[dict, int, Path]]:
    """What a command leaves where nothing happens, in how many steps, and a cache that knows the faces."""
    place, found = tmp_path_factory.mktemp("undisturbed"), {}

    def of(name: str) -> tuple[dict, int, Path]:
        if name not in found:
            (place / name).mkdir()
            told = filled(COMMANDS[name], photos=photos, out=place / name / name, aside=place)
            code, steps, said = program(10**9, place / name, told, place / "cache")
            assert code == 0, said
            assert steps > 3
            found[name] = result(place / name / name), steps, place / "cache"
        return found[name]

    return of


KILLS = 200 if MANY else 4


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_any_step_and_run_again_it_ends_the_same(number, undisturbed, photos, tmp_path):
    chance = random.Random(number)
    name = list(COMMANDS)[number % len(COMMANDS)]
    wanted, steps, cache = undisturbed(name)
    originals = snapshot(photos, times=True)
    (tmp_path / "x").mkdir()
    told = filled(COMMANDS[name], photos=photos, out=tmp_path / "x" / name, aside=tmp_path)
    step = chance.randrange(steps)
    code, _, _ = program(step, tmp_path / "x", told, cache)
    assert code == -signal.SIGKILL
    code, _, said = program(10**9, tmp_path / "x", told, cache)
    assert code == 0, said
    assert result(tmp_path / "x" / name) == wanted, step
    assert [path.name for path in (tmp_path / "x").iterdir()] == [name], "something was left beside it"
    assert not list((tmp_path / "x").rglob(".unfinished*"))
    assert snapshot(photos, times=True) == originals


# --- a full disk


@pytest.fixture
def small_disk(tmp_path):
    """A disk of the size that is asked for, where this machine allows one to be made."""
    mounted = []

    def make(kilobytes: int) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError as error:
            pytest.skip(f"a small disk cannot be made here: {error}")
        if done.returncode:
            pytest.skip(f"a small disk may be made by root only: {done.stderr.decode().strip()}")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=False)


DISKS = 50 if MANY else 2


@pytest.mark.parametrize("number", range(DISKS))
def test_on_a_full_disk_it_says_so_and_with_room_it_ends_the_same(number, undisturbed, photos, small_disk, tmp_path):
    chance = random.Random(number)
    name = list(COMMANDS)[number % len(COMMANDS)]
    wanted, _, cache = undisturbed(name)
    size = sum(len(data) for data in wanted.values() if isinstance(data, bytes)) + 200_000
    disk = small_disk(max(80, chance.randrange(size // 1024)))
    out = disk / name
    told = filled(COMMANDS[name], photos=photos, out=out, aside=tmp_path)
    code, _, said = program(10**9, disk, told, cache)
    if code:
        assert "Traceback" not in said or "OutputError" in said, said
        assert "cannot be written" in said or "No space left" in said, said
    assert not list(disk.rglob(".unfinished*")), "something was left"
    subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
    code, _, said = program(10**9, disk, told, cache)
    assert code == 0, said
    assert result(out) == wanted
    assert [path.name for path in disk.iterdir()] == [name]


def test_an_output_that_cannot_be_written_is_said_before_anything_is_computed(
    small_disk, photos, tmp_path, monkeypatch
):
    from celebml import detection

    disk = small_disk(64)
    (disk / "filler").write_bytes(b"")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    monkeypatch.setattr(detection, "detect_file", lambda *_: pytest.fail("it looked at photographs first"))
    for name, words in COMMANDS.items():
        done = ask(filled(words, photos=photos, out=disk / name, aside=tmp_path))
        assert done.exit_code == 1, name
        assert "Read-only" in done.stderr or "written" in done.stderr, done.stderr


def test_two_commands_at_once_on_one_output_wait_or_are_refused(undisturbed, photos, tmp_path):
    for name in list(COMMANDS) if MANY else ["clean", "collect"]:
        told = filled(COMMANDS[name], photos=photos, out=tmp_path / name, aside=tmp_path)
        env = {**os.environ, "CELEBML_CACHE": str(tmp_path / "cache")}
        command = [sys.executable, "-c", "from celebml.cli import main; main()", *told]
        both = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        said = [(one.communicate()[1], one.returncode) for one in both]
        assert 0 in [code for _, code in said], said
        assert all(code == 0 or "another celebml" in text for text, code in said), said
        assert result(tmp_path / name) == undisturbed(name)[0]

"""Thousands of acts that a user might do by mistake: each ends in a sentence or an answer, and costs nothing else.

`CELEBML_ABUSE=2000` in the environment says how many; without it there are a few.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from celebml.cli import main

ACTS = int(os.environ.get("CELEBML_ABUSE") or 0)
ACTS = ACTS if ACTS >= 100 else 2000 if ACTS else 120
NAMES = (
    "ada",
    "Joey Bada$$",
    "$\\foo$",
    "no face",
    "x" * 100,
    "脸" * 80,
    "محمد علي",
    "😀",
    "unknown",
    "nan",
    "None",
    "-",
    "--help",
    "a\nb",
    "a\tb",
    "'; DROP TABLE photo; --",
    "<script>",
    "{{7*7}}",
    "%s",
    "..x",
    "photographs.csv",
    "bundle",
    "CON",
    "é",
    "é",
    "\udce9",
)
KINDS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "EPS", "DDS", "TGA")
TABLES = (
    b"", b"\0\0\0", b"name,path\n", b"name;path\nada;a.png\n", b"\xff\xfen\0a\0", b"n\xe9,path\n\xe9,a.png\n",
    b'name,path\n"ada', b"name,path,licence\nada,a.png,CC0-1.0\n", b"name,path\nada," + b"x" * 200_000, b"{}\n[]\n7\n",
    b'{"photo": "x", "decision": "keep"}\n', b"person,file,sha256,kept\n" * 3, b"\x89PNG\r\n\x1a\n",
)  # fmt: skip
WORDS = ("", "-1", "0", "x", "nan", "99999999999999999999", "att", "nowhere", "a\nb", "tcp://", "é", "1e999")


class Acts:
    """Draws commands and what they are given, below one folder."""

    def __init__(self, place: Path, bundle: Path, faces: list[bytes], seed: int):
        self.place, self.bundle, self.faces, self.chance = place, bundle, faces, random.Random(seed)

    def picture(self) -> bytes:
        kind, file = self.chance.choice(KINDS), io.BytesIO()
        pixels = np.random.default_rng(self.chance.randrange(99)).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, kind)
        data = bytearray(self.chance.choice([file.getvalue(), *self.faces]))
        for _ in range(self.chance.choice((0, 0, 1, 20))):
            data[self.chance.randrange(len(data))] ^= 1 << self.chance.randrange(8)
        return bytes(data[: self.chance.choice((len(data), len(data), len(data) // 2, 3, 0))])

    def file(self) -> Path:
        path = self.place / f"{self.chance.randrange(10**9)}{self.chance.choice(('.jpg', '.csv', '.zip', '', '.HEIC'))}"
        what = self.chance.randrange(6)
        if what == 0:
            os.mkfifo(path)
        elif what == 1:
            with path.open("wb") as file:
                file.truncate(5_000_000_000)
        elif what == 2:
            return self.chance.choice((path, self.place, Path("/dev/zero"), Path("x" * 300), Path("a/" * 1200)))
        else:
            path.write_bytes(self.chance.choice((self.picture(), self.picture(), self.chance.choice(TABLES))))
        return path

    def folder(self) -> Path:
        if not self.chance.randrange(5):
            return self.file()
        folder = self.place / f"folder {self.chance.randrange(10**9)}"
        folder.mkdir()
        for _ in range(self.chance.randrange(4)):
            person = folder / self.chance.choice(NAMES)
            person.mkdir(exist_ok=True)
            for number in range(self.chance.randrange(4)):
                end = self.chance.choice((".png", ".jpg", ".heic", "", ".txt"))
                (person / f"{number}{self.chance.choice(NAMES[:9])[:60]}{end}".replace("/", "")).write_bytes(
                    self.picture()
                )
        if not self.chance.randrange(3):
            (folder / "beside.png").write_bytes(self.picture())
        return folder

    def model(self) -> Path:
        if self.chance.randrange(2):
            return self.chance.choice((self.bundle, self.folder(), self.file()))
        copy = shutil.copytree(self.bundle, self.place / f"bundle {self.chance.randrange(10**9)}")
        path = self.chance.choice(sorted(path for path in copy.rglob("*") if path.is_file()))
        self.chance.choice((path.unlink, lambda: path.write_bytes(self.chance.choice(TABLES))))()
        return copy

    def out(self) -> str:
        new = self.place / f"out {self.chance.randrange(10**9)}"
        return str(
            self.chance.choice(
                (new, new, new / "deeper", "", self.place, self.bundle, self.file(), "/proc/no", "/dev/null")
            )
        )

    def options(self, *known: str) -> list[str]:
        words = []
        for name in self.chance.sample(known, self.chance.randrange(min(3, len(known)) + 1)):
            words += [name, self.chance.choice(WORDS)]
        return words + self.chance.choice(([], ["--json"], ["--dry-run"], ["--jonas"]))

    def act(self) -> list[str]:
        folder = lambda: str(self.folder())
        words = {
            "classify": lambda: [str(self.model()), *(str(self.file()) for _ in range(self.chance.randrange(3)))],
            "clean": lambda: [
                folder(),
                self.out(),
                *self.options("--jobs", "--detector", "--scheduler"),
                "--jobs",
                "1",
            ],
            "train": lambda: [folder(), "--out", self.out(), *self.options("--recipe"), "--jobs", "1"],
            "run": lambda: [folder(), "--out", self.out(), *self.options("--repeats", "--recipe"), "--jobs", "0"],
            "evaluate": lambda: [folder(), *self.options("--folds", "--repeats", "--jobs"), "--jobs", "1"],
            "audit": lambda: [folder(), "--out", self.out(), "--quick", *self.options("--suspects")],
            "review": lambda: [
                folder(),
                "--decisions",
                str(self.file()),
                "--quick",
                *self.options("--export", "--import"),
            ],
            "collect": lambda: [self.out(), "--from-csv", str(self.file()), *self.options("--person")],
            "from-zip": lambda: [self.out(), "--from-zip", str(self.file()), "--person", self.chance.choice(NAMES[:9])],
            "attribution": lambda: [folder(), *self.options("--out")],
            "cache": lambda: self.options("--nonsense"),
            "serve": lambda: [str(self.model()), "--port", self.chance.choice(("", "-1", "x", "0", "70000"))],
            "dashboard": lambda: ["--port", self.chance.choice(("", "-1", "x", "0", "70000"))],
            "nonsense": lambda: list(self.chance.choices(WORDS, k=3)),
        }
        name = self.chance.choice(list(words))
        return ["collect" if name == "from-zip" else name, *words[name]()]


@pytest.fixture(scope="module")
def faces(people) -> list[bytes]:
    found = []
    for path in people.paths[:4]:
        file = io.BytesIO()
        Image.open(io.BytesIO(path.read_bytes())).save(file, "PNG")
        found.append(file.getvalue())
    return found


def fault_of(words: list[str]) -> str:
    """What is wrong with how a command ended; nothing if it ended as it should."""
    done = CliRunner().invoke(main, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return repr(done.exception)
    if done.exit_code not in (0, 1, 2):
        return f"exit code {done.exit_code}"
    if "Traceback" in done.output:
        return "a traceback"
    if "--json" in words and "--help" not in words:
        try:
            if not isinstance(json.loads(done.stdout), dict):
                return "its JSON is no object"
        except ValueError:
            return f"its output is not one JSON object: {done.stdout[:80]!r}"
    if done.exit_code and not re.search(r"\w{3}", done.output):
        return "it says nothing"
    return ""


@pytest.mark.parametrize("part", range(4))
def test_whatever_is_asked_ends_in_a_sentence_or_an_answer(part, bundle, faces, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keep = {path: path.read_bytes() for path in sorted(bundle.rglob("*")) if path.is_file()}
    faults, ends = {}, Counter()
    for number in range(part, ACTS, 4):
        (place := tmp_path / str(number)).mkdir()
        words = Acts(place, bundle, faces, number).act()
        before = {path: path.stat().st_mtime_ns for path in sorted(place.rglob("*")) if path.is_file()}
        fault = fault_of(words)
        ends[fault or "as it should"] += 1
        lost = [path for path, when in before.items() if not path.exists() or path.stat().st_mtime_ns != when]
        if fault or lost:
            faults[number] = fault, [word[:60] for word in words], lost[:2]
        shutil.rmtree(place)
    assert not faults, f"{len(faults)} of {sum(ends.values())}: {faults}"
    assert {path: path.read_bytes() for path in keep} == keep


@pytest.mark.filterwarnings("ignore:Glyph")  # of the second drawing, which is no report's
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("unknown", "\udce9")])
def test_any_name_of_a_person_is_drawn_and_written(name):
    import pandas as pd
    from matplotlib.figure import Figure

    from celebml.evaluate import draw_confusion
    from celebml.report import _svg

    table = pd.DataFrame(np.eye(2), index=[name, "Ada"], columns=[name, "Ada"])
    assert len(_svg(lambda axis: draw_confusion(table, axis), (3, 3))) > 1000
    shown = [label.get_text() for label in draw_confusion(table, Figure().subplots()).get_yticklabels()]
    assert shown[0].replace("\\$", "$")[:20] == " ".join(name.split())[:20]

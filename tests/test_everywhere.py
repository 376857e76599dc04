"""The parts that differ by system, as far as one system can tell."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from click.testing import CliRunner

from celebml import doctor, files, whole_folders
from celebml.claims import claim
from celebml.cli import main
from celebml.files import OutputError, locked, put_whole

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*(ROOT / "celebml").glob("*.py"), *(ROOT / "app").rglob("*.py")])
POSIX = {"fcntl", "pwd", "grp", "resource", "termios", "syslog"}


def test_no_module_needs_what_only_one_system_has():
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        guarded = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Try) for part in node.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = {one.name.split(".")[0] for one in node.names} | {getattr(node, "module", None)}
                assert not named & POSIX or id(node) in guarded, f"{path.name}: {named & POSIX}"


def test_names_that_are_written_down_have_forward_slashes():
    written = re.compile(r"str\([^()]*\.relative_to\(")
    assert not [path.name for path in SOURCES if written.search(path.read_text(encoding="utf-8"))]


@pytest.fixture
def windows(monkeypatch):
    """The library as it is where there is no fcntl, and names cannot be exchanged.

    Renaming an open file fails, and so does a folder with one in it, as it does there.
    """
    real, opened = {name: getattr(Path, name) for name in ("replace", "rename")}, psutil.Process()

    def moved(verb, self, target):
        for file in opened.open_files():
            if Path(self).absolute() in (Path(file.path), *Path(file.path).parents):
                raise PermissionError(13, f"The process cannot access the file: {file.path} is being used")
        return real[verb](self, target)

    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(whole_folders, "exchange", lambda one, other: False)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=lambda *asked: None))
    for verb in real:
        monkeypatch.setattr(Path, verb, lambda self, target, verb=verb: moved(verb, self, target))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="open files are told on Linux only")
def test_a_file_is_written_whole_where_no_open_file_can_be_renamed(windows, tmp_path):
    put_whole(tmp_path / "a", b"one")
    put_whole(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="open files are told on Linux only")
def test_a_folder_is_replaced_whole_where_names_cannot_be_exchanged_and_no_lock_stays(windows, tmp_path):
    for text in ("one", "two", "three"):
        with whole_folders.whole_folder(tmp_path / "bundle", "bundle") as work:
            (work / "inner").mkdir()
            (work / "inner" / "a.txt").write_text(text, encoding="utf-8")
    with claim(tmp_path / "faces", "faces") as place:
        place.write("a/1.png", b"1")
        place.write("table.csv", "x")
        place.rename("table.csv", "other.csv")
        place.remove("a/1.png")
    assert (tmp_path / "bundle" / "inner" / "a.txt").read_text(encoding="utf-8") == "three"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "faces"]


def test_one_at_a_time_where_files_are_locked_and_not_folders(windows, monkeypatch, tmp_path):
    held = set()

    class Locks:
        LK_NBLCK = 2

        @staticmethod
        def locking(descriptor, mode, count):
            name = Path(f"/proc/self/fd/{descriptor}").resolve() if sys.platform == "linux" else descriptor
            if name in held:
                raise PermissionError(13, "Permission denied")
            held.add(name)

    monkeypatch.setitem(sys.modules, "msvcrt", Locks)
    with locked(tmp_path / "folder"):
        assert held
        with pytest.raises(OutputError, match="another celebml"), locked(tmp_path / "folder"):
            pass


@pytest.mark.parametrize(
    ("platform", "words"), [("win32", "winget install"), ("darwin", "brew install"), ("linux", "sudo apt-get install")]
)
def test_the_doctor_speaks_each_system_s_words(platform, words, monkeypatch):
    monkeypatch.setattr(doctor, "which", lambda program: program == "apt-get")
    for what in ("python", "npm", "libraries"):
        assert doctor.mend(what, platform).startswith(words)
    monkeypatch.setattr(doctor, "which", lambda program: None)
    assert "Node.js" in doctor.mend("npm", "linux")


def test_a_wheel_that_does_not_load_is_told_with_the_system_s_mend(monkeypatch):
    def check():
        raise ImportError("DLL load failed while importing cv2")

    ((name, well, said),) = doctor.checks({"OpenCV": check})
    assert (name, well) == ("OpenCV", False) and "DLL load failed" in said and "mend with: " in said


def test_run_without_a_word_is_make_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    helped = CliRunner().invoke(main, ["run", "--help"]).output
    assert "runs/DATA" in helped
    photos = tmp_path / "my photos"
    planned = CliRunner().invoke(main, ["run", "att", "--dry-run", "--json"])
    assert str(Path("runs", "att", "report.html")).replace("\\", "\\\\") in planned.output
    told = CliRunner().invoke(main, ["run", str(photos), "--dry-run"])
    assert told.exit_code == 1 and not (tmp_path / "runs").exists()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "DATA ?= johns\nOUT ?= runs/$(DATA)" in makefile


def test_the_site_says_what_to_do_where_there_is_no_fork(monkeypatch):
    serve = pytest.importorskip("celebml_app.site.serve")
    from celebml.errors import DataError

    monkeypatch.setattr(serve.os, "name", "nt")
    with pytest.raises(DataError, match="WSL, or: celebml publish"):
        serve.serve({})


def test_the_command_starts_by_its_module():
    done = subprocess.run(
        [sys.executable, "-m", "celebml", "--version"], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.startswith("celebml, version ")

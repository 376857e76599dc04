"""The wheel holds everything that the apps need, and nothing of the workshop."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from waiting import answers, until

from tools.site_trial import ROOT, free_port, small_bundle


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    "Built from a copy, as a package index would get it."
    folder = tmp_path_factory.mktemp("wheel")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    source = folder / "source"
    for name in filter(None, names.split("\0")):
        if name.startswith(("celebml/", "app/")) or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder]
    subprocess.run([*command, source], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    "An environment in which only the wheel's own files stand for the project, and an empty folder to work in."
    target, work = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("work")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(target)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CELEBML_")}
    return work, kept | {"PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}


def test_the_wheel_holds_the_apps_with_their_files_and_no_workshop(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"celebml", "celebml_app"}
    for wanted in (
        "site/static/index.html",
        "site/gunicorn.conf.py",
        "dashboard/dashboard.ipynb",
        "dashboard/voila.json",
    ):
        assert f"celebml_app/{wanted}" in names
    assert not [name for name in names if "trial" in name or "tests" in name or "__pycache__" in name]


def page_of(process, port):
    "What a server says at its front door, once it does."

    def said():
        assert process.poll() is None
        return answers(f"http://127.0.0.1:{port}/")

    return until(said, 180)


def started(installed, *words):
    work, environment = installed
    command = [sys.executable, "-m", "celebml", *map(str, words)]
    return subprocess.Popen(command, cwd=work, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_the_site_starts_from_the_wheel_in_an_empty_folder(installed, tmp_path):
    port = free_port()
    with started(installed, "serve", small_bundle(tmp_path / "bundle", people=3), "--port", port) as process:
        try:
            assert b"<html" in page_of(process, port)
        finally:
            process.terminate()


def test_the_dashboard_starts_from_the_wheel_in_an_empty_folder(installed):
    port = free_port()
    with started(installed, "dashboard", "--port", port, "--folder", installed[0] / "mine") as process:
        try:
            assert b"<html" in page_of(process, port)
        finally:
            process.terminate()


@pytest.mark.parametrize(("word", "module"), [("serve", "gunicorn"), ("dashboard", "voila")])
def test_a_missing_extra_is_one_sentence_that_names_it(installed, word, module):
    work, environment = installed
    lacking = f"import sys; sys.modules[{module!r}] = None; from celebml.cli import main; main([{word!r}])"
    done = subprocess.run(
        [sys.executable, "-c", lacking], cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    extra = "site" if word == "serve" else word
    assert done.returncode == 1
    assert done.stderr == f'Error: {module} is missing; mend with: pip install "celebml[{extra}]"\n'


def test_nothing_in_the_apps_touches_the_path_of_imports():
    found = [path for path in Path(ROOT / "app").rglob("*") if path.suffix in (".py", ".ipynb") and path.is_file()]
    changed = re.compile(r"sys\.path(\.(insert|append|extend)|\[.*\]\s*=|\s*\+?=[^=])")
    assert found and not [path for path in found if changed.search(path.read_text(encoding="utf-8"))]

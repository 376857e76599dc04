"""The commands of the deployment chapter: each is marked, those that can run here run, and the others exist."""

import re
import shlex
import subprocess
from pathlib import Path

import botocore.session
import nbformat
import pytest
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "ec2" / "template.yaml"
MARKS = ("# tried by the tests", "# needs an account", "# needs the machine")
EVERYWHERE = {"query", "output", "region", "profile"}


def blocks():
    "Every block of commands of the chapter: its mark, and its commands."
    cells = nbformat.read(ROOT / "nbs" / "34_deploy.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = re.findall(r"```sh\n(.*?)\n```", text, re.DOTALL)
    return [(block.splitlines()[0], block.splitlines()[1:]) for block in found]


def commands(mark):
    return [command for what, lines in blocks() if what == mark for command in lines]


def test_every_block_says_whether_it_is_tried():
    assert len(blocks()) >= 10
    for mark, lines in blocks():
        assert mark in MARKS, f"{mark!r} is none of {MARKS}"
        assert lines


def test_what_can_run_here_runs(bundle, tmp_path):
    here = tmp_path / "celebml"
    (here / "runs" / "mine").mkdir(parents=True)
    for part in (path for path in ROOT.iterdir() if path.name not in ("runs", ".git", ".venv")):
        (here / part.name).symlink_to(part)
    (here / "runs" / "mine" / "bundle").symlink_to(bundle)
    for command in commands("# tried by the tests"):
        done = subprocess.run(shlex.split(command), cwd=here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    listed = subprocess.run(["tar", "-tzhf", here / "bundle.tar.gz"], capture_output=True, text=True, check=True).stdout
    assert listed.startswith("bundle")
    assert (tmp_path / "celebml-heroku" / "bundle" / "manifest.json").is_file()
    staged = ["git", "-C", tmp_path / "celebml-heroku", "diff", "--cached", "--name-only"]
    assert "Procfile" in subprocess.run(staged, capture_output=True, text=True, check=True).stdout


def test_what_needs_amazon_is_spelled_as_amazon_spells_it():
    session, checked = botocore.session.get_session(), 0
    for command in commands("# needs an account"):
        words = shlex.split(command)
        if words[0] != "aws" or words[1] == "s3" or words[1:3] in (["configure", "sso"], ["cloudformation", "deploy"]):
            continue
        service = session.get_service_model(words[1].removesuffix("api"))
        operations = {xform_name(name, "-"): name for name in service.operation_names}
        given = {word[2:] for word in words if word.startswith("--")}
        if words[2] == "wait":
            waiters = session.get_waiter_model(words[1]).waiter_names
            assert words[3] in {xform_name(name, "-") for name in waiters}, command
            continue
        assert words[2] in operations, command
        shape = service.operation_model(operations[words[2]]).input_shape
        known = {xform_name(name, "-") for name in shape.members} if shape else set()
        assert given <= known | EVERYWHERE, f"{command}: {given - known}"
        checked += 1
    assert checked >= 6


def test_the_parameters_of_the_chapter_are_those_of_the_template():
    (command,) = [
        command for command in commands("# needs an account") if command.startswith("aws cloudformation deploy")
    ]
    words = shlex.split(command)
    named = {word.split("=")[0] for word in words[words.index("--parameter-overrides") + 1 :]}
    declared = re.findall(r"^  (\w+):$", TEMPLATE.read_text().split("\nConditions:")[0], re.MULTILINE)
    assert named and named <= set(declared)
    assert (ROOT / words[words.index("--template-file") + 1]).is_file()


def test_nothing_of_the_stack_outlives_it():
    text = TEMPLATE.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:DeletionPolicy|UpdateReplacePolicy): (\w+)", text)) <= {"Delete"}
    disks = re.findall(r"Ebs: \{([^}]*)\}", text)
    assert disks and all("DeleteOnTermination: true" in disk for disk in disks)


def test_prices_of_the_chapter_add_up():
    text = (ROOT / "nbs" / "34_deploy.ipynb").read_text(encoding="utf-8")
    hourly = 730 * 0.0168
    assert f"{hourly:.2f} dollars a month for the machine" in text
    assert f"{16 * 0.08:.2f} for 16 GB" in text and f"{730 * 0.005:.2f} for the address" in text


@pytest.mark.parametrize("place", ["machine", "account"])
def test_the_chapter_promises_no_more_than_the_tests_hold(place):
    text = (ROOT / "nbs" / "34_deploy.ipynb").read_text(encoding="utf-8")
    assert f"# needs {'the ' if place == 'machine' else 'an '}{place}" in text
    assert "A stack in a real account is not among the tests" in text

"""The manners that all commands share: one answer, one sentence, one object."""

import json

import click
import pytest
from click.testing import CliRunner

from celebml.cli import main
from celebml.console import Commands, as_json, needs, tell, tell_notes
from celebml.errors import CelebmlError, DataError, FetchError


@click.group(cls=Commands)
def group():
    """A group of one."""


@group.command()
@click.argument("how")
@as_json
def act(how, as_json):
    """Fail, or not."""
    wrong = {"data": DataError("mend the table"), "fetch": FetchError("no line"), "ours": KeyError("a fault of ours")}
    wrong["half"] = DataError("no file x\udcff")
    if how in wrong:
        raise wrong[how]
    if how == "extra":
        needs("site", "no_such_module_anywhere")
    tell_notes(["by the way"])
    tell(as_json, {"name": "Ádá"}, "Ádá it is")


def ask(*words):
    return CliRunner().invoke(group, ["act", *words])


def test_an_answer_is_one_object_and_notes_stand_aside():
    done = ask("well", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"name": "Ádá"})
    assert "Ádá" in done.stdout
    assert done.stderr == "note: by the way\n"
    assert ask("well").stdout == "Ádá it is\n"


@pytest.mark.parametrize(
    ("how", "said"),
    [("data", "mend the table"), ("fetch", "no line"), ("extra", "celebml[site]"), ("half", "no file x")],
)
def test_a_mistake_is_one_sentence_and_with_json_one_object_too(how, said):
    done = ask(how)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    done = ask(how, "--json")
    assert done.exit_code == 1
    assert said in json.loads(done.stdout)["error"]


@pytest.mark.parametrize("words", [["well", "--no-such-option", "--json"], ["--json"]])
def test_what_is_not_understood_is_an_object_too(words):
    done = ask(*words)
    assert done.exit_code == 2
    assert list(json.loads(done.stdout)) == ["error"]


def test_a_fault_of_ours_keeps_its_traceback():
    assert isinstance(ask("ours", "--json").exception, KeyError)
    assert not issubclass(KeyError, CelebmlError)


@pytest.mark.parametrize("words", [["classify", "/no/such/bundle", "a.jpg"], ["audit", "/no/such/folder"], ["review"]])
def test_every_command_of_celebml_has_these_manners(words):
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code in (1, 2)
    assert list(json.loads(done.stdout)) == ["error"]

"""Behaviour of the commands about data: collect, attribution, audit, review."""

import csv
import io
import json
import shutil
import sqlite3
import zipfile

import pytest
from click.testing import CliRunner
from open_collections import Collections, drawn, serving

from celebml.data_cli import COMMANDS, attribution, audit, collect, review
from celebml.datasets import load_folder
from celebml.review import Decision, append_decision, read_decisions


def ask(command, *arguments, code=0):
    """Output of a command; as JSON if it was asked for."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if "--json" in arguments else result.output


@pytest.fixture
def folder(people, tmp_path):
    """The shared people as a folder."""
    for path, name in zip(people.paths, people.names, strict=True):
        (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "photos" / name)
    return tmp_path / "photos"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_an_example_and_json(command):
    text = ask(command, "--help")
    assert f"celebml {command.name} " in text
    assert "--json" in text


def test_people_are_searched_fetched_and_thanked(tmp_path):
    out = tmp_path / "out"
    with serving(Collections(count=5)) as address:
        services = ["--commons-url", f"{address}/w/api.php", "--openverse-url", f"{address}/v1/images/"]
        services += ["--trust", address.removeprefix("http://"), "--contact", "ada@example.org", "--most", "5"]
        value = ask(collect, out, "--person", "Ada", *services, "--json")
    assert value["people"] == {"Ada": 9}
    assert value["left_out"] == {"licence not on the list": 1}
    assert load_folder(out).people == {"Ada": 9}
    told = ask(attribution, out, "--json")
    assert told["without_licence"] == 0
    page = (out / "credits.html").read_text(encoding="utf-8")
    assert page.count("<li>") == 9
    assert "Portrait 0" in page


def test_a_service_out_of_reach_is_a_note_and_not_a_traceback(tmp_path):
    nowhere = ["--commons-url", "http://127.0.0.1:9/", "--openverse-url", "http://127.0.0.1:9/"]
    value = ask(collect, tmp_path / "out", "--person", "Ada", *nowhere, "--json")
    assert value["kept"] == 0
    assert len(value["notes"]) == 2


def test_downloads_a_zip_a_table_and_a_database_arrive(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ada_lovelace (1).jpg").write_bytes(drawn(1))
    people = ["--person", "Ada Lovelace", "--person", "Alan Turing"]
    assert ask(collect, tmp_path / "1", "--from-folder", tmp_path / "in", *people, "--json")["people"] == {
        "Ada Lovelace": 1
    }
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("Ada/1.jpg", drawn(1))
    assert ask(collect, tmp_path / "2", "--from-zip", tmp_path / "a.zip", "--json")["people"] == {"Ada": 1}
    assert "a.zip/Ada/1.jpg" in (tmp_path / "2" / "manifest.csv").read_text(encoding="utf-8")
    (tmp_path / "shop.csv").write_text("name,path\nAda,in/ada_lovelace (1).jpg\n", encoding="utf-8")
    assert ask(collect, tmp_path / "3", "--from-csv", tmp_path / "shop.csv", "--json")["kept"] == 1
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("create table photo (name text, path text)")
    database.execute("insert into photo values ('Ada', ?)", (str(tmp_path / "in" / "ada_lovelace (1).jpg"),))
    database.commit()
    database.close()
    found = ask(
        collect,
        tmp_path / "4",
        "--from-sql",
        f"sqlite:///{tmp_path}/shop.db",
        "--query",
        "select * from photo",
        "--json",
    )
    assert found["kept"] == 1


@pytest.mark.parametrize("wrong", [[], ["--from-sql", "sqlite://"], ["--from-folder", ".", "--from-csv", __file__]])
def test_collect_wants_to_know_where_from(tmp_path, wrong):
    ask(collect, tmp_path / "out", *wrong, code=2)


def test_thanks_need_a_manifest(tmp_path):
    assert "no manifest" in ask(attribution, tmp_path, code=1)


def test_the_audit_writes_a_page_a_card_and_the_same_json(folder, tmp_path):
    value = ask(audit, folder, "--out", tmp_path / "audit", "--json")
    assert json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8")) == value
    assert (tmp_path / "audit" / "dataset-card.md").read_text(encoding="utf-8").startswith("# Dataset card")
    assert (tmp_path / "audit" / "audit.html").is_file()
    assert value["photographs"] == 24
    assert "good  s1" in ask(audit, folder, "--quick")


def test_a_review_goes_out_comes_back_and_is_applied(folder, tmp_path):
    sheet = tmp_path / "sheet.csv"
    ask(review, folder, "--export", sheet)
    rows = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8"))))
    assert len(rows) == 24
    first, second = rows[:2]
    first["decision"] = "reject"
    second |= {"decision": "relabel", "name": "../Grace"}
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    value = ask(review, folder, "--import", sheet, "--reviewer", "Ada", "--json")
    assert value["actions"] == {"reject": 1, "relabel": 1}
    again = ask(review, folder, "--import", sheet, "--apply", tmp_path / "clean", "--json")
    assert len(read_decisions(folder / "decisions.jsonl")) == 2
    assert again["applied"].startswith("23 of 24")
    assert load_folder(tmp_path / "clean").people.get("Grace") == 1
    assert not (tmp_path / "Grace").exists()
    assert len(load_folder(folder)) == 24


def test_conflicts_are_listed_and_said_by_the_exit_code(folder, tmp_path):
    append_decision(folder / "decisions.jsonl", Decision("a", "s1", "keep", reviewer="Ada"))
    append_decision(tmp_path / "theirs.jsonl", Decision("a", "s1", "reject", reviewer="Alan"))
    append_decision(tmp_path / "theirs.jsonl", Decision("b", "s1", "reject", reviewer="Alan"))
    value = ask(review, folder, "--merge", tmp_path / "theirs.jsonl", "--json", code=1)
    assert [[side["reviewer"] for side in pair] for pair in value["conflicts"]] == [["Ada", "Alan"]]
    assert value["actions"] == {"keep": 1, "reject": 1}


def test_a_review_wants_to_know_what_to_do(folder):
    ask(review, folder, code=2)

"""Behaviour of the commands about data: collect, attribution, audit, review."""

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner
from open_collections import Collections, drawn, serving

from celebml.cli import main
from celebml.data_cli import COMMANDS, attribution, audit, collect
from celebml.datasets import load_folder
from celebml.decisions import Decision, append_decision, read_decisions
from celebml.manifest import read_manifest
from celebml.review_cli import COMMANDS as REVIEWING
from celebml.review_cli import review


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


@pytest.mark.parametrize("command", [*COMMANDS, *REVIEWING], ids=lambda command: command.name)
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


@pytest.mark.parametrize("name", ["", "  ", "unknown", "a\udcff"])
def test_collect_wants_names_of_people(tmp_path, name):
    done = CliRunner().invoke(main, ["collect", str(tmp_path / "out"), "--person", name, "--json"])
    assert done.exit_code == 1, done.output
    assert list(json.loads(done.stdout)) == ["error"]
    assert not (tmp_path / "out").exists()


def test_help_says_what_the_law_says():
    text = " ".join(ask(collect, "--help").split())
    assert "Art. 5(1)(e), forbids face databases made by untargeted scraping" in text
    assert "no legal advice" in text


def test_a_table_that_is_read_as_latin_1_says_so(tmp_path):
    (tmp_path / "1.jpg").write_bytes(drawn(1))
    (tmp_path / "shop.csv").write_bytes("name;path\nÁda;1.jpg\n".encode("latin-1"))
    value = ask(collect, tmp_path / "out", "--from-csv", tmp_path / "shop.csv", "--json")
    assert value["people"] == {"Áda": 1}
    assert "Windows-1252" in value["notes"][0]


def test_only_what_comes_from_the_web_needs_its_packages(tmp_path, monkeypatch):
    for name in ("urllib3", "tenacity", "sqlalchemy", "celebml.fetching", "celebml.open_web"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "1.jpg").write_bytes(drawn(1))
    (tmp_path / "here.csv").write_text("name,path\nAda,1.jpg\n", encoding="utf-8")
    assert ask(collect, tmp_path / "1", "--from-csv", tmp_path / "here.csv", "--json")["kept"] == 1
    query = ["--from-sql", "sqlite://", "--query", f"select 'Ada' as name, '{tmp_path / '1.jpg'}' as path"]
    assert ask(collect, tmp_path / "2", *query, "--json")["kept"] == 1
    (tmp_path / "web.csv").write_text("name,url\nAda,https://example.org/1.jpg\n", encoding="utf-8")
    assert "celebml[collect]" in ask(collect, tmp_path / "3", "--from-csv", tmp_path / "web.csv", code=1)
    assert "celebml[collect]" in ask(collect, tmp_path / "4", "--person", "Ada", code=1)


ODD_FILES = {
    "nul.csv": b"name,path\nA\0da,1.jpg\n",
    "field.csv": b"name,path\n" + b"a" * 300_000 + b",1.jpg\n",
    "photo.csv": drawn(2),
    "empty.csv": b"",
    "head.csv": b"name,path\n",
    "utf16.csv": "name,path\nÁda,1.jpg\n".encode("utf-16"),
    "paths.csv": b"name,path\nAda,paths.csv\nAda,/dev/zero\nAda,pipe\nAda,.\nAda," + b"x" * 5000 + b"\nAda,a\1b\n",
    "urls.csv": b"name,url\nAda,http://[::1/\nAda,https://\nAda,ftp://a/b\nAda,/etc/passwd\nAda,HTTP://127.0.0.1/\n",
    "names.csv": "\n".join(
        [
            "name,path",
            *(f"{name},1.jpg" for name in ("..", "../../x", "/", "CON", ".", "manifest.csv", ".celebml", "é" * 300)),
        ]
    ).encode(),
    "types.json": b'[{"name": {"a": 1}, "path": ["x"]}, {"name": null, "path": true}, {"name": NaN, "path": 1e999}]',
    "numbers.json": b"[1, 2]",
    "bad.zip": b"PK\3\4xx",
}
FOUR = [*(["--from-csv", name] for name in ODD_FILES if not name.endswith("zip"))]
FOUR += [
    ["--from-csv", "pipe"],
    ["--from-csv", "/dev/zero"],
    ["--from-zip", "bad.zip"],
    ["--from-zip", "head.csv"],
    ["--from-zip", "pipe"],
]
FOUR += [
    ["--from-sql", url, "--query", "select 1"]
    for url in ("x", "", "sqlite:///head.csv", "sqlite:///none.db", "sqlite:///\0")
]


@pytest.mark.parametrize("words", FOUR, ids=lambda words: " ".join(words)[:60])
def test_an_odd_source_is_one_object_and_no_traceback(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    getattr(os, "mkfifo", lambda name: None)("pipe")  # Windows has none
    (tmp_path / "1.jpg").write_bytes(drawn(1))
    for name, data in ODD_FILES.items():
        (tmp_path / name).write_bytes(data)
    before = {path.name for path in tmp_path.iterdir()}
    done = CliRunner().invoke(main, ["collect", "out", *words, "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    value = json.loads(done.stdout)
    assert (done.exit_code, "error" in value) in ((0, False), (1, True), (2, True))
    assert {path.name for path in tmp_path.iterdir()} - before <= {"out"}


def test_two_collections_at_once_lose_no_row(tmp_path):
    for who in ("Ada", "Alan"):
        (tmp_path / who / who).mkdir(parents=True)
        for number in range(12):
            (tmp_path / who / who / f"{number}.jpg").write_bytes(drawn(number + 20 * (who == "Ada")))
    out = str(tmp_path / "out")
    command = lambda who: [sys.executable, "-m", "celebml", "collect", out, "--from-folder", str(tmp_path / who)]
    running = [subprocess.Popen(command(who), stderr=subprocess.PIPE, text=True) for who in ("Ada", "Alan")]
    for who, process in zip(("Ada", "Alan"), running, strict=True):
        told = process.communicate()[1]
        if process.returncode:  # it found the other at work, said so, and is run again
            assert "another celebml is writing there" in told
            subprocess.run(command(who), check=True)
    entries = read_manifest(tmp_path / "out")
    assert sum(entry.kept for entry in entries) == 24
    assert {entry.file for entry in entries} == {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.jpg")
    }


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
    append_decision(folder / "decisions.jsonl", Decision("a", "s1", "keep", "", "Ada", "2026-01-02"))
    append_decision(tmp_path / "theirs.jsonl", Decision("a", "s1", "reject", "", "Alan", "2026-01-01"))
    append_decision(tmp_path / "theirs.jsonl", Decision("b", "s1", "reject", reviewer="Alan"))
    value = ask(review, folder, "--merge", tmp_path / "theirs.jsonl", "--json", code=1)
    assert [[side["reviewer"] for side in pair] for pair in value["conflicts"]] == [["Alan", "Ada"]]
    assert value["actions"] == {"keep": 1, "reject": 1}


def test_a_review_wants_to_know_what_to_do(folder):
    ask(review, folder, code=2)

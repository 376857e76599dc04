"""Tables of other people: encodings told, what is none refused before it is read, cells that no spreadsheet runs."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebml.errors import DataError
from celebml.rows import as_cell, from_csv_text, read_table, read_text, to_csv

cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.fixed_dictionaries({"a": cells, "b": cells}), max_size=5))
def test_rows_come_back_as_they_are_said_to(rows):
    text = to_csv(rows, ["a", "b"])
    assert from_csv_text(text) == [{key: as_cell(cell) for key, cell in row.items()} for row in rows]


@given(cells)
def test_no_cell_is_a_formula(cell):
    written = next(
        csv.reader(io.StringIO(to_csv([{"a": cell, "b": ""}], ["a", "b"]), newline="").readlines()[1:]), [""]
    )
    assert not written[0].startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_numbers_stay_numbers_and_half_characters_can_be_written():
    assert to_csv([{"a": -0.5, "b": "-0.5"}], ["a", "b"]) == "a,b\n-0.5,'-0.5\n"
    assert to_csv([{"a": "x\udcff"}, {"a": None}], ["a"]).encode() == b'a\nx?\n""\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("csv", ";"), ("tsv", "\t")])
def test_a_table_is_read_in_every_common_form(tmp_path, encoding, ending, delimiter):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(f"name{delimiter}path\r\nÁda{delimiter}é, è.jpg\r\n".replace(", è", "").encode(encoding))
    rows, note = read_table(path)
    assert rows == [{"name": "Áda", "path": "é.jpg"}]
    assert ("Windows-1252" in note) == (encoding == "latin-1")


def test_json_is_a_table_too(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"name": "Ada", "path": None, "year": 1843}]))
    assert read_table(tmp_path / "a.json")[0] == [{"name": "Ada", "path": "", "year": "1843"}]


def fifo(path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)


def sparse(path):
    with path.open("wb") as file:
        file.truncate(4_000_000_000)


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("pipe.csv", fifo, "a pipe or a device"),
        ("large.csv", sparse, "4,000 MB"),
        ("folder.csv", lambda path: path.mkdir(), "cannot be read"),
        ("nowhere.csv", lambda path: None, "cannot be read"),
        ("nul.csv", lambda path: path.write_bytes(b"name,path\nAda\0,a.jpg\n"), "not a text"),
        ("photo.csv", lambda path: path.write_bytes(bytes(range(256)) * 9), "not a text"),
        ("field.csv", lambda path: path.write_text(f"name,path\n{'a' * 200_000},a.jpg\n"), "field larger"),
        ("shifted.csv", lambda path: path.write_text("name,licence\nAda,no, CC0\n"), "line 2 has more cells"),
        ("twice.csv", lambda path: path.write_text("name,name\nAda,Alan\n"), "two columns are called name"),
        ("a.json", lambda path: path.write_text("{"), "not JSON"),
        ("b.json", lambda path: path.write_text("[" * 100_000), "not JSON"),
        ("c.json", lambda path: path.write_text('{"name": "Ada"}'), "not a list"),
    ],
)
def test_what_is_no_table_is_one_sentence(tmp_path, name, make, said):
    make(tmp_path / name)
    with pytest.raises(DataError, match=said) as caught:
        read_table(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no such device")
def test_a_device_without_end_is_refused():
    with pytest.raises(DataError, match="a pipe or a device"):
        read_text("/dev/zero")


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("t") / "a.csv"
    path.write_bytes(data)
    try:
        rows = read_table(path)[0]
    except DataError:
        return
    assert all(isinstance(cell, str) for row in rows for cell in row.values())

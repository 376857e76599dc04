"""Behaviour of the manifest: rows that come back as they went, credits that forget nobody."""

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.errors import DataError
from celebml.manifest import Entry, credits_page, manifest_text, read_manifest
from celebml.rows import to_csv

cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(Entry, person=cells, title=cells, reason=cells, kept=st.booleans()), max_size=4))
def test_rows_come_back_as_they_went(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("m")
    (folder / "manifest.csv").write_text(manifest_text(entries), encoding="utf-8")
    assert read_manifest(folder) == entries


@pytest.mark.parametrize("title", ["=1+1", "+44 20", "-x", "@name", "'=1", "''=1", "\tx"])
def test_no_cell_is_a_formula(tmp_path, title):
    path = tmp_path / "manifest.csv"
    path.write_text(manifest_text([Entry("Ada", title=title)]), encoding="utf-8")
    cell = path.read_text(encoding="utf-8").splitlines()[1].split(",")[9].strip('"')
    assert cell[0] == "'"
    assert read_manifest(tmp_path)[0].title == title


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "person\nAda\n", "\x00\x00"])
def test_another_table_is_refused(tmp_path, text):
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="not a manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("bytes", "many"),
        ("bytes", "1e9999"),
        ("width", "-1"),
        ("height", ""),
        ("kept", "perhaps"),
        ("bytes", "9" * 5000),
    ],
)
def test_a_row_with_an_odd_value_is_one_sentence(tmp_path, column, cell):
    rows = list(csv.DictReader(manifest_text([Entry("Ada", "Ada/1.jpg")]).splitlines()))
    (tmp_path / "manifest.csv").write_text(to_csv([rows[0] | {column: cell}], list(rows[0])), encoding="utf-8")
    with pytest.raises(DataError, match=f"the row of Ada/1.jpg has .* under {column}"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_manifest_that_a_spreadsheet_saved_is_read(tmp_path, encoding):
    text = manifest_text([Entry("Ádá", "Ada/1.jpg", title="a, b")]).replace("True", "TRUE").replace("\n", "\r\n")
    (tmp_path / "manifest.csv").write_bytes(text.encode(encoding))
    assert read_manifest(tmp_path) == [Entry("Ádá", "Ada/1.jpg", title="a, b")]


def test_a_folder_called_manifest_is_one_sentence(tmp_path):
    (tmp_path / "manifest.csv").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_manifest(tmp_path)


def test_no_manifest_is_no_rows(tmp_path):
    assert read_manifest(tmp_path) == []


def test_credits_name_everybody_and_trust_nobody():
    page = credits_page(
        [
            Entry("Ada", "Ada/1.jpg", attribution="<b>bold</b>", licence="CC-BY-4.0", landing="javascript:alert(1)"),
            Entry("Ada", "Ada/2.jpg", title="Second", licence="CC0-1.0", landing="https://example.org/2"),
            Entry("Alan", "Alan/bare.jpg"),
            Entry("Alan", "Alan/odd.jpg", licence="CC BY 4.0, no faces", attribution="Photograph by Zoë"),
            Entry("Alan", title="Left out", licence="CC-BY-4.0", kept=False),
        ]
    )
    assert "&lt;b&gt;bold" in page
    assert "javascript:" not in page
    assert 'href="https://example.org/2"' in page
    assert "Alan/bare.jpg" in page.split("Without a licence")[1]
    assert "Alan/odd.jpg: Photograph by Zoë" in page.split("Without a licence")[1]
    assert "Left out" not in page

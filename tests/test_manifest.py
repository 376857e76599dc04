"""Behaviour of the manifest: licences in one spelling, rows that come back as they went, credits that forget nobody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.datasets import DataError
from celebml.licences import attribution_line, is_allowed, licence_link, licence_name
from celebml.manifest import Entry, credits_page, read_manifest, write_manifest


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("cc-by-sa-4.0", "CC-BY-SA-4.0"),
        ("Creative Commons Attribution 2.0", "Creative Commons Attribution 2.0"),
        ("CC BY 3.0 de", "CC-BY-3.0"),
        ("by-nc-nd", "CC-BY-NC-ND"),
        ("CC0 1.0", "CC0-1.0"),
        ("pdm", "PDM-1.0"),
        ("Public domain", "public domain"),
        ("PD-USGov", "public domain"),
        ("GFDL 1.2", "GFDL 1.2"),
        ("byron's own", "byron's own"),
        ("", ""),
    ],
)
def test_one_spelling(written, name):
    assert licence_name(written) == name
    assert licence_name(name) == name


@pytest.mark.parametrize("licence", ["CC BY-NC 4.0", "CC BY-ND 2.0", "GFDL", "", "all rights reserved"])
def test_not_on_the_list(licence):
    assert not is_allowed(licence)


@pytest.mark.parametrize("licence", ["CC BY-SA 4.0", "by", "CC0", "Public domain", "PDM 1.0"])
def test_on_the_list(licence):
    assert is_allowed(licence)


def test_links_follow_the_licence():
    assert licence_link("CC BY-SA 3.0") == "https://creativecommons.org/licenses/by-sa/3.0/"
    assert licence_link("CC0").endswith("/zero/1.0/")
    assert licence_link("GFDL 1.2") == ""


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(Entry, person=cells, title=cells, reason=cells, kept=st.booleans()), max_size=4))
def test_rows_come_back_as_they_went(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("m")
    write_manifest(folder, entries)
    assert read_manifest(folder) == entries


@pytest.mark.parametrize("title", ["=1+1", "+44 20", "-x", "@name", "'=1", "''=1", "\tx"])
def test_no_cell_is_a_formula(tmp_path, title):
    path = write_manifest(tmp_path, [Entry("Ada", title=title)])
    cell = path.read_text(encoding="utf-8").splitlines()[1].split(",")[9].strip('"')
    assert cell[0] == "'"
    assert read_manifest(tmp_path)[0].title == title


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "person\nAda\n", "\x00\x00"])
def test_another_table_is_refused(tmp_path, text):
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="not a manifest"):
        read_manifest(tmp_path)


def test_no_manifest_is_no_rows(tmp_path):
    assert read_manifest(tmp_path) == []


def test_credits_name_everybody_and_trust_nobody():
    page = credits_page(
        [
            Entry("Ada", "Ada/1.jpg", attribution="<b>bold</b>", licence="CC-BY-4.0", landing="javascript:alert(1)"),
            Entry("Ada", "Ada/2.jpg", title="Second", licence="CC0-1.0", landing="https://example.org/2"),
            Entry("Alan", "Alan/bare.jpg"),
            Entry("Alan", title="Left out", licence="CC-BY-4.0", kept=False),
        ]
    )
    assert "&lt;b&gt;bold" in page
    assert "javascript:" not in page
    assert 'href="https://example.org/2"' in page
    assert "Alan/bare.jpg" in page.split("Without a licence")[1]
    assert "Left out" not in page


def test_attribution_says_what_is_known():
    assert attribution_line("", "", "") == ""
    assert attribution_line("Rose", "Ada", "CC-BY-4.0") == "“Rose” by Ada, licensed under CC-BY-4.0"
    assert "public domain" in attribution_line("", "Ada", "PDM-1.0")

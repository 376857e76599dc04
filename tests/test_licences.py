"""A licence is understood whole or not at all: a table of real and misleading spellings, and words added to it."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebml.licences import (
    ALLOWED,
    attribution_line,
    is_allowed,
    is_understood,
    licence_link,
    licence_name,
    read_licence,
)

with Path(__file__).with_name("licences.csv").open(encoding="utf-8", newline="") as file:
    TABLE = [(row["text"], row["name"], row["allowed"] == "yes") for row in csv.DictReader(file)]
OPEN = [text for text, _, allowed in TABLE if allowed]
WORDS = [  # of these, none makes another open licence of an open one
    *(
        "not",
        "no",
        "non",
        "never",
        "NC",
        "nd",
        "cc0",
        "PD",
        "only",
        "except",
        "without",
        "and",
        "OR",
        "but",
        "free",
        "reuse",
    ),
    *(
        "commercial",
        "non-commercial",
        "portraits",
        "faces",
        "until",
        "formerly",
        "pending",
        "text",
        "data",
        "elsewhere",
    ),
    *("xx", "5.0", "copyright", "©", "reserved", "all", "?", ";", ",", "/", "(", ")", "+", "http://example.net"),
]


def test_the_table_is_large_and_holds_both_kinds():
    assert len(TABLE) >= 300
    assert len(OPEN) >= 100
    assert len(TABLE) - len(OPEN) >= 150
    assert len({text for text, _, _ in TABLE}) == len(TABLE)


def test_every_spelling_is_taken_or_refused_as_the_table_says():
    got = [(text, licence_name(text), is_allowed(text)) for text, _, _ in TABLE]
    expected = [(text, name or text.strip(), allowed) for text, name, allowed in TABLE]
    assert got == expected


@given(
    st.sampled_from(OPEN),
    st.sampled_from(WORDS) | st.text("abcdefghijklmnopqrstuvwxyz", min_size=9, max_size=12),
    st.integers(0, 12),
)
def test_a_word_added_to_an_open_licence_closes_it(text, word, place):
    parts = text.split()
    assert not is_allowed(" ".join([*parts[:place], word, *parts[place:]]))
    assert text.startswith("http") or not is_allowed(f"{text}{word}")  # "no" behind an address is Norway


@given(st.text(max_size=60))
def test_any_text_is_survived_and_hardly_any_is_a_licence(text):
    name = licence_name(text)
    assert is_allowed(text) == (read_licence(text) is not None and read_licence(text).family in ALLOWED)
    assert licence_name(name) == name


@pytest.mark.parametrize("text", ["(" * 199, "CC0-1.0 OR " * 18, "a" * 100_000, "\x00", "\ud800", "OR", "WITH", "+"])
def test_odd_texts_are_no_licence(text):
    assert licence_name(text) == text.strip()
    assert not is_allowed(text)


def test_a_link_leads_back_to_its_licence():
    links = {name: licence_link(text) for text, name, _ in TABLE if licence_link(text)}
    assert len(links) > 40
    assert {name: licence_name(link) for name, link in links.items()} == {name: name for name in links}


def test_a_version_of_its_own_field_counts_and_cannot_smuggle_a_word():
    assert licence_name("by-sa", "4.0") == "CC-BY-SA-4.0"
    assert licence_name("cc0", "1.0") == "CC0-1.0"
    assert not is_allowed(licence_name("by", "4.0 NC"))


def test_thanks_name_author_and_licence():
    assert attribution_line("", "", "") == ""
    assert attribution_line("Rose", "Ada", "CC-BY-4.0") == "“Rose” by Ada, licensed under CC-BY-4.0"
    assert "public domain" in attribution_line("", "Ada", "PDM-1.0")
    assert attribution_line("", "Ada", "no faces") == "Photograph by Ada, with the words “no faces”"


def test_only_what_is_understood_is_a_licence():
    understood = {text: bool(name) for text, name, _ in TABLE}
    assert {text: is_understood(text) for text in understood} == understood

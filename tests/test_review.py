"""Behaviour of the review: nothing is lost, anything can be undone, two people's work merges, sheets come back."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_decisions import acts, decisions

from celebml.datasets import PhotoSet
from celebml.decisions import (
    read_decisions,
    standing,
)
from celebml.errors import DataError
from celebml.review import Review, ReviewItem, export_sheet, import_sheet, review_queue


def items(count=5):
    """Photographs that do not exist, one of them left out for a reason."""
    return [
        ReviewItem(Path(f"{k}.jpg"), "Ada" if k % 2 else "Alan", f"{k}", "too dark" if k == 1 else "", 1 - k / 10)
        for k in range(count)
    ]


def test_one_sheet_says_one_thing_of_a_photograph():
    sheet = "person,sha256,decision\nAda,a,reject\nAda,b,keep\nAda,a,keep\n"
    with pytest.raises(DataError, match=r"line 4: another decision about the photograph of line 2"):
        import_sheet(sheet)
    assert len(import_sheet(sheet.replace("Ada,a,keep", "Ada,a,reject"))) == 2


@settings(max_examples=30, deadline=None)  # each example forces lines to the disk
@given(st.lists(st.tuples(st.integers(0, 4), acts.filter(lambda act: act[0] != "undo")), max_size=6))
def test_undoing_everything_leaves_nothing(tmp_path_factory, said):
    review = Review(items(), tmp_path_factory.mktemp("r") / "d.jsonl")
    for index, (action, name) in said:
        review.decide(review.items[index], action, name)
    while review.undo():
        pass
    assert review.progress()["decided"] == 0
    assert standing(read_decisions(review.file)) == {}


def test_a_session_goes_on_where_it_was(tmp_path):
    first = Review(items(), tmp_path / "d.jsonl", "Ada")
    first.decide(first.items[0], "reject")
    again = Review(items(), tmp_path / "d.jsonl", "Alan")
    assert again.decision(again.items[0]).reviewer == "Ada"
    assert again.progress() == {"photographs": 5, "decided": 1, "keep": 0, "reject": 1, "relabel": 0}
    assert not again.undo()


def test_pages_and_filters(tmp_path):
    review = Review(items(7), tmp_path / "d.jsonl", page_size=3)
    assert [len(review.current()), review.pages] == [3, 3]
    review.page = 99
    assert len(review.current()) == 1
    review.person = "Ada"
    assert {item.person for item in review.current()} == {"Ada"}
    review.reason = "too dark"
    assert [item.sha256 for item in review.current()] == ["1"]
    review.decide(review.current()[0], "keep")
    review.hide_decided = True
    assert review.current() == []
    assert review.pages == 1


def test_the_most_doubtful_come_first_and_the_silent_last():
    photos = PhotoSet(tuple(Path(f"{k}") for k in range(4)), ("Ada",) * 4)
    rows = [{"person": "Ada", "sha256": str(k), "reason": "no face" if k == 3 else ""} for k in range(4)]
    queue = review_queue(photos, rows, ([0.1, 0.9, float("nan"), float("nan")], ["", "Alan", "", ""]))
    assert [item.sha256 for item in queue] == ["1", "0", "3", "2"]


@given(st.lists(decisions, max_size=5))
def test_a_sheet_comes_back_as_it_went(said):
    shown = [ReviewItem(Path("=x.jpg"), "Ada", key) for key in "abc"]
    back = import_sheet(export_sheet(shown, said))
    assert standing(back).keys() == standing(said).keys()
    assert all(standing(said)[d.key].outcome == d.outcome for d in back)


def test_a_filled_in_sheet_is_understood_and_mistakes_are_named():
    text = export_sheet(items(2)).replace(",,,0\n", ", Relabel , Grace ,0\n")
    assert [d.outcome for d in import_sheet(text, "Ada")] == [("relabel", "Grace")]
    with pytest.raises(DataError, match="line 2"):
        import_sheet(text.replace("Relabel", "burn"))
    with pytest.raises(DataError, match="no column"):
        import_sheet("a,b\n1,2\n")


def test_the_widget_decides_what_is_clicked(tmp_path, people):
    pytest.importorskip("anywidget", reason='the screen needs pip install "celebml[dashboard]"')
    from celebml_app.dashboard.widgets.review import ReviewWidget

    shown = [
        ReviewItem(path, name, path.as_posix(), doubt=0.9, looks_like="s9")
        for path, name in zip(people.paths, people.names, strict=True)
    ]
    widget = ReviewWidget(Review(shown, tmp_path / "d.jsonl", page_size=4))
    assert len(widget.cards.items) == 4
    assert widget.cards.items[0]["picture"].startswith("data:image/jpeg;base64,")
    assert widget.cards.items[0]["note"] == "looks like s9"
    for message in (
        {"key": widget.cards.items[0]["key"], "action": "keep"},
        {"key": widget.cards.items[1]["key"], "action": "relabel", "name": "s2"},
        {"key": "nobody's", "action": "keep"},
        {},
    ):
        widget.act(message)
    assert [card["action"] for card in widget.cards.items] == ["keep", "relabel", "", ""]
    widget.undo.click()
    widget.after.click()
    assert widget.said.value.startswith("1 of 24 decided: 1 kept")
    assert "Page 2 of 6" in widget.said.value
    widget.person.value = people.names[-1]
    assert {card["person"] for card in widget.cards.items} == {people.names[-1]}
    assert [json.loads(line)["action"] for line in (tmp_path / "d.jsonl").read_text().splitlines()] == [
        "keep",
        "relabel",
        "undo",
    ]

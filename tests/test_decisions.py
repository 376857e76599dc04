"""Decisions: nothing is lost, anything can be undone, two people's work merges in any order."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.datasets import PhotoSet
from celebml.decisions import (
    Decision,
    append_decision,
    apply_decisions,
    find_conflicts,
    linked,
    merge_decisions,
    read_decisions,
    standing,
)
from celebml.errors import DataError

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
acts = st.one_of(
    st.tuples(st.sampled_from(["keep", "reject", "undo"]), st.just("")),
    st.tuples(st.just("relabel"), texts.filter(lambda name: name.strip() == name)),
)
decisions = st.builds(lambda key, act: Decision(key, "Ada", *act), st.sampled_from("abc"), acts)


ACTS = (("keep", ""), ("reject", ""), ("undo", ""), ("relabel", "Alan"), ("relabel", "Grace"))
steps = st.binary(max_size=16)  # two bytes a step: quicker to draw than a list of tuples


def three_people(said):
    """What three people hold after deciding and taking over from each other, clocks as they please."""
    held = [[], [], []]
    for one, two in zip(said[::2], said[1::2], strict=False):
        who, whom = one % 3, one // 3 % 3
        if one > 127:
            held[who] = merge_decisions(held[who], held[whom])
        else:
            decision = Decision("ab"[two % 2], "Ada", *ACTS[two // 2 % 5], f"{who}", "12"[two // 10 % 2])
            held[who] = linked([*held[who], decision])
    return held


def view(decisions):
    """All that can be seen of a state."""
    return decisions, standing(decisions), find_conflicts(decisions)


@settings(max_examples=30, deadline=None)  # each example forces lines to the disk
@given(st.lists(decisions, max_size=6))
def test_a_file_gives_back_what_was_decided(tmp_path_factory, said):
    path = tmp_path_factory.mktemp("d") / "d.jsonl"
    for decision in said:
        append_decision(path, decision)
    assert read_decisions(path) == said


@settings(max_examples=30, deadline=None)  # each example forces lines to the disk
@given(st.lists(decisions, min_size=2, max_size=5), st.data())
def test_a_torn_file_loses_one_decision_at_most(tmp_path_factory, said, data):
    path = tmp_path_factory.mktemp("d") / "d.jsonl"
    for decision in said:
        append_decision(path, decision)
    whole = path.read_bytes()
    end = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:end])
    complete = whole[:end].count(b"\n")
    assert read_decisions(path)[:complete] == said[:complete]
    append_decision(path, said[0])
    after = read_decisions(path)
    assert after[:complete] == said[:complete]
    assert after[-1] == said[0]
    assert len(after) <= complete + 2


@pytest.mark.parametrize("line", ['{"sha256": "a"}', '{"sha256": "a", "person": "b", "action": "burn"}', "[1]", "3"])
def test_a_line_without_sense_is_said(tmp_path, line):
    (tmp_path / "d").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        read_decisions(tmp_path / "d")


@pytest.mark.parametrize(("action", "name"), [("relabel", ""), ("keep", "Ada"), ("burn", "")])
def test_a_decision_makes_sense(action, name):
    with pytest.raises(DataError):
        Decision("a", "Ada", action, name)


def test_decisions_hold_on_a_fresh_download():
    said = [Decision("b", "Ada", "reject"), Decision("c", "Ada", "relabel", "Alan"), Decision("a", "Alan", "reject")]
    fresh = PhotoSet((Path("new-c"), Path("new-a"), Path("new-b")), ("Ada", "Ada", "Ada"))
    kept = apply_decisions(fresh, ["c", "a", "b"], said)
    assert kept.paths == (Path("new-c"), Path("new-a"))
    assert kept.names == ("Alan", "Ada")
    assert "1 rejected and 1 relabelled" in kept.notes[-1]


@settings(max_examples=1000, deadline=None, database=None)
@given(st.binary(min_size=160, max_size=160))
def test_merging_is_associative_commutative_and_idempotent(ten):
    for start in range(0, 160, 16):  # ten histories a draw, since drawing takes longer than merging
        a, b, c = three_people(ten[start : start + 16])
        whole = merge_decisions(a, b, c)
        assert merge_decisions(merge_decisions(a, b), c) == merge_decisions(a, merge_decisions(b, c)) == whole
        assert [d.id for d in merge_decisions(c, b, a)] == [d.id for d in whole]
        assert merge_decisions(whole, whole) == merge_decisions(whole, b) == whole
        assert view(merge_decisions(b, merge_decisions(c, a))) == view(whole)


@settings(max_examples=200, deadline=None, database=None)
@given(steps, st.sampled_from("ab"))
def test_an_undo_survives_every_merge_and_the_last_word_ends_a_conflict(said, key):
    a, b, c = three_people(said)
    undone = linked([*merge_decisions(a, b, c), Decision(key, "Ada", "undo", when="0")])  # its clock is behind
    for other in (a, b, c):
        undone = merge_decisions(other, undone)
        assert (key, "Ada") not in standing(undone)
    settled = [*merge_decisions(a, b, c), Decision(key, "Ada", "keep", when="0")]
    assert standing(merge_decisions(settled, a, b))[key, "Ada"].action == "keep"
    assert not [one for one in find_conflicts(settled) if one[0].sha256 == key]


def test_a_conflict_is_told_and_the_later_one_holds():
    mine, theirs = Decision("a", "Ada", "keep", when="1"), Decision("a", "Ada", "reject", when="2")
    for state in (merge_decisions([mine], [theirs]), merge_decisions([theirs], [mine])):
        assert [[d.action for d in one] for one in find_conflicts(state)] == [["keep", "reject"]]
        assert standing(state)["a", "Ada"].action == "reject"
    assert find_conflicts(merge_decisions([mine], [Decision("a", "Ada", "keep", reviewer="Alan")])) == []


def test_files_of_version_0_1_are_read_in_their_order(tmp_path):
    line = (
        '{"sha256": "a", "person": "Ada", "action": "%s", "name": "", "reviewer": "", "when": "2025-01-31T12:00:00Z"}\n'
    )
    (tmp_path / "d").write_text("".join(line % action for action in ("keep", "undo", "reject", "keep")))
    (tmp_path / "e").write_text("".join(line % action for action in ("keep", "undo")))
    old, shorter = read_decisions(tmp_path / "d"), read_decisions(tmp_path / "e")
    assert standing(old)["a", "Ada"].action == "keep"
    assert merge_decisions(old, shorter) == merge_decisions(shorter, old) == merge_decisions(old)
    assert find_conflicts(merge_decisions(old, shorter)) == []


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\n\xff\xd9", '{"sha256": "a"}\n'.encode("utf-16"), b"person,file,decision\n",
        b'{\n  "sha256": "a"\n}\n', b"\x00" * 100, b'{"person": "Ad',
        b'{"sha256": 3, "person": "b", "action": "keep"}',
    ],
)  # fmt: skip
def test_what_are_no_decisions_is_refused(tmp_path, data):
    (tmp_path / "d").write_bytes(data)
    with pytest.raises(DataError, match="not a decision"):
        read_decisions(tmp_path / "d")
    with pytest.raises(DataError, match="not a file"):
        read_decisions(tmp_path)

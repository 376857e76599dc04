"""The site of the course: one table of contents for it and the repository, and addresses that stay good."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

from contents import CHAPTERS, TOC, chapters_of, filled, numbers_table, outdated, read_chapter, time_of  # noqa: E402


def test_every_chapter_belongs_to_exactly_one_part():
    placed = [chapter.path.name for part in TOC["parts"] for chapter in chapters_of(part)]
    assert placed == [path.name for path in sorted((ROOT / "nbs").glob("[0-9][0-9]_*.ipynb"))]
    assert len({chapter.number for chapter in CHAPTERS}) == len(CHAPTERS), "each chapter has a number of its own"


def test_what_is_written_from_the_table_of_contents_is_current():
    assert [path.name for path in outdated()] == [], "mend with: python docs/contents.py"


def test_a_table_is_written_between_its_marks_and_nowhere_else():
    begin, end = "<!-- begin: docs/contents.py writes this -->\n", "\n<!-- end -->"
    text = f"before\n{begin}\nold\n{end}\nafter\n"
    assert filled(text, "new") == text.replace("old", "new")
    assert filled(filled(text, "new"), "new") == filled(text, "new")
    with pytest.raises(ValueError, match="needed"):
        filled("no marks", "new")


def test_a_chapter_that_does_not_say_its_time_is_named(tmp_path):
    import nbformat

    path = tmp_path / "77_timeless.ipynb"
    cell = nbformat.v4.new_markdown_cell("# Timeless\n> A line.\n\n**Time** an afternoon.")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    with pytest.raises(ValueError, match=r"77_timeless.*minutes"):
        read_chapter(path)


@pytest.mark.parametrize(("minutes", "said"), [(45, "45 minutes"), (60, "1 hour"), (130, "2¼ hours"), (95, "1½ hours")])
def test_times_are_said_in_quarters(minutes, said):
    from dataclasses import replace

    assert time_of([replace(CHAPTERS[0], minutes=minutes)]) == said


def test_the_chapters_in_numbers_are_each_chapter_once_and_add_up():
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in numbers_table().splitlines()[2:]]
    single = [row for row in rows if row[0]]
    course = [chapter for part in TOC["parts"] if part.get("book") != "second" for chapter in chapters_of(part)]
    assert [int(row[0]) for row in single] == [chapter.number for chapter in course]
    numbers = [[int(cell.replace(",", "")) for cell in row[2:]] for row in single]
    assert [sum(column) for column in zip(*numbers, strict=True)] == [int(c.replace(",", "")) for c in rows[-1][2:]]
    assert all(minutes and words and exercises for minutes, words, _, _, exercises in numbers)
    assert sum(sliders for *_, sliders, _ in numbers) >= 10


@pytest.mark.parametrize("part", TOC["parts"], ids=[part["page"] for part in TOC["parts"]])
def test_each_part_has_an_overview_with_a_wrap_up_and_a_check_list(part):
    text = (ROOT / "docs" / "parts" / f"{part['page']}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {part['title']}\n")
    for heading in ("After it you can", "Programming wrap-up", "Check-list"):
        assert f"\n## {heading}\n" in text
    assert text.count("- [ ] ") >= 4
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (ROOT / "docs" / "parts" / target).resolve().exists(), target


def test_tracks_lead_through_chapters_of_the_course():
    assert len(TOC["tracks"]) == 3
    numbers = {chapter.number for chapter in CHAPTERS}
    for track in TOC["tracks"]:
        assert len(numbers & set(track["chapters"])) >= 5, track["title"]
        assert track["chapters"] == sorted(track["chapters"])


def test_old_addresses_lead_to_pages_that_are_there():
    for old, new in TOC["moved"].items():
        folder, name = new.rsplit("/", 1)
        here = ROOT / "celebml" / f"{name}.py" if folder == "docs/api" else ROOT / f"{new}.ipynb"
        assert here.is_file(), f"{old} leads to {new}, which is not there"
        assert not (ROOT / f"{old}.ipynb").exists(), f"{old} is a page again: take its redirect away"

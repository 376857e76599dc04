"""What teachers get: plans with the chapters' own times, slides, solutions, and pages that say what is so."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

from contents import CHAPTERS, TOC, chosen, time_of  # noqa: E402
from slides import first_sentence, slides, slides_html  # noqa: E402
from solutions import answers, bare, booklet  # noqa: E402

CHAPTER = nbformat.read(ROOT / "nbs" / "17_eigenfaces.ipynb", as_version=4)


@pytest.fixture(scope="module")
def page():
    return slides_html(CHAPTER)


def test_slides_have_the_chapter_s_headings_and_pictures_and_nothing_from_elsewhere(page):
    for heading in re.findall(r"^## (.+)$", "\n".join(cell.source for cell in CHAPTER.cells), flags=re.MULTILINE):
        assert heading in page.replace("&#39;", "'").replace("&amp;", "&")
    stored = sum("image/png" in output.get("data", {}) for cell in CHAPTER.cells for output in cell.get("outputs", []))
    assert page.count('src="data:image/png') >= stored - 1
    assert page.count("<section") >= 20 and 'class="notes"' in page
    fetches = r"""(?:src=|href=|import\(|import |url\(|from )\s*["']?https?://[^"')]+\.(?:js|mjs|css|woff2?)\b"""
    assert re.findall(fetches, page) == [] and "theme/white.css" in page  # others load fonts


def test_slides_hold_no_solution_and_no_library_code(page):
    for cell in CHAPTER.cells:
        if {"solution", "exercise-test"} & set(cell.metadata.get("tags", [])):
            assert cell.source.splitlines()[-1] not in page
    made = "\n".join(cell.source for cell in slides(CHAPTER).cells)
    assert "#| export" not in made and "google.colab" not in made


def test_a_sentence_that_cannot_be_read_from_the_last_row_is_for_the_speaker():
    assert first_sentence("Short. And more.") == "Short."
    assert first_sentence(" ".join(["word"] * 60) + ".") == ""


def test_the_booklet_has_what_students_do_not():
    told = "\n".join(booklet(CHAPTER))
    solutions = [cell.source for cell in CHAPTER.cells if "solution" in cell.metadata.get("tags", [])]
    assert solutions and all(solution in told for solution in solutions)
    assert "also taken:" in told and "refused:" in told
    students = "\n".join(cell.source for cell in bare(CHAPTER).cells)
    for solution in solutions:
        assert solution not in students
    assert "folded below" not in students and "Your turn" in students


def test_answers_are_read_without_being_run():
    found = answers('cases("x", 1, right=["a = 1", f"b = {1 / 0}"], wrong=[one for one in ()])')
    assert found["right"][0] == "a = 1" and "1 / 0" in found["right"][1] and len(found["wrong"]) == 1


def test_plans_fit_the_time_that_they_are_for():
    day, evenings, term = TOC["plans"]
    minutes = [[sum(c.minutes for c in chosen(numbers)) for _, _, numbers in plan["meetings"]] for plan in TOC["plans"]]
    assert sum(minutes[0]) <= 360 and max(minutes[1]) <= 165 and len(term["meetings"]) == 15 and max(minutes[2]) <= 150
    course = [chapter.number for chapter in CHAPTERS if chapter.number < 40]
    taught = [number for _, _, numbers in term["meetings"] for number in numbers]
    assert sorted(set(taught)) == sorted(taught) and set(course) <= set(taught), "a term teaches the whole course, once"
    guide = (ROOT / "docs" / "teaching" / "guide.md").read_text(encoding="utf-8")
    for plan in (day, evenings, term):
        together = [chapter for _, _, numbers in plan["meetings"] for chapter in chosen(numbers)]
        assert f"### {plan['title']}" in guide and time_of(together) in guide


def test_the_paper_has_what_the_journal_asks_for_and_cites_what_it_lists():
    text = (ROOT / "paper" / "paper.md").read_text(encoding="utf-8")
    for heading in ("Summary", "Statement of need", "References"):
        assert f"\n# {heading}\n" in text
    hours = sum(chapter.minutes for chapter in CHAPTERS if chapter.number < 40) / 60
    assert abs(int(re.search(r"takes about (\d+) hours", text)[1]) - hours) <= 1
    assert len(text.split("---", 2)[2].split()) <= 1000
    listed = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "paper" / "paper.bib").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"@(\w+)", text.split("---", 2)[2])) == listed


@pytest.mark.parametrize("name", ["not_for", "dpia", "everywhere", "teaching/index", "teaching/guide"])
def test_commands_that_pages_name_are_there(name):
    from celebml.cli import main

    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for command in re.findall(r"`(?:python -m |uvx |pipx run )?celebml ([a-z][a-z-]*)", text):
        assert command in main.commands, command
    made = re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    targets = {target for line in made for target in line.split()}
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets


def test_what_must_not_be_done_is_said_where_people_look():
    assert "docs/not_for.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "not_for" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")

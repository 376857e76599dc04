"""The course keeps its promises: outputs, rhythm, exercises, quizzes, links."""

import ast
import re
import statistics
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
sys.path.insert(0, str(ROOT / "docs"))

from exercises import chapters, exercise_notebook, guard, stub  # noqa: E402

CHAPTERS = chapters(NBS)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])


def read(path):
    return nbformat.read(path, as_version=4)


def tags(cell):
    return set(cell.metadata.get("tags", []))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def exported(cell):
    return bool(re.search(r"^#\|\s*exporti?(\s+\w+)?\s*$", cell.source, flags=re.MULTILINE))


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def python_of(cell):
    "The cell's Python, without lines for the shell or for nbdev."
    return "\n".join(line for line in cell.source.splitlines() if not re.match(r"\s*[!%]|#\|", line))


def shows_something(cell):
    "Whether the cell's last line has a value worth storing."
    try:
        body = ast.parse(python_of(cell)).body
    except SyntaxError:
        return False
    if not body or not isinstance(body[-1], ast.Expr) or cell.source.rstrip().endswith(";"):
        return False
    return not isinstance(body[-1].value, ast.Call) and not isinstance(body[-1].value, ast.Constant)


@each_chapter
def test_opens_and_closes_as_every_chapter_does(path):
    notebook = read(path)
    first = notebook.cells[0].source
    assert re.match(r"# \S.*\n> \S.*\n\n", first), "a title and a subtitle of one line"
    for words in ("**You will be able to**", "**Time**", "**Before**"):
        assert words in first
    assert re.search(r"^## Summary$", prose(notebook), flags=re.MULTILINE)
    assert "**Further reading**" in prose(notebook)


@each_chapter
def test_outputs_are_present_in_order_and_without_errors(path):
    cells = [cell for cell in code_cells(read(path)) if cell.source.strip()]
    for cell in cells:
        assert not any(output.output_type == "error" for output in cell.outputs), cell.source
        if shows_something(cell) and "slider" not in tags(cell):
            assert cell.outputs, f"no output is stored under:\n{cell.source}"
    counts = [cell.execution_count for cell in cells if cell.execution_count is not None]
    assert counts == sorted(counts)


@each_chapter
def test_outputs_hold_no_path_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"(?:/home/|/root/|/Users/|/tmp/|/work/|[A-Z]:\\\\\\\\)[\w./-]*", text)
    assert not found, found[:5]


@each_chapter
def test_run_it_links_name_this_chapter(path):
    first = read(path).cells[0].source
    assert f"colab.research.google.com/github/celebml/celebml/blob/main/nbs/{path.name})" in first
    assert f"mybinder.org/v2/gh/celebml/celebml/main?labpath=nbs/{path.name})" in first
    assert any("colab" in tags(cell) for cell in code_cells(read(path))[:2]), "the cell that installs it on Colab"


@each_chapter
def test_code_comes_in_small_cells(path):
    lines = [
        len([line for line in python_of(cell).splitlines() if line.strip()])
        for cell in code_cells(read(path))
        if not exported(cell) and not tags(cell) & {"colab", "solution", "exercise-test"} and python_of(cell).strip()
    ]
    assert statistics.median(lines) <= 4, sorted(lines)
    assert sum(count <= 12 for count in lines) >= 0.9 * len(lines), sorted(lines)


@each_chapter
def test_every_exported_function_is_shown_at_work(path):
    cells = code_cells(read(path))
    for place, cell in enumerate(cells):
        if not exported(cell):
            continue
        later = "\n".join(other.source for other in cells[place + 1 :] if not exported(other))
        for node in ast.parse(python_of(cell)).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                name = node.name
                assert re.search(rf"\b{name}\b", later), f"{name} is exported and never shown"


@each_chapter
def test_local_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", prose(read(path))):
        assert (path.parent / target).exists(), target


@each_chapter
def test_quiz_has_five_questions_each_with_one_right_answer(path):
    quizzes = [cell.source for cell in read(path).cells if re.search(r"^## Quiz$", cell.source, flags=re.MULTILINE)]
    assert len(quizzes) == 1
    questions = re.split(r"^\*\*\d\. ", quizzes[0].split("## Quiz")[1].split("\n## ")[0], flags=re.MULTILINE)[1:]
    assert len(questions) == 5
    for question in questions:
        answers = re.findall(r"^<details><summary>(.+?)</summary>(Right|No): (.+)</details>$", question, re.MULTILINE)
        assert len(answers) >= 3, question
        assert [verdict for _, verdict, _ in answers].count("Right") == 1, question
        assert question.count("<details>") == len(answers), question


@each_chapter
def test_exercises_are_taken_out_with_their_tests_left_in(path):
    chapter = read(path)
    solutions = [cell for cell in code_cells(chapter) if "solution" in tags(cell)]
    tests = [cell for cell in code_cells(chapter) if "exercise-test" in tags(cell)]
    assert len(solutions) == len(tests) and 2 <= len(solutions) <= 4
    assert all("hide-input" in tags(cell) for cell in solutions)
    made = exercise_notebook(chapter)
    nbformat.validate(made)
    folded = [cell.source for cell in made.cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert folded == [cell.source for cell in solutions]
    open_text = "\n".join(cell.source for cell in made.cells if not cell.metadata.get("jupyter"))
    for cell in solutions:
        assert cell.source not in open_text
    assert not any(cell.get("outputs") for cell in made.cells)


def test_a_stub_keeps_the_signature_and_loses_the_answer():
    solution = (
        'import math\n\ndef area(radius):\n    "Of a circle."\n    return math.pi * radius**2\n\nbig = area(10)\n'
    )
    left = stub(solution)
    assert "import math" in left and "def area(radius):" in left and "Of a circle." in left and "big = ..." in left
    assert "math.pi" not in left and "area(10)" not in left
    namespace = {}
    exec(left, namespace)
    with pytest.raises(NotImplementedError, match="your turn: area"):
        namespace["area"](1)


def test_an_exercise_that_is_still_open_says_so_and_a_solved_one_passes():
    solution, test = "helper = 20\nanswer = helper + 1", "assert answer == 21, 'count again'"
    assert "helper" not in stub(solution, test)
    for source, message in ((stub(solution, test), "your turn: answer"), ("answer = 3", "count again")):
        with pytest.raises(AssertionError, match=message):
            exec(f"{source}\n{guard(solution, test)}", {})
    exec(f"{solution}\n{guard(solution, test)}", {})


def test_a_word_in_a_message_is_no_name_to_fill_in():
    solution, test = "two = 2\nanswer = two + 19", "assert answer == 21, 'two and nineteen'"
    assert "two" not in stub(solution, test) and "two =" not in guard(solution, test)
    exec(f"answer = 21\n{guard(solution, test)}", {})


def test_notebooks_stay_small():
    assert sum(path.stat().st_size for path in NBS.rglob("*") if path.is_file()) <= 12e6


def test_the_glossary_is_in_order_and_its_links_lead_somewhere():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:4]:
        terms = [re.split(r"[ ,(]", term)[0].lower() for term in re.findall(r"^(.+)\n: ", section, flags=re.MULTILINE)]
        if not section.startswith("What passes"):
            assert terms == sorted(terms)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        assert (ROOT / "docs" / target).exists(), target


def test_the_cheat_sheet_shows_the_shapes_of_today():
    from make_cheatsheet import OUT, draw, measure

    assert OUT.read_text(encoding="utf-8") == draw(measure())


def test_every_chapter_has_a_place_on_the_site():
    from fnmatch import fnmatch

    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    patterns = re.findall(r"^/(nbs/\S+)$", index, flags=re.MULTILINE)
    for path in CHAPTERS:
        assert any(fnmatch(f"nbs/{path.stem}", pattern) for pattern in patterns), path.name

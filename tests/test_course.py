"""The course keeps its promises: outputs, rhythm, exercises, quizzes, links."""

import ast
import base64
import io
import re
import statistics
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
sys.path[:0] = [str(ROOT / "docs"), str(NBS)]

from exercises import chapters, exercise_notebook, guard, stub  # noqa: E402

import course  # noqa: E402

CHAPTERS = chapters(NBS)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])
# From 40 on, the notebooks are the book of the library: lessons for contributors, without exercises and quizzes.
COURSE = [path for path in CHAPTERS if path.stem < "40"]
each_course_chapter = pytest.mark.parametrize("path", COURSE, ids=[path.stem for path in COURSE])
APART = {"colab", "solution", "exercise-test", "exercise-cases"}  # cells that are no part of the lesson


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
        if shows_something(cell):
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
        if not exported(cell)
        and not tags(cell) & {"colab", "solution", "exercise-test", "exercise-cases"}
        and python_of(cell).strip()
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


@each_course_chapter
def test_quiz_has_five_questions_each_with_a_right_and_a_wrong_answer(path):
    quizzes = [cell.source for cell in read(path).cells if re.search(r"^## Quiz$", cell.source, flags=re.MULTILINE)]
    assert len(quizzes) == 1
    questions = re.split(r"^\*\*\d\. ", quizzes[0].split("## Quiz")[1].split("\n## ")[0], flags=re.MULTILINE)[1:]
    assert len(questions) == 5
    for question in questions:
        answers = re.findall(r"^<details><summary>(.+?)</summary>(Right|No): (.+)</details>$", question, re.MULTILINE)
        assert len(answers) >= 3, question
        assert {verdict for _, verdict, _ in answers} == {"Right", "No"}, question
        several = [verdict for _, verdict, _ in answers].count("Right") > 1
        assert several == ("More than one answer" in question), question
        assert question.count("<details>") == len(answers), question


def quiz(path):
    "Questions as lists of (answer, verdict)."
    cells = [cell.source for cell in read(path).cells if re.search(r"^## Quiz$", cell.source, flags=re.MULTILINE)]
    questions = re.split(r"^\*\*\d\. ", cells[0].split("## Quiz")[1].split("\n## ")[0], flags=re.MULTILINE)[1:]
    answer = r"^<details><summary>(.+?)</summary>(Right|No): "
    return [re.findall(answer, question, re.MULTILINE) for question in questions]


def longest_is_right(answers):
    return max(answers, key=lambda answer: len(answer[0]))[1] == "Right"


@each_course_chapter
def test_a_quiz_is_not_answered_by_length(path):
    assert sum(map(longest_is_right, quiz(path))) <= 2


def test_over_the_course_the_longest_answer_is_right_in_under_two_fifths():
    questions = [answers for path in COURSE for answers in quiz(path)]
    assert sum(map(longest_is_right, questions)) <= 0.4 * len(questions)


def lines_of(cell):
    return len([line for line in python_of(cell).splitlines() if line.strip()])


def lines_without_docstrings(cell):
    lines, told = python_of(cell).splitlines(), set()
    for node in ast.walk(ast.parse(python_of(cell))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            told |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len([line for number, line in enumerate(lines, 1) if line.strip() and number not in told])


@each_course_chapter
def test_a_chapter_takes_the_time_that_it_states(path):
    notebook = read(path)
    lesson = [cell for cell in notebook.cells if not tags(cell) & APART]
    code = [cell for cell in lesson if cell.cell_type == "code"]
    assert 25 <= len(lesson) <= 50
    assert all(lines_without_docstrings(cell) <= 20 for cell in code if exported(cell))
    words = len(re.sub(r"<[^>]+>|\]\([^)]+\)", " ", prose(notebook)).split())
    exercises = sum("solution" in tags(cell) for cell in notebook.cells)
    minutes = words / 200 + sum(map(lines_of, code)) / 12 + 8 * exercises
    stated = int(re.search(r"\*\*Time\*\*\s+(\d+)\s+minutes", notebook.cells[0].source).group(1))
    assert abs(stated / minutes - 1) <= 0.3, f"{stated} minutes are stated, {minutes:.0f} are needed"


def pictures(cell):
    "Widths in pixels of the pictures that a cell has stored."
    stored = [output.get("data", {}).get("image/png") for output in cell.get("outputs", [])]
    return [Image.open(io.BytesIO(base64.b64decode(png))).width for png in stored if png]


@each_course_chapter
def test_figures_are_wide_enough_and_have_a_caption_and_an_alternative_text(path):
    for cell in code_cells(read(path)):
        if pictures(cell) and not tags(cell) & {"exercise-test", "exercise-cases"}:
            assert min(pictures(cell)) >= 480, cell.source
            assert re.search(r"^#\| fig-cap: \S.+$", cell.source, re.MULTILINE), f"a caption is missing:\n{cell.source}"
            assert re.search(r"^#\| fig-alt: \S.+$", cell.source, re.MULTILINE), f"a text is missing:\n{cell.source}"


@each_course_chapter
def test_each_exercise_has_a_list_of_answers_that_its_test_takes_and_refuses(path):
    cells = code_cells(read(path))
    tests = [place for place, cell in enumerate(cells) if "exercise-test" in tags(cell)]
    for number, place in enumerate(tests, 1):
        tried = cells[place + 1]
        assert {"exercise-cases", "remove-cell"} <= tags(tried), f"cases are missing after:\n{cells[place].source}"
        call = ast.parse(tried.source).body[-1].value
        chapter, exercise = (argument.value for argument in call.args)
        assert call.func.id == "cases" and (chapter, exercise) == (path.stem, number)
        lists = {keyword.arg: len(keyword.value.elts) for keyword in call.keywords}
        assert lists["right"] >= 2 and lists["wrong"] >= 3
        assert "are told apart" in str(tried.outputs), "the list has not been run"


def test_ten_figures_move_without_a_kernel():
    stored = [str(cell.outputs) for path in COURSE for cell in code_cells(read(path))]
    assert sum('class="frames"' in output for output in stored) >= 10


def test_cases_catch_a_test_that_refuses_too_much_or_too_little(monkeypatch, tmp_path):
    monkeypatch.setattr(course, "HERE", tmp_path)
    (tmp_path / "x.ipynb").write_text(
        nbformat.writes(
            nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell("assert answer > 2", metadata={"tags": ["exercise-test"]})]
            )
        )
    )
    assert course.cases("x", 1, ["answer = 3", "answer = 4.5"], ["answer = 1"]).startswith("2 right and 1 wrong")
    with pytest.raises(AssertionError, match="refused: answer = 2"):
        course.cases("x", 1, ["answer = 2"], [])
    with pytest.raises(AssertionError, match="taken: answer = 5"):
        course.cases("x", 1, [], ["answer = 5"])


def test_a_forbidden_module_refuses_and_comes_back():
    with pytest.raises(AssertionError, match=r"without numpy\.fft"), course.without(np.fft):
        np.fft.fft([1.0])
    assert np.fft.fft([1.0]).shape == (1,)


def test_a_slider_holds_a_picture_for_each_value_and_shows_one_without_scripts():
    def draw(value):
        plt.subplots()[1].plot([0, value])

    made = course.slider(draw, [1, 2, 4], "height <m>", start=2, alt='a "line"', play=True).data
    assert made.count("data:image/webp") == 4, "one for each value, and the first in the page"
    assert not plt.get_fignums()
    still = made.split("<script>")[0]
    assert "height &lt;m&gt;: 2" in still and "a &quot;line&quot;" in still and "<span hidden>" in still
    assert course.slider(draw, [1, 2, 4], "height <m>", start=2, alt='a "line"', play=True).data == made


@each_course_chapter
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
    assert not re.search(r"^cases\($", open_text, flags=re.MULTILINE), "the answers that are tried must go, too"
    if "from course import" in open_text:
        assert 'sys.path.insert(0, "..")\nfrom course import' in open_text


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

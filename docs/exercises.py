"""Exercise notebooks out of the chapters: nbs/NN_name.ipynb -> nbs/exercises/NN_name.ipynb.

A chapter holds each exercise whole: the task in prose, a code cell tagged `solution`, and a code cell tagged
`exercise-test`. Here the solution becomes a stub to fill in, and is folded away under its test. So an exercise and its
solution are one text, and cannot drift.
Cells tagged `exercise-cases`, which try the test on right and wrong answers, are left out.

    python docs/exercises.py [--out nbs/exercises] [chapter.ipynb ...]
"""

import argparse
import ast
import copy
import re
from pathlib import Path

import nbformat

NBS = Path(__file__).resolve().parent.parent / "nbs"
_ABOVE = 'import sys\n\nsys.path.insert(0, "..")\n'  # where course.py is, for a notebook one folder down
HINT = "# Your turn: put your answer in place of the three dots."


def stub(solution: str, test: str = "") -> str:
    """The source of a solution with its answers taken out.

    A function or class keeps its signature and docstrings, an import itself, and an assignment those names that the
    test asks for (all, without a test); anything else is part of the answer. Raises `SyntaxError` for source that is
    not Python.
    """
    lines = [part for node in ast.parse(solution).body if (part := _stub_of(node, test))]
    return "\n".join([HINT, *dict.fromkeys(lines)])


def guard(solution: str, test: str) -> str:
    "A test that first says which of the names it needs are still three dots."
    names = [name for node in ast.parse(solution).body if isinstance(node, ast.Assign) for name in _names(node, test)]
    checks = [f'assert {name} is not ..., "your turn: {name}"' for name in dict.fromkeys(names)]
    return "\n".join([*checks, test])


def _names(node: ast.Assign, test: str) -> list[str]:
    names = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    asked = [name for name in ast.walk(ast.parse(test)) if isinstance(name, ast.Name)]
    made = {name.id for name in asked if isinstance(name.ctx, ast.Store)}
    return [name for name in names if not test or name in {one.id for one in asked} - made]


def _stub_of(node: ast.stmt, test: str) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return ast.unparse(node)
    if isinstance(node, ast.Assign):
        return "\n".join(f"{name} = ..." for name in _names(node, test))
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        node.body = _stub_body(node)
        return "\n" + ast.unparse(node) + "\n"
    return ""


def _stub_body(node: ast.FunctionDef | ast.ClassDef) -> list[ast.stmt]:
    doc = node.body[:1] if ast.get_docstring(node) is not None else []
    if isinstance(node, ast.FunctionDef):
        return [*doc, *ast.parse(f"raise NotImplementedError('your turn: {node.name}')").body]
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    for method in methods:
        method.body = _stub_body(method)
    return [*doc, *methods] or [ast.Pass()]


def exercise_notebook(chapter: nbformat.NotebookNode) -> nbformat.NotebookNode:
    "A copy of a chapter without outputs, its solutions turned into stubs and folded away under their tests."
    notebook = copy.deepcopy(chapter)
    cells, waiting = [], None
    tests = [cell.source for cell in notebook.cells if "exercise-test" in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "exercise-cases" in tags:
            continue
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.source = re.sub(r"^#\|.*\n?", "", cell.source, flags=re.MULTILINE)
            cell.source = cell.source.replace('"course.mplstyle"', '"../course.mplstyle"')
            cell.source = re.sub(r"^(?=from course import )", _ABOVE, cell.source, flags=re.MULTILINE)
        else:
            cell.source = re.sub(r"\]\((?=[\w./-]+\.(?:ipynb|md))", "](../", cell.source)
        if "solution" in tags:
            waiting = nbformat.v4.new_code_cell(cell.source, metadata={"jupyter": {"source_hidden": True}})
            waiting.id, cell.source, cell.metadata = f"{cell.id}-s", stub(cell.source, tests[0]), {}
        if cell.source.strip():
            cells.append(cell)
        if "exercise-test" in tags:
            cell.source = guard(waiting.source, tests.pop(0))
            cells += [nbformat.v4.new_markdown_cell("*A solution is folded below.*", id=f"{cell.id}-f"), waiting]
            waiting = None
    notebook.cells = cells
    return notebook


def exercise_tests(path: Path) -> list[str]:
    "The tests of a chapter's exercises, in order."
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if "exercise-test" in cell.metadata.get("tags", [])]


def chapters(folder: Path = NBS) -> list[Path]:
    "The chapters in reading order."
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapter", nargs="*", type=Path, help="all when none is named")
    parser.add_argument("--out", type=Path, default=NBS / "exercises")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.chapter or chapters():
        chapter = nbformat.read(path, as_version=4)
        if any("solution" in cell.metadata.get("tags", []) for cell in chapter.cells):
            nbformat.write(exercise_notebook(chapter), options.out / path.name)
            print(options.out / path.name)


if __name__ == "__main__":
    main()

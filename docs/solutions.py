"""For teachers: the exercises with their solutions in one text, and students' notebooks without any.

    python docs/solutions.py [--out docs/_build/teachers]

`solutions.md` holds each task, a solution, other answers that the test takes, and wrong ones that it refuses.
`students/` holds the exercise notebooks without the solutions that `make exercises` folds under their tests.
"""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from exercises import NBS, chapters, exercise_notebook

OUT = Path(__file__).resolve().parent / "_build" / "teachers"


def answers(cases: str) -> dict[str, list[str]]:
    "The right and the wrong answers that a cell of cases tries, as source."
    call = next(node for node in ast.walk(ast.parse(cases)) if isinstance(node, ast.Call) and _name(node) == "cases")
    told = {word.arg: word.value for word in call.keywords if word.arg in ("right", "wrong")}
    listed = {kind: value.elts if isinstance(value, ast.List) else [value] for kind, value in told.items()}
    return {kind: [_source(one) for one in values] for kind, values in listed.items()}


def _source(answer: ast.expr) -> str:
    "An answer that stands there as it is, or the expression that makes it."
    is_text = isinstance(answer, ast.Constant) and isinstance(answer.value, str)
    return (answer.value if is_text else ast.unparse(answer)).strip()


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", "")


def booklet(chapter: nbformat.NotebookNode) -> Iterator[str]:
    "The exercises of one chapter, as Markdown."
    task, title = "", chapter.cells[0].source.split("\n")[0].lstrip("# ")
    yield f"## {title}"
    for cell in chapter.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            task = cell.source
        elif "solution" in tags:
            yield re.split(r"^(?=\*\*\d+\. )", task, flags=re.MULTILINE)[-1].strip()
            yield f"A solution:\n\n```python\n{cell.source}\n```"
        elif "exercise-cases" in tags:
            for kind, verb in (("right", "also taken"), ("wrong", "refused")):
                for answer in answers(cell.source).get(kind, []):
                    yield f"{verb}:\n\n```python\n{answer}\n```"


def bare(chapter: nbformat.NotebookNode) -> nbformat.NotebookNode:
    "The exercise notebook without the folded solutions."
    notebook = exercise_notebook(chapter)
    notebook.cells = [cell for cell in notebook.cells if not cell.id.endswith(("-s", "-f"))]
    return notebook


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    (out / "students").mkdir(parents=True, exist_ok=True)
    parts = ["# Solutions, for teachers"]
    for path in chapters(NBS):
        chapter = nbformat.read(path, as_version=4)
        if any("solution" in cell.metadata.get("tags", []) for cell in chapter.cells):
            parts += booklet(chapter)
            nbformat.write(bare(chapter), out / "students" / path.name)
    (out / "solutions.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(out / "solutions.md")
    print(out / "students")


if __name__ == "__main__":
    main()

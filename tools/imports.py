"""Draw who imports whom in celebml: `python tools/imports.py` writes docs/imports.svg, which CONTRIBUTING.md shows.

A module stands above all that it imports. An arrow that follows from others (a imports b, b imports c, and a imports c)
is left out, so every line that is left says something.
"""

import ast
import math
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "imports.svg"
ROW, WIDE, HIGH, GAP, EDGE = 78, 7.2, 24, 14, 16  # pixels: between rows, a letter, a box, between boxes, the border
NOT_DRAWN = {"__init__", "__main__", "_modidx"}


def imports(folder: Path = ROOT / "celebml") -> dict[str, set[str]]:
    "By module, the modules of the same package that it imports, inside functions too."
    names = {path.stem for path in folder.glob("*.py")} - NOT_DRAWN
    return {name: _imported(folder / f"{name}.py") & names - {name} for name in sorted(names)}


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("celebml.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("celebml")):
            module = (node.module or "").removeprefix("celebml").removeprefix(".")
            found |= {module} if module else {alias.name for alias in node.names}
    return found


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    "The same without arrows that follow from others. Raises `graphlib.CycleError` for a circle."
    below: dict[str, set[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        below[name] = graph[name].union(*(below[other] for other in graph[name]))
    return {name: {one for one in to if not any(one in below[other] for other in to)} for name, to in graph.items()}


def rows(graph: dict[str, set[str]]) -> list[list[str]]:
    "Modules by height, those that import nothing last; in each row near to what they import and are imported by."
    height: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        height[name] = 1 + max((height[other] for other in graph[name]), default=-1)
    found = [[name for name in graph if height[name] == level] for level in range(max(height.values()), -1, -1)]
    near = {name: to | {other for other in graph if name in graph[other]} for name, to in graph.items()}
    place = {name: (k + 0.5) / len(row) for row in found for k, name in enumerate(row)}
    for sweep in range(40):
        for row in found if sweep % 2 else found[::-1]:
            row.sort(key=lambda name: (math.fsum(place[one] for one in near[name]) / max(1, len(near[name])), name))
            place |= {name: (k + 0.5) / len(row) for k, name in enumerate(row)}
    return found


def svg(graph: dict[str, set[str]]) -> str:
    "The picture; it follows the reader's light or dark."
    arrows = reduced(graph)
    lines = rows(arrows)
    size = {name: round(len(name) * WIDE + 14) for name in graph}
    total = 2 * EDGE + max(sum(size[name] + GAP for name in row) - GAP for row in lines)
    at: dict[str, tuple[float, int]] = {}
    for number, row in enumerate(lines):
        free = total - 2 * EDGE - sum(size[name] for name in row)
        gap, x = free / (len(row) + 1), float(EDGE)
        for name in row:
            x += gap
            at[name] = x, EDGE + number * ROW
            x += size[name]
    high = 2 * EDGE + (len(lines) - 1) * ROW + HIGH
    drawn = []
    for name, to in arrows.items():
        for other in sorted(to):
            x, y = at[name][0] + size[name] / 2, at[name][1] + HIGH
            u, v = at[other][0] + size[other] / 2, at[other][1]
            half = min(ROW, v - y) / 2
            drawn.append(f'<path d="M{x:.0f} {y}C{x:.0f} {y + half:.0f} {u:.0f} {v - half:.0f} {u:.0f} {v}"/>')
    for name, (x, y) in at.items():
        drawn.append(f'<rect x="{x:.0f}" y="{y}" width="{size[name]}" height="{HIGH}" rx="5"/>')
        drawn.append(f'<text x="{x + size[name] / 2:.0f}" y="{y + 16}">{name}</text>')
    look = (
        "path{fill:none;stroke:#5b7793;stroke-opacity:.55}rect{fill:#e8f1fa;stroke:#0b5cad}"
        "text{font:12px ui-monospace,Consolas,monospace;text-anchor:middle;fill:#10233a}"
        "@media(prefers-color-scheme:dark){path{stroke:#9db8d2}rect{fill:#16304a;stroke:#7cc4ff}text{fill:#e8f1fa}}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {high}" role="img">'
    title = "<title>Modules of celebml: each stands above those that it imports</title>"
    return "\n".join([head, title, f"<style>{look}</style>", *drawn, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(svg(imports()), encoding="utf-8")

"""The browser's half of the widgets: modules of `frontend/` put together into the one that a widget may have."""

import re
from pathlib import Path

FRONTEND = Path(__file__).parents[1] / "frontend"
LOOK = (FRONTEND / "look.css").read_text(encoding="utf-8")
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+)\.js";\n', re.MULTILINE)


def together(name: str) -> str:
    "A module of `frontend/` with those that it imports before it, each once. Raises `ValueError` for a circle."
    order: list[str] = []
    _collect(name, order, ())
    return "\n".join(_text(module, last=module == name) for module in order)


def _collect(name: str, order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"{' → '.join((*above, name))} is a circle of imports")
    if name in order:
        return
    for other in _IMPORT.findall((FRONTEND / f"{name}.js").read_text(encoding="utf-8")):
        _collect(other, order, (*above, name))
    order.append(name)


def _text(name: str, last: bool) -> str:
    text = _IMPORT.sub("", (FRONTEND / f"{name}.js").read_text(encoding="utf-8"))
    return text if last else re.sub(r"^export ", "", text, flags=re.MULTILINE)

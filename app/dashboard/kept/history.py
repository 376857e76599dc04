"""What was done to the photographs, and the way back. Every act is a list of moves; nothing is ever deleted by one."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Move = tuple[str, str]  # from, to; both relative to the dashboard's folder, with forward slashes


@dataclass
class Act:
    """One thing that somebody did.

    Parameters
    ----------
    number : str
        Its own; files that arrive together share one.
    kind : str
        add, remove, move, rename, merge or forget.
    who : str
        The person that it is about.
    moves : list of (from, to)
    undone : bool
    """

    number: str
    kind: str
    who: str = ""
    moves: list[Move] = field(default_factory=list)
    undone: bool = False

    def __str__(self) -> str:
        count = len(self.moves)
        photographs = "1 photograph" if count == 1 else f"{count} photographs"
        return {
            "add": f"{photographs} added to {self.who}",
            "remove": f"{photographs} of {self.who} removed",
            "move": f"{photographs} moved to {self.who}",
            "rename": f"renamed to {self.who}",
            "merge": f"{photographs} merged into {self.who}",
            "forget": f"everything forgotten ({photographs})",
        }.get(self.kind, self.kind)


class History:
    """The acts on one folder, one a line in `history.jsonl`; the caller holds the store's lock while it acts.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder: Path):
        self.folder, self.file = folder, folder / "history.jsonl"

    def acts(self) -> list[Act]:
        "All acts, oldest first; a line that was torn by a full disk or a kill is passed over."
        acts, held = [], {}  # of a number, the last; what arrives after its others were taken back is another act
        lines = self.file.read_bytes().split(b"\n") if self.file.is_file() else []
        for line in lines:
            try:
                value = json.loads(line)
                if undone := value.get("undo"):
                    held.pop(undone).undone = True
                    continue
                moves = [(str(old), str(new)) for old, new in value["moves"]]
                act = held.get(value["number"]) or Act(value["number"], value["kind"], value["who"])
                if value["number"] not in held:
                    held[value["number"]] = act
                    acts.append(act)
                act.moves += moves
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return acts

    def last(self) -> Act | None:
        "What an undo would take back."
        return next((act for act in reversed(self.acts()) if not act.undone), None)

    def do(self, number: str, kind: str, who: str, moves: Sequence[Move]) -> None:
        "Write down an act, then do it; killed in between, `finish` does the rest."
        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._append({"number": number, "kind": kind, "who": who, "when": when, "moves": [list(m) for m in moves]})
        self._move(moves)

    def undo(self) -> Act | None:
        "Take back the last act that holds; returns it."
        act = self.last()
        if act is not None:
            self._append({"undo": act.number})
            self._move([(new, old) for old, new in reversed(act.moves)])
        return act

    def finish(self) -> None:
        "Do what a kill left of the last act or undo."
        lines = [line for line in (self.file.read_bytes().split(b"\n") if self.file.is_file() else []) if line.strip()]
        try:
            value = json.loads(lines[-1]) if lines else {}
        except ValueError:
            return
        if "undo" in value:
            act = next((act for act in reversed(self.acts()) if act.number == value["undo"]), None)
            self._move([(new, old) for old, new in reversed(act.moves)] if act else [])
        elif value:
            self._move([tuple(move) for move in value["moves"]])

    def _move(self, moves: Sequence[Move]) -> None:
        "Rename files; one that is gone, or whose place is taken, stays where it is."
        for old, new in moves:
            source, target = self.folder / old, self.folder / new
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
                _remove_empty(source.parent, self.folder)

    def _append(self, value: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(value, ensure_ascii=False) + "\n"
        with self.file.open("ab+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else "\n" + line  # after a torn one
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())


def _remove_empty(folder: Path, stop: Path) -> None:
    "Remove a folder that became empty, and those above it, up to `stop`."
    while folder != stop and stop in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent

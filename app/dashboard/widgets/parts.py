"""Small parts: photographs to act on, pictures to look at, a table to click, a threshold to move, a download."""

import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from .frontend import LOOK, together


class Pictures(anywidget.AnyWidget):
    """Small pictures with a caption each; `items` hold src and caption."""

    _esm = together("pictures")
    _css = LOOK
    items = traitlets.List().tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)


class Photographs(anywidget.AnyWidget):
    """Photographs that can be moved to somebody, removed, or seen whole, where they are looked at.

    Parameters
    ----------
    act : callable
        Takes what the page asks, a dict with `act`; returns the answer.
    """

    _esm = together("photographs")
    _css = LOOK
    items = traitlets.List().tag(sync=True)
    people = traitlets.List().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self, act: Callable[[dict[str, Any]], dict[str, Any]], **kw):
        super().__init__(**kw)
        self._act = act
        self.on_msg(lambda _, message, __: self.send({**self._act(message), "re": message.get("id")}))


class Matrix(anywidget.AnyWidget):
    """A table of counts, each a button.

    Parameters
    ----------
    on_cell : callable
        Takes the names of the row and the column of a count that was pressed. Not their numbers: what is pressed may
        be the table of a moment ago.
    """

    _esm = together("matrix")
    _css = LOOK
    rows = traitlets.List().tag(sync=True)
    columns = traitlets.List().tag(sync=True)
    counts = traitlets.List().tag(sync=True)
    chosen = traitlets.List([-1, -1]).tag(sync=True)

    def __init__(self, on_cell: Callable[[str, str], None], **kw):
        super().__init__(**kw)
        self.on_msg(lambda _, message, __: on_cell(str(message["shown"]), str(message["named"])))


class Threshold(anywidget.AnyWidget):
    """A slider for the score that a face needs. It tells of a hand on it, and of nothing else.

    A slider that is kept the same on both sides also sends back what it was told, rounded to its ends, after a reload
    or from a spare kernel: that once moved the threshold unseen. So this one sends a message when somebody moves it.

    Parameters
    ----------
    moved : callable
        Takes the value; `None` for the one that training chose.
    """

    _esm = together("threshold")
    _css = LOOK
    low = traitlets.Float(0.0).tag(sync=True)
    high = traitlets.Float(1.0).tag(sync=True)
    value = traitlets.Float(0.0).tag(sync=True)
    own = traitlets.Float(0.0).tag(sync=True)
    shown = traitlets.Bool(False).tag(sync=True)

    def __init__(self, moved: Callable[[float | None], None], **kw):
        super().__init__(**kw)
        self._moved = moved
        self.on_msg(lambda _, message, __: self.take(message))

    def take(self, message: dict) -> None:
        "What the page says: `moved`, a value, or `own`, that of the training."
        self._moved(None if message.get("own") else float(message["moved"]))


class Download(anywidget.AnyWidget):
    """A button that makes a file and gives it to the browser; `make` returns its name, its bytes and its type."""

    _esm = together("download")
    _css = LOOK
    text = traitlets.Unicode("Download").tag(sync=True)
    ready = traitlets.Bool(True).tag(sync=True)
    main = traitlets.Bool(False).tag(sync=True)

    def __init__(self, make: Callable[[], tuple[str, bytes, str] | None], **kw):
        super().__init__(**kw)
        self._make = make
        self.on_msg(lambda *_: threading.Thread(target=self._give, daemon=True).start())

    def _give(self) -> None:
        made = self._make()
        self.send({"name": made[0], "type": made[2]} if made else {"name": ""}, [made[1]] if made else [])

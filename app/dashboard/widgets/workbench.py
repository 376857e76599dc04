"""The workbench's two halves: what the page is told, and who answers what it asks."""

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from .frontend import LOOK, together

Answering = Callable[[dict[str, Any], bytes], dict[str, Any]]


class WorkbenchView(anywidget.AnyWidget):
    """People, learning and the answer on one screen.

    Parameters
    ----------
    answer : callable
        Takes what the page asks, a dict with `kind`, and the bytes that came with it; returns the answer.
    """

    _esm = together("workbench")
    _css = LOOK
    people = traitlets.List().tag(sync=True)
    work = traitlets.Dict().tag(sync=True)
    score = traitlets.Dict().tag(sync=True)
    undo = traitlets.Unicode("").tag(sync=True)
    bin = traitlets.Int(0).tag(sync=True)
    by_itself = traitlets.Bool(True).tag(sync=True)
    served = traitlets.Bool(False).tag(sync=True)
    learnt = traitlets.Unicode("").tag(sync=True)

    def __init__(self, answer: Answering, **kw):
        super().__init__(**kw)
        self._answer = answer
        self.on_msg(self._take)

    def _take(self, _: object, message: dict, buffers: list) -> None:
        answer = self._answer(message, bytes(buffers[0]) if buffers else b"")
        if message.get("id"):
            self.send({**answer, "re": message["id"]})

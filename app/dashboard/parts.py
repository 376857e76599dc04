"""The parts of the screen that ipywidgets has not: a place to drop files, pictures, a table to click, a download."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent
MOST_BYTES = 64_000_000  # at once; voila.json lets messages of this size through


class Drop(anywidget.AnyWidget):
    """A place for files, folders, zips and the clipboard; files arrive one by one and the next is sent when asked for.

    Parameters
    ----------
    text : str
        What is written on it.
    several : bool
        Whether more than one file, and folders, are taken.
    """

    _esm = HERE / "drop.js"
    _css = HERE / "look.css"
    text = traitlets.Unicode("Drop photographs here").tag(sync=True)
    several = traitlets.Bool(True).tag(sync=True)
    most_bytes = traitlets.Int(MOST_BYTES).tag(sync=True)
    said = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, on_file: Callable[[str, list[str], bytes], None], on_seen: Callable[[], None] | None = None, **kw
    ):
        """`on_file(path, all paths, bytes)` takes one file, and calls `ready` when the next may come.

        `on_seen` is called each time a page shows this for the first time, so after a reload too.
        """
        super().__init__(**kw)
        self._on_file, self._on_seen, self._paths = on_file, on_seen, []
        self.on_msg(self._take)

    def ready(self, said: str = "") -> None:
        "Ask for the next file."
        self.said = said
        self.send({"kind": "next"})

    def _take(self, _: object, message: dict, buffers: list) -> None:
        if message.get("kind") == "seen" and self._on_seen is not None:
            self._on_seen()
        elif message.get("kind") == "ping":
            self.send({"kind": "pong"})
        elif message.get("kind") == "begin":
            self._paths = [str(path) for path in message.get("paths", [])]
        elif message.get("kind") == "file" and buffers:
            if len(buffers[0]) > self.most_bytes:
                self.ready(f"{message['path']} is larger than {self.most_bytes / 1e6:.0f} MB and was refused.")
            else:
                self._on_file(str(message["path"]), self._paths, bytes(buffers[0]))


class Pictures(anywidget.AnyWidget):
    """Small pictures with a caption each; `items` hold src, caption and mark ("", good, warn or bad).

    `on_remove` gets the number of a picture that is to go; without it there is no button for that.
    """

    _esm = HERE / "pictures.js"
    items = traitlets.List().tag(sync=True)
    removable = traitlets.Bool(False).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)

    def __init__(self, on_remove: Callable[[int], None] | None = None, **kw):
        super().__init__(removable=on_remove is not None, **kw)
        self.on_msg(lambda _, message, __: on_remove and on_remove(int(message.get("remove", -1))))


class Matrix(anywidget.AnyWidget):
    """A table of counts, each a button; `on_cell` gets row and column."""

    _esm = HERE / "matrix.js"
    rows = traitlets.List().tag(sync=True)
    columns = traitlets.List().tag(sync=True)
    counts = traitlets.List().tag(sync=True)
    chosen = traitlets.List([-1, -1]).tag(sync=True)

    def __init__(self, on_cell: Callable[[int, int], None], **kw):
        super().__init__(**kw)
        self.on_msg(lambda _, message, __: on_cell(int(message["row"]), int(message["column"])))


class Download(anywidget.AnyWidget):
    """A button that makes a file and gives it to the browser; `make` returns its name and its bytes."""

    _esm = HERE / "download.js"
    text = traitlets.Unicode("Download").tag(sync=True)
    ready = traitlets.Bool(True).tag(sync=True)

    def __init__(self, make: Callable[[], tuple[str, bytes] | None], **kw):
        super().__init__(**kw)
        self._make = make
        self.on_msg(self._give)

    def _give(self, *_: object) -> None:
        made = self._make()
        self.send({"name": made[0] if made else ""}, [made[1]] if made else [])

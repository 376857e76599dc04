"""The pages as tabs."""

import os

import anywidget
import traitlets

from .frontend import LOOK, together


class Tabs(anywidget.AnyWidget):
    """A row of tabs; `chosen` is the name of one.

    Parameters
    ----------
    names : list of str
    """

    _esm = together("tabs")
    _css = LOOK
    names = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
    served = traitlets.Bool(False).tag(sync=True)

    def __init__(self, **kw):
        super().__init__(served=bool(os.environ.get("CELEBML_SERVED")), **kw)

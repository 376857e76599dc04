"""The whole dashboard: the workbench, and four pages that look deeper."""

from pathlib import Path

import ipywidgets as widgets

from .pages.cleaning import Cleaning
from .pages.export import Export
from .pages.mistakes import Mistakes
from .pages.signal import Signal
from .pages.workbench import Workbench
from .session import Session
from .widgets.tabs import Tabs

PAGES = {
    "Teach": Workbench,
    "Mistakes": Mistakes,
    "Clean": Cleaning,
    "Signal": Signal,
    "Take it away": Export,
}


class Dashboard(widgets.VBox):
    """Everything on one screen.

    Parameters
    ----------
    folder : path or None
        Where photographs and the model are kept; `$CELEBML_DASHBOARD`, or runs/dashboard.
    """

    def __init__(self, folder: str | Path | None = None):
        self.session = Session(folder)
        self.pages = {name: page(self.session) for name, page in PAGES.items()}
        self.tabs = Tabs(names=list(PAGES), chosen="Teach")
        self.tabs.observe(lambda _: self.turn_to(self.tabs.chosen), "chosen")
        super().__init__([self.tabs, *self.pages.values()])
        self.add_class("cm-board")
        self.turn_to("Teach")

    def turn_to(self, name: str) -> None:
        "Show one page."
        self.tabs.chosen = name
        for other, page in self.pages.items():
            page.layout.display = "" if other == name else "none"
            if other == name and hasattr(page, "shown"):
                page.shown()

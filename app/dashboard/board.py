"""The whole dashboard: six pages, one bar for long work."""

from pathlib import Path

import ipywidgets as widgets

from .export import Export
from .glass import Glass
from .mistakes import Mistakes
from .session import Session
from .teach import Teach
from .tidy import Tidy
from .try_it import TryIt

PAGES = {
    "Teach": Teach,
    "Try": TryIt,
    "See the signal": Glass,
    "Understand the errors": Mistakes,
    "Clean": Tidy,
    "Export": Export,
}
TITLE = (
    "<div class='cm-top'><h1>Teach it your own celebrities</h1>"
    "<p class='cm-small'>Photographs stay on this computer, in {folder}.</p></div>"
)


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
        self.choose = widgets.ToggleButtons(options=list(PAGES)).add_class("cm-nav")
        self.choose.observe(lambda _: self.turn_to(self.choose.value), "value")
        title = widgets.HTML(TITLE.format(folder=self.session.store.folder.name))
        super().__init__([title, self.choose, self.session.job, *self.pages.values()])
        self.add_class("cm-board")
        self.turn_to("Teach")
        self.session.reload()

    def turn_to(self, name: str) -> None:
        "Show one page."
        if not self.session.job.running:
            self.session.job.say("")
        self.pages["Try"].refresh()
        self.pages["Export"].refresh()
        for other, page in self.pages.items():
            page.layout.display = "" if other == name else "none"

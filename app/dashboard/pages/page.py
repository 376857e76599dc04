"""What every deeper page has in common."""

from collections.abc import Sequence

import ipywidgets as widgets

from ..session import Session

NOTHING = "Nothing is learnt yet. Teach two people first."


class Page(widgets.VBox):
    """A page that is drawn when it is seen, and anew when what it shows has changed.

    Parameters
    ----------
    session : Session
    children : sequence of Widget
    watched : str
        What it shows, as `Session.watch` names it.
    """

    def __init__(self, session: Session, children: Sequence[widgets.Widget], *watched: str):
        self.session, self._fresh = session, False
        super().__init__(children)
        session.watch(self.load, *watched)

    def load(self) -> None:
        "Something changed; drawn at once if the page is seen, and when it is opened otherwise."
        self._fresh = False
        if self.layout.display != "none" and not self.busy:
            self.shown()

    def shown(self) -> None:
        "Draw what changed while the page was not seen."
        if not self._fresh:
            self._fresh = True
            self.draw()

    @property
    def busy(self) -> bool:
        "Whether somebody is in the middle of something that drawing would take away."
        return False

    def draw(self) -> None:
        "Draw everything."
        raise NotImplementedError

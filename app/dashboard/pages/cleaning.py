"""Clean: the photographs that models doubt which have not seen them, to be decided with one key each."""

import io

import ipywidgets as widgets
import numpy as np
from PIL import Image

from celebml.decisions import Decision
from celebml.files import sha256_of
from celebml.review import Review, ReviewItem

from ..drawing import note
from ..kept.trained import Trained
from ..session import Session
from ..widgets.review import ReviewWidget
from .page import NOTHING, Page

PAGE = 12  # photographs at a time


def doubts_of(trained: Trained) -> tuple[np.ndarray, np.ndarray]:
    "For each photograph: in how many of the rounds somebody else was named (NaN if none asked), and who most often."
    doubts = np.full(len(trained.photos), np.nan)
    instead = np.full(len(trained.photos), "", dtype=object)
    scores = trained.scores
    if scores is None:
        return doubts, instead
    wrong = scores.named != scores.truth
    doubts[trained.chosen] = wrong.mean(0)
    for number, column in zip(trained.chosen, np.where(wrong, scores.named, "").T, strict=True):
        names, counts = np.unique(column[column != ""], return_counts=True)
        instead[number] = str(names[counts.argmax()]) if len(names) else ""
    return doubts, instead


class StoreReview(Review):
    """A review whose decisions are done at once: rejected goes to the bin, relabelled to its person.

    Parameters
    ----------
    session : Session
    items, page_size
        As in `Review`.
    """

    def __init__(self, session: Session, items: list[ReviewItem], page_size: int = PAGE):
        super().__init__(items, session.store.decisions, page_size=page_size)
        self.session, self._done = session, {}
        self._undoable_acts: list[tuple[ReviewItem, str]] = []

    @property
    def decided_here(self) -> bool:
        "Whether anything was decided in this session."
        return bool(self._undoable_acts)

    def decision(self, item: ReviewItem):
        "What holds for an item."
        return self._done.get(item.path) or super().decision(item)

    def decide(self, item: ReviewItem, action: str, name: str = "") -> None:
        "Do it."
        store = self.session.store
        if action == "keep":
            super().decide(item, action)
            self._undoable_acts.append((item, "keep"))
        else:
            place = store.place(item.path)
            act = store.remove([place]) if action == "reject" else store.move([place], name)
            if act is not None:
                self._done[item.path] = Decision(item.sha256, item.person, action, name)
                self._undoable_acts.append((item, "act"))
        self.session.look()

    def undo(self) -> ReviewItem | None:
        "Take back the last decision of this session; returns what it was about."
        if not self._undoable_acts:
            return None
        item, kind = self._undoable_acts.pop()
        if kind == "keep":
            super().undo()
        else:
            self.session.store.undo()
            self._done.pop(item.path, None)
        self.session.look()
        return item

    def progress(self) -> dict[str, int]:
        "How many photographs there are, how many are decided, and how."
        held = [self.decision(item) for item in self.items]
        counts = {
            action: sum(d is not None and d.action == action for d in held) for action in ("keep", "reject", "relabel")
        }
        return {"photographs": len(self.items), "decided": sum(counts.values()), **counts}


def queue_of(session: Session) -> list[ReviewItem]:
    "All photographs that were learnt from and are still there, most doubtful first; nothing is worked out anew."
    trained, items, first_of = session.trained, [], {}
    doubts, instead = doubts_of(trained)
    for number, (path, name) in enumerate(zip(trained.photos.paths, trained.photos.names, strict=True)):
        if not path.is_file():
            continue
        seen, group = session.gallery.known(path), (name, int(trained.groups[number]))
        reason = seen.caption if seen is not None and seen.mark != "good" else ""
        if group in first_of:
            reason = reason or f"near duplicate of {first_of[group]}"
        first_of.setdefault(group, path.stem.rsplit("-", 1)[0])
        items.append(ReviewItem(path, name, sha256_of(path), reason, float(doubts[number]), str(instead[number])))
    return sorted(items, key=lambda item: (-np.nan_to_num(item.doubt, nan=-1.0), item.reason == "", item.person))


class Cleaning(Page):
    """The review of doubtful photographs.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self._of = ""
        self.everything = widgets.Checkbox(description="show every photograph", indent=False)
        self.said, self.place = widgets.HTML(), widgets.VBox()
        self.again = widgets.Button(description="Look again at what is there now", layout={"width": "auto"})
        self.everything.observe(lambda _: self._fill(), "value")
        self.again.on_click(lambda _: self._fill())
        intro = (
            "Models that have not seen a photograph say who is on it. Where they name somebody else, look: "
            "keep, reject, or say who it is. What you decide is done at once, and learnt from."
        )
        super().__init__(
            session,
            [
                widgets.HTML(f"<h2>Photographs to look at</h2><p>{intro}</p>"),
                widgets.HBox([self.everything, self.again]).add_class("cm-wrap"),
                self.said,
                self.place,
            ],
            "learnt",
        )

    @property
    def busy(self) -> bool:
        "Whether something was decided in the review that is open."
        return any(child.review.decided_here for child in self.place.children)

    def draw(self) -> None:
        "Fill the page; a review of what is still the newest training stays as it is."
        if not self.busy or self._of != self.session.learnt_from:
            self._fill()

    def _fill(self) -> None:
        if self.session.trained is None:
            self.said.value, self.place.children = note(NOTHING, "warn"), []
            return
        self._of = self.session.learnt_from
        queue = queue_of(self.session)
        first = [item for item in queue if item.doubt > 0.5 or item.reason]
        doubtful, badly = sum(item.doubt > 0.5 for item in queue), sum(bool(item.reason) for item in queue)
        self.said.value = (
            f"<p>{doubtful} may show somebody else; badly seen or there twice: {badly}.</p>"
            if first
            else note("Nobody stands out.")
        )
        items = queue if self.everything.value else first
        review = StoreReview(self.session, items)
        self.place.children = [ReviewWidget(review, self._picture)] if items else []

    def _picture(self, item: ReviewItem) -> Image.Image:
        return Image.open(io.BytesIO(self.session.gallery.face(item.path)))

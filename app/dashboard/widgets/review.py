"""The review on a screen, in JupyterLab and Voila; what it does is in celebml.review."""

import base64
import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import ipywidgets as widgets
import traitlets
from PIL import Image

from celebml.clean import kind_of
from celebml.errors import PhotographError
from celebml.faces import Detection
from celebml.photographs import read_photograph
from celebml.review import Review, ReviewItem

from .frontend import LOOK, together


class Cards(anywidget.AnyWidget):
    """A page of photographs that sends clicks and keys; `at` is the card that has the keys."""

    _esm = together("review")
    _css = LOOK
    items = traitlets.List().tag(sync=True)
    people = traitlets.List().tag(sync=True)


def picture(item: ReviewItem) -> Image.Image:
    """The whole photograph, small; grey where it cannot be read."""
    try:
        small = Image.fromarray(read_photograph(item.path, at_least=256).pixels)
    except PhotographError:
        small = Image.new("RGB", (128, 128), "grey")
    small.thumbnail((256, 256))
    return small


def crops(paths: Sequence[Path], detections: Sequence[Detection]) -> Callable[[ReviewItem], Image.Image]:
    """Draw the biggest face instead, or the whole photograph where there is none."""
    found = dict(zip(paths, detections, strict=True))

    def draw(item: ReviewItem) -> Image.Image:
        faces = found[item.path].faces
        return Image.fromarray(faces[0].crop) if faces else picture(item)

    return draw


class ReviewWidget(widgets.VBox):
    """Photographs a page at a time, most doubtful first: keep, reject or relabel with a key or a click.

    Parameters
    ----------
    review : Review
        The session.
    picture : callable
        `ReviewItem` to a Pillow image; the whole photograph by default, the faces with `crops`.
    """

    def __init__(self, review: Review, picture: Callable[[ReviewItem], Image.Image] = picture):
        self.review, self._picture, self._drawn = review, picture, {}
        self._decided: list[ReviewItem] = []
        reasons = sorted({kind_of(item.reason) for item in review.items} - {"kept"})
        everybody = sorted({item.person for item in review.items})
        self.person = widgets.Dropdown(options=[("everybody", ""), *((n, n) for n in everybody)], description="person")
        self.reason = widgets.Dropdown(options=[("any", ""), *((r, r) for r in reasons)], description="left out")
        self.hide = widgets.Checkbox(description="only undecided", indent=False, layout={"width": "auto"})
        self.before, self.after, self.undo = (
            widgets.Button(description=text, layout={"width": "auto"}) for text in ("◀ before", "next ▶", "undo")
        )
        self.bar = widgets.IntProgress(max=max(len(review.items), 1), layout={"width": "200px"})
        self.said, self.cards = widgets.Label(), Cards()
        for box in (self.person, self.reason, self.hide):
            box.observe(self._filter, "value")
        self.before.on_click(lambda _: self._turn(-1))
        self.after.on_click(lambda _: self._turn(1))
        self.undo.on_click(lambda _: self.act({"action": "undo"}))
        self.cards.on_msg(lambda _, message, __: self.act(message))
        tools = [self.person, self.reason, self.hide, self.before, self.after, self.undo], [self.bar, self.said]
        rows = [widgets.HBox(row, layout={"flex_flow": "row wrap"}).add_class("cm-wrap") for row in tools]
        super().__init__([*rows, self.cards])
        self._draw()

    def _filter(self, _: object) -> None:
        self.review.person, self.review.reason = self.person.value, self.reason.value
        self.review.hide_decided, self.review.page = self.hide.value, 0
        self._draw()

    def _turn(self, pages: int) -> None:
        self.review.page += pages
        self._draw()

    def act(self, message: dict) -> None:
        "Do what was clicked or typed. An undo turns to its card, and the next key decides on that one."
        action, items = message.get("action"), self.review.current()
        item = next((item for item in items if _key(item) == message.get("key")), None)
        if action == "undo":
            if self.review.undo() and self._decided:
                self._show(self._decided.pop())
        elif action in ("next", "before"):
            self.review.page += 1 if action == "next" else -1
        elif action in ("keep", "reject", "relabel") and item is not None:
            self.review.decide(item, action, message.get("name", ""))
            self._decided.append(item)
        self._draw()

    def _show(self, item: ReviewItem) -> None:
        "Turn to the page of an item, and put the keys on it."
        shown = self.review.shown
        if item in shown:
            self.review.page = shown.index(item) // self.review.page_size
        self._draw()
        self.cards.send({"at": _key(item)})

    def _draw(self) -> None:
        items, done = self.review.current(), self.review.progress()
        self.cards.people = self.review.people
        self.cards.items = [self._card(item) for item in items]
        self.bar.value = done["decided"]
        self.said.value = (
            f"{done['decided']} of {done['photographs']} decided: {done['keep']} kept, {done['reject']} rejected, "
            f"{done['relabel']} relabelled. Page {self.review.page + 1} of {self.review.pages}."
        )

    def _card(self, item: ReviewItem) -> dict[str, str]:
        decision, notes = self.review.decision(item), []
        if not math.isnan(item.doubt) and item.doubt > 0.5:
            notes.append(f"looks like {item.looks_like}")
        if item.reason:
            notes.append(item.reason)
        return {
            "key": _key(item),
            "picture": self._drawing(item),
            "person": item.person,
            "note": ", ".join(notes),
            "action": decision.action if decision else "",
            "name": decision.name if decision else "",
        }

    def _drawing(self, item: ReviewItem) -> str:
        if item.path not in self._drawn:
            file = io.BytesIO()
            self._picture(item).convert("RGB").save(file, "JPEG", quality=80)
            self._drawn[item.path] = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
        return self._drawn[item.path]


def _key(item: ReviewItem) -> str:
    "What the page calls a photograph; it stays when the page is drawn anew."
    return f"{item.sha256[:16]}/{item.person}/{item.path.name}"

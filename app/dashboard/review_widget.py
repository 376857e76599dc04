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
from celebml.faces import Detection
from celebml.photographs import PhotographError, read_photograph
from celebml.review import Item, Review

HERE = Path(__file__).parent


class Cards(anywidget.AnyWidget):
    """A page of photographs that sends clicks and keys."""

    _esm = HERE / "review.js"
    _css = HERE / "review.css"
    items = traitlets.List().tag(sync=True)
    people = traitlets.List().tag(sync=True)


def picture(item: Item) -> Image.Image:
    """The whole photograph, small; grey where it cannot be read."""
    try:
        small = Image.fromarray(read_photograph(item.path, at_least=256).pixels)
    except PhotographError:
        small = Image.new("RGB", (128, 128), "grey")
    small.thumbnail((256, 256))
    return small


def crops(paths: Sequence[Path], detections: Sequence[Detection]) -> Callable[[Item], Image.Image]:
    """Draw the biggest face instead, or the whole photograph where there is none."""
    found = dict(zip(paths, detections, strict=True))

    def draw(item: Item) -> Image.Image:
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
        `Item` to a Pillow image; the whole photograph by default, the faces with `crops`.
    """

    def __init__(self, review: Review, picture: Callable[[Item], Image.Image] = picture):
        self.review, self._picture, self._drawn = review, picture, {}
        reasons = sorted({kind_of(item.reason) for item in review.items} - {"kept"})
        everybody = sorted({item.person for item in review.items})
        self.person = widgets.Dropdown(options=[("everybody", ""), *((n, n) for n in everybody)], description="person")
        self.reason = widgets.Dropdown(options=[("any", ""), *((r, r) for r in reasons)], description="left out")
        self.hide = widgets.Checkbox(description="only undecided", indent=False, layout={"width": "150px"})
        self.before, self.after, self.undo = (
            widgets.Button(description=text, layout={"width": "auto"}) for text in ("◀ before", "next ▶", "undo")
        )
        self.bar = widgets.IntProgress(max=max(len(review.items), 1), layout={"width": "200px"})
        self.said, self.cards = widgets.Label(), Cards()
        for box in (self.person, self.reason, self.hide):
            box.observe(self._filter, "value")
        self.before.on_click(lambda _: self._turn(-1))
        self.after.on_click(lambda _: self._turn(1))
        self.undo.on_click(lambda _: self._act({"action": "undo"}))
        self.cards.on_msg(lambda _, message, __: self._act(message))
        tools = widgets.HBox(
            [self.person, self.reason, self.hide, self.before, self.after, self.undo], layout={"flex_flow": "row wrap"}
        )
        super().__init__([tools, widgets.HBox([self.bar, self.said]), self.cards])
        self._draw()

    def _filter(self, _: object) -> None:
        self.review.person, self.review.reason = self.person.value, self.reason.value
        self.review.hide_decided, self.review.page = self.hide.value, 0
        self._draw()

    def _turn(self, pages: int) -> None:
        self.review.page += pages
        self._draw()

    def _act(self, message: dict) -> None:
        action, items = message.get("action"), self.review.current()
        if action == "undo":
            self.review.undo()
        elif action in ("next", "before"):
            self.review.page += 1 if action == "next" else -1
        elif action in ("keep", "reject", "relabel") and 0 <= message.get("index", -1) < len(items):
            self.review.decide(items[message["index"]], action, message.get("name", ""))
        self._draw()

    def _draw(self) -> None:
        items, done = self.review.current(), self.review.progress()
        self.cards.people = self.review.people
        self.cards.items = [self._card(item) for item in items]
        self.bar.value = done["decided"]
        self.said.value = (
            f"{done['decided']} of {done['photographs']} decided: {done['keep']} kept, {done['reject']} rejected, "
            f"{done['relabel']} relabelled. Page {self.review.page + 1} of {self.review.pages}."
        )

    def _card(self, item: Item) -> dict[str, str]:
        decision, notes = self.review.decision(item), []
        if not math.isnan(item.doubt) and item.doubt > 0.5:
            notes.append(f"looks like {item.looks_like}")
        if item.reason:
            notes.append(item.reason)
        return {
            "picture": self._drawing(item),
            "person": item.person,
            "note": ", ".join(notes),
            "action": decision.action if decision else "",
            "name": decision.name if decision else "",
        }

    def _drawing(self, item: Item) -> str:
        if item.path not in self._drawn:
            file = io.BytesIO()
            self._picture(item).convert("RGB").save(file, "JPEG", quality=80)
            self._drawn[item.path] = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
        return self._drawn[item.path]

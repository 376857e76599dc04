"""Try: drop a photograph, see both recipes answer, and why."""

import html
from concurrent.futures import ThreadPoolExecutor

import ipywidgets as widgets

from celebml.classifier import UNKNOWN, Answer
from celebml.explain import Explanation, heat_map
from celebml.files import write_whole
from celebml.photographs import read_photograph

from .drawing import bars, data_url, laid_over, note, photo_with_boxes
from .jobs import sentence
from .parts import Drop
from .session import Session
from .store import shrunk

TITLES = {"best": "Our recipe", "classic": "The classic recipe"}
MOST_FACES = 8


def why_figure(answer: Answer, why: Explanation) -> str:
    "The aligned face with what each region spoke for over it, and how to read it."
    name = html.escape(answer.name)
    return (
        f'<figure class="cm-why"><img alt="heat map of what speaks for {name}" '
        f'src="{data_url(laid_over(answer.face.crop, heat_map(why)))}">'
        f'<figcaption>Why: <b class="cm-for">blue</b> speaks for {name}, <b class="cm-against">orange</b> against.'
        "</figcaption></figure>"
    )


class TryIt(widgets.VBox):
    """One photograph, two answers.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.session, self._worker = session, ThreadPoolExecutor(1)
        self.drop = Drop(self._take, text="Drop a photograph to be named", several=False)
        self.said = widgets.HTML()
        self.answers = {name: widgets.HTML() for name in TITLES}
        self._last = None
        session.watch(self.refresh, "trained")
        columns = widgets.HBox(list(self.answers.values())).add_class("cm-columns")
        super().__init__([widgets.HTML("<h2>Who is this?</h2>"), self.drop, self.said, columns])

    def refresh(self) -> None:
        "Ask again when something else was trained; a photograph tried before a reload comes back."
        trained = self.session.trained
        if trained is None:
            self._last = None
            self.said.value = note("Nothing is trained yet. Teach two people first.", "warn")
            for box in self.answers.values():
                box.value = ""
        elif (trained, trained.classifiers["best"].model_.threshold_) != self._last:
            self._last, self.said.value = (trained, trained.classifiers["best"].model_.threshold_), ""
            if self.session.store.tried.is_file():
                self._worker.submit(self._answer, self.session.store.tried.read_bytes())

    def wait(self) -> None:
        "Wait for the answer; for a notebook cell or a test."
        self._worker.submit(lambda: None).result(60)

    def ask(self, data: bytes) -> None:
        "Name the people in one photograph."
        if self.session.trained is None:
            self.refresh()
            return
        self._worker.submit(self._answer, data)

    def _take(self, path: str, _: list[str], data: bytes) -> None:
        self.ask(data)
        self._worker.submit(self.drop.ready, path)

    def _answer(self, data: bytes) -> None:
        trained = self.session.trained
        try:
            small = shrunk(data, "this file")
            write_whole(self.session.store.tried, small)
            photo = read_photograph(small)
            self.said.value = ""
            for name, box in self.answers.items():
                if name not in trained.classifiers:
                    box.value = f"<h3>{TITLES[name]}</h3>" + note(
                        trained.why_not.get(name, "It was not trained."), "warn"
                    )
                    continue
                found = trained.classifiers[name].classify(photo)
                box.value = self._page(name, photo, found[:MOST_FACES])
                if name == "best" and found:
                    self.session.show(found[0].face)
        except Exception as error:  # noqa: BLE001 - the last line of a thread: it must end in a sentence
            self.said.value = note(sentence(error), "bad")

    def _page(self, recipe: str, photo, found: list[Answer]) -> str:
        "HTML of one recipe's answers."
        shown = f"<h3>{TITLES[recipe]}</h3>" + photo_with_boxes(photo.pixels, photo.size, found)
        if not found:
            reason = "it needs two open eyes, seen from the front" if recipe == "classic" else "try one in better light"
            return shown + note(f"No face found by this recipe: {reason}.", "warn")
        return shown + "".join(self._face(recipe, number, answer) for number, answer in enumerate(found, 1))

    def _face(self, recipe: str, number: int, answer: Answer) -> str:
        unknown = answer.known is False
        name = f"{UNKNOWN}" if unknown else html.escape(answer.name)
        parts = [f'<section class="cm-face"><h4><span class="cm-number">{number}</span> {name}</h4>']
        if unknown:
            parts.append(note(f"Looks like nobody it knows. If it had to be one of them, {answer.name}:", "warn"))
        elif answer.known is None:
            parts.append('<p class="cm-small">This recipe cannot say "unknown": it always names somebody.</p>')
        parts.append(bars(answer.probabilities))
        if recipe == "best":
            parts.append(why_figure(answer, self.session.trained.classifiers[recipe].explain(answer)))
        return "".join(parts) + "</section>"

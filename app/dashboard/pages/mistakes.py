"""Mistakes: who is taken for whom, who passes as known, and would more photographs help?"""

import html

import ipywidgets as widgets
import numpy as np

from celebml.evaluate import NOBODY, Scores
from celebml.report import percent, strangers_told

from ..drawing import curve, note
from ..kept.gallery import Seen
from ..kept.trained import Trained
from ..session import Session
from ..widgets.parts import Matrix, Photographs, Threshold
from ..work.words import score_sentence
from .page import NOTHING, Page


def cell_photos(scores: Scores, shown: str, named: str) -> list[tuple[int, int]]:
    "Photographs of `shown` that were named `named`: number in the scores, and in how many rounds; most rounds first."
    rounds = (scores.named == named).sum(0)
    found = [(int(i), int(rounds[i])) for i in np.flatnonzero((scores.truth == shown) & (rounds > 0))]
    return sorted(found, key=lambda pair: -pair[1])


def worst_confusions(scores: Scores, most: int = 3) -> list[tuple[str, str, int]]:
    "Who is taken for whom most often: shown, named, and how many photographs in most rounds."
    wrong = (scores.named != scores.truth).mean(0) > 0.5
    pairs: dict[tuple[str, str], int] = {}
    for i in np.flatnonzero(wrong):
        names, counts = np.unique(scores.named[:, i], return_counts=True)
        pair = str(scores.truth[i]), str(names[counts.argmax()])
        pairs[pair] = pairs.get(pair, 0) + 1
    return [(*pair, count) for pair, count in sorted(pairs.items(), key=lambda item: -item[1])[:most]]


def shares_at(known: np.ndarray, strangers: np.ndarray, threshold: float) -> tuple[float, float | None]:
    "Shares of known faces and of strangers that a threshold lets pass; `None` where there were no strangers."
    return float(np.mean(known >= threshold)), float(np.mean(strangers >= threshold)) if len(strangers) else None


class Mistakes(Page):
    """Confusion matrix, comparison with other recipes, threshold and learning curve.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self._open: tuple[str, str, str] | None = None  # the open cell: shown, named, and by which recipe
        self.recipe = widgets.ToggleButtons(options=[session.store.recipe().name])
        self.other = widgets.Dropdown(description="Compare with", style={"description_width": "auto"})
        self.compare = widgets.Button(description="Compare", layout={"width": "auto"})
        self.use = widgets.Button(description="Teach with this one", layout={"width": "auto", "display": "none"})
        self.score, self.working = widgets.HTML(), widgets.HTML()
        self.matrix, self.photographs = Matrix(self.show_cell), Photographs(self.act)
        self.threshold, self.passing, self.curve = Threshold(self._move), widgets.HTML(), widgets.HTML()
        self.draw_curve = widgets.Button(description="Draw the learning curve", layout={"width": "auto"})
        self.recipe.observe(lambda _: self._draw_matrix(), "value")
        self.compare.on_click(lambda _: self._started(session.compare(self.other.value)))
        self.use.on_click(lambda _: session.use(self.recipe.value))
        self.draw_curve.on_click(lambda _: self._started(session.begin("curve")))
        session.watch(self._draw_working, "work")
        strangers = [widgets.HTML("<h2>Whom does it not know?</h2>"), self.threshold, self.passing]
        more = [widgets.HTML("<h2>Would more photographs help?</h2>"), self.draw_curve, self.curve]
        super().__init__(
            session,
            [
                widgets.HTML("<h2>Who is taken for whom?</h2>"),
                widgets.HBox([self.recipe, self.use, self.other, self.compare]).add_class("cm-wrap"),
                self.working,
                self.score,
                widgets.HBox([self.matrix, self.photographs]).add_class("cm-beside"),
                widgets.HBox([widgets.VBox(strangers), widgets.VBox(more)]).add_class("cm-columns"),
            ],
            "learnt",
            "threshold",
            "curve",
            "photos",
        )

    def draw(self) -> None:
        "Draw everything."
        self._draw_recipes()
        self._draw_matrix()
        self._draw_threshold()
        self._draw_curve()
        self._draw_working()

    def show_cell(self, shown: str, named: str) -> None:
        "Show the photographs of one cell of the matrix, to be looked at and put right."
        trained = self._trained()
        if trained is None or trained.scores is None or shown not in self.matrix.rows:
            return  # pressed in the moment in which the table went
        found, rounds = cell_photos(trained.scores, shown, named), len(trained.scores.named)
        items = []
        for number, count in found:
            path = trained.photos.paths[trained.chosen[number]]
            if path.is_file():
                seen = self.session.gallery.known(path) or Seen("", "")
                caption = f"in {count} of {rounds} rounds" if count < rounds or shown != named else ""
                items.append(self.session.photo_item(path, caption, seen.mark, shown))
        self._open = (shown, named, trained.recipe)
        self._mark_open()
        same = "named correctly" if shown == named else f"taken for {named}"
        self.photographs.people = list(trained.photos.people)
        self.photographs.title = f"{shown}, {same}: {len(items)}"
        self.photographs.items = items

    def _mark_open(self) -> None:
        "Mark the open cell in the table, if it is there."
        shown, named, _ = self._open or ("", "", "")
        there = shown in self.matrix.rows and named in self.matrix.columns
        self.matrix.chosen = [self.matrix.rows.index(shown), self.matrix.columns.index(named)] if there else [-1, -1]

    def _keep_open(self, trained: Trained | None) -> None:
        """A new score leaves the photographs of the open cell and the way back alone, and so does none.

        They go where another recipe has others there, and where the person is no longer known.
        """
        if self._open and (trained is None or self._open[0] not in trained.photos.people):
            self._open, self.photographs.items, self.photographs.title = None, [], ""
        self._mark_open()
        if self._open and self._open[2] != trained.recipe:
            self.show_cell(*self._open[:2])

    def act(self, message: dict) -> dict:
        "Do what was asked about the photographs of the open cell; the answer is for the page."
        store = self.session.store
        if message.get("act") == "remove":
            done = store.remove(message["places"])
        elif message.get("act") == "move":
            done = store.move(message["places"], message["person"])
        elif message.get("act") == "undo":
            done = store.undo()
            self.session.look()
            return {"said": f"Taken back: {done}." if done else "There is nothing to take back."}
        else:
            return {"problem": "That cannot be done here."}
        self.session.look()
        return {"said": f"{str(done)[:1].upper()}{str(done)[1:]}." if done else "Already done."}

    def _started(self, begun: bool) -> None:
        self.session.look()
        if not begun:
            self.working.value = note("It begins when it has learnt.")

    def _draw_working(self) -> None:
        said = self.session.work.status()
        if said.task not in ("compare", "curve") or said.state == "done":
            self.working.value = ""
        elif said.running:
            self.working.value = (
                f'<p class="cm-small" role="status">{html.escape(said.text)} · {100 * said.share:.0f} %</p>'
            )
        else:
            self.working.value = note(said.text, "warn")

    def _draw_recipes(self) -> None:
        "The recipes that can be looked at, the one taught with first, and those that they can be compared with."
        trained, compared = self.session.trained, self.session.compared
        taught = trained.recipe if trained else self.session.store.recipe().name
        there = [taught, *(name for name in compared if name != taught)]
        if list(self.recipe.options) != there:
            held = self.recipe.value
            self.recipe.options = there
            self.recipe.value = held if held in there else taught
        new = {name for name, other in compared.items() if trained is not None and other.of == trained.of}
        others = [name for name in self.session.store.recipes() if name != taught and name not in new]
        if list(self.other.options) != others:
            self.other.options = others
            self.other.value = next(iter(others), None)
        for widget in (self.other, self.compare):
            widget.layout.display = "" if others else "none"
        self.compare.disabled = trained is None

    def _trained(self) -> Trained | None:
        "What the chosen recipe has learnt."
        trained = self.session.trained
        if trained is not None and trained.recipe == self.recipe.value:
            return trained
        return self.session.compared.get(self.recipe.value, trained)

    def _draw_matrix(self) -> None:
        "The table, and the sentence over it."
        trained = self._trained()
        scores = trained.scores if trained else None
        self.use.layout.display = "none" if trained is None or trained is self.session.trained else ""
        if scores is None:
            why = (trained.why_not or "The score is being worked out.") if trained else NOTHING
            self.matrix.rows, self.score.value = [], note(why, "warn")
            self._keep_open(trained)
            return
        table = scores.confusion()
        used = [name for name in table.columns if name in table.index or table[name].sum() > 0]
        with self.matrix.hold_sync():  # the page is told all of it at once: counts of other rows cannot be drawn
            self.matrix.counts = table[used].to_numpy().tolist()
            self.matrix.columns, self.matrix.rows = used, list(table.index)
            self._keep_open(trained)
        worst = [
            f"finds no face on {count} of {shown}" if named == NOBODY else f"takes {count} of {shown} for {named}"
            for shown, named, count in worst_confusions(scores)
        ]
        told = (
            f"Its most frequent mistakes: it {', it '.join(worst)}." if worst else "It took nobody for somebody else."
        )
        stale = " This is the score before the last changes." if self.session.stale else ""
        sentence = html.escape(score_sentence(scores)).replace(" %", "&nbsp;%")
        self.score.value = (
            f"<p>{sentence}</p><p>{html.escape(told + stale)} "
            '<span class="cm-small">Press a number to see the photographs, and to put them right.</span></p>'
        )

    def _move(self, value: float | None) -> None:
        "A hand moved the threshold: it holds from now on, and is exported."
        if self.session.trained is not None:
            self.session.choose_threshold(value)

    def _draw_threshold(self) -> None:
        with self.threshold.hold_sync():  # the page is told all of it at once, not a range first and its value later
            self._tell_threshold()

    def _tell_threshold(self) -> None:
        trained = self.session.trained
        classifier = trained.classifier if trained else None
        known = classifier.known_scores if classifier else np.zeros(0)
        at = classifier.threshold if classifier else None
        self.threshold.shown = bool(len(known)) and at is not None
        if not self.threshold.shown:
            cannot = "Too few photographs, or a recipe that cannot tell, to say who is a stranger."
            self.passing.value = note(cannot if trained else NOTHING, "warn")
            return
        strangers = classifier.stranger_scores
        scores = np.concatenate([known, strangers, [self.session.own_threshold]])
        self.threshold.low, self.threshold.high = float(scores.min()) - 0.1, float(scores.max()) + 0.1
        self.threshold.own, self.threshold.value = float(self.session.own_threshold), float(at)
        places = np.linspace(self.threshold.low, self.threshold.high, 60)
        curves = {"known faces accepted": [(x, shares_at(known, strangers, x)[0]) for x in places]}
        if len(strangers):
            curves["strangers accepted"] = [(x, shares_at(known, strangers, x)[1]) for x in places]
        accepted, let_in = shares_at(known, strangers, at)
        told = strangers_told(strangers, classifier.passer_scores, at)
        text = f"At {at:.2f}, {percent(accepted)} of the faces it knows are accepted{told and f', and so are {told}'}."
        if let_in is None:
            text += " With two people nobody could be left out: teach a third, and it is known how many of those pass."
        bad = let_in is not None and let_in > 0.5
        said = note(text, "warn") if bad else f"<p>{html.escape(text)}</p>"
        self.passing.value = said + curve(curves, "score that a face needs", text, at)

    def _draw_curve(self) -> None:
        kept, trained = self.session.store.read("curve.json"), self.session.trained
        points = kept.get("points") or []
        self.draw_curve.disabled = trained is None
        if not points or trained is None:
            self.curve.value = ""
            return
        first, last = points[0], points[-1]
        text = (
            f"With {first[0]:.0f} photograph{'s' if first[0] > 1 else ''} a person, {percent(first[1])} of the others "
            f"are named correctly; with {last[0]:.0f}, {percent(last[1])}."
        )
        if (kept.get("of"), kept.get("recipe", trained.recipe)) != (trained.of, trained.recipe):
            text += " This was measured on other photographs, or with another recipe, than there are now."
        drawn = {"named correctly (band: worst to best draw)": [tuple(point) for point in points]}
        self.curve.value = f"<p>{html.escape(text)}</p>" + curve(drawn, "photographs a person", text, dots=True)

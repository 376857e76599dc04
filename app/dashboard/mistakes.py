"""Understand the errors: who is taken for whom, who passes as known, and would more photographs help?"""

from pathlib import Path

import ipywidgets as widgets
import numpy as np

from celebml.clean import detect_file
from celebml.evaluate import Scores
from celebml.photographs import PhotographError, read_photograph
from celebml.recipes import load_recipe
from celebml.report import percent

from .drawing import curve, data_url, note
from .parts import Matrix, Pictures
from .session import Session
from .teaching import curve_sizes, describe_all, find_faces, learning_curve, score_sentence
from .try_it import TITLES

MOST = 40  # pictures of one cell


def cell_photos(scores: Scores, shown: str, named: str) -> list[tuple[int, int]]:
    "Photographs of `shown` that were named `named`: number in the scores, and in how many rounds; most rounds first."
    rounds = (scores.named == named).sum(0)
    found = [(int(i), int(rounds[i])) for i in np.flatnonzero((scores.truth == shown) & (rounds > 0))]
    return sorted(found, key=lambda pair: -pair[1])


def shares_at(known: np.ndarray, strangers: np.ndarray, threshold: float) -> tuple[float, float | None]:
    "Shares of known faces and of strangers that a threshold lets pass; `None` where there were no strangers."
    return float(np.mean(known >= threshold)), float(np.mean(strangers >= threshold)) if len(strangers) else None


class Mistakes(widgets.VBox):
    """Confusion matrix, threshold and learning curve.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.session = session
        self.recipe = widgets.ToggleButtons(options=[(title, name) for name, title in TITLES.items()])
        self.score, self.cell = widgets.HTML(), widgets.HTML()
        self.matrix, self.pictures = Matrix(self.show_cell), Pictures()
        self.threshold = widgets.FloatSlider(
            description="Threshold", step=0.01, readout_format=".2f", layout={"width": "min(420px, 100%)"}
        )
        self.passing, self.curve = widgets.HTML(), widgets.HTML()
        self.draw = widgets.Button(description="Draw the learning curve", layout={"width": "auto"})
        self.recipe.observe(lambda _: self._draw_matrix(), "value")
        self.threshold.observe(lambda _: self._move(), "value")
        self.draw.on_click(lambda _: self._learn())
        self._last, self._setting = None, False
        session.watch(self.refresh, "trained")
        super().__init__(
            [
                widgets.HTML("<h2>Who is taken for whom?</h2>"),
                self.recipe,
                self.score,
                self.matrix,
                self.cell,
                self.pictures,
                widgets.HTML("<h2>Whom does it not know?</h2>"),
                self.threshold,
                self.passing,
                widgets.HTML("<h2>Would more photographs help?</h2>"),
                self.draw,
                self.curve,
            ]
        )
        self.refresh()

    def refresh(self) -> None:
        "Draw what was trained."
        if self.session.trained is self._last and self._last is not None:
            return
        self._last = self.session.trained
        self._draw_matrix()
        self._set_slider()
        self._draw_curve()

    def show_cell(self, row: int, column: int) -> None:
        "Show the photographs of one cell of the matrix."
        scores = self._scores()
        shown, named = self.matrix.rows[row], self.matrix.columns[column]
        found, rounds = cell_photos(scores, shown, named), len(scores.named)
        self.matrix.chosen = [row, column]
        same = "correctly" if shown == named else f"as {named}"
        self.cell.value = note(
            f"{len(found)} photographs of {shown} were named {same} at least once.",
            "good" if shown == named else "warn",
        )
        self.pictures.items = [self._card(number, count, rounds) for number, count in found[:MOST]]

    def _scores(self) -> Scores | None:
        return self.session.trained.scores.get(self.recipe.value) if self.session.trained else None

    def _card(self, number: int, count: int, rounds: int) -> dict:
        trained = self.session.trained
        path: Path = trained.photos.paths[trained.chosen[number]]
        try:
            found = detect_file(path, load_recipe("best").detector, self.session.store.found)
            pixels = found.faces[0].crop if found.faces else read_photograph(path, at_least=200).pixels
        except PhotographError:  # removed since
            pixels = np.full((64, 64, 3), 128, np.uint8)
        file = path.stem.rsplit("-", 1)[0]
        caption = file if rounds == 1 else f"{file}, {count} of {rounds} rounds"
        return {"src": data_url(pixels, 112), "caption": caption, "mark": "", "alt": file}

    def _draw_matrix(self) -> None:
        scores, trained = self._scores(), self.session.trained
        self.cell.value, self.pictures.items, self.matrix.chosen = "", [], [-1, -1]
        if scores is None:
            missing = "Nothing is trained yet. Teach two people first."
            why = trained.why_not.get(self.recipe.value, missing) if trained else missing
            self.matrix.rows, self.score.value = [], note(why, "warn")
            return
        table = scores.confusion()
        used = [name for name in table.columns if name in table.index or table[name].sum() > 0]
        self.matrix.counts = table[used].to_numpy().tolist()
        self.matrix.columns, self.matrix.rows = used, list(table.index)
        self.score.value = (
            note(score_sentence(scores)) + '<p class="cm-small">Press a number to see the photographs.</p>'
        )

    def _set_slider(self) -> None:
        model = self._model()
        usable = model is not None and model.known_scores_ is not None and len(model.known_scores_)
        self.threshold.layout.display = "" if usable and model.threshold_ is not None else "none"
        if not usable or model.threshold_ is None:
            self.passing.value = note("Too few photographs to say who is a stranger.", "warn") if model else ""
            return
        scores = np.concatenate([model.known_scores_, model.stranger_scores_, [model.threshold_]])
        low, high = float(scores.min()) - 0.1, float(scores.max()) + 0.1
        self._setting = True  # new ends push the value about, which nobody asked for
        self.threshold.min, self.threshold.max = min(low, self.threshold.max), max(high, self.threshold.min)
        self.threshold.min, self.threshold.max, self.threshold.value = low, high, float(model.threshold_)
        self._setting = False
        self._draw_threshold()

    def _model(self):
        trained = self.session.trained
        return trained.classifiers["best"].model_ if trained else None

    def _move(self) -> None:
        "The model uses the slider's threshold from now on."
        if not self._setting and self.session.trained is not None:
            self.session.set_threshold(float(self.threshold.value))
            self._draw_threshold()

    def _draw_threshold(self) -> None:
        "The curve, for the threshold as it stands."
        model = self._model()
        at = float(model.threshold_)
        known, strangers = np.asarray(model.known_scores_), np.asarray(model.stranger_scores_)
        places = np.linspace(self.threshold.min, self.threshold.max, 60)
        curves = {"known faces accepted": [(x, shares_at(known, strangers, x)[0]) for x in places]}
        if len(strangers):
            curves["strangers accepted"] = [(x, shares_at(known, strangers, x)[1]) for x in places]
        accepted, let_in = shares_at(known, strangers, at)
        text = f"At {at:.2f}, {percent(accepted)} of the faces it knows are accepted"
        text += (
            f", and so are {percent(let_in)} of strangers."
            if let_in is not None
            else (". With two people nobody could be left out, so how many strangers pass is not known: teach a third.")
        )
        self.passing.value = note(text) + curve(curves, "score that a face needs", text, at)

    def _learn(self) -> None:
        trained = self.session.trained
        if trained is None:
            self.curve.value = note("Nothing is trained yet. Teach two people first.", "warn")
            return

        def work(job):
            described = describe_all("best", find_faces(self.session.store, trained.photos, "best", job.step), job.step)
            return learning_curve(described, trained.photos.names, trained.groups, step=job.step)

        def done(points):
            trained.curve = points
            self.session.store.save(trained)
            self._draw_curve()

        smallest = min(trained.photos.people.values())
        self.session.job.start(work, done, 2 * len(trained.photos) + 5 * len(curve_sizes(smallest - 1)))

    def _draw_curve(self) -> None:
        trained = self.session.trained
        if not trained or not trained.curve:
            self.curve.value = ""
            return
        first, last = trained.curve[0], trained.curve[-1]
        text = (
            f"With {first[0]:.0f} photograph{'s' if first[0] > 1 else ''} a person, {percent(first[1])} of the others "
            f"are named correctly; with {last[0]:.0f}, {percent(last[1])}."
        )
        points = [tuple(point) for point in trained.curve]
        self.curve.value = note(text) + curve(
            {"named correctly (band: worst to best draw)": points}, "photographs a person", text, dots=True
        )

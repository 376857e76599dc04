"""What the pages of the dashboard share: the store, the bar for long work, and what was trained."""

import os
from collections.abc import Callable
from pathlib import Path

from celebml.faces import Detection, Face
from celebml.recipes import load_recipe

from .jobs import Job, sentence
from .store import Store, Trained
from .teaching import train, work_of

DEFAULT = Path(__file__).parents[2] / "runs" / "dashboard"


class Session:
    """State of one page.

    Parameters
    ----------
    folder : path or None
        Where everything is kept; `$CELEBML_DASHBOARD`, or runs/dashboard.
    """

    def __init__(self, folder: str | Path | None = None):
        self.store = Store(folder or os.environ.get("CELEBML_DASHBOARD") or DEFAULT)
        self.job, self.trained, self.face = Job(), None, None
        self._stamp = 0.0
        self._told: dict[str, list[Callable[[], None]]] = {"trained": [], "face": []}

    def watch(self, told: Callable[[], None], *what: str) -> None:
        "Call a function whenever something was trained or loaded (`trained`), or a face was tried (`face`)."
        for one in what:
            self._told[one].append(told)

    def changed(self, what: str = "trained") -> None:
        "Tell everybody who watches."
        for told in self._told[what]:
            told()

    def reload(self) -> None:
        "Take up what the folder holds; after a page reload or in a new kernel."
        file = self.store.folder / "trained" / "answers.json"
        stamp = file.stat().st_mtime if file.is_file() else 0.0
        notes, damaged = self.store.notes(), ""
        try:
            if stamp != self._stamp or self.trained is None:
                self.trained, self._stamp = self.store.load(), stamp
        except ValueError as error:
            self.trained, damaged = None, sentence(error)
        if notes.get("threshold") is not None and self.trained is not None:
            self.trained.classifiers["best"].model_.threshold_ = float(notes["threshold"])
        interrupted = "Training was interrupted. Press Train to go on: the faces found so far are remembered."
        if damaged or (notes.get("training") and not self.job.running):
            self.job.say(damaged or interrupted, "warn")
        self.changed()

    def train(self) -> None:
        "Train in the background on what is kept, decisions applied."
        count = len(self.store.photos())
        if self.job.start(lambda job: train(self.store, job.step), self._learnt, work_of(count), self._ended):
            self.store.note(training=True)

    def _learnt(self, trained: Trained) -> None:
        self.store.save(trained)
        self.store.note(threshold=None)
        self.trained = trained
        self.job.say("Trained. Look at the score under Teach, then try a photograph.", "good")
        self.changed()

    def _ended(self) -> None:
        self.store.note(training=False)

    def set_threshold(self, value: float) -> None:
        "The score from which a face is taken for one of the people; remembered, and exported."
        self.trained.classifiers["best"].model_.threshold_ = value
        self.store.note(threshold=value)

    def show(self, face: Face | None) -> None:
        "Make a face the one that is looked at under glass."
        self.face = face
        self.changed("face")

    def answer(self, recipe: str, face: Face) -> tuple[dict[str, float], float | None, float | None]:
        "Probabilities of a face by name, its score, and the score it needs; the face is described as it is."
        model = self.trained.classifiers[recipe].model_
        rows = load_recipe(recipe).describe([Detection((face,))])[0].rows
        scores = model.known_score(rows)
        score = None if scores is None else float(scores[0])
        return (
            dict(zip(map(str, model.classes_), map(float, model.predict_proba(rows)[0]), strict=True)),
            score,
            model.threshold_,
        )

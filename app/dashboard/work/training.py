"""Training and scoring step by step, so that it can be watched: one recipe first, then its score; others on demand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from celebml import pipeline, stages
from celebml.bundle import Bundle
from celebml.classifier import CelebrityClassifier
from celebml.datasets import PhotoSet, usable
from celebml.descriptions import Description
from celebml.duplicates import near_duplicate_groups
from celebml.errors import DataError
from celebml.evaluate import LEAST_TO_SCORE, Scores
from celebml.faces import Detection
from celebml.recipes import Recipe
from celebml.search import enough_pictures
from celebml.stages import Looked

from ..kept.gallery import Gallery
from ..kept.store import Store
from ..kept.trained import Trained

REPEATS = 3
NO_SCORE = """# Model card

Learnt from {} photographs, too few to say how often it is right. For trying out only.
"""
Step = Callable[..., None]  # step(text, weight)


def nothing(text: str = "", weight: float = 1) -> None:
    "A step that nobody watches."


class Descriptions:
    """What a recipe sees in each photograph, kept from one training of a process to the next.

    Parameters
    ----------
    store : Store
    recipe : Recipe
    """

    def __init__(self, store: Store, recipe: Recipe):
        self.store, self.recipe, self.gallery = store, recipe, Gallery(store)
        self._seen: dict[tuple, tuple[Detection, Detection, Description]] = {}

    def of(self, photos: PhotoSet, step: Step = nothing, groups: np.ndarray | None = None) -> Looked:
        "Every photograph, looked at; a face that somebody chose is the only one. `groups`: copies, if known."
        choices, found = self.store.choices(), []
        for number, path in enumerate(photos.paths, 1):
            key = path.name, path.stat().st_size, choices.get(path.name)
            if key in self._seen:
                step("", 2)
            else:
                if self.gallery.known(path) is None:
                    self.gallery.seen(path)  # somebody put it into the folder by hand
                shown = self.gallery.chosen(path, choices)
                detection = self.gallery.chosen(path, choices, self.recipe)
                step(f"finding faces: {number} of {len(photos)}")
                self._seen[key] = shown, detection, stages.describe_faces([detection], self.recipe)[0]
                step(f"describing faces: {number} of {len(photos)}")
            found.append(self._seen[key])
        shown, detections, descriptions = ([one[part] for one in found] for part in range(3))
        name = self.recipe.name
        groups = near_duplicate_groups(shown) if groups is None else groups
        return Looked(photos, groups, {name: self.recipe}, {name: detections}, {name: descriptions})


def work_of(n_photos: int) -> float:
    "How many steps `learn` takes, about."
    return 2.0 * n_photos + 5 * REPEATS * 3 + 6


def learn(
    described: Descriptions,
    step: Step = nothing,
    tell: Callable[[Trained], None] | None = None,  # called with what can answer already, before its score is known
    before: Trained | None = None,  # what was there, to say what changed
) -> Trained:
    "Find faces, learn from everything, then score it where that is possible. Raises `DataError`."
    of, photos = described.store.fingerprint(), described.store.decided(described.store.photos())
    if sum(count > 1 for count in photos.people.values()) < 2:
        raise DataError("two people with two photographs each are the least; ten of each are a good start")
    trained = taught(described.of(usable(photos), step), described.recipe, of, step, tell)
    trained.before = changes(before, trained)
    return trained


def taught(
    looked: Looked,
    recipe: Recipe,
    of: str,  # fingerprint of the photographs
    step: Step = nothing,
    tell: Callable[[Trained], None] | None = None,
) -> Trained:
    "What a recipe makes of photographs that were looked at, and its score where that is possible."
    chosen = np.flatnonzero(enough_pictures(looked.names, looked.groups, LEAST_TO_SCORE))
    found = [detection.reason for detection in looked.detections[recipe.name]]
    trained = Trained(looked.photos, looked.groups, recipe.name, found, chosen=chosen, of=of)
    step("learning", 3)
    with threadpool_limits(1):
        bundle = stages.learn(looked, recipe)
    trained.classifier = _with_card(bundle, trained)
    if tell is not None:
        tell(trained)
    if len(set(looked.names[chosen])) < 2:
        least = f"at least two people need {LEAST_TO_SCORE} different photographs each"
        trained.why_not = f"There is no score yet: {least}."
        return trained

    def counted(stage: str, done: int, total: int) -> None:
        step("checking on photographs it has not seen", 3)

    try:
        trained.scores = pipeline.evaluate(looked, n_repeats=REPEATS, step=counted)[recipe.name]
    except DataError as error:
        trained.why_not = f"The {recipe.name} recipe cannot be scored: {error}."
    trained.classifier = _with_card(bundle, trained)
    return trained


def changes(before: Trained | None, after: Trained) -> dict[str, int]:
    "The score before, and how many photographs have another answer than then; nothing when there was no score."
    if before is None or before.recipe != after.recipe or before.scores is None or after.scores is None:
        return {}
    right, asked = right_and_asked(before.scores)
    old, new = before.answers(), after.answers()
    moved = sum(old[name] != new[name] for name in old.keys() & new.keys())
    return {"right": right, "asked": asked, "moved": moved}


def _with_card(bundle: Bundle, trained: Trained) -> CelebrityClassifier:
    photos, scores = trained.photos, {} if trained.scores is None else {trained.recipe: trained.scores}
    card = pipeline.card_for(bundle, photos, scores) if scores else NO_SCORE.format(len(photos))
    metrics = {key: one.summary() for key, one in scores.items()} | {"photos": len(photos), "people": photos.people}
    return CelebrityClassifier.from_bundle(replace(bundle, metrics=metrics, card=card))


def right_and_asked(scores: Scores) -> tuple[int, int]:
    "How many photographs were named correctly out of fold in most repeats, and how many there were."
    share = (scores.named == scores.truth).mean(0)
    return int((share > 0.5).sum()), len(share)

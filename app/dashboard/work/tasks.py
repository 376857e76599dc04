"""The tasks that a worker can be given. Each writes what it found into the folder and returns its last sentence."""

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from celebml.errors import BundleError, DataError
from celebml.files import write_json
from celebml.pipeline import CURVE_SIZES, learning_curve
from celebml.recipes import load_recipe

from ..kept.store import MOST_AT_HAND, Store
from ..kept.trained import Trained
from .jobs import Watched
from .training import Descriptions, learn, taught, work_of

LEARNT = "Learnt."
WAIT, QUIET = 30.0, 0.4  # seconds that a worker waits for more, and without a change before it begins


def task_learn(folder: Path, watched: Watched) -> str:
    "Learn from the photographs as they are; when more arrive meanwhile, from those too."
    store = Store(folder)
    described = Descriptions(store, store.recipe())
    while True:
        of = store.fingerprint()
        if described.recipe != store.recipe():
            described = Descriptions(store, store.recipe())
        watched.said.of = of
        watched.write()
        watched.plan(watched.count + work_of(store.count()))
        try:
            before = store.load()
        except BundleError:
            before = None
        tell = functools.partial(_answerable, store, before)
        trained = learn(described, watched.step, tell, before)
        store.save(trained)
        store.forget("fresh")
        if _is_newest(store, trained):
            if not _more_soon(store, watched, trained):
                return LEARNT
            watched.again(store.fingerprint())


def _is_newest(store: Store, trained: Trained) -> bool:
    return trained.is_of(store.fingerprint(), store.recipe().name)


def _more_soon(store: Store, watched: Watched, trained: Trained) -> bool:
    """Wait a while for other photographs, with what was described at hand: then nothing is done twice.

    Only where a server watches over the process, and somebody may be teaching.
    """
    if not os.environ.get("CELEBML_SERVED") or store.count() > MOST_AT_HAND:
        return False
    watched.end("done", LEARNT, os.getpid())
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        now = store.fingerprint()
        time.sleep(QUIET)
        if not _is_newest(store, trained) and now == store.fingerprint() and store.by_itself:
            return True
    return False


def _answerable(store: Store, before: Trained | None, trained: Trained) -> None:
    "A model that answers already; the score and what was found before stay until the new ones are there."
    if before is None or before.scores is None:
        store.save(trained)
    else:
        store.save(trained, "fresh")


def task_compare(folder: Path, watched: Watched) -> str:
    "Learn and score another recipe on the photographs that ours has learnt from."
    store, recipe = Store(folder), load_recipe(watched.about)
    ours = _trained(store)
    watched.plan(work_of(len(ours.photos)))
    looked = Descriptions(store, recipe).of(ours.photos, watched.step, ours.groups)
    store.save(taught(looked, recipe, ours.of, watched.step), f"compared-{recipe.name}")
    return "Compared."


def task_curve(folder: Path, watched: Watched) -> str:
    "How good it is with fewer photographs."
    store = Store(folder)
    ours = _trained(store)
    recipe = load_recipe(store.recipes()[ours.recipe])
    smallest = min(ours.photos.people.values())
    watched.plan(2 * len(ours.photos) + 5 * sum(size < smallest for size in CURVE_SIZES))
    looked = Descriptions(store, recipe).of(ours.photos, watched.step, ours.groups)
    curve = learning_curve(looked, recipe.name, step=lambda stage, done, total: watched.step(stage))
    points = [[size, float(np.mean(shares)), min(shares), max(shares)] for size, shares in curve]
    write_json(folder / "curve.json", {"of": ours.of, "recipe": recipe.name, "points": points})
    return "The learning curve is drawn."


def _trained(store: Store) -> Trained:
    trained = store.load()
    if trained is None:
        raise DataError("nothing is learnt yet; teach two people first")
    return trained


TASKS: dict[str, Callable[[Path, Watched], str]] = {
    "learn": task_learn,
    "compare": task_compare,
    "curve": task_curve,
}

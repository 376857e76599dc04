"""Training and scoring step by step, so that it can be watched and stopped, and what to tell the user about it."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from celebml.bundle import Bundle
from celebml.classifier import CelebrityClassifier, fit_people
from celebml.clean import detect_file
from celebml.datasets import DataError, PhotoSet, usable
from celebml.duplicates import near_duplicate_groups
from celebml.evaluate import LEAST_TO_SCORE, Scores, score_recipe, wilson
from celebml.faces import Detection
from celebml.features import Description
from celebml.recipes import Recipe, load_recipe
from celebml.report import model_card, percent
from celebml.review import apply_decisions, read_decisions
from celebml.search import enough_pictures

from .store import Store, Trained

RECIPES = ("best", "classic")
REPEATS = 3
FEW = 8  # pictures a person under which a score hardly says anything
Step = Callable[..., None]  # step(text, weight)


def nothing(text: str = "", weight: float = 1) -> None:
    "A step that nobody watches."


def current_photos(store: Store) -> PhotoSet:
    "The kept photographs with the review's decisions applied."
    photos, decisions = store.photos(), read_decisions(store.decisions)
    return apply_decisions(photos, store.digests(photos), decisions) if decisions and len(photos) else photos


def find_faces(store: Store, photos: PhotoSet, recipe: str, step: Step = nothing) -> list[Detection]:
    "Faces of every photograph; those seen before are remembered in the store's folder."
    detector, found = load_recipe(recipe).detector, []
    for number, path in enumerate(photos.paths, 1):
        found.append(detect_file(path, detector, store.found))
        step(f"finding faces, {recipe} recipe: {number} of {len(photos)}")
    return found


def describe_all(recipe: str, detections: Sequence[Detection], step: Step = nothing) -> list[Description]:
    "Features of every face, a photograph at a time."
    described = []
    for number, detection in enumerate(detections, 1):
        described += load_recipe(recipe).describe([detection], training=True)
        step(f"describing faces, {recipe} recipe: {number} of {len(detections)}")
    return described


def watched(recipe: Recipe, step: Step, text: str, weight: float = 1) -> Recipe:
    "The same recipe, which takes a step before each model that it makes."

    def model(random_state: int = 0):
        step(text, weight)
        return recipe.model(random_state=random_state)

    return dataclasses.replace(recipe, model=model)


def work_of(n_photos: int) -> float:
    "How many steps `train` takes, about."
    return 4.0 * n_photos + 2 * 5 * REPEATS * 3 + 6


def train(store: Store, step: Step = nothing) -> Trained:
    "Find faces, score both recipes where that is possible, and learn from everything. Raises `DataError`."
    photos = usable(current_photos(store))
    detections = {name: find_faces(store, photos, name, step) for name in RECIPES}
    groups = near_duplicate_groups(detections["best"])
    chosen = np.flatnonzero(enough_pictures(photos.names, groups, LEAST_TO_SCORE))
    found = {name: [detection.reason for detection in some] for name, some in detections.items()}
    trained = Trained(photos, groups, found, {}, chosen=chosen)
    models = {}
    for name in RECIPES:
        described = describe_all(name, detections[name], step)
        try:
            models[name] = _learn(trained, name, described, step)
        except DataError as error:
            if name == "best":
                raise
            trained.why_not[name] = f"The {name} recipe could not learn: {error}."
    for name, model in models.items():
        card = model_card(photos, trained.scores, model, name) if trained.scores else NO_SCORE.format(len(photos))
        metrics = {key: scores.summary() for key, scores in trained.scores.items()}
        metrics |= {"photos": len(photos), "people": photos.people}
        trained.classifiers[name] = CelebrityClassifier.from_bundle(Bundle(name, model, metrics, card))
    return trained


NO_SCORE = """# Model card

Learnt from {} photographs, too few to say how often it is right. For trying out only.
"""


def _learn(trained: Trained, name: str, described: list[Description], step: Step):
    "Score one recipe if possible, and fit it on everything."
    names, recipe = np.array(trained.photos.names), load_recipe(name)
    chosen = trained.chosen
    if len(set(names[chosen])) < 2:
        trained.why_not[name] = (
            f"There is no score yet: at least two people need {LEAST_TO_SCORE} different photographs each."
        )
    else:
        counted = watched(recipe, step, f"checking on photographs held back, {name} recipe", 3)
        try:
            trained.scores[name] = score_recipe(counted, described, names, trained.groups, n_repeats=REPEATS)
        except ValueError:
            # Happens when a recipe sees faces of one person only in some fold.
            trained.why_not[name] = f"The {name} recipe finds too few faces to be scored."
    step(f"learning, {name} recipe", 3)
    with threadpool_limits(1):
        return fit_people(recipe, described, names, trained.groups)


def right_and_asked(scores: Scores) -> tuple[int, int]:
    "How many photographs were named correctly out of fold in most repeats, and how many there were."
    share = (scores.named == scores.truth).mean(0)
    return int((share > 0.5).sum()), len(share)


def score_sentence(scores: Scores) -> str:
    "The score and how sure it can be from so few photographs."
    right, asked = right_and_asked(scores)
    low, high = wilson(right / asked, asked)
    people = len(set(scores.truth))
    return (
        f"Of {asked} photographs it had not seen, the {scores.recipe} recipe named {right} correctly "
        f"({percent(right / asked)}; guessing gives {percent(1 / people)}). "
        f"From so many photographs, the true share lies between {100 * low:.0f} % "
        f"and {100 * high:.0f} % (95 % confidence)."
    )


def advice(names: Sequence[str], groups: np.ndarray, found: Sequence[bool]) -> list[str]:
    """Warnings in words: too few photographs, too alike, too unbalanced, or too few faces.

    `names` are the people, `groups` number copies of one picture, `found` tells where a face was found.
    """
    names, groups, found = np.asarray(names), np.asarray(groups), np.asarray(found, bool)
    pictures = {str(name): len(set(groups[(names == name) & found])) for name in np.unique(names)}
    faces = Counter(map(str, names[found]))
    said = []
    few = [name for name, count in pictures.items() if count < FEW]
    if few:
        said.append(
            f"Too few: {_listed(few)} {'has' if len(few) == 1 else 'have'} fewer than {FEW} different photographs with "
            "a face. It may work, but the score can be luck; twenty are better."
        )
    alike = [name for name, count in pictures.items() if faces[name] >= 4 and count <= 0.7 * faces[name]]
    if alike:
        said.append(
            f"Too alike: many photographs of {_listed(alike)} are copies of one another. "
            "Add other days, places and light."
        )
    if pictures and max(pictures.values()) > 3 * max(1, min(pictures.values())):
        most, least = max(pictures, key=pictures.get), min(pictures, key=pictures.get)
        said.append(
            f"Unbalanced: {most} has {pictures[most]} photographs and {least} {pictures[least]}. "
            f"Add some of {least}, or the model will prefer {most}."
        )
    missing = len(found) - int(found.sum())
    if missing > 0.2 * len(found):
        said.append(f"No face was found in {missing} of {len(found)} photographs; they teach nothing.")
    return said


def _listed(names: Sequence[str]) -> str:
    "Up to four names, and how many more."
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


def curve_sizes(most: int) -> list[int]:
    "Photographs a person at which a learning curve is measured: 1, 2, 3, 5, 8, 12, …"
    return [size for size in (1, 2, 3, 5, 8, 12, 18, 27, 40) if size <= most]


def learning_curve(
    described: Sequence[Description],
    names: Sequence[str],
    groups: np.ndarray,
    repeats: int = 5,
    step: Step = nothing,
) -> list[
    list[float]
]:  # [photographs a person, mean, lowest, highest], shares of held-back photographs named correctly
    "How the best recipe does with fewer photographs a person; copies of a learnt picture are never asked about."
    names, recipe = np.asarray(names), load_recipe("best")
    seen = np.array([len(description.rows) > 0 for description in described])
    people = sorted(set(names[seen]))
    own = {name: np.unique(groups[seen & (names == name)]) for name in people}
    most = min((len(pictures) for pictures in own.values()), default=0) - 1
    if len(people) < 2 or most < 1:
        raise DataError("a learning curve needs two people with two different photographs each")
    points = []
    for size in curve_sizes(most):
        shares = []
        for repeat in range(repeats):
            random = np.random.default_rng(repeat)
            learnt = {name: random.permutation(own[name])[:size] for name in people}
            train = np.flatnonzero(seen & [g in learnt.get(n, ()) for n, g in zip(names, groups, strict=True)])
            used = np.isin(groups, groups[train])
            test = np.flatnonzero(seen & ~used)
            with threadpool_limits(1):
                model = fit_people(recipe, [described[i] for i in train], names[train], groups[train], repeat)
            shares.append(float(np.mean([model.name_of(described[i]) == names[i] for i in test])))
            step(f"learning curve: {size} photographs a person")
        points.append([size, float(np.mean(shares)), min(shares), max(shares)])
    return points

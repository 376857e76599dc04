"""What the user is told of a score and of the photographs behind it."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from celebml.evaluate import Scores, wilson
from celebml.report import percent

from .training import right_and_asked

FEW = 8  # pictures a person under which a score hardly says anything


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

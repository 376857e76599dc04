"""What training leaves behind, and how it is written down."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from celebml.classifier import CelebrityClassifier
from celebml.datasets import PhotoSet
from celebml.evaluate import Scores


@dataclass(eq=False)
class Trained:
    """What training left behind.

    Parameters
    ----------
    photos : PhotoSet
        As they were when it was trained, decisions applied.
    groups : ndarray of shape (n,), int
        Near-duplicates share a number.
    recipe : str
        Name of the recipe that learnt.
    found : list of str
        For each photograph an empty text, or why no face was found.
    classifier : CelebrityClassifier or None
        `None` only while it learns.
    scores : Scores or None
        `None` while they are worked out, and where there were too few photographs.
    chosen : ndarray of int
        The photographs, by number, that `scores` are about, in order.
    why_not : str
        Why it could not be scored.
    of : str
        Fingerprint of the photographs that it learnt from.
    before : dict
        The score before this one: right, asked, and how many answers changed.
    """

    photos: PhotoSet
    groups: np.ndarray
    recipe: str
    found: list[str]
    classifier: CelebrityClassifier | None = None
    scores: Scores | None = None
    chosen: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    why_not: str = ""
    of: str = ""
    before: dict[str, int] = field(default_factory=dict)

    def is_of(self, photographs: str, recipe: str) -> bool:
        "Whether it learnt from the photographs with this fingerprint, with the recipe of this name."
        return (self.of, self.recipe) == (photographs, recipe)

    def digests(self, folder: Path) -> dict[str, str]:
        "Digest of each photograph by its place in `folder`, as the classifier holds it; empty where it saw no face."
        held = self.classifier.bundle_.learnt.digests.tolist() if self.classifier.teachable else []
        each = iter(held if len(held) == self.found.count("") else ())
        return {
            path.relative_to(folder).as_posix(): "" if reason else next(each, "")
            for path, reason in zip(self.photos.paths, self.found, strict=True)
        }

    def answers(self) -> dict[str, str]:
        "The name that most rounds gave to each photograph, by file name."
        if self.scores is None:
            return {}
        most = [max(set(column), key=list(column).count) for column in self.scores.named.T.tolist()]
        return {self.photos.paths[i].name: name for i, name in zip(self.chosen, most, strict=True)}

    def as_dict(self, folder: Path) -> dict[str, Any]:
        "Plain JSON values, without the classifier."
        named = [] if self.scores is None else [(self.recipe, self.scores)]
        return {
            "files": [path.relative_to(folder).as_posix() for path in self.photos.paths],
            "names": list(self.photos.names),
            "notes": list(self.photos.notes),
            "groups": self.groups.tolist(),
            "found": {self.recipe: self.found},
            "recipes": [self.recipe],
            "chosen": self.chosen.tolist(),
            "why_not": {self.recipe: self.why_not},
            "of": self.of,
            "before": self.before,
            "scores": {
                name: {"truth": s.truth.tolist(), "named": s.named.tolist(), "folds": s.folds.tolist()}
                for name, s in named
            },
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any], folder: Path, classifier: CelebrityClassifier) -> "Trained":
        "What `as_dict` wrote down. Raises `KeyError`, `TypeError` or `ValueError` for anything else."
        paths, name = tuple(folder / path for path in value["files"]), value["recipes"][0]
        photos = PhotoSet(paths, tuple(value["names"]), "dashboard", tuple(value["notes"]))
        scores = {
            name: Scores(name, np.array(s["truth"]), np.array(s["named"]), np.array(s["folds"], int))
            for name, s in value["scores"].items()
        }
        return cls(
            photos,
            np.array(value["groups"], int),
            name,
            value["found"][name],
            classifier,
            scores.get(name),
            np.array(value["chosen"], int),
            value["why_not"].get(name, ""),
            value.get("of", ""),
            value.get("before", {}),
        )

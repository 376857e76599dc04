"""Everything that has to survive a reload, as plain files in one folder."""

import hashlib
import io
import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from celebml.bundle import BundleError
from celebml.classifier import CelebrityClassifier
from celebml.datasets import DataError, PhotoSet, load_folder
from celebml.evaluate import Scores
from celebml.files import whole_folder, write_json, write_whole
from celebml.photographs import read_photograph

LONGEST = 1280  # pixels a side that are kept of an upload; faces larger than this gain nothing
MOST_PHOTOS = 3000  # at about 100 kB each


def person_name(text: str) -> str:
    "A name that can also be a folder's. Raises `DataError` when nothing is left of it."
    name = " ".join(re.sub(r'[/\\:*?"<>|\x00-\x1f]', " ", text).split()).strip(". ")[:80].strip()
    if not name:
        raise DataError("type a name first: whom do these photographs show?")
    return name


def people_of(paths: list[str], typed: str) -> list[str]:
    """Whom each file shows: the folder that it is in, or the typed name where folders do not tell people apart.

    `paths` are "file", "folder/file" or "set/folder/file", as a browser or a zip gives them.
    """
    parents = [PurePosixPath(path).parent.name for path in paths]
    if len(set(parents)) <= 1 and typed.strip():
        return [person_name(typed)] * len(paths)
    return [person_name(parent or typed) for parent in parents]


def shrunk(data: bytes, name: str) -> bytes:
    "A photograph of any kind as a JPEG of at most `LONGEST` pixels a side. Raises `PhotographError`."
    image = Image.fromarray(read_photograph(data, at_least=LONGEST, name=name).pixels)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=93, subsampling=0)
    return out.getvalue()


@dataclass(eq=False)
class Trained:
    """What training left behind.

    Parameters
    ----------
    photos : PhotoSet
        As they were when it was trained, decisions applied.
    groups : ndarray of shape (n,), int
        Near-duplicates share a number.
    found : dict of str to list of str
        By recipe: for each photograph an empty text, or why no face was found.
    classifiers : dict of str to CelebrityClassifier
        By recipe; one that could not learn is missing.
    scores : dict of str to Scores
        By recipe; missing where there were too few photographs.
    chosen : ndarray of int
        The photographs, by number, that `scores` are about, in order.
    why_not : dict of str to str
        By recipe: why it could not learn or be scored.
    curve : list of [photographs, mean, lowest, highest]
        The learning curve, once drawn.
    """

    photos: PhotoSet
    groups: np.ndarray
    found: dict[str, list[str]]
    classifiers: dict[str, CelebrityClassifier]
    scores: dict[str, Scores] = field(default_factory=dict)
    chosen: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    why_not: dict[str, str] = field(default_factory=dict)
    curve: list[list[float]] = field(default_factory=list)


class Store:
    """The folder in which the dashboard keeps photographs, decisions and the trained model.

    Parameters
    ----------
    folder : path
        Made if need be. `people/` holds one sub-folder a person, so `celebml run` can use it too.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder).resolve()
        self.people, self.found = self.folder / "people", self.folder / "found"
        self.decisions, self.tried = self.folder / "decisions.jsonl", self.folder / "tried.jpg"

    def photos(self) -> PhotoSet:
        "All photographs by person; an empty set when there are none."
        try:
            return load_folder(self.people)
        except DataError:
            return PhotoSet((), (), str(self.people))

    def add(self, person: str, file: str, data: bytes) -> Path:
        "Keep one photograph, made smaller. Raises `PhotographError` or `DataError` with a sentence for the user."
        small = shrunk(data, file)
        if len(self.photos_here()) >= MOST_PHOTOS:
            raise DataError(f"{MOST_PHOTOS} photographs are kept at most; remove some, or use celebml run on a folder")
        digest = hashlib.sha256(small).hexdigest()[:10]
        stem = re.sub(r"[^\w.-]+", "-", PurePosixPath(file).stem)[:60] or "photo"
        return write_whole(self._folder_of(person_name(person)) / f"{stem}-{digest}.jpg", small)

    def photos_here(self) -> list[Path]:
        "Every kept file."
        return list(self.people.glob("*/*.jpg"))

    def _folder_of(self, person: str) -> Path:
        "Folder of a person; a name that differs only in case is the same person."
        known = [path for path in self.people.glob("*") if path.name.casefold() == person.casefold()]
        return known[0] if known else self.people / person

    def remove(self, path: Path) -> None:
        "Forget one photograph, and its person with the last one. Raises `DataError` for a file of somebody else."
        path = Path(path).resolve()
        if path.parent.parent != self.people:
            raise DataError(f"{path.name} is not a photograph of this dashboard")
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def clear(self) -> None:
        "Forget everything."
        shutil.rmtree(self.folder, ignore_errors=True)

    def digests(self, photos: PhotoSet) -> list[str]:
        "SHA-256 of each file."
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos.paths]

    def note(self, **values: Any) -> None:
        "Remember small things, such as what was being typed."
        write_json(self.folder / "notes.json", self.notes() | values)

    def notes(self) -> dict[str, Any]:
        "What was noted; nothing when the file is missing or damaged."
        try:
            return dict(json.loads((self.folder / "notes.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def save(self, trained: Trained) -> None:
        "Keep what training left behind; whole or not at all."
        with whole_folder(self.folder / "trained") as work:
            for name, classifier in trained.classifiers.items():
                classifier.save(work / name)
            write_json(work / "answers.json", self._as_dict(trained))

    def load(self) -> Trained | None:
        "What training left behind, or `None`. Raises `BundleError` when it is there but cannot be used."
        file = self.folder / "trained" / "answers.json"
        if not file.is_file():
            return None
        try:
            value = json.loads(file.read_text(encoding="utf-8"))
            photos = PhotoSet(
                tuple(self.folder / path for path in value["files"]),
                tuple(value["names"]),
                "dashboard",
                tuple(value["notes"]),
            )
            scores = {
                name: Scores(name, np.array(s["truth"]), np.array(s["named"]), np.array(s["folds"], int))
                for name, s in value["scores"].items()
            }
            classifiers = {name: CelebrityClassifier.load(file.parent / name) for name in value["recipes"]}
            chosen, groups = np.array(value["chosen"], int), np.array(value["groups"], int)
            return Trained(
                photos, groups, value["found"], classifiers, scores, chosen, value["why_not"], value["curve"]
            )
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise BundleError(f"what was trained earlier cannot be opened ({error}); train again") from error

    def _as_dict(self, trained: Trained) -> dict[str, Any]:
        return {
            "files": [str(path.relative_to(self.folder)) for path in trained.photos.paths],
            "names": list(trained.photos.names),
            "notes": list(trained.photos.notes),
            "groups": trained.groups.tolist(),
            "found": trained.found,
            "recipes": list(trained.classifiers),
            "chosen": trained.chosen.tolist(),
            "why_not": trained.why_not,
            "curve": trained.curve,
            "scores": {
                name: {"truth": s.truth.tolist(), "named": s.named.tolist(), "folds": s.folds.tolist()}
                for name, s in trained.scores.items()
            },
        }

"""The dashboard's folder: who may be in it, what is done to the photographs, and what was learnt from them."""

import contextlib
import hashlib
import io
import json
import os
import re
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from celebml.claims import claim
from celebml.classifier import CelebrityClassifier
from celebml.datasets import PhotoSet, load_folder
from celebml.decisions import apply_decisions, read_decisions
from celebml.errors import BundleError, DataError
from celebml.files import sha256_of, write_json, write_whole
from celebml.marks import read_mark
from celebml.photographs import read_photograph
from celebml.recipes import DEFAULT, Recipe, load_recipe, recipe_names
from celebml.whole_folders import whole_folder

from .history import Act, History
from .locks import locked
from .trained import Trained

LONGEST = 1280  # pixels a side that are kept of an upload; faces larger than this gain nothing
MOST_PHOTOS = 5000  # at about 100 kB each
MOST_AT_HAND = 1000  # photographs up to which what was learnt from can be added to; each takes about 0.1 MB
TRAINING = "training.npz"  # of a bundle: what its model has learnt from
ABOUT = "A celebml dashboard keeps its photographs here (people/), what was removed (bin/), and what it learnt.\n"
CHOSEN = "CELEBML_RECIPE"  # in the environment: the recipe that was named on the command line
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm"}


def person_name(text: str) -> str:
    "A name that can also be a folder's. Raises `DataError` when nothing is left of it."
    name = " ".join(re.sub(r'[/\\:*?"<>|\x00-\x1f\ud800-\udfff]', " ", text).split()).strip(". ")[:80].strip()
    while len(name.encode()) > 200:
        name = name[:-1].strip()
    if not name:
        raise DataError("type a name first: whom do these photographs show?")
    return name


def people_of(paths: Sequence[str], typed: str) -> list[str]:
    """Whom each file shows: the folder that it is in, or the typed name where there is no folder.

    `paths` are "file", "folder/file" or "set/folder/file", as a browser or a zip gives them. Several folders name
    several people. One folder names its person too, unless a name was typed for just these files.
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


def _before_marks(folder: Path) -> dict[str, str] | None:
    "What a dashboard of an earlier version has written, with digests; `None` where there was none."
    if not any((folder / name).exists() for name in ("people", "trained", "decisions.jsonl")):
        return None
    files = [folder / "notes.json", folder / "decisions.jsonl", *folder.glob("people/*/*.jpg")]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files if path.is_file()} or None


def _everything(folder: Path) -> dict[str, str] | None:
    "All files of a folder inside the dashboard's own that was written before there were marks."
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files} or None


class Store:
    """The folder in which the dashboard keeps photographs, what was done to them, and the trained model.

    Parameters
    ----------
    folder : path
        Made if need be. `people/` holds one sub-folder a person, so `celebml run` can use it too; `bin/` holds what
        was removed. Raises `DataError` for a folder that holds other things.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder).resolve()
        if (read_mark(self.folder) or ("",))[0] != "dashboard":  # an old one opens on a full disk too
            with claim(self.folder, "dashboard", private=True, wait=10, earlier=_before_marks) as claimed:
                claimed.write("about.txt", ABOUT)
        self.people, self.bin, self.found = self.folder / "people", self.folder / "bin", self.folder / "found"
        self.decisions, self.tried = self.folder / "decisions.jsonl", self.folder / "tried.jpg"
        self.history = History(self.folder)
        with self.lock():
            self.history.finish()

    def lock(self):
        "Everything that changes photographs does it while it holds this."
        return locked(self.folder / "store.lock")

    # What is there

    def photos(self) -> PhotoSet:
        "All photographs by person; an empty set when there are none."
        try:
            return load_folder(self.people) if self.people.is_dir() else PhotoSet((), (), "dashboard")
        except DataError:
            return PhotoSet((), (), "dashboard")

    def decided(self, photos: PhotoSet) -> PhotoSet:
        "Photographs with the review's decisions applied."
        decisions = read_decisions(self.decisions)
        if not decisions or not len(photos):
            return photos
        return apply_decisions(photos, [sha256_of(path) for path in photos.paths], decisions)

    def place(self, path: Path) -> str:
        "A photograph's name in this folder: person/file."
        return path.relative_to(self.people).as_posix()

    def path(self, place: str) -> Path:
        "The file of a name that `place` gave. Raises `DataError` for anything that is not such a photograph."
        parts = PurePosixPath(place).parts
        path = self.people / place
        if len(parts) != 2 or ".." in parts or path.suffix.lower() not in SUFFIXES or path.is_symlink():
            raise DataError("that is not a photograph of this dashboard")
        return path

    def now_at(self, places: Iterable[str]) -> list[Path]:
        "Where photographs may be that were at these places: under somebody else, or in the bin."
        stems = tuple(PurePosixPath(place).stem for place in places)  # a number may have been put after it
        every = [*self.people.glob("*/*"), *self.bin.glob("*/*/*")]
        return [path for path in every if path.stem.startswith(stems) and path.suffix.lower() in SUFFIXES]

    def count(self) -> int:
        "How many photographs are kept."
        return sum(path.suffix.lower() in SUFFIXES for path in self.people.glob("*/*"))

    # What is done to photographs

    def add(self, person: str, file: str, data: bytes, batch: str = "") -> Path:
        "Keep one photograph, made smaller. Raises `PhotographError` or `DataError` with a sentence for the user."
        person, small = person_name(person), shrunk(data, file)
        digest = hashlib.sha256(small).hexdigest()[:10]
        stem = re.sub(r"[^\w.-]+", "-", PurePosixPath(file).stem)[:60] or "photo"
        with self.lock():
            if self.count() >= MOST_PHOTOS:
                raise DataError(f"{MOST_PHOTOS} photographs are kept at most; remove some, or use celebml run")
            folder = self._folder_of(person)
            number = f"add-{_short(f'{batch}/{folder.name}')}" if batch else _number()  # undone a person at a time
            path = folder / f"{stem}-{digest}.jpg"
            if not path.exists():
                arrived = write_whole(self.bin / number / folder.name / path.name, small)
                move = (arrived.relative_to(self.folder).as_posix(), path.relative_to(self.folder).as_posix())
                self.history.do(number, "add", folder.name, [move])
        return path

    def remove(self, places: Iterable[str], kind: str = "remove") -> Act | None:
        "Put photographs into the bin; returns the act, or `None` when there was nothing to do."
        number = _number()
        with self.lock():
            paths = [path for path in map(self.path, places) if path.is_file()]
            moves = [self._move(path, self.bin / number / self.place(path)) for path in paths]
            return self._do(number, kind, paths[0].parent.name if paths else "", moves)

    def move(self, places: Iterable[str], person: str, kind: str = "move") -> Act | None:
        "File photographs under another person; returns the act."
        number, person = _number(), person_name(person)
        with self.lock():
            target = self._folder_of(person)
            paths = [path for path in map(self.path, places) if path.is_file() and path.parent != target]
            moves = [self._move(path, self._free(target / path.name)) for path in paths]
            return self._do(number, kind, target.name, moves)

    def rename(self, old: str, new: str) -> Act | None:
        "Give a person another name; all their photographs go with it, to somebody who has that name already too."
        new = person_name(new)
        places = self.places_of(old)
        if old.casefold() == new.casefold():  # ada → Ada: one folder to some systems, so by way of a third
            with self.lock():
                files, aside = [self.path(place) for place in places], self.people / f"{new} {uuid.uuid4().hex[:6]}"
                moves = [self._move(path, aside / path.name) for path in files]
                moves += [self._move(aside / path.name, self.people / new / path.name) for path in files]
                return self._do(_number(), "rename", new, moves if old != new else [])
        return self.move(places, new, "merge" if new.casefold() in self.people_names() else "rename")

    def remove_person(self, person: str) -> Act | None:
        "Put a person's photographs into the bin."
        return self.remove(self.places_of(person))

    def clear(self) -> Act | None:
        "Put every photograph into the bin, and forget what was learnt and decided. Other files stay as they are."
        photos = self.photos()
        act = self.remove([self.place(path) for path in photos.paths if path.parent.parent == self.people], "forget")
        self.forget_learnt()
        return act

    def forget_learnt(self) -> None:
        "Forget the model and all that was worked out; it can be made again."
        for name in ("trained", "fresh", *self.compared()):
            self.forget(name)
        for name in ("threshold.json", "curve.json", "tried.jpg", "work.json"):
            (self.folder / name).unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        "Delete one of the folders that hold what was learnt, as far as it is as it was written."
        if (self.folder / name).is_dir():
            with claim(self.folder / name, "trained", private=True, wait=10, earlier=_everything) as claimed:
                claimed.clear()

    def undo(self) -> Act | None:
        "Take back the last act on photographs; returns it, or `None` when there is none."
        with self.lock():
            return self.history.undo()

    def in_bin(self) -> int:
        "How many photographs lie in the bin."
        return sum(path.is_file() for path in self.bin.glob("*/*/*"))

    def empty_bin(self) -> int:
        "Delete the photographs that acts put into the bin, for good, and their faces; returns how many there were."
        with self.lock():
            moves = [move for act in self.history.acts() for move in act.moves]
            names = {name for move in moves for name in move if name.startswith("bin/")}
            gone = [self.folder / name for name in sorted(names) if (self.folder / name).is_file()]
            for path in gone:
                path.unlink()
                for parent in (path.parent, path.parent.parent):
                    with contextlib.suppress(OSError):  # something is left in it
                        parent.rmdir()
            self.history.file.unlink(missing_ok=True)  # what is gone cannot be undone
        return len(gone)

    def people_names(self) -> dict[str, str]:
        "Folder of each person, by their name in small letters."
        return {path.name.casefold(): path.name for path in self.people.glob("*") if path.is_dir()}

    def places_of(self, person: str) -> list[str]:
        "Names of a person's photographs."
        return sorted(
            self.place(p) for p in (self.people / person_name(person)).glob("*") if p.suffix.lower() in SUFFIXES
        )

    def _folder_of(self, person: str) -> Path:
        "Folder of a person; a name that differs only in case is the same person."
        return self.people / self.people_names().get(person.casefold(), person)

    def _free(self, path: Path) -> Path:
        "The path, or one like it that nobody has."
        tries = (path.with_stem(f"{path.stem}-{k}") for k in range(2, 1000))
        return path if not path.exists() else next(other for other in tries if not other.exists())

    def _move(self, old: Path, new: Path) -> tuple[str, str]:
        return old.relative_to(self.folder).as_posix(), new.relative_to(self.folder).as_posix()

    def _do(self, number: str, kind: str, who: str, moves: list[tuple[str, str]]) -> Act | None:
        if not moves:
            return None
        self.history.do(number, kind, who, moves)
        return Act(number, kind, who, moves)

    # Which face a photograph is about

    def choices(self) -> dict[str, int]:
        "Number of the face that somebody chose, by file name."
        return {str(name): int(number) for name, number in self.read("choices.json").items()}

    def choose_face(self, place: str, number: int) -> None:
        "Remember which face a photograph is about; faces are numbered from the biggest, from 0."
        with self.lock():
            write_json(self.folder / "choices.json", self.choices() | {self.path(place).name: int(number)})

    # What was learnt

    def read(self, name: str) -> dict[str, Any]:
        "A small file of values; nothing when it is missing or damaged."
        try:
            return dict(json.loads((self.folder / name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def set(self, **values: Any) -> None:
        "Remember settings of this folder."
        write_json(self.folder / "settings.json", self.read("settings.json") | values)

    @property
    def by_itself(self) -> bool:
        "Whether it learns without being told to."
        return bool(self.read("settings.json").get("by_itself", True))

    def recipe(self) -> Recipe:
        "What people are taught with: the recipe that somebody chose, or the default. Raises `RecipeError`."
        return load_recipe(self.read("settings.json").get("recipe") or DEFAULT)

    def recipes(self) -> dict[str, str]:
        "Recipes that can be chosen, by name, with the word that `load_recipe` takes; the chosen one first."
        chosen = self.read("settings.json").get("recipe") or DEFAULT
        words = [chosen, os.environ.get(CHOSEN) or DEFAULT, *recipe_names()]
        found: dict[str, str] = {}
        for word in words:
            found.setdefault(load_recipe(word).name if ":" in word else word, word)
        return found

    def compared(self) -> list[str]:
        "Folders of what other recipes have learnt."
        return sorted(file.parent.name for file in self.folder.glob("compared*/answers.json"))

    def fingerprint(self, photos: PhotoSet | None = None) -> str:
        "A few letters that change with the photographs, their people, and the decisions; `photos`: all that are there."
        paths = (self.photos() if photos is None else photos).paths
        everything = [self.place(path) for path in paths] + sorted(map(str, self.choices().items()))
        decided = self.decisions.read_bytes() if self.decisions.is_file() else b""
        return hashlib.sha256("\n".join(everything).encode() + decided).hexdigest()[:16]

    def threshold(self, trained: Trained) -> float | None:
        "The threshold that somebody chose for this training, if anybody did."
        value = self.read("threshold.json")
        same = (value.get("of"), value.get("recipe", DEFAULT)) == (trained.of, trained.recipe)
        return float(value["value"]) if same and "value" in value else None

    def set_threshold(self, trained: Trained, value: float | None) -> None:
        "Remember a threshold that somebody chose for a training; `None` for the training's own."
        if value is None:
            (self.folder / "threshold.json").unlink(missing_ok=True)
        else:
            chosen = {"of": trained.of, "recipe": trained.recipe, "value": value}
            write_json(self.folder / "threshold.json", chosen)

    def save(self, trained: Trained, name: str = "trained") -> None:
        "Keep what training left behind; whole or not at all."
        with whole_folder(self.folder / name, "trained", private=True, earlier=_everything) as work:
            teachable = trained.classifier.teachable and len(trained.photos) <= MOST_AT_HAND
            trained.classifier.save(work / trained.recipe, teachable=teachable)
            write_json(work / "answers.json", trained.as_dict(self.folder))

    def load(self, name: str = "trained") -> Trained | None:
        "What training left behind, or `None`. Raises `BundleError` when it is there but cannot be used."
        file = self.folder / name / "answers.json"
        if not file.is_file():
            return None
        try:
            value = json.loads(file.read_text(encoding="utf-8"))
            recipe = value["recipes"][0]
            load_recipe(self.recipes().get(recipe, DEFAULT))  # one's own tells which parts it has
            bundle = file.parent / recipe
            classifier = CelebrityClassifier.load(bundle, teachable=(bundle / TRAINING).is_file())
            return Trained.from_dict(value, self.folder, classifier)
        except (LookupError, TypeError, ValueError, OSError) as error:
            raise BundleError("what was trained earlier cannot be opened; train again") from error


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _number() -> str:
    "A number that no other act has."
    return f"{time.time_ns():x}-{uuid.uuid4().hex[:6]}"

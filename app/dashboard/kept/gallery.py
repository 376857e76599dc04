"""What is shown of each photograph: its face, how good it is, and how many others there are. Remembered on disk."""

import dataclasses
import hashlib
import io
import json
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from celebml.detection import detect_file
from celebml.errors import PhotographError
from celebml.faces import Box, Detection
from celebml.files import write_whole
from celebml.photographs import read_photograph
from celebml.quality import judge
from celebml.recipes import Recipe, load_recipe

from .store import Store

SIDE = 144  # pixels of a small face
RIVAL = 0.25  # a second face with this share of the biggest one's area may be meant as well


@dataclass(frozen=True)
class Seen:
    """What was seen in one photograph.

    Parameters
    ----------
    mark : str
        good, warn (a face that is hard to learn from) or bad (no face).
    caption : str
        The same in words.
    boxes : tuple of (x, y, width, height, share)
        Faces, biggest first, as shares of the photograph's width and height; the last number is the area's share of
        the biggest one's.
    """

    mark: str
    caption: str
    boxes: tuple[tuple[float, ...], ...] = ()

    @property
    def rivals(self) -> int:
        "How many faces could be meant."
        return sum(box[4] >= RIVAL for box in self.boxes)


class Gallery:
    """Faces of a store's photographs, found once.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store):
        self.store, self.file = store, store.folder / "seen.jsonl"
        self._seen: dict[str, Seen] = {}
        self._read, self._lock = 0, threading.Lock()

    def seen(self, path: Path) -> Seen:
        "What is in one photograph; looked at now if need be."
        known = self.known(path)
        return known if known is not None else self._look(path)

    def known(self, path: Path) -> Seen | None:
        "What is in one photograph, if it has been looked at."
        key = _key(path)
        if key not in self._seen:
            self._catch_up()
        return self._seen.get(key)

    def face(self, path: Path, number: int = 0) -> bytes:
        "A small JPEG of one of the faces, or of the photograph where there is none. Raises `PhotographError`."
        file = self.store.folder / "faces" / f"{_key(path)}-{number}.jpg"
        try:
            return file.read_bytes()
        except OSError:
            data = self._draw(path, self.detect(path), number)
            write_whole(file, data)
            return data

    def detect(self, path: Path) -> Detection:
        "All faces of a photograph, as they are shown and numbered whatever the recipe: those of the default one."
        return detect_file(path, load_recipe().detector, self.store.found)

    def chosen(self, path: Path, choices: dict[str, int], recipe: Recipe | None = None) -> Detection:
        "The faces of a photograph as a recipe finds them, or the one alone that somebody chose."
        shown = self.detect(path)
        found = shown if recipe is None else detect_file(path, recipe.detector, self.store.found)
        number = choices.get(path.name)
        if number is None or number >= len(shown.faces) or not found.faces:
            return found
        wanted = shown.faces[number].box
        return dataclasses.replace(found, faces=(min(found.faces, key=lambda face: _apart(face.box, wanted)),))

    def _look(self, path: Path) -> Seen:
        found = self.detect(path)
        reason = judge(found)
        mark = "bad" if not found.faces else "warn" if reason else "good"
        width, height = _size(path)
        biggest = found.faces[0].box.area if found.faces else 1
        boxes = tuple(
            (f.box.x / width, f.box.y / height, f.box.width / width, f.box.height / height, f.box.area / biggest)
            for f in found.faces[:12]
        )
        seen = Seen(mark, reason or "face found", boxes)
        if found.faces:
            write_whole(self.store.folder / "faces" / f"{_key(path)}-0.jpg", self._draw(path, found, 0))
        line = json.dumps({"key": _key(path), "mark": mark, "caption": seen.caption, "boxes": boxes}) + "\n"
        with self._lock, self.file.open("ab") as file:
            file.write(line.encode())
        self._seen[_key(path)] = seen
        return seen

    def _draw(self, path: Path, found: Detection, number: int) -> bytes:
        if found.faces:
            pixels = found.faces[min(number, len(found.faces) - 1)].crop
        else:
            pixels = read_photograph(path, at_least=2 * SIDE).pixels
        image = Image.fromarray(np.ascontiguousarray(pixels))
        image.thumbnail((SIDE, SIDE))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=85)
        return out.getvalue()

    def _catch_up(self) -> None:
        "Read what others have seen since."
        with self._lock:
            try:
                with self.file.open("rb") as file:
                    if file.seek(0, 2) < self._read:
                        self._read = 0
                    file.seek(self._read)
                    lines = file.readlines()
            except OSError:
                return
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                try:
                    value = json.loads(line)
                    boxes = tuple(tuple(map(float, box)) for box in value["boxes"])
                    self._seen[value["key"]] = Seen(value["mark"], value["caption"], boxes)
                except (ValueError, KeyError, TypeError):
                    continue


def _apart(one: Box, other: Box) -> float:
    "How far the middles of two boxes are from each other, in pixels."
    return abs(one.x + one.width / 2 - other.x - other.width / 2) + abs(
        one.y + one.height / 2 - other.y - other.height / 2
    )


def _key(path: Path) -> str:
    "Name of what is remembered of a file: it changes with its name and its size, and not with its person."
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    return hashlib.sha256(f"{path.name}|{size}".encode()).hexdigest()[:20]


def _size(path: Path) -> tuple[int, int]:
    try:
        return read_photograph(path, at_least=64).size
    except PhotographError:
        return 1, 1

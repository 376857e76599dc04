"""The classifier as the site sees it: one bundle, loaded once, asked by one thread at a time."""

import base64
import hashlib
import json
import mimetypes
import time
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
from PIL import Image, ImageOps

import celebml
from celebml.classifier import Answer, CelebrityClassifier
from celebml.explain import Explanation
from celebml.faces import Face
from celebml.photographs import MIN_SIDE
from celebml.quality import Limits, face_quality

from .bundles import opened
from .guard.decode import decode
from .guard.limits import LargeBodies, Places, Turnstile, check_header
from .guard.problems import ProblemError
from .settings import Settings

FIRST_SCREEN = 40_000  # bytes of all thumbnails that a first visit may load
SHOWN_AT_ONCE = 12 + 10  # portraits and examples, as static/people.js has it
THUMBNAILS = ((144, 55), (144, 30), (96, 40), (96, 20), (72, 10))  # pixels a side and quality; shown at 72 pixels


def thumbnail(data: bytes, most: int = 4000) -> bytes:
    "A picture as a small WebP, of `most` bytes if it can be."
    with Image.open(BytesIO(data)) as image:
        image.draft("RGB", (288, 288))
        small = ImageOps.exif_transpose(image).convert("RGB")
    for side, quality in THUMBNAILS:
        buffer = BytesIO()
        ImageOps.fit(small, (side, side), centering=(0.5, 0.3)).save(buffer, "WEBP", quality=quality, method=4)
        if buffer.tell() <= most:
            break
    return buffer.getvalue()


def hard_to_judge(face: Face) -> str:
    "Why what is said of a face may be worth little, or nothing."
    quality, limits = face_quality(face), Limits()
    reasons = {
        "small": quality["side"] < limits.side,
        "dark": quality["bright"] < limits.bright,
        "overexposed": quality["dark"] > limits.dark,
        "blurred": quality["sharpness"] < limits.sharpness,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


class Engine:
    """One bundle and what may be asked of it.

    Parameters
    ----------
    classifier : CelebrityClassifier
        Loaded or fitted.
    settings : Settings
        Limits.
    version : str
        Short name of the bundle's contents.

    Attributes
    ----------
    people : list of str
        In the order of the classes.
    can_explain : bool
        Whether this bundle's recipe can say why.
    """

    def __init__(self, classifier: CelebrityClassifier, settings: Settings, version: str = "memory"):
        self.classifier, self.settings, self.version = classifier, settings, version
        self.people = [str(name) for name in classifier.classes_]
        self.display_names = classifier.display_names
        self.pictures = dict(classifier.pictures)
        most = FIRST_SCREEN // max(1, min(len(self.pictures), SHOWN_AT_ONCE))
        self.thumbnails = {name: thumbnail(data, most) for name, data in self.pictures.items()}
        self.turnstile = Turnstile(settings.max_waiting, settings.max_wait_seconds)
        self.large_bodies = LargeBodies(settings.max_wait_seconds)
        self.fetches = Places(4, settings.max_wait_seconds, "Other addresses are being fetched.")
        self.at_least = classifier.recipe_.detector.at_least
        self.reduced = self.at_least is not None
        cv2.setNumThreads(1)  # the workers share the processors; threads of one would hinder another, and die in a fork
        self.can_explain = classifier.can_explain
        self._warm_up()

    @classmethod
    def load(cls, settings: Settings) -> "Engine":
        "Open the bundle that the settings name. Raises `BundleError`."
        with opened(settings.bundle) as folder:
            classifier = CelebrityClassifier.load(folder)
            version = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()[:12]
        return cls(classifier, settings, version)

    def _warm_up(self) -> None:
        "Ask once before the first visitor does, so that nothing is left to load."
        blank = np.full((240, 320, 3), 127, np.uint8)
        for photo in [*list(self.pictures.values())[:1], blank]:
            for answer in self.classifier.classify(photo)[:1]:
                self._explanation(answer)

    def classify(self, data: bytes, explain: bool = False) -> dict[str, Any]:
        "The answer to one photograph, as plain JSON values. Raises `ProblemError`."
        header = check_header(data, self.settings.max_megapixels * 1_000_000, self.reduced)
        with self.turnstile.turn() as waited:
            start = time.perf_counter()
            photo = decode(data, *header, self.at_least)
            answers = self.classifier.classify(photo)
            faces = [self._face(answer, explain and i < self.settings.max_faces) for i, answer in enumerate(answers)]
            seconds = time.perf_counter() - start
        return {
            "width": photo.size[0],
            "height": photo.size[1],
            "faces": faces,
            "milliseconds": round(1000 * seconds, 1),
            "waited_milliseconds": round(1000 * waited, 1),
        }

    def face_at(self, data: bytes, box: str) -> Image.Image:
        "The part of a photograph around one face, as pixels alone. Raises `ProblemError`."
        try:
            x, y, width, height = (int(float(part)) for part in box.split(","))
        except (ValueError, OverflowError) as error:
            raise ProblemError("invalid-field", "box must be x,y,width,height in pixels.") from error
        header = check_header(data, self.settings.max_megapixels * 1_000_000, self.reduced)
        with self.turnstile.turn():
            photo = decode(data, *header, self.at_least)
        image, scale = Image.fromarray(photo.pixels), photo.scale
        margin = 0.5 * max(width, height)
        sides = (x - margin, y - margin, x + width + margin, y + height + margin)
        left, top, right, bottom = (round(side / scale) for side in sides)
        cut = (max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height))
        if min(width, height) < 1 or min(cut[2] - cut[0], cut[3] - cut[1]) < MIN_SIDE:
            raise ProblemError("invalid-field", "The box lies outside of the photograph, or is too small.")
        return image.crop(cut)

    def legacy(self, data: bytes) -> list[dict[str, Any]]:
        "The answer in the tutorials' words: percentages by class number. Raises `ProblemError`."
        header = check_header(data, self.settings.max_megapixels * 1_000_000, self.reduced)
        with self.turnstile.turn():
            answers = self.classifier.classify(decode(data, *header, self.at_least))
        numbers = {name: number for number, name in enumerate(self.people)}
        return [self._legacy_face(answer, numbers) for answer in answers]

    def _legacy_face(self, answer: Answer, numbers: dict[str, int]) -> dict[str, Any]:
        percentages = [round(100 * answer.probabilities[name], 2) for name in self.people]
        return {
            "class": answer.name,
            "class_probability": percentages,
            "class_dictionary": numbers,
            "label": answer.name,
            "label_probability": percentages,
            "label_dict": numbers,
        }

    def _face(self, answer: Answer, explain: bool) -> dict[str, Any]:
        face = {
            "box": answer.box._asdict(),
            "name": answer.name,
            "display_name": self.display_names[answer.name],
            "known": answer.known,
            "probability": round(answer.probability, 5),
            "probabilities": {name: round(value, 5) for name, value in answer.probabilities.items()},
            "detector_score": round(float(answer.face.score), 4),
            "quality": hard_to_judge(answer.face),
        }
        if explain:
            face["explanation"] = self._explanation(answer)
        return face

    def _explanation(self, answer: Answer) -> dict[str, Any] | None:
        "What each region of the crop spoke for the name (above 0) or against it; none where the model cannot say."
        if not self.can_explain:
            return None
        found = self.classifier.explain(answer)
        buffer = BytesIO()
        Image.fromarray(answer.face.crop).save(buffer, "JPEG", quality=85)
        rows, columns = found.regions.shape
        second = max((name for name in self.people if name != answer.name), key=answer.probabilities.__getitem__)
        return {
            "rows": rows,
            "columns": columns,
            **_weighed(found),
            "crop": "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode(),
            "against": {"name": second, **_weighed(self.classifier.explain(answer, second))},
        }

    def model(self) -> dict[str, str]:
        "Which model answered."
        return {"recipe": self.classifier.recipe_.name, "bundle": self.version, "celebml": celebml.__version__}

    def card(self) -> dict[str, Any]:
        "The model card, its scores, and what the site offers."
        metrics = json.loads(json.dumps(self.classifier.metrics_, default=str))
        return self.model() | {"people": len(self.people), "card": self.classifier.card, "metrics": metrics}

    def people_list(self) -> list[dict[str, Any]]:
        "Each person with the addresses of a portrait and of its thumbnail, where the bundle has one."
        portraits = {Path(name).stem: name for name in self.pictures if name.startswith("portraits/")}
        return [
            {"name": name, "display_name": self.display_names[name]}
            | {key: _address(portraits.get(name), small) for key, small in (("portrait", False), ("thumbnail", True))}
            for name in self.people
        ]

    def examples(self) -> list[dict[str, Any]]:
        "Addresses of example photographs and of their thumbnails."
        names = sorted(name for name in self.pictures if name.startswith("examples/"))
        return [{"address": _address(name, False), "thumbnail": _address(name, True)} for name in names]

    def picture(self, name: str, small: bool = False) -> tuple[bytes, str]:
        "One picture of the bundle and its media type. Raises `ProblemError`."
        if name not in self.pictures:
            raise ProblemError("not-found")
        if small:
            return self.thumbnails[name], "image/webp"
        return self.pictures[name], mimetypes.guess_type(name)[0] or "image/jpeg"


def _address(name: str | None, small: bool) -> str | None:
    return name and f"/api/v1/pictures/{quote(name)}" + ("?small=true" if small else "")


def _weighed(found: Explanation) -> dict[str, Any]:
    return {
        "values": [round(value, 6) for value in found.regions.ravel().tolist()],
        "baseline": round(found.baseline, 6),
        "score": round(found.score, 6),
    }

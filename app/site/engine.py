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
from PIL import Image

import celebml
from celebml.classifier import Answer, CelebrityClassifier
from celebml.recipes import BestModel, load_recipe

from .bundles import opened
from .decode import decode
from .limits import LargeBodies, Turnstile, check_header
from .problems import ProblemError
from .settings import Settings


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
        self.pictures = dict(classifier.bundle_.pictures)
        self.turnstile = Turnstile(settings.max_waiting, settings.max_wait_seconds)
        self.large_bodies = LargeBodies(settings.max_wait_seconds)
        self.at_least = load_recipe(classifier.recipe).detector.at_least
        self.reduced = self.at_least is not None
        cv2.setNumThreads(1)  # the workers share the processors; threads of one would hinder another, and die in a fork
        self.can_explain = isinstance(classifier.model_, BestModel)  # linear over the face, so its reasons are exact
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

    def legacy(self, data: bytes) -> list[dict[str, Any]]:
        "The answer in the tutorials' words: percentages by class number. Raises `ProblemError`."
        header = check_header(data, self.settings.max_megapixels * 1_000_000, self.reduced)
        with self.turnstile.turn():
            answers = self.classifier.classify(decode(data, *header, self.at_least))
        numbers = {name: number for number, name in enumerate(self.people)}
        return [
            {
                "class": answer.name,
                "class_probability": [round(100 * answer.probabilities[name], 2) for name in self.people],
                "class_dictionary": numbers,
            }
            for answer in answers
        ]

    def _face(self, answer: Answer, explain: bool) -> dict[str, Any]:
        face = {
            "box": answer.box._asdict(),
            "name": answer.name,
            "known": answer.known,
            "probability": round(answer.probability, 5),
            "probabilities": {name: round(value, 5) for name, value in answer.probabilities.items()},
            "detector_score": round(float(answer.face.score), 4),
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
        crop = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
        rows, columns = found.regions.shape
        return {
            "rows": rows,
            "columns": columns,
            "values": [round(value, 6) for value in found.regions.ravel().tolist()],
            "baseline": round(found.baseline, 6),
            "score": round(found.score, 6),
            "crop": crop,
        }

    def model(self) -> dict[str, str]:
        "Which model answered."
        return {"recipe": self.classifier.recipe, "bundle": self.version, "celebml": celebml.__version__}

    def card(self) -> dict[str, Any]:
        "The model card, its scores, and what the site offers."
        bundle = self.classifier.bundle_
        metrics = json.loads(json.dumps(bundle.metrics, default=str))
        return self.model() | {"people": len(self.people), "card": bundle.card, "metrics": metrics}

    def people_list(self) -> list[dict[str, Any]]:
        "Each person with the address of a portrait and of examples, where the bundle has them."
        addresses = {name: f"/api/v1/pictures/{quote(name)}" for name in self.pictures}
        portraits = {Path(name).stem: url for name, url in addresses.items() if name.startswith("portraits/")}
        return [{"name": name, "portrait": portraits.get(name)} for name in self.people]

    def examples(self) -> list[str]:
        "Addresses of example photographs."
        return [f"/api/v1/pictures/{quote(name)}" for name in sorted(self.pictures) if name.startswith("examples/")]

    def picture(self, name: str) -> tuple[bytes, str]:
        "One picture of the bundle and its media type. Raises `ProblemError`."
        if name not in self.pictures:
            raise ProblemError("not-found")
        return self.pictures[name], mimetypes.guess_type(name)[0] or "image/jpeg"

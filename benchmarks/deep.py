"""The deep reference, optional: dlib's 128 numbers for each face that our detector found, and logistic regression.

Needs `pip install "celebml[deep]"`; nothing else in the project does. `benchmarks/recognition.py` adds its row when it
is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from celebml.discriminant import worthy
from celebml.faces import Detection
from celebml.features import Description
from celebml.recipes import FaceModel, Recipe


def installed() -> bool:
    """Whether the optional extra is here."""
    return find_spec("dlib") is not None and find_spec("face_recognition_models") is not None


class DeepModel(FaceModel):
    """Logistic regression on the embedding of the biggest face; over the faces of a photograph, the surest answers."""

    def __init__(self, random_state: int = 0):
        self.random_state = random_state

    def fit(self, descriptions: Sequence[Description], names: Sequence[str], groups: Sequence[int]) -> DeepModel:
        seen = [i for i, description in enumerate(descriptions) if len(description.rows)]
        X = np.stack([descriptions[i].rows[0] for i in seen])
        self.model_ = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(X, np.asarray(names)[seen])
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return self.model_.predict_proba(rows)

    def speaker(self, description: Description) -> int:
        faces = worthy(description.areas)
        sureness = self.predict_proba(description.rows[faces]).max(1) * np.sqrt(description.areas[faces])
        return int(faces[sureness.argmax()])


def describe(detections: Sequence[Detection]) -> list[Description]:
    """128 numbers for each face, from its aligned crop enlarged to the size that the network was trained on."""
    import dlib

    models = Path(find_spec("face_recognition_models").origin).parent / "models"
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
    points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    described = []
    for detection in detections:
        rows = np.zeros((len(detection.faces), 128), np.float32)
        for row, face in zip(rows, detection.faces, strict=True):
            crop = cv2.resize(face.crop, (320, 320), interpolation=cv2.INTER_CUBIC)
            frame = dlib.rectangle(72, 80, 248, 256)  # where the features of an aligned face lie
            row[:] = network.compute_face_descriptor(crop, points(crop, frame))
        described.append(Description(rows, np.array([face.box.area for face in detection.faces], float)))
    return described


def recipe() -> Recipe:
    """As `score_recipe` takes it; faces are found and described beforehand."""
    return Recipe("deep", None, None, DeepModel)

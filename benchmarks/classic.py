"""The classic way, written afresh, to measure ours against it: what the tutorials of this genre do, fault for fault.

    python benchmarks/classic.py serve MODEL PORT     their one-process Flask server

Haar at 1.3 / 5 on the whole photograph, a face only where two eyes are seen; 32×32 colours beside a 32×32 wavelet
reconstruction cast to bytes; a grid search in which every setting starts from 4096 columns and calibrates itself; a
server that parses both cascades again on each request.
"""

import base64
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import joblib
import numpy as np
import pywt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


def cascades() -> tuple[cv2.CascadeClassifier, cv2.CascadeClassifier]:
    """The face and the eye cascade, parsed now: once in the notebook that cleans, on every request in the server."""
    names = ("haarcascade_frontalface_default.xml", "haarcascade_eye.xml")
    return tuple(cv2.CascadeClassifier(cv2.data.haarcascades + name) for name in names)


def first_face(picture: np.ndarray | None, face_cascade: object, eye_cascade: object) -> np.ndarray | None:
    """The first box of a BGR picture that shows two eyes, cut out; nothing where there is none."""
    if picture is None:
        return None
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    for x, y, width, height in face_cascade.detectMultiScale(grey, 1.3, 5):
        if len(eye_cascade.detectMultiScale(grey[y : y + height, x : x + width])) >= 2:
            return picture[y : y + height, x : x + width]
    return None


def wavelet_picture(picture: np.ndarray) -> np.ndarray:
    """Level-5 Haar detail without the approximation, cast to bytes so that negative values wrap round."""
    grey = np.float32(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) / 255
    coefficients = pywt.wavedec2(grey, "db1", level=5)
    coefficients[0] *= 0
    # a negative float has no defined byte; through int32 it wraps on every machine, as it does on theirs
    return (pywt.waverec2(coefficients, "db1") * 255).astype(np.int32).astype(np.uint8)


def features(crop: np.ndarray) -> np.ndarray:
    """One face (height, width, 3) as a row of 4096 numbers."""
    small, detail = cv2.resize(crop, (32, 32)), cv2.resize(wavelet_picture(crop), (32, 32))
    return np.vstack((small.reshape(3072, 1), detail.reshape(1024, 1))).reshape(4096).astype(float)


class ProbabilitySVC(CalibratedClassifierCV):
    """`SVC(probability=True)` in today's words: names by the machine itself, probabilities by five-fold calibration."""

    def __init__(self, kernel: str = "rbf", C: float = 1.0):
        super().__init__(SVC(kernel=kernel, C=C), ensemble=False)
        self.kernel, self.C = kernel, C

    def fit(self, X: np.ndarray, y: np.ndarray) -> "ProbabilitySVC":
        """Five fits to calibrate, one to keep."""
        self.estimator = SVC(kernel=self.kernel, C=self.C)
        return super().fit(X, y)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """As libsvm does: from the margins, not from the probabilities."""
        return self.calibrated_classifiers_[0].estimator.predict(X)


def search(X: np.ndarray, y: np.ndarray, folds: Sequence) -> list[GridSearchCV]:
    """One `GridSearchCV` a family of models, as the tutorials loop over them: 8 SVM, 3 forest, 3 logistic settings."""
    families = [
        (ProbabilitySVC(), {"model__kernel": ["rbf", "linear"], "model__C": [1, 10, 100, 1000]}),
        (RandomForestClassifier(random_state=0), {"model__n_estimators": [1, 5, 10]}),
        (LogisticRegression(max_iter=5000), {"model__C": [1, 5, 10]}),
    ]
    pipelines = [(Pipeline([("scale", StandardScaler()), ("model", model)]), grid) for model, grid in families]
    return [GridSearchCV(pipeline, grid, cv=folds).fit(X, y) for pipeline, grid in pipelines]


def train(photographs: Sequence[bytes], names: Sequence[str]) -> Pipeline:
    """The setting that their search ends on, fitted on the faces that two cascades agree on."""
    found, loaded = [], cascades()
    for data, name in zip(photographs, names, strict=True):
        face = first_face(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), *loaded)
        if face is not None:
            found.append((features(face), name))
    X, y = zip(*found, strict=True)
    return Pipeline([("scale", StandardScaler()), ("model", ProbabilitySVC("linear", 1))]).fit(np.array(X), y)


def classify(model: Pipeline, data: bytes) -> list[dict]:
    """What their server does with the bytes of a photograph."""
    picture, answers = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), []
    if picture is None:
        return []
    faces, eyes = cascades()
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    for x, y, width, height in faces.detectMultiScale(grey, 1.3, 5):
        if len(eyes.detectMultiScale(grey[y : y + height, x : x + width])) >= 2:
            row = features(picture[y : y + height, x : x + width]).reshape(1, -1)
            numbers = {str(name): number for number, name in enumerate(model.classes_)}
            shares = np.around(model.predict_proba(row) * 100, 2).tolist()[0]
            answer = {"class": str(model.predict(row)[0]), "class_probability": shares, "class_dictionary": numbers}
            answers.append(answer)
    return answers


def serve(model_file: Path, port: int) -> None:
    """Flask's own server in one process, on this machine's loopback only."""
    from flask import Flask, jsonify, request

    app, model = Flask(__name__), joblib.load(model_file)
    app.config.update(MAX_CONTENT_LENGTH=64 << 20, MAX_FORM_MEMORY_SIZE=64 << 20)

    @app.post("/classify_image")
    def classify_image():
        sent = request.form["image_data"].split(",", 1)[1]
        response = jsonify(classify(model, base64.b64decode(sent)))
        response.headers.add("Access-Control-Allow-Origin", "*")
        return response

    @app.get("/readyz")
    def ready():
        return "ready"

    app.run(host="127.0.0.1", port=port, threaded=True)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] != "serve":
        sys.exit(__doc__)
    serve(Path(sys.argv[2]), int(sys.argv[3]))

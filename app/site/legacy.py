"""The addresses that the tutorials' pages call, word for word, so that such a page works unchanged."""

from flask import Blueprint, Response, jsonify, request

from . import schemas
from .api import bounded, engine
from .bodies import decode_base64, read_form
from .metrics import PHOTOS
from .problems import OF_A_PHOTO, ProblemError
from .schemas import describes

legacy = Blueprint("legacy", __name__)


@legacy.post("/api/classify_image")
@legacy.post("/classify_image")
@describes(
    "Name the faces in one photograph, in the tutorials' words",
    body=schemas.LEGACY_BODY,
    answer=schemas.LEGACY_ANSWER,
    problems=[*OF_A_PHOTO, "bad-base64", "busy"],
)
@bounded
def classify_image() -> Response:
    "A list with one entry a face, biggest first: class, percentages by class number, and the numbers by name."
    text = read_form(request).get("image_data", "")
    if not text:
        raise ProblemError("missing-photo", "The form field image_data is missing or empty.")
    faces = engine().legacy(decode_base64(text))
    PHOTOS.labels("faces" if faces else "no-face").inc()
    return jsonify(faces)


@legacy.get("/hello")
@describes("A greeting", media="text/plain")
def hello() -> Response:
    "Shows that the server answers."
    return Response("Hi\n", content_type="text/plain; charset=utf-8")

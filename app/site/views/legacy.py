"""The addresses that the tutorials' pages call, word for word, so that such a page works unchanged from anywhere."""

from flask import Blueprint, Response, current_app, jsonify, request

from ..guard.bodies import decode_base64, read_form
from ..guard.problems import OF_A_PHOTO, ProblemError
from ..metrics import PHOTOS
from . import schemas
from .api import bounded, engine
from .schemas import describes

legacy = Blueprint("legacy", __name__)
PATHS = ("/api/classify_image", "/classify_image")


@legacy.post(PATHS[0])
@legacy.post(PATHS[1])
@describes(
    "Name the faces in one photograph, in the tutorials' words",
    body=schemas.LEGACY_BODY,
    answer=schemas.LEGACY_ANSWER,
    problems=[*OF_A_PHOTO, "bad-base64", "busy"],
)
@bounded
def classify_image() -> Response:
    """A list with one entry a face, biggest first: the name, percentages by class number, and the numbers by name.

    Each stands there under both sets of names that such pages read: class, class_probability, class_dictionary, and
    label, label_probability, label_dict. A page of any site may call this address; CELEBML_LEGACY_OPEN=no closes it.
    """
    text = read_form(request).get("image_data", "")
    if not text:
        raise ProblemError("missing-photo", "The form field image_data is missing or empty.")
    faces = engine().legacy(decode_base64(text))
    PHOTOS.labels("faces" if faces else "no-face").inc()
    return jsonify(faces)


@legacy.after_app_request
def open_to_all(response: Response) -> Response:
    "There is no cookie and no secret here that another site's page could misuse."
    if request.path in PATHS and current_app.config["SITE"].legacy_open:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@legacy.get("/hello")
@describes("A greeting", media="text/plain")
def hello() -> Response:
    "Shows that the server answers."
    return Response("Hi\n", content_type="text/plain; charset=utf-8")

"""Version 1 of the API."""

import time
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from . import schemas
from .bodies import flag, read_form, read_sent
from .engine import Engine
from .limits import check_header
from .metrics import PHOTOS, count_answer
from .problems import OF_A_PHOTO, ProblemError
from .schemas import View, describes

api = Blueprint("v1", __name__, url_prefix="/api/v1")


def engine() -> Engine:
    "The engine of the app that answers."
    return current_app.extensions["celebml"]


def bounded(view: View) -> View:
    "A view that reads its body only once there is room for it."

    @wraps(view)
    def answer() -> Any:
        with engine().large_bodies.place(request.content_length):
            return view()

    return answer


def counted(data: bytes, explain: bool) -> dict[str, Any]:
    "Classify one photograph and count what came of it."
    try:
        answer = engine().classify(data, explain)
    except ProblemError as problem:
        PHOTOS.labels(problem.kind).inc()
        raise
    count_answer(answer)
    return answer


@api.post("/classify")
@describes(
    "Name the faces in one or several photographs",
    body=schemas.CLASSIFY_BODY,
    query={"explain": "Also say why, as a grid over each face, where the model can."},
    answer=schemas.CLASSIFY_ANSWER,
    problems=[
        *OF_A_PHOTO,
        "fetch-off",
        "fetch-refused",
        "fetch-failed",
        "too-many-files",
        "bad-base64",
        "invalid-field",
        "busy",
    ],
)
@bounded
def classify() -> Response:
    """Send a form with one or several files, or JSON with a base64 image or an address.

    Faces are listed biggest first. A photograph without a face is no error: its list is empty. With several files the
    answer holds one entry a file, each with its faces or its own problem.
    """
    start = time.perf_counter()
    sent = read_sent(request)
    model = {"model": engine().model()}
    if len(sent.photos) == 1:
        answer = counted(sent.photos[0][1], sent.explain) | model
        return jsonify(answer | {"total_milliseconds": _milliseconds(start)})
    entries = []
    for name, data in sent.photos:
        try:
            entries.append({"file": name} | counted(data, sent.explain))
        except ProblemError as problem:
            entries.append({"file": name, "faces": [], "problem": problem.as_dict()})
    return jsonify({"photos": entries, "total_milliseconds": _milliseconds(start)} | model)


def _milliseconds(start: float) -> float:
    return round(1000 * (time.perf_counter() - start), 1)


@api.get("/people")
@describes("The people that the model knows", answer=schemas.PEOPLE)
def people() -> Response:
    "In the order of their class numbers, with the address of a portrait where the bundle has one."
    return jsonify({"people": engine().people_list(), "examples": engine().examples()})


@api.get("/model")
@describes("The model card", answer=schemas.MODEL)
def model() -> Response:
    "Recipe, version, scores, the card as Markdown, and what this server offers."
    settings = current_app.config["SITE"]
    offers = {
        "explain": engine().can_explain,
        "fetch": bool(settings.fetch_hosts),
        "feedback": settings.feedback is not None,
        "max_bytes": settings.max_body,
        "max_files": settings.max_files,
        "max_megapixels": settings.max_megapixels,
    }
    return jsonify(engine().card() | {"offers": offers})


@api.get("/pictures/<path:name>")
@describes("A portrait or an example out of the bundle", media="image/jpeg", problems=["not-found"])
def picture(name: str) -> Response:
    "Addresses are listed by /api/v1/people."
    data, media_type = engine().picture(name)
    response = Response(data, content_type=media_type)
    response.headers["Cache-Control"] = "public, max-age=300"
    response.set_etag(f"{engine().version}-{len(data)}")
    return response.make_conditional(request)


@api.post("/feedback")
@describes(
    "Send a correction",
    body=schemas.FEEDBACK_BODY,
    answer=schemas.FEEDBACK,
    status=201,
    problems=[*OF_A_PHOTO, "not-found", "invalid-field", "not-ready"],
)
@bounded
def feedback() -> tuple[Response, int]:
    "Only where the operator turned it on, and only with consent: the photograph and the right name are kept."
    settings, store = current_app.config["SITE"], current_app.extensions["celebml-feedback"]
    if store is None:
        raise ProblemError("not-found", "This server takes no corrections.")
    form = read_form(request)
    if not flag("consent", form.get("consent")):
        raise ProblemError("invalid-field", "Without consent=true nothing is kept.")
    file = request.files.get("photo")
    if file is None:
        raise ProblemError("missing-photo")
    data = file.stream.getvalue()
    kind, _ = check_header(data, settings.max_megapixels * 1_000_000, engine().reduced)
    new = store.add(data, kind, form.get("said", ""), form.get("name", ""), engine().version)
    return jsonify({"kept": new}), 201

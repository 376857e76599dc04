"""Version 1 of the API."""

import time
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Request, Response, current_app, jsonify, request, url_for

from ..engine import Engine
from ..feedback import Feedback
from ..guard.bodies import flag, read_form, read_sent
from ..guard.problems import OF_A_PHOTO, ProblemError
from ..metrics import PHOTOS, count_answer
from . import schemas
from .schemas import View, describes

api = Blueprint("v1", __name__, url_prefix="/api/v1")


def engine() -> Engine:
    "The engine of the app that answers."
    return current_app.extensions["celebml"]


def bounded(view: View) -> View:
    "A view that reads its body only once there is room for it."

    @wraps(view)
    def answer() -> Any:
        with engine().large_bodies.room(request.content_length):
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
    sample=schemas.SAMPLE,
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
    """Send a form with one or several files, JSON with a base64 image or an address, or the image itself as the body.

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
@describes("The people that the model knows", answer=schemas.named("People"))
def people() -> Response:
    "In the order of their class numbers, with the address of a portrait where the bundle has one."
    return jsonify({"people": engine().people_list(), "examples": engine().examples()})


@api.get("/model")
@describes("The model card", answer=schemas.named("Model"))
def model() -> Response:
    "Recipe, version, scores, the card as Markdown, and what this server offers."
    settings = current_app.config["SITE"]
    offers = {
        "explain": engine().can_explain,
        "fetch": bool(settings.fetch_hosts),
        "feedback": settings.feedback is not None,
        "device": settings.device is not None,
        "max_bytes": settings.max_body,
        "max_files": settings.max_files,
        "max_megapixels": settings.max_megapixels,
    }
    return jsonify(engine().card() | {"offers": offers})


@api.get("/pictures/<path:name>")
@describes(
    "A portrait or an example out of the bundle",
    media="image/*",
    query={"small": "Only a thumbnail."},
    problems=["not-found", "invalid-field"],
)
def picture(name: str) -> Response:
    "Addresses are listed by /api/v1/people."
    small = flag("small", request.args.get("small"))
    data, media_type = engine().picture(name, small)
    response = Response(data, content_type=media_type)
    response.headers["Cache-Control"] = "public, max-age=300"
    response.set_etag(f"{engine().version}-{len(data)}")
    return response.make_conditional(request)


@api.post("/feedback")
@describes(
    "Send a correction of one face",
    body=schemas.FEEDBACK_BODY,
    answer=schemas.named("Receipt"),
    status=201,
    problems=[*OF_A_PHOTO, "not-found", "cross-site", "invalid-field", "not-ready"],
)
@bounded
def feedback() -> tuple[Response, int]:
    """Only where the operator turned it on, and only with consent.

    Kept are the face with a margin, written anew without the notes that cameras add, and the right name, until the day
    that the receipt names. The receipt's page shows what is kept, and erases it.
    """
    store = corrections()
    same_site(request)
    form = read_form(request)
    if not flag("consent", form.get("consent")):
        raise ProblemError("invalid-field", "Without consent=true nothing is kept.")
    name = form.get("name", "")
    if name and name not in engine().people:
        raise ProblemError("invalid-field", "name must be one of the people, or empty for somebody else.")
    file = request.files.get("photo")
    if file is None:
        raise ProblemError("missing-photo")
    face = engine().face_at(file.stream.getvalue(), form.get("box", ""))
    kept = store.add(face, form.get("said", ""), name, engine().version)
    if kept is None:
        return jsonify({"kept": False}), 201
    page = url_for("pages.correction", receipt=kept.receipt)
    return jsonify({"kept": True, "receipt": kept.receipt, "page": page, "until": kept.until}), 201


@api.delete("/feedback/<receipt>")
@describes("Erase a correction", answer=schemas.named("Erased"), problems=["not-found", "cross-site"])
def erase(receipt: str) -> Response:
    "By the receipt that came when it was sent."
    same_site(request)
    if not corrections().erase(receipt):
        raise ProblemError("not-found", "Nothing is kept under this receipt.")
    return jsonify({"erased": True})


def corrections() -> Feedback:
    "The folder of corrections. Raises `ProblemError` where the operator did not turn it on."
    store = current_app.extensions["celebml-feedback"]
    if store is None:
        raise ProblemError("not-found", "This server takes no corrections.")
    return store


def same_site(request: Request) -> None:
    "Raise `ProblemError` when a browser says that a page of another site sends this."
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    # A form's Origin is "null" here, because these pages send no referrer; only old browsers tell the Origin alone.
    own = origin is None or urlsplit(origin).netloc == request.host
    if not own if site is None else site != "same-origin":
        raise ProblemError("cross-site")

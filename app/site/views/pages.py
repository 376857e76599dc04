"""The page, the docs, the answer to a form without JavaScript, and the addresses that a load balancer asks."""

import base64
from io import BytesIO

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request, send_from_directory
from PIL import Image, ImageOps

from ..guard.bodies import read_form
from ..guard.limits import opened
from ..guard.problems import PROBLEMS, ProblemError
from . import openapi, schemas
from .api import bounded, corrections, counted, engine, same_site
from .schemas import describes

pages = Blueprint("pages", __name__)
SHOWN = 1280  # pixels of the longer side of a photograph that is shown again


@pages.get("/")
def index() -> Response:
    "The page itself; nginx serves it without asking us."
    return send_from_directory(current_app.static_folder, "index.html")


@pages.get("/favicon.ico")
def icon() -> Response:
    "Browsers ask for it whether or not a page names another."
    return send_from_directory(current_app.static_folder, "icon.svg")


@pages.get("/sw.js")
def service_worker() -> Response:
    "It answers for the whole site, so it lies at the top."
    return send_from_directory(current_app.static_folder, "sw-server.js")


@pages.post("/photograph")
@bounded
def photograph() -> str:
    "The answer to one photograph as a page, for browsers without JavaScript."
    read_form(request)
    file = request.files.get("photo")
    if file is None or not file.filename:
        raise ProblemError("missing-photo", "No photograph was chosen.")
    data = file.stream.getvalue()
    answer = counted(data, False)
    faces = [face | {"verdict": verdict(face), "rows": rows(face, engine().display_names)} for face in answer["faces"]]
    return render_template("answer.html", answer=answer, faces=faces, shown=shown(data))


def verdict(face: dict) -> str:
    "What is said of a face in a few words; `sentence` in words.js says the same."
    (first, share), (second, other) = [*sorted(face["probabilities"].items(), key=lambda one: -one[1]), ("", 0.0)][:2]
    names = engine().display_names
    if face["known"] is False:
        return f"I don’t know this person; {names[first]} comes nearest."
    if other >= share / 2:
        return f"Probably {names[first]}, perhaps {names[second]}."
    return names[first] if share >= 0.7 else f"Probably {names[first]}."


def rows(face: dict, names: dict[str, str]) -> list[tuple[str, float]]:
    "Everyone of whom a per cent or more is said, likeliest first."
    found = sorted(face["probabilities"].items(), key=lambda one: -one[1])
    return [(names[name], share) for name, share in found if share >= 0.01]


def shown(data: bytes) -> str:
    "A photograph as a small data URL, so that nothing has to be kept to show it."
    with opened(data) as image:
        image.draft("RGB", (SHOWN, SHOWN))
        image.thumbnail((SHOWN, SHOWN))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    buffer = BytesIO()
    upright.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


@pages.get("/correction/<receipt>")
def correction(receipt: str) -> str:
    "What is kept under a receipt, and the button that erases it."
    found = corrections().find(receipt)
    if found is None:
        raise ProblemError("not-found", "Nothing is kept under this receipt; perhaps it was erased.")
    with Image.open(found.file) as image:
        size = image.size
    face = "data:image/jpeg;base64," + base64.b64encode(found.file.read_bytes()).decode()
    name = engine().display_names.get(found.name, found.name) if found.name else "somebody else"
    return render_template("correction.html", face=face, size=size, name=name, kept=found)


@pages.post("/correction/<receipt>")
def erase_correction(receipt: str) -> Response:
    "Erase it, and say so."
    same_site(request)
    if not corrections().erase(receipt):
        raise ProblemError("not-found", "Nothing is kept under this receipt; perhaps it was erased.")
    return redirect("/privacy?erased=yes", 303)


@pages.get("/privacy")
def privacy() -> str:
    "What is kept, for how long, and how to have it erased."
    return render_template("privacy.html", site=current_app.config["SITE"], erased="erased" in request.args)


@pages.get("/docs")
def docs() -> str:
    "The API's description for people."
    document = openapi.document(current_app)
    return render_template("docs.html", api=document, problems=PROBLEMS, sample=schemas.SAMPLE)


@pages.get("/problems/<kind>")
def problem(kind: str) -> str:
    "What a problem's type means: the types are addresses, and this is what stands there."
    if kind not in PROBLEMS:
        raise ProblemError("not-found")
    status, title, hint = PROBLEMS[kind]
    return render_template("problem.html", kind=kind, status=status, title=title, hint=hint)


@pages.get("/openapi.json")
def openapi_json() -> Response:
    "The API's description for machines."
    return jsonify(openapi.document(current_app))


@pages.get("/healthz")
@describes("Whether the process lives", answer=schemas.named("Health"))
def healthz() -> Response:
    "Answers as long as the worker runs."
    return jsonify({"status": "ok"})


@pages.get("/readyz")
@describes("Whether photographs can be classified", answer=schemas.named("Health"))
def readyz() -> Response:
    "The model was loaded and asked once before the first request."
    return jsonify({"status": "ready", "model": engine().version})

"""The page, the docs, and the addresses that a load balancer asks."""

from flask import Blueprint, Response, current_app, jsonify, render_template, send_from_directory

from . import openapi, schemas
from .api import engine
from .problems import PROBLEMS, ProblemError
from .schemas import describes

pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> Response:
    "The page itself; nginx serves it without asking us."
    return send_from_directory(current_app.static_folder, "index.html")


@pages.get("/favicon.ico")
def icon() -> Response:
    "Browsers ask for it whether or not a page names another."
    return send_from_directory(current_app.static_folder, "icon.svg")


@pages.get("/docs")
def docs() -> str:
    "The API's description for people."
    return render_template("docs.html", api=openapi.document(current_app), problems=PROBLEMS)


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
@describes("Whether the process lives", answer=schemas.HEALTH)
def healthz() -> Response:
    "Answers as long as the worker runs."
    return jsonify({"status": "ok"})


@pages.get("/readyz")
@describes("Whether photographs can be classified", answer=schemas.HEALTH)
def readyz() -> Response:
    "The model was loaded and asked once before the first request."
    return jsonify({"status": "ready", "model": engine().version})

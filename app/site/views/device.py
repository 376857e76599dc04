""" "Compute on my device": the folder that `celebml publish` wrote, where the operator names one."""

import json
import re
from pathlib import Path

from flask import Blueprint, Flask, Response, redirect, request, send_from_directory

from ..guard.problems import ProblemError
from ..settings import SettingsError

_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')
_MODEL = re.compile(r'name="celebml-model" content="([^"]+)"')
_FOR_EVER = "public, max-age=31536000, immutable"  # its name carries a hash


def _published(folder: Path, version: str) -> str:
    "The policy of a published page. Raises `SettingsError` for another folder, or a page of another bundle."
    try:
        html = (folder / "index.html").read_text(encoding="utf-8")
        policy, model = _POLICY.search(html)[1], _MODEL.search(html)[1]
        bundle = json.loads((folder / model).read_text(encoding="utf-8"))["bundle"]
    except (OSError, TypeError, ValueError, KeyError) as error:
        raise SettingsError(
            f"CELEBML_DEVICE={folder}: no published page; make one with: celebml publish BUNDLE --out {folder}"
        ) from error
    if bundle != version:
        raise SettingsError(
            f"CELEBML_DEVICE={folder}: published from another bundle ({bundle}, served is {version}); publish again"
        )
    return policy


def register(app: Flask, folder: Path | None, version: str) -> None:
    "Serve the page at /device/. Raises `SettingsError` for a folder that is not one of this bundle's."
    pages = Blueprint("device", __name__)
    policy = _published(folder.resolve(), version) if folder else ""

    @pages.get("/device")
    @pages.get("/device/")
    @pages.get("/device/<path:name>")
    def device(name: str = "index.html") -> Response:
        "One file of it."
        if not folder:
            raise ProblemError("not-found")
        if request.path == "/device":  # its addresses are relative to the folder
            return redirect("/device/", 308)
        found = send_from_directory(folder.resolve(), name)
        found.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
        found.headers["Cache-Control"] = _FOR_EVER if name.startswith("assets/") else "no-cache"
        return found

    app.register_blueprint(pages)

"""The photographs inside a request: a form with files, JSON with base64, or JSON with an address."""

import base64
import binascii
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Request, current_app
from werkzeug.exceptions import BadRequest

from .fetch import fetch
from .problems import ProblemError

_DATA_URL = re.compile(r"data:[^,]{0,200},")
_YES = ("1", "true", "yes", "on")
_NO = ("", "0", "false", "no", "off")


class SiteRequest(Request):
    "A request whose files stay in memory: the body is bounded, and no photograph touches the disk."

    def _get_file_stream(self, *_: Any, **__: Any) -> BytesIO:
        return BytesIO()


@dataclass(frozen=True)
class Sent:
    """What a client sent to be classified.

    Parameters
    ----------
    photos : list of (str, bytes)
        File names, as the client gave them, and contents.
    explain : bool
        Whether reasons are wanted.
    """

    photos: list[tuple[str, bytes]]
    explain: bool


def decode_base64(text: str) -> bytes:
    "Bytes of a data URL or of plain base64, whose padding may be missing. Raises `ProblemError`."
    if found := _DATA_URL.match(text):
        text = text[found.end() :]
    if " " in text or "\n" in text or "\r" in text:
        text = text.replace(" ", "+").replace("\n", "").replace("\r", "")  # a form turns an unescaped + into a space
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError("bad-base64") from error
    if not data:
        raise ProblemError("missing-photo", "The photograph is empty.")
    return data


def flag(name: str, value: object) -> bool:
    "A yes or no out of a form, a query or JSON. Raises `ProblemError`."
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in (*_YES, *_NO):
        return value.lower() in _YES
    raise ProblemError("invalid-field", f"{name} must be true or false.")


def read_form(request: Request) -> Any:
    "The form of a request. Raises `ProblemError` when it is no form or a broken one."
    if request.mimetype not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise ProblemError(
            "unsupported-media-type", f"A form is needed, not {request.mimetype or 'a body of no type'}."
        )
    try:
        return request.form
    except (BadRequest, UnicodeError, ValueError) as error:
        raise ProblemError("bad-request", "The form could not be read.") from error


def read_sent(request: Request) -> Sent:
    "The photographs of a request to classify. Raises `ProblemError`."
    query = flag("explain", request.args.get("explain"))
    if request.is_json:
        return _from_json(request, query)
    if request.mimetype.startswith("image/") or request.mimetype == "application/octet-stream":
        if not (data := request.get_data(cache=False)):
            raise ProblemError("missing-photo", "The body is empty.")
        return Sent([("photograph", data)], query)
    form = read_form(request)
    explain = query or flag("explain", form.get("explain"))
    files = [file for _, file in request.files.items(multi=True) if file.filename or file.content_length]
    limit = current_app.config["SITE"].max_files
    if len(files) > limit:
        raise ProblemError("too-many-files", f"{len(files)} photographs were sent; {limit} at a time are taken.")
    if not files:
        raise ProblemError("missing-photo", "Put a photograph in a file field of the form.")
    return Sent([(str(file.filename), file.stream.getvalue()) for file in files], explain)


def _from_json(request: Request, explain: bool) -> Sent:
    try:
        value = request.get_json()
    except (BadRequest, UnicodeError, RecursionError) as error:
        raise ProblemError("bad-request", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise ProblemError("invalid-field", 'A JSON object is needed, such as {"image": "…base64…"}.')
    explain = explain or flag("explain", value.get("explain"))
    image, url = value.get("image"), value.get("url")
    if (image is None) == (url is None):
        raise ProblemError("missing-photo", 'Give either "image" (base64) or "url".')
    if image is not None:
        if not isinstance(image, str):
            raise ProblemError("invalid-field", "image must be a text of base64.")
        return Sent([("image", decode_base64(image))], explain)
    if not isinstance(url, str):
        raise ProblemError("invalid-field", "url must be a text.")
    settings = current_app.config["SITE"]
    with current_app.extensions["celebml"].fetches.place():
        data = fetch(url, settings.fetch_hosts, settings.max_body, settings.fetch_seconds)
    return Sent([(url, data)], explain)

"""Every failure is a problem+json (RFC 9457): a stable type, what happened, and what to try."""

import json
from http import HTTPStatus

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from .headers import SECURITY

# type: (status, title, what to try). The types are part of the API and do not change.
PROBLEMS = {
    "bad-request": (400, "The request could not be read", "Check the form or the JSON that was sent."),
    "cross-site": (403, "A page of another site may not send this", "Use this site's own page."),
    "not-found": (404, "There is nothing at this address", "See /docs for the addresses that exist."),
    "method-not-allowed": (405, "This address takes another method", "See the Allow header or /docs."),
    "request-timeout": (408, "The request did not come in time", "Send it again, over a faster connection."),
    "length-required": (411, "The length of the body was not told", "Send a Content-Length header."),
    "too-large": (413, "The file is too large", "Send a smaller photograph."),
    "too-many-pixels": (413, "The photograph has too many pixels", "Make it smaller and send it again."),
    "too-many-files": (413, "Too many photographs at once", "Send fewer at a time."),
    "address-too-long": (414, "The address is too long", "Send the photograph in the body, not in the address."),
    "not-an-image": (415, "This is not an image that can be read", "Save it as JPEG or PNG and try again."),
    "unsupported-media-type": (415, "This kind of request body is not understood", "Send a form with a file, or JSON."),
    "bad-range": (416, "There is no such part of the file", "Ask for the whole file."),
    "expectation-failed": (417, "The Expect header cannot be met", "Leave it out."),
    "missing-photo": (422, "There is no photograph in the request", "Send it in a file field, or as JSON."),
    "bad-base64": (422, "The base64 text could not be decoded", "Send a data URL, or plain base64."),
    "damaged-image": (422, "The image is damaged or incomplete", "Download or export it again."),
    "too-small": (422, "The photograph is too small to hold a face", "Choose a larger one."),
    "invalid-field": (422, "A field has a value that cannot be used", "See /docs for what it takes."),
    "fetch-off": (422, "This server fetches no addresses", "Download the photograph and send the file."),
    "fetch-refused": (422, "This address may not be fetched", "Download the photograph and send the file."),
    "fetch-failed": (422, "The address did not give a photograph", "Check it in a browser, or send the file."),
    "too-many-requests": (429, "Too many requests from your address", "Wait a little and try again."),
    "headers-too-large": (431, "The headers are too large", "Send fewer or shorter ones."),
    "server-error": (500, "Something went wrong on the server", "Try again; if it stays so, tell the operator."),
    "not-implemented": (501, "This kind of transfer is not understood", "Send a plain body with its length."),
    "http-version": (505, "This version of HTTP is not spoken", "Use HTTP/1.1 or HTTP/2."),
    "busy": (503, "The server is busy", "Try again in a few seconds."),
    "not-ready": (503, "The server is not ready", "Try again in a few seconds."),
}

# What may be wrong with any request that carries a photograph.
OF_A_PHOTO = (
    "bad-request",
    "too-large",
    "too-many-pixels",
    "not-an-image",
    "unsupported-media-type",
    "missing-photo",
    "damaged-image",
    "too-small",
    "too-many-requests",
)


class ProblemError(Exception):
    """A request that cannot be answered, by its stable type.

    Parameters
    ----------
    kind : str
        A key of `PROBLEMS`.
    detail : str
        What happened this time, in one sentence; the title by default.
    headers : str
        Response headers, such as Retry-After.
    """

    def __init__(self, kind: str, detail: str = "", **headers: str):
        super().__init__(detail or PROBLEMS[kind][1])
        self.kind, self.detail, self.headers = kind, detail, headers

    @property
    def status(self) -> int:
        "HTTP status."
        return PROBLEMS[self.kind][0]

    def as_dict(self) -> dict:
        "The body of the answer."
        status, title, hint = PROBLEMS[self.kind]
        detail = self.detail or f"{title}."
        return {"type": f"/problems/{self.kind}", "title": title, "status": status, "detail": detail, "hint": hint}


def answer(problem: ProblemError) -> Response:
    """A problem as a response: JSON, or a page for a browser that sent a form of ours."""
    value = problem.as_dict() | ({"request_id": g.id} if "id" in g else {})
    if request.path in PAGES or request.path.startswith("/correction/"):
        page = render_template("problem.html", kind=problem.kind, **value)
        return Response(page, problem.status, content_type="text/html; charset=utf-8")
    body = json.dumps(value, ensure_ascii=False)
    response = Response(body, problem.status, content_type="application/problem+json")
    for name, value in problem.headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


PAGES = ("/photograph",)  # what a form without JavaScript is sent to
_BY_STATUS = {
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    411: "length-required",
    413: "too-large",
    414: "address-too-long",
    415: "unsupported-media-type",
    416: "bad-range",
    417: "expectation-failed",
    429: "too-many-requests",
    431: "headers-too-large",
    501: "not-implemented",
    503: "not-ready",
    505: "http-version",
}


def kind_of_status(status: int) -> str:
    "The type of a problem of which only the HTTP status is known."
    return _BY_STATUS.get(status, "bad-request" if status < 500 else "server-error")


def as_bytes(problem: ProblemError, request_id: str) -> bytes:
    "A problem as a whole HTTP response, for a request that reaches no app."
    body = json.dumps(problem.as_dict() | {"request_id": request_id}, ensure_ascii=False).encode()
    lines = {
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Cache-Control": "no-store",
        "X-Request-ID": request_id,
        **SECURITY,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n{head}\r\n".encode() + body


def _from_http(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:  # a redirect to the address with its slash
        return error.get_response()
    kind = kind_of_status(error.code or 500)
    headers = {}
    if allow := getattr(error, "valid_methods", None):
        headers["Allow"] = ", ".join(sorted(allow))
    if isinstance(error, RequestEntityTooLarge):
        limit = request.max_content_length or 0
        return answer(ProblemError("too-large", f"The request is larger than {limit / 1e6:.0f} MB.", **headers))
    return answer(ProblemError(kind, **headers))


def register(app: Flask) -> None:
    "Answer every failure of an app with a problem."
    app.register_error_handler(ProblemError, answer)
    app.register_error_handler(HTTPException, _from_http)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        app.logger.exception("unexpected %s at %s", type(error).__name__, request.path)
        return answer(ProblemError("server-error"))

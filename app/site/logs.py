"""One JSON object a line: what was asked, what came of it, and how long it took; never the address of a photograph."""

import json
import logging
import re
import time
import traceback
import uuid
from datetime import UTC, datetime

from flask import Flask, Response, g, has_request_context, request
from gunicorn.glogging import Logger

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class JsonFormatter(logging.Formatter):
    "A record as one JSON object."

    def format(self, record: logging.LogRecord) -> str:
        """Time, level and message, the number of the request, and the fields that came with it."""
        value = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if has_request_context() and "id" in g:
            value["id"] = g.id
        value |= getattr(record, "fields", {})
        if record.exc_info:
            value["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(value, ensure_ascii=False)


class JsonLogger(Logger):
    "gunicorn's own lines in the same form."

    def setup(self, cfg: object) -> None:
        """Set it up as gunicorn does, and give each of its handlers the one form."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


def request_id(trusted: bool) -> str:
    "The number that nginx gave a request, where nginx stands in front, or a new one."
    given = request.headers.get("X-Request-ID", "")
    return given if trusted and _ID.fullmatch(given) else uuid.uuid4().hex


def register(app: Flask, every_request: bool) -> None:
    "Number the requests of an app, and write a line for each where asked."
    settings, log = app.config["SITE"], logging.getLogger("celebml.access")
    for logger in (log, app.logger):
        if not logger.handlers or logger is log:
            handler = logging.StreamHandler()
            logger.handlers, logger.propagate = [handler], False
        for handler in logger.handlers:
            handler.setFormatter(JsonFormatter())
    log.setLevel(logging.INFO)

    @app.before_request
    def number() -> None:
        g.id, g.began = request_id(settings.proxies > 0), time.perf_counter()

    @app.after_request
    def tell(response: Response) -> Response:
        if "id" not in g:
            return response
        response.headers["X-Request-ID"] = g.id
        if every_request:
            fields = {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": round(1000 * (time.perf_counter() - g.began), 1),
                "client": request.remote_addr or "",
            }
            log.info("request", extra={"fields": fields})
        return response

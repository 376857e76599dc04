"""Numbers for Prometheus, added up over the workers."""

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("celebml_requests", "Requests answered.", ["endpoint", "method", "status"])
SECONDS = Histogram(
    "celebml_request_seconds",
    "Time from request to answer.",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
FACES = Counter("celebml_faces", "Faces answered.", ["known"])
PHOTOS = Counter("celebml_photographs", "Photographs looked at, by what came of it.", ["result"])


def count_answer(answer: dict) -> None:
    "Count the faces of one answered photograph."
    PHOTOS.labels("faces" if answer["faces"] else "no-face").inc()
    for face in answer["faces"]:
        FACES.labels({True: "yes", False: "no", None: "unsure"}[face["known"]]).inc()


def exposition() -> bytes:
    "All numbers in Prometheus' text format."
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def register(app: Flask) -> None:
    "Time every request of an app."

    @app.before_request
    def start() -> None:
        g.start = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        endpoint = request.url_rule.endpoint if request.url_rule else "none"
        method = request.method if request.url_rule else "other"
        REQUESTS.labels(endpoint, method, str(response.status_code)).inc()
        if "start" in g:
            SECONDS.labels(endpoint).observe(time.perf_counter() - g.start)
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)

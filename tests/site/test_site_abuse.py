"""Bad requests by the thousand: none is answered with a fault of the server, and none kills a worker.

`CELEBML_ABUSE=5000` (make abuse-test) sends so many of each of the two kinds; an ordinary run sends a slice.
"""

import io
import json
import os
import urllib.error
import urllib.request

import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis.checks import CHECKS

from celebml_app.site import create_app
from celebml_app.site.guard.problems import PROBLEMS
from tools.site_trial import ROOT, RunningSite

MANY = int(os.environ.get("CELEBML_ABUSE", "250"))
MEMORY = 400 * 2**20
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
relaxed = settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def image(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


IMAGES = [image(kind) for kind in FORMATS]


@st.composite
def damaged(draw):
    "An image of some format with bytes changed, left out or put in, often in the header."
    data = bytearray(draw(st.sampled_from(IMAGES)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, min(len(data) - 1, draw(st.sampled_from([40, 10**6])))))
        data[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
        if not data:
            break
    return bytes(data)[: draw(st.integers(0, 10**6))]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
json_bodies = values | st.fixed_dictionaries({}, optional=dict.fromkeys(("image", "url", "explain"), values))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
BOUNDARY = "edge"


def part(name: str, data: bytes, file: str | None) -> bytes:
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode("utf-8", "replace") + data + b"\r\n"


@st.composite
def forms(draw):
    "A multipart body, whole or not."
    contents = st.one_of(damaged(), st.binary(max_size=200), st.just(b"true"))
    names = st.sampled_from(["photo", "image_data", "explain", "consent", "name", "said", "x"])
    body = b"".join(
        part(draw(names), draw(contents), draw(st.none() | st.text("ab./\\\r\n\x00é", max_size=6)))
        for _ in range(draw(st.integers(0, 4)))
    )
    return body + (f"--{BOUNDARY}--\r\n".encode() if draw(st.booleans()) else b"")


@st.composite
def requests(draw):
    "Method, path, content type and body of a request that no honest client sends."
    path = draw(
        st.sampled_from(
            [
                *("/api/v1/classify", "/api/v1/classify", "/api/classify_image", "/classify_image", "/api/v1/feedback"),
                *(
                    "/api/v1/people",
                    "/api/v1/pictures/x",
                    "/",
                    "/docs",
                    "/nowhere",
                    "/static/../settings.py",
                    "/metrics",
                ),
            ]
        )
    )
    path += draw(st.sampled_from(["", "?explain=true", "?explain=%ff", "?" + "a" * 3000, "/"]))
    kind, body = draw(
        st.one_of(
            st.tuples(st.just("application/json"), json_bodies.map(lambda value: json.dumps(value).encode())),
            st.tuples(st.just("application/json"), st.binary(max_size=100)),
            st.tuples(st.just(f"multipart/form-data; boundary={BOUNDARY}"), forms()),
            st.tuples(st.just("multipart/form-data"), forms()),
            st.tuples(
                st.just("application/x-www-form-urlencoded"),
                st.text(max_size=200).map(lambda t: b"image_data=" + t.encode()),
            ),
            st.tuples(st.sampled_from(["text/plain", "image/png", "", "a/b; charset=\xe9", ";;"]), damaged()),
        )
    )
    return draw(st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "DELETE", "OPTIONS", "BREW"])), path, kind, body


@pytest.fixture(scope="module")
def site(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("abuse")
    with RunningSite(bundle, folder, workers=2, feedback=folder / "feedback", feedback_mb=1) as found:
        yield found


def test_no_request_is_answered_with_a_fault(site):
    workers, seen = site.workers(), set()

    @relaxed
    @given(requests())
    def send(request):
        method, path, kind, body = request
        sent = urllib.request.Request(site.url + path, body, {"Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(sent, timeout=20) as response:
                seen.add(response.status)
        except urllib.error.HTTPError as error:
            with error:
                seen.add(error.code)
                assert error.code < 500 or error.code == 503
                value = json.loads(error.read())
            assert value["type"].removeprefix("/problems/") in PROBLEMS
            assert value["status"] == error.code

    send()
    assert site.workers() == workers, "a worker died"
    assert seen >= {200, 404, 405, 415, 422}, "the requests were too much alike"
    for pid in workers:
        assert psutil.Process(pid).memory_info().rss < MEMORY


DESCRIBED = json.loads((ROOT / "app/site/openapi.json").read_text(encoding="utf-8"))["paths"]
SMALL = settings(relaxed, max_examples=max(10, MANY // 10))
WANTED = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]


@pytest.fixture(scope="module")
def described(bundle, tmp_path_factory):
    app = create_app(bundle, feedback=tmp_path_factory.mktemp("described"))
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, ways in DESCRIBED.items() for method in ways])
def test_answers_are_those_described(described, path, method):
    @SMALL
    @given(described[path][method.upper()].as_strategy())
    def check(case):
        case.call_and_validate(checks=[CHECKS.get_one(name) for name in WANTED])

    check()

"""What an operator sees: one form for every failure, whoever answers it, a number for every request, and plain logs."""

import json
import socket
from contextlib import suppress
from pathlib import Path

import pytest
import urllib3
from test_site_load import needs_nginx
from waiting import until

from celebml_app.site.guard.problems import PROBLEMS
from tools.site_trial import RunningSite

END = b"Connection: close\r\n\r\n"
BAD = {  # what is sent: the status, and who may say so
    b"GARBAGE\r\n\r\n": 400,
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n" + END: 414,
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"b" * 70_000 + b"\r\n" + END: 431,
    b"POST /api/v1/classify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: wild\r\n" + END: 501,
    b"POST /api/classify_image HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b"Content-Length: 99999999\r\n" + END: 413,
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + END: 405,
    b"GET /static/nothing HTTP/1.1\r\nHost: a\r\n" + END: 404,
    b"GET /nowhere HTTP/1.1\r\nHost: a\r\n" + END: 404,
}


def raw(site, data: bytes) -> tuple[int, dict[str, str], bytes]:
    "Status, headers and body of the answer to bytes as they are."
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        client.sendall(data)
        answer = b""
        with suppress(ConnectionResetError):  # after the answer: a body that was told of never came
            while part := client.recv(65536):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}, body


@pytest.fixture(scope="module", params=[False, pytest.param(True, marks=needs_nginx)], ids=["alone", "nginx"])
def site(request, bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("operations")
    with RunningSite(bundle, folder, front=request.param, workers=1, access_log="yes") as found:
        yield found


@pytest.mark.parametrize("sent", BAD, ids=[f"{status}-{number}" for number, status in enumerate(BAD.values())])
def test_every_failure_has_one_form(site, sent):
    status, headers, body = raw(site, sent)
    assert status == BAD[sent]
    assert headers["content-type"] == "application/problem+json"
    value = json.loads(body)
    assert value["type"].removeprefix("/problems/") in PROBLEMS
    assert value["status"] == status
    assert len(value["request_id"]) == 32
    assert value["request_id"] == headers["x-request-id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["server"] in ("nginx", "gunicorn") if "server" in headers else True
    assert ("classify_image" in sent.decode()) == (headers.get("access-control-allow-origin") == "*")


def logged(site, number: str) -> dict:
    "The one line of that request in the log of whoever stands in front; nginx writes it after its answer has gone."
    file = site.folder / "access.log" if site.front else site.log

    def found() -> list[dict]:
        lines = [
            json.loads(line)
            for line in file.read_text().splitlines(True)
            if line.startswith("{") and line.endswith("\n")
        ]
        return [line for line in lines if line.get("id") == number]

    (line,) = until(found, 10)
    return line


def test_a_request_has_one_number_from_the_front_to_the_log(site, face):
    sent = urllib3.request("POST", f"{site.url}/api/v1/classify?x=secret", fields={"photo": ("private.jpg", face)})
    line = logged(site, sent.headers["X-Request-ID"])
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/v1/classify", 200)
    assert line["ms"] > 0
    assert "secret" not in str(line) and "private" not in str(line)
    if site.front:  # the app behind it counts the same number
        assert sent.headers["X-Request-ID"] in site.log.read_text()


def test_what_is_too_large_is_logged_as_what_it_was(site):
    _, headers, _ = raw(site, next(sent for sent, status in BAD.items() if status == 413))
    line = logged(site, headers["x-request-id"])
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/classify_image", 413)


@needs_nginx
@pytest.mark.parametrize("site", [True], indirect=True, ids=["nginx"])
def test_text_is_compressed_and_no_version_is_told(site):
    brotli = Path("/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so").exists()
    for coding in ("gzip", "br") if brotli else ("gzip",):
        answer = urllib3.request(
            "GET", f"{site.url}/static/style.css", headers={"Accept-Encoding": coding}, decode_content=False
        )
        assert answer.headers["Content-Encoding"] == coding
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["Server"] == "nginx"


@needs_nginx
@pytest.mark.parametrize("site", [True], indirect=True, ids=["nginx"])
def test_bodies_lie_in_memory(site):
    "nginx keeps what is beyond its buffer in a folder on a tmpfs."
    conf = (site.folder / "conf/upstream.conf").read_text()
    folder = conf.split("client_body_temp_path ")[1].split(";")[0]
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    _, kind = max((place, kind) for place, kind in mounts if folder.startswith(place))
    assert kind == "tmpfs"

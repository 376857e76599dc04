"""One fetcher for addresses that strangers wrote: it goes nowhere else, reads no more, and takes no longer."""

import gzip
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml.errors import FetchError
from celebml.fetching import WebClient
from celebml.open_web import RefusedError, TooLargeError, TooSlowError, UnreachableError, ask, check_address

PUBLIC = "93.184.216.34"


class Odd(BaseHTTPRequestHandler):
    """Answers by path."""

    packed: ClassVar = {
        "/bomb": ("gzip", gzip.compress(bytes(20_000_000))),
        "/deflated": ("deflate", zlib.compress(b"photo")),
        "/packed": ("gzip", gzip.compress(b"photo")),
        "/broken": ("gzip", b"no gzip"),
        "/other": ("br", b"photo"),
    }

    def do_GET(self):
        if self.path == "/drip-headers":
            self.drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n")
            return
        self.send_response(200)
        how, body = self.packed.get(self.path, ("", b"photo"))
        if how:
            self.send_header("Content-Encoding", how)
        if self.path == "/lying":
            self.send_header("Content-Length", "1" * 400)
        self.end_headers()
        if self.path == "/drip":
            self.drip(b"x", b"x")
        else:
            self.wfile.write(body)

    def drip(self, first, then):
        try:
            self.wfile.write(first)
            while not self.server.ending.wait(0.05):
                self.wfile.write(then)
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        """Silence."""


@pytest.fixture(scope="module")
def here():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    server.daemon_threads, server.ending = True, threading.Event()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.ending.set()
    server.shutdown()
    server.server_close()


def get(here, path, most=1000, seconds=5.0):
    return ask(f"http://{here}{path}", most, seconds, trusted=[here])


@pytest.mark.parametrize("path", ["/plain", "/packed", "/deflated"])
def test_a_packed_answer_is_unpacked(here, path):
    assert get(here, path).body == b"photo"


def test_a_packed_answer_stops_at_the_limit(here):
    with pytest.raises(TooLargeError, match="larger than 1 MB"):
        get(here, "/bomb", most=1_000_000)


@pytest.mark.parametrize("path", ["/broken", "/other"])
def test_what_was_not_asked_for_is_refused(here, path):
    with pytest.raises(UnreachableError, match="pack"):
        get(here, path)


def test_a_length_that_lies_is_refused_before_reading(here):
    with pytest.raises((TooLargeError, UnreachableError)):
        get(here, "/lying")


@pytest.mark.parametrize("path", ["/drip", "/drip-headers"])
def test_a_slow_drip_ends_with_the_time(here, path):
    start = time.monotonic()
    with pytest.raises(TooSlowError, match=r"took longer than 0\.3 seconds"):
        get(here, path, seconds=0.3)
    with pytest.raises(FetchError, match=r"took longer than 0\.3 seconds"):
        WebClient(trusted=[here], max_seconds=0.3).get(f"http://{here}{path}")
    assert time.monotonic() - start < 3


def test_where_one_address_does_not_answer_the_next_is_asked(here):
    tried = []

    def connect(scheme, address, port, host, seconds):
        tried.append(address)
        port = int(here.split(":")[1]) if address == PUBLIC else 1
        return urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=seconds)

    resolver = lambda host, port: ["2606:2800:220:1:248:1893:25c8:1946", PUBLIC]
    assert ask("http://example.org/plain", 1000, 5, resolver=resolver, connect=connect).body == b"photo"
    assert tried == [*resolver("", 0)]


@settings(max_examples=200)
@given(st.text(max_size=30) | st.text(max_size=20).map(lambda text: f"http://{text}"))
def test_any_address_is_a_place_or_refused(url):
    try:
        place = check_address(url, resolver=lambda host, port: [PUBLIC])
    except RefusedError:
        return
    assert place.port in (80, 443)
    assert place.addresses == (PUBLIC,)


@pytest.mark.parametrize("addresses", [[], ["10.0.0.1"], [PUBLIC, "127.0.0.1"], ["nonsense"]])
def test_all_addresses_of_a_name_must_be_public(addresses):
    with pytest.raises(RefusedError, match="not on the public internet"):
        check_address("http://example.org/", resolver=lambda host, port: addresses)


def test_trust_is_for_one_port_of_one_host():
    assert check_address("http://127.0.0.1:8080/a", trusted=["127.0.0.1:8080"]).addresses == ("127.0.0.1",)
    for url in ("http://127.0.0.1:8081/a", "http://127.0.0.1/a", "http://localhost:8080/a"):
        with pytest.raises(RefusedError):
            check_address(url, trusted=["127.0.0.1:8080"])

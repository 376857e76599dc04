"""A stranger's address never leads into the private network."""

import http.server
import subprocess
import sys
import threading
import time

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from celebml.addresses import is_public
from celebml.open_web import on_list
from celebml_app.site.guard.fetch import check_url, fetch
from celebml_app.site.guard.problems import ProblemError
from tools.site_trial import ROOT

PUBLIC = "93.184.216.34"


def kind_of(url, hosts=("*",), addresses=(PUBLIC,)):
    "The problem's type, or none where the address may be fetched."
    try:
        check_url(url, hosts, lambda host, port: list(addresses))
    except ProblemError as problem:
        return problem.kind
    return None


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1"),
        # tunnels to 8.8.8.8
        *("2001:0:7f00:1:0:0:f7f7:f7f7", "2001:0:4136:e378:8000:63bf:f7f7:f7f7", "2002:808:808::"),
        # set aside by IANA, and where clouds keep their machines' secrets
        *("fec0::1", "192.0.0.192", "192.88.99.1", "168.63.129.16", "3fff::1", "5f00::1", "100::1", "2001:db8::1"),
        *("100.100.100.200", "fd00:ec2::254", "fd20:ce::254"),
        *("255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1", "not an address", "", "8.8.8"),
    ],
)
def test_private_addresses_are_refused(address):
    assert not is_public(address)
    assert kind_of("http://example.org/", addresses=[address]) == "fetch-refused"
    assert kind_of("http://example.org/", addresses=[PUBLIC, address]) == "fetch-refused"


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fc00::/7"))
def test_no_private_address_is_public(address):
    assert not is_public(str(address))


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::808:808"])
def test_public_addresses_are_taken(address):
    assert is_public(address)
    assert kind_of("http://example.org/", addresses=[address]) is None


def test_the_site_runs_without_what_collecting_needs():
    blocked = "import sys; sys.modules.update(dict.fromkeys(['tenacity', 'sqlalchemy'])); import celebml_app.site"
    subprocess.run([sys.executable, "-c", blocked], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://example.org/",
            "gopher://example.org/",
            "example.org",
            "",
            "http://",
            "http:///x",
        ),
        *("http://user:secret@example.org/", "http://example.org:22/", "http://example.org:99999/", "http://[::1/"),
        *("http://example.org\\@10.0.0.1:70/", "http://" + "a" * 300 + ".org/"),
    ],
)
def test_other_addresses_are_refused(url):
    assert kind_of(url) == "fetch-refused"


def test_the_list_of_sites():
    assert on_list("a.org", ["a.org"])
    assert not on_list("b.a.org", ["a.org"])
    assert on_list("b.a.org", [".a.org"])
    assert not on_list("evila.org", [".a.org"])
    assert kind_of("https://b.org/", hosts=["a.org"]) == "fetch-refused"
    assert kind_of("https://A.org./", hosts=["a.org"]) is None


class Server(http.server.BaseHTTPRequestHandler):
    "Redirects, a photograph, a flood, and a drip."

    def do_GET(self):
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.end_headers()
        elif self.path == "/photo":
            self.reply(b"a photograph of " + self.headers["Host"].encode())
        elif self.path == "/flood":
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(1000):
                    self.wfile.write(bytes(65536))
            except OSError:
                self.close_connection = True
        elif self.path == "/drip-headers":
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not self.server.ending.wait(0.05):
                    self.wfile.write(b"X-A: b\r\n")
            except OSError:
                self.close_connection = True
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            try:
                while not self.server.ending.wait(0.05):
                    self.wfile.write(b"x")
            except OSError:
                self.close_connection = True
        else:
            self.send_error(404)

    def reply(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        "Silence."


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as found:
        found.ending = threading.Event()
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.ending.set()
        found.shutdown()
        thread.join()


@pytest.fixture
def get(server):
    "Fetch from the local server under public names; every connection goes to the address that was checked."
    seen = []
    names = {"inside.org": ["10.0.0.1"]}

    def connect(scheme, address, port, host, seconds):
        seen.append(address)
        return urllib3.HTTPConnectionPool("127.0.0.1", server.server_port, timeout=seconds)

    def run(path, **more):
        resolver = lambda host, port: names.get(host, [PUBLIC])
        options = {"max_bytes": 100_000, "seconds": 5, "resolver": resolver, "connect": connect} | more
        return fetch(f"http://a.org{path}", ("a.org", "inside.org"), **options)

    run.seen = seen
    return run


def test_a_photograph_is_fetched_from_the_address_that_was_checked(get):
    assert get("/photo") == b"a photograph of a.org"
    assert get("/to//photo") == b"a photograph of a.org"
    assert set(get.seen) == {PUBLIC}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/to/http://inside.org/photo", "fetch-refused"),
        ("/to/http://b.org/photo", "fetch-refused"),
        ("/to/file:///etc/passwd", "fetch-refused"),
        ("/to//to//to//to//photo", "fetch-failed"),
        ("/nothing", "fetch-failed"),
        ("/flood", "too-large"),
    ],
)
def test_what_a_server_may_not_do(get, path, kind):
    with pytest.raises(ProblemError) as caught:
        get(path)
    assert caught.value.kind == kind


@pytest.mark.parametrize("path", ["/drip", "/drip-headers"])
def test_a_drip_ends_with_the_time(get, path):
    start = time.monotonic()
    with pytest.raises(ProblemError, match=r"took longer than 0\.3 seconds") as caught:
        get(path, seconds=0.3)
    assert caught.value.kind == "fetch-failed"
    assert time.monotonic() - start < 1.5


def test_a_resolver_that_does_not_answer_ends_with_the_time(get):
    ending = threading.Event()
    start = time.monotonic()
    with pytest.raises(ProblemError) as caught:
        get("/photo", seconds=0.3, resolver=lambda host, port: ending.wait(20) and [PUBLIC])
    ending.set()
    assert caught.value.kind == "fetch-failed"
    assert time.monotonic() - start < 1.5


def test_fetching_is_off_by_default(get):
    with pytest.raises(ProblemError) as caught:
        fetch("http://a.org/photo", (), 1000, 1)
    assert caught.value.kind == "fetch-off"

"""A small server that speaks the two services' interfaces, with their fields, errors and rate limits, for tests."""

import io
import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image


def drawn(number: int, size: tuple[int, int] = (80, 100)) -> bytes:
    """A JPEG of coloured noise; another number gives another picture."""
    pixels = np.random.default_rng(number).integers(0, 255, (size[1] // 4, size[0] // 4, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(file, "JPEG")
    return file.getvalue()


LICENCES = ("CC BY-SA 4.0", "CC BY 2.0", "CC0", "CC BY-NC 2.0", "Public domain")


class Collections:
    """What the server holds and what it was asked; change the fields to make it misbehave.

    Parameters
    ----------
    count : int
        Photographs that each search finds.
    """

    def __init__(self, count: int = 7):
        self.count, self.page = count, 3
        self.asked: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.at_once, self.most_at_once, self.delay = Counter(), Counter(), threading.Event()
        self.seconds = 0.0
        self.busy: list[tuple[int, dict[str, str]]] = []  # answers given first, whatever is asked
        self.lag = 0  # times that Commons says maxlag
        self.limits: dict[str, str] = {}
        self.special: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.lock = threading.Lock()

    def answer(self, path: str, query: dict[str, list[str]], address: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        if self.busy:
            status, headers = self.busy.pop(0)
            return status, headers, b"slow down"
        if path in self.special:
            return self.special[path]
        if path == "/w/api.php":
            return 200, {"Content-Type": "application/json"}, json.dumps(self.commons(query, address)).encode()
        if path == "/v1/images/":
            return self.openverse(query, address)
        if path.startswith("/files/"):
            return 200, {"Content-Type": "image/jpeg"}, drawn(int("".join(filter(str.isdigit, path)) or 0))
        return 404, {}, b"not found"

    def commons(self, query: dict[str, list[str]], address: str) -> dict:
        """As action=query&generator=search&prop=imageinfo answers, formatversion 2."""
        if self.lag:
            self.lag -= 1
            return {"error": {"code": "maxlag", "info": "Waiting for a database server: 7 seconds lagged.", "lag": 7}}
        start = int(query.get("gsroffset", ["0"])[0])
        step = min(int(query["gsrlimit"][0]), self.page)
        end = min(start + step, self.count)
        pages = [self.commons_page(i, int(query["iiurlwidth"][0]), address) for i in range(start, end)]
        more = {"continue": {"gsroffset": end, "continue": "gsroffset||"}} if end < self.count else {}
        return more | {"query": {"pages": pages[::-1]}}

    def commons_page(self, i: int, width: int, address: str) -> dict:
        """One page of a search: a file with its author as HTML."""
        about = {
            "Artist": {"value": f'<a href="//commons.wikimedia.org/wiki/User:S{i}">S&amp;{i}</a>'},
            "LicenseShortName": {"value": LICENCES[i % len(LICENCES)], "source": "commons-desc-page"},
            "ObjectName": {"value": f"Portrait {i}", "source": "mediawiki-metadata"},
        }
        info = {
            "size": 1_000_000, "width": 4000, "height": 5000, "mime": "image/jpeg",
            "thumburl": f"{address}/files/{width}px-{i}.jpg", "thumbwidth": width, "thumbheight": 1200,
            "url": f"{address}/files/original-{i}.jpg", "descriptionurl": f"{address}/wiki/File:Portrait_{i}.jpg",
            "extmetadata": about,
        }  # fmt: skip
        return {"pageid": 100 + i, "ns": 6, "title": f"File:Portrait {i}.jpg", "index": i + 1, "imageinfo": [info]}

    def openverse(self, query: dict[str, list[str]], address: str) -> tuple[int, dict[str, str], bytes]:
        """As /v1/images/ answers, with anonymous limits."""
        size, page = int(query["page_size"][0]), int(query["page"][0])
        if size > 20:
            return 401, {}, json.dumps({"detail": "Authentication credentials were not provided."}).encode()
        pages = -(-self.count // self.page)
        results = [
            {
                "id": f"0000-{i}", "title": f"Open {i}", "url": f"{address}/files/open-{900 + i}.jpg",
                "creator": f"s{i}", "creator_url": "", "foreign_landing_url": f"{address}/photos/{i}",
                "license": "by", "license_version": "2.0",
                "license_url": "https://creativecommons.org/licenses/by/2.0/", "provider": "flickr", "source": "flickr",
                "attribution": f'"Open {i}" by s{i} is licensed under CC BY 2.0.', "width": 640, "height": 800,
                "filetype": "jpg", "mature": False, "thumbnail": f"{address}/v1/images/0000-{i}/thumb/",
            }
            for i in range((page - 1) * self.page, min(page * self.page, self.count))
        ]  # fmt: skip
        answer = {"result_count": self.count, "page_count": pages, "page_size": size, "page": page, "results": results}
        return 200, {"Content-Type": "application/json", **self.limits}, json.dumps(answer).encode()


@contextmanager
def serving(held: Collections):
    """Yield the address of a server for `held`, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            kind = "api" if parts.path.startswith(("/w/", "/v1/")) else "file"
            with held.lock:
                held.asked[self.path] += 1
                held.agents.add(self.headers["User-Agent"])
                held.at_once[kind] += 1
                held.most_at_once[kind] = max(held.most_at_once[kind], held.at_once[kind])
                status, headers, body = held.answer(parts.path, parse_qs(parts.query), address)
            held.delay.wait(held.seconds)
            with held.lock:
                held.at_once[kind] -= 1
            try:
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()

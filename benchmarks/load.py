"""A bounded load on a server of this machine: so many clients, so many requests, and never longer than two minutes."""

import base64
import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import urllib3

from tools.site_trial import RunningSite, free_port

HERE = Path(__file__).parent
LONGEST = 120  # seconds


@dataclass(frozen=True)
class Request:
    """One POST, made beforehand so that the clients cost little."""

    path: str
    body: bytes
    content_type: str


@dataclass(frozen=True)
class Load:
    """What came of a load: requests a second, the 50th and the 95th percentile in milliseconds, and failures."""

    rate: float
    p50: float
    p95: float
    failed: int


def classic_request(data: bytes) -> Request:
    """A photograph as the tutorials' page sends it: a data URL in a form field."""
    field = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    body = urllib.parse.urlencode({"image_data": field}).encode()
    return Request("/classify_image", body, "application/x-www-form-urlencoded")


def our_request(data: bytes) -> Request:
    """A photograph as our page sends it: a file."""
    body, kind = urllib3.encode_multipart_formdata({"photo": ("photo.jpg", data)})
    return Request("/api/v1/classify", body, kind)


def run(port: int, photos: list[Request], requests: int, clients: int = 8) -> Load:
    """So many clients on kept connections to 127.0.0.1, each taking the next photograph when it has its answer."""
    lock, waited, failed, given = threading.Lock(), [], [], iter(range(requests))
    for request in photos[:2]:
        ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), request)
    end = time.monotonic() + LONGEST

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < end:
            with lock:
                number = next(given, None)
            if number is None:
                break
            start = time.perf_counter()
            right = ask(connection, photos[number % len(photos)]) == 200
            with lock:
                waited.append(1000 * (time.perf_counter() - start))
                failed.extend([number] * (not right))
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    return Load(len(waited) / seconds, *np.quantile(waited, (0.5, 0.95)), len(failed))


def ask(connection: http.client.HTTPConnection, request: Request) -> int:
    "The status of the answer; 0 where there is none."
    try:
        connection.request("POST", request.path, request.body, {"Content-Type": request.content_type})
        response = connection.getresponse()
        response.read()
    except (http.client.HTTPException, OSError):
        connection.close()
        return 0
    return response.status


class ClassicServer:
    """The tutorials' server in a process of its own, with as many threads in OpenCV as it takes by itself."""

    def __init__(self, model: Path):
        self.model, self.port = model, free_port()

    def __enter__(self) -> "ClassicServer":
        command = [sys.executable, str(HERE / "classic.py"), "serve", str(self.model), str(self.port)]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 60
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError("the classic server did not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def _ready(self) -> bool:
        address = f"http://127.0.0.1:{self.port}/readyz"
        try:
            return urllib3.request("GET", address, timeout=2, retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False


def our_server(bundle: Path, folder: Path) -> RunningSite:
    """Ours as it is deployed: nginx in front of gunicorn with a process a processor."""
    return RunningSite(bundle, folder, front=True, workers=os.cpu_count() or 1)

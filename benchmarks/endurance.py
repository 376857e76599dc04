"""What the site holds out: the memory of its workers under many clients, and its answers beside slow ones.

    python benchmarks/endurance.py [--ways nginx heroku] [--parts slow memory] [--minutes 10] [--out JSON]

Two ways to start it, one after the other: `nginx`, as on a server of one's own, with a worker a processor; and
`heroku`, one worker without nginx, as the Procfile has it. Each takes the photographs of $CELEBML_PHOTOS (default
../shared/data/athletes, or else the default set), and between them two that a phone would make, of 12 megapixels, as
JPEG and as WebP, for so many minutes; a client that is told that the site is busy asks again a second later. Every
five seconds the memory of each worker is written down. Before that one client asks alone, and again beside 100 that
send headers slowly and 100 that send a body slowly.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import load  # noqa: E402
import psutil  # noqa: E402
from PIL import Image  # noqa: E402
from rows import Setting  # noqa: E402

from tools.site_trial import RunningSite  # noqa: E402

PHONE = (4000, 3000)
EVERY = 5.0  # seconds between two looks at the memory
SLOW = (b"X-A: b\r\n", b"Content-Length: 1000\r\n\r\nx")  # headers that never end, and a body
WAYS = {"nginx": {"front": True, "workers": os.cpu_count() or 1}, "heroku": {"workers": 1}}


def of_a_phone(data: bytes) -> list[bytes]:
    """A photograph enlarged to 12 megapixels, as JPEG and as WebP."""
    with Image.open(BytesIO(data)) as image:
        large, made = image.convert("RGB").resize(PHONE), []
    for kind in ("JPEG", "WEBP"):
        buffer = BytesIO()
        large.save(buffer, kind, quality=85)
        made.append(buffer.getvalue())
    return made


def requests(setting: Setting) -> list[load.Request]:
    """Every third photograph, and two of a phone after each thirty of them."""
    photos = [setting.data[i] for i in setting.sample]
    phone = of_a_phone(photos[0])
    for place in range(30, len(photos), 32):
        photos[place:place] = phone
    return [load.our_request(data) for data in photos]


def hold_out(site: RunningSite, photos: list[load.Request], seconds: float, clients: int) -> dict:
    """So many clients for so long; megabytes of each worker meanwhile."""
    end, lock, told = time.monotonic() + seconds, threading.Lock(), Counter()

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        while time.monotonic() < end:
            status = load.ask(connection, photos[number % len(photos)])
            number += clients
            with lock:
                told[status] += 1
            if status != 200:
                time.sleep(1)
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    processes = [psutil.Process(pid) for pid in [site.master, *site.workers()]]
    curve = []
    while any(thread.is_alive() for thread in threads):
        used = [process.memory_full_info() for process in processes]
        curve.append([max(one.rss for one in used[1:]) / 1e6, sum(one.pss for one in used) / 1e6])
        time.sleep(EVERY)
    worker, together = zip(*curve, strict=True)
    half = len(curve) // 2
    return {
        "minutes": round(seconds / 60, 1),
        "clients": clients,
        "answers": told[200],
        "told that the site is busy": told[503],
        "failed": told.total() - told[200] - told[503],
        "most MB of a worker": round(max(worker)),
        "most MB of a worker in the first half": round(max(worker[: half or 1])),
        "most MB of all, shared pages once": round(max(together)),
        "MB of the largest worker, each minute": [round(value) for value in worker[:: round(60 / EVERY)]],
    }


def alone(site: RunningSite, photos: list[load.Request], number: int = 41) -> float:
    """Median milliseconds of one client that asks for one photograph after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    times = []
    for request in photos[:number]:
        start = time.perf_counter()
        if load.ask(connection, request) == 200:
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def beside_slow_ones(site: RunningSite, photos: list[load.Request]) -> dict:
    """The same beside 200 clients that send a byte at a time, and come again when they are cut off."""
    before, stop = alone(site, photos), threading.Event()
    with ExitStack() as clients:

        def connect(number: int) -> socket.socket:
            one = clients.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=30))
            one.sendall(b"POST /api/v1/classify HTTP/1.1\r\nHost: a\r\n" + SLOW[number % 2])
            return one

        slow = [connect(number) for number in range(200)]

        def drip() -> None:
            while not stop.wait(1):
                for number, one in enumerate(slow):
                    try:
                        one.sendall(b"x")
                    except OSError:  # cut off
                        slow[number] = connect(number)

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            beside = alone(site, photos)
        finally:
            stop.set()
            dripping.join()
    return {"p50 ms alone": round(before, 1), "p50 ms beside 200 slow clients": round(beside, 1)}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--parts", nargs="+", choices=("slow", "memory"), default=["slow", "memory"])
    parser.add_argument("--bundle", type=Path, help="a bundle; by default one is learnt from all the photographs")
    parser.add_argument("--out", type=Path, help="a JSON file")
    chosen = parser.parse_args()
    found = json.loads(chosen.out.read_text(encoding="utf-8")) if chosen.out and chosen.out.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="celebml-endurance-") as work:
        setting = Setting(Path(work))
        photos, bundle = requests(setting), chosen.bundle or setting.bundle
        for name in chosen.ways:
            with RunningSite(bundle.resolve(), Path(work) / name, **WAYS[name]) as site:
                told = found.setdefault(name, {})
                if "slow" in chosen.parts:
                    told |= beside_slow_ones(site, [load.our_request(setting.data[i]) for i in setting.sample])
                if "memory" in chosen.parts:
                    told |= hold_out(site, photos, 60 * chosen.minutes, chosen.clients)
            print(name, json.dumps(told), flush=True)
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The site on trial: a small bundle of the AT&T faces, and the real servers in a folder of their own.

python -m tools.site_trial OUT      trains the small bundle
"""

import os
import signal
import socket
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import urllib3
from PIL import Image

from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_att

ROOT = Path(__file__).parents[1]
CARD = """# The AT&T faces

A trial model of the first {people} people of the AT&T (ORL) faces, for testing the site.

- **Trained on** {train} photographs; {held} were held back and serve as examples.
- **Not for** anything but tests: the photographs are posed and of one size.
"""


def jpeg(path: Path) -> bytes:
    "A photograph as JPEG bytes."
    buffer = BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def small_bundle(folder: Path, people: int = 6, recipe: str = "best", shift: int = 0) -> Path:
    "Train on a few people's first seven photographs; the others, and a stranger, become examples."
    att = load_att()
    first = 10 * shift
    numbers = range(first, first + 10 * people)
    train = [i for i in numbers if i % 10 < 7]
    classifier = CelebrityClassifier(recipe).fit(
        [att.paths[i] for i in train], [att.names[i] for i in train], groups=list(range(len(train)))
    )
    pictures = {f"portraits/{att.names[i]}.jpg": jpeg(att.paths[i]) for i in numbers if i % 10 == 0}
    pictures |= {f"examples/{att.names[i]}-{i % 10}.jpg": jpeg(att.paths[i]) for i in numbers if i % 10 == 8}
    pictures["examples/stranger.jpg"] = jpeg(att.paths[399])
    card = CARD.format(people=people, train=len(train), held=len(numbers) - len(train))
    return classifier.with_story(card=card, pictures=pictures).save(folder)


def free_port() -> int:
    "A TCP port that nobody uses now."
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class RunningSite:
    """gunicorn, and nginx in front where asked, until the block ends.

    Parameters
    ----------
    bundle : Path
        Served; may be a symbolic link.
    folder : Path
        For sockets, logs and nginx's files.
    front : bool
        Whether nginx stands in front.
    settings
        `CELEBML_*` variables without the prefix, in lower case; `workers` among them.
    """

    def __init__(self, bundle: Path, folder: Path, front: bool = False, **settings: object):
        self.port, self.folder, self.front = free_port(), Path(folder), front
        self.url = f"http://127.0.0.1:{self.port}"
        given = {f"CELEBML_{name.upper()}": str(value) for name, value in settings.items()}
        self.environment = os.environ | {"CELEBML_BUNDLE": str(bundle), "OMP_NUM_THREADS": "1"} | given
        self.environment["PYTHONPATH"] = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])
        self.bundle, self.count = bundle, int(settings.get("workers", 1))

    def __enter__(self) -> "RunningSite":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "site.log"
        pid_file = self.folder / "gunicorn.pid"
        if self.front:
            command = [ROOT / "deploy/nginx/serve.sh", str(self.port), str(self.bundle), sys.executable]
            self.environment["RUN"] = str(self.folder)
        else:
            command = [sys.executable, "-m", "celebml", "serve"]
            self.environment["GUNICORN_CMD_ARGS"] = f"--pid {pid_file}"
            self.environment["CELEBML_BIND"] = f"127.0.0.1:{self.port}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the site did not start:\n{self.log.read_text()}")
            time.sleep(0.1)
        self.master = int(pid_file.read_text())
        while len(self.workers()) < self.count:
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answers(self) -> bool:
        "Whether the site is ready."
        try:
            return urllib3.request("GET", f"{self.url}/readyz", timeout=2, retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def workers(self) -> list[int]:
        "Process numbers of the workers."
        found = Path(f"/proc/{self.master}/task/{self.master}/children").read_text(encoding="utf-8").split()
        return [int(pid) for pid in found]

    def stop(self) -> None:
        "End the servers and wait for them."
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> None:
    "Train the small bundle."
    print(small_bundle(Path(sys.argv[1])))


if __name__ == "__main__":
    main()

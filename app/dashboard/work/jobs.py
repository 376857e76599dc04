"""Long work in a process of its own: it outlives a reload, one runs at a time, and what is said of it is so.

The worker holds `work.lock` for as long as it lives, so a killed one is known at once; it alone writes `work.json`.
"""

import contextlib
import errno
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from celebml.errors import CelebmlError
from celebml.files import write_json

from ..kept.locks import is_locked, try_lock

_FOLDERS = re.compile(r"(?<![^\s\"'(])/(?:[^/\n:]*/)+")  # of an absolute path, up to its last name
LOG = logging.getLogger("celebml.dashboard")
STOPPED = "Stopped. Your photographs are kept, and what was there before still holds."
KILLED = "The work was cut off. Nothing is lost: what was found so far is remembered, and it goes on from there."


def sentence(error: BaseException) -> str:
    "An error as a sentence for the user; what nobody foresaw is also written to the log. No folder is named."
    if errno.ENOSPC in (getattr(error, "errno", None), getattr(error.__cause__, "errno", None)):
        text = "the disk is full. What was kept before is whole; make room and do it again"
    elif isinstance(error, CelebmlError):
        text = _FOLDERS.sub("", str(error))
    elif isinstance(error, OSError):
        name = Path(str(error.filename)).name if error.filename else "a file"
        text = f"{name} could not be read or written ({error.strerror or type(error).__name__})"
    elif isinstance(error, MemoryError):
        text = "there is not enough memory for this; use fewer or smaller photographs"
    else:
        LOG.error("unforeseen", exc_info=error)
        text = "this went wrong, and the log of the dashboard says why. Your photographs are kept; try again"
    first = text.split(" ", 1)[0]
    return (text if not first.isalpha() else text[:1].upper() + text[1:]).rstrip(".") + "."


@dataclass
class Status:
    """What is so about the work on a folder.

    Parameters
    ----------
    state : str
        "" (there was none), running, done, stopped, failed or killed.
    task, text : str
        What is worked on, and the step it is at or the sentence that it ended with.
    share : float
        How much is done, 0 to 1.
    left : float
        Seconds it still takes, negative while that is unknown; it only shrinks.
    of : str
        Fingerprint of the photographs that it is about.
    about : str
        What else the task was given, such as a recipe.
    """

    state: str = ""
    task: str = ""
    text: str = ""
    share: float = 0.0
    left: float = -1.0
    of: str = ""
    about: str = ""
    process: int = 0
    started: float = 0.0

    @property
    def running(self) -> bool:
        "Whether it is under way."
        return self.state == "running"


def time_left(seconds: float) -> str:
    "Seconds in words, or nothing while they are unknown."
    if seconds < 0:
        return ""
    if seconds < 1.5:
        return "a moment left"
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"


class Work:
    """The work on one folder, whoever began it.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder: Path):
        self.folder, self.file, self.lock = folder, folder / "work.json", folder / "work.lock"
        self._children: list[subprocess.Popen] = []

    def status(self) -> Status:
        "What is so now; work whose process is gone is not running, whatever was written last."
        self._reap()
        said = self._read()
        if said.running and not is_locked(self.lock):
            said = self._read()  # it may have ended just now
            if said.running:
                return Status("killed", said.task, KILLED, of=said.of)
        return said

    def start(self, task: str, of: str = "", about: str = "") -> bool:
        "Begin a task in a process of its own; `False` when there is work already."
        lock = self._begin()
        if lock is None:
            return False
        try:
            write_json(self.file, asdict(Status("running", task, "starting", of=of, about=about, started=time.time())))
            command = [sys.executable, "-m", __package__, str(self.folder), task, str(_watched())]
            told = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # the same code as here
            with (self.folder / "work.log").open("ab") as log:
                how = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "env": told, "cwd": self.folder}
                child = subprocess.Popen(command, pass_fds=(lock,), start_new_session=True, **how)
                self._children.append(child)
        finally:
            os.close(lock)  # the worker has its own hold on it
        return True

    def _begin(self) -> int | None:
        "The lock, unless a worker has it; somebody who only looks has it for no longer than that takes."
        for _ in range(10):
            if (lock := try_lock(self.lock)) is not None or (said := self._read()).running:
                return lock
            _kill(said.process)  # it only waits for more to learn
            time.sleep(0.02)
        return None

    def waits_for_more(self) -> bool:
        "Whether a worker that has learnt is still there, and will see by itself that there is more."
        said = self._read()
        return bool(said.process) and not said.running and is_locked(self.lock)

    def stop(self, then: Callable[[], Any] | None = None) -> Any:
        """End the work now; files are whole at any moment, so nothing need be waited for.

        `then` is called while no other work can begin; returns what it does. The work has then made room for something
        else: nobody wished it to stay stopped, and that must not be read where `then` was cut off.
        """
        said = self.status()
        deadline = time.monotonic() + 10
        while (lock := try_lock(self.lock)) is None and time.monotonic() < deadline:
            _kill(self._read().process)
            for child in self._children:
                child.kill()
            time.sleep(0.01)
        self._reap(10)
        try:
            if lock is not None and said.running:
                if then is None:
                    write_json(self.file, asdict(Status("stopped", said.task, STOPPED, of=said.of)))
                else:
                    self.file.unlink(missing_ok=True)
            return then and then()
        finally:
            if lock is not None:
                os.close(lock)

    def wait(self, seconds: float = 120) -> Status:
        "Wait for the end; for a notebook cell or a test. Raises `TimeoutError`."
        deadline = time.monotonic() + seconds
        while (said := self.status()).running:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{said.task} still runs: {said.text}")
            time.sleep(0.05)
        self._reap(10)
        return said

    def _reap(self, seconds: float = 0) -> None:
        "Let go of children that have ended; with `seconds`, wait for those that are about to."
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
        self._children = [child for child in self._children if child.returncode is None]

    def _read(self) -> Status:
        try:
            return Status(**json.loads(self.file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return Status()


_AT_ONCE = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has one way to end a process


def _kill(process: int) -> None:
    "End a worker; a number that another program has by now is left alone."
    try:
        if process and b".work" in Path(f"/proc/{process}/cmdline").read_bytes():
            os.kill(process, _AT_ONCE)
    except FileNotFoundError:
        if not Path("/proc/self").exists():  # a system that does not tell
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, _AT_ONCE)
    except ProcessLookupError:
        pass


def _watched() -> int:
    "The process whose end is to end the work too: the server, of which a kernel knows, or this one."
    return int(os.environ.get("JPY_PARENT_PID") or os.getpid())


class Watched:
    """What the worker says of its work.

    Parameters
    ----------
    folder : path
    task : str
    """

    def __init__(self, folder: Path, task: str):
        self.file = folder / "work.json"
        asked = Work(folder)._read()
        self.said = Status("running", task, "starting", of=asked.of, process=os.getpid(), started=time.time())
        self.about = asked.about
        self.count, self.total, self._shown, self._began = 0.0, 1.0, 0.0, time.monotonic()
        self.write()

    def plan(self, total: float) -> None:
        "How many steps there will be, about."
        self.total = max(total, 1e-9)

    def step(self, text: str = "", weight: float = 1) -> None:
        "One more piece is done."
        self.count += weight
        self.said.text = text or self.said.text
        now = time.monotonic()
        if now - self._shown < 0.15:
            return
        self._shown, share = now, min(0.99, self.count / self.total)
        self.said.share = max(self.said.share, share)
        spent = now - self._began
        if spent > 1 and share > 0.05:
            left = spent * (1 - share) / share
            self.said.left = left if self.said.left < 0 else min(self.said.left, left)
        self.write()

    def end(self, state: str, text: str, process: int = 0) -> None:
        "The last word; with the process where it waits for more."
        share = 1.0 if state == "done" else 0.0
        self.said = Status(state, self.said.task, text, share, of=self.said.of, process=process)
        self.write()

    def again(self, of: str) -> None:
        "Begin anew, about these photographs; said at once, for somebody may stop it at once."
        self.said = Status("running", self.said.task, "starting", of=of, process=os.getpid(), started=time.time())
        self.count, self.total, self._began = 0.0, 1.0, time.monotonic()
        self.write()

    def write(self) -> None:
        "Tell whoever looks."
        write_json(self.file, asdict(self.said))


def end_with(process: int) -> None:
    "End this process at once when another has gone, such as the server that was killed."

    def look() -> None:
        while True:
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                os._exit(1)
            except PermissionError:
                pass
            time.sleep(0.5)

    threading.Thread(target=look, daemon=True).start()

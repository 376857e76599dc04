"""Long work in a thread, with a bar, the time left and a way to stop it."""

import html
import logging
import threading
import time
from collections.abc import Callable

import ipywidgets as widgets

from celebml.bundle import BundleError
from celebml.datasets import DataError
from celebml.photographs import PhotographError

from .drawing import note

LOG = logging.getLogger("celebml.dashboard")


class Cancelled(Exception):
    """The user asked to stop."""


def sentence(error: BaseException) -> str:
    "An error as a sentence for the user; what nobody foresaw is also written to the server's log."
    if isinstance(error, PhotographError | DataError | BundleError):
        text = str(error)
    elif isinstance(error, OSError):
        text = f"{error.filename or 'a file'} could not be read or written ({error.strerror or error})"
    elif isinstance(error, MemoryError):
        text = "there is not enough memory for this; use fewer or smaller photographs"
    else:
        LOG.error("unforeseen", exc_info=error)
        text = f"this went wrong ({error or type(error).__name__}). Your photographs are kept; try again"
    first = text.split(" ", 1)[0]
    return (text if not first.isalpha() else text[:1].upper() + text[1:]).rstrip(".") + "."


def time_left(done: float, total: float, seconds: float) -> str:
    "How long it still takes, in words, from the share that is done and the time that took."
    if done <= 0 or seconds < 0.5:
        return ""
    left = seconds * (total - done) / done
    if left < 1.5:
        return "a moment left"
    return f"about {left:.0f} s left" if left < 90 else f"about {left / 60:.0f} min left"


class Job(widgets.HBox):
    """A bar with the time left and a Cancel button; the work itself runs in a thread.

    Work is a function that takes the job, calls `step` often, and returns what `done` is called with.
    """

    def __init__(self):
        self.bar = widgets.FloatProgress(min=0, max=1, layout={"width": "200px"})
        self.cancel = widgets.Button(description="Cancel", layout={"width": "auto"})
        self.text = widgets.HTML()
        self.said = widgets.HTML()
        self._stop, self._thread, self._shown = threading.Event(), None, 0.0
        self.cancel.on_click(lambda _: self.stop())
        super().__init__([self.bar, self.text, self.cancel, self.said])
        self.add_class("cm-job")
        self._show(False)

    @property
    def running(self) -> bool:
        "Whether work is under way."
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Callable, done: Callable, total: float = 1, after: Callable | None = None) -> bool:
        "Begin, unless something is already running. `after` is called in any case, at the end."
        if self.running:
            self.say("Something is still running; cancel it first or wait a moment.", "warn")
            return False
        self._stop.clear()
        self.total, self.count, self._began = max(total, 1e-9), 0.0, time.monotonic()
        self.say("")
        self._show(True)
        self._thread = threading.Thread(target=self._run, args=(work, done, after), daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        "Ask the work to stop at its next step."
        self._stop.set()
        self.text.value = "stopping…"

    def join(self, seconds: float = 60) -> None:
        "Wait for the end; for a notebook cell or a test."
        if self._thread is not None:
            self._thread.join(seconds)

    def step(self, text: str = "", weight: float = 1) -> None:
        "One more piece is done. Raises `Cancelled` when the user asked to stop."
        if self._stop.is_set():
            raise Cancelled
        self.count += weight
        now = time.monotonic()
        if now - self._shown > 0.15:
            self._shown = now
            self.bar.value = min(1.0, self.count / self.total)
            left = time_left(min(self.count, self.total), self.total, now - self._began)
            self.text.value = html.escape(", ".join(filter(None, [text, left])))

    def say(self, text: str, kind: str = "good") -> None:
        "A sentence beside the bar: good, warn or bad."
        self.said.value = note(text, kind) if text else ""

    def _run(self, work: Callable, done: Callable, after: Callable | None) -> None:
        try:
            done(work(self))
        except Cancelled:
            self.say("Stopped. Your photographs are kept, and what was there before still holds.", "warn")
        except Exception as error:  # noqa: BLE001 - the last line of a thread: it must end in a sentence
            self.say(sentence(error), "bad")
        finally:
            self._show(False)
            if after is not None:
                after()

    def _show(self, on: bool) -> None:
        for part in (self.bar, self.cancel, self.text):
            part.layout.display = "" if on else "none"
        self.bar.value, self.text.value = 0, ""

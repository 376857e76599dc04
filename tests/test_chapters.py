"""Each chapter runs from top to bottom: a notebook that cannot run is not a lesson."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from remembered import remember_all

NOTEBOOKS = Path(__file__).parents[1] / "nbs"
SECONDS = 250  # a minute is what a chapter may take; a busy machine is given more


def run(chapter: Path) -> str:
    """What goes wrong in a chapter, as `nbdev_test` runs it; empty where nothing does."""
    from nbdev.config import get_config
    from nbdev.test import test_nb

    said = io.StringIO()
    with redirect_stderr(said):
        good, _ = test_nb(chapter, skip_flags=get_config().tst_flags.split(), basepath=chapter.parents[1])
    return "" if good else said.getvalue() or "it failed without a word"


def run_all(asked: Connection) -> None:
    """Run each chapter that is asked for."""
    remember_all()
    while chapter := asked.recv():
        asked.send(run(chapter))


class Reader:
    """A process for chapters alone, one after the other: what all of them import, or look at, is so once."""

    process = None

    def read(self, chapter: Path) -> str:
        """What goes wrong in a chapter."""
        if not self.process:
            context = get_context("spawn")
            self.pipe, other = context.Pipe()
            self.process = context.Process(target=run_all, args=(other,), daemon=False)
            self.process.start()
            other.close()
        self.pipe.send(chapter)
        try:
            if self.pipe.poll(SECONDS):
                return self.pipe.recv()
            self.process.kill()
            said = f"it takes longer than {SECONDS} seconds"
        except EOFError:
            said = "its process ended"
        self.close()
        return said

    def close(self) -> None:
        """End the process."""
        if self.process:
            if self.process.is_alive():
                self.pipe.send(None)
            self.process.join()
            self.pipe.close()
            self.process = None


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """What chapters fetch, and the faces that they find, are kept in one folder for all processes of tests."""
    place = tmp_path_factory.getbasetemp()
    place = (place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "cache-of-chapters"
    found = Reader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELEBML_CACHE", str(place))
        yield found
    found.close()


@pytest.mark.parametrize("chapter", sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_runs(chapter, reader):
    assert not (said := reader.read(chapter)), said

"""Past one machine: a real scheduler and two worker processes give what one process gives, even when a worker dies."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import joblib
import numpy as np
import pytest
from click.testing import CliRunner

from celebml.clean import detect_all
from celebml.cli import main
from celebml.evaluate import score_recipe
from celebml.faces import Detection
from celebml.landmarks import YuNetDetector
from celebml.recipes import load_recipe
from celebml.search import GramSearchCV, grouped_folds, model_grid

pytest.importorskip("distributed", reason='no Dask here; mend with: pip install "celebml[cluster]"')

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class LoggingDetector:
    """YuNet, slowly, with one line in a file for each photograph looked at."""

    log: str
    seconds: float = 0.1
    at_least: ClassVar[int] = YuNetDetector.at_least

    def __call__(self, photo) -> Detection:
        """As YuNet does."""
        with Path(self.log).open("a") as log:
            log.write("looked\n")
        time.sleep(self.seconds)
        return YuNetDetector()(photo)

    def looks(self) -> int:
        """How many photographs were looked at."""
        return len(Path(self.log).read_text().splitlines()) if Path(self.log).exists() else 0


class Cluster:
    """`dask scheduler` and two times `dask worker` on this machine, as an administrator starts them."""

    def __init__(self, folder: Path):
        self.folder, self.processes = folder, []
        self.environment = os.environ | {"OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s"}
        self.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])

    def __enter__(self) -> Cluster:
        file = self.folder / "scheduler.json"
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file)
        for number in (1, 2):
            place = ("--scheduler-file", file, "--local-directory", self.folder / str(number))
            self.start("worker", *place, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        wait_for(file.exists)
        self.address = json.loads(file.read_text())["address"]
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(20)

    def start(self, *words: object) -> None:
        """One part of it; what it says goes to a file."""
        command = [sys.executable, "-m", "dask", *map(str, words)]
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))


def wait_for(condition, seconds: float = 60) -> None:
    """Raises when it does not come about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Two workers that are ready, and a client."""
    import dask
    from distributed import Client

    patience = dask.config.set({"distributed.comm.timeouts.connect": "5s"})  # for a dead worker; 30 otherwise
    with patience, Cluster(folder) as cluster, Client(cluster.address, timeout="60s") as client:
        client.wait_for_workers(2, timeout=60)
        cluster.client = client
        yield cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """One cluster for the tests that leave it whole."""
    with running(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def assert_same_faces(found, expected) -> None:
    """To the bit."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one.reason, len(one.faces)) == (other.reason, len(other.faces))
        for face, known in zip(one.faces, other.faces, strict=True):
            assert (face.box, face.score) == (known.box, known.score)
            np.testing.assert_array_equal(face.crop, known.crop)
            np.testing.assert_array_equal(face.landmarks, known.landmarks)


def test_two_workers_give_what_one_process_gives(cluster, people, folder):
    best, names = load_recipe("best"), np.array(people.names)
    alone = detect_all(people.paths, best.detector)
    with joblib.parallel_config(backend="dask"):
        shared = detect_all(people.paths, best.detector, n_jobs=2)
    assert_same_faces(shared, alone)
    assert len(cluster.client.run(os.getpid)) == 2

    described, groups = best.describe(alone, training=True), np.arange(len(names))
    expected = score_recipe(best, described, names, groups, n_repeats=2)
    with joblib.parallel_config(backend="dask"):
        scores = score_recipe(best, described, names, groups, n_repeats=2)
    np.testing.assert_array_equal(scores.named, expected.named)
    np.testing.assert_array_equal(scores.folds, expected.folds)
    threads = score_recipe(best, described, names, groups, n_repeats=2, n_jobs=2)
    np.testing.assert_array_equal(threads.named, expected.named)

    rows = np.stack([description.rows[0] for description in described])
    pipeline, grid = model_grid(scalers=("standard",))
    folds = grouped_folds(names, groups, 3)
    alone = GramSearchCV(pipeline, grid, cv=folds).fit(rows, names)
    with joblib.parallel_config(backend="dask"):
        shared = GramSearchCV(pipeline, grid, cv=folds).fit(rows, names)
    np.testing.assert_array_equal(shared.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(shared.predict(rows), alone.predict(rows))


def test_the_command_line_uses_a_scheduler_and_shows_progress(cluster, folder):
    words = ["evaluate", str(folder), "--recipe", "best", "--repeats", "1", "--json"]
    alone = CliRunner().invoke(main, words)
    command = [sys.executable, "-c", "from celebml.cli import main; main()", *words, "--scheduler", cluster.address]
    cache = {"CELEBML_CACHE": str(cluster.folder / "cache")}  # not that of the first run: nothing is remembered
    shared = subprocess.run(command, env=cluster.environment | cache, capture_output=True, text=True, timeout=300)
    assert shared.returncode == 0, shared.stderr
    assert json.loads(shared.stdout) == json.loads(alone.stdout)
    assert re.search(r"finding faces: +\d+%.* [1-9]\d*/24", shared.stderr)
    assert re.search(r"scoring best: +\d+%.* [1-9]/", shared.stderr)


def test_a_dead_worker_loses_nothing_and_repeats_nothing(people, tmp_path):
    paths, detector = people.paths, LoggingDetector(str(tmp_path / "looks"))
    for number, path in enumerate(paths):  # no two files alike: each has to be looked at
        (tmp_path / f"{number}.pgm").write_bytes(path.read_bytes() + b"\n" * number)
    paths = [tmp_path / f"{number}.pgm" for number in range(len(paths))]
    with running(tmp_path) as cluster:

        def kill_one() -> None:
            wait_for(lambda: detector.looks() >= len(paths) // 3)
            os.kill(cluster.processes[1].pid, signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        with joblib.parallel_config(backend="dask"):
            shared = detect_all(paths, detector, n_jobs=2, memory=tmp_path / "memory")
        killer.join()
        wait_for(lambda: len(cluster.client.scheduler_info()["workers"]) == 1)
    assert_same_faces(shared, detect_all(paths, YuNetDetector()))
    assert detector.looks() <= len(paths) + 1  # what the dead worker had in hand was done again, and only that
    detect_all(paths, detector, memory=tmp_path / "memory")
    assert detector.looks() <= len(paths) + 1

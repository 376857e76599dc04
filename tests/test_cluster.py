"""Past one machine: a real scheduler and two worker processes give what one process gives, even when a worker dies."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import joblib
import numpy as np
import pytest
from click.testing import CliRunner
from waiting import until

import celebml.cluster
from celebml import discriminant, subjects, tables
from celebml.cli import main
from celebml.cluster import ClusterError, FacesAway
from celebml.datasets import PhotoSet
from celebml.descriptions import Description
from celebml.detection import detect_all
from celebml.evaluate import score_recipe
from celebml.faces import Detection
from celebml.gram_search import GramSearchCV
from celebml.landmarks import YuNetDetector
from celebml.models import BestModel
from celebml.recipes import load_recipe
from celebml.search import grouped_folds, model_grid

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
        with Path(self.log).open("a", encoding="utf-8") as log:
            log.write("looked\n")
        time.sleep(self.seconds)
        return YuNetDetector()(photo)

    def looks(self) -> int:
        """How many photographs were looked at."""
        return len(Path(self.log).read_text(encoding="utf-8").splitlines()) if Path(self.log).exists() else 0


def address_in(file: Path) -> str | None:
    """The address in a scheduler's file; nothing before it is there, and while it is being written."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))["address"]
    except (FileNotFoundError, json.JSONDecodeError):
        return None


class Cluster:
    """`dask scheduler` and two times `dask worker` on this machine, as an administrator starts them."""

    def __init__(self, folder: Path, workers: int = 2):
        self.folder, self.workers, self.processes = folder, workers, []
        self.environment = os.environ | {"OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s"}
        self.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])

    def __enter__(self) -> Cluster:
        file = self.folder / "scheduler.json"
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file)
        for number in range(1, self.workers + 1):
            place = ("--scheduler-file", file, "--local-directory", self.folder / str(number))
            self.start("worker", *place, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        with ExitStack() as ended:
            ended.push(self)
            self.address = until(lambda: address_in(file))
            ended.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):  # a worker takes leave of its scheduler, so that one ends last
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # seen once in a busy run; how Dask ends is not what is tested here
                process.kill()
                process.wait()

    def start(self, *words: object) -> None:
        """One part of it; what it says goes to a file."""
        command = [sys.executable, "-m", "dask", *map(str, words)]
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))


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

    described, groups = best.describe(alone), np.arange(len(names))
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
    cache["TQDM_MININTERVAL"] = "0"  # each step is drawn, however fast they are
    shared = subprocess.run(command, env=cluster.environment | cache, capture_output=True, text=True, timeout=300)
    assert shared.returncode == 0, shared.stderr
    answers = [json.loads(text) for text in (shared.stdout, alone.stdout)]
    for answer in answers:  # what a machine measures of itself, or the packed file of, differs from run to run
        for cost in ("milliseconds", "megabytes"):
            assert answer["recipes"]["best"].pop(cost) > 0
    assert answers[0] == answers[1]
    assert re.search(r"finding faces, best: +\d+%.* [1-9]\d*/24", shared.stderr)
    assert re.search(r"scoring, best: +\d+%.* [1-9]/", shared.stderr)


def test_a_dead_worker_loses_nothing_and_repeats_nothing(people, tmp_path):
    paths, detector = people.paths, LoggingDetector(str(tmp_path / "looks"))
    for number, path in enumerate(paths):  # no two files alike: each has to be looked at
        (tmp_path / f"{number}.pgm").write_bytes(path.read_bytes() + b"\n" * number)
    paths = [tmp_path / f"{number}.pgm" for number in range(len(paths))]
    with running(tmp_path) as cluster:

        def kill_one() -> None:
            until(lambda: detector.looks() >= len(paths) // 3)
            os.kill(cluster.processes[1].pid, signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        with joblib.parallel_config(backend="dask"):
            shared = detect_all(paths, detector, n_jobs=2, memory=tmp_path / "memory")
        killer.join()
        until(lambda: len(cluster.client.scheduler_info()["workers"]) == 1)
    assert_same_faces(shared, detect_all(paths, YuNetDetector()))
    assert detector.looks() <= len(paths) + 1  # what the dead worker had in hand was done again, and only that
    detect_all(paths, detector, memory=tmp_path / "memory")
    assert detector.looks() <= len(paths) + 1


# sums on the machines


@pytest.fixture
def made_up(monkeypatch):
    """Sixty made-up photographs of three people, cut and summed in chunks; and how often sums are asked for."""
    for module in (subjects, tables):
        monkeypatch.setattr(module, "WHOLE", 0)
    for module in (discriminant, celebml.cluster):
        monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(tables, "COORDINATES", 50)
    random, blocks, calls = np.random.default_rng(0), load_recipe("best").features.blocks, []
    sums_of = FacesAway.sums_of
    monkeypatch.setattr(FacesAway, "sums_of", lambda *told: calls.append(len(calls)) or sums_of(*told))
    person = np.arange(60) % 3
    rows = random.normal(size=(60, blocks[-1].columns.stop)) + random.normal(size=(3, blocks[-1].columns.stop))[person]
    photos = [Description(row[None].astype(np.float32), np.ones(1), blocks) for row in rows]
    return (photos, person.astype(str), np.arange(60)), calls


def assert_same_model(one, other) -> None:
    """To the bit."""
    assert one.__getstate__().keys() == other.__getstate__().keys()
    for name, value in other.__getstate__().items():
        np.testing.assert_array_equal(one.__getstate__()[name], value, err_msg=name)


def test_a_model_of_sums_on_the_machines_is_the_same_to_the_bit(cluster, made_up):
    photos, calls = made_up
    alone = BestModel().fit(*photos)
    assert not calls
    with celebml.cluster.cluster(cluster.address, PhotoSet((Path(__file__),), ("nobody",))):
        shared = BestModel().fit(*photos)
    assert len(calls) > 30
    assert_same_model(shared, alone)
    assert pickle.loads(pickle.dumps(shared.training_)).held[0].parts[0].away is None


# what is looked at first


def test_paths_that_depend_on_the_working_folder_are_understood_by_workers(cluster, folder, tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    for place in sorted(folder.iterdir())[:2]:  # the workers stand in another folder
        (tmp_path / "photos" / place.name).symlink_to(place)
    monkeypatch.chdir(tmp_path)
    words = ["evaluate", "photos", "--recipe", "best", "--repeats", "1", "--folds", "2", "--json"]
    done = CliRunner().invoke(main, [*words, "--scheduler", cluster.address])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["recipes"]["best"]["coverage"] == 1


def refused(address, photos, why, patience=0.5):
    """The block of work is not begun, and a sentence says why."""
    with pytest.raises(ClusterError, match=why), celebml.cluster.cluster(address, photos, patience):
        pytest.fail("it began")


def test_a_cluster_that_cannot_do_the_work_is_said(cluster, people, tmp_path):
    elsewhere = replace(people, paths=(*people.paths, tmp_path / "elsewhere.jpg"))
    refused(cluster.address, elsewhere, r"the worker tcp://\S+ does not see .*elsewhere.jpg; put the photographs where")
    refused("tcp://127.0.0.1:9", people, "no scheduler answers at tcp://127.0.0.1:9; start one with: dask scheduler")
    done = CliRunner().invoke(main, ["evaluate", "att", "--scheduler", "tcp://nowhere.invalid:1"])
    assert done.exit_code == 1 and "no scheduler answers at tcp://nowhere.invalid:1" in done.output


def test_a_scheduler_without_workers_is_said(people, tmp_path):
    with Cluster(tmp_path, workers=0) as idle:
        refused(idle.address, people, f"{idle.address} has no worker; start one with: dask worker")


def test_a_machine_that_ends_costs_its_part_and_a_scheduler_that_ends_is_said(people, tmp_path, made_up, monkeypatch):
    photos, calls = made_up
    alone, sums_of = BestModel().fit(*photos), FacesAway.sums_of
    with Cluster(tmp_path) as found, pytest.raises(ClusterError, match="is gone; what was found is kept"):  # noqa: SIM117
        with celebml.cluster.cluster(found.address, people, patience=5) as client:
            client.wait_for_workers(2, timeout=60)

            def sums_of_one_less(*told):
                if len(calls) == 10:  # its chunks go to the other one
                    found.processes[1].kill()
                return sums_of(*told)

            monkeypatch.setattr(FacesAway, "sums_of", sums_of_one_less)
            assert_same_model(BestModel().fit(*photos), alone)
            assert len(calls) > 30 and found.processes[1].wait(20)
            found.processes[0].kill()
            found.processes[0].wait(20)
            detect_all([*people.paths] * 2, YuNetDetector(), n_jobs=2)

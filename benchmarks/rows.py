"""The rows of the table: each function runs the classic way and ours once, and yields what came of it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import classic
import cv2
import joblib
import load
import numpy as np

from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_folder, load_photographs
from celebml.detection import detect_all, detect_file
from celebml.features import FaceFeatures
from celebml.gram_search import GramSearchCV
from celebml.landmarks import YuNetDetector
from celebml.search import grouped_folds, model_grid

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("CELEBML_PHOTOS", HERE.parent.parent / "shared" / "data" / "athletes"))
Outcome = tuple[str, str, float, bool, float, dict[str, float]]  # key, words, goal, more is better, value, made of


class Setting:
    """The photographs and the models that the rows share, made when first asked for.

    Parameters
    ----------
    work : Path
        A folder for what is made.
    """

    def __init__(self, work: Path):
        cv2.setNumThreads(1)
        self.work = work
        photos = load_folder(FOLDER) if FOLDER.is_dir() else load_photographs()
        self.paths, self.names = photos.paths, np.array(photos.names)
        self.source = FOLDER.name if FOLDER.is_dir() else photos.source
        self.data = [path.read_bytes() for path in self.paths]
        self.sample = range(0, len(self.paths), max(1, len(self.paths) // 120))

    @cached_property
    def crops(self) -> list[np.ndarray]:
        """Two batches of 256 aligned faces, the biggest of each photograph, over again where there are fewer."""
        crops = [face.crop for found in detect_all(self.paths, YuNetDetector()) for face in found.faces[:1]]
        return [crops[i % len(crops)] for i in range(512)]

    @cached_property
    def classic_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """What the classic search learns from."""
        loaded = classic.cascades()
        faces = [classic.first_face(_picture(data), *loaded) for data in self.data]
        kept = [i for i, face in enumerate(faces) if face is not None]
        return np.array([classic.features(faces[i]) for i in kept]), self.names[kept]

    @cached_property
    def bundle(self) -> Path:
        """Our model of all the photographs, saved."""
        return CelebrityClassifier().fit(self.paths, self.names).save(self.work / "bundle")

    @cached_property
    def classic_model(self) -> Path:
        """The classic model, saved as the tutorials do."""
        joblib.dump(classic.train(self.data, self.names), self.work / "classic.pkl")
        return self.work / "classic.pkl"

    @cached_property
    def classifiers(self) -> tuple[Any, CelebrityClassifier]:
        """Both, opened."""
        return joblib.load(self.classic_model), CelebrityClassifier.load(self.bundle)


def _picture(data: bytes) -> np.ndarray | None:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def timed(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Milliseconds that something takes, of processor time unless another clock is given."""
    start = clock()
    work()
    return 1000 * (clock() - start)


def in_turn(items: Sequence, *ways: Callable[[Any], object], clock: Callable = time.process_time) -> np.ndarray:
    """Milliseconds (n_ways, n_items) of each way on each item; all ways do one item before the next one comes."""
    return np.array([[timed(lambda way=way, item=item: way(item), clock) for way in ways] for item in items]).T


def clean(setting: Setting) -> Iterator[Outcome]:
    """Decode, detect, align: processor time for a photograph."""
    loaded, detector, kept = classic.cascades(), YuNetDetector(), [0, 0]

    def theirs(path: Path) -> None:
        face = classic.first_face(cv2.imread(str(path)), *loaded)
        kept[0] += face is not None

    def ours(path: Path) -> None:
        kept[1] += bool(detect_file(path, detector).faces)

    def decode(path: Path) -> None:
        cv2.imread(str(path))

    ours(setting.paths[0])
    kept[:] = 0, 0
    classic_ms, ours_ms, decode_ms = in_turn([setting.paths[i] for i in setting.sample], theirs, ours, decode).mean(1)
    made = {"classic ms": classic_ms, "ours ms": ours_ms, "decoding alone ms": decode_ms}
    yield "clean", "cleaning a photograph: × less processor time", 8, True, classic_ms / ours_ms, made
    shares = np.array(kept) / len(setting.sample)
    yield "kept", "share of photographs in which a face is found", 0.98, True, shares[1], {"classic": shares[0]}
    yield "decode", "cleaning, in units of decoding alone", 3, False, ours_ms / decode_ms, {}


def two_cores(setting: Setting) -> Iterator[Outcome]:
    """The same by two processes."""
    paths, detector = setting.paths * max(1, 700 // len(setting.paths)), YuNetDetector()
    detect_all(paths[:16], detector, n_jobs=2)  # the processes start, and are kept
    one, two = (timed(lambda n=n: detect_all(paths, detector, n_jobs=n), time.perf_counter) for n in (1, 2))
    made = {"photographs/s by one": 1000 * len(paths) / one, "by two": 1000 * len(paths) / two}
    yield "cores", "cleaning on two cores: × one core", 1.8, True, one / two, made


def features(setting: Setting) -> Iterator[Outcome]:
    """Milliseconds of processor time a face, in batches of 256."""
    scattering, best = FaceFeatures(("scattering",)), FaceFeatures()
    batches = [setting.crops[:256], setting.crops[256:]]
    theirs, part, ours = (
        in_turn(
            batches, lambda crops: [classic.features(crop) for crop in crops], scattering.transform, best.transform
        ).mean(1)
        / 256
    )
    yield "scattering", "scattering of a face, ms", 1, False, part, {}
    yield "features", "all features of the best recipe, ms a face", 4, False, ours, {"classic ms": theirs}


def search(setting: Setting) -> Iterator[Outcome]:
    """The tutorials' model search on the same rows and folds."""
    X, y = setting.classic_rows
    folds = grouped_folds(y, np.arange(len(y)))
    pipeline, grid = model_grid(scalers=("standard",))
    ours = GramSearchCV(pipeline, grid, cv=folds)
    found: list = []
    fast = timed(lambda: ours.fit(X, y))
    slow = timed(lambda: found.extend(classic.search(X, y, folds)))
    made = {"classic s": slow / 1e3, "ours s": fast / 1e3}
    yield "search", "model search: × less processor time", 40, True, slow / fast, made
    theirs = np.concatenate([one.cv_results_["mean_test_score"] for one in found])
    apart = np.abs(_in_their_order(ours, found) - theirs)
    made = {"forest and logistic": apart[8:].max()}
    yield "search_scores", "largest difference of an SVM setting's score", 1e-6, False, apart[:8].max(), made


def _in_their_order(ours: GramSearchCV, theirs: Sequence) -> np.ndarray:
    """Our mean scores, setting by setting as the classic searches list them."""

    def key(params: dict) -> tuple:
        plain = {name: value for name, value in params.items() if name not in ("model", "scale")}
        return tuple(sorted((name, str(value)) for name, value in plain.items()))

    families = ("SVC", "RandomForestClassifier", "LogisticRegression")
    scores = {
        (type(params["model"]).__name__, key(params)): score
        for params, score in zip(ours.cv_results_["params"], ours.cv_results_["mean_test_score"], strict=True)
    }
    searches = zip(families, theirs, strict=True)
    return np.array([scores[family, key(params)] for family, one in searches for params in one.cv_results_["params"]])


def answer(setting: Setting) -> Iterator[Outcome]:
    """Bytes to answer in a warm process, one thread."""
    model, classifier = setting.classifiers
    data = [setting.data[i] for i in setting.sample]
    classifier.classify(data[0])
    classic_ms, ours_ms = in_turn(
        data, lambda d: classic.classify(model, d), classifier.classify, clock=time.perf_counter
    )
    made = {"classic p50 ms": np.median(classic_ms), "ours p50 ms": np.median(ours_ms)}
    yield "answer", "one photograph, bytes to answer: × faster (p50)", 5, True, np.divide(*made.values()), made


def requests(setting: Setting) -> Iterator[Outcome]:
    """Eight clients against both servers, one after the other."""
    photos = [setting.data[i] for i in setting.sample]
    with load.ClassicServer(setting.classic_model) as site:
        theirs = load.run(site.port, [load.classic_request(data) for data in photos], requests=160)
    with load.our_server(setting.bundle, setting.work / "site") as site:
        ours = load.run(site.port, [load.our_request(data) for data in photos], requests=640)
    shutil.rmtree(setting.work / "site", ignore_errors=True)
    made = {"classic /s": theirs.rate, "ours /s": ours.rate, "failed": ours.failed}
    yield "requests", "requests a second, eight clients: × more", 9, True, ours.rate / theirs.rate, made
    made = {"classic p95 ms": theirs.p95, "ours p95 ms": ours.p95}
    yield "p95", "the same, p95: × faster", 10, True, theirs.p95 / ours.p95, made


def start(setting: Setting) -> Iterator[Outcome]:
    """Seconds from starting Python."""
    photo, env = setting.work / "photo", os.environ | {"PYTHONPATH": str(HERE.parent)}
    photo.write_bytes(setting.data[0])

    def seconds(code: str, *arguments: object) -> float:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return timed(lambda: subprocess.run(command, env=env, check=True), time.perf_counter) / 1000

    nothing = seconds("pass")
    yield "import", "import celebml, s", 0.3, False, seconds("import celebml") - nothing, {}
    theirs = f"import sys; sys.path.insert(0, {str(HERE)!r}); import joblib, classic; from pathlib import Path; "
    theirs += "classic.classify(joblib.load(sys.argv[1]), Path(sys.argv[2]).read_bytes())"
    ours = "import sys; from celebml.classifier import CelebrityClassifier; "
    ours += "CelebrityClassifier.load(sys.argv[1]).classify(sys.argv[2])"
    made = {"classic s": seconds(theirs, setting.classic_model, photo)}
    yield "first", "first answer after start, s", 1, False, seconds(ours, setting.bundle, photo), made


CLEAN = """
import sys
from pathlib import Path
from celebml.clean import clean_folder
from celebml.datasets import load_folder
from celebml.landmarks import YuNetDetector
clean_folder(load_folder(sys.argv[1]), Path(sys.argv[2]), YuNetDetector())
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024)  # getrusage would report the parent's, if that was higher
"""


def memory(setting: Setting) -> Iterator[Outcome]:
    """Highest memory of a process that cleans some photographs, and ten times as many."""
    few, many = setting.work / "few", setting.work / "many"
    for folder, times in ((few, 1), (many, 10)):
        for number in range(times):
            for i in setting.sample:
                place = folder / setting.names[i] / f"{number}-{i}{setting.paths[i].suffix}"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(setting.data[i] + b"\0" * number)  # no two files alike
    env = os.environ | {"PYTHONPATH": str(HERE.parent)}
    used = []
    for folder in (few, many):
        command = [sys.executable, "-W", "ignore", "-c", CLEAN, str(folder), str(setting.work / "faces")]
        done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
        used.append(float(done.stdout))
        shutil.rmtree(setting.work / "faces")
        shutil.rmtree(folder)
    made = {"MB for some": used[0], "MB for ten times": used[1]}
    yield "memory", "memory for cleaning ten times the photographs: ×", 1.2, False, used[1] / used[0], made


ONCE = {"search", "memory"}  # of minutes each, and of processor time and memory, which other work hardly changes
ROWS = {
    "clean": clean,
    "two_cores": two_cores,
    "features": features,
    "search": search,
    "answer": answer,
    "requests": requests,
    "start": start,
    "memory": memory,
}

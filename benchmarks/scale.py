"""What it costs to go from hundreds of photographs to 50,000, and on to a million.

    python benchmarks/scale.py [--most 50000] [--most-learnt 50000] [--out benchmarks/scale.json]

The photographs ($CELEBML_PHOTOS, default ../shared/data/athletes, or else the default set) are repeated until there
are enough; each repeat differs from the last in its bytes, so nothing is remembered. Measured at each size: cleaning
and describing by one process on photographs drawn evenly from the whole, fully up to twice the sample and on the sample
beyond, because each photograph costs the same whatever the others are; the search for likely copies among made-up
faces, fully at every size; and learning, from made-up numbers of a hundred photographs a person, fully up to
--most-learnt, the choice of threshold included, with the most memory that it takes beyond the photographs' own numbers.
Processor time, which other work on the machine hardly changes. What a million photographs of 10,000 people take follows
from the slopes between the largest sizes. A plot is written beside the JSON file.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

# One thread a process; said before numpy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import numpy as np  # noqa: E402

from celebml.datasets import load_folder, load_photographs  # noqa: E402
from celebml.descriptions import Description  # noqa: E402
from celebml.detection import detect_each  # noqa: E402
from celebml.duplicates import _likely  # noqa: E402
from celebml.features import FaceFeatures  # noqa: E402
from celebml.models import BestModel  # noqa: E402
from celebml.recipes import load_recipe  # noqa: E402

FOLDER = Path(os.environ.get("CELEBML_PHOTOS", HERE.parent.parent / "shared" / "data" / "athletes"))
SIZES = (100, 300, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
MILLION = 1_000_000


def seconds(work: Callable[[], object]) -> float:
    """Processor time of something."""
    start = time.process_time()
    work()
    return time.process_time() - start


def clean_and_describe(paths: list[Path], size: int, sample: int) -> float:
    """Seconds for `size` photographs, from at most `sample` of them drawn evenly from the repeats."""
    recipe, looked = load_recipe("best"), min(size, sample)
    with tempfile.TemporaryDirectory(prefix="celebml-scale-") as folder:
        chosen = []
        for number in np.linspace(0, size - 1, looked).astype(int):
            path = paths[number % len(paths)]
            copy = Path(folder) / f"{number}{path.suffix}"
            copy.write_bytes(path.read_bytes() + b"\0" * (1 + number // len(paths)))
            chosen.append(copy)

        def work() -> None:
            for found in detect_each(chosen, recipe.detector):
                recipe.describe([found])

        return seconds(work) * size / looked


def compare(size: int) -> float:
    """Seconds to find likely copies among one face a photograph."""
    random = np.random.default_rng(0)
    faces = random.normal(size=(size, 32, 32)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=(1, 2), keepdims=True)
    return seconds(lambda: _likely(faces, np.arange(size), 0.5, 4))


def gigabytes() -> float:
    """Memory of this process, without mapped files."""
    _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text(encoding="ascii").split())
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / 1e9


def learn(size: int) -> tuple[float, float]:
    """Seconds and gigabytes to learn so many photographs; beyond 2,000 their numbers repeat, which saves no work."""
    random, blocks, people = np.random.default_rng(0), FaceFeatures().blocks, max(size // 100, 2)
    rows = random.standard_normal((min(size, 2000), blocks[-1].columns.stop), np.float32)
    photos = [Description(rows[i % len(rows)][None], np.ones(1), blocks) for i in range(size)]
    names = (np.arange(size) % people).astype(str)
    before, peak, ends = gigabytes(), [0.0], threading.Event()

    def watch() -> None:
        while not ends.wait(0.05):
            peak[0] = max(peak[0], gigabytes() - before)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    took = seconds(lambda: BestModel().fit(photos, names, np.arange(size)))
    ends.set()
    watching.join()
    return took, peak[0]


COSTS = {
    "clean_and_describe_s": ("find and describe faces", "#0072B2"),
    "compare_s": ("search for copies", "#D55E00"),
    "learn_s": ("learn", "#009E73"),
}


def extended(points: list[dict], key: str, size: int) -> float:
    """A cost at a size, along the line through the two largest sizes measured, on logarithmic axes; never below it."""
    known = [point for point in points if key in point][-2:]
    (n, cost), (m, more) = ((point["photographs"], point[key]) for point in known)
    power = max(np.log(more / cost) / np.log(m / n), 1.0)
    return float(more * (size / m) ** power)


def draw(points: list[dict], path: Path) -> None:
    """The costs against the number of photographs, and where they lead."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "celebml"
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for key, (label, colour) in COSTS.items():
        sizes = [point["photographs"] for point in points if key in point]
        axis.plot(sizes, [point[key] for point in points if key in point], "o", color=colour, label=label)
        further = np.geomspace(sizes[-1], MILLION, 2)
        axis.plot(further, [extended(points, key, size) for size in further], "--", color=colour)
    axis.set(xscale="log", yscale="log", xlabel="photographs", ylabel="seconds of one processor")
    axis.set_title("measured (dots) and extended (dashes)", fontsize=10)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def million(points: list[dict]) -> dict[str, float]:
    """Hours of one processor for a million photographs, how many machines of eight do it in one, memory to learn."""
    hours = {key.removesuffix("_s"): extended(points, key, MILLION) / 3600 for key in COSTS}
    told = {f"{key}_hours": round(value, 1) for key, value in hours.items()}
    told["machines_of_8_for_an_hour"] = float(np.ceil(sum(hours.values()) / 8))
    return told | {"learn_gb": round(extended(points, "learn_gb", MILLION))}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=max(SIZES))
    parser.add_argument("--most-learnt", type=int, default=max(SIZES))
    parser.add_argument("--sample", type=int, default=1000, help="photographs looked at beyond 2,000")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    photos = load_folder(FOLDER) if FOLDER.is_dir() else load_photographs()
    points = []
    for size in (size for size in SIZES if size <= chosen.most):
        sample = size if size <= min(2000, 2 * chosen.sample) else chosen.sample
        cost = {
            "clean_and_describe_s": clean_and_describe(list(photos.paths), size, sample),
            "compare_s": compare(size),
        }
        if size <= chosen.most_learnt:
            cost["learn_s"], cost["learn_gb"] = learn(size)
        points.append({"photographs": size, "looked_at": sample} | {k: float(f"{v:.3g}") for k, v in cost.items()})
        print(points[-1], flush=True)
    told = {"source": FOLDER.name if FOLDER.is_dir() else photos.source, "points": points, "million": million(points)}
    print(told["million"])
    if chosen.out:
        chosen.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        draw(points, chosen.out.with_suffix(".svg"))


if __name__ == "__main__":
    main()

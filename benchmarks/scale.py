"""What it costs to go from hundreds of photographs to 50,000, and on to a million.

    python benchmarks/scale.py [--most 50000] [--out benchmarks/scale.json]

The photographs ($CELEBML_PHOTOS, default ../shared/data/athletes, or else the default set) are repeated until there
are enough; each repeat differs from the last in its bytes, so nothing is remembered. Measured at each size: cleaning
and describing by one process on photographs drawn evenly from the whole, fully up to 2,000 and on a sample of 1,000
beyond, because each photograph costs the same whatever the others are; and the comparison of all faces with each
other, which grows with the square, fully at every size, by its matrix products. Processor time, which other work on
the machine hardly changes. A plot is written beside the JSON file.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# One thread a process; said before numpy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import numpy as np  # noqa: E402

from celebml.clean import detect_each  # noqa: E402
from celebml.datasets import load_folder, load_photographs  # noqa: E402
from celebml.duplicates import _likely  # noqa: E402
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


def draw(points: list[dict], path: Path) -> None:
    """Both costs against the number of photographs, and where they lead."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "celebml"
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    sizes = [point["photographs"] for point in points]
    for key, label, power, colour in (
        ("clean_and_describe_s", "find and describe faces", 1, "#0072B2"),
        ("compare_s", "compare all with all", 2, "#D55E00"),
    ):
        cost = [point[key] for point in points]
        axis.plot(sizes, cost, "o", color=colour, label=label)
        further = np.array([sizes[-1], MILLION])
        axis.plot(further, cost[-1] * (further / sizes[-1]) ** power, "--", color=colour)
    axis.set(xscale="log", yscale="log", xlabel="photographs", ylabel="seconds of one processor")
    axis.set_title("measured (dots) and extended (dashes)", fontsize=10)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def million(points: list[dict]) -> dict[str, float]:
    """Hours of one processor for a million photographs, and how many machines of eight do it in an hour."""
    last = points[-1]
    times = MILLION / last["photographs"]
    looking, comparing = last["clean_and_describe_s"] * times / 3600, last["compare_s"] * times**2 / 3600
    return {
        "find_and_describe_hours": round(looking, 1),
        "compare_hours": round(comparing, 1),
        "machines_of_8_for_an_hour": float(np.ceil(looking / 8)),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=max(SIZES))
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
        points.append({"photographs": size, "looked_at": sample} | {k: float(f"{v:.3g}") for k, v in cost.items()})
        print(points[-1], flush=True)
    told = {"source": FOLDER.name if FOLDER.is_dir() else photos.source, "points": points, "million": million(points)}
    print(told["million"])
    if chosen.out:
        chosen.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        draw(points, chosen.out.with_suffix(".svg"))


if __name__ == "__main__":
    main()

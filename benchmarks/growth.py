"""What learning costs as the photographs grow, beside the way it was done before.

    python benchmarks/growth.py ../shared/data/lfw.zip --work FOLDER [--most 20000] [--out benchmarks/growth.json]
    python benchmarks/growth.py ../shared/data/lfw.zip --work FOLDER --evaluate [--out benchmarks/growth.json]

Faces of Labeled Faces in the Wild, of the people with most photographs, and beyond the first thousands their mirror
images and crops that are shifted, turned and resized by a little. They are found and described once, into FOLDER, and
each fit is a process of its own, by one thread: seconds are of the processor, memory is the most that the process had
of its own, without the files that it reads in place. Earlier and new way take turns at each size. Suspects are looked
for in five folds, as the dashboard does. A plot on logarithmic axes is written beside the JSON file. With --evaluate,
`celebml evaluate` alone: 1,300 photographs of the six people who have most, mirror images of the last ones among them,
both recipes, fifteen folds; seconds by the clock on all processors, faces found before.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from gram_model import Mirrored  # noqa: E402

from celebml.descriptions import Description  # noqa: E402
from celebml.features import FaceFeatures  # noqa: E402

SIZES = (200, 400, 800, 1_600)  # of 27 people, both ways
FURTHER = (1_000, 2_000, 5_000, 10_000, 20_000)  # of 62 people, the new way


def prepare(archive: Path, work: Path, most: int) -> None:
    """Crops, their people, and their rows and mirrored rows, as files in `work`."""
    from celebml.landmarks import YuNetDetector
    from celebml.photographs import read_photograph

    if (work / "names.npy").is_file() and len(np.load(work / "names.npy")) >= most:
        return
    work.mkdir(parents=True, exist_ok=True)
    detector, features, random = YuNetDetector(), FaceFeatures(), np.random.default_rng(0)
    with zipfile.ZipFile(archive) as file:
        pictures = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        counts = Counter(name.split("/")[-2] for name in pictures)
        chosen = [name for name in pictures if counts[name.split("/")[-2]] >= 20]
        found = [detector(read_photograph(file.read(name), at_least=detector.at_least)).faces for name in chosen]
    crops = [faces[0].crop for faces in found if faces]
    names = [name.split("/")[-2] for name, faces in zip(chosen, found, strict=True) if faces]
    order = random.permutation(len(crops))
    crops, names = [crops[i] for i in order], [names[i] for i in order]
    rows = np.lib.format.open_memmap(work / "rows.npy", "w+", np.float32, (most, features.blocks[-1].columns.stop))
    mirrored = np.lib.format.open_memmap(work / "mirrored.npy", "w+", np.float32, (SIZES[-1] * 2, rows.shape[1]))
    for start in range(0, most, 256):
        some = [_varied(crops[i % len(crops)], i // len(crops), random) for i in range(start, min(start + 256, most))]
        rows[start : start + len(some)] = features.transform(some)
        if start + len(some) <= len(mirrored):
            images = [np.ascontiguousarray(crop[:, ::-1]) for crop in some]
            mirrored[start : start + len(some)] = features.transform(images)
    np.save(work / "names.npy", [names[i % len(crops)] for i in range(most)])


def _varied(crop: np.ndarray, times: int, random: np.random.Generator) -> np.ndarray:
    """The crop itself, its mirror image, and then crops moved, turned and resized by a little."""
    if times <= 1:
        return np.ascontiguousarray(crop[:, :: 1 - 2 * times])
    turn = cv2.getRotationMatrix2D((80, 80), random.normal() * 4, 1 + random.normal() * 0.05)
    turn[:, 2] += random.normal(size=2) * 3
    return cv2.warpAffine(crop[:, :: random.choice([-1, 1])], turn, (160, 160), borderMode=cv2.BORDER_REPLICATE)


class Described:
    """Descriptions that are read from files as they are asked for."""

    def __init__(self, work: Path, chosen: np.ndarray, mirrored: bool):
        self.chosen, self.blocks = chosen, FaceFeatures().blocks
        self.rows = np.load(work / "rows.npy", mmap_mode="r")
        self.mirrored = np.load(work / "mirrored.npy", mmap_mode="r") if mirrored else None

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, place: int | slice) -> Description | list[Description]:
        if isinstance(place, slice):
            return [self[i] for i in range(len(self))[place]]
        if place >= len(self):
            raise IndexError(place)
        i = self.chosen[place]
        turned = None if self.mirrored is None else np.array(self.mirrored[i : i + 1])
        return Mirrored(self.rows[i : i + 1], np.array([100.0]), self.blocks, turned)


def choose(work: Path, size: int, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of so many photographs of the people who have most, and who they show."""
    names = np.load(work / "names.npy")
    some = [name for name, _ in Counter(names.tolist()).most_common(people)]
    chosen = np.flatnonzero(np.isin(names, some))[:size]
    return chosen, names[chosen]


def fit(work: Path, way: str, size: int, people: int) -> dict:
    """One fit; runs in a process of its own."""
    from gram_model import EarlierModel

    from celebml.models import BestModel
    from celebml.recipes import load_recipe
    from celebml.suspects import folder_doubts

    chosen, names = choose(work, size, people)
    earlier = way == "earlier"
    described = list(Described(work, chosen, earlier)) if size <= 2 * SIZES[-1] else Described(work, chosen, earlier)
    peak, ends = [0.0], threading.Event()

    def watch() -> None:
        while not ends.wait(0.05):
            _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text(encoding="ascii").split())
            peak[0] = max(peak[0], (resident - shared) * os.sysconf("SC_PAGE_SIZE") / 1e9)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    start = time.process_time()
    if way == "suspects":
        folder_doubts(load_recipe("best"), described, names, np.arange(size))
    else:
        model = (EarlierModel() if earlier else BestModel()).fit(described, names, np.arange(size))
    seconds = time.process_time() - start
    told = {"photographs": len(chosen), "people": len(set(names.tolist())), "seconds": round(seconds, 2)}
    if way == "new" and size == 1_000:
        more, who = choose(work, size + 1, people)
        last = Described(work, more, False)[size]
        model.partial_fit([last], who[-1:])
        start = time.process_time()
        model.partial_fit([last], who[-1:])
        model.name_of(last)
        told["one_more_seconds"] = round(time.process_time() - start, 3)
    ends.set()
    watching.join()
    return told | {"gigabytes": round(peak[0], 2)}


def in_a_process(work: Path, way: str, size: int, people: int) -> dict:
    """The same, from outside."""
    command = [sys.executable, __file__, "-", "--work", str(work), "--one", way, str(size), str(people)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def six_people(archive: Path, folder: Path) -> None:
    """Their photographs, a folder a person."""
    with zipfile.ZipFile(archive) as file:
        pictures = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        counts = Counter(name.split("/")[-2] for name in pictures)
        six = [name for name, _ in counts.most_common(6)]
        chosen = [name for name in pictures if name.split("/")[-2] in six]
        fewest = sorted(chosen, key=lambda name: (counts[name.split("/")[-2]], name))
        for number, name in enumerate((chosen + fewest)[:1300]):
            data, mirrored = file.read(name), number >= len(chosen)
            place = folder / name.split("/")[-2] / f"{'mirrored_' * mirrored}{name.split('/')[-1]}"
            place.parent.mkdir(parents=True, exist_ok=True)
            if mirrored:
                picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
                data = cv2.imencode(".jpg", picture[:, ::-1])[1].tobytes()
            place.write_bytes(data)


def evaluate(archive: Path, work: Path) -> dict:
    """`celebml evaluate` on six people, once to find faces and once to measure."""
    if not (folder := work / "six").is_dir():
        six_people(archive, folder)
    place = os.environ | {"CELEBML_CACHE": str(work / "cache"), "PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, "-m", "celebml", "evaluate", str(folder), "--recipe", "classic", "--recipe", "best"]
    subprocess.run([*command, "--folds", "2", "--repeats", "1"], check=True, env=place, stdout=subprocess.DEVNULL)
    start = time.time()
    with subprocess.Popen([*command, "--json"], env=place, stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.read())
        seconds, (_, _, used) = time.time() - start, os.wait4(process.pid, 0)
        process.returncode = 0
    accuracy = {name: round(one["accuracy_all"], 4) for name, one in told["recipes"].items()}
    return {
        "photographs": told["photos"],
        "people": len(told["people"]),
        "seconds": round(seconds, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "gigabytes": round(used.ru_maxrss / 1e6, 2),
        "accuracy": accuracy,
    }


def slope(points: list[dict], key: str) -> float:
    """Times more for twice the photographs, by a line through the logarithms."""
    sizes, values = ([point[name] for point in points] for name in ("photographs", key))
    return round(float(2 ** np.polyfit(np.log(sizes), np.log(values), 1)[0]), 2)


def draw(told: dict, path: Path) -> None:
    """Seconds and memory against photographs."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "celebml"
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, key, unit in zip(axes, ("seconds", "gigabytes"), ("processor seconds", "gigabytes"), strict=True):
        for name, colour, label in (("earlier", "#E69F00", "Gram matrices"), ("new", "#009E73", "sums, 27 people")):
            points = told["both"][name]
            axis.plot([p["photographs"] for p in points], [p[key] for p in points], "o-", color=colour, label=label)
        for name, colour, label in (("further", "#0072B2", "sums, 62 people"), ("suspects", "#CC79A7", "suspects")):
            sizes, values = ([p[what] for p in told[name]] for what in ("photographs", key))
            more = told[f"{name}_doubling"][key] if len(sizes) > 1 else 1
            axis.plot(sizes, values, "s-", color=colour, label=f"{label}, × {more:.2f} a doubling")
        axis.set(xscale="log", yscale="log", xlabel="photographs", ylabel=unit)
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize=7)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Prepare, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--most", type=int, default=FURTHER[-1])
    parser.add_argument("--most-earlier", type=int, default=SIZES[-1])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(fit(chosen.work, chosen.one[0], *map(int, chosen.one[1:]))))
        return
    if chosen.evaluate:
        found = evaluate(chosen.archive, chosen.work)
        print(found)
        if chosen.out:
            told = json.loads(chosen.out.read_text(encoding="utf-8")) | {"evaluate": found}
            chosen.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        return
    prepare(chosen.archive, chosen.work, chosen.most)
    both: dict[str, list[dict]] = {"earlier": [], "new": []}
    for size in SIZES:
        for way in ("new", "earlier"):
            if way == "new" or size <= chosen.most_earlier:
                both[way].append(in_a_process(chosen.work, way, size, 27))
                print(way, both[way][-1], flush=True)
    sizes = [size for size in FURTHER if size <= chosen.most]
    series: dict[str, list[dict]] = {"further": [], "suspects": []}
    for name, size in ((name, size) for name in series for size in sizes):
        series[name].append(in_a_process(chosen.work, {"further": "new"}.get(name, name), size, 62))
        print(name, series[name][-1], flush=True)
    last = [points[len(both["earlier"]) - 1] for points in both.values()]  # the largest that both have learnt
    told = {"both": both, **series, "times_less": round(last[0]["seconds"] / last[1]["seconds"], 1)}
    for name in series if len(sizes) > 1 else ():
        told[f"{name}_doubling"] = {key: slope(series[name], key) for key in ("seconds", "gigabytes")}
    print({key: value for key, value in told.items() if not isinstance(value, list) and key != "both"})
    if chosen.out:
        chosen.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        draw(told, chosen.out.with_suffix(".svg"))
    # in a process of its own: a child's highest memory is counted from its parent's, which has grown by now
    again = [sys.executable, __file__, str(chosen.archive), "--work", str(chosen.work), "--evaluate"]
    subprocess.run([*again, *(["--out", str(chosen.out)] if chosen.out else [])], check=True)


if __name__ == "__main__":
    main()

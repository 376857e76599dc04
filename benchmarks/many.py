"""From files to a scored bundle: `celebml run` on thousands of photographs of hundreds of people.

    python benchmarks/many.py ../shared/data/lfw.zip --work FOLDER [--photographs 10000] [--out benchmarks/many.json]

Photographs of Labeled Faces in the Wild, of everybody who has four or more, are unpacked into FOLDER, and beside them
copies that are mirrored, turned, shifted and resized by a little, of those who have fewest, until there are enough.
Copies are found and never stand on both sides of a fold. Faces are not remembered from an earlier run. Seconds by the
clock, and of the processor with all helpers; gigabytes of its own memory, and with the mapped files that the system may
take back at any time.
"""

import argparse
import json
import os
import resource
import sys
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np

from celebml.datasets import load_folder
from celebml.pipeline import run


def unpack(archive: Path, folder: Path, photographs: int) -> None:
    """So many photographs, a folder a person."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        counts = Counter(Path(name).parent.name for name in names)
        chosen = [name for name in names if counts[Path(name).parent.name] >= 4]
        varied = sorted(chosen, key=lambda name: (counts[Path(name).parent.name], name))
        for number, name in enumerate((chosen + varied)[:photographs]):
            place = folder / Path(name).parent.name / Path(name).name
            place.parent.mkdir(parents=True, exist_ok=True)
            if number < len(chosen):
                place.write_bytes(file.read(name))
            else:
                picture = changed(cv2.imdecode(np.frombuffer(file.read(name), np.uint8), cv2.IMREAD_COLOR), random)
                quality = [cv2.IMWRITE_JPEG_QUALITY, 80]
                cv2.imwrite(str(place.with_name(f"varied_{place.name}")), picture, quality)


def changed(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A copy, mirrored or not, turned, larger and shifted by a little."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.normal() * 4, 1 + abs(random.normal()) * 0.08)
    turn[:, 2] += random.normal(size=2) * 4
    turned = picture[:, :: random.choice([-1, 1])]
    return cv2.warpAffine(turned, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def own_gigabytes() -> float:
    """Memory without mapped files."""
    _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text(encoding="ascii").split())
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / 1e9


def main() -> None:
    """Unpack, run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--photographs", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    folder = chosen.work / f"photographs-{chosen.photographs}"
    if not folder.is_dir():
        unpack(chosen.archive, folder, chosen.photographs)
    memory, peak, start, ends, stages = (
        chosen.work / f"faces-{time.time_ns()}",
        [0.0],
        time.time(),
        threading.Event(),
        {},
    )

    def watch() -> None:
        while not ends.wait(0.2):
            peak[0] = max(peak[0], own_gigabytes())

    threading.Thread(target=watch, daemon=True).start()
    result = run(
        load_folder(folder),
        chosen.work / f"out-{chosen.photographs}",
        n_jobs=chosen.jobs,
        memory=memory,
        step=lambda stage, done, total: stages.update({stage: round(time.time() - start)}),
    )
    ends.set()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = {
        "photographs": len(result.looked.photos),
        "people": len(result.looked.photos.people),
        "seconds": round(time.time() - start),
        "processor_seconds": round(sum(one.ru_utime + one.ru_stime for one in used)),
        "own_gigabytes": round(peak[0], 2),
        "gigabytes_with_mapped_files": round(used[0].ru_maxrss / 1e6, 2),
        "ends_of_stages": stages,
        "scores": {name: score.summary() for name, score in result.scores.items()},
    }
    print(json.dumps(told, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

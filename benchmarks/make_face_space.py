"""Learn the face space that comes with the library from Labeled Faces in the Wild.

    python benchmarks/make_face_space.py ../shared/data/lfw.zip --out celebml/face_space.npz

The zip file is not part of the project. Finding and describing 13,233 faces takes some ten minutes on one core; the
rows are kept beside it in --work as float16, so that a second run begins with learning.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lfw import HELD_BACK, Faces, learn

from celebml.known import save_space


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "celebml" / "face_space.npz")
    parser.add_argument("--work", type=Path, default=Path(".lfw"))
    options = parser.parse_args()
    faces = Faces.of(options.zip, options.work)
    chosen = ~faces.of_people(HELD_BACK)
    save_space(learn(faces, chosen), options.out)
    print(f"{chosen.sum()} photographs, {options.out.stat().st_size / 1e6:.2f} MB written to {options.out}")


if __name__ == "__main__":
    main()

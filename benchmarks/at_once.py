"""How long it takes until a photograph that comes, goes, or gets another name changes the dashboard's answer.

    python benchmarks/at_once.py --out benchmarks/at_once.json

The AT&T faces and their mirror images are there already, as photographs of 40 people. Then one of somebody new comes in
after the other: it is kept, learnt beside the rest, and the answer names them. Then photographs are moved to somebody
else, brought back, and removed. The honest score follows in the background, and is not waited for. Seconds are of this
machine, and of what else it does.
"""

import json
import platform
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageOps

from celebml.datasets import load_att
from celebml_app.dashboard.dashboard import Dashboard
from celebml_app.dashboard.kept.store import Store
from celebml_app.dashboard.work.training import Descriptions, learn

TINTS = ("#ffe0d0", "#f0d0c0", "#d8e0f0", "#ffffff")


def fill(store: Store, many: int) -> None:
    "Put photographs of the first 39 people into a folder as if they had been taught."
    att = load_att()
    here = [(path, name, flip) for flip in (False, True) for path, name in zip(att.paths, att.names, strict=True)]
    for number, (path, name, flip) in enumerate([one for one in here if one[1] != "s40"][:many]):
        (store.people / name).mkdir(parents=True, exist_ok=True)
        image = Image.open(path)
        tinted = ImageOps.colorize(image, "black", TINTS[number % len(TINTS)])  # or colour would say nothing
        (ImageOps.mirror(tinted) if flip else tinted).save(store.people / name / f"{number:04d}.jpg", quality=95)


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--photographs", default=500, show_default=True)
def main(out: Path, photographs: int) -> None:
    "Measure, and write the seconds down."
    with tempfile.TemporaryDirectory() as work:
        store = Store(Path(work) / "kept")
        fill(store, photographs)
        store.save(learn(Descriptions(store, store.recipe())))
        begun = time.perf_counter()
        session = Dashboard(store.folder).session
        opened = time.perf_counter() - begun
        session.teach()
        seconds = {"kept": [], "known": [], "moved": [], "brought back": [], "removed": []}

        def timed(what, do):
            begun = time.perf_counter()
            do()
            kept = time.perf_counter()
            session.look()  # draws the page, too
            assert session.teach()
            seconds[what].append(time.perf_counter() - kept)
            return kept - begun

        faces = [path for path in load_att().paths if path.parent.name == "s40"]
        for path in faces[:6]:
            seconds["kept"].append(timed("known", lambda path=path: store.add("s40", path.name, path.read_bytes())))
        for name in ("s1", "s2", "s3"):
            timed("moved", lambda name=name: store.move(store.places_of(name)[:1], "s4"))
            assert session.learnt_from == store.fingerprint()
            timed("brought back", store.undo)
            timed("removed", lambda name=name: store.remove(store.places_of(name)[:1]))
        named = session.classifier.predict([faces[9]])
        assert named == ["s40"], named
    told = {name: {"median": float(np.median(of)), "most": max(of)} for name, of in seconds.items()}
    told |= {"photographs": photographs, "opened": opened, "machine": f"{platform.machine()}, {platform.system()}"}
    out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    click.echo(json.dumps(told))


if __name__ == "__main__":
    main()

"""What it is worth to take out what all photographs of a set have in common: strangers from the same archive.

    python benchmarks/one_archive.py --out benchmarks/one_archive.json

The five Johns come from one archive of cropped faces. Each in turn is the stranger; of the other four a few photographs
are learnt, drawn five times, and the rest is asked about. Shares are at the model's own threshold, with what the
set has in common taken out, and left in as it was before.
"""

import json
from pathlib import Path
from unittest import mock

import click
import numpy as np

from celebml.datasets import load_photographs
from celebml.photographs import read_photograph
from celebml.recipes import load_recipe


def shares(names: np.ndarray, described: np.ndarray, each: int, draws: int = 5) -> tuple[float, float]:
    """Shares of known people's other photographs, and of the stranger's, that are taken for somebody known."""
    recipe, random, known, strangers = load_recipe("best"), np.random.default_rng(0), [], []
    for stranger in np.unique(names):
        for _ in range(draws):
            rest = [np.flatnonzero(names == name) for name in np.unique(names) if name != stranger]
            learn = np.concatenate([random.permutation(own)[:each] for own in rest])
            model = recipe.fit(list(described[learn]), names[learn], np.arange(len(learn)))
            asked = np.setdiff1d(np.concatenate(rest), learn), np.flatnonzero(names == stranger)
            for which, found in zip(asked, (known, strangers), strict=True):
                found += [model.photo_score(described[i]) >= model.threshold_ for i in which]
    return float(np.mean(known)), float(np.mean(strangers))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="JSON to write.")
def main(out: Path | None) -> None:
    """Measure both, with two, three, four and six photographs a person."""
    photos, recipe = load_photographs("johns"), load_recipe("best")
    if photos.source != "johns":
        raise click.ClickException("the Johns could not be fetched; connect to the network once")
    detections = [recipe.detector(read_photograph(path)) for path in photos.paths]
    described, names = np.fromiter(recipe.describe(detections), object), np.array(photos.names)
    found = {}
    for each in (2, 3, 4, 6):
        taken_out = shares(names, described, each)
        with mock.patch("celebml.face_space.in_common", lambda space, counts, means: 0 * means[0]):
            left_in = shares(names, described, each)
        sides = {"taken out": taken_out, "left in": left_in}
        found[each] = {side: {"known": known, "strangers": passed} for side, (known, passed) in sides.items()}
        for side, (known, passed) in sides.items():
            click.echo(f"{each} photographs, {side}: {known:.1%} of the known pass, {passed:.1%} of strangers")
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

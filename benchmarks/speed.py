"""Ours against the classic way, in turn, in one process tree, on the same photographs.

    python benchmarks/speed.py [--rounds 5] [--rows clean answer ...] [--out benchmarks/speed.json] [--check]

Every number is a ratio or a limit of the table that the README quotes. Each round runs the classic way and ours one
after the other and keeps the ratio; the median and the spread of the rounds are reported, so that a machine that is
busy for a while slows both. Processor time is counted where a row says so, by one thread. Photographs come from
$CELEBML_PHOTOS (default ../shared/data/athletes), or else are the default set. With `--check` the ratios are held
against benchmarks/bounds.json, and the exit code is 1 when one is worse than its bound.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# One thread a process; said before numpy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from rows import ONCE, ROWS, Setting  # noqa: E402


@dataclass
class Result:
    """One row of the table.

    Parameters
    ----------
    name : str
        Key in the JSON file.
    what : str
        In words.
    goal : float
        To be reached.
    at_least : bool
        Whether more is better.
    values : list of float
        One a round.
    details : dict of str to list of float
        What the ratio was made of, with its unit in the name.
    """

    name: str
    what: str
    goal: float
    at_least: bool
    values: list[float] = field(default_factory=list)
    details: dict[str, list[float]] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Of the rounds."""
        return statistics.median(self.values)

    def holds(self, limit: float) -> bool:
        """Whether the median is on the right side of a limit."""
        return self.median >= limit if self.at_least else self.median <= limit

    def line(self) -> str:
        """The row as text."""
        sign, low, high = "≥" if self.at_least else "≤", min(self.values), max(self.values)
        mark = "reached" if self.holds(self.goal) else "SHORT"
        made = ", ".join(f"{key} {statistics.median(values):.4g}" for key, values in self.details.items())
        return f"{self.what:<58}{self.median:>8.3g}  ({low:.3g} to {high:.3g})  {sign} {self.goal:g} {mark:<8} {made}"

    def as_dict(self) -> dict:
        """Plain JSON values."""
        return {
            "what": self.what,
            "goal": self.goal,
            "more_is_better": self.at_least,
            "reached": self.holds(self.goal),
            "median": float(f"{self.median:.4g}"),
            "rounds": [float(f"{value:.4g}") for value in self.values],
            "made_of": {k: float(f"{statistics.median(v):.4g}") for k, v in self.details.items()},
        }


def measure(rows: list[str], rounds: int, setting: Setting) -> Iterator[Result]:
    """Run rows of the table, each so many times."""
    for name in rows:
        results: dict[str, Result] = {}
        for number in range(1 if name in ONCE else rounds):
            print(f"  {name}, round {number + 1}", file=sys.stderr)
            for key, what, goal, at_least, value, details in ROWS[name](setting):
                result = results.setdefault(key, Result(key, what, goal, at_least))
                result.values.append(float(value))
                for part, number_of in details.items():
                    result.details.setdefault(part, []).append(float(number_of))
        yield from results.values()


def draw(results: list[Result], path: Path) -> None:
    """How far each row is beyond its goal, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "celebml"
    figure, axis = plt.subplots(figsize=(9, 0.45 * len(results) + 1), layout="constrained")
    for place, result in enumerate(reversed(results)):
        beyond = [(v / result.goal if result.at_least else result.goal / max(v, 1e-12)) for v in result.values]
        beyond = [min(max(value, 0.1), 100) for value in beyond]
        colour = "#009E73" if result.holds(result.goal) else "#D55E00"
        axis.plot([min(beyond), max(beyond)], [place, place], color=colour, linewidth=5, alpha=0.35)
        axis.plot(statistics.median(beyond), place, "o", color=colour)
    axis.axvline(1, color="#333333", linewidth=1)
    axis.set(xscale="log", xlabel="times better than its goal (the line); median and spread of the rounds")
    axis.set_yticks(range(len(results)), [f"{r.what}: {r.median:.3g}" for r in reversed(results)])
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def check(results: list[Result], bounds: dict[str, float]) -> list[str]:
    """What is worse than its bound, in words."""
    named = {result.name: result for result in results}
    return [
        f"{key}: {named[key].median:.3g}, the bound is {bound:g}"
        for key, bound in bounds.items()
        if key in named and not named[key].holds(bound)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write, and compare with the bounds if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--out", type=Path, help="a JSON file; a plot is written beside it")
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args(arguments)
    results = []
    with tempfile.TemporaryDirectory(prefix="celebml-speed-") as work:
        setting = Setting(Path(work))
        print(f"{len(setting.paths)} photographs ({setting.source}), {os.cpu_count()} processors")
        for result in measure(chosen.rows, chosen.rounds, setting):
            results.append(result)
            print(result.line(), flush=True)
    if chosen.out:
        earlier = json.loads(chosen.out.read_text(encoding="utf-8"))["rows"] if chosen.out.is_file() else {}
        told = {"photographs": len(setting.paths), "source": setting.source, "processors": os.cpu_count()}
        rows = earlier | {result.name: result.as_dict() for result in results}
        chosen.out.write_text(json.dumps(told | {"rows": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        every = [Result(k, r["what"], r["goal"], r["more_is_better"], r["rounds"]) for k, r in rows.items()]
        draw(every, chosen.out.with_suffix(".svg"))
    worse = check(results, json.loads((HERE / "bounds.json").read_text(encoding="utf-8"))) if chosen.check else []
    for line in worse:
        print(f"worse than before: {line}", file=sys.stderr)
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())

"""The table of contents, written from docs/toc.yml into the part pages, the tracks and the README.

python docs/contents.py            writes what is out of date
python docs/contents.py --check    says what is out of date, and fails if anything is
python docs/contents.py --table    prints the chapters in numbers: time, words, figures, sliders, exercises
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
TOC = yaml.safe_load((ROOT / "docs" / "toc.yml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Chapter:
    "A chapter as its first cell tells it."

    path: Path
    title: str
    subtitle: str
    minutes: int

    @property
    def number(self) -> int:
        "Its place in the reading order."
        return int(self.path.name[:2])


def read_chapter(path: Path) -> Chapter:
    "Title, subtitle and time of a chapter. Raises `ValueError` for one that does not say them."
    first = nbformat.read(path, as_version=4).cells[0].source
    found = re.match(r"# (?P<title>\S.*)\n> (?P<subtitle>\S.*)\n.*\*\*Time\*\*\s+(?P<minutes>\d+)\s", first, re.DOTALL)
    if not found:
        raise ValueError(f"{path.name}: the first cell needs a title, a subtitle and **Time** in minutes")
    subtitle = found["subtitle"].split("\n")[0]
    return Chapter(path, found["title"].split("\n")[0], subtitle, int(found["minutes"]))


CHAPTERS = [read_chapter(path) for path in sorted((ROOT / "nbs").glob("[0-9][0-9]_*.ipynb"))]


def chapters_of(part: dict) -> list[Chapter]:
    "The chapters of a part, in reading order."
    first, last = part["numbers"]
    return [chapter for chapter in CHAPTERS if first <= chapter.number <= last]


def time_of(chapters: list[Chapter]) -> str:
    "How long chapters take together, in hours and quarters."
    minutes = sum(chapter.minutes for chapter in chapters)
    if minutes < 60:
        return f"{minutes} minutes"
    quarters = round(minutes / 15)
    hours = f"{quarters // 4}{('', '¼', '½', '¾')[quarters % 4]}"
    return f"{hours} hour" if hours == "1" else f"{hours} hours"


def _link(chapter: Chapter, up: str) -> str:
    return f"[{chapter.title}]({up}nbs/{chapter.path.name})"


def part_table(part: dict) -> str:
    "The chapters of a part as a table, for its page."
    chapters = chapters_of(part)
    rows = [f"| {c.number:02} | {_link(c, '../../')} | {c.subtitle} | {c.minutes} |" for c in chapters]
    head = ["|  | chapter | in a line | minutes |", "|---|---|---|---|"]
    return "\n".join([f"**Time** about {time_of(chapters)}, exercises included.", "", *head, *rows])


def readme_table() -> str:
    "The parts as a table, for the README."
    rows = []
    for part in TOC["parts"]:
        chapters = chapters_of(part)
        numbers = f"{chapters[0].number:02}" + (f"–{chapters[-1].number:02}" if len(chapters) > 1 else "")
        page = f"[{part['title']}](docs/parts/{part['page']}.md)"
        rows.append(f"| {page} | {numbers} | {time_of(chapters)} | {part['about']} |")
    return "\n".join(["| part | chapters | time | about |", "|---|---|---|---|", *rows])


def tracks() -> str:
    "The tracks, for the site's first page."
    parts = []
    for track in TOC["tracks"]:
        chapters = [chapter for chapter in CHAPTERS if chapter.number in track["chapters"]]
        way = " → ".join(_link(chapter, "../") for chapter in chapters)
        parts.append(f"**{track['title']}** · {time_of(chapters)}. {track['reader']}\n\n{way}")
    return "\n\n".join(parts)


@dataclass(frozen=True)
class Counts:
    "What there is to read, to look at and to do, in one chapter or in several."

    minutes: int = 0
    words: int = 0
    figures: int = 0
    sliders: int = 0
    exercises: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def counts_of(chapter: Chapter) -> Counts:
    "Words of the prose, stored pictures, sliders that move without a kernel, and exercises of a chapter."
    cells = nbformat.read(chapter.path, as_version=4).cells
    tags = [set(cell.metadata.get("tags", [])) for cell in cells]
    prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    stored = [
        output.get("data", {})
        for cell, tagged in zip(cells, tags, strict=True)
        for output in cell.get("outputs", ())
        if not tagged & {"exercise-test", "exercise-cases"}
    ]
    return Counts(
        chapter.minutes,
        len(re.sub(r"<[^>]+>|\]\([^)]+\)", " ", prose).split()),
        sum("image/png" in data for data in stored) + prose.count("!["),
        sum('class="frames"' in data.get("text/html", "") for data in stored),
        sum("solution" in tagged for tagged in tags),
    )


def numbers_table(up: str = "../") -> str:
    "The course in numbers, chapter by chapter and part by part, for teachers."
    rows, whole = [], Counts()
    for part in (part for part in TOC["parts"] if part.get("book") != "second"):
        counted = [(chapter, counts_of(chapter)) for chapter in chapters_of(part)]
        rows += [_row(f"{c.number:02}", _link(c, up), counts) for c, counts in counted]
        together = sum((counts for _, counts in counted), Counts())
        rows.append(_row("", f"**{part['title']}**, {time_of([c for c, _ in counted])}", together))
        whole += together
    head = ["|  | chapter | minutes | words | figures | sliders | exercises |", "|---|---|--:|--:|--:|--:|--:|"]
    return "\n".join([*head, *rows, _row("", "**The course**", whole)])


def _row(number: str, text: str, counts: Counts) -> str:
    return f"| {number} | {text} | " + " | ".join(f"{count:,}" for count in astuple(counts)) + " |"


def chosen(numbers: list[int]) -> list[Chapter]:
    "Chapters by number, in the order given; one that is not written yet is left out."
    found = {chapter.number: chapter for chapter in CHAPTERS}
    return [found[number] for number in numbers if number in found]


def plans() -> str:
    "The instructor's plans, meeting by meeting."
    parts = []
    for plan in TOC["plans"]:
        rows, together = ["| when | what | chapters | minutes |", "|---|---|---|---|"], []
        for when, what, numbers in plan["meetings"]:
            chapters = chosen(numbers)
            together += chapters
            links = " · ".join(f"[{c.number:02}](../../nbs/{c.path.name}) {c.title}" for c in chapters)
            rows.append(f"| {when} | {what} | {links} | {sum(c.minutes for c in chapters)} |")
        parts.append("\n".join([f"### {plan['title']}", "", f"{plan['about']} About {time_of(together)}.", "", *rows]))
    return "\n\n".join(parts)


def adoptions() -> str:
    "What other courses may take, as a table."
    rows = ["| you teach | take | they need before | time |", "|---|---|---|---|"]
    for taught, before, numbers in TOC["adopt"]:
        chapters = chosen(numbers)
        links = " ".join(f"[{c.number:02}](../../nbs/{c.path.name})" for c in chapters)
        rows.append(f"| {taught} | {links} | {before} | {time_of(chapters)} |")
    return "\n".join(rows)


def pages() -> Iterator[tuple[Path, str]]:
    "Each page that holds something written from the table of contents, and what it should hold."
    yield ROOT / "README.md", readme_table()
    yield ROOT / "docs" / "index.md", tracks()
    yield ROOT / "docs" / "teaching" / "guide.md", plans()
    yield ROOT / "docs" / "teaching" / "adopt.md", adoptions()
    for part in TOC["parts"]:
        yield ROOT / "docs" / "parts" / f"{part['page']}.md", part_table(part)


def filled(text: str, part: str) -> str:
    "A page's text with what stands between the two marks replaced. Raises `ValueError` where a mark is missing."
    begin, end = "<!-- begin: docs/contents.py writes this -->\n", "\n<!-- end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"one {begin.strip()} and one {end.strip()} are needed")
    before, rest = text.split(begin)
    return before + begin + "\n" + part + "\n" + end + rest.split(end)[1]


def outdated() -> dict[Path, str]:
    "The pages that are out of date, each with its text as it should be."
    wanted = {path: filled(path.read_text(encoding="utf-8"), part) for path, part in pages()}
    return {path: text for path, text in wanted.items() if path.read_text(encoding="utf-8") != text}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    parser.add_argument("--table", action="store_true", help="print the chapters in numbers")
    options = parser.parse_args()
    if options.table:
        print(numbers_table())
        return
    found = outdated()
    for path, text in found.items():
        print(f"{path.relative_to(ROOT)} {'is out of date' if options.check else 'written'}")
        if not options.check:
            path.write_text(text, encoding="utf-8")
    sys.exit(bool(found) and options.check)


if __name__ == "__main__":
    main()

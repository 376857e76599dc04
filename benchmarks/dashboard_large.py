"""How the dashboard holds up with many photographs: how soon a page is usable, what it takes, how smoothly it scrolls.

    python benchmarks/dashboard_large.py LFW.zip --folder /tmp/large --prepare
    python benchmarks/dashboard_large.py LFW.zip --folder /tmp/large --out benchmarks/dashboard_large.json

The first command puts photographs of those people of whom Labeled Faces in the Wild has most into a dashboard's folder,
as evenly as it can, and learns them, which takes minutes; the second opens the page in Chromium.
"""

import json
import shutil
import tempfile
import time
import zipfile
from collections import defaultdict
from pathlib import Path

import click
import psutil
from dashboard import OPTIONS, machine, started
from playwright.sync_api import sync_playwright

from celebml_app.dashboard.kept.store import Store
from celebml_app.dashboard.work.training import Descriptions, learn

FRAMES = """async ([selector, seconds]) => {
  const box = selector ? document.querySelector(selector) : document.scrollingElement;
  const times = [], end = performance.now() + 1000 * seconds;
  let down = 1;
  await new Promise((done) => requestAnimationFrame(function step(now) {
    times.push(now);
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 2) down = -1;
    if (box.scrollTop <= 0) down = 1;
    box.scrollTop += 40 * down;
    if (now < end) requestAnimationFrame(step); else done();
  }));
  return times.slice(1).map((time, number) => time - times[number]);
}"""


def prepare(zipped: Path, folder: Path, people: int, photographs: int) -> None:
    "Photographs of the people of whom there are most, as evenly as can be, put in and learnt."
    store, by_person = Store(folder), defaultdict(list)
    with zipfile.ZipFile(zipped) as archive:
        for name in archive.namelist():
            if name.endswith(".jpg"):
                by_person[Path(name).parent.name].append(name)
        most = sorted(by_person.values(), key=len)[-people:]
        each = next(n for n in range(1, 1000) if sum(min(n, len(names)) for names in most) >= photographs)
        wanted = sorted((name for names in most for name in names[:each]), key=lambda name: Path(name).name[-8:])
        for name in wanted[:photographs]:
            path = store.people / Path(name).parent.name.replace("_", " ") / Path(name).name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
    described = Descriptions(store, store.recipe())
    store.save(learn(described, lambda text="", weight=1: click.echo(f"\r{text:60}", nl=False)))


def memory(server: int) -> dict[str, int]:
    "Megabytes of the server and of the kernels below it; shared pages are counted once."
    every = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
    found = [process.memory_full_info().pss / 1e6 for process in every]
    return {"server": round(found[0]), "kernels": [round(one) for one in sorted(found[1:])], "all": round(sum(found))}


def frames(page, selector: str = "") -> dict[str, float]:
    "Frames a second while something is scrolled, and the longest pause, in milliseconds."
    took = page.evaluate(FRAMES, [selector, 5])
    late = sum(one > 25 for one in took)
    return {
        "a second": round(1000 * len(took) / sum(took), 1),
        "late": late,
        "of": len(took),
        "longest": round(max(took)),
    }


def look(page, address: str) -> dict:
    "Open the page three times; the first is not counted, for it warms up the server."
    usable = []
    for _ in range(4):
        begun = time.monotonic()
        page.goto(address)
        page.locator(".cm-add").wait_for()
        usable.append(round(time.monotonic() - begun, 2))
        time.sleep(6)  # until a kernel waits for the next visitor
    cards = page.locator(".cm-card-person")
    told = {"first": usable[0], "usable": sorted(usable[1:]), "cards": cards.count(), "scrolling": frames(page)}
    cards.first.locator(".cm-all").click()
    page.locator(".cm-tile").first.wait_for()
    told["tiles"] = page.locator(".cm-tile").count()
    told["scrolling all of one"] = frames(page, ".cm-dialog")
    page.keyboard.press("Escape")
    if not page.locator(".cm-figure b").is_visible():  # nothing is learnt
        return told
    begun = time.monotonic()
    page.get_by_role("tab", name="Clean").click()
    page.locator(".review-card").first.wait_for()
    told["doubtful ones"] = round(time.monotonic() - begun, 2)
    begun = time.monotonic()
    page.get_by_role("tab", name="Mistakes").click()
    page.locator(".cm-matrix button").first.wait_for()
    told["mistakes"] = round(time.monotonic() - begun, 2)
    return told


@click.command()
@click.argument("zipped", type=click.Path(exists=True, path_type=Path))
@click.option("--folder", required=True, type=click.Path(path_type=Path), help="Where the dashboard keeps them.")
@click.option("--prepare", "preparing", is_flag=True, help="Put them in and learn, and measure nothing.")
@click.option("--people", default=40, show_default=True)
@click.option("--photographs", default=2000, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Where the figures go, as JSON.")
def main(zipped, folder, preparing, people, photographs, out):
    "Many photographs on one dashboard."
    if preparing:
        prepare(zipped, folder, people, photographs)
        return
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        told = machine()
        server, address = started(folder, Path(work) / "log")
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("chromium-headless-shell"), args=OPTIONS
            )
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.set_default_timeout(60_000)
            found = look(page, address)
            found["megabytes"] = memory(server.pid)
            browser.close()
        finally:
            server.terminate()
            server.wait(30)
    store = Store(folder)
    learnt = (folder / "trained").is_dir()
    told = {"photographs": store.count(), "people": len(store.people_names()), "learnt": learnt, **found, **told}
    click.echo(json.dumps(told, indent=1))
    if out:
        out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Screenshots of the page, the dashboard and chapter 31, with AT&T faces alone, for the site and the chapters.

    python docs/make_screenshots.py [name ...]      writes docs/images/*.webp; all when none is named

Needs Chromium and a minute. Nobody is shown but people of the AT&T faces (AT&T Laboratories Cambridge).
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import nbformat
import urllib3
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "nbs")]

from celebml.datasets import load_att  # noqa: E402
from tools.site_trial import RunningSite, free_port, jpeg, small_bundle  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PEOPLE = (1, 4, 6, 7, 16, 27)  # of the forty, by number: different enough to be told apart at a glance
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


def shoot(page: Page, name: str, **where: object) -> None:
    "Store what a page shows, small: WebP, its colours kept."
    picture = Image.open(io.BytesIO(page.screenshot(**where))).convert("RGB")
    picture.save(IMAGES / f"{name}.webp", quality=82, method=6)
    print(f"{name}.webp {picture.width}x{picture.height} {(IMAGES / f'{name}.webp').stat().st_size // 1024} kB")


@contextmanager
def opened(browser: Browser, url: str, width: int, height: int, dark: bool = False) -> Iterator[Page]:
    "A page of a size, light or dark, twice as fine as its size says."
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=1.25,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def photo(person: int, number: int) -> dict:
    "A photograph of one of the forty, as a file that a visitor chooses."
    path = load_att().paths[10 * (person - 1) + number]
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": jpeg(path)}


def first_page(browser: Browser, work: Path) -> None:
    "The page that chapter 31 writes, when it has named somebody."
    names: dict = {}
    for cell in nbformat.read(ROOT / "nbs" / "31_page.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown" and "## Break it" in cell.source:
            break
        if cell.cell_type == "code" and "colab" not in cell.metadata.get("tags", []):
            exec(compile(cell.source, "31_page.ipynb", "exec"), names)
    server = make_server("127.0.0.1", 0, names["first"], threaded=True)
    Thread(target=server.serve_forever).start()
    try:
        with opened(browser, f"http://127.0.0.1:{server.port}/", 520, 190) as page:
            page.set_input_files("#photo", photo(3, 7))
            page.get_by_role("button", name="Ask").click()
            page.locator("#answer b").wait_for()
            shoot(page, "page-first")
    finally:
        server.shutdown()
        server.server_close()


def site(browser: Browser, work: Path) -> None:
    "The site: a face named and explained, at two widths, light and dark."
    bundle = small_bundle(work / "bundle", people=6)
    with RunningSite(bundle, work / "run", workers=1) as running:
        for name, width, height in (("site-wide", 1180, 980), ("site-narrow", 400, 860)):
            for dark in (False, True):
                with opened(browser, running.url, width, height, dark) as page:
                    page.locator("#people li").nth(5).wait_for()
                    page.set_input_files("#file", photo(3, 7))
                    page.get_by_role("button", name=re.compile("^Why")).first.click()
                    page.locator("#results .why").first.wait_for()
                    page.wait_for_timeout(600)
                    result = page.locator("#results article").first
                    if name == "site-wide":
                        page.evaluate("scrollTo(0, 0)")
                        shoot(page, f"named-{'dark' if dark else 'light'}", clip=result.bounding_box())
                    else:
                        result.scroll_into_view_if_needed()
                    shoot(page, f"{name}-{'dark' if dark else 'light'}")


@contextmanager
def running_dashboard(work: Path) -> Iterator[str]:
    "The dashboard with four people already put in, at an address."
    folder, att = work / "dashboard" / "people", load_att()
    for person in PEOPLE[:4]:
        for path in att.paths[10 * (person - 1) : 10 * person - 2]:
            (folder / f"s{person}").mkdir(parents=True, exist_ok=True)
            (folder / f"s{person}" / f"{path.stem}.jpg").write_bytes(jpeg(path))
    port = free_port()
    command = [sys.executable, "-m", "celebml", "dashboard", "--port", str(port), "--folder", str(folder.parent)]
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib3.request("GET", f"http://127.0.0.1:{port}/voila/static/", timeout=2, retries=False)
                break
            except urllib3.exceptions.HTTPError:
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(30)


def dashboard(browser: Browser, work: Path) -> None:
    "The dashboard when it has learnt four people and named one."
    with running_dashboard(work) as url, opened(browser, url, 1180, 830) as page:
        page.locator(".cm-training", has_text="right on photographs").wait_for(timeout=240_000)
        for person in PEOPLE[:4]:  # a photograph that it was not taught, of each until one counts as known
            page.locator(".cm-ask-files").set_input_files(photo(person, 8))
            page.locator(".cm-verdict", has_text=re.compile(r"^(s\d+|Nobody it knows)$")).wait_for(timeout=120_000)
            if page.locator(".cm-verdict").inner_text() == f"s{person}":
                break
        page.wait_for_timeout(600)
        shoot(page, "dashboard")


MAKERS: dict[str, Callable[[Browser, Path], None]] = {"first_page": first_page, "site": site, "dashboard": dashboard}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", choices=[*MAKERS, []], help="all when none is named")
    options = parser.parse_args()
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome"))),
        None,
    )
    if not chromium:
        sys.exit("Chromium is not installed; mend with: make browser (as root)")
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as work:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        for name in options.name or MAKERS:
            MAKERS[name](browser, Path(work))
        browser.close()


if __name__ == "__main__":
    main()

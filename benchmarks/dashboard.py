"""Ten tasks on the dashboard, done in Chromium: clicks and seconds, beside the clicks that Teachable Machine takes.

    python benchmarks/dashboard.py --out benchmarks/dashboard.json

It starts a dashboard on an empty folder, with the AT&T faces, and measures. Teachable Machine was not run: its clicks
are counted by its tutorials (image project, standard model), step by step in `OTHER`; dropping files is one, as here.
Seconds depend on the machine and on what else it does: both are written down.
"""

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import urllib3
from PIL import Image
from playwright.sync_api import sync_playwright

from celebml.datasets import load_att
from celebml.recipes import BASELINE

ROOT = Path(__file__).parents[1]
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
]
_ONE = ("the name", "Upload", "drop the files")
OTHER = {  # what is clicked in Teachable Machine; nothing where it has no such thing
    "teach three people of 15 photographs and ask": (
        *("Image Project", "Standard image model", *_ONE, *_ONE, "Add a class", *_ONE),
        *("Train Model", "the input of the preview", "File", "drop a file"),
    ),
    "ask about another photograph": ("drop a file",),
    "record a person with the camera": ("Webcam", "Hold to Record"),
    "give a person another name": ("the name",),
    "choose the face in a group photograph": (),
    "find and put right a photograph under the wrong name": (),
    "remove a person, and bring them back": ("the menu", "Delete Class"),
    "compare with another method": (),
    "see why": (),
    "take the model away": ("Export Model", "Download", "Download my model"),
}
LOST = "remove a person, and bring them back"  # there is no way back there


class Counting:
    """A page on which clicks are counted and tasks are timed.

    Parameters
    ----------
    page : playwright Page
    """

    def __init__(self, page):
        self.page, self.clicks, self.rows = page, 0, []

    def click(self, what):
        "One click."
        self.clicks += 1
        what.click()

    def files(self, chooser, paths):
        "Files that were dropped: one gesture."
        self.clicks += 1
        chooser.set_input_files(paths)

    def task(self, name, do):
        "Do a task, and write down what it took."
        self.clicks, begun = 0, time.monotonic()
        do()
        seconds = round(time.monotonic() - begun, 1)
        row = {"task": name, "clicks": self.clicks, "seconds": seconds, "other": list(OTHER[name])}
        self.rows.append(row)
        print(f"{name}: {row['clicks']} clicks, {row['seconds']} s", file=sys.stderr)


def tasks(page, att, group, bundle):
    "The ten tasks, in turn; they stand on one another."
    counting = Counting(page)
    card = lambda name: page.locator(f'article[aria-label="{name}"]')
    files = lambda person, numbers: [str(att.paths[10 * person + k]) for k in numbers]
    mirrored = lambda person: [str(path) for path in group.parent.glob(f"mirrored-{person}-*.png")]

    def teach():
        for number, (name, person) in enumerate({"Ada": 0, "Alan": 2, "Grace": 4}.items()):
            if number == 2:
                counting.click(page.locator(".cm-add"))
            counting.click(page.locator(".cm-name").nth(number))
            page.locator(".cm-name").nth(number).fill(name)
            counting.files(page.locator(".cm-files").nth(number), files(person, range(9)) + mirrored(person))
        page.get_by_text("45 photographs kept.").wait_for()
        page.locator(".cm-training", has_text="right on photographs").wait_for()
        ask()

    def ask():
        counting.files(page.locator(".cm-ask-files"), files(2, [9]))
        page.locator(".cm-bars li", has_text="Alan").first.wait_for()

    def record():
        counting.click(card("Ada").get_by_role("button", name="Camera", exact=True))
        hold = card("Ada").locator(".cm-hold:not(:disabled)")
        counting.clicks += 1
        hold.dispatch_event("pointerdown")
        card("Ada").locator(".cm-recorder .cm-small", has_text="3").wait_for()
        hold.dispatch_event("pointerup")
        page.locator(".cm-arrivals p", has_text=re.compile(r"^(?!45 )\d+ photographs? kept")).wait_for()
        page.get_by_role("button", name="Undo").click()  # it was the fake camera's test picture; no part of the task

    def rename():
        counting.click(card("Grace").locator(".cm-name"))
        card("Grace").locator(".cm-name").fill("Grace Hopper")
        card("Grace").locator(".cm-name").press("Enter")
        card("Grace Hopper").wait_for()

    def choose():
        counting.files(card("Ada").locator(".cm-files"), str(group))
        counting.click(card("Ada").locator(".cm-ask:visible"))
        counting.click(page.locator(".cm-asks button.cm-box").first)
        page.locator(".cm-asks").wait_for(state="detached")
        page.locator(".cm-sentence", has_text="of 46 named").wait_for()

    def put_right():
        card("Alan").locator(".cm-files").set_input_files(files(0, [9]))  # the wrong name, so that there is one
        page.locator(".cm-sentence", has_text="of 47 named").wait_for()
        begun = time.monotonic()
        counting.click(page.get_by_role("tab", name="Clean"))
        page.locator(".review-card", has_text="looks like Ada").first.locator("img").wait_for()
        counting.click(page.locator(".review-card", has_text="looks like Ada").first.locator("img"))
        page.keyboard.press("l")
        page.keyboard.type("Ada")
        page.keyboard.press("Enter")
        page.get_by_text("1 relabelled").wait_for()
        print(f"  of these, {time.monotonic() - begun:.1f} s after learning", file=sys.stderr)
        counting.click(page.get_by_role("tab", name="Teach"))

    def remove():
        counting.click(card("Alan").locator("summary"))
        counting.click(card("Alan").get_by_role("button", name="Remove this person"))
        card("Alan").wait_for(state="detached")
        counting.click(page.get_by_role("button", name="Undo"))
        card("Alan").wait_for()

    def compare():
        counting.click(page.get_by_role("tab", name="Mistakes"))
        page.locator(".cm-board", has_text="Who is taken for whom?").wait_for()
        page.get_by_label("Compare with").select_option(BASELINE)
        counting.clicks += 1
        counting.click(page.get_by_role("button", name="Compare", exact=True))
        page.get_by_role("button", name=BASELINE, exact=True).wait_for()
        counting.click(page.get_by_role("button", name=BASELINE, exact=True))
        page.get_by_text(f"the {BASELINE} recipe named").wait_for()

    def why():
        counting.click(page.get_by_role("tab", name="Teach"))
        counting.click(page.get_by_role("button", name="Why?"))
        page.locator(".cm-why img").wait_for()

    def take():
        counting.click(page.get_by_role("tab", name="Take it away"))
        with page.expect_download() as download:
            counting.click(page.get_by_role("button", name="Download the bundle"))
        download.value.save_as(bundle)

    todo = (teach, ask, record, rename, choose, put_right, remove, compare, why, take)
    for name, do in zip(OTHER, todo, strict=True):
        counting.task(name, do)
    return counting.rows


def pictures(att, work):
    "Six mirrored photographs of each of three people, and a photograph of two."
    for person in (0, 2, 4):
        for k in range(6):
            with Image.open(att.paths[10 * person + k]) as image:
                image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(3, expand=True, fillcolor=120).save(
                    work / f"mirrored-{person}-{k}.png"
                )
    group = Image.new("L", (460, 300), 150)
    group.paste(Image.open(att.paths[7]).resize((184, 224)), (20, 40))
    group.paste(Image.open(att.paths[27]).resize((184, 224)), (250, 40))
    group.save(work / "group.png")
    return work / "group.png"


def started(folder, log):
    "A dashboard on an empty folder: its process and its address."
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "celebml", "dashboard", "--port", str(port), "--folder", str(folder)]
    with log.open("wb") as file:
        server = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
    address = f"http://127.0.0.1:{port}/"
    for _ in range(600):
        try:
            urllib3.request("GET", f"{address}celebml/alive/none", timeout=2, retries=False)
            return server, address
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
    raise click.ClickException("the dashboard did not start")


def machine() -> dict[str, str]:
    "What was measured on, and what else it did."
    return {"machine": f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Where the figures go, as JSON.")
def main(out):
    """Ten tasks on the dashboard, in Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-headless-shell") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        att, where = load_att(), machine()
        group = pictures(att, Path(work))
        server, address = started(Path(work) / "kept", Path(work) / "log")
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
            page = browser.new_context(viewport={"width": 1440, "height": 1000}, permissions=["camera"]).new_page()
            page.set_default_timeout(60_000)
            begun = time.monotonic()
            page.goto(address)
            page.locator(".cm-add").wait_for()
            usable = round(time.monotonic() - begun, 1)
            rows = tasks(page, att, group, Path(work) / "bundle.zip")
            browser.close()
        finally:
            server.terminate()
            server.wait(30)
    told = {"usable": usable, "tasks": rows, **where}
    print("| task | clicks | seconds | clicks in Teachable Machine |\n|---|---|---|---|")
    for row in rows:
        other = f"{len(row['other']) or '–'}{', no way back' if row['task'] == LOST else ''}"
        print(f"| {row['task']} | {row['clicks']} | {row['seconds']} | {other} |")
    print(f"\nThe page was usable after {usable} s ({told['machine']}).")
    if out:
        out.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()

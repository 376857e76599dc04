"""The dashboard as a visitor meets it: a real Voila and a real Chromium, from the first name to the exported zip."""

import base64
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import psutil
import pytest
import urllib3
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from app.site.trial import free_port
from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_att

ROOT = Path(__file__).parents[2]
HERE = ROOT / "app" / "dashboard"
SAME = """() => {
    const said = [...document.querySelectorAll(".cm-columns .cm-note")]
        .filter(e => e.offsetParent && /Score/.test(e.textContent));
    return said.length === 2 && said[0].textContent === said[1].textContent;
}"""
PASTE = """data => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const clipboard = new DataTransfer();
    clipboard.items.add(new File([bytes], "pasted.pgm"));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard }));
}"""
TOO_WIDE = """[...document.querySelectorAll('.cm-board *')]
    .filter(e => e.offsetParent && !e.closest('.cm-matrix, .cm-scroll') && e.getBoundingClientRect().right > 391)
    .map(e => e.className)"""


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """Address of a dashboard that knows nobody yet, the folder in which it keeps everything, and its process."""
    folder, port = tmp_path_factory.mktemp("dashboard"), free_port()
    told = os.environ | {
        **{"CELEBML_DASHBOARD": str(folder / "kept"), "JUPYTER_PATH": str(HERE / "share"), "OMP_NUM_THREADS": "1"},
        **{"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython")},
    }
    command = [sys.executable, "-m", "voila", "dashboard.ipynb", "--no-browser", "--port", str(port)]
    with (folder / "voila.log").open("wb") as file:
        server = subprocess.Popen(command, cwd=HERE, env=told, stdout=file, stderr=file)
    wait_for_kernel(server.pid)
    try:
        yield f"http://127.0.0.1:{port}/", folder / "kept", server.pid
    finally:
        server.terminate()
        server.wait(20)


def wait_for_kernel(server):
    """Until a kernel waits for the next visitor: the server's children have started, and are at rest."""
    deadline, quiet, before = time.monotonic() + 60, 0, None
    while quiet < 5:
        children = psutil.Process(server).children(recursive=True)
        used = round(sum(sum(child.cpu_times()[:2]) for child in children), 1), len(children)
        quiet, before = (quiet + 1 if children and used == before else 0), used
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture(scope="module")
def page(chromium, dashboard):
    """The dashboard on a wide screen; nothing is asked of another host, and nothing breaks in the page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1100})
    found, asked, broken = context.new_page(), [], []
    found.on("request", lambda sent: asked.append(sent.url))
    found.on("pageerror", lambda error: broken.append(str(error)))
    found.set_default_timeout(30_000)
    found.goto(dashboard[0])
    found.locator(".cm-drop").first.wait_for()
    yield found
    context.close()
    assert [url for url in asked if not url.startswith((dashboard[0], "blob:", "data:"))] == []
    assert broken == []


@pytest.fixture(scope="module")
def att():
    """`att(person, photograph)` is a file of the AT&T faces."""
    photos = load_att()
    return lambda person, photograph: str(photos.paths[10 * person + photograph])


def shot(page, name):
    """A picture to look at, where somebody asked for it."""
    if folder := os.environ.get("CELEBML_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"dashboard-{name}.png")


def turn_to(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def train(page):
    turn_to(page, "Teach")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("Trained.").wait_for(timeout=90_000)


def test_two_people_are_taught_from_files_and_survive_a_reload(page, att):
    for person in (0, 2):
        page.get_by_label("Name", exact=True).fill(f"s{person + 1}")
        page.get_by_label("Name", exact=True).press("Enter")
        page.locator(".cm-files").first.set_input_files([att(person, k) for k in range(6)])
        page.locator(".cm-pictures figure:visible").nth(5 if person == 0 else 11).wait_for()
        page.get_by_text("6 arrived.").wait_for()
    assert page.locator(".cm-pictures figure.cm-good:visible").count() == 12
    page.reload()
    page.locator(".cm-pictures figure:visible").nth(11).wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "s3"
    train(page)
    assert page.get_by_text("95 % confidence").first.is_visible() and page.get_by_text("Too few").is_visible()
    shot(page, "teach")


def test_what_is_too_large_or_no_photograph_is_refused_in_words(page, tmp_path):
    turn_to(page, "Teach")
    (tmp_path / "huge.bmp").write_bytes(bytes(70_000_000))
    page.locator(".cm-files").first.set_input_files(str(tmp_path / "huge.bmp"))
    page.get_by_text("huge.bmp has 70 MB, but at most 64 MB are taken at once. Nothing was sent.").wait_for()
    (tmp_path / "half.bin").write_bytes(bytes(35_000_000))
    (tmp_path / "other.bin").write_bytes(bytes(35_000_000))
    page.locator(".cm-files").first.set_input_files([str(tmp_path / "half.bin"), str(tmp_path / "other.bin")])
    page.get_by_text("These are 70 MB together").wait_for()
    (tmp_path / "letter.jpg").write_text("Dear Ada")
    page.locator(".cm-files").first.set_input_files(str(tmp_path / "letter.jpg"))
    page.get_by_text("letter.jpg: not an image this program knows; save it as JPEG or PNG.").wait_for()


def test_a_photograph_of_sixty_megabytes_arrives_and_is_kept_small(page, dashboard, tmp_path, att):
    turn_to(page, "Teach")
    with Image.open(att(2, 7)) as image:
        image.convert("RGB").resize((4100, 4992)).save(tmp_path / "sixty.bmp")
    assert 60e6 < (tmp_path / "sixty.bmp").stat().st_size < 64e6
    page.locator(".cm-files").first.set_input_files(str(tmp_path / "sixty.bmp"))
    page.get_by_text("1 arrived.").wait_for()
    kept = next((dashboard[1] / "people" / "s3").glob("sixty-*.jpg"))
    assert kept.stat().st_size < 2e6
    page.get_by_label("remove s3, sixty").click()
    page.get_by_label("remove s3, sixty").wait_for(state="detached")
    assert not kept.exists()


def test_a_held_out_photograph_is_named_and_a_stranger_is_not(page, att):
    turn_to(page, "Try")
    page.locator(".cm-files").nth(1).set_input_files(att(0, 8))
    page.locator(".cm-face h4", has_text="s1").first.wait_for()
    assert page.locator(".cm-why img").is_visible() and page.locator(".cm-box").first.is_visible()
    shot(page, "try")
    page.evaluate(PASTE, base64.b64encode(Path(att(26, 0)).read_bytes()).decode())
    page.locator(".cm-face h4", has_text="unknown").first.wait_for()


def test_the_signal_can_be_looked_at(page):
    turn_to(page, "See the signal")
    pictures = page.locator(".cm-large .cm-pictures img:visible")
    pictures.nth(7).wait_for()
    before = pictures.nth(1).get_attribute("src")
    page.get_by_role("slider").first.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    page.wait_for_function(
        "before => document.querySelectorAll('.cm-large .cm-pictures img')[1].src !== before", arg=before
    )
    page.get_by_role("button", name="Wavelets").click()
    page.get_by_text("its wavelet coefficients").wait_for()
    page.wait_for_function(SAME)  # all wavelets together are the face, so the answer is the same
    shot(page, "glass")


def test_the_confusion_matrix_opens_with_a_key(page):
    turn_to(page, "Understand the errors")
    cell = page.get_by_label("6 photographs of s1 named as s1")
    cell.wait_for()
    cell.focus()
    page.keyboard.press("Enter")
    page.get_by_text("6 photographs of s1 were named correctly at least once.").wait_for()
    assert page.locator(".cm-pictures figure:visible").count() == 6
    assert cell.get_attribute("aria-pressed") == "true"
    shot(page, "errors")


def test_a_rejected_photograph_is_left_out_of_the_next_training(page):
    turn_to(page, "Clean")
    page.get_by_role("button", name="Look for suspects").click()
    page.locator(".review-card").nth(11).wait_for()
    page.locator(".review-card").first.get_by_title("reject (R)").click()
    page.get_by_text("1 of 12 decided: 0 kept, 1 rejected").wait_for()
    shot(page, "clean")
    page.get_by_role("button", name="Retrain with the decisions").click()
    page.get_by_text("Trained.").wait_for(timeout=90_000)
    turn_to(page, "Export")
    page.get_by_text("from 11 photographs").wait_for()


def test_the_exported_zip_opens_with_the_package(page, tmp_path, att):
    turn_to(page, "Export")
    assert page.get_by_role("heading", name="Model card").is_visible()
    shot(page, "export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the bundle").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
    assert CelebrityClassifier.load(tmp_path / "bundle").predict([att(0, 9), att(2, 9)]) == ["s1", "s3"]


def test_training_can_be_cancelled_and_the_screen_stays_alive(page):
    turn_to(page, "Teach")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    turn_to(page, "Try")
    page.get_by_text("Who is this?").wait_for(timeout=3_000)
    page.get_by_role("button", name="Cancel").wait_for(state="hidden")
    turn_to(page, "Export")
    page.get_by_text("from 11 photographs").wait_for()


def test_a_phone_in_the_dark_shows_everything_readably_and_without_scrolling_sideways(chromium, dashboard):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(dashboard[0])
    page.locator(".cm-pictures figure:visible").nth(11).wait_for()
    for name in ("Teach", "Try", "See the signal", "Understand the errors", "Clean", "Export"):
        turn_to(page, name)
        page.wait_for_timeout(150)
        assert page.evaluate(TOO_WIDE) == [], name
        assert [found["id"] for found in Axe().run(page).response["violations"]] == [], name
        shot(page, f"phone-{name.split()[-1].lower()}")
    context.close()


def test_the_first_page_is_served_at_once_from_a_kernel_that_waits(dashboard):
    wait_for_kernel(dashboard[2])
    begun = time.monotonic()
    answer = urllib3.request("GET", dashboard[0], timeout=30)
    assert answer.status == 200 and time.monotonic() - begun < 1

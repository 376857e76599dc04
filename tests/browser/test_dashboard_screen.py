"""The dashboard as a visitor meets it: a real server and a real Chromium; reloaded, killed and full at every step."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import urllib3
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from waiting import until

from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_att
from celebml_app.dashboard.kept.store import Store
from celebml_app.dashboard.work.jobs import Work
from tools.site_trial import free_port

ROOT = Path(__file__).parents[2]
PAGES = ("Teach", "Mistakes", "Clean", "Signal", "Take it away")
TOO_WIDE = """[...document.querySelectorAll('.cm-board *')]
    .filter(e => e.offsetParent && !e.closest('.cm-matrix, .cm-scroll, .cm-card'))
    .filter(e => e.getBoundingClientRect().right > 391)
    .map(e => e.className)"""
DROP = """([selector, name, files]) => {
    const transfer = new DataTransfer();
    for (const [path, data] of files) {
        const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], path, { type: 'image/x-portable-graymap' }));
    }
    const kind = name === 'paste' ? ['clipboardData', ClipboardEvent] : ['dataTransfer', DragEvent];
    const event = new kind[1](name, { [kind[0]]: transfer, bubbles: true, cancelable: true });
    document.querySelector(selector).dispatchEvent(event);
}"""


class Running:
    """A dashboard's server on a folder, which can be killed and started again at the same address."""

    def __init__(self, folder, port, log, *arguments):
        self.folder, self.port, self.log, self.url = folder, port, log, f"http://127.0.0.1:{port}/"
        self.arguments = arguments
        self.start()

    def start(self):
        command = [sys.executable, "-m", "celebml", "dashboard", "--port", str(self.port), "--folder", str(self.folder)]
        command += ["--", *self.arguments] if self.arguments else []
        told = os.environ | {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "IPYTHONDIR": str(self.log.parent / "ipython"),
        }
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(command, cwd=ROOT, env=told, stdout=file, stderr=file)
        try:
            until(self.answers)
        except AssertionError:
            self.stop()
            raise

    def answers(self):
        try:
            return urllib3.request("GET", f"{self.url}celebml/alive/none", timeout=2, retries=False).status in (
                200,
                302,
                403,
            )
        except urllib3.exceptions.HTTPError:
            return False

    def kernels(self):
        "Processes of kernels."
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "ipykernel_launcher" in " ".join(_line(child))]

    def kill(self):
        below = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        return below

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def work(self):
        try:
            return json.loads((self.folder / "work.json").read_text())
        except (OSError, ValueError):
            return {}

    def people(self):
        return {path.name: len(list(path.glob("*.jpg"))) for path in (self.folder / "people").glob("*")}


def _line(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    running = Running(folder / "kept", free_port(), folder / "server.log")
    yield running
    running.stop()


@contextmanager
def pages(chromium, served):
    """Gives a function that opens a page; nothing is asked of another host, and nothing breaks in it."""
    contexts, asked, broken = [], [], []

    def show(**options):
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 1000}, "permissions": ["camera"]} | options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.set_default_timeout(60_000)
        page.goto(served.url)
        page.locator(".cm-add").wait_for()
        return page

    yield show
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith((served.url, "blob:", "data:"))] == []
    assert broken == []


@pytest.fixture
def opened(chromium, served):
    """`opened(...)` gives a page of its own: a kernel begins for it."""
    with pages(chromium, served) as show:
        yield show


@pytest.fixture(scope="module")
def board(chromium, served):
    """One page for tests that need no fresh one, each on a part of its own."""
    with pages(chromium, served) as show:
        yield show()


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


def encoded(paths):
    return [[Path(path).name, base64.b64encode(Path(path).read_bytes()).decode()] for path in paths]


def card(page, name):
    return page.locator(f'article[aria-label="{name}"]')


def turn_to(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def learnt(served):
    "Until what was taught is learnt and scored."
    store = Store(served.folder)

    def found():
        told = store.read("trained/answers.json")
        return told if told.get("of") == store.fingerprint() and not Work(served.folder).status().running else None

    return until(found)


def hold_worker(served):
    "Stop the worker in its tracks, so that there is all the time in the world to look; returns its number."
    number = until(lambda: served.work().get("state") == "running" and served.work().get("process"))
    os.kill(number, signal.SIGSTOP)
    return number


def barriers(page):
    return [found["id"] for found in Axe().run(page).response["violations"]]


def test_an_empty_page_invites_and_the_name_in_the_box_goes_with_the_files(opened, served, att):
    page = opened()
    assert page.get_by_role("heading", name="Teach it who is who").is_visible()
    shot(page, "empty")
    for number, person in enumerate((0, 2)):
        name = page.locator(".cm-name").nth(number)
        name.fill(f"s{person + 1}")  # the focus stays in the box, and no Enter is pressed
        target = f".cm-card-person:nth-child({number + 1})"
        page.evaluate(DROP, [target, "drop", encoded(att(person, k) for k in range(6))])
    page.get_by_text("12 photographs kept.").wait_for()
    assert served.people() == {"s1": 6, "s3": 6}
    card(page, "s3").get_by_text("6 photographs").wait_for()
    page.locator(".cm-figure b").wait_for()
    assert "12 of 12" in page.locator(".cm-sentence").text_content()
    shot(page, "taught")


def test_a_reload_during_learning_says_what_is_so_and_so_does_a_second_page(opened, served, att):
    page = opened()
    learnt(served)
    card(page, "s1").locator(".cm-files").set_input_files(att(0, 6))
    page.get_by_text("1 photograph kept.").wait_for()
    worker = hold_worker(served)
    try:
        page.reload()
        other = opened()
        for one in (page, other):
            one.get_by_role("progressbar", name="learning").wait_for()
            assert one.get_by_role("button", name="Stop", exact=True).is_visible()
            assert one.get_by_text("before the last changes").is_visible()
    finally:
        os.kill(worker, signal.SIGCONT)
    for one in (page, other):
        one.locator(".cm-sentence", has_text="13 of 13").wait_for()
        assert not one.get_by_role("progressbar", name="learning").is_visible()
        assert not one.get_by_text("cut off").is_visible()


def test_a_killed_worker_and_a_stopped_one_are_told_and_cost_nothing(opened, served, att):
    page = opened()
    learnt(served)
    card(page, "s3").locator(".cm-files").set_input_files(att(2, 6))
    os.kill(hold_worker(served), signal.SIGKILL)
    page.locator(".cm-sentence", has_text="14 of 14").wait_for()  # it goes on by itself
    card(page, "s3").locator(".cm-files").set_input_files(att(2, 7))
    hold_worker(served)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Stopped. Your photographs are kept").wait_for()
    page.reload()
    page.get_by_text("Stopped. Your photographs are kept").wait_for()
    page.get_by_role("button", name="Learn again").click()
    page.locator(".cm-sentence", has_text="15 of 15").wait_for()


def test_a_reload_during_an_upload_keeps_what_arrived_and_says_what_did_not(opened, served, att):
    page, before = opened(), served.people()["s3"]
    taken = []

    def some(route):
        if len(taken) < 2:
            taken.append(route.request.url)
            route.continue_()  # the others never arrive

    page.route("**/celebml/photos*", some)
    card(page, "s3").locator(".cm-files").set_input_files([att(2, 8), att(2, 9), att(2, 0), att(2, 1), att(2, 2)])
    page.get_by_text("2 of 5 arrived").wait_for()
    page.reload()
    page.get_by_text("2 of 5 are kept. Drop the others again").wait_for()
    assert served.people()["s3"] == before + 2
    page.get_by_role("button", name="Undo").click()
    until(lambda: served.people()["s3"] == before)


def test_what_is_no_photograph_is_refused_in_words_and_a_zip_of_folders_names_its_people(opened, served, att, tmp_path):
    page = opened()
    (tmp_path / "letter.jpg").write_text("Dear Ada")
    card(page, "s1").locator(".cm-files").set_input_files(str(tmp_path / "letter.jpg"))
    page.get_by_text("letter.jpg: not an image this program knows; save it as JPEG or PNG.").wait_for()
    page.get_by_text("0 photographs kept.").wait_for()
    with Image.open(att(4, 7)) as image:
        image.convert("RGB").resize((4100, 4992)).save(tmp_path / "sixty.bmp")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for person in (4, 0):
            archive.write(att(person, 5), f"set/s{person + 1}/6.pgm")
        archive.write(tmp_path / "sixty.bmp", "set/s5/sixty.bmp")
        archive.writestr("set/s5/notes.txt", "Dear Ada")
    assert (tmp_path / "set.zip").stat().st_size > 60e6
    page.locator(".cm-add").click()
    page.locator(".cm-files").last.set_input_files(str(tmp_path / "set.zip"))
    card(page, "s5").get_by_text("2 photographs").wait_for()
    page.locator(".cm-arrivals li", has_text="notes.txt").wait_for()
    assert max(path.stat().st_size for path in (served.folder / "people" / "s5").glob("*")) < 2e6
    card(page, "s5").locator(".cm-files").set_input_files([att(4, k) for k in range(5)])
    card(page, "s5").get_by_text("7 photographs").wait_for()


def test_people_are_renamed_put_together_removed_and_brought_back(opened, served):
    page, people = opened(), served.people()
    name = card(page, "s5").locator(".cm-name")
    name.fill("Ada")
    name.press("Enter")
    card(page, "Ada").wait_for()
    card(page, "Ada").locator(".cm-name").fill("s1")
    card(page, "Ada").locator(".cm-name").press("Enter")
    page.get_by_text("There is a s1 already.").wait_for()
    page.get_by_role("button", name="Put them together").click()
    until(lambda: sum(served.people().values()) == sum(people.values()) and set(served.people()) == {"s1", "s3"})
    page.reload()
    page.get_by_role("button", name="Undo").click()
    card(page, "Ada").wait_for()
    page.keyboard.press("Control+z")
    card(page, "s5").wait_for()
    assert served.people() == people
    card(page, "s3").locator("summary").click()
    card(page, "s3").get_by_role("button", name="Remove this person").click()
    card(page, "s3").wait_for(state="detached")
    page.get_by_role("button", name="Undo").click()
    card(page, "s3").wait_for()
    assert served.people() == people


def test_forgetting_everything_is_undone_after_a_reload_and_touches_no_other_file(opened, served):
    page, people = opened(), served.people()
    (served.folder / "diary.txt").write_text("mine")
    page.get_by_role("button", name="Forget everything…").click()
    page.get_by_role("button", name="Put everything into the bin").click()
    page.get_by_role("heading", name="Teach it who is who").wait_for()
    assert served.people() == {} and (served.folder / "diary.txt").read_text() == "mine"
    page.reload()
    page.get_by_role("heading", name="Teach it who is who").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.locator(".cm-figure b").wait_for()
    assert served.people() == people


def test_a_reload_leaves_the_threshold_alone_and_a_hand_moves_it(board, served):
    page, before = board, learnt(served)
    turn_to(page, "Mistakes")
    slider = page.get_by_role("slider", name="score that a face needs to be known")
    slider.wait_for()
    shown = slider.input_value()
    page.reload()
    page.locator(".cm-add").wait_for()
    assert not (served.folder / "threshold.json").exists()
    turn_to(page, "Mistakes")
    slider.wait_for()
    assert slider.input_value() == shown
    slider.focus()
    page.keyboard.press("ArrowRight")
    until((served.folder / "threshold.json").exists)
    chosen = json.loads((served.folder / "threshold.json").read_text())
    assert chosen["of"] == before["of"] and chosen["value"] > float(shown)
    page.reload()
    turn_to(page, "Take it away")
    page.get_by_text("moved by hand").wait_for()
    turn_to(page, "Mistakes")
    page.get_by_role("button", name="As training chose it").click()
    until(lambda: not (served.folder / "threshold.json").exists())


def test_the_answer_names_a_held_out_photograph_doubts_a_stranger_and_follows_the_camera(board, served, att):
    page, people = board, served.people()
    turn_to(page, "Teach")
    # a few of a person's own photographs are turned away: the one is taken that the model knows best
    model = CelebrityClassifier.load(served.folder / "trained" / "best")
    held_out = max((att(0, k) for k in (7, 8, 9)), key=lambda path: model.classify(path)[0].score)
    page.locator(".cm-ask-files").set_input_files(held_out)
    page.locator(".cm-verdict", has_text="s1").wait_for()
    page.get_by_role("button", name="Why?").click()
    page.locator(".cm-why img").wait_for()
    shot(page, "answer")
    page.reload()
    page.locator(".cm-verdict", has_text="s1").wait_for()  # it comes back
    page.get_by_role("button", name="Teach it").click()
    page.get_by_text("1 photograph kept.").wait_for()
    assert sum(served.people().values()) == sum(people.values()) + 1
    learnt(served)
    page.locator(".cm-verdict", has_text="s1").wait_for()  # and is asked about again
    page.get_by_role("button", name="Undo").click()
    until(lambda: served.people() == people)
    page.evaluate(DROP, [".cm-answer", "paste", encoded([att(26, 0)])])
    page.locator(".cm-verdict", has_text="Nobody it knows").wait_for()
    page.locator(".cm-answer").get_by_role("button", name="Camera").click()
    page.get_by_text("answers a second").wait_for()
    assert page.locator(".cm-answer video").is_visible()
    page.locator(".cm-answer").get_by_role("button", name="Camera").click()
    assert not page.locator(".cm-answer video").is_visible()


def test_holding_the_button_records(board, served):
    page = board
    turn_to(page, "Teach")
    page.locator(".cm-add").click()
    blank = page.locator("article.blank")
    blank.locator(".cm-name").fill("Camera")
    blank.get_by_role("button", name="Camera", exact=True).click()
    hold = blank.get_by_role("button", name="Hold to record")
    page.wait_for_function("() => !document.querySelector('.cm-hold').disabled")
    hold.dispatch_event("pointerdown")
    blank.locator(".cm-recorder .cm-small", has_text="3").wait_for()
    hold.dispatch_event("pointerup")
    page.get_by_text("photographs kept.").wait_for()
    assert served.people()["Camera"] >= 3
    page.get_by_role("button", name="Undo").click()  # a tall card that loses the focus may not move it away
    until(lambda: "Camera" not in served.people())


def test_a_cell_of_the_table_opens_with_a_key_and_is_put_right_there(board, served):
    page, people = board, served.people()
    learnt(served)
    turn_to(page, "Mistakes")
    cell = page.get_by_role("button", name="photographs of s1 named as s1")
    cell.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="s1, named correctly").wait_for()
    assert cell.get_attribute("aria-pressed") == "true"
    before = cell.inner_text()
    page.locator(".cm-tile:visible").first.click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.locator(".cm-photos").get_by_text("1 photograph of s1 removed").wait_for()
    assert served.people()["s1"] == people["s1"] - 1
    cell.focus()
    until(lambda: cell.inner_text() != before)
    assert cell.evaluate("cell => cell === document.activeElement"), "a new score leaves the focus where it was"
    assert cell.get_attribute("aria-pressed") == "true"
    shot(page, "mistakes")
    page.locator(".cm-photos").get_by_role("button", name="Undo").click()  # and the photographs, with the way back
    until(lambda: served.people() == people)


def test_cleaning_keeps_its_focus_and_undo_means_the_same_card(board, served):
    page, people = board, served.people()
    learnt(served)
    turn_to(page, "Clean")
    page.get_by_label("show every photograph").check()
    cards = page.locator(".review-card")
    cards.nth(5).wait_for()
    cards.first.locator("img").click()
    key = page.locator(".review-card.here").get_attribute("data-key")
    page.keyboard.press("r")
    until(lambda: sum(served.people().values()) == sum(people.values()) - 1)
    page.get_by_text("1 rejected").wait_for()
    assert page.locator(".review-card.here").get_attribute("data-key") != key
    page.keyboard.press("u")
    page.get_by_text("0 rejected").wait_for()
    page.wait_for_function("key => document.querySelector('.review-card.here')?.dataset.key === key", arg=key)
    assert served.people() == people
    page.keyboard.press("l")
    page.keyboard.type("s3")
    page.keyboard.press("Enter")
    page.get_by_text("1 relabelled").wait_for()
    page.keyboard.press("u")
    page.get_by_text("0 relabelled").wait_for()
    assert served.people() == people
    shot(page, "clean")


def test_the_signal_can_be_looked_at(board):
    page = board
    turn_to(page, "Signal")
    pictures = page.locator(".cm-large .cm-pictures img:visible")
    pictures.nth(7).wait_for()
    before = pictures.nth(1).get_attribute("src")
    page.get_by_role("slider").locator("visible=true").first.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    page.wait_for_function(
        "before => document.querySelectorAll('.cm-large .cm-pictures img')[1].src !== before", arg=before
    )
    page.get_by_role("button", name="Wavelets").click()
    page.get_by_text("its wavelet coefficients").wait_for()
    shot(page, "signal")


def test_the_exported_zip_opens_with_the_package(board, served, tmp_path, att):
    page = board  # which was loaded again after learning
    learnt(served)
    turn_to(page, "Take it away")
    page.get_by_role("heading", name="Model card").wait_for()
    shot(page, "export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the bundle").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
    assert CelebrityClassifier.load(tmp_path / "bundle").predict([att(0, 9), att(2, 9)]) == ["s1", "s3"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download a poster").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_a_phone_in_the_dark_and_a_desk_in_the_light_are_readable_and_have_no_barrier(opened, board):
    phone = opened(viewport={"width": 390, "height": 844}, color_scheme="dark")
    for page, width, scheme in ((phone, 390, "dark"), (board, 1280, "light")):
        turn_to(page, "Teach")
        card(page, "s1").wait_for()
        for name in PAGES:
            turn_to(page, name)
            page.wait_for_timeout(150)
            if width == 390:
                assert page.evaluate(TOO_WIDE) == [], name
            if name == "Teach":
                card(page, "s1").locator(".cm-all").click()
                page.locator(".cm-dialog .cm-tile").first.wait_for()
                assert barriers(page) == [], ("all photographs", scheme)
                page.keyboard.press("Escape")
            assert barriers(page) == [], (name, scheme)
            shot(page, f"{width}-{scheme}-{name.split()[0].lower()}")


def test_a_page_that_closes_takes_its_kernel_with_it(board, served):
    until(lambda: len(served.kernels()) == 2)  # its own, and one that waits for the next visitor
    board.goto("about:blank")
    until(lambda: len(served.kernels()) == 1)


def test_requests_of_other_names_and_other_pages_are_refused(served):
    def ask(method, path, **headers):
        return urllib3.request(method, served.url + path, headers=headers | {"Connection": "close"}, timeout=30)

    assert ask("GET", "", Host="evil.example").status == 403
    assert ask("GET", "celebml/face/s1/x.jpg", Host="evil.example").status == 403
    assert ask("POST", "celebml/photos?person=Ada&path=x.jpg", Origin="http://evil.example").status == 403
    assert ask("POST", "celebml/close/x", **{"Sec-Fetch-Site": "cross-site"}).status == 403
    missing = ask("GET", "celebml/photo/..%2F..%2Fetc%2Fpasswd.jpg")
    assert missing.status == 404 and missing.json()["problems"] == ["This photograph is not here any more."]
    assert ask("GET", "celebml/face/s1/none.jpg").status == 404


def test_another_address_than_this_computers_own_asks_for_a_token(tmp_path):
    running = Running(tmp_path / "kept", free_port(), tmp_path / "log", "--Voila.ip=0.0.0.0")
    try:
        ask = lambda path, method="GET": urllib3.request(
            method, running.url + path, timeout=30, redirect=False, body=b"x"
        )
        assert ask("").status == 302 and ask("celebml/face/Ada/x.jpg").status in (302, 403)
        assert ask("celebml/photos?person=Ada&path=x.jpg", "POST").status == 403
        token = until(lambda: re.search(r"[?]token=(\w+)", running.log.read_text()))[1]
        assert ask(f"?token={token}").status == 200
        assert (
            "not an image" in ask(f"celebml/photos?person=Ada&path=x.jpg&token={token}", "POST").json()["problems"][0]
        )
    finally:
        running.stop()


def test_a_killed_server_is_told_within_seconds_and_its_page_comes_back(opened, served, att):
    page, people = opened(), served.people()
    learnt(served)
    card(page, "s1").locator(".cm-files").set_input_files(att(0, 7))
    worker = psutil.Process(hold_worker(served))
    os.kill(worker.pid, signal.SIGCONT)
    below = served.kill()
    page.get_by_text("The dashboard was stopped.").wait_for(timeout=10_000)
    psutil.wait_procs([worker, *below], timeout=20)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    served.start()
    card(page, "s1").wait_for()
    page.get_by_text("The dashboard was stopped.").wait_for(state="hidden")
    assert sum(served.people().values()) == sum(people.values()) + 1
    assert len(learnt(served)["files"]) == sum(people.values()) + 1
    page.get_by_role("button", name="Learn again").wait_for()

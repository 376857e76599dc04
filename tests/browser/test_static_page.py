"""The page without a server, as published, behind a plain server of files and from a sub-path of it."""

import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from firefox import Firefox
from playwright.sync_api import expect

from celebml.classifier import CelebrityClassifier
from celebml.errors import DataError
from celebml.page_files import runtime_files
from celebml.publishing import publish
from tools.site_trial import free_port, small_bundle

expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong


class Files(SimpleHTTPRequestHandler):
    "Files, and a record of what was asked and how many bytes were sent."

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.server.damaged and re.search(self.server.damaged, self.path):
            whole = (self.server.folder / self.path.lstrip("/")).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[:-1] + bytes([whole[-1] ^ 1]))
            return
        super().do_GET()

    def do_POST(self):
        self.server.asked.append(f"POST {self.path}")
        self.send_error(405)

    def log_message(self, *_):
        "Nothing."


class Server(ThreadingHTTPServer):
    "Plain files from a folder, for as long as it is not closed."

    def __init__(self, folder, port=0):
        super().__init__(("127.0.0.1", port), partial(Files, directory=str(folder)))
        self.folder, self.asked, self.damaged = folder, [], ""
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/somewhere/else/"

    def close(self):
        "No network any more."
        self.shutdown()
        self.server_close()
        self.thread.join()


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("static") / "bundle", people=6)


@pytest.fixture(scope="session")
def published(saved, tmp_path_factory):
    try:
        runtime_files()
    except DataError as error:
        pytest.skip(str(error))
    return publish(saved, tmp_path_factory.mktemp("web") / "somewhere" / "else")


@pytest.fixture
def server(published):
    found = Server(published.folder.parents[1])
    yield found
    found.close()


@pytest.fixture
def visit(chromium, server):
    "Opens the page in a browser that has not seen it; at the end nothing may have gone wrong in it."
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    said, asked = [], []
    context.on("request", lambda sent: asked.append((sent.method, sent.url)))
    context.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)

    def opened(**options):
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.url, **options)
        return page

    opened.context, opened.said = context, said
    yield opened
    context.close()
    own = (server.url, "blob:", "data:")
    assert [sent for sent in asked if sent[0] != "GET" or not sent[1].startswith(own)] == []
    assert [text for text in said if "Failed to load resource" not in text] == []


def name_of(page, path):
    "Give a photograph and wait for its first face's name."
    page.set_input_files("#file", path)
    article = page.get_by_role("article", name=path.name).first
    article.locator(".face-name").first.wait_for()
    return article.locator(".face-name").first.inner_text()


def kept(page):
    "Wait until the page is kept for a visit without a network."
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")


def test_a_worker_names_a_face_from_a_sub_path_and_says_why(visit, photos):
    page = visit()
    expect(page.locator("#people li")).to_have_count(6)
    assert name_of(page, photos["s1"]).endswith("s1")
    assert [worker.url.rsplit("/", 1)[1].split(".")[0] for worker in page.workers] == ["worker"]
    assert "don’t know" in name_of(page, photos["stranger"])
    article = page.get_by_role("article", name="s1.jpg")
    article.get_by_role("button", name="Why?").click()
    assert "speaks most for s1" in article.get_by_role("img", name="Heat map").get_attribute("aria-label")
    page.set_input_files("#file", photos["wall"])
    expect(page.get_by_role("article", name="wall.jpg").get_by_text("No face was found").first).to_be_visible()


def test_two_faces_are_named_where_python_finds_them(visit, photos, saved):
    page = visit()
    name_of(page, photos["both"])
    answers = CelebrityClassifier.load(saved).classify(photos["both"])
    faces = page.get_by_role("article", name="both.jpg").locator("section.face")
    expect(faces).to_have_count(len(answers))
    boxes = page.get_by_role("article", name="both.jpg").locator(".box")
    for number, answer in enumerate(answers):
        assert answer.name in faces.nth(number).get_attribute("aria-label")
        style = boxes.nth(number).evaluate("box => [box.style.left, box.style.top, box.style.width, box.style.height]")
        place = [float(value.rstrip("%")) * side / 100 for value, side in zip(style, (900, 640) * 2, strict=True)]
        assert place == pytest.approx(list(answer.box), abs=2)


def test_nothing_is_fetched_once_it_is_loaded_and_a_cut_network_changes_nothing(visit, server, photos):
    page = visit()
    name_of(page, photos["s1"])
    kept(page)
    server.close()
    before = len(server.asked)
    assert name_of(page, photos["s3"]).endswith("s3")
    page.reload()
    expect(page.locator("#people li")).to_have_count(6)
    assert name_of(page, photos["stranger"])
    assert len(server.asked) == before


def test_first_visit_is_under_six_megabytes_and_the_second_loads_nothing_again(published, visit, server, photos):
    assert published.download < 6e6
    page = visit()
    name_of(page, photos["s1"])
    kept(page)
    large = [path for path in server.asked if path.endswith(".bin")]
    assert len(large) == 3 == len(set(large))
    page.close()
    server.asked.clear()
    page = visit()
    assert name_of(page, photos["s1"]).endswith("s1")
    again = [path for path in server.asked if "picture-" not in path and not path.endswith("sw.js")]
    assert again == []


def test_a_changed_file_is_refused_in_a_sentence(visit, server, photos):
    server.damaged = r"assets/faces\.\w+\.bin$"
    page = visit()
    page.set_input_files("#file", photos["s1"])
    expect(page.locator(".problem", has_text="not the file that was published").first).to_be_visible()


def test_a_changed_script_is_not_run(chromium, server):
    server.damaged = r"assets/results\.\w+\.js$"
    context = chromium.new_context()
    page, said = context.new_page(), []
    page.on("console", lambda line: said.append(line.text))
    page.goto(server.url)
    assert any("integrity" in text and "blocked" in text for text in said), said
    assert page.locator("#people li").count() == 0
    context.close()


def test_a_failed_load_is_told_and_tried_again(visit, server, photos):
    visit.context.route("**/assets/runtime.*.bin", lambda route: route.abort())
    page = visit()
    page.set_input_files("#file", photos["s1"])
    expect(page.locator(".problem", has_text="could not be loaded").first).to_be_visible()
    visit.context.unroute("**/assets/runtime.*.bin")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".face-name").first).to_be_visible()


def test_what_cannot_be_named_is_told_in_a_sentence(visit, photos):
    page, told = (
        visit(),
        {
            "text": "cannot read the file as a photograph",
            "empty": "The file is empty",
            "bomb": re.compile("pixels are too many|cannot read the file"),
        },
    )
    page.set_input_files("#file", [photos[file] for file in told])
    for file, sentence in told.items():
        expect(page.get_by_role("article", name=photos[file].name).get_by_text(sentence).first).to_be_visible()


def test_what_the_browser_lacks_is_told_in_words(visit, photos):
    visit.context.add_init_script("delete window.Worker")
    page = visit()
    page.set_input_files("#file", photos["s1"])
    expect(page.locator(".problem", has_text="This browser has no workers.").first).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(chromium, server, photos):
    context = chromium.new_context(viewport={"width": 360, "height": 740}, device_scale_factor=3, has_touch=True)
    page = context.new_page()
    page.goto(server.url)
    assert name_of(page, photos["both"])
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    context.close()


def test_page_can_be_installed(visit, server):
    page = visit()
    page.locator("#people li").nth(5).wait_for()
    manifest = page.request.get(server.url + page.locator("link[rel=manifest]").get_attribute("href")).json()
    assert manifest["display"] == "standalone" and manifest["start_url"] == "./"
    assert page.request.get(server.url + manifest["icons"][0]["src"]).ok


TEXT_SOON = """new Promise((done) => {
  const look = () => {
    const found = document.querySelector(".face-name, article .problem");
    if (found) done(found.textContent);
    else setTimeout(look, 50);
  };
  look();
})"""


def test_works_in_firefox_at_phone_width_too(server, photos, tmp_path):
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if not program:
        pytest.skip("Firefox is not installed; mend with: apt-get install firefox-esr")
    with Firefox(program, tmp_path, free_port()) as firefox:
        firefox.ask("browsingContext.setViewport", context=firefox.tab, viewport={"width": 360, "height": 740})
        firefox.goto(server.url)
        firefox.give("#file", photos["s1"])
        assert firefox.value(TEXT_SOON).endswith("s1")
        assert firefox.value("document.documentElement.scrollWidth") <= 360
        assert firefox.value("navigator.serviceWorker.ready.then(() => true)")

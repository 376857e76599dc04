"""The page that chapter 31 writes, in a browser: as it is first, and mended."""

import logging
import re
import sys
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chapter():
    "The chapter's names after its lesson has run, without its exercises."
    names = {}
    sys.path.insert(0, str(ROOT / "nbs"))
    for cell in nbformat.read(ROOT / "nbs" / "31_page.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown" and re.search(r"^## Exercises$", cell.source, re.MULTILINE):
            break
        if cell.cell_type == "code" and "colab" not in cell.metadata.get("tags", []):
            exec(compile(cell.source, "31_page.ipynb", "exec"), names)
    yield names
    logging.getLogger("werkzeug").disabled = False


@pytest.fixture
def ask(chapter, chromium):
    "Opens an app in a browser, sends files one after the other, and gives back what the page says after each."
    servers, contexts = [], []

    def ask(app, *files):
        server = make_server("127.0.0.1", 0, app, threaded=True)
        Thread(target=server.serve_forever).start()
        servers.append(server)
        contexts.append(chromium.new_context())
        page = contexts[-1].new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        said = []
        for data in files:
            page.set_input_files("#photo", {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data})
            with page.expect_response("**/classify"):
                page.get_by_role("button", name="Ask").click()
            expect(page.locator("#answer")).not_to_have_text(re.compile("Looking|Nothing asked"), timeout=30_000)
            said.append(page.locator("#answer").inner_text())
        return page, said

    yield ask
    for context in contexts:
        context.close()
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_first_page_names_a_face(chapter, ask):
    _, (said,) = ask(chapter["first"], chapter["photo"])
    assert re.fullmatch(r"s3, \d+ %", said)


def test_the_mended_page_answers_everybody_who_broke_the_first(chapter, ask):
    sent = [chapter[what] for what in ("photo", "wall", "bomb")]
    _, said = ask(chapter["page"], b"Dear diary", *sent, bytes(21 * 1024 * 1024), chapter["photo"])
    text, face, wall, bomb, large, again = said
    assert "save it as JPEG or PNG" in text
    assert re.fullmatch(r"s3, \d+ %", face) and again == face
    assert wall == "No face was found."
    assert "megapixels" in bomb
    assert "exceeds the capacity limit" in large


@pytest.mark.parametrize("mended", [False, True])
def test_a_name_that_is_html_runs_in_the_first_page_and_is_shown_in_the_mended_one(chapter, ask, mended):
    def evil(file):
        face = {"name": chapter["name"], "probability": 0.97}
        return {"faces": [face]} if mended else face

    app = chapter["make_app"](evil, chapter["SAFE_SCRIPT" if mended else "SCRIPT"])
    page, (said,) = ask(app, chapter["photo"])
    if mended:
        assert said == f"{chapter['name']}, 97 %"
        assert page.title() == "Who is this?"
    else:
        page.wait_for_function("document.title === 'mine now'")

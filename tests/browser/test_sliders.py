"""Every slider of the course as its notebook stores it moves without a kernel, and shows a picture without scripts."""

from pathlib import Path

import nbformat
import pytest

NBS = Path(__file__).resolve().parents[2] / "nbs"
SLIDERS = [
    pytest.param("".join(html) if isinstance(html, list) else html, id=f"{path.stem}-{number}")
    for path in sorted(NBS.glob("[0-4]*.ipynb"))
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells)
    for output in cell.get("outputs", [])
    if 'class="frames"' in (html := output.get("data", {}).get("text/html", ""))
]


def test_there_are_ten():
    assert len(SLIDERS) >= 10


@pytest.mark.parametrize("html", SLIDERS)
def test_a_stored_slider_moves(chromium, html):
    said, page = [], chromium.new_page()
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda sent: said.append(sent.url) if not sent.url.startswith(("data:", "about:")) else None)
    page.set_content(f"<!doctype html><title>slider</title>{html}")
    picture, text, handle = page.locator("figure.frames img"), page.locator("output"), page.locator("input[type=range]")
    last = int(handle.get_attribute("max"))
    seen = set()
    for value in range(last + 1):
        handle.fill(str(value))
        seen.add((picture.get_attribute("src"), text.text_content()))
        assert handle.get_attribute("aria-valuetext") == text.text_content()
    assert len({text for _, text in seen}) == last + 1
    assert len({source for source, _ in seen}) > last / 2, "the picture must change"
    assert picture.evaluate("image => image.naturalWidth") >= 400
    assert picture.get_attribute("alt") and not said
    page.close()


def test_a_slider_shows_its_picture_without_scripts(chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(f"<!doctype html><title>slider</title>{SLIDERS[0].values[0]}")
    assert page.locator("figure.frames img").bounding_box()["width"] >= 400
    assert not page.locator("input").is_visible() and page.locator("output").text_content()
    context.close()

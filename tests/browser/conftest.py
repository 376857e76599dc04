"""The real site, gunicorn behind nginx, and the system's Chromium."""

import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright
from system_browser import CHROMIUM, NGINX, OPTIONS

from celebml.datasets import load_att
from tools.site_trial import RunningSite, small_bundle


@pytest.fixture(scope="session", autouse=True)
def parts():
    if not CHROMIUM or not NGINX:
        pytest.skip("Chromium or nginx is not installed; mend with: make browser (as root), or apt-get install both")


@pytest.fixture(scope="session")
def site(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    bundle = small_bundle(folder / "bundle", people=8)
    feedback = folder / "feedback"
    with RunningSite(bundle, folder / "run", True, workers=1, feedback=feedback, fetch_hosts="example.org") as found:
        found.feedback = feedback
        yield found


@pytest.fixture(scope="session")
def chromium(parts):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, site, request):
    "The page, loaded; at the end, nothing may have gone wrong in it, and nothing asked of another host."
    options = getattr(request, "param", {})
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, "permissions": ["camera"]} | options)
    found, asked, said = context.new_page(), [], []
    found.on("request", lambda sent: asked.append(sent.url))
    found.on("pageerror", lambda error: said.append(str(error)))
    found.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    found.goto(site.url)
    found.locator("#people li").nth(7).wait_for()
    yield found
    if folder := os.environ.get("CELEBML_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        found.screenshot(path=Path(folder) / f"{request.node.name.replace('/', '_')}.png", full_page=True)
    context.close()
    own = (f"{site.url}/", "blob:", "data:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert [text for text in said if "Failed to load resource" not in text] == []


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    "Files by name: faces of s1 and s3, both together, a stranger, a wall, a text, and files that are too much."
    folder, att = tmp_path_factory.mktemp("photos"), load_att()

    def save(name, image):
        image.convert("RGB").save(folder / name)
        return folder / name

    big = Image.open(att.paths[27]).resize((460, 560))
    both = Image.new("RGB", (900, 640), (150, 150, 150))
    both.paste(big, (400, 40))
    both.paste(Image.open(att.paths[3]).resize((184, 224)), (80, 200))  # a face that the model knows
    files = {
        "s1": save("s1.jpg", Image.open(att.paths[7])),
        "s3": save("s3.png", Image.open(att.paths[27])),
        "both": save("both.jpg", both),
        "stranger": save("stranger.jpg", Image.open(att.paths[399])),
        "wall": save("wall.jpg", Image.new("RGB", (640, 480), (180, 170, 150))),
        "large": save("large.png", Image.effect_noise((2600, 2000), 80).resize((2600, 2000))),
        "text": folder / "text.jpg",
        "heavy": folder / "heavy.jpg",
        "empty": folder / "empty.jpg",
        "bomb": folder / "bomb.png",
        "cut": folder / "cut.png",
    }
    files["text"].write_text("This is no photograph.")
    files["heavy"].write_bytes(bytes(25_000_000))
    files["empty"].write_bytes(b"")
    Image.new("1", (9000, 9000)).save(files["bomb"])
    files["cut"].write_bytes(files["bomb"].read_bytes()[:5000])  # so that no browser can make it smaller
    return files

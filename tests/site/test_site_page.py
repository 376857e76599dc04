"""What goes to the browser, and what is made from the code."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from site_requests import encoded, form

from celebml_app.site import create_app
from celebml_app.site.engine import Engine
from celebml_app.site.guard import headers
from celebml_app.site.views import openapi
from tools import write_site

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "app" / "site" / "static"


def test_the_page_asks_nobody_else():
    for path in STATIC.rglob("*"):
        if path.suffix in (".html", ".css", ".js", ".json", ".svg"):
            addresses = re.findall(r"https?://\w[^\s\"'<>]+", path.read_text(encoding="utf-8"))
            assert set(addresses) <= {"http://www.w3.org/2000/svg"}, path


def modules(name: str, above: tuple[str, ...] = ()) -> set[str]:
    "A module and all that it imports; fails on a circle."
    assert name not in above, f"modules import in a circle: {' → '.join((*above, name))}"
    found = {name}
    for target in re.findall(r'from "(\.{1,2}/[\w./-]+)"', (STATIC / name).read_text(encoding="utf-8")):
        path = (STATIC / name).parent / target
        found |= modules(str(path.resolve().relative_to(STATIC.resolve())), (*above, name))
    return found


def test_modules_import_in_one_direction():
    assert "engines/server.js" in modules("main.js")
    assert "engines/server.js" not in modules("page.js"), "the page knows no engine"


def test_no_inline_script_or_style(client):
    for address in ("/", "/docs", "/problems/busy"):
        html = client.get(address).text
        assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", html), address


def test_security_headers_are_on_every_answer(client, face):
    answers = [client.get("/"), client.get("/nowhere"), client.get("/static/main.js"), client.get("/docs")]
    answers.append(client.post("/api/v1/classify", data=form(face)))
    for answer in answers:
        for name, value in headers.SECURITY.items():
            assert answer.headers.getlist(name) == [value]
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Strict-Transport-Security" not in answer.headers
    assert "'unsafe" not in headers.SECURITY["Content-Security-Policy"]


OBSERVATORY = {  # what Mozilla's HTTP Observatory gives its best mark for, header by header
    "Content-Security-Policy": r"(?!.*unsafe)default-src 'none';.* frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": r"same-origin$",
    "Referrer-Policy": r"no-referrer$",
    "Strict-Transport-Security": r"max-age=(1[6-9]\d{6}|[2-9]\d{7,})\b",  # half a year at least
    "X-Content-Type-Options": r"nosniff$",
    "X-Frame-Options": r"DENY$",
}


def test_behind_tls_the_page_has_the_best_marks(bundle):
    client = create_app(bundle, hsts=True).test_client()
    page = client.get("/", base_url="https://site.example", buffered=True)
    for name, wanted in OBSERVATORY.items():
        assert re.match(wanted, page.headers[name]), name
    assert "Set-Cookie" not in page.headers and "Access-Control-Allow-Origin" not in page.headers
    scripts = re.findall(r'<script[^>]*src="([^"]+)"', page.text)
    assert scripts and all(address.startswith("/") for address in scripts)


def test_pictures_of_the_first_screen_are_small_whatever_they_show(app):
    random = np.random.default_rng(0)
    noise = lambda: encoded(Image.fromarray(random.integers(0, 256, (120, 120, 3), np.uint8)))
    pictures = {f"portraits/{i}.jpg": noise() for i in range(24)} | {f"examples/{i}.jpg": noise() for i in range(12)}
    engine = Engine(app.extensions["celebml"].classifier.with_story(pictures=pictures), app.config["SITE"])
    assert 500 < max(map(len, engine.thumbnails.values())) < 42_000 / 22  # twelve people and ten examples
    assert Image.open(io.BytesIO(engine.thumbnails["examples/0.jpg"])).size >= (72, 72)


def test_hsts_and_other_origins_only_when_configured(bundle):
    client = create_app(bundle, hsts=True, cors_origins=("https://friend.example",)).test_client()
    friend = client.get("/api/v1/people", headers={"Origin": "https://friend.example"})
    assert friend.headers["Access-Control-Allow-Origin"] == "https://friend.example"
    assert "max-age" in friend.headers["Strict-Transport-Security"]
    stranger = client.get("/api/v1/people", headers={"Origin": "https://stranger.example"})
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_the_description_is_up_to_date(app):
    committed = json.loads((ROOT / "app/site/openapi.json").read_text(encoding="utf-8"))
    assert committed == json.loads(json.dumps(openapi.document(app))), "run: make openapi"
    for path, text in write_site.nginx_files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run make openapi"


def test_every_api_address_is_described(app):
    described = set(openapi.document(app)["paths"])
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            assert re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) in described


def test_limits_are_the_same_in_nginx_and_flask(app):
    rendered = (ROOT / "deploy/nginx/render.sh").read_text()
    default = int(re.search(r"MAX_BODY_MB:=(\d+)", rendered)[1])
    assert app.config["MAX_CONTENT_LENGTH"] == app.config["MAX_FORM_MEMORY_SIZE"] == default * 1024 * 1024


@pytest.mark.parametrize("address", ["/docs", "/problems/busy", "/problems/too-many-pixels"])
def test_the_docs_are_readable_without_script(client, address):
    page = client.get(address)
    assert page.status_code == 200
    assert "<h1>" in page.text
    assert "what it means" in page.text or "Problem type" in page.text

"""What goes to the browser, and what is made from the code."""

import json
import re
from pathlib import Path

import pytest
from site_requests import form

from app.site import create_app, headers, openapi, write

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "app" / "site" / "static"


def test_the_page_is_light_and_asks_nobody_else():
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 150_000
    for path in files:
        addresses = re.findall(r"https?://[^\s\"'<>]+", path.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, path


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
    for path, text in write.nginx_files().items():
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
    assert "<script" not in page.text

"""The review in a real Voila and a real Chromium: one key or click a decision."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from waiting import answers, until

from celebml.datasets import load_att
from celebml.decisions import read_decisions
from tools.site_trial import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def voila(tmp_path):
    """Address of the review of eight people, five photographs each, and their folder."""
    att, folder = load_att(), tmp_path / "photos"
    for path, name in zip(att.paths[:80], att.names[:80], strict=True):
        if int(path.stem) <= 5:
            (folder / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)
    port = free_port()
    command = [sys.executable, "-m", "celebml_app.dashboard", str(folder), "--port", str(port), "--reviewer", "Ada"]
    told = os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
    with (tmp_path / "voila.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=told, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/", folder
    finally:
        server.terminate()
        server.wait(10)


def test_keys_and_clicks_decide(chromium, voila):
    address, folder = voila
    until(partial(answers, f"{address}voila/static/favicon.ico"))
    page, asked = chromium.new_page(viewport={"width": 1100, "height": 900}, color_scheme="dark"), []
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(address, timeout=60_000)
    cards = page.locator(".review-card")
    cards.first.wait_for(timeout=60_000)
    assert cards.count() == 24
    cards.first.locator("img").click()
    for key in ("k", "r", "2", "ArrowRight", "r", "u"):
        page.keyboard.press(key)
    page.get_by_text("3 of 40 decided: 1 kept, 1 rejected, 1 relabelled.").wait_for(timeout=10_000)
    cards.nth(7).get_by_title("reject (R)").click()
    page.get_by_text("4 of 40 decided").wait_for(timeout=10_000)
    page.get_by_text("next ▶").click()
    page.get_by_text("Page 2 of 2").wait_for(timeout=10_000)
    assert cards.count() == 16
    assert [d.action for d in read_decisions(folder / "decisions.jsonl")] == [
        "keep", "reject", "relabel", "reject", "undo", "reject",
    ]  # fmt: skip
    if shots := os.environ.get("CELEBML_SHOTS"):
        page.screenshot(path=Path(shots) / "review.png")
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.close()

"""Compute on my device: the published page, served beside the site where the operator names it."""

import json

import pytest

from celebml import publishing
from celebml.page_files import RUNTIME_FILES
from celebml.publishing import publish
from celebml_app.site import create_app
from celebml_app.site.settings import SettingsError


@pytest.fixture(scope="module")
def folder(bundle, tmp_path_factory):
    "A published page with stand-ins for the runtime, which is not run here."
    script = b"export const env = {};\n"
    with pytest.MonkeyPatch.context() as patch:
        parts = dict(zip(RUNTIME_FILES, (script, script, bytes(1000)), strict=True))
        patch.setattr(publishing, "runtime_files", lambda package=None: parts)
        return publish(bundle, tmp_path_factory.mktemp("device") / "page").folder


@pytest.fixture(scope="module")
def device(bundle, folder):
    return create_app(bundle, device=folder).test_client()


def test_page_is_served_with_its_own_policy_and_its_files_for_ever(device):
    page = device.get("/device/", buffered=True)
    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200 and "'wasm-unsafe-eval'" in policy and "'sha256-" in policy
    assert "frame-ancestors 'none'" in policy and "'unsafe-eval'" not in policy and "unsafe-inline" not in policy
    asset = page.text.split('<link rel="modulepreload" href="')[1].split('"')[0]
    found = device.get(f"/device/{asset}", buffered=True)
    assert found.status_code == 200 and "immutable" in found.headers["Cache-Control"]
    assert found.headers["Content-Security-Policy"] == policy, "a worker obeys the policy of its own file"
    assert found.mimetype in ("text/javascript", "application/javascript")
    assert device.get("/device").headers["Location"].endswith("/device/")


def test_site_itself_keeps_its_stricter_policy_and_offers_it(device):
    assert "wasm" not in device.get("/", buffered=True).headers["Content-Security-Policy"]
    assert device.get("/api/v1/model").json["offers"]["device"] is True


@pytest.mark.parametrize("name", ["../page/index.html", "..%2fpage", "nothing.js", "assets/"])
def test_nothing_else_is_served(device, name):
    assert device.get(f"/device/{name}").status_code == 404


def test_without_a_folder_there_is_none(client):
    assert client.get("/device/").status_code == 404
    assert client.get("/api/v1/model").json["offers"]["device"] is False


def test_another_folder_or_another_bundle_stops_the_start_with_a_sentence(bundle, folder, tmp_path):
    with pytest.raises(SettingsError, match="no published page; make one with: celebml publish"):
        create_app(bundle, device=tmp_path)
    model = next(folder.glob("assets/model.*.json"))
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text((folder / "index.html").read_text())
    (tmp_path / "assets" / model.name).write_text(json.dumps({"bundle": "another"}))
    with pytest.raises(SettingsError, match="published from another bundle"):
        create_app(bundle, device=tmp_path)

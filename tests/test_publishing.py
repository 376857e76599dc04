"""What is published holds together: names, hashes, addresses, policy. The page at work is tested in tests/browser."""

import base64
import dataclasses
import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from celebml import publishing
from celebml.bundle import load_bundle, save_bundle
from celebml.cli import main
from celebml.errors import CelebmlError, DataError
from celebml.faces import HaarDetector
from celebml.landmarks import YuNetDetector
from celebml.models import ClassicModel
from celebml.page_files import RUNTIME_FILES
from celebml.publishing import publish
from celebml.recipes import BASELINE, DEFAULT, load_recipe

PICTURE = base64.b64decode(  # one grey pixel
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/"
    "wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="
)


@pytest.fixture(scope="module")
def with_pictures(bundle, tmp_path_factory):
    "A bundle with a portrait and an example."
    loaded = load_bundle(bundle)
    name = str(loaded.model.classes_[0])
    pictures = {f"portraits/{name}.jpg": PICTURE, "examples/one.jpg": PICTURE + b"\0"}
    more = dataclasses.replace(loaded, pictures=pictures, card="# A <card>", labels={name: "Ada Lovelace"})
    return save_bundle(more, tmp_path_factory.mktemp("pictures") / "bundle")


@pytest.fixture(scope="module")
def stand_ins():
    "In place of the runtime, which these tests do not run."
    script = b"export const env = {};\n//# sourceMappingURL=somewhere.map\n"
    return dict(zip(RUNTIME_FILES, (script, script, bytes(1000)), strict=True))


@pytest.fixture(scope="module")
def page(with_pictures, stand_ins, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "runtime_files", lambda package=None: stand_ins)
        return publish(with_pictures, tmp_path_factory.mktemp("published") / "page", title='My "people" <3')


def texts(page, *kinds):
    found = [path for path in sorted(page.folder.rglob("*")) if path.suffix in kinds]
    return {path.relative_to(page.folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


def model_of(page):
    return json.loads(next(iter(text for name, text in texts(page, ".json").items())))


def sha384(data):
    return "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()


def test_every_name_carries_the_hash_of_its_contents(page):
    for path in (page.folder / "assets").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(path.name.split(".")[-2]), path.name


def test_every_address_leads_to_a_published_file_and_none_to_a_server(page):
    named = 0
    for name, text in texts(page, ".js", ".html").items():
        if name == "sw.js":
            continue
        folder = (page.folder / name).parent
        for found in re.findall(r'(?:from|import|URL\(|import\()\s*"(\.[^"]+)"|(?:src|href)="([^"#]+)"', text):
            address = "".join(found)
            assert address == "./" or (folder / address).is_file(), f"{name} names {address}"
            named += 1
        assert not re.search(r'"/(?:api|docs|static)', text) or "server" in name, name
    assert named > 30
    model = model_of(page)
    portraits = [person["portrait"] for person in model["people"] if person["portrait"]]
    for address in (*model["examples"], *portraits, *(part["address"] for part in model["parts"].values())):
        assert (page.folder / "assets" / address).is_file()
    assert len(portraits) == 1 and len(model["examples"]) == 1


def test_integrities_are_those_of_the_files(page):
    html = texts(page, ".html")["index.html"]
    known = json.loads(re.search(r'<script type="importmap">(.*?)</script>', html)[1])["integrity"]
    pairs = re.findall(r'(?:src|href)="([^"]+)" integrity="([^"]+)"', html) + list(known.items())
    assert len(known) > 10
    for address, integrity in pairs:
        assert sha384((page.folder / address).read_bytes()) == integrity
    for part in model_of(page)["parts"].values():
        data = (page.folder / "assets" / part["address"]).read_bytes()
        assert (len(data), sha384(data)) == (part["bytes"], part["integrity"])


def test_policy_allows_webassembly_and_its_own_files_only(page):
    html = texts(page, ".html")["index.html"]
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1]
    assert "default-src 'none'" in policy and "'wasm-unsafe-eval'" in policy
    assert (
        "'unsafe-eval'" not in policy and "unsafe-inline" not in policy and "http" not in policy and "*" not in policy
    )
    inline = re.findall(r"<script(?![^>]*src)[^>]*>(.*?)</script>", html)
    digests = ["'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in inline]
    assert digests and all(digest in policy for digest in digests)
    assert html.index("Content-Security-Policy") < html.index("<script"), "a policy holds for what comes after it"


def test_page_keeps_nothing_that_needs_a_server(page):
    html = texts(page, ".html")["index.html"]
    assert "/docs" not in html and "<!-- server -->" not in html
    assert "<title>My &quot;people&quot; &lt;3</title>" in html
    assert model_of(page)["card"] == "# A <card>"
    assert not [name for name in texts(page, ".js") if "server" in name]


def test_service_worker_keeps_all_but_the_pictures(page):
    files = json.loads(re.search(r"const FILES = (\[.*?\]);", texts(page, ".js")["sw.js"])[1])
    kept = {address for address, _ in files}
    assets = {f"assets/{path.name}" for path in (page.folder / "assets").iterdir()}
    assert kept == {"./"} | {name for name in assets if "picture-" not in name}
    assert all(sha384((page.folder / address).read_bytes()) == integrity for address, integrity in files if integrity)


def test_model_travels_with_the_settings_of_the_detector(page):
    settings, detector = model_of(page)["settings"], YuNetDetector()
    assert settings["looks"] == [list(look) for look in detector.looks]
    assert (settings["threshold"], settings["worth"]) == (detector.threshold, detector.worth)
    graph = gzip.decompress((page.folder / "assets" / model_of(page)["parts"]["faces"]["address"]).read_bytes())
    assert b"known_score" in graph


def test_people_are_called_as_the_bundle_calls_them(page, with_pictures):
    called = {person["name"]: person["display_name"] for person in model_of(page)["people"]}
    assert called == load_bundle(with_pictures).display_names and "Ada Lovelace" in called.values()


def test_another_detector_is_refused(bundle, stand_ins, monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, "runtime_files", lambda package=None: stand_ins)
    loaded = load_bundle(bundle)
    other = dataclasses.replace(loaded, recipe=dataclasses.replace(loaded.recipe, name="mine", detector=HaarDetector()))
    monkeypatch.setattr(publishing, "load_bundle", lambda folder: other)
    with pytest.raises(CelebmlError, match="finds faces with YuNet only, and this recipe does with HaarDetector"):
        publish(bundle, tmp_path / "page")


def test_same_bundle_gives_the_same_files(page, with_pictures, stand_ins, monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, "runtime_files", lambda package=None: stand_ins)
    again = publish(with_pictures, tmp_path / "again", title='My "people" <3')
    assert again.n_files == page.n_files and again.download == page.download
    for path in page.folder.rglob("*"):
        if path.is_file():
            assert (again.folder / path.relative_to(page.folder)).read_bytes() == path.read_bytes()


def test_pictures_can_be_left_out_and_an_earlier_page_is_replaced(
    page, with_pictures, stand_ins, monkeypatch, tmp_path
):
    monkeypatch.setattr(publishing, "runtime_files", lambda package=None: stand_ins)
    publish(with_pictures, tmp_path / "page")
    plain = publish(with_pictures, tmp_path / "page", pictures=False)
    assert not list(plain.folder.glob("assets/picture-*"))
    assert model_of(plain)["examples"] == [] and not any(person["portrait"] for person in model_of(plain)["people"])
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_folder_with_something_else_in_it_is_left_alone(bundle, stand_ins, monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, "runtime_files", lambda package=None: stand_ins)
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(DataError, match="not written by celebml; name a new folder"):
        publish(bundle, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_recipe_is_refused_and_nothing_is_written(bundle, stand_ins, monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, "runtime_files", lambda package=None: stand_ins)
    classic = dataclasses.replace(load_bundle(bundle), recipe=load_recipe(BASELINE), model=ClassicModel())
    monkeypatch.setattr(publishing, "load_bundle", lambda folder: classic)
    with pytest.raises(CelebmlError, match=f'only models of the recipe "{DEFAULT}"'):
        publish(bundle, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_what_is_missing_is_said_in_a_sentence(monkeypatch, tmp_path, bundle):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    run = CliRunner().invoke(main, ["publish", str(bundle), "--out", str(tmp_path / "page")])
    assert run.exit_code == 1 and "npm pack onnxruntime-web@" in run.output and "Traceback" not in run.output
    assert not (tmp_path / "page").exists()


def test_commands_say_what_was_written(page, bundle, stand_ins, monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, "runtime_files", lambda package=None: stand_ins)
    run = CliRunner().invoke(main, ["publish", str(bundle), "--out", str(tmp_path / "page"), "--json"])
    assert run.exit_code == 0, run.output
    assert Path(json.loads(run.output)["folder"]) == tmp_path / "page"
    run = CliRunner().invoke(main, ["export-onnx", str(bundle), "--out", str(tmp_path / "faces.onnx")])
    assert run.exit_code == 0 and (tmp_path / "faces.onnx").stat().st_size > 100_000

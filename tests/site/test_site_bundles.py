"""The site serves a folder, or a zip of one as the dashboard exports it."""

import shutil
import subprocess
import tempfile
import zipfile

import pytest
from site_requests import form

from celebml.errors import BundleError
from celebml_app.site import bundles, create_app
from tools.site_trial import ROOT, RunningSite


@pytest.fixture(scope="session")
def zipped(bundle, tmp_path_factory):
    "As the dashboard exports it: one folder, bundle/."
    stem = tmp_path_factory.mktemp("zipped") / "celebml-bundle"
    return shutil.make_archive(str(stem), "zip", bundle.parent, bundle.name)


@pytest.fixture(autouse=True)
def unpacked(tmp_path, monkeypatch):
    "Where zips are unpacked; nothing may be left there."
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def written(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_zip_answers_as_its_folder_does(client, zipped, face):
    ask = lambda one: one.post("/api/v1/classify", data=form(face)).get_json()
    ours, theirs = ask(client), ask(create_app(zipped).test_client())
    assert (ours["model"], ours["faces"]) == (theirs["model"], theirs["faces"])
    assert create_app(zipped).test_client().get("/api/v1/pictures/portraits/s1.jpg").status_code == 200


def test_the_folder_in_the_zip_may_be_missing(bundle, tmp_path):
    flat = shutil.make_archive(str(tmp_path / "flat"), "zip", bundle)
    with bundles.opened(flat) as folder:
        assert (folder / "manifest.json").read_bytes() == (bundle / "manifest.json").read_bytes()


def test_what_a_mac_adds_is_passed_over(bundle, tmp_path):
    path = tmp_path / "mac.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/._bundle", b"x")
        archive.write(bundle / "manifest.json", "bundle/manifest.json")
    with bundles.opened(path) as folder:
        assert folder.name == "bundle"


@pytest.mark.parametrize("name", ["../evil.txt", "bundle/../../evil.txt", "/evil.txt", "..\\evil.txt"])
def test_a_zip_does_not_write_outside_its_folder(tmp_path, name):
    path = written(tmp_path / "evil.zip", **{"bundle/manifest.json": "{}", name: "x"})
    with pytest.raises(BundleError, match=r"evil\.zip: .* outside its folder"):
        create_app(path)
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_zip_that_is_no_bundle_is_refused_in_a_sentence(tmp_path, bundle, monkeypatch):
    (tmp_path / "letter.zip").write_text("Dear admiral,")
    written(tmp_path / "photos.zip", **{"ada/1.jpg": "x"})
    written(tmp_path / "half.zip", **{"bundle/manifest.json": (bundle / "manifest.json").read_text()})
    cut = (tmp_path / "half.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(cut[: len(cut) // 2])
    said = {
        "letter": "cannot|can be unpacked",
        "photos": "no bundle in this zip",
        "half": "is missing",
        "cut": "unpacked",
    }
    for name, words in said.items():
        with pytest.raises(BundleError, match=words) as caught:
            create_app(tmp_path / f"{name}.zip")
        assert f"{name}.zip" in str(caught.value) and "celebml-bundle-" not in str(caught.value)
    with pytest.raises(BundleError, match="no bundle here"):
        create_app(tmp_path / "missing.zip")
    monkeypatch.setattr(bundles, "MAX_UNPACKED", 100)
    with pytest.raises(BundleError, match="once unpacked"):
        create_app(tmp_path / "half.zip")


def test_a_member_that_is_larger_than_it_says_is_not_unpacked(tmp_path):
    path = written(tmp_path / "liar.zip", **{"bundle/manifest.json": bytes(1_000_000)})
    data = path.read_bytes()
    path.write_bytes(data.replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(BundleError, match="unpacked"):
        create_app(path)


def test_gunicorn_serves_a_zip(zipped, tmp_path):
    with RunningSite(zipped, tmp_path / "run") as site:
        assert site.answers()


def test_gunicorn_says_in_a_sentence_why_it_does_not_start(tmp_path):
    path = written(tmp_path / "photos.zip", **{"ada/1.jpg": "x"})
    with pytest.raises(RuntimeError, match=r"photos\.zip: no bundle in this zip") as caught:
        RunningSite(path, tmp_path / "run").__enter__()
    assert "Traceback" not in str(caught.value)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_serves_a_zip_and_trains_nothing(tmp_path):
    done = subprocess.run(["make", "-n", "serve", "BUNDLE=x.zip"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 'serve "x.zip"' in done.stdout and "celebml run" not in done.stdout

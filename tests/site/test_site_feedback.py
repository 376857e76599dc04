"""Corrections are kept only where they are wanted and agreed to, for a time, and erased by their receipt."""

import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from site_requests import encoded_form

from celebml.datasets import load_folder
from celebml_app.site import create_app
from celebml_app.site import feedback as feedback_module
from celebml_app.site.feedback import Feedback, folder_name
from celebml_app.site.guard.problems import ProblemError
from celebml_app.site.settings import Settings

BOX = "10,6,78,98"


@pytest.fixture
def store(bundle, tmp_path):
    return create_app(bundle, feedback=tmp_path / "kept", feedback_mb=1), tmp_path / "kept"


def send(app, photo, headers=None, **fields):
    data = {"photo": ("a.jpg", photo), "box": BOX, "name": "s2", "consent": "true", "said": "s1"} | fields
    return app.test_client().post("/api/v1/feedback", **encoded_form(**data), headers=headers)


def faces(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jpg"))


def test_a_correction_becomes_a_face_that_training_reads(store, face):
    app, folder = store
    answer = send(app, face)
    assert answer.status_code == 201
    receipt = answer.get_json()
    assert receipt["kept"]
    assert receipt["until"] == (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    assert load_folder(folder / "photographs").names == ("s2",)
    assert send(app, face).get_json() == {"kept": False}, "the same face is kept once"


def test_each_face_of_a_photograph_is_a_correction_of_its_own(store, two_faces):
    app, folder = store
    found = app.test_client().post("/api/v1/classify", **encoded_form(photo=("a.jpg", two_faces))).get_json()["faces"]
    for one, name in zip(found, ("s2", ""), strict=True):
        box = ",".join(str(one["box"][key]) for key in ("x", "y", "width", "height"))
        assert send(app, two_faces, box=box, name=name).get_json()["kept"]
    (other, named) = sorted(faces(folder), key=lambda path: path.parent.name, reverse=True)
    assert (other.parent.name, named.parent.name) == ("somebody else", "s2")
    with Image.open(named) as large, Image.open(other) as small:
        assert large.height > small.height, "the larger face is the first"


def test_nothing_but_pixels_is_kept(store, face):
    app, folder = store
    notes = Image.Exif()
    notes[0x010E] = "SECRET"
    notes.get_ifd(0x8825)[1] = "N"
    carried = io.BytesIO()
    with Image.open(io.BytesIO(face)) as image:
        image.save(carried, "JPEG", exif=notes)
    assert send(app, carried.getvalue() + b"<?php SECRET ?>").get_json()["kept"]
    (kept,) = faces(folder)
    assert b"SECRET" not in kept.read_bytes()
    with Image.open(kept) as image:
        assert not image.getexif()


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_a_page_of_another_site_cannot_send_one(store, face, headers):
    app, folder = store
    assert send(app, face, headers).status_code == 403
    assert not folder.exists()
    assert send(app, face, {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}).status_code == 201


def test_nothing_is_kept_without_consent_or_with_a_name_or_a_box_that_is_none(store, face):
    app, folder = store
    assert send(app, face, consent="no").status_code == 422
    for name in ("Ada", "..", "../up", "a/b", "x" * 90, "\x00"):
        assert send(app, face, name=name).status_code == 422, name
    for box in ("", "1,2,3", "a,b,c,d", "500,500,80,80", "nan,0,1,1", "1e400,0,9,9", "0,0,0,0"):
        assert send(app, face, box=box).status_code == 422, box
    assert send(app, b"no picture").status_code == 415
    assert not folder.exists()


def test_the_limit_holds_when_many_send_at_once(tmp_path):
    store = Feedback(tmp_path / "kept", 100_000)

    def add(number: int) -> bool:
        try:
            return store.add(Image.effect_noise((300, 300), 10 + number).convert("RGB"), "", "s1", "m") is not None
        except ProblemError as problem:
            assert problem.headers["Retry_After"]
            return False

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(add, range(16)))
    held = sum(path.stat().st_size for path in faces(tmp_path))
    assert held <= 100_000
    assert 0 < taken < 16
    assert len(faces(tmp_path)) == taken


def test_the_receipt_shows_and_erases(store, face):
    app, folder = store
    client = app.test_client()
    page = send(app, face).get_json()["page"]
    shown = client.get(page)
    assert "<strong>s2</strong>" in shown.text and "data:image/jpeg;base64," in shown.text
    assert client.post(page, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert len(faces(folder)) == 1
    erased = client.post(page, headers={"Sec-Fetch-Site": "same-origin"})
    assert "Erased." in client.get(erased.headers["Location"]).text
    assert faces(folder) == []
    assert client.get(page).status_code == 404
    receipt = send(app, face).get_json()["receipt"]
    assert client.delete(f"/api/v1/feedback/{receipt}").get_json() == {"erased": True}
    assert client.delete(f"/api/v1/feedback/{receipt}").status_code == 404
    assert receipt.encode() not in (folder / "feedback.sqlite").read_bytes(), "only the hash of a receipt is kept"


def test_what_is_past_its_day_is_erased_by_the_timer_and_by_the_next_correction(store, face, monkeypatch, two_faces):
    app, folder = store

    class Past(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=92)

    monkeypatch.setattr(feedback_module, "datetime", Past)
    assert send(app, face).status_code == 201
    monkeypatch.undo()
    assert len(faces(folder)) == 1
    command = [sys.executable, "-m", "celebml_app.site.feedback", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "1 corrections erased\n"
    assert faces(folder) == []


def test_the_operator_sees_them_in_review(store, face, tmp_path):
    app, folder = store
    send(app, face)
    command = [sys.executable, "-m", "celebml", "review", folder / "photographs", "--quick", "--json"]
    done = subprocess.run([*command, "--export", tmp_path / "sheet.csv"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sheet"]
    assert faces(folder)[0].name in (tmp_path / "sheet.csv").read_text(encoding="utf-8")


def test_it_is_off_by_default(client, face):
    data = {"photo": (io.BytesIO(face), "a.jpg"), "box": BOX, "name": "s2", "consent": "true"}
    assert client.post("/api/v1/feedback", data=data).status_code == 404
    assert "takes no corrections" in client.get("/privacy").text


def test_what_is_kept_is_said(store):
    app, _ = store
    assert "erased after 90 days" in app.test_client().get("/privacy").text


def test_privacy_says_what_the_settings_say(bundle, monkeypatch):
    def told():
        given = vars(Settings.from_environment(bundle=bundle))
        return create_app(given.pop("bundle"), **given).test_client().get("/privacy").text

    assert "has not said how they are reached" in told() and "for 30 days" in told()
    said = {"OPERATOR": "the photo club, club@example.org", "PURPOSE": "to name people", "LOG_DAYS": "7"}
    for name, value in said.items():
        monkeypatch.setenv(f"CELEBML_{name}", value)
    for words in ("the photo club, club@example.org.", "there to name people.", "for 7 days", "celebml forget"):
        assert words in told()


def test_names_keep_their_letters():
    assert folder_name("  Zoë \t Ångström-O’Neil ") == "Zoë Ångström-O’Neil"
    with pytest.raises(ProblemError):
        folder_name("?")

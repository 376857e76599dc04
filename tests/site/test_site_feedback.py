"""Corrections are kept only where they are wanted and agreed to."""

import io
import sqlite3
from contextlib import closing

import pytest
from site_requests import encoded_form

from app.site import create_app
from app.site.feedback import folder_name
from app.site.problems import ProblemError
from celebml.datasets import load_folder


@pytest.fixture
def store(bundle, tmp_path):
    return create_app(bundle, feedback=tmp_path / "kept", feedback_mb=1), tmp_path / "kept"


def send(app, photo, **fields):
    data = {"photo": ("a.jpg", photo), "name": "Ada", "consent": "true", "said": "s1"} | fields
    return app.test_client().post("/api/v1/feedback", **encoded_form(**data))


def test_a_correction_becomes_a_file_and_a_row(store, face):
    app, folder = store
    answer = send(app, face)
    assert (answer.status_code, answer.get_json()) == (201, {"kept": True})
    (path,) = load_folder(folder / "photographs").paths
    assert path.parent.name == "Ada"
    assert path.read_bytes() == face
    with closing(sqlite3.connect(folder / "feedback.sqlite")) as database:
        (row,) = database.execute("select file, said, right_name, model from feedback").fetchall()
    assert row == (f"photographs/Ada/{path.name}", "s1", "Ada", app.extensions["celebml"].version)
    assert send(app, face, name="Grace").get_json() == {"kept": False}, "the same photograph is kept once"


def test_nothing_is_kept_without_consent_or_with_a_bad_name(store, face):
    app, folder = store
    assert send(app, face, consent="no").status_code == 422
    for name in ("", "..", "../up", "a/b", "x" * 90, "\x00", "..\\up"):
        assert send(app, face, name=name).status_code == 422, name
    assert send(app, b"no picture").status_code == 415
    assert not folder.exists()


def test_the_folder_does_not_grow_without_end(store, face):
    app, _ = store
    assert send(app, face + bytes(900_000)).status_code == 201
    full = send(app, face + bytes(200_000))
    assert full.status_code == 503
    assert full.headers["Retry-After"]


def test_it_is_off_by_default(client, face):
    data = {"photo": (io.BytesIO(face), "a.jpg"), "name": "Ada", "consent": "true"}
    assert client.post("/api/v1/feedback", data=data).status_code == 404


def test_names_keep_their_letters():
    assert folder_name("  Zoë \t Ångström-O’Neil ") == "Zoë Ångström-O’Neil"
    with pytest.raises(ProblemError):
        folder_name("?")

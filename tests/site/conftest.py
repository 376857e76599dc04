"""A small bundle of AT&T faces, trained once, and the site around it."""

import pytest
from flask.testing import FlaskClient
from PIL import Image
from site_requests import encoded

from celebml.datasets import load_att
from celebml_app.site import create_app
from tools.site_trial import small_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("site") / "bundle", people=4)


class Client(FlaskClient):
    "Reads answers to their end, so that a file that is sent is closed."

    def open(self, *args, **more):
        return super().open(*args, buffered=True, **more)


@pytest.fixture(scope="session")
def app(bundle):
    found = create_app(bundle)
    found.test_client_class = Client
    return found


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(scope="session")
def face() -> bytes:
    "A held-out photograph of s1, as JPEG."
    return encoded(Image.open(load_att().paths[7]))


@pytest.fixture(scope="session")
def two_faces(face) -> bytes:
    "Two photographs side by side: s1, small, and s3, large."
    att = load_att()
    sheet = Image.new("RGB", (640, 400), (128, 128, 128))
    sheet.paste(Image.open(att.paths[7]), (60, 140))
    sheet.paste(Image.open(att.paths[27]).resize((230, 280)), (320, 60))
    return encoded(sheet)

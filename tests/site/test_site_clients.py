"""Clients that others' generators make of the description import, and classify."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.site_trial import ROOT, RunningSite

DESCRIPTION = ROOT / "app/site/openapi.json"
ONE = """
import base64, io, sys
from made import Client
from made.api.api import classify
from made.models import ClassifyForm, ClassifyJson, Problem
from made.types import File
client, data = Client(base_url=sys.argv[1]), open(sys.argv[2], "rb").read()
bodies = [
    ClassifyJson(image=base64.b64encode(data).decode()),
    ClassifyForm(photo=[File(payload=io.BytesIO(data), file_name="a.jpg", mime_type="image/jpeg")]),
    File(payload=io.BytesIO(data)),
]
for body in bodies:
    print(classify.sync(client=client, body=body).faces[0].name)
assert isinstance(classify.sync(client=client, body=File(payload=io.BytesIO(b"x"))), Problem)
"""
OTHER = """
import base64, sys
from made import ApiClient, Configuration
from made.api.api_api import ApiApi
from made.api.legacy_api import LegacyApi
data = open(sys.argv[2], "rb").read()
with ApiClient(Configuration(host=sys.argv[1])) as client:
    form, urlencoded = "multipart/form-data", "application/x-www-form-urlencoded"
    answer = ApiApi(client).classify(photo=[("a.jpg", data)], _content_type=form)
    print(answer.actual_instance.faces[0].name)
    text = base64.b64encode(data).decode()
    print(LegacyApi(client).classify_image(image_data=text, _content_type=urlencoded)[0].label)
"""


@pytest.fixture(scope="module")
def site(bundle, tmp_path_factory):
    with RunningSite(bundle, tmp_path_factory.mktemp("clients"), workers=1) as found:
        yield found


def ask(program: str, where, site, face, tmp_path) -> list[str]:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(face)
    command = [sys.executable, "-c", program, site.url, str(photo)]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(
    not importlib.util.find_spec("openapi_python_client"), reason='mend with: pip install "celebml[browser]"'
)
def test_openapi_python_client_makes_one_that_classifies(site, face, tmp_path):
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", DESCRIPTION, "--meta", "none"]
    done = subprocess.run([*command, "--output-path", tmp_path / "made"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ask(ONE, tmp_path, site, face, tmp_path) == ["s1"] * 3


@pytest.mark.skipif(
    not (importlib.util.find_spec("openapi_generator_cli") and shutil.which("java")),
    reason='needs Java, and: pip install openapi-generator-cli lazy-imports "pydantic>=2" python-dateutil',
)
def test_openapi_generator_makes_one_that_classifies(site, face, tmp_path):
    pytest.importorskip("lazy_imports", reason="the client that it makes needs lazy-imports")
    options = ["--global-property", "apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"]
    jar = Path(importlib.util.find_spec("openapi_generator_cli").origin).with_name("openapi-generator.jar")
    command = ["java", "-jar", jar, "generate", "-i", DESCRIPTION, "-g", "python", *options]
    made = [*command, "-o", tmp_path / "out", "--package-name", "made"]
    done = subprocess.run(made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert ask(OTHER, tmp_path / "out", site, face, tmp_path) == ["s1"] * 2

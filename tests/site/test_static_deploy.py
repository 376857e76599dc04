"""The page on S3 and CloudFront: the template is valid, and files arrive before the page that names them."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "deploy" / "static"


def test_template_is_valid_and_nothing_in_it_is_public():
    from cfnlint.api import lint_file
    from cfnlint.decode import decode

    assert [str(match) for match in lint_file(FOLDER / "template.yaml")] == []
    template, _ = decode(str(FOLDER / "template.yaml"))
    resources = template["Resources"]
    assert all(resources["Files"]["Properties"]["PublicAccessBlockConfiguration"].values())
    behaviour = resources["Page"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https" and behaviour["AllowedMethods"] == ["GET", "HEAD"]


@pytest.fixture
def put(tmp_path):
    "The script with an aws that writes down what it is asked."
    fake, log = tmp_path / "aws", tmp_path / "log"
    fake.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\ncase "$*" in *describe-stacks*) echo out ;; esac\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)

    def run(folder):
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        return subprocess.run([FOLDER / "put.sh", folder, "stack"], env=environment, capture_output=True, text=True)

    run.log = log
    return run


def test_files_are_sent_before_the_page_that_names_them(put, tmp_path):
    page = tmp_path / "page"
    page.mkdir()
    (page / "sw.js").write_text("")
    assert put(page).returncode == 0
    sent = [line for line in put.log.read_text().splitlines() if line.startswith("s3 cp")]
    assert "/assets" in sent[0] and "immutable" in sent[0] and "no-cache" in sent[1] and "assets/*" in sent[1]
    assert "create-invalidation" in put.log.read_text()


def test_a_folder_that_is_no_page_is_not_sent(put, tmp_path):
    found = put(tmp_path)
    assert found.returncode == 1 and "celebml publish" in found.stderr and not put.log.exists()

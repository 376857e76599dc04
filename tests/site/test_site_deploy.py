"""The deployment, as far as it can be tried without a cloud."""

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from waiting import answers, until

from tools.site_trial import ROOT, free_port

DEPLOY = ROOT / "deploy"
TEMPLATE = DEPLOY / "ec2" / "template.yaml"


def run(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def test_the_template_is_clean():
    from cfnlint.api import lint_file

    assert [str(found) for found in lint_file(TEMPLATE)] == []


@pytest.fixture(scope="module")
def stack():
    "The stack, made in moto's cloud."
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        region = "eu-west-1"
        image = boto3.client("ec2", region).describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        boto3.client("ssm", region).put_parameter(Name="/try/image", Value=image, Type="String")
        cloud = boto3.client("cloudformation", region)
        given = {"Bucket": "my-bucket", "Email": "ops@example.org", "Image": "/try/image", "Bundle": "b.tar.gz"}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Tried to parse AWS::CloudWatch::Alarm")  # moto makes no alarms
            cloud.create_stack(
                StackName="celebml",
                TemplateBody=re.sub("/aws/service/canonical.*", "/try/image", TEMPLATE.read_text(encoding="utf-8")),
                Capabilities=["CAPABILITY_IAM"],
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            )
            resources = cloud.describe_stack_resources(StackName="celebml")["StackResources"]
        made = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources if "PhysicalResourceId" in one}
        yield made, boto3.client("ec2", region)


def test_the_stack_comes_up_with_one_machine(stack):
    resources, ec2 = stack
    (machine,) = ec2.describe_instances()["Reservations"][0]["Instances"]
    assert machine["InstanceId"] == resources["Machine"]
    (template,) = ec2.describe_launch_template_versions(LaunchTemplateId=resources["Template"])[
        "LaunchTemplateVersions"
    ]
    options = template["LaunchTemplateData"]["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    data = ec2.describe_instance_attribute(InstanceId=machine["InstanceId"], Attribute="userData")
    assert data["UserData"]["Value"]
    assert machine["PublicIpAddress"] == resources["Address"]
    assert {"Logs", "Role", "Profile", "Alarms"} <= set(resources)


def test_only_the_web_is_open(stack):
    resources, ec2 = stack
    (group,) = ec2.describe_security_groups(GroupIds=[resources["Firewall"]])["SecurityGroups"]
    assert sorted(rule["FromPort"] for rule in group["IpPermissions"]) == [80, 443]
    assert all(rule["FromPort"] == rule["ToPort"] for rule in group["IpPermissions"])
    assert "KeyName" not in TEMPLATE.read_text()


def test_volumes_are_encrypted():
    assert re.search(r"Ebs: \{[^}]*Encrypted: true", TEMPLATE.read_text())


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed; mend with: make browser")
def test_scripts_are_clean():
    scripts = [path for path in DEPLOY.rglob("*") if path.is_file() and path.read_bytes()[:2] == b"#!"]
    assert len(scripts) >= 5
    checked = run("shellcheck", "-x", *scripts, ROOT / "tests/browser/install.sh")
    assert checked.stdout == ""


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed; mend with: make browser"
)
@pytest.mark.parametrize("drop_in", [None, "fetch.conf"])
def test_the_unit_is_hardened(tmp_path, drop_in):
    unit = tmp_path / "celebml.service"
    text = (DEPLOY / "ec2/systemd/celebml.service").read_text()
    if drop_in:
        text += (DEPLOY / "ec2/systemd" / drop_in).read_text()
    unit.write_text(text)
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit).stdout
    exposure = float(re.search(r"exposure level[^:]*: ([\d.]+)", said)[1])
    assert exposure < (2.5 if drop_in else 1.0)


def rendered(folder: Path, **more: str) -> subprocess.CompletedProcess:
    given = {
        "CONF": folder,
        "STATIC": "/s",
        "SOCKET": "/a.sock",
        "LOG": folder,
        "ACME": "/acme",
        "LISTEN": "8099",
        "BODIES": folder / "bodies",
    } | more
    words = [f"{name}={value}" for name, value in given.items()]
    return run("env", *words, DEPLOY / "nginx/render.sh", folder)


def test_no_word_is_left_unfilled(tmp_path):
    assert rendered(tmp_path).returncode == 0
    for path in tmp_path.glob("*.conf"):
        assert not re.search("@[A-Z_]+@", re.sub(r"#.*", "", path.read_text())), path
    assert run("env", "CONF=/x", DEPLOY / "nginx/render.sh", tmp_path).returncode != 0


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.skipif(
    not (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")),
    reason="nginx is not installed; mend with: make browser",
)
def test_nginx_accepts_the_site_with_a_certificate(tmp_path):
    subject = ["-subj", "/CN=celebml.example", "-days", "2", "-newkey", "rsa:2048", "-nodes", "-x509"]
    keys = ["-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"]
    assert run("openssl", "req", *subject, *keys).returncode == 0
    done = rendered(tmp_path, DOMAIN="celebml.example", CERTIFICATE=str(tmp_path), HSTS="1")
    assert done.returncode == 0, done.stderr
    assert "Strict-Transport-Security" in (tmp_path / "headers.conf").read_text()
    temp = "".join(f"{name}_temp_path {tmp_path}/{name};" for name in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ {temp} include {tmp_path}/upstream.conf; include {tmp_path}/https.conf; }}\n"
    )
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    tested = run(nginx, "-t", "-e", tmp_path / "error.log", "-p", tmp_path, "-c", tmp_path / "nginx.conf")
    assert "test is successful" in tested.stderr, tested.stderr


@pytest.fixture
def releases(tmp_path):
    "celebml-release and two bundles, in a folder of its own."
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(f'"{name}"')
    return lambda *words: run("env", f"CELEBML_ROOT={tmp_path}/opt", DEPLOY / "ec2/celebml-release", *words)


def test_releases_are_switched_and_rolled_back(releases, tmp_path):
    def served():
        return (tmp_path / "opt/bundle/manifest.json").read_text()

    assert releases("bundle", tmp_path / "one").returncode == 0
    assert served() == '"one"'
    assert "already" in releases("bundle", tmp_path / "one").stdout
    assert releases("bundle", tmp_path / "two").returncode == 0
    assert served() == '"two"'
    assert releases("rollback", "bundle").returncode == 0
    assert served() == '"one"'
    assert releases("list").stdout.count("*") == 1


def test_a_bad_release_changes_nothing(releases, tmp_path):
    releases("bundle", tmp_path / "one")
    (tmp_path / "empty").mkdir()
    refused = releases("bundle", tmp_path / "empty")
    assert refused.returncode == 1
    assert "manifest.json is missing" in refused.stderr
    assert releases("code", tmp_path / "one").returncode == 1
    assert releases("rollback", "code").returncode == 1
    assert (tmp_path / "opt/bundle/manifest.json").read_text() == '"one"'
    assert [path.name for path in (tmp_path / "opt/bundles").iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="the sqlite3 program is not installed; mend with: make browser")
def test_backups_hold_everything_and_do_not_pile_up(tmp_path):
    import sqlite3
    from contextlib import closing

    feedback = tmp_path / "feedback"
    (feedback / "photographs/Ada").mkdir(parents=True)
    (feedback / "photographs/Ada/1.jpg").write_bytes(b"1")
    with closing(sqlite3.connect(feedback / "feedback.sqlite")) as database, database:
        database.execute("create table feedback (file text)")
    (tmp_path / "backups").mkdir()
    for i in range(5):
        (tmp_path / f"backups/feedback-2001010{i}T000000Z.tar.gz").write_bytes(b"old")
    words = [f"CELEBML_FEEDBACK={feedback}", f"BACKUPS={tmp_path}/backups", "KEEP=3"]
    made = run("env", *words, DEPLOY / "ec2/celebml-backup")
    assert made.returncode == 0, made.stderr
    assert len(list((tmp_path / "backups").iterdir())) == 3
    inside = run("tar", "-tzf", made.stdout.strip()).stdout
    assert "feedback/feedback.sqlite" in inside
    assert "feedback/photographs/Ada/1.jpg" in inside


@pytest.mark.parametrize("where", ["Procfile", "Dockerfile"])
def test_the_packed_folder_starts_with_its_own_line(where, bundle, tmp_path):
    packed = tmp_path / "packed"
    done = run(DEPLOY / "pack.sh", packed, bundle)
    assert done.returncode == 0, done.stderr
    text = (packed / where).read_text()
    line = re.search(r'^web: (.*)$|^CMD \["sh", "-c", "(.*)"\]$', text, re.MULTILINE)
    # "celebml serve" stands for the script that pip makes; python -m is what it does
    command = (line[1] or line[2]).replace("celebml serve", "python -m celebml serve").replace("-m python -m", "-m")
    command = command.replace("python ", f"{sys.executable} ")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    assert run(*install, "--target", tmp_path / "installed", packed).returncode == 0
    port = free_port()
    names = {"PORT": str(port), "CELEBML_BUNDLE": "bundle", "CELEBML_WORKERS": "1", "WEB_CONCURRENCY": "1"}
    kept = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    server = subprocess.Popen(["sh", "-c", f"exec env {command.replace('exec ', '')}"], cwd=packed, env=kept | names)
    try:
        until(lambda: server.poll() is not None or answers(f"http://127.0.0.1:{port}/readyz"))
        assert server.poll() is None
        assert b"Who is this" in answers(f"http://127.0.0.1:{port}/")
    finally:
        server.terminate()
        server.wait(30)


def test_an_archive_holds_no_more_than_is_needed(tmp_path):
    archive = tmp_path / "celebml.tar.gz"
    assert run(DEPLOY / "pack.sh", archive).returncode == 0
    names = run("tar", "-tzf", archive).stdout.split()
    assert "celebml/deploy/ec2/provision.sh" in names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name or "/nbs/" in name]

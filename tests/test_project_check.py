"""The check of the final project says what is missing, and nothing when nothing is."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
CARD = "# Card\n\nA face is known from the threshold on. For learning; not for watching people.\n"
ABOUT = "Who? Ourselves. Whose photographs? Ours. What for? To learn. Until when? The end of term."
PAGE = '<!doctype html><html lang="en"><title>Who?</title><p>Photographs are not kept.<script src="a.js"></script>'


@pytest.fixture(scope="module")
def missing():
    "The chapter's own function, with the checks that it calls."
    names = {}
    exec("import json, re, shutil\nfrom pathlib import Path", names)
    for cell in nbformat.read(ROOT / "nbs" / "39_your_own.ipynb", as_version=4).cells:
        if cell.cell_type == "code" and ("def check_" in cell.source or "def missing" in cell.source):
            exec(cell.source.replace("\nmissing(out)", ""), names)
    return names["missing"]


@pytest.fixture
def project(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "bundle")
    scores = json.dumps({"best": {"accuracy_all": 0.956, "sd": 0.029}})
    for name, text in {
        "ABOUT.md": ABOUT,
        "report.html": "right, of all: 95.6 ± 2.9 %",
        "page/index.html": PAGE,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    from hashlib import sha256

    for name, text in {"metrics.json": scores, "MODEL_CARD.md": CARD}.items():
        (tmp_path / "bundle" / name).write_text(text, encoding="utf-8")
        manifest["sha256"][name] = sha256(text.encode()).hexdigest()
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_a_whole_project_lacks_nothing(missing, project):
    assert missing(project) == {"purpose": [], "model": [], "score": [], "report": [], "page": []}


@pytest.mark.parametrize(
    ("file", "old", "new", "part", "said"),
    [
        ("ABOUT.md", "Until when?", "", "purpose", "until when"),
        ("bundle/model.skops", None, b"damaged", "model", "does not open"),
        ("bundle/MODEL_CARD.md", "not for", "always for", "score", "what not for"),
        ("bundle/metrics.json", "sd", "spread", "score", "with its sd"),
        ("report.html", "95.6", "99.9", "report", "95.6"),
        ("page/index.html", ' lang="en"', "", "page", "language"),
        ("page/index.html", "<title>Who?", "<title>", "page", "title"),
        ("page/index.html", 'src="a.js"', 'src="https://cdn.example/a.js"', "page", "elsewhere"),
        ("page/index.html", "<p>", "<script>p.innerHTML = name</script><p>", "page", "innerHTML"),
        ("page/index.html", "not kept", "nice", "page", "happens to photographs"),
    ],
)
def test_what_is_missing_is_said(missing, project, file, old, new, part, said):
    path = project / file
    path.write_bytes(new) if old is None else path.write_text(path.read_text().replace(old, new))
    assert any(said in sentence for sentence in missing(project)[part]), missing(project)


def test_an_empty_folder_lacks_everything_and_breaks_nothing(missing, tmp_path):
    assert all(missing(tmp_path).values())

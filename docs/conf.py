"""The course site: chapters, pages and the API reference, built from the repository's root and without a network."""

import inspect
import json
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

from docutils import nodes
from fastcore.docments import docments
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).resolve().parent))

from contents import TOC, chapters_of, numbers_table

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "docs" / "_build"
sys.path.insert(0, str(ROOT))

settings = ConfigParser(delimiters=["="])
settings.read(ROOT / "settings.ini", encoding="utf-8")
facts = settings["DEFAULT"]

project, author, version = facts["title"], facts["author"], facts["version"]
copyright = facts["copyright"]
html_title = project

# The root of the repository is the root of the site, so that one relative link works in both.
root_doc = "docs/index"
LAW = [
    "LICENSE-TEXT",
    "THIRD_PARTY",
    "SECURITY",
    "CODE_OF_CONDUCT",
]  # pages at the repository's root, where they are looked for
include_patterns = [
    "nbs/*.ipynb",
    "docs/*.md",
    "docs/parts/*.md",
    "docs/teaching/*.md",
    "docs/api/*.md",
    "CONTRIBUTING.md",
]
include_patterns += [f"{name}.md" for name in LAW]
exclude_patterns = ["docs/_build", ".*", "runs", "build", "dist", "**/.ipynb_checkpoints", "nbs/exercises"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
]

# Outputs are stored in the notebooks, and tests see to it that they are current.
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show a solution"  # only solutions are folded
nb_code_prompt_hide = "Hide it again"
nb_ipywidgets_js = {}  # sliders are pictures and a few lines of script: the site loads nothing from elsewhere
myst_enable_extensions = ["dollarmath", "deflist", "tasklist"]
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static", "_build/mathjax"]
html_extra_path = ["_build/extra"]
html_css_files = ["course.css"]
html_favicon = "_static/mark.svg"
templates_path = ["_templates"]
html_copy_source = False
html_theme_options = {
    "source_repository": facts["git_url"],
    "source_branch": facts["branch"],
    "source_directory": "",
}
mathjax_path = "tex-mml-chtml.js"
pygments_style = "default"
pygments_dark_style = "github-dark"

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False


def redirects(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    "The site's root, and the addresses that chapters and modules had before, lead on."
    for old, new in {"index": root_doc, **TOC["moved"]}.items():
        target = "../" * old.count("/") + new + ".html"
        yield old, {"target": target}, "redirect.html"


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    "The table of contents of docs/toc.yml: parts on the first page, chapters on each part's page."
    parts = {f"docs/parts/{part['page']}": part for part in TOC["parts"]}
    if page == root_doc:
        first = [f"parts/{part['page']}" for part in TOC["parts"] if part.get("book") != "second"]
        second = [f"parts/{part['page']}" for part in TOC["parts"] if part.get("book") == "second"]
        teach = [f"teaching/{page}" for page in ("index", "guide", "adopt", "questionnaire")]
        people = ["not_for", "dpia", *(f"../{name}" for name in LAW)]
        look_up = ["cheatsheet", "glossary", "chapters", "running", "everywhere", "../CONTRIBUTING"]
        source[0] += _toctree("The course", first) + _toctree("The second book", second)
        source[0] += _toctree("Teach with it", teach) + _toctree("People and rights", people)
        source[0] += _toctree("Look things up", look_up) + _toctree("API reference", ["/docs/api/*"], glob=True)
    elif page == "docs/chapters":
        source[0] = re.sub(r"<!-- table -->.*", lambda _: numbers_table(), source[0], flags=re.DOTALL)
    elif page in parts:
        source[0] += _toctree("", [f"/nbs/{chapter.path.stem}" for chapter in chapters_of(parts[page])])


def _toctree(caption: str, entries: list[str], glob: bool = False) -> str:
    options = ":hidden:\n" + (f":caption: {caption}\n" if caption else "") + (":glob:\n" if glob else "")
    return "\n\n```{toctree}\n" + options + "\n" + "\n".join(entries) + "\n```\n"


def write_api_pages(app: Sphinx) -> None:
    "One page a module, from the package as it is now."
    folder = ROOT / "docs" / "api"
    folder.mkdir(exist_ok=True)
    wanted = {}
    for path in sorted((ROOT / "celebml").glob("[a-z]*.py")):
        chapters = re.findall(r"^# %% \.\./(nbs/\S+\.ipynb)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        lessons = ", ".join(f"[](../../{chapter})" for chapter in dict.fromkeys(chapters))
        lesson = f"The lesson that this module is made of: {lessons}.\n\n" if lessons else ""
        directive = f"```{{eval-rst}}\n.. automodule:: celebml.{path.stem}\n   :members:\n```\n"
        wanted[folder / f"{path.stem}.md"] = f"# celebml.{path.stem}\n\n{lesson}{directive}"
    for old in set(folder.glob("*.md")) - set(wanted):
        old.unlink()
    for page, text in wanted.items():
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def add_parameters(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    "Turn the comments beside a function's parameters (shapes, units) into a numpydoc section."
    if what not in ("function", "method") or any(line.startswith("Parameters") for line in lines):
        return
    try:
        signature, comments = inspect.signature(thing), docments(thing)
    except (TypeError, ValueError, OSError):
        return
    told = {key: text for key, text in comments.items() if text}
    rows = [key for key in signature.parameters if key in told]
    if rows:
        lines += ["", "Parameters", "----------"]
    for key in rows:
        lines += [f"{key} : {_annotation(signature.parameters[key].annotation)}", f"    {told[key]}"]
    if "return" in told:
        lines += ["", "Returns", "-------", _annotation(signature.return_annotation), f"    {told['return']}"]


def _annotation(annotation: object) -> str:
    return re.sub(r"\b(?:\w+\.)+(\w)", r"\1", inspect.formatannotation(annotation))


def skip_foreign(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    "Leave out a named tuple's fields, which its own docstring lists, and what scikit-learn adds to every estimator."
    alias = (getattr(thing, "__doc__", "") or "").startswith("Alias for field number")
    return True if alias or str(getattr(thing, "__module__", "")).startswith("sklearn") else None


def link_repository(app: Sphinx, page: str, source: list[str]) -> None:
    "What is no page of the site (programs, settings) is shown in the repository."
    up = "../" * page.count("/")
    outside = rf"\]\({re.escape(up)}((?:app|benchmarks|celebml|deploy|paper|requirements|tests)(?:/[^)\s]*)?|LICENSE)\)"
    source[0] = re.sub(outside, rf"]({facts['git_url']}/tree/{facts['branch']}/\1)", source[0])


def caption_figures(app: Sphinx, page: str, source: list[str]) -> None:
    "`#| fig-cap:` and `#| fig-alt:` at the top of a cell become its picture's caption and alternative text."
    if not page.startswith("nbs/"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        told = dict(re.findall(r"^#\| fig-(cap|alt): (.+)$", "".join(cell["source"]), flags=re.MULTILINE))
        if told:
            figure = {"figure": {"caption": told["cap"]}} if "cap" in told else {}
            cell["metadata"]["mystnb"] = {"image": {"alt": told.get("alt", told.get("cap"))}, **figure}
    source[0] = json.dumps(notebook)


def hide_directives(app: Sphinx, doctree: nodes.document) -> None:
    "Lines for nbdev are no part of the lesson: a cell that goes into the library gets a class instead."
    for block in list(doctree.findall(nodes.literal_block)):
        text = re.sub(r"^#\|.*\n?", "", block.astext(), flags=re.MULTILINE)
        cell = block.parent.parent
        if text == block.astext() or not isinstance(cell, nodes.container):
            continue
        if "#| export" in block.astext():
            cell["classes"].append("exported")
        if text.strip():
            block.replace_self(nodes.literal_block(text.strip(), text.strip(), **block.attributes))
        else:
            cell.parent.remove(cell)


def link_exercises(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    "A chapter with exercises offers them as a notebook whose solutions are folded away."
    file = f"exercises/{Path(page).name}.ipynb"
    if page.startswith("nbs/") and (BUILT / "extra" / file).is_file():
        link = f'<a href="../{file}" download>Exercises of this chapter as a notebook</a>, solutions folded away.'
        context["body"] = re.sub(r"(</h1>)", rf'\1<p class="download">{link}</p>', context["body"], count=1)


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_api_pages)
    app.connect("autodoc-process-docstring", add_parameters, priority=400)  # before napoleon reads the sections
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("source-read", link_repository)
    app.connect("source-read", add_contents)
    app.connect("source-read", caption_figures)
    app.connect("html-collect-pages", redirects)
    app.connect("doctree-read", hide_directives)
    app.connect("html-page-context", link_exercises)

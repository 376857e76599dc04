"""Slides out of the chapters: headings and pictures for the wall, prose for the speaker.

    python docs/slides.py [--out docs/_build/slides] [chapter.ipynb ...]

The notebooks are the source; there is nothing to keep in step. A heading begins a slide, with the first sentence under
it. A picture is a slide with its caption, its code left out. A cell of a few lines is shown with its result. All other
prose stands in the speaker's notes (press s). Library code, solutions and tests of exercises, and cells tagged
`skip-slide` are left out. Pages load nothing from elsewhere.
"""

import argparse
import re
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbconvert.preprocessors import TagRemovePreprocessor

NBS = Path(__file__).resolve().parent.parent / "nbs"
OUT = Path(__file__).resolve().parent / "_build" / "slides"
LEFT_OUT = {"solution", "exercise-test", "exercise-cases", "remove-cell", "skip-slide", "colab"}
MOST_LINES = 8  # of code on a slide
MOST_WORDS = 30  # of prose


def _markdown(source: str, kind: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}})


def first_sentence(text: str) -> str:
    "The first sentence of a paragraph, if it is short enough to be read from the last row."
    found = re.match(r".+?[.?!](?=\s|$)", text.strip(), re.DOTALL)
    sentence = " ".join(found[0].split()) if found else ""
    return sentence if 0 < len(sentence.split()) <= MOST_WORDS else ""


def prose_slides(source: str) -> list[nbformat.NotebookNode]:
    "A Markdown cell as slides and notes: a heading with its first sentence, a formula or a table; the rest is said."
    cells = []
    for block in re.split(r"\n(?=#{1,4} )", source):
        heading = re.match(r"(#{1,4}) (.+)\n*", block)
        text = block[heading.end() :] if heading else block
        shown = re.findall(r"^\$\$.+?\$\$$|(?:^\|.*\n?)+|^!\[.*\)$", text, flags=re.MULTILINE | re.DOTALL)
        if heading:
            level = "slide" if len(heading[1]) < 3 else "subslide"
            said = text.lstrip("> \n") if heading[1] == "#" else text
            cells.append(_markdown(f"{heading[0].strip()}\n\n{first_sentence(said)}", level))
        cells += [_markdown(one, "-" if cells else "subslide") for one in shown]
        if text.strip():
            cells.append(_markdown(text, "notes"))
    return cells


def code_slide(cell: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    "A cell with a picture as its own slide, a short one under the heading; none for the workings."
    caption = re.search(r"^#\| fig-cap: (.+)$", cell.source, flags=re.MULTILINE)
    source = re.sub(r"^#\|.*\n?", "", cell.source, flags=re.MULTILINE).strip()
    pictured = any({"image/png", "text/html"} & set(output.get("data", {})) for output in cell.outputs)
    if "#| export" in cell.source or not (pictured or (cell.outputs and len(source.splitlines()) <= MOST_LINES)):
        return None
    outputs = [output for output in cell.outputs if output.output_type != "stream" or output.name == "stdout"]
    for output in outputs:
        if "image/png" in output.get("data", {}):
            output.data.pop("text/plain", None)
            output.metadata = {"image/png": {"alt": caption[1]}} if caption else {}
    slide = nbformat.v4.new_code_cell(source, outputs=outputs, metadata={"slideshow": {"slide_type": "subslide"}})
    if pictured:
        slide.metadata["tags"] = ["hide-source"]
    return slide


def slides(chapter: nbformat.NotebookNode) -> nbformat.NotebookNode:
    "A chapter as a notebook whose cells say which slide they belong to."
    cells, waiting = [], False
    for cell in chapter.cells:
        if LEFT_OUT & set(cell.metadata.get("tags", [])):
            continue
        if cell.cell_type == "markdown":
            cells += prose_slides(re.sub(r"</?(details|summary)>", "", cell.source))
            waiting = bool(cells) and cells[-1].metadata["slideshow"]["slide_type"] == "slide"
        elif slide := code_slide(cell):
            caption = re.search(r"^#\| fig-cap: (.+)$", cell.source, flags=re.MULTILINE)
            cells += [_markdown(f"*{caption[1]}*", "subslide")] if caption else []
            slide.metadata["slideshow"]["slide_type"] = "-" if caption or waiting else "subslide"
            cells.append(slide)
            waiting = False
    return nbformat.v4.new_notebook(cells=cells, metadata=chapter.metadata)


# nbconvert's page begins with require.js, jQuery and MathJax 2, all from elsewhere; reveal.js and MathJax 3 need none.
_HEAD = """<script>window.MathJax = {tex: {inlineMath: [["$", "$"]]}};</script>
<script src="MATHJAX" defer></script>
<style>.reveal .slides section { max-height: 700px; overflow-y: auto; }
.reveal h1, .reveal h2, .reveal h3 { text-transform: none; }
.reveal .jp-RenderedHTMLCommon { font-size: 27px; line-height: 1.4; } .reveal pre { font-size: 19px; }
.reveal .jp-RenderedImage img { max-height: 560px; } </style>
"""
_START = """<script src="REVEAL/dist/reveal.js"></script>
<script src="REVEAL/plugin/notes/notes.js"></script>
<script>
Reveal.initialize({hash: true, slideNumber: "c/t", plugins: [RevealNotes], width: 1120, height: 700});
</script>
"""
_LOADERS = r'<script[^>]*src="[^"]*(?:require|jquery)[^"]*"[^>]*>\s*</script>|<script src=""[^>]*>\s*</script>'


def slides_html(
    chapter: nbformat.NotebookNode,
    reveal: str = "reveal.js",  # where it lies, as seen from the page
    mathjax: str = "mathjax/tex-mml-chtml.js",
) -> str:
    "A chapter as a page of slides."
    exporter = SlidesExporter(reveal_url_prefix=reveal, reveal_theme="white", mermaid_js_url="", mathjax_url="")
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    exporter.register_preprocessor(TagRemovePreprocessor(remove_input_tags={"hide-source"}, enabled=True), enabled=True)
    told = slides(chapter)
    told.metadata["title"] = chapter.cells[0].source.split("\n")[0].lstrip("# ")
    page = exporter.from_notebook_node(told)[0]
    start, head = _START.replace("REVEAL", reveal), _HEAD.replace("MATHJAX", mathjax)
    page = re.sub(r"<script[^>]*>\s*require\(.*?</script>", lambda _: start, page, flags=re.DOTALL)
    page = re.sub(r'<script type="text/x-mathjax-config">.*?</script>', "", page, flags=re.DOTALL)
    page = re.sub(r'<script type="module">\s*import mermaid.*?</script>', "", page, flags=re.DOTALL)
    return re.sub(_LOADERS, "", page).replace("</head>", f"{head}</head>", 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapter", nargs="*", type=Path, help="the course when none is named")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.chapter or sorted(NBS.glob("[0-3][0-9]_*.ipynb")):
        page = options.out / f"{path.stem}.html"
        page.write_text(slides_html(nbformat.read(path, as_version=4)), encoding="utf-8")
        print(page)


if __name__ == "__main__":
    main()

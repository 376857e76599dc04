"""Draw docs/cheatsheet.svg: the whole pipeline on one page, with the shape of what passes along every arrow.

The shapes are not typed in: one portrait and ten people of the AT&T faces go through the library, and what comes out is
measured.

    python docs/make_cheatsheet.py [--check]
"""

import sys
from html import escape
from pathlib import Path

import numpy as np
from matplotlib import cbook

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from celebml.datasets import load_att  # noqa: E402
from celebml.photographs import read_photograph  # noqa: E402
from celebml.recipes import load_recipe  # noqa: E402
from celebml.search import grouped_folds  # noqa: E402

OUT = ROOT / "docs" / "cheatsheet.svg"
WIDTH, HEIGHT = 1180, 830
_HEADINGS = ("descriptor", "sees, pixels", "grid × numbers", "columns")
STYLE = """
  .page { fill: #ffffff } text { font: 13px "DejaVu Sans", Verdana, sans-serif; fill: #1a1a1a }
  .title { font-size: 25px; font-weight: bold } .lane { font-size: 16px; font-weight: bold; fill: #0072B2 }
  .box { fill: #eef5fa; stroke: #0072B2; stroke-width: 1.5 }
  .value { fill: #fff7ea; stroke: #E69F00; stroke-width: 1.5 }
  .name { font-weight: bold; font-size: 14px } .code { font: 12px "DejaVu Sans Mono", Consolas, monospace }
  .small { font-size: 11.5px; fill: #555555 } .arrow { stroke: #444444; stroke-width: 1.6; marker-end: url(#tip) }
  .shape { font: 11.5px "DejaVu Sans Mono", Consolas, monospace; fill: #a63f00 }
"""


def shape(array: np.ndarray) -> str:
    return "×".join(str(side) for side in array.shape)


def measure() -> dict[str, str]:
    "Shapes of everything that passes from step to step."
    recipe, att = load_recipe("best"), load_att()
    portrait = read_photograph(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    detection = recipe.detector(portrait)
    face, described = detection.faces[0], recipe.describe([detection])[0]
    photos = [read_photograph(path) for path in att.paths[:30]]
    names = np.array(att.names[:30])
    seen = recipe.describe([recipe.detector(photo) for photo in photos])
    model = recipe.fit(seen, names, np.arange(30))
    train, test = grouped_folds(names, np.arange(30))[0]
    return {
        "pixels": f"{shape(portrait.pixels)} {portrait.pixels.dtype}",
        "crop": f"{shape(face.crop)} {face.crop.dtype}",
        "landmarks": f"{shape(face.landmarks)} px",
        "rows": f"faces×{described.rows.shape[1]:,}",
        "learnt": f"{2 * len(names)}×{2 * len(names)}",
        "folds": f"{len(train)} + {len(test)}",
        "coef": f"{model.coef_.shape[0]:,}×people {model.coef_.dtype}",
        "scores": "faces×people",
        "blocks": "|".join(
            f"{b.name};{b.view}×{b.view};{b.grid}×{b.grid}×{b.channels};{b.grid**2 * b.channels:,}"
            for b in recipe.features.blocks
        ),
    }


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def box(x: float, y: float, name: str, lines: list[str], kind: str = "box", width: int = 190, height: int = 96) -> str:
    "A named box; its first line is code, the others say what it does."
    out = [f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" class="{kind}"/>']
    out.append(text(x + width / 2, y + 23, name, "name", "middle"))
    for number, line in enumerate(lines):
        out.append(text(x + width / 2, y + 43 + 18 * number, line, "small" if number else "code", "middle"))
    return "\n".join(out)


def arrow(x1: float, y1: float, x2: float, y2: float, label: str = "", above: str = "") -> str:
    "An arrow with a type above it and a shape below; both beside it where it stands upright."
    out = [f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="arrow"/>']
    if x1 == x2:
        out += [text(x1 - 9, (y1 + y2) / 2 - 3, above, "code", "end")]
        out += [text(x1 - 9, (y1 + y2) / 2 + 13, label, "shape", "end")]
    else:
        middle = (x1 + x2) / 2
        out += [text(middle, y1 - 8, above, "code", "middle"), text(middle, y1 + 18, label, "shape", "middle")]
    return "\n".join(out)


def table(blocks: str) -> list[str]:
    "Lines of the table of descriptors: name, part of the crop, numbers."
    out = [text(x, 658, words, "small") for x, words in zip((30, 200, 320, 470), _HEADINGS, strict=True)]
    for number, block in enumerate(blocks.split("|")):
        cells = zip((30, 200, 320, 470), block.split(";"), strict=True)
        out += [text(x, 680 + 20 * number, words, "shape" if x > 30 else "small") for x, words in cells]
    return out


def draw(facts: dict[str, str]) -> str:
    "The page as SVG."
    columns = [30, 345, 660, 960]
    parts = [
        text(30, 44, "From a photograph to a name", "title"),
        text(
            30,
            66,
            "In boxes: what is done, its function and chapter. On arrows: what passes along, and its shape.",
            "small",
        ),
        text(30, 104, "Look at a photograph", "lane"),
        box(columns[0], 118, "Read", ["read_photograph", "upright, RGB, size checked", "chapter 1"]),
        box(columns[1], 118, "Find faces", ["YuNetDetector", "five landmarks, alignment", "chapters 6 and 7"]),
        box(columns[2], 118, "Describe", ["FaceFeatures", "texture at several scales", "chapters 12 to 15"]),
        box(columns[3], 118, "Description", ["rows, areas, mirrored", "one row a face", "biggest face first"], "value"),
        arrow(225, 160, 340, 160, facts["pixels"], "Photograph"),
        arrow(540, 160, 655, 160, facts["crop"], "Face.crop"),
        arrow(855, 160, 955, 160, facts["rows"], "rows"),
        text(345, 232, f"or no face and the reason; landmarks {facts['landmarks']}", "small"),
        text(30, 288, "Learn people", "lane"),
        box(columns[0], 302, "Name the files", ["load_photographs", "one folder a person", "chapter 2"]),
        box(columns[1], 302, "Find copies", ["near_duplicate_groups", "no copy on both sides", "chapter 8"]),
        box(columns[2], 302, "Fold", ["grouped_folds", "tested once each, unseen", "chapter 16"]),
        box(columns[3], 302, "Fit", ["BestModel.fit", "a Gram matrix a descriptor", "chapter 17"]),
        arrow(225, 344, 340, 344, "n paths, n names", "PhotoSet"),
        arrow(540, 344, 655, 344, "n int", "groups"),
        arrow(855, 344, 955, 344, facts["folds"], "rows"),
        arrow(1055, 218, 1055, 297, "n faces, and as many mirrored", "Description"),
        text(
            345,
            418,
            f"with n = 30: folds of {facts['folds']}, Gram matrices of {facts['learnt']} with the mirror images",
            "small",
        ),
        text(30, 472, "Name a face, or call it unknown", "lane"),
        box(columns[3], 486, "Score", ["BestModel.scores", "weights times row", "chapter 17"]),
        box(columns[2], 486, "Probabilities", ["predict_proba", "softmax over people", "chapter 18"]),
        box(
            columns[1],
            486,
            "Known at all?",
            ["score ≥ threshold_", "accepts 95 % of the known", "chapters 19, 20"],
        ),
        box(columns[0], 486, "Answer", ["CelebrityClassifier", "name, probability, known, box", "chapter 24"], "value"),
        arrow(1055, 398, 1055, 481, facts["coef"], "coef_"),
        arrow(955, 528, 855, 528, facts["scores"], "scores"),
        arrow(655, 528, 540, 528, facts["scores"], "sum to 1"),
        arrow(340, 528, 225, 528, "one a face", "Answer"),
        text(30, 636, "What stands in a row", "lane"),
        *table(facts["blocks"]),
        text(660, 636, "Judge, keep, use", "lane"),
        *[
            text(660, 662 + 22 * number, line)
            for number, line in enumerate(
                (
                    "score_recipe: many seeds, folds by copies, all photographs count (18)",
                    "html_report, model_card: what was measured, on what (22)",
                    "save, load: a folder that can be opened without running code from it (23)",
                    "celebml run · classify · doctor: the same from a terminal (25 to 28)",
                    "a dashboard, a web page, a server (29 to 32)",
                )
            )
        ],
        text(
            30,
            808,
            "Made by docs/make_cheatsheet.py; the shapes are measured on photographs sent through the library.",
            "small",
        ),
    ]
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t">
<title id="t">The pipeline of celebml, with the shape of what passes along every arrow</title>
<style>{STYLE}</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0L10 5L0 10z" fill="#444444"/></marker></defs>
<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>
{body}
</svg>
"""


def main() -> None:
    svg = draw(measure())
    if "--check" in sys.argv:
        sys.exit(0 if OUT.read_text(encoding="utf-8") == svg else "docs/cheatsheet.svg is out of date; make it anew")
    OUT.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()

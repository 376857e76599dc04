"""What the chapters share and the library does not need: one look, sliders without a kernel, checks of exercises.

One colour stands for one thing in the whole course:

| colour | stands for |
|---|---|
| `KNOWN`, blue | people whom the model knows, and what is right or present |
| `STRANGER`, vermilion | strangers, and what is wrong |
| `TRAIN`, orange | scores on photographs that the model has learnt from |
| `TEST`, green | scores on photographs that were held out |
| `PLAIN`, grey | what something is compared with: chance, the original, no change |
| `PEOPLE`, indigo, sand, wine, sky, purple | single people in a plane of points, in this order |
"""

import base64
import contextlib
import hashlib
import html
import inspect
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import matplotlib.pyplot as plt
from IPython import get_ipython
from IPython.display import HTML
from matplotlib.figure import Figure
from PIL import Image

HERE = Path(__file__).resolve().parent
KNOWN, STRANGER, TRAIN, TEST, PLAIN = "#0072B2", "#D55E00", "#E69F00", "#009E73", "#999999"
PEOPLE = ("#332288", "#DDCC77", "#882255", "#88CCEE", "#AA4499")


def style() -> None:
    "The course's look, and stored figures of a third of the usual size."
    plt.style.use(HERE / "course.mplstyle")
    if shell := get_ipython():
        plt.switch_backend(plt.get_backend())  # now, since a backend chosen later brings its own way to store figures
        shell.display_formatter.formatters["image/png"].for_type(Figure, _small_png)


def _small_png(figure: Figure) -> bytes:
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", bbox_inches="tight")
    Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def slider(
    draw: Callable[[Any], Any],  # draws one figure for one value
    values: Sequence,
    label: str,  # what the slider changes, with its unit
    start: Any = None,  # the value that is shown first, and to those who only read; the middle one unless given
    alt: str = "",  # what there is to see, for those who cannot
    play: bool = False,  # offer to run through the values, where motion is the idea
) -> HTML:
    "A figure that changes as a slider is moved, in Jupyter and on the site alike: one picture a value, no kernel."
    values = list(values)
    first = len(values) // 2 if start is None else values.index(start)
    pictures = [_drawn(draw, value) for value in values]
    texts = [f"{label}: {value:g}" if isinstance(value, int | float) else f"{label}: {value}" for value in values]
    number = "s" + hashlib.sha256("".join([*pictures, *texts]).encode()).hexdigest()[:10]
    return HTML(
        _SLIDER.replace("NUMBER", number)
        .replace("PICTURE", pictures[first])
        .replace("ALT", html.escape(alt or label, quote=True))
        .replace("LABEL", html.escape(label, quote=True))
        .replace("TEXT", html.escape(texts[first]))
        .replace("PLAY", "" if play else "hidden")
        .replace("LAST", str(len(values) - 1))
        .replace("FIRST", str(first))
        .replace("DATA", json.dumps([pictures, texts]).replace("</", "<\\/"))
    )


_SLIDER = """<figure class="frames" id="NUMBER" style="margin:0;max-width:52rem">
<img src="PICTURE" alt="ALT" style="max-width:100%;background:#fff">
<figcaption><output>TEXT</output>
<span hidden><input type="range" aria-label="LABEL" min="0" max="LAST" value="FIRST"
style="width:60%;vertical-align:middle">
<button type="button" PLAY>Play</button></span></figcaption></figure>
<script>(() => {
const [pictures, texts] = DATA, box = document.getElementById("NUMBER"), range = box.querySelector("input");
const button = box.querySelector("button"); let timer = 0;
const show = () => { box.querySelector("img").src = pictures[range.value];
  box.querySelector("output").textContent = texts[range.value];
  range.setAttribute("aria-valuetext", texts[range.value]); };
const stop = () => { clearInterval(timer); timer = 0; button.textContent = "Play"; };
range.addEventListener("input", () => { stop(); show(); });
button.addEventListener("click", () => { if (timer) return stop(); button.textContent = "Stop";
  timer = setInterval(() => { range.value = (+range.value + 1) % pictures.length; show(); }, 500); });
box.querySelector("span").hidden = false; show(); })();</script>"""


def _drawn(draw: Callable[[Any], Any], value: Any) -> str:
    "What `draw` draws for a value, as an address that holds the picture itself: the smaller of two ways to store it."
    plt.close("all")
    draw(value)
    drawn, kept = io.BytesIO(), []
    # The size must not change from frame to frame, so nothing is cut off at the edges.
    plt.gcf().savefig(drawn, format="png", dpi=110)
    plt.close("all")
    for how in ({"lossless": True}, {"quality": 60}):
        stored = io.BytesIO()
        Image.open(drawn).convert("RGB").save(stored, "WEBP", method=6, **how)
        kept.append(stored.getvalue())
    return "data:image/webp;base64," + base64.b64encode(min(kept, key=len)).decode()


@contextlib.contextmanager
def without(*modules: ModuleType) -> Iterator[None]:
    "Inside, nothing of these modules may be called: for exercises that ask for the thing itself."
    with contextlib.ExitStack() as stack:
        for module in modules:

            def refuse(*_: Any, name: str = module.__name__, **__: Any) -> None:
                raise AssertionError(f"this one is to be done without {name}")

            for name, thing in list(vars(module).items()):
                if inspect.isclass(thing) and thing.__module__.startswith(module.__name__) and "__dict__" in dir(thing):
                    stack.enter_context(mock.patch.object(thing, "__init__", refuse))
                elif inspect.isroutine(thing) and not name.startswith("_"):
                    stack.enter_context(mock.patch.object(module, name, refuse))
        yield


def cases(chapter: str, exercise: int, right: Sequence[str], wrong: Sequence[str]) -> str:
    """Tries an exercise's test on answers that it must take, and on others that it must refuse.

    Each answer is source that stands in the place of the solution. Raises `AssertionError` naming the first that is
    judged wrongly. Readers do not see these cells.
    """
    sys.path.insert(0, str(HERE.parent / "docs"))
    from exercises import exercise_tests

    test = exercise_tests(HERE / f"{chapter}.ipynb")[exercise - 1]
    around = inspect.currentframe().f_back.f_globals
    for answers, takes in ((right, True), (wrong, False)):
        for answer in answers:
            refusal = _judge(answer, test, dict(around))
            assert takes == (refusal is None), f"{'refused' if takes else 'taken'}: {answer}\n{refusal!r}"
    return f"{len(right)} right and {len(wrong)} wrong answers are told apart"


def _judge(answer: str, test: str, names: dict[str, Any]) -> Exception | None:
    shown = plt.get_fignums()
    try:
        exec(answer, names)
        exec(test, names)
    except Exception as refusal:  # noqa: BLE001 - whatever a wrong answer raises is a refusal
        return refusal
    finally:
        for number in set(plt.get_fignums()) - set(shown):
            plt.close(number)
    return None

"""Small pieces of HTML and SVG. Colours come from look.css, so that they are right in light and in dark."""

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
from jinja2 import Environment
from PIL import Image

_PAGES = Environment(autoescape=True)


def data_url(pixels: np.ndarray, longest: int = 0, kind: str = "JPEG") -> str:
    "Pixels (height, width[, 3]), 0 to 255, as an address that holds the picture itself."
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if longest:
        image.thumbnail((longest, longest))
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 85} if kind == "JPEG" else {}))
    return f"data:image/{kind.lower()};base64," + base64.b64encode(out.getvalue()).decode()


def note(text: str, kind: str = "good") -> str:
    "One sentence with a mark; kind is good, warn or bad."
    mark = {"good": "✓", "warn": "!", "bad": "✗"}[kind]
    return f'<p class="cm-note cm-{kind}" role="status"><b aria-hidden="true">{mark}</b> {html.escape(text)}</p>'


_BARS = _PAGES.from_string(
    """<ul class="cm-bars">{% for name, share in rows %}
<li><i style="width:{{ '%.1f' % (100 * share) }}%"></i><span>{{ name }}</span><b>{{ '%.0f' % (100 * share) }} %</b></li>
{%- endfor %}</ul>"""
)


def bars(probabilities: Mapping[str, float], most: int = 5) -> str:
    "Names with their probabilities, likeliest first."
    return _BARS.render(rows=sorted(probabilities.items(), key=lambda pair: -pair[1])[:most])


def laid_over(crop: np.ndarray, picture: np.ndarray) -> np.ndarray:
    "A face (n, n, 3) with a picture (n, n, 4) over it, 0 to 255."
    alpha = picture[..., 3:].astype(float) / 255
    return crop * (1 - alpha) + picture[..., :3] * alpha


_CURVE = _PAGES.from_string(
    """<svg class="cm-curve" viewBox="0 0 {{ W }} {{ H }}" role="img" aria-label="{{ label }}">
{% for y in (0, 0.25, 0.5, 0.75, 1) %}<line class="grid" x1="64" x2="{{ W - 8 }}" y1="{{ Y(y) }}" y2="{{ Y(y) }}"/>
<text x="58" y="{{ Y(y) + 4 }}" text-anchor="end">{{ '%.0f' % (100 * y) }} %</text>{% endfor %}
{% for x in ticks %}<text x="{{ X(x) }}" y="{{ H - 26 }}" text-anchor="middle">{{ '%g' % x }}</text>{% endfor %}
{% for c in curves %}{% if c.band %}<polygon class="{{ c.kind }} band" points="{{ c.band }}"/>{% endif %}
<polyline class="{{ c.kind }}" points="{{ c.points }}"/>{% for x, y in c.dots %}
<circle class="{{ c.kind }}" cx="{{ x }}" cy="{{ y }}" r="4"/>{% endfor %}{% endfor %}
{% if at is not none %}<line class="at" x1="{{ X(at) }}" x2="{{ X(at) }}" y1="{{ Y(1) }}" y2="{{ Y(0) }}"/>{% endif %}
<text x="{{ (W + 64) / 2 }}" y="{{ H - 6 }}" text-anchor="middle">{{ across }}</text></svg>
<p class="cm-legend">{% for c in curves %}<span class="{{ c.kind }}"><i></i>{{ c.name }}</span>{% endfor %}</p>"""
)


def curve(
    curves: Mapping[str, Sequence[tuple[float, ...]]],  # by name: (x, share) or (x, share, lowest, highest), x rising
    across: str,  # what x is
    label: str,  # the same in words, for those who do not see it
    at: float | None = None,  # a line across
    dots: bool = False,
) -> str:
    "Shares of 0 to 1 over x; the first curve is blue and whole, the second orange and dashed."
    wide, high = 520, 260
    every = sorted({point[0] for points in curves.values() for point in points})
    low, top = every[0], every[-1]
    X = lambda x: round(64 + (wide - 80) * (x - low) / max(top - low, 1e-9), 1)
    Y = lambda y: round(12 + (high - 60) * (1 - y), 1)
    drawn = []
    for kind, (name, points) in zip(("one", "two"), curves.items(), strict=False):
        shape = {"name": name, "kind": kind, "points": " ".join(f"{X(p[0])},{Y(p[1])}" for p in points), "band": ""}
        shape["dots"] = [(X(p[0]), Y(p[1])) for p in points] if dots else []
        if len(points[0]) == 4:
            edge = [(p[0], p[2]) for p in points] + [(p[0], p[3]) for p in reversed(points)]
            shape["band"] = " ".join(f"{X(x)},{Y(y)}" for x, y in edge)
        drawn.append(shape)
    ticks = every if dots else np.round(np.linspace(low, top, 5), 0 if top - low > 8 else 1)
    return _CURVE.render(W=wide, H=high, X=X, Y=Y, curves=drawn, at=at, across=across, label=label, ticks=ticks)

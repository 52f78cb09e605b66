"""Drawings as the view may show them: the report's, as pictures with a text that says the same.

Streamlit takes every ``svg`` out of a page's markup, so each becomes an image whose data stand
in the page. An image knows nothing of the page's style sheet and carries its own.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from html import unescape
from typing import NamedTuple

from qua3ck.app.texts import number
from qua3ck.kit.markup import Html, tag
from qua3ck.transfer.charts import Axis

_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_LABEL = re.compile(r'aria-label="([^"]*)"')
_SIZE = re.compile(r'<svg\b[^>]*?width="([\d.]+)"[^>]*?height="([\d.]+)"')
_CLASS = re.compile(r'<svg\b[^>]*?class="([^"]*)"')
_STYLE = (
    "text{font:11.5px 'Source Sans','Source Sans 3',system-ui,'Segoe UI','DejaVu Sans',sans-serif;"
    "fill:#1b2230}text.soft{fill:#566072}.good{fill:#dcefe3}.axis{stroke:#566072}"
    ".grid{stroke:#e1e5ec}.limit{stroke:#1b2230;stroke-width:2}"
    ".limit.dashed{stroke-width:1.4;stroke-dasharray:5 4}"
    ".whisker{stroke:#1b2230;stroke-width:2}.mark{stroke-width:2.4;stroke:#1b2230;fill:#1b2230}"
    ".mark.fail{fill:none;stroke:#a3201d}.mark.pass{stroke:#14663a;fill:#14663a}"
    ".mark.undecided{fill:#fff;stroke:#7a5200}.mark.here{fill:#fff;stroke:#1f4f8f;stroke-width:3}"
    ".fill{fill:#8fabd1}.fill.weak{fill:#c9d6e8}.diagonal{stroke:#566072;stroke-dasharray:4 4}"
    ".line{fill:none;stroke:#1f4f8f;stroke-width:2.2}"
    ".line.train{stroke:#566072;stroke-dasharray:6 4}.dot{fill:#1f4f8f}.dot.train{fill:#566072}"
)
WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 14, 36


class Point(NamedTuple):
    """One point of a line, and the words below it."""

    at: float
    value: float
    words: str = ""


def as_images(html: Html) -> Html:
    """Return markup in which every drawing is an image with the drawing's own label as its text."""
    return Html(_SVG.sub(lambda found: _image(found.group()), html))


def line(
    points: Sequence[Point],
    *,
    label: str,
    share: bool = True,
    limit: float | None = None,
    here: Point | None = None,
    lang: str = "en",
) -> Html:
    """Return a line over numbers, with a threshold and the present case marked.

    Parameters
    ----------
    points : sequence of Point
        At least two, in rising order.
    label : str
        What a reader who cannot see the drawing is told.
    share : bool
        Whether the values are shares: the scale then goes from 0 to 100 %.
    lang : str, default "en"
        In which figures on the scale are written.
    """
    xs, ys = [point.at for point in points], [point.value for point in points]
    low, high = (0.0, 1.0) if share else _room(ys)
    across = Axis(min(xs), max(xs), _LEFT, WIDTH - _RIGHT)
    upward = Axis(low, high, HEIGHT - _BOTTOM, _TOP)
    steps = [0, 0.25, 0.5, 0.75, 1.0] if share else _steps(low, high)
    told = [f"{100 * step:.0f} %" if share else number(step, lang) for step in steps]
    parts = _scale(upward, steps, told)
    if limit is not None:
        y = upward.at(limit)
        parts.append(tag("line", class_="limit dashed", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y))
    path = " ".join(f"{across.at(x):g},{upward.at(y):g}" for x, y in zip(xs, ys, strict=True))
    parts.append(tag("polyline", class_="line", points=path))
    shown = [points[at] for at in sorted({0, len(points) // 2, len(points) - 1})]
    for at, point in enumerate(shown):
        anchor = ("start", "middle", "end")[at] if len(shown) == 3 else ("start", "end")[at]
        y = HEIGHT - _BOTTOM + 18
        parts.append(tag("text", point.words, x=across.at(point.at), y=y, text_anchor=anchor))
    if here is not None:
        x, y = across.at(here.at), upward.at(here.value)
        parts.append(tag("circle", class_="mark here", cx=x, cy=y, r=6))
    return _svg(parts, label)


def columns(
    points: Sequence[Point], *, label: str, weak: Sequence[bool] = (), lang: str = "en"
) -> Html:
    """Return one column per count, zero included, with words below the first, middle and last."""
    high = max([1.0, *(point.value for point in points)])
    upward = Axis(0.0, high * 1.08, HEIGHT - _BOTTOM, _TOP)
    wide = (WIDTH - _LEFT - _RIGHT) / max(1, len(points))
    whole = [step for step in _steps(0.0, upward.high) if step == int(step)]
    parts = _scale(upward, whole, [number(step, lang) for step in whole])
    marked = {0, len(points) // 2, len(points) - 1}
    for at, point in enumerate(points):
        x, y = _LEFT + at * wide, upward.at(point.value)
        kind = "fill weak" if at < len(weak) and weak[at] else "fill"
        bar = {"x": x + wide * 0.12, "y": y, "width": wide * 0.76, "height": upward.start - y}
        parts.append(tag("rect", class_=kind, **bar))
        if at in marked:
            middle = x + wide / 2
            anchor = "start" if at == 0 and len(points) > 1 else "middle"
            anchor = "end" if at == len(points) - 1 and len(points) > 1 else anchor
            place = {"start": x, "middle": middle, "end": x + wide}[anchor]
            y = HEIGHT - _BOTTOM + 18
            parts.append(tag("text", point.words, x=place, y=y, text_anchor=anchor))
    return _svg(parts, label)


def _scale(upward: Axis, steps: Sequence[float], told: Sequence[str]) -> list[Html]:
    parts = []
    for step, words in zip(steps, told, strict=True):
        y = upward.at(step)
        parts.append(tag("line", class_="grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y))
        parts.append(tag("text", words, x=_LEFT - 8, y=y + 4, text_anchor="end", class_="soft"))
    return parts


def _steps(low: float, high: float) -> list[float]:
    rough = (high - low) / 4 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(each * step, 10) for each in range(first, last + 1)]


def _room(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    return low - 0.1 * spread, high + 0.1 * spread


def _svg(parts: Sequence[Html], label: str) -> Html:
    box = f"0 0 {WIDTH} {HEIGHT}"
    return tag(
        "svg", *parts, viewBox=box, width=WIDTH, height=HEIGHT, aria_label=label, class_="plot"
    )


def _image(svg: str) -> str:
    label = _LABEL.search(svg)
    size, kind = _SIZE.search(svg), _CLASS.search(svg)
    width, height = (size[1], size[2]) if size else (str(WIDTH), str(HEIGHT))
    inside = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    first = inside.index(">") + 1
    drawn = f"{inside[:first]}<style>{_STYLE}</style>{inside[first:]}"
    data = base64.b64encode(drawn.encode()).decode()
    return tag(
        "img",
        src=f"data:image/svg+xml;base64,{data}",
        alt=unescape(label[1]) if label else "",
        width=width,
        height=height,
        class_=f"drawing {kind[1] if kind else ''}".strip(),
    )

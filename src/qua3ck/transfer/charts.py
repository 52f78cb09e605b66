"""Drawings for the report as inline SVG: no script, no network, readable in black and white.

Meaning never rests on colour: the three answers also differ in shape and in words, the two
lines of the learning curve in their dashes, and each drawing has a text that says the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from qua3ck.conclude.figures import digits_for, figure
from qua3ck.kit.markup import Html, tag
from qua3ck.transfer.texts import local

if TYPE_CHECKING:
    from qua3ck.kit.verdicts import Verdict

BAR_WIDTH, BAR_HEIGHT = 220, 30
PLOT_WIDTH, PLOT_HEIGHT = 460, 230
_MARGIN_LEFT, _MARGIN_BOTTOM, _MARGIN_TOP, _MARGIN_RIGHT = 52, 34, 10, 12


class Axis(NamedTuple):
    """A straight scale from data to drawing units."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where ``value`` lies, kept inside the drawing."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        inside = min(1.0, max(0.0, share))
        return round(self.start + inside * (self.end - self.start), 2)


def verdict_bar(verdict: Verdict, *, label: str) -> Html:
    """Return the interval of one verdict against its threshold, the good side shaded.

    A filled circle is a pass, a cross a fail, an open circle undecided.
    """
    numbers = (verdict.value, verdict.low, verdict.high)
    known = [number for number in numbers if number is not None and math.isfinite(number)]
    axis = _bar_axis([*known, verdict.threshold])
    middle, limit = BAR_HEIGHT / 2, axis.at(verdict.threshold)
    good_from, good_to = (
        (limit, axis.end) if verdict.direction == "at_least" else (axis.start, limit)
    )
    parts = [
        tag(
            "rect",
            class_="good",
            x=good_from,
            y=3,
            width=good_to - good_from,
            height=BAR_HEIGHT - 6,
        ),
        tag("line", class_="axis", x1=axis.start, x2=axis.end, y1=middle, y2=middle),
    ]
    if verdict.low is not None and verdict.high is not None:
        parts += _whisker(axis.at(verdict.low), axis.at(verdict.high), middle)
    if verdict.value is not None and math.isfinite(verdict.value):
        parts.append(_mark(verdict.verdict, axis.at(verdict.value), middle))
    parts.append(tag("line", class_="limit", x1=limit, x2=limit, y1=1, y2=BAR_HEIGHT - 1))
    return _svg(BAR_WIDTH, BAR_HEIGHT, parts, label=label, class_="bar")


def influence_bars(
    rows: Sequence[tuple[str, float, float, float]], *, label: str, lang: str = "en"
) -> Html:
    """Return one bar with a whisker per (name, value, low, high), in the order given."""
    step, left = 24, 170
    height = step * len(rows) + 26
    lows, highs = [min(row[2], row[1]) for row in rows], [max(row[3], row[1]) for row in rows]
    axis = Axis(min(0.0, *lows), max(0.0, *highs, 1e-9), left, PLOT_WIDTH - 14)
    parts: list[Html] = []
    for number, (name, value, low, high) in enumerate(rows):
        middle = step * number + step / 2 + 2
        start, end = sorted((axis.at(0.0), axis.at(value)))
        parts += [
            tag("text", _short(name), x=left - 8, y=middle + 4, text_anchor="end"),
            tag("rect", class_="fill", x=start, y=middle - 7, width=end - start, height=14),
            *_whisker(axis.at(low), axis.at(high), middle),
        ]
    zero, bottom = axis.at(0.0), step * len(rows) + 4
    parts.append(tag("line", class_="axis", x1=zero, x2=zero, y1=0, y2=bottom))
    parts += _ticks_below(axis, bottom + 14, bottom, lang)
    return _svg(PLOT_WIDTH, height, parts, label=label)


def learning_curve(
    points: Sequence[tuple[int, float, float]],
    *,
    label: str,
    names: tuple[str, str],
    across: str,
    lang: str = "en",
) -> Html:
    """Return training score (dashed, squares) and validation score (solid, circles) over rows.

    Parameters
    ----------
    points : sequence of (rows, training score, validation score)
    label : str
        What a reader who cannot see the drawing is told.
    names : (str, str)
        The words for training and validation.
    across : str
        The words below the horizontal axis.
    lang : str
        How numbers are written.
    """
    scores = [score for point in points for score in point[1:] if math.isfinite(score)]
    x_axis = Axis(0, max(point[0] for point in points) * 1.04, _MARGIN_LEFT, PLOT_WIDTH - 96)
    y_axis = _upward(min(scores), max(scores))
    parts = _frame(x_axis, y_axis, across=across, rows=[point[0] for point in points], lang=lang)
    for column, (name, style) in enumerate(zip(names, ("train", "valid"), strict=True), start=1):
        line = [(x_axis.at(point[0]), y_axis.at(point[column])) for point in points]
        parts.append(_polyline(line, class_=f"line {style}"))
        parts += [_point(style, x, y) for x, y in line]
        parts.append(tag("text", name, x=line[-1][0] + 10, y=line[-1][1] + 4))
    return _svg(PLOT_WIDTH, PLOT_HEIGHT, parts, label=label)


def reliability(
    bins: Sequence[Mapping[str, Any]], *, label: str, across: str, upward: str, lang: str = "en"
) -> Html:
    """Return observed share with interval over predicted share; on the diagonal they agree."""
    side = 250
    x_axis = Axis(0, 1, _MARGIN_LEFT, side - _MARGIN_RIGHT)
    y_axis = Axis(0, 1, side - _MARGIN_BOTTOM, _MARGIN_TOP)
    parts = [
        *_grid(x_axis, y_axis, [0, 0.25, 0.5, 0.75, 1.0], lang),
        tag(
            "line",
            class_="diagonal",
            x1=x_axis.at(0),
            y1=y_axis.at(0),
            x2=x_axis.at(1),
            y2=y_axis.at(1),
        ),
        tag("text", across, x=(x_axis.start + x_axis.end) / 2, y=side - 5, text_anchor="middle"),
        tag(
            "text",
            upward,
            x=12,
            y=side / 2 - 10,
            text_anchor="middle",
            transform=f"rotate(-90 12 {side / 2 - 10:g})",
        ),
    ]
    for each in bins:
        x = x_axis.at(float(each["predicted"]))
        low, high = y_axis.at(float(each["low"])), y_axis.at(float(each["high"]))
        parts.append(tag("line", class_="whisker", x1=x, x2=x, y1=low, y2=high))
        parts.append(
            _mark("fail" if each["off"] else "pass", x, y_axis.at(float(each["observed"])))
        )
    return _svg(side, side, parts, label=label, class_="square")


def _svg(
    width: float, height: float, parts: Sequence[Html], *, label: str, class_: str = "plot"
) -> Html:
    box = f"0 0 {width:g} {height:g}"
    return tag(
        "svg",
        tag("title", label),
        *parts,
        viewBox=box,
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_=class_,
    )


def _bar_axis(numbers: Sequence[float]) -> Axis:
    low, high = min(numbers), max(numbers)
    spread = (high - low) or abs(high) * 0.2 or 1.0
    return Axis(low - 0.25 * spread, high + 0.25 * spread, 4, BAR_WIDTH - 4)


def _upward(low: float, high: float) -> Axis:
    spread = (high - low) or abs(high) * 0.1 or 1.0
    return Axis(
        low - 0.15 * spread, high + 0.15 * spread, PLOT_HEIGHT - _MARGIN_BOTTOM, _MARGIN_TOP
    )


def _whisker(start: float, end: float, middle: float) -> list[Html]:
    return [
        tag("line", class_="whisker", x1=start, x2=end, y1=middle, y2=middle),
        tag("line", class_="whisker", x1=start, x2=start, y1=middle - 5, y2=middle + 5),
        tag("line", class_="whisker", x1=end, x2=end, y1=middle - 5, y2=middle + 5),
    ]


def _mark(answer: str, x: float, y: float) -> Html:
    if answer == "fail":
        return tag("path", class_="mark fail", d=f"M{x - 5:g} {y - 5:g}l10 10m0 -10l-10 10")
    return tag("circle", class_=f"mark {answer}", cx=x, cy=y, r=5)


def _point(style: str, x: float, y: float) -> Html:
    if style == "train":
        return tag("rect", class_="dot train", x=x - 3, y=y - 3, width=6, height=6)
    return tag("circle", class_="dot valid", cx=x, cy=y, r=3.5)


def _polyline(points: Sequence[tuple[float, float]], *, class_: str) -> Html:
    return tag("polyline", class_=class_, points=" ".join(f"{x:g},{y:g}" for x, y in points))


def _frame(
    x_axis: Axis, y_axis: Axis, *, across: str, rows: Sequence[int], lang: str
) -> list[Html]:
    steps = _round_steps(y_axis.low, y_axis.high)
    parts = _grid(None, y_axis, steps, lang, right=x_axis.end)
    last = -math.inf
    for count in rows:
        x = x_axis.at(count)
        if x - last < 44:
            continue
        last = x
        parts.append(
            tag("text", local(f"{count:,}", lang), x=x, y=y_axis.start + 14, text_anchor="middle")
        )
    middle = (x_axis.start + x_axis.end) / 2
    return [*parts, tag("text", across, x=middle, y=PLOT_HEIGHT - 5, text_anchor="middle")]


def _grid(
    x_axis: Axis | None, y_axis: Axis, steps: Sequence[float], lang: str, *, right: float = 0.0
) -> list[Html]:
    end = x_axis.end if x_axis else right
    digits = _step_digits(steps)
    parts: list[Html] = []
    for step in steps:
        y = y_axis.at(step)
        parts.append(tag("line", class_="grid", x1=_MARGIN_LEFT, x2=end, y1=y, y2=y))
        shown = local(figure(step, digits), lang)
        parts.append(tag("text", shown, x=_MARGIN_LEFT - 6, y=y + 4, text_anchor="end"))
        if x_axis:
            x = x_axis.at(step)
            parts.append(tag("text", shown, x=x, y=y_axis.start + 14, text_anchor="middle"))
    return parts


def _ticks_below(axis: Axis, y: float, bottom: float, lang: str) -> list[Html]:
    steps = _round_steps(axis.low, axis.high)
    digits = _step_digits(steps)
    parts: list[Html] = []
    for step in steps:
        x = axis.at(step)
        parts.append(tag("line", class_="grid", x1=x, x2=x, y1=bottom, y2=bottom + 4))
        shown = local(figure(step, digits), lang)
        parts.append(tag("text", shown, x=x, y=y + 4, text_anchor="middle"))
    return parts


def _round_steps(low: float, high: float) -> list[float]:
    """Return 3 to 6 round numbers between ``low`` and ``high``."""
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    return [round(number * step, 10) for number in range(first, math.floor(high / step) + 1)]


def _step_digits(steps: Sequence[float]) -> int:
    if len(steps) < 2:
        return digits_for(steps[0] if steps else 0.0, None, None)
    return max(len(f"{step:.6g}".partition(".")[2]) for step in steps)


def _short(name: str, length: int = 24) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"

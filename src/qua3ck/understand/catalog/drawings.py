"""The catalogue's drawings as inline SVG: the way from sources to tables, quality over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qua3ck.kit.markup import Html, tag
from qua3ck.understand.catalog.records import TableFacts
from qua3ck.understand.contract.history import DimensionScore

_BOX, _GAP_X, _STEP = 170, 70, 44
_HIGH, _WIDE = 26, 5
_TREND_WIDTH, _TREND_HEIGHT = 260, 70


def lineage_graph(tables: Sequence[TableFacts], *, marked: str = "", up: str = "") -> Html:
    """Return the tables in layers from left to right, an arrow for each that reads another.

    Parameters
    ----------
    tables : sequence of TableFacts
        All of them; drawn are those that ``marked`` rests on or that rest on it, or all.
    marked : str
        The table of this page.
    up : str
        Before each link, such as ``"../"``.
    """
    reads = {table.name: tuple(table.reads) for table in tables}
    shown = _related(marked, reads) if marked else set(reads)
    kinds = {table.name: table.layer for table in tables}
    layers = _layers({name: reads[name] for name in reads if name in shown})
    places = {
        name: (column * (_BOX + _GAP_X) + 2, row * _STEP + 8)
        for column, names in enumerate(layers)
        for row, name in enumerate(names)
    }
    width = len(layers) * (_BOX + _GAP_X) - _GAP_X + 6
    height = max((len(names) for names in layers), default=1) * _STEP + 8
    parts = [
        _arrow(places[other], places[name])
        for name in places
        for other in reads[name]
        if other in places
    ]
    parts += [_box(name, kinds[name], places[name], here=name == marked, up=up) for name in places]
    said = "; ".join(f"{name} reads {', '.join(reads[name])}" for name in places if reads[name])
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=f"Lineage: {said or 'no table reads another'}",
    )


def trend(scores: Sequence[DimensionScore], *, dimension: str) -> Html:
    """Return the share of passed checks per load as a line from 0 to 100 percent."""
    shares = [score.share for score in scores if score.dimension == dimension]
    step = (_TREND_WIDTH - 60) / max(len(shares) - 1, 1)
    points = [
        (8 + number * step, 8 + (1 - share) * (_TREND_HEIGHT - 24))
        for number, share in enumerate(shares)
    ]
    bottom = _TREND_HEIGHT - 16
    parts = [
        tag("line", class_="grid", x1=8, x2=_TREND_WIDTH - 44, y1=place, y2=place)
        for place in (8, bottom)
    ]
    for place, text in ((8, "100 %"), (bottom, "0 %")):
        parts.append(tag("text", text, class_="end", x=_TREND_WIDTH - 4, y=place + 4))
    if len(points) > 1:
        written = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(tag("polyline", class_="line", points=written))
    parts += [tag("circle", class_="dot", cx=round(x, 1), cy=round(y, 1), r=3) for x, y in points]
    said = f"{dimension}: {shares[-1]:.1%} at the last of {len(shares)} loads" if shares else ""
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {_TREND_WIDTH} {_TREND_HEIGHT}",
        width=_TREND_WIDTH,
        height=_TREND_HEIGHT,
        role="img",
        aria_label=said or f"{dimension}: not measured",
    )


def _related(name: str, reads: Mapping[str, Sequence[str]]) -> set[str]:
    """Return what a table rests on, what rests on it, and itself."""
    before, after = {name}, {name}
    for _ in reads:
        before |= {other for one in before for other in reads.get(one, ())}
        after |= {one for one, others in reads.items() if after & set(others)}
    return (before | after) & set(reads)


def _layers(reads: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the names in columns; each stands right of all that it reads."""
    depth = dict.fromkeys(reads, 0)
    for _ in reads:  # a chain is no longer than there are tables
        for name, others in reads.items():
            depth[name] = max([0, *(depth[other] + 1 for other in others if other in depth)])
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for name in reads:
        columns[depth[name]].append(name)
    return columns


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> Html:
    x1, y1 = start[0] + _BOX, start[1] + _HIGH / 2
    x2, y2 = end[0] - _WIDE, end[1] + _HIGH / 2
    half = (x2 - x1) / 2
    curve = f"M{x1:g} {y1:g} C{x1 + half:g} {y1:g} {x2 - half:g} {y2:g} {x2:g} {y2:g}"
    head = f"M{x2 - 6:g} {y2 - 4:g} L{x2:g} {y2:g} L{x2 - 6:g} {y2 + 4:g}"
    return Html(tag("path", class_="arrow", d=curve) + tag("path", class_="arrow", d=head))


def _box(name: str, layer: str, at: tuple[float, float], *, here: bool, up: str) -> Html:
    x, y = at
    shown = name if len(name) <= 22 else f"{name[:21]}…"
    kind = f"box {layer}" + (" here" if here else "")
    drawn = Html(
        tag("rect", class_=kind, x=x, y=y, width=_BOX, height=_HIGH, rx=4)
        + tag("text", tag("title", name), shown, x=x + 10, y=y + 17)
    )
    return tag("a", drawn, href=f"{up}table/{name}.html")

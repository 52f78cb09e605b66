from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from qua3ck.kit.verdicts import Verdict
from qua3ck.transfer.charts import Axis, influence_bars, learning_curve, reliability, verdict_bar

KPI = Verdict("recall", "recall", 0.83, 0.76, 0.89, 0.8, "at_least", "undecided", 95)


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


def of_class(svg: str, name: str) -> list[ET.Element]:
    return [part for part in drawn(svg).iter() if name in part.get("class", "").split()]


def test_the_interval_straddles_the_threshold_where_it_is_undecided():
    svg = verdict_bar(KPI, label="x")
    (limit,) = of_class(svg, "limit")
    line = of_class(svg, "whisker")[0]
    assert float(line.get("x1")) < float(limit.get("x1")) < float(line.get("x2"))


@pytest.mark.parametrize(("direction", "right"), [("at_least", True), ("at_most", False)])
def test_the_good_side_is_shaded(direction, right):
    svg = verdict_bar(replace(KPI, direction=direction), label="x")
    (good,) = of_class(svg, "good")
    (limit,) = of_class(svg, "limit")
    start = float(good.get("x"))
    at = float(limit.get("x1"))
    assert (start == pytest.approx(at)) if right else (start < at)


def test_the_three_answers_differ_in_shape_not_only_in_colour():
    shapes = {
        answer: of_class(verdict_bar(replace(KPI, verdict=answer), label="x"), "mark")[0]
        for answer in ("pass", "fail", "undecided")
    }
    assert shapes["fail"].tag == "path"
    assert shapes["pass"].tag == shapes["undecided"].tag == "circle"
    assert shapes["pass"].get("class") != shapes["undecided"].get("class")


@pytest.mark.parametrize(
    "kpi",
    [
        replace(KPI, value=None, low=None, high=None),
        replace(KPI, value=0.8, low=0.8, high=0.8),
        replace(KPI, value=0.0, low=0.0, high=0.0, threshold=0.0),
        replace(KPI, value=float("nan")),
        replace(KPI, value=3e9, low=-2e9, high=float("inf")),
    ],
)
def test_odd_numbers_are_drawn_inside_the_frame(kpi):
    svg = drawn(verdict_bar(kpi, label="x"))
    width = float(svg.get("width"))
    for part in svg.iter():
        for name in ("x", "x1", "x2", "cx"):
            if part.get(name) is not None:
                assert 0 <= float(part.get(name)) <= width


def test_every_drawing_says_in_words_what_it_shows():
    bins = [{"predicted": 0.2, "observed": 0.25, "low": 0.1, "high": 0.4, "rows": 40, "off": False}]
    points = [(100, 0.9, 0.7), (400, 0.88, 0.8)]
    for svg in (
        verdict_bar(KPI, label="said"),
        influence_bars([("income", 0.1, 0.05, 0.15)], label="said"),
        learning_curve(points, label="said", names=("t", "v"), across="rows"),
        reliability(bins, label="said", across="p", upward="o"),
    ):
        assert drawn(svg).get("aria-label") == "said"
        assert drawn(svg).find("title").text == "said"


def test_names_are_escaped():
    svg = influence_bars([("<b>&", 0.1, 0.05, 0.15)], label="x")
    assert "<b>&" in [part.text for part in drawn(svg).iter()]


def test_more_rows_are_further_right_and_higher_scores_higher_up():
    points = [(100, 0.9, 0.7), (400, 0.88, 0.8)]
    svg = learning_curve(points, label="x", names=("t", "v"), across="rows")
    valid = next(part for part in of_class(svg, "valid") if part.tag == "polyline")
    (x1, y1), (x2, y2) = (map(float, pair.split(",")) for pair in valid.get("points").split())
    assert x1 < x2
    assert y1 > y2


def test_axis_keeps_values_inside():
    axis = Axis(0, 1, 10, 110)
    assert [axis.at(value) for value in (-5, 0, 0.5, 1, 7)] == [10, 10, 60, 110, 110]

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree as ET

from qua3ck.app.drawing import Point, as_images, columns, line
from qua3ck.kit.markup import Html, tag

POINTS = [Point(float(at), at / 10, f"{at} m²") for at in range(11)]


def drawn(html):
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", as_images(html))[1]
    return ET.fromstring(base64.b64decode(data))  # noqa: S314 - drawn here


def test_a_drawing_becomes_an_image_that_says_what_it_shows():
    made = as_images(
        tag("p", "a", tag("svg", tag("line"), aria_label='"x" & y', width=4, height=5))
    )
    assert "<svg" not in made
    assert 'alt="&quot;x&quot; &amp; y"' in made
    assert 'width="4"' in made
    assert made.startswith("<p>a<img")


def test_every_drawing_of_a_page_becomes_one():
    one = line(POINTS, label="up")
    made = as_images(Html(one + one))
    assert (made.count("<img"), made.count("<svg")) == (2, 0)


def test_a_line_stays_inside_and_marks_case_and_threshold():
    tree = drawn(line(POINTS, label="up", limit=0.5, here=Point(3.0, 0.3)))
    space = "{http://www.w3.org/2000/svg}"
    path = tree.find(f"{space}polyline").get("points").split()
    ys = [float(point.split(",")[1]) for point in path]
    assert ys == sorted(ys, reverse=True), "higher is further up"
    assert tree.find(f"{space}circle") is not None
    words = [text.text for text in tree.iter(f"{space}text")]
    assert {"0 %", "100 %", "0 m²", "10 m²"} <= set(words)


def test_columns_begin_at_zero():
    tree = drawn(columns([Point(0, 0.0, "08:00"), Point(1, 5.0, "09:00")], label="per hour"))
    space = "{http://www.w3.org/2000/svg}"
    heights = [float(bar.get("height")) for bar in tree.iter(f"{space}rect")]
    assert heights[0] == 0.0
    assert heights[1] > 0


def test_numbers_of_the_same_size_can_be_drawn():
    assert "<img" in as_images(line([Point(0, 5.0), Point(1, 5.0)], label="flat", share=False))


def _scale(drawn):
    return re.findall(r'class="soft"[^>]*>([^<]*)</text>', str(drawn))


def test_what_is_counted_has_no_halves_on_its_scale():
    for most in (1, 2, 3, 8, 11, 300):
        drawn = columns([Point(0, 0, "a"), Point(1, most, "b")], label="answers")
        assert all(each.isdigit() for each in _scale(drawn)), most
        assert len(_scale(drawn)) >= 2


def test_a_scale_is_written_in_the_readers_language():
    points = [Point(0, 0.25, "a"), Point(1, 1.75, "b")]
    assert "0.5" in _scale(line(points, label="value", share=False))
    assert "0,5" in _scale(line(points, label="Wert", share=False, lang="de"))
    many = [Point(0, 4000, "a"), Point(1, 8000, "b")]
    assert "5.000" in _scale(columns(many, label="Antworten", lang="de"))

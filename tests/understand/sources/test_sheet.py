from __future__ import annotations

import pytest

from qua3ck.understand.sources.sheet import Fault, Line, counted, filled_right, levels


def test_lines_are_counted_wherever_they_go():
    fates: dict[str, int] = {}
    rows = [["t"], [" "], ["a"], ["b "], [""], ["c"], ["end"], [""]]
    kept = list(counted(enumerate(rows, 1), fates, skip=2, footer=1))
    assert kept == [Line(3, ["a"]), Line(4, ["b"]), Line(6, ["c"])]
    assert fates == {"skipped": 2, "blank": 2, "footer": 1}
    assert sum(fates.values()) + len(kept) == len(rows)


def test_a_footer_longer_than_the_sheet_leaves_nothing():
    fates: dict[str, int] = {}
    assert list(counted([(1, ["a"])], fates, skip=0, footer=3)) == []
    assert fates == {"footer": 1}


def test_an_error_stays_one_when_lines_are_trimmed():
    (line,) = counted([(1, [Fault("#N/A"), " x "])], {}, skip=0, footer=0)
    assert isinstance(line.cells[0], Fault)
    assert line.cells[1] == "x"


@pytest.mark.parametrize(
    ("merged", "expected"),
    [
        ((), ["", "a", "a", "b", "b"]),
        ([((1, 2), (1, 3))], ["", "a", "a", "b", ""]),
        ([((1, 4), (2, 5))], ["", "a", "", "b", "b"]),
        ([((5, 2), (5, 3))], ["", "a", "a", "b", "b"]),
        ([((1, 2), (9, 2))], ["", "a", "a", "b", "b"]),
    ],
)
def test_a_text_stands_above_what_it_is_merged_over_else_up_to_the_next(merged, expected):
    assert filled_right(["", "a", "", "b", ""], 1, merged, 1) == expected


def test_the_last_line_of_a_heading_spans_nothing():
    heading = [Line(1, ["", "2023", "", "2024"]), Line(2, ["d", "a", "", "a"])]
    assert levels(heading, 5, (), 1) == [
        ("", "d"),
        ("2023", "a"),
        ("2023", ""),
        ("2024", "a"),
        ("2024", ""),
    ]
    assert levels([], 2, (), 1) == [(), ()]
    assert levels([Line(1, ["a", "", ""]), Line(2, ["b"])], 2, (), 1) == [("a", "b"), ("a", "")]

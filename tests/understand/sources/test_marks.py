from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.marks import Marks, back, longer_than, lowered


@pytest.mark.parametrize(
    ("mark", "overlap", "asked_from"),
    [
        ("2015-11-11T08:30:24.922024+00:00", "10m", "2015-11-11T08:20:24.922024+00:00"),  # RapidPro
        ("2015-04-05T21:58:12.000+0000", "2h", "2015-04-05T19:58:12.000+0000"),  # DHIS2
        ("2015-04-05T00:58:12.000", None, "2015-04-04T23:58:12.000"),
        ("2024-03-01T00:00:00Z", "1s", "2024-02-29T23:59:59Z"),
        ("2024-03-01T00:00:00+05:30", "1d", "2024-02-29T00:00:00+05:30"),
        ("2024-03-01 00:00:00", "90s", "2024-02-29 23:58:30"),
        ("2024-03-01", None, "2024-02-29"),
        ("2024-03-01", "7d", "2024-02-23"),
        ("2024-03-01T00:00:00.1234567Z", "1s", "2024-02-29T23:59:59.1234560Z"),
        ("5000", None, "4000"),
        ("1700000000000", "3600000", "1699996400000"),
        ("0.5", "1", "-0.5"),
    ],
)
def test_the_value_asked_from_is_spelled_as_the_source_spells_it(mark, overlap, asked_from):
    assert lowered(mark, overlap, place="p") == asked_from


@pytest.mark.parametrize(("mark", "overlap"), [("5000", "2h"), ("2024-03-01", "5"), ("soon", None)])
def test_an_overlap_of_another_sort_is_refused(mark, overlap):
    with pytest.raises(Qua3ckError, match="does not fit the watermark") as told:
        lowered(mark, overlap, place="p")
    assert told.value.code == "U144"


@given(
    st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)), min_size=1),  # noqa: DTZ001
    st.integers(0, 10**6),
)
def test_no_value_at_or_after_the_mark_less_the_overlap_is_left_out(moments, seconds):
    marks = Marks()
    marks.see(moment.isoformat(timespec="microseconds") for moment in moments)
    assert marks.greatest == max(moments).isoformat(timespec="microseconds")
    since = datetime.fromisoformat(lowered(marks.greatest, f"{seconds}s", place="p"))
    assert since == max(moments) - timedelta(seconds=seconds)


@given(st.lists(st.integers() | st.decimals(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_compared_as_numbers_not_as_text(numbers):
    marks = Marks()
    marks.see(numbers)
    assert Decimal(marks.greatest) == max(numbers)


def test_moments_are_compared_across_zones():
    marks = Marks("2024-01-01T12:00:00+02:00")
    marks.see(["2024-01-01T11:30:00+00:00", "2024-01-01T13:00:00+03:00"])
    assert marks.greatest == "2024-01-01T11:30:00+00:00"
    assert marks.unreadable == 0


def test_what_cannot_be_compared_is_counted_and_does_not_become_the_mark():
    marks = Marks()
    marks.see(["2024-01-01T12:00:00", None, "", "later", 7, True, "2024-13-01", [1]])
    assert marks.greatest == "2024-01-01T12:00:00"
    assert marks.unreadable == 7


def test_a_long_reading_is_told_from_a_short_one():
    assert longer_than(3601, None)
    assert not longer_than(3600, None)
    assert not longer_than(10**9, "5")
    assert back("2024-03-01T00:00:10Z", 10) == "2024-03-01T00:00:00Z"
    assert back("17", 10) == "17"

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.dates import (
    check_layouts,
    guess_layouts,
    layout,
    read_dates,
)

LAYOUTS = [
    *("%d.%m.%Y", "%m/%d/%y", "%d-%b-%y", "%B %d, %Y", "%Y%m%d", "%d/%m/%Y %H:%M"),
    *("%Y-%m-%dT%H:%M:%S.%f", "%m/%d/%Y %I:%M %p", "%d %B %Y %H:%M:%S"),
]


def values(texts: list[str | None], *layouts: str) -> list[object]:
    return read_dates(pa.array(texts, pa.string()), layouts)[0].to_pylist()


@given(
    moment=st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2049, 12, 31)),  # noqa: DTZ001
    written=st.sampled_from(LAYOUTS),
)
def test_what_python_writes_is_read_as_python_reads_it(moment, written):
    text = moment.strftime(written)
    judge = dt.datetime.strptime(text, written)  # noqa: DTZ007
    expected = judge if layout(written).clock else judge.date()
    assert values([text, None], written) == [expected, None]
    assert values([f"{text}x"], written) == [None]


@pytest.mark.parametrize(
    "text",
    ["31.02.2014", "29.02.1900", "00.01.2014", "1.13.2014", "1.1.0999", "1.1.14", "", "1.1.2014 "],
)
def test_what_is_no_day_is_none(text):
    assert values([text], "%d.%m.%Y") == [None]


def test_days_and_months_may_lack_a_zero_and_names_any_case():
    assert values(["1.2.2014", "01.02.2014"], "%d.%m.%Y") == [dt.date(2014, 2, 1)] * 2
    assert values(["5-JAN-06", "5-jan-06"], "%d-%b-%y") == [dt.date(2006, 1, 5)] * 2


@pytest.mark.parametrize(
    ("short", "year"), [("70", 1970), ("99", 1999), ("00", 2000), ("49", 2049)]
)
def test_two_digits_are_a_year_near_ours(short, year):
    assert values([f"1/2/{short}"], "%d/%m/%y") == [dt.date(year, 2, 1)]


@pytest.mark.parametrize("short", ["50", "69"])
def test_two_digits_that_could_be_two_centuries_are_none(short):
    assert values([f"1/2/{short}"], "%d/%m/%y") == [None]


def test_several_layouts_must_agree():
    both = ("%d/%m/%Y", "%m/%d/%Y")
    assert values(["3/4/2013", "13/4/2013", "4/4/2013"], *both) == [
        None,
        dt.date(2013, 4, 13),
        dt.date(2013, 4, 4),
    ]
    mixed, misfits = read_dates(pa.array(["1.2.2013", None, "x"]), ["%d.%m.%Y", "%Y-%m-%d %H:%M"])
    assert mixed.to_pylist() == [dt.datetime(2013, 2, 1), None, None]  # noqa: DTZ001
    assert misfits.to_pylist() == [False, False, True]


@pytest.mark.parametrize("written", ["%q", "%d.%m", "%d.%d.%Y", "d.m.Y", "%I.%d.%m.%Y", "%"])
def test_what_is_no_layout_is_refused(written):
    with pytest.raises(Qua3ckError) as told:
        check_layouts({"day": [written]}, place="s")
    assert told.value.code == "U124"
    assert told.value.where == "s.dates.day"


@pytest.mark.parametrize(
    ("texts", "sure", "open_"),
    [
        (["19.12.2022", "1.2.2022"], ("%d.%m.%Y",), ()),
        (["1/2/2014", "3/4/2014"], (), (("%d/%m/%Y", "%m/%d/%Y"),)),
        (["1/1/2014", "2/2/2014"], (), (("%d/%m/%Y", "%m/%d/%Y"),)),
        (["13/1/2014", "1/13/2014"], (), ()),
        (["2-Jun-06", "11/13/06"], ("%d-%b-%y", "%m/%d/%y"), ()),
        (["May 5, 2020", "June 5, 2020"], ("%B %d, %Y",), ()),
        (["3/13/14 5:00 PM"], ("%m/%d/%y %I:%M %p",), ()),
        (["20240131"], ("%Y%m%d",), ()),
        (["1.5", "abc", "10:30", "", "12345"], (), ()),
    ],
)
def test_a_layout_is_sure_only_if_another_is_refuted(texts, sure, open_):
    guess = guess_layouts(texts)
    assert (guess.sure, guess.open) == (sure, open_)


def test_one_impossible_date_among_many_does_not_hide_the_layout():
    guess = guess_layouts([f"{day}/4/2014" for day in range(1, 32)])
    assert guess.sure == ("%d/%m/%Y",)
    assert guess.rest == ("31/4/2014",)


def test_one_date_in_the_other_order_makes_both_unsure():
    guess = guess_layouts([*(f"{day}/4/2014" for day in range(1, 31)), "4/31/2014", "4/13/2014"])
    assert guess.sure == ()
    assert guess.open

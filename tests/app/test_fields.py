from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from qua3ck.app.fields import LEAST, Field, as_date, as_number, fields, typical_row

NUMBER = {"name": "area", "kind": "number", "type": "double", "low": 41.37, "high": 829.4}
WHOLE = {"name": "storeys", "kind": "number", "type": "int64", "low": 1.0, "high": 8.0}
USE = {"name": "use", "kind": "category", "type": "string", "values": ["home", "shop", "light"]}
DAY = {"name": "filed", "kind": "date", "type": "date32", "low": 19723.0, "high": 20422.0}
QUANTILES = {"0.05": 88.1, "0.25": 150.2, "0.5": 221.34, "0.75": 302.9, "0.95": 461.0}
PROFILE = {
    "area": {"quantiles": QUANTILES, "histogram": {"counts": [150, 50]}},
    "storeys": {"quantiles": {"0.5": 4.5}},
    "use": {"top": {"home": 240, "shop": LEAST, "light": LEAST - 1}},
    "filed": {"quantiles": {"0.5": 20092.0}},
}


def one(column, **more):
    return fields([column], PROFILE, **more)[0]


def test_a_value_that_few_have_is_no_choice():
    assert one(USE).choices == ("home", "shop")


def test_a_typical_case_is_made_of_medians_and_most_frequent_values():
    listed = fields([NUMBER, WHOLE, USE, DAY], PROFILE)
    assert typical_row(listed) == {
        "area": 221.0,
        "storeys": 4,
        "use": "home",
        "filed": "2025-01-04",
    }


def test_the_largest_and_the_smallest_row_cannot_be_read_off_a_range():
    field = one(NUMBER)
    assert (field.low, field.high) == (40.0, 830.0)


@given(low=some.floats(-1e6, 1e6), width=some.floats(1e-3, 1e6))
def test_a_shown_range_holds_every_row(low, width):
    found = one({**NUMBER, "low": low, "high": low + width})
    assert found.low <= low + 1e-6 * abs(low)
    assert found.high >= (low + width) - 1e-6 * abs(low + width)


@pytest.mark.parametrize(
    ("rows", "inner"),
    [(200, (88.1, 461.0)), (199, (150.2, 302.9)), (40, (150.2, 302.9)), (39, None)],
)
def test_the_inner_range_has_ten_rows_on_either_side(rows, inner):
    about = {"quantiles": QUANTILES, "histogram": {"counts": [rows - 7, 7]}}
    assert fields([NUMBER], {"area": about})[0].inner == inner


def test_where_nothing_is_told_of_a_column_there_is_no_inner_range():
    assert one(WHOLE).inner is None, "its quantiles are not known"
    assert one(NUMBER, hidden=frozenset({"area"})).inner is None


def test_of_a_hidden_column_nothing_is_known():
    field = one(NUMBER, hidden=frozenset({"area"}))
    assert field == Field("area", "number", hidden=True)
    assert not field.outside(1e9)


def test_without_a_profile_nothing_is_typical_and_nothing_can_be_chosen():
    found = fields([NUMBER, USE], {})
    assert [field.typical for field in found] == [None, None]
    assert found[1].choices == ()
    assert not found[1].outside("anything")


@pytest.mark.parametrize(
    ("column", "value", "out"),
    [
        (NUMBER, 221.0, False),
        (NUMBER, 5000.0, True),
        (NUMBER, None, False),
        (USE, "home", False),
        (USE, "light", True),
        (DAY, "2024-06-01", False),
        (DAY, "1999-06-01", True),
    ],
)
def test_what_training_rows_never_held_is_told(column, value, out):
    assert one(column).outside(value) is out


def test_dates_are_days_and_back():
    assert as_number("1970-01-02") == 1.0
    assert as_date(1.0) == "1970-01-02"
    assert as_number("yesterday") is None
    assert as_number(True) is None

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.understand.contract.grid import period_number

MONTHS = [date(2024, 1, 15), date(2024, 2, 1), date(2024, 3, 31)]
COLUMNS = (
    "[{name: site, logicalType: string, classification: public}, {name: day, logicalType: date}]"
)


def asked(desk, more="", columns=COLUMNS, periods=""):
    given = f"units: site, periods: {{column: day, every: month{periods}}}{more}"
    check = f"{{check: expectedRows, {given}}}"
    quality = f"[{{name: grid, type: custom, engine: qua3ck, implementation: {check}}}]"
    return desk.columns(columns, quality=quality)


def reported(*pairs):
    return {"site": [site for site, _ in pairs], "day": [MONTHS[month] for _, month in pairs]}


def test_a_row_that_never_came_is_missed(desk):
    rows = reported(("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 2), ("b", 2))
    seen = desk.check(rows, asked(desk))
    assert (seen.measure("grid").rows, seen.measure("grid").failing) == (6, 1)
    (finding,) = seen.found("U082")
    assert finding.severity == "block"
    assert finding.evidence["missing_by_unit"] == {"b": 1}


def test_a_complete_grid_passes_with_repeats(desk):
    rows = reported(("a", 0), ("a", 0), ("b", 0))
    assert desk.check(rows, asked(desk)).measure("grid").answer == "pass"


def test_a_unit_that_never_reported_is_known_from_its_list(desk):
    rows = reported(("a", 0), ("b", 0), ("x", 0))
    table = asked(desk, ", unitsIn: sites.code")
    seen = desk.check(rows, table, references={"sites": {"code": ["a", "b", "c"]}})
    assert (seen.measure("grid").rows, seen.measure("grid").failing) == (3, 1)
    assert seen.found("U082")[0].evidence["units_without_any"] == 1
    alone = desk.check(rows, table)
    assert alone.measure("grid").answer == "not applicable"


def test_the_first_and_last_period_may_be_agreed(desk):
    rows = reported(("a", 1))
    seen = desk.check(rows, asked(desk, periods=', from: "2024-01", to: "2024-04-30"'))
    assert (seen.measure("grid").rows, seen.measure("grid").failing) == (4, 3)


def test_a_share_of_the_rows_may_be_enough(desk):
    rows = reported(("a", 0), ("a", 1), ("b", 0))
    assert desk.check(rows, asked(desk)).measure("grid").answer == "fail"
    enough = desk.check(rows, asked(desk, ", atLeast: 0.75")).measure("grid")
    assert (enough.answer, enough.failing) == ("pass", 1)


def test_units_are_named_only_where_that_is_allowed(desk):
    rows = reported(("Fatima", 0), ("Fatima", 1), ("Amadou", 0))
    private = "[{name: site, logicalType: string}, {name: day, logicalType: date}]"
    seen = desk.check(rows, asked(desk, columns=private))
    (finding,) = seen.found("U082")
    assert "Amadou" not in str(finding)
    assert finding.evidence["units_with_gaps"] == 1


def test_written_periods_are_understood(desk):
    columns = "[{name: site, logicalType: string}, {name: day, logicalType: string}]"
    rows = {"site": ["a", "a", "b"], "day": ["202401", "2024-02", "2024-01-31"]}
    seen = desk.check(rows, asked(desk, columns=columns))
    assert (seen.measure("grid").rows, seen.measure("grid").failing) == (4, 1)
    odd = desk.check({"site": ["a"], "day": ["spring"]}, asked(desk, columns=columns))
    assert odd.measure("grid").answer == "not applicable"


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(["day", "week"]))
def test_neighbouring_periods_have_neighbouring_numbers(day, every):
    step = {"day": 1, "week": 7}[every]
    here, there = (period_number(each, every) for each in (day, day + timedelta(days=step)))
    assert there == here + 1


@pytest.mark.parametrize(
    ("value", "every", "same"),
    [
        ("2024-03", "month", date(2024, 3, 9)),
        ("202403", "month", datetime(2024, 3, 31, 23)),  # noqa: DTZ001
        (202403, "month", date(2024, 3, 1)),
        ("2024Q2", "quarter", date(2024, 5, 1)),
        ("2024-W07", "week", date(2024, 2, 14)),
        (2024, "year", date(2024, 12, 31)),
        ("2024-02-29", "day", date(2024, 2, 29)),
    ],
)
def test_forms_of_periods(value, every, same):
    assert period_number(value, every) == period_number(same, every) is not None


@pytest.mark.parametrize(
    ("value", "every"),
    [
        ("2024", "month"),
        ("2024Q1", "month"),
        ("2024-W07", "month"),
        ("2023-02-29", "day"),
        ("x", "day"),
    ],
)
def test_what_names_a_longer_period_or_none_has_no_place(value, every):
    assert period_number(value, every) is None

from __future__ import annotations

from datetime import date, datetime

import pytest

from qua3ck.understand.contract.odcs import ContractErrors
from qua3ck.understand.contract.rules import rules_of

# now is 2024-06-30 12:00 UTC; a day is as new as its end
COLUMNS = (
    "[{name: clinic, logicalType: string, classification: public}, {name: day, logicalType: date}]"
)


def agreed(desk, line, columns=COLUMNS):
    return desk.columns(columns, further=f"slaProperties: [{{{line}}}]")


@pytest.mark.parametrize(
    ("newest", "answer"),
    [(date(2024, 6, 22), "pass"), (date(2024, 6, 21), "pass"), (date(2024, 6, 20), "fail")],
)
def test_the_newest_row_may_be_so_old_and_no_older(desk, newest, answer):
    table = agreed(desk, "id: age, property: freshness, value: 9, unit: d, element: stock.day")
    seen = desk.check({"clinic": ["a", "a"], "day": [newest, date(2020, 1, 1)]}, table)
    assert seen.measure("age").answer == answer
    assert seen.blocks == []  # an old row is no wrong row: by default it is only told


def test_each_reporting_unit_is_asked_for_itself(desk):
    line = (
        "id: age, property: latency, value: 7, unit: d, element: stock.day, "
        "customProperties: [{property: per, value: clinic}, {property: severity, value: block}]"
    )
    rows = {
        "clinic": ["a", "a", "b", "c"],
        "day": [date(2024, 6, 29), date(2024, 1, 1), date(2024, 5, 1), None],
    }
    seen = desk.check(rows, agreed(desk, line))
    assert (seen.measure("age").rows, seen.measure("age").failing) == (3, 2)
    assert seen.blocks == ["U083"]
    assert sorted(seen.found("U083")[0].evidence["units"]) == [["b"], ["c"]]
    private = "[{name: clinic, logicalType: string}, {name: day, logicalType: date}]"
    quiet = desk.check(rows, agreed(desk, line, private)).found("U083")[0]
    assert "units" not in quiet.evidence


def test_moments_count_in_hours(desk):
    columns = "[{name: at, logicalType: timestamp}]"
    line = "id: age, property: freshness, value: 2, unit: h, element: stock.at"
    for hour, answer in ((10, "pass"), (9, "fail")):
        rows = {"at": [datetime(2024, 6, 30, hour, 0)]}  # noqa: DTZ001
        assert desk.check(rows, agreed(desk, line, columns)).measure("age").answer == answer


def test_what_rows_cannot_show_is_not_applicable(desk):
    table = agreed(desk, "property: retention, value: 3, unit: y, element: stock.day")
    seen = desk.check({"clinic": ["a"], "day": [date(2024, 6, 1)]}, table)
    assert seen.measure("day.retention").answer == "not applicable"
    assert seen.measure("day.retention").dimension == "timeliness"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("property: freshness, value: 3, unit: moons, element: stock.day", 'unit is "moons"'),
        ("property: freshness, value: soon, element: stock.day", "a number over 0"),
        ("property: freshness, value: 3", "which column"),
        ("property: freshness, value: 3, element: stock.dy", 'did you mean "day"'),
    ],
)
def test_an_agreement_that_cannot_be_kept_is_told(desk, line, what):
    with pytest.raises(ContractErrors, match=what):
        rules_of(agreed(desk, line))

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from qua3ck.understand.contract import tables
from qua3ck.understand.contract.compile import repeats


def test_shares_and_counts_are_compared_and_named(desk):
    column = (
        "[{name: kg, logicalType: number, quality: "
        "[{name: share, metric: nullValues, mustBeLessOrEqualTo: 20, unit: percent}, "
        "{name: count, metric: nullValues, mustBeLessOrEqualTo: 1}]}]"
    )
    seen = desk.check({"kg": [1.0, None, None, 4.0, 5.0]}, desk.columns(column))
    assert seen.answers() == {"share": "fail", "count": "fail"}
    assert seen.measure("share").failing == seen.measure("count").failing == 2
    assert "it is 40 percent, and must be less or equal to 20 percent" in seen.found("U071")[0].says
    assert seen.held == []
    fine = desk.check({"kg": [1.0, None, 3.0, 4.0, 5.0]}, desk.columns(column))
    assert set(fine.answers().values()) == {"pass"}


def test_a_table_is_asked_about_the_rows_that_go_on(desk):
    table = desk.columns(
        "[{name: kg, logicalType: number, logicalTypeOptions: {maximum: 40}}]",
        quality="[{metric: rowCount, mustBe: 2}, "
        "{name: mean, type: sql, query: SELECT AVG(kg) FROM stock, mustBeLessThan: 3}]",
    )
    seen = desk.check({"kg": [1.0, 2.0, 900.0]}, table)
    assert seen.answers() == {"kg.range": "fail", "stock.rowCount": "pass", "mean": "pass"}


@pytest.mark.parametrize(("most", "answer"), [(1, "fail"), (2, "pass")])
def test_a_few_repeats_may_be_agreed(desk, most, answer):
    rule = f"[{{metric: duplicateValues, mustBeLessOrEqualTo: {most}}}]"
    table = desk.columns(f"[{{name: code, logicalType: string, quality: {rule}}}]")
    seen = desk.check({"code": ["a", "a", "a", "b", None, None]}, table)
    assert seen.measure("code.duplicateValues").failing == 2
    assert seen.answers() == {"code.duplicateValues": answer}
    assert seen.held == []


@pytest.mark.parametrize(
    ("codes", "failing"),
    [(["a", "b", "c", None, None], 0), (["a", "b", "b", None, None], 1), ([None, None], 0)],
)
def test_a_table_of_the_keys_is_made_only_where_they_may_come_again(
    desk, codes, failing, monkeypatch
):
    asked = []

    def counted(*given):
        asked.append(given)
        return repeats(*given)

    monkeypatch.setattr(tables, "repeats", counted)
    table = desk.columns("[{name: code, logicalType: string, unique: true}]")
    (measure,), _ = desk.whole({"code": pa.array(codes, pa.string())}, table)
    assert measure.failing == failing
    assert bool(asked) == bool(failing)


def test_a_minimum_that_may_be_a_cell_is_not_quoted(desk):
    rule = "{type: sql, query: SELECT MIN(birth) FROM stock, mustBe: 3}"
    table = desk.columns("[{name: birth, logicalType: date}]", quality=f"[{rule}]")
    seen = desk.check({"birth": [date(1987, 6, 5)]}, table)
    (finding,) = seen.found("U081")
    assert "it is another" in finding.says
    assert "1987" not in str(finding)

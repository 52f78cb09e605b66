from __future__ import annotations

import duckdb
import pyarrow as pa

STOCK = {
    "district": ["ML1", "ML2", "ML9", None, "ML1"],
    "name": ["Kayes", "Kayes", "Gao", "Gao", "Kayes"],
    "cartons": [5, 6, 7, 8, 9],
}
DISTRICTS = {
    "code": ["ML1", "ML2", "ML3", "ML1"],
    "name": ["Kayes", "Koulikoro", "Sikasso", "Kayes"],
}


def test_a_value_that_refers_to_nothing_is_held_and_an_empty_one_is_not(desk):
    table = desk.columns(
        "[{name: district, logicalType: string, relationships: [{to: districts.code}]}]"
    )
    rows = {"district": STOCK["district"]}
    seen = desk.check(rows, table, references={"districts": DISTRICTS})
    with duckdb.connect() as connection:
        connection.register("s", pa.table(rows))
        connection.register("d", pa.table(DISTRICTS))
        sql = "SELECT count(*) FROM s WHERE district NOT IN (SELECT code FROM d)"
        assert connection.execute(sql).fetchone() == (seen.measure("district.references").failing,)
    assert seen.lines == [(3, "district", "U077", "ML9")]
    assert seen.good == [1, 2, 4, 5]  # a code that the other table has twice keeps one row


def test_pairs_that_are_wrong_together_are_an_error_of_accuracy(desk):
    table = desk.contract(
        "  - name: stock\n"
        "    properties:\n"
        "      - {name: district, logicalType: string}\n"
        "      - {name: name, logicalType: string}\n"
        "    relationships:\n"
        "      - from: [stock.district, stock.name]\n"
        "        to: [districts.code, districts.name]\n"
        "        customProperties: [{property: dimension, value: accuracy}]\n"
    )
    rows = {key: STOCK[key] for key in ("district", "name")}
    seen = desk.check(rows, table, references={"districts": DISTRICTS})
    assert seen.held == [2, 3]
    assert seen.measure("district+name.references").dimension == "accuracy"


def test_the_same_thing_in_two_tables_is_compared_within_a_tolerance(desk):
    check = (
        "{check: equalsIn, table: survey, on: {child: id}, column: kg, theirs: weight, "
        "tolerance: 0.1}"
    )
    table = desk.columns(
        "[{name: child, logicalType: integer}, {name: kg, logicalType: number}]",
        quality=f"[{{name: agrees, type: custom, engine: qua3ck, implementation: {check}}}]",
    )
    rows = {"child": [1, 2, 3, 4, 5], "kg": [3.5, 4.0, 5.0, None, float("nan")]}
    survey = {"id": [1, 2, 4, 5], "weight": [3.55, 4.2, 9.0, 7.0]}
    seen = desk.check(rows, table, references={"survey": survey})
    assert seen.held == [2]  # 3 is not in the survey, 4 and 5 have no weight here
    assert seen.found("U078")[0].evidence["failing"] == 1
    assert seen.measure("agrees").dimension == "consistency"


def test_parts_of_a_row_add_up_to_its_total(desk):
    check = "{check: sumOfParts, total: children, parts: [girls, boys]}"
    table = desk.columns(
        "[{name: children, logicalType: number}, {name: girls, logicalType: number}, "
        "{name: boys, logicalType: number}]",
        quality=f"[{{name: adds, type: custom, engine: qua3ck, implementation: {check}}}]",
    )
    rows = {"children": [27, 25, 0.3, None], "girls": [12, 12, 0.1, 1], "boys": [15, 15, 0.2, 2]}
    seen = desk.check({key: pa.array(each, pa.float64()) for key, each in rows.items()}, table)
    assert seen.held == [2]
    assert seen.found("U079")


def test_sums_of_groups_equal_what_another_table_says(desk):
    check = "{check: sumEquals, column: cartons, by: district, table: totals, theirs: all}"
    table = desk.columns(
        "[{name: district, logicalType: string}, {name: cartons, logicalType: integer}]",
        quality=f"[{{name: totals, type: custom, engine: qua3ck, implementation: {check}, "
        "severity: info}]",
    )
    rows = {"district": ["a", "a", "b", "c"], "cartons": [1, 2, 5, 1]}
    totals = {"district": ["a", "b", "d"], "all": [3, 6, 1]}
    seen = desk.check(rows, table, references={"totals": totals})
    measured = seen.measure("totals")
    assert (measured.rows, measured.failing) == (4, 3)  # b differs; c and d stand on one side
    right = {"district": ["a", "b", "c"], "all": [3, 5, 1]}
    assert desk.check(rows, table, references={"totals": right}).measure("totals").answer == "pass"


def test_a_table_that_does_not_fit_makes_the_rule_not_applicable(desk):
    table = desk.columns(
        "[{name: district, logicalType: string, relationships: [{to: districts.code}]}]"
    )
    rows = {"district": ["ML1"]}
    for other, why in (
        ({}, "not there yet"),
        ({"districts": {"cod": ["ML1"]}}, 'did you mean "cod"'),
        ({"districts": {"code": [1]}}, "declare one type for both"),
    ):
        seen = desk.check(rows, table, references=other)
        assert seen.measure("district.references").answer == "not applicable"
        assert why in seen.measure("district.references").why
        assert seen.held == []

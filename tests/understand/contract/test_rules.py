from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.understand.contract import ours
from qua3ck.understand.contract.odcs import ContractErrors
from qua3ck.understand.contract.rules import DIMENSIONS, Bound, rules_of


def rules(table):
    return {rule.id: rule for rule in rules_of(table)}


def test_each_way_of_asking_becomes_one_rule_with_dimension_and_place(desk):
    table = desk.columns(
        "[{name: code, logicalType: string, primaryKey: true, "
        "logicalTypeOptions: {format: uuid, minLength: 2}}, "
        "{name: kg, logicalType: number, quality: [{metric: nullValues, mustBe: 0, "
        "dimension: completeness}, {metric: missingValues, "
        "arguments: {missingValues: [99]}, mustBe: 0}]}]",
        quality="[{metric: duplicateValues, arguments: {properties: [code, kg]}, mustBe: 0}, "
        "{metric: rowCount, mustBeBetween: [1, 9], dimension: coverage}]",
    )
    found = rules(table)
    assert {key: (rule.test, rule.dimension) for key, rule in found.items()} == {
        "code.required": ("required", "completeness"),
        "code.length": ("length", "validity"),
        "code.format": ("pattern", "validity"),
        "kg.nullValues": ("required", "completeness"),
        "kg.missingValues": ("markers", "completeness"),
        "code.primaryKey": ("unique", "uniqueness"),
        "stock.duplicateValues": ("unique", "uniqueness"),
        "stock.rowCount": ("rows", "completeness"),
    }
    assert "stock.odcs.yaml, line 9" in found["kg.nullValues"].where
    assert "quality[0]" in found["kg.nullValues"].where
    assert all(rule.dimension in DIMENSIONS for rule in found.values())


def test_a_key_of_two_columns_is_one_rule_in_its_order(desk):
    table = desk.columns(
        "[{name: month, primaryKey: true, primaryKeyPosition: 2}, "
        "{name: site, primaryKey: true, primaryKeyPosition: 1}]"
    )
    assert rules(table)["site+month.primaryKey"].columns == ("site", "month")


def test_ids_are_unique_and_stay_the_same(desk):
    table = desk.columns(
        "[{name: kg, quality: [{metric: nullValues, mustBe: 0}, "
        "{metric: nullValues, mustBeLessThan: 5, unit: percent}, {id: own, type: text}]}]"
    )
    assert list(rules(table)) == ["kg.nullValues", "kg.nullValues.2", "own"]
    assert list(rules(table)) == list(rules(table))


def test_limits_are_read_in_the_type_of_their_column(desk):
    table = desk.columns(
        "[{name: day, logicalType: date, logicalTypeOptions: {minimum: 2024-03-01}}, "
        "{name: at, logicalType: timestamp, "
        'logicalTypeOptions: {maximum: "2024-03-01 00:00:00+10:00"}}, '
        "{name: n, logicalType: integer, logicalTypeOptions: {format: u8}}]"
    )
    found = rules(table)
    assert found["day.range"].given == {"minimum": date(2024, 3, 1)}
    assert found["at.range"].given == {"maximum": datetime(2024, 2, 29, 14)}  # noqa: DTZ001 - UTC
    assert found["n.range"].given == {"minimum": 0, "maximum": 255}


@pytest.mark.parametrize(
    ("operator", "value", "percent", "none"),
    [
        ("mustBe", 0, False, True),
        ("mustBe", 0, True, True),
        ("mustBeLessOrEqualTo", 0, True, True),
        ("mustBeLessThan", 1, False, True),
        ("mustBeLessThan", 1, True, False),
        ("mustBe", 5, False, False),
        ("mustNotBe", 0, False, False),
    ],
)
def test_only_a_bound_of_none_lets_single_rows_be_held(operator, value, percent, none):
    assert Bound(operator, value, percent).none is none


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
def test_bounds_mean_what_their_names_say(figure, low, high):
    assert Bound("mustBe", low).met(figure) == (figure == low)
    assert Bound("mustNotBe", low).met(figure) == (figure != low)
    assert Bound("mustBeGreaterThan", low).met(figure) == (figure > low)
    assert Bound("mustBeGreaterOrEqualTo", low).met(figure) == (figure >= low)
    assert Bound("mustBeLessThan", low).met(figure) == (figure < low)
    assert Bound("mustBeLessOrEqualTo", low).met(figure) == (figure <= low)
    inside = low <= figure <= high
    assert Bound("mustBeBetween", [low, high]).met(figure) == inside
    assert Bound("mustNotBeBetween", [low, high]).met(figure) != inside


@pytest.mark.parametrize("operator", ["mustBe", "mustNotBe", "mustNotBeBetween", "mustBeLessThan"])
def test_a_figure_that_does_not_exist_meets_nothing(operator):
    value = [0, 1] if "Between" in operator else 0
    assert not Bound(operator, value).met(None)
    assert not Bound(operator, value).met(float("nan"))


MISTAKES = {
    "a pattern that is none": (
        "[{name: c, logicalType: string, logicalTypeOptions: {pattern: '[a'}}]",
        "",
        "no regular expression",
    ),
    "limits the wrong way round": (
        "[{name: c, logicalType: number, logicalTypeOptions: {minimum: 4, maximum: 3}}]",
        "",
        "no row could pass",
    ),
    "a limit that is no date": (
        "[{name: c, logicalType: date, logicalTypeOptions: {minimum: spring}}]",
        "",
        "a date such as 2024-03-01 is expected",
    ),
    "a limit that is no number": (
        "[{name: c, logicalType: integer, logicalTypeOptions: {minimum: low}}]",
        "",
        "a number is expected",
    ),
    "a column that is not there": (
        "[{name: cartons}]",
        "[{metric: duplicateValues, arguments: {properties: [carton]}, mustBe: 0}]",
        'did you mean "cartons"',
    ),
    "SQL about a column that is not there": (
        "[{name: cartons}]",
        "[{type: sql, query: SELECT COUNT(*) FROM stock WHERE carton < 0, mustBe: 0}]",
        'did you mean "cartons"',
    ),
    "a metric that needs a column": (
        "[{name: c}]",
        "[{metric: nullValues, mustBe: 0}]",
        "asked of the whole table",
    ),
    "invalid without saying what is valid": (
        "[{name: c, quality: [{metric: invalidValues, mustBe: 0}]}]",
        "",
        "does not say what is valid",
    ),
    "a figure compared with a word": (
        "[{name: c, quality: [{metric: nullValues, mustBe: none}]}]",
        "",
        "a number is expected",
    ),
    "an unknown severity": (
        "[{name: c, required: true, customProperties: [{property: severity, value: hld}]}]",
        "",
        'did you mean "hold"',
    ),
    "a severity of nothing": (
        "[{name: c, customProperties: [{property: severity, value: {requird: hold}}]}]",
        "",
        'did you mean "required"',
    ),
    "an unknown check of ours": (
        "[{name: c}]",
        "[{type: custom, engine: qua3ck, implementation: {check: expectdRows}}]",
        'did you mean "expectedRows"',
    ),
    "a check of ours without what it needs": (
        "[{name: c}]",
        "[{type: custom, engine: qua3ck, implementation: {check: expectedRows, units: c}}]",
        'expectedRows needs "periods"',
    ),
    "a check of ours with more": (
        "[{name: c}]",
        "[{type: custom, engine: qua3ck, "
        "implementation: {check: sumOfParts, total: c, parts: [c], tolerence: 1}}]",
        'did you mean "tolerance"',
    ),
    "periods of unknown length": (
        "[{name: c}]",
        "[{type: custom, engine: qua3ck, "
        "implementation: {check: expectedRows, units: c, periods: {column: c, every: moth}}}]",
        'did you mean "month"',
    ),
    "a negative tolerance": (
        "[{name: c}]",
        "[{type: custom, engine: qua3ck, "
        "implementation: {check: sumOfParts, total: c, parts: [c], tolerance: -1}}]",
        "a number from 0 is expected",
    ),
    "alike beyond one": (
        "[{name: c}]",
        "[{type: custom, engine: qua3ck, "
        "implementation: {check: nearDuplicates, columns: [c], alike: 7}}]",
        "a share over 0, up to 1",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_rule_that_cannot_be_right_is_told_with_place_and_cure(desk, name):
    columns, quality, what = MISTAKES[name]
    table = desk.columns(columns, quality=quality)
    with pytest.raises(ContractErrors) as found:
        rules_of(table)
    assert what in found.value.what
    assert found.value.code == "U153"
    assert "line" in found.value.where
    assert found.value.fix


@pytest.mark.parametrize(
    ("pattern", "test"),
    [("^\\\\p{L}+$", "pattern"), ("^(?=a)b", "none"), ("(a)\\\\1", "none"), ("^[a-z]$", "pattern")],
)
def test_a_pattern_that_the_engine_does_not_run_is_not_applicable(desk, pattern, test):
    table = desk.columns(
        f'[{{name: c, logicalType: string, logicalTypeOptions: {{pattern: "{pattern}"}}}}]'
    )
    assert [rule.test for rule in rules_of(table)] == [test]


def test_mistakes_of_several_rules_are_told_together(desk):
    table = desk.columns(
        "[{name: a, logicalType: string, logicalTypeOptions: {pattern: '['}}, "
        "{name: b, logicalType: number, logicalTypeOptions: {minimum: x}}]"
    )
    with pytest.raises(ContractErrors) as found:
        rules_of(table)
    assert len(found.value.all) == 2


@pytest.mark.parametrize(
    ("value", "form", "fits"),
    [
        ("a@b.org", "email", True),
        ("a at b", "email", False),
        ("https://x.org/a?b=c", "uri", True),
        ("x.org", "uri", False),
        ("192.168.0.1", "ipv4", True),
        ("192.168.0.256", "ipv4", False),
        ("123e4567-e89b-12d3-a456-426614174000", "uuid", True),
        ("clinic-7.example.org", "hostname", True),
        ("-x", "hostname", False),
    ],
)
def test_named_formats(desk, value, form, fits):
    table = desk.columns(
        f"[{{name: c, logicalType: string, logicalTypeOptions: {{format: {form}}}}}]"
    )
    seen = desk.check({"c": [value, None]}, table)
    assert seen.good == ([1, 2] if fits else [2])


def test_the_contract_in_the_docs_is_one(desk):
    page = (Path(__file__).parents[3] / "docs" / "understand.md").read_text()
    (block,) = re.findall(r"```yaml\n(schema:\n.*?)```", page, re.DOTALL)
    table = desk.contract(block.partition("schema:\n")[2])
    found = rules(table)
    assert {rule.test for rule in found.values()} >= {"grid", "fresh", "sql", "reference", "rows"}
    assert "none" not in {rule.test for rule in found.values()}
    for name in ours._CHECKS:
        assert f"`{name}`" in page

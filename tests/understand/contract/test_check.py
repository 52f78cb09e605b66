"""Rows against contracts; the judges are DuckDB's SQL and Pointblank on the same rows."""

from __future__ import annotations

import json
import math
from datetime import date, datetime

import duckdb
import pointblank as pb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from qua3ck.understand.contract.check import judge_rows

FULL = """
      - {name: id, logicalType: integer, primaryKey: true}
      - name: district
        logicalType: string
        required: true
        logicalTypeOptions: {pattern: "^D[0-9]{3}$", minLength: 4, maxLength: 4}
      - {name: day, logicalType: date, logicalTypeOptions: {minimum: "2024-01-01"}}
      - name: item
        logicalType: string
        quality: [{metric: invalidValues, arguments: {validValues: [rutf, soap]}, mustBe: 0}]
      - name: weight_kg
        logicalType: number
        logicalTypeOptions: {exclusiveMinimum: 0, maximum: 40}
      - {name: cartons, logicalType: integer, logicalTypeOptions: {multipleOf: 5}}
"""
ROWS = {
    "id": [1, 2, 3, 4, 4, None],
    "district": ["D001", "D01", None, "D004", "D005", "X006"],
    "day": [date(2024, 1, 1), date(2023, 12, 31), None, date(2024, 5, 1), None, None],
    "item": ["rutf", "soap", "tent", None, "rutf", "soap"],
    "weight_kg": [3.5, 0.0, 41.0, 40.0, None, 7.0],
    "cartons": [5, 10, 12, None, 0, 15],
}
FAILS = {  # the rule's id, and the same in SQL
    "id.required": "id IS NULL",
    "id.primaryKey": "id IS NOT NULL AND (row_number() OVER (PARTITION BY id ORDER BY _row) > 1 OR "
    "count(DISTINCT (district, day, item, weight_kg, cartons)) OVER (PARTITION BY id) > 1)",
    "district.required": "district IS NULL",
    "district.pattern": "NOT regexp_matches(district, '^D[0-9]{3}$')",
    "district.length": "length(district) <> 4",
    "day.range": "day < DATE '2024-01-01'",
    "item.invalidValues": "item NOT IN ('rutf', 'soap')",
    "weight_kg.range": "(weight_kg <= 0 OR weight_kg > 40) AND NOT isnan(weight_kg)",
    "cartons.multipleOf": "cartons % 5 <> 0",
}


def by_sql(rows: pa.Table) -> dict[str, list[int]]:
    rows = rows.append_column("_row", pa.array(range(1, rows.num_rows + 1)))
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        tested = ", ".join(
            f"coalesce({sql}, false) AS f{n}" for n, sql in enumerate(FAILS.values())
        )
        found = connection.execute(f"SELECT _row, {tested} FROM rows").fetchall()
    return {rule: [row[0] for row in found if row[1 + number]] for number, rule in enumerate(FAILS)}


def test_rows_fail_as_they_do_in_sql_and_wait_with_code_and_raw_cell(desk):
    seen = desk.check(ROWS, desk.columns(FULL))
    truth = by_sql(pa.table(ROWS))
    assert {rule: seen.measure(rule).failing for rule in FAILS} == {
        rule: len(rows) for rule, rows in truth.items()
    }
    assert seen.held == sorted({row for rows in truth.values() for row in rows})
    assert seen.good == [1]
    assert (2, "weight_kg", "U073", "0") in seen.lines
    assert (2, "district", "U072", "D01") in seen.lines
    assert (2, "district", "U074", "D01") in seen.lines
    assert (2, "day", "U073", "2023-12-31") in seen.lines
    assert (3, "district", "U071", None) in seen.lines
    assert (3, "item", "U075", "tent") in seen.lines
    assert [line for line in seen.lines if line[2] == "U076"] == [
        (4, "id", "U076", "4"),
        (5, "id", "U076", "4"),
    ]


def test_of_equal_rows_of_a_key_the_first_goes_on_and_of_others_none(desk):
    key = "[{name: a, logicalType: integer, unique: true}, {name: b, logicalType: number}]"
    rows = {"a": [1, 2, 1, 3, 3, 4], "b": [0.5, None, 0.5, 1.0, None, 2.0]}
    seen = desk.check(rows, desk.columns(key))
    assert (seen.good, seen.held) == ([1, 2, 6], [3, 4, 5])
    (finding,) = seen.found("U076")
    assert finding.evidence["example_rows"] == [3, 4, 5]
    assert finding.evidence["rule"] == "a.unique"


CELLS = st.fixed_dictionaries(
    {
        "id": st.none() | st.integers(0, 9),
        "district": st.none() | st.sampled_from(["D001", "D002", "D1", "x", ""]),
        "day": st.none() | st.dates(date(2023, 12, 25), date(2024, 1, 5)),
        "item": st.none() | st.sampled_from(["rutf", "soap", "Soap"]),
        "weight_kg": st.none() | st.floats(-1, 50) | st.just(float("nan")),
        "cartons": st.none() | st.integers(-6, 6),
    }
)
SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "district": pa.string(),
        "day": pa.date32(),
        "item": pa.string(),
        "weight_kg": pa.float64(),
        "cartons": pa.int64(),
    }
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example compiles and runs a scan
)
@given(st.lists(CELLS, min_size=1, max_size=40))
def test_every_row_goes_on_or_is_held_and_none_does_both(desk, cells):
    rows = pa.Table.from_pylist(cells, schema=SCHEMA)
    desk.agreed = desk.agreed or desk.columns(FULL)
    seen = desk.check(rows, desk.agreed)
    truth = by_sql(rows)
    assert {rule: seen.measure(rule).failing for rule in FAILS} == {
        rule: len(found) for rule, found in truth.items()
    }
    assert sorted([*seen.held, *seen.good]) == list(range(1, rows.num_rows + 1))
    assert seen.held == sorted({row for found in truth.values() for row in found})
    if not seen.held:
        assert pq.read_table(seen.checked.rows).drop_columns("_row").equals(rows)


def test_what_is_not_a_number_is_as_empty_as_null_whatever_the_files_statistics_say(desk):
    table = desk.columns(
        "[{name: kg, logicalType: number, required: true, logicalTypeOptions: {maximum: 40}}]"
    )
    nan = float("nan")
    for values in ([44.0, nan, 1.0], [1.0, nan, 2.0], [50.0, nan, 60.0], [nan, nan, None]):
        seen = desk.check({"kg": pa.array(values, pa.float64())}, table)
        missing = [n for n, value in enumerate(values, 1) if value is None or math.isnan(value)]
        assert [row for row, _, code, _ in seen.lines if code == "U071"] == missing
        heavy = [n for n, value in enumerate(values, 1) if value is not None and value > 40]
        assert [row for row, _, code, _ in seen.lines if code == "U073"] == heavy


def test_pointblank_gives_the_same_verdicts(desk):
    seen = desk.check(ROWS, desk.columns(FULL))
    frame = pa.table(ROWS).to_pandas().astype({"id": "Int64", "cartons": "Int64"})
    steps = (
        pb.Validate(data=frame)
        .col_vals_not_null("id")
        .col_vals_not_null("district")
        .col_vals_regex("district", "^D[0-9]{3}$", na_pass=True)
        .col_vals_in_set("item", ["rutf", "soap", None])
        .col_vals_gt("weight_kg", 0, na_pass=True)
        .col_vals_le("weight_kg", 40, na_pass=True)
        .interrogate()
    )
    failed = list(steps.n_failed().values())
    assert failed[:4] == [
        seen.measure(rule).failing
        for rule in ("id.required", "district.required", "district.pattern", "item.invalidValues")
    ]
    assert failed[4] + failed[5] == seen.measure("weight_kg.range").failing


def test_an_empty_table_fails_every_rule_and_blocks_the_load(desk):
    table = desk.columns(FULL, quality="[{metric: rowCount, mustBeGreaterOrEqualTo: 0}]")
    seen = desk.check(SCHEMA.empty_table(), table)
    assert set(seen.answers().values()) == {"fail"}
    assert all(each.share is None for each in seen.checked.measures)
    assert seen.blocks == ["U070"]
    assert seen.held == seen.good == []


SEVERITIES = {
    "inform": ([], [1, 2, 3], []),
    "hold": ([2], [1, 3], []),
    "block": ([2], [1, 3], ["U073"]),
}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_severity_decides_what_follows(desk, severity):
    held, good, blocks = SEVERITIES[severity]
    column = (
        "[{name: kg, logicalType: number, logicalTypeOptions: {maximum: 40}, "
        f"customProperties: [{{property: severity, value: {severity}}}]}}]"
    )
    seen = desk.check({"kg": [3.0, 99.0, None]}, desk.columns(column))
    assert (seen.held, seen.good, seen.blocks) == (held, good, blocks)
    assert seen.measure("kg.range").failing == 1
    assert len(seen.found("U073")) == 1


def test_severity_may_differ_per_constraint_and_words_of_the_standard_are_known(desk):
    column = (
        "[{name: kg, logicalType: number, required: true, logicalTypeOptions: {maximum: 40}, "
        "customProperties: [{property: severity, value: {required: block, range: inform}}]}, "
        "{name: item, logicalType: string, quality: [{metric: nullValues, mustBe: 0, "
        "severity: warning}, {metric: nullValues, mustBe: 0, severity: error}]}]"
    )
    table = desk.columns(column)
    seen = desk.check({"kg": [99.0, 1.0, 1.0], "item": ["a", "b", None]}, table)
    actions = {each.rule: each.action for each in seen.checked.measures}
    assert actions == {
        "kg.required": "block",
        "kg.range": "inform",
        "item.nullValues": "inform",
        "item.nullValues.2": "hold",
    }
    assert seen.held == [3]


def test_a_bad_batch_is_held_as_a_whole_and_good_rows_of_a_fair_one_go_on(desk):
    column = "[{name: kg, logicalType: number, logicalTypeOptions: {maximum: 40}}]"
    bad = desk.check({"kg": [99.0, 98.0, 1.0]}, desk.columns(column))
    assert bad.blocks == ["U087"]
    fair = desk.check({"kg": [99.0, 1.0, 1.0]}, desk.columns(column))
    assert fair.blocks == []
    assert fair.good == [2, 3]
    strict = desk.contract(
        f"  - name: stock\n    properties: {column}\n"
        "    customProperties: [{property: holdAtMost, value: 0.2}]\n"
    )
    assert desk.check({"kg": [99.0, 1.0, 1.0]}, strict).blocks == ["U087"]


def test_nothing_is_rewritten_where_nothing_is_held(desk, tmp_path):
    column = "[{name: kg, logicalType: number, logicalTypeOptions: {maximum: 40}}]"
    seen = desk.check({"kg": [1.0, 2.0]}, desk.columns(column))
    assert seen.checked.rows == tmp_path / "rows.parquet"


def test_rows_that_go_on_keep_their_columns_and_order(desk):
    column = "[{name: kg, logicalType: number, logicalTypeOptions: {maximum: 40}}, {name: item}]"
    rows = {"kg": [float(n % 50) for n in range(5000)], "item": [f"i{n}" for n in range(5000)]}
    seen = desk.check(rows, desk.columns(column))
    kept = pq.read_table(seen.checked.rows)
    assert kept.column_names == ["kg", "item", "_row"]
    assert kept["_row"].to_pylist() == [n + 1 for n in range(5000) if n % 50 <= 40]


def test_what_cannot_be_executed_is_not_applicable_and_never_passes(desk):
    quality = (
        "[{type: text, description: nice}, "
        "{type: custom, engine: soda, implementation: x, dimension: uniqueness}, "
        "{type: sql, query: SELECT COUNT(*) FROM other, mustBe: 0}]"
    )
    table = desk.columns(
        "[{name: code, logicalType: string, relationships: [{to: codes.id}], "
        "logicalTypeOptions: {pattern: '(?=x)y'}}, "
        "{name: at, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}}]",
        quality=quality,
    )
    seen = desk.check({"code": ["a"], "at": [date(2024, 1, 1)]}, table)
    assert set(seen.answers().values()) == {"not applicable"}
    (finding,) = seen.found("U086")
    reasons = " ".join(each["why"] for each in finding.evidence["rules"])
    for word in ("words for people", "soda", "own table", "looks ahead", "not there yet", "dates:"):
        assert word in reasons


def test_columns_that_nobody_agreed_on_are_told_and_missing_ones_block(desk):
    table = desk.columns(
        "[{name: monthly_income, logicalType: number, required: true}, "
        "{name: cartons, logicalType: integer}, {name: day, logicalType: timestamp}]"
    )
    rows = {"monthly_incom": [1.0], "cartons": ["7"], "day": [date(2024, 1, 1)], "extra": [1]}
    seen = desk.check(rows, table)
    assert seen.blocks == ["U085", "U085"]
    missing, other, new = seen.found("U085")
    assert 'did you mean "monthly_incom"' in missing.says
    assert other.evidence["types"] == {"cartons": {"agreed": "integer", "found": "string"}}
    assert new.evidence["new"] == ["monthly_incom", "extra"]
    assert seen.measure("monthly_income.required").answer == "not applicable"


def test_a_rule_over_several_columns_shows_the_cells_it_looked_at(desk):
    rule = "SELECT COUNT(*) FROM ${table} WHERE delivered < ordered"
    table = desk.columns(
        "[{name: ordered, logicalType: date}, {name: delivered, logicalType: date}]",
        quality=f'[{{type: sql, query: "{rule}", mustBe: 0}}]',
    )
    rows = {
        "ordered": [date(2024, 1, 2), date(2024, 1, 2), None],
        "delivered": [date(2024, 1, 1), date(2024, 1, 3), date(2024, 1, 1)],
    }
    seen = desk.check(rows, table)
    ((row, column, code, raw),) = seen.lines
    assert (row, column, code) == (1, None, "U080")
    assert json.loads(raw) == {"ordered": "2024-01-02", "delivered": "2024-01-01"}


def test_findings_hold_counts_and_row_numbers_and_no_cell(desk):
    table = desk.columns(
        "[{name: name, logicalType: string, unique: true, logicalTypeOptions: {maxLength: 5}}]",
        quality="[{type: sql, query: SELECT MAX(name) FROM stock, mustBe: Zoe}]",
    )
    seen = desk.check(
        {"name": ["Fatima Hassan", "Amadou", "Amadou", "Ann", "Bo", "Cy", "Di"]}, table
    )
    told = json.dumps(
        [
            f.says + f.where + json.dumps(dict(f.evidence))
            for f in (*seen.checked.findings, *seen.checked.blocks)
        ]
    )
    assert "Fatima" not in told
    assert "Amadou" not in told
    assert "Di" not in told.replace("Dimension", "")
    assert seen.found("U074")[0].evidence["example_rows"] == [1, 2, 3]


def test_a_piece_of_a_table_leaves_questions_about_the_table_to_later(desk):
    table = desk.columns(
        "[{name: kg, logicalType: number, required: true}]",
        quality="[{metric: rowCount, mustBeGreaterThan: 3}]",
    )
    piece = desk.check({"kg": [1.0, 2.0]}, table, whole=False)
    assert (piece.answers(), piece.found("U086")) == ({"kg.required": "pass"}, [])
    measures, findings = desk.whole({"kg": [1.0, 2.0, 3.0, 4.0], "_row": [1, 2, 1, 2]}, table)
    assert {each.rule: each.answer for each in measures} == {"stock.rowCount": "pass"}
    assert findings == ()
    measures, findings = desk.whole({"kg": [1.0], "_row": [1]}, table)
    assert [finding.code for finding in findings if finding.severity == "block"] == ["U081"]


def test_a_whole_table_is_asked_for_repeats_across_pieces_and_for_being_empty(desk):
    table = desk.columns("[{name: id, logicalType: integer, unique: true}]")
    measures, findings = desk.whole({"id": [1, 2, 2]}, table)
    assert (measures[0].failing, [f.code for f in findings]) == (1, ["U076"])
    assert "held" not in findings[0].says
    measures, findings = desk.whole(
        {"id": pa.array([], pa.int64()), "_row": pa.array([], pa.int64())}, table
    )
    assert (measures[0].answer, findings[0].code) == ("fail", "U070")


def test_keys_that_all_differ_are_not_listed_to_find_that_out(desk):
    table = desk.columns("[{name: a, logicalType: integer, unique: true}]")
    seen = desk.check({"a": [3, 1, None, 2, None]}, table)
    assert (seen.measure("a.unique").answer, seen.good) == ("pass", [1, 2, 3, 4, 5])
    assert [path.name for path in (desk.folder / "checked").iterdir()] == ["failing.parquet"]


def test_judging_alone_writes_no_good_rows_and_says_which_they_are(desk, tmp_path):
    table = desk.columns("[{name: kg, logicalType: number, required: true}]")
    rows = pa.table({"kg": [1.0, None], "_row": pa.array([1, 2], pa.int64())})
    pq.write_table(rows, tmp_path / "r.parquet")
    judged = judge_rows(
        tmp_path / "r.parquet",
        table,
        engine=desk.engine,
        into=tmp_path / "judged",
        now=datetime(2024, 1, 1),  # noqa: DTZ001
    )
    assert (judged.came, judged.out) == (2, 1)
    assert desk.engine.rows(judged.good)["_row"].to_pylist() == [1]
    assert [path.name for path in (tmp_path / "judged").iterdir()] == ["failing.parquet"]


def test_a_batch_that_fails_in_every_row_lists_each_row_once_after_the_beginning(desk, monkeypatch):
    monkeypatch.setattr("qua3ck.understand.contract.check._MOST_LINES", 10)
    monkeypatch.setattr("qua3ck.understand.contract.check._BATCH", 8)
    table = desk.columns(
        "[{name: kg, logicalType: number, required: true}, {name: item, required: true}]"
    )
    nothing = {
        "kg": pa.array([None] * 100, pa.float64()),
        "item": pa.array([None] * 100, pa.string()),
    }
    seen = desk.check(nothing, table)
    assert seen.measure("kg.required").failing == seen.measure("item.required").failing == 100
    assert seen.held == list(range(1, 101))
    assert len(seen.lines) == 8 * 2 + 92
    assert seen.blocks == ["U087"]


class Profiled:
    """A connection that tells which files its statements read, and how often each."""

    def __init__(self, connection, profile):
        self._connection, self._profile = connection, profile
        self._read = []
        connection.execute("PRAGMA enable_profiling = 'json'")
        connection.execute(f"SET profiling_output = '{profile}'")

    def __getattr__(self, name):
        self._note()  # each statement writes its own over the one before
        return getattr(self._connection, name)

    def times(self, path):
        self._note()
        return self._read.count(str(path))

    def _note(self):
        if self._profile.exists():
            self._read += _files_read(json.loads(self._profile.read_text())["operator"])
            self._profile.unlink()


def _files_read(steps):
    for step in steps:
        if step["type"] == "TABLE_SCAN" and "Filename(s)" in step["extra_info"]:
            yield step["extra_info"]["Filename(s)"]
        yield from _files_read(step.get("children", ()))


@pytest.fixture
def reads(desk, monkeypatch):
    """Return how often the staged rows were read for a contract of these rules."""

    def count(columns, quality=""):
        names = [f"c{n}" for n in range(150)]
        listed = ", ".join(
            f"{{name: {name}, logicalType: integer, {columns(n)}}}" for n, name in enumerate(names)
        )
        rows = {name: [0, 1, 200, 7, None] for name in names}
        profiled = Profiled(desk.engine.connection, desk.folder / "profile.json")
        monkeypatch.setattr(desk.engine, "_connection", profiled)
        desk.seen = desk.check(rows, desk.columns(f"[{listed}]", quality=quality))
        return profiled.times(desk.folder / "rows.parquet")

    return count


def _rules(most):
    """Return what the first columns are held to: two rules each, which some rows fail."""
    two = "required: true, logicalTypeOptions: {minimum: 0, maximum: 150}"
    return lambda n: two if n < most else "required: false"


def test_a_contract_of_many_rules_is_one_scan_too(desk, reads):
    one = reads(_rules(1))
    assert (len(desk.seen.checked.measures), desk.seen.held) == (2, [3, 5])
    many = reads(_rules(150))
    assert (len(desk.seen.checked.measures), desk.seen.held) == (300, [3, 5])
    assert (one, many) == (2, 2)  # one finds what fails, the other writes what does not


def test_all_figures_of_a_table_are_one_scan_more(desk, reads):
    rule = "{{type: sql, query: 'SELECT sum(c{}) FROM stock', mustBeLessThan: 9}}"
    rules = [rule.format(n) for n in range(150)]
    few, many = (reads(_rules(150), quality=f"[{', '.join(rules[:n])}]") for n in (1, 150))
    assert len(desk.seen.checked.measures) == 450
    assert (few, many) == (3, 3)


def test_a_unique_column_is_a_scan_of_its_own(desk, reads):
    def with_unique(n):
        return f"{_rules(150)(n)}{', unique: true' if n < 4 else ''}"

    assert reads(with_unique) == reads(_rules(150)) + 4

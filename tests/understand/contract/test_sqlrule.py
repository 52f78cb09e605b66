"""Custom SQL: the same figure as DuckDB gives, and nothing that reaches beyond its table."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pytest

from qua3ck.understand.contract.sqlrule import NotSaid, dialect_of, expression, read_figure

NOW = datetime(2024, 6, 30, tzinfo=UTC)
ROWS = pa.table(
    {
        "a": [1, 2, 3, None, 5],
        "b": [1.5, -2.5, 0.0, 4.0, None],
        "s": ["rutf 12", "Soap", None, "f75", "rutf"],
        "d": [date(2024, 1, 1), None, date(2023, 5, 6), date(2022, 1, 1), date(2024, 6, 30)],
        "ok": [True, False, None, True, True],
    }
)
QUERIES = (
    "SELECT COUNT(*) FROM t",
    "SELECT COUNT(*) FROM t WHERE a < 3 OR b IS NULL",
    "SELECT COUNT(a) FROM t WHERE s LIKE 'rutf%' AND NOT (a = 1)",
    "SELECT COUNT(*) FROM t WHERE s ILIKE 'SOAP' OR regexp_matches(s, '^f[0-9]+$')",
    "SELECT COUNT(DISTINCT s) FROM t WHERE a IN (1, 2, 5)",
    "SELECT AVG(b) FROM t WHERE a BETWEEN 1 AND 3",
    "SELECT SUM(a * 2 - 1) / COUNT(*) FROM t",
    "SELECT SUM(CASE WHEN a % 2 = 0 THEN 1 ELSE 0 END) FROM t",
    "SELECT MAX(length(upper(trim(s)))) FROM t",
    "SELECT COUNT(*) FROM t WHERE coalesce(b, 0) = 0 AND abs(a) >= 1",
    "SELECT COUNT(*) FROM t WHERE d >= '2024-01-01'",
    "SELECT COUNT(*) FROM t WHERE d < DATE '2024-01-01' AND extract(year FROM d) = 2023",
    "SELECT COUNT(*) FROM t WHERE d > CAST('2023-12-31' AS DATE)",
    "SELECT MIN(round(b, 0)) FROM t",
    "SELECT bool_and(ok) FROM t",
    "SELECT COUNT(*) FROM t WHERE ok AND s IS NOT NULL",
    "SELECT COUNT(*) FROM t WHERE s || 'x' = 'rutfx' OR substr(s, 1, 2) = 'f7'",
    "SELECT stddev(a) FROM t",
    "SELECT MEDIAN(a) FROM t",
    "SELECT COUNT(*) FROM t WHERE nullif(a, 1) IS NULL",
    "SELECT COUNT(*) FROM t WHERE -b > 2",
)


@pytest.mark.parametrize("query", QUERIES)
def test_a_figure_is_what_duckdb_says(desk, query):
    figure = read_figure(query, tables=["t"], column=None)
    rows = desk.engine.arrow(ROWS)
    where = None if figure.where is None else expression(figure.where, rows, now=NOW)
    ours = expression(figure.select, rows, now=NOW, where=where)
    found = desk.engine.rows(rows.aggregate(x=ours))["x"][0].as_py()
    with duckdb.connect() as connection:
        connection.register("t", ROWS)
        (theirs,) = connection.execute(query).fetchone()
    assert found == pytest.approx(theirs)


REFUSED = {
    "SELECT COUNT(*) FROM read_csv('/etc/passwd')": "something else than its own table",
    "SELECT COUNT(*) FROM 'secrets.csv'": "something else than its own table",
    "SELECT COUNT(*) FROM other": "something else than its own table",
    "SELECT COUNT(*) FROM t, other": "only SELECT, FROM and WHERE",
    "SELECT COUNT(*) FROM t JOIN u ON t.a = u.a": "only SELECT, FROM and WHERE",
    "SELECT COUNT(*) FROM (SELECT * FROM t)": "something else than its own table",
    "SELECT COUNT(*) FROM t WHERE a IN (SELECT a FROM u)": "Subquery is not understood",
    "SELECT getenv('HOME') FROM t": "getenv is not understood",
    "SELECT COUNT(*) FROM t WHERE s = current_setting('x')": "is not understood",
    "SELECT COUNT(*) FROM t; DROP TABLE t": "not one SELECT",
    "DROP TABLE t": "not one SELECT",
    "COPY t TO 'x.csv'": "not one SELECT",
    "SELECT a, b FROM t": "one figure",
    "SELECT COUNT(*) FROM t GROUP BY a": "only SELECT, FROM and WHERE",
    "SELECT COUNT(*) FROM t LIMIT 1": "only SELECT, FROM and WHERE",
    "WITH x AS (SELECT 1) SELECT COUNT(*) FROM t": "only SELECT, FROM and WHERE",
    "SELECT COUNT(*) OVER () FROM t": "is not understood",
    "SELECT (((": "cannot be read as SQL",
    "SELECT COUNT(*) FROM ${other}": "placeholder",
    "SELECT COUNT(*)": "one figure from the table",
}


@pytest.mark.parametrize("query", REFUSED)
def test_what_reaches_further_is_not_said(query):
    with pytest.raises(NotSaid, match=REFUSED[query]):
        read_figure(query, tables=["t"], column="a")


def test_placeholders_stand_for_table_and_column_and_cannot_be_broken_out_of(desk):
    hostile = 'a" FROM t; DROP TABLE t --'
    figure = read_figure(
        "SELECT COUNT(*) FROM ${table} WHERE ${column} < 0", tables=["t"], column=hostile
    )
    assert figure.columns == (hostile,)
    assert figure.failing
    rows = desk.engine.arrow(pa.table({hostile: [-1, 1]}))
    found = desk.engine.rows(rows.filter(expression(figure.where, rows, now=NOW)))
    assert found.num_rows == 1


def test_types_that_do_not_fit_are_said_and_no_value_is_quoted(desk):
    rows = desk.engine.arrow(ROWS)
    figure = read_figure("SELECT COUNT(*) FROM t WHERE length(a) > 1", tables=["t"], column=None)
    with pytest.raises(NotSaid, match="types do not fit"):
        expression(figure.where, rows, now=NOW)
    unknown = read_figure("SELECT COUNT(*) FROM t WHERE nope > 1", tables=["t"], column=None)
    with pytest.raises(NotSaid, match='no column "nope"'):
        expression(unknown.where, rows, now=NOW)


@pytest.mark.parametrize("query", ["d > 'spring'", "CAST('2024-13-01' AS DATE) < d"])
def test_a_date_that_is_none_is_said_and_not_compared(desk, query):
    figure = read_figure(f"SELECT COUNT(*) FROM t WHERE {query}", tables=["t"], column=None)
    with pytest.raises(NotSaid, match="and is none"):
        expression(figure.where, desk.engine.arrow(ROWS), now=NOW)


def test_a_cell_that_cannot_be_cast_is_empty_and_stops_nothing(desk):
    figure = read_figure(
        "SELECT COUNT(*) FROM t WHERE CAST(s AS INT) > 1 OR s IS NULL", tables=["t"], column=None
    )
    rows = desk.engine.arrow(ROWS)
    assert desk.engine.rows(rows.filter(expression(figure.where, rows, now=NOW))).num_rows == 1


def test_today_is_the_moment_that_is_given(desk):
    rows = desk.engine.arrow(ROWS)
    figure = read_figure("SELECT COUNT(*) FROM t WHERE d = CURRENT_DATE", tables=["t"], column=None)
    assert desk.engine.rows(rows.filter(expression(figure.where, rows, now=NOW))).num_rows == 1


def test_the_dialect_of_the_server_is_understood(desk):
    query = "SELECT COUNT(*) FROM [t] WHERE [a] > 1 AND ISNULL(b, 0) = 0"
    figure = read_figure(query, tables=["t"], column=None, dialect=dialect_of("sqlserver"))
    rows = desk.engine.arrow(ROWS)
    assert desk.engine.rows(rows.filter(expression(figure.where, rows, now=NOW))).num_rows == 2
    assert dialect_of(None) == dialect_of("something new") == "duckdb"


def test_a_count_of_failing_rows_holds_them_and_another_figure_is_compared(desk):
    table = desk.columns(
        "[{name: a, logicalType: integer}, {name: b, logicalType: number}]",
        quality="[{name: no_twos, type: sql, query: 'SELECT COUNT(*) FROM stock WHERE a = 2', "
        "mustBe: 0}, {name: few_twos, type: sql, mustBeLessThan: 5, "
        "query: 'SELECT COUNT(*) FROM stock WHERE a = 1'}, "
        "{name: mean, type: sql, query: 'SELECT AVG(b) FROM stock', mustBeBetween: [0, 1]}]",
    )
    seen = desk.check({"a": [1, 2, 3], "b": [5.0, 5.0, 5.0]}, table)
    assert seen.held == [2]
    assert seen.answers() == {"no_twos": "fail", "few_twos": "pass", "mean": "fail"}
    assert seen.blocks == ["U081"]
    assert "it is 5, and must be between [0, 1]" in seen.found("U081")[0].says
    assert seen.found("U080")[0].evidence["failing"] == 1

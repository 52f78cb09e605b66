"""A query says what it reads and where its columns come from, and reaches nothing else."""

from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.gold.query import (
    Origin,
    Query,
    origins,
    parsed,
    qualified,
    read_query,
    rule_of,
)

COLUMNS = {
    "shipments": {"id": "TEXT", "country": "TEXT", "weight": "TEXT", "line item": "DOUBLE"},
    "dates": {"id": "TEXT", "day": "DATE"},
}


def query(text: str, *reads: str) -> Query:
    return Query(text, tuple(sorted(reads)), "made.sql")


def test_a_query_reads_the_tables_in_every_corner_of_it(tmp_path):
    (tmp_path / "made.sql").write_text(
        "WITH heavy AS (SELECT * FROM shipments WHERE id IN (SELECT id FROM dates))\n"
        "SELECT h.* FROM heavy h JOIN (SELECT * FROM prices) p ON p.id = h.id"
    )
    got = read_query(tmp_path / "made.sql", place="understand.tables.made.sql")
    assert got.reads == ("dates", "prices", "shipments")


def test_columns_are_followed_through_steps_and_joins():
    got = origins(
        query(
            "WITH w AS (SELECT id, try_cast(weight AS DOUBLE) AS kg FROM shipments) "
            "SELECT d.day, sum(a.kg) AS kg, count(*) AS n FROM w a JOIN dates d USING (id) "
            "GROUP BY ALL",
            "shipments",
            "dates",
        ),
        COLUMNS,
    )
    assert got["kg"] == (Origin("shipments", "weight"),)
    assert got["day"] == (Origin("dates", "day"),)
    assert got["n"] == ()


def test_a_column_with_a_space_in_its_name_is_followed():
    made = query('SELECT "line item" * 2 AS twice FROM shipments', "shipments")
    assert origins(made, COLUMNS)["twice"] == (Origin("shipments", "line item"),)
    assert rule_of(made, "twice", COLUMNS) == 'shipments."line item" * 2'


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM shipments",
        "SELECT 1; DROP TABLE shipments",
        "CREATE TABLE x AS SELECT 1",
        "",
        "-- nothing but a remark",
    ],
)
def test_anything_but_one_select_is_refused(text):
    with pytest.raises(Qua3ckError, match="is not one SELECT") as caught:
        parsed(text, name="made.sql", place="understand.tables.made.sql")
    assert caught.value.code == "U157"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM 'other.parquet'",
        'SELECT * FROM "../secret.csv"',
        "SELECT getenv('PASSWORD') AS p",
        "SELECT * FROM glob('*')",
        "SELECT * FROM shipments WHERE id IN (SELECT content FROM read_text('x'))",
    ],
)
def test_a_query_reaches_the_declared_tables_and_nothing_else(text):
    with pytest.raises(Qua3ckError, match="reaches out of the tables"):
        parsed(text, name="made.sql", place="understand.tables.made.sql")


def test_a_slip_in_the_query_is_shown_with_its_line(tmp_path):
    (tmp_path / "made.sql").write_text("SELECT id,\n  lower(country\nFROM shipments")
    with pytest.raises(Qua3ckError, match=r"made\.sql cannot be read as SQL") as caught:
        read_query(tmp_path / "made.sql", place="understand.tables.made.sql")
    assert "line 3" in caught.value.where


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Qua3ckError, match=r"gone\.sql cannot be read"):
        read_query(tmp_path / "gone.sql", place="understand.tables.made.sql")


@pytest.mark.parametrize(
    ("text", "reads", "says"),
    [
        ("SELECT cuntry FROM shipments", ["shipments"], 'did you mean "country"'),
        ("SELECT 1 AS one FROM shipment", ["shipment"], 'did you mean "shipments"'),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(text, reads, says):
    with pytest.raises(Qua3ckError, match=says) as caught:
        origins(query(text, *reads), COLUMNS)
    assert caught.value.code == "U158"


def test_upper_and_lower_case_are_one_name_and_are_spelt_as_in_the_file():
    columns = {"visits": {"Visit ID": "TEXT", "Weight": "DOUBLE"}}
    made = query('SELECT "visit id", weight * 2 AS Twice, v.* FROM Visits AS v', "Visits")
    with pytest.raises(Qua3ckError, match='did you mean "visits"'):
        qualified(made, columns)
    made = query("SELECT WEIGHT * 2 AS Twice, v.* FROM visits AS v", "visits")
    tree = qualified(made, columns)
    assert tree.named_selects == ["Twice", "Visit ID", "Weight"]
    assert origins(made, columns)["Twice"] == (Origin("visits", "Weight"),)
    assert rule_of(made, "Twice", columns) == "v.Weight * 2"

"""A marked query gives the same rows, and each with the rows it was made from."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.gold.provenance import FROM, with_marks
from qua3ck.understand.gold.query import Query

COLUMNS = {"a": {"id": "BIGINT", "g": "TEXT", "x": "BIGINT"}, "b": {"id": "BIGINT", "y": "BIGINT"}}
A = [(1, "u", 5), (2, "u", 7), (3, "v", 1), (4, "v", 1)]
B = [(1, 10), (1, 11), (3, 30), (9, 90)]


@pytest.fixture
def engine():
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE a (id BIGINT, g TEXT, x BIGINT, __from TEXT[])")
        connection.execute("CREATE TABLE b (id BIGINT, y BIGINT, __from TEXT[])")
        connection.executemany("INSERT INTO a VALUES (?, ?, ?, [?])", [(*r, f"a{r[0]}") for r in A])
        connection.executemany(
            "INSERT INTO b VALUES (?, ?, [?])", [(*r, f"b{i}") for i, r in enumerate(B)]
        )
        yield connection


def marked(engine, text: str, reads: tuple[str, ...]) -> dict[tuple, set[str]]:
    tree = with_marks(Query(text, reads, "q.sql"), COLUMNS)
    got = engine.sql(tree.sql(dialect="duckdb"))
    assert got.columns[-1] == FROM
    rows = got.fetchall()
    assert sorted(map(str, (row[:-1] for row in rows))) == sorted(
        map(str, engine.sql(text).fetchall())
    ), "the marks must not change the result"
    found: dict[tuple, set[str]] = {}
    for *values, marks in rows:
        found.setdefault(tuple(values), set()).update(marks)
    return found


def test_a_joined_row_rests_on_both_rows(engine):
    got = marked(engine, "SELECT a.id, y FROM a JOIN b ON a.id = b.id", ("a", "b"))
    assert got == {(1, 10): {"a1", "b0"}, (1, 11): {"a1", "b1"}, (3, 30): {"a3", "b2"}}


def test_an_outer_join_without_a_match_rests_on_the_one_row(engine):
    got = marked(engine, "SELECT a.id, y FROM a LEFT JOIN b USING (id) WHERE g = 'v'", ("a", "b"))
    assert got == {(3, 30): {"a3", "b2"}, (4, None): {"a4"}}


def test_a_group_rests_on_all_its_rows(engine):
    got = marked(engine, "SELECT g, sum(x) AS s FROM a GROUP BY g HAVING sum(x) > 2", ("a",))
    assert got == {("u", 12): {"a1", "a2"}}


def test_a_total_rests_on_every_row(engine):
    assert marked(engine, "SELECT max(x) AS m FROM a", ("a",)) == {(7,): {"a1", "a2", "a3", "a4"}}


def test_equal_rows_folded_into_one_rest_on_all_of_them(engine):
    assert marked(engine, "SELECT DISTINCT x, 1 AS one FROM a WHERE g = 'v'", ("a",)) == {
        (1, 1): {"a3", "a4"}
    }
    got = marked(engine, "SELECT id FROM a UNION SELECT id FROM b", ("a", "b"))
    assert got[(1,)] == {"a1", "b0", "b1"}
    assert got[(9,)] == {"b3"}


def test_steps_and_inner_queries_hand_their_marks_on(engine):
    text = (
        "WITH s AS (SELECT g, sum(x) AS s FROM a GROUP BY g) "
        "SELECT s.g, t.y FROM s JOIN (SELECT max(y) AS y FROM b WHERE id < 9) t ON true"
    )
    got = marked(engine, text, ("a", "b"))
    assert got[("u", 30)] == {"a1", "a2", "b0", "b1", "b2"}


def test_what_is_only_looked_up_is_not_marked(engine):
    text = "SELECT id FROM a WHERE id IN (SELECT id FROM b) AND x > (SELECT min(y) FROM b) - 10"
    assert marked(engine, text, ("a", "b")) == {(1,): {"a1"}, (3,): {"a3"}}


def test_a_window_keeps_rows_apart(engine):
    got = marked(engine, "SELECT id, sum(x) OVER (PARTITION BY g) AS s FROM a", ("a",))
    assert got[(1, 12)] == {"a1"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM a EXCEPT SELECT id FROM b",
        "SELECT id FROM a INTERSECT SELECT id FROM b",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) "
        "SELECT n FROM r",
    ],
)
def test_what_has_no_single_answer_is_refused(text):
    with pytest.raises(Qua3ckError, match="cannot be traced") as caught:
        with_marks(Query(text, ("a", "b") if " a " in text else (), "q.sql"), COLUMNS)
    assert caught.value.code == "U161"


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), min_size=1, max_size=12))
def test_taking_away_a_row_that_is_not_marked_leaves_the_row_as_it_is(rows):
    """The definition of a mark, tried: without the unmarked rows the group is the same."""
    text = "SELECT g, sum(x) AS s FROM a GROUP BY g"
    tree = with_marks(Query(text, ("a",), "q.sql"), {"a": {"g": "BIGINT", "x": "BIGINT"}})
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE a (g BIGINT, x BIGINT, __from TEXT[])")
        lines = [(*row, str(n)) for n, row in enumerate(rows)]
        engine.executemany("INSERT INTO a VALUES (?, ?, [?])", lines)
        g, s, marks = engine.sql(tree.sql(dialect="duckdb")).fetchall()[0]
        engine.execute("DELETE FROM a WHERE NOT list_contains(?, __from[1])", [marks])
        assert engine.sql(text).fetchall() == [(g, s)]

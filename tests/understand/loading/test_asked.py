"""Loads from a web server and from a database, whole: asked, read, compared, committed."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))

from standin import Reply, Seen, Standin, as_json, by_next

NEXT = {"records": "results", "paging": {"style": "next", "next": "next"}}


def moment(second: int) -> str:
    return f"2026-01-01T00:{second // 60:02d}:{second % 60:02d}Z"


@pytest.fixture
def web(bench, monkeypatch) -> Iterator[Callable[..., Any]]:
    """A project whose source is a server that answers by a function."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    started: list[Standin] = []

    def make(script: Callable[[Seen], Reply], **keys: Any) -> Any:
        started.append(Standin(script))
        url = f"{started[-1].url}/rows"
        return bench(kind="http", path=None, url=url, key=["id"], **{**NEXT, **keys})

    yield make
    for server in started:
        server.close()


def fetched(stock) -> Path:
    return stock.root / "state" / "loads" / "stock.fetched"


def kept(stock) -> list[Any]:
    return sorted(row["id"] for row in stock.rows())


def test_what_a_server_says_was_deleted_is_counted_and_not_current(web):
    rows = [{"id": i, "x": i, "modified_on": moment(i), "deleted": False} for i in range(5)]

    def answer(seen: Seen) -> Reply:
        since = seen.query.get("after", "")
        return by_next([one for one in rows if one["modified_on"] >= since], size=2)(seen)

    asked = {"watermark": "modified_on", "overlap": "1s", "parameters": {"after": "{since}"}}
    stock = web(answer, deleted="deleted", **asked)
    assert stock.load().rows == 5
    rows[1] |= {"deleted": True, "x": None, "modified_on": moment(100)}
    rows[3] |= {"x": 30, "modified_on": moment(101)}
    rows.append({"id": 9, "x": None, "modified_on": moment(102), "deleted": True})
    done = stock.load()
    assert (done.changed, done.withdrawn, done.deleted, done.rows) == (1, 2, 1, 4)
    assert done.body["withdrawn"] == 2
    assert kept(stock) == [0, 2, 3, 4]
    rows[1] |= {"deleted": False, "x": 1, "modified_on": moment(200)}  # it was a mistake
    assert stock.load().new == 1
    assert kept(stock) == [0, 1, 2, 3, 4]


def test_what_a_database_marks_as_deleted_is_counted_and_not_current(bench):
    stock = bench(
        kind="database",
        path=None,
        url="sqlite:///stock.db",
        table="stock",
        key=["id"],
        watermark="changed",
        overlap="1",
        deleted="deleted_at",
    )
    with sqlite3.connect(stock.root / "stock.db") as base:
        base.execute(
            "CREATE TABLE stock (id INTEGER PRIMARY KEY, x INTEGER, changed INTEGER,"
            " deleted_at TEXT)"
        )
        rows = [(i, i, i, None) for i in range(6)]
        base.executemany("INSERT INTO stock VALUES (?, ?, ?, ?)", rows)
    base.close()
    assert stock.load().rows == 6
    with sqlite3.connect(stock.root / "stock.db") as base:
        base.execute("UPDATE stock SET deleted_at = '2026-01-02', changed = 10 WHERE id = 2")
        base.execute("DELETE FROM stock WHERE id = 4")
    base.close()
    done = stock.load()
    assert (done.withdrawn, done.deleted, done.rows) == (1, 2, 4)
    assert kept(stock) == [0, 1, 3, 5]


def test_periods_of_a_database_with_a_watermark_come_and_go_one_by_one(bench):
    stock = bench(
        kind="database",
        path=None,
        url="sqlite:///stock.db",
        table="stock",
        key=["id"],
        valid_from="since",
        watermark="changed",
    )
    with sqlite3.connect(stock.root / "stock.db") as base:
        base.execute("CREATE TABLE stock (id TEXT, since TEXT, changed INTEGER)")
        rows = [(f"G{i}", f"2025-0{month}-01", i) for i in range(5) for month in (1, 2)]
        base.executemany("INSERT INTO stock VALUES (?, ?, ?)", rows)
    base.close()
    assert stock.load().rows == 10
    with sqlite3.connect(stock.root / "stock.db") as base:
        base.execute("DELETE FROM stock WHERE id = 'G2' AND since = '2025-01-01'")
        base.execute("INSERT INTO stock VALUES ('G3', '2025-03-01', 9)")
    base.close()
    done = stock.load()
    assert (done.new, done.deleted, done.rows) == (1, 1, 10)
    assert [str(row["since"]) for row in stock.rows() if row["id"] == "G2"] == ["2025-02-01"]


def test_what_was_fetched_is_removed_when_nothing_in_it_is_new(web):
    rows = [{"id": i, "x": i} for i in range(3)]
    stock = web(by_next(rows, size=2))
    stock.load()
    assert not fetched(stock).exists()
    assert stock.load().known == ""
    assert not fetched(stock).exists()


def test_a_page_with_a_further_column_waits_with_a_finding_until_it_is_accepted(web):
    rows: list[dict[str, Any]] = [{"id": 1, "a": 1}, {"id": 2, "a": 2}, {"id": 3, "a": 3, "c": 0.5}]
    stock = web(by_next(rows, size=2))
    done = stock.load()
    assert (done.rows, [one.code for one in done.held_pieces]) == (2, ["U063"])
    assert 'new: "c" (number)' in next(one.says for one in done.findings if one.code == "U063")
    done = stock.load(accepted={"U063": "the form has a new question"})
    assert (done.rows, done.held_pieces) == (3, ())
    assert [row["c"] for row in stock.rows()] == [None, None, 0.5]
    rows[0] |= {"a": 10}
    assert stock.load().changed == 1


def test_a_page_that_lacks_a_column_waits_with_a_finding_until_it_is_accepted(web):
    rows: list[dict[str, Any]] = [{"id": 1, "a": 1, "c": 0.5}, {"id": 2, "a": 2}, {"id": 3, "a": 3}]
    stock = web(by_next(rows, size=2))
    assert [one.code for one in stock.load().held_pieces] == ["U063"]
    done = stock.load(accepted={"U063": "c is asked now and then"})
    assert (done.rows, done.held_pieces) == (3, ())


def test_rows_of_a_page_that_waits_are_not_gone(web):
    rows: list[dict[str, Any]] = [{"id": i, "a": i} for i in range(6)]
    stock = web(by_next(rows, size=2))
    stock.load()
    rows[0] |= {"a": 10}
    rows[4] |= {"c": "new"}  # this page waits, and with it row 5
    del rows[1]
    done = stock.load()
    assert (len(done.held_pieces), done.deleted) == (1, 0)
    assert kept(stock) == [0, 1, 2, 3, 4, 5]
    assert stock.load(accepted={"U063": "a new question"}).deleted == 1
    assert kept(stock) == [0, 2, 3, 4, 5]


def test_the_watermark_waits_for_a_page_that_waits(web):
    rows: list[dict[str, Any]] = [{"id": i, "a": i, "modified_on": moment(i)} for i in range(4)]

    def answer(seen: Seen) -> Reply:
        since = seen.query.get("after", "")
        return by_next([one for one in rows if one["modified_on"] >= since], size=2)(seen)

    asked = {"watermark": "modified_on", "overlap": "1s", "parameters": {"after": "{since}"}}
    stock = web(answer, **asked)
    stock.load()
    rows[0] |= {"a": 10, "modified_on": moment(100)}
    rows[1] |= {"a": 11, "modified_on": moment(101), "c": "new"}
    rows.append({"id": 9, "a": 9, "modified_on": moment(500)})
    rows.sort(key=lambda row: row["modified_on"])
    assert len(stock.load().held_pieces) == 1
    rows.append({"id": 10, "a": 10, "modified_on": moment(900)})
    done = stock.load(accepted={"U063": "a new question"})
    assert done.held_pieces == ()
    assert {row["id"]: row["a"] for row in stock.rows()} == {
        0: 10, 1: 11, 2: 2, 3: 3, 9: 9, 10: 10,
    }  # fmt: skip
    assert done.body["position"]["mark"] == moment(900)


def test_an_empty_page_among_others_is_no_page_of_other_columns(web):
    rows = [{"id": 1, "a": 1}, {"id": 2, "a": 2}]
    pages = {"0": ([], "1"), "1": (rows, "2"), "2": ([], None)}

    def answer(seen: Seen) -> Reply:
        records, after = pages[seen.query.get("p", "0")]
        link = None if after is None else f"http://{seen.headers['host']}/rows?p={after}"
        return as_json({"next": link, "results": records})

    stock = web(answer)
    assert stock.load().rows == 2
    pages["2"] = ([{"id": 3, "a": 3}], None)
    assert stock.load().new == 1

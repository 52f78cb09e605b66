from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.connecting import database_of, in_our_words
from qua3ck.understand.sources.database import Plan, fetch_database, slice_statement, table_name
from qua3ck.understand.sources.fetching import Position
from qua3ck.understand.sources.patience import Passing, Patience

POSTGRES = os.environ.get("QUA3CK_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
MARIADB = os.environ.get("QUA3CK_TEST_MARIADB", "mariadb://root@127.0.0.1:3306/test")
OWN = f"qua3ck_test_{os.getpid()}"
START = datetime.fromisoformat("2026-04-01 08:00")  # databases keep moments without a zone
NOON = datetime.fromisoformat("2024-02-29 12:30")
FINE = datetime.fromisoformat("2024-02-29 12:30:00.123456")


KEY = ["clinic", "item"]
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'qua3ck'"


class Killed(BaseException):
    """Stands for the moment at which a process is gone."""


@dataclass
class Server:
    """A real database with a corner of its own."""

    name: str
    url: str
    engine: sa.Engine
    root: Path
    prefix: str

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, statement: str) -> list[tuple]:
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def fetch(self, *, since=None, slice_rows=40, tell=None, place=None, env=None, **declared):
        source = Source.model_validate_json(
            json.dumps({"kind": "database", "url": "env:DB", **declared})
        )
        return fetch_database(
            "stock",
            source,
            self.root,
            since=since,
            into=self.root / (place or "scratch"),
            place="understand.sources.stock",
            tell=tell or (lambda _: None),
            patience=Patience(sleep=lambda _: None),
            env=env or {"DB": self.url},
            slice_rows=slice_rows,
        )

    def forget(self) -> None:
        """Do what the loader does after a commit."""
        for path in (self.root / "scratch").iterdir():
            path.unlink()


def reached(url: str) -> sa.Engine:
    engine = database_of(url, Path(), place="p").engine
    engine = sa.create_engine(engine.url, poolclass=sa.pool.NullPool)
    try:
        engine.connect().close()
    except sa.exc.DBAPIError:
        pytest.skip(f"no server at {engine.url.host}:{engine.url.port}")
    return engine


@pytest.fixture
def sqlite(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'stock.db'}", poolclass=sa.pool.NullPool)
    return Server("sqlite", "sqlite:///stock.db", engine, tmp_path, "")


@pytest.fixture
def postgres(tmp_path):
    engine = reached(POSTGRES)
    server = Server("postgres", POSTGRES, engine, tmp_path, f"{OWN}.")
    server.run(f"DROP SCHEMA IF EXISTS {OWN} CASCADE", f"CREATE SCHEMA {OWN}")
    yield server
    server.run(f"DROP SCHEMA {OWN} CASCADE")


@pytest.fixture
def mariadb(tmp_path):
    engine = reached(MARIADB)
    server = Server("mariadb", MARIADB, engine, tmp_path, f"{OWN}.")
    server.run(f"DROP DATABASE IF EXISTS {OWN}", f"CREATE DATABASE {OWN} CHARSET utf8mb4")
    yield server
    server.run(f"DROP DATABASE {OWN}")


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def stock(server):
    """A table of 200 rows, keyed by clinic and item, changed one minute after the other."""
    server.run(
        f"CREATE TABLE {server.prefix}stock (clinic VARCHAR(20) NOT NULL, item INTEGER NOT NULL, "
        "amount INTEGER, changed TIMESTAMP NULL, PRIMARY KEY (clinic, item))",
        f"INSERT INTO {server.prefix}stock VALUES "
        + ", ".join(
            f"('{n // 10:05d}', {n % 10}, {n}, '{START + timedelta(minutes=n)}')"
            for n in range(200)
        ),
    )
    return server


def table_of(fetch) -> pa.Table:
    return pa.concat_tables([pq.read_table(piece.path) for piece in fetch])


def amounts(fetch) -> list[int]:
    return table_of(fetch)["amount"].to_pylist()


# Types


SOME = "b98a6192-c3e5-4d3e-b7e5-da39087795d6"
TYPES = {
    "postgres": {
        "id": ("BIGINT PRIMARY KEY", "7", 7),
        "small": ("SMALLINT", "NULL", None),
        "flag": ("BOOLEAN", "true", True),
        "day": ("DATE", "'2024-02-29'", date(2024, 2, 29)),
        "at": ("TIMESTAMP", "'2024-02-29 12:30:00.123456'", FINE),
        "zoned": ("TIMESTAMPTZ", "'2024-02-29 12:30+02'", NOON.replace(hour=10, tzinfo=UTC)),
        "price": ("NUMERIC(10,2)", "0.10", 0.1),
        "whole": ("NUMERIC(12,0)", "123456789012", 123456789012),
        "wide": ("NUMERIC(20,4)", "1234567890123456.7891", "1234567890123456.7891"),
        "open": ("NUMERIC", "2.000", "2.000"),
        "real": ("DOUBLE PRECISION", "0.1", 0.1),
        "code": ("VARCHAR(9)", "'007'", "007"),
        "iso": ("CHAR(2)", "'NA'", "NA"),
        "doc": ("JSONB", "'{\"a\": 1.00}'", '{"a": 1.00}'),
        "uid": ("UUID", f"'{SOME}'", SOME),
        "bytes": ("BYTEA", "'\\x00ff'", "00ff"),
        "parts": ("INTEGER[]", "'{1,2}'", "[1, 2]"),
        "clock": ("TIME", "'12:00'", "12:00:00"),
        "address": ("INET", "'10.0.0.1'", "10.0.0.1"),
    },
    "mariadb": {
        "id": ("BIGINT UNSIGNED PRIMARY KEY", "7", 7),
        "flag": ("BIT(1)", "b'1'", True),
        "tiny": ("TINYINT(1)", "2", 2),
        "day": ("DATE", "'2024-02-29'", date(2024, 2, 29)),
        "at": ("DATETIME(6)", "'2024-02-29 12:30:00.123456'", FINE),
        "price": ("DECIMAL(10,2)", "0.10", 0.1),
        "whole": ("DECIMAL(18,0)", "123456789012345678", 123456789012345678),
        "wide": ("DECIMAL(20,4)", "1234567890123456.7891", "1234567890123456.7891"),
        "real": ("DOUBLE", "0.1", 0.1),
        "code": ("VARCHAR(9)", "'007'", "007"),
        "text": ("TEXT", "'Zürich 🏥'", "Zürich 🏥"),
        "made": ("YEAR", "2024", 2024),
        "before": ("TIME", "'-12:00:00'", "-12:00:00"),
        "long": ("TIME(6)", "'838:59:58.5'", "838:59:58.500000"),
        "bytes": ("BINARY(2)", "x'00ff'", "00ff"),
        "kinds": ("SET('a','b')", "'a,b'", "a,b"),
        "doc": ("JSON", "'{\"a\": 1.00}'", '{"a": 1.00}'),
    },
    "sqlite": {
        "id": ("INTEGER PRIMARY KEY", "7", 7),
        "flag": ("BOOLEAN", "1", True),
        "day": ("DATE", "'2024-02-29'", date(2024, 2, 29)),
        "at": ("DATETIME", "'2024-02-29 12:30:00'", NOON),
        "price": ("NUMERIC(10,2)", "0.10", 0.1),
        "real": ("REAL", "0.1", 0.1),
        "code": ("TEXT", "'007'", "007"),
        "bytes": ("BLOB", "x'00ff'", "00ff"),
    },
}  # fmt: skip


def test_every_type_arrives_without_losing_a_digit(server):
    types = TYPES[server.name]
    columns = ", ".join(f"{name}_ {sql}" for name, (sql, _, _) in types.items())
    values = ", ".join(value for _, value, _ in types.values())
    server.run(
        f"CREATE TABLE {server.prefix}things ({columns})",
        f"INSERT INTO {server.prefix}things VALUES ({values.replace('%', '%%')})",
    )
    fetch = server.fetch(table=f"{server.prefix}things")
    row = table_of(fetch).to_pylist()[0]
    assert row == {f"{name}_": told for name, (_, _, told) in types.items()}
    wide = {f.evidence["column"] for f in fetch.findings if f.code == "U054"}
    assert wide == {name for name in ("open_", "wide_") if name in row and server.name != "sqlite"}


def test_a_declared_type_is_taken_at_ones_own_risk(postgres):
    postgres.run(
        f"CREATE TABLE {OWN}.t (id INT PRIMARY KEY, amount NUMERIC)",
        f"INSERT INTO {OWN}.t VALUES (1, 2.50)",
    )
    fetch = postgres.fetch(table=f"{OWN}.t", types={"amount": "number"})
    assert table_of(fetch)["amount"].to_pylist() == [2.5]
    assert fetch.types == {"id": "integer", "amount": "number"}
    assert fetch.findings == []


@pytest.mark.parametrize("asked", ["table", "query"])
def test_whole_numbers_beyond_64_bits_with_a_sign_stay_text_all_of_them(mariadb, asked):
    mariadb.run(
        f"CREATE TABLE {mariadb.prefix}t (id BIGINT UNSIGNED PRIMARY KEY, u BIGINT UNSIGNED)",
        f"INSERT INTO {mariadb.prefix}t VALUES (1, 18446744073709551615), (2, NULL), (3, 7)",
    )
    name = f"{mariadb.prefix}t"
    of = {"table": name} if asked == "table" else {"query": f"SELECT * FROM {name}", "key": ["id"]}
    fetch = mariadb.fetch(**of)
    assert table_of(fetch)["u"].to_pylist() == ["18446744073709551615", None, "7"]
    assert fetch.types == {"id": "integer", "u": "string"}
    if asked == "table":
        assert [(f.code, f.evidence["column"]) for f in fetch.findings] == [("U054", "u")]


@pytest.mark.parametrize(
    ("which", "sql", "value", "raw"),
    [
        ("postgres", "TIMESTAMPTZ", "'infinity'", "infinity"),
        ("postgres", "DATE", "'0044-01-01 BC'", "0044-01-01 BC"),
        ("mariadb", "DATE", "'0000-00-00'", "0000-00-00"),
        ("sqlite", "INTEGER", "'many'", "many"),
        ("sqlite", "DATE", "'30.02.2024'", "30.02.2024"),
    ],
)
def test_a_cell_that_fits_no_type_is_kept_as_text_for_the_reading(request, which, sql, value, raw):
    server = request.getfixturevalue(which)
    server.run(
        *(["SET sql_mode = ''"] if which == "mariadb" else []),
        f"CREATE TABLE {server.prefix}t (id INT PRIMARY KEY, cell {sql})",
        f"INSERT INTO {server.prefix}t VALUES (1, {value}), (2, NULL)",
    )
    fetch = server.fetch(table=f"{server.prefix}t")
    assert table_of(fetch)["cell"].to_pylist() == [raw, None]
    assert fetch.types["cell"] in {"timestamp", "date", "integer"}


# Slices


@pytest.mark.parametrize("slice_rows", [200, 199, 40, 7])
def test_slices_along_the_key_hold_every_row_once(stock, slice_rows):
    fetch = stock.fetch(table=f"{stock.prefix}stock", slice_rows=slice_rows)
    pieces = list(fetch)
    assert len(pieces) == -(-200 // slice_rows)
    assert amounts(iter(pieces)) == list(range(200))
    assert (fetch.extract, fetch.keys, fetch.findings) == ("full", None, [])


def test_slices_that_end_amid_the_periods_of_a_key_hold_every_row_once(stock):
    declared = {"key": ["clinic"], "valid_from": "item"}
    pieces = list(stock.fetch(table=f"{stock.prefix}stock", slice_rows=7, **declared))
    assert len(pieces) == 29
    assert amounts(iter(pieces)) == list(range(200))


def test_the_same_rows_give_the_same_bytes(stock):
    first = [piece.digest for piece in stock.fetch(table=f"{stock.prefix}stock")]
    stock.forget()
    assert [piece.digest for piece in stock.fetch(table=f"{stock.prefix}stock")] == first


def test_keys_of_other_sorts_carry_on_after_a_kill(postgres):
    postgres.run(
        f"CREATE TABLE {OWN}.t (u UUID, at TIMESTAMPTZ, n NUMERIC, d DATE, b BYTEA, amount INT,"
        " PRIMARY KEY (u, at, n, d, b))",
        f"INSERT INTO {OWN}.t SELECT md5((i / 4)::text)::uuid, timestamptz '2024-01-01Z' + i / 2 *"
        " interval '1 second', i / 8.0, date '2024-01-01' + i,"
        " decode(lpad(i::text, 4, '0'), 'hex'), i FROM generate_series(0, 49) AS i",
    )

    def dies(text: str) -> None:
        if " 24 of" in text:
            raise Killed

    declared = {"table": f"{OWN}.t", "slice_rows": 8}
    with pytest.raises(Killed):
        list(postgres.fetch(tell=dies, **declared))
    assert sorted(amounts(postgres.fetch(**declared))) == list(range(50))


@pytest.mark.parametrize("stop", [0, 2, 3, 4])
def test_killed_at_any_slice_it_ends_with_the_same_pieces(stock, stop):
    declared = {"table": f"{stock.prefix}stock", "slice_rows": 50, "key": KEY}
    undisturbed = [(p.name, p.digest) for p in stock.fetch(place="other", **declared)]
    told = iter(range(100))

    def dies(_: str) -> None:
        if next(told) == stop:
            raise Killed

    if stop < 4:
        with pytest.raises(Killed):
            list(stock.fetch(tell=dies, **declared))
    fetch = stock.fetch(**declared)
    assert [(p.name, p.digest) for p in fetch] == undisturbed
    if stop < 4:  # of two moments: the keys tell what is there, not the slices
        assert [finding.code for finding in fetch.findings] == ["U056"]
        assert fetch.extract == "changes"
        assert pq.read_table(fetch.keys).num_rows == 200


def test_all_slices_show_one_moment(stock):
    """Rows come, go and change behind and before the reading; none of it is seen."""

    def disturb(text: str) -> None:
        if text.startswith("stock: 80 "):
            stock.run(
                f"UPDATE {stock.prefix}stock SET amount = -1 WHERE item = 5",
                f"DELETE FROM {stock.prefix}stock WHERE item = 7",
                f"INSERT INTO {stock.prefix}stock VALUES ('00000a', 1, 5, NULL)",
            )

    if stock.name == "sqlite":
        stock.run("PRAGMA journal_mode = WAL")
    fetch = stock.fetch(table=f"{stock.prefix}stock", tell=disturb)
    assert amounts(fetch) == list(range(200))
    assert fetch.extract == "full"


@pytest.mark.parametrize("which", ["postgres", "mariadb"])
def test_a_server_going_away_loses_nothing(request, which):
    server = request.getfixturevalue(which)
    server.run(
        f"CREATE TABLE {server.prefix}t (id INT PRIMARY KEY, amount INT)",
        f"INSERT INTO {server.prefix}t VALUES " + ", ".join(f"({i}, {i})" for i in range(200)),
    )
    ended = []
    env = {"DB": server.url}
    found = f"{SESSIONS} AND query LIKE '%%{OWN}%%'"
    end = "SELECT pg_terminate_backend({})"
    if which == "mariadb":
        env = {"DB": sa.make_url(server.url).set(database=OWN).render_as_string()}
        found = f"SELECT id FROM information_schema.processlist WHERE db = '{OWN}'"
        end = "KILL {}"

    def end_session(text: str) -> None:
        if " 80 of" not in text and " 160 of" not in text:
            return
        for (number,) in server.rows(found):
            server.run(end.format(number))
            ended.append(number)

    fetch = server.fetch(table=f"{server.prefix}t", key=["id"], env=env, tell=end_session)
    assert amounts(fetch) == list(range(200))
    assert len(ended) == 2
    assert [finding.code for finding in fetch.findings] == ["U056"]
    assert pq.read_table(fetch.keys)["id"].to_pylist() == list(range(200))


@pytest.mark.parametrize(
    "problem",
    [
        ConnectionResetError(104, "reset"),
        TimeoutError(110, "timed out"),
        BrokenPipeError(32, "pipe"),
        sa.exc.OperationalError("SELECT", {}, ConnectionResetError(104, "reset")),
        sa.exc.ProgrammingError("SELECT", {}, Exception({"C": "57P01"})),
        sa.exc.OperationalError("SELECT", {}, Exception(2013, "lost")),
        EOFError(),
    ],
)
def test_a_broken_line_is_told_from_a_refusal_however_the_driver_says_it(sqlite, problem):
    database = database_of("sqlite:///stock.db", made(sqlite), place="p")
    assert isinstance(in_our_words(problem, database, place="p"), Passing)


def made(sqlite) -> Path:
    sqlite.run("CREATE TABLE t (id INT)")
    return sqlite.root


def test_a_server_that_stays_away_is_given_up_and_gone_on_with_later(postgres, monkeypatch):
    postgres.run(
        f"CREATE TABLE {OWN}.t (id INT PRIMARY KEY, amount INT)",
        f"INSERT INTO {OWN}.t SELECT i, i FROM generate_series(0, 199) AS i",
    )
    tries = []

    def away(_):
        tries.append(1)
        raise Passing("no connection")

    def breaks(text: str) -> None:
        if " 120 of" in text:
            monkeypatch.setattr("qua3ck.understand.sources.database.reach", away)
            (number,) = postgres.rows(f"{SESSIONS} AND query LIKE '%%{OWN}%%'")[0]
            postgres.run(f"SELECT pg_terminate_backend({number})")

    with pytest.raises(Qua3ckError, match="6 tries: connection lost, no connection 5 x") as told:
        list(postgres.fetch(table=f"{OWN}.t", tell=breaks))
    assert told.value.code == "U136"
    assert len(tries) == 5
    monkeypatch.undo()
    assert amounts(postgres.fetch(table=f"{OWN}.t")) == list(range(200))


# Watermarks and deletions


def test_changes_late_commits_ties_and_deletions_are_all_seen(stock):
    table = f"{stock.prefix}stock"
    declared = {"table": table, "watermark": "changed", "key": KEY, "overlap": "2h"}
    first = stock.fetch(**declared)
    assert amounts(first) == list(range(200))
    assert first.extract == "full"
    stock.forget()
    top = START + timedelta(minutes=199)
    stock.run(
        f"INSERT INTO {table} VALUES ('late', 1, 5001, '{top - timedelta(minutes=100)}')",
        f"INSERT INTO {table} VALUES ('tied', 1, 5002, '{top}')",
        f"INSERT INTO {table} VALUES ('none', 1, 5003, NULL)",
        f"UPDATE {table} SET amount = 5004, changed = '{top + timedelta(days=1)}' "
        "WHERE clinic = '00003' AND item = 3",
        f"DELETE FROM {table} WHERE clinic = '00015'",
    )
    second = stock.fetch(since=first.after, **declared)
    got = amounts(second)
    assert {5001, 5002, 5003, 5004} <= set(got)
    assert sorted(got)[:-4] == [
        n for n in range(200 - 121, 200) if not 150 <= n < 160
    ]  # two hours, border included
    assert second.extract == "changes"
    keys = pq.read_table(second.keys)
    assert keys.column_names == ["clinic", "item"]
    assert keys.num_rows == 200 + 3 - 10
    assert "00015" not in keys["clinic"].to_pylist()
    stock.forget()
    third = stock.fetch(since=second.after, **declared)
    assert set(amounts(third)) == {5003, 5004}


def test_a_change_during_the_reading_comes_the_next_time(stock):
    table = f"{stock.prefix}stock"
    later = START + timedelta(days=9)

    def disturb(text: str) -> None:
        if text.startswith("stock: 80 "):
            stock.run(f"UPDATE {table} SET amount = -7, changed = '{later}' WHERE amount = 5")

    if stock.name == "sqlite":
        stock.run("PRAGMA journal_mode = WAL")
    declared = {"table": table, "watermark": "changed", "key": KEY, "overlap": "0s"}
    first = stock.fetch(tell=disturb, **declared)
    assert -7 not in amounts(first)
    stock.forget()
    assert -7 in amounts(stock.fetch(since=first.after, **declared))


def test_the_mark_is_that_of_the_start_also_after_a_kill(stock):
    table = f"{stock.prefix}stock"
    declared = {"table": table, "watermark": "changed", "key": KEY, "overlap": "0s"}

    def dies(text: str) -> None:
        if text.startswith("stock: 80 "):
            raise Killed

    with pytest.raises(Killed):
        list(stock.fetch(tell=dies, **declared))
    late, later = START + timedelta(days=8), START + timedelta(days=9)
    stock.run(
        f"UPDATE {table} SET amount = -7, changed = '{late}' WHERE amount = 5",  # read already
        f"UPDATE {table} SET amount = -8, changed = '{later}' WHERE amount = 190",
    )
    first = stock.fetch(**declared)
    got = amounts(first)
    assert -8 in got
    assert -7 not in got
    stock.forget()
    assert {-7, -8} <= set(amounts(stock.fetch(since=first.after, **declared)))


def test_a_table_that_went_back_in_time_is_read_whole(stock):
    table = f"{stock.prefix}stock"
    declared = {"table": table, "watermark": "changed", "key": KEY}
    first = stock.fetch(**declared)
    list(first)
    stock.forget()
    stock.run(f"DELETE FROM {table} WHERE amount > 99", f"UPDATE {table} SET amount = amount + 1")
    second = stock.fetch(since=first.after, **declared)
    assert amounts(second) == list(range(1, 101))
    assert second.extract == "full"


def test_a_watermark_can_be_a_number(stock):
    table = f"{stock.prefix}stock"
    declared = {"table": table, "watermark": "amount", "key": KEY, "overlap": "10"}
    first = stock.fetch(**declared)
    list(first)
    assert first.after.mark == "199"
    stock.forget()
    second = stock.fetch(since=first.after, extract="changes", **declared)
    assert amounts(second) == list(range(189, 200))
    assert second.keys is None  # declared: rows only come and change


def test_extract_full_reads_all_although_there_is_a_watermark(stock):
    declared = {
        "table": f"{stock.prefix}stock",
        "watermark": "changed",
        "key": KEY,
        "extract": "full",
    }
    first = stock.fetch(**declared)
    list(first)
    stock.forget()
    second = stock.fetch(since=first.after, **declared)
    assert len(amounts(second)) == 200
    assert second.extract == "full"


def test_an_overlap_of_the_wrong_sort_is_refused(stock):
    declared = {"table": f"{stock.prefix}stock", "watermark": "amount", "key": KEY}
    first = stock.fetch(**declared)
    list(first)
    stock.forget()
    with pytest.raises(Qua3ckError, match="overlap 2h does not fit") as told:
        list(stock.fetch(since=first.after, overlap="2h", **declared))
    assert told.value.code == "U144"


# Keys


def test_a_key_that_is_not_unique_is_found_out(stock):
    with pytest.raises(Qua3ckError, match="not unique or has gaps: 200 rows, 160 of") as told:
        list(stock.fetch(table=f"{stock.prefix}stock", key=["item"], slice_rows=16))
    assert told.value.code == "U144"


def test_a_key_with_gaps_is_found_out(server):
    server.run(
        f"CREATE TABLE {server.prefix}t (id INT NULL, amount INT)",
        f"INSERT INTO {server.prefix}t VALUES (NULL, 1), (NULL, 2), (NULL, 3), (4, 4), (5, 5)",
    )
    with pytest.raises(Qua3ckError, match=r"gaps|empty") as told:
        list(server.fetch(table=f"{server.prefix}t", key=["id"], slice_rows=2))
    assert told.value.code == "U144"


def test_a_table_without_a_key_is_read_in_one_go(server):
    server.run(
        f"CREATE TABLE {server.prefix}t (name VARCHAR(9), amount INT)",
        f"INSERT INTO {server.prefix}t VALUES " + ", ".join(f"('x', {i})" for i in range(100)),
    )
    fetch = server.fetch(table=f"{server.prefix}t")
    pieces = list(fetch)
    assert len(pieces) == 3
    assert sorted(amounts(iter(pieces))) == list(range(100))
    assert fetch.extract == "full"


def test_an_empty_table_is_never_loaded(server):
    server.run(f"CREATE TABLE {server.prefix}t (id INT PRIMARY KEY)")
    with pytest.raises(Qua3ckError, match="columns but no rows") as told:
        list(server.fetch(table=f"{server.prefix}t"))
    assert told.value.code == "U103"


# Queries


def test_a_query_is_read_like_a_table(stock):
    query = (
        f"SELECT clinic, sum(amount) AS amount, max(changed) AS changed, '50%' AS share, ':x' AS c "
        f"FROM {stock.prefix}stock WHERE clinic >= '00010' GROUP BY clinic -- by clinic\n;"
    )
    fetch = stock.fetch(query=query, key=["clinic"], slice_rows=7, types={"amount": "integer"})
    table = table_of(fetch)
    assert table["amount"].to_pylist() == [100 * i + 45 for i in range(10, 20)]
    assert set(table["share"].to_pylist()) == {"50%"}
    assert set(table["c"].to_pylist()) == {":x"}


def test_a_query_with_a_watermark_brings_changes(stock):
    query = f"SELECT clinic, item, amount, changed FROM {stock.prefix}stock"
    declared = {"query": query, "key": KEY, "watermark": "changed", "overlap": "5m"}
    first = stock.fetch(**declared)
    assert len(amounts(first)) == 200
    stock.forget()
    assert amounts(stock.fetch(since=first.after, **declared)) == list(range(194, 200))


BAD_QUERIES = {
    "SELECT 1 AS a; DROP TABLE {p}stock": "not one SELECT",
    "DELETE FROM {p}stock": "not one SELECT",
    "UPDATE {p}stock SET amount = 1": "not one SELECT",
    "SELECT * FROM {p}stock WHERE amount = 'Ada' AND WHERE": "does not understand",
    "SELECT * FROM {p}nowhere": r"does not understand|no such table",
}


def test_a_query_that_cannot_be_asked_changes_nothing(stock):
    for query, says in BAD_QUERIES.items():
        with pytest.raises(Qua3ckError, match=says) as told:
            list(stock.fetch(query=query.format(p=stock.prefix), key=["clinic"]))
        assert told.value.code in {"U139", "U138"}
        assert "Ada" not in str(told.value)
    assert stock.rows(f"SELECT count(*), min(amount) FROM {stock.prefix}stock") == [(200, 0)]


def test_two_columns_of_one_name_are_refused(postgres):
    with pytest.raises(Qua3ckError, match='two columns called "a"') as told:
        list(postgres.fetch(query="SELECT 1 AS a, 2 AS a", key=["a"]))
    assert told.value.code == "U139"


def test_nothing_can_be_changed_by_way_of_a_function(postgres):
    postgres.run(
        f"CREATE TABLE {OWN}.t (id INT)",
        f"CREATE FUNCTION {OWN}.grow() RETURNS INT LANGUAGE SQL AS "
        f"'INSERT INTO {OWN}.t VALUES (1) RETURNING id'",
    )
    with pytest.raises(Qua3ckError, match="25006"):
        list(postgres.fetch(query=f"SELECT {OWN}.grow() AS id", key=["id"]))
    assert postgres.rows(f"SELECT count(*) FROM {OWN}.t") == [(0,)]


# What is not there, and what must not happen


HOSTILE = [
    'stock"; DROP TABLE stock; --',
    "stock; DROP TABLE stock",
    "stock` ; DROP TABLE stock; --",
    "stock' OR '1'='1",
    "(SELECT 1)",
    "stock--",
    "",
    "a.b.c",
]


def test_a_hostile_table_name_reaches_no_sql(stock):
    for written in HOSTILE:
        with pytest.raises(Qua3ckError) as told:
            list(stock.fetch(table=written))
        assert told.value.code in {"U138", "U139"}
    assert stock.rows(f"SELECT count(*) FROM {stock.prefix}stock") == [(200,)]


def test_a_table_that_is_really_called_so_is_read(server):
    name = 'o"dd; DROP TABLE `x`; --%s :y'
    mark = "`" if server.name == "mariadb" else '"'
    quoted, column = (mark + text.replace(mark, mark * 2) + mark for text in (name, 'a "b" %(c)s'))
    raw = server.engine.raw_connection()
    cursor = raw.cursor()
    for statement in (
        f"CREATE TABLE {server.prefix}{quoted} ({column} INT PRIMARY KEY)",
        f"INSERT INTO {server.prefix}{quoted} VALUES (1), (2), (3)",
    ):
        cursor.execute(statement)
    raw.commit()
    raw.close()
    schema = f"{OWN}." if server.prefix else ""
    fetch = server.fetch(table=schema + '"' + name.replace('"', '""') + '"', slice_rows=2)
    assert table_of(fetch)['a "b" %(c)s'].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("stock", (None, "stock")),
        ("supply.stock", ("supply", "stock")),
        ('"a.b"."c ""d"""', ("a.b", 'c "d"')),
        ('"a.b"', (None, "a.b")),
        ("a.b.c", (None, "a.b.c")),
    ],
)
def test_a_table_name_may_have_a_schema_and_quotes(written, parts):
    assert table_name(written) == parts


def test_what_is_not_there_is_named_with_what_is(stock):
    table = f"{stock.prefix}stock"
    for declared, says in (
        ({"table": f"{table}s"}, 'no table "stocks"; did you mean "stock"'),
        ({"table": table, "key": ["clinik"]}, 'no column "clinik"; did you mean "clinic"'),
        ({"table": table, "watermark": "change", "key": KEY}, 'did you mean "changed"'),
        ({"table": table, "types": {"amout": "string"}}, 'did you mean "amount"'),
    ):
        with pytest.raises(Qua3ckError, match=re.escape(says)) as told:
            list(stock.fetch(**declared))
        assert told.value.code == "U138"


def test_neither_or_both_of_table_and_query_are_refused(stock):
    for declared in ({}, {"table": "stock", "query": "SELECT 1"}):
        with pytest.raises(Qua3ckError, match="one of the two"):
            list(stock.fetch(**declared))


@pytest.mark.parametrize("which", ["postgres", "mariadb"])
def test_a_user_without_the_right_is_told_whom_to_ask(request, which):
    server = request.getfixturevalue(which)
    user, grant = f"reader_{os.getpid()}", "geheim-wort-7"
    url = sa.make_url(server.url).set(username=user, password=grant)
    server.run(f"CREATE TABLE {server.prefix}t (id INT PRIMARY KEY)")
    if which == "postgres":
        server.run(
            f"CREATE ROLE {user} LOGIN PASSWORD '{grant}'", f"GRANT USAGE ON SCHEMA {OWN} TO {user}"
        )
    else:
        name = f"{user}@127.0.0.1"
        server.run(f"CREATE USER {name} IDENTIFIED BY '{grant}'", f"CREATE TABLE {OWN}.u (id INT)")
        server.run(f"GRANT SELECT (id) ON {OWN}.u TO {name}", f"GRANT INSERT ON {OWN}.t TO {name}")
        url = url.set(database=OWN)
    try:
        env = {"DB": url.render_as_string(hide_password=False)}
        with pytest.raises(Qua3ckError, match="does not let this user read") as told:
            list(server.fetch(table=f"{server.prefix}t", env=env))
    finally:
        server.run(
            *(
                [f"DROP OWNED BY {user}", f"DROP ROLE {user}"]
                if which == "postgres"
                else [f"DROP USER {user}@127.0.0.1"]
            )
        )
    assert told.value.code == "U137"
    assert "DB" in told.value.fix
    assert grant not in str(told.value)


def test_a_wrong_password_is_never_printed(mariadb, caplog):
    user = f"typist_{os.getpid()}"
    mariadb.run(f"CREATE USER {user}@127.0.0.1 IDENTIFIED BY 'right'")
    try:
        url = sa.make_url(mariadb.url).set(username=user, password="wr0ng-pass")
        env = {"DB": url.render_as_string(hide_password=False)}
        with (
            caplog.at_level("DEBUG"),
            pytest.raises(Qua3ckError, match="user and password") as told,
        ):
            list(mariadb.fetch(table="t", env=env))
    finally:
        mariadb.run(f"DROP USER {user}@127.0.0.1")
    assert told.value.code == "U137"
    assert told.value.fix == "correct the account in DB"
    assert told.value.__cause__ is None
    assert "wr0ng-pass" not in str(told.value) + caplog.text


def test_a_role_that_does_not_exist_is_a_wrong_login(postgres):
    env = {"DB": str(sa.make_url(POSTGRES).set(username="nobody_at_all"))}
    with pytest.raises(Qua3ckError, match="does not accept user and password") as told:
        list(postgres.fetch(table="t", env=env))
    assert told.value.code == "U137"


@pytest.mark.parametrize("which", ["postgres", "mariadb"])
def test_an_unknown_database_is_named(request, which):
    server = request.getfixturevalue(which)
    env = {"DB": sa.make_url(server.url).set(database="nowhere").render_as_string()}
    with pytest.raises(Qua3ckError, match="no such database") as told:
        list(server.fetch(table="t", env=env))
    assert told.value.code == "U138"


@pytest.mark.parametrize(
    "url", ["postgresql://a:geheim@127.0.0.1:9/x", "mysql://a:geheim@127.0.0.1:9/x"]
)
def test_a_server_that_nobody_answers_for_is_given_up(sqlite, url):
    with pytest.raises(Qua3ckError, match=r"127.0.0.1:9, .* 6 tries: no connection 6 x") as told:
        list(sqlite.fetch(table="t", env={"DB": url}))
    assert told.value.code == "U136"
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "says", "code"),
    [
        ("sqlite:///stok.db", 'No database file "stok.db".*did you mean "stock.db"', "U138"),
        ("sqlite://", "No database file", "U138"),
        ("postgresql//geheim", "cannot be read", "U135"),
        ("oracle://u:geheim@h/d", '"oracle" is no database', "U138"),
        ("mssql://u:geheim@h/d", "needs pyodbc", "U138"),
        (f"{POSTGRES}?speed=geheim", "parameter of the URL", "U135"),
    ],
)  # fmt: skip
def test_a_url_that_leads_nowhere_is_told_without_its_password(sqlite, url, says, code):
    if "127.0.0.1" in url:
        reached(POSTGRES)
    sqlite.run("CREATE TABLE t (id INT)")
    with pytest.raises(Qua3ckError, match=says) as told:
        list(sqlite.fetch(table="t", env={"DB": url}))
    assert told.value.code == code
    assert "geheim" not in str(told.value)
    assert not (sqlite.root / "stok.db").exists()


def test_a_file_that_is_no_database_is_named(sqlite):
    (sqlite.root / "x.db").write_text("name,amount\n" * 200)
    with pytest.raises(Qua3ckError, match="no database file") as told:
        list(sqlite.fetch(table="t", env={"DB": "sqlite:///x.db"}))
    assert told.value.code == "U138"


def test_a_missing_package_says_what_to_install(sqlite, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    with pytest.raises(Qua3ckError) as told:
        list(sqlite.fetch(table="t"))
    assert told.value.fix == 'python -m pip install "qua3ck[databases]"'


def test_sql_server_gets_statements_it_understands():
    from sqlalchemy.dialects import mssql

    plan = Plan(
        sa.table("stock", schema="supply"), {"a": "integer", "b x": "string"}, key=("a", "b x")
    )
    statement = slice_statement(plan, behind=[1, "x"], at_least=("b x", "y"), rows=10)
    text = str(
        statement.compile(dialect=mssql.dialect(), compile_kwargs={"render_postcompile": True})
    )
    wanted = (
        "SELECT TOP 10 a, [b x] FROM supply.stock WHERE a >= :param_2 AND (a > :param_2 OR "
        "a = :param_2 AND [b x] > :param_3) AND ([b x] >= :param_4 OR [b x] IS NULL) "
        "ORDER BY a, [b x]"
    )
    assert " ".join(text.split()) == wanted


def test_the_position_holds_the_mark_as_the_source_has_it(stock):
    fetch = stock.fetch(table=f"{stock.prefix}stock", watermark="changed", key=KEY)
    list(fetch)
    assert isinstance(fetch.after, Position)
    assert datetime.fromisoformat(fetch.after.mark) == START + timedelta(minutes=199)

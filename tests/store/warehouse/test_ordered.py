from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.store.warehouse import Engine
from qua3ck.store.warehouse.current import parts_of
from qua3ck.store.warehouse.folder import Folder
from qua3ck.store.warehouse.ordered import in_order

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    """Row groups of 50 rows, so that a small table has many."""
    monkeypatch.setattr("qua3ck.store.warehouse.files._GROUP", 50)
    monkeypatch.setattr("qua3ck.store.warehouse.ordered._SMALL", 0)


def refuse(*_):
    pytest.fail("everything was sorted")


LONG_WAY = "qua3ck.store.warehouse.ordered._sorted_sql"


@pytest.fixture
def unsorted(monkeypatch):
    """Forbid the long way: sorting everything."""
    monkeypatch.setattr(LONG_WAY, refuse)


def table(ids, piece="a", value=0, names=None):
    ids = list(ids)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "name": [f"n{(number or 0) * 7919 % 1000:04d}" for number in ids],
            "value": np.full(len(ids), value),
            "_piece": [piece] * len(ids),
            "_row": np.arange(1, len(ids) + 1),
            "_gone": [False] * len(ids),
        }
    )


def judged(house, by):
    """Current rows in order, by DuckDB from the definition alone."""
    with Engine() as engine:
        every = engine.rows(house.view(TABLE, engine=engine))
    keys = [] if by == ("_piece",) else by
    order = ", ".join(f"{name} NULLS LAST" for name in (*keys, "_piece", "_row"))
    latest = f"_known = max(_known) OVER (PARTITION BY {', '.join(by)}) AND NOT _gone"
    with duckdb.connect() as connection:
        connection.register("every", every)
        found = connection.sql(f"SELECT * FROM every QUALIFY {latest} ORDER BY {order}")
        return found.to_arrow_table()


def same(house, by):
    found = house.current(TABLE, by=by, meta=True)
    assert found.num_rows > 300
    assert found.to_pylist() == judged(house, by).select(found.column_names).to_pylist()


def test_a_tail_is_put_between_the_rows_of_a_first_load_that_lies_in_order(house, load, unsorted):
    load(table(range(0, 1000, 2)))
    load(table([*range(1, 60), 480, 481, 999, 2000], piece="b", value=1))
    same(house, ("id",))


def test_a_tail_is_put_between_the_rows_of_a_fold(house, load, monkeypatch):
    load(table(range(500)))
    load(table([None, 7, 3], value=1))
    house.compact(TABLE, by=("name", "id"))
    monkeypatch.setattr(LONG_WAY, refuse)
    load(table([*range(490, 520), None], piece="b", value=2))
    same(house, ("name", "id"))


def test_pieces_lie_in_the_order_of_their_names(house, load, tmp_path, unsorted):
    paths = []
    for piece in ("b", "a", "c"):
        paths.append(tmp_path / f"{piece}.parquet")
        pq.write_table(table(range(120), piece=piece), paths[-1], row_group_size=50)
    load(paths)
    load(table(range(100), piece="b", value=1))
    same(house, ("_piece",))
    load(table([5], piece="aa", value=2))
    same(house, ("_piece",))


def test_rows_out_of_order_within_a_row_group_are_put_right(house, load, unsorted):
    ids = np.arange(1000).reshape(-1, 50)[:, ::-1].ravel()  # each group of 50 backwards
    load(table(ids))
    load(table([3, 999, 51], piece="b", value=1))
    same(house, ("id",))


@pytest.mark.parametrize(
    "ids",
    [
        np.random.default_rng(1).permutation(1000),  # groups overlap
        [*range(500), None, *range(500, 900)],  # a null has no place among the ends
    ],
    ids=["scattered", "null"],
)
def test_a_first_load_out_of_order_is_sorted(house, load, ids):
    load(table([None if number is None else int(number) for number in ids]))
    load(table([3, 7], piece="b", value=1))
    same(house, ("id",))


def test_a_large_tail_is_sorted_with_the_rest(house, load):
    load(table(range(400)))
    load(table(range(200, 600), piece="b", value=1))
    same(house, ("id",))


@pytest.mark.parametrize(
    "spelt",
    [
        lambda number: START.date() + timedelta(days=number),
        lambda number: START + timedelta(hours=number),
        lambda number: f"x{number:05d}",
        lambda number: number + 0.5,
        lambda number: number % 2 == 0,
    ],
    ids=["date", "timestamp", "text", "float", "boolean"],
)
def test_keys_of_any_type_keep_their_order(house, load, spelt):
    def keyed(ids, value):
        made = table(ids, piece=str(value), value=value)
        return made.append_column("k", pa.array([spelt(number) for number in ids]))

    load(keyed(range(400), 0))
    house.compact(TABLE, by=("k", "id"))
    load(keyed([5, 77, 399], 1))
    same(house, ("k", "id"))


def test_the_stream_is_bounded_by_the_groups(house, load, tmp_path):
    load(table(range(1000)))
    load(table([5], piece="b"))
    folder = Folder(tmp_path / "warehouse", TABLE)
    with Engine() as engine:
        parts = parts_of(folder, None, ("id",), engine)
        sizes = [batch.num_rows for batch in in_order(engine, parts, ("id",), ["id"])]
    assert sum(sizes) == 1000
    assert max(sizes) <= 51


def test_a_tail_that_is_gone_only_takes_away(house, load, unsorted):
    load(table(range(400)))
    dead = table([1, 2, 399], piece="b")
    load(dead.set_column(5, "_gone", pa.array([True] * 3)))
    same(house, ("id",))


def test_many_small_pieces_are_sorted_at_once(house, load, monkeypatch):
    monkeypatch.setattr("qua3ck.store.warehouse.ordered._SMALL", 5_000)

    def refuse_groups(*_):
        pytest.fail("went through them one by one")

    for number in range(20):
        load(table(range(30), piece=f"p{number:02d}"))
    monkeypatch.setattr("qua3ck.store.warehouse.ordered._alive", refuse_groups)
    same(house, ("_piece",))

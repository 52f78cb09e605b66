from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qua3ck.store.warehouse import distinct
from qua3ck.store.warehouse.distinct import surely_differ
from qua3ck.store.warehouse.engine import Engine


@pytest.fixture
def differ(tmp_path):
    """Return what is said of columns of keys that lie in a file."""
    path = tmp_path / "keys.parquet"

    def ask(**columns):
        keys = pa.table(columns)
        pq.write_table(keys, path, row_group_size=100)
        with Engine(scratch=tmp_path / "scratch") as engine:
            return surely_differ(engine, engine.parquet(path), rows=keys.num_rows)

    return ask


@pytest.fixture
def most_at_once(monkeypatch):
    return lambda most: monkeypatch.setattr(distinct, "_MOST", most)


@pytest.mark.parametrize("value", [int, str, float, lambda n: f"2024-{n}", lambda n: n * 2**40])
def test_keys_that_all_differ_are_said_to(differ, value):
    assert differ(key=[value(number) for number in range(5000)])


@pytest.mark.parametrize(
    "twice",
    [
        [0, 0],
        ["a", "a"],
        [0.0, -0.0],
        [math.nan, math.nan],
        [math.nan, -math.nan],
        ["long enough not to lie within its pointer", "long enough not to lie within its pointer"],
    ],
)
def test_keys_that_are_one_key_to_the_engine_are_never_said_to_differ(differ, twice):
    others = [type(twice[0])(number + 1000) for number in range(300)]
    assert not differ(key=[twice[0], *others, twice[1]])


def test_several_columns_make_one_key(differ):
    place = ["a", "a", "b", "b"]
    assert differ(place=place, month=[1, 2, 1, 2])
    assert not differ(place=place, month=[1, 2, 1, 1])
    assert differ(place=["a", "ab"], rest=["bc", "c"])


def test_no_rows_differ(differ):
    assert differ(key=pa.array([], pa.int64()))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
@given(keys=st.lists(st.integers(0, 60), max_size=30), most=st.integers(1, 40))
def test_a_key_that_comes_again_is_never_missed_in_however_many_passes(
    differ, most_at_once, keys, most
):
    most_at_once(most)
    if len(set(keys)) < len(keys):
        assert not differ(key=pa.array(keys, pa.int64()))


def test_more_rows_than_memory_are_looked_at_in_several_passes(differ, most_at_once):
    most_at_once(3000)
    assert differ(key=range(20_000))
    assert not differ(key=[*range(20_000), 17])


def test_far_too_many_rows_are_left_to_who_can_write_to_disk(differ, most_at_once):
    most_at_once(10)
    assert not differ(key=range(1000))

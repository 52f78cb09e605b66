"""Rows that lie in a file are asked as a table is, however they came."""

from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.understand.publish.stored import store

ROWS = pa.table({"a": ["x", None, "x", None], "n": pa.array([1, 2, 1, 2], pa.int64())})


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_rows_are_those_that_came_in_their_order(tmp_path, batch):
    kept = store(ROWS.to_batches(max_chunksize=batch), ROWS.schema, tmp_path / "r.parquet")
    assert (kept.num_rows, kept.column_names) == (4, ["a", "n"])
    assert pa.Table.from_batches(kept.to_batches(2)).equals(ROWS)
    assert pa.chunked_array(list(kept.column_batches("n"))).to_pylist() == [1, 2, 1, 2]


def test_null_is_one_value_among_the_different_ones(tmp_path):
    kept = store(ROWS.to_batches(), ROWS.schema, tmp_path / "r.parquet")
    assert kept.distinct(["a"]) == kept.distinct(["a", "n"]) == 2


def test_no_rows_are_a_table_too(tmp_path):
    kept = store([], ROWS.schema, tmp_path / "r.parquet")
    assert (kept.num_rows, kept.distinct(["a"]), list(kept.to_batches())) == (0, 0, [])

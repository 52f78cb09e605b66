from __future__ import annotations

import resource

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse.thinned import without_rows

NUMBERS = [2, 3, 5, 7, 8, 11, 12, 13, 20]


@pytest.fixture
def staged(tmp_path):
    path = tmp_path / "rows.parquet"
    rows = pa.table(
        {
            "unit": pa.array(["kit", "box", None] * 3),
            "kg": pa.array([0.5, None, float("nan")] * 3),
            "_row": pa.array(NUMBERS, pa.int64()),
        }
    )
    pq.write_table(rows, path, row_group_size=3, use_dictionary=["unit"])
    return path


@pytest.mark.parametrize("away", [[], [2], [7, 8, 11], [20, 4, 20, 3, 99], NUMBERS])
def test_the_other_rows_stay_as_they_are_in_their_order(staged, tmp_path, away):
    into = tmp_path / "kept.parquet"
    count = without_rows(staged, np.array(away, np.int64), into)
    rows = pq.read_table(staged)
    wanted = rows.filter(pa.array([number not in away for number in NUMBERS]))
    kept = pq.read_table(into)
    assert kept.schema.equals(rows.schema)
    assert kept["_row"].to_pylist() == wanted["_row"].to_pylist()
    assert str(kept.to_pylist()) == str(wanted.to_pylist())  # NaN is not equal to itself
    assert count == len(kept)
    blocks = pq.read_metadata(into)
    assert all(blocks.row_group(at).num_rows for at in range(blocks.num_row_groups))


def test_columns_are_packed_as_they_were(staged, tmp_path):
    into = tmp_path / "kept.parquet"
    without_rows(staged, np.array([2]), into)
    block = pq.read_metadata(into).row_group(0)
    packed = {block.column(at).path_in_schema: block.column(at) for at in range(3)}
    assert {name: one.has_dictionary_page for name, one in packed.items()} == {
        "unit": True,
        "kg": False,
        "_row": False,
    }
    assert {one.compression for one in packed.values()} == {"ZSTD"}


def test_a_full_disk_is_told_as_what_it_is(tmp_path):
    path = tmp_path / "rows.parquet"
    noise = np.random.default_rng(7).integers(0, 2**60, 50_000)
    pq.write_table(pa.table({"x": noise, "_row": np.arange(50_000)}), path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(Qua3ckError, match="make room"):
            without_rows(path, np.array([3]), tmp_path / "kept.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

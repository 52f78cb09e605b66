from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources import rowfile
from qua3ck.understand.sources.pieces import Piece
from qua3ck.understand.sources.rowfile import RowFile

PIECE = Piece("p.csv", "", Path("p.csv"), 0)


def test_batches_come_back_in_order_in_groups_of_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr(rowfile, "_ROWS", 10)
    path = tmp_path / "rows.parquet"
    with RowFile(path, piece=PIECE, place="s") as rows:
        for at in range(7):
            rows.add(["a"], [pa.array([f"x{at}"] * 4)], np.arange(at * 4, at * 4 + 4))
    table = pq.read_table(path)
    assert table["_row"].to_pylist() == list(range(28))
    assert table["a"].to_pylist() == [f"x{n // 4}" for n in range(28)]
    meta = pq.read_metadata(path)
    assert [meta.row_group(at).num_rows for at in range(meta.num_row_groups)] == [12, 12, 4]


def test_only_texts_that_come_again_have_a_dictionary(tmp_path):
    path = tmp_path / "rows.parquet"
    with RowFile(path, piece=PIECE, place="s") as rows:
        kinds, names = ["a", "b"] * 50, [f"n{n}" for n in range(100)]
        rows.add(["kind", "name"], [pa.array(kinds), pa.array(names)], np.arange(100))
    group = pq.read_metadata(path).row_group(0)
    assert [group.column(at).has_dictionary_page for at in (0, 1)] == [True, False]


def test_a_disk_that_does_not_take_it_is_said(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with (
        pytest.raises(Qua3ckError, match="No space left") as told,
        RowFile(tmp_path / "a.parquet", piece=PIECE, place="s") as rows,
    ):
        rows.add(["a"], [pa.array([1])], np.arange(1))
    assert told.value.code == "U101"


def test_after_a_failure_nothing_more_is_written(tmp_path):
    path = tmp_path / "rows.parquet"

    def work() -> None:
        with RowFile(path, piece=PIECE, place="s") as rows:
            rows.add(["a"], [pa.array([1])], np.arange(1))
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert not path.exists()


def test_what_a_table_knows_of_each_row_is_added_where_the_moment_is_settled(tmp_path):
    path = tmp_path / "rows.parquet"
    piece = replace(PIECE, known=datetime(2024, 1, 31, tzinfo=UTC))
    with RowFile(path, piece=piece, place="s") as rows:
        rows.add(["a"], [pa.array([1, 2])], np.arange(1, 3))
    assert pq.read_table(path).to_pylist()[1] == {
        "a": 2,
        "_row": 2,
        "_piece": "p.csv",
        "_known": piece.known,
        "_gone": False,
    }


def test_who_waits_is_told_how_many_rows_came(tmp_path):
    told: list[int] = []
    piece = replace(PIECE, count=told.append)
    with RowFile(tmp_path / "rows.parquet", piece=piece, place="s") as rows:
        for _ in range(3):
            rows.add(["a"], [pa.array([1, 2])], np.arange(2))
    assert told == [2, 4, 6]

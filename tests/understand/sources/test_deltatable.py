from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from staging import PLACE, staged

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources import deltatable
from qua3ck.understand.sources.deltatable import delta_piece

SOURCE = Source(kind="delta", path="table")


def rows(start, stop):
    return pa.table({"a": list(range(start, stop)), "b": [f"x{i}" for i in range(start, stop)]})


def test_the_current_version_is_one_piece_and_the_same_rows_are_the_same_piece(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(deltatable, "_ROWS_PER_GROUP", 10)
    table = str(tmp_path / "table")
    write_deltalake(table, rows(0, 25))
    write_deltalake(table, rows(25, 31), mode="append")
    piece = delta_piece("t", SOURCE, tmp_path, into=tmp_path, place=PLACE)
    made, _ = staged(piece.path, kind="delta")
    assert sorted(made["a"].to_pylist()) == list(range(31))
    assert pq.ParquetFile(piece.path).metadata.num_row_groups == 4
    again = delta_piece("t", SOURCE, tmp_path, into=tmp_path, place=PLACE)
    assert (again.name, again.digest, again.size) == ("t", piece.digest, piece.size)


def test_rows_that_were_deleted_do_not_come_back(tmp_path):
    table = str(tmp_path / "table")
    write_deltalake(table, rows(0, 20))
    DeltaTable(table).delete("a >= 5")
    piece = delta_piece("t", SOURCE, tmp_path, into=tmp_path, place=PLACE)
    assert pq.read_table(piece.path)["a"].to_pylist() == list(range(5))


def test_what_is_no_delta_table_or_lacks_files_is_told(tmp_path):
    with pytest.raises(Qua3ckError, match="no Delta table") as told:
        delta_piece("t", SOURCE, tmp_path, into=tmp_path, place=PLACE)
    assert told.value.code == "U101"
    write_deltalake(str(tmp_path / "table"), rows(0, 5))
    for file in (tmp_path / "table").glob("*.parquet"):
        file.unlink()
    with pytest.raises(Qua3ckError, match="cannot be read") as told:
        delta_piece("t", SOURCE, tmp_path, into=tmp_path, place=PLACE)
    assert told.value.code == "U102"

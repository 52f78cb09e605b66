from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal

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


@pytest.mark.parametrize("vectors", ["false", "true"])
def test_partitions_later_columns_and_any_order_of_reading_give_one_piece(tmp_path, vectors):
    day = [date(2026, 3, 1), None, date(2026, 3, 2)]
    first = pa.table({"a": [3, 1, 2], "day": day, "amount": [Decimal("1.50"), None, Decimal(2)]})
    later = pa.table({"a": [9], "day": [date(2026, 3, 2)], "tags": [["x", "y"]]})
    table = str(tmp_path / "table")
    asked = {"delta.enableDeletionVectors": vectors}
    write_deltalake(table, first, partition_by=["day"], configuration=asked)
    write_deltalake(table, later, mode="append", schema_mode="merge")
    pieces = [delta_piece("t", SOURCE, tmp_path, into=tmp_path, place=PLACE) for _ in range(5)]
    assert len({piece.digest for piece in pieces}) == 1
    made = pq.read_table(pieces[0].path).sort_by("a").to_pydict()
    assert made == {
        "a": [1, 2, 3, 9],
        "day": [None, day[2], day[0], day[2]],
        "amount": [None, Decimal("2.00"), Decimal("1.50"), None],
        "tags": [None, None, None, ["x", "y"]],
    }
    assert not (tmp_path / "unsorted.parquet").exists()


def test_a_process_that_read_a_delta_table_ends_well(tmp_path):
    """With delta-rs' pyarrow dataset 2 of 40 processes aborted at their end."""
    write_deltalake(str(tmp_path / "table"), rows(0, 10), partition_by=["b"])
    act = (
        "import sys; from pathlib import Path\n"
        "from qua3ck.understand.section import Source\n"
        "from qua3ck.understand.sources.deltatable import delta_piece\n"
        "root = Path(sys.argv[1])\n"
        "delta_piece('t', Source(kind='delta', path='table'), root, into=root, place='x')\n"
        "assert 'pyarrow.dataset' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", act, str(tmp_path)], check=False)
    assert done.returncode == 0


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

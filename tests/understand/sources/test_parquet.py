from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
from staging import refused, staged

from qua3ck.understand.sources import parquet


def test_what_is_no_parquet_file_is_refused(tmp_path):
    (tmp_path / "p.parquet").write_text("a,b\n")
    told = refused(tmp_path / "p.parquet", kind="parquet")
    assert "cannot be read as Parquet" in told.what
    assert told.code == "U102"


def test_what_is_an_arrow_file_is_told(tmp_path):
    with pa.ipc.new_file(tmp_path / "p.parquet", pa.schema([("a", pa.int64())])):
        pass
    told = refused(tmp_path / "p.parquet", kind="parquet")
    assert told.code == "U102"
    assert "kind: arrow" in told.fix


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    pq.write_table(pa.table({"a": list(range(10_000))}), tmp_path / "p.parquet")
    whole = (tmp_path / "p.parquet").read_bytes()
    (tmp_path / "p.parquet").write_bytes(whole[: len(whole) // 2])
    assert refused(tmp_path / "p.parquet", kind="parquet").code == "U102"


def test_rows_are_numbered_through_all_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_BATCH", 10)
    pq.write_table(pa.table({"a": list(range(25))}), tmp_path / "p.parquet", row_group_size=7)
    rows, _ = staged(tmp_path / "p.parquet", kind="parquet")
    assert rows["_row"].to_pylist() == [one + 1 for one in rows["a"].to_pylist()]

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.section import Source
from qua3ck.understand.sources import read_source


def test_types_are_kept_and_files_joined(tmp_path):
    one, two = pa.table({"a": [1], "b": ["x"]}), pa.table({"b": ["y"], "a": [2]})
    pq.write_table(one, tmp_path / "p1.parquet")
    pq.write_table(two, tmp_path / "p2.parquet")
    loaded = read_source("s", Source(kind="parquet", path="p*.parquet"), tmp_path)
    assert loaded.rows.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert loaded.files["p1.parquet"] == file_digest(tmp_path / "p1.parquet")


def test_what_is_no_parquet_file_is_refused(tmp_path):
    (tmp_path / "p.parquet").write_text("a,b\n")
    with pytest.raises(Qua3ckError, match="cannot be read as Parquet") as told:
        read_source("s", Source(kind="parquet", path="p.parquet"), tmp_path)
    assert told.value.code == "U102"


def test_types_that_cannot_be_joined_are_refused(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "p1.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "p2.parquet")
    with pytest.raises(Qua3ckError, match="different types"):
        read_source("s", Source(kind="parquet", path="p*.parquet"), tmp_path)


def test_no_rows_is_not_loaded(tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "p.parquet")
    with pytest.raises(Qua3ckError, match="no rows") as told:
        read_source("s", Source(kind="parquet", path="p.parquet"), tmp_path)
    assert told.value.code == "U103"

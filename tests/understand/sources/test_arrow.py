from __future__ import annotations

import datetime as dt
import subprocess
import sys
import textwrap
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather
from staging import refused, staged

from qua3ck.understand.sources import arrow

TABLE = pa.table(
    {
        "unit": pa.array(["Süd", "Nord", None] * 10).dictionary_encode(),
        "cases": pa.array([1, None, 3] * 10, pa.int32()),
        "day": pa.array([dt.date(2024, 1, 1)] * 30),
    }
)
ROWS = [
    {"unit": one["unit"], "cases": one["cases"], "day": one["day"], "_row": at}
    for at, one in enumerate(TABLE.to_pylist(), 1)
]


def _as_file(table, path, **options):
    with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=7)


def _as_stream(table, path):
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)


WRITERS = {
    "file": _as_file,
    "compressed": lambda table, path: _as_file(table, path, compression="zstd"),
    "stream": _as_stream,
    "feather": lambda table, path: feather.write_feather(table, str(path)),
    "pandas": lambda table, path: table.to_pandas(types_mapper=pandas_type).to_feather(path),
}


def pandas_type(kind):
    import pandas as pd

    return pd.Int32Dtype() if kind == pa.int32() else None


@pytest.mark.parametrize("how", WRITERS)
def test_every_way_in_which_it_is_written_gives_the_same_rows(tmp_path, how):
    WRITERS[how](TABLE, tmp_path / "p.arrow")
    rows, made = staged(tmp_path / "p.arrow", kind="arrow")
    assert rows.to_pylist() == ROWS
    assert made.came == 30


def test_a_file_without_rows_keeps_its_columns(tmp_path):
    _as_stream(TABLE.slice(0, 0), tmp_path / "p.arrow")
    rows, made = staged(tmp_path / "p.arrow", kind="arrow")
    assert rows.column_names == ["unit", "cases", "day", "_row"]
    assert made.came == 0


def test_types_that_only_arrow_has_are_read(tmp_path):
    table = pa.table(
        {
            "runs": pa.RunEndEncodedArray.from_arrays([2, 3], pa.array(["a", "b"])),
            "view": pa.array(["a long text that is in no cell", None, "c"], pa.string_view()),
            "half": pa.array(np.array([0.5, 1, 2], np.float16)),
            "small": pa.array([Decimal("1.5"), None, Decimal("2.5")], pa.decimal32(5, 1)),
            "one": pa.array([{"in": 1}, None, {"in": 3}]),
            "items": pa.array([[1], [], None], pa.list_view(pa.int64())),
            "day": pa.array([dt.date(2024, 1, 1)] * 3, pa.date64()),
        }
    )
    _as_file(table, tmp_path / "p.arrow")
    rows, _ = staged(tmp_path / "p.arrow", kind="arrow")
    assert rows.drop_columns(["_row"]).to_pydict() == {
        "runs": ["a", "a", "b"],
        "view": ["a long text that is in no cell", None, "c"],
        "half": [0.5, 1.0, 2.0],
        "small": [1.5, None, 2.5],
        "one_in": [1, None, 3],
        "items": ["[1]", "[]", None],
        "day": [dt.date(2024, 1, 1)] * 3,
    }


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"a,b\n1,2\n", "csv"),
        (b"", "undamaged"),
        (b"FEA1\x00\x00\x00\x00", "version 1"),
        (b"PAR1\x00\x00\x00\x00", "kind: parquet"),
    ],
)
def test_what_is_no_arrow_file_is_refused_with_what_it_looks_like(tmp_path, content, fix):
    (tmp_path / "p.arrow").write_bytes(content)
    told = refused(tmp_path / "p.arrow", kind="arrow")
    assert told.code == "U102"
    assert "cannot be read as Arrow" in told.what
    assert fix in told.fix


@pytest.mark.parametrize("how", ["file", "compressed", "stream", "feather"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_refused(tmp_path, how, share):
    WRITERS[how](TABLE, tmp_path / "p.arrow")
    whole = (tmp_path / "p.arrow").read_bytes()
    (tmp_path / "p.arrow").write_bytes(whole[: int(len(whole) * share)])
    assert refused(tmp_path / "p.arrow", kind="arrow").code == "U102"


def test_a_stream_that_ends_between_two_batches_is_refused(tmp_path):
    _as_stream(TABLE, tmp_path / "p.arrow")
    whole = (tmp_path / "p.arrow").read_bytes()
    (tmp_path / "p.arrow").write_bytes(whole.removesuffix(b"\xff\xff\xff\xff\0\0\0\0"))
    told = refused(tmp_path / "p.arrow", kind="arrow")
    assert told.code == "U102"
    assert "cut off" in told.what


def test_a_second_stream_behind_the_first_is_refused(tmp_path):
    _as_stream(TABLE, tmp_path / "p.arrow")
    whole = (tmp_path / "p.arrow").read_bytes()
    (tmp_path / "p.arrow").write_bytes(whole + whole)
    assert "more than one" in refused(tmp_path / "p.arrow", kind="arrow").what


def test_a_large_batch_is_written_in_parts_and_numbered_through(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "_BATCH", 4)
    _as_file(pa.table({"a": list(range(25))}), tmp_path / "p.arrow")
    rows, _ = staged(tmp_path / "p.arrow", kind="arrow")
    assert rows["_row"].to_pylist() == [one + 1 for one in rows["a"].to_pylist()]


DAMAGE = textwrap.dedent(
    """
    import json, sys
    from pathlib import Path
    from staging import staged
    from qua3ck.kit.errors import Qua3ckError

    ended = {"read": 0, "refused": 0}
    for path in sorted(Path(sys.argv[1]).glob("*.arrow")):
        try:
            staged(path, kind="arrow")
            ended["read"] += 1
        except Qua3ckError as problem:
            assert problem.code in {"U102", "U133", "U134"}, problem
            ended["refused"] += 1
    print(json.dumps(ended))
    """
)


@pytest.mark.parametrize("how", ["file", "compressed", "stream"])
def test_damaged_bytes_are_read_or_refused_and_end_no_process(tmp_path, request, how):
    WRITERS[how](TABLE, tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    chance = np.random.default_rng(7)
    for at in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.integers(1, 5)):
            damaged[chance.integers(len(whole))] = chance.integers(256)
        (tmp_path / f"{at:03}.arrow").write_bytes(damaged)
    ran = subprocess.run(
        [sys.executable, "-c", DAMAGE, str(tmp_path)],
        cwd=request.path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "refused" in ran.stdout

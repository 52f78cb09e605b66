from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from staging import refused, staged

pytestmark = pytest.mark.parametrize("kind", ["parquet", "arrow"])


def _write(table, folder, kind):
    path = folder / f"p.{kind}"
    if kind == "parquet":
        pq.write_table(table, path)
        return path
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    return path


def test_types_are_brought_to_those_that_tables_hold(tmp_path, kind):
    utc = dt.UTC
    table = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "unsigned": pa.array([1, 2], pa.uint32()),
            "money": pa.array([Decimal("1.25"), None]),
            "id": pa.array([Decimal(10**30), None], pa.decimal128(38, 0)),
            "exact": pa.array([Decimal("0.10"), None], pa.decimal128(38, 2)),
            "word": pa.array(["x", "y"]).dictionary_encode(),
            "bytes": pa.array([b"abc", None]),
            "clock": pa.array([dt.time(8, 30), None]),
            "moment": pa.array(
                [dt.datetime(2024, 1, 1, tzinfo=utc), None], pa.timestamp("ns", "UTC")
            ),
            "none": pa.nulls(2),
            "at": pa.array([{"lat": 1.5, "who": {"name": "Ada"}}, None]),
            "tags": pa.array([["a"], None]),
        }
    )
    path = _write(table, tmp_path, kind)
    rows, made = staged(path, kind=kind)
    assert rows.slice(0, 1).to_pylist() == [
        {
            "small": 1,
            "unsigned": 1,
            "money": 1.25,
            "id": str(10**30),
            "exact": "0.10",
            "word": "x",
            "bytes": "abc",
            "clock": "08:30:00.000000",
            "moment": dt.datetime(2024, 1, 1, tzinfo=utc),
            "none": None,
            "at_lat": 1.5,
            "at_who_name": "Ada",
            "tags": '["a"]',
            "_row": 1,
        }
    ]
    assert {str(kind) for kind in rows.schema.types} <= {
        *("string", "int64", "double", "bool", "date32[day]"),
        *("timestamp[us]", "timestamp[us, tz=UTC]"),
    }
    assert made.how["types as written"]["small"] == "int8"


def test_given_types_hold_what_does_not_fit(tmp_path, kind):
    table = pa.table({"a": [1.0, 2.5, None], "b": ["1", "x", "3"], "c": [1, 2, 3]})
    path = _write(table, tmp_path, kind)
    given = {"a": "integer", "b": "number", "c": "string"}
    rows, made = staged(path, kind=kind, given=given)
    assert rows.to_pydict() == {"a": [1, None], "b": [1.0, 3.0], "c": ["1", "3"], "_row": [1, 3]}
    assert made.held.to_pylist() == [
        {"_row": 2, "column": "a", "code": "U033", "raw": "2.5"},
        {"_row": 2, "column": "b", "code": "U033", "raw": "x"},
    ]


@pytest.mark.parametrize(
    ("table", "code", "says"),
    [
        (pa.table({"a": [b"\xff"]}), "U134", 'Column "a"'),
        (pa.table({"a": pa.array([1], pa.duration("s"))}), "U134", "duration"),
        (pa.table({"a": pa.array([2**64 - 1], pa.uint64())}), "U134", 'Column "a"'),
        (pa.table({"a": [1], "A": [2]}), "U133", '"a" and "A"'),
        (pa.table({"a_b": [1], "a": [{"b": 2}]}), "U133", "called alike"),
        (pa.table({"_row": [1]}), "U133", "_row"),
    ],
)
def test_what_no_table_can_hold_is_refused_with_its_column(tmp_path, kind, table, code, says):
    path = _write(table, tmp_path, kind)
    told = refused(path, kind=kind)
    assert told.code == code
    assert says in told.what

"""What is written and read as a stream is what would be written and read in memory."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Engine, Warehouse, content_digest, storable

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ROWS = pa.table(
    {
        "text": pa.array(["Łódź", None, "", "a"], pa.large_string()),
        "word": pa.array(["x", "y", "x", None]).dictionary_encode(),
        "small": pa.array([1, None, 3, 4], pa.int8()),
        "unsigned": pa.array([1, 2, None, 4], pa.uint32()),
        "float": pa.array([0.5, float("nan"), None, -0.0]),
        "half": pa.array([0.5, 1.5, None, 2.0], pa.float32()),
        "money": pa.array([Decimal("1.10"), None, Decimal("2.00"), Decimal("3.50")]),
        "open": [True, None, False, True],
        "day": [dt.date(2024, 2, 29), None, None, dt.date(1, 1, 1)],
        "at": pa.array([NOON, None, NOON, NOON], pa.timestamp("ms", "Europe/Berlin")),
        "never": pa.nulls(4),
    }
)


def stream(rows=ROWS, size=3):
    return rows.to_reader(max_chunksize=size)


def test_a_stream_is_the_same_version_as_the_table(tmp_path):
    warehouse = Warehouse(tmp_path)
    assert warehouse.write("gold/t", stream()) == (0, content_digest(ROWS))
    assert warehouse.write("gold/t", ROWS)[0] == 0, "the same content is no new version"
    assert warehouse.write("gold/t", stream(size=1))[0] == 0
    assert content_digest(warehouse.read("gold/t")) == content_digest(ROWS)
    assert warehouse.read("gold/t").schema == storable(ROWS, where="t").schema
    files = {path.name for path in (tmp_path / "warehouse/gold/t").glob("*.parquet")}
    assert len(files) == 1, "what was written in vain is gone"


def test_a_stream_replaces_rows_and_columns_and_what_was_there_stays_readable(tmp_path):
    warehouse = Warehouse(tmp_path)
    warehouse.write("gold/t", ROWS, note="first")
    other = pa.table({"n": pa.array(range(300_000), pa.int64())})
    assert warehouse.write("gold/t", stream(other, 1000), note="second")[0] == 1
    assert warehouse.read("gold/t").equals(other)
    assert warehouse.read("gold/t", version=0).num_rows == 4


def test_a_stream_that_breaks_leaves_the_table_and_no_file(tmp_path):
    warehouse = Warehouse(tmp_path)
    warehouse.write("gold/t", ROWS)
    before = sorted((tmp_path / "warehouse/gold/t").rglob("*"))

    def broken():
        yield from ROWS.to_batches(max_chunksize=2)
        raise Qua3ckError("The wire is cut", where="here", fix="mend it")

    with pytest.raises(Qua3ckError, match="The wire is cut"):
        warehouse.write("gold/t", pa.RecordBatchReader.from_batches(ROWS.schema, broken()))
    assert sorted((tmp_path / "warehouse/gold/t").rglob("*")) == before


def test_types_that_cannot_be_stored_are_refused_before_anything_is_written(tmp_path):
    rows = pa.table({"a": [[1], [2]]})
    with pytest.raises(Qua3ckError, match="cannot be stored"):
        Warehouse(tmp_path).write("gold/t", rows.to_reader())


def test_a_mapped_table_is_the_table_and_ends_with_its_engine(tmp_path):
    warehouse = Warehouse(tmp_path)
    warehouse.write("gold/t", ROWS)
    warehouse.write("gold/t", ROWS.slice(1))
    with Engine() as engine:
        first = warehouse.mapped("gold/t", engine=engine, version=0)
        last = warehouse.mapped("gold/t", engine=engine)
        assert content_digest(first) == content_digest(ROWS)
        assert content_digest(last) == content_digest(ROWS.slice(1))
        folder = engine.scratch
    assert not folder.exists()


def test_mapped_current_rows_are_the_current_rows_in_their_order(tmp_path):
    warehouse = Warehouse(tmp_path)
    for day, ids in enumerate([[5, 3, 1], [3, 4]]):
        rows = pa.table(
            {
                "id": ids,
                "day": [day] * len(ids),
                "_piece": [f"{day}.csv"] * len(ids),
                "_row": pa.array(range(len(ids)), pa.int64()),
                "_gone": [False] * len(ids),
            }
        )
        warehouse.append("silver/s", rows, known=NOON + dt.timedelta(days=day))
    with Engine(reach=()) as engine:
        for options in ({"by": ["id"]}, {"by": ["id"], "meta": True, "columns": ["day"]}):
            got = warehouse.mapped("silver/s", engine=engine, **options)
            assert got.equals(warehouse.current("silver/s", **options))
        assert warehouse.mapped("silver/s", engine=engine, by=["id"])["id"].to_pylist() == [
            1,
            3,
            4,
            5,
        ]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT nix FROM t", "Binder Error"),
        ("SELECT CAST(text AS INT) FROM t", "ConversionException"),
        ("SELECT * FROM read_csv('/etc/passwd')", "Permission Error"),
        ("DROP TABLE t", "cannot be run"),
    ],
)
def test_a_query_that_cannot_run_is_said_without_values(tmp_path, sql, says):
    with Engine(reach=()) as engine, pytest.raises(Qua3ckError, match=says) as caught:
        engine.asked(sql, {"t": storable(ROWS, where="t")}).read_all()
    assert "Łódź" not in str(caught.value)

"""A process that makes a large gold table, and says how much memory of its own that took."""

from __future__ import annotations

import datetime as dt
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.gold import Input, build_tables, made_in_memory, read_input
from qua3ck.understand.gold.query import sql_columns
from qua3ck.understand.publish import publish
from qua3ck.understand.section import Understand

BATCH = 100_000
FIRST = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
QUERY = (
    "SELECT id, place, upper(remark) AS remark, value * 2 AS value, "
    "DATE '2024-01-01' + CAST(id % 300 AS INT) AS day FROM visits_raw"
)
SECTION = {
    "sources": {"visits_raw": {"kind": "csv", "path": "*.csv"}},
    "target": "value",
    "tables": {"visits": {"sql": "visits.sql", "key": ["id"]}},
    "publish": {
        "to": ["csv", "parquet"],
        "tables": {"visits": {"key": ["id"], "dimensions": {"place": ["place"]}}},
    },
}


def batches(rows: int) -> Iterator[pa.RecordBatch]:
    for at in range(0, rows, BATCH):
        numbers = np.arange(at, at + BATCH)
        yield pa.record_batch(
            {
                "id": pa.array(numbers),
                "place": pa.array(np.char.add("district ", (numbers % 50).astype(str))),
                "remark": pa.array(np.char.add("remark about visit ", numbers.astype(str))),
                "value": pa.array(np.sqrt(numbers)),
                "_piece": pa.repeat("a.csv", BATCH),
                "_row": pa.array(numbers + 1),
                "_gone": pa.repeat(pa.scalar(value=False), BATCH),
            }
        )


def make(root: Path, rows: int) -> None:
    warehouse = Warehouse(root)
    (root / "visits.sql").write_text(QUERY)
    schema = next(batches(rows)).schema
    reader = pa.RecordBatchReader.from_batches(schema, batches(rows))
    warehouse.append("silver/visits_raw", reader, known=FIRST)
    piece = {"piece": ["a.csv"], "digest": ["0" * 64], "held": [0], "how": ["{}"]}
    known = pa.array([FIRST], pa.timestamp("us", "UTC"))
    warehouse.write("bronze/visits_raw", pa.table({**piece, "known": known}))


def own_memory() -> float:
    """Return the megabytes of this process that lie in no file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


@contextmanager
def watched() -> Iterator[list[float]]:
    """Give a list whose one figure becomes the highest memory met."""
    peak, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], own_memory())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def streamed(root: Path, section: Understand, one: Input) -> dict[str, object]:
    warehouse = Warehouse(root)
    with watched() as built_mb:
        (table,) = build_tables(section, {one.name: one}, root=root, warehouse=warehouse)
    columns = {
        one.name: sql_columns(warehouse.schema(one.table)),
        "visits": sql_columns(warehouse.schema(table.table)),
    }
    with watched() as published_mb:
        publish(
            section,
            {"visits": table},
            {},
            columns,
            root=root,
            warehouse=warehouse,
            title="large",
        )
    figures = {"built_mb": built_mb[0], "published_mb": published_mb[0]}
    return {**figures, "rows": table.rows, "digest": table.digest}


def in_memory(root: Path, section: Understand, one: Input) -> dict[str, object]:
    warehouse = Warehouse(root)
    with watched() as built_mb:
        rows = read_input(one, section, warehouse)
        made = made_in_memory(section, {one.name: rows}, root=root, warehouse=warehouse)
        _, digest = warehouse.write("other/visits", made["visits"])
    return {"built_mb": built_mb[0], "digest": digest}


def main(act: str, rows: int, root: Path) -> None:
    said: dict[str, object] = {}
    if act == "make":
        make(root, rows)
    else:
        section = Understand.model_validate_json(json.dumps(SECTION))
        one = Input("visits_raw", "silver/visits_raw", 0, "0" * 64, ("_piece",))
        said = (streamed if act == "stream" else in_memory)(root, section, one)
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

"""A CSV to a checked Delta table, against DuckDB's bare read_csv into a table and against dlt.

Each contender runs in a process of its own, in turns, so that a busy machine hits all of them;
ratios are of the medians of the pairs. ``staged`` is our reader alone: CSV to typed Parquet,
every record written or held, counts reconciled. ``loaded`` is the whole load: raw bytes kept as
received, staged, compared, committed, listed. ``checked`` has a contract with types, required
and unique columns and ranges on top. DuckDB guesses the types from a sample, keeps no raw
bytes, checks nothing, and drops what does not fit or stops.

Rows by argument (default 5,000,000, of which the budgets speak). Budgets: at most twice
bare DuckDB (into a database file, as ours is on disk, too), 1 GB, and constant in rows: the peak
of all rows is at most 1.25 times that of a fifth of them. Five times the rows would make any
memory that grows with them five times as much; two runs of one load differ by a tenth or so, by
what the processors happen to hold at once. With fewer rows than a million per fifth the blocks
at work are not full, and the figure says nothing.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 5_000_000
ROUNDS = 3
CONTENDERS = ("bare", "bare_in_memory", "staged", "loaded", "checked", "dlt")
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: stock
version: 1.0.0
status: active
schema:
  - name: stock
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - {name: facility, logicalType: string, required: true}
      - {name: day, logicalType: date, required: true}
      - {name: unit, logicalType: string, required: true}
      - {name: quantity, logicalType: integer, logicalTypeOptions: {minimum: 0, maximum: 100000}}
      - {name: price, logicalType: number, logicalTypeOptions: {minimum: 0}}
      - {name: late, logicalType: boolean, required: true}
      - {name: note, logicalType: string}
      - {name: lat, logicalType: number, logicalTypeOptions: {minimum: -90, maximum: 90}}
      - {name: lon, logicalType: number, logicalTypeOptions: {minimum: -180, maximum: 180}}
"""


def main(argv: list[str]) -> dict[str, float]:
    """Print and return seconds, ratios to bare DuckDB, and peak memory of each."""
    rows = int(argv[0]) if argv else ROWS
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path, part = folder / "stock.csv", folder / "part.csv"
        write(path, rows)
        write(part, rows // 5)
        for _ in range(ROUNDS):
            for name in CONTENDERS:
                taken[name].append(alone(name, path))
        few = {
            name: max(alone(name, part)["peak_mb"] for _ in range(ROUNDS))
            for name in ("loaded", "checked")
        }
    figures: dict[str, float] = {"rows": rows}
    for name, runs in taken.items():
        pairs = zip(taken["bare"], runs, strict=True)
        figures[f"{name}_s"] = round(statistics.median(run["seconds"] for run in runs), 2)
        figures[f"{name}_cpu_s"] = round(statistics.median(run["cpu"] for run in runs), 2)
        ratio = statistics.median(run["seconds"] / bare["seconds"] for bare, run in pairs)
        figures[f"{name}_ratio"] = round(ratio, 2)
        figures[f"{name}_peak_mb"] = round(max(run["peak_mb"] for run in runs))
    for name, peak in few.items():
        most = max(run["peak_mb"] for run in taken[name])
        figures[f"{name}_peak_mb_of_a_fifth"] = round(peak)
        figures[f"{name}_peak_to_a_fifth"] = round(most / peak, 2)
        figures[f"budget_{name}_peak_to_a_fifth"] = 1.25
    figures["dlt_to_loaded"] = round(figures["dlt_s"] / figures["loaded_s"], 2)
    figures |= {"budget_loaded_ratio": 2.0, "budget_checked_ratio": 2.0}
    figures |= {"budget_loaded_peak_mb": 1024, "budget_checked_peak_mb": 1024}
    figures["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps(figures))
    return figures


def write(path: Path, rows: int) -> None:
    """Write a table of ten columns: numbers, codes, dates, truth values, text with commas."""
    import duckdb

    table = f"""SELECT i AS id, 'F' || lpad((hash(i) % 5000)::VARCHAR, 5, '0') AS facility,
        DATE '2020-01-01' + (hash(i * 7) % 1800)::INT AS day,
        ['sachet', 'carton', 'box', 'kit'][1 + (hash(i * 3) % 4)::INT] AS unit,
        (hash(i * 11) % 10000)::INT AS quantity,
        round((hash(i * 13) % 1000000) / 100.0, 2) AS price, hash(i * 17) % 2 = 0 AS late,
        'Some note, number ' || (hash(i * 19) % 100000)::VARCHAR AS note,
        round(hash(i * 23) % 180000 / 1000.0 - 90, 4) AS lat,
        round(hash(i * 29) % 360000 / 1000.0 - 180, 4) AS lon
        FROM range({rows}) t(i)"""  # noqa: S608 - a count of ours
    duckdb.sql(table).write_csv(str(path))


def alone(name: str, path: Path) -> dict[str, float]:
    """Run one contender in a process of its own; return its figures."""
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        done = subprocess.run(
            [sys.executable, __file__, "--alone", name, str(path), scratch],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def run_alone(name: str, path: Path, scratch: Path) -> None:
    prepare, act = globals()[f"_{name}"](path, scratch)
    prepare()
    started, cpu = time.perf_counter(), time.process_time()
    act()
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


def _bare(path: Path, scratch: Path, *, place: str = ""):
    import duckdb

    def act() -> None:
        with duckdb.connect(place or str(scratch / "bare.duckdb")) as connection:
            connection.execute("CREATE TABLE stock AS SELECT * FROM read_csv(?)", [str(path)])

    return lambda: None, act


def _bare_in_memory(path: Path, scratch: Path):
    return _bare(path, scratch, place=":memory:")


def _staged(path: Path, scratch: Path):
    from qua3ck.understand.section import Source
    from qua3ck.understand.sources.csvfile import stage_csv
    from qua3ck.understand.sources.pieces import Piece

    piece = Piece(path.name, "", path, path.stat().st_size)
    source = Source(kind="csv", path=path.name)
    return _imports, lambda: stage_csv(piece, source, types=None, into=scratch, place="stock")


def _loaded(path: Path, scratch: Path, **declared: str):
    from qua3ck.kit.clock import utc_now
    from qua3ck.store.raw import RawStore
    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand.loading import load_source
    from qua3ck.understand.section import Source

    shutil.copy(path, scratch / "stock.csv")
    source = Source(kind="csv", path="stock.csv", **declared)

    def act() -> None:
        done = load_source(
            "stock", source, scratch, Warehouse(scratch), raw=RawStore(scratch), clock=utc_now
        )
        assert done.loaded == done.came

    return _imports, act


def _checked(path: Path, scratch: Path):
    (scratch / "stock.odcs.yaml").write_text(CONTRACT)
    return _loaded(path, scratch, contract="stock.odcs.yaml")


def _dlt(path: Path, scratch: Path):
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(scratch)}
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    import dlt
    from dlt.sources.filesystem import filesystem, read_csv_duckdb

    def act() -> None:
        files = filesystem(bucket_url=path.parent.as_uri(), file_glob=path.name)
        lake = dlt.destinations.filesystem((scratch / "lake").as_uri())
        pipeline = dlt.pipeline("stock", destination=lake, pipelines_dir=str(scratch / "pipes"))
        rows = (files | read_csv_duckdb(use_pyarrow=True)).with_name("stock")
        pipeline.run(rows, table_format="delta")

    return lambda: None, act


def _imports() -> None:
    """Load what a long-running process has loaded: start-up is not what is measured."""
    import ibis
    import numpy as np
    import pandas as pd
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.parquet as pq
    from deltalake import DeltaTable

    assert all((ibis, np, pd, pc, pyarrow.csv, pq, DeltaTable))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        run_alone(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main(sys.argv[1:])

"""Twenty checks and a quarantine, against one-scan SQL by hand and against Pointblank.

Plain SQL is one statement with a count per check over the Parquet file, on the same DuckDB
settings (700 MB of memory). Ours also gives every failing row with code, column and raw cell:
that is what the budget is about. Two more figures beside it, with no budget: writing the good
rows to a file of their own, which costs more than looking, and the same work by hand in SQL
(count, write good rows, write failing rows). Pointblank is given the rows in memory already.

Rows: 10,000,000 by default, or the first argument. All are run in turns, so that a busy
machine hits all of them; the ratio of processor time stands beside the budget's, since it does
not depend on what else runs. Peak memory is that of a
process of its own that does nothing else.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from qua3ck.store.warehouse.engine import Engine
from qua3ck.understand.contract import check_rows, read_contract
from qua3ck.understand.contract.check import judge_rows

ROWS = 10_000_000
ROUNDS = 5
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = ("rutf", "f75", "f100", "vita", "soap", "tent")
MADE = """
SELECT i + 1 AS _row, i AS id,
    'D' || lpad((hash(i) % 300)::VARCHAR, 3, '0') AS district,
    DATE '2022-01-01' + (hash(i * 3) % 1000)::INT AS day,
    ['rutf', 'f75', 'f100', 'vita', 'soap', 'tent'][1 + (hash(i * 5) % 6)::INT] AS item,
    (hash(i * 7) % 1000)::BIGINT AS quantity,
    (hash(i * 11) % 100000) / 100.0 AS price,
    CASE WHEN hash(i * 13) % 50 > 0 THEN (hash(i * 13) % 9000) / 100.0 END AS weight_kg,
    'REF-' || (1000000 + hash(i * 17) % 8999999)::VARCHAR AS reference,
    CASE WHEN hash(i * 19) % 3 = 0 THEN 'yes' ELSE 'no' END AS late,
    ((hash(i * 23) % 18000)::BIGINT - 9000) / 100.0 AS latitude
FROM range({rows}) made(i)
"""
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: stock
version: 1.0.0
status: active
schema:
  - name: stock
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - name: district
        logicalType: string
        required: true
        logicalTypeOptions: {pattern: "^D[0-9]{3}$"}
      - name: day
        logicalType: date
        required: true
        logicalTypeOptions: {minimum: "2022-01-01", maximum: "2024-12-31"}
      - name: item
        logicalType: string
        required: true
        quality:
          - metric: invalidValues
            arguments: {validValues: [rutf, f75, f100, vita, soap, tent]}
            mustBe: 0
      - name: quantity
        logicalType: integer
        required: true
        logicalTypeOptions: {minimum: 0, maximum: 998}
      - name: price
        logicalType: number
        required: true
        logicalTypeOptions: {minimum: 0, exclusiveMaximum: 999.5}
      - {name: weight_kg, logicalType: number, logicalTypeOptions: {minimum: 0.5, maximum: 89.9}}
      - name: reference
        logicalType: string
        required: true
        logicalTypeOptions: {minLength: 11, maxLength: 11, pattern: "^REF-[0-9]{7}$"}
      - name: late
        logicalType: string
        required: true
        quality:
          - {metric: invalidValues, arguments: {validValues: ["yes", "no"]}, mustBe: 0}
      - {name: latitude, logicalType: number, logicalTypeOptions: {minimum: -89.9, maximum: 90}}
    quality:
      - type: sql
        query: SELECT COUNT(*) FROM ${table} WHERE item = 'tent' AND quantity > 990
        mustBe: 0
"""
FAILS = (
    "id IS NULL",
    "district IS NULL",
    "NOT regexp_matches(district, '^D[0-9]{3}$')",
    "day IS NULL",
    "day < DATE '2022-01-01' OR day > DATE '2024-12-31'",
    "item IS NULL",
    "item NOT IN ('rutf', 'f75', 'f100', 'vita', 'soap', 'tent')",
    "quantity IS NULL",
    "quantity < 0 OR quantity > 998",
    "price IS NULL",
    "price < 0 OR price >= 999.5",
    "weight_kg < 0.5 OR weight_kg > 89.9",
    "reference IS NULL",
    "length(reference) < 11 OR length(reference) > 11",
    "NOT regexp_matches(reference, '^REF-[0-9]{7}$')",
    "late IS NULL",
    "late NOT IN ('yes', 'no')",
    "latitude < -89.9 OR latitude > 90",
    "item = 'tent' AND quantity > 990",
)  # and: id is unique


def main(rows: int = ROWS) -> dict[str, float]:
    """Print and return the ratios, and the peak memory of ours."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source, contract = folder / "stock.parquet", folder / "stock.odcs.yaml"
        contract.write_text(CONTRACT)
        with connected(folder) as connection:
            query = MADE.format(rows=rows)
            connection.execute(f"COPY ({query}) TO '{source}' (FORMAT parquet, COMPRESSION zstd)")
        figures = timed(source, contract, folder)
        memory = [peak(source, contract, folder, good) for good in (False, True)]
    result = {
        "rows": rows,
        "plain_s": round(statistics.median(wall for wall, _ in figures["plain"]), 2),
        "ratio_checks_and_quarantine": ratio(figures, "judged", "plain"),
        "budget_ratio_checks_and_quarantine": 2.0,
        "ratio_of_processor_time": ratio(figures, "judged", "plain", 1),
        "ratio_with_good_rows_written": ratio(figures, "checked", "plain"),
        "ratio_to_the_same_work_by_hand": ratio(figures, "checked", "by_hand"),
        "pointblank_ratio": ratio(figures, "pointblank", "plain"),
        "memory_mb": memory[0],
        "memory_with_good_rows_mb": memory[1],
        "budget_memory_mb": 1024,
        "budget_memory_with_good_rows_mb": 1024,
    }
    print(json.dumps(result))
    return result


def timed(source: Path, contract: Path, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return seconds (by the clock, of processors) of each way, in turns; all find the same."""
    import pandas as pd

    frame = pd.read_parquet(source)
    work = {
        "plain": lambda: plain(source, folder),
        "judged": lambda: ours(source, contract, folder, good=False),
        "checked": lambda: ours(source, contract, folder, good=True),
        "by_hand": lambda: by_hand(source, folder),
        "pointblank": lambda: pointblank(frame),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    found = {}
    for turn in range(ROUNDS):
        for name, act in work.items():
            if name == "pointblank" and turn:
                continue  # once is enough to tell three from one
            wall, cpu = time.perf_counter(), time.process_time()
            found[name] = act()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    assert len(set(found.values())) == 1, found
    return seconds


def ratio(
    figures: dict[str, list[tuple[float, float]]], one: str, other: str, at: int = 0
) -> float:
    """Return the median of the ratios of one turn each; ``at`` 1: of processor time."""
    pairs = zip(figures[one], figures[other], strict=False)
    return round(statistics.median(ours[at] / theirs[at] for ours, theirs in pairs), 2)


def connected(folder: Path):
    """Return a connection with the settings of the engine."""
    settings = {"memory_limit": "700MB", "temp_directory": str(folder / "spill")}
    return duckdb.connect(":memory:", config=settings)


def plain(source: Path, folder: Path) -> int:
    """Count what fails each check in one statement; return all failures."""
    counts = ", ".join(f"count(*) FILTER (WHERE {each})" for each in FAILS)
    unique = "count(id) - count(DISTINCT id)"
    with connected(folder) as connection:
        query = f"SELECT {counts}, {unique} FROM '{source}'"  # noqa: S608 - texts of this file
        return sum(connection.execute(query).fetchone())


def by_hand(source: Path, folder: Path) -> int:
    """Count, then write good and failing rows to a file each."""
    failures = plain(source, folder)
    any_of = " OR ".join(f"({each})" for each in FAILS)
    with connected(folder) as connection:
        stock = connection.from_parquet(str(source))
        stock.create_view("stock")
        connection.execute(
            "CREATE TEMP TABLE twice AS SELECT id FROM stock GROUP BY id HAVING count(*) > 1"
        )
        for name, test in (("good", "IS NOT TRUE"), ("bad", "IS TRUE")):
            path = folder / f"{name}.parquet"
            stock.filter(f"({any_of}) {test}").write_parquet(str(path), compression="zstd")
    return failures


def ours(source: Path, contract: Path, folder: Path, *, good: bool) -> int:
    """Hold the rows against the contract; return all failures."""
    table = read_contract(contract).table("stock")
    act = check_rows if good else judge_rows
    with Engine(scratch=folder) as engine:
        done = act(source, table, engine=engine, into=folder / "checked", now=NOW)
    assert done.held.num_rows == sum(measure.failing for measure in done.measures)
    return sum(measure.failing for measure in done.measures)


def pointblank(frame) -> int:
    """Ask Pointblank the same; return all failures."""
    import pointblank as pb

    steps = pb.Validate(data=frame)
    for name in ("id", "district", "day", "item", "quantity", "price", "reference", "late"):
        steps = steps.col_vals_not_null(name)
    first, last = frame["day"].min().replace(2022, 1, 1), frame["day"].min().replace(2024, 12, 31)
    steps = (
        steps.rows_distinct(columns_subset=["id"])
        .col_vals_regex("district", "^D[0-9]{3}$")
        .col_vals_between("day", first, last)
        .col_vals_in_set("item", list(ITEMS))
        .col_vals_between("quantity", 0, 998)
        .col_vals_between("price", 0, 999.5, inclusive=(True, False))
        .col_vals_between("weight_kg", 0.5, 89.9, na_pass=True)
        .col_vals_expr(lambda rows: rows["reference"].str.len() == 11)
        .col_vals_regex("reference", "^REF-[0-9]{7}$")
        .col_vals_in_set("late", ["yes", "no"])
        .col_vals_between("latitude", -89.9, 90)
        .col_vals_expr(lambda rows: ~((rows["item"] == "tent") & (rows["quantity"] > 990)))
        .interrogate(get_first_n=1)
    )
    return sum(steps.n_failed().values())


def peak(source: Path, contract: Path, folder: Path, good: bool) -> int:
    """Return the most memory that ours used, in MB, in a process of its own.

    The system's own note of it: ``ru_maxrss`` would begin with what the parent had used.
    """
    code = (
        "import re, sys; sys.path.insert(0, sys.argv[1]); import checks; "
        "from pathlib import Path; "
        f"checks.ours(Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), good={good}); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    words = [str(Path(__file__).parent), str(source), str(contract), str(folder)]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, check=True
    )
    return int(done.stdout.split()[-1]) // 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)

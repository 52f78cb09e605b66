"""What it costs to read *current* when 1 % of the rows came again, against a folded table.

Budgets (design, section 9): reading current in full at most 1.5 times reading the folded table;
adding 1 % of the rows at most 10 % of the full load. Aggregates over a few columns have less
work of their own beside comparing the keys: at most 2 times. Everything is run in turns, so that
a busy machine hits both sides. `python benchmarks/warehouse_current.py 10000000` for another size.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qua3ck.store.warehouse import Engine, Warehouse

ROWS = 10_000_000
ROUNDS = 5
DAY = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"
BY = ("id",)


def main(rows: int = ROWS) -> dict[str, float]:
    """Print and return the ratios and the seconds behind them."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        whole, part = _sources(root, rows)
        full, little = [], []
        for at in range(ROUNDS):
            house = Warehouse(root / f"house{at}")
            full.append(_seconds(lambda house=house: _load(root, house, whole, DAY)))
            little.append(
                _seconds(lambda house=house: _load(root, house, part, DAY + timedelta(1)))
            )
        changed, folded = Warehouse(root / "house0"), Warehouse(root / "house1")
        fold = _seconds(lambda: folded.compact(TABLE, by=BY))
        result = _reading(changed, folded)
        result["memory_mb"] = _memory(root / "house0")
    result |= {
        "append_1_percent_ratio": _ratio(little, full),
        "budget_append_1_percent_ratio": 0.1,
        "full_load_s": round(statistics.median(full), 2),
        "fold_s": round(fold, 2),
        "rows": rows,
    }
    print(json.dumps(result))
    return result


def _sources(root: Path, rows: int) -> tuple[Path, Path]:
    """Write the first load and the load of every hundredth row, as a stage would leave them."""
    columns = (
        "'name ' || (i * 7919 % 1000003) AS name, (i * 31 % 10007) / 7.0 AS amount, i % 97 AS unit,"
        " DATE '2020-01-01' + (i % 1500)::INTEGER AS day, i % 7 = 0 AS flag"
    )
    with Engine() as engine:
        whole, part = root / "whole.parquet", root / "part.parquet"
        for ids, count, path in (("i", rows, whole), ("i * 100 + i % 89", rows // 100, part)):
            numbered = f"{ids} AS id, {columns}, {ids} + 1 AS _row"
            engine.copy_out(f"SELECT {numbered} FROM range({count}) r(i)", path)  # noqa: S608 - a count of ours
    return whole, part


def _load(root: Path, house: Warehouse, rows: Path, known: datetime) -> None:
    """Do what a load does with checked rows: add the columns about the load, commit."""
    ready = root / "ready.parquet"
    with Engine() as engine:
        about = {"_piece": "stock.csv", "_known": known, "_gone": False}
        engine.write_parquet(engine.parquet(rows), ready, constants=about)
    house.append(TABLE, ready, known=known)


def _reading(changed: Warehouse, folded: Warehouse) -> dict[str, float]:
    columns = ["id", "name", "amount", "unit", "day", "flag"]
    acts = {
        "current": lambda house: house.current(TABLE, by=BY).num_rows,
        "view": lambda house: _scan(house, columns),
        "sums": _sums,
        "digest": lambda house: house.snapshot(TABLE, by=BY)[1],
    }
    result: dict[str, float] = {}
    for name, act in acts.items():
        assert act(changed) == act(folded)  # and warms both
        slow, quick = [], []
        for _ in range(ROUNDS):
            quick.append(_seconds(lambda act=act: act(folded)))
            slow.append(_seconds(lambda act=act: act(changed)))
        result[f"{name}_ratio"] = _ratio(slow, quick)
        result[f"{name}_folded_s"] = round(statistics.median(quick), 2)
    past = [_seconds(lambda: changed.current(TABLE, by=BY, as_of=DAY)) for _ in range(ROUNDS)]
    result["as_of_s"] = round(statistics.median(past), 2)
    budgets = {"budget_current_ratio": 1.5, "budget_view_ratio": 1.5, "budget_sums_ratio": 2.0}
    return result | budgets


def _scan(house: Warehouse, columns: list[str]) -> int:
    with Engine() as engine:
        rows = house.current_view(TABLE, engine=engine, by=BY, columns=columns)
        return engine.rows(rows).num_rows


def _sums(house: Warehouse) -> list[dict[str, object]]:
    with Engine() as engine:
        rows = house.current_view(TABLE, engine=engine, by=BY)
        sums = rows.group_by("unit").agg(days=rows.day.max(), names=rows.name.max())
        return engine.rows(sums, order=["unit"]).to_pylist()


def _memory(root: Path) -> float:
    """Return the MB that a process took at most to digest the table, imports included."""
    done = subprocess.run(
        [sys.executable, __file__, "--digest", str(root)], stdout=subprocess.PIPE, check=True
    )
    return float(done.stdout)


def _digest(root: str) -> None:
    Warehouse(Path(root)).snapshot(TABLE, by=BY)
    # Not getrusage: what a child counts begins with what its parent had.
    status = Path("/proc/self/status").read_text()
    print(int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024)


def _ratio(slow: list[float], quick: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(slow, quick, strict=True)), 3)


def _seconds(act) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    if sys.argv[1:2] == ["--digest"]:
        _digest(sys.argv[2])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)

"""`qua3ck predict` of a whole table, against a plain loop of pandas chunks by hand.

Each runs in a process of its own, in turns, so that a busy machine hits both; the ratio is the
median of the pairs. By hand is what a notebook does: Parquet in chunks to pandas, the released
graph with onnxruntime's own settings, the threshold, Parquet out; no check of a value, no
reason beside a row, no version, nothing to take up after a crash. Ours reads the table at a
pinned version and hashes what it reads, sorts out rows that do not fit, answers in the blocks
the version was judged in, writes version, snapshot and time beside each row, commits once and
puts it on record.

Rows by argument (default 1,000,000 and 5,000,000). Budgets: with 5 M rows at most 1.5 times
the loop by hand; with 1 M at most 2.0, since verifying the ledger, the version and its golden
rows takes as long for few rows as for many; and memory that does not grow with the rows.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

ROWS = (1_000_000, 5_000_000)
ROUNDS = 3
CHUNK = 100_000
FILE = """\
project: clinics
question:
  asks: Which clinics run out of therapeutic food next month?
  decides: The supply officer, in the monthly order.
  why_now: The order is due.
  risks: A clinic without stock.
  stop_if: [rows < 50]
  kpis:
    - {id: right, metric: accuracy, at_least: 0.7}
  risk: {affects: nobody, domain: other, automated: false}
understand:
  sources:
    past: {kind: parquet, path: data/past.parquet}
    coming: {kind: parquet, path: data/coming.parquet}
  training: features.training_set
  target: out
a3:
  candidates: [gradient_boosting]
  budget: {trials: 3}
  folds: 2
conclude: {test_share: 0.3}
"""
FEATURES = "def training_set(tables):\n    return tables['past'].drop(columns=['clinic'])\n"


def main(argv: list[str]) -> dict[str, float]:
    """Print and return seconds, rows per second, the ratio and peak memory of both."""
    sizes = [int(word) for word in argv] or list(ROWS)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as made:
        os.environ |= {"QUA3CK_KEYS": f"{made}/keys", "QUA3CK_ACTOR": "ana"}
        for rows in sizes:
            root = Path(made) / str(rows)
            prepare(root, rows)
            figures |= measured(root, rows)
    figures |= {"budget_ratio_1m": 2.0, "budget_ratio_5m": 1.5}
    if len(sizes) > 1:
        first, last = sizes[0] // 10**6, sizes[-1] // 10**6
        growth = figures[f"ours_peak_mb_{last}m"] / figures[f"ours_peak_mb_{first}m"]
        figures |= {"memory_growth": round(growth, 2), "budget_memory_growth": 1.15}
    figures["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps(figures))
    return figures


def measured(root: Path, rows: int) -> dict[str, float]:
    """Run both in turns over one table."""
    runs: dict[str, list[dict[str, float]]] = {"by_hand": [], "ours": []}
    for turn in range(ROUNDS):
        for name, taken in runs.items():
            taken.append(alone(name, root, turn))
    size = f"{rows // 10**6}m"
    pairs = list(zip(runs["ours"], runs["by_hand"], strict=True))
    figures = {
        "ratio": statistics.median(a["seconds"] / b["seconds"] for a, b in pairs),
        "cpu_ratio": statistics.median(a["cpu"] / b["cpu"] for a, b in pairs),
    }
    for name, taken in runs.items():
        seconds = statistics.median(run["seconds"] for run in taken)
        figures |= {f"{name}_s": seconds, f"{name}_rows_per_second": rows / seconds}
        figures[f"{name}_peak_mb"] = max(run["peak_mb"] for run in taken)
    return {f"{name}_{size}": round(value, 2) for name, value in figures.items()}


def alone(name: str, root: Path, turn: int) -> dict[str, float]:
    """Run one of the two in a process of its own."""
    command = [sys.executable, __file__, "--alone", name, str(root), str(turn)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def one(name: str, root: Path, turn: int) -> None:
    """Do one of the two here, after everything is imported."""
    for library in ("duckdb", "onnxruntime", "pandas"):
        import_module(library)
    from qua3ck.project import open_project

    project = open_project(root)
    project.workspace()
    started, worked = time.perf_counter(), time.process_time()
    if name == "ours":
        made = project.predict("coming", to=f"scores_{turn}", key=["clinic"])
        assert made.fresh
        assert made.rows == made.predicted + made.held
    else:
        by_hand(root, root / f"by_hand_{turn}.parquet")
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak}))


def by_hand(root: Path, to: Path) -> None:
    """Predict as a notebook does."""
    import numpy as np
    import onnxruntime
    import pyarrow as pa
    import pyarrow.parquet as pq

    model = root / "releases" / "1" / "model"
    spec = json.loads((model / "manifest.json").read_bytes())["spec"]
    session = onnxruntime.InferenceSession(model / "model.onnx")
    output = [session.get_outputs()[0].name]
    writer = None
    for chunk in pq.ParquetFile(root / "data" / "coming.parquet").iter_batches(CHUNK):
        rows = chunk.to_pandas()
        given = []
        for column in spec["columns"]:
            kind = np.float32 if column["kind"] == "number" else object
            given.append(rows[column["name"]].to_numpy(dtype=kind).reshape(-1, 1))
            if column["indicator"]:
                given.append(np.isnan(given[-1]).astype(np.float32))
        scores = session.run(output, {f"c{at}": values for at, values in enumerate(given)})[0]
        label = np.where(scores[:, 1] >= spec["threshold"], "yes", "no")
        said = {"clinic": rows["clinic"], "label": label, "p_no": scores[:, 0]}
        table = pa.table({**said, "p_yes": scores[:, 1]})
        writer = writer or pq.ParquetWriter(to, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def prepare(root: Path, rows: int) -> None:
    """Take a project to a champion, and load a large table of new rows."""
    (root / "data").mkdir(parents=True)
    (root / "qua3ck.yaml").write_text(FILE)
    (root / "features.py").write_text(FEATURES)
    write(root / "data" / "past.parquet", 4000, seed=1)
    write(root / "data" / "coming.parquet", rows, seed=2)
    for words in (["load"], ["run"], ["release"], ["promote", "--reason", "it passed"]):
        command = [sys.executable, "-m", "qua3ck", *words, str(root)]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def write(path: Path, rows: int, *, seed: int) -> None:
    """Write clinics: six numbers, three of them with nulls, two categories, and the truth."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    numbers = {f"n{at}": rng.normal(50, 20, rows).round(2) for at in range(6)}
    for name in ("n3", "n4", "n5"):
        numbers[name][rng.random(rows) < 0.05] = np.nan
    table = {
        "clinic": pa.array(np.char.add("clinic-", np.arange(rows).astype("U9"))),
        **{name: pa.array(values, from_pandas=True) for name, values in numbers.items()},
        "region": pa.array(rng.choice(["north", "south", "east", "west"], rows)),
        "kind": pa.array(rng.choice(["health post", "clinic", "hospital"], rows)),
        "out": pa.array(
            np.where(numbers["n0"] > numbers["n1"] + rng.normal(0, 8, rows), "yes", "no")
        ),
    }
    pq.write_table(pa.table(table), path, compression="zstd", row_group_size=122_880)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main(sys.argv[1:])

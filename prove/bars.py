"""Holds thirty-line project files with default settings against what is known of real tables.

A fifth of the rows is kept back before the project sees the rest; the artefact that would ship
is scored on them. The bars are what careful work by hand reaches on the same tables. Each
project says nothing about algorithms, folds or budgets. Prints one line of Markdown a bar.

    python prove/bars.py [NAME ...]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kept_back import SHARED, _numbered, _shared, outcome_of

PROJECT = """\
project: {name}
question:
  asks: What is {target}?
  decides: Nobody yet; this measures what default settings reach.
  why_now: Before anybody relies on it.
  risks: A number that does not hold.
  stop_if: [rows < 50]
  kpis:
    {kpis}
  {question}
understand:
  sources:
    rows: {{kind: csv, path: rows.csv}}
  target: "{target}"
  {understand}
"""


@dataclass(frozen=True)
class Task:
    """One table: its project file, and what is to be reached on rows that were kept back.

    ``bars`` maps KPI id to its bar. ``codes`` are findings that must be told. ``repeats`` times
    another part of a small table is kept back, and the mean is held against the bar.
    """

    name: str
    load: Callable[[], pd.DataFrame]
    target: str
    kpis: tuple[str, ...]
    bars: dict[str, float]
    question: str = "positive: 1"
    understand: str = "task: auto"
    codes: tuple[str, ...] = ()
    latest: bool = False
    repeats: int = 1


def _kpi(name: str, metric: str, side: str, bar: float) -> str:
    return f"- {{id: {name}, metric: {metric}, {side}: {bar}}}"


CARDS = _shared("credit/credit-card-clients.csv.gz")
GERMAN = _shared("credit/german_data_credit.csv")
MARKETING = _shared("marketing/bank-full.csv.gz")
ELEC2 = _numbered(_shared("drift/elec2/elec.csv.gz"), "at")
TASKS = (
    Task("card_clients", CARDS, "default payment",
         (_kpi("auc", "roc_auc", "at_least", 0.775), _kpi("ece", "ece", "at_most", 0.02)),
         {"auc": 0.775, "ece": 0.02}),
    Task("german", GERMAN, "class-label", (_kpi("cost", "cost_per_case", "at_most", 0.56),),
         {"cost": 0.56}, repeats=5,
         question="positive: 0\n  costs: {false_negative: 5, false_positive: 1}"),
    Task("marketing", MARKETING, "y", (_kpi("auc", "roc_auc", "at_least", 0.79),), {"auc": 0.79},
         question="positive: yes", codes=("U007",),
         understand="known_at_prediction: {exclude: [duration]}"),
    Task("marketing_leak", MARKETING, "y", (_kpi("auc", "roc_auc", "at_least", 0.79),), {},
         question="positive: yes", codes=("A021",)),
    Task("elec2", ELEC2, "class", (_kpi("accuracy", "accuracy", "at_least", 0.853),), {},
         understand="time: at", codes=("A004", "C001"), latest=True),
)  # fmt: skip


def lines(task: Task) -> Iterator[tuple[str, bool]]:
    """Yield one line per bar and finding, and whether it was met."""
    rows = task.load()
    started = time.perf_counter()
    runs = [measured(task, rows, kept_back(task, rows, seed)) for seed in range(task.repeats)]
    seconds = (time.perf_counter() - started) / len(runs)
    algorithms = "/".join(dict.fromkeys(run["algorithm"] for run in runs))
    for name, bar in task.bars.items():
        values = [run["kept"][name] for run in runs]
        mean = float(np.mean(values))
        lower = any(f"id: {name}" in kpi and "at_most" in kpi for kpi in task.kpis)
        met = mean <= bar if lower else mean >= bar
        word = f"{'<=' if lower else '>='} {bar:g}"
        yield _row(task, name, _shown(values), word, met, algorithms, seconds), met
    for code in task.codes:
        met = all(code in run["codes"] for run in runs)
        yield _row(task, f"finding {code}", "told" if met else "missing", "told", met,
                   algorithms, seconds), met  # fmt: skip


def _shown(values: list[float]) -> str:
    """Return the mean, and its standard error over the parts that were kept back in turn."""
    mean = f"{np.mean(values):.4g}"
    if len(values) < 2:
        return mean
    return f"{mean} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.2g}"


def _row(
    task: Task, what: str, got: str, bar: str, met: bool, algorithms: str, seconds: float
) -> str:
    answer = "yes" if met else "NO"
    return f"| {task.name} | {what} | {got} | {bar} | {answer} | {algorithms} | {seconds:.0f} |"


def kept_back(task: Task, rows: pd.DataFrame, seed: int) -> np.ndarray:
    """Return True for the rows that the project never sees: the latest fifth, or a random one."""
    if task.latest:
        return np.arange(len(rows)) >= int(0.8 * len(rows))
    return np.random.default_rng(20261121 + seed).random(len(rows)) < 0.2


def measured(task: Task, rows: pd.DataFrame, held: np.ndarray) -> dict[str, Any]:
    """Run the project on the rows that are not held back; score what would ship on the others."""
    import qua3ck
    from qua3ck.question import score

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        os.environ["QUA3CK_KEYS"] = str(Path(scratch) / "keys")
        text = PROJECT.format(
            name=task.name,
            target=task.target,
            kpis="\n    ".join(task.kpis),
            question=task.question,
            understand=task.understand,
        )
        if len(text.splitlines()) > 30:
            raise AssertionError("a project file of thirty lines must do")
        (folder / "qua3ck.yaml").write_text(text, encoding="utf-8")
        rows[~held].to_csv(folder / "rows.csv", index=False)
        project = qua3ck.open(folder)
        conclusion = project.run()
        snapshot, candidate = project.understand(), project.loop()
        outcome = outcome_of(project, rows[held].reset_index(drop=True))
        kept = {kpi.id: score(kpi.metric, outcome) for kpi in project.file.question.kpis}
    told = (*snapshot.findings, *candidate.findings, *conclusion.findings)
    return {"kept": kept, "algorithm": candidate.algorithm, "codes": {one.code for one in told}}


def main() -> int:
    """Run the tasks named, or all; 1 if a bar was missed."""
    if not SHARED.is_dir():
        print(f"skipped: there is no {SHARED}; set QUA3CK_SHARED_DATA")
        return 0
    wanted = set(sys.argv[1:])
    print("| table | what | reached | bar | met | model | s |\n|---|---|---|---|---|---|---|")
    missed = 0
    for task in TASKS:
        if wanted and task.name not in wanted:
            continue
        for line, met in lines(task):
            print(line, flush=True)
            missed += not met
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""A project small enough for a test, without the understand phase: also run by child processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from qua3ck.a3.folds import make_folds
from qua3ck.a3.records import Candidate
from qua3ck.a3.section import A3, Budget
from qua3ck.a3.validation import Bench, make_bench
from qua3ck.govern import Workspace, open_workspace
from qua3ck.question.records import Kpi, Question
from qua3ck.store.tracking import Tracking
from qua3ck.understand.records import Column, Pinned, Snapshot, Split


@dataclass
class Small:
    """What run_loop is given, and a way to run it."""

    a3: A3
    question: Question
    snapshot: Snapshot
    workspace: Workspace

    @property
    def root(self) -> Path:
        return self.workspace.root

    def tracking(self) -> Tracking:
        return Tracking(f"sqlite:///{self.root / 'mlflow.db'}", self.root, "small")

    def run(self) -> Candidate:
        from qua3ck.a3 import run_loop

        return run_loop(
            self.a3, self.question, self.snapshot, self.workspace, tracking=self.tracking()
        )


def credit(rows: int = 300, *, seed: int = 0) -> pd.DataFrame:
    """Return a table of loans: numbers, a category, nulls, and a target they explain in part."""
    rng = np.random.default_rng(seed)
    income = rng.normal(3000, 800, rows)
    debt = rng.normal(1000, 400, rows)
    home = rng.choice(["own", "rent", "other"], rows, p=[0.5, 0.4, 0.1])
    risk = -1.2 + (debt - 1000) / 350 - (income - 3000) / 700 + (home == "rent") * 0.8
    late = rng.random(rows) < 1 / (1 + np.exp(-risk))
    frame = pd.DataFrame(
        {
            "income": income.round(2),
            "debt": debt.round(2),
            "home": home,
            "late": np.where(late, "yes", "no"),
        }
    )
    frame.loc[frame.index % 17 == 3, "income"] = np.nan
    return frame


def shot(
    rows: pd.DataFrame,
    *,
    order: str = "independent",
    task: str = "binary",
    time: str = "",
    cluster: str = "",
) -> Snapshot:
    """Return a snapshot of a table with the target "late", for what only looks at rows."""
    roles = {"late": "target", time: "time", cluster: "group"}
    columns = tuple(Column(n, "number", "int", roles.get(n, "feature")) for n in rows.columns)
    return Snapshot(
        id="s",
        project="p",
        sources=(),
        gold=Pinned("gold/training", 0, len(rows), ""),
        target="late",
        task=task,
        order=order,
        classes=("no", "yes"),
        positive="yes",
        time=time,
        cluster=cluster,
        columns=columns,
        split=Split("stratified", "content", 0.2, len(rows), 1),
        seal="",
        code_digest="",
        profile="",
        profile_digest="",
        findings=(),
    )  # fmt: skip


def bench_of(
    rows: pd.DataFrame,
    *,
    asked: Question | None = None,
    order: str = "independent",
    task: str = "binary",
    time: str = "",
) -> Bench:
    """Return a bench of three folds for a table with the target "late"."""
    frame = shot(rows, order=order, task=task, time=time)
    columns = tuple(_column(rows, one.name, "late", time, "") for one in frame.columns)
    frame = replace(frame, columns=columns)
    if task == "regression":
        frame = replace(frame, classes=(), positive="")
    folds = make_folds(frame, rows, count=3, seed=42)
    return make_bench(asked or question(), frame, rows, folds, seed=42, adapt=None)


def question(*kpis: dict[str, Any], **given: Any) -> Question:
    """Return a question; the KPIs as in a project file."""
    listed = kpis or ({"id": "auc", "metric": "roc_auc", "at_least": 0.6},)
    return Question(
        asks="Who pays late?",
        decides="A person.",
        why_now="It takes nine days.",
        risks="A wrong refusal.",
        **{"stop_if": ("rows < 20",), **given},
        kpis=tuple(Kpi(**kpi) for kpi in listed),
    )


def make_project(
    root: Path,
    rows: pd.DataFrame,
    *,
    target: str = "late",
    task: str = "binary",
    order: str = "independent",
    time: str = "",
    cluster: str = "",
    asked: Question | None = None,
    candidates: tuple[str, ...] = ("logistic_regression", "decision_tree"),
    trials: int = 4,
    **section: Any,
) -> Small:
    """Write gold rows and return everything that run_loop needs; the same again for a folder."""
    workspace = open_workspace(root, "small", actor="analyst")
    version, found = workspace.warehouse.write(
        "gold/training", pa.Table.from_pandas(rows, preserve_index=False)
    )
    classes: tuple[str, ...] = ()
    if task != "regression":
        classes = tuple(sorted(rows[target].astype(str).unique()))
    snapshot = Snapshot(
        id="snapshot-of-a-test",
        project="small",
        sources=(),
        gold=Pinned("gold/training", version, len(rows), found),
        target=target,
        task=task,
        order=order,
        classes=classes,
        positive=classes[-1] if task == "binary" else "",
        time=time,
        cluster=cluster,
        columns=tuple(_column(rows, name, target, time, cluster) for name in rows.columns),
        split=Split("stratified", "content", 0.2, len(rows), len(rows) // 4),
        seal="seal-of-a-test",
        code_digest="code-of-a-test",
        profile="",
        profile_digest="",
        findings=(),
    )
    a3 = A3(candidates=candidates, budget=Budget(trials=trials), **{"folds": 3, **section})
    return Small(a3, asked or question(), snapshot, workspace)


def _column(rows: pd.DataFrame, name: str, target: str, time: str, cluster: str) -> Column:
    series = rows[name]
    number = pd.api.types.is_numeric_dtype(series)
    roles = {target: "target", time: "time", cluster: "group"}
    return Column(
        name=name,
        kind="number" if number else "category",
        type=str(series.dtype),
        role=roles.get(name, "feature"),
        indicator=bool(series.isna().any()) and name not in roles,
        distinct=int(series.nunique()),
        values=() if number else tuple(sorted(series.dropna().astype(str).unique())[:1000]),
    )

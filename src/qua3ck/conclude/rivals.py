"""The candidate against baseline, rule and champion, paired on the same sealed rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qua3ck.conclude.records import Comparison
from qua3ck.kit.errors import NotEnoughEvidence

if TYPE_CHECKING:
    from qua3ck.conclude.outcomes import Judged
    from qua3ck.question.outcome import Outcome
    from qua3ck.question.records import Question
    from qua3ck.understand.records import Snapshot

# A predictor that always says the same gets these perfect for free, so they cannot tell
# whether anything was learned; the metric beside each can.
_FREE = {
    "recall": "balanced_accuracy",
    "precision": "balanced_accuracy",
    "specificity": "balanced_accuracy",
    "false_positive_rate": "balanced_accuracy",
    "ece": "brier",
}
_USUAL = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}


def compared_metrics(question: Question, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the metrics to compare by; the first one decides whether the candidate is better.

    It is that of the first KPI about predictions; where a constant answer would have it
    perfect for nothing (recall, ECE ...) the nearest metric that cannot be had so.
    """
    from qua3ck.question.metrics import METRICS

    asked = [
        kpi.metric
        for kpi in question.kpis
        if METRICS[kpi.metric].needs in ("labels", "scores", "values")
        and METRICS[kpi.metric].family != "gap"
    ]
    first = _FREE.get(asked[0], asked[0]) if asked else _USUAL[snapshot.task]
    return tuple(dict.fromkeys([first, *asked]))


def compare_all(
    metrics: Sequence[str],
    candidate: Outcome,
    rivals: Sequence[Judged],
    *,
    confidence: float,
    seed: int,
) -> tuple[Comparison, ...]:
    """Return one comparison per rival and metric that both can be scored by.

    The first of each rival is by ``metrics[0]``, also where it cannot be made: it is then
    undecided, because what cannot be shown is not shown.
    """
    made = []
    for rival in rivals:
        for place, metric in enumerate(metrics):
            if place and not _has(metric, rival.outcome):
                continue
            made.append(_compare(metric, candidate, rival, confidence=confidence, seed=seed))
    return tuple(made)


def leading(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Return the deciding comparison with each rival."""
    first: dict[str, Comparison] = {}
    for comparison in comparisons:
        first.setdefault(comparison.against, comparison)
    return tuple(first.values())


def _has(metric: str, outcome: Outcome) -> bool:
    from qua3ck.question.metrics import METRICS

    given = {"labels": outcome.labels, "scores": outcome.scores, "values": outcome.values}
    return given[METRICS[metric].needs] is not None


def _compare(
    metric: str, candidate: Outcome, rival: Judged, *, confidence: float, seed: int
) -> Comparison:
    from qua3ck.question import compare

    try:
        found = compare(metric, candidate, rival.outcome, confidence=confidence, seed=seed)
    except NotEnoughEvidence as problem:
        nothing = (None, None, None, None, None, None)
        return Comparison(rival.name, metric, *nothing, problem.what, "undecided")
    return Comparison(
        against=rival.name,
        metric=metric,
        candidate=found.a,
        other=found.b,
        difference=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        method=found.reason or found.method,
        verdict=found.verdict,
    )

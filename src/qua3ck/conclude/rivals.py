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

_USUAL = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}


def compared_metrics(question: Question, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the metrics to compare by; the first one decides whether the candidate is better.

    It is that of the first KPI about predictions; where a constant answer would have it
    perfect for nothing (recall, ECE ...) what the decisions cost, where that is declared, else
    the nearest metric that cannot be had so. Declared costs are compared in any case.
    """
    from qua3ck.a3.baseline import telling_metric
    from qua3ck.question.metrics import METRICS

    asked = [
        kpi.metric
        for kpi in question.kpis
        if METRICS[kpi.metric].needs in ("labels", "scores", "values")
        and METRICS[kpi.metric].family != "gap"
    ]
    first = telling_metric(asked[0], question.costs) if asked else _USUAL[snapshot.task]
    costs = ["cost_per_case"] if question.costs is not None and snapshot.task == "binary" else []
    return tuple(dict.fromkeys([first, *asked, *costs]))


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

    Notes
    -----
    Rivals of one name stand for each other: for each metric the one that does best on these
    rows is taken, so that no naive prediction is chosen for being weak at it. A naive one is
    not compared by what a constant answer has for nothing.
    """
    made = []
    for name in dict.fromkeys(rival.name for rival in rivals):
        same = [rival for rival in rivals if rival.name == name]
        for place, metric in enumerate(metrics):
            if place and (not _has(metric, same[0].outcome) or _for_nothing(name, metric)):
                continue
            rival = _strongest(metric, same)
            made.append(_compare(metric, candidate, rival, confidence=confidence, seed=seed))
    return tuple(made)


def leading(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Return the deciding comparison with each rival."""
    first: dict[str, Comparison] = {}
    for comparison in comparisons:
        first.setdefault(comparison.against, comparison)
    return tuple(first.values())


def _for_nothing(name: str, metric: str) -> bool:
    from qua3ck.a3.baseline import FREE

    return name == "baseline" and metric in FREE


def _strongest(metric: str, rivals: Sequence[Judged]) -> Judged:
    """Return the rival with the best value; of equals, or where there is none, the first."""
    from qua3ck.question import METRICS, score

    sign = 1.0 if METRICS[metric].higher_is_better else -1.0

    def worth(rival: Judged) -> float:
        try:
            return sign * score(metric, rival.outcome)
        except NotEnoughEvidence:
            return float("-inf")  # such as an AUC where one class is missing

    return max(rivals, key=worth)


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
        return Comparison(rival.name, metric, *nothing, problem.what, "undecided", rival.says)
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
        says=rival.says,
    )

"""From which probability on a row is called positive: by the costs, or by the KPIs.

Costs decide where the question states them. Else the KPIs that depend on the decision do;
0.5 where none does. A threshold is chosen on rows that the model was not fitted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qua3ck.question.records import Costs, Kpi, Question

    Floats = NDArray[np.float64]

HALF = 0.5
_GRID = 199
_TRADED = ("recall", "precision", "specificity", "false_positive_rate")
_PEAKED = ("f1", "macro_f1", "balanced_accuracy")


@dataclass(frozen=True)
class _Counts:
    """Right and wrong decisions at each of several thresholds, shape (n_thresholds,)."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats


def choose_threshold(question: Question, positive: NDArray[np.bool_], chance: Floats) -> float:
    """Return the decision threshold for a binary task.

    Parameters
    ----------
    question : Question
        Its costs, else its KPIs, decide.
    positive : array of bool, shape (n_rows,)
        Whether each row is of the positive class.
    chance : array of float, shape (n_rows,)
        Its probability, from a model that was not fitted on the row.

    Returns
    -------
    float
        In (0, 1); 0.5 where nothing asks for another one.

    Notes
    -----
    With costs the start is the Bayes threshold fp / (fp + fn) (Elkan 2001, "The foundations
    of cost-sensitive learning", IJCAI), which is right if the probabilities are. It is left
    only if another threshold costs less on these rows by more than one standard error of the
    paired difference: the minimum over many thresholds is always a little too good.
    """
    if question.costs is not None:
        return _by_costs(question.costs, positive, chance)
    asked = [kpi for kpi in question.kpis if not kpi.slice]
    traded = [kpi for kpi in asked if kpi.metric in _TRADED]
    peaked = [kpi for kpi in asked if kpi.metric in _PEAKED]
    shares = [kpi for kpi in asked if kpi.metric == "accuracy"]
    if not traded and not peaked:
        return HALF
    grid = _grid(chance)
    counts = _count(positive, chance, grid)
    if peaked and asked[0] in peaked and not traded and not shares:
        return _nearest_half(grid, _value(peaked[0].metric, counts))
    margins = [_margin(kpi, counts) for kpi in (*traded, *peaked, *shares)]
    if len(margins) == 1:
        return _one_sided(grid, counts, margins[0])
    return _all_met(grid, counts, margins, peaked[0] if peaked else None)


def _by_costs(costs: Costs, positive: NDArray[np.bool_], chance: Floats) -> float:
    import numpy as np

    total = costs.false_positive + costs.false_negative
    bayes = min(max(costs.false_positive / total if total else HALF, 1e-3), 1 - 1e-3)
    grid = _grid(chance)
    counts = _count(positive, chance, grid)
    cost = counts.fn * costs.false_negative + counts.fp * costs.false_positive
    best = _nearest(grid, cost <= cost.min(), bayes)
    saved = _costs_of(costs, positive, chance >= bayes) - _costs_of(costs, positive, chance >= best)
    error = float(np.std(saved) / np.sqrt(max(len(saved), 1)))
    return best if float(np.mean(saved)) > error else float(bayes)


def _costs_of(costs: Costs, positive: NDArray[np.bool_], called: NDArray[np.bool_]) -> Floats:
    missed = (positive & ~called) * costs.false_negative
    alarmed = (~positive & called) * costs.false_positive
    added: Floats = missed + alarmed
    return added


def _grid(chance: Floats) -> Floats:
    """Return thresholds between the quantiles of what was predicted, and 0.5."""
    import numpy as np

    cuts = np.quantile(chance, np.arange(1, _GRID + 1) / (_GRID + 1))
    middle = (cuts[1:] + cuts[:-1]) / 2
    inside = np.concatenate([middle, [HALF]])
    grid: Floats = np.unique(np.round(inside[(inside > 0) & (inside < 1)], 6))
    return grid[(grid > 0) & (grid < 1)]


def _count(positive: NDArray[np.bool_], chance: Floats, grid: Floats) -> _Counts:
    import numpy as np

    rounded = np.round(chance, 6)
    yes, no = np.sort(rounded[positive]), np.sort(rounded[~positive])
    fn = np.searchsorted(yes, grid, side="left").astype(np.float64)
    tn = np.searchsorted(no, grid, side="left").astype(np.float64)
    return _Counts(tp=len(yes) - fn, fp=len(no) - tn, fn=fn, tn=tn)


def _value(metric: str, c: _Counts) -> Floats:
    def share(top: Floats, bottom: Floats) -> Floats:
        import numpy as np

        return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

    recall, specificity = share(c.tp, c.tp + c.fn), share(c.tn, c.tn + c.fp)
    match metric:
        case "recall":
            return recall
        case "specificity":
            return specificity
        case "false_positive_rate":
            return 1 - specificity
        case "precision":
            return share(c.tp, c.tp + c.fp)
        case "f1":
            return share(2 * c.tp, 2 * c.tp + c.fp + c.fn)
        case "macro_f1":
            other = share(2 * c.tn, 2 * c.tn + c.fp + c.fn)
            both: Floats = (share(2 * c.tp, 2 * c.tp + c.fp + c.fn) + other) / 2
            return both
        case "balanced_accuracy":
            mean: Floats = (recall + specificity) / 2
            return mean
        case _:
            return share(c.tp + c.tn, c.tp + c.fp + c.fn + c.tn)


def _margin(kpi: Kpi, counts: _Counts) -> Floats:
    """Return by how many standard errors each threshold meets a KPI; below 0 it does not."""
    import numpy as np

    rows = {
        "recall": counts.tp + counts.fn,
        "precision": counts.tp + counts.fp,
        "specificity": counts.tn + counts.fp,
        "false_positive_rate": counts.tn + counts.fp,
    }.get(kpi.metric, counts.tp + counts.fp + counts.fn + counts.tn)
    share = min(max(kpi.threshold, 0.01), 0.99)
    error = np.sqrt(share * (1 - share) / np.maximum(rows, 1.0))
    better = 1.0 if kpi.direction == "at_least" else -1.0
    margin: Floats = better * (_value(kpi.metric, counts) - kpi.threshold) / error
    return margin


def _one_sided(grid: Floats, counts: _Counts, margin: Floats) -> float:
    """One KPI that any extreme threshold would meet: keep it by two errors, then balance."""
    met = margin >= min(2.0, float(margin.max()))
    balanced = _value("balanced_accuracy", counts)
    return _nearest(grid, met & (balanced >= balanced[met].max()), HALF)


def _all_met(grid: Floats, counts: _Counts, margins: list[Floats], peaked: Kpi | None) -> float:
    """Several KPIs pull in different ways: the threshold at which the worst is met best."""
    import numpy as np

    worst = np.min(margins, axis=0)
    if peaked is not None and (worst >= 1.0).any():
        value = np.where(worst >= 1.0, _value(peaked.metric, counts), -1.0)
        return _nearest_half(grid, value)
    at_half = worst[int(np.argmin(np.abs(grid - HALF)))]
    if at_half >= 2.0:
        return HALF
    return _nearest(grid, worst >= worst.max(), HALF)


def _nearest_half(grid: Floats, value: Floats) -> float:
    return _nearest(grid, value >= value.max(), HALF)


def _nearest(grid: Floats, allowed: NDArray[np.bool_], wanted: float) -> float:
    import numpy as np

    near = np.where(allowed, np.abs(grid - wanted), np.inf)
    return float(grid[int(np.argmin(near))])

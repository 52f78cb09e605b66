"""The value of a metric on an outcome, and how that value moves when rows count more or less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.question.bootstrap import Figure
from qua3ck.question.gaps import gap_value
from qua3ck.question.metrics import Metric, metric
from qua3ck.question.ranking import (
    auc,
    auc_influence,
    average_precision,
    average_precision_influence,
    told_apart,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qua3ck.question.outcome import Outcome

    Floats = NDArray[np.float64]

BINS = 10
SMALLEST = float(np.finfo(np.float64).eps)
_NUDGE = 1e-6
_CANCELLED = 1e-7
_WORTH_MERGING = 4


@dataclass(frozen=True)
class Sums:
    """A metric that is a function of sums over rows.

    Attributes
    ----------
    table : array of float, shape (n_kinds, n_sums)
        What a row of each kind adds to the sums.
    codes : array of int, shape (n_rows,), or None
        The kind of each row; None if every row is its own kind.
    formula : callable
        From sums of shape (..., n_sums) to the metric's value of shape (...).
    """

    table: Floats
    codes: NDArray[np.intp] | None
    formula: Callable[[Floats], Floats]

    @property
    def value(self) -> float:
        """The metric with every row counted once."""
        return float(self.formula(self._total()))

    def influence(self) -> Floats:
        """Return each row's influence on the value, shape (n_rows,)."""
        own = self._influence_of_kinds()
        return own if self.codes is None else own[self.codes]

    def figure(self) -> Figure:
        """Return the metric as a figure of independent rows."""
        table, formula = self.table, self.formula
        return Figure(
            self.value,
            self.counts(),
            self._influence_of_kinds(),
            lambda weights: formula(weights @ table),
        )

    def counts(self) -> Floats:
        """Return how many rows there are of each kind, shape (n_kinds,)."""
        if self.codes is None:
            return np.ones(len(self.table))
        return np.bincount(self.codes, minlength=len(self.table)).astype(float)

    def _total(self) -> Floats:
        return self.counts() @ self.table

    def _influence_of_kinds(self) -> Floats:
        """Return the influence of one row of each kind, shape (n_kinds,), by differences."""
        total = self._total()
        step = _NUDGE * np.maximum(np.abs(total), 1.0)
        nudges = np.diag(step)
        slope = (self.formula(total + nudges) - self.formula(total - nudges)) / (2 * step)
        own: Floats = self.table @ slope
        own[np.abs(own) < _CANCELLED * (np.abs(self.table) @ np.abs(slope))] = 0.0
        return own


def score(name: Metric | str, outcome: Outcome, *, by: str | None = None) -> float:
    """Return the value of a metric.

    Parameters
    ----------
    name : Metric or str
        The metric, or its name.
    outcome : Outcome
        Truth and prediction.
    by : str, optional
        For a gap between groups: the column of ``outcome.slices`` that names the group.

    Returns
    -------
    float
        In the metric's unit; never NaN.

    Raises
    ------
    NotEnoughEvidence
        If it is not defined here: nothing was predicted that it needs, no row it is about,
        one class only. The reason is in ``what``.
    """
    asked = metric(name, where="score") if isinstance(name, str) else name
    require(asked, outcome)
    match asked.family:
        case "constraint":
            value = _constraint(asked, outcome)
        case "latency":
            percent = int(asked.name.removeprefix("latency_p").removesuffix("_ms"))
            value = float(np.quantile(_latencies(outcome), percent / 100, method="inverted_cdf"))
        case "gap":
            value = gap_value(asked, outcome, by=by)
        case "ranking":
            value = ranking_value(asked, outcome)
        case "share":
            value = share_value(asked, outcome)
        case _:
            value = sums(asked, outcome).value
    if not np.isfinite(value):
        raise _undefined(asked, outcome, "it divides by nothing on these rows")
    return value


def require(asked: Metric, outcome: Outcome) -> None:
    """Refuse an outcome that lacks what the metric is computed from.

    Raises
    ------
    NotEnoughEvidence
        With the reason.
    """
    if asked.needs in {"timing", "artefact"}:
        return
    if outcome.rows == 0:
        raise _undefined(asked, outcome, "there are 0 rows")
    given = {"labels": outcome.labels, "scores": outcome.scores, "values": outcome.values}
    predicted = given[asked.needs]
    if predicted is None:
        raise _undefined(asked, outcome, f"the predictor gives no {asked.needs}")
    if asked.needs != "labels" and not np.isfinite(predicted).all():
        raise _undefined(asked, outcome, f"some {asked.needs} are not finite numbers")
    if asked.needs == "values" and not np.isfinite(np.asarray(outcome.truth, dtype=float)).all():
        raise _undefined(asked, outcome, "some true values are not finite numbers")
    if asked.needs != "values" and not outcome.classes:
        raise _undefined(asked, outcome, "the outcome names no classes")
    if "multiclass" not in asked.tasks and asked.needs != "values" and len(outcome.classes) != 2:
        raise _undefined(asked, outcome, f"it needs two classes, here are {len(outcome.classes)}")


def share_parts(
    asked: Metric, outcome: Outcome
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Return a share's hits over all rows, and the rows it is about (None: all of them)."""
    if asked.name == "accuracy":
        return outcome.is_right, None
    true, called = outcome.is_positive, outcome.called_positive
    match asked.name:
        case "recall":
            return true & called, true
        case "precision":
            return true & called, called
        case "specificity":
            return ~true & ~called, ~true
        case _:
            return ~true & called, ~true


def share_value(asked: Metric, outcome: Outcome) -> float:
    """Return a share; it must be about at least one row."""
    hits, about = share_parts(asked, outcome)
    rows = outcome.rows if about is None else int(np.count_nonzero(about))
    if not rows:
        raise _undefined(asked, outcome, "no row is of the kind it is about")
    return int(np.count_nonzero(hits)) / rows


def ranking_value(asked: Metric, outcome: Outcome) -> float:
    """Return AUC or average precision; every class needs a row and every row a known class."""
    columns = _ranked_columns(asked, outcome)
    if asked.name == "average_precision":
        (positive, scores), *_ = columns
        return float(average_precision(positive, scores, np.ones((1, len(scores))))[0])
    return float(np.mean([auc(positive, scores) for positive, scores in columns]))


def ranking_influence(asked: Metric, outcome: Outcome) -> Floats:
    """Return each row's influence on AUC or average precision, shape (n_rows,)."""
    columns = _ranked_columns(asked, outcome)
    one = average_precision_influence if asked.name == "average_precision" else auc_influence
    influence: Floats = np.mean([one(positive, scores) for positive, scores in columns], axis=0)
    return influence


def ranked(asked: Metric, outcome: Outcome) -> list[tuple[NDArray[np.bool_], Floats]]:
    """Return truth and score of each class against the rest (binary: the positive one only)."""
    return _ranked_columns(asked, outcome)


def influence_of(asked: Metric, outcome: Outcome) -> Floats:
    """Return each row's influence on a metric's value, shape (n_rows,); they add up to zero.

    For a share, a count, a mean, a ranking or the calibration error; a gap has one per
    pair of groups (see ``gaps``).
    """
    if asked.family == "ranking":
        return ranking_influence(asked, outcome)
    if asked.family == "share":
        hits, about = share_parts(asked, outcome)
        of = np.ones(outcome.rows) if about is None else about.astype(float)
        share = share_value(asked, outcome)
        influence: Floats = (hits - share * of) / of.sum()
        return influence
    return sums(asked, outcome).influence()


def figure(asked: Metric, outcome: Outcome) -> Figure:
    """Return a metric as a figure of independent rows: sums, shares and average precision."""
    if asked.name != "average_precision":
        return sums(asked, outcome).figure()
    (positive, scores), *_ = _ranked_columns(asked, outcome)
    influence = average_precision_influence(positive, scores)
    first, rows = told_apart(positive, scores)
    if len(first) > len(scores) / _WORTH_MERGING:
        first, rows = np.arange(len(scores)), np.ones(len(scores), dtype=np.intp)
    positive, scores = positive[first], scores[first]
    weigh = partial(average_precision, positive, scores)
    return Figure(ranking_value(asked, outcome), rows.astype(float), influence[first], weigh)


def sums(asked: Metric, outcome: Outcome) -> Sums:
    """Return a metric as a function of sums over rows."""
    if asked.family == "share":
        hits, about = share_parts(asked, outcome)
        kinds = hits.astype(np.intp) + (True if about is None else about)
        return Sums(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), kinds, _mean)
    if asked.family == "counts":
        return _counted(asked, outcome)
    if asked.name == "ece":
        return _calibration(outcome)
    match asked.name:
        case "brier":
            each = _squared_distance(outcome)
        case "log_loss":
            each = _surprise(asked, outcome)
        case "cost_per_case":
            return _costs(asked, outcome)
        case _:
            return _regression(asked, outcome)
    return Sums(np.column_stack([each, np.ones(len(each))]), None, _mean)


def _counted(asked: Metric, outcome: Outcome) -> Sums:
    """Return F1 or balanced accuracy over the cells of the confusion matrix."""
    k = len(outcome.classes)
    truth, label = outcome.truth_codes, outcome.label_codes
    if (truth < 0).any():
        raise _undefined(asked, outcome, "some rows are of a class that was not declared")
    called = np.where(label < 0, k, label)
    rows = np.repeat(np.arange(k), k + 1)
    columns = np.tile(np.arange(k + 1), k)
    own = np.eye(k)[rows]
    guess = np.eye(k + 1)[columns][:, :k]
    table = np.hstack([own * guess, own, guess])
    formula = _balanced if asked.name == "balanced_accuracy" else _macro_f1
    if asked.name == "f1":
        pick = outcome.positive_index + k * np.arange(3)
        table, formula = table[:, pick], _macro_f1
    return Sums(table, truth * (k + 1) + called, formula)


def _balanced(total: Floats) -> Floats:
    k = total.shape[-1] // 3
    right, true = total[..., :k], total[..., k : 2 * k]
    return _mean_over_classes(right, true, present=true > 0)


def _macro_f1(total: Floats) -> Floats:
    k = total.shape[-1] // 3
    right, true, called = total[..., :k], total[..., k : 2 * k], total[..., 2 * k :]
    return _mean_over_classes(2 * right, true + called, present=true + called > 0)


def _mean_over_classes(top: Floats, bottom: Floats, *, present: NDArray[np.bool_]) -> Floats:
    each = np.where(present, top, 0.0) / np.where(present, bottom, 1.0)
    number = present.sum(axis=-1)
    mean: Floats = np.where(number > 0, each.sum(axis=-1) / np.maximum(number, 1), np.nan)
    return mean


def _calibration(outcome: Outcome) -> Sums:
    """Return the calibration error: per bin, the sum of probability minus what happened."""
    scores = outcome.scores
    assert scores is not None  # noqa: S101 - require() has refused it
    if len(outcome.classes) == 2:
        said, happened = scores[:, outcome.positive_index], outcome.is_positive
    else:
        top = scores.argmax(axis=1)
        said, happened = scores[np.arange(len(top)), top], top == outcome.truth_codes
    bins = np.clip((said * BINS).astype(int), 0, BINS - 1)
    table = np.zeros((len(said), BINS + 1))
    table[np.arange(len(said)), bins] = said - happened
    table[:, BINS] = 1.0
    return Sums(table, None, _distance)


def _distance(total: Floats) -> Floats:
    return _ratio(np.abs(total[..., :-1]).sum(axis=-1), total[..., -1])


def _mean(total: Floats) -> Floats:
    return _ratio(total[..., 0], total[..., 1])


def _root(total: Floats) -> Floats:
    return np.sqrt(np.maximum(_mean(total), 0.0))


def _explained(total: Floats) -> Floats:
    around = total[..., 2] - _ratio(total[..., 1] ** 2, total[..., 3])
    return 1.0 - _ratio(total[..., 0], np.where(around > 0, around, 0.0))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom != 0, top / bottom, np.nan)


def _squared_distance(outcome: Outcome) -> Floats:
    scores = outcome.scores
    assert scores is not None  # noqa: S101 - require() has refused it
    if len(outcome.classes) == 2:
        return (scores[:, outcome.positive_index] - outcome.is_positive) ** 2
    happened = outcome.truth_codes[:, None] == np.arange(len(outcome.classes))
    each: Floats = ((scores - happened) ** 2).sum(axis=1)
    return each


def _surprise(asked: Metric, outcome: Outcome) -> Floats:
    scores = outcome.scores
    assert scores is not None  # noqa: S101 - require() has refused it
    if (outcome.truth_codes < 0).any():
        raise _undefined(asked, outcome, "some rows are of a class that was not declared")
    given = scores[np.arange(outcome.rows), outcome.truth_codes]
    return -np.log(np.clip(given, SMALLEST, 1.0))


def _costs(asked: Metric, outcome: Outcome) -> Sums:
    if outcome.costs is None:
        raise _undefined(asked, outcome, "the question states no costs")
    missed = outcome.is_positive & ~outcome.called_positive
    alarm = ~outcome.is_positive & outcome.called_positive
    table = np.array([[0.0, 1.0], [outcome.costs.false_negative, 1.0], [0.0, 1.0]])
    table[2, 0] = outcome.costs.false_positive
    return Sums(table, missed.astype(np.intp) + 2 * alarm, _mean)


def _regression(asked: Metric, outcome: Outcome) -> Sums:
    truth = np.asarray(outcome.truth, dtype=float)
    error = np.asarray(outcome.values, dtype=float) - truth
    one = np.ones(len(truth))
    match asked.name:
        case "rmse":
            return Sums(np.column_stack([error**2, one]), None, _root)
        case "mae":
            return Sums(np.column_stack([np.abs(error), one]), None, _mean)
        case "mape":
            if (truth == 0).any():
                raise _undefined(asked, outcome, "some true values are zero")
            return Sums(np.column_stack([np.abs(error / truth), one]), None, _mean)
        case _:
            if np.ptp(truth) == 0:
                raise _undefined(asked, outcome, "all true values are the same")
            around = truth - truth.mean()
            return Sums(np.column_stack([error**2, around, around**2, one]), None, _explained)


def _ranked_columns(asked: Metric, outcome: Outcome) -> list[tuple[NDArray[np.bool_], Floats]]:
    scores: Any = outcome.scores
    if (outcome.truth_codes < 0).any():
        raise _undefined(asked, outcome, "some rows are of a class that was not declared")
    known = range(len(outcome.classes))
    which = [outcome.positive_index] if len(outcome.classes) == 2 else known
    columns = [(outcome.truth_codes == k, scores[:, k]) for k in which]
    if any(positive.all() or not positive.any() for positive, _ in columns):
        raise _undefined(asked, outcome, "some class has no row, or all of them")
    return columns


def _constraint(asked: Metric, outcome: Outcome) -> float:
    found = outcome.size_mb if asked.name == "model_size_mb" else outcome.explainable
    if found is None:
        raise _undefined(asked, outcome, "it was not measured")
    return float(found)


def _latencies(outcome: Outcome) -> Floats:
    times = outcome.latencies_ms
    if times is None or not len(times):
        raise NotEnoughEvidence(
            "No request was timed", where="latency", fix="measure it in C: qua3ck conclude"
        )
    return times


def _undefined(asked: Metric, outcome: Outcome, reason: str) -> NotEnoughEvidence:
    return NotEnoughEvidence(
        f"{asked.title} cannot be computed: {reason}",
        where=f"{asked.name} on {outcome.rows} rows",
        fix="gather rows of the missing kind, or choose a metric that these rows can answer",
        code="Q003",
    )

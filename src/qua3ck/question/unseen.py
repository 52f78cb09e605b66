"""Errors of a kind that no row shows yet, and how far they could move a figure.

A bootstrap draws only what was seen. Where all ten rows of a rare class are right, it
takes that class for flawless, and a mean over classes looks surer than it is: in
simulations the balanced accuracy with ten rows in a class then covers 0.57, not 0.95. Nor
has a model that is sure of everything and wrong in 1 of 200 rows been wrong on 60 rows yet:
the bound of its Brier score would be wrong in 3 of 4 cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qua3ck.question.scoring import SMALLEST, share_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qua3ck.question.metrics import Metric
    from qua3ck.question.outcome import Outcome
    from qua3ck.question.units import Units


class Reach(NamedTuple):
    """How far unseen errors could lower and raise a figure, in its unit."""

    down: float
    up: float

    def widen(self, value: float, low: float, high: float) -> tuple[float, float]:
        """Return bounds with this added as one more independent source of doubt."""
        return (
            value - float(np.hypot(max(value - low, 0.0), self.down)),
            value + float(np.hypot(max(high - value, 0.0), self.up)),
        )


def rarest_class(asked: Metric, outcome: Outcome) -> int:
    """Return the rows of the rarest class a figure is a mean over; all rows if it is not."""
    if asked.family != "counts":
        return outcome.rows
    rows = np.bincount(outcome.truth_codes, minlength=len(outcome.classes))
    return int(rows[outcome.positive_index] if asked.name == "f1" else rows.min())


def unseen(asked: Metric, outcome: Outcome, units: Units, *, confidence: float) -> Reach:
    """Return how far errors, or hits, of a kind that was not seen could move a figure.

    Parameters
    ----------
    asked : Metric
        A share, of the family ``counts``, ``cost_per_case``, ``brier`` or ``log_loss``; of
        the others nothing is known.
    outcome : Outcome
        Truth and predicted labels.
    units : Units
        Independent units: n of them that show no error allow a share of 1 - (1 - c)^(1/n).
    confidence : float, in (0.5, 1)
        Of that share.
    """
    if asked.name == "cost_per_case":
        return _unseen_costs(outcome, units, confidence)
    if asked.name in {"brier", "log_loss"}:
        return _unseen_surprise(asked, outcome, units, confidence)
    if asked.family == "share":
        return _unseen_share(asked, outcome, units, confidence)
    if asked.family != "counts":
        return Reach(0.0, 0.0)
    k = len(outcome.classes)
    which = [outcome.positive_index] if asked.name == "f1" else list(range(k))
    down, up = [], []
    for one in which:
        true, called = outcome.truth_codes == one, outcome.label_codes == one
        hidden = _share(true, units, confidence)
        if not (true & ~called).any():
            down.append(hidden)
        if not (true & called).any():
            up.append(hidden)
        if asked.name != "balanced_accuracy" and not (called & ~true).any():
            down.append(_share(called, units, confidence))
    return Reach(float(np.linalg.norm(down)) / len(which), float(np.linalg.norm(up)) / len(which))


def _unseen_share(asked: Metric, outcome: Outcome, units: Units, confidence: float) -> Reach:
    hits, about = share_parts(asked, outcome)
    of = np.ones(outcome.rows, dtype=bool) if about is None else about
    hidden = _share(of, units, confidence)
    return Reach(hidden if hits[of].all() else 0.0, 0.0 if hits[of].any() else hidden)


def _unseen_costs(outcome: Outcome, units: Units, confidence: float) -> Reach:
    true, called, costs = outcome.is_positive, outcome.called_positive, outcome.costs
    assert costs is not None  # noqa: S101 - the score has refused it
    hidden = _share(np.ones(outcome.rows, dtype=bool), units, confidence)
    up = [
        cost * hidden
        for cost, wrong in (
            (costs.false_negative, true & ~called),
            (costs.false_positive, ~true & called),
        )
        if not wrong.any()
    ]
    return Reach(0.0, float(np.linalg.norm(up)))


def _unseen_surprise(asked: Metric, outcome: Outcome, units: Units, confidence: float) -> Reach:
    """Return what rows that look like all others, but are of another class, would add.

    For each class that was never wrongly the most probable: the share of its rows that may
    be, times the score these rows would have had.
    """
    scores = outcome.scores
    assert scores is not None  # noqa: S101 - the score has refused it
    likeliest = scores.argmax(axis=1)
    up = []
    for one in np.unique(likeliest):
        looks = likeliest == one
        if (outcome.truth_codes[looks] == one).all():
            hidden = _share(looks, units, confidence) * looks.mean()
            up.append(hidden * _if_otherwise(asked, scores[looks]))
    return Reach(0.0, float(np.linalg.norm(up)))


def _if_otherwise(asked: Metric, scores: NDArray[np.float64]) -> float:
    """Return the mean score of rows, had each been of the class that it is least like."""
    worst = scores.min(axis=1)
    if asked.name == "log_loss":
        return float(-np.log(np.maximum(worst, SMALLEST)).mean())
    if scores.shape[1] == 2:
        return float(((1 - worst) ** 2).mean())
    return float(((scores**2).sum(axis=1) + 1 - 2 * worst).mean())


def _share(rows: NDArray[np.bool_], units: Units, confidence: float) -> float:
    """Return the largest share of errors that units without one still allow; 1 for no unit."""
    number = len(np.unique(units.codes[rows]))
    return 1 - (1 - confidence) ** (1 / number) if number else 1.0

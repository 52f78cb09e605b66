"""Errors of a kind that no row shows yet, and how far they could move a figure.

A bootstrap draws only what was seen. Where all ten rows of a rare class are right, it
takes that class for flawless, and a mean over classes looks surer than it is: in
simulations the balanced accuracy with ten rows in a class then covers 0.57, not 0.95.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

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
        Of the family ``counts``, or ``cost_per_case``; nothing is hidden in the others.
    outcome : Outcome
        Truth and predicted labels.
    units : Units
        Independent units: n of them that show no error allow a share of 1 - (1 - c)^(1/n).
    confidence : float, in (0.5, 1)
        Of that share.
    """
    if asked.name == "cost_per_case":
        return _unseen_costs(outcome, units, confidence)
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


def _share(rows: NDArray[np.bool_], units: Units, confidence: float) -> float:
    """Return the largest share of errors that units without one still allow; 1 for no unit."""
    number = len(np.unique(units.codes[rows]))
    return 1 - (1 - confidence) ** (1 / number) if number else 1.0

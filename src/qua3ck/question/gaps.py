"""The largest difference between groups of people, and bounds that survive the choosing.

A gap is largest minus smallest over the groups, so the two groups it is read from are
chosen by the data. An upper bound needs no correction: whichever pair is truly furthest
apart, its own bound covers it. A lower bound is shared out over all pairs (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.question.outcome import names_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qua3ck.question.metrics import Metric
    from qua3ck.question.outcome import Outcome


@dataclass(frozen=True)
class GroupShares:
    """One share in every group: ``hits[g]`` of ``rows[g]`` in group ``names[g]``."""

    names: tuple[str, ...]
    codes: NDArray[np.intp]
    hit: NDArray[np.bool_]
    about: NDArray[np.bool_]
    hits: NDArray[np.intp]
    rows: NDArray[np.intp]

    @property
    def gap(self) -> float:
        """Largest minus smallest share; NaN if a group has no row the share is about."""
        if (self.rows == 0).any():
            return float("nan")
        return float(np.ptp(self.hits / self.rows))

    def influence(self, group: int) -> NDArray[np.float64]:
        """Return each row's influence on the share of one group, shape (n_rows,)."""
        about = self.about & (self.codes == group)
        share = self.hits[group] / self.rows[group]
        influence: NDArray[np.float64] = about * (self.hit - share) / self.rows[group]
        return influence


def group_shares(asked: Metric, outcome: Outcome, *, by: str | None) -> tuple[GroupShares, ...]:
    """Return the shares whose gap the metric is: one, or two for the equalized odds.

    Raises
    ------
    NotEnoughEvidence
        If the column is not there or names fewer than two groups.
    """
    if by is None or by not in outcome.slices:
        raise _undefined(asked, f"the column that names the groups ({by}) is not there")
    groups, codes = np.unique(names_of(outcome.slices[by]), return_inverse=True)
    if len(groups) < 2:
        raise _undefined(asked, f"{by} names fewer than two groups")
    names = tuple(str(group) for group in groups)
    everyone = np.ones(outcome.rows, dtype=bool)
    right = outcome.is_right

    def one(hit: NDArray[np.bool_], about: NDArray[np.bool_]) -> GroupShares:
        hits = np.bincount(codes[hit & about], minlength=len(names))
        rows = np.bincount(codes[about], minlength=len(names))
        return GroupShares(names, codes, hit & about, about, hits, rows)

    if asked.name == "accuracy_difference":
        return (one(right, everyone),)
    if asked.name == "error_rate_difference":
        return (one(~right, everyone),)
    called, true = outcome.called_positive, outcome.is_positive
    match asked.name:
        case "demographic_parity_difference":
            return (one(called, everyone),)
        case "equal_opportunity_difference":
            return (one(called, true),)
        case "false_positive_rate_difference":
            return (one(called, ~true),)
        case _:
            return one(called, true), one(called, ~true)


def gap_value(asked: Metric, outcome: Outcome, *, by: str | None) -> float:
    """Return largest minus smallest share over the groups, as Fairlearn defines it."""
    value = max(shares.gap for shares in group_shares(asked, outcome, by=by))
    if not np.isfinite(value):
        raise _undefined(asked, "some group has no row of the kind it is about")
    return value


def _undefined(asked: Metric, reason: str) -> NotEnoughEvidence:
    return NotEnoughEvidence(
        f"{asked.title} cannot be computed: {reason}",
        where=asked.name,
        fix="name a column of the training table in by, or gather rows of every group",
        code="Q003",
    )

"""How well scores put positive rows above the others, and what each row adds to that.

A row's influence is the change of the figure per unit of weight given to that row; the
influences are what standard errors, for rows, clusters and blocks alike, are made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEAR = 1e-9


def auc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve; both kinds of row must be there. O(n log n)."""
    n_positive = int(positive.sum())
    n_other = len(positive) - n_positive
    ranks = rankdata(scores)
    above = float(ranks[positive].sum()) - n_positive * (n_positive + 1) / 2
    return above / (n_positive * n_other)


def auc_influence(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row's influence on the AUC, shape (n_rows,); they add up to zero.

    Notes
    -----
    The structural components of DeLong by midranks, O(n log n): X. Sun & W. Xu (2014),
    IEEE Signal Processing Letters 21, 1389-1393.
    """
    ranks = rankdata(scores)
    n_positive = int(positive.sum())
    n_other = len(positive) - n_positive
    share_below = (ranks[positive] - rankdata(scores[positive])) / n_other
    share_above = 1 - (ranks[~positive] - rankdata(scores[~positive])) / n_positive
    area = share_below.mean()
    influence = np.empty(len(scores))
    influence[positive] = (share_below - area) / n_positive
    influence[~positive] = (share_above - area) / n_other
    return influence


def auc_score_bounds(
    area: float, kinds: list[tuple[int, int]], *, reach: float
) -> tuple[float, float]:
    """Return the areas that are ``reach`` standard errors away, the error taken at them.

    Parameters
    ----------
    area : float
        The observed AUC, or the mean over classes.
    kinds : list of tuple of int
        Rows of each class and of all others; one entry for two classes.
    reach : float
        Quantile of the normal or of Student's t.

    Notes
    -----
    Near 1 the observed spread is that of a few misordered rows, or of none; the spread at
    the bound itself is not. Hanley & McNeil's variance, solved for the bound: R. G. Newcombe
    (2006), Statistics in Medicine 25, 559-573, method 5. For a mean over classes the errors
    are added as if they moved together.
    """

    def away(at: float) -> float:
        error = np.mean([np.sqrt(_hanley_mcneil(at, own, other)) for own, other in kinds])
        return abs(area - at) - reach * float(error)

    below, above = min(area, 1 - _NEAR), max(area, _NEAR)  # at 0 and 1 there is no error
    low = brentq(away, 0.0, below) if away(0.0) > 0 else 0.0
    high = brentq(away, above, 1.0) if away(1.0) > 0 else 1.0
    return float(low), float(high)


def _hanley_mcneil(area: float, own: int, other: int) -> float:
    both_own, both_other = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (own - 1) * (both_own - area**2)
    return max(0.0, spread + (other - 1) * (both_other - area**2)) / (own * other)


def average_precision(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the average precision for each set of row weights.

    Parameters
    ----------
    positive : array of bool, shape (n_rows,)
        True class is the positive one.
    scores : array of float, shape (n_rows,)
        Larger means more likely positive; equal scores are one threshold.
    weights : array of float, shape (n_sets, n_rows)
        How often each row counts.

    Returns
    -------
    array of float, shape (n_sets,)
        NaN where a set gives no weight to a positive row.
    """
    by_score = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[by_score]) != 0, True)
    in_order = np.array_equal(by_score, np.arange(len(scores)))
    sorted_weights = weights if in_order else weights[:, by_score]
    found = np.cumsum(sorted_weights * positive[by_score], axis=1)[:, ends]
    called = np.cumsum(sorted_weights, axis=1)[:, ends]
    new = np.diff(found, axis=1, prepend=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(called > 0, found / called, 0.0)
        total: NDArray[np.float64] = (new * precision).sum(axis=1) / found[:, -1]
    return total


def told_apart(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return one row of each kind that the average precision tells apart, and their numbers.

    Other rows between the same two positive scores are of one kind: where positive rows are
    rare, a million rows are a few hundred kinds. O(n log n).
    """
    steps = np.unique(scores[positive])
    place = np.searchsorted(steps, scores, "left") + np.searchsorted(steps, scores, "right")
    _, first, rows = np.unique(2 * place + positive, return_index=True, return_counts=True)
    return first, rows


def average_precision_influence(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each row's influence on the average precision, shape (n_rows,). O(n log n)."""
    by_score = np.argsort(-scores, kind="stable")
    truth = positive[by_score].astype(float)
    ordered = scores[by_score]
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    step = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    found = np.cumsum(truth)[ends]
    called = (ends + 1).astype(float)
    new = np.diff(found, prepend=0.0)
    precision = found / called
    area = float((new * precision).sum() / found[-1])
    from_here = np.cumsum((new / called)[::-1])[::-1]
    spoiled = np.cumsum((new * found / called**2)[::-1])[::-1]
    own = truth * (precision[step] - area + from_here[step]) - spoiled[step]
    influence = np.empty(len(scores))
    influence[by_score] = own / found[-1]
    return influence

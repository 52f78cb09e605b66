"""How sure a share is, given how few rows it rests on, and how many rows would decide it.

A KPI such as "accuracy >= 0.95" is judged on the interval, never on the bare share:
28 of 30 right is 0.93, but anything from 0.80 to 0.99 would fit as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betainc, betaincinv
from scipy.stats import norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from qua3ck.kit.verdicts import Direction

MOST_ROWS = 2_000_000
_STEP = 4096
_NEARLY, _ROUGHLY = 0.9, 50.0  # how near the normal approximation comes, where hits are many
_FAR = 0.6


class Pair(NamedTuple):
    """A lower and an upper bound, each at the same one-sided confidence."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def share_bounds(hits: ArrayLike, rows: ArrayLike, *, confidence: float) -> Pair:
    """Return the exact one-sided bounds of shares.

    Parameters
    ----------
    hits, rows : array_like of float, broadcastable
        ``hits`` of ``rows`` independent rows; whole numbers, except for an effective
        number of rows (see ``units``). At least one row.
    confidence : float, in (0.5, 1)
        Coverage of each bound by itself.

    Returns
    -------
    Pair
        Arrays in [0, 1] of the broadcast shape.

    Notes
    -----
    Clopper-Pearson and not Wilson: one-sided, Wilson's lower bound covers 0.90 near
    zero where this one never covers less than it says. Source: C. J. Clopper &
    E. S. Pearson (1934), Biometrika 26, 404-413.
    """
    k, n = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(rows, dtype=float))
    inside_low, inside_high = np.maximum(k, 1e-9), np.maximum(n - k, 1e-9)
    low = np.where(k > 0, betaincinv(inside_low, n - k + 1, 1 - confidence), 0.0)
    high = np.where(k < n, betaincinv(k + 1, inside_high, confidence), 1.0)
    return Pair(low, high)


def wilson_bounds(hits: ArrayLike, rows: ArrayLike, *, confidence: float) -> Pair:
    """Return Wilson's score bounds, of use only as a part of :func:`difference_bounds`."""
    k, n = np.asarray(hits, dtype=float), np.asarray(rows, dtype=float)
    z2 = norm.ppf(confidence) ** 2
    middle = (k + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (k * (n - k) / n + z2 / 4)) / (n + z2)
    return Pair(np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0))


def difference_bounds(
    hits_a: ArrayLike,
    rows_a: ArrayLike,
    hits_b: ArrayLike,
    rows_b: ArrayLike,
    *,
    confidence: float,
    parts: Callable[..., Pair] = share_bounds,
) -> Pair:
    """Return bounds of share a minus share b, two independent groups of rows.

    Parameters
    ----------
    hits_a, rows_a, hits_b, rows_b : array_like of float, broadcastable
        Hits of rows in each group; at least one row each.
    confidence : float, in (0.5, 1)
        Coverage of each bound by itself.
    parts : callable, default share_bounds
        What bounds each share; :func:`wilson_bounds` gives the textbook method.

    Returns
    -------
    Pair
        Arrays in [-1, 1].

    Notes
    -----
    Newcombe's hybrid (R. G. Newcombe 1998, Statistics in Medicine 17, 873-890, method 10)
    with exact parts. With Wilson's parts, and likewise by Miettinen & Nurminen, the
    one-sided bounds cover 0.80 to 0.90 where a share is near 0 or 1, at 1,000 rows too.
    Beyond a difference of 0.6 the hybrid is too short, and the two shares' own bounds at
    half the risk are used.
    """
    a = np.asarray(hits_a, dtype=float) / np.asarray(rows_a, dtype=float)
    b = np.asarray(hits_b, dtype=float) / np.asarray(rows_b, dtype=float)
    of_a = parts(hits_a, rows_a, confidence=confidence)
    of_b = parts(hits_b, rows_b, confidence=confidence)
    low = a - b - np.hypot(a - of_a.low, of_b.high - b)
    high = a - b + np.hypot(of_a.high - a, b - of_b.low)
    far = np.abs(a - b) > _FAR
    if parts is share_bounds and far.any():
        half = (1 + confidence) / 2
        of_a, of_b = (
            parts(hits_a, rows_a, confidence=half),
            parts(hits_b, rows_b, confidence=half),
        )
        low = np.where(far, of_a.low - of_b.high, low)
        high = np.where(far, of_a.high - of_b.low, high)
    return Pair(low, high)


def paired_bounds(only_a: int, only_b: int, rows: int, *, confidence: float) -> tuple[float, float]:
    """Return bounds of a difference of two shares of the same rows.

    Parameters
    ----------
    only_a, only_b : int
        Rows that only a, and only b, has right.
    rows : int
        All rows, at least one.
    confidence : float, in (0.5, 1)
        Coverage of each bound by itself.

    Notes
    -----
    The wider of the adjusted Wald bounds (D. G. Bonett & R. M. Price 2012, Journal of
    Educational and Behavioral Statistics 37, 479-488), too short where disagreement is
    rare and one-sided, and Newcombe's hybrid with exact parts, too short where it is
    common.
    """
    a, b = (only_a + 1) / (rows + 2), (only_b + 1) / (rows + 2)
    half = norm.ppf(confidence) * np.sqrt((a + b - (a - b) ** 2) / (rows + 2))
    hybrid = difference_bounds(only_a, rows, only_b, rows, confidence=confidence)
    low = min(float(a - b - half), float(hybrid.low))
    high = max(float(a - b + half), float(hybrid.high))
    return max(low, -1.0), min(high, 1.0)


def rows_for_share(
    share: float, rows: int, *, threshold: float, direction: Direction, confidence: float
) -> tuple[int | None, str]:
    """Return the first larger number of rows at which the observed share would be decided.

    Parameters
    ----------
    share : float
        Observed share; held while rows are added, hits rounded to the nearest whole number.
    rows : int
        Rows it was observed on; the search starts above.
    threshold, direction, confidence
        What is promised.

    Returns
    -------
    tuple of (int or None, {"pass", "fail", ""})
        None where no number does (the share is the threshold) or it is beyond 2 million.

    Examples
    --------
    >>> rows_for_share(29 / 30, 30, threshold=0.95, direction="at_least", confidence=0.95)
    (434, 'pass')
    >>> rows_for_share(28 / 30, 30, threshold=0.95, direction="at_least", confidence=0.95)
    (503, 'fail')
    """
    if share == threshold:
        return None, ""
    above = share > threshold
    answer = "pass" if above == (direction == "at_least") else "fail"
    spread = norm.ppf(confidence) ** 2 * threshold * (1 - threshold)
    apart = abs(share - threshold)
    sure = _NEARLY if spread / apart > _ROUGHLY else 0.5
    start = max(rows + 1, int(spread / apart**2 * sure))
    while start <= MOST_ROWS:
        tried = np.arange(start, start + _STEP)
        hits = np.floor(share * tried + 0.5)
        decided = _chance(hits, tried, threshold, above=above) <= 1 - confidence
        if decided.any():
            return int(tried[decided.argmax()]), answer
        start += _STEP
    return None, ""


def _chance(
    hits: NDArray[np.float64], rows: NDArray[np.intp], share: float, *, above: bool
) -> NDArray[np.float64]:
    """Return the chance of so many hits or more (or fewer) if ``share`` were the true one.

    It is at most 1 - confidence where the exact bound has reached ``share``, and a hundred
    times quicker to find than the bound.
    """
    seen, share = (hits, share) if above else (rows - hits, 1 - share)
    chance = betainc(np.maximum(seen, 1), rows - seen + 1, share)
    return np.where(seen > 0, chance, 1.0)

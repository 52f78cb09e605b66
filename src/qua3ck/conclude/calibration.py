"""Whether 70 % means 70 %: reliability bins and the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_BINS = 10
LEAST_ROWS = 30


def calibration(
    truth: NDArray[np.str_],
    scores: NDArray[np.float64],
    classes: Sequence[str],
    *,
    positive: str,
    confidence: float = 0.95,
) -> dict[str, Any]:
    """Return reliability bins and the expected calibration error.

    Parameters
    ----------
    truth : array of str, shape (n_rows,)
    scores : array of float, shape (n_rows, n_classes)
        Probabilities, columns in the order of ``classes``.
    positive : str
        The class whose probability is looked at for two classes; for more, it is the
        probability of the likeliest class and whether that was the true one.
    confidence : float, default 0.95
        Joint coverage of the bins' two-sided intervals (shared out by Bonferroni).

    Returns
    -------
    dict
        ``of``; ``bins``: list of ``predicted``, ``observed``, ``low``, ``high`` (shares),
        ``rows`` and ``off``; ``ece``: mean absolute gap weighted by rows; ``off``: bins
        whose interval leaves the prediction out. Bins hold equally many rows, at least
        30, so that few rows give few bins; no bins under 30 rows.

    Notes
    -----
    The ECE of few rows is above zero even for perfect probabilities; only ``off`` is a claim.
    Source: M. P. Naeini, G. F. Cooper & M. Hauskrecht (2015), AAAI, 2901-2907.
    """
    import numpy as np

    if len(classes) == 2:
        of = f"probability of {positive}"
        predicted = scores[:, list(classes).index(positive)]
        happened = truth == positive
    else:
        of = "probability of the likeliest class"
        likeliest = np.argmax(scores, axis=1)
        predicted = scores[np.arange(len(scores)), likeliest]
        happened = truth == np.asarray(classes, dtype=str)[likeliest]
    members = _bins(predicted)
    bins = [
        _bin(predicted[rows], happened[rows], confidence=1 - (1 - confidence) / len(members))
        for rows in members
    ]
    gaps = [each["rows"] * abs(each["predicted"] - each["observed"]) for each in bins]
    ece = sum(gaps) / len(truth) if bins else None
    return {"of": of, "bins": bins, "ece": ece, "off": sum(each["off"] for each in bins)}


def _bins(predicted: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return row numbers per bin; equal predictions never fall into two bins."""
    import numpy as np

    count = min(MOST_BINS, len(predicted) // LEAST_ROWS)
    if count == 0:
        return []
    values, place, sizes = np.unique(predicted, return_inverse=True, return_counts=True)
    number_of, filled, current = np.zeros(len(values), dtype=int), 0, 0
    for value, size in enumerate(sizes):
        if filled >= len(predicted) / count:
            current, filled = current + 1, 0
        number_of[value] = current
        filled += int(size)
    if filled < LEAST_ROWS and current:
        number_of[number_of == current] = current - 1
    numbers = number_of[place]
    return [np.flatnonzero(numbers == number) for number in np.unique(numbers)]


def _bin(
    predicted: NDArray[np.float64], happened: NDArray[np.bool_], *, confidence: float
) -> dict[str, Any]:
    low, high = share_interval(int(happened.sum()), len(happened), confidence=confidence)
    mean = float(predicted.mean())
    return {
        "predicted": mean,
        "observed": float(happened.mean()),
        "low": low,
        "high": high,
        "rows": len(happened),
        "off": not low <= mean <= high,
    }


def share_interval(hits: int, rows: int, *, confidence: float) -> tuple[float, float]:
    """Return the two-sided Clopper-Pearson interval of a share; ``rows`` must be at least 1.

    Source: C. J. Clopper & E. S. Pearson (1934), Biometrika 26, 404-413.
    """
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, hits, rows - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, rows - hits)) if hits < rows else 1.0
    return low, high

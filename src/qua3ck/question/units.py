"""Rows that hang together: clusters, and blocks of neighbours in time.

The independent unit is then the cluster or the block. Every row has an influence on the
metric; the influences of a unit are added, and the spread of the sums gives the standard
error (the delta method over units, also called the infinitesimal jackknife). Student's t
over the number of units that really carry the figure pays for there being few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, logit, stdtrit

from qua3ck.question.outcome import names_of
from qua3ck.question.shares import share_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_WINDOW = 5.0
_BLOCK_PER_TIME = 5.0
_RESIDUE = 1e-12


class Units(NamedTuple):
    """The unit of each row (0 .. number - 1), what units are called, and whether they adjoin."""

    codes: NDArray[np.intp]
    number: int
    called: str
    in_line: bool


class Spread(NamedTuple):
    """Standard error over units, how many there are, and how many carry it.

    ``effective`` is the smaller of (sum u^2)^2 / sum u^4 over the units' influences u, and
    (sum s)^2 / sum s^2 over their sizes s: few large units count as few.
    """

    error: float
    units: int
    effective: float

    @property
    def freedom(self) -> float:
        """Degrees of freedom for Student's t: a quarter of the units that carry the figure.

        Fewer than their number less one, which covers only where the units are alike: in
        simulations with uneven groups or large errors it covers 0.87 instead of 0.95.
        """
        return max(self.effective / 4, 1.0)


def clusters(groups: NDArray[np.generic]) -> Units:
    """Return the units of declared groups; the rows without one are together one group."""
    names, codes = np.unique(names_of(groups), return_inverse=True)
    return Units(codes.astype(np.intp), len(names), "groups", in_line=False)


def blocks(order: NDArray[np.generic], influence: Floats) -> Units:
    """Return consecutive blocks in time, as long as the data's memory asks for.

    Parameters
    ----------
    order : array, shape (n_rows,)
        Moment of each row, anything that sorts. Rows of one moment are never parted.
    influence : array of float, shape (n_rows,)
        What the rows add to the metric: their memory is what counts, not the rows'.

    Notes
    -----
    Length: the larger of the cube root of the number of moments and five autocorrelation
    times, the time summed over a self-consistent window. Sources: H. R. Kuensch (1989),
    Annals of Statistics 17, 1217-1241; window: A. Sokal (1997), Functional Integration,
    131-192.
    """
    _, moments = np.unique(order, return_inverse=True)
    series = np.bincount(moments, weights=influence).astype(float)
    length = max(len(series) ** (1 / 3), _BLOCK_PER_TIME * memory(series))
    number = max(1, int(len(series) / length))
    return Units(moments * number // len(series), number, "blocks", in_line=True)


def at_length(unit: str) -> str:
    """Return what units are called in a refusal; of blocks, why figures differ in their number."""
    return "blocks (as long as this figure's own memory)" if unit == "blocks" else unit


def memory(series: Floats) -> float:
    """Return the integrated autocorrelation time of a series: 1 (no memory) to its length.

    A series that never moves shows no memory, and may remember everything: its length.
    """
    n = len(series)
    around = series - series.mean()
    power = float(around @ around)
    if n < 4 or power <= _RESIDUE**2:
        return float(n)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(around, size)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), size)[:n] / power
    time = 2 * np.cumsum(correlation) - 1
    window = np.arange(n) >= _WINDOW * np.maximum(time, 1.0)
    return max(1.0, float(time[window.argmax() if window.any() else n // 2]))


def spread(influence: Floats, units: Units, *, about: NDArray[np.bool_] | None = None) -> Spread:
    """Return the standard error of a metric from its rows' influences, summed per unit.

    Parameters
    ----------
    influence : array of float, shape (n_rows,)
        They add up to zero.
    units : Units
        The unit of each row.
    about : array of bool, shape (n_rows,), optional
        The rows the metric is about; None means those with an influence.
    """
    counted = influence != 0 if about is None else about
    sizes = np.bincount(units.codes[counted], minlength=units.number).astype(float)
    summed = np.bincount(units.codes, weights=influence, minlength=units.number)[sizes > 0]
    number = len(summed)
    power = float((summed**2).sum())
    carried = float(sizes.sum()) ** 2 / float((sizes**2).sum()) if number else 0.0
    if number < 2 or power <= _RESIDUE**2:
        return Spread(0.0, number, carried)
    effective = min(power**2 / float((summed**4).sum()), carried)
    if units.in_line:
        power += 2 * max(0.0, float(summed[1:] @ summed[:-1]))
    return Spread(float(np.sqrt(power * number / (number - 1))), number, effective)


def student_bounds(
    value: float, of: Spread, *, confidence: float, scale: str, freedom: float | None = None
) -> tuple[float, float]:
    """Return one-sided bounds on a scale where the metric is nearly symmetric.

    ``scale``: ``logit`` for a number between 0 and 1, ``log`` for one above 0, ``log1m``
    for one below 1, ``plain`` else. ``freedom`` replaces the spread's own degrees.
    """
    reach = float(stdtrit(freedom or of.freedom, confidence)) * of.error
    match scale:
        case "logit" if 0 < value < 1:
            middle, half = logit(value), reach / (value * (1 - value))
            return float(expit(middle - half)), float(expit(middle + half))
        case "log" if value > 0:
            factor = float(np.exp(reach / value))
            return value / factor, value * factor
        case "log1m" if value < 1:
            factor = float(np.exp(reach / (1 - value)))
            return 1 - (1 - value) * factor, 1 - (1 - value) / factor
    return value - reach, value + reach


def clustered_share_bounds(
    share: float, rows: int, of: Spread, *, confidence: float
) -> tuple[float, float]:
    """Return bounds of a share whose rows hang together.

    Clopper-Pearson on the effective number of rows: the number on which independent rows
    would have the observed standard error, made smaller by Student's t. With nothing to see
    of the dependence (all hits, or none) every unit counts as one row. Source: E. L. Korn &
    B. I. Graubard (1998), Survey Methodology 24, 193-201; degrees of freedom from the units
    that carry the figure and not from their number, because near 1 that is what covers.
    """
    variance = share * (1 - share)
    effective = min(float(rows), of.effective)
    if of.error > 0 and variance > 0:
        widen = stdtrit(max(rows - 1, 1), confidence) / stdtrit(
            max(of.effective - 2, 1.0), confidence
        )
        effective = min(float(rows), variance / of.error**2) * float(widen) ** 2
    low, high = share_bounds(share * effective, effective, confidence=confidence)
    return float(low), float(high)

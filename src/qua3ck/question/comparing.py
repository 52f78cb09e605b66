"""Whether one predictor beats another on the same rows, and by how much at least."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom
from scipy.stats import t as student

from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.question.bootstrap import Figure, bootstrap_bounds
from qua3ck.question.metrics import Metric, metric
from qua3ck.question.ranking import auc_score_bounds, average_precision
from qua3ck.question.scoring import Sums, influence_of, ranked, require, score, share_parts, sums
from qua3ck.question.shares import paired_bounds
from qua3ck.question.units import Units, at_length, blocks, clusters, spread
from qua3ck.question.unseen import Reach, unseen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qua3ck.question.outcome import Outcome

    Floats = NDArray[np.float64]

_PAIRED_SHARES = {"accuracy", "recall", "specificity", "false_positive_rate"}
_FEWEST = 20
_FEWEST_EFFECTIVE = 5.0
_FEWEST_OF_CLASS = 5


@dataclass(frozen=True)
class Difference:
    """Predictor a against b on the same rows.

    Attributes
    ----------
    metric : str
        What was compared.
    a, b : float
        The two values.
    difference : float
        Above zero if a is better, whichever side is good for the metric.
    low, high : float or None
        One-sided bounds of it, each at ``confidence``; None where ``reason`` says why.
    p_value : float or None
        Two-sided, of no difference.
    n : int
        Independent units it rests on.
    unit : str
        What they are: rows, groups or blocks.
    confidence : float
        Coverage of each bound by itself.
    method : str
        How the bounds were made.
    reason : str
        Why there are no bounds; empty if there are.
    """

    metric: str
    a: float
    b: float
    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    n: int
    unit: str
    confidence: float
    method: str
    reason: str = ""

    @property
    def verdict(self) -> str:
        """``pass`` if a is better beyond doubt, ``fail`` if worse beyond doubt, else undecided."""
        if self.low is not None and self.low > 0:
            return "pass"
        return "fail" if self.high is not None and self.high < 0 else "undecided"


def compare(name: str, a: Outcome, b: Outcome, *, confidence: float, seed: int) -> Difference:
    """Return how much better a is than b, paired row by row.

    Parameters
    ----------
    name : str
        Metric; not a gap between groups, a timing or a constraint.
    a, b : Outcome
        On the same rows in the same order; clusters and time order are read from ``a``.
    confidence : float, in (0.5, 1)
        Coverage of each bound by itself.
    seed : int
        For the bootstrap.

    Returns
    -------
    Difference
        By McNemar for shares of the same rows, paired DeLong for the AUC, paired BCa
        bootstrap for the rest; over groups or blocks by their paired spread.

    Raises
    ------
    NotEnoughEvidence
        If the metric cannot be computed for one of them, or has no rows to pair.
    ValueError
        If the truths differ: these are not the same rows.
    """
    asked = metric(name, where="compare")
    if asked.family in {"gap", "latency", "constraint"}:
        raise NotEnoughEvidence(
            f"{asked.title} has no rows to pair", where=name, fix="compare it by its verdicts"
        )
    if not np.array_equal(a.truth, b.truth):
        message = "compare() needs two predictions of the same rows in the same order"
        raise ValueError(message)
    for one in (a, b):
        require(asked, one)
    sign = 1.0 if asked.higher_is_better else -1.0
    first, second = score(asked, a), score(asked, b)
    base = Difference(
        name, first, second, sign * (first - second), None, None, None, a.rows, "rows",
        confidence, "",
    )  # fmt: skip
    influence = sign * (influence_of(asked, a) - influence_of(asked, b))
    alike = _alike(a, b)
    if a.clusters is not None or a.order is not None:
        return _dependent(base, a, influence, alike=alike)
    if asked.name in _PAIRED_SHARES:
        return _mcnemar(base, asked, a, b, sign)
    if asked.name == "roc_auc":
        rows = Units(np.arange(a.rows), a.rows, "rows", in_line=False)
        found = _student(base, influence, rows, "paired DeLong", alike=alike)
        return found if found.low is not None else _apart(found, asked, a, b)
    return _bootstrap(base, asked, a, b, sign, seed)


def _alike(a: Outcome, b: Outcome) -> bool:
    """Whether the two give the same scores or numbers: then no row can ever tell them apart.

    The same labels are not enough: two that differ seldom have them on a few rows too.
    """
    given = [(one.scores if one.values is None else one.values) for one in (a, b)]
    return all(one is not None for one in given) and np.array_equal(
        np.asarray(given[0]), np.asarray(given[1])
    )


def _mcnemar(base: Difference, asked: Metric, a: Outcome, b: Outcome, sign: float) -> Difference:
    """Bound a difference of shares by the rows on which the two disagree.

    The test is exact (binomial), and the bounds never claim what it does not.
    """
    hit_a, about = share_parts(asked, a)
    hit_b, _ = share_parts(asked, b)
    rows = a.rows if about is None else int(np.count_nonzero(about))
    only_a, only_b = int((hit_a & ~hit_b).sum()), int((~hit_a & hit_b).sum())
    if sign < 0:
        only_a, only_b = only_b, only_a
    for_a = float(binom.sf(only_a - 1, only_a + only_b, 0.5))
    for_b = float(binom.cdf(only_a, only_a + only_b, 0.5))
    low, high = paired_bounds(only_a, only_b, rows, confidence=base.confidence)
    if for_a > 1 - base.confidence:
        low = min(low, 0.0)
    if for_b > 1 - base.confidence:
        high = max(high, 0.0)
    p_value = min(1.0, 2 * min(for_a, for_b))
    return replace(base, low=low, high=high, p_value=p_value, n=rows, method="McNemar")


def _student(
    base: Difference, influence: Floats, units: Units, method: str, *, alike: bool
) -> Difference:
    of, called = spread(influence, units), at_length(units.called)
    found = replace(base, n=of.units, unit=units.called, method=method)
    if of.error == 0 and alike:
        return replace(found, low=0.0, high=0.0, p_value=1.0)
    if of.error == 0:
        return replace(found, reason=f"too few {called} for this method: no spread can be seen")
    if of.units < _FEWEST or of.effective < _FEWEST_EFFECTIVE:
        return replace(found, reason=f"too few {called} for this method: {of.units}")
    reach = float(student.ppf(base.confidence, of.freedom)) * of.error
    p_value = float(2 * student.sf(abs(base.difference) / of.error, of.freedom))
    low, high = base.difference - reach, base.difference + reach
    return replace(found, low=low, high=high, p_value=p_value)


def _no_spread(found: Difference, of: Figure, hidden: Reach, *, alike: bool) -> Difference:
    """Return the answer where no row moves the difference: the same, or apart without spread.

    A flawless prediction against a constant one, or against another flawless one, may have
    flaws not seen yet.
    """
    if alike:
        return replace(found, low=0.0, high=0.0, p_value=1.0)
    if min(hidden) > 0:
        low, high = hidden.widen(of.value, of.value, of.value)
        return replace(found, low=low, high=high, method="no flaw seen")
    reason = f"too few {found.unit} for this method: {found.n}, no spread can be seen"
    return replace(found, reason=reason)


def _apart(found: Difference, asked: Metric, a: Outcome, b: Outcome) -> Difference:
    """Bound a difference of AUCs by each one's own score bounds, at half the risk each.

    For where the paired spread rests on next to nothing, as for a nearly perfect score
    against a constant one (whose AUC of 0.5 is certain). Wider than pairing, never shorter.
    """
    own = [int(np.count_nonzero(positive)) for positive, _ in ranked(asked, a)]
    kinds = [(k, a.rows - k) for k in own]
    rarer = min(min(pair) for pair in kinds)
    if rarer < _FEWEST_OF_CLASS:
        return found
    reach = float(student.ppf((1 + found.confidence) / 2, rarer - 1))
    bounds = []
    for value, one in ((found.a, a), (found.b, b)):
        constant = all(np.ptp(scores) == 0 for _, scores in ranked(asked, one))
        bounds.append((value, value) if constant else auc_score_bounds(value, kinds, reach=reach))
    low, high = bounds[0][0] - bounds[1][1], bounds[0][1] - bounds[1][0]
    return replace(found, low=low, high=high, method="AUC score bounds", reason="")


def _dependent(base: Difference, a: Outcome, influence: Floats, *, alike: bool) -> Difference:
    found = []
    if a.clusters is not None:
        units = clusters(np.asarray(a.clusters))
        found.append(_student(base, influence, units, "paired over clusters", alike=alike))
    if a.order is not None:
        units = blocks(np.asarray(a.order), influence)
        found.append(_student(base, influence, units, "paired over blocks", alike=alike))
    return max(found, key=lambda one: 9e9 if one.low is None else base.difference - one.low)


def _bootstrap(
    base: Difference, asked: Metric, a: Outcome, b: Outcome, sign: float, seed: int
) -> Difference:
    found = replace(base, method="paired BCa bootstrap")
    of = _between(asked, a, b, sign)
    hidden = _hidden(asked, a, b, sign, base.confidence)
    if of.error == 0:
        return _no_spread(found, of, hidden, alike=_alike(a, b))
    if a.rows < _FEWEST or of.effective < _FEWEST_EFFECTIVE:
        return replace(found, reason=f"too few rows for this method: {a.rows}")
    low, high = bootstrap_bounds(of, confidence=base.confidence, seed=seed)
    low, high = hidden.widen(of.value, low, high)
    freedom = max(of.effective / 4, 1.0)
    p_value = float(2 * student.sf(abs(of.value) / of.error, freedom))
    return replace(found, low=low, high=high, p_value=p_value)


def _hidden(asked: Metric, a: Outcome, b: Outcome, sign: float, confidence: float) -> Reach:
    """Return how far errors that neither has made yet could move the difference."""
    rows = Units(np.arange(a.rows), a.rows, "rows", in_line=False)
    of_a, of_b = (unseen(asked, one, rows, confidence=confidence) for one in (a, b))
    better, worse = (of_a, of_b) if sign > 0 else (of_b, of_a)
    return Reach(float(np.hypot(better.down, worse.up)), float(np.hypot(better.up, worse.down)))


def _between(asked: Metric, a: Outcome, b: Outcome, sign: float) -> Figure:
    """Return how much better a is than b as one figure: rows are drawn for both together."""
    if asked.name != "average_precision":
        return _side_by_side(sums(asked, a), sums(asked, b), sign).figure()
    ((positive, of_a),), ((_, of_b),) = ranked(asked, a), ranked(asked, b)
    influence = sign * (influence_of(asked, a) - influence_of(asked, b))

    def values(weights: Floats) -> Floats:
        better = average_precision(positive, of_a, weights)
        return sign * (better - average_precision(positive, of_b, weights))

    one = np.ones(a.rows)
    return Figure(float(values(one[None])[0]), one, influence, values)


def _side_by_side(a: Sums, b: Sums, sign: float) -> Sums:
    """Return the difference of two functions of sums over the same rows as one."""
    columns = a.table.shape[1]

    def formula(total: Floats) -> Floats:
        return sign * (a.formula(total[..., :columns]) - b.formula(total[..., columns:]))

    if a.codes is None or b.codes is None:
        return Sums(np.hstack([a.table, b.table]), None, formula)
    pairs, codes = np.unique(a.codes * len(b.table) + b.codes, return_inverse=True)
    of_a, of_b = np.divmod(pairs, len(b.table))
    return Sums(np.hstack([a.table[of_a], b.table[of_b]]), codes, formula)

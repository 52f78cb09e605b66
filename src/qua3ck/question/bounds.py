"""Which method bounds which metric, on rows that are independent, grouped or in time order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit
from scipy.stats import binom

from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.question.bootstrap import bootstrap_bounds
from qua3ck.question.domains import DOMAINS
from qua3ck.question.gaps import GroupShares, group_shares
from qua3ck.question.ranking import auc_score_bounds
from qua3ck.question.scoring import (
    figure,
    influence_of,
    ranked,
    require,
    score,
    share_parts,
    share_value,
    sums,
)
from qua3ck.question.shares import difference_bounds, share_bounds
from qua3ck.question.units import (
    Spread,
    Units,
    blocks,
    clustered_share_bounds,
    clusters,
    spread,
    student_bounds,
)
from qua3ck.question.unseen import rarest_class, unseen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qua3ck.question.metrics import Metric
    from qua3ck.question.outcome import Outcome

    Floats = NDArray[np.float64]

_SCALES = {"rmse": "log", "mae": "log", "mape": "log", "log_loss": "log", "brier": "log",
           "cost_per_case": "log", "r2": "log1m"}  # fmt: skip
_BCA = {"mae": "BCa, absolute errors", "mape": "BCa, absolute errors",
        "rmse": "BCa, squared errors", "r2": "BCa, squared errors"}  # fmt: skip
_NO_WIDTH = 1e-9


@dataclass(frozen=True)
class Interval:
    """A value with its one-sided bounds, or the reason why it has none.

    ``exact`` is set for a share of independent rows, where more rows can be counted out
    exactly; ``reason`` is empty if there are both bounds. ``rough`` are the bounds that the
    method gives outside its domain: to be shown, never to be judged by.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    method: str
    reason: str = ""
    exact: bool = False
    rough: tuple[float, float] | None = None


def interval(
    asked: Metric, outcome: Outcome, *, confidence: float, seed: int, by: str | None = None
) -> Interval:
    """Return a metric's value and its bounds, each at ``confidence`` one-sided.

    Parameters
    ----------
    asked : Metric
        What to bound.
    outcome : Outcome
        Truth and prediction. With ``clusters`` or ``order`` every metric (but timings and
        constraints) is bounded over groups or blocks; with both, over the wider of the two.
    confidence : float, in (0.5, 1)
        Coverage of each bound by itself.
    seed : int
        For the bootstrap.
    by : str, optional
        For a gap: the column that names the groups.

    Returns
    -------
    Interval
        Without bounds, and with the reason, where the metric cannot be computed or the
        method may not be used on so little.
    """
    try:
        require(asked, outcome)
        value = score(asked, outcome, by=by)
    except NotEnoughEvidence as nothing:
        return Interval(None, None, None, _units(asked, outcome), _unit(asked), "", nothing.what)
    if asked.family == "constraint":
        return Interval(value, value, value, 1, "artefacts", "measured")
    if asked.family == "latency":
        return latency_bounds(asked, outcome, value, confidence=confidence)
    found = []
    if outcome.clusters is not None:
        found.append(
            _dependent(asked, outcome, value, kind="clusters", confidence=confidence, by=by)
        )
    if outcome.order is not None:
        found.append(_dependent(asked, outcome, value, kind="blocks", confidence=confidence, by=by))
    if found:
        return _wider(found)
    match asked.family:
        case "share":
            return _share(asked, outcome, value, confidence=confidence)
        case "gap":
            return _gap(asked, outcome, value, confidence=confidence, by=by)
        case "calibration":
            return _calibration(asked, outcome, value, None, confidence=confidence)
        case "ranking" if asked.name == "roc_auc":
            return _delong(asked, outcome, value, confidence=confidence)
    return _bootstrap(asked, outcome, value, confidence=confidence, seed=seed)


def latency_bounds(asked: Metric, outcome: Outcome, value: float, *, confidence: float) -> Interval:
    """Return a quantile's bounds by order statistics: exact, whatever the distribution."""
    times = np.sort(np.asarray(outcome.latencies_ms, dtype=float))
    n = len(times)
    share = int(asked.name.removeprefix("latency_p").removesuffix("_ms")) / 100
    above = int(binom.ppf(confidence, n, share))
    below = int(binom.ppf(1 - confidence, n, share))
    base = Interval(value, None, None, n, "requests", "order statistics")
    low = float(times[below - 1]) if below >= 1 else None
    high = float(times[above]) if above < n else None
    if low is not None and high is not None:
        return replace(base, low=low, high=high)
    few = max(np.log(1 - confidence) / np.log(share), np.log(1 - confidence) / np.log1p(-share))
    reason = f"too few requests for this method: {n}, it needs {int(np.ceil(few))}"
    return replace(base, low=low, high=high, reason=reason)


def _share(asked: Metric, outcome: Outcome, value: float, *, confidence: float) -> Interval:
    hits, about = share_parts(asked, outcome)
    rows = outcome.rows if about is None else int(np.count_nonzero(about))
    low, high = share_bounds(np.count_nonzero(hits), rows, confidence=confidence)
    return Interval(
        value, float(low), float(high), rows, _unit(asked), "Clopper-Pearson", exact=True
    )


def _delong(asked: Metric, outcome: Outcome, value: float, *, confidence: float) -> Interval:
    """Bound the AUC by DeLong's spread on the logit scale, or wider by its score bounds."""
    own = [int(np.count_nonzero(positive)) for positive, _ in ranked(asked, outcome)]
    kinds = [(k, outcome.rows - k) for k in own]
    rarer = min(min(pair) for pair in kinds)
    units = Units(np.arange(outcome.rows), outcome.rows, "rows", in_line=False)
    of = spread(influence_of(asked, outcome), units)
    base = Interval(value, None, None, outcome.rows, "rows", "DeLong, logit")
    reason = DOMAINS[base.method].refusal(
        units=outcome.rows, unit="rows", rarer=rarer, effective=0, confidence=confidence
    )
    if of.error == 0 or rarer < 2:
        seen = "no pair is misordered" if of.error == 0 else "a class has one row"
        seen = f"the AUC is exactly 1, {seen}" if value == 1 else seen
        reason = f"too few rows for this method: {seen}, so no spread is seen"
        few = _bounded(replace(base, n=rarer), value, value, reason, confidence=confidence)
        return replace(few, n=outcome.rows)
    low, high = student_bounds(
        value, of, confidence=confidence, scale="logit", freedom=float(rarer - 1)
    )
    reach = float(stdtrit(rarer - 1, confidence))
    least, most = auc_score_bounds(value, kinds, reach=reach)
    return _bounded(base, min(low, least), max(high, most), reason, confidence=confidence)


def _bootstrap(
    asked: Metric, outcome: Outcome, value: float, *, confidence: float, seed: int
) -> Interval:
    of = figure(asked, outcome)
    base = Interval(value, None, None, outcome.rows, "rows", _BCA.get(asked.name, "BCa bootstrap"))
    reason = DOMAINS[base.method].refusal(
        units=outcome.rows,
        unit="rows",
        rarer=rarest_class(asked, outcome),
        effective=of.effective,
        confidence=confidence,
    )
    if reason and outcome.rows < 3:
        return replace(base, reason=reason)
    low, high = bootstrap_bounds(of, confidence=confidence, seed=seed)
    rows = Units(np.arange(outcome.rows), outcome.rows, "rows", in_line=False)
    reach = unseen(asked, outcome, rows, confidence=confidence)
    low, high = _within(asked, *reach.widen(value, low, high))
    index = asked.low == 0 and asked.high == 1
    return _bounded(base, low, high, reason, confidence=confidence, index=index)


def _bounded(
    base: Interval,
    low: float,
    high: float,
    reason: str,
    *,
    confidence: float,
    index: bool = True,
) -> Interval:
    """Return ``base`` with its bounds, or with them as rough ones if the method was refused.

    Bounds without a width are refused too: the rows are alike, so no spread can be seen.
    ``index`` says that the figure lies between 0 and 1.
    """
    wide = high - low > _NO_WIDTH * max(1.0, abs(low))
    if not reason and not wide:
        reason = f"too few {base.unit} for this method: all are alike, so no spread is seen"
    if not reason:
        return replace(base, low=low, high=high)
    rough = (low, high) if np.isfinite([low, high]).all() and wide else None
    if rough is None and index and base.value in {0.0, 1.0}:
        # Nothing varies, as when no row is wrong: as rough as the bound of n of n right.
        few, _ = share_bounds(base.n, base.n, confidence=confidence)
        rough = (float(few), 1.0) if base.value else (0.0, 1.0 - float(few))
    return replace(base, reason=reason, rough=rough)


def _gap(
    asked: Metric, outcome: Outcome, value: float, *, confidence: float, by: str | None
) -> Interval:
    parts = group_shares(asked, outcome, by=by)
    rows = int(sum(part.rows.sum() for part in parts))
    base = Interval(value, None, None, rows, "rows", "Newcombe")
    smallest = min(int(part.rows.min()) for part in parts)
    reason = DOMAINS["Newcombe"].refusal(
        units=smallest, unit="rows", rarer=0, effective=0, confidence=confidence
    )
    if reason:
        return replace(base, reason=f"{reason} (smallest group)")
    pairs = sum(len(part.rows) * (len(part.rows) - 1) for part in parts)
    shared = 1 - (1 - confidence) / pairs
    low = max(float(_pairwise(part, shared)[0].max()) for part in parts)
    high = max(float(_pairwise(part, confidence)[1].max()) for part in parts)
    return replace(base, low=max(low, 0.0), high=min(high, 1.0))


def _pairwise(part: GroupShares, confidence: float) -> tuple[Floats, Floats]:
    a, b = np.nonzero(~np.eye(len(part.rows), dtype=bool))
    return difference_bounds(
        part.hits[a], part.rows[a], part.hits[b], part.rows[b], confidence=confidence
    )


def _calibration(
    asked: Metric, outcome: Outcome, value: float, units: Units | None, *, confidence: float
) -> Interval:
    """Bound the calibration error, whose estimate is too large by the noise in each bin.

    The upper bound leaves that excess in (it only widens); the lower one takes out the
    most it can be, sqrt(2 / pi) standard errors per bin.
    """
    table = sums(asked, outcome).table
    rows = outcome.rows
    if units is None:
        units = Units(np.arange(rows), rows, "rows", in_line=False)
    of = spread(influence_of(asked, outcome), units)
    name = {"rows": "calibration, corrected", "groups": "clusters, t", "blocks": "blocks, t"}[
        units.called
    ]
    linear = _linear(name, "plain", value, of, confidence, units.called)
    if linear.low is None or linear.high is None:
        return linear
    excess = sum(spread(column / rows, units).error for column in table[:, :-1].T)
    low = linear.low - float(np.sqrt(2 / np.pi)) * excess
    return replace(linear, low=max(0.0, low), high=min(1.0, linear.high))


def _linear(
    method: str,
    scale: str,
    value: float,
    of: Spread,
    confidence: float,
    unit: str,
) -> Interval:
    base = Interval(value, None, None, of.units, unit, method)
    reason = DOMAINS[method].refusal(
        units=of.units, unit=unit, rarer=0, effective=of.effective, confidence=confidence
    )
    if reason and (of.units < 3 or of.error == 0):
        return replace(base, reason=reason)
    low, high = student_bounds(value, of, confidence=confidence, scale=scale)
    return _bounded(base, low, high, reason, confidence=confidence, index=scale == "logit")


def _dependent(
    asked: Metric, outcome: Outcome, value: float, *, kind: str, confidence: float, by: str | None
) -> Interval:
    if asked.family == "gap":
        return _dependent_gap(asked, outcome, value, kind=kind, confidence=confidence, by=by)
    influence = influence_of(asked, outcome)
    units = _hanging(outcome, kind, influence)
    if asked.family == "calibration":
        return _calibration(asked, outcome, value, units, confidence=confidence)
    if asked.family != "share":
        of = spread(influence, units)
        scale = _SCALES.get(asked.name, "logit")
        found = _linear(f"{kind}, t", scale, value, of, confidence, units.called)
        return _with_unseen(found, asked, outcome, units, confidence=confidence)
    return _dependent_share(asked, outcome, influence, units, confidence)


def _with_unseen(
    found: Interval, asked: Metric, outcome: Outcome, units: Units, *, confidence: float
) -> Interval:
    if found.value is None or found.low is None or found.high is None:
        return found
    reach = unseen(asked, outcome, units, confidence=confidence)
    low, high = _within(asked, *reach.widen(found.value, found.low, found.high))
    return replace(found, low=low, high=high)


def _within(asked: Metric, low: float, high: float) -> tuple[float, float]:
    return max(low, asked.low), min(high, asked.high)


def _dependent_share(
    asked: Metric, outcome: Outcome, influence: Floats, units: Units, confidence: float
) -> Interval:
    _, about = share_parts(asked, outcome)
    rows = outcome.rows if about is None else int(np.count_nonzero(about))
    of = spread(
        influence, units, about=np.ones(outcome.rows, dtype=bool) if about is None else about
    )
    kind = "blocks" if units.in_line else "clusters"
    share = share_value(asked, outcome)
    base = Interval(share, None, None, of.units, units.called, f"{kind}, share")
    if units.in_line and not influence.any():
        alike = f"too few {units.called} for this method: all rows are alike, so no memory is seen"
        return replace(base, reason=alike)
    reason = DOMAINS[base.method].refusal(
        units=of.units,
        unit=units.called,
        rarer=0,
        effective=of.effective,
        confidence=confidence,
    )
    if reason and of.units < 3:
        return replace(base, reason=reason)
    low, high = clustered_share_bounds(share, rows, of, confidence=confidence)
    return _bounded(base, low, high, reason, confidence=confidence)


def _dependent_gap(
    asked: Metric, outcome: Outcome, value: float, *, kind: str, confidence: float, by: str | None
) -> Interval:
    """Bound a gap over groups of people whose rows hang together, pair by pair."""
    parts = group_shares(asked, outcome, by=by)
    pairs = sum(len(part.rows) * (len(part.rows) - 1) for part in parts)
    shared = 1 - (1 - confidence) / pairs
    lows, highs, fewest = [], [], outcome.rows
    unit = "groups" if kind == "clusters" else "blocks"
    together = _hanging(outcome, kind, np.zeros(outcome.rows))
    for part in parts:
        for a, b in zip(*np.triu_indices(len(part.rows), 1), strict=True):
            difference = part.hits[a] / part.rows[a] - part.hits[b] / part.rows[b]
            influence = part.influence(int(a)) - part.influence(int(b))
            units = together if kind == "clusters" else _hanging(outcome, kind, influence)
            of = spread(influence, units)
            fewest = min(fewest, of.units)
            tight = _linear(f"{kind}, t", "plain", difference, of, shared, unit)
            loose = _linear(f"{kind}, t", "plain", difference, of, confidence, unit)
            if tight.low is None or tight.high is None or loose.low is None or loose.high is None:
                return replace(loose, value=value, rough=None)
            lows += [tight.low, -tight.high]
            highs += [loose.high, -loose.low]
    low, high = max(0.0, *lows), min(1.0, max(highs))
    return Interval(value, low, high, fewest, unit, f"{kind}, t")


def _hanging(outcome: Outcome, kind: str, influence: Floats) -> Units:
    if kind == "clusters":
        assert outcome.clusters is not None  # noqa: S101 - the caller has looked
        return clusters(np.asarray(outcome.clusters))
    return blocks(np.asarray(outcome.order), influence)


def _wider(found: list[Interval]) -> Interval:
    for one in found:
        if one.low is None or one.high is None:
            return one
    return max(found, key=lambda one: (one.high or 0.0) - (one.low or 0.0))


def _units(asked: Metric, outcome: Outcome) -> int:
    if asked.family == "latency":
        return 0
    return 1 if asked.family == "constraint" else outcome.rows


def _unit(asked: Metric) -> str:
    return {"latency": "requests", "constraint": "artefacts"}.get(asked.family, "rows")

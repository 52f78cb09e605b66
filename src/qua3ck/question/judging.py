"""Pass, fail or undecided: a KPI's bounds held against its threshold, never its bare value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qua3ck.kit.verdicts import Answer, Direction, Verdict
from qua3ck.question.bounds import Interval, interval
from qua3ck.question.metrics import Metric, metric
from qua3ck.question.outcome import MISSING, names_of
from qua3ck.question.shares import rows_for_share

if TYPE_CHECKING:
    from qua3ck.question.outcome import Outcome
    from qua3ck.question.records import FairnessGap, Kpi, Question

_SIGNS = {"at_least": ">=", "at_most": "<="}
_COUNTED = {
    "recall": "rows of the positive class",
    "precision": "rows called positive",
    "specificity": "rows not of the positive class",
    "false_positive_rate": "rows not of the positive class",
}


@dataclass(frozen=True)
class Judgement:
    """Every promise of a question held against one outcome.

    ``kpis`` in the order declared; ``slices`` one per KPI, ``slice_by`` column and value;
    ``fairness`` one per gap.
    """

    kpis: tuple[Verdict, ...]
    slices: tuple[Verdict, ...]
    fairness: tuple[Verdict, ...]

    @property
    def all_pass(self) -> bool:
        """Whether every verdict is a pass; what cannot be computed is not."""
        return all(v.verdict == "pass" for v in (*self.kpis, *self.slices, *self.fairness))


@dataclass(frozen=True)
class _Promise:
    """What one verdict is about: a metric's threshold on some rows."""

    id: str
    asked: Metric
    threshold: float
    direction: Direction
    confidence: float
    outcome: Outcome
    min_rows: int = 1
    by: str | None = None


def judge(question: Question, outcome: Outcome, *, openings: int, seed: int) -> Judgement:
    """Return the verdict of every KPI, slice and fairness gap.

    Parameters
    ----------
    question : Question
        What was promised.
    outcome : Outcome
        Truth and prediction on the sealed rows; costs are taken from the question if the
        outcome has none.
    openings : int
        The declared budget m: each bound is made at 1 - (1 - c) / m, so that the chance of
        a false pass over all openings together stays 1 - c.
    seed : int
        For the bootstrap.

    Notes
    -----
    A release needs all of them to pass, each at its own confidence: the chance of passing
    all with one promise broken is at most 1 - c without further correction (R. L. Berger
    1982, Technometrics 24, 295-300). That some slice or gap *fails* is a claim picked from
    many, made with Holm's correction over its family.
    """
    if outcome.costs is None and question.costs is not None:
        outcome = replace(outcome, costs=question.costs)
    kpis = tuple(
        judge_kpi(kpi, outcome, confidence=_shared(kpi.confidence, openings), seed=seed)
        for kpi in question.kpis
    )
    slices: list[Verdict] = []
    for kpi in question.kpis:
        family = _slices(kpi, outcome, _shared(kpi.confidence, openings))
        slices.extend(_judge_family(family, seed=seed))
    gaps = [_gap(gap, outcome, _shared(gap.confidence, openings)) for gap in question.fairness]
    return Judgement(kpis, tuple(slices), tuple(_judge_family(gaps, seed=seed)))


def judge_kpi(kpi: Kpi, outcome: Outcome, *, confidence: float, seed: int) -> Verdict:
    """Return the verdict of one KPI on all rows, or on its ``slice``.

    Parameters
    ----------
    kpi : Kpi
        The promise; its own confidence is not looked at.
    outcome : Outcome
        Truth and prediction.
    confidence : float, in (0.5, 1)
        Coverage of each bound by itself, already shared between openings.
    seed : int
        For the bootstrap.
    """
    missing = [column for column in kpi.slice or {} if column not in outcome.slices]
    if missing:
        reason = f"the column of its slice ({', '.join(missing)}) is not there"
        return _verdict(_promise(kpi, outcome, confidence), _nothing(reason))
    if kpi.slice:
        inside = np.ones(outcome.rows, dtype=bool)
        for column, wanted in kpi.slice.items():
            inside &= names_of(outcome.slices[column]) == str(wanted)
        promise = _promise(kpi, outcome.take(inside), confidence, min_rows=kpi.min_rows)
    else:
        promise = _promise(kpi, outcome, confidence)
    return _verdict(promise, _bound(promise, confidence, seed))


def _shared(confidence: float, openings: int) -> float:
    return 1 - (1 - confidence) / max(openings, 1)


def _promise(
    kpi: Kpi, outcome: Outcome, confidence: float, *, min_rows: int = 1, called: str = ""
) -> _Promise:
    asked = metric(kpi.metric, where=f"question.kpis, {kpi.id}")
    name = f"{kpi.id}{called}"
    return _Promise(name, asked, kpi.threshold, kpi.direction, confidence, outcome, min_rows)


def _slices(kpi: Kpi, outcome: Outcome, confidence: float) -> list[_Promise]:
    """Return one promise per value of each ``slice_by`` column, a missing value included."""
    promises: list[_Promise] = []
    for column in kpi.slice_by:
        if column not in outcome.slices:
            nobody = outcome.take(np.zeros(outcome.rows, dtype=bool))
            promises.append(_promise(kpi, nobody, confidence, called=f"[{column}=?]"))
            continue
        names = names_of(outcome.slices[column])
        for name in sorted(set(names.tolist()), key=lambda value: (value == MISSING, value)):
            part = outcome.take(names == name)
            called = f"[{column}={name}]"
            promises.append(_promise(kpi, part, confidence, min_rows=kpi.min_rows, called=called))
    return promises


def _gap(gap: FairnessGap, outcome: Outcome, confidence: float) -> _Promise:
    asked = metric(gap.metric, where=f"question.fairness, {gap.id}")
    return _Promise(
        gap.id, asked, gap.at_most, "at_most", confidence, outcome, gap.min_rows, gap.by
    )


def _judge_family(family: list[_Promise], *, seed: int) -> list[Verdict]:
    """Judge promises of which any may fail: failing is claimed with Holm's step-down."""
    verdicts = [_verdict(p, _bound(p, p.confidence, seed)) for p in family]
    suspects = {i for i, verdict in enumerate(verdicts) if verdict.verdict == "fail"}
    failed: set[int] = set()
    while suspects - failed:
        remaining = len(family) - len(failed)
        sure = {i for i in suspects - failed if _fails(family[i], remaining, seed)}
        if not sure:
            break
        failed |= sure
    for i in suspects - failed:
        chance = (
            f"would fail by itself, but among {len(family)} judged together"
            " one such miss can be chance"
        )
        verdicts[i] = replace(verdicts[i], verdict="undecided", says=chance)
    return verdicts


def _fails(promise: _Promise, among: int, seed: int) -> bool:
    confidence = _shared(promise.confidence, among)
    return _answer(promise, _bound(promise, confidence, seed)) == "fail"


def _bound(promise: _Promise, confidence: float, seed: int) -> Interval:
    """Return the interval of a promise; groups that are too small leave it without bounds."""
    asked, outcome = promise.asked, promise.outcome
    whole = asked.family in {"latency", "constraint"}
    if promise.by is None and outcome.rows < promise.min_rows and not whole:
        reason = f"{outcome.rows} rows, at least {promise.min_rows} are wanted for a verdict"
        return replace(_nothing(reason), n=outcome.rows)
    small = _small_groups(promise)
    found = interval(asked, outcome, confidence=confidence, seed=seed, by=promise.by)
    if not small:
        return found
    reason = (
        f"{len(small)} group(s) of {promise.by} have fewer than {promise.min_rows} rows:"
        f" {', '.join(small[:5])}"
    )
    return replace(found, low=None, high=None, reason=reason, rough=None)


def _small_groups(promise: _Promise) -> list[str]:
    if promise.by is None or promise.by not in promise.outcome.slices:
        return []
    names, rows = np.unique(names_of(promise.outcome.slices[promise.by]), return_counts=True)
    return [str(name) for name, n in zip(names, rows, strict=True) if n < promise.min_rows]


def _nothing(reason: str) -> Interval:
    return Interval(None, None, None, 0, "rows", "", reason)


def _answer(promise: _Promise, found: Interval) -> Answer:
    low, high = found.low, found.high
    threshold = promise.threshold
    if promise.direction == "at_least":
        if low is not None and low >= threshold:
            return "pass"
        return "fail" if high is not None and high < threshold else "undecided"
    if high is not None and high <= threshold:
        return "pass"
    return "fail" if low is not None and low > threshold else "undecided"


def _verdict(promise: _Promise, found: Interval) -> Verdict:
    answer = _answer(promise, found)
    rows, way = (None, "") if answer != "undecided" else _rows_needed(promise, found)
    rough = found.rough if found.low is None and found.high is None else None
    low, high = rough or (found.low, found.high)
    return Verdict(
        id=promise.id,
        metric=promise.asked.name,
        value=found.value,
        low=low,
        high=high,
        threshold=promise.threshold,
        direction=promise.direction,
        verdict=answer,
        n=found.n,
        unit=found.unit,
        rows_needed=rows,
        rows_needed_for=way,
        confidence=promise.confidence,
        method=f"{found.method} (rough, not judged by)" if rough else found.method,
        says=_sentence(promise, found, answer, rows, way),
    )


def _rows_needed(promise: _Promise, found: Interval) -> tuple[int | None, str]:
    """Return how many units would decide it at the observed value, and which way.

    Counted out exactly for a share of independent rows; else the width is taken to shrink
    with the square root of the number.
    """
    value, threshold = found.value, promise.threshold
    if value is None or found.low is None or found.high is None or value == threshold:
        return None, ""
    if found.exact:
        return rows_for_share(
            value,
            found.n,
            threshold=threshold,
            direction=promise.direction,
            confidence=promise.confidence,
        )
    reach = value - found.low if value > threshold else found.high - value
    wanted = found.n * (reach / (value - threshold)) ** 2
    if not math.isfinite(wanted) or wanted > 1e9:
        return None, ""
    good = (value > threshold) == (promise.direction == "at_least")
    return max(found.n + 1, math.ceil(wanted)), "pass" if good else "fail"


def _sentence(
    promise: _Promise, found: Interval, answer: Answer, rows: int | None, way: str
) -> str:
    """Return one sentence for a reader."""
    wanted = f"{_SIGNS[promise.direction]} {promise.threshold:g}"
    if answer == "undecided" and found.reason:
        return found.reason
    if found.value is None:
        return found.reason
    if promise.asked.family == "constraint":
        return f"{found.value:g}, wanted {wanted}"
    edge = found.low if (promise.direction == "at_least") == (answer == "pass") else found.high
    if answer != "undecided":
        verb = "still meets" if answer == "pass" else "still misses"
        return f"even {edge:.4g} {verb} {wanted}" if edge is not None else found.reason
    counted = _COUNTED.get(promise.asked.name, "rows") if found.unit == "rows" else found.unit
    if rows is None:
        return f"the value lies so near {wanted} that no number of {counted} would decide it"
    return f"about {rows:,} {counted} at this value would {way}"

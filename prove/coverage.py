"""Show by simulation where the bounds of every method cover what they say.

For each case many outcomes are drawn whose true value is known; a case holds if

- among the outcomes on which the method was used, each one-sided bound covers the true
  value at least confidence - 0.01 (in cases where it is used at least half of the time);
- over all outcomes, used or undecided, a wrong bound is given at most 1 - confidence + 0.01

both up to three Monte-Carlo standard errors. Shares, latencies and gaps between two groups
need no dice: their coverage is added up exactly. Writes ``docs/coverage.md`` with ``--write``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import expit
from scipy.stats import binom, norm

from qua3ck import question
from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.question.bounds import interval
from qua3ck.question.comparing import compare
from qua3ck.question.domains import DOMAINS
from qua3ck.question.metrics import METRICS
from qua3ck.question.outcome import Outcome
from qua3ck.question.records import Costs
from qua3ck.question.scoring import score
from qua3ck.question.shares import difference_bounds, share_bounds

SLACK = 0.01
MANY = 1_000_000
HERE = Path(__file__).parent
KEPT = HERE.parent / "build" / "coverage.jsonl"
CODE = hashlib.sha256(
    b"".join(
        path.read_bytes()
        for path in (Path(__file__), *sorted(Path(question.__file__).parent.glob("*.py")))
        if path.name not in {"checks.py", "codes.py"}  # words about a question, no figures
    )
).hexdigest()[:16]
Rng = np.random.Generator
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Outcomes of one kind and size, and the metric to be bounded on them."""

    method: str
    metric: str
    kind: str
    n: int
    draw: Callable[..., Any]
    with_: dict[str, Any] = field(default_factory=dict)
    confidence: float = 0.95
    by: str | None = None
    promised: bool = True

    def outcome(self, rng: Rng, n: int) -> Outcome:
        """Draw one outcome of ``n`` rows (or groups)."""
        drawn: Outcome = self.draw(rng, n, **self.with_)
        return drawn


class Line(NamedTuple):
    """What came of one case: how often used, how often each bound missed."""

    case: Case
    repeats: int
    used: int
    low_missed: int
    high_missed: int

    @property
    def worst(self) -> float:
        """The lower of the two coverages among the outcomes on which the method was used."""
        return 1 - max(self.low_missed, self.high_missed) / max(self.used, 1)

    @property
    def wrong(self) -> float:
        """The share of all outcomes, used or undecided, in which the worse bound was wrong."""
        return max(self.low_missed, self.high_missed) / self.repeats

    @property
    def holds(self) -> bool:
        """Whether both promises hold, up to three Monte-Carlo standard errors."""
        risk = 1 - self.case.confidence + SLACK
        missed = max(self.low_missed, self.high_missed)
        often = self.used >= self.repeats / 2
        return missed <= _most(risk, self.repeats) and (
            not often or missed <= _most(risk, self.used)
        )


def _most(risk: float, repeats: int) -> float:
    return repeats * risk + 3 * math.sqrt(repeats * risk * (1 - risk))


# ---- outcomes whose truth is known


def binary(rng: Rng, n: int, *, prev: float, shift: float, wide: float = 1.0,
           round_to: float = 0.0, bent: float = 1.0, above: float = 0.5) -> Outcome:  # fmt: skip
    """Two classes with normal scores; calibrated if ``wide`` and ``bent`` are 1."""
    y = rng.random(n) < prev
    return _scored(y, shift, rng.normal(size=n), wide, round_to, bent, above, prev)


def _scored(y: NDArray[np.bool_], shift: float, noise: Floats, wide: float = 1.0,
            round_to: float = 0.0, bent: float = 1.0, above: float = 0.5, prev: float = 0.5,
            ) -> Outcome:  # fmt: skip
    s = shift * y + noise * np.where(y, wide, 1.0)
    if round_to:
        s = np.round(s / round_to) * round_to
    p = expit(bent * (math.log(prev / (1 - prev)) + shift * s - shift**2 / 2))
    labels = np.where(s > above * shift, "1", "0")
    return Outcome(
        np.where(y, "1", "0"), labels=labels, scores=np.column_stack([1 - p, p]),
        classes=("0", "1"), costs=Costs(false_negative=5, false_positive=1),
    )  # fmt: skip


def sure(rng: Rng, n: int, *, wrong: float) -> Outcome:
    """Two classes, each row called with a probability near 0.9 and seldom wrong."""
    called = rng.random(n) < 0.5
    return _sure(rng, called ^ (rng.random(n) < wrong), called)


def _sure(rng: Rng, y: NDArray[np.bool_], called: NDArray[np.bool_]) -> Outcome:
    of_called = rng.uniform(0.85, 0.97, len(y))
    p = np.where(called, of_called, 1 - of_called)
    return Outcome(
        np.where(y, "1", "0"), labels=np.where(called, "1", "0"),
        scores=np.column_stack([1 - p, p]), classes=("0", "1"),
    )  # fmt: skip


def three(rng: Rng, n: int, *, shares: tuple[float, ...], shift: float) -> Outcome:
    """Three classes, each with a normal score of its own."""
    y = rng.choice(3, size=n, p=shares)
    s = rng.normal(size=(n, 3)) + shift * (y[:, None] == np.arange(3))
    odds = np.log(shares) + shift * s
    p = np.exp(odds - odds.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return Outcome(
        y.astype(str), labels=p.argmax(axis=1).astype(str), scores=p, classes=("0", "1", "2")
    )


def numbers(rng: Rng, n: int, *, error: str, slope: float = 0.9) -> Outcome:
    """A regression whose errors have the named distribution."""
    truth = rng.gamma(8.0, 2.0, n) + 2
    return Outcome(truth, values=truth * slope + 1.8 + _errors(rng, n, error))


def _errors(rng: Rng, n: int, kind: str) -> Floats:
    match kind:
        case "normal":
            return rng.normal(size=n)
        case "laplace":
            return rng.laplace(size=n)
        case "exponential":
            return rng.exponential(size=n) - 1
        case "student 5":
            return rng.standard_t(5, n)
        case "log-normal":
            return np.exp(rng.normal(size=n)) - math.exp(0.5)
        case _:
            return rng.normal(size=n) * np.where(rng.random(n) < 0.05, 5, 1)


def grouped(rng: Rng, n: int, *, icc: float, sizes: str, prev: float = 0.5, shift: float = 1.5,
            ) -> Outcome:  # fmt: skip
    """``n`` groups whose rows share a part of their truth and of their noise."""
    match sizes:
        case "pairs":
            size = np.full(n, 2)
        case "tens":
            size = np.full(n, 10)
        case _:
            size = np.maximum(1, np.round(np.exp(rng.normal(1.5, 1.0, n)))).astype(int)
    g = np.repeat(np.arange(n), size)
    y = _shared(rng, g, icc) < norm.ppf(prev)
    return replace(_scored(y, shift, _shared(rng, g, icc), prev=prev), clusters=g,
                   slices={"sex": rng.choice(["f", "m"], size=len(g))})  # fmt: skip


def _shared(rng: Rng, g: NDArray[np.intp], icc: float) -> Floats:
    own = rng.normal(size=len(g))
    return math.sqrt(icc) * rng.normal(size=g[-1] + 1)[g] + math.sqrt(1 - icc) * own


def grouped_numbers(rng: Rng, n: int, *, icc: float, sizes: str) -> Outcome:
    """``n`` groups of rows with errors that are alike within a group."""
    rows = grouped(rng, n, icc=icc, sizes=sizes)
    assert rows.clusters is not None
    truth = rng.gamma(8.0, 2.0, rows.rows)
    error = _shared(rng, rows.clusters, icc)
    return Outcome(truth, values=truth + error, clusters=rows.clusters)


def in_time(rng: Rng, n: int, *, phi: float, prev: float = 0.5, shift: float = 1.5) -> Outcome:
    """``n`` rows in time order whose truth and noise remember the row before."""
    y = _remembering(rng, n, phi) < norm.ppf(prev)
    return replace(_scored(y, shift, _remembering(rng, n, phi), prev=prev), order=np.arange(n))


def numbers_in_time(rng: Rng, n: int, *, phi: float) -> Outcome:
    """``n`` numbers in time order whose errors remember the error before."""
    truth = rng.gamma(8.0, 2.0, n)
    return Outcome(truth, values=truth + _remembering(rng, n, phi), order=np.arange(n))


def _remembering(rng: Rng, n: int, phi: float) -> Floats:
    kick = rng.normal(size=n)
    kick[1:] *= math.sqrt(1 - phi**2)
    remembered: Floats = lfilter([1.0], [1.0, -phi], kick)
    return remembered


def people(rng: Rng, n: int, *, shares: tuple[float, ...], shift: tuple[float, ...]) -> Outcome:
    """Groups of people for whom the scores work differently well."""
    g = rng.choice(len(shares), size=n, p=shares)
    y = rng.random(n) < 0.4
    rows = _scored(y, 1.0, rng.normal(size=n) + (np.array(shift)[g] - 1) * y)
    return replace(rows, slices={"group": np.array(list("abcdef"))[g]})


# ---- the cases


def cases() -> Iterator[Case]:
    """Every case, method by method."""
    yield from _auc_cases()
    yield from _bootstrap_cases()
    yield from _calibration_cases()
    yield from _gap_cases()
    yield from _cluster_cases()
    yield from _block_cases()
    yield from _other_confidence_cases()
    yield from _paired_cases()


def _auc_cases() -> Iterator[Case]:
    for n in (30, 60, 150, 400, 1000, 10_000):
        for prev in (0.5, 0.1, 0.02):
            for area in (0.5, 0.8, 0.96, 0.99):
                for kind, extra in _SHAPES.items():
                    if n * prev < 3 or (n == 10_000 and kind != "normal"):
                        continue
                    shift = float(norm.ppf(area)) * math.sqrt(1 + extra.get("wide", 1.0) ** 2)
                    with_ = {"prev": prev, "shift": shift, **extra}
                    name = f"{kind}, AUC {area}, {prev:.0%} positive"
                    yield Case("DeLong, logit", "roc_auc", name, n, binary, with_)
    for n in (60, 200, 1000):
        for shares in ((0.4, 0.3, 0.3), (0.7, 0.25, 0.05)):
            with_ = {"shares": shares, "shift": 2.0}
            yield Case("DeLong, logit", "roc_auc", f"3 classes {shares}", n, three, with_)


_SHAPES: dict[str, dict[str, float]] = {
    "normal": {},
    "wide": {"wide": 3.0},
    "rounded": {"round_to": 1.0},
}


def _bootstrap_cases() -> Iterator[Case]:
    method = "BCa bootstrap"
    for n in (30, 60, 100, 200, 500, 2500, 10_000):
        for prev, shift in ((0.5, 1.5), (0.5, 4.0), (0.1, 2.0), (0.02, 2.5)):
            kind = f"{prev:.0%} positive, shift {shift}"
            with_ = {"prev": prev, "shift": shift}
            for metric in ("f1", "balanced_accuracy", "macro_f1", "brier", "log_loss",
                           "cost_per_case", "average_precision"):  # fmt: skip
                yield Case(method, metric, kind, n, binary, with_)
        for wrong in (0.005, 0.03, 0.1):
            for metric in ("f1", "brier", "log_loss", "average_precision"):
                yield Case(method, metric, f"sure, {wrong:.1%} wrong", n, sure, {"wrong": wrong})
        for shares in ((0.4, 0.3, 0.3), (0.8, 0.15, 0.05)):
            for metric in ("macro_f1", "balanced_accuracy", "brier", "log_loss"):
                with_ = {"shares": shares, "shift": 2.0}
                yield Case(method, metric, f"3 classes {shares}", n, three, with_)
        for error in ("normal", "laplace", "exponential", "student 5", "log-normal", "5 % wild"):
            for metric in ("rmse", "mae", "mape", "r2"):
                yield _of_errors(metric, error, n)


def _of_errors(metric: str, error: str, n: int, confidence: float = 0.95) -> Case:
    squared = metric in {"rmse", "r2"}
    method = f"BCa, {'squared' if squared else 'absolute'} errors"
    promised = not (squared and error in _HEAVY)
    return Case(method, metric, f"{error} errors", n, numbers, {"error": error}, confidence,
                promised=promised)  # fmt: skip


# Squared, these errors have a spread that a sample cannot show: no interval from data covers.
_HEAVY = ("student 5", "log-normal")


def _calibration_cases() -> Iterator[Case]:
    for n in (100, 400, 2000, 10_000):
        for bent in (1.0, 1.5, 3.0):
            with_ = {"prev": 0.3, "shift": 1.5, "bent": bent}
            yield Case("calibration, corrected", "ece", f"bent {bent}", n, binary, with_)
        for wrong in (0.005, 0.03, 0.1):
            with_ = {"wrong": wrong}
            yield Case("calibration, corrected", "ece", f"sure, {wrong:.1%} wrong", n, sure, with_)


def _gap_cases() -> Iterator[Case]:
    for n in (150, 600, 4000, 10_000):
        for shares in ((0.5, 0.5), (0.4, 0.3, 0.2, 0.1)):
            for shift in ((1.0,) * 4, (1.0, 1.6, 1.0, 1.0), (0.5, 1.0, 1.5, 2.0)):
                for metric in ("demographic_parity_difference", "equal_opportunity_difference",
                               "equalized_odds_difference", "accuracy_difference"):  # fmt: skip
                    with_ = {"shares": shares, "shift": shift}
                    kind = f"{len(shares)} groups, shifts {shift}"
                    yield Case("Newcombe", metric, kind, n, people, with_, by="group")


def _cluster_cases() -> Iterator[Case]:
    for n in (10, 20, 40, 100, 300, 1000):
        for icc in (0.0, 0.33, 0.8):
            for sizes in ("tens",) if n == 1000 else ("pairs", "tens", "uneven"):
                kind = f"ICC {icc}, {sizes}"
                for shift in (1.5, 4.0):
                    with_ = {"icc": icc, "sizes": sizes, "shift": shift}
                    label = f"{kind}, shift {shift}"
                    for metric in ("accuracy", "recall"):
                        yield Case("clusters, share", metric, label, n, grouped, with_)
                    for metric in ("roc_auc", "f1", "balanced_accuracy", "brier"):
                        yield Case("clusters, t", metric, label, n, grouped, with_)
                rare = {"icc": icc, "sizes": sizes, "prev": 0.1, "shift": 2.0}
                for metric in ("roc_auc", "average_precision", "log_loss"):
                    yield Case("clusters, t", metric, f"{kind}, 10% positive", n, grouped, rare)
                yield Case("clusters, t", "accuracy_difference", kind, n, grouped,
                           {"icc": icc, "sizes": sizes}, by="sex")  # fmt: skip
                for metric in ("rmse", "mae", "r2"):
                    with_ = {"icc": icc, "sizes": sizes}
                    yield Case("clusters, t", metric, kind, n, grouped_numbers, with_)


def _block_cases() -> Iterator[Case]:
    for n in (100, 300, 1000, 5000, 10_000):
        for phi in (0.0, 0.5, 0.9, 0.98):
            for shift in (1.5, 4.0):
                label = f"memory {phi}, shift {shift}"
                with_ = {"phi": phi, "shift": shift}
                for metric in ("accuracy", "recall"):
                    yield Case("blocks, share", metric, label, n, in_time, with_)
                for metric in ("roc_auc", "f1", "brier"):
                    yield Case("blocks, t", metric, label, n, in_time, with_)
            for metric in ("rmse", "mae"):
                yield Case("blocks, t", metric, f"memory {phi}", n, numbers_in_time, {"phi": phi})


def _other_confidence_cases() -> Iterator[Case]:
    """Where two or three openings share the risk, and beyond."""
    for confidence in (0.975, 0.983, 0.99):
        for n in (100, 200, 400, 2500):
            for prev in (0.3, 0.1):
                with_ = {"prev": prev, "shift": 2.0}
                for metric in ("roc_auc", "f1", "brier", "average_precision"):
                    method = "DeLong, logit" if metric == "roc_auc" else "BCa bootstrap"
                    yield Case(method, metric, f"{prev:.0%} positive", n, binary, with_, confidence)
            for error in ("normal", "laplace", "5 % wild"):
                for metric in ("mae", "rmse"):
                    yield _of_errors(metric, error, n, confidence)
            with_ = {"prev": 0.3, "shift": 1.5, "bent": 1.5}
            yield Case("calibration, corrected", "ece", "bent 1.5", n, binary, with_, confidence)
            with_ = {"shares": (0.5, 0.5), "shift": (1.0, 1.6)}
            yield Case("Newcombe", "accuracy_difference", "2 groups", n, people, with_, confidence,
                       by="group")  # fmt: skip
        for n in (20, 40, 100, 300):
            for sizes in ("tens", "uneven"):
                with_ = {"icc": 0.33, "sizes": sizes}
                for metric in ("accuracy", "roc_auc", "brier"):
                    method = "clusters, share" if metric == "accuracy" else "clusters, t"
                    yield Case(method, metric, f"ICC 0.33, {sizes}", n, grouped, with_, confidence)
        for n in (300, 1000, 5000):
            for phi in (0.5, 0.9):
                with_ = {"phi": phi}
                for metric in ("accuracy", "roc_auc", "brier"):
                    method = "blocks, share" if metric == "accuracy" else "blocks, t"
                    yield Case(method, metric, f"memory {phi}", n, in_time, with_, confidence)


def _paired_cases() -> Iterator[Case]:
    metrics = {
        "rows": ("accuracy", "recall", "roc_auc", "f1", "brier", "average_precision"),
        "sure": ("f1", "precision", "brier", "log_loss"),
        "numbers": ("mae", "rmse"),
        "blocks": ("accuracy",),
    }
    for n in (30, 100, 400, 2500, 10_000):
        for kind, asked in metrics.items():
            for metric in asked:
                for apart in (False, True):
                    name = f"{kind}, {'different' if apart else 'equal'}"
                    yield Case("paired", metric, name, n, pair, {"kind": kind, "apart": apart})


# ---- measuring


def truths(wanted: list[Case]) -> dict[str, float]:
    """Return the true value per case and metric: exact for the AUC of normal scores.

    Else the mean over four draws of 150,000 rows, shared by all cases of one kind.
    """
    kinds: dict[str, list[Case]] = {}
    for case in wanted:
        kinds.setdefault(f"{case.draw.__name__} {case.with_}", []).append(case)
    found: dict[str, float] = {}
    for kind, of in kinds.items():
        many = MANY // (40 if of[0].draw in {grouped, grouped_numbers} else 6)
        asked = {(case.metric, case.by) for case in of}
        values: dict[tuple[str, str | None], list[float]] = {one: [] for one in asked}
        for i in range(4):
            rows = of[0].outcome(np.random.default_rng([99, i]), many)
            for metric, by in asked:
                values[metric, by].append(score(metric, rows, by=by))
        for metric, by in asked:
            found[f"{kind} {metric}"] = float(np.mean(values[metric, by]))
    for case in wanted:
        if case.draw is binary and case.metric == "roc_auc" and not case.with_.get("round_to"):
            spread = math.sqrt(1 + case.with_.get("wide", 1.0) ** 2)
            found[key(case)] = float(norm.cdf(case.with_["shift"] / spread))
    return found


def key(case: Case) -> str:
    """Return what cases with one true value share."""
    return f"{case.draw.__name__} {case.with_} {case.metric}"


def measure(case: Case, *, repeats: int, truth: float) -> Line:
    """Draw ``repeats`` outcomes and count how often each bound is given and misses."""
    rng = np.random.default_rng([7, case.n, len(case.kind)])
    used = low_missed = high_missed = 0
    for i in range(repeats):
        found = interval(
            METRICS[case.metric],
            case.outcome(rng, case.n),
            confidence=case.confidence,
            seed=i,
            by=case.by,
        )
        if found.low is None or found.high is None:
            continue
        if found.method != case.method:
            message = f"{case.metric} was bounded by {found.method}, not by {case.method}"
            raise ValueError(message)
        used += 1
        low_missed += found.low > truth + 1e-12
        high_missed += found.high < truth - 1e-12
    return Line(case, repeats, used, low_missed, high_missed)


def measure_difference(case: Case, *, repeats: int) -> Line:
    """Draw pairs of predictors and count how often a bound of their difference misses."""
    rng = np.random.default_rng([11, case.n, len(case.kind)])
    difference = _true_difference(case) if case.with_["apart"] else 0.0
    used = low_missed = high_missed = 0
    for i in range(repeats):
        a, b = case.draw(rng, case.n, **case.with_)
        try:
            found = compare(case.metric, a, b, confidence=case.confidence, seed=i)
        except NotEnoughEvidence:
            continue
        if found.low is None or found.high is None:
            continue
        used += 1
        low_missed += found.low > difference + 1e-12
        high_missed += found.high < difference - 1e-12
    return Line(case, repeats, used, low_missed, high_missed)


def _true_difference(case: Case) -> float:
    many = case.draw(np.random.default_rng(99), MANY // 2, **case.with_)
    first, second = (score(case.metric, one) for one in many)
    return first - second if METRICS[case.metric].higher_is_better else second - first


def pair(rng: Rng, n: int, *, kind: str, apart: bool) -> tuple[Outcome, Outcome]:
    """Two predictors of the same rows; equally good ones differ by noise only."""
    if kind == "numbers":
        truth, shared = rng.gamma(8.0, 2.0, n), rng.laplace(size=n)
        first, second = (
            Outcome(truth, values=truth + shared + wide * rng.laplace(size=n))
            for wide in (1.0, 1.5 if apart else 1.0)
        )
        return first, second
    if kind == "sure":
        y = rng.random(n) < 0.5
        first, second = (
            _sure(rng, y, y ^ (rng.random(n) < wrong))
            for wrong in ((0.01, 0.05) if apart else (0.03, 0.03))
        )
        return first, second
    phi = 0.8 if kind == "blocks" else 0.0
    y = _remembering(rng, n, phi) < norm.ppf(0.3)
    noise = _remembering(rng, n, phi)
    first, second = (
        _scored(y, shift, 0.8 * noise + 0.6 * _remembering(rng, n, phi), prev=0.3)
        for shift in (2.0, 1.2 if apart else 2.0)
    )
    if kind == "blocks":
        return replace(first, order=np.arange(n)), replace(second, order=np.arange(n))
    return first, second


def exact_lines() -> Iterator[tuple[str, str, float, float]]:
    """Yield method, case, confidence and the exact worst coverage of methods without dice."""
    shares = (0.001, 0.005, 0.02, 0.05, 0.1, 0.35, 0.5, 0.65, 0.9, 0.95, 0.98, 0.995, 0.999)
    for confidence in (0.95, 0.99):
        for n in (5, 30, 100, 1000, 10_000):
            hits = np.arange(n + 1)
            low, high = share_bounds(hits, n, confidence=confidence)
            worst = min(
                min(float(weight[low <= p].sum()), float(weight[high >= p].sum()))
                for p in shares
                for weight in [binom.pmf(hits, n, p)]
            )
            yield "Clopper-Pearson", f"n = {n}, 13 shares", confidence, worst
        for n_a, n_b in ((20, 20), (20, 100), (30, 30), (30, 300), (100, 100), (300, 300)):
            worst = min(_gap_coverage(n_a, n_b, shares, confidence))
            yield "Newcombe", f"two groups of {n_a} and {n_b}", confidence, worst
        for percent, n in ((0.5, 30), (0.95, 200), (0.99, 500), (0.99, 10_000)):
            above = int(binom.ppf(confidence, n, percent))
            below = int(binom.ppf(1 - confidence, n, percent))
            covered = min(binom.cdf(above, n, percent), binom.sf(below - 1, n, percent))
            yield "order statistics", f"quantile {percent}, n = {n}", confidence, float(covered)


def _gap_coverage(
    n_a: int, n_b: int, shares: tuple[float, ...], confidence: float
) -> Iterator[float]:
    a, b = np.meshgrid(np.arange(n_a + 1), np.arange(n_b + 1), indexing="ij")
    low, high = difference_bounds(a, n_a, b, n_b, confidence=confidence)
    for p in shares:
        for q in shares:
            weight = np.outer(binom.pmf(a[:, 0], n_a, p), binom.pmf(b[0], n_b, q))
            yield float(weight[low <= p - q + 1e-12].sum())
            yield float(weight[high >= p - q - 1e-12].sum())


# ---- the table


def repeats_for(case: Case, repeats: int) -> int:
    """Return fewer repeats where one takes long: many rows, drawn one by one."""
    one_by_one = case.method.startswith(("BCa", "paired")) and case.n <= 2000
    return max(100, int(repeats / (1 + (case.n / 1000) * (3 if one_by_one else 0.2))))


def run(case: Case, repeats: int, truth: float) -> Line:
    """Measure one case."""
    if case.method == "paired":
        return measure_difference(case, repeats=repeats_for(case, repeats))
    return measure(case, repeats=repeats_for(case, repeats), truth=truth)


def table(lines: list[Line], exact: list[tuple[str, str, float, float]]) -> Iterator[str]:
    """Write one row per method, confidence and size."""
    yield (
        "| method | from | n | cases | used | worst coverage (of its outcomes) |"
        " wrong bounds (of all outcomes) | holds |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for method, kind, confidence, worst in exact:
        held = "yes" if worst >= confidence - SLACK - 1e-9 else "NO"
        yield f"| {method} | exact, at {confidence} | {kind} | | 100% | {worst:.3f} | | {held} |"
    kept = [x for x in lines if x.case.promised]
    yield from _rows(kept, "")
    yield from _rows([x for x in lines if not x.case.promised], "heavy-tailed, not promised: ")


def _rows(lines: list[Line], note: str) -> Iterator[str]:
    groups = sorted({(x.case.method, x.case.confidence, x.case.n) for x in lines})
    for method, confidence, n in groups:
        of = [
            x
            for x in lines
            if (x.case.method, x.case.confidence, x.case.n) == (method, confidence, n)
        ]
        used = sum(x.used for x in of) / sum(x.repeats for x in of)
        often = [x for x in of if x.used >= x.repeats / 2]
        said = "undecided in most"
        if often:
            worst = min(often, key=lambda x: x.worst)
            said = f"{worst.worst:.3f} ({worst.case.metric}, {worst.case.kind}, {worst.used})"
        wrong = max(of, key=lambda x: x.wrong)
        most = f"{wrong.wrong:.3f} ({wrong.case.metric}, {wrong.case.kind}, {wrong.repeats})"
        held = "yes" if all(x.holds for x in of) else "NO"
        yield (
            f"| {method} | {note}simulated, at {confidence} | {n} | {len(of)} | {used:.0%} | {said}"
            f" | {most if wrong.wrong else '0'} | {held} |"
        )


def domain_table() -> Iterator[str]:
    """Write where each method may be used."""
    yield (
        "| method | units at least, at 0.95 | at 0.99 | of the rarest class |"
        " that carry the figure | because below |"
    )
    yield "|---|---|---|---|---|---|"
    for d in DOMAINS.values():
        yield (
            f"| {d.method} | {d.fewest(0.95)} | {d.fewest(0.99)} | {d.rarer or ''} |"
            f" {d.effective or ''} | {d.why} |"
        )


def main(argv: list[str]) -> int:
    """Measure every case, print the table; 1 if one does not hold."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--repeats", type=int, default=600)
    reader.add_argument("--only", default="", help="part of a method's name")
    reader.add_argument("--write", action="store_true", help="rewrite docs/coverage.md")
    asked = reader.parse_args(argv)
    started = time.perf_counter()
    lines = _measured([case for case in cases() if asked.only in case.method], asked.repeats)
    exact = [line for line in exact_lines() if asked.only in line[0]]
    text = "\n".join(table(lines, exact))
    print(text)
    bad = [x for x in lines if not x.holds and x.case.promised]
    for x in bad:
        print(_missed(x))
    bad_exact = [x for x in exact if x[3] < x[2] - SLACK - 1e-9]
    print(f"{len(lines)} simulated and {len(exact)} exact cases,"
          f" {time.perf_counter() - started:.0f} s")  # fmt: skip
    if asked.write:
        _write(text, asked.repeats)
    return 1 if bad or bad_exact else 0


def _measured(wanted: list[Case], repeats: int) -> list[Line]:
    """Measure all cases; what an interrupted run of the same code has measured is kept."""
    kept = _kept()
    new = [case for case in wanted if _name(case, repeats) not in kept]
    print(f"{len(wanted)} cases, {len(wanted) - len(new)} measured before", file=sys.stderr)
    true = truths([case for case in new if case.method != "paired"])
    KEPT.parent.mkdir(exist_ok=True)
    with ProcessPoolExecutor(max_workers=2) as pool, KEPT.open("a", encoding="utf-8") as file:
        each = [true.get(key(case), math.nan) for case in new]
        found = pool.map(run, new, [repeats] * len(new), each)
        for done, line in enumerate(found, start=1):
            name = _name(line.case, repeats)
            counted = [int(one) for one in (line.repeats, *line[2:])]  # NumPy counts, too
            file.write(json.dumps({"code": CODE, "case": name, "counted": counted}) + "\n")
            file.flush()
            kept[name] = counted
            if not line.holds:
                print(_missed(line), file=sys.stderr, flush=True)
            if done % 50 == 0:
                print(f"{done} of {len(new)} cases", file=sys.stderr, flush=True)
    return [Line(case, *kept[_name(case, repeats)]) for case in wanted]


def _kept() -> dict[str, list[int]]:
    if not KEPT.exists():
        return {}
    found = (json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines())
    return {one["case"]: one["counted"] for one in found if one["code"] == CODE}


def _name(case: Case, repeats: int) -> str:
    parts = (case.method, case.metric, case.kind, case.n, case.confidence, repeats)
    return " | ".join(str(part) for part in parts)


def _missed(line: Line) -> str:
    c = line.case
    return (
        f"MISSED {c.method}{'' if c.promised else ' (not promised)'}: {c.metric}, {c.kind},"
        f" n = {c.n}, at {c.confidence}: used {line.used} of {line.repeats},"
        f" low missed {line.low_missed}, high missed {line.high_missed}"
    )


def _write(text: str, repeats: int) -> None:
    page = HERE.parent / "docs" / "coverage.md"
    head = page.read_text(encoding="utf-8").split("<!-- figures -->")[0]
    body = "\n".join(domain_table())
    page.write_text(
        f"{head}<!-- figures -->\n\n## Where each method may be used\n\n{body}\n\n"
        f"## What was measured\n\n{repeats} outcomes per case, fewer of many rows (never fewer"
        f" than 100); how many stands behind each figure.\n\n{text}\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

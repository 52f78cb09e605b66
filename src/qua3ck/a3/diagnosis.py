"""After the search: what is wrong with the candidate, and which of the three A's would help now.

Features before tuning before complexity: more trials cannot cure a table that does not
hold the answer, and a larger model cannot cure either.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qua3ck.a3.adapt import worth_telling
from qua3ck.a3.folds import Fold, random_folds
from qua3ck.a3.records import Score
from qua3ck.a3.tuning import Record, within_one_error
from qua3ck.a3.validation import Bench, Checked, Scored, check, predict, score_checked
from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.kit.findings import Finding

if TYPE_CHECKING:
    from qua3ck.a3.algorithms import Algorithm
    from qua3ck.a3.baseline import Guess
    from qua3ck.a3.records import Influence
    from qua3ck.question import Outcome

GAP = 0.03
CARRIES = 0.4  # of the gain over the baseline
LEADS = 3.0  # times the next column's influence
_SHARES = (0.2, 0.4, 0.6, 0.8)
_SEEDS = 5
_RANDOM = "random_state"
_EARLIER = {
    "independent": "",
    "grouped": "",
    "time": " In time order the outcomes before, as far as they are known by then, often do.",
}


@dataclass(frozen=True)
class Diagnosis:
    """What the candidate shows beyond its score; numbers in the objective's unit.

    ``curve`` has (training rows, training score, validation score); ``optimistic`` is the
    score on a random split; ``seed_sd`` the spread over five seeds of the estimator.
    """

    train_score: float
    honest: float
    optimistic: float
    seed_sd: float
    curve: tuple[tuple[int, float, float], ...]
    gain: Score


def diagnose(
    bench: Bench,
    algorithm: Algorithm,
    record: Record,
    checked: Checked,
    baseline: Outcome,
    *,
    small: Bench,
) -> Diagnosis:
    """Look at the candidate from all sides.

    Parameters
    ----------
    bench : Bench
        All training rows.
    algorithm, record : Algorithm, Record
        The chosen configuration.
    checked : Checked
        Its predictions on validation rows, with the fitted pipelines.
    baseline : Outcome
        The baseline on the same rows, in the same order.
    small : Bench
        The rows that trials used, for what needs many fits.
    """
    from qua3ck.a3.validation import labelled

    scored = score_checked(bench, checked)
    mine = bench.outcome(checked.positions, labelled(bench, checked))
    train = _train_scores(bench, checked)
    return Diagnosis(
        train_score=statistics.fmean(train) if train else scored.value,
        honest=scored.value,
        optimistic=_optimistic(bench, algorithm, record, scored.value, small=small),
        seed_sd=_seed_spread(_few(small), algorithm, record, model=checked.models[-1]),
        curve=_curve(_few(small), algorithm, record),
        gain=gain_over(bench, mine, baseline),
    )


def gain_over(bench: Bench, mine: Outcome, other: Outcome) -> Score:
    """Return how much better the candidate is on the same validation rows, with bounds.

    Told in the objective, unless a constant answer has that for nothing (``Bench.telling``).
    """
    from qua3ck.question import compare

    kpi = bench.leading
    try:
        found = compare(
            bench.telling.name,
            mine,
            other,
            confidence=kpi.confidence if kpi else 0.95,
            seed=bench.seed,
        )
    except NotEnoughEvidence:
        return Score(0.0)
    return Score(found.difference, found.low, found.high)


def findings(
    bench: Bench,
    diagnosis: Diagnosis,
    record: Record,
    records: Sequence[Record],
    *,
    tuned_rows: int,
    rule: Score | None,
    baseline: Scored,
    influences: Sequence[Influence] = (),
) -> tuple[Finding, ...]:
    """Return what is to be said about the candidate and how it was found."""
    listed = (
        *_about_fit(bench, diagnosis),
        *_about_gain(bench, diagnosis, rule),
        *_about_columns(bench, diagnosis, influences),
        *_about_search(record, records),
        *_about_order(bench, baseline, records),
    )
    total = len(bench.rows)
    if tuned_rows < total:
        part = Finding(
            "A006",
            "inform",
            f"a3, {tuned_rows} of {total} training rows",
            f"Trials used {tuned_rows} of {total} training rows; the candidate was then "
            "checked and fitted on all of them.",
            {"rows": tuned_rows, "of": total},
        )
        return (*listed, part)
    return listed


def next_step(bench: Bench, diagnosis: Diagnosis, record: Record, records: Sequence[Record]) -> str:
    """Return which of the three A's, or which data, would help most now, and why."""
    done = [one for one in records if one.state == "complete"]
    kpi = bench.leading
    gap = _kpi_gap(bench, diagnosis)
    if kpi is not None and gap <= 0 and diagnosis.gain.low is not None and diagnosis.gain.low > 0:
        return (
            f"Enough: {kpi.id} meets its threshold on validation rows. Conclude; a more complex "
            "model would have to earn its keep."
        )
    slope = _slope(bench, diagnosis)
    tuned = _tuning_gain(bench, record, done)
    spread = _algorithm_spread(bench, done)
    noise = max(diagnosis.seed_sd, _fold_error(record))
    if diagnosis.gain.low is None or diagnosis.gain.low <= 0:
        return (
            "Adapt features: no candidate beats the baseline beyond doubt, so the columns do not "
            "hold the answer yet. Tuning cannot put it there." + _EARLIER[bench.snapshot.order]
        )
    if slope > noise / 2:
        return (
            f"More rows: validation still rose by {slope:.3g} with the last fifth of the training "
            "rows. After that adapt features."
        )
    if tuned <= noise and spread <= noise:
        return (
            f"Adapt features: tuning brought {tuned:.3g} and the best algorithms differ by "
            f"{spread:.3g}, both within noise ({noise:.3g}). New columns would help most."
        )
    if spread > tuned:
        return (
            f"Algorithm: the best one leads the next by {spread:.3g}, more than tuning brought "
            f"({tuned:.3g}). Try others of its kind."
        )
    return (
        f"Adjust hyperparameters: tuning brought {tuned:.3g} so far. A larger budget may bring "
        "more; adapt features first where you can."
    )


def _train_scores(bench: Bench, checked: Checked) -> list[float]:
    """Return the objective on the rows each fold's pipeline was fitted on."""
    found = (
        _score_on(bench, checked, model, fold)
        for model, fold in zip(checked.models, bench.folds, strict=True)
    )
    return [value for value in found if value is not None]


def _score_on(bench: Bench, checked: Checked, model: object, fold: Fold) -> float | None:
    from qua3ck.a3.validation import final_threshold
    from qua3ck.question import score
    from qua3ck.store.releases import prelude

    guess: Guess = predict(bench, model, bench.prepared.iloc[fold.train])
    if guess.scores is not None:
        spec = {**bench.spec, "threshold": final_threshold(bench, checked)}
        guess = replace(guess, labels=prelude.decide(guess.scores, spec))
    try:
        return score(bench.metric, bench.outcome(fold.train, guess))
    except NotEnoughEvidence:
        return None


def _optimistic(
    bench: Bench, algorithm: Algorithm, record: Record, honest: float, *, small: Bench
) -> float:
    """Return the score on random folds; the honest one where rows are independent anyway."""
    if bench.snapshot.order == "independent":
        return honest
    made = random_folds(bench.snapshot, bench.rows, count=len(small.folds), seed=bench.seed)
    return _score(bench.on(_as_large(made, small, seed=bench.seed)), algorithm, record) or honest


def _as_large(folds: tuple[Fold, ...], like: Bench, *, seed: int) -> tuple[Fold, ...]:
    from qua3ck.a3.folds import thin

    largest = max(len(fold.train) + len(fold.check) for fold in like.folds)
    return thin(folds, rows=largest, seed=seed, forward=False)


def _few(bench: Bench) -> Bench:
    """Return the last two folds: enough for what is repeated many times."""
    return bench.on(bench.folds[-2:])


def _seed_spread(bench: Bench, algorithm: Algorithm, record: Record, *, model: Any) -> float:
    """Return the standard deviation over five seeds of the estimator, the data kept."""
    if not any(name.split("__")[-1] == _RANDOM for name in model[-1].get_params()):
        return 0.0
    values = [_score(bench, algorithm, record, seed=bench.seed + step) for step in range(_SEEDS)]
    defined = [value for value in values if value is not None]
    return statistics.stdev(defined) if len(defined) > 1 else 0.0


def _curve(
    bench: Bench, algorithm: Algorithm, record: Record
) -> tuple[tuple[int, float, float], ...]:
    """Return training and validation score for five sizes of the training part."""
    points = []
    for share in (*_SHARES, 1.0):
        part = bench.on(_shortened(bench, share))
        checked = _checked(part, algorithm, record)
        if checked is None:
            continue
        train = _train_scores(part, checked)
        rows = round(statistics.fmean(len(fold.train) for fold in part.folds))
        if train:
            value = score_checked(part, checked).value
            points.append((rows, statistics.fmean(train), value))
    return tuple(points)


def _shortened(bench: Bench, share: float) -> tuple[Fold, ...]:
    """Return the folds with a share of their training rows: the latest, or any at random."""
    import numpy as np

    made = []
    rng = np.random.default_rng(bench.seed)
    for fold in bench.folds:
        count = max(2, round(len(fold.train) * share))
        order = np.arange(len(fold.train))
        if bench.snapshot.order != "time":
            order = rng.permutation(len(fold.train))
        made.append(Fold(fold.train[np.sort(order[-count:])], fold.check))
    return tuple(made)


def _score(
    bench: Bench, algorithm: Algorithm, record: Record, *, seed: int | None = None
) -> float | None:
    checked = _checked(bench, algorithm, record, seed=seed, keep=False)
    return None if checked is None else score_checked(bench, checked).value


def _checked(
    bench: Bench,
    algorithm: Algorithm,
    record: Record,
    *,
    seed: int | None = None,
    keep: bool = True,
) -> Checked | None:
    """Return predictions, None where this part of the rows cannot train the model."""
    from qua3ck.kit.errors import Qua3ckError

    try:
        return check(bench, algorithm, record.params, seed=seed, keep=keep)
    except (Qua3ckError, ValueError):
        return None  # such as 12 neighbours in a part of 10 rows: the point is left out


def _scale(bench: Bench, diagnosis: Diagnosis) -> float:
    """Return what a gap is measured in: 1 for metrics from 0 to 1, else the honest score."""
    bounded = bench.metric.low == 0 and bench.metric.high == 1
    return 1.0 if bounded else max(abs(diagnosis.honest), 1e-12)


def _about_fit(bench: Bench, diagnosis: Diagnosis) -> list[Finding]:
    found = []
    scale = _scale(bench, diagnosis)
    gap = bench.sign * (diagnosis.train_score - diagnosis.honest) / scale
    name = bench.objective
    if gap > GAP:
        found.append(
            Finding(
                "A001",
                "warn",
                f"a3, {name}",
                f"Training {diagnosis.train_score:.4g}, validation {diagnosis.honest:.4g}: the "
                "model knows its training rows better than new ones. More rows, fewer columns or "
                "a simpler model would close the gap.",
                {"train": diagnosis.train_score, "validation": diagnosis.honest, "gap": gap},
            )
        )
    slope = _slope(bench, diagnosis)
    if slope / scale > GAP / 3:
        found.append(
            Finding(
                "A002",
                "inform",
                f"a3, {name}",
                f"Validation still rose by {slope:.3g} with the last fifth of the training rows.",
                {"curve": [list(point) for point in diagnosis.curve]},
            )
        )
    rosy = bench.sign * (diagnosis.optimistic - diagnosis.honest) / scale
    if bench.snapshot.order != "independent":
        found.append(
            Finding(
                "A003",
                "warn" if rosy > GAP else "inform",
                f"a3, {name}, order: {bench.snapshot.order}",
                f"A random split would say {diagnosis.optimistic:.4g}; folds that follow the "
                f"declared split say {diagnosis.honest:.4g}. The second one is to be expected.",
                {"optimistic": diagnosis.optimistic, "honest": diagnosis.honest},
            )
        )
    return found


def _about_gain(bench: Bench, diagnosis: Diagnosis, rule: Score | None) -> list[Finding]:
    found = []
    gain = diagnosis.gain
    if gain.low is None or gain.low <= 0:
        bound = "no bound" if gain.low is None else f"bound {gain.low:.3g}"
        unit = f" in {bench.telling.name}" if bench.telling is not bench.metric else ""
        worse = gain.high is not None and gain.high < 0
        found.append(
            Finding(
                "A004",
                "warn",
                f"a3, {bench.objective}",
                f"On validation rows the gain over the naive baseline is {gain.value:.3g}{unit} "
                f"({bound}): {'it is worse' if worse else 'it could be nothing'}.",
                {"gain": gain.value, "low": gain.low, "high": gain.high},
            )
        )
    elif diagnosis.seed_sd > gain.value / 2 and bench.telling is bench.metric:
        found.append(
            Finding(
                "A005",
                "warn",
                f"a3, {bench.objective}",
                f"Seeds alone move the score by {diagnosis.seed_sd:.3g}, more than half of the "
                f"gain over the baseline ({gain.value:.3g}).",
                {"seed_sd": diagnosis.seed_sd, "gain": gain.value},
            )
        )
    if rule is not None and (rule.low is None or rule.low <= 0):
        found.append(
            Finding(
                "A016",
                "warn",
                "a3.rule",
                f"The gain over your one-line rule is {rule.value:.3g} and could be nothing: the "
                "rule may do, without a model.",
                {"gain": rule.value, "low": rule.low, "high": rule.high},
            )
        )
    return found


def _about_columns(
    bench: Bench, diagnosis: Diagnosis, influences: Sequence[Influence]
) -> list[Finding]:
    """Ask about a column that carries the model: often it is known only afterwards."""
    if not influences or bench.telling is not bench.metric:
        return []
    first, rest = influences[0], max([one.drop for one in influences[1:]], default=0.0)
    gain = diagnosis.gain.value
    carries = first.low > 0 and first.drop >= CARRIES * gain and first.drop >= LEADS * rest
    if gain <= 0 or not carries:
        return []
    return [
        Finding(
            "A021",
            "warn",
            f"a3, column {first.column}",
            f"{first.column} carries the model: shuffled, it costs {first.drop:.3g} of the gain of "
            f"{gain:.3g} over the baseline, the next column {rest:.3g}. Is it known when the "
            "prediction is made? If not, exclude it under known_at_prediction.",
            {"column": first.column, "drop": first.drop, "gain": gain, "next": rest},
        )
    ]


def _about_search(record: Record, records: Sequence[Record]) -> list[Finding]:
    found = []
    failed = [one for one in records if one.state == "failed"]
    if failed:
        kinds = sorted({f"{one.algorithm}: {one.why}" for one in failed})
        found.append(
            Finding(
                "A009",
                "warn",
                f"a3, {len(failed)} of {len(records)} trials",
                f"{len(failed)} trials failed. {kinds[0]}",
                {"failed": len(failed), "reasons": kinds[:5]},
            )
        )
    said = worth_telling(record.said)  # a log of an earlier version may hold more
    if said:
        found.append(
            Finding(
                "A007",
                "inform",
                f"a3, {record.algorithm}",
                f"A library warned while the candidate was fitted: {said[0][:160]}",
                {"warnings": len(said)},
            )
        )
    if record.violation > 0:
        found.append(
            Finding(
                "A015",
                "warn",
                f"a3, {len(records)} trials",
                "No trial met every promise on validation rows; the nearest one was kept.",
                {"violation": record.violation, "scores": dict(record.scores)},
            )
        )
    return found


def _about_order(bench: Bench, baseline: Scored, records: Sequence[Record]) -> list[Finding]:
    """Warn where hyperparameters were searched although the features hold nothing yet."""
    if bench.telling is not bench.metric:
        return []  # "yes" to everybody has the best recall there is, and it means nothing
    first = {one.algorithm: one for one in reversed(records) if one.state == "complete"}
    best = max((_worth(bench, one) for one in first.values()), default=None)
    if best is None or len(records) <= len(first) or best > bench.sign * baseline.value:
        return []
    return [
        Finding(
            "A008",
            "warn",
            f"a3, {len(first)} algorithms, {len(records)} trials",
            "No untuned candidate is better than the naive baseline: features come before tuning.",
            {"best_untuned": bench.sign * best, "baseline": baseline.value},
        )
    ]


def _kpi_gap(bench: Bench, diagnosis: Diagnosis) -> float:
    """Return how much the leading KPI misses its threshold by; 0 or less if it meets it."""
    kpi = bench.leading
    return 0.0 if kpi is None else bench.sign * (kpi.threshold - diagnosis.honest)


def _slope(bench: Bench, diagnosis: Diagnosis) -> float:
    if len(diagnosis.curve) < 2:
        return 0.0
    return bench.sign * (diagnosis.curve[-1][2] - diagnosis.curve[-2][2])


def _tuning_gain(bench: Bench, record: Record, done: Sequence[Record]) -> float:
    """Return what the search brought over the first default of the chosen algorithm."""
    same = [one for one in done if one.algorithm == record.algorithm]
    if not same or record.value is None or same[0].value is None:
        return 0.0
    return bench.sign * (record.value - same[0].value)


def _algorithm_spread(bench: Bench, done: Sequence[Record]) -> float:
    """Return by how much the best algorithm leads the next, each at its best."""
    best: dict[str, Record] = {}
    for one in done:
        known = best.get(one.algorithm)
        if known is None or _worth(bench, one) > _worth(bench, known):
            best[one.algorithm] = one
    ranked = sorted(best.values(), key=lambda one: -_worth(bench, one))
    if len(ranked) < 2 or within_one_error(ranked[1], ranked[0], sign=bench.sign):
        return 0.0
    return _worth(bench, ranked[0]) - _worth(bench, ranked[1])


def _worth(bench: Bench, record: Record) -> float:
    return bench.sign * (record.value if record.value is not None else 0.0)


def _fold_error(record: Record) -> float:
    defined = [value for value in record.folds if value is not None]
    return statistics.stdev(defined) / len(defined) ** 0.5 if len(defined) > 1 else 0.0

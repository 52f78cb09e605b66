"""Fit on the training part of each fold, predict its other part, and score what came out.

Everything that the loop compares goes through here: trials, baseline, rule, diagnosis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qua3ck.a3.baseline import Guess, class_names, telling_metric
from qua3ck.a3.folds import Fold, moments
from qua3ck.a3.threshold import HALF, choose_threshold
from qua3ck.kit.errors import NotEnoughEvidence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from qua3ck.a3.algorithms import Algorithm
    from qua3ck.question import Metric, Outcome
    from qua3ck.question.records import Kpi, Question
    from qua3ck.understand.records import Snapshot

Watch = Callable[[tuple[float, ...]], bool]
_PREDICTED = ("labels", "scores", "values")
_STAND_IN = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


@dataclass(frozen=True)
class Bench:
    """The training rows with their truth and folds: what every trial is held against.

    ``prepared`` is what the prelude makes of ``rows``; ``truth`` holds class names, or floats.
    """

    question: Question
    snapshot: Snapshot
    rows: pd.DataFrame
    prepared: pd.DataFrame
    spec: Mapping[str, Any]
    truth: NDArray[Any]
    folds: tuple[Fold, ...]
    seed: int
    adapt: Callable[[Any], Any] | None = None

    def on(self, folds: tuple[Fold, ...]) -> Bench:
        """Return the same bench with other folds."""
        return replace(self, folds=folds)

    @property
    def leading(self) -> Kpi | None:
        """The first KPI that is about predictions; None if all are about time and size."""
        listed = (kpi for kpi in self.question.kpis if _metric(kpi.metric).needs in _PREDICTED)
        return next(listed, None)

    @property
    def metric(self) -> Metric:
        """The search objective: the leading KPI's metric, or a proper score in its place."""
        kpi = self.leading
        return _metric(kpi.metric if kpi else _STAND_IN[self.snapshot.task])

    @property
    def objective(self) -> str:
        """The id under which the objective is reported: the leading KPI's, else the metric."""
        return self.leading.id if self.leading else self.metric.name

    @property
    def telling(self) -> Metric:
        """What a gain over the naive baseline is told in: the objective where it can tell."""
        return _metric(telling_metric(self.metric.name, self.question.costs))

    @property
    def sign(self) -> float:
        """1 where more is better, else -1."""
        return 1.0 if self.metric.higher_is_better else -1.0

    def outcome(self, positions: NDArray[np.intp], guess: Guess) -> Outcome:
        """Return truth and prediction of some rows, with what tells rows apart."""
        from qua3ck.question import Outcome

        shot = self.snapshot
        part = self.rows.iloc[positions]
        grouped = shot.order == "grouped" and shot.cluster in part.columns
        return Outcome(
            truth=self.truth[positions],
            labels=guess.labels,
            scores=guess.scores,
            values=guess.values,
            classes=shot.classes,
            positive=shot.positive,
            clusters=part[shot.cluster].to_numpy() if grouped else None,
            order=moments(shot, self.rows)[positions] if shot.order == "time" else None,
            slices={name: part[name].to_numpy() for name in self._slice_columns()},
            costs=self.question.costs,
        )

    def _slice_columns(self) -> list[str]:
        named = [gap.by for gap in self.question.fairness]
        named += [column for kpi in self.question.kpis for column in (kpi.slice or {})]
        return [name for name in dict.fromkeys(named) if name in self.rows.columns]


@dataclass(frozen=True)
class Checked:
    """Predictions for rows that were not trained on, one fold after the other.

    ``positions`` (n,) are the rows, ``fold`` (n,) the fold each belongs to. ``guess`` has
    probabilities or values; labels are decided by :func:`labelled`.
    """

    positions: NDArray[np.intp]
    fold: NDArray[np.intp]
    guess: Guess
    latency_ms: float
    size_mb: float
    explainable: bool
    said: tuple[str, ...] = ()
    models: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Scored:
    """What a configuration reaches on validation rows.

    Attributes
    ----------
    value : float
        Mean of the objective over folds, in the metric's own direction.
    folds : tuple of float
        The objective per fold; NaN where it is not defined there.
    by_kpi : mapping
        KPI id to its value over all validation rows.
    violation : float
        Sum of relative shortfalls of the other KPIs and fairness gaps; 0 if all are met.
    log_loss : float or None
        Of the probabilities over all validation rows; None for a regression.
    """

    value: float
    folds: tuple[float, ...]
    by_kpi: Mapping[str, float]
    violation: float
    log_loss: float | None = None


def make_bench(
    question: Question,
    snapshot: Snapshot,
    rows: pd.DataFrame,
    folds: tuple[Fold, ...],
    *,
    seed: int,
    adapt: Callable[[Any], Any] | None,
) -> Bench:
    """Return the bench for a snapshot's training rows; the prelude runs here, once."""
    import numpy as np

    from qua3ck.a3.adapt import prelude_spec
    from qua3ck.store.releases import prelude

    spec = prelude_spec(snapshot)
    target = rows[snapshot.target]
    truth = (
        target.to_numpy(dtype=np.float64) if snapshot.task == "regression" else class_names(target)
    )
    prepared = prelude.prepare(rows, spec)
    return Bench(question, snapshot, rows, prepared, spec, truth, folds, seed, adapt)


def train(
    bench: Bench,
    algorithm: Algorithm,
    params: Mapping[str, Any],
    positions: NDArray[np.intp],
    *,
    seed: int | None = None,
) -> tuple[Any, tuple[str, ...]]:
    """Return a pipeline fitted on some rows, and what the libraries had to say.

    It predicts on one thread: a forest adds up its trees in the order its threads finish,
    and a sum in another order differs in the last bit.
    """
    from qua3ck.a3.adapt import build_pipeline, fit

    pipeline = build_pipeline(
        bench.spec,
        algorithm,
        params,
        bench.seed if seed is None else seed,
        adapt=bench.adapt,
        sample=bench.prepared.head(50) if bench.adapt else None,
    )
    said = fit(pipeline, bench.prepared.iloc[positions], bench.truth[positions])
    threads = [name for name in pipeline.get_params() if name.split("__")[-1] == "n_jobs"]
    pipeline.set_params(**dict.fromkeys(threads, 1))
    return pipeline, said


def predict(bench: Bench, pipeline: Any, prepared: pd.DataFrame) -> Guess:
    """Return a fitted pipeline's probabilities or values for prepared rows."""
    from qua3ck.a3.adapt import scores, values

    if bench.snapshot.task == "regression":
        return Guess(values=values(pipeline, prepared))
    return Guess(scores=scores(pipeline, prepared, bench.spec))


def check(
    bench: Bench,
    algorithm: Algorithm,
    params: Mapping[str, Any],
    *,
    seed: int | None = None,
    keep: bool = False,
    watch: Watch | None = None,
) -> Checked | None:
    """Fit and predict fold by fold; None if ``watch`` ended it early.

    Parameters
    ----------
    bench : Bench
        Rows and folds.
    algorithm, params : Algorithm, mapping
        The configuration.
    seed : int, optional
        The estimator's; the bench's by default.
    keep : bool, default False
        Whether the fitted pipelines stay in the answer.
    watch : callable, optional
        Given the objective of the folds so far; True ends the trial.
    """
    import numpy as np

    from qua3ck.a3.algorithms import latency_proxy_ms, size_proxy_mb

    guesses: list[Guess] = []
    models: list[Any] = []
    said: list[str] = []
    latency = size = 0.0
    for at, fold in enumerate(bench.folds):
        pipeline, words = train(bench, algorithm, params, fold.train, seed=seed)
        said += words
        guesses.append(predict(bench, pipeline, bench.prepared.iloc[fold.check]))
        if at == len(bench.folds) - 1:
            grows = len(bench.rows) / len(fold.train) if algorithm.keeps_rows else 1.0
            latency, size = latency_proxy_ms(pipeline) * grows, size_proxy_mb(pipeline) * grows
        if keep:
            models.append(pipeline)
        if watch is not None and at < len(bench.folds) - 1:
            so_far = _joined(bench, guesses, algorithm)
            if watch(_fold_values(bench, so_far, _labelled(bench, so_far))):
                return None
    joined = _joined(bench, guesses, algorithm)
    return replace(
        joined,
        latency_ms=float(np.round(latency, 6)),
        size_mb=float(np.round(size, 6)),
        said=tuple(dict.fromkeys(said)),
        models=tuple(models),
    )


def score_checked(bench: Bench, checked: Checked) -> Scored:
    """Return what a checked configuration reaches, limits included.

    Raises
    ------
    NotEnoughEvidence
        If the objective is not defined on these rows at all.
    """
    return score_guess(
        bench,
        checked,
        labelled(bench, checked),
        latency_ms=checked.latency_ms,
        size_mb=checked.size_mb,
        explainable=checked.explainable,
    )


def score_guess(
    bench: Bench,
    checked: Checked,
    guess: Guess,
    *,
    latency_ms: float,
    size_mb: float,
    explainable: bool,
) -> Scored:
    """Return what a decided prediction of the checked rows reaches."""
    import numpy as np

    from qua3ck.question import score

    measured = replace(
        bench.outcome(checked.positions, guess),
        latencies_ms=np.array([latency_ms]),
        size_mb=size_mb,
        explainable=explainable,
    )
    folds = _fold_values(bench, checked, guess)
    defined = [value for value in folds if value == value]  # noqa: PLR0124 - NaN differs from itself
    value = float(np.mean(defined)) if defined else score(bench.metric, measured)
    return Scored(
        value,
        folds,
        _by_kpi(bench, measured),
        _violation(bench, measured),
        score("log_loss", measured) if measured.scores is not None else None,
    )


def labelled(bench: Bench, checked: Checked) -> Guess:
    """Return the prediction with labels, each fold decided by a threshold from the others."""
    return _labelled(bench, checked)


def final_threshold(bench: Bench, checked: Checked) -> float:
    """Return the decision threshold that ships, chosen on all checked rows."""
    import numpy as np

    if bench.snapshot.task != "binary":
        return HALF
    return _threshold(bench, checked, np.ones(len(checked.positions), dtype=bool))


def _joined(bench: Bench, guesses: list[Guess], algorithm: Algorithm) -> Checked:
    import numpy as np

    folds = bench.folds[: len(guesses)]
    numbers = np.concatenate([guess.numbers for guess in guesses])
    regression = bench.snapshot.task == "regression"
    guess = Guess(values=numbers) if regression else Guess(scores=numbers)
    return Checked(
        positions=np.concatenate([fold.check for fold in folds]),
        fold=np.repeat(np.arange(len(folds)), [len(fold.check) for fold in folds]),
        guess=guess,
        latency_ms=0.0,
        size_mb=0.0,
        explainable=algorithm.explainable,
    )


def _labelled(bench: Bench, checked: Checked) -> Guess:
    import numpy as np

    from qua3ck.store.releases import prelude

    scores = checked.guess.scores
    if scores is None:
        return checked.guess
    if bench.snapshot.task != "binary":
        return Guess(labels=prelude.decide(scores, bench.spec), scores=scores)
    labels = np.empty(len(scores), dtype=object)
    for fold in range(int(checked.fold.max()) + 1):
        own = checked.fold == fold
        others = ~own if (~own).any() else own
        spec = {**bench.spec, "threshold": _threshold(bench, checked, others)}
        labels[own] = prelude.decide(scores[own], spec)
    return Guess(labels=labels, scores=scores)


def _threshold(bench: Bench, checked: Checked, part: NDArray[np.bool_]) -> float:
    shot = bench.snapshot
    scores = checked.guess.scores
    if scores is None:
        return HALF
    positive = bench.truth[checked.positions[part]] == shot.positive
    chance = scores[part, shot.classes.index(shot.positive)]
    return choose_threshold(bench.question, positive, chance)


def _fold_values(bench: Bench, checked: Checked, guess: Guess) -> tuple[float, ...]:
    from qua3ck.question import score

    outcome = bench.outcome(checked.positions, guess)
    values = []
    for fold in range(int(checked.fold.max()) + 1):
        try:
            values.append(score(bench.metric, outcome.take(checked.fold == fold)))
        except NotEnoughEvidence:
            values.append(float("nan"))  # such as an AUC where the fold has one class only
    return tuple(values)


def _by_kpi(bench: Bench, outcome: Outcome) -> dict[str, float]:
    found: dict[str, float] = {}
    for kpi in bench.question.kpis:
        predicted = _metric(kpi.metric).needs in _PREDICTED
        value = kpi_value(kpi, outcome) if predicted else None
        if value is not None:
            found[kpi.id] = value
    if bench.leading is None:
        from qua3ck.question import score

        found[bench.objective] = score(bench.metric, outcome)
    return found


def kpi_value(kpi: Kpi, outcome: Outcome) -> float | None:
    """Return a KPI's value on its slice, None where it is not defined on these rows."""
    import numpy as np

    from qua3ck.question import score
    from qua3ck.question.outcome import names_of

    part = outcome
    if kpi.slice:
        inside = np.ones(outcome.rows, dtype=bool)
        for column, wanted in kpi.slice.items():
            if column not in outcome.slices:
                return None
            inside &= names_of(outcome.slices[column]) == str(wanted)
        part = replace(outcome.take(inside), latencies_ms=outcome.latencies_ms)
    try:
        return score(kpi.metric, part)
    except NotEnoughEvidence:
        return None


def _violation(bench: Bench, outcome: Outcome) -> float:
    """Return by how much the promises besides the objective are missed, relative to each."""
    from qua3ck.question import score

    total = 0.0
    for kpi in bench.question.kpis:
        value = None if kpi is bench.leading else kpi_value(kpi, outcome)
        if value is not None:
            worth = 1.0 if kpi.direction == "at_least" else -1.0
            total += _short(worth * (kpi.threshold - value), kpi.threshold)
    for gap in bench.question.fairness:
        try:
            value = score(gap.metric, outcome, by=gap.by)
        except (NotEnoughEvidence, KeyError):
            continue  # a gap that cannot be computed here is judged on the sealed rows
        total += _short(value - gap.at_most, gap.at_most)
    return round(total, 9)


def _short(missing: float, threshold: float) -> float:
    return max(missing, 0.0) / max(abs(threshold), 1e-6)


def _metric(name: str) -> Metric:
    from qua3ck.question import metric

    return metric(name, where="question.kpis")

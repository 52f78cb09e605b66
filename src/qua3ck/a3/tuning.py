"""The search: good defaults of every algorithm first, then Optuna, within the budget.

The log of trials is the only state. Each proposal is computed from the log alone, by a
sampler seeded with the number of trials in it; so a search that was killed at any moment
goes on as if nothing had happened, and ends with the very same trials.
"""

from __future__ import annotations

import json
import math
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.a3.validation import Bench, Checked, Scored, check, score_checked
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import as_json

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

    from qua3ck.a3.algorithms import Algorithm
    from qua3ck.a3.section import Budget

State = Literal["complete", "pruned", "failed"]
_SEED_STEP = 100_003
_OTHER_SEED = 7_919
_TRIES = 8
_PRUNE_AFTER = 4
_WORST = -1e9


@dataclass(frozen=True)
class Record:
    """One line of the log; numbers follow the order in which the sampler saw them.

    ``folds`` holds the objective of the folds that were computed, None where it is not
    defined; ``value`` their mean. ``why`` says how a trial failed, ``said`` what the
    libraries warned of.
    """

    number: int
    algorithm: str
    params: Mapping[str, Any]
    state: State
    value: float | None = None
    folds: tuple[float | None, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    violation: float = 0.0
    latency_ms: float = 0.0
    size_mb: float = 0.0
    why: str = ""
    said: tuple[str, ...] = ()
    log_loss: float | None = None

    @property
    def feasible(self) -> bool:
        """Whether every promise besides the objective is met on validation rows."""
        return self.state == "complete" and self.violation == 0.0


class TrialLog:
    """The trials of one loop, a line each, on the disk before the next one begins."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Record]:
        """Return the finished trials; the half line that a kill left is cut off."""
        from qua3ck.kit.records import from_json

        if not self.path.exists():
            return []
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            with self.path.open("r+b") as handle:
                handle.truncate(len(whole))
        return [from_json(Record, json.loads(line)) for line in whole.splitlines()]

    def append(self, record: Record) -> None:
        """Write one trial so that it survives whatever comes next."""
        line = json.dumps(as_json(record), sort_keys=True, ensure_ascii=False, allow_nan=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as handle:
                handle.write(line.encode() + b"\n")
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as problem:
            raise Qua3ckError(
                f"The trial could not be noted: {problem.strerror}",
                where=str(self.path),
                fix="free some space or allow writing there, then: qua3ck loop, which goes on",
                code="A020",
            ) from problem


class Contest:
    """What has been scored, in which order: nothing before the naive baseline.

    Parameters
    ----------
    bench : Bench
        Rows and folds that all trials share.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.baseline: Scored | None = None

    def open_with(self, baseline: Scored) -> None:
        """Enter the baseline's score; from now on candidates may be scored."""
        self.baseline = baseline

    def run(
        self, number: int, algorithm: Algorithm, params: Mapping[str, Any], past: Sequence[Record]
    ) -> tuple[Record, Checked | None]:
        """Score one configuration.

        Raises
        ------
        Qua3ckError
            If the baseline has not been scored yet.
        """
        if self.baseline is None:
            raise Qua3ckError(
                "A candidate cannot be scored before the naive baseline",
                where=f"a3, {algorithm.name}",
                fix="score the baseline first; the loop does so by itself",
                code="A011",
            )
        made = Record(number, algorithm.name, dict(params), "failed")
        seen: list[tuple[float, ...]] = []

        def watch(so_far: tuple[float, ...]) -> bool:
            seen.append(so_far)
            return _hopeless(so_far, past, sign=self.bench.sign)

        try:
            first = dict(params) == dict(algorithm.defaults[0])
            checked = check(self.bench, algorithm, params, watch=None if first else watch)
            if checked is None:
                return replace(made, state="pruned", **_progress(seen[-1])), None
            return _complete(made, score_checked(self.bench, checked), checked), checked
        except Exception as problem:  # noqa: BLE001 - a user's estimator may raise anything; it is recorded
            return replace(made, why=reason(problem)), None


def tune(
    contest: Contest,
    algorithms: Sequence[Algorithm],
    budget: Budget,
    log: TrialLog,
    *,
    on_trial: Callable[[Record, Checked | None], None],
) -> list[Record]:
    """Run trials until the budget is used up or nothing new is left to try.

    Parameters
    ----------
    contest : Contest
        With the baseline scored.
    algorithms : sequence of Algorithm
        What may be tried, in the order of the project file.
    budget : Budget
        Trials in all, counting those in the log; minutes of this run.
    log : TrialLog
        Where finished trials are, and will be.
    on_trial : callable
        Told of every new trial after it is on the disk.

    Returns
    -------
    list of Record
        All trials, the earlier ones included.

    Raises
    ------
    Qua3ckError
        If every trial failed; with the reasons.
    """
    records = log.read()
    began = time.monotonic()
    while len(records) < budget.trials:
        if _time_is_up(budget, records, began=began):
            break
        proposal = propose(records, algorithms, contest.bench)
        if proposal is None:
            break
        algorithm, params = proposal
        record, checked = contest.run(len(records), algorithm, params, records)
        log.append(record)
        records.append(record)
        on_trial(record, checked)
    if not any(record.state == "complete" for record in records):
        raise _all_failed(records)
    return records


def _time_is_up(budget: Budget, records: Sequence[Record], *, began: float) -> bool:
    """Whether the minutes are over; never before there is something to choose."""
    some = any(record.state == "complete" for record in records)
    spent = time.monotonic() - began
    return some and budget.minutes is not None and spent > 60 * budget.minutes


def propose(
    records: Sequence[Record], algorithms: Sequence[Algorithm], bench: Bench
) -> tuple[Algorithm, dict[str, Any]] | None:
    """Return what to try next, from the finished trials alone; None if all has been tried.

    Notes
    -----
    Tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS) over the algorithm and
    its own parameters, on a study rebuilt from the log.
    """
    first = list(_defaults(algorithms))
    if len(records) < len(first):
        return first[len(records)]
    searched = [algorithm for algorithm in algorithms if algorithm.space]
    known = {_identity(record.algorithm, record.params) for record in records}
    for attempt in range(_TRIES if searched else 0):
        seed = bench.seed * _SEED_STEP + len(records) + attempt * _OTHER_SEED
        algorithm, params = _ask(records, searched, bench.sign, seed % 2**32)
        if _identity(algorithm.name, params) not in known:
            return algorithm, params
    return None


def pick(
    records: Sequence[Record],
    algorithms: Sequence[Algorithm],
    *,
    sign: float,
    decides: bool = False,
) -> Record:
    """Return the trial to keep: promises first, then the score, then the simpler model.

    Parameters
    ----------
    decides : bool, default False
        Whether the objective looks at decisions alone, such as accuracy or a cost.

    Notes
    -----
    Among trials whose score is within one standard error of the best one's, paired over
    the folds (Breiman et al. 1984, the one-standard-error rule), the explainable, then the
    quicker and smaller one by at least a factor of two, then the better one is taken. Better
    is the one with the lower log loss where the objective looks at decisions: a few rows
    that change sides move a cost more than thirty settings differ, so the lowest cost of
    many is mostly luck (on 811 German loans, 12 times 5 folds, it cost 0.58 per case against 0.56).
    """
    done = [record for record in records if record.state == "complete"]
    least = min(round(record.violation, 2) for record in done)
    allowed = [record for record in done if round(record.violation, 2) <= least]
    best = max(allowed, key=lambda record: (sign * _value(record), -record.number))
    near = [record for record in allowed if within_one_error(record, best, sign=sign)]
    clear = {algorithm.name: algorithm.explainable for algorithm in algorithms}

    def cost(record: Record) -> tuple[bool, int, int, float, float, int]:
        surer = decides and record.log_loss is not None
        return (
            not clear.get(record.algorithm, False),
            _doublings(record.latency_ms, best.latency_ms),
            _doublings(record.size_mb, best.size_mb),
            record.log_loss if surer and record.log_loss is not None else 0.0,
            -sign * _value(record),
            record.number,
        )

    return min(near, key=cost)


def within_one_error(record: Record, best: Record, *, sign: float) -> bool:
    """Whether a trial is worse than the best by at most one standard error over the folds."""
    if record.number == best.number:
        return True
    gaps = [
        sign * (one - other)
        for one, other in zip(best.folds, record.folds, strict=True)
        if one is not None and other is not None
    ]
    if len(gaps) < 2:
        return False
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1))
    return mean <= spread / math.sqrt(len(gaps))


def reason(problem: BaseException) -> str:
    """Return how a trial failed: kind, file and line; no message, which may quote a row."""
    if isinstance(problem, Qua3ckError):
        cause = problem.__cause__
        inside = f" ({_place(cause)})" if cause is not None and _place(cause) else ""
        return f"{problem.what.splitlines()[0][:300]}{inside}; where: {problem.where}"
    place = _place(problem)
    return f"{type(problem).__name__}{f' ({place})' if place else ''}"


def _place(problem: BaseException) -> str:
    import sysconfig

    ours = Path(__file__).parents[1]
    stdlib = sysconfig.get_path("stdlib")
    frames = traceback.extract_tb(problem.__traceback__)
    outside = [
        frame
        for frame in frames
        if "site-packages" not in frame.filename
        and not frame.filename.startswith((stdlib, "<"))
        and not Path(frame.filename).is_relative_to(ours)
    ]
    if not outside:
        return ""
    last = outside[-1]
    return f"{last.name} in {Path(last.filename).name}, line {last.lineno}"


def _defaults(algorithms: Sequence[Algorithm]) -> Iterator[tuple[Algorithm, dict[str, Any]]]:
    """Yield the first default of every algorithm, then the second ones."""
    for place in range(max(len(algorithm.defaults) for algorithm in algorithms)):
        for algorithm in algorithms:
            if place < len(algorithm.defaults):
                yield algorithm, dict(algorithm.defaults[place])


def _ask(
    records: Sequence[Record], algorithms: Sequence[Algorithm], sign: float, seed: int
) -> tuple[Algorithm, dict[str, Any]]:
    import optuna

    from qua3ck.a3.algorithms import distributions

    with _quiet_optuna():
        sampler = optuna.samplers.TPESampler(seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.add_trials(_frozen(records, algorithms, sign))
        trial = study.ask()
        names = [algorithm.name for algorithm in algorithms]
        name = trial.suggest_categorical("algorithm", names)
        chosen = algorithms[names.index(name)]
        space = distributions(chosen)
        return chosen, {key: _suggest(trial, f"{name}.{key}", space[key]) for key in space}


def _frozen(
    records: Sequence[Record], algorithms: Sequence[Algorithm], sign: float
) -> list[FrozenTrial]:
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import TrialState, create_trial

    from qua3ck.a3.algorithms import distributions

    by_name = {algorithm.name: distributions(algorithm) for algorithm in algorithms}
    choice = CategoricalDistribution(tuple(by_name))
    made = []
    for record in records:
        space = by_name.get(record.algorithm)
        if space is None or record.state == "failed":
            continue
        inside = {key: record.params[key] for key in space if key in record.params}
        given = {f"{record.algorithm}.{key}": value for key, value in inside.items()}
        spread = {f"{record.algorithm}.{key}": space[key] for key in inside}
        complete = record.state == "complete"
        made.append(
            create_trial(
                params={"algorithm": record.algorithm, **given},
                distributions={"algorithm": choice, **spread},
                value=_rank_value(record, sign) if complete else None,
                intermediate_values={} if complete else {len(record.folds): sign * _value(record)},
                state=TrialState.COMPLETE if complete else TrialState.PRUNED,
            )
        )
    return made


def _rank_value(record: Record, sign: float) -> float:
    """Return a number that orders trials: any that meets its limits before all that do not."""
    if record.feasible:
        return sign * _value(record)
    return _WORST - record.violation


def _suggest(trial: Trial, name: str, space: Any) -> Any:
    from optuna import distributions as of

    if isinstance(space, of.CategoricalDistribution):
        return trial.suggest_categorical(name, space.choices)
    if isinstance(space, of.IntDistribution):
        return trial.suggest_int(name, space.low, space.high, log=space.log)
    return trial.suggest_float(name, space.low, space.high, log=space.log)


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _hopeless(so_far: tuple[float, ...], past: Sequence[Record], *, sign: float) -> bool:
    """Whether a trial is worse, after these folds, than half of the finished ones were then.

    The median rule (Golovin et al. 2017, Google Vizier), from the second fold on.
    """
    mine = _mean(so_far)
    if len(so_far) < 2 or mine is None:
        return False
    then = [
        value
        for record in past
        if record.state == "complete" and (value := _mean(record.folds[: len(so_far)])) is not None
    ]
    if len(then) < _PRUNE_AFTER:
        return False
    ordered = sorted(sign * value for value in then)
    return sign * mine < ordered[(len(ordered) - 1) // 2]


def _progress(folds: tuple[float, ...]) -> dict[str, Any]:
    return {"value": _mean(folds), "folds": _plain(folds)}


def _complete(made: Record, scored: Scored, checked: Checked) -> Record:
    return replace(
        made,
        state="complete",
        value=scored.value,
        folds=_plain(scored.folds),
        scores=dict(scored.by_kpi),
        violation=scored.violation,
        latency_ms=checked.latency_ms,
        size_mb=checked.size_mb,
        said=checked.said[:5],
        log_loss=scored.log_loss,
    )


def _plain(folds: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(value if math.isfinite(value) else None for value in folds)


def _mean(folds: Sequence[float | None]) -> float | None:
    defined = [value for value in folds if value is not None and math.isfinite(value)]
    return sum(defined) / len(defined) if defined else None


def _value(record: Record) -> float:
    return record.value if record.value is not None else -math.inf


def _doublings(value: float, best: float) -> int:
    return round(math.log2(max(value, 1e-9) / max(best, 1e-9)))


def _identity(algorithm: str, params: Mapping[str, Any]) -> str:
    return json.dumps([algorithm, dict(sorted(params.items()))], default=str)


def _all_failed(records: Sequence[Record]) -> Qua3ckError:
    reasons = list(dict.fromkeys(f"{one.algorithm}: {one.why}" for one in records if one.why))
    more = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
    return Qua3ckError(
        f"None of {len(records)} trials could be scored. {reasons[0] if reasons else ''}{more}",
        where="a3.candidates",
        fix="correct what is named above, or add a built-in candidate such as random_forest",
        code="A012",
    )

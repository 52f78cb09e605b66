"""The A³ loop: baseline, search, diagnosis, and the artefact that would ship.

Everything is computed from the snapshot, the question, the section ``a3`` and the user's
code; what is on disk only saves time. A loop that was killed goes on where it stopped and
ends with the same candidate, to the byte.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from qua3ck.a3.algorithms import Algorithm, find
from qua3ck.a3.baseline import Baseline, Guess, Rule, fit_rule, naive_for
from qua3ck.a3.diagnosis import diagnose, findings, gain_over, next_step
from qua3ck.a3.folds import make_folds, thin
from qua3ck.a3.records import Candidate, Score, Trial
from qua3ck.a3.threshold import HALF
from qua3ck.a3.tuning import Contest, Record, TrialLog, pick, tune
from qua3ck.a3.validation import (
    Bench,
    Checked,
    Scored,
    check,
    final_threshold,
    labelled,
    make_bench,
    score_guess,
    train,
)
from qua3ck.kit.errors import Blocked, NotEnoughEvidence, Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest, file_digest, tree_digest
from qua3ck.kit.records import as_json, from_json, write_atomic

if TYPE_CHECKING:
    import pandas as pd

    from qua3ck.a3.section import A3
    from qua3ck.govern import Workspace
    from qua3ck.question import Outcome
    from qua3ck.question.records import Question
    from qua3ck.store.tracking import Tracking
    from qua3ck.understand.records import Snapshot

P = TypeVar("P", Baseline, Rule)

TRIAL_ROWS = 20_000
_PHASE = "A3"
_SERVER_GONE = "S040"
_AFTER = 4
_PACKAGES = (
    "qua3ck",
    "scikit-learn",
    "lightgbm",
    "numpy",
    "pandas",
    "optuna",
    "skops",
    "skl2onnx",
    "onnxruntime",
)


@dataclass(frozen=True)
class Rivals:
    """What a candidate has to beat, as it was learned from the training rows."""

    baseline: Baseline
    rule: Rule | None = None


@dataclass(frozen=True)
class Refitted:
    """A candidate that was made again: its digest, scores by KPI id, and where it lies."""

    digest: str
    folder: Path
    scores: Mapping[str, Score]
    honest: float
    threshold: float


@dataclass(frozen=True)
class _Loop:
    """One loop: what it rests on, and the rows it works with."""

    a3: A3
    question: Question
    snapshot: Snapshot
    workspace: Workspace
    bench: Bench
    small: Bench
    algorithms: tuple[Algorithm, ...]
    files: tuple[Path, ...]
    code_digest: str
    key: str
    began: float

    @property
    def folder(self) -> Path:
        """Where this loop keeps its trials."""
        return self.workspace.root / "loop" / self.key[:16]

    def say(self, text: str, done: int) -> None:
        """Tell the user how far it is."""
        total = self.a3.budget.trials + _AFTER
        self.workspace.progress(_PHASE, text, min(done, total), total)


@dataclass(frozen=True)
class _Measured(Generic[P]):
    """A rival on the validation rows: the predictor, its outcome and its scores."""

    predictor: P
    outcome: Outcome
    scored: Scored


def run_loop(
    a3: A3,
    question: Question,
    snapshot: Snapshot,
    workspace: Workspace,
    *,
    tracking: Tracking,
    searched: Callable[[], None] | None = None,
) -> Candidate:
    """Search for the best pipeline and package it as it would ship.

    Parameters
    ----------
    a3 : A3
        Candidates, rule, budget, folds and seed.
    question : Question
        The first KPI about predictions is the objective, the others are limits.
    snapshot : Snapshot
        Names the training rows; the sealed ones are never touched.
    workspace : Workspace
        Warehouse, ledger and progress.
    tracking : Tracking
        Where every trial becomes an MLflow run.
    searched : callable, optional
        Called when the search is over; diagnosis and packaging are still to be done.

    Returns
    -------
    Candidate
        Its artefact lies in ``candidates/<digest>/``, its rivals and record in
        ``evidence/candidate-<digest>.json``; the ledger says ``candidate.kept``.

    Raises
    ------
    Blocked
        If a ``stop_if`` rule of the question holds; the ledger says ``loop.stopped``.
    Qua3ckError
        If no fold can be made, every trial failed, or the user's code is wrong.
    """
    _stop_if(question, snapshot, workspace, {})
    loop = _prepare(a3, question, snapshot, workspace)
    kept = _kept(loop)
    if kept is not None:
        return kept
    loop.say("naive baseline", 0)
    baseline = _baseline(loop, loop.bench)
    rule = _rule(loop, loop.bench)
    contest = Contest(loop.small)
    contest.open_with(_baseline(loop, loop.small).scored)
    noted = _Noted(loop, tracking)
    noted.rivals(baseline, rule)
    try:
        log = TrialLog(loop.folder / "trials.jsonl")
        records = tune(contest, loop.algorithms, a3.budget, log, on_trial=noted.trial)
        noted.catch_up(records)
        if searched is not None:
            searched()
        candidate = _finish(loop, records, baseline, rule, noted)
    except Qua3ckError as problem:
        if problem.code != _SERVER_GONE:  # it would only be waited for once more
            noted.give_up()
        raise
    noted.end(candidate)
    _keep(loop, candidate, Rivals(baseline.predictor, rule.predictor if rule else None))
    loop.say(f"kept {candidate.algorithm}", a3.budget.trials + _AFTER)
    return candidate


def refit(
    candidate: Candidate,
    snapshot: Snapshot,
    workspace: Workspace,
    *,
    a3: A3,
    question: Question,
    folder: Path,
) -> Refitted:
    """Make a candidate's artefact again from its snapshot, without a search.

    Parameters
    ----------
    candidate : Candidate
        Names algorithm and parameters.
    snapshot, workspace : Snapshot, Workspace
        Where the training rows come from.
    a3, question : A3, Question
        As they were when the candidate was made.
    folder : Path
        Where to; must not exist.

    Returns
    -------
    Refitted
        ``digest`` equals the candidate's if nothing differs, to the last byte.
    """
    loop = _prepare(a3, question, snapshot, workspace)
    algorithm = _named(loop.algorithms, candidate.algorithm)
    checked = _full_check(loop, algorithm, candidate.params)
    threshold = final_threshold(loop.bench, checked)
    made = _package(loop, algorithm, candidate.params, checked, threshold=threshold, folder=folder)
    outcome = loop.bench.outcome(checked.positions, labelled(loop.bench, checked))
    scored = _scored(loop.bench, checked)
    return Refitted(made.digest, folder, _bounded(loop.bench, outcome), scored.value, threshold)


def rivals(candidate: Candidate, root: Path) -> Rivals:
    """Return baseline and rule of a candidate, as they were learned with it.

    Parameters
    ----------
    candidate : Candidate
        From :func:`run_loop`.
    root : Path
        The project folder.

    Raises
    ------
    Qua3ckError
        If the candidate's evidence is gone.
    """
    path = _evidence(root, candidate.digest)
    try:
        return from_json(Rivals, json.loads(path.read_bytes())["rivals"])
    except (OSError, ValueError, KeyError) as problem:
        raise Qua3ckError(
            "The evidence of the candidate cannot be read",
            where=str(path),
            fix="restore evidence/ from a copy, or run: qua3ck loop",
            code="A017",
        ) from problem


def _prepare(a3: A3, question: Question, snapshot: Snapshot, workspace: Workspace) -> _Loop:
    from qua3ck.understand import training_rows

    rows = training_rows(snapshot, workspace)
    functions = _functions(a3, workspace.root)
    algorithms = _algorithms(a3, snapshot, functions)
    folds = make_folds(snapshot, rows, count=a3.folds, seed=a3.seed)
    adapt = functions.get(a3.adapt) if a3.adapt else None
    bench = make_bench(question, snapshot, rows, folds, seed=a3.seed, adapt=adapt)
    small = bench
    if len(rows) > TRIAL_ROWS:
        cut = thin(folds, rows=TRIAL_ROWS, seed=a3.seed, forward=snapshot.order == "time")
        small = bench.on(cut)
    code, files = _code(snapshot, workspace.root, functions)
    return _Loop(
        a3=a3,
        question=question,
        snapshot=snapshot,
        workspace=workspace,
        bench=bench,
        small=small,
        algorithms=algorithms,
        files=files,
        code_digest=code,
        key=_key(a3, question, snapshot, code),
        began=time.monotonic(),
    )


def _functions(a3: A3, root: Path) -> dict[str, Callable[..., Any]]:
    """Return the user's functions that the section names."""
    from qua3ck.understand.usercode import find_function

    named = [(name, "a3.candidates") for name in a3.candidates if "." in name]
    if a3.adapt:
        named.append((a3.adapt, "a3.adapt"))
    return {name: find_function(name, root, place=place) for name, place in named}


def _algorithms(
    a3: A3, snapshot: Snapshot, functions: Mapping[str, Callable[..., Any]]
) -> tuple[Algorithm, ...]:
    listed = (find(name, snapshot.task, function=functions.get(name)) for name in a3.candidates)
    return tuple({algorithm.name: algorithm for algorithm in listed}.values())


def _named(algorithms: Sequence[Algorithm], name: str) -> Algorithm:
    found = [algorithm for algorithm in algorithms if algorithm.name == name]
    if found:
        return found[0]
    raise Qua3ckError(
        f'The candidate is a "{name}", which is none of the candidates any more',
        where="a3.candidates",
        fix=f"put {name} back, or run the loop again",
        code="A017",
    )


def _code(
    snapshot: Snapshot, root: Path, functions: Mapping[str, Callable[..., Any]]
) -> tuple[str, tuple[Path, ...]]:
    """Return the digest of all code a candidate rests on, and the files to ship with it."""
    import inspect

    if not functions:
        return snapshot.code_digest, ()
    own = sorted(root.glob("*.py"))
    homes = {Path(inspect.getfile(inspect.unwrap(found))).resolve() for found in functions.values()}
    ship = tuple(sorted(path for path in homes if path.is_relative_to(root)))
    return digest({"snapshot": snapshot.code_digest, "own": tree_digest(own, root=root)}), ship


def _key(a3: A3, question: Question, snapshot: Snapshot, code: str) -> str:
    return digest(
        {
            "snapshot": snapshot.id,
            "question": question.searched,
            "a3": a3.model_dump(mode="json"),
            "code": code,
            "packages": {name: metadata.version(name) for name in _PACKAGES},
        }
    )


def hold_stop_rules(
    question: Question, snapshot: Snapshot, workspace: Workspace, candidate: Candidate
) -> None:
    """Ask the question's ``stop_if`` rules of a candidate that was found in an earlier run.

    Raises
    ------
    Blocked
        If a rule holds by now: the ledger says ``loop.stopped``.
    """
    facts = {name: score.value for name, score in candidate.scores.items()}
    told = {"trials": float(len(candidate.trials)), "gain": candidate.gain.value}
    _stop_if(question, snapshot, workspace, {**facts, **told})


def _stop_if(
    question: Question, snapshot: Snapshot, workspace: Workspace, facts: Mapping[str, float]
) -> None:
    """End the loop if the question says so.

    Raises
    ------
    Blocked
        With the rules that hold.
    """
    from qua3ck.question import stop
    from qua3ck.understand.seal import count_openings

    split = snapshot.split
    opened = count_openings(workspace.root, workspace.ledger, snapshot.seal)
    known = {
        "rows": float(split.rows_train + split.rows_test),
        "train_rows": float(split.rows_train),
        "test_rows": float(split.rows_test),
        "opened": float(opened),
        **facts,
    }
    fired = stop(question, known)
    if not fired:
        return
    body = {"rules": list(fired), "facts": {name: known[name] for name in sorted(known)}}
    workspace.ledger.append("loop.stopped", snapshot.id, body)
    raise Blocked(
        f"The question says to stop: {'; '.join(fired)}",
        where="question.stop_if",
        fix="do what the rule was written for, or change it: the change stays visible",
        code="A013",
    )


def _baseline(loop: _Loop, bench: Bench) -> _Measured[Baseline]:
    """Return the naive prediction that does best on the validation rows.

    By the objective, unless a constant answer has that for nothing: the strongest at recall
    would be the one that says yes to everybody.
    """
    final = naive_for(loop.question, loop.snapshot, bench.rows)
    per_fold = [
        naive_for(loop.question, loop.snapshot, bench.rows.iloc[fold.train]) for fold in bench.folds
    ]
    measured = [
        _measure(bench, predictor, [made[at] for made in per_fold])
        for at, predictor in enumerate(final)
    ]
    return max(measured, key=lambda one: _strength(bench, one))


def _strength(bench: Bench, rival: _Measured[Baseline]) -> float:
    from qua3ck.question import score

    if bench.telling is bench.metric:
        return bench.sign * rival.scored.value
    sign = 1.0 if bench.telling.higher_is_better else -1.0
    return sign * score(bench.telling, rival.outcome)


def _rule(loop: _Loop, bench: Bench) -> _Measured[Rule] | None:
    text = loop.a3.rule
    if text is None:
        return None
    final = fit_rule(text, loop.snapshot, bench.rows)
    per_fold = [fit_rule(text, loop.snapshot, bench.rows.iloc[f.train]) for f in bench.folds]
    return _measure(bench, final, per_fold)


def _measure(bench: Bench, final: P, per_fold: Sequence[P]) -> _Measured[P]:
    """Score a rival on the same rows as the candidates, learned from each training part."""
    import numpy as np

    guesses = []
    for fold, predictor in zip(bench.folds, per_fold, strict=True):
        known = bench.rows.iloc[np.concatenate([fold.train, fold.check])]
        guesses.append(predictor.predict(bench.rows.iloc[fold.check], known=known))
    guess = _together(guesses)
    checked = Checked(
        positions=np.concatenate([fold.check for fold in bench.folds]),
        fold=np.repeat(np.arange(len(bench.folds)), [len(fold.check) for fold in bench.folds]),
        guess=guess,
        latency_ms=0.0,
        size_mb=0.0,
        explainable=True,
    )
    try:
        scored = score_guess(bench, checked, guess, latency_ms=0.0, size_mb=0.0, explainable=True)
    except NotEnoughEvidence:
        worst = bench.metric.low if bench.sign > 0 else bench.metric.high
        scored = Scored(worst, (), {}, 0.0)  # such as the precision of what never says positive
    return _Measured(final, bench.outcome(checked.positions, guess), scored)


def _together(guesses: Sequence[Guess]) -> Guess:
    import numpy as np

    numbers = np.concatenate([guess.numbers for guess in guesses])
    if guesses[0].labels is None:
        return Guess(values=numbers)
    labels = [guess.labels for guess in guesses if guess.labels is not None]
    return Guess(labels=np.concatenate(labels), scores=numbers)


def _full_check(loop: _Loop, algorithm: Algorithm, params: Mapping[str, Any]) -> Checked:
    checked = check(loop.bench, algorithm, params, keep=True)
    if checked is None:
        message = "nothing watches this check, so nothing can end it early"
        raise AssertionError(message)
    return checked


def _scored(bench: Bench, checked: Checked) -> Scored:
    from qua3ck.a3.validation import score_checked

    return score_checked(bench, checked)


def _bounded(bench: Bench, outcome: Outcome) -> dict[str, Score]:
    """Return KPI id to its validation score with bounds, for KPIs about predictions."""
    from qua3ck.question import judge_kpi, metric

    found = {}
    for kpi in bench.question.kpis:
        if metric(kpi.metric, where="question.kpis").needs in ("timing", "artefact"):
            continue
        said = judge_kpi(kpi, outcome, confidence=kpi.confidence, seed=bench.seed)
        if said.value is not None:
            found[kpi.id] = Score(said.value, said.low, said.high)
    return found


def _finish(
    loop: _Loop,
    records: Sequence[Record],
    baseline: _Measured[Baseline],
    rule: _Measured[Rule] | None,
    noted: _Noted,
) -> Candidate:
    """Choose, look from all sides, fit on all training rows and package."""
    from qua3ck.a3.influence import influences

    bench, trials = loop.bench, loop.a3.budget.trials
    decides = bench.metric.needs == "labels"
    chosen = pick(records, loop.algorithms, sign=bench.sign, decides=decides)
    algorithm = _named(loop.algorithms, chosen.algorithm)
    loop.say(f"checking {algorithm.name} on all training rows", trials)
    checked = _full_check(loop, algorithm, chosen.params)
    threshold = final_threshold(bench, checked)
    loop.say("diagnosis", trials + 1)
    seen = diagnose(bench, algorithm, chosen, checked, baseline.outcome, small=loop.small)
    outcome = bench.outcome(checked.positions, labelled(bench, checked))
    scores = _bounded(bench, outcome)
    facts = {name: score.value for name, score in scores.items()}
    _stop_if(loop.question, loop.snapshot, loop.workspace, {**facts, "gain": seen.gain.value})
    loop.say("influence of each column", trials + 2)
    leaned_on = influences(bench, checked)
    loop.say("packaging", trials + 3)
    folder = _building(loop)
    made = _package(loop, algorithm, chosen.params, checked, threshold=threshold, folder=folder)
    place = _settle(loop, folder, made.digest)
    over_rule = gain_over(bench, outcome, rule.outcome) if rule else None
    return Candidate(
        digest=made.digest,
        artefact=place,
        snapshot=loop.snapshot.id,
        algorithm=algorithm.name,
        params=dict(chosen.params),
        model_format=made.model_format,
        why_format=made.why,
        seed=loop.a3.seed,
        scores=scores,
        baseline=_bounded(bench, baseline.outcome),
        rule=_bounded(bench, rule.outcome) if rule else {},
        gain=seen.gain,
        train_score=seen.train_score,
        honest=seen.honest,
        optimistic=seen.optimistic,
        seed_sd=seen.seed_sd,
        learning_curve=seen.curve,
        trials=noted.trials(records),
        influences=leaned_on,
        next_step=next_step(bench, seen, chosen, records),
        findings=(
            *findings(
                bench,
                seen,
                chosen,
                records,
                tuned_rows=_tuned_rows(loop),
                rule=over_rule,
                baseline=baseline.scored,
                influences=leaned_on,
            ),
            *_threshold_finding(loop, threshold),
        ),
        code_digest=loop.code_digest,
        run_id=noted.parent,
    )


def _tuned_rows(loop: _Loop) -> int:
    """Return how many training rows the largest fold of a trial used."""
    if loop.small is loop.bench:
        return len(loop.bench.rows)
    return max(len(fold.train) + len(fold.check) for fold in loop.small.folds)


def _threshold_finding(loop: _Loop, threshold: float) -> tuple[Finding, ...]:
    if loop.snapshot.task != "binary" or threshold == HALF:
        return ()
    costs = loop.question.costs is not None
    why = "the costs of the question" if costs else "the KPIs that depend on the decision"
    return (
        Finding(
            "A018",
            "inform",
            f"a3, class {loop.snapshot.positive}",
            f"A row is called {loop.snapshot.positive} from a probability of {threshold:.3f} on; "
            f"{why} decided that on validation rows.",
            {"threshold": threshold},
        ),
    )


def _package(
    loop: _Loop,
    algorithm: Algorithm,
    params: Mapping[str, Any],
    checked: Checked,
    *,
    threshold: float,
    folder: Path,
) -> Any:
    """Fit on all training rows and write the artefact; a fold's pipeline is its twin."""
    import numpy as np

    from qua3ck.a3.adapt import prelude_spec
    from qua3ck.a3.package import package

    bench = loop.bench
    pipeline, _said = train(bench, algorithm, params, np.arange(len(bench.rows)))
    held_out = bench.prepared.iloc[bench.folds[-1].check]
    return package(
        pipeline,
        prelude_spec(loop.snapshot, threshold=threshold),
        folder=folder,
        held_out=held_out,
        training=_features(bench.rows, loop.snapshot),
        algorithm=algorithm.name,
        seed=bench.seed,
        twin=checked.models[-1],
        user_code=loop.files,
    )


def _features(rows: pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    return rows[[column.name for column in snapshot.features()]]


def _building(loop: _Loop) -> Path:
    """Return a folder that does not exist; what a kill left of it is removed."""
    folder = loop.workspace.root / "candidates" / f".{loop.key[:16]}"
    for left in (folder, *folder.parent.glob(f".{folder.name}.*.part")):
        shutil.rmtree(left, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _settle(loop: _Loop, folder: Path, made: str) -> str:
    """Give the artefact its name; the same one may be there from a run before."""
    from qua3ck.store.releases.artefact import artefact_digest

    final = folder.with_name(made)
    if final.exists() and artefact_digest(final) == made:
        shutil.rmtree(folder)
    else:
        shutil.rmtree(final, ignore_errors=True)
        folder.rename(final)
    return final.relative_to(loop.workspace.root).as_posix()


def _evidence(root: Path, candidate: str) -> Path:
    return root / "evidence" / f"candidate-{candidate}.json"


def _keep(loop: _Loop, candidate: Candidate, beaten: Rivals) -> None:
    """Write the evidence, then the ledger, then the memory that the loop is done."""
    root = loop.workspace.root
    path = _evidence(root, candidate.digest)
    body = {"candidate": as_json(candidate), "rivals": as_json(beaten), "loop": loop.key}
    write_atomic(path, json.dumps(body, indent=1, ensure_ascii=False, sort_keys=True).encode())
    entries = loop.workspace.ledger.entries("candidate.kept", subject=candidate.digest)
    if not any(entry.body.get("loop") == loop.key for entry in entries):
        loop.workspace.ledger.append(
            "candidate.kept",
            candidate.digest,
            {
                "loop": loop.key,
                "snapshot": loop.snapshot.id,
                "question": loop.question.digest,
                "algorithm": candidate.algorithm,
                "params": dict(candidate.params),
                "seed": candidate.seed,
                "format": candidate.model_format,
                "code": candidate.code_digest,
                "trials": len(candidate.trials),
                "scores": {name: score.value for name, score in candidate.scores.items()},
                "baseline": {name: score.value for name, score in candidate.baseline.items()},
                "evidence": file_digest(path),
            },
        )
    write_atomic(loop.folder / "candidate.json", json.dumps(as_json(candidate)).encode())


def _kept(loop: _Loop) -> Candidate | None:
    """Return what this very loop left when it ended before; None if it did not end.

    Raises
    ------
    Qua3ckError
        If the artefact it left was changed.
    """
    from qua3ck.store.releases.artefact import artefact_digest

    path = loop.folder / "candidate.json"
    if not path.exists():
        return None
    candidate = from_json(Candidate, json.loads(path.read_bytes()))
    folder = loop.workspace.root / candidate.artefact
    if not folder.exists() or not _evidence(loop.workspace.root, candidate.digest).exists():
        return None
    if artefact_digest(folder) != candidate.digest:
        raise Qua3ckError(
            "The candidate's files were changed since the loop ended",
            where=str(folder),
            fix=f"remove {candidate.artefact} and run the loop again",
            code="A017",
        )
    return candidate


class _Noted:
    """Tells MLflow and the user of every trial; remembers which run is whose.

    Run ids are kept beside the log of trials, not in it: they differ between two loops that
    are otherwise the same.
    """

    def __init__(self, loop: _Loop, tracking: Tracking) -> None:
        self._loop = loop
        self._tracking = tracking
        self._path = loop.folder / "runs.jsonl"
        self._tags = {
            "snapshot": loop.snapshot.id,
            "question": loop.question.digest,
            "code": loop.code_digest,
        }
        self._runs = self._read()
        self.parent = tracking.begin(f"loop {loop.key[:8]}", key=loop.key, tags=self._tags)
        tracking.drop_orphans(self.parent, known=self._runs)

    def rivals(self, baseline: _Measured[Baseline], rule: _Measured[Rule] | None) -> None:
        """Record what has to be beaten, before any trial."""
        self._rival(-2, "naive baseline", baseline)
        if rule is not None:
            self._rival(-1, "rule", rule)

    def trial(self, record: Record, checked: Checked | None = None) -> None:
        """Record one trial that is on the disk."""
        del checked
        loop = self._loop
        shown = "" if record.value is None else f", {loop.bench.objective} {record.value:.4g}"
        state = {
            "complete": "",
            "pruned": f" after {len(record.folds)} folds: given up",
            "failed": ": failed",
        }[record.state]
        loop.say(f"{record.algorithm}{shown}{state}", record.number + 1)
        objective = {} if record.value is None else {"objective": record.value}
        self._log(
            record.number,
            record.algorithm,
            params={"algorithm": record.algorithm, **record.params},
            metrics={**record.scores, **objective},
            tags={"state": record.state, "algorithm": record.algorithm, "why": record.why[:200]},
            failed=record.state == "failed",
        )
        minutes = (time.monotonic() - loop.began) / 60
        facts = {"trials": float(record.number + 1), "minutes": minutes}
        _stop_if(loop.question, loop.snapshot, loop.workspace, facts)

    def catch_up(self, records: Sequence[Record]) -> None:
        """Record trials that a kill kept from being recorded."""
        for record in records:
            if record.number not in self._runs:
                self.trial(record)

    def trials(self, records: Sequence[Record]) -> tuple[Trial, ...]:
        """Return the trials as they go into the candidate, each with its run."""
        return tuple(
            Trial(
                number=record.number,
                algorithm=record.algorithm,
                params=dict(record.params),
                state=record.state,
                scores=dict(record.scores),
                train_score=None,
                feasible=record.feasible,
                latency_proxy_ms=record.latency_ms,
                size_proxy_mb=record.size_mb,
                run_id=self._runs.get(record.number, ""),
            )
            for record in records
        )

    def end(self, candidate: Candidate) -> None:
        """Close the loop's run with the candidate's figures."""
        figures = {name: score.value for name, score in candidate.scores.items()}
        self._tracking.end(
            self.parent,
            metrics={**figures, "gain": candidate.gain.value, "optimistic": candidate.optimistic},
            tags={"candidate": candidate.digest, "algorithm": candidate.algorithm},
            failed=False,
        )

    def give_up(self) -> None:
        """Close the loop's run without a candidate; a loop that goes on opens it again."""
        with suppress(Qua3ckError):  # the reason the loop ends for matters more to the user
            self._tracking.end(self.parent, metrics={}, tags={}, failed=True)

    def _rival(self, number: int, name: str, measured: _Measured[Any]) -> None:
        if number in self._runs:
            return
        says = getattr(measured.predictor, "says", "") or getattr(measured.predictor, "text", "")
        self._log(
            number,
            name,
            params={"algorithm": name, "says": says},
            metrics={**measured.scored.by_kpi, "objective": measured.scored.value},
            tags={"state": "complete", "algorithm": name},
            failed=False,
        )

    def _log(
        self,
        number: int,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        failed: bool,
    ) -> None:
        run = self._tracking.log_trial(
            self.parent,
            number,
            name=name if number < 0 else f"{number:03d} {name}",
            params=params,
            metrics=metrics,
            tags={**self._tags, **tags},
            failed=failed,
        )
        self._runs[number] = run
        with self._path.open("ab") as handle:
            handle.write(json.dumps([number, run]).encode() + b"\n")

    def _read(self) -> dict[int, str]:
        """Return trial number to run; a half line that a kill left is cut off."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        data = self._path.read_bytes() if self._path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            write_atomic(self._path, whole)
        return {int(number): str(run) for number, run in map(json.loads, whole.splitlines())}

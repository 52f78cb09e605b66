"""The process that sees the sealed rows: reads one job, answers one record, keeps no row.

Run as ``python -m qua3ck.conclude.examine``. Whatever the predictors print goes to the
error stream, which nobody reads; an exception is told by its kind and place alone, because
its message could hold a value.
"""

from __future__ import annotations

import json
import os
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.conclude import findings as finds
from qua3ck.conclude.calibration import calibration
from qua3ck.conclude.concentration import concentrations, wrong_rows
from qua3ck.conclude.confusion import confusion, per_class
from qua3ck.conclude.latency import quantiles, single_row_latencies
from qua3ck.conclude.outcomes import Judged, predictions_digest, truth_only, with_prediction
from qua3ck.conclude.reasons import reasons, risks
from qua3ck.conclude.records import Conclusion
from qua3ck.conclude.rivals import compare_all, compared_metrics, leading
from qua3ck.kit.child import job_given
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import as_json, from_json

if TYPE_CHECKING:
    import pandas as pd

    from qua3ck.a3.baseline import Baseline, Rule
    from qua3ck.a3.records import Candidate
    from qua3ck.govern import Workspace
    from qua3ck.kit.findings import Finding
    from qua3ck.question import Judgement
    from qua3ck.question.outcome import Outcome
    from qua3ck.question.records import Question
    from qua3ck.store.releases.model import Model, Prediction
    from qua3ck.understand.records import Snapshot


@dataclass(frozen=True)
class _Case:
    """What is judged, read from the job; nothing in it comes from behind the seal."""

    question: Question
    snapshot: Snapshot
    candidate: Candidate
    workspace: Workspace
    budget: int
    level: int
    seed: int
    at: str


def main() -> None:
    """Read a job from standard input and write the answer to standard output."""
    answer_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _load_libraries()
    job = job_given()
    with answer_to:
        answer_to.write(json.dumps(answer(job)).encode())


def _load_libraries() -> None:
    """Import what any judgement needs, for a process that was started ahead of its job."""
    from importlib import import_module

    for name in ("pandas", "scipy.stats", "skops.io", "onnxruntime"):
        import_module(name)
    for name in ("a3.loop", "govern", "question.judging", "store.warehouse", "understand.seal"):
        import_module(f"qua3ck.{name}")


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"conclusion": ...}``, ``{"error": ...}`` for the user, or ``{"crash": ...}``."""
    try:
        return {"conclusion": as_json(examine(job))}
    except Qua3ckError as problem:
        told = {key: getattr(problem, key) for key in ("what", "where", "fix", "code")}
        return {"error": {"kind": type(problem).__name__, **told}}
    except Exception as problem:  # noqa: BLE001 - its message may hold a value: only kind and place leave
        return {"crash": _kind_and_place(problem)}


def examine(job: dict[str, Any]) -> Conclusion:
    """Open the seal for the job's candidate, judge it, and return the record."""
    case = _read(job)
    model = _candidate_model(case)
    champion, problem = _champion_model(case, job["champion"])
    naive, rule, trained = _proven_rivals(case)
    rows, opening, again = _open(case)
    base = truth_only(rows, case.snapshot, case.question)
    prediction = _predict(model, rows)
    outcome = replace(
        with_prediction(base, prediction),
        latencies_ms=single_row_latencies(model.predict, rows, asked=_asks_latency(case)),
        size_mb=_size_mb(case),
        explainable=_explainable(case),
    )
    rivals = _beaten(naive, rule, base, rows, trained)
    if champion is not None:
        try:
            rivals.append(Judged("champion", with_prediction(base, champion.predict(rows))))
        except Qua3ckError as refused:
            problem = refused.what
    notes = [finds.read_again("the rows were opened for this candidate before")] if again else []
    if problem:
        notes.append(finds.no_champion(problem))
    return _judged(case, rows, outcome, rivals, notes, opening=opening, again=again, model=model)


def _judged(
    case: _Case,
    rows: pd.DataFrame,
    outcome: Outcome,
    rivals: list[Judged],
    notes: list[Finding],
    *,
    opening: int,
    again: bool,
    model: Model,
) -> Conclusion:
    from qua3ck.question import judge

    judgement: Judgement = judge(case.question, outcome, openings=case.level, seed=case.seed)
    comparisons = compare_all(
        compared_metrics(case.question, case.snapshot),
        outcome,
        rivals,
        confidence=1 - (1 - case.question.kpis[0].confidence) / case.level,
        seed=case.seed,
    )
    seen = _seen(case, rows, outcome, model)
    found = (
        *finds.promise_findings(judgement.kpis, judgement.slices, judgement.fairness),
        *finds.comparison_findings(leading(comparisons)),
        *finds.row_findings(rows=len(rows), **seen),
        *notes,
    )
    verdicts = (*judgement.kpis, *judgement.slices, *judgement.fairness)
    before = (*case.snapshot.findings, *case.candidate.findings)
    found = (*found, *(finding for finding in before if finding.blocks))
    allowed = all(verdict.verdict == "pass" for verdict in verdicts) and not any(
        finding.blocks for finding in found
    )
    latencies = outcome.latencies_ms
    return Conclusion(
        candidate=case.candidate.digest,
        snapshot=case.snapshot.id,
        question=case.question.digest,
        opening=opening,
        openings=case.level,
        rows=len(rows),
        release_allowed=allowed,
        kpis=judgement.kpis,
        slices=judgement.slices,
        fairness=judgement.fairness,
        findings=found,
        comparisons=comparisons,
        confusion=_confusion(outcome),
        per_class=seen["per_class"],
        calibration=seen["calibration"],
        errors=seen["errors"],
        latency_ms=quantiles(latencies) if latencies is not None else {},
        size_mb=float(outcome.size_mb or 0.0),
        reasons=reasons(case.question, case.candidate, verdicts, comparisons, allowed=allowed),
        risks=risks(case.snapshot, case.candidate, verdicts, seen["per_class"], seen["errors"]),
        at=case.at,
        predictions_digest=predictions_digest(outcome),
        parity=seen["parity"],
        reread=again,
    )


def _read(job: dict[str, Any]) -> _Case:
    from qua3ck.a3.records import Candidate
    from qua3ck.govern import open_workspace
    from qua3ck.question.records import Question
    from qua3ck.understand.records import Snapshot

    return _Case(
        question=Question.model_validate_json(json.dumps(job["question"])),
        snapshot=from_json(Snapshot, job["snapshot"]),
        candidate=from_json(Candidate, job["candidate"]),
        workspace=open_workspace(Path(job["root"]), job["project"], actor=job["actor"]),
        budget=job["budget"],
        level=job["level"],
        seed=job["seed"],
        at=job["at"],
    )


def _candidate_model(case: _Case) -> Model:
    """Load the candidate before the seal is opened: a damaged one must not cost an opening."""
    from qua3ck.store.releases.model import load_model

    folder = case.workspace.root / case.candidate.artefact
    return load_model(folder, digest=case.candidate.digest)


def _champion_model(case: _Case, folder: str | None) -> tuple[Model | None, str]:
    """Return the champion's model as the ledger has it, or why there is none to compare."""
    from qua3ck.store.releases.model import load_model

    if folder is None:
        return None, ""
    made = case.workspace.ledger.entries("release.made")
    place = Path(folder).relative_to(case.workspace.root).as_posix()
    digests = [entry.body["candidate"] for entry in made if entry.body["path"] == place]
    if not digests:
        return None, f"the ledger has no release at {place}."
    if digests[-1] == case.candidate.digest:
        return None, ""
    try:
        return load_model(Path(folder) / "model", digest=str(digests[-1])), ""
    except Qua3ckError as problem:
        return None, problem.what


def _open(case: _Case) -> tuple[pd.DataFrame, int, bool]:
    """Return the sealed rows, the number of the opening, and whether they were read before."""
    from qua3ck.understand import open_seal, reread_seal

    wanted = case.candidate.digest
    opened = case.workspace.ledger.entries("seal.opened")
    again = any(
        entry.body["candidate"] == wanted and entry.body["seal"] == case.snapshot.seal
        for entry in opened
    )
    if again:
        found = reread_seal(case.snapshot, case.workspace, candidate=wanted)
    else:
        found = open_seal(case.snapshot, case.workspace, candidate=wanted, openings=case.budget)
    return found.rows, found.opening, again


def _predict(model: Model, rows: pd.DataFrame) -> Prediction:
    try:
        return model.predict(rows)
    except Qua3ckError:
        raise
    except Exception as problem:
        raise Qua3ckError(
            f"The candidate cannot predict the sealed rows: {_kind_and_place(problem)}",
            where="a3, the function of the project that adapts features",
            fix="make the function take every value that its columns can have, then: qua3ck loop",
            code="C017",
        ) from problem


def _proven_rivals(case: _Case) -> tuple[tuple[Baseline, ...], Rule | None, pd.DataFrame]:
    """Return what the candidate has to beat, and the training rows that prove it unweakened.

    All naive predictions that suit the question, not only the one that was best at the
    objective of the search: for another promise a different one may be the stronger.
    """
    from qua3ck.a3 import rivals
    from qua3ck.a3.baseline import fit_rule, naive_for
    from qua3ck.understand import training_rows

    found = rivals(case.candidate, case.workspace.root)
    trained = training_rows(case.snapshot, case.workspace)
    naive = naive_for(case.question, case.snapshot, trained)
    same = found.baseline in naive
    if found.rule is not None:
        same = same and found.rule == fit_rule(found.rule.text, case.snapshot, trained)
    if same:
        return naive, found.rule, trained
    raise Qua3ckError(
        "Baseline or rule in the candidate's evidence is not what its training rows give",
        where=f"evidence/, candidate {case.candidate.digest[:12]}",
        fix="restore evidence/ from a copy, or run: qua3ck loop",
        code="C018",
    )


def _beaten(
    naive: tuple[Baseline, ...],
    rule: Rule | None,
    base: Outcome,
    rows: pd.DataFrame,
    trained: pd.DataFrame,
) -> list[Judged]:
    """Return the naive predictions and the rule on the sealed rows.

    In time order the last value before each row is known, whether trained on or sealed.
    """
    import pandas as pd

    known = pd.concat([trained, rows], ignore_index=True)
    judged = [
        Judged("baseline", with_prediction(base, one.predict(rows, known=known)), one.says)
        for one in naive
    ]
    if rule is not None:
        judged.append(Judged("rule", with_prediction(base, rule.predict(rows)), rule.text))
    return judged


def _seen(case: _Case, rows: pd.DataFrame, outcome: Outcome, model: Model) -> dict[str, Any]:
    """Return what the rows show besides the promises."""
    wrong = wrong_rows(outcome)
    classes = case.snapshot.classes
    return {
        "parity": _parity(case, rows, model),
        "calibration": (
            calibration(outcome.truth, outcome.scores, classes, positive=case.snapshot.positive)
            if outcome.scores is not None
            else {}
        ),
        "per_class": per_class(_confusion(outcome), classes) if classes else {},
        "errors": concentrations(rows, wrong, case.snapshot.columns),
    }


def _confusion(outcome: Outcome) -> tuple[tuple[int, ...], ...]:
    if outcome.labels is None:
        return ()
    return confusion(outcome.truth, outcome.labels, outcome.classes)


def _parity(case: _Case, rows: pd.DataFrame, model: Model) -> dict[str, Any]:
    from qua3ck.store.releases import prelude
    from qua3ck.store.releases.parity import parity

    folder = case.workspace.root / case.candidate.artefact
    prepared = prelude.prepare(rows, model.manifest.spec)
    found = parity(folder, prepared, digest=case.candidate.digest)
    if found is None:
        return {}
    return {
        "rows": found.rows,
        "labels_differ": found.labels_differ,
        "largest_difference": found.largest,
        "holds": found.holds,
    }


def _size_mb(case: _Case) -> float:
    folder = case.workspace.root / case.candidate.artefact
    files = (path for path in folder.rglob("*") if path.is_file())
    shipped = (path for path in files if "reference" not in path.relative_to(folder).parts)
    return sum(path.stat().st_size for path in shipped) / 1e6


def _asks_latency(case: _Case) -> bool:
    return any(kpi.metric.startswith("latency_") for kpi in case.question.kpis)


def _explainable(case: _Case) -> bool:
    """Whether a person can follow one decision; of a user's own estimator nothing is known."""
    from qua3ck.a3.algorithms import find

    name = case.candidate.algorithm
    return "." not in name and find(name, case.snapshot.task).explainable


def _kind_and_place(problem: BaseException) -> str:
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(problem).__name__}{place}"


if __name__ == "__main__":
    main()

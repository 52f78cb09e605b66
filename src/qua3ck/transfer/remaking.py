"""The fresh process that makes a version again: reads one job, answers what came out.

Run as ``python -m qua3ck.transfer.remaking``. What the training prints goes to the error
stream; an exception that is not ours is told by kind and place, since its message could
hold a value.
"""

from __future__ import annotations

import json
import os
import shutil
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.child import job_given
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import load

if TYPE_CHECKING:
    from qua3ck.a3 import Refitted
    from qua3ck.a3.records import Candidate
    from qua3ck.govern import Workspace
    from qua3ck.question.outcome import Outcome
    from qua3ck.question.records import Question
    from qua3ck.store.releases.model import Model
    from qua3ck.understand.records import Snapshot


@dataclass(frozen=True)
class _Job:
    """What to make again, where its records and code lie, and where to put it."""

    workspace: Workspace
    release: Path
    question: Question
    snapshot: Snapshot
    candidate: Candidate
    into: Path


def main() -> None:
    """Read a job from standard input and write the answer to standard output."""
    answer_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    job = job_given()
    with answer_to:
        answer_to.write(json.dumps(answer(job)).encode())


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"remade": ...}``, ``{"error": ...}`` for the user, or ``{"crash": ...}``."""
    try:
        return {"remade": remake(_read(job))}
    except Qua3ckError as problem:
        told = {key: getattr(problem, key) for key in ("what", "where", "fix", "code")}
        return {"error": {"kind": type(problem).__name__, **told}}
    except Exception as problem:  # noqa: BLE001 - its message may hold a value: kind and place leave
        frames = traceback.extract_tb(problem.__traceback__)
        place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
        return {"crash": f"{type(problem).__name__}{place}"}


def remake(job: _Job) -> dict[str, Any]:
    """Make the artefact again and return everything that can be compared."""
    from qua3ck.store.releases import golden
    from qua3ck.store.releases.model import load_model
    from qua3ck.transfer.environment import running_environment

    pinned = job.snapshot.gold
    first = {
        "gold": _content(job.workspace, pinned.table, pinned.version),
        "environment": running_environment().facts(),
    }
    if first["gold"] != pinned.digest:
        return first  # other rows give another model; there is nothing more to compare
    made = _train(job)
    model = load_model(made.folder, digest=made.digest)
    rows, expected = golden.read_golden(job.release / "model")
    return {
        **first,
        "artefact": made.digest,
        "validation": {name: score.value for name, score in made.scores.items()},
        "golden": golden.differences(model.predict(rows), expected),
        "golden_rows": len(rows),
        "sealed": _sealed(job, model),
    }


def _read(job: dict[str, Any]) -> _Job:
    from qua3ck.a3.records import Candidate
    from qua3ck.govern import open_workspace
    from qua3ck.question.records import Question
    from qua3ck.understand.records import Snapshot

    root = Path(job["root"])
    release = root / job["release"]
    records = release / "records"
    text = (records / "question.json").read_text(encoding="utf-8")
    return _Job(
        workspace=open_workspace(root, job["project"], actor=job["actor"]),
        release=release,
        question=Question.model_validate_json(text),
        snapshot=load(Snapshot, records / "snapshot.json"),
        candidate=load(Candidate, records / "candidate.json"),
        into=Path(job["into"]),
    )


def _content(workspace: Workspace, table: str, version: int) -> str:
    from qua3ck.store.warehouse import content_digest

    return content_digest(workspace.warehouse.read(table, version=version))


def _train(job: _Job) -> Refitted:
    """Train and package again with the released functions and settings."""
    from qua3ck.a3 import A3, refit
    from qua3ck.transfer.release import CODE

    shutil.copytree(job.release / CODE, job.into / CODE, copy_function=shutil.copyfile)
    text = (job.release / "records" / "a3.json").read_text(encoding="utf-8")
    return refit(
        job.candidate,
        job.snapshot,
        replace(job.workspace, root=(job.into / CODE).resolve()),
        a3=A3.model_validate_json(text),
        question=job.question,
        folder=job.into / "artefact",
    )


def _sealed(job: _Job, model: Model) -> dict[str, Any]:
    """Return answers and metrics on the sealed rows, or why they could not be read again."""
    from qua3ck.conclude.outcomes import predictions_digest, truth_only, with_prediction
    from qua3ck.understand import reread_seal

    try:
        opened = reread_seal(job.snapshot, job.workspace, candidate=job.candidate.digest)
    except Qua3ckError as problem:
        return {"unavailable": problem.what}
    base = truth_only(opened.rows, job.snapshot, job.question)
    outcome = with_prediction(base, model.predict(opened.rows))
    return {
        "rows": len(opened.rows),
        "predictions": predictions_digest(outcome),
        "metrics": _metrics(job.question, outcome),
    }


def _metrics(question: Question, outcome: Outcome) -> dict[str, float]:
    """Return the value of each KPI that the answers alone decide; no timing, no size."""
    from qua3ck.question import METRICS, score

    return {
        kpi.id: float(score(kpi.metric, outcome))
        for kpi in question.kpis
        if METRICS[kpi.metric].needs in {"labels", "scores", "values"} and not kpi.slice
    }


if __name__ == "__main__":
    main()

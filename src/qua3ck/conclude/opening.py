"""Conclude: have the candidate judged on the sealed rows, once, in a process of its own.

The rows are read and forgotten in a child process; what comes back is a record without a row
in it. The same candidate and question give the record that was kept, without another look.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from qua3ck.conclude.changes import threshold_changes
from qua3ck.conclude.findings import change_findings
from qua3ck.conclude.records import Conclusion
from qua3ck.govern.risk import risk_class
from qua3ck.kit.child import answer_of, begin
from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Blocked, NotEnoughEvidence, Qua3ckError
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import as_json, from_json, load, save
from qua3ck.question.agreement import CODE as AGREEMENT
from qua3ck.question.agreement import agreement_findings

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude.section import Conclude
    from qua3ck.govern import Workspace
    from qua3ck.question.records import Question
    from qua3ck.understand.records import Snapshot

KEPT = Path("evidence") / "conclusions"
_KINDS = {kind.__name__: kind for kind in (Qua3ckError, Blocked, NotEnoughEvidence)}


class Judge:
    """The judging process; it can be started ahead, while the loop is still at work.

    Until it is given its job it loads libraries and waits: it has no key, no row and no name
    of a project. It ends with whoever started it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Return the judge itself."""
        return self

    def __exit__(self, *problem: object) -> None:
        """End the process if it was never asked."""
        if self._process is not None:
            with self._process as process:
                process.kill()

    def start(self) -> None:
        """Start the process, so that it is ready when it is asked."""
        if self._process is None:
            self._process = begin(self._command())

    def ask(self, job: dict[str, Any]) -> tuple[bytes, int]:
        """Return what the process answers to a job, and its exit status."""
        ready, self._process = self._process, None
        return answer_of(self._command(), job, begun=ready)

    def _command(self) -> list[str]:
        return [sys.executable, "-P", "-m", "qua3ck.conclude.examine"]


def conclude(
    section: Conclude,
    question: Question,
    snapshot: Snapshot,
    candidate: Candidate,
    workspace: Workspace,
    *,
    champion: Path | None,
    seed: int,
    judge: Judge | None = None,
) -> Conclusion:
    """Judge a candidate on the sealed rows; the record is kept and never made twice.

    Parameters
    ----------
    section : Conclude
        Holds the budget of openings.
    question, snapshot, candidate : Question, Snapshot, Candidate
        What was promised, on which rows, by what.
    workspace : Workspace
        Where the ledger, the seal and the candidate lie.
    champion : Path or None
        Folder of the version now in use; compared in the same opening.
    seed : int
        For the bootstrap.
    judge : Judge, optional
        Started ahead; one of its own by default.

    Returns
    -------
    Conclusion
        With ``release_allowed``; among its findings are who had agreed to the thresholds and
        every change of them after a verdict.

    Raises
    ------
    Blocked
        If the budget of openings is spent.
    Qua3ckError
        If the candidate is of another snapshot, the seal's key is missing or wrong, or the
        judging process ended without a verdict.

    Notes
    -----
    A crash between opening and verdict costs no opening: the next call reads the rows again
    for the same candidate, and the ledger says so.
    """
    if candidate.snapshot != snapshot.id:
        raise Qua3ckError(
            "The candidate was trained on another snapshot than the one whose seal would be opened",
            where=f"candidate {candidate.digest[:12]}, snapshot {snapshot.id[:12]}",
            fix="run: qua3ck loop",
            code="C015",
        )
    level = _level(section, snapshot, workspace)
    kept = _kept(workspace, question, candidate, openings=level)
    if kept is None:
        workspace.progress("C", "judging on the sealed rows", 0, 1)
        judged = _judge_in_child(
            section,
            question,
            snapshot,
            candidate,
            workspace,
            level=level,
            champion=champion,
            seed=seed,
            judge=judge or Judge(),
        )
        kept = _keep(judged, candidate, workspace)
        workspace.progress("C", "judged", 1, 1)
    return _with_history(kept, question, workspace)


def judged(
    section: Conclude,
    question: Question,
    snapshot: Snapshot,
    candidate: Candidate,
    workspace: Workspace,
) -> Conclusion | None:
    """Return what :func:`conclude` said of a candidate; None if it was not asked. Opens nothing."""
    kept = _kept(workspace, question, candidate, openings=_level(section, snapshot, workspace))
    return None if kept is None else _with_history(kept, question, workspace)


def _level(section: Conclude, snapshot: Snapshot, workspace: Workspace) -> int:
    """Return between how many openings the error is shared: the largest budget ever declared.

    A budget that was raised, used, and lowered again would else make the verdict milder.
    """
    opened = workspace.ledger.entries("seal.opened", subject=snapshot.seal)
    return max([section.openings, *(int(entry.body["m"]) for entry in opened)])


def _with_history(conclusion: Conclusion, question: Question, workspace: Workspace) -> Conclusion:
    """Return the conclusion with who agreed to the thresholds, and every change of them."""
    fresh = {"C007", AGREEMENT}
    others = tuple(finding for finding in conclusion.findings if finding.code not in fresh)
    entries = workspace.ledger.entries()
    asked = question.risk
    risk, _ = risk_class(affects=asked.affects, domain=asked.domain, automated=asked.automated)
    agreed = agreement_findings(question, entries, risk=risk, judged=True)
    changes = change_findings(threshold_changes(entries))
    return replace(conclusion, findings=(*others, *agreed, *changes))


def _kept(
    workspace: Workspace, question: Question, candidate: Candidate, *, openings: int
) -> Conclusion | None:
    """Return the record of the same judgement if the ledger vouches for its bytes."""
    path = _path(workspace, candidate, question.digest, openings)
    if not path.exists():
        return None
    try:
        conclusion = load(Conclusion, path)
    except ValueError:
        return None  # a torn or edited record is no record; the rows are read again, logged
    proof = digest(as_json(conclusion))
    entries = workspace.ledger.entries("verdict.made", subject=candidate.digest)
    return conclusion if any(entry.body["record"] == proof for entry in entries) else None


def _keep(conclusion: Conclusion, candidate: Candidate, workspace: Workspace) -> Conclusion:
    """Keep the record, then have the ledger vouch for it; a crash in between costs a reread."""
    path = _path(workspace, candidate, conclusion.question, conclusion.openings)
    save(conclusion, path)
    kept = load(Conclusion, path)
    workspace.ledger.append("verdict.made", kept.candidate, _ledger_body(kept))
    return kept


def _ledger_body(conclusion: Conclusion) -> dict[str, Any]:
    facts = ("id", "metric", "value", "low", "high", "threshold", "verdict", "n")
    record = as_json(conclusion)
    verdicts = {
        kind: [{fact: verdict[fact] for fact in facts} for verdict in record[kind]]
        for kind in ("kpis", "slices", "fairness")
    }
    return {
        "candidate": conclusion.candidate,
        "snapshot": conclusion.snapshot,
        "question": conclusion.question,
        "opening": conclusion.opening,
        "openings": conclusion.openings,
        "reread": conclusion.reread,
        "rows": conclusion.rows,
        "release_allowed": conclusion.release_allowed,
        **verdicts,
        "findings": [f"{f.code} {f.severity}" for f in conclusion.findings],
        "predictions": conclusion.predictions_digest,
        "record": digest(record),
    }


def _path(workspace: Workspace, candidate: Candidate, question: str, openings: int) -> Path:
    """Return where the record lies; the same training rows may stand beside other sealed ones."""
    facts = {"candidate": candidate.digest, "snapshot": candidate.snapshot}
    name = digest({**facts, "question": question, "openings": openings})
    return workspace.root / KEPT / f"{name}.json"


def _judge_in_child(
    section: Conclude,
    question: Question,
    snapshot: Snapshot,
    candidate: Candidate,
    workspace: Workspace,
    *,
    level: int,
    champion: Path | None,
    seed: int,
    judge: Judge,
) -> Conclusion:
    job = {
        "root": str(workspace.root),
        "project": workspace.project,
        "actor": workspace.actor,
        "at": stamp(workspace.clock()),
        "budget": section.openings,
        "level": level,
        "question": question.model_dump(mode="json"),
        "snapshot": as_json(snapshot),
        "candidate": as_json(candidate),
        "champion": str(champion) if champion else None,
        "seed": seed,
    }
    answer = _run(job, judge, where=f"candidate {candidate.digest[:12]}")
    return from_json(Conclusion, answer)


def _run(job: dict[str, Any], judge: Judge, *, where: str) -> Any:
    """Run the child and return its record; its errors become ours, its output is not shown."""
    said, status = judge.ask(job)
    try:
        answer = json.loads(said)
    except ValueError:
        answer = {}
    if "conclusion" in answer:
        return answer["conclusion"]
    if "error" in answer:
        told = dict(answer["error"])
        raise _KINDS[told.pop("kind")](told.pop("what"), **told)
    reason = answer.get("crash") or f"it ended with status {status}"
    raise Qua3ckError(
        f"The judging process gave no verdict: {reason}",
        where=where,
        fix="run the same command again: the same candidate does not use another opening",
        code="C016",
    )

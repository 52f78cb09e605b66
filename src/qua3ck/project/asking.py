"""Sets the question and the budget of openings into the ledger, and every change of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.question.records import Question


def set_question(question: Question, workspace: Workspace) -> None:
    """Record the question if it differs from the one set last.

    The event keeps every threshold, and the numbers of the verdicts that had been made
    before: whoever moves a threshold after seeing a result leaves that to be read.
    """
    past = workspace.ledger.entries("question.set")
    if past and past[-1].body["digest"] == question.digest:
        return
    verdicts = [entry.seq for entry in workspace.ledger.entries("verdict.made")]
    body: dict[str, Any] = {
        "digest": question.digest,
        "kpis": [_threshold(kpi) for kpi in question.kpis],
        "fairness": [
            {"id": gap.id, "metric": gap.metric, "by": gap.by, "at_most": gap.at_most}
            for gap in question.fairness
        ],
        "stop_if": list(question.stop_if),
        "after_verdicts": verdicts,
    }
    workspace.ledger.append("question.set", workspace.project, body)


def set_openings(openings: int, workspace: Workspace) -> None:
    """Record the budget of openings if it differs from the one declared last.

    A raised budget judges every verdict more strictly, those made before as well.
    """
    past = workspace.ledger.entries("openings.declared")
    before = int(past[-1].body["m"]) if past else None
    if before != openings:
        body = {"m": openings, "from": before}
        workspace.ledger.append("openings.declared", workspace.project, body)


def _threshold(kpi: Any) -> dict[str, Any]:
    return {
        "id": kpi.id,
        "metric": kpi.metric,
        kpi.direction: kpi.threshold,
        "confidence": kpi.confidence,
        "slice_by": list(kpi.slice_by),
        "slice": {key: str(value) for key, value in (kpi.slice or {}).items()},
    }

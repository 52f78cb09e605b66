"""Sets the question into the ledger, and sees when it was changed after a verdict."""

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


def _threshold(kpi: Any) -> dict[str, Any]:
    return {
        "id": kpi.id,
        "metric": kpi.metric,
        kpi.direction: kpi.threshold,
        "confidence": kpi.confidence,
        "slice_by": list(kpi.slice_by),
        "slice": {key: str(value) for key, value in (kpi.slice or {}).items()},
    }

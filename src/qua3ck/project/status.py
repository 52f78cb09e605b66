"""How far a project has come, in a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.project import plan
from qua3ck.project.file import ProjectFile

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.understand.records import Snapshot


def status_lines(root: Path, file: ProjectFile) -> list[str]:
    """Return one line per phase: what is asked, and what each phase left last."""
    from qua3ck.a3.records import Candidate
    from qua3ck.understand.records import Snapshot

    kpis = ", ".join(
        f"{kpi.metric} {'>=' if kpi.direction == 'at_least' else '<='} {kpi.threshold:g}"
        for kpi in file.question.kpis
    )
    lines = [f"{file.project}: {file.question.asks}", f"Q   {kpis}"]
    snapshot = plan.recalled(root, "understand", Snapshot)
    lines.append(snapshot_line(snapshot) if snapshot else "U   not taken yet")
    candidate = plan.recalled(root, "loop", Candidate)
    lines.append(candidate_line(candidate) if candidate else "A3  not run yet")
    return [*lines, *_conclusion_lines(root), *_release_lines(root)]


def snapshot_line(snapshot: Snapshot) -> str:
    """Return the one line about a snapshot."""
    split = snapshot.split
    said = f", findings: {', '.join(sorted({f.code for f in snapshot.findings}))}"
    return (
        f"U   {split.rows_train} rows to learn from, {split.rows_test} sealed"
        f" ({split.method}, by {split.unit}){said if snapshot.findings else ''}"
    )


def candidate_line(candidate: Candidate) -> str:
    """Return the one line about a candidate."""
    first = next(iter(candidate.scores.items()), None)
    score = f", validation {first[0]} {first[1].value:.4g}" if first else ""
    return (
        f"A3  {len(candidate.trials)} trials, best: {candidate.algorithm}{score}"
        f" ({candidate.model_format})"
    )


def _conclusion_lines(root: Path) -> list[str]:
    from qua3ck.conclude import lines
    from qua3ck.conclude.records import Conclusion
    from qua3ck.kit.records import load

    path = root / "state" / "conclusion.json"
    return lines(load(Conclusion, path)) if path.exists() else ["C   not concluded yet"]


def _release_lines(root: Path) -> list[str]:
    versions = sorted(
        int(path.name) for path in (root / "releases").glob("*") if path.name.isdigit()
    )
    return [f"K   versions: {', '.join(map(str, versions))}"] if versions else []


def approvals_due(file: ProjectFile) -> int:
    """Return how many persons must approve a version before it is promoted."""
    from qua3ck.govern import needed_approvals, risk_class

    risk = file.question.risk
    name, _ = risk_class(affects=risk.affects, domain=risk.domain, automated=risk.automated)
    return needed_approvals(name, file.transfer.approve)


def why_not_released(root: Path) -> str:
    """Return ``": the verdict was ..."`` with the KPIs that did not pass; empty if unknown."""
    from qua3ck.conclude.records import Conclusion
    from qua3ck.kit.records import load

    path = root / "state" / "conclusion.json"
    if not path.exists():
        return ": nothing has been concluded yet"
    conclusion = load(Conclusion, path)
    if conclusion.release_allowed:
        return ", though the verdict allows one"
    judged = (*conclusion.kpis, *conclusion.slices, *conclusion.fairness)
    open_ = [f"{v.id} is {v.verdict}" for v in judged if v.verdict != "pass"]
    blocking = [f"finding {f.code} blocks" for f in conclusion.findings if f.blocks]
    return f": {'; '.join([*open_, *blocking]) or 'the verdict does not allow one'}"

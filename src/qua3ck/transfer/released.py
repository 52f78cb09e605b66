"""What a released version tells of itself, read back from its folder after that was checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Blocked
from qua3ck.kit.records import load
from qua3ck.transfer import folder as folders
from qua3ck.transfer import report
from qua3ck.transfer.facts import Facts

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.transfer.section import Transfer

_ASKS = ("nobody", "one_person", "two_person")


def released_facts(
    workspace: Workspace, version: int, *, section: Transfer, lang: str = "en"
) -> Facts:
    """Return what the report of a version is written from, with the ledger of today.

    Parameters
    ----------
    workspace : Workspace
        May be open for reading only.
    section : Transfer
        May ask for more approvals than the risk class does.

    Raises
    ------
    Blocked
        If a file of the version is not the one that was released (K004).
    Qua3ckError
        If there is no such version (K005).
    """
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude.records import Conclusion
    from qua3ck.govern import find_release, needed_approvals, risk_class
    from qua3ck.question.records import Question
    from qua3ck.transfer.security import SCANNED, Scan
    from qua3ck.understand.records import Snapshot

    release = find_release(workspace.ledger, version)
    home = workspace.root / release.path
    found = folders.problems(home, release.digest)
    if found:
        raise Blocked(
            f"Version {version} is not as it was released: {'; '.join(found)}",
            where=str(home),
            fix="restore that folder from a backup; qua3ck audit verify says what else is wrong",
            code="K004",
        )
    records = home / "records"
    question = Question.model_validate_json((records / "question.json").read_text("utf-8"))
    risk = question.risk
    name, why = risk_class(affects=risk.affects, domain=risk.domain, automated=risk.automated)
    return Facts(
        project=workspace.project,
        version=version,
        question=question,
        snapshot=load(Snapshot, records / "snapshot.json"),
        candidate=load(Candidate, records / "candidate.json"),
        conclusion=load(Conclusion, records / "conclusion.json"),
        entries=tuple(workspace.ledger.entries()),
        risk_class=name,
        risk_reason=why,
        approve=_ASKS[needed_approvals(name, section.approve)],
        release=release,
        lang=lang,
        security=load(Scan, home / SCANNED) if (home / SCANNED).is_file() else None,
    )


def write_report(facts: Facts, path: Path) -> Path:
    """Write the report of a released version in the language of ``facts``; return its path."""
    from qua3ck.kit.records import write_atomic

    write_atomic(path, report.render(facts).encode())
    return path

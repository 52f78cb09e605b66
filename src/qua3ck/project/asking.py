"""Sets the question and the budget of openings into the ledger; keeps the seal for what counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.question.agreement import hold_agreement
from qua3ck.question.promises import moved, promised

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude.section import Conclude
    from qua3ck.govern import Workspace
    from qua3ck.question.records import Question
    from qua3ck.understand.records import Snapshot


def set_question(question: Question, workspace: Workspace) -> None:
    """Record the question if it differs from the one set last.

    The event keeps every promise, and the numbers of the verdicts that had been made before:
    whoever changes one after seeing a result leaves that to be read. A question of which an
    older entry holds only a part is recorded once more, in full.
    """
    past = workspace.ledger.entries("question.set")
    now = promised(question)
    if past and past[-1].body["digest"] == question.digest and not moved(past[-1].body, now):
        return
    verdicts = [entry.seq for entry in workspace.ledger.entries("verdict.made")]
    body: dict[str, Any] = {"digest": question.digest, **now, "after_verdicts": verdicts}
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


def hold_seal(
    question: Question, section: Conclude, candidate: Candidate, workspace: Workspace
) -> None:
    """Refuse to open the seal for a candidate while the question is not agreed to.

    Raises
    ------
    Blocked
        If a named person refuses the question, or must still sign it (Q012). Never for a
        candidate that the seal was opened for: what was seen cannot be unseen.
    """
    opened = workspace.ledger.entries("seal.opened")
    if all(entry.body["candidate"] != candidate.digest for entry in opened):
        hold_agreement(question, workspace.ledger.entries(), all_first=section.agreed_first)


def hold_leaks(snapshot: Snapshot) -> None:
    """Refuse to train on data in which something blocks: no verdict on it allows a release.

    Raises
    ------
    Blocked
        With every blocking finding of U that nobody accepted, so that no trial and no opening
        is spent.
    """
    blocking = [finding for finding in snapshot.findings if finding.blocks]
    if blocking:
        raise Blocked(
            "; ".join(f"{one.code} {one.where}: {one.says.rstrip('.')}" for one in blocking),
            where=", ".join(dict.fromkeys(one.where for one in blocking)),
            fix="correct the data or the section understand, or say under understand.accept why it"
            f" may stay; the seal was not opened; more: qua3ck explain {blocking[0].code}",
            code=blocking[0].code,
        )


def not_judged(root: Path) -> NoReturn:
    """Refuse to do a phase over for a verb that needs its verdict.

    Raises
    ------
    Qua3ckError
        With what to type (P018).
    """
    raise Qua3ckError(
        "What stands here now was not judged: the project file, the data or the code changed since"
        " the last verdict, or there is none",
        where=str(root),
        fix="qua3ck run, and read the verdict",
        code="P018",
    )


def refuse_to_begin(root: Path, name: str) -> None:
    """Refuse an approval in a project that nobody has begun: its giver would become the owner.

    Raises
    ------
    Qua3ckError
        With what the owner types first (G001).
    """
    if (root / "ledger" / "chain.jsonl").exists() or (root / "people").exists():
        return
    raise Qua3ckError(
        f'"{name}" cannot sign yet: nobody is enrolled, and who begins a project becomes its owner',
        where=str(root),
        fix=f"let the owner type first: qua3ck enrol {name} --role ROLE"
        " (or qua3ck run, to sign as the owner)",
        code="G001",
    )

"""Moves an alias to a version through the gates, and back again; every answer is recorded.

A refusal is recorded like a promotion: who tried, and which gate said no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from qua3ck.govern import (
    Gate,
    approvals,
    gates,
    person,
    release_entry,
    require,
    risk_class,
)
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import load
from qua3ck.kit.verdicts import Answer
from qua3ck.transfer import folder as folders
from qua3ck.transfer import history, registry
from qua3ck.transfer.environment import all_hashed
from qua3ck.transfer.records import Promotion, Release
from qua3ck.transfer.release import find_release, last_budget, last_verdict_allows

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude.records import Conclusion
    from qua3ck.govern import Workspace
    from qua3ck.ledger import Entry
    from qua3ck.question.records import Question
    from qua3ck.store.tracking import Tracking
    from qua3ck.transfer.section import Transfer
    from qua3ck.understand.records import Snapshot

_CLASSES = ("minimal", "limited", "high")
_ANSWERS: Mapping[str, Answer] = {"pass": "pass", "fail": "fail", "undecided": "undecided"}


def promote(
    workspace: Workspace,
    question: Question,
    version: int,
    *,
    alias: str = "champion",
    reason: str,
    tracking: Tracking,
    section: Transfer,
) -> Promotion:
    """Move an alias to a version if every gate of the risk class passes.

    Parameters
    ----------
    workspace : Workspace
        The actor must be enrolled with a role that may promote.
    question : Question
        As it stands in the project file now: its risk answers decide which gates there are.
    version : int
        A version in the ledger.
    alias : str, default "champion"
        One of :data:`qua3ck.transfer.history.ALIASES`; all go through the same gates.
    reason : str
        A sentence for whoever asks a year later.
    tracking : Tracking
        Registry that follows; a registry out of reach does not undo the promotion.
    section : Transfer
        May ask for more approvals than the risk class does.

    Returns
    -------
    Promotion
        With every gate's answer. An alias that points there already is left alone.

    Raises
    ------
    Blocked
        If a gate does not pass (K006); the refusal is in the ledger.
    Qua3ckError
        If version, alias or reason is missing or unknown, or the actor may not promote.
    """
    history.known_alias(alias)
    _reason_given(reason, f"qua3ck promote {version}")
    release = find_release(workspace.ledger, version)
    _may_promote(workspace)
    answers = gate_answers(workspace, question, release, section)
    if any(gate.answer != "pass" for gate in answers):
        _refuse(workspace, release, alias, reason, answers)
    if history.aliases_now(workspace.ledger).get(alias) == version:
        entry = workspace.ledger.entries("alias.moved", subject=alias)[-1]
    else:
        entry = _move(workspace, release, alias, kind="promote", reason=reason, answers=answers)
    return _mirrored(workspace, tracking, entry, answers)


def rollback(
    workspace: Workspace, *, alias: str = "champion", reason: str, tracking: Tracking
) -> Promotion:
    """Move an alias back to the version it pointed to before.

    Returns
    -------
    Promotion
        ``before`` is the version that was in use until now; twice in a row goes back two.

    Raises
    ------
    Blocked
        If the older version's files are not the released ones (K004).
    Qua3ckError
        If there is no older version (K007), or no reason is given.
    """
    history.known_alias(alias)
    _reason_given(reason, "qua3ck rollback")
    _may_promote(workspace)
    now = history.aliases_now(workspace.ledger).get(alias)
    target = history.version_before(workspace.ledger, alias)
    if target is None:
        raise _nothing_before(workspace, alias, now)
    release = find_release(workspace.ledger, target)
    found = folders.problems(workspace.root / release.path, release.digest)
    if found:
        raise Blocked(
            f"Version {target}, the one before, is not as it was released: {'; '.join(found)}",
            where=str(workspace.root / release.path),
            fix="restore that folder from a backup, then roll back again",
            code="K004",
        )
    entry = _move(workspace, release, alias, kind="rollback", reason=reason, answers=())
    return _mirrored(workspace, tracking, entry, ())


def gate_answers(
    workspace: Workspace, question: Question, release: Release, section: Transfer
) -> tuple[Gate, ...]:
    """Return the answer of every gate for a version, as things stand now.

    Gates ``files`` (the folder is what was released) and ``promises`` (it was judged on
    the KPIs and gaps that the project file holds today) come first; then those of the
    risk class. The class is the higher of the one the version was judged under and
    today's: an edit of the project file cannot make the gates fewer.
    """
    found = folders.problems(workspace.root / release.path, release.digest)
    if found:
        return (Gate("files", "fail", "; ".join(found)),)
    told = _Told.read(workspace.root / release.path)
    answers = gates(
        risk=max(_class(question), _class(told.question), key=_CLASSES.index),
        kpis=told.conclusion.kpis,
        slices=told.conclusion.slices,
        fairness=told.conclusion.fairness,
        baseline=_against_baseline(told.conclusion),
        findings=(
            *told.snapshot.findings,
            *told.candidate.findings,
            *told.conclusion.findings,
        ),
        ledger=workspace.ledger.verify().ok,
        reproduced=_reproduced(workspace, release),
        approvals=approvals(workspace, release.version),
        author=release_entry(workspace, release.version).actor,
        approvers=question.roles.approvers,
        ask=section.approve,
        lock_hashed=_lock_hashed(workspace.root / release.path),
    )
    files = Gate("files", "pass", "every file is the released one")
    return (files, _promises(workspace, release, question, told.question), *answers)


@dataclass(frozen=True)
class _Told:
    """What a version's folder tells; to be believed only after its files were checked."""

    question: Question
    snapshot: Snapshot
    candidate: Candidate
    conclusion: Conclusion

    @classmethod
    def read(cls, folder: Path) -> _Told:
        from qua3ck.a3.records import Candidate
        from qua3ck.conclude.records import Conclusion
        from qua3ck.question.records import Question
        from qua3ck.understand.records import Snapshot

        records = folder / "records"
        text = (records / "question.json").read_text(encoding="utf-8")
        return cls(
            question=Question.model_validate_json(text),
            snapshot=load(Snapshot, records / "snapshot.json"),
            candidate=load(Candidate, records / "candidate.json"),
            conclusion=load(Conclusion, records / "conclusion.json"),
        )


def _class(question: Question) -> str:
    risk = question.risk
    return risk_class(affects=risk.affects, domain=risk.domain, automated=risk.automated)[0]


def _promises(workspace: Workspace, release: Release, now: Question, then: Question) -> Gate:
    if (now.kpis, now.fairness) != (then.kpis, then.fairness):
        return Gate(
            "promises",
            "undecided",
            "the KPIs or gaps in the project file were changed after it was judged:"
            " qua3ck conclude",
        )
    if not last_verdict_allows(workspace.ledger, release.candidate, release.question):
        return Gate("promises", "fail", "judged again since, and not allowed: qua3ck conclude")
    declared = [int(entry.body["m"]) for entry in workspace.ledger.entries("openings.declared")]
    judged_at = last_budget(workspace.ledger, release.candidate, release.question)
    if declared and max(declared) > judged_at:
        return Gate(
            "promises",
            "undecided",
            f"judged with a budget of {judged_at} openings, and {max(declared)} were declared"
            " since: qua3ck conclude",
        )
    return Gate("promises", "pass", "judged on the KPIs and gaps of today's project file")


def _against_baseline(conclusion: Conclusion) -> Answer | None:
    for comparison in conclusion.comparisons:
        if comparison.against == "baseline":
            return _ANSWERS[comparison.verdict]
    return None


def _reproduced(workspace: Workspace, release: Release) -> bool | None:
    """Return the last certificate of exactly this release; None if there is none."""
    said = [
        bool(entry.body["same"])
        for entry in workspace.ledger.entries("reproduction.made")
        if entry.body["release"] == release.digest
    ]
    return said[-1] if said else None


def _lock_hashed(folder: Path) -> bool | None:
    lock = folder / "requirements.txt"
    return all_hashed(lock.read_text(encoding="utf-8")) if lock.is_file() else None


def _may_promote(workspace: Workspace) -> None:
    who = person(workspace.root, workspace.actor)
    require(who.name, who.roles, "promote")


def _reason_given(reason: str, command: str) -> None:
    if not reason.strip():
        raise Qua3ckError(
            "No reason is given",
            where=command,
            fix=f'say why in a sentence: {command} --reason "..."',
            code="K014",
        )


def _nothing_before(workspace: Workspace, alias: str, now: int | None) -> Qua3ckError:
    moves = workspace.ledger.entries("alias.moved", subject=alias)
    left = sorted({entry.body["version"] for entry in moves} - {now, None})
    says = "points nowhere" if left else "has never pointed anywhere"
    if now is not None:
        says = f"is back at version {now}, where it began"
        says = says if left else f"has only pointed to version {now}"
    fix = f"see what there was: qua3ck audit --alias {alias}"
    if left:
        fix = f'go forward again: qua3ck promote {left[-1]} --alias {alias} --reason "..."'
    return Qua3ckError(
        f"There is nothing to roll back to: {alias} {says}",
        where=f"the ledger, moves of {alias}",
        fix=fix,
        code="K007",
    )


def _refuse(
    workspace: Workspace, release: Release, alias: str, reason: str, answers: tuple[Gate, ...]
) -> NoReturn:
    workspace.ledger.append("promotion.refused", alias, _about(release, alias, reason, answers))
    stopped = [gate for gate in answers if gate.answer != "pass"]
    raise Blocked(
        f"Version {release.version} cannot become {alias}: "
        + "; ".join(f"{gate.name} {gate.answer}: {gate.says}" for gate in stopped),
        where=f"the gates: {', '.join(f'{gate.name} {gate.answer}' for gate in answers)}",
        fix=_cure(stopped, release.version),
        code="K006",
    )


def _cure(stopped: list[Gate], version: int) -> str:
    cures = {
        "reproduction": f"qua3ck reproduce {version}",
        "approvals": f"qua3ck approve {version}, typed by an enrolled person who is not the author",
        "files": "restore the version's folder from a backup",
        "ledger": "qua3ck audit verify",
    }
    told = [cures[gate.name] for gate in stopped if gate.name in cures]
    return "; then ".join(told) if told else "qua3ck explain K006"


def _move(
    workspace: Workspace,
    release: Release,
    alias: str,
    *,
    kind: str,
    reason: str,
    answers: tuple[Gate, ...],
) -> Entry:
    before = history.aliases_now(workspace.ledger).get(alias)
    body = {**_about(release, alias, reason, answers), "from": before, "kind": kind}
    return workspace.ledger.append("alias.moved", alias, body)


def _about(release: Release, alias: str, reason: str, answers: tuple[Gate, ...]) -> dict[str, Any]:
    told = [asdict(gate) for gate in answers]
    return {
        "alias": alias,
        "version": release.version,
        "release": release.digest,
        "reason": reason,
        "gates": {gate.name: gate.answer for gate in answers},
        "gates_digest": digest(told),
    }


def _mirrored(
    workspace: Workspace,
    tracking: Tracking,
    entry: Entry,
    answers: tuple[Gate, ...],
) -> Promotion:
    note = ""
    try:
        registry.mirror(workspace, tracking)
    except Qua3ckError as problem:
        note = f"{problem.what}; the ledger has the move, the registry follows with the next one"
    return Promotion(
        alias=entry.body["alias"],
        version=entry.body["version"],
        before=entry.body["from"],
        reason=entry.body["reason"],
        actor=entry.actor,
        at=entry.at,
        gates=answers,
        mirrored=not note,
        note=note,
    )

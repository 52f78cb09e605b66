"""Moves an alias to a version through the gates, and back again; every answer is recorded.

A refusal is recorded like a promotion: who tried, and which gate said no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from qua3ck.govern import (
    Gate,
    Release,
    approvals,
    find_release,
    gates,
    person,
    release_entry,
    require,
    risk_class,
)
from qua3ck.govern.gates import Waiver, security_gate
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import load
from qua3ck.kit.verdicts import Answer
from qua3ck.transfer import folder as folders
from qua3ck.transfer import history, registry
from qua3ck.transfer.environment import all_hashed
from qua3ck.transfer.records import Promotion
from qua3ck.transfer.release import last_budget, last_verdict_allows
from qua3ck.transfer.security.scan import ADVISORIES, what_to_write

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude.records import Conclusion
    from qua3ck.govern import Workspace
    from qua3ck.kit.findings import Finding
    from qua3ck.ledger import Entry
    from qua3ck.question.records import Question
    from qua3ck.store.tracking import Tracking
    from qua3ck.transfer.section import Transfer
    from qua3ck.transfer.security import Scan
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
    steps: tuple[int, ...] = (),
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
    steps : tuple of int, default ()
        Shares in percent by which online serving goes over to the version, written into the
        move; empty for at once. Ignored for other aliases than champion, and for the first
        champion: with nobody to take over from, it answers everybody.

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
    seen = _Seen.now(workspace, release, section).on_record(workspace, release)
    answers = _answers(workspace, question, release, section, seen)
    if any(gate.stops for gate in answers):
        _refuse(workspace, release, alias, reason, answers, seen)
    if _there_already(workspace, alias, version):
        entry = workspace.ledger.entries("alias.moved", subject=alias)[-1]
    else:
        by: dict[str, Any] = {ADVISORIES: seen.advisories}
        if alias == "champion" and history.aliases_now(workspace.ledger).get(alias) is not None:
            by |= {"steps": list(steps)} if steps else {}
        entry = _move(
            workspace, release, alias, kind="promote", reason=reason, answers=answers, more=by
        )
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
    seen = _Seen.now(workspace, release, section)
    return _answers(workspace, question, release, section, seen)


@dataclass(frozen=True)
class _Seen:
    """What lies in a version's folder now: what is not the version's, and what a scan finds.

    ``findings`` is None if there is no folder to scan. ``waivers`` says where each reason is
    on record; empty if the files are not the released ones, whose evidence is then none.
    ``advisories`` counts those that were read.
    """

    problems: tuple[str, ...]
    findings: tuple[Finding, ...] | None
    waivers: tuple[Waiver, ...] = ()
    advisories: int = 0

    @classmethod
    def now(cls, workspace: Workspace, release: Release, section: Transfer) -> _Seen:
        from qua3ck.transfer.security.waivers import waivers

        folder = workspace.root / release.path
        problems = tuple(folders.problems(folder, release.digest))
        if problems:  # what was put there is not the version's, and may be what harms
            there = folder.is_dir()
            return cls(problems, _scan(workspace, release, section).findings if there else None)
        found = _scan(workspace, release, section)
        known = waivers(workspace, release, found.findings)
        return cls((), found.findings, known, found.advisories)

    def on_record(self, workspace: Workspace, release: Release) -> _Seen:
        """Put what is accepted since the version was made on record, for approvers to see."""
        from qua3ck.transfer.security.waivers import put_on_record

        return replace(self, waivers=put_on_record(workspace, release, self.waivers))


def _answers(
    workspace: Workspace, question: Question, release: Release, section: Transfer, seen: _Seen
) -> tuple[Gate, ...]:
    if seen.problems:
        told_of = [Gate("files", "fail", "; ".join(seen.problems))]
        if seen.findings is not None:
            bare = [replace(one, accepted="") for one in seen.findings]
            told_of.append(security_gate(bare, risk=_class(question)))
        return tuple(told_of)
    folder = workspace.root / release.path
    told = _Told.read(folder)
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
        authors=authors(workspace, release, told.question),
        approvers=question.roles.approvers,
        ask=section.approve,
        lock_hashed=_lock_hashed(folder),
        security=seen.findings,
        waivers=seen.waivers,
    )
    files = Gate("files", "pass", "every file is the released one")
    return (files, _promises(workspace, release, question, told.question), *answers)


def authors(workspace: Workspace, release: Release, question: Question) -> frozenset[str]:
    """Return whose work a version is: they searched, judged or released it.

    Releasing somebody else's candidate makes nobody's own approval count. A declared
    steward who only opened the seal to judge is no author: that is the steward's office.
    """
    made = release_entry(workspace, release.version)
    kept = workspace.ledger.entries("candidate.kept", subject=release.candidate)
    judged = workspace.ledger.entries("verdict.made", subject=release.candidate)
    makers = {entry.actor for entry in (made, *kept)}
    return frozenset(makers | ({entry.actor for entry in judged} - {question.roles.steward}))


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
    from qua3ck.question.promises import moved, promised

    changed = moved(promised(then), promised(now))
    if changed:
        return Gate(
            "promises",
            "undecided",
            "changed in the project file after it was judged:"
            f" {'; '.join(map(str, changed))}: qua3ck conclude, then qua3ck release",
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
    return Gate("promises", "pass", "judged on the promises of today's project file")


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


def _scan(workspace: Workspace, release: Release, section: Transfer) -> Scan:
    """Return what a scan of a version's folder finds now: advisories may be newer than it."""
    from qua3ck.transfer.security import scan

    folder, now = workspace.root / release.path, workspace.clock()
    return scan(folder, section=section, root=workspace.root, now=now)


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
    workspace: Workspace,
    release: Release,
    alias: str,
    reason: str,
    answers: tuple[Gate, ...],
    seen: _Seen,
) -> NoReturn:
    body = {**_about(release, alias, reason, answers), ADVISORIES: seen.advisories}
    workspace.ledger.append("promotion.refused", alias, body)
    stopped = [gate for gate in answers if gate.stops]
    raise Blocked(
        f"Version {release.version} cannot become {alias}: "
        + "; ".join(f"{gate.name} {gate.answer}: {gate.says}" for gate in stopped),
        where=f"the gates: {', '.join(f'{gate.name} {gate.answer}' for gate in answers)}",
        fix=_cure(stopped, release.version, seen),
        code="K006",
    )


def _cure(stopped: list[Gate], version: int, seen: _Seen) -> str:
    """Return what to type, in that order: nobody signs before it is known what is accepted."""
    cures = {
        "files": "restore the version's folder from a backup",
        "ledger": "qua3ck audit verify",
        "reproduction": f"qua3ck reproduce {version}",
        "security": what_to_write(seen.findings or (), risk="high", version=version),
        "approvals": f"qua3ck approve {version}, typed by an enrolled person who is no author",
    }
    names = [gate.name for gate in stopped]
    if seen.problems:
        names = ["files"]  # what was put there is taken away, not accepted
    elif "security" in names and not cures["security"]:
        names.append("approvals")  # what is accepted waits for approvals that are later
        cures["approvals"] = (
            f"qua3ck approve {version}, typed again by the approvers, who then have seen what"
            f" is accepted: qua3ck audit {version}"
        )
    told = [cure for name, cure in cures.items() if cure and name in names]
    return "; then ".join(told) if told else "qua3ck explain K006"


def _there_already(workspace: Workspace, alias: str, version: int) -> bool:
    """Whether the alias points there; not if that rollout was stopped, so it can be tried again."""
    moves = workspace.ledger.entries("alias.moved", subject=alias)
    if not moves or moves[-1].body["version"] != version:
        return False
    stopped = workspace.ledger.entries("canary.stopped")
    return all(entry.body["rollout"] != moves[-1].seq for entry in stopped)


def _move(
    workspace: Workspace,
    release: Release,
    alias: str,
    *,
    kind: str,
    reason: str,
    answers: tuple[Gate, ...],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Entry:
    before = history.aliases_now(workspace.ledger).get(alias)
    body = {**_about(release, alias, reason, answers), "from": before, "kind": kind, **more}
    return workspace.ledger.append("alias.moved", alias, body)


def _about(release: Release, alias: str, reason: str, answers: tuple[Gate, ...]) -> dict[str, Any]:
    told = [asdict(gate) for gate in answers]
    told_only = {gate.name: gate.answer for gate in answers if not gate.needed}
    return {
        "alias": alias,
        "version": release.version,
        "release": release.digest,
        "reason": reason,
        "gates": {gate.name: gate.answer for gate in answers if gate.needed},
        "gates_digest": digest(told),
        **{gate.name: gate.says for gate in answers if gate.name == "security"},
        **({"told": told_only} if told_only else {}),
    }


def _mirrored(
    workspace: Workspace,
    tracking: Tracking,
    entry: Entry,
    answers: tuple[Gate, ...],
) -> Promotion:
    note = ""
    try:
        registry.catch_up(workspace, tracking)
    except Qua3ckError as problem:
        note = (
            f"{problem.what}; the ledger has the move, and the registry follows with the next"
            f" release, promote or rollback after this: {problem.fix}"
        )
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

"""Approvals: a person's signature over a version or the question, and the ledger they saw.

One kind of signature for both: first named people sign what will be asked, with its
thresholds; later they sign the version that met them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.govern.people import Person, enrolled, key_givers, person
from qua3ck.govern.roles import require
from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import canonical_json, decimals
from qua3ck.store.keys import verify

if TYPE_CHECKING:
    from qua3ck.govern.workspace import Workspace
    from qua3ck.ledger import Entry

Decision = Literal["approve", "refuse"]
_EVENTS = {"approve": "approval.given", "refuse": "approval.refused"}
_SHOWN = ("version", "approver", "decision", "reason")
QUESTION = "question"


@dataclass(frozen=True)
class Approval:
    """One person's word on a version, or on the question; ``roles`` are those held then.

    ``key_by`` names who enrolled the key that signed, where another of that person came before.

    ``head_n`` and ``head_hash`` are the ledger head the person saw: by signing it they
    countersign everything before. On the question, ``version`` is None and ``release`` empty;
    ``question`` is then its digest, ``promises`` every KPI and gap with its number, and
    ``opened`` how often the seal had been opened before.
    """

    version: int | None
    release: str
    approver: str
    roles: tuple[str, ...]
    decision: Decision
    reason: str
    at: str
    head_n: int
    head_hash: str
    question: str = ""
    promises: Mapping[str, Any] = field(default_factory=dict)
    opened: int = 0
    key_by: tuple[str, ...] = ()


def approve(
    workspace: Workspace, version: int, *, approver: str, decision: str, reason: str
) -> Approval:
    """Sign for or against a version, with the approver's own key.

    Parameters
    ----------
    version : int
        A released version: the ledger has ``release.made`` for it.
    approver : str
        An enrolled person with a role that may approve, whose private key lies in this
        key store.
    decision : {"approve", "refuse"}
        The latest word of a person counts.
    reason : str
        Not empty; it is shown in the report.

    Raises
    ------
    Qua3ckError
        If there is no such release, the person may not approve or their key is not here
        or not the enrolled one, the reason is empty, or the ledger was tampered with.
    """
    _check_words(f"qua3ck approve {version}", decision, reason)
    made = release_entry(workspace, version)
    who = person(workspace.root, approver)
    require(who.name, who.roles, "approve")
    said = {"version": version, "release": made.body["digest"]}
    return _signed(workspace, who, str(version), decision, reason, said)


def approve_question(
    workspace: Workspace,
    question: str,
    promises: Mapping[str, Any],
    *,
    named: Collection[str],
    approver: str,
    decision: str,
    reason: str,
) -> Approval:
    """Sign for or against the question as it stands, with the approver's own key.

    Parameters
    ----------
    question : str
        Its digest, which covers every word and number of it.
    promises : mapping
        Every KPI and gap with its threshold: the numbers themselves are signed, so that they
        can be read without the project file of that day.
    named : collection of str
        Whom the question names; they may sign whatever their role, others need one that may
        approve.
    approver, decision, reason
        As for :func:`approve`.

    Raises
    ------
    Qua3ckError
        As for :func:`approve`.
    """
    _check_words("qua3ck approve --question", decision, reason)
    who = person(workspace.root, approver)
    if who.name not in named:
        require(who.name, who.roles, "approve")
    said = {QUESTION: question, "promises": decimals(dict(promises))}
    return _signed(workspace, who, QUESTION, decision, reason, said)


def approvals(workspace: Workspace, version: int) -> tuple[Approval, ...]:
    """Return every word on a version in the order signed, each signature checked.

    Only what was signed over the release as the ledger has it counts.

    Raises
    ------
    Qua3ckError
        If a signature is wrong, was made with a key that is not enrolled, or the head
        that was seen is not in the chain: the ledger was tampered with.
    """
    ledger = workspace.ledger
    release = release_entry(workspace, version).body["digest"]
    entries = ledger.entries()
    found = []
    for entry in entries:
        if entry.event not in _EVENTS.values() or entry.subject != str(version):
            continue
        approval = _checked(entry, entries)
        if approval.release == release:
            found.append(approval)
    return tuple(found)


def question_approvals(entries: Sequence[Entry]) -> tuple[tuple[Entry, Approval], ...]:
    """Return every word on the question, as it was or is, with its event; signatures checked.

    Parameters
    ----------
    entries : sequence of Entry
        The whole ledger, oldest first.

    Raises
    ------
    Qua3ckError
        As for :func:`approvals`.
    """
    words = [e for e in entries if e.event in _EVENTS.values() and e.subject == QUESTION]
    return tuple((entry, _checked(entry, entries)) for entry in words)


def standing(given: Sequence[Approval]) -> tuple[Approval, ...]:
    """Return the latest word of each person, in the order of their latest words."""
    latest: dict[str, Approval] = {}
    for approval in given:
        latest.pop(approval.approver, None)
        latest[approval.approver] = approval
    return tuple(latest.values())


def release_entry(workspace: Workspace, version: int) -> Entry:
    """Return the event ``release.made`` of a version.

    Raises
    ------
    Qua3ckError
        If there is none.
    """
    made = workspace.ledger.entries("release.made")
    for entry in reversed(made):
        if entry.subject == str(version) or entry.body.get("version") == version:
            return entry
    known = ", ".join(str(entry.body.get("version", entry.subject)) for entry in made)
    raise Qua3ckError(
        f"There is no release {version}; released so far: {known or 'none'}",
        where=str(workspace.root / "releases"),
        fix="qua3ck release" if not made else "name one of these versions",
        code="G011",
    )


def _check_words(where: str, decision: str, reason: str) -> None:
    if decision not in _EVENTS:
        raise Qua3ckError(
            f'"{decision}" is no decision; possible: approve, refuse',
            where=where,
            fix="write approve or refuse",
            code="G012",
        )
    if not reason.strip():
        raise Qua3ckError(
            "An approval needs a reason",
            where=where,
            fix='add --reason "why"; it stands in the report',
            code="G012",
        )


def _signed(
    workspace: Workspace,
    who: Person,
    subject: str,
    decision: str,
    reason: str,
    said: Mapping[str, Any],
) -> Approval:
    """Sign what is said together with the head of the ledger, and write it down."""
    identity = workspace.keys.identity(who.name, create=False)
    if identity.public.signing != who.signing:
        raise Qua3ckError(
            f'The key of "{who.name}" in this key store is not the one enrolled',
            where=f"{workspace.keys.folder} against people/{who.name}.pub",
            fix=f"let {who.name} approve with their own key: set QUA3CK_KEYS to its folder",
            code="G006",
        )
    with workspace.ledger.locked():
        workspace.ledger.settle()
        head = workspace.ledger.head()
        statement = {
            "what": "qua3ck approval",
            **said,
            "approver": who.name,
            "decision": decision,
            "reason": reason,
            "head": {"n": head.n, "hash": head.hash},
            "at": stamp(workspace.clock()),
        }
        if subject == QUESTION:
            statement["opened"] = len(workspace.ledger.entries("seal.opened"))
        signature = identity.sign(canonical_json(statement)).hex()
        body = {
            **{key: statement[key] for key in _SHOWN if key in statement},
            "signed": {"by": who.name, "statement": statement, "signature": signature},
        }
        entry = workspace.ledger.append(_EVENTS[decision], subject, body)
    return _read(entry, who.roles)


def _checked(entry: Entry, entries: Sequence[Entry]) -> Approval:
    """Return the approval in an event, or raise if its signature does not hold."""
    who = enrolled(entries[: entry.seq]).get(str(entry.body.get("approver")))
    if who is None or not (_holds(entry, who) and _fits(entry, entries)):
        raise Qua3ckError(
            "The signature of an approval does not hold",
            where=f"ledger/chain.jsonl, line {entry.seq + 1}",
            fix="keep the folder as it is, type: qua3ck audit verify, then restore ledger/",
            code="G013",
        )
    return replace(_read(entry, who.roles), key_by=key_givers(entries, who.name, before=entry.seq))


def _holds(entry: Entry, who: Person) -> bool:
    try:
        signed = entry.body["signed"]
        statement = signed["statement"]
        shown = {key: statement[key] for key in _SHOWN if key in statement}
        return (
            entry.body == {**shown, "signed": signed}
            and signed["by"] == who.name
            and verify(who.signing, bytes.fromhex(signed["signature"]), canonical_json(statement))
            and statement["head"] == {"n": entry.seq, "hash": entry.prev}
        )
    except (KeyError, TypeError, ValueError):
        return False


def _fits(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Whether what was signed is about the event's subject, and in step with the ledger."""
    said = entry.body["signed"]["statement"]
    if entry.subject != QUESTION:
        return entry.subject == str(said.get("version"))
    opened = sum(one.event == "seal.opened" for one in entries[: entry.seq])
    return bool(said.get(QUESTION)) and said.get("opened") == opened


def _read(entry: Entry, roles: tuple[str, ...]) -> Approval:
    statement = entry.body["signed"]["statement"]
    return Approval(
        version=statement.get("version"),
        release=statement.get("release", ""),
        approver=statement["approver"],
        roles=roles,
        decision=statement["decision"],
        reason=statement["reason"],
        at=statement["at"],
        head_n=statement["head"]["n"],
        head_hash=statement["head"]["hash"],
        question=statement.get(QUESTION, ""),
        promises=statement.get("promises", {}),
        opened=statement.get("opened", 0),
    )

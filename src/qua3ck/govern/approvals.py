"""Approvals: a person's signature over a version, a decision, and the ledger as they saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from qua3ck.govern.people import Person, enrolled, person
from qua3ck.govern.roles import require
from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import canonical_json
from qua3ck.store.keys import verify

if TYPE_CHECKING:
    from qua3ck.govern.workspace import Workspace
    from qua3ck.ledger import Entry

Decision = Literal["approve", "refuse"]
_EVENTS = {"approve": "approval.given", "refuse": "approval.refused"}
_SHOWN = ("version", "approver", "decision", "reason")


@dataclass(frozen=True)
class Approval:
    """One person's word on one version; ``roles`` are those held when it was signed.

    ``head_n`` and ``head_hash`` are the ledger head the person saw: by signing it they
    countersign everything before.
    """

    version: int
    release: str
    approver: str
    roles: tuple[str, ...]
    decision: Decision
    reason: str
    at: str
    head_n: int
    head_hash: str


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
    _check_words(version, decision, reason)
    made = release_entry(workspace, version)
    who = person(workspace.root, approver)
    require(who.name, who.roles, "approve")
    identity = workspace.keys.identity(approver, create=False)
    if identity.public.signing != who.signing:
        raise Qua3ckError(
            f'The key of "{approver}" in this key store is not the one enrolled',
            where=f"{workspace.keys.folder} against people/{approver}.pub",
            fix=f"let {approver} approve with their own key: set QUA3CK_KEYS to its folder",
            code="G006",
        )
    with workspace.ledger.locked():
        workspace.ledger.settle()
        head = workspace.ledger.head()
        statement = {
            "what": "qua3ck approval",
            "version": version,
            "release": made.body["digest"],
            "approver": approver,
            "decision": decision,
            "reason": reason,
            "head": {"n": head.n, "hash": head.hash},
            "at": stamp(workspace.clock()),
        }
        signature = identity.sign(canonical_json(statement)).hex()
        body = {
            **{key: statement[key] for key in _SHOWN},
            "signed": {"by": approver, "statement": statement, "signature": signature},
        }
        entry = workspace.ledger.append(_EVENTS[decision], str(version), body)
    return _read(entry, who.roles)


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


def _check_words(version: int, decision: str, reason: str) -> None:
    where = f"qua3ck approve {version}"
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


def _checked(entry: Entry, entries: Sequence[Entry]) -> Approval:
    """Return the approval in an event, or raise if its signature does not hold."""
    who = enrolled(entries[: entry.seq]).get(str(entry.body.get("approver")))
    if who is None or not _holds(entry, who):
        raise Qua3ckError(
            "The signature of an approval does not hold",
            where=f"ledger/chain.jsonl, line {entry.seq + 1}",
            fix="keep the folder as it is, type: qua3ck audit verify, then restore ledger/",
            code="G013",
        )
    return _read(entry, who.roles)


def _holds(entry: Entry, who: Person) -> bool:
    try:
        signed = entry.body["signed"]
        statement = signed["statement"]
        return (
            all(entry.body[key] == statement[key] for key in _SHOWN)
            and signed["by"] == who.name
            and verify(who.signing, bytes.fromhex(signed["signature"]), canonical_json(statement))
            and entry.subject == str(statement["version"])
            and statement["head"] == {"n": entry.seq, "hash": entry.prev}
        )
    except (KeyError, TypeError, ValueError):
        return False


def _read(entry: Entry, roles: tuple[str, ...]) -> Approval:
    statement = entry.body["signed"]["statement"]
    return Approval(
        version=statement["version"],
        release=statement["release"],
        approver=statement["approver"],
        roles=roles,
        decision=statement["decision"],
        reason=statement["reason"],
        at=statement["at"],
        head_n=statement["head"]["n"],
        head_hash=statement["head"]["hash"],
    )

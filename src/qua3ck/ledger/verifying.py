"""Is the record as it was written? Every line, every signature, the head and its witnesses.

What a body's ``signed`` part says is checked here too: ``{by, statement, signature}``, an
Ed25519 signature over the canonical JSON of the statement with the key that ``by`` was
enrolled with at that time. The statement names the head its signer saw, which must be the
one right before: so a signature cannot be used again later, and covers all history.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qua3ck.kit.hashes import canonical_json
from qua3ck.ledger.entries import FIRST_PREV, expected_suffix, read_fields
from qua3ck.ledger.heads import Head, read_head
from qua3ck.store.keys import verify

_MOST = 20
_SIGNED = {
    "person.enrolled": "qua3ck enrolment",
    "approval.given": "qua3ck approval",
    "approval.refused": "qua3ck approval",
}
_SHOWN = ("version", "approver", "decision", "reason", "roles")
_ROLE_THAT_ENROLS = "owner"
_ENROLS = ("name", "roles", "signing", "sealing")


@dataclass(frozen=True)
class Verification:
    """What the whole check found; ``problems`` is empty if and only if ``ok``.

    ``witness`` is how many events the witness saw that saw most; None if none was looked at:
    a chain that was set back as a whole, with its head, cannot be seen then.
    """

    ok: bool
    events: int
    problems: tuple[str, ...]
    witness: int | None = None


@dataclass
class Walk:
    """What is known after some lines: hashes by position, people, and what is wrong."""

    hashes: list[str] = field(default_factory=list)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def says(self, text: str) -> None:
        """Note a problem; beyond the first twenty only that there are some."""
        if len(self.problems) < _MOST:
            self.problems.append(text)

    def key(self, name: str) -> bytes | None:
        """Return the public signing key that the lines so far enrolled for a person."""
        return _key(self.people.get(name))


def verify_ledger(
    *,
    chain: Path,
    head: Path,
    following: Path,
    keys: Callable[[str], bytes | None],
    people: Path | None = None,
    witnesses: Sequence[Path] = (),
) -> Verification:
    """Check one ledger from its first byte to its last; O(events).

    Parameters
    ----------
    chain, head, following : Path
        ``chain.jsonl``, ``head.json``, ``head.next.json``.
    keys : callable
        Name to public signing key; asked where the chain enrols nobody and no ``people``
        are given.
    people : Path, optional
        Folder of ``<name>.pub`` files; each must say what the chain enrolled.
    witnesses : sequence of Path
        Copies of a head; a missing one is passed over, since a new machine has none.

    Returns
    -------
    Verification
        At most 20 problems, each with its line.
    """
    walk = Walk()
    if not chain.exists():
        walk.says(f"{chain.name}: there is no ledger")
    stored = chain.read_bytes() if chain.exists() else b""
    walk_lines(stored, walk)
    if people is not None:
        _check_people(walk, people)
    _check_head(walk, head, following, keys if people is None else None)
    seen = [n for path in witnesses if (n := _check_witness(walk, path)) is not None]
    witness = max(seen, default=None)
    return Verification(not walk.problems, len(walk.hashes), tuple(walk.problems), witness)


def walk_lines(stored: bytes, walk: Walk) -> None:
    """Check further lines of a chain, each with its newline, and add them to the walk."""
    *lines, torn = stored.split(b"\n")
    hashes = walk.hashes
    prev = hashes[-1] if hashes else FIRST_PREV
    for number, line in enumerate(lines, start=len(hashes) + 1):
        suffix = expected_suffix(line)
        fields = read_fields(line)
        if fields is None:
            walk.says(f"line {number}: is not an event (changed, or inserted)")
            prev = ""
            hashes.append(prev)
            continue
        if not line.endswith(suffix):
            walk.says(f"line {number}, seq {fields['seq']}: changed after it was written")
        elif fields["seq"] != number - 1:
            walk.says(
                f"line {number}: seq {fields['seq']} stands where {number - 1} is due "
                "(a line was deleted, inserted or moved)"
            )
        elif fields["prev"] != prev and prev:
            walk.says(f"line {number}, seq {fields['seq']}: does not follow line {number - 1}")
        prev = fields["hash"]
        hashes.append(prev)
        if "signed" in fields["body"] or fields["event"] in _SIGNED:
            _check_signed(number, fields, walk)
    if torn:
        walk.says(f"line {len(hashes) + 1}: torn, {len(torn)} bytes without an end")


def _check_signed(number: int, fields: Mapping[str, Any], walk: Walk) -> None:
    """Check the signature inside a body, and take over what an enrolment says."""
    event, body = fields["event"], fields["body"]
    match body.get("signed"):
        case {"by": str(by), "statement": dict(said), "signature": str(text)}:
            pass
        case _:
            walk.says(f"line {number}, {event}: nobody signed it")
            return
    if said.get("head") != {"n": fields["seq"], "hash": fields["prev"]}:
        walk.says(
            f"line {number}, {event}: the head that {by} signed is not the one before it "
            "(replayed, or the chain was written anew)"
        )
    if said.get("what") != _SIGNED.get(event, said.get("what")):
        walk.says(f"line {number}, {event}: {by} signed something else")
    for name in _SHOWN:
        if name in body and body[name] != said.get(name):
            walk.says(f"line {number}, {event}: {name} is not the one that {by} signed")
    if event == "person.enrolled":
        _check_enrolment(number, by, said, text, name=fields["subject"], walk=walk)
    elif not _signed(said, text, walk.key(by)):
        walk.says(f"line {number}, {event}: the signature of {by} is wrong")


def _check_enrolment(
    number: int, by: str, said: dict[str, Any], text: str, *, name: str, walk: Walk
) -> None:
    """Only an owner enrols; the first person is their own."""
    signer = said if not walk.people and by == name else walk.people.get(by)
    if said.get("name") != name or signer is None:
        walk.says(f"line {number}: {by} enrols {name} without being enrolled")
    elif _ROLE_THAT_ENROLS not in _texts(signer.get("roles")):
        walk.says(f"line {number}: {by} enrols {name} without being {_ROLE_THAT_ENROLS}")
    elif not _signed(said, text, _key(signer)):
        walk.says(f"line {number}: the enrolment of {name} is not signed by {by}")
    else:
        walk.people[name] = said


def _check_people(walk: Walk, folder: Path) -> None:
    for name, statement in walk.people.items():
        try:
            file = json.loads((folder / f"{name}.pub").read_bytes())
            same = all(file[key] == statement[key] for key in _ENROLS)
        except (OSError, ValueError, KeyError, TypeError):
            same = False
        if not same:
            walk.says(f"people/{name}.pub: missing, or not what the ledger enrolled")


def _check_head(
    walk: Walk, path: Path, following: Path, keys: Callable[[str], bytes | None] | None
) -> None:
    """Hold the signed head against the chain; a next head that is signed and fits counts."""

    def signed(candidate: Head) -> bool:
        if keys is not None and not walk.people:
            return candidate.signed_by(keys(candidate.signer))
        return candidate.signed_by(walk.key(candidate.signer))

    n = len(walk.hashes)
    head, after = read_head(path), read_head(following)
    counted = head.n if head else 0
    if after and after.n == counted + 1 == n and after.hash == walk.hashes[-1] and signed(after):
        return
    if head is None:
        walk.says(f"{path.name}: the signed head is missing or cannot be read")
        return
    if not signed(head):
        walk.says(f"{path.name}: the signature of {head.signer} is wrong")
    if head.n > n:
        walk.says(f"line {n + 1}: seq {n} to {head.n - 1} missing, the head counts {head.n}")
    elif head.n < n:
        walk.says(f"line {head.n + 1}: {n - head.n} lines after the signed head")
    elif n and walk.hashes[-1] != head.hash:
        walk.says(f"line {n}: not the event that the head was signed over")


def _check_witness(walk: Walk, path: Path) -> int | None:
    """Hold a copy of a head against the chain; return how many events it saw."""
    if not path.exists():
        return None
    seen, n = read_head(path), len(walk.hashes)
    if seen is None:
        walk.says(f"witness {path.name}: cannot be read")
    elif seen.n > n:
        walk.says(f"line {n + 1}: the witness saw {seen.n} events, the chain has {n}")
    elif walk.hashes[seen.n - 1] != seen.hash:
        walk.says(f"line {seen.n}: not the event that the witness saw: the chain was written anew")
    return seen.n if seen else None


def _signed(statement: dict[str, Any], text: str, key: bytes | None) -> bool:
    if key is None:
        return False
    try:
        signature = bytes.fromhex(text)
        message = canonical_json(statement)
    except (ValueError, TypeError):
        return False
    return verify(key, signature, message)


def _key(statement: Mapping[str, Any] | None) -> bytes | None:
    if statement is None:
        return None
    try:
        return base64.b64decode(str(statement.get("signing")), validate=True)
    except ValueError:
        return None


def _texts(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()

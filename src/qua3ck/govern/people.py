"""Who is enrolled: a name bound to roles and public keys, by a statement the owner signed.

The ledger says who is enrolled; ``people/<name>.pub`` is the copy that others read and
git keeps. ``qua3ck audit verify`` holds one against the other.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.govern.roles import known_roles, require
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import canonical_json
from qua3ck.kit.records import write_atomic
from qua3ck.ledger.entries import decode
from qua3ck.store.keys import Identity, KeyStore, PublicKeys

if TYPE_CHECKING:
    from qua3ck.govern.workspace import Workspace
    from qua3ck.ledger import Entry, Ledger

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")


@dataclass(frozen=True)
class Person:
    """An enrolled person; ``signing`` and ``sealing`` are public keys, 32 raw bytes each."""

    name: str
    roles: tuple[str, ...]
    signing: bytes
    sealing: bytes

    @property
    def public(self) -> PublicKeys:
        """Both public keys."""
        return PublicKeys(self.signing, self.sealing)


def people(root: Path) -> tuple[Person, ...]:
    """Return everybody who is enrolled, by name.

    A file under ``people/`` alone enrols nobody once there is a ledger.

    Raises
    ------
    Qua3ckError
        If a file cannot be read, or is not what the ledger enrolled.
    """
    known = _enrolments(root)
    files = {path.stem: _read(path) for path in sorted((root / "people").glob("*.pub"))}
    if known is None:
        return tuple(files.values())
    return tuple(_agreed(root, known[name], files.get(name)) for name in sorted(known))


def person(root: Path, name: str) -> Person:
    """Return one enrolled person.

    Raises
    ------
    Qua3ckError
        If ``name`` is not enrolled, or their file cannot be read or is not what the
        ledger enrolled: whoever edits it gains neither a role nor a key.
    """
    known = _enrolments(root)
    path = root / "people" / f"{name}.pub"
    file = _read(path) if _NAME.match(name) and path.exists() else None
    if known is None and file is not None:
        return file
    if known is not None and name in known:
        return _agreed(root, known[name], file)
    names = sorted(known or ())
    raise Qua3ckError(
        f'"{name}" is not enrolled{did_you_mean(name, names)}',
        where=f"{root / 'people'}: {', '.join(names) or 'nobody yet'}",
        fix=f"have the owner type: qua3ck enrol {name} --role ROLE"
        + (f" --public people/{name}.pub" if file else ""),
        code="G001",
    )


def actor_name(given: str | None, environment: Mapping[str, str] | None = None) -> str:
    """Return who acts: the argument, else ``$QUA3CK_ACTOR``, else the login name made plain.

    Raises
    ------
    Qua3ckError
        If the name given cannot be the name of a key, or nobody can be told.
    """
    env = os.environ if environment is None else environment
    asked = given or env.get("QUA3CK_ACTOR")
    if asked:
        return checked_name(asked, where="QUA3CK_ACTOR or the actor given")
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # no login name, as in some containers
        login = ""
    plain = re.sub(r"[^a-z0-9._-]+", "-", login.lower()).strip("-._")[:64]
    return checked_name(plain, where="the login name")


def checked_name(name: str, *, where: str) -> str:
    """Return ``name`` if it can be a person's name here, else raise Qua3ckError."""
    if _NAME.match(name):
        return name
    raise Qua3ckError(
        f'"{name}" cannot be the name of a person',
        where=where,
        fix="export QUA3CK_ACTOR=name, with small letters, digits, dot, dash and underscore",
        code="G005",
    )


def enrol(
    workspace: Workspace, name: str, roles: tuple[str, ...], *, public: Path | None = None
) -> Person:
    """Enrol a person, or change the roles of one; the owner signs it.

    Parameters
    ----------
    name : str
        Small letters, digits, dot, dash, underscore.
    roles : tuple of str
        Keys of :data:`qua3ck.govern.roles.ROLES`; they replace the former ones.
    public : Path, optional
        The ``.pub`` file the person sent. Without it a person who is enrolled keeps their
        keys, and a new one gets keys made in this key store.

    Raises
    ------
    Qua3ckError
        If the actor is no owner, the last owner would be lost, a role is unknown, or the
        file cannot be read.
    """
    root = workspace.root
    checked_name(name, where="qua3ck enrol NAME")
    listed = known_roles(roles, where=f"qua3ck enrol {name} --role")
    by = person(root, workspace.actor)
    require(by.name, by.roles, "enrol")
    _keep_an_owner(root, name, listed)
    new = Person(name, listed, *_public_keys(workspace, name, public))
    record_enrolment(
        workspace.ledger, root, new, signer=workspace.keys.identity(by.name, create=False)
    )
    return new


def export_public(keys: KeyStore, name: str, file: Path) -> Person:
    """Write the public keys of ``name`` as :func:`enrol` reads them; no project is needed.

    Parameters
    ----------
    keys : KeyStore
        The person's own; the keys are made in it if they are missing.
    name : str
        Small letters, digits, dot, dash, underscore.
    file : Path
        Replaced if it is there.

    Returns
    -------
    Person
        With no roles: those are the owner's to give.
    """
    checked_name(name, where="qua3ck enrol NAME")
    public = keys.identity(name, create=True).public
    one = Person(name, (), public.signing, public.sealing)
    _write_public(file, one)
    return one


def record_enrolment(ledger: Ledger, root: Path, new: Person, *, signer: Identity) -> Entry:
    """Write a signed enrolment: first into the ledger, then under ``people/``."""
    with ledger.locked():
        ledger.settle()
        head = ledger.head()
        statement = {
            "what": "qua3ck enrolment",
            "name": new.name,
            "roles": list(new.roles),
            **new.public.as_text(),
            "head": {"n": head.n, "hash": head.hash},
        }
        signature = signer.sign(canonical_json(statement)).hex()
        signed = {"by": signer.name, "statement": statement, "signature": signature}
        body = {"roles": list(new.roles), "signed": signed}
        entry = ledger.append("person.enrolled", new.name, body)
    write_person(root, new)
    return entry


def write_person(root: Path, new: Person) -> None:
    """Write ``people/<name>.pub``."""
    _write_public(root / "people" / f"{new.name}.pub", new)


def _write_public(path: Path, one: Person) -> None:
    facts = {"name": one.name, "roles": list(one.roles), **one.public.as_text()}
    write_atomic(path, (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode())


def holds_person(root: Path, one: Person) -> bool:
    """Return whether ``people/<name>.pub`` is there and says what ``one`` says."""
    path = root / "people" / f"{one.name}.pub"
    return path.exists() and _read(path) == one


def enrolled(entries: Iterable[Entry]) -> dict[str, Person]:
    """Return who these events say is enrolled, by name; the last word on each counts."""
    return {
        entry.subject: _from_facts(
            entry.body["signed"]["statement"], where=f"ledger/chain.jsonl, line {entry.seq + 1}"
        )
        for entry in entries
        if entry.event == "person.enrolled"
    }


def key_givers(
    entries: Iterable[Entry], name: str, *, before: int | None = None
) -> tuple[str, ...]:
    """Return who enrolled the key a person signs with; empty if it is the first of that name.

    Parameters
    ----------
    entries : iterable of Entry
        The whole ledger, oldest first.
    name : str
        Nobody gave a key to who is not enrolled.
    before : int, optional
        The key that was in force before the event of this number; by default today's. Who
        stood by it afterwards, by enrolling it as well, is named all the same.
    """
    given = [e for e in entries if e.event == "person.enrolled" and e.subject == name]
    in_force = [one for one in given if before is None or one.seq < before]
    if not in_force or _signing(in_force[-1]) == _signing(given[0]):
        return ()
    key = _signing(in_force[-1])
    return tuple(dict.fromkeys(one.body["signed"]["by"] for one in given if _signing(one) == key))


def replaced_keys(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Yield G014 for each key that one owner alone put in place of another."""
    last = {entry.subject: entry for entry in entries if entry.event == "person.enrolled"}
    for name in sorted(last):
        givers = key_givers(entries, name)
        if len(givers) == 1:
            first = next(
                e
                for e in entries
                if e.event == "person.enrolled"
                and e.subject == name
                and _signing(e) == _signing(last[name])
            )
            yield Finding(
                code="G014",
                severity="warn",
                where=f"people/{name}.pub",
                says=f"The key of {name} was replaced by {givers[0]} (ledger entry {first.seq},"
                f" {first.at[:10]}), and no other owner stands by it: what it signs for a version"
                f" of {givers[0]} does not count. Ask {name} whether the key is theirs.",
                evidence={"name": name, "by": givers[0], "seq": first.seq},
            )


def _signing(enrolment: Entry) -> str:
    return str(enrolment.body["signed"]["statement"]["signing"])


def _enrolments(root: Path) -> dict[str, list[Person]] | None:
    """Return what the chain says of each name, oldest first; None if there is no enrolment."""
    chain = root / "ledger" / "chain.jsonl"
    if not chain.exists():
        return None
    found: dict[str, list[Person]] = {}
    with chain.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if b'"event":"person.enrolled"' not in line or not line.endswith(b"\n"):
                continue  # a torn last line was never an event
            fields = decode(line.rstrip(b"\n"))
            if fields is None or "signed" not in fields["body"]:
                raise Qua3ckError(
                    "An enrolment in the ledger was changed",
                    where=f"{chain}, line {number}",
                    fix="keep the folder as it is and restore ledger/ from a copy",
                    code="L006",
                )
            one = _from_facts(
                fields["body"]["signed"]["statement"], where=f"{chain}, line {number}"
            )
            found.setdefault(one.name, []).append(one)
    return found or None


def _agreed(root: Path, known: list[Person], file: Person | None) -> Person:
    """Return the ledger's last word on a person; an older copy on disk is passed over."""
    latest = known[-1]
    if file is not None and file not in known:
        raise Qua3ckError(
            f'The public keys or roles of "{latest.name}" are not those the ledger enrolled',
            where=str(root / "people" / f"{latest.name}.pub"),
            fix="restore the file: git checkout people/; roles change by: qua3ck enrol "
            f"{latest.name} --role ROLE",
            code="G004",
        )
    return latest


def _public_keys(workspace: Workspace, name: str, public: Path | None) -> tuple[bytes, bytes]:
    if public is not None:
        sent = _read(public)
        if sent.name != name:
            raise Qua3ckError(
                f'The file is of "{sent.name}", not of "{name}"',
                where=str(public),
                fix=f"type: qua3ck enrol {sent.name} --public {public} --role ROLE",
                code="G004",
            )
        return sent.signing, sent.sealing
    known = {one.name: one for one in people(workspace.root)}
    if name in known:
        return known[name].signing, known[name].sealing
    keys = workspace.keys.identity(name, create=True).public
    return keys.signing, keys.sealing


def _keep_an_owner(root: Path, name: str, roles: tuple[str, ...]) -> None:
    owners = {one.name for one in people(root) if "owner" in one.roles}
    if owners == {name} and "owner" not in roles:
        raise Qua3ckError(
            f'"{name}" is the only owner; without one nobody could enrol anybody again',
            where=f"qua3ck enrol {name}",
            fix="enrol another owner first: qua3ck enrol NAME --role owner",
            code="G002",
        )


def _read(path: Path) -> Person:
    try:
        facts = json.loads(path.read_bytes())
    except FileNotFoundError as problem:
        raise _unreadable(path, "there is no such file") from problem
    except (ValueError, OSError) as problem:
        raise _unreadable(path, "it is no JSON") from problem
    if not isinstance(facts, dict):
        raise _unreadable(path, "it is no JSON object")
    return _from_facts(facts, where=str(path))


def _from_facts(facts: Mapping[str, Any], *, where: str) -> Person:
    name, roles = facts.get("name"), facts.get("roles", [])
    if not isinstance(name, str) or not _NAME.match(name) or not isinstance(roles, list):
        raise _unreadable(Path(where), "it needs name, roles, signing and sealing")
    keys = PublicKeys.from_text(facts, where=where)
    return Person(name, tuple(str(role) for role in roles), keys.signing, keys.sealing)


def _unreadable(path: Path, why: str) -> Qua3ckError:
    return Qua3ckError(
        f"The public keys of a person cannot be read: {why}",
        where=str(path),
        fix="restore the file: git checkout people/, or ask the person to send it again",
        code="G004",
    )

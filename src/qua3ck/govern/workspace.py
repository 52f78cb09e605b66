"""An open project: who acts, the ledger, the warehouse, the keys; made here for all rooms."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.govern.people import (
    Person,
    actor_name,
    enrolled,
    holds_person,
    people,
    person,
    record_enrolment,
    write_person,
)
from qua3ck.govern.roles import event_needs, require
from qua3ck.kit.clock import Clock, stamp, utc_now
from qua3ck.kit.errors import Qua3ckError
from qua3ck.ledger import Ledger
from qua3ck.store.keys import Identity, KeyStore

if TYPE_CHECKING:
    from qua3ck.store.warehouse import Warehouse

Progress = Callable[[str, str, int, int], None]


def silent(phase: str, text: str, done: int, total: int) -> None:
    """Show nothing; the progress of a caller who does not watch."""


@dataclass(frozen=True)
class Workspace:
    """What every phase works with.

    Attributes
    ----------
    root, project : Path, str
        The project's folder and its name in ``qua3ck.yaml``.
    actor : str
        Who acts; signs each ledger head.
    progress : callable
        Called with phase, text, steps done, steps in all.
    project_id : str
        16 random hex digits, from the ledger's first event; empty if there is none yet.
    """

    root: Path
    project: str
    actor: str
    ledger: Ledger
    warehouse: Warehouse
    keys: KeyStore
    clock: Clock
    progress: Progress
    project_id: str


def open_workspace(
    root: Path,
    project: str,
    *,
    actor: str | None = None,
    clock: Clock = utc_now,
    progress: Progress = silent,
    read_only: bool = False,
) -> Workspace:
    """Open a project; the first time, create its ledger and enrol the actor as owner.

    Parameters
    ----------
    actor : str, optional
        Else ``$QUA3CK_ACTOR``, else the login name.
    read_only : bool
        Creates, repairs and writes nothing; needs no key.

    Raises
    ------
    Qua3ckError
        If the ledger was tampered with, the key store lies in the project or is open to
        others, or the actor's key is not the enrolled one. Who is not enrolled may read:
        the error comes with the first write.
    """
    root = root.resolve()
    keys = KeyStore.default()
    _refuse_keys_inside(root, keys)
    name = actor_name(actor)
    if not read_only:
        _begin(root, project, name, keys, clock)
    project_id = _project_id(root / "ledger", strict=not read_only)
    ledger = Ledger(
        root / "ledger",
        actor=name,
        sign=None if read_only else _signer(root, name, keys),
        keys=_public_keys(root),
        clock=clock,
        witness=witnesses(project_id, keys),
        people=root / "people",
        guard=_guard(root, name),
    )
    if not read_only and name in (known := enrolled(ledger.entries())):
        _restore_people(root, known)
        _own_identity(root, name, keys)
        with ledger.locked():
            ledger.settle()
    return Workspace(
        root=root,
        project=project,
        actor=name,
        ledger=ledger,
        warehouse=_warehouse(root, name, clock, read_only=read_only),
        keys=keys,
        clock=clock,
        progress=progress,
        project_id=project_id,
    )


def witnesses(project_id: str, keys: KeyStore) -> tuple[Path, ...]:
    """Return where copies of the head are kept: the key store, and ``$QUA3CK_WITNESS``.

    The latter is a folder, or a file if it ends in ``.json``.
    """
    if not project_id:
        return ()
    name = f"{project_id}.json"
    places = [keys.folder / "heads" / name]
    further = os.environ.get("QUA3CK_WITNESS")
    if further:
        given = Path(further).expanduser()
        places.append(given if given.suffix == ".json" else given / name)
    return tuple(places)


def _begin(root: Path, project: str, name: str, keys: KeyStore, clock: Clock) -> None:
    """Create the ledger and enrol the owner, unless that was done."""
    if _begun(root):
        return
    _refuse_lost_ledger(root)
    identity = keys.identity(name, create=True)
    root.mkdir(parents=True, exist_ok=True)
    project_id = _project_id(root / "ledger") or secrets.token_hex(8)

    def own_key(signer: str) -> bytes | None:
        return identity.public.signing if signer == name else None

    ledger = Ledger(
        root / "ledger",
        actor=name,
        sign=identity.sign,
        keys=own_key,
        clock=clock,
        witness=witnesses(project_id, keys),
        people=root / "people",
    )
    with ledger.locked():
        if _begun(root):  # another process was quicker
            return
        _refuse_other_creator(ledger, name)
        ledger.settle()
        if not ledger.entries("project.created"):
            body = {"project": project, "id": project_id, "format": 1}
            ledger.append("project.created", project, body)
        owner = Person(name, ("owner",), identity.public.signing, identity.public.sealing)
        record_enrolment(ledger, root, owner, signer=identity)


def _refuse_lost_ledger(root: Path) -> None:
    known = sorted(path.stem for path in (root / "people").glob("*.pub"))
    if known and not (root / "ledger" / "chain.jsonl").exists():
        raise Qua3ckError(
            f"People are enrolled ({', '.join(known)}), but the ledger is gone",
            where=str(root / "ledger"),
            fix="restore ledger/ from a copy; to begin anew instead, remove people/ yourself",
            code="G009",
        )


def _refuse_other_creator(ledger: Ledger, name: str) -> None:
    """Only who began the project can finish its first two events after a crash."""
    first = ledger.entries()[:1]
    if first and first[0].actor != name:
        raise Qua3ckError(
            f'"{first[0].actor}" began this project and was interrupted before being enrolled',
            where=str(ledger.chain),
            fix=f"open it once as that person: export QUA3CK_ACTOR={first[0].actor}",
            code="G009",
        )


def _begun(root: Path) -> bool:
    """Whether an owner stands in the chain, read without trusting it."""
    chain = root / "ledger" / "chain.jsonl"
    return chain.exists() and b'"event":"person.enrolled"' in chain.read_bytes()[:65536]


def _project_id(folder: Path, *, strict: bool = True) -> str:
    """Return the id in the ledger's first event; empty if there is none yet.

    A damaged first event is refused; not if only read, so that it can be verified.
    """
    chain = folder / "chain.jsonl"
    if not chain.exists():
        return ""
    with chain.open("rb") as handle:
        line = handle.readline()
    if not line.endswith(b"\n"):
        return ""
    try:
        return str(json.loads(line)["body"]["id"])
    except (ValueError, KeyError, TypeError) as problem:
        if not strict:
            return ""
        raise Qua3ckError(
            "The first event of the ledger was changed",
            where=f"{chain}, line 1",
            fix="keep the folder as it is and restore ledger/ from a copy",
            code="L006",
        ) from problem


def _public_keys(root: Path) -> Callable[[str], bytes | None]:
    def signing(name: str) -> bytes | None:
        return {one.name: one.signing for one in people(root)}.get(name)

    return signing


def _signer(root: Path, name: str, keys: KeyStore) -> Callable[[bytes], bytes]:
    """Return what signs for the actor; who is not enrolled finds out with the first write."""

    def sign(message: bytes) -> bytes:
        return _own_identity(root, name, keys).sign(message)

    return sign


def _own_identity(root: Path, name: str, keys: KeyStore) -> Identity:
    """Return the actor's identity, checked to be the one enrolled."""
    public = person(root, name).public
    identity = keys.identity(name, create=False)
    if identity.public != public:
        raise Qua3ckError(
            f'The key of "{name}" in the key store is not the one enrolled in this project',
            where=f"{keys.folder} against {root / 'people' / name}.pub",
            fix="set QUA3CK_KEYS to the folder with the enrolled key, or choose another "
            "QUA3CK_ACTOR and have the owner enrol it",
            code="G006",
        )
    return identity


def _guard(root: Path, name: str) -> Callable[[str], None]:
    def check(event: str) -> None:
        action = event_needs(event)
        roles = person(root, name).roles
        if action is not None:
            require(name, roles, action)

    return check


def _restore_people(root: Path, known: Mapping[str, Person]) -> None:
    """Write files under ``people/`` that a crash kept from being written."""
    people(root)  # refuses a file that the ledger never enrolled
    for one in known.values():
        if not holds_person(root, one):
            write_person(root, one)


def _warehouse(root: Path, name: str, clock: Clock, *, read_only: bool) -> Warehouse:
    from qua3ck.store.warehouse import Warehouse

    def guard(action: str, table: str) -> None:
        if action != "write":
            return
        if read_only:
            raise Qua3ckError(
                f"The table {table} cannot be written: the project was opened for reading only",
                where=str(root / "warehouse"),
                fix="open the project without read_only, as a person who is enrolled",
                code="G007",
            )
        require(name, person(root, name).roles, "run")

    def record(action: str, table: str) -> None:
        if read_only:
            return
        fact = {"at": stamp(clock()), "actor": name, "action": action, "table": table}
        log = root / "state" / "tables.jsonl"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as handle:
            handle.write(json.dumps(fact).encode() + b"\n")

    return Warehouse(root, guard=guard, record=record)


def _refuse_keys_inside(root: Path, keys: KeyStore) -> None:
    if keys.folder.resolve().is_relative_to(root):
        raise Qua3ckError(
            "The key store lies inside the project; who copies the folder would have the keys",
            where=str(keys.folder),
            fix="set QUA3CK_KEYS to a folder outside the project",
            code="G008",
        )

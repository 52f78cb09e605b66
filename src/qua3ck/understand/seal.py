"""The seal: test rows encrypted out of the trainer's reach, and the few times it is opened.

``sealed/<id>/`` holds ``rows.bin`` (AES-256-GCM over Arrow IPC, the seal's id as associated
data), ``rows.json`` (keyed digests of its rows, to count openings per row, and after them
those of earlier seals whose rows are not found any more) and ``seal.json``. The ledger's word
on it holds ``reading``, a digest of what makes rows from sources: where it is the same, rows
of which no entity is found again are other rows, and not the same ones read in another way.
The key lies in the user's key store, or is wrapped to the steward's key and exists nowhere
else. An opening is written into the ledger before the key is used.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import canonical_json, file_digest
from qua3ck.kit.records import write_atomic

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.govern import Workspace
    from qua3ck.ledger import Entry, Ledger
    from qua3ck.store.keys import KeyStore

_GONE = "gone "


@dataclass(frozen=True)
class Sealed:
    """A seal as it lies in the folder; ``digests`` maps file name to SHA-256."""

    id: str
    rows: int
    steward: str
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Steward:
    """Who alone can open: a name, and that person's public sealing key (32 bytes)."""

    name: str
    sealing: bytes


def seal_rows(
    rows: pa.Table,
    content: str,
    digests: Mapping[str, list[str]],
    *,
    root: Path,
    keys: KeyStore,
    key: bytes,
    steward: Steward | None,
) -> Sealed:
    """Encrypt the test rows, unless the same rows are sealed already for the same holder.

    Parameters
    ----------
    rows : pyarrow.Table
        The test rows; they are written nowhere else.
    content : str
        Their content digest.
    digests : mapping
        Kind to keyed digests, one per row first, then those left behind by earlier seals.
    key : bytes
        The project's; makes the id, so that nobody can test a guess of the rows against it.
    steward : Steward or None
        To whom the new key is wrapped; None keeps it in the key store.

    Raises
    ------
    Qua3ckError
        If the folder or the key store cannot be written.
    """
    holder = steward.sealing.hex() if steward else "key store"
    name = hmac.digest(key, f"seal\0{content}\0{holder}".encode(), "sha256").hex()[:16]
    folder = root / "sealed" / name
    if not (folder / "seal.json").exists():
        try:
            _write(folder, name, rows, digests, keys=keys, steward=steward)
        except OSError as problem:
            raise Qua3ckError(
                f"The seal cannot be written: {problem.strerror or type(problem).__name__}",
                where=str(folder),
                fix="make room or give yourself the right to write there, then run again",
                code="U110",
            ) from problem
    return _described(folder, rows.num_rows, steward.name if steward else "")


def open_rows(workspace: Workspace, seal: str, *, candidate: str, openings: int) -> tuple[Any, int]:
    """Return the sealed rows (pyarrow.Table) and which opening this is; the ledger comes first.

    Raises
    ------
    Qua3ckError
        If one of its rows has been opened as often as the budget allows, the key is not here
        or is another, or the files were changed.
    """
    folder = workspace.root / "sealed" / seal
    with workspace.ledger.locked():
        made = _checked(folder, seal, workspace.ledger)
        count = count_openings(workspace.root, workspace.ledger, seal)
        if count >= openings:
            raise _used_up(workspace.root, workspace.ledger, seal, count, openings)
        _key_at_hand(folder, seal, workspace.keys)
        workspace.ledger.append(
            "seal.opened",
            seal,
            {
                "seal": seal,
                "candidate": candidate,
                "k": count + 1,
                "m": openings,
                "rows": made["rows"],
            },
        )
    return _decrypted(folder, seal, workspace.keys), count + 1


def reread_rows(workspace: Workspace, seal: str, *, candidate: str) -> tuple[Any, int]:
    """Return the rows again for a candidate that they were opened for; logged, not counted.

    Raises
    ------
    Qua3ckError
        For any other candidate; and as :func:`open_rows`.
    """
    folder = workspace.root / "sealed" / seal
    with workspace.ledger.locked():
        _checked(folder, seal, workspace.ledger)
        opened = [
            entry
            for entry in workspace.ledger.entries("seal.opened")
            if entry.body["seal"] == seal and entry.body["candidate"] == candidate
        ]
        if not opened:
            raise Qua3ckError(
                "The sealed rows were never opened for this candidate, so they cannot be "
                "read again for it",
                where=f"sealed/{seal}",
                fix="reproduce a version that was concluded; a new candidate needs an opening: "
                "qua3ck conclude",
                code="U107",
            )
        _key_at_hand(folder, seal, workspace.keys)
        number = int(opened[0].body["k"])
        body = {"seal": seal, "candidate": candidate, "k": number}
        workspace.ledger.append("seal.reread", seal, body)
    return _decrypted(folder, seal, workspace.keys), number


def count_openings(root: Path, ledger: Ledger, seal: str) -> int:
    """Return the highest count of openings among a seal's rows, over all seals.

    A new snapshot with some of the same rows makes a new seal, but its rows stay counted. Only
    where all of them are of other entities, and are read as the opened ones were, does the count
    begin again.

    Raises
    ------
    Qua3ckError
        If the row digests of an opened seal are gone or were changed.
    """
    counts = _counts(root, ledger)
    if not counts:
        return 0
    return max((counts[digest] for digest in _row_digests(root, seal, ledger)), default=0)


def left_behind(
    root: Path, ledger: Ledger, known: Mapping[str, list[str]]
) -> tuple[dict[str, list[str]], int]:
    """Return the row digests of earlier seals whose rows the table no longer holds.

    Parameters
    ----------
    root : Path
        The project.
    ledger : Ledger
        Knows the seals, and which were opened.
    known : mapping
        Kind to keyed digests of every row of the table as it is now.

    Returns
    -------
    dict, int
        Kind to digests, to be kept with the new seal so that openings of those rows count
        for it; and how many of them had been opened. The kind of a seal of which not one row
        is found says how its rows were read: they count unless the new ones are read alike.

    Notes
    -----
    A column that is read as another type, or rounded, gives every row another digest. That
    cannot be told from new rows by looking at the rows, so it counts as the same ones: the
    error on the other side would let a changed option reset the budget. Half of the rows
    must still be there for a seal to speak for itself alone.
    """
    opened = {str(entry.body["seal"]) for entry in ledger.entries("seal.opened")}
    kept: dict[str, list[str]] = {}
    looked_at = 0
    here = {kind: set(digests) for kind, digests in known.items()}
    for made in {entry.subject: entry for entry in ledger.entries("seal.made")}.values():
        kinds = _digest_kinds(root, made.subject, ledger)
        own = {kind: digests[: int(made.body["rows"])] for kind, digests in kinds.items()}
        rows = own.get("content", [])
        if sum(row in here.get("content", ()) for row in rows) * 2 >= len(rows):
            continue
        found = any(row in here.get(kind, ()) for kind, digests in own.items() for row in digests)
        named = "entity" in own  # by content alone, rounded values would make rows new
        reading = str(made.body.get("reading", "")) if named and not found else ""
        for kind, digests in kinds.items():
            name = f"{_GONE}{reading} {kind}" if reading and _GONE not in kind else kind
            kept[name] = list(dict.fromkeys([*kept.get(name, []), *digests]))
        looked_at += len(rows) if made.subject in opened else 0
    return kept, looked_at


def seal_body(sealed: Sealed, *, reading: str = "") -> dict[str, Any]:
    """Return what the ledger says of a new seal: counts and digests, no row.

    ``reading`` is empty where it is not known; such a seal is read like no other.
    """
    return {
        "seal": sealed.id,
        "reading": reading,
        "rows": sealed.rows,
        "steward": sealed.steward,
        "files": dict(sealed.digests),
    }


def _write(
    folder: Path,
    name: str,
    rows: pa.Table,
    digests: Mapping[str, list[str]],
    *,
    keys: KeyStore,
    steward: Steward | None,
) -> None:
    from qua3ck.store.keys import encrypt, wrap

    aad = name.encode()
    if steward is None:
        secret = keys.secret(f"seal-{name}", create=True)
    else:
        secret = secrets.token_bytes(32)
        write_atomic(folder / "key.wrapped", wrap(steward.sealing, secret, aad))
    write_atomic(folder / "rows.bin", encrypt(secret, _as_bytes(rows), aad))
    write_atomic(folder / "rows.json", canonical_json(dict(digests)))
    about = {
        "seal": name,
        "rows": rows.num_rows,
        "steward": steward.name if steward else "",
        "sealing": steward.sealing.hex() if steward else "",
        "key_check": _key_check(secret, name),
    }
    write_atomic(folder / "seal.json", canonical_json(about))


def _described(folder: Path, rows: int, steward: str) -> Sealed:
    names = ["rows.bin", "rows.json", "seal.json", *(["key.wrapped"] if steward else [])]
    return Sealed(folder.name, rows, steward, {n: file_digest(folder / n) for n in names})


def _checked(folder: Path, seal: str, ledger: Ledger) -> Mapping[str, Any]:
    """Return the ledger's word on a seal, after holding its files against it."""
    made = _made(seal, ledger)
    for name, wanted in made.body["files"].items():
        path = folder / name
        if not path.exists() or file_digest(path) != wanted:
            raise _altered(path)
    return made.body


def _made(seal: str, ledger: Ledger) -> Entry:
    made = ledger.entries("seal.made", subject=seal)
    if not made:
        raise Qua3ckError(
            f"The ledger knows no seal {seal}",
            where=f"sealed/{seal}",
            fix="make the snapshot again: qua3ck understand",
            code="U110",
        )
    return made[-1]


def _counts(root: Path, ledger: Ledger) -> Counter[str]:
    """Return how often each row was opened, by its digests."""
    opened = Counter(str(entry.body["seal"]) for entry in ledger.entries("seal.opened"))
    counts: Counter[str] = Counter()
    for seal, times in opened.items():
        for digest in set(_row_digests(root, seal, ledger)):
            counts[digest] += times
    return counts


def _row_digests(root: Path, seal: str, ledger: Ledger) -> list[str]:
    """Return the digests that a seal's openings count for, and are counted by."""
    reading = str(_made(seal, ledger).body.get("reading", ""))
    found = []
    for kind, digests in _digest_kinds(root, seal, ledger).items():
        how, _, plain = kind.removeprefix(_GONE).rpartition(" ")
        if not how or how != reading:
            found += [f"{plain}:{digest}" for digest in digests]
    return found


def _seen_before(root: Path, ledger: Ledger, seal: str) -> int:
    """Return how many of a seal's own rows were opened before, under any of their digests."""
    counts, rows = _counts(root, ledger), int(_made(seal, ledger).body["rows"])
    kinds = _digest_kinds(root, seal, ledger)
    own = [
        [f"{kind}:{digest}" for digest in digests[:rows]]
        for kind, digests in kinds.items()
        if not kind.startswith(_GONE)
    ]
    return sum(any(counts[digest] for digest in row) for row in zip(*own, strict=False))


def _digest_kinds(root: Path, seal: str, ledger: Ledger) -> dict[str, list[str]]:
    path = root / "sealed" / seal / "rows.json"
    made = _made(seal, ledger)
    if not path.exists() or file_digest(path) != made.body["files"]["rows.json"]:
        raise _altered(path)
    kinds: dict[str, list[str]] = json.loads(path.read_bytes())
    return kinds


def _key_at_hand(folder: Path, seal: str, keys: KeyStore) -> None:
    """Make sure that the right key could be used, without using it on the rows.

    An opening that fails for want of a key must not cost one of the budget.
    """
    about = json.loads((folder / "seal.json").read_bytes())
    steward = about["steward"]
    if steward:
        if not keys.has_identity(steward):
            raise _no_key(seal, f'the key of "{steward}", the steward', str(keys.folder))
        if keys.identity(steward, create=False).public.sealing.hex() != about["sealing"]:
            raise _wrong_key(seal, f'"{steward}", the steward', str(keys.folder))
        return
    try:
        secret = keys.secret(f"seal-{seal}", create=False)
    except Qua3ckError as problem:
        raise _no_key(seal, f'the secret "seal-{seal}"', str(keys.folder)) from problem
    if not hmac.compare_digest(_key_check(secret, seal), about["key_check"]):
        raise _wrong_key(seal, "whoever made the snapshot", str(keys.folder))


def _decrypted(folder: Path, seal: str, keys: KeyStore) -> pa.Table:
    import pyarrow as pa

    from qua3ck.store.keys import decrypt

    about = json.loads((folder / "seal.json").read_bytes())
    aad = seal.encode()
    if about["steward"]:
        identity = keys.identity(about["steward"], create=False)
        secret = identity.unwrap((folder / "key.wrapped").read_bytes(), aad)
    else:
        secret = keys.secret(f"seal-{seal}", create=False)
    plain = decrypt(secret, (folder / "rows.bin").read_bytes(), aad)
    with pa.ipc.open_stream(plain) as reader:
        return reader.read_all()


def _as_bytes(rows: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())


def _key_check(secret: bytes, seal: str) -> str:
    return hmac.digest(secret, b"check\0" + seal.encode(), "sha256").hex()[:16]


def _used_up(root: Path, ledger: Ledger, seal: str, count: int, openings: int) -> Qua3ckError:
    last = ledger.entries("seal.opened")[-1]
    rows, seen = int(_made(seal, ledger).body["rows"]), _seen_before(root, ledger, seal)
    if seen == rows:
        told = f"all {rows} rows were opened before"
    elif seen:
        told = f"{seen} of {rows} rows were opened before, {rows - seen} were not"
    else:
        told = (
            f"none of its {rows} rows is one that was opened, but those are gone, and these "
            "may be the same rows, read in another way"
        )
    return Qua3ckError(
        f"The sealed rows were opened {count} of {openings} times allowed (last at {last.at} "
        f"by {last.actor}): {told}. One more look would no longer be honest",
        where=f"conclude.openings, sealed/{seal}",
        fix=f"write openings: {count + 1}, which the ledger and every report tell for ever and "
        "which judges all earlier verdicts again, more strictly; rows added to the opened ones do "
        "not help; only a table of entities that are all new (declared as entity: before the first "
        "opening), read as before, is counted afresh",
        code="U107",
    )


def _no_key(seal: str, whose: str, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"The seal {seal} cannot be opened: {whose} is not in this key store",
        where=place,
        fix="set QUA3CK_KEYS to the key store that has it, or ask whoever holds it to conclude",
        code="U108",
    )


def _wrong_key(seal: str, whose: str, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"The key found does not fit the seal {seal}; it needs the key of {whose}",
        where=place,
        fix="set QUA3CK_KEYS to the key store in which the seal was made",
        code="U109",
    )


def _altered(path: Path) -> Qua3ckError:
    return Qua3ckError(
        f"{path.name} of a seal is gone or was changed since the ledger recorded it",
        where=str(path),
        fix="restore sealed/ from a copy; without it openings cannot be counted",
        code="U110",
    )

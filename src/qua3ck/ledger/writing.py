"""The append-only record of every decision: one writer at a time, and a crash loses nothing said.

Order of an append, all under a file lock: the signed next head into ``head.next.json``,
the line into ``chain.jsonl``, the rename of the next head over ``head.json``, a copy of
it to the witnesses. Each step is on disk before the next begins, so that what a crash
leaves can be told from tampering: see :meth:`Ledger.settle`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import Clock, stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.ledger.entries import FIRST_PREV, Entry, decode, encode
from qua3ck.ledger.heads import Head, read_head, sign_head, sync_folder, write_head
from qua3ck.ledger.places import refuse_network_share

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from qua3ck.ledger.verifying import Verification

_BLOCK = 65536
_RESTORE = "keep the folder as it is, type: qua3ck audit verify, then restore ledger/ from a copy"


@dataclass(frozen=True)
class _Tip:
    """The end of the chain: whole lines, the last of them, and what was torn off after it."""

    n: int
    last: Mapping[str, Any] | None
    size: int
    torn: bytes

    @property
    def hash(self) -> str:
        return str(self.last["hash"]) if self.last else FIRST_PREV


class Ledger:
    """The hash chain of one project.

    Parameters
    ----------
    folder : Path
        Holds ``chain.jsonl``, ``head.json``, and during an append ``head.next.json``.
    actor : str
        Who acts, and signs each new head.
    sign : callable or None
        Bytes to Ed25519 signature; None reads only.
    keys : callable
        Name to that person's public signing key, None if not enrolled.
    clock : Clock
        Time of an event.
    witness : Path, sequence of Path, or None
        Files outside the project that get a copy of every head.
    people : Path, optional
        The folder of ``<name>.pub`` files that :meth:`verify` holds against the chain.
    guard : callable, optional
        Called with the event's name before it is written; raises if the actor may not.
    patience : float, seconds, default 30
        How long to wait for another writer.
    """

    def __init__(
        self,
        folder: Path,
        *,
        actor: str,
        sign: Callable[[bytes], bytes] | None,
        keys: Callable[[str], bytes | None],
        clock: Clock,
        witness: Path | Sequence[Path] | None = None,
        people: Path | None = None,
        guard: Callable[[str], None] | None = None,
        patience: float = 30.0,
    ) -> None:
        self.folder = folder
        self.actor = actor
        self.witnesses = (witness,) if isinstance(witness, Path) else tuple(witness or ())
        self.keys = keys
        self._people = people
        self._sign = sign
        self._clock = clock
        self._guard = guard
        self._patience = patience
        self._seen: list[Entry] = []
        self._seen_bytes = 0
        self._whole = False  # whether what was seen was held against the heads
        self._lock: BaseFileLock | None = None

    def __repr__(self) -> str:
        """Return the place and how many events it has read."""
        return f"Ledger({str(self.folder)!r}, actor={self.actor!r})"

    @property
    def chain(self) -> Path:
        """The file of lines."""
        return self.folder / "chain.jsonl"

    @property
    def _head_path(self) -> Path:
        return self.folder / "head.json"

    @property
    def _next_path(self) -> Path:
        return self.folder / "head.next.json"

    def append(self, event: str, subject: str, body: Mapping[str, Any]) -> Entry:
        """Write one event; when this returns, it is on disk and under a signed head.

        Parameters
        ----------
        event, subject : str
            What happened (``seal.opened``) and to what (an id, a version, a digest).
        body : mapping
            JSON-able facts without personal data; floats are stored as decimal text.

        Raises
        ------
        Qua3ckError
            If the ledger was tampered with, is held by another writer, lies on a network
            share, cannot be written, or the actor has no key or not the role.
        """
        if self._guard is not None:
            self._guard(event)
        with self.locked():
            self.settle()
            return self._write(event, subject, body)

    def entries(self, event: str | None = None, *, subject: str | None = None) -> list[Entry]:
        """Return the events so far, oldest first; only those of one name or subject if given.

        Raises
        ------
        Qua3ckError
            If a line was changed, or lines that a head or a witness has counted are gone:
            nothing is decided on it.
        """
        self._catch_up()
        return [
            entry
            for entry in self._seen
            if (event is None or entry.event == event)
            and (subject is None or entry.subject == subject)
        ]

    def head(self) -> Head:
        """Return the signed head.

        Raises
        ------
        Qua3ckError
            If there is none: the ledger is empty, or its head was taken away.
        """
        head = read_head(self._head_path)
        if head is None:
            raise _tampered("L005", "There is no readable head", self._head_path)
        return head

    def verify(self) -> Verification:
        """Check the whole chain, its signatures, the head and the witnesses."""
        from qua3ck.ledger.verifying import verify_ledger

        with self._steady():
            return verify_ledger(
                chain=self.chain,
                head=self._head_path,
                following=self._next_path,
                keys=self.keys,
                people=self._people,
                witnesses=self.witnesses,
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the ledger against other writers; may be nested.

        Raises
        ------
        Qua3ckError
            If another process holds it for longer than ``patience`` seconds.
        """
        self._signing()
        refuse_network_share(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._held():
            yield

    @contextmanager
    def _held(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        if self._lock is None:
            self._lock = FileLock(self.folder / ".lock", poll_interval=0.01, fallback_to_soft=False)
        try:
            self._lock.acquire(timeout=self._patience)
        except Timeout as problem:
            raise Qua3ckError(
                f"Another run has held the ledger for {self._patience:g} s",
                where=str(self.chain),
                fix="wait for the other qua3ck in this folder to end, then type the same again",
                code="L002",
            ) from problem
        try:
            yield
        finally:
            self._lock.release()

    def settle(self) -> Entry | None:
        """Hold the chain's end against its head; mend and record what a crash left.

        Mended: a line that came in before its head was renamed; a next head whose line
        never came; a torn last line that a next head announces. Anything else that does
        not fit is tampering and is left as it is. To be called while :meth:`locked`.

        Returns
        -------
        Entry or None
            The event ``ledger.repaired`` if a line was completed or cut.

        Raises
        ------
        Qua3ckError
            If the chain and its head or a witness disagree.
        """
        tip, head = self._tip(), read_head(self._head_path)
        following = read_head(self._next_path)
        if head is None and self._head_path.exists():
            raise _tampered("L005", "The head cannot be read", self._head_path)
        if head is not None and not head.signed_by(self.keys(head.signer)):
            where = f"{self._head_path}, signer {head.signer}"
            raise _tampered("L005", "The head's signature is wrong", where)
        n = head.n if head else 0
        announced = following is not None and following.n == n + 1
        if tip.n == n + 1 and announced and following and self._completes(tip, head, following):
            self._adopt(following)
            return self._write("ledger.repaired", "ledger", {"did": "finished", "seq": n})
        self._refuse_tampering(tip, head)
        cut = self._cut(tip, announced=announced) if tip.torn else None
        if self._next_path.exists():
            self._next_path.unlink()
        return self._write("ledger.repaired", "ledger", cut) if cut else None

    def _completes(self, tip: _Tip, head: Head | None, following: Head) -> bool:
        """Whether the last line is the one that the next head announces, after this head."""
        before = head.hash if head else FIRST_PREV
        return (
            tip.last is not None
            and not tip.torn
            and tip.last["prev"] == before
            and tip.hash == following.hash
            and following.signed_by(self.keys(following.signer))
        )

    def _refuse_tampering(self, tip: _Tip, head: Head | None) -> None:
        n = head.n if head else 0
        if head and tip.n < n:
            raise _cut_short(head, tip.n, self.chain)
        if tip.n > n:
            says = (
                f"{tip.n - n} events after the signed head, which counts {n}"
                if head
                else f"{tip.n} events, but the signed head is gone"
            )
            raise _tampered("L004" if head else "L005", says, f"{self.chain}, line {n + 1}")
        if head and tip.hash != head.hash:
            says = "The last event is not the one the head was signed over"
            raise _tampered("L006", says, f"{self.chain}, line {n}")
        for path in self.witnesses:
            seen = read_head(path)
            if seen is None and path.exists():
                raise _tampered("L007", "The witness of the ledger cannot be read", path)
            if seen and (seen.n > n or (seen.n == n and seen.hash != tip.hash)):
                raise _set_back(seen, n, path)

    def _cut(self, tip: _Tip, *, announced: bool) -> dict[str, Any]:
        """Cut a torn last line that a crash explains; return what to record of it."""
        if not announced:
            says = f"{len(tip.torn)} bytes follow the last event, and no crash explains them"
            raise _tampered("L004", says, f"{self.chain}, line {tip.n + 1}")
        with self.chain.open("r+b") as handle:
            handle.truncate(tip.size)
            os.fsync(handle.fileno())
        return {
            "did": "cut",
            "seq": tip.n,
            "bytes": len(tip.torn),
            "sha256": hashlib.sha256(tip.torn).hexdigest(),
        }

    def _write(self, event: str, subject: str, body: Mapping[str, Any]) -> Entry:
        """Append one line; the chain and its head agree before and after."""
        tip = self._tip()
        entry, line = encode(
            seq=tip.n,
            at=stamp(self._clock()),
            actor=self.actor,
            event=event,
            subject=subject,
            body=body,
            prev=tip.hash,
        )
        head = sign_head(tip.n + 1, entry.hash, entry.at, self.actor, self._signing())
        self._reach_witnesses()
        try:
            write_head(head, self._next_path)
            self._append_line(line, size=tip.size)
            self._adopt(head)
        except OSError as problem:
            raise Qua3ckError(
                f"The event {event} could not be written: {problem.strerror or problem}",
                where=str(self.chain),
                fix="make room or give back write permission, then type the same again",
                code="L009",
            ) from problem
        return entry

    def _append_line(self, line: bytes, *, size: int) -> None:
        new = not self.chain.exists()
        with self.chain.open("ab", buffering=0) as handle:  # a buffer would be written on closing
            try:
                left = memoryview(line)
                while left:
                    left = left[handle.write(left) :]
                os.fsync(handle.fileno())
            except OSError:
                with suppress(OSError):  # a torn line that stays is cut by the next settle()
                    os.truncate(self.chain, size)
                raise
        if new:
            sync_folder(self.folder)

    def _adopt(self, head: Head) -> None:
        self._next_path.replace(self._head_path)
        sync_folder(self.folder)
        for path in self.witnesses:
            write_head(head, path)

    def _signing(self) -> Callable[[bytes], bytes]:
        if self._sign is None:
            raise Qua3ckError(
                "This ledger was opened for reading only",
                where=str(self.folder),
                fix="open the project without read_only, as a person who is enrolled",
                code="L008",
            )
        return self._sign

    def _reach_witnesses(self) -> None:
        """Refuse before writing if a copy of the head cannot be kept."""
        for path in self.witnesses:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                reached = os.access(path.parent, os.W_OK)
            except OSError:
                reached = False
            if not reached:
                raise Qua3ckError(
                    "The witness of the ledger cannot be written",
                    where=str(path),
                    fix="connect that place again, or unset QUA3CK_WITNESS",
                    code="L010",
                )

    def _tip(self) -> _Tip:
        """Read the chain's end without reading the chain."""
        if not self.chain.exists():
            return _Tip(0, None, 0, b"")
        with self.chain.open("rb") as handle:
            end = handle.seek(0, os.SEEK_END)
            tail, start = b"", end
            while start > 0 and tail.count(b"\n") < 2:
                start = max(0, start - _BLOCK)
                handle.seek(start)
                tail = handle.read(end - start)
        whole, newline, torn = tail.rpartition(b"\n")
        if not newline:
            return _Tip(0, None, 0, torn)
        line = whole.rpartition(b"\n")[2]
        fields = decode(line)
        if fields is None:
            raise _tampered("L006", "The last event was changed", f"{self.chain}, last line")
        return _Tip(fields["seq"] + 1, fields, end - len(torn), torn)

    def _catch_up(self) -> None:
        """Read the lines that came since the last look, each held against the one before."""
        size = self.chain.stat().st_size if self.chain.exists() else 0
        if size < self._seen_bytes:
            self._seen, self._seen_bytes = [], 0
        if size == self._seen_bytes and self._whole:
            return
        self._whole = False
        # First the heads: a line is there before a head counts it, so the chain read after
        # them has every event that they count, also beside a writer.
        heads = [(path, read_head(path)) for path in (self._head_path, *self.witnesses)]
        self._read_on()
        for path, head in heads:
            if head is not None:
                _refuse_shorter(self._seen, head, path, chain=self.chain)
        self._whole = True

    def _read_on(self) -> None:
        if not self.chain.exists():
            return
        with self.chain.open("rb") as handle:
            handle.seek(self._seen_bytes)
            new = handle.read()
        whole = new[: new.rfind(b"\n") + 1]
        for line in whole.split(b"\n")[:-1]:
            fields = decode(line)
            due = len(self._seen)
            prev = self._seen[-1].hash if self._seen else FIRST_PREV
            if fields is None or fields["seq"] != due or fields["prev"] != prev:
                says = f"The event with seq {due} was changed, or does not follow the one before"
                raise _tampered("L006", says, f"{self.chain}, line {due + 1}")
            self._seen.append(Entry(**fields))
            self._seen_bytes += len(line) + 1

    @contextmanager
    def _steady(self) -> Iterator[None]:
        """Hold off writers while verifying, where this user may write at all."""
        if self.chain.exists() and os.access(self.folder, os.W_OK):
            with self._held():
                yield
        else:
            yield


def _refuse_shorter(seen: Sequence[Entry], head: Head, path: Path, *, chain: Path) -> None:
    """Refuse a chain that its head, or the witness at ``path``, has seen longer or otherwise."""
    n = len(seen)
    if head.n <= n and seen[head.n - 1].hash == head.hash:
        return
    if path.parent != chain.parent:
        raise _set_back(head, n, path)
    if head.n > n:
        raise _cut_short(head, n, chain)
    says = "An event is not the one the head was signed over"
    raise _tampered("L006", says, f"{chain}, line {head.n}")


def _cut_short(head: Head, n: int, chain: Path) -> Qua3ckError:
    missing = f"seq {n}" if head.n - n == 1 else f"seq {n} to {head.n - 1}"
    says = f"Events are missing at the end: the signed head counts {head.n}, {missing} is gone"
    return _tampered("L003", says, f"{chain}, after line {n}")


def _set_back(seen: Head, n: int, path: Path) -> Qua3ckError:
    says = (
        f"The ledger was set back or written anew: a witness saw {seen.n} events, the chain has {n}"
    )
    return _tampered("L007", says, str(path))


def _tampered(code: str, says: str, where: object) -> Qua3ckError:
    return Qua3ckError(says, where=str(where), fix=_RESTORE, code=code)

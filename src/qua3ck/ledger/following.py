"""A reader that follows a growing ledger: every new line is verified, the old ones not again.

It needs no key store and holds no lock. Lines count from the moment the signed head covers
them; what an append leaves on the disk on its way there is told from tampering by the order
in which an append writes and this reader reads: head, chain, next head, head again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.ledger.entries import Entry, expected_suffix, read_fields
from qua3ck.ledger.heads import Head, read_head
from qua3ck.ledger.verifying import Walk, walk_lines

_LOOKS = 8
_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class _Look:
    """What was read in one go: the head, and the lines that it newly covers."""

    head: Head
    lines: bytes


class Following:
    """The events of a ledger that somebody else writes.

    Parameters
    ----------
    folder : Path
        Holds ``chain.jsonl`` and ``head.json``.
    keep : collection of str, optional
        Names of the events that :meth:`entries` gives; all if left out. A long-lived reader
        keeps few.
    """

    def __init__(self, folder: Path, *, keep: Collection[str] | None = None) -> None:
        self._chain = folder / "chain.jsonl"
        self._head = folder / "head.json"
        self._next = folder / "head.next.json"
        self._keep = None if keep is None else frozenset(keep)
        self._walk = Walk()
        self._bytes = 0
        self._entries: list[Entry] = []
        self._stamp: _Stamp | None = None

    @property
    def n(self) -> int:
        """How many events have been verified."""
        return len(self._walk.hashes)

    def entries(self, event: str | None = None) -> tuple[Entry, ...]:
        """Return the verified events that are kept, oldest first; only of one name if given."""
        return tuple(entry for entry in self._entries if event is None or entry.event == event)

    def grown(self) -> bool:
        """Take over what was appended since the last call; return whether there was anything.

        Costs three calls to the file system where nothing changed.

        Raises
        ------
        Qua3ckError
            If a line, a signature or the head does not fit, or the ledger was set back
            behind what was seen: :meth:`entries` stays what it was.
        """
        stamp = self._stamped()
        if stamp == self._stamp:
            return False
        look = self._look()
        if look is None:
            return False  # somebody appends line after line: the next call sees them all
        before = self.n
        if look.head.n == before:
            self._verify_anew(look.head)  # touched without having grown
        else:
            self._take(look)
        self._stamp = stamp
        return self.n > before

    def _look(self) -> _Look | None:
        """Read head and chain so that they belong together; None if they never came to rest."""
        for _ in range(_LOOKS):
            head = self._read_head()
            rest = self._read_chain(self._bytes)
            announced = read_head(self._next)
            if self._read_head() == head:
                return self._held_together(head, rest, announced)
        return None

    def _held_together(self, head: Head, rest: bytes, announced: Head | None) -> _Look:
        *lines, torn = rest.split(b"\n")
        due = head.n - self.n
        if len(lines) < due or due < 0:
            says = f"The signed head counts {head.n} events, {self.n + len(lines)} are there"
            if due < 0:
                says = f"The ledger was set back: {self.n} events were seen, {head.n} are left"
            raise self._wrong("L003", says)
        beyond = lines[due:]
        if (beyond or torn) and not _explained(beyond, announced, head):
            raise self._wrong("L004", "More follows in the chain than the signed head covers")
        return _Look(head, b"".join(line + b"\n" for line in lines[:due]))

    def _take(self, look: _Look) -> None:
        trial = Walk(list(self._walk.hashes), dict(self._walk.people))
        walk_lines(look.lines, trial)
        self._accept(trial, look.head)
        self._bytes += len(look.lines)
        for line in look.lines.split(b"\n")[:-1]:
            fields = read_fields(line)
            if fields is not None and (self._keep is None or fields["event"] in self._keep):
                self._entries.append(Entry(**fields))

    def _verify_anew(self, head: Head) -> None:
        """Read everything again: the files were touched, and no event came."""
        trial = Walk()
        walk_lines(self._read_chain(0)[: self._bytes], trial)
        if len(trial.hashes) < self.n:
            raise self._wrong("L003", f"Events are missing at the end: {self.n} were seen before")
        if trial.hashes != self._walk.hashes and not trial.problems:
            raise self._wrong("L007", "The chain is not the one that was read before")
        self._accept(trial, head)

    def _accept(self, trial: Walk, head: Head) -> None:
        if trial.problems:
            raise self._wrong("L006", f"The ledger was changed: {trial.problems[0]}")
        if not head.signed_by(trial.key(head.signer)):
            raise self._wrong("L005", f"The head is not signed by {head.signer}")
        if head.n and (not trial.hashes or trial.hashes[-1] != head.hash):
            raise self._wrong("L006", "The last event is not the one the head was signed over")
        self._walk = trial

    def _read_head(self) -> Head:
        head = read_head(self._head)
        if head is None:
            raise self._wrong("L005", "The signed head is missing or cannot be read")
        return head

    def _read_chain(self, start: int) -> bytes:
        try:
            with self._chain.open("rb") as handle:
                handle.seek(start)
                return handle.read()
        except OSError as problem:
            raise self._wrong("L003", f"The chain cannot be read: {problem.strerror}") from problem

    def _stamped(self) -> _Stamp:
        return tuple(_stat(path) for path in (self._chain, self._head, self._next))

    def _wrong(self, code: str, says: str) -> Qua3ckError:
        return Qua3ckError(
            says,
            where=str(self._chain),
            fix="keep the folder as it is, type: qua3ck audit verify, then restore ledger/ from"
            " a copy",
            code=code,
        )


def _explained(beyond: list[bytes], announced: Head | None, head: Head) -> bool:
    """Whether what follows the head is the one line that is being appended, or a part of it."""
    if announced is None or announced.n != head.n + 1 or len(beyond) > 1:
        return False
    return not beyond or expected_suffix(beyond[0])[9:73] == announced.hash.encode()


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

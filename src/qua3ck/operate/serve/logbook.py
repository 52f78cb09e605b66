"""The log of predictions: one JSON line for each answer, written before the answer goes out.

A line goes to the operating system in one call, so that a killed process loses none that
was answered; whoever asks for more has it on the disk first (``durable``). Another process
moves the lines into the warehouse. Personal columns never reach the file: their values are
replaced by a keyed pseudonym, the same for the same value.
"""

from __future__ import annotations

import hmac
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import ServePlan

Encode = Callable[[Any], bytes]
Table = Mapping[str, Sequence[Any]]
_MOST_BYTES = 64 * 1024 * 1024
_LONGEST_S = 3600.0
_TRIED_AGAIN_S = 10.0


class Logbook:
    """The log of one worker: a file of its own, another one each hour and each 64 MB.

    Parameters
    ----------
    plan : ServePlan
        Where the log lies, whether it is durable, which columns are personal.
    worker : int or str
        The worker's number, from 0, or ``app`` and a number for a view. No two processes that
        run at once may have the same.
    encode : callable, optional
        Object to JSON bytes; default: the standard library. A worker passes a faster one.
    """

    def __init__(self, plan: ServePlan, worker: int | str, *, encode: Encode | None = None) -> None:
        self._folder = log_folder(plan)
        self._durable = plan.log.durable
        self._personal = frozenset(plan.log.pseudonymise)
        self._key = _pseudonym_key(plan)
        self._worker = worker
        self._encode = encode or _plain_json
        self._handle = -1
        self._size = 0
        self._since = 0.0
        self._failed: tuple[float, str] | None = None
        self._open()

    @property
    def path(self) -> Path:
        """The file that is written to now."""
        return self._path

    @property
    def problem(self) -> str:
        """Why the last line was refused; empty after ten seconds, so that another is tried."""
        if self._failed is None or time.monotonic() - self._failed[0] > _TRIED_AGAIN_S:
            return ""
        return self._failed[1]

    def record(
        self,
        *,
        request_id: str,
        version: int,
        arm: str,
        table: Table,
        outputs: Table,
        latency_us: int,
        places: Sequence[int] = (),
        who: Sequence[int] = (),
        flags: Sequence[str] = (),
    ) -> bytes:
        """Return the line of one answer, to be handed to :meth:`write`.

        Parameters
        ----------
        request_id : str
            The id that the answer carries.
        version, arm : int, str
            Who answered; 0 and ``fallback`` where no model did. A request whose rows were
            answered by several arms has a line for each.
        table : mapping
            Column to values as they came. Personal columns are replaced here.
        outputs : mapping
            Name to values, as they were answered.
        latency_us : int, microseconds
            From the first byte read to the answer.
        places : sequence of int
            Which rows of the request these are, from 0; empty for all of them.
        who : sequence of int
            While a rollout is on, the place of each row's person, or one for all of them; see
            :mod:`qua3ck.operate.serve.people`.
        flags : sequence of str
            Such as ``outside:income``, for a value outside the training range.
        """
        line: dict[str, Any] = {
            "id": request_id,
            "at": time.time_ns() // 1000,
            "v": version,
            "arm": arm,
            "in": self._pseudonymised(table) if self._personal else table,
            "out": outputs,
            "us": latency_us,
        }
        if places:
            line["rows"] = places
        if who:
            line["who"] = who
        if flags:
            line["flags"] = flags
        return self._encode(line) + b"\n"

    def outcome(self, *, request_id: str, row: int, outcome: Any) -> bytes:
        """Return the line that says what came true for a row of an earlier answer."""
        line = {"of": request_id, "row": row, "at": time.time_ns() // 1000, "outcome": outcome}
        return self._encode(line) + b"\n"

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines; when this returns, a killed process loses none of them.

        Raises
        ------
        Qua3ckError
            If the disk refuses (O007): what cannot be logged must not be answered.
        """
        data = lines[0] if len(lines) == 1 else b"".join(lines)
        written = 0
        try:
            if self._size > _MOST_BYTES or time.monotonic() - self._since > _LONGEST_S:
                self._open()
            written = os.write(self._handle, data)
            while written < len(data):
                written += os.write(self._handle, data[written:])
            if self._durable:
                os.fsync(self._handle)
        except OSError as problem:
            if written:  # half a line stands there: go on in a new file
                self._size = _MOST_BYTES + 1
            refused = self._refused(problem)
            self._failed = time.monotonic(), refused.what
            raise refused from problem
        self._size += written
        self._failed = None

    def close(self) -> None:
        """Close the file; nothing is held back that would have to be written first."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def pseudonym(self, value: Any) -> str | None:
        """Return what stands in the log for a personal value; None for none."""
        if value is None:
            return None
        text = value if isinstance(value, str) else repr(value)
        return "~" + hmac.digest(self._key, text.encode(), "sha256").hex()[:24]

    def _pseudonymised(self, table: Table) -> Table:
        return {
            name: [self.pseudonym(cell) for cell in cells] if name in self._personal else cells
            for name, cells in table.items()
        }

    def _open(self) -> None:
        self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self._path = self._folder / f"{moment}-w{self._worker}-{os.getpid()}.jsonl"
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        try:
            self._handle = os.open(self._path, how, 0o600)
        except OSError as problem:
            raise self._refused(problem) from problem
        self._size, self._since = 0, time.monotonic()

    def _refused(self, problem: OSError) -> Qua3ckError:
        return Qua3ckError(
            f"The prediction could not be logged: {problem.strerror or problem}",
            where=str(self._folder),
            fix="make room or give back write permission; answers go on by themselves",
            code="O007",
        )


def log_folder(plan: ServePlan) -> Path:
    """Return where the workers write their lines."""
    return plan.state / "log"


def lag_bytes(plan: ServePlan) -> int:
    """Return how many logged bytes the warehouse does not have yet."""
    from qua3ck.operate.serve.compacting import taken

    known = taken(plan)
    lag = 0
    for path in log_folder(plan).glob("*.jsonl"):
        try:
            lag += max(0, path.stat().st_size - known.get(path.name, 0))
        except OSError:  # moved away between the listing and the look
            continue
    return lag


def _pseudonym_key(plan: ServePlan) -> bytes:
    """Return the key of the pseudonyms; it lies in the key store, not in the project."""
    if not plan.log.pseudonymise:
        return b""
    from qua3ck.store.keys import KeyStore

    place = Path(plan.log.key_file or "/")
    passphrase = os.environ.get("QUA3CK_PASSPHRASE", "").encode()
    try:
        return KeyStore(place.parent.parent, passphrase=passphrase).secret(place.stem, create=False)
    except Qua3ckError as problem:
        raise Qua3ckError(
            f"The key of the pseudonyms cannot be had: {problem.what}",
            where=problem.where,
            fix="start again with qua3ck serve, as somebody whose key store has it",
            code="O008",
        ) from problem


def _plain_json(line: Any) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str).encode()

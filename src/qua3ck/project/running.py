"""One worker per project folder: the second one is told who is at work."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qua3ck.kit.clock import stamp, utc_now
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import write_atomic


@contextmanager
def sole_worker(root: Path, *, verb: str) -> Iterator[None]:
    """Hold the project folder for one verb that writes.

    Raises
    ------
    Qua3ckError
        If another process holds it; names the verb, the process and since when.
    """
    from filelock import FileLock, Timeout

    state = root / "state"
    state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(state / "run.lock", timeout=0)
    holder = state / "run.json"
    try:
        lock.acquire()
    except Timeout:
        raise Qua3ckError(
            f"Another qua3ck is at work in this folder{_who(holder)}",
            where=str(root),
            fix="wait until it is done, or end that process and run again",
            code="P007",
        ) from None
    try:
        facts = {"verb": verb, "pid": os.getpid(), "host": socket.gethostname()}
        write_atomic(holder, json.dumps({**facts, "since": stamp(utc_now())}).encode())
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _who(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_bytes())
    except (OSError, ValueError):
        return ""
    return f": qua3ck {facts['verb']}, process {facts['pid']} since {facts['since']}"

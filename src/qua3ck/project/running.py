"""One worker per project folder, and what it does while another process is at work."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from qua3ck.kit.clock import stamp, utc_now
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import write_atomic

T = TypeVar("T")
_LOOKS, _BETWEEN = 20, 0.05  # seconds; who has just got the lock has yet to write its name


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


def beside(meanwhile: Callable[[], None], work: Callable[[], T]) -> T:
    """Return what ``work`` does, with ``meanwhile`` done in a second thread.

    For work that waits for a process of its own; an error of ``work`` comes first.
    """
    with ThreadPoolExecutor(1) as pool:
        aside = pool.submit(meanwhile)
        result = work()
        aside.result()
    return result


def _who(holder: Path) -> str:
    """Return who holds the folder, "" if that cannot be read within a second.

    The note of a process that was killed lies there until the next one writes its own.
    """
    for _ in range(_LOOKS):
        try:
            facts = json.loads(holder.read_bytes())
        except (OSError, ValueError):
            facts = None
        if facts and not _died(facts):
            return f": qua3ck {facts['verb']}, process {facts['pid']} since {facts['since']}"
        time.sleep(_BETWEEN)
    return ""


def _died(facts: Mapping[str, Any]) -> bool:
    """Return whether a process of this machine is gone; of another one nobody can tell."""
    if facts["host"] != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(int(facts["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

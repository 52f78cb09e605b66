"""Digests of files, hashed again only where a file can have changed.

A file is taken for unchanged if size, times, inode and device are those noted when it was
hashed, and its last change lies more than two seconds before that: the rule by which git
trusts its index. The time of the last change of status cannot be set by whoever copies or
touches a file; two seconds are the coarsest clock of a file system in use. Where the system
keeps no such time (Windows), every file is hashed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qua3ck.kit.hashes import file_digest
from qua3ck.kit.records import write_atomic

_COARSEST = 2_000_000_000  # nanoseconds


def file_digests(
    files: Sequence[Path], memory: Path, *, now: Callable[[], int] = time.time_ns
) -> dict[Path, str]:
    """Return the SHA-256 (hex) of each file.

    Parameters
    ----------
    memory : Path
        A file of ours in which digests are noted; it may be deleted at any time.
    now : callable
        The present moment, in nanoseconds.
    """
    noted = _read(memory)
    kept: dict[str, list[Any]] = {}
    found: dict[Path, str] = {}
    for file in files:
        before, began = _state(file), now()
        line = noted.get(str(file))
        if line is None or not _unchanged(line, before):
            line = [*before, began, file_digest(file)]
        kept[str(file)] = line
        found[file] = str(line[-1])
    others = {
        name: line for name, line in noted.items() if name not in kept and Path(name).exists()
    }
    if any(noted.get(name) != line for name, line in kept.items()):
        write_atomic(memory, json.dumps({**others, **kept}).encode())
    return found


def _state(file: Path) -> list[int]:
    one = file.stat()
    return [one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino, one.st_dev]


def _unchanged(line: list[Any], state: list[int]) -> bool:
    changed, began = max(state[1], state[2]), line[-2]
    return os.name == "posix" and line[:5] == state and changed + _COARSEST < began


def _read(memory: Path) -> dict[str, list[Any]]:
    """Return what is noted; nothing if it cannot be read, since it is a memory only."""
    try:
        noted = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(noted, dict):
        return {}
    return {name: line for name, line in noted.items() if isinstance(line, list)}

"""How far the reading of a piece has come, told twice a second while somebody may be watching.

Bytes are the position of the open file, as Linux tells it; elsewhere, and where a reader takes
the whole file at once, only rows are told, if the reader counts them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from qua3ck.understand.loading.task import Task
from qua3ck.understand.sources.pieces import Piece

_PAUSE = 0.5  # seconds
_OPEN = Path("/proc/self/fd")


@contextmanager
def watched(task: Task, piece: Piece, *, done: int, total: int) -> Iterator[Piece]:
    """Give the piece with a count of its rows; tell of them while the block runs.

    Parameters
    ----------
    done, total : int
        Bytes of the pieces before it, and of all.
    """
    rows = [0]
    ended = threading.Event()
    began = time.monotonic()

    def count(so_far: int) -> None:
        rows[0] = so_far

    def tell() -> None:
        while not ended.wait(_PAUSE):
            share = (done + min(_position(piece.path), piece.size)) / total
            task.tell(_says(task.name, piece.name, rows[0], time.monotonic() - began), share)

    watch = threading.Thread(target=tell, daemon=True)
    watch.start()
    try:
        yield replace(piece, count=count)
    finally:
        ended.set()
        watch.join()


def _says(source: str, piece: str, rows: int, seconds: float) -> str:
    speed = f", {rows:,} rows, {rows / seconds:,.0f} rows/s" if rows else ""
    return f"reading {source}: {piece}{speed}"


def _position(path: Path) -> int:
    """Return how far this process has read a file; 0 where that is not told."""
    found = []
    with suppress(OSError, ValueError, IndexError):  # files open and close meanwhile
        wanted = str(path.resolve())
        for one in os.listdir(_OPEN):  # noqa: PTH208 - one entry may be gone at once
            with suppress(OSError):
                if os.readlink(_OPEN / one) == wanted:  # noqa: PTH115 - names deleted files, too
                    told = (_OPEN.parent / "fdinfo" / one).read_text()
                    found.append(int(told.split(maxsplit=2)[1]))
    return min(found, default=0)

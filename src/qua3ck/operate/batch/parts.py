"""What is answered so far: files of a fixed number of rows, each with a note of what it rests on.

A part counts once its note is there; the note is written last, whole or not at all. So a
process that is killed loses the part it was at, and whoever types the same again goes on
after the last note, having checked that the rows before it are still the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.kit.records import load, save

if TYPE_CHECKING:
    import pyarrow as pa

WORK, STAGED = "state/predict", "staged"


@dataclass(frozen=True)
class Note:
    """One part: what it read, what came of it, and the digests of both.

    ``read`` and ``said`` are of the content of what was read and answered, ``wrote`` of the
    file's bytes. ``reasons`` maps column and code, a tab between them, to how many rows
    there are and the first few of them.
    """

    part: int
    rows: int
    predicted: int
    held: int
    strange: int
    read: str
    wrote: str
    said: str
    reasons: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Begun:
    """What is settled when a run begins, and stays so however often it is taken up."""

    run: str
    at: str


@contextmanager
def sole(place: Path) -> Iterator[None]:
    """Hold one input and destination against a second process that predicts the same.

    Parameters
    ----------
    place : Path
        ``state/predict/<place>``; below it each run has a folder.

    Raises
    ------
    Qua3ckError
        If there is one (O049).
    """
    from filelock import FileLock, Timeout

    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Qua3ckError(
            "Another process is at this very prediction",
            where=str(place),
            fix="wait until it is done; then the same command has nothing left to do",
            code="O049",
        ) from None
    try:
        yield
    finally:
        lock.release()


class Work:
    """The folder of one run; the caller holds its place by :func:`sole`."""

    def __init__(self, place: Path, run: str) -> None:
        self.folder = place / run[:32]

    def begin(self, run: str, at: str) -> Begun:
        """Return when the run began: now, unless it is taken up.

        What is left of other runs, over older rows or by another version, is removed.
        """
        path = self.folder / "begun.json"
        for other in self.folder.parent.glob("*"):
            if other != self.folder and other.name != STAGED:
                shutil.rmtree(other, ignore_errors=True)
        if path.is_file():
            return load(Begun, path)
        self.folder.mkdir(parents=True, exist_ok=True)
        begun = Begun(run, at)
        save(begun, path)
        return begun

    def note(self, part: int) -> Note | None:
        """Return what is noted of a part; None if it was not finished, or its files differ."""
        path = self.folder / f"{part:06d}.json"
        if not path.is_file():
            return None
        note = load(Note, path)
        rows = self.rows(part)
        return note if rows.is_file() and file_digest(rows) == note.wrote else None

    def keep(self, note: Note) -> None:
        """Note a part whose files are on the disk."""
        save(note, self.folder / f"{note.part:06d}.json")

    def rows(self, part: int) -> Path:
        """Return the file of a part's answers."""
        return self.folder / f"{part:06d}.parquet"

    def held(self, part: int) -> Path:
        """Return the file of a part's held rows."""
        return self.folder / f"{part:06d}.held.parquet"

    def clear(self) -> None:
        """Remove everything of this place: what it held is where it belongs."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)


def write_part(path: Path, table: pa.Table, *, fixed: Collection[str] = ()) -> None:
    """Write a Parquet file that is on the disk when this returns.

    Parameters
    ----------
    fixed : collection of str
        Columns of text with one value in every row; they are written as that value and a
        count, which takes a tenth of the time.
    """
    import os

    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        short = _shortened(table, fixed)
        pq.write_table(short, handle, compression="zstd", store_schema=False)
        handle.flush()
        os.fsync(handle.fileno())


def _shortened(table: pa.Table, fixed: Collection[str]) -> pa.Table:
    """Return the table with its fixed columns as dictionaries of one entry."""
    import numpy as np
    import pyarrow as pa

    if table.num_rows == 0:
        return table
    first = pa.array(np.zeros(table.num_rows, dtype=np.int8))
    for at, name in enumerate(table.column_names):
        if name in fixed and pa.types.is_string(table.column(at).type):
            one = table.column(at).slice(0, 1).combine_chunks()
            if one.null_count:
                continue  # Parquet has no dictionary with a null in it, and a null is short
            column = pa.DictionaryArray.from_arrays(first, one)
            table = table.set_column(at, name, column)
    return table

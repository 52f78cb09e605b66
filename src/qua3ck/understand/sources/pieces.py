"""A piece is one thing brought in (a file, a page); staged, it is typed rows beside held ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding
from qua3ck.understand.section import Source
from qua3ck.understand.sources.read import find_files
from qua3ck.understand.sources.remembered import file_digests

if TYPE_CHECKING:
    import pyarrow as pa

ROW = "_row"
MEMORY = "state/files.json"  # of a project: digests of its source files


@dataclass(frozen=True)
class Piece:
    """One thing brought in, with its bytes in a local file.

    Attributes
    ----------
    name : str
        Stable within its source; the same name with other bytes is a corrected piece.
    digest : str
        SHA-256 (hex) of the bytes as received.
    path : Path
        A local file that holds them.
    size : int
        Bytes.
    known : datetime or None
        The moment of its load. A reader that writes its rows itself then adds what the table
        wants to know of each (:func:`stamp`), so that they need not be written once more.
    count : callable or None
        Wants to be called with the rows read so far.
    """

    name: str
    digest: str
    path: Path
    size: int
    known: datetime | None = None
    count: Callable[[int], None] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Staged:
    """A piece after reading: every record is either a typed row or held, none is lost.

    Attributes
    ----------
    rows : Path
        Parquet; the user's columns in the order of the piece, and ``_row`` (int64): the
        record's number in the piece, 1 for the first below the header.
    came : int
        Records in the piece: rows in ``rows`` and distinct held records.
    held : pyarrow.Table
        With the schema of :func:`held_schema`.
    how : mapping
        How it was read (encoding, delimiter, types ...); JSON-able, kept with the load.
    findings : tuple of Finding
        What was noticed in reading.
    """

    rows: Path
    came: int
    held: pa.Table
    how: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def stamp(piece: Piece, rows: int) -> dict[str, pa.Array]:
    """Return the columns that a table keeps for each row of a piece, beside its number.

    Empty if the moment of its load is not settled.
    """
    import pyarrow as pa

    if piece.known is None:
        return {}
    return {
        "_piece": pa.repeat(pa.scalar(piece.name), rows),
        "_known": pa.repeat(pa.scalar(piece.known, pa.timestamp("us", "UTC")), rows),
        "_gone": pa.repeat(pa.scalar(value=False), rows),
    }


def held_schema() -> pa.Schema:
    """Return the columns of held records.

    ``column`` is null where the whole record could not be read; ``raw`` is the cell, or the
    record, as received. One record may have several lines, one per reason.
    """
    import pyarrow as pa

    fields = [
        pa.field(ROW, pa.int64()),
        pa.field("column", pa.string()),
        pa.field("code", pa.string()),
        pa.field("raw", pa.string()),
    ]
    return pa.schema(fields)


def local_pieces(source: Source, root: Path, *, place: str) -> list[Piece]:
    """Return the files that a source's path or pattern names, by name.

    Raises
    ------
    Qua3ckError
        If no file matches, or one cannot be read.
    """
    files = find_files(source, root, place=place)
    digests = file_digests(files, root / MEMORY)
    pieces = [
        Piece(_name(file, source.path or "", root), digests[file], file, file.stat().st_size)
        for file in files
    ]
    return sorted(pieces, key=lambda piece: piece.name)


def _name(file: Path, pattern: str, root: Path) -> str:
    """Return the file's path below the last folder that the pattern fixes."""
    fixed = PurePosixPath()
    for part in PurePosixPath(pattern).parts[:-1]:
        if any(mark in part for mark in "*?["):
            break
        fixed /= part
    start = (root / fixed).resolve()
    found = file.parent.resolve() / file.name
    return found.relative_to(start).as_posix() if found.is_relative_to(start) else file.name

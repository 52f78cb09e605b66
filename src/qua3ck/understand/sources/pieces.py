"""A piece is one thing brought in (a file, a page); staged, it is typed rows beside held ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

ROW = "_row"


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
    """

    name: str
    digest: str
    path: Path
    size: int


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

"""Appends to a table that happen once: where a file was read to goes into the same commit.

A process that moves lines from files into a table may be killed between the append and its
note of how far it came. Delta keeps such marks itself, one per name, in the commit that
brings the rows: either both are there or neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def append_once(place: Path, rows: pa.Table, marks: Mapping[str, int]) -> int:
    """Append rows and set marks in one commit; return the table's version.

    Parameters
    ----------
    place : Path
        The table's folder; made with the first rows. Columns that come later are added.
    rows : pyarrow.Table
        May be empty where only marks are to be set.
    marks : mapping
        Name to how far it is read; see :func:`marked`.
    """
    from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

    about = CommitProperties(
        app_transactions=[Transaction(name, mark) for name, mark in sorted(marks.items())]
    )
    write_deltalake(place, rows, mode="append", schema_mode="merge", commit_properties=about)
    return int(DeltaTable(place).version())


def marked(place: Path, names: Iterable[str]) -> dict[str, int]:
    """Return the mark of each name, 0 where none was ever set."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(place)):
        return dict.fromkeys(names, 0)
    table = DeltaTable(place)
    return {name: int(table.transaction_version(name) or 0) for name in names}

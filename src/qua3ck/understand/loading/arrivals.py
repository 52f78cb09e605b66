"""A piece on its way in: kept as received, staged, checked; good rows beside held records.

Whatever came is accounted for at each step: records in a piece are rows that go on and records
that are held, counted in what was written and not in what a reader says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.store.warehouse.thinned import without_rows
from qua3ck.understand.loading.held import distinct_rows
from qua3ck.understand.loading.layout import OURS, Layout, columns_of, ibis_type, stored_as
from qua3ck.understand.sources.pieces import ROW, Piece, Staged, held_schema

if TYPE_CHECKING:
    from datetime import datetime

    import ibis
    import pyarrow as pa

    from qua3ck.store.warehouse.engine import Engine
    from qua3ck.understand.contract.measures import Measure
    from qua3ck.understand.loading.answers import Answer


@dataclass(frozen=True)
class Arrived:
    """A piece whose rows may be loaded.

    Attributes
    ----------
    rows : Path
        Parquet with the user's columns and ``_row``, as read.
    columns : mapping
        The user's columns and our words for their types.
    came, good : int
        Records in the piece; rows of it that may be loaded.
    held : pyarrow.Table
        With the schema of held records.
    tried : mapping
        Record to the answer that was put into it and does not fit, or that leaves it out.
    keys, records, asked : mapping
        Held record to its key, where it can be read; to the digest of its cells as received;
        record and column to the question.
    differs : mapping
        Record and column of what a ``unique`` of the contract holds to what tells it from the
        others of its key (:func:`qua3ck.understand.loading.keys.differing`).
    plain, given : Arrived or None, tuple of Answer
        The piece before answers were put into it, and these answers; None if there were none.
    partial : bool
        Whether only some records were read, those of the work list that have a new answer.
    passed : ibis.Table or None
        The good rows as an expression; None if all in ``rows`` are.
    blocks, findings, measures : tuple
        What its contract said.
    """

    piece: Piece
    rows: Path
    columns: Mapping[str, str]
    came: int
    good: int
    held: pa.Table
    how: Mapping[str, Any]
    tried: Mapping[int, str] = field(default_factory=dict)
    keys: Mapping[int, str] = field(default_factory=dict)
    records: Mapping[int, str] = field(default_factory=dict)
    asked: Mapping[tuple[int, str], str] = field(default_factory=dict)
    differs: Mapping[tuple[int, str], str] = field(default_factory=dict)
    plain: Arrived | None = None
    given: tuple[Answer, ...] = ()
    partial: bool = False
    passed: ibis.Table | None = None
    blocks: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()


def arrived(piece: Piece, staged: Staged, *, place: str) -> Arrived:
    """Return a staged piece, once its records are accounted for.

    Raises
    ------
    Qua3ckError
        If rows and held records are not what came, or a column has one of our names.
    """
    _refuse_our_names(staged.rows, piece, place)
    columns = columns_of(staged.rows)
    rows = count(staged.rows)
    account(piece.name, staged.came, rows, staged.held, place=place)
    return Arrived(
        piece,
        staged.rows,
        columns,
        staged.came,
        rows,
        staged.held,
        staged.how,
        findings=staged.findings,
    )


def account(piece: str, came: int, rows: int, held: pa.Table, *, place: str) -> None:
    """Refuse to go on if rows in are not rows that go on and rows held.

    Raises
    ------
    Qua3ckError
        Nothing was loaded then.
    """
    waiting = distinct_rows(held)
    if came == rows + waiting:
        return
    raise Qua3ckError(
        f"{came} records came in {piece}, but {rows} rows and {waiting} held records are "
        "accounted for; nothing was loaded",
        where=place,
        fix="this should not happen: please report it with the first lines of the piece, "
        "without personal data",
        code="U146",
    )


def held_back(one: Arrived, more: pa.Table, passed: ibis.Table | None, good: int) -> Arrived:
    """Return a piece with further held records, and the rows that are left."""
    import pyarrow as pa

    held = pa.concat_tables([one.held, more.cast(held_schema())])
    return replace(one, held=held, passed=passed, good=good)


def part(
    engine: Engine, one: Arrived, layout: Layout, *, known: datetime, into: Path, place: str
) -> Path:
    """Write a piece's good rows as the table wants them: its columns and ours; return the file.

    Where the reader has written them so already, its file is returned, or what is left of it
    without the records that a contract holds.

    Raises
    ------
    Qua3ckError
        If other than its good rows were written.
    """
    if stored_as(one.rows, layout.columns) and _stamped(one.rows, one.piece):
        ready = one.rows
        if one.passed is not None:
            ready = into
            without_rows(one.rows, one.held[ROW].to_numpy(), ready)
        account(one.piece.name, one.came, count(ready), one.held, place=place)
        return ready
    rows = engine.parquet(one.rows) if one.passed is None else one.passed
    columns = [
        _column(rows, name, kind, one.columns.get(name)) for name, kind in layout.columns.items()
    ]
    written = engine.write_parquet(
        rows.select(*columns, _named(one.piece.name), rows[ROW]),
        into,
        constants={"_known": known, "_gone": False},
    )
    account(one.piece.name, one.came, written, one.held, place=place)
    return into


def _named(piece: str) -> ibis.Value:
    import ibis

    return ibis.literal(piece).name("_piece")


def _column(rows: ibis.Table, name: str, kind: str, there: str | None) -> ibis.Value:
    import ibis

    if there is None:
        return ibis.null().cast(ibis_type(kind)).name(name)
    return rows[name].cast(ibis_type(kind)).name(name)


def count(rows: Path) -> int:
    """Return the rows of a Parquet file, from its footer."""
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(rows).metadata.num_rows)


def _refuse_our_names(rows: Path, piece: Piece, place: str) -> None:
    """Refuse names that tables keep for themselves, unless they are our own stamp."""
    import pyarrow.parquet as pq

    ours = [name for name in pq.read_schema(rows).names if name in OURS and name != ROW]
    if ours and not _stamped(rows, piece):
        raise Qua3ckError(
            f'{piece.name} has a column called "{ours[0]}", a name that tables keep for themselves',
            where=place,
            fix="rename the column, in the file or with names:",
            code="U147",
        )


def _stamped(rows: Path, piece: Piece) -> bool:
    """Return whether every row says that it is of this piece and of this load, by the footer.

    So does a file of which no row was good.
    """
    import pyarrow.parquet as pq

    footer = pq.read_metadata(rows)
    at = {footer.schema.column(i).name: i for i in range(footer.num_columns)}
    if piece.known is None or not set(OURS) <= set(at):
        return False
    wanted = {"_piece": piece.name, "_known": piece.known, "_gone": False}
    for group in range(footer.num_row_groups):
        if not footer.row_group(group).num_rows:
            continue
        for name, value in wanted.items():
            found = footer.row_group(group).column(at[name]).statistics
            if found is None or not found.has_min_max or found.null_count:
                return False
            if found.min != value or found.max != value:
                return False
    return True

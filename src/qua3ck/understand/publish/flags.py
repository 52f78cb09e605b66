"""Beside every published row: when its data were loaded, and whether something is missing.

``ok``: every record of every piece behind the row was loaded, or is the same row again as one that
was. ``incomplete``: a piece behind it has other records in quarantine, so the figure may still
move. ``unchecked``: a source behind it has no
contract, so nobody has said what its rows must hold. The worst of them counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Engine, storable_schema
from qua3ck.understand.gold.provenance import FROM
from qua3ck.understand.gold.trace import pieces_behind, with_pieces
from qua3ck.understand.loading.past import in_force, open_records, tables
from qua3ck.understand.section import Understand

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand.gold.build import Built

LOADED, QUALITY = "loaded_at", "quality"
Piece = tuple[str, str]


@dataclass(frozen=True)
class Arrived:
    """When a piece was loaded last, and how many of its records wait that may change figures."""

    known: datetime
    held: int


@contextmanager
def flagged(
    table: str,
    section: Understand,
    built: Mapping[str, Built],
    *,
    root: Path,
    warehouse: Warehouse,
) -> Iterator[pa.RecordBatchReader]:
    """Give a gold table with the columns ``loaded_at`` (UTC) and ``quality``, as a stream.

    Where its rows cannot be traced one by one, all rows are given the state of all pieces.
    """
    import pyarrow as pa

    arrived = arrivals(section, warehouse)
    with Engine(threads=1, reach=()) as engine:
        try:
            rows = with_pieces(table, section, built, root=root, warehouse=warehouse, engine=engine)
        except Qua3ckError as problem:
            if problem.code != "U161":
                raise
            one = built[table]
            plain = warehouse.mapped(one.table, engine=engine, version=one.version)
            rows = plain.append_column(FROM, pa.nulls(plain.num_rows, pa.string())).to_reader()
        shown = [field for field in rows.schema if field.name != FROM]
        own = [pa.field(LOADED, pa.timestamp("us", "UTC")), pa.field(QUALITY, pa.string())]
        schema = storable_schema(pa.schema([*shown, *own]), where=table)
        yield pa.RecordBatchReader.from_batches(schema, _each(rows, schema, arrived, section))


def _each(
    rows: pa.RecordBatchReader,
    schema: pa.Schema,
    arrived: Mapping[Piece, Arrived],
    section: Understand,
) -> Iterator[pa.RecordBatch]:
    """Yield batches with the state of what is behind each row; equal texts are looked up once."""
    import pyarrow as pa

    everything = tuple(sorted(arrived))
    states: dict[str, tuple[datetime | None, str]] = {}
    for batch in rows:
        told = batch.column(FROM).fill_null("").dictionary_encode()
        texts = told.dictionary.to_pylist()
        for text in texts:
            if text not in states:
                states[text] = _state(pieces_behind(text) or everything, arrived, section)
        loaded = pa.array([states[text][0] for text in texts], schema.field(LOADED).type)
        quality = pa.array([states[text][1] for text in texts], pa.string())
        columns = [
            batch.column(field.name).cast(field.type)
            for field in schema
            if field.name not in {LOADED, QUALITY}
        ]
        columns += [loaded.take(told.indices), quality.take(told.indices)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def arrivals(section: Understand, warehouse: Warehouse) -> dict[Piece, Arrived]:
    """Return the last load of every piece of every source, with what still waits of it."""
    found: dict[Piece, Arrived] = {}
    for source in section.sources:
        bronze, _, rows = tables(source)
        if warehouse.version(bronze) is None:
            continue
        records = _moving(open_records(warehouse, source)).select(["_piece", "_row"])
        waiting = Counter(records.group_by(["_piece", "_row"]).aggregate([])["_piece"].to_pylist())
        standing = {one.known for one in in_force(warehouse, rows)}
        listed = warehouse.read(bronze).select(["piece", "known"]).to_pylist()
        for one in sorted(listed, key=lambda line: line["known"]):
            if one["known"] in standing:
                found[source, one["piece"]] = Arrived(one["known"], waiting[one["piece"]])
    return found


def _moving(waiting: pa.Table) -> pa.Table:
    """Return the entries that may still change a figure: not a row whose equal was loaded."""
    import pyarrow.compute as pc

    again = pc.equal(waiting["differs"], "")  # of keys that come twice only
    return waiting.filter(pc.invert(again.fill_null(False)))


def _state(
    pieces: Sequence[Piece], arrived: Mapping[Piece, Arrived], section: Understand
) -> tuple[datetime | None, str]:
    there = [arrived[piece] for piece in pieces if piece in arrived]
    latest = max((one.known for one in there), default=None)
    if any(section.sources[source].contract is None for source, _ in pieces):
        return latest, "unchecked"
    return latest, "incomplete" if any(one.held for one in there) else "ok"

"""Beside every published row: when its data were loaded, and whether something is missing.

``ok``: every record of every piece behind the row was loaded. ``incomplete``: a piece behind it
has records in quarantine, so the figure may still move. ``unchecked``: a source behind it has no
contract, so nobody has said what its rows must hold. The worst of them counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.gold.trace import with_pieces
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
    """When a piece was loaded last, and how many of its records are held."""

    known: datetime
    held: int


def flagged(
    table: str,
    section: Understand,
    built: Mapping[str, Built],
    *,
    root: Path,
    warehouse: Warehouse,
) -> pa.Table:
    """Return a gold table with the columns ``loaded_at`` (UTC) and ``quality``.

    Where its rows cannot be traced one by one, all rows are given the state of all pieces.
    """
    import pyarrow as pa

    arrived = arrivals(section, warehouse)
    try:
        rows, behind = with_pieces(table, section, built, root=root, warehouse=warehouse)
    except Qua3ckError as problem:
        if problem.code != "U161":
            raise
        rows = warehouse.read(built[table].table, version=built[table].version)
        behind = [tuple(sorted(arrived))] * rows.num_rows
    everything = tuple(sorted(arrived))
    states: dict[tuple[Piece, ...], tuple[datetime | None, str]] = {}
    for pieces in set(behind):
        states[pieces] = _state(pieces or everything, arrived, section)
    loaded = pa.array([states[pieces][0] for pieces in behind], pa.timestamp("us", "UTC"))
    quality = pa.array([states[pieces][1] for pieces in behind], pa.string())
    return rows.append_column(LOADED, loaded).append_column(QUALITY, quality)


def arrivals(section: Understand, warehouse: Warehouse) -> dict[Piece, Arrived]:
    """Return the last load of every piece of every source."""
    found: dict[Piece, Arrived] = {}
    for source in section.sources:
        table = f"bronze/{source}"
        if warehouse.version(table) is None:
            continue
        listed = warehouse.read(table).select(["piece", "known", "held"]).to_pylist()
        for one in sorted(listed, key=lambda line: line["known"]):
            found[source, one["piece"]] = Arrived(one["known"], int(one["held"]))
    return found


def _state(
    pieces: Sequence[Piece], arrived: Mapping[Piece, Arrived], section: Understand
) -> tuple[datetime | None, str]:
    there = [arrived[piece] for piece in pieces if piece in arrived]
    latest = max((one.known for one in there), default=None)
    if any(section.sources[source].contract is None for source, _ in pieces):
        return latest, "unchecked"
    return latest, "incomplete" if any(one.held for one in there) else "ok"

"""What earlier loads left of a source: its pieces, its layout, its last moment.

``bronze/<source>`` lists each piece of each load; ``quarantine/<source>`` the records held
back; ``silver/<source>`` the rows. The commit to silver is what makes a load happen: lines of
the other two that are younger than it were left by a crash and are swept.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.understand.loading.layout import Layout

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand.sources.fetching import Position

ABOUT = "qua3ck.load"  # the key under which a commit tells of its load
LEFT_OUT = "(leave out)"  # the answer to a record that is not wanted at all
GONE = ""  # the digest of a piece that is not there any more


@dataclass(frozen=True)
class Kept:
    """A piece as it was loaded last.

    ``since`` is the moment at which the first piece of this name came; ``reading`` the digest
    of how it was read, ``answers`` that of the answers put into it.
    """

    name: str
    digest: str
    known: datetime
    since: datetime
    reading: str
    answers: str
    columns: tuple[str, ...]
    size: int
    came: int
    loaded: int
    held: int


@dataclass(frozen=True)
class Past:
    """A source before a load.

    Attributes
    ----------
    known : datetime or None
        The moment of the last load; None before the first.
    pieces : mapping
        Name to piece, of those that are part of what is current.
    former : mapping
        Name to the digest of pieces that once were.
    layout : Layout or None
        None before the first load.
    told : mapping
        What the last load's commit tells.
    unrecorded : tuple of mapping
        What those loads tell of which the ledger does not know, oldest first.
    position : Position or None
        From where a server is asked on.
    binding : bool
        Whether the ledger tells of any load. What an attempt left that failed later on was
        never reported to anybody: its layout binds nobody.
    """

    known: datetime | None = None
    pieces: Mapping[str, Kept] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    layout: Layout | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    unrecorded: tuple[Mapping[str, Any], ...] = ()
    position: Position | None = None
    binding: bool = False

    def unbound(self) -> Past:
        """Return a past of which only the moment counts."""
        return Past(self.known, unrecorded=self.unrecorded)


def tables(name: str) -> tuple[str, str, str]:
    """Return the names of a source's tables: bronze, quarantine, silver."""
    return f"bronze/{name}", f"quarantine/{name}", f"silver/{name}"


def quality(name: str) -> str:
    """Return the name of the table of what each rule of a contract measured at each load."""
    return f"quality/{name}"


def silver(name: str) -> str:
    """Return the name of the table of a source's rows."""
    return tables(name)[2]


def read_past(warehouse: Warehouse, name: str, recorded: Collection[str]) -> Past:
    """Return what earlier loads left.

    Parameters
    ----------
    recorded : collection of str
        The moments (stamps) of the source's loads that the ledger tells of.
    """
    bronze = tables(name)[0]
    loads = [
        (one.known, {**json.loads(one.about[ABOUT]), "version": one.version})
        for one in warehouse.loads(silver(name))
        if one.known is not None and ABOUT in one.about
    ]
    if not loads:
        return Past()
    known, told = loads[-1]
    binding = [told for known, told in loads if stamp(known) in recorded]
    in_force = (binding or [told])[-1]
    pieces, former = _pieces(warehouse, bronze, known)
    return Past(
        known,
        pieces,
        former,
        Layout(in_force["columns"], frozenset(in_force["optional"])),
        told,
        tuple(told for known, told in loads if stamp(known) not in recorded),
        _position(told),
        bool(binding),
    )


def _position(told: Mapping[str, Any]) -> Position | None:
    from qua3ck.kit.records import from_json
    from qua3ck.understand.sources.fetching import Position

    return from_json(Position, told["position"]) if told.get("position") else None


def sweep(warehouse: Warehouse, name: str, known: datetime | None) -> None:
    """Remove what a load left that was killed before its commit; one known moment at a time."""
    bronze, quarantine, _ = tables(name)
    for table in (bronze, quarantine, quality(name)):
        if warehouse.version(table) is None:
            continue
        column = "known" if table == bronze else "_known"
        moments = {aware(moment) for moment in warehouse.read(table)[column].to_pylist()}
        late = sorted(moment for moment in moments if known is None or moment > known)
        if late:
            warehouse.delete(table, where={column: late})


def aware(moment: datetime) -> datetime:
    """Return a moment of the warehouse in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def open_records(warehouse: Warehouse, name: str) -> pa.Table:
    """Return the held records that nobody has answered: those of each piece's last load."""
    import pyarrow as pa

    quarantine = tables(name)[1]
    if warehouse.version(quarantine) is None:
        return quarantine_schema().empty_table()
    held = warehouse.read(quarantine)
    if held.num_rows == 0:
        return held
    last = {piece.name: piece.known for piece in listed_pieces(warehouse, name)}
    lines = held.select(["_piece", "_known", "answered"]).to_pylist()
    still = [
        last.get(line["_piece"]) == aware(line["_known"]) and line["answered"] != LEFT_OUT
        for line in lines
    ]
    return held.filter(pa.array(still, pa.bool_()))


def listed_pieces(warehouse: Warehouse, name: str) -> tuple[Kept, ...]:
    """Return the pieces that are part of what is current."""
    bronze, _, rows = tables(name)
    until = warehouse.known(rows)
    return () if until is None else tuple(_pieces(warehouse, bronze, until)[0].values())


def quarantine_schema() -> pa.Schema:
    """Return the columns of ``quarantine/<source>``.

    ``answered`` holds the answer that was put in the cell's place and did not fit either.
    """
    import pyarrow as pa

    fields = [
        pa.field("_piece", pa.string()),
        pa.field("_row", pa.int64()),
        pa.field("_known", pa.timestamp("us", "UTC")),
        pa.field("column", pa.string()),
        pa.field("code", pa.string()),
        pa.field("raw", pa.string()),
        pa.field("answered", pa.string()),
    ]
    return pa.schema(fields)


def quality_schema() -> pa.Schema:
    """Return the columns of ``quality/<source>``: a rule at a piece, or (no piece) at a table."""
    import pyarrow as pa

    fields = [
        pa.field("_known", pa.timestamp("us", "UTC")),
        *(pa.field(name, pa.string()) for name in ("piece", "rule", "dimension")),
        *(pa.field(name, pa.string()) for name in ("column", "action")),
        *(pa.field(name, pa.int64()) for name in ("rows", "failing")),
        *(pa.field(name, pa.string()) for name in ("answer", "why")),
    ]
    return pa.schema(fields)


def bronze_schema() -> pa.Schema:
    """Return the columns of ``bronze/<source>``: one row per piece and load."""
    import pyarrow as pa

    fields = [
        pa.field("piece", pa.string()),
        pa.field("digest", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("known", pa.timestamp("us", "UTC")),
        pa.field("came", pa.int64()),
        pa.field("loaded", pa.int64()),
        pa.field("held", pa.int64()),
        pa.field("how", pa.string()),
    ]
    return pa.schema(fields)


def _pieces(
    warehouse: Warehouse, bronze: str, until: datetime
) -> tuple[dict[str, Kept], dict[str, str]]:
    """Return the pieces that are part of what is current, and the last digests of the others.

    Lines later than ``until`` are of a load that did not happen.
    """
    if warehouse.version(bronze) is None:
        return {}, {}
    found: dict[str, Kept] = {}
    former: dict[str, str] = {}
    for line in warehouse.read(bronze).sort_by("known").to_pylist():
        name, how, known = line["piece"], json.loads(line["how"]), aware(line["known"])
        if known > until:
            break
        if line["digest"] == GONE:
            former[name] = found.pop(name).digest
            continue
        found[name] = Kept(
            name,
            line["digest"],
            known,
            found[name].since if name in found else known,
            how.get("reading", ""),
            how.get("answers", ""),
            tuple(how.get("columns", ())),
            line["size"],
            line["came"],
            line["loaded"],
            line["held"],
        )
    return found, former

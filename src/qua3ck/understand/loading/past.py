"""What earlier loads left of a source: its pieces, its layout, its last moment.

``bronze/<source>`` lists each piece of each load; ``quarantine/<source>`` the records held
back; ``silver/<source>`` the rows. The commit to silver is what makes a load happen: lines of
the other two that are younger than it were left by a crash and are swept. Where the source was
declared to be elsewhere and nothing came of it, a commit to bronze without lines says so.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.kit.findings import Finding
from qua3ck.understand.loading.layout import Layout

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.store.warehouse import Version, Warehouse
    from qua3ck.understand.sources.fetching import Position

ABOUT = "qua3ck.load"  # the key under which a commit tells of its load
NOTICED = "qua3ck.noticed"  # and of what was noticed about the table
ELSEWHERE = "qua3ck.elsewhere"  # a commit to bronze: path and waiting since then
EVER = datetime(1, 1, 1, tzinfo=UTC)
CLOSED = "(settled)"  # a later version of the record came, or it is gone
LEFT_OUT = "(leave out)"  # the answer to a record that is not wanted at all
GONE = ""  # the digest of a piece that is not there any more


@dataclass(frozen=True)
class Kept:
    """A piece as it was loaded last.

    ``since`` is the moment at which the first piece of this name came; ``reading`` the digest
    of how it was read, ``answers`` that of the answers put into it; ``findings`` what was
    noticed in reading it, which is so for as long as it is part of the table; ``how`` what
    tells where its records stand (:func:`qua3ck.understand.sources.places.place_of`).
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
    findings: tuple[Finding, ...] = ()
    how: Mapping[str, Any] = field(default_factory=dict)


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
        What the last load's commit tells; path and waiting as :func:`note_path` wrote since.
    unrecorded : tuple of mapping
        What those loads tell of which the ledger does not know, oldest first.
    position : Position or None
        From where a server is asked on.
    noticed : tuple of Finding
        What the last load noticed about the table as a whole.
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
    noticed: tuple[Finding, ...] = ()
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
    bronze, _, rows = tables(name)
    every = [one for one in warehouse.loads(rows) if one.known and ABOUT in one.about]
    if not every:
        return Past()
    standing = [one for one in in_force(warehouse, rows) if one.known and ABOUT in one.about]
    loads = [(one.known or EVER, _told(one)) for one in standing]
    last, told = loads[-1]
    binding = [told for known, told in loads if stamp(known) in recorded]
    layout = (binding or [told])[-1]
    pieces, former = _pieces(warehouse, bronze, {known for known, _ in loads})
    return Past(
        warehouse.known(rows),
        pieces,
        former,
        Layout(layout["columns"], frozenset(layout["optional"])),
        {**told, **_noted(warehouse, bronze, last)},
        tuple(_told(one) for one in every if stamp(one.known or EVER) not in recorded),
        _position(told),
        tuple(Finding(**one) for one in json.loads(standing[-1].about.get(NOTICED, "[]"))),
        bool(binding),
    )


def note_path(
    warehouse: Warehouse, name: str, path: str | None, waiting: Sequence[str], *, known: datetime
) -> None:
    """Write down which path a load went by that wrote nothing else.

    Else every later load would take it for new, and a file that vanishes for one that the path
    no longer names. No version of the rows is made, and no piece is listed.

    Parameters
    ----------
    waiting : sequence of str
        Pieces that go once no piece is held any more.
    """
    said = {"path": path, "waiting": list(waiting)}
    about = {ELSEWHERE: json.dumps(said)}
    warehouse.append(tables(name)[0], bronze_schema().empty_table(), known=known, about=about)


def _noted(warehouse: Warehouse, bronze: str, since: datetime) -> dict[str, Any]:
    """Return the last path that was written down after a load; empty if none was."""
    late = (one for one in warehouse.loads(bronze) if one.known and one.known > since)
    notes = [one.about[ELSEWHERE] for one in late if ELSEWHERE in one.about]
    return dict(json.loads(notes[-1])) if notes else {}


def in_force(
    warehouse: Warehouse, table: str, *, version: int | None = None
) -> tuple[Version, ...]:
    """Return the loads that a table rests on, oldest first: without those that were undone.

    A version that was restored takes up where that version was: what had come after it does
    not count, as if it had never come.

    Parameters
    ----------
    version : int, optional
        Of the table; default the last.
    """
    from qua3ck.store.warehouse import RESTORED

    states: dict[int, tuple[Any, ...]] = {}  # the last load, and the state before it
    state: tuple[Any, ...] = ()
    for one in warehouse.loads(table, every=True):
        if version is not None and one.version > version:
            break
        if one.act == "load":
            state = (one, state)
        elif RESTORED in one.about:
            state = states.get(int(one.about[RESTORED]), state)
        states[one.version] = state
    loads = []
    while state:
        loads.append(state[0])
        state = state[1]
    return tuple(reversed(loads))


def _told(load: Version) -> dict[str, Any]:
    return {**json.loads(load.about[ABOUT]), "version": load.version}


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
        moments = {aware(one) for one in warehouse.read(table)[column].unique().to_pylist()}
        late = sorted(moment for moment in moments if known is None or moment > known)
        if late:
            warehouse.delete(table, where={column: late})


def aware(moment: datetime) -> datetime:
    """Return a moment of the warehouse in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def open_records(warehouse: Warehouse, name: str) -> pa.Table:
    """Return the held records that nobody has answered and nothing later has settled.

    Of each piece's last load, and of each record the lines that were written last.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    quarantine, schema = tables(name)[1], quarantine_schema()
    if warehouse.version(quarantine) is None:
        return schema.empty_table()
    held = warehouse.read(quarantine)
    for one in schema:
        if one.name not in held.column_names:  # written before there was such a column
            held = held.append_column(one, pa.nulls(held.num_rows, one.type))
    held = held.select(schema.names).cast(schema)
    moment = schema.field("_known").type
    last = [(piece.name, piece.known) for piece in listed_pieces(warehouse, name)]
    loads = {one.known for one in in_force(warehouse, tables(name)[2]) if one.known}
    pairs = {
        "_piece": pa.array([piece for piece, _ in last], pa.string()),
        "since": pa.array([known for _, known in last], moment),
    }
    held = held.filter(pc.is_in(held["_known"], value_set=pa.array(sorted(loads), moment)))
    held = held.join(pa.table(pairs), "_piece", join_type="inner")
    held = held.filter(pc.greater_equal(held["_known"], held["since"])).select(schema.names)
    latest = held.group_by(["_piece", "_row"]).aggregate([("_known", "max")])
    latest = latest.rename_columns(["_piece", "_row", "_known"])
    still = held.join(latest, ["_piece", "_row", "_known"], join_type="left semi")
    done = pa.array([CLOSED, LEFT_OUT])
    still = still.filter(pc.invert(pc.is_in(still["answered"].fill_null(""), value_set=done)))
    return still.sort_by([(name, "ascending") for name in ("_piece", "_row", "column", "code")])


def listed_pieces(warehouse: Warehouse, name: str) -> tuple[Kept, ...]:
    """Return the pieces that are part of what is current."""
    bronze, _, rows = tables(name)
    loads = {one.known for one in in_force(warehouse, rows) if one.known}
    return tuple(_pieces(warehouse, bronze, loads)[0].values())


def quarantine_schema() -> pa.Schema:
    """Return the columns of ``quarantine/<source>``.

    ``answered`` holds the answer that was put in the cell's place and did not fit either;
    ``key`` the record's key as a list of texts, where it can be read; ``question`` the digest
    of what is asked, by which an answer is found again; ``differs``, of a record whose key comes
    twice, in what it differs from the others, empty if in nothing.
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
        pa.field("key", pa.string()),
        pa.field("question", pa.string()),
        pa.field("differs", pa.string()),
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
    warehouse: Warehouse, bronze: str, loads: Collection[datetime]
) -> tuple[dict[str, Kept], dict[str, str]]:
    """Return the pieces that are part of what is current, and the last digests of the others.

    Lines of other moments than those of ``loads`` are of loads that did not happen, or were
    undone.
    """
    if warehouse.version(bronze) is None:
        return {}, {}
    found: dict[str, Kept] = {}
    former: dict[str, str] = {}
    for line in warehouse.read(bronze).sort_by("known").to_pylist():
        name, how, known = line["piece"], json.loads(line["how"]), aware(line["known"])
        if known not in loads:
            continue
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
            tuple(Finding(**one) for one in how.get("findings", ())),
            how.get("how", {}),
        )
    return found, former

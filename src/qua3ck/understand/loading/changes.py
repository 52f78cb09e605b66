"""What a load changes: its rows held against what is current, by key or by piece, on the engine.

Keyed rows are compared by a hash of their other columns; only new and changed ones are
written. A source without a key is replaced piece by piece. Whatever is in the table and not in
the source any more gets a tombstone. The same pieces give the same current rows, however they
came: in one load or in many.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.understand.loading.keys import (
    PLACE,
    content_of,
    each_once,
    key_table,
    rank_table,
)

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from qua3ck.store.warehouse.engine import Engine

Extract = Literal["pieces", "changes", "full"]
_FEW = 4  # times as many rows are current as came: then they are looked up, not compared
_META = ("_piece", "_row", "_known", "_gone")


@dataclass(frozen=True)
class Arrival:
    """What a load brought, and what it is held against.

    Attributes
    ----------
    parts : mapping
        Piece to a Parquet file with the table's columns, ``_piece``, ``_row``, ``_known`` and
        ``_gone``; all with the same columns.
    current : ibis.Table or None
        What is current, with ``_piece`` and ``_row``; None if there is nothing yet.
    extract : {"pieces", "changes", "full"}
        What absence means: a row is gone if its piece came again without it; never; always.
    replaced : collection of str
        Pieces that come again in this load, or are gone for good.
    known : datetime
        The load's moment.
    ranks : mapping
        Piece to its place in the order in which pieces came first. Where a key is in several
        pieces the last of them counts, also when an earlier one is corrected later on. A piece
        that is not listed counts less than all others.
    keys : Path or None
        Parquet with all keys that there are; rows with other keys are gone.
    marker : str or None
        The column that marks a row as deleted where it comes from.
    before : int
        How many rows are current.
    waiting : sequence of str
        The keys of held records, each a list of texts in JSON: what was loaded under them
        before stays.
    """

    parts: Mapping[str, Path]
    current: ibis.Table | None
    extract: Extract
    replaced: Collection[str]
    known: datetime
    ranks: Mapping[str, int]
    keys: Path | None = None
    marker: str | None = None
    before: int = 0
    waiting: Sequence[str] = ()


@dataclass(frozen=True)
class Changes:
    """What is to be written, and what the load was, counted in rows.

    Attributes
    ----------
    rows : tuple of Path
        Parquet files to append, tombstones included.
    tombstones : Path or None
        The one of them that says what is gone.
    new, changed, unchanged : int
        Rows of the load, against what is current.
    superseded : int
        Rows whose key is in a later piece too, which counts.
    withdrawn : int
        Rows that say of themselves that they were deleted; they are kept as received only.
    gone : mapping
        Piece to how many of its rows are not current any more and have no successor.
    held : pyarrow.Table or None
        Records held for their key: ``_piece``, ``_row``, ``column``, ``code``, ``raw``, ``key``.
    moved : bool
        Whether a key was met in two pieces: then only all pieces together tell what is gone.
    closed : tuple of (str, int)
        Piece and record of entries of the work list that are settled by this load.
    """

    rows: tuple[Path, ...] = ()
    tombstones: Path | None = None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    superseded: int = 0
    withdrawn: int = 0
    gone: Mapping[str, int] = field(default_factory=dict)
    held: pa.Table | None = None
    moved: bool = False
    closed: tuple[tuple[str, int], ...] = ()

    @property
    def deleted(self) -> int:
        """Rows that are not current any more and have no successor."""
        return sum(self.gone.values())


def keyed_changes(engine: Engine, arrival: Arrival, key: Sequence[str], *, into: Path) -> Changes:
    """Return what a load changes in a table in which no two current rows share a key.

    Raises
    ------
    KeysRepeat
        If the key does not tell the rows of a piece apart.
    """
    once = None
    if arrival.parts:
        parts = engine.parquet(list(arrival.parts.values()))
        once = each_once(engine, parts, key, arrival.ranks, into=into)
    rows, withdrawn = _apart(arrival, once.rows if once else None)
    dropped = _number(engine, withdrawn)
    held = once.held if once else None
    if held is not None:
        waits = [one for one in held["key"].to_pylist() if one]
        arrival = replace(arrival, waiting=(*arrival.waiting, *waits))
    superseded = once.superseded if once else 0
    if arrival.current is None:
        whole = held is None and not superseded and not dropped
        found = _first(engine, arrival, None if whole else rows, into)
    else:
        found = _against(engine, arrival, rows, withdrawn, key, into)
    return replace(
        found,
        superseded=found.superseded + superseded,
        withdrawn=dropped,
        held=held,
        moved=bool(superseded or found.moved),
    )


def _against(
    engine: Engine,
    arrival: Arrival,
    rows: ibis.Table | None,
    withdrawn: ibis.Table | None,
    key: Sequence[str],
    into: Path,
) -> Changes:
    """Return the changes against what is current."""
    counts = {"new": 0, "changed": 0, "unchanged": 0, "moved": 0, "late": 0}
    files: list[Path] = []
    if rows is not None:
        verdicts = _verdicts(engine, rows, arrival, key, into)
        counts = _counts(engine, verdicts)
        if counts["new"] or counts["changed"]:
            wanted = verdicts.filter(verdicts.is_new | verdicts.is_changed)
            files.append(into / "changes.parquet")
            engine.write_parquet(rows.semi_join(wanted, list(PLACE)), files[-1])
    gone = _gone(engine, arrival, rows, withdrawn, key)
    lost = _per_piece(engine, gone)
    tombstones = None
    if lost and gone is not None:
        tombstones = _tombstones(engine, gone, arrival, key, into)
        files.append(tombstones)
    return Changes(
        tuple(files),
        tombstones,
        counts["new"],
        counts["changed"],
        counts["unchanged"],
        superseded=counts["late"],
        gone=lost,
        moved=bool(counts["moved"]),
    )


def piece_changes(engine: Engine, arrival: Arrival, *, into: Path) -> Changes:
    """Return what a load changes in a table whose pieces are replaced as a whole."""
    before, same, equal = _piece_counts(engine, arrival)
    new = unchanged = 0
    made: list[Path] = []
    gone: dict[str, int] = {}
    for name, part in arrival.parts.items():
        came = _rows_in(part)
        kept = same.get(name, 0)
        new, unchanged = new + came - kept, unchanged + kept
        if before.get(name, 0) > kept:
            gone[name] = before[name] - kept
        if name not in equal:
            made.append(part)
    absent = [
        name
        for name in before
        if name not in arrival.parts and (arrival.extract == "full" or name in arrival.replaced)
    ]
    emptied = [name for name, part in arrival.parts.items() if not _rows_in(part)]
    marked = [*absent, *(name for name in emptied if before.get(name))]
    tombstones = None
    if marked and arrival.current is not None:
        tombstones = _piece_tombstones(engine, marked, arrival, into)
        made.append(tombstones)
    gone |= {name: before[name] for name in absent}
    return Changes(tuple(made), tombstones, new=new, unchanged=unchanged, gone=gone)


def current_after(
    engine: Engine, changes: Changes, current: ibis.Table | None, by: Sequence[str]
) -> ibis.Table:
    """Return what will be current once the changes are written."""
    files = [path for path in changes.rows if path != changes.tombstones]
    rows = engine.parquet(files) if files else None
    if current is None and rows is not None:
        return rows
    if current is None:
        message = "changes without rows to a table without rows"
        raise ValueError(message)
    kept = current
    for path in changes.rows:
        kept = kept.anti_join(engine.parquet(path).select(*by).distinct(), list(by))
    if rows is None:
        return kept
    names = [name for name in rows.columns if name not in _META]
    return _aligned(kept, rows, names).select(*rows.columns).union(rows)


# -- by key ----------------------------------------------------------------------


def _apart(
    arrival: Arrival, rows: ibis.Table | None
) -> tuple[ibis.Table | None, ibis.Table | None]:
    """Return the rows that stand, and those that say that they were deleted."""
    if rows is None or arrival.marker is None:
        return rows, None
    deleted = says_deleted(rows[arrival.marker])
    return rows.filter(~deleted), rows.filter(deleted)


def says_deleted(marker: ibis.Value) -> ibis.Value:
    """Return whether the column declared as ``deleted:`` says so.

    Booleans as they are; of numbers all but 0; of texts all but empty, false, 0 and no; of
    days and moments every one that is there. Nothing says that the row stands.
    """
    kind = marker.type()
    if kind.is_boolean():
        says = marker
    elif kind.is_numeric():
        says = marker != 0
    elif kind.is_string():
        says = ~marker.strip().lower().isin(["", "false", "0", "no"])
    else:
        says = marker.notnull()
    return says.fill_null(False)


def _number(engine: Engine, rows: ibis.Table | None) -> int:
    if rows is None:
        return 0
    return int(engine.rows(rows.aggregate(rows=rows.count()))["rows"][0].as_py())


def _first(engine: Engine, arrival: Arrival, rows: ibis.Table | None, into: Path) -> Changes:
    """Return the changes of a first load: every row is new; all parts as they are, or ``rows``."""
    if rows is None:
        parts = tuple(arrival.parts.values())
        return Changes(parts, new=sum(map(_rows_in, parts)))
    written = into / "changes.parquet"
    return Changes((written,), new=engine.write_parquet(rows, written))


def _verdicts(
    engine: Engine, rows: ibis.Table, arrival: Arrival, key: Sequence[str], into: Path
) -> ibis.Table:
    """Return each row's place, and whether it is new, changed, late, or in two pieces now."""
    current = arrival.current
    assert current is not None  # noqa: S101 - asked for only where there is something
    columns = [name for name in rows.columns if name not in {*key, *_META}]
    ours = rows.select(*key, *PLACE, content=content_of(rows, columns))
    if sum(map(_rows_in, arrival.parts.values())) * _FEW < arrival.before:
        current = current.semi_join(rows, list(key))  # before the hash, not after it
    same = _aligned(current, rows, [*key, *columns])
    there = same.select(
        **{f"was_{at}": same[name] for at, name in enumerate(key)},
        was_piece=same["_piece"],
        was_content=content_of(same, columns),
    )
    met = ours.left_join(there, [ours[n] == there[f"was_{at}"] for at, n in enumerate(key)])
    own, other = (rank_table(engine, arrival.ranks) for _ in range(2))
    met = met.left_join(own, met["_piece"] == own["ranked"]).drop("ranked")
    other = other.rename(was_ranked="ranked", was_rank="rank")
    met = met.left_join(other, met["was_piece"] == other["was_ranked"])
    known = met["was_piece"].notnull()
    stays = known & ~met["was_piece"].isin([*sorted(arrival.replaced), ""])
    late = stays & (met["was_rank"].coalesce(-1) > met["rank"])
    verdict = met.select(
        "_piece",
        "_row",
        is_new=~known,
        is_late=late,
        is_changed=known & ~late & (met["content"] != met["was_content"]),
        is_moved=stays & (met["was_piece"] != met["_piece"]),
    )
    written = into / "verdicts.parquet"
    engine.write_parquet(verdict, written)
    return engine.parquet(written)


def _aligned(current: ibis.Table, rows: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Return what is current with the columns of the load, of its types; absent ones empty."""
    import ibis

    schema = rows.schema()
    cast = {
        name: (current[name] if name in current.columns else ibis.null()).cast(schema[name])
        for name in columns
    }
    return current.mutate(**cast)


def _counts(engine: Engine, verdicts: ibis.Table) -> dict[str, int]:
    counted = verdicts.aggregate(
        rows=verdicts.count(),
        new=verdicts.is_new.sum(),
        changed=verdicts.is_changed.sum(),
        moved=verdicts.is_moved.sum(),
        late=verdicts.is_late.sum(),
    )
    found = {k: int(v or 0) for k, v in engine.rows(counted).to_pylist()[0].items()}
    others = found["new"] + found["changed"] + found["late"]
    return {**found, "unchanged": found["rows"] - others}


def _gone(
    engine: Engine,
    arrival: Arrival,
    rows: ibis.Table | None,
    withdrawn: ibis.Table | None,
    key: Sequence[str],
) -> ibis.Table | None:
    """Return the current rows that the source has no more; None if absence says nothing."""
    current = arrival.current
    if current is None:
        return None
    missing = []
    if arrival.keys is not None:
        listed = engine.parquet(arrival.keys)
        same = listed.select(**{name: listed[name].cast(current[name].type()) for name in key})
        missing.append(current.anti_join(same, list(key)))
    if arrival.extract == "full":
        missing.append(current)
    elif arrival.extract == "pieces" and arrival.replaced:
        missing.append(current.filter(current["_piece"].isin(sorted(arrival.replaced))))
    if arrival.waiting:
        missing = [_without_waiting(engine, one, arrival.waiting, key) for one in missing]
    if withdrawn is not None:
        missing.append(current.semi_join(withdrawn, list(key)))
    if not missing:
        return None
    found = missing[0]
    for more in missing[1:]:
        found = found.union(more, distinct=True)
    return found if rows is None else found.anti_join(rows, list(key))


def _without_waiting(
    engine: Engine, rows: ibis.Table, waiting: Sequence[str], key: Sequence[str]
) -> ibis.Table:
    """Return the rows under keys of which no record is held.

    A record that was held before ``valid_from`` was part of its key stands for every period.
    """
    by_length: dict[int, list[str]] = {}
    for one in waiting:
        by_length.setdefault(len(json.loads(one)), []).append(one)
    for length, some in by_length.items():
        part = list(key[:length])
        if len(part) < length:
            continue  # of a key that is declared no more
        told = engine.arrow(key_table(part, some))
        same = told.select(**{name: told[name].cast(rows[name].type()) for name in part})
        rows = rows.anti_join(same, part)
    return rows


def _per_piece(engine: Engine, rows: ibis.Table | None) -> dict[str, int]:
    if rows is None:
        return {}
    counted = engine.rows(rows.group_by("_piece").aggregate(rows=rows.count()))
    return {line["_piece"]: int(line["rows"]) for line in counted.to_pylist()}


def _tombstones(
    engine: Engine, gone: ibis.Table, arrival: Arrival, key: Sequence[str], into: Path
) -> Path:
    written = into / "tombstones.parquet"
    engine.write_parquet(gone.select(*key, "_piece"), written, constants=_gone_at(arrival))
    return written


def _gone_at(arrival: Arrival) -> dict[str, Any]:
    """Return what a tombstone says beside what it stands for; it is no record of a piece."""
    return {"_row": 0, "_known": arrival.known, "_gone": True}


# -- by piece --------------------------------------------------------------------


def _piece_counts(
    engine: Engine, arrival: Arrival
) -> tuple[dict[str, int], dict[str, int], set[str]]:
    """Return rows before per piece; of these, those that came again; and pieces wholly equal."""
    import ibis

    current = arrival.current
    if current is None:
        return {}, {}, set()
    before = _per_piece(engine, current)
    again = [name for name in arrival.parts if name in before]
    if not again:
        return before, {}, set()
    rows = engine.parquet([arrival.parts[name] for name in again])
    columns = [name for name in rows.columns if name not in _META]
    there = _aligned(current.filter(current["_piece"].isin(again)), rows, columns)
    new, old = (_tally(side, columns) for side in (rows, there))
    both = new.inner_join(old, ["_piece", "content"])
    least = ibis.least(both.times, both.times_right)
    shared = engine.rows(both.group_by("_piece").aggregate(rows=least.sum())).to_pylist()
    sums = [_checksums(engine, side, columns) for side in (rows, there)]
    equal = {name for name in again if sums[0].get(name) == sums[1].get(name)}
    return before, {line["_piece"]: int(line["rows"]) for line in shared}, equal


def _tally(rows: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    hashed = rows.select("_piece", content=content_of(rows, columns))
    return hashed.group_by(["_piece", "content"]).aggregate(times=hashed.count())


def _checksums(
    engine: Engine, rows: ibis.Table, columns: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Return rows and a checksum per piece in which each row's number counts."""
    hashed = rows.select("_piece", content=content_of(rows, [*columns, "_row"]))
    summed = hashed.group_by("_piece").aggregate(rows=hashed.count(), sum=hashed.content.bit_xor())
    return {line["_piece"]: (line["rows"], line["sum"]) for line in engine.rows(summed).to_pylist()}


def _piece_tombstones(engine: Engine, pieces: Sequence[str], arrival: Arrival, into: Path) -> Path:
    import pyarrow as pa

    written = into / "tombstones.parquet"
    named = engine.arrow(pa.table({"_piece": pa.array(pieces, pa.string())}))
    engine.write_parquet(named, written, constants=_gone_at(arrival))
    return written


def _rows_in(part: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(part).metadata.num_rows)

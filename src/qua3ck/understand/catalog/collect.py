"""What the catalogue says, gathered from project file, contracts and warehouse.

Single values are shown of public and internal columns only; a gold column counts as the least
public of the source columns behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.understand.catalog.records import ColumnFacts, Freshness, TableFacts
from qua3ck.understand.contract.history import DimensionScore, scores_by_load
from qua3ck.understand.contract.said import SaidColumn, SaidTable, said_of
from qua3ck.understand.gold import Built
from qua3ck.understand.gold.build import query_of
from qua3ck.understand.gold.query import Columns, origins, rule_of
from qua3ck.understand.loading.held import distinct_rows
from qua3ck.understand.loading.past import open_records
from qua3ck.understand.loading.reading import identity_of
from qua3ck.understand.loading.silence import period, silence
from qua3ck.understand.publish.handing import behind_columns
from qua3ck.understand.section import Source, Understand

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.store.warehouse import Warehouse

_SAMPLE = 5
_ONCE = {"once", "never"}  # cadences that promise nothing more
_WORST: tuple[Freshness, ...] = ("late", "absent", "unknown", "fresh", "once")


def collect(
    section: Understand,
    built: Mapping[str, Built],
    columns: Columns,
    *,
    root: Path,
    warehouse: Warehouse,
    now: datetime,
    made_at: Mapping[str, str],
) -> tuple[TableFacts, ...]:
    """Return the facts of every source and gold table.

    Parameters
    ----------
    columns : mapping
        Each loaded source's and gold table's columns with their types in SQL.
    now : datetime
        Freshness is held against it.
    made_at : mapping
        When each gold table was made last, as the ledger has it.
    """
    said = said_of(section, root)
    sources = [_source(n, section, said.get(n), columns, warehouse, now) for n in section.sources]
    gold = [
        _gold(name, section, built, said, columns, root, warehouse, made_at)
        for name in section.tables
        if name in built
    ]
    fresh = {one.name: one.fresh for one in sources}
    return (*sources, *(replace(one, fresh=_worst(one.name, fresh, built)) for one in gold))


def _source(
    name: str,
    section: Understand,
    said: SaidTable | None,
    columns: Columns,
    warehouse: Warehouse,
    now: datetime,
) -> TableFacts:
    source, table = section.sources[name], f"silver/{name}"
    who = {word: str(getattr(source, word)) for word in ("owner", "licence", "cadence", "contact")}
    named = said.columns if said else {}
    version = warehouse.version(table)
    if version is None:
        why = "It has not been loaded yet."
        return TableFacts(name, "source", who=who, fresh="absent", no_sample=why)
    listed = tuple(
        ColumnFacts(column, kind, *_words(named.get(column)))
        for column, kind in columns[name].items()
    )
    loaded = warehouse.known(table)
    shown = [column for column in columns[name] if (s := named.get(column)) and s.shown]
    by = identity_of(warehouse, name, source)
    sample = warehouse.current(table, by=by, columns=shown) if shown else None
    rows = warehouse.snapshot(table, by=by)[1]
    waiting = open_records(warehouse, name)
    return TableFacts(
        name,
        "source",
        says=said.meaning if said else "",
        who=who,
        rows=rows,
        held=distinct_rows(waiting),
        unread=distinct_rows(_unread(waiting)),
        version=version,
        loaded=loaded.strftime("%Y-%m-%d %H:%M UTC") if loaded else "",
        fresh=_fresh(name, source, loaded, now),
        columns=listed,
        quality=_quality(name, warehouse),
        sample=tuple(sample.slice(0, _SAMPLE).to_pylist()) if sample is not None else (),
        no_sample=_no_sample(said, len(columns[name]) - len(shown)),
    )


def _gold(
    name: str,
    section: Understand,
    built: Mapping[str, Built],
    said: Mapping[str, SaidTable],
    columns: Columns,
    root: Path,
    warehouse: Warehouse,
    made_at: Mapping[str, str],
) -> TableFacts:
    table, one = section.tables[name], built[name]
    query = query_of(name, table, root)
    direct = origins(query, columns) if query else {}
    behind = behind_columns(name, section, built, columns, root)
    listed, shown = [], []
    for column, kind in columns[name].items():
        words = [
            said[o.table].columns.get(o.column, SaidColumn()) if o.table in said else SaidColumn()
            for o in behind.get(column, ())
        ]
        if all(word.shown for word in words):
            shown.append(column)
        meaning = words[0].meaning if len(words) == 1 else ""
        kinds = sorted({word.classification or "not classified" for word in words})
        kinds = kinds or ["made from no column"]  # such as a count of rows
        listed.append(
            ColumnFacts(
                column,
                kind,
                meaning,
                ", ".join(kinds),
                tuple(f"{o.table}.{o.column}" for o in direct.get(column, ())),
                rule_of(query, column, columns) if query else f"{table.function}()",
            )
        )
    rows = warehouse.read(one.table, version=one.version).select(shown).slice(0, _SAMPLE)
    hidden = len(columns[name]) - len(shown)
    return TableFacts(
        name,
        "gold",
        says=table.says,
        rows=one.rows,
        version=one.version,
        loaded=_minute(made_at.get(name, "")),
        columns=tuple(listed),
        reads=tuple(made_of.name for made_of in one.made_of),
        sample=tuple(rows.to_pylist()) if shown else (),
        no_sample=_hidden(hidden) if hidden else "",
    )


def _words(said: SaidColumn | None) -> tuple[str, str]:
    return (said.meaning, said.classification) if said else ("", "")


def _no_sample(said: SaidTable | None, hidden: int) -> str:
    if said is None:
        return "No rows are shown: no contract says which columns are personal."
    return _hidden(hidden) if hidden else ""


def _hidden(count: int) -> str:
    if count == 1:
        return "1 column is not shown: it is not classified as public or internal."
    return f"{count} columns are not shown: they are not classified as public or internal."


def _quality(name: str, warehouse: Warehouse) -> tuple[DimensionScore, ...]:
    table = f"quality/{name}"
    if warehouse.version(table) is None:
        return ()
    return scores_by_load(warehouse.read(table))


def _unread(waiting: pa.Table) -> pa.Table:
    """Return the lines of quarantine that reading wrote, not a rule or a key."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from qua3ck.understand.sources import csv_codes, excel_codes, json_codes, remote_codes

    rooms = (csv_codes, excel_codes, json_codes, remote_codes)
    codes = pa.array([page.code for room in rooms for page in room.PAGES])
    return waiting.filter(pc.is_in(waiting["code"], value_set=codes))


def _fresh(name: str, source: Source, loaded: datetime | None, now: datetime) -> Freshness:
    if source.cadence.strip().lower() in _ONCE:
        return "once"
    if loaded is None or period(source.cadence, place=f"understand.sources.{name}") is None:
        return "unknown"
    return "late" if silence(name, source, loaded, now) else "fresh"


def _worst(name: str, fresh: Mapping[str, Freshness], built: Mapping[str, Built]) -> Freshness:
    """Return the freshness of a gold table: the worst among the sources behind it."""
    found = {fresh[source] for source in _behind(name, built) if source in fresh}
    return next((word for word in _WORST if word in found), "unknown")


def _behind(name: str, built: Mapping[str, Built]) -> Sequence[str]:
    if name not in built:
        return (name,)
    return [source for one in built[name].made_of for source in _behind(one.name, built)]


def _minute(moment: str) -> str:
    """Return an ISO 8601 moment in UTC as a source's is written; empty stays empty."""
    return f"{moment[:16].replace('T', ' ')} UTC" if moment else ""

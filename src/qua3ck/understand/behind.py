"""Which columns of the sources the training table's columns come from, through gold tables.

Queries are followed column by column; what a function of the user makes is opaque, and said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.understand.gold.build import query_of
from qua3ck.understand.gold.query import Origin, Query, origins, read_query, sql_columns
from qua3ck.understand.section import Understand

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Behind:
    """What is behind one column: columns of sources, and functions that nobody looks through."""

    columns: frozenset[Origin] = frozenset()
    functions: frozenset[str] = frozenset()

    def __or__(self, other: Behind) -> Behind:
        """Return both together."""
        return Behind(self.columns | other.columns, self.functions | other.functions)


@dataclass
class _Way:
    section: Understand
    tables: Mapping[str, pa.Table]
    root: Path
    known: dict[Origin, Behind] = field(default_factory=dict)


def columns_behind(
    section: Understand, tables: Mapping[str, pa.Table], made: Collection[str], *, root: Path
) -> dict[str, Behind]:
    """Return what is behind each column of the training table.

    Parameters
    ----------
    section : Understand
        With the gold tables and what makes the training table.
    tables : mapping
        Sources and gold tables.
    made : collection of str
        The training table's columns.
    root : Path
        The project folder.

    Notes
    -----
    A training function is taken to pass on columns that a gold table has under the same name;
    whoever relies on that looks at the values.
    """
    way = _Way(section, tables, root)
    how = section.training or ""
    if how.endswith(".sql"):
        query = read_query(root / how, place="understand.training")
        first = _origins(way, query)
    else:
        first = {
            name: tuple(
                Origin(table, name)
                for table in section.tables
                if name in tables[table].column_names
            )
            for name in made
        }
    return {name: _together(way, first.get(name, ())) for name in made}


def _together(way: _Way, columns: Collection[Origin]) -> Behind:
    return reduce(Behind.__or__, (_behind(way, one) for one in columns), Behind())


def _behind(way: _Way, one: Origin) -> Behind:
    if one.table in way.section.sources:
        return Behind(frozenset({one}))
    if one not in way.known:
        table = way.section.tables[one.table]
        query = query_of(one.table, table, way.root)
        if query is None:
            way.known[one] = Behind(functions=frozenset({table.function or one.table}))
        else:
            for name, further in _origins(way, query).items():
                way.known[Origin(one.table, name)] = _together(way, further)
    return way.known.get(one, Behind())


def _origins(way: _Way, query: Query) -> dict[str, tuple[Origin, ...]]:
    columns = {name: sql_columns(way.tables[name].schema) for name in query.reads}
    return origins(query, columns)

"""Reading a source as it is now, as it was known on a day, and as it was valid on a day.

*Known* is when a row was loaded; *valid* is when what it says held, by the column declared as
``valid_from``. "What did we know on 1 March about February" asks for both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading.past import ABOUT, in_force, silver
from qua3ck.understand.section import Source

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.store.warehouse import Engine, Warehouse


def read_current(
    warehouse: Warehouse,
    name: str,
    source: Source,
    *,
    version: int | None = None,
    as_of: datetime | None = None,
    valid_on: date | None = None,
    meta: bool = False,
) -> pa.Table:
    """Return a source's current rows, in an order that its history of loads does not change.

    Parameters
    ----------
    version : int, optional
        Of the table; default the last.
    as_of : datetime, optional
        What was known at that moment, instead of ``version``.
    valid_on : date, optional
        Of each key the row that held on that day: the latest ``valid_from`` not after it.
    meta : bool
        Also ``_piece``, ``_row``, ``_known`` and ``_gone``.

    Returns
    -------
    pyarrow.Table
        Ordered by the key, else by piece and row.

    Raises
    ------
    Qua3ckError
        If there is no such version, nothing was known yet, or the source declares no
        ``valid_from``.
    """
    table = silver(name)
    if as_of is not None:
        version = warehouse.version_as_of(table, as_of)
    by, columns = _identity(warehouse, table, source, version)
    rows = warehouse.current(table, by=by, version=version, columns=columns, meta=meta)
    return rows if valid_on is None else _valid(rows, name, source, valid_on)


def map_current(
    warehouse: Warehouse,
    name: str,
    source: Source,
    *,
    engine: Engine,
    version: int,
    meta: bool = False,
) -> pa.Table:
    """Return the rows of :func:`read_current` in a file that lasts as long as the engine.

    Raises
    ------
    Qua3ckError
        If there is no such version.
    """
    table = silver(name)
    by, columns = _identity(warehouse, table, source, version)
    return warehouse.mapped(
        table, engine=engine, by=by, version=version, columns=columns, meta=meta
    )


def identity_of(
    warehouse: Warehouse, name: str, source: Source, *, version: int | None = None
) -> tuple[str, ...]:
    """Return the columns by which a source's table was made, whatever is declared since then.

    A key that is declared otherwise counts once a load has made the table by it.

    Parameters
    ----------
    version : int, optional
        Of the table; default the last.
    """
    return _identity(warehouse, silver(name), source, version)[0]


def _identity(
    warehouse: Warehouse, table: str, source: Source, version: int | None
) -> tuple[tuple[str, ...], list[str] | None]:
    """Return what makes a row the same row in a version, and its columns; None: all."""
    told = _told(warehouse, table, version)
    return tuple(told.get("by", source.identity)), list(told["columns"]) if told else None


def _told(warehouse: Warehouse, table: str, version: int | None) -> Mapping[str, Any]:
    """Return what the load tells that a version rests on: its columns and its identity.

    The table itself keeps columns that all pieces have lost, for the versions before.
    """
    told = [
        json.loads(one.about[ABOUT])
        for one in in_force(warehouse, table, version=version)
        if ABOUT in one.about
    ]
    return told[-1] if told else {}


def _valid(rows: pa.Table, name: str, source: Source, day: date) -> pa.Table:
    import pyarrow.compute as pc

    since = source.valid_from
    if since is None or not source.key:
        raise Qua3ckError(
            f'The source "{name}" does not say since when its rows are valid',
            where=f"understand.sources.{name}",
            fix="declare key: and valid_from: with the column that holds the date",
            code="U149",
        )
    begun = rows.filter(pc.less_equal(rows[since].cast("date32"), day))
    key = [column for column in source.key if column != since]
    last = begun.group_by(key).aggregate([(since, "max")]).rename_columns([*key, since])
    held = begun.join(last, [*key, since], join_type="left semi").select(rows.column_names)
    order: list[tuple[str, str]] = [(column, "ascending") for column in key]
    return held.sort_by(order)  # a join keeps no order

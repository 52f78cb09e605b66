"""Writes declared feature tables from the warehouse, as they are now or were on a day.

What is written are the very rows that a training set made at that moment would have joined:
the current rows of a source by its key, or a gold table as it was made last.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.operate.features.reading import FORM, Told, key_text, row_text, told_of

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.govern import Workspace
    from qua3ck.operate.features.stores import Store
    from qua3ck.operate.section import FeatureTable
    from qua3ck.store.warehouse import Engine
    from qua3ck.understand.section import Source, Understand

_MEMORY = "400MB"


def write_features(
    declared: Mapping[str, FeatureTable],
    section: Understand,
    workspace: Workspace,
    store: Store,
    *,
    as_of: datetime | None = None,
) -> tuple[Told, ...]:
    """Write every declared feature table anew; tables no longer declared are forgotten.

    Parameters
    ----------
    declared : mapping
        The section ``operate.features``.
    section : Understand
        The sources and tables of the project file.
    workspace : Workspace
        Warehouse, clock and who acts.
    store : Store
        Where to.
    as_of : datetime, optional
        What was known at that moment; only for sources, whose history is kept.

    Returns
    -------
    tuple of Told
        What each table says about itself.

    Raises
    ------
    Qua3ckError
        If a table or column is not there (U158, S008, O063), its key does not tell rows
        apart (O064), or a gold table is asked for as of a day (O065). What was served
        before is served on.
    """
    from qua3ck.govern import person, require
    from qua3ck.store.warehouse import Engine

    who = person(workspace.root, workspace.actor)
    require(who.name, who.roles, "run")
    made: list[Told] = []
    for name, one in declared.items():
        with Engine(memory=_MEMORY) as engine:
            table = _pinned(name, one, section, workspace, engine, as_of)
            workspace.progress("O", f"writing features: {name}", len(made), len(declared))
            facts = _facts(one, table, workspace, as_of)
            store.write(name, facts, _rows(name, one, table.rows, facts))
        made.append(told_of(name, store.tables()[name]))
    store.drop(declared)
    body = {
        told.name: {"table": told.table, "version": told.version, "rows": told.rows}
        for told in made
    }
    workspace.ledger.append(
        "features.written",
        workspace.project,
        {"tables": body, "as_of": stamp(as_of) if as_of else ""},
    )
    return tuple(made)


@dataclass(frozen=True)
class _Pinned:
    """A table at one version, its rows as a stream."""

    name: str
    version: int
    known: datetime | None
    count: int
    rows: Iterator[pa.RecordBatch]


def _pinned(
    name: str,
    one: FeatureTable,
    section: Understand,
    workspace: Workspace,
    engine: Engine,
    as_of: datetime | None,
) -> _Pinned:
    warehouse = workspace.warehouse
    table, source = _table(name, one, section)
    if warehouse.version(table) is None:
        raise Qua3ckError(
            f"{table} does not exist yet",
            where=f"operate.features.{name}.table",
            fix="qua3ck load",
            code="O063",
        )
    if as_of is not None and source is None:
        raise Qua3ckError(
            f"{table} is made of other tables; what it was on a day is not kept",
            where=f"operate.features.{name}",
            fix="write it without --as-of, or declare a source",
            code="O065",
        )
    version = warehouse.version(table) if as_of is None else warehouse.version_as_of(table, as_of)
    assert version is not None  # noqa: S101 - it exists
    _refuse_unknown(name, one, warehouse.columns(table, version=version))
    columns = [*one.key, *(column for column in one.columns if column not in one.key)]
    if source is None:
        view = warehouse.view(table, engine=engine, version=version).select(*columns)
    else:
        view = warehouse.current_view(
            table, engine=engine, by=source.identity, version=version, columns=columns
        )
    _refuse_repeating(name, one, view, engine)
    count = int(engine.rows(view.count().as_table())[0][0].as_py())
    known = warehouse.known(table) if as_of is None else _last_known(warehouse, table, version)
    return _Pinned(table, version, known, count, engine.batches(view))


def _last_known(warehouse: Any, table: str, version: int) -> datetime | None:
    found = [one.known for one in warehouse.loads(table, every=True) if one.version <= version]
    return found[-1] if found else None


def _table(name: str, one: FeatureTable, section: Understand) -> tuple[str, Source | None]:
    if one.table in section.sources:
        return f"silver/{one.table}", section.sources[one.table]
    if one.table in section.tables:
        return f"gold/{one.table}", None
    known = sorted({*section.sources, *section.tables})
    raise Qua3ckError(
        f'No table "{one.table}"{did_you_mean(one.table, known)}',
        where=f"operate.features.{name}.table",
        fix=f"use a source or a table of the project file: {', '.join(known)}",
        code="O063",
    )


def _refuse_unknown(name: str, one: FeatureTable, there: Sequence[str]) -> None:
    for place, columns in (("key", one.key), ("columns", one.columns)):
        for column in columns:
            if column not in there:
                shown = [each for each in there if not each.startswith("_")]
                raise Qua3ckError(
                    f'{one.table} has no column "{column}"{did_you_mean(column, shown)}',
                    where=f"operate.features.{name}.{place}",
                    fix=f"use some of: {', '.join(shown)}",
                    code="O063",
                )


def _refuse_repeating(name: str, one: FeatureTable, view: Any, engine: Engine) -> None:
    """Refuse a key that several rows have: which of them a request means could only be guessed."""
    whole = view.filter([view[column].notnull() for column in one.key])
    counted = whole.group_by(list(one.key)).aggregate(times=whole.count())
    repeated = counted.filter(counted.times > 1)
    times = int(engine.rows(repeated.count().as_table())[0][0].as_py())
    if times:
        raise Qua3ckError(
            f"{times} keys ({', '.join(one.key)}) stand for several rows of {one.table}",
            where=f"operate.features.{name}.key",
            fix="name the columns that tell its rows apart, or make a gold table with one row each",
            code="O064",
        )


def _facts(
    one: FeatureTable, table: _Pinned, workspace: Workspace, as_of: datetime | None
) -> dict[str, Any]:
    now = workspace.clock()
    return {
        "form": FORM,
        "generation": f"{now:%Y%m%d%H%M%S}-{secrets.token_hex(4)}",
        "key": list(one.key),
        "columns": list(one.columns),
        "table": table.name,
        "version": table.version,
        "known": stamp(table.known) if table.known else "",
        "as_of": stamp(as_of) if as_of else "",
        "written": stamp(now),
        "rows": table.count,
    }


def _rows(
    name: str, one: FeatureTable, batches: Iterator[pa.RecordBatch], facts: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield keys and rows as text; a row without its whole key cannot be asked for."""
    came = 0
    for batch in batches:
        came += batch.num_rows
        columns = {column: batch[column].to_pylist() for column in {*one.key, *one.columns}}
        keys = zip(*(columns[column] for column in one.key), strict=True)
        values = zip(*(columns[column] for column in one.columns), strict=True)
        for key, row in zip(keys, values, strict=True):
            text = key_text(key)
            if text is not None:
                yield text, row_text(row)
    if came != facts["rows"]:
        raise Qua3ckError(
            f"{facts['rows']} rows were counted and {came} came, so nothing was written",
            where=f"operate.features.{name}",
            fix="type the same again",
            code="O063",
        )

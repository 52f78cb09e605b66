"""The gold tables of a project: made, traced, published, listed; each answers for itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck import __version__
from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import write_atomic
from qua3ck.understand.gold import (
    Built,
    LoadFact,
    Record,
    Trace,
    TracedRow,
    asked_columns,
    built_tables,
    condition,
    current_inputs,
    events,
    trace,
)
from qua3ck.understand.gold.query import DIALECT, Columns, sql_columns

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.ledger.entries import Entry
    from qua3ck.project.file import ProjectFile
    from qua3ck.understand.catalog import TableFacts
    from qua3ck.understand.contract.said import SaidTable
    from qua3ck.understand.publish import Handed


_ANSWERS = "answers"  # what a table of answers is called in a condition


def trace_table(
    table: str,
    where: str,
    limit: int,
    *,
    file: ProjectFile,
    workspace: Workspace,
    show_personal: bool = False,
) -> Trace:
    """Return the rows of a table that fit, each with the records that it was made from.

    Parameters
    ----------
    show_personal : bool
        Also show cells that the contracts keep in the house, and take a condition on them.
        Only for who may run the phases, and on record: which columns of which table, never a
        value; also where no row fits, since that tells something too.

    Raises
    ------
    Qua3ckError
        If there is no such table, the condition cannot be read, asks about what is kept in the
        house without ``show_personal``, or the actor may not see that.
    """
    from qua3ck.govern import person, require

    if show_personal:
        who = person(workspace.root, workspace.actor)
        require(who.name, who.roles, "run")
    asked = _asked(table, where, file, workspace) if where else ()
    if asked and not show_personal:
        raise Qua3ckError(
            f"The condition asks about {', '.join(asked)}, which a contract classifies: how many "
            "rows fit would tell what stands there",
            where=f"qua3ck trace {table} --where",
            fix="ask by other columns; who may see it: --show-personal, which is put on record",
            code="U173",
        )
    hidden: tuple[str, ...] = ()
    rows = 0
    try:
        found = _traced(table, where, limit, file, workspace)
        veiled = _veiled(found, file, workspace)
        hidden, rows = veiled.hidden, len(found.rows)
    finally:  # at which cells a condition fails tells something of them, too
        columns = list(dict.fromkeys((*asked, *hidden)))
        if show_personal and columns:
            body = {"columns": columns, "rows": rows}
            workspace.ledger.append("personal.shown", table, body)
    return found if show_personal else veiled


def _asked(table: str, where: str, file: ProjectFile, workspace: Workspace) -> tuple[str, ...]:
    """Return the columns that stay in the house of which a condition would tell something.

    Raises
    ------
    Qua3ckError
        If the condition cannot be read.
    """
    from qua3ck.operate.batch.lineage import is_prediction
    from qua3ck.understand.contract.said import said_of

    said = said_of(file.understand, workspace.root)
    warehouse, built = workspace.warehouse, _built(file, workspace)
    called, names = table, {table}
    if is_prediction(table, file.understand, warehouse):
        stored = _stored(table)
        schema, called, names = warehouse.schema(stored), _ANSWERS, _sources_of(stored, workspace)
    elif table in built:
        schema = warehouse.schema(built[table].table, version=built[table].version)
    elif table in file.understand.sources and warehouse.version(f"silver/{table}") is not None:
        schema = warehouse.schema(f"silver/{table}")
    else:
        return ()  # nothing is there to be asked
    asked = asked_columns(where, called, sql_columns(schema))
    hidden = _hidden(names, said, file, workspace) if asked else frozenset()
    return tuple(name for name in asked if name in hidden)


def _stored(table: str) -> str:
    """Return the name under which a table of answers lies in the warehouse."""
    from qua3ck.operate.batch.outputs import LAYER

    return table if table.startswith(f"{LAYER}/") else f"{LAYER}/{table}"


def _sources_of(stored: str, workspace: Workspace) -> set[str]:
    """Return the names of the tables and files that a table of answers was made of."""
    from qua3ck.operate.batch.inputs import PIECE
    from qua3ck.store.warehouse import Engine

    with Engine(reach=[workspace.root / "warehouse"]) as engine:
        view = workspace.warehouse.current_view(stored, engine=engine, by=(PIECE,))
        told = engine.rows(view.select("source_table").distinct())["source_table"].to_pylist()
    return {str(one).rpartition("/")[2] for one in told}


def _traced(table: str, where: str, limit: int, file: ProjectFile, workspace: Workspace) -> Trace:
    """Return a trace with everything in it, to be veiled."""
    from qua3ck.operate.batch.lineage import is_prediction, trace_prediction

    if is_prediction(table, file.understand, workspace.warehouse):
        columns = sql_columns(workspace.warehouse.schema(_stored(table)))
        return trace_prediction(
            table,
            condition(where, columns).sql(dialect=DIALECT) if where else "",
            limit,
            workspace.warehouse,
            lambda gold, test: _traced(gold, test, 1, file, workspace),
            root=workspace.root,
        )
    sources = current_inputs(file.understand, workspace.root, workspace.warehouse)
    return trace(
        table,
        where,
        file.understand,
        sources,
        _built(file, workspace),
        root=workspace.root,
        warehouse=workspace.warehouse,
        limit=limit,
    )


def _veiled(found: Trace, file: ProjectFile, workspace: Workspace) -> Trace:
    """Return a trace without the values of columns that stay in the house, answers included."""
    from qua3ck.understand.contract.said import NOT_SHOWN, said_of

    said = said_of(file.understand, workspace.root)
    closed = {
        name: {column for column, one in table.columns.items() if one.private}
        for name, table in said.items()
    }
    if not found.rows or not any(closed.values()):
        return found
    built = _built(file, workspace)
    told = {str(row.values.get("source_table", "")).rpartition("/")[2] for row in found.rows}
    names = {found.table} if found.table in {*file.understand.sources, *built} else told
    away = _hidden(names, said, file, workspace)
    hidden = tuple(name for name in found.rows[0].values if name in away)

    def veiled(record: Record) -> Record:
        own = closed.get(record.source, ())
        answers = tuple(
            replace(one, answer=NOT_SHOWN) if one.column in own else one for one in record.answers
        )
        return replace(record, answers=answers)

    rows = tuple(
        TracedRow(
            {name: NOT_SHOWN if name in hidden else value for name, value in row.values.items()},
            tuple(map(veiled, row.records)),
        )
        for row in found.rows
    )
    return replace(found, rows=rows, hidden=hidden)


def _hidden(
    names: Collection[str],
    said: Mapping[str, SaidTable],
    file: ProjectFile,
    workspace: Workspace,
) -> frozenset[str]:
    """Return the columns of tables that stay: of one, or of those that answers were made of.

    What came from a file that no contract describes stays if it is called like what stays
    anywhere: the file is most likely read as that source is.
    """
    from qua3ck.understand.publish.handing import behind_columns, private

    built = _built(file, workspace)
    hidden: set[str] = set()
    columns = columns_of_all(file, workspace)
    for name in names:
        if name in said:
            hidden |= {column for column, one in said[name].columns.items() if one.private}
        elif name in built:
            behind = behind_columns(name, file.understand, built, columns, workspace.root)
            hidden |= {column for column, origin in behind.items() if private(origin, said)}
        elif name not in file.understand.sources:
            every = (table.columns.items() for table in said.values())
            hidden |= {column for columns in every for column, one in columns if one.private}
    return frozenset(hidden)


def write_openlineage(path: Path, *, file: ProjectFile, workspace: Workspace) -> int:
    """Write every load, gold table and prediction as events, one a line; return their number."""
    from qua3ck.operate.batch.lineage import prediction_acts

    built = _built(file, workspace)
    made_at = {entry.subject: entry.at for entry in workspace.ledger.entries("table.made")}
    listed = events(
        file.project,
        file.understand,
        _loads(workspace),
        [(one, made_at.get(name, stamp(workspace.clock()))) for name, one in built.items()],
        columns_of_all(file, workspace),
        root=workspace.root,
        producer=f"urn:qua3ck:{__version__}",
        acts=prediction_acts(workspace.ledger),
    )
    lines = [json.dumps(event, ensure_ascii=False) for event in listed]
    write_atomic(path, "".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def publish_tables(*, file: ProjectFile, workspace: Workspace) -> Handed:
    """Hand out the tables that the file declares, and put on record what was handed out."""
    from qua3ck.understand.contract.said import said_of
    from qua3ck.understand.publish import publish

    handed = publish(
        file.understand,
        _built(file, workspace),
        said_of(file.understand, workspace.root),
        columns_of_all(file, workspace),
        root=workspace.root,
        warehouse=workspace.warehouse,
        title=file.project,
    )
    body = {"rows": dict(handed.rows), "left_out": list(handed.left_out)}
    workspace.ledger.append("tables.published", file.project, body)
    return handed


def write_catalog(folder: Path, *, file: ProjectFile, workspace: Workspace) -> Path:
    """Write the catalogue's pages; return the path of the first."""
    from qua3ck.understand.catalog import write_site

    tables = table_facts(file=file, workspace=workspace)
    made = workspace.clock().strftime("%Y-%m-%d %H:%M UTC")
    return write_site(tables, title=file.project, made=made, folder=folder)


def table_facts(*, file: ProjectFile, workspace: Workspace) -> tuple[TableFacts, ...]:
    """Return what is known of every source and gold table."""
    from qua3ck.understand.catalog import collect

    return collect(
        file.understand,
        _built(file, workspace),
        columns_of_all(file, workspace),
        root=workspace.root,
        warehouse=workspace.warehouse,
        now=workspace.clock(),
        made_at={entry.subject: entry.at for entry in workspace.ledger.entries("table.made")},
    )


def columns_of_all(file: ProjectFile, workspace: Workspace) -> Columns:
    """Return every loaded source's and gold table's columns with their types in SQL."""
    warehouse = workspace.warehouse
    found = {}
    for name in file.understand.sources:
        if warehouse.version(f"silver/{name}") is not None:
            found[name] = sql_columns(warehouse.schema(f"silver/{name}"))
    for name, one in _built(file, workspace).items():
        found[name] = sql_columns(warehouse.schema(one.table, version=one.version))
    return found


def _built(file: ProjectFile, workspace: Workspace) -> dict[str, Built]:
    """Return the gold tables that the file still declares."""
    known = built_tables(workspace.root)
    return {name: known[name] for name in file.understand.tables if name in known}


def _loads(workspace: Workspace) -> Iterator[LoadFact]:
    for entry in workspace.ledger.entries("source.loaded"):
        yield _load(entry)


def _load(entry: Entry) -> LoadFact:
    body: Any = entry.body
    return LoadFact(
        entry.subject,
        entry.at,
        int(body["version"]),
        int(body["rows"]),
        str(body["digest"]),
        {str(name): str(content) for name, content in dict(body["files"]).items()},
    )


__all__ = [
    "columns_of_all",
    "publish_tables",
    "table_facts",
    "trace_table",
    "write_catalog",
    "write_openlineage",
]

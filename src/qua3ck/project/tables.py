"""The gold tables of a project: made, traced, published, listed; each answers for itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck import __version__
from qua3ck.kit.clock import stamp
from qua3ck.kit.records import write_atomic
from qua3ck.understand.gold import (
    Built,
    LoadFact,
    Trace,
    built_tables,
    current_inputs,
    events,
    trace,
)
from qua3ck.understand.gold.query import Columns, sql_columns

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.ledger.entries import Entry
    from qua3ck.project.file import ProjectFile
    from qua3ck.understand.publish import Handed


def trace_table(
    table: str, where: str, limit: int, *, file: ProjectFile, workspace: Workspace
) -> Trace:
    """Return the rows of a table that fit, each with the records that it was made from."""
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


def write_openlineage(path: Path, *, file: ProjectFile, workspace: Workspace) -> int:
    """Write every load and every gold table as events, one a line; return their number."""
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
    from qua3ck.understand.catalog import collect, write_site

    tables = collect(
        file.understand,
        _built(file, workspace),
        columns_of_all(file, workspace),
        root=workspace.root,
        warehouse=workspace.warehouse,
        now=workspace.clock(),
        made_at={entry.subject: entry.at for entry in workspace.ledger.entries("table.made")},
    )
    made = workspace.clock().strftime("%Y-%m-%d %H:%M UTC")
    return write_site(tables, title=file.project, made=made, folder=folder)


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


__all__ = ["columns_of_all", "publish_tables", "trace_table", "write_catalog", "write_openlineage"]

"""Making the gold tables of a project in the child process, and putting it on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.records import as_json, from_json
from qua3ck.understand.gold.build import Built, build_tables, current_inputs
from qua3ck.understand.section import Understand
from qua3ck.understand.sending import sent

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.ledger import Ledger
    from qua3ck.understand.child import Tell

EVENT = "table.made"


def make_tables(
    section: Understand, workspace: Workspace, *, tell: Tell | None = None
) -> tuple[Built, ...]:
    """Make the gold tables that are stale, in a child process; record those that are new.

    Raises
    ------
    Qua3ckError
        If a table cannot be made; those made before it stay.
    """
    from qua3ck.understand.child import run_child

    job = {
        "root": str(workspace.root),
        "project": workspace.project,
        "actor": workspace.actor,
        "section": sent(section),
    }
    answer = run_child("tables", job, workspace, tell=tell)
    built = tuple(from_json(Built, one) for one in answer["tables"])
    record_tables(built, workspace.ledger)
    return built


def made_here(
    section: Understand, workspace: Workspace, *, tell: Callable[[str], None]
) -> list[dict[str, object]]:
    """Make the gold tables in this process; return them as JSON-able facts."""
    root = Path(workspace.root)
    sources = current_inputs(section, root, workspace.warehouse)
    built = build_tables(section, sources, root=root, warehouse=workspace.warehouse, tell=tell)
    return [as_json(one) for one in built]


def record_tables(built: Iterable[Built], ledger: Ledger) -> None:
    """Write into the ledger what it does not have yet; a crash before it is caught up with."""
    for one in built:
        body = {
            "table": one.table,
            "version": one.version,
            "rows": one.rows,
            "digest": one.digest,
            "key": one.key,
            "made_of": {made_of.table: made_of.version for made_of in one.made_of},
        }
        known = ledger.entries(EVENT, subject=one.name)
        if not known or known[-1].body["key"] != one.key:
            ledger.append(EVENT, one.name, body)

"""Holds the columns that the project file names against the tables that are there already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.project.plan import recalled

if TYPE_CHECKING:
    from qua3ck.kit.yaml12 import Keys, Places
    from qua3ck.project.file import ProjectFile
    from qua3ck.understand.records import Snapshot

_SHOWN = 20


def unknown_columns(root: Path, file: ProjectFile, places: Places) -> Iterator[Finding]:
    """Yield one finding for every column named that no table has; nothing before a first load.

    It blocks where the sources are the training table. Where own code makes that table it
    warns: the code may make the column since.
    """
    known = _known(root, file)
    if not known:
        return
    own_code = file.understand.training is not None or bool(file.understand.tables)
    made = ", if own code does not make it by now" if own_code else ""
    for name, keys in _named(file):
        if name not in known:
            meant = did_you_mean(name, known) or "."
            yield Finding(
                "P017",
                "warn" if own_code else "block",
                places.where(*keys),
                f'No column "{name}" in the tables loaded so far{made}{meant} '
                f"There are: {', '.join(known[:_SHOWN])}{' ...' if len(known) > _SHOWN else ''}",
                {"column": name},
            )


def refuse_unknown_groups(file: ProjectFile, places: Places, snapshot: Snapshot) -> None:
    """Raise if a KPI or gap is to be judged by a column that the training table has not.

    Own code may have left it out, so it cannot be known before; but before the search, and
    before an opening is spent on it.

    Raises
    ------
    Qua3ckError
        With the place in the project file and the columns there are.
    """
    known = [column.name for column in snapshot.columns]
    for name, keys in _named(file):
        if keys[0] == "question" and name not in known:
            more = " ..." if len(known) > _SHOWN else ""
            raise Qua3ckError(
                f'No column "{name}" in the training table{did_you_mean(name, known)}',
                where=places.where(*keys),
                fix=f"use one of: {', '.join(known[:_SHOWN])}{more}; or pass it on in the training"
                " function, as sensitive: if no model may use it",
                code="U105",
            )


def _known(root: Path, file: ProjectFile) -> list[str]:
    """Return the columns of the snapshot, and of what was loaded of the sources."""
    from qua3ck.understand.records import Snapshot

    try:
        snapshot = recalled(root, "understand", Snapshot)
    except (ValueError, KeyError):
        snapshot = None  # another version wrote it: the next run makes it anew
    taken = [column.name for column in snapshot.columns] if snapshot else []
    return list(dict.fromkeys([*taken, *_loaded(root, file)]))


def _loaded(root: Path, file: ProjectFile) -> Iterator[str]:
    if not (root / "warehouse").is_dir() or not (root / "ledger").is_dir():
        return
    from qua3ck.govern import open_workspace
    from qua3ck.understand.loading import silver

    warehouse = open_workspace(root, file.project, read_only=True).warehouse
    for name in file.understand.sources:
        table = silver(name)
        if warehouse.version(table) is not None:
            yield from (one for one in warehouse.columns(table) if not one.startswith("_"))


def _named(file: ProjectFile) -> Iterator[tuple[str, Keys]]:
    """Yield every column that the file names, with its place."""
    section, asked = file.understand, file.question
    for key in ("target", "time", "group", "entity"):
        name = getattr(section, key)
        if name is not None:
            yield name, ("understand", key)
    for at, name in enumerate(section.sensitive):
        yield name, ("understand", "sensitive", at)
    for at, name in enumerate(section.known_at_prediction.exclude):
        yield name, ("understand", "known_at_prediction", "exclude", at)
    for name, kind in section.columns.items():
        if kind != "ignore":
            yield name, ("understand", "columns", name)
    for i, kpi in enumerate(asked.kpis):
        yield from (
            (name, ("question", "kpis", i, "slice_by", j)) for j, name in enumerate(kpi.slice_by)
        )
        yield from ((name, ("question", "kpis", i, "slice", name)) for name in kpi.slice or {})
    for i, gap in enumerate(asked.fairness):
        yield gap.by, ("question", "fairness", i, "by")

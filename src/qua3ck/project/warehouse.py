"""The care of a project's tables: how large, how fast, folded, given up, brought back.

What can still be read is decided here: versions that a snapshot, a release, a gold table or the
ledger names are pinned and never given up; of the others those of the last days.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.project.file import ProjectFile

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.ledger import Entry
    from qua3ck.store.warehouse import Sweep, Version, Warehouse
    from qua3ck.understand import Understand
    from qua3ck.understand.loading.restoring import Restored
    from qua3ck.understand.loading.statistics import Took

KEEP_DAYS = 365
MOST_DAYS = 36_500  # a hundred years; the calendar ends before the whole numbers do
TRAINING = "gold/training"
_GROWTH = 10  # loads that the size is held against
_ACTS = {"source.loaded", "table.made", "table.restored"}  # they name what was, not what is kept


@dataclass(frozen=True)
class TableSize:
    """How large a table is, and how fast its last load was.

    Attributes
    ----------
    table : str
    versions : int
        All that were ever made, also those that cannot be read any more.
    rows, files, size : int
        Of the last version; rows of all loads, before *current* is taken from them.
    folder : int
        Bytes with all that is kept of older versions.
    grown : float or None
        ``folder`` against what it was ten loads ago, or at the first; None before the third.
    last : Took or None
        The last load in figures, with its trend; only of sources.
    """

    table: str
    versions: int
    rows: int
    files: int
    size: int
    folder: int
    grown: float | None = None
    last: Took | None = None


@dataclass(frozen=True)
class Kept:
    """One version of a table: what made it and when, and whether it can still be read.

    ``rows`` are those current after a load; None for what is no load. ``undone`` says that a
    later version went back behind it.
    """

    version: int
    act: str
    at: str
    rows: int | None
    pieces: int | None
    readable: bool
    undone: bool


class WarehouseVerbs:
    """What may be done with the tables as such; a part of :class:`qua3ck.project.Project`."""

    root: Path
    file: ProjectFile
    if TYPE_CHECKING:  # what the other half brings

        def workspace(self) -> Workspace:
            """Return the open workspace."""

        def read_only(self) -> Workspace:
            """Return the workspace opened for reading."""

        def _at_work(self, verb: str, *, needs: str = "run") -> AbstractContextManager[None]: ...

    def table_sizes(self, names: Sequence[str] = ()) -> tuple[TableSize, ...]:
        """Return how large tables are and how fast they were loaded; all, if none is named."""
        from qua3ck.understand.loading.statistics import load_history

        house = self.read_only().warehouse
        wanted = _tables(names, self.file.understand) if names else _there(self.root)
        took = {
            f"silver/{name}": load_history(house, [name]) for name in self.file.understand.sources
        }
        there = [table for table in wanted if house.version(table) is not None]
        return tuple(_size(table, house, took.get(table, ())) for table in there)

    def table_versions(self, name: str) -> tuple[Kept, ...]:
        """Return the versions of a source or gold table, oldest first."""
        table = _table(name, self.file.understand)
        return tuple(_versions(table, self.root, self.read_only().warehouse))

    def compact(self, names: Sequence[str] = ()) -> dict[str, int]:
        """Fold sources to their current rows; nothing is given up. Returns table to version."""
        from qua3ck.understand.loading import identity_of, known_sources, silver

        section = self.file.understand
        with self._at_work("warehouse"):
            house = self.workspace().warehouse
            there = [
                name
                for name in known_sources(names, section)
                if house.version(silver(name)) is not None
            ]
            by = {name: identity_of(house, name, section.sources[name]) for name in there}
            return {silver(name): house.compact(silver(name), by=by[name]) for name in there}

    def vacuum(
        self, names: Sequence[str] = (), *, keep_days: int = KEEP_DAYS, act: bool = False
    ) -> dict[str, Sweep]:
        """Give up old versions, for good.

        Parameters
        ----------
        keep_days : int
            What was known on each of the last so many days can still be read; 0 to 36,500.
        act : bool
            Only say what would be given up if false.

        Returns
        -------
        dict
            Table to what is given up; only tables of which something is.

        Raises
        ------
        Qua3ckError
            If the days are below zero, or more than a calendar has.
        """
        if not 0 <= keep_days <= MOST_DAYS:
            raise Qua3ckError(
                f"{keep_days} days cannot be kept; possible: 0 to {MOST_DAYS}",
                where="qua3ck warehouse vacuum --keep-days",
                fix=f"write --keep-days {KEEP_DAYS}",
            )
        with self._at_work("warehouse"):
            workspace = self.workspace()
            self._catch_up(workspace)
            since = workspace.clock() - timedelta(days=keep_days)
            section, house = self.file.understand, workspace.warehouse
            pins = pinned(self.root, workspace.ledger.entries())
            wanted = _tables(names, section) or _tables(
                (*section.sources, *section.tables), section
            )
            wanted += () if names else (TRAINING,)
            found = {
                table: house.vacuum(
                    table,
                    keep_versions=_keep(table, house, pins.get(table, set()), since, section),
                    dry_run=not act,
                )
                for table in wanted
                if house.version(table) is not None
            }
            done = {table: one for table, one in found.items() if one.files}
            if act and done:
                workspace.ledger.append("history.removed", workspace.project, _removed(done, since))
            return done

    def restore_table(self, name: str, to: int, *, act: bool = False) -> Restored:
        """Bring a source back to what it was after an earlier load, as a new version.

        Parameters
        ----------
        to : int
            The version of its table.
        act : bool
            Only say what would be done if false.
        """
        from qua3ck.understand.loading.restoring import restore_source

        section = self.file.understand
        if name in section.tables:
            raise Qua3ckError(
                f'"{name}" is made from its sources, so it cannot go back without them',
                where=f"understand.tables.{name}",
                fix=f"restore one of: {', '.join(section.sources)}; then type: qua3ck load",
                code="U170",
            )
        _table(name, section)
        with self._at_work("warehouse"):
            workspace = self.workspace()
            done = restore_source(
                name, to, self.root, workspace.warehouse, now=workspace.clock(), act=act
            )
            if act:
                self._catch_up(workspace)
        return done

    def _catch_up(self, workspace: Workspace) -> None:
        """Put on record what was brought back; also what a crash kept from being told."""
        from qua3ck.store.warehouse import RESTORED
        from qua3ck.understand.loading.restoring import restored_since

        told = workspace.ledger.entries("table.restored")
        for name in self.file.understand.sources:
            recorded = [str(one.body["known"]) for one in told if one.subject == name]
            for one in restored_since(workspace.warehouse, name, recorded):
                body = {
                    "table": f"silver/{name}",
                    "version": one.version,
                    "to": int(one.about[RESTORED]),
                    "known": stamp(one.known) if one.known else "",
                }
                workspace.ledger.append("table.restored", name, body)


def pinned(root: Path, entries: Iterable[Entry]) -> dict[str, set[int]]:
    """Return the versions of tables that must stay readable: table to versions.

    Whatever names a table with a version: the records of releases, the last snapshot, the gold
    tables as they stand, and events of the ledger other than the making of versions.
    """
    found: dict[str, set[int]] = {}
    files = [*root.glob("releases/*/records/snapshot.json"), *root.glob("state/*.json")]
    for path in files:
        try:
            said = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue  # a memory that cannot be read is not used by anything else either
        _note(said, found)
    for entry in entries:
        if entry.event not in _ACTS:
            _note(entry.body, found)
    return found


def _note(said: Any, found: dict[str, set[int]]) -> None:
    if isinstance(said, Mapping):
        table, version = said.get("table"), said.get("version")
        if isinstance(table, str) and isinstance(version, int):
            found.setdefault(table, set()).add(version)
        for one in said.values():
            _note(one, found)
    elif isinstance(said, list | tuple):
        for one in said:
            _note(one, found)


def _keep(
    table: str, house: Warehouse, pins: set[int], since: datetime, section: Understand
) -> Iterator[int]:
    """Yield the versions to keep; asked for when no writer is at work on the table."""
    from qua3ck.understand.section import end_of

    last = house.version(table) or 0
    yield from (version for version in pins if version <= last)
    made = [one for one in house.loads(table, every=True) if one.changes]
    if table.startswith("silver/"):
        dated = [(one.known, one.version) for one in made if one.known is not None]
        yield from (version for known, version in dated if known >= since)
        before = dated[:-1]  # what has been so since the last of them is read in the last version
        for moment in (since, *([end_of(section.as_of)] if section.as_of else [])):
            after = dated[-1][0] > moment if dated else False
            yield from [version for known, version in before if known <= moment and after][-1:]
    elif table.startswith("gold/"):
        yield from (one.version for one in made if one.at is not None and one.at >= since)


def _removed(done: Mapping[str, Sweep], since: datetime) -> dict[str, Any]:
    each = {
        table: {
            "versions": ranges(one.versions),
            "files": len(one.files),
            "bytes": one.size,
        }
        for table, one in done.items()
    }
    facts = {"tables": ", ".join(each), "bytes": sum(one.size for one in done.values())}
    return {**facts, "kept_since": stamp(since), "given_up": each}


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers as people write them: ``0-4, 7``."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def _table(name: str, section: Understand) -> str:
    """Return the table of a source or a gold table.

    Raises
    ------
    Qua3ckError
        If there is none of that name.
    """
    known = [*section.sources, *section.tables]
    if name not in known:
        raise Qua3ckError(
            f'There is no source or table "{name}"{did_you_mean(name, known)}',
            where="understand",
            fix=f"name any of: {', '.join(known)}",
            code="U104",
        )
    return f"{'silver' if name in section.sources else 'gold'}/{name}"


def _tables(names: Sequence[str], section: Understand) -> tuple[str, ...]:
    """Return all tables behind names: of a source also what tells of its loads."""
    from qua3ck.understand.loading.past import quality, tables

    found: list[str] = []
    for name in names:
        table = _table(name, section)
        found += [*tables(name), quality(name)] if name in section.sources else [table]
    return tuple(found)


def _there(root: Path) -> tuple[str, ...]:
    logs = sorted((root / "warehouse").glob("*/*/_delta_log"))
    return tuple(log.parent.relative_to(root / "warehouse").as_posix() for log in logs)


def _size(table: str, house: Warehouse, took: Sequence[Took]) -> TableSize:
    sizes = house.sizes(table)
    earlier = [one.table for one in took[-_GROWTH:] if one.table]
    grown = sizes.folder / earlier[0] if len(earlier) > 1 else None
    return TableSize(
        table,
        sizes.version + 1,
        sizes.rows,
        sizes.files,
        sizes.size,
        sizes.folder,
        grown,
        took[-1] if took else None,
    )


def _versions(table: str, root: Path, house: Warehouse) -> Iterator[Kept]:
    from qua3ck.store.warehouse import lost_versions
    from qua3ck.understand.loading.past import ABOUT, in_force

    if house.version(table) is None:
        return
    standing = {one.version for one in in_force(house, table)}
    gone = lost_versions(root / "warehouse", table)
    for one in house.loads(table, every=True):
        told = json.loads(one.about.get(ABOUT, "{}"))
        moment = one.known or one.at
        yield Kept(
            one.version,
            _said(one),
            stamp(moment) if moment else "",
            told.get("rows"),
            told.get("files_read"),
            one.version not in gone,
            one.act == "load" and one.version not in standing,
        )


def _said(one: Version) -> str:
    from qua3ck.store.warehouse import RESTORED

    return f"restored {one.about[RESTORED]}" if RESTORED in one.about else one.act

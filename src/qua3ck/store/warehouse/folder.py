"""The folder of one table: opening a version, the lock of its writers, the commit."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse.columns import storable_schema
from qua3ck.store.warehouse.commits import Version, metadata, newest, version_at, versions
from qua3ck.store.warehouse.files import DataFile, flushed, listed
from qua3ck.store.warehouse.problems import busy, delta_error, no_name, unreadable, unwritable

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

FOR_EVER = {
    # A pinned version must still be readable after years; the defaults drop it after 30 days.
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}
_TRIES = 6
_LOOK = 20  # versions; so many may other programs commit while we look
_PATIENCE = 120  # seconds to wait for another writer of the same table


class Folder:
    """One table on disk.

    Parameters
    ----------
    root : Path
        The folder of all tables.
    table : str
        ``layer/name``.

    Raises
    ------
    Qua3ckError
        If that is no name for a table: it would lie somewhere else.
    """

    def __init__(self, root: Path, table: str) -> None:
        self.table = table
        self.path = root.joinpath(*_parts(table))

    def last(self) -> Any:
        """Return the table opened at its last version; None if it does not exist."""
        from deltalake import DeltaTable

        return self.at(None) if DeltaTable.is_deltatable(str(self.path)) else None

    def at(self, version: int | None) -> Any:
        """Return the table opened at a version, or at the last.

        Raises
        ------
        Qua3ckError
            If there is no such table or version.
        """
        from deltalake import DeltaTable

        try:
            return DeltaTable(str(self.path), version=version)
        except (OSError, ValueError, delta_error()) as problem:
            raise unreadable(self.table, version, problem) from problem

    def said(self, delta: Any) -> Version:
        """Return what an opened version says about itself."""
        return newest(self.path, int(delta.version()))

    def history(self) -> list[Version]:
        """Return all versions, oldest first; empty if there is no table."""
        delta = self.last()
        return [] if delta is None else versions(self.path, int(delta.version()))

    def files(self, delta: Any) -> list[DataFile]:
        """Return the data files of an opened version."""
        return listed(delta, self.path)

    def base_names(self, at: Version) -> set[str]:
        """Return the names of the files of a version's folded base."""
        if at.base is None:
            return set()
        return {file.name for file in self.files(self.at(at.base.version))}

    def schema(self, delta: Any) -> pa.Schema:
        """Return the columns of an opened version."""
        import pyarrow as pa

        return storable_schema(pa.schema(delta.schema().to_arrow()), where=self.table)

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Let our own processes write one after the other; others are met by retrying."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_PATIENCE)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as problem:
            raise busy(self.table, self.path) from problem
        except OSError as problem:
            raise unwritable(self.path, problem) from problem
        try:
            yield
        finally:
            lock.release()

    def tried(self, act: Callable[[], T]) -> T:
        """Do an act again from its beginning as long as another program commits first.

        Raises
        ------
        Qua3ckError
            If it keeps winning, or the disk refuses.
        """
        import duckdb
        from deltalake.exceptions import CommitFailedError

        for attempt in range(_TRIES):
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                return act()
            except CommitFailedError:
                time.sleep(0.02 * 2**attempt)
            except (OSError, delta_error(), duckdb.IOException) as problem:
                raise unwritable(self.path, problem) from problem
        raise busy(self.table, self.path)

    def commit(
        self,
        delta: Any,
        actions: Sequence[Any],
        schema: pa.Schema,
        said: Mapping[str, str],
        *,
        partition: Sequence[str] = (),
        instead: bool = False,
    ) -> int:
        """Make one version of files that are on the disk; return its number.

        Parameters
        ----------
        delta : DeltaTable or None
            What the actions were decided on; if the table has moved on, nothing is committed.
            None makes the table.
        schema : pyarrow.Schema
            Columns that the table lacks are added to it first.
        instead : bool
            These files, columns and partitions instead of all that is there.

        Raises
        ------
        deltalake.exceptions.CommitFailedError
            If another program committed in between.

        Notes
        -----
        What fails after the log has the version, such as a checkpoint on a full disk, does not
        undo it: so an error is looked up in the log before it is believed.
        """
        mark = uuid.uuid4().hex
        properties = _properties({**said, "qua3ck.mark": mark})

        def act() -> None:
            if delta is None or instead:
                self._create(actions, schema, properties, partition, anew=delta is not None)
                return
            self._widen(delta, schema)
            delta.create_write_transaction(
                list(actions),
                mode="append",
                schema=delta.schema(),
                partition_by=list(delta.metadata().partition_columns),
                commit_properties=properties,
            )

        return self._believed(mark, act)

    def go_back(self, delta: Any, version: int, said: Mapping[str, str]) -> int:
        """Make the files and columns of an older version those of a new one; return its number."""
        mark = uuid.uuid4().hex
        properties = _properties({**said, "qua3ck.mark": mark})
        return self._believed(mark, lambda: delta.restore(version, commit_properties=properties))

    def discard(self, paths: Iterable[Path]) -> None:
        """Remove new files that no version names; in doubt they stay until the next sweep."""
        try:
            delta = self.last()
            named = {file.name for file in self.files(delta)} if delta is not None else set()
        except Qua3ckError:
            return  # what cannot be looked up may be named: the next sweep knows
        for path in paths:
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _believed(self, mark: str, act: Callable[[], object]) -> int:
        """Commit; an error counts only if the log does not have the version."""
        try:
            act()
        except (OSError, delta_error()):
            if self._marked(mark) is None:
                raise
        version = self._marked(mark)
        if version is None:
            from deltalake.exceptions import CommitFailedError

            raise CommitFailedError("another program has committed since")
        flushed([self.path / "_delta_log" / f"{version:020d}.json"])
        return version

    def _create(
        self,
        actions: Sequence[Any],
        schema: pa.Schema,
        properties: Any,
        partition: Sequence[str],
        *,
        anew: bool,
    ) -> None:
        from deltalake import Schema
        from deltalake.exceptions import CommitFailedError
        from deltalake.transaction import create_table_with_add_actions

        try:
            create_table_with_add_actions(
                str(self.path),
                Schema.from_arrow(schema),
                list(actions),
                mode="overwrite" if anew else "error",
                partition_by=list(partition),
                configuration=FOR_EVER,
                commit_properties=properties,
            )
        except delta_error() as problem:
            if anew or self.last() is None:
                raise
            raise CommitFailedError("made by another program meanwhile") from problem

    def _widen(self, delta: Any, schema: pa.Schema) -> None:
        """Add columns that the table lacks, in a version of its own; old rows have null."""
        from deltalake import Schema

        there = {field.name for field in delta.schema().fields}
        new = [field for field in Schema.from_arrow(schema).fields if field.name not in there]
        if new:
            before = self.said(delta)
            said = metadata("columns", known=before.known, base=before.base)
            delta.alter.add_columns(new, commit_properties=_properties(said))

    def _marked(self, mark: str) -> int | None:
        """Return the version that carries a mark, among the newest."""
        delta = self.last()
        last = -1 if delta is None else int(delta.version())
        for number in range(last, max(-1, last - _LOOK), -1):
            one = version_at(self.path, number)
            if one is not None and one.mark == mark:
                return number
        return None


def _properties(said: Mapping[str, str]) -> Any:
    from deltalake import CommitProperties

    return CommitProperties(custom_metadata=dict(said), max_commit_retries=0)


def _parts(table: str) -> list[str]:
    parts = table.split("/")
    odd = any(not part or part[0] in "._" or set(part) & set('\\\0:*?"<>|') for part in parts)
    if len(parts) != 2 or odd:
        raise no_name(table)
    return parts

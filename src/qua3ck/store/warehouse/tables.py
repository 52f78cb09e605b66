"""The tables of a project: what may be done with them; each act is one version or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import current as currents
from qua3ck.store.warehouse import loading, whole
from qua3ck.store.warehouse.care import BY_PIECE, Care
from qua3ck.store.warehouse.columns import META, storable
from qua3ck.store.warehouse.commits import Version
from qua3ck.store.warehouse.digests import content_digest, stream_digest
from qua3ck.store.warehouse.engine import Engine, in_memory
from qua3ck.store.warehouse.folder import Folder
from qua3ck.store.warehouse.mapped import mapped
from qua3ck.store.warehouse.ordered import in_order

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

Watch = Callable[[str, str], None]


class Warehouse(Care):
    """The tables of one project.

    Parameters
    ----------
    root : Path
        The project folder.
    guard : callable, optional
        Called with ("read" or "write", table) before each access; raises to refuse it.
    record : callable, optional
        Called with ("read" or "write", table) after each access.

    Notes
    -----
    A table is named ``layer/name``. One kind is written as a whole (:meth:`write`); the other
    grows by loads (:meth:`append`) and is read by identity (:meth:`current`).
    """

    def __init__(self, root: Path, guard: Watch | None = None, record: Watch | None = None) -> None:
        self._root = root / "warehouse"
        self._guard = guard
        self._record = record

    # -- whole tables -------------------------------------------------------------

    def write(
        self, table: str, rows: pa.Table | pa.RecordBatchReader, *, note: str = ""
    ) -> tuple[int, str]:
        """Replace a table's content as a new version, all or nothing.

        Parameters
        ----------
        table : str
            ``layer/name``, such as ``gold/training``.
        rows : pyarrow.Table or pyarrow.RecordBatchReader
            The whole content; stored in the types of :func:`storable`. A stream is written as
            it comes, in the memory of a few batches.
        note : str, optional
            Kept with the version.

        Returns
        -------
        tuple of (int, str)
            The version and the content digest. Content equal to the last version's makes no
            new version.

        Raises
        ------
        Qua3ckError
            If a column cannot be stored, the disk is full or may not be written, or another
            writer keeps winning.
        """
        import pyarrow as pa

        with self._watched("write", table) as folder:
            if isinstance(rows, pa.RecordBatchReader):
                with folder.sole_writer():
                    return whole.streamed_over(folder, rows, note)
            kept = storable(rows, where=table)
            fingerprint = content_digest(kept)
            with folder.sole_writer():
                return whole.overwrite(folder, kept, fingerprint, note), fingerprint

    def read(self, table: str, *, version: int | None = None) -> pa.Table:
        """Return a table at a version, the last by default, rows in the order written.

        Raises
        ------
        Qua3ckError
            If there is no such table or version, or its files cannot be read.
        """
        with self._watched("read", table) as folder:
            return whole.rows_of(folder, version)

    def mapped(
        self,
        table: str,
        *,
        engine: Engine,
        by: Sequence[str] = (),
        version: int | None = None,
        columns: Sequence[str] | None = None,
        meta: bool = False,
    ) -> pa.Table:
        """Return the rows of :meth:`current` (with ``by``), else of :meth:`read`, in a file.

        The table takes no memory of its own; its file lasts as long as the engine.

        Raises
        ------
        Qua3ckError
            As these.
        """
        import pyarrow as pa

        with self._watched("read", table) as folder:
            if not by:
                kinds, batches = whole.batches_of(folder, version)
                return mapped(batches, kinds, engine.scratch)
            with Engine() as other:  # without the limits of one that runs SQL of a user
                parts = currents.parts_of(folder, version, by, other)
                wanted = _wanted(parts, columns, meta=meta)
                kinds = pa.schema([parts.schema.field(name) for name in wanted])
                return mapped(in_order(other, parts, by, wanted), kinds, engine.scratch)

    def version(self, table: str) -> int | None:
        """Return the last version's number, or None if the table does not exist."""
        found = self._folder(table).last()
        return None if found is None else int(found.version())

    def columns(self, table: str, *, version: int | None = None) -> tuple[str, ...]:
        """Return the column names of a version, else of the last; empty if there is no table."""
        folder = self._folder(table)
        if folder.last() is None:
            return ()
        return tuple(field.name for field in folder.at(version).schema().fields)

    def schema(self, table: str, *, version: int | None = None) -> pa.Schema:
        """Return the columns of a version, else of the last, with their stored types.

        Raises
        ------
        Qua3ckError
            If there is no such table or version.
        """
        folder = self._folder(table)
        return folder.schema(folder.at(version))

    # -- tables that grow by loads ------------------------------------------------

    def append(
        self,
        table: str,
        rows: Path | Sequence[Path] | pa.Table | pa.RecordBatchReader,
        *,
        known: datetime | Callable[[datetime | None], datetime],
        about: Mapping[str, str] | None = None,
        partition: Sequence[str] = (),
        instead: bool = False,
        move: bool = False,
    ) -> int:
        """Add the rows of one load as one version, all or nothing.

        Parameters
        ----------
        table : str
            Made if it does not exist.
        rows : Path, sequence of Path, pyarrow.Table or pyarrow.RecordBatchReader
            A Parquet file that has ``_known`` and stored types is copied in, not decoded.
            Columns new to the table are added to it, missing ones are null; ``_known`` is
            added where it is missing.
        known : datetime or callable
            The moment of the load, later than every load before; see :func:`next_known`. Or
            what gives it from the moment of the last load, asked for when no other writer is
            at work: where several processes load one table.
        about : mapping, optional
            Text to text, kept with the version.
        partition : sequence of str, optional
            Columns to keep apart on disk: of text, integers, booleans or dates. Counts when
            the table is made.
        instead : bool
            Of all rows that are there, whose columns and partitions then no longer bind: for a
            source that is read anew as a whole. What was known before can still be read.
        move : bool
            The files are given away: one that need not be decoded is moved in, not copied, and
            is gone from where it was, also if the load comes to nothing.

        Returns
        -------
        int
            The version.

        Raises
        ------
        Qua3ckError
            If the load is not later than the last one, a column does not fit, the disk is
            full or may not be written, or another writer keeps winning. Nothing is added then.
        """
        with self._watched("write", table) as folder, folder.sole_writer():
            return loading.append(
                folder,
                rows,
                known=known,
                about=about or {},
                partition=partition,
                instead=instead,
                move=move,
            )

    def replace(
        self,
        table: str,
        rows: Path | Sequence[Path] | pa.Table | pa.RecordBatchReader | None,
        *,
        where: Mapping[str, Any],
    ) -> int:
        """Replace the rows in which columns equal values, all or nothing; return the version.

        Parameters
        ----------
        rows : as in :meth:`append`, or None
            What stands there instead.
        where : mapping
            Column to value, or to a list of values; None stands for null.

        Raises
        ------
        Qua3ckError
            As :meth:`append`.
        """
        with self._watched("write", table) as folder, folder.sole_writer():
            return loading.replace(folder, rows, where)

    def delete(self, table: str, *, where: Mapping[str, Any]) -> int:
        """Delete the rows in which columns equal values; return the version."""
        return self.replace(table, None, where=where)

    def current(
        self,
        table: str,
        *,
        by: Sequence[str] = BY_PIECE,
        version: int | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
        meta: bool = False,
    ) -> pa.Table:
        """Return the current rows: of each identity the latest load, unless gone.

        Parameters
        ----------
        by : sequence of str
            The identity's columns: the declared key, else the piece.
        version : int, optional
            Default: the last.
        as_of : datetime, optional
            What was current at that moment; instead of ``version``.
        columns : sequence of str, optional
            Default: all of the user.
        meta : bool
            Also return ``_piece``, ``_row``, ``_known`` and ``_gone``.

        Returns
        -------
        pyarrow.Table
            By key, else by piece and row, so that neither the history of loads nor folding shows.

        Raises
        ------
        Qua3ckError
            If there is no such table, version or column, or nothing was known yet.
        """
        import pyarrow as pa

        with self._watched("read", table) as folder, Engine() as engine:
            at = self._at(table, version, as_of)
            parts = currents.parts_of(folder, at, by, engine)
            wanted = _wanted(parts, columns, meta=meta)
            batches = list(in_order(engine, parts, by, wanted))
            kinds = pa.schema([parts.schema.field(name) for name in wanted])
            return pa.Table.from_batches(batches, schema=kinds)

    def current_view(
        self,
        table: str,
        *,
        engine: Engine,
        by: Sequence[str] = BY_PIECE,
        version: int | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
        meta: bool = False,
    ) -> ibis.Table:
        """Return the rows of :meth:`current` as an expression of an engine, in no order."""
        with self._watched("read", table) as folder:
            at = self._at(table, version, as_of)
            parts = currents.parts_of(folder, at, by, engine)
            wanted = _wanted(parts, columns, meta=meta)
            return engine.view(currents.current_sql(engine, parts, by, wanted))

    def view(self, table: str, *, engine: Engine, version: int | None = None) -> ibis.Table:
        """Return all rows of a version as an expression of an engine, in no order."""
        with self._watched("read", table) as folder:
            parts = currents.parts_of(folder, version, (), engine)
            files = (*parts.base, *parts.tail)
            return engine.view(currents.scan_sql(engine, files, parts.schema, parts.names))

    def snapshot(self, table: str, *, by: Sequence[str] = BY_PIECE) -> tuple[int, int, str]:
        """Return the last version, its current rows, and the digest of their content.

        The digest is that of :func:`content_digest` over :meth:`current`, in bounded memory:
        loads that change nothing and folding leave it as it is.
        """
        with self._watched("read", table) as folder, Engine() as engine:
            version = int(folder.at(None).version())
            parts = currents.parts_of(folder, version, by, engine)
            wanted = _wanted(parts, None, meta=False)
            rows = in_order(engine, parts, by, wanted)
            digest, count = stream_digest(rows, parts.schema, wanted, scratch=engine.scratch)
            return version, count, digest

    # -- history ------------------------------------------------------------------

    def known(self, table: str) -> datetime | None:
        """Return the moment of a table's last load; None if there was none."""
        folder = self._folder(table)
        found = folder.last()
        return None if found is None else folder.said(found).known

    def loads(self, table: str, *, every: bool = False) -> list[Version]:
        """Return the versions that are loads, oldest first; empty if there is no table.

        Parameters
        ----------
        every : bool
            Also those that are not: folds, replacements, what other programs wrote.
        """
        found = self._folder(table).history()
        return [one for one in found if every or one.act == "load"]

    def version_as_of(self, table: str, moment: datetime) -> int:
        """Return the version in which what was known at a moment can be read.

        It is that of the last act up to then that changed what is current; or the last version,
        where nothing has changed since.

        Raises
        ------
        Qua3ckError
            If nothing was known yet.
        """
        last = int(self._folder(table).at(None).version())
        dated = [
            one for one in self.loads(table, every=True) if one.known is not None and one.changes
        ]
        found = [one for one in dated if one.known is not None and one.known <= moment]
        if found:
            return last if found[-1] == dated[-1] else found[-1].version
        first = dated[0].known.isoformat() if dated and dated[0].known else None
        raise Qua3ckError(
            f"Nothing was known of {table} at {moment.isoformat()}",
            where=f"warehouse/{table}",
            fix=f"ask for a moment from {first} on" if first else "load it first: qua3ck load",
            code="S009",
        )

    def query(
        self, sql: str, tables: Mapping[str, pa.Table], *, threads: int | None = None
    ) -> pa.Table:
        """Return what a SQL query gives over tables in memory.

        Parameters
        ----------
        sql : str
            One DuckDB query. It reaches the tables given and nothing else: no file, no network.
        tables : mapping
            Name in the query to table.
        threads : int, optional
            1 makes sums of floats the same on every run.

        Raises
        ------
        Qua3ckError
            If the query cannot be run; without any value of the data.
        """
        return in_memory(sql, tables, threads=threads)

    # -- what is below ------------------------------------------------------------

    def _folder(self, table: str) -> Folder:
        return Folder(self._root, table)

    def _at(self, table: str, version: int | None, as_of: datetime | None) -> int | None:
        return version if as_of is None else self.version_as_of(table, as_of)

    @contextmanager
    def _watched(self, act: str, table: str) -> Iterator[Folder]:
        folder = self._folder(table)
        if self._guard is not None:
            self._guard(act, table)
        yield folder
        if self._record is not None:
            self._record(act, table)


def _wanted(parts: currents.Parts, columns: Sequence[str] | None, *, meta: bool) -> list[str]:
    """Return the columns to show; those about the load come last."""
    if columns is not None:
        currents.require_columns(columns, parts.names, where=parts.where)
    shown = [one for one in parts.names if one not in META] if columns is None else [*columns]
    return [*shown, *(one for one in META if meta and one in parts.names and one not in shown)]

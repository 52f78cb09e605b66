"""Tables that are kept: each write is a new version, each version has the hash of its content.

Delta Lake below, in the project folder (``warehouse/<layer>/<name>``); SQL through DuckDB. Only
relative paths are written, so that a copied folder still reads.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    import pyarrow as pa

Watch = Callable[[str, str], None]

_FOR_EVER = {
    # A pinned version must still be readable after years; the defaults drop it after 30 days.
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}
_ONE_FILE = 1 << 50  # bytes; several files would be read back in any order
_TRIES = 6
_PATIENCE = 120  # seconds to wait for another writer of the same table


class Warehouse:
    """The tables of one project.

    Parameters
    ----------
    root : Path
        The project folder.
    guard : callable, optional
        Called with ("read" or "write", table) before each access; raises to refuse it.
    record : callable, optional
        Called with ("read" or "write", table) after each access.
    """

    def __init__(self, root: Path, guard: Watch | None = None, record: Watch | None = None) -> None:
        self._folder = root / "warehouse"
        self._guard = guard
        self._record = record

    def write(self, table: str, rows: pa.Table, *, note: str = "") -> tuple[int, str]:
        """Replace a table's content as a new version, all or nothing.

        Parameters
        ----------
        table : str
            ``layer/name``, such as ``gold/training``.
        rows : pyarrow.Table
            The whole content; stored in the types of :func:`storable`.
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
        self._ask("write", table)
        kept = storable(rows, where=table)
        fingerprint = content_digest(kept)
        with self._sole_writer(table):
            found = self._known(table, fingerprint)
            if found is None:
                found = self._commit(table, kept, fingerprint, note)
        self._note("write", table)
        return found, fingerprint

    def read(self, table: str, *, version: int | None = None) -> pa.Table:
        """Return a table at a version, the last by default, rows in the order written.

        Raises
        ------
        Qua3ckError
            If there is no such table or version, or its files cannot be read.
        """
        self._ask("read", table)
        try:
            rows = self._open(table, version).to_pyarrow_table()
        except (OSError, ValueError, _delta_error()) as problem:
            raise _unreadable(table, version, problem) from problem
        self._note("read", table)
        return storable(rows, where=table)

    def version(self, table: str) -> int | None:
        """Return the last version's number, or None if the table does not exist."""
        from deltalake import DeltaTable

        if not DeltaTable.is_deltatable(str(self._folder / table)):
            return None
        return int(self._open(table, None).version())

    def columns(self, table: str, *, version: int | None = None) -> tuple[str, ...]:
        """Return the column names of a version, else of the last; empty if there is no table."""
        if self.version(table) is None:
            return ()
        return tuple(field.name for field in self._open(table, version).schema().fields)

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
        import duckdb

        settings: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false",
            "temp_directory": "",
        }
        if threads is not None:
            settings["threads"] = str(threads)
        with duckdb.connect(":memory:", config=settings) as connection:
            for name, rows in tables.items():
                connection.register(name, rows)
            try:
                return connection.sql(sql).to_arrow_table()
            except (duckdb.Error, AttributeError) as problem:
                raise _bad_query(problem) from problem

    # -- what is below ------------------------------------------------------------

    @contextmanager
    def _sole_writer(self, table: str) -> Iterator[None]:
        """Let our own processes write one after the other; others are met by retrying."""
        from filelock import FileLock, Timeout

        path = self._folder / table
        lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as problem:
            raise _busy(table, path) from problem
        except OSError as problem:
            raise _unwritable(path, problem) from problem
        try:
            yield
        finally:
            lock.release()

    def _known(self, table: str, fingerprint: str) -> int | None:
        """Return the last version if it has this content."""
        if self.version(table) is None:
            return None
        last = self._open(table, None).history(1)[0]
        return int(last["version"]) if last.get("qua3ck.digest") == fingerprint else None

    def _commit(self, table: str, rows: pa.Table, fingerprint: str, note: str) -> int:
        from deltalake import CommitProperties, write_deltalake
        from deltalake.exceptions import CommitFailedError

        path = self._folder / table
        about = {"qua3ck.digest": fingerprint, "note": note}
        for attempt in range(_TRIES):
            try:
                path.mkdir(parents=True, exist_ok=True)
                write_deltalake(
                    str(path),
                    rows,
                    mode="overwrite",
                    schema_mode="overwrite",
                    configuration=_FOR_EVER,
                    target_file_size=_ONE_FILE,
                    commit_properties=CommitProperties(custom_metadata=about),
                )
            except CommitFailedError:
                time.sleep(0.02 * 2**attempt)  # another writer was first: look again
                continue
            except (OSError, _delta_error()) as problem:
                raise _unwritable(path, problem) from problem
            found = self._known(table, fingerprint)
            if found is not None:
                return found
        raise _busy(table, path)

    def _open(self, table: str, version: int | None) -> Any:
        from deltalake import DeltaTable

        path = self._folder / table
        try:
            return DeltaTable(str(path), version=version)
        except (OSError, ValueError, _delta_error()) as problem:
            raise _unreadable(table, version, problem) from problem

    def _ask(self, act: str, table: str) -> None:
        if self._guard is not None:
            self._guard(act, table)

    def _note(self, act: str, table: str) -> None:
        if self._record is not None:
            self._record(act, table)


def storable(rows: pa.Table, *, where: str) -> pa.Table:
    """Return ``rows`` in the few column types that are stored, one chunk each, no metadata.

    Dictionaries are decoded; unsigned integers widened; every text type becomes string, every
    decimal a float, every timestamp one of microseconds; an all-null column becomes string.

    Raises
    ------
    Qua3ckError
        For duplicate column names (upper and lower case count as equal) and for types that no
        table format below can hold (times of day, durations, nested and binary values).
    """
    import pyarrow as pa

    _refuse_twins(rows.column_names, where)
    arrays = [
        _stored(column, name, where)
        for name, column in zip(rows.column_names, rows.columns, strict=True)
    ]
    fields = [pa.field(n, a.type) for n, a in zip(rows.column_names, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def content_digest(rows: pa.Table) -> str:
    """Return the SHA-256 (hex) of a table's column names, types and values.

    Row order counts; chunking, metadata, what lies under a null and the bits of a NaN do not.
    Equal on all machines. O(cells), without a copy of the table.
    """
    total = hashlib.sha256()
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        total.update(_column_digest(name, _stored(column, name, "a table")))
    total.update(rows.num_rows.to_bytes(8, "little"))
    return total.hexdigest()


def _column_digest(name: str, column: pa.Array) -> bytes:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    one = hashlib.sha256()
    title = name.encode()
    one.update(len(title).to_bytes(4, "little") + title + str(column.type).encode() + b"\0")
    one.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_string(column.type):
        filled = column.fill_null("")
        lengths = pc.binary_length(filled).to_numpy(zero_copy_only=False)
        one.update(lengths.astype("<i8").tobytes())
        one.update(_text_bytes(filled))
    elif pa.types.is_boolean(column.type):
        filled = column.fill_null(False)
        one.update(np.packbits(filled.to_numpy(zero_copy_only=False)).tobytes())
    else:
        one.update(_number_bytes(column))
    return one.digest()


def _text_bytes(filled: pa.Array) -> memoryview | bytes:
    offsets, data = filled.buffers()[1:]
    if data is None:
        return b""
    import numpy as np

    ends = np.frombuffer(offsets, dtype="<i4")[filled.offset : filled.offset + len(filled) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def _number_bytes(column: pa.Array) -> bytes:
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if pa.types.is_date32(kind):
        column = column.view(pa.int32())
    elif pa.types.is_timestamp(kind):
        column = column.view(pa.int64())
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), values.dtype.type("nan"), values)
    return bytes(values.astype(values.dtype.newbyteorder("<")).tobytes())


def _stored(column: pa.ChunkedArray, name: str, where: str) -> pa.Array:
    import pyarrow as pa

    one = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(one, pa.ChunkedArray):  # text beyond 2 GB stays in chunks
        raise Qua3ckError(
            f'Column "{name}" holds more than 2 GB of text',
            where=where,
            fix="shorten the texts before they get here, or leave the column out",
            code="S002",
        )
    if pa.types.is_dictionary(one.type):
        one = one.dictionary_decode()
    wanted = _stored_type(one.type)
    if wanted is None:
        raise _no_such_type(name, one.type, where)
    try:
        return one if wanted == one.type else one.cast(wanted)
    except pa.ArrowInvalid as problem:
        raise _no_such_type(name, one.type, where) from problem


def _stored_type(kind: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    is_type = pa.types
    if is_type.is_null(kind) or is_type.is_large_string(kind) or is_type.is_string_view(kind):
        return pa.string()
    if is_type.is_unsigned_integer(kind):
        return {8: pa.int16(), 16: pa.int32()}.get(kind.bit_width, pa.int64())
    if is_type.is_float16(kind):
        return pa.float32()
    if is_type.is_decimal(kind):
        return pa.float64()
    if is_type.is_date64(kind):
        return pa.date32()
    if is_type.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    plain = (is_type.is_string, is_type.is_boolean, is_type.is_integer)
    if any(test(kind) for test in plain) or is_type.is_floating(kind) or is_type.is_date32(kind):
        return kind
    return None


def _refuse_twins(names: list[str], where: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.get(name.lower())
        if twin is not None:
            raise Qua3ckError(
                f'Two columns have one name: "{twin}" and "{name}"',
                where=where,
                fix="rename one of them; upper and lower case count as equal",
                code="S002",
            )
        seen[name.lower()] = name


def _no_such_type(name: str, kind: pa.DataType, where: str) -> Qua3ckError:
    return Qua3ckError(
        f'Column "{name}" has the type {kind}, which cannot be stored',
        where=where,
        fix="turn it into numbers, text, booleans, dates or timestamps first",
        code="S002",
    )


def _delta_error() -> type[Exception]:
    from deltalake.exceptions import DeltaError

    kind: type[Exception] = DeltaError
    return kind


def _busy(table: str, path: Path) -> Qua3ckError:
    return Qua3ckError(
        f"Another process keeps writing {table}",
        where=str(path),
        fix="wait until the other run has ended, then run again",
        code="S001",
    )


def _unreadable(table: str, version: int | None, problem: Exception) -> Qua3ckError:
    which = "" if version is None else f" at version {version}"
    return Qua3ckError(
        f"The table {table}{which} cannot be read ({type(problem).__name__})",
        where=f"warehouse/{table}",
        fix="bring the folder warehouse/ back from a copy, or load the sources again",
        code="S003",
    )


def _unwritable(path: Path, problem: Exception) -> Qua3ckError:
    reason = problem.strerror if isinstance(problem, OSError) else None
    if reason is None:
        found = re.search(r"([A-Z][a-z ]+) \(os error \d+\)", str(problem))
        reason = found[1] if found else type(problem).__name__
    return Qua3ckError(
        f"The table cannot be written: {reason}",
        where=str(path),
        fix="make room or give yourself the right to write there, then run again; "
        "what was stored before is untouched",
        code="S004",
    )


def _bad_query(problem: Exception) -> Qua3ckError:
    first = str(problem).splitlines()[0] if str(problem) else ""
    known = ("Parser Error", "Binder Error", "Catalog Error", "Permission Error")
    words = first if first.startswith(known) else type(problem).__name__
    return Qua3ckError(
        f"The query cannot be run: {words}",
        where="a SQL query",
        fix="one SELECT over the tables that the project file names as sources",
        code="S005",
    )

"""Tables that are written as a whole: each version replaces the one before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.store.warehouse.columns import storable, storable_schema
from qua3ck.store.warehouse.digests import parquet_digest
from qua3ck.store.warehouse.files import add_action, conformed, flushed, readable, written
from qua3ck.store.warehouse.folder import FOR_EVER, Folder
from qua3ck.store.warehouse.problems import gone, unreadable

if TYPE_CHECKING:
    import pyarrow as pa

_ONE_FILE = 1 << 50  # bytes; several files would be read back in any order


def overwrite(folder: Folder, rows: pa.Table, fingerprint: str, note: str) -> int:
    """See :meth:`Warehouse.write`; the caller holds the table's lock."""
    from deltalake import CommitProperties, write_deltalake
    from deltalake.exceptions import CommitFailedError

    about = {"qua3ck.act": "write", "qua3ck.digest": fingerprint, "note": note}

    def act() -> int:
        found = _holding(folder, fingerprint)
        if found is not None:
            return found
        write_deltalake(
            str(folder.path),
            rows,
            mode="overwrite",
            schema_mode="overwrite",
            configuration=FOR_EVER,
            target_file_size=_ONE_FILE,
            commit_properties=CommitProperties(custom_metadata=about),
        )
        found = _holding(folder, fingerprint)
        if found is None:
            raise CommitFailedError("another program has committed since")
        delta = folder.at(found)
        flushed(file.path for file in folder.files(delta))
        flushed([folder.path / "_delta_log" / f"{found:020d}.json"])
        return found

    return folder.tried(act)


def streamed_over(folder: Folder, rows: pa.RecordBatchReader, note: str) -> tuple[int, str]:
    """See :meth:`Warehouse.write`; memory is that of a few batches.

    The digest is known only when all rows have come, so the file is written first and named by
    a commit afterwards, or removed if the last version has the same content.
    """
    schema = storable_schema(rows.schema, where=folder.table)
    made: list[tuple[Path, str]] = []

    def act() -> tuple[int, str]:
        if not made:
            batches = conformed(iter(rows), schema, where=folder.table)
            path, _ = written(batches, schema, folder.path, "whole")
            made.append((path, ""))
            made[0] = path, parquet_digest(path, schema)
        path, fingerprint = made[0]
        found = _holding(folder, fingerprint)
        if found is not None:
            path.unlink(missing_ok=True)
            return found, fingerprint
        flushed([path])
        delta = folder.last()
        about = {"qua3ck.act": "write", "qua3ck.digest": fingerprint, "note": note}
        version = folder.commit(delta, [add_action(path)], schema, about, instead=delta is not None)
        return version, fingerprint

    try:
        return folder.tried(act)
    except BaseException:
        folder.discard(path for path, _ in made)
        raise


def batches_of(folder: Folder, version: int | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the columns of a version and the rows of :func:`rows_of`, as a stream."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    delta = folder.at(version)
    schema = folder.schema(delta)

    def stored_batches() -> Iterator[pa.RecordBatch]:
        if not readable(delta) or delta.metadata().partition_columns:
            yield from pa.RecordBatchReader.from_stream(delta.scan())
            return
        files = folder.files(delta)
        missing = sum(not file.path.exists() for file in files)
        if missing:
            raise gone(folder.table, int(delta.version()), missing)
        for file in files:
            with pq.ParquetFile(file.path) as stored:
                yield from stored.iter_batches()

    def told() -> Iterator[pa.RecordBatch]:
        try:
            yield from conformed(stored_batches(), schema, where=folder.table)
        except (OSError, ValueError) as problem:
            raise unreadable(folder.table, version, problem) from problem

    return schema, told()


def rows_of(folder: Folder, version: int | None) -> pa.Table:
    """See :meth:`Warehouse.read`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    delta = folder.at(version)
    try:
        if not readable(delta) or delta.metadata().partition_columns:
            rows = pa.RecordBatchReader.from_stream(delta.scan()).read_all()
            return storable(rows, where=folder.table)
        files = folder.files(delta)
        missing = sum(not file.path.exists() for file in files)
        if missing:
            raise gone(folder.table, int(delta.version()), missing)
        schema = folder.schema(delta)
        tables = [pq.read_table(file.path, partitioning=None) for file in files]
        parts = [_fitted(storable(one, where=folder.table), schema) for one in tables]
        return storable(pa.concat_tables([schema.empty_table(), *parts]), where=folder.table)
    except (OSError, ValueError) as problem:
        raise unreadable(folder.table, version, problem) from problem


def _fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns: list[Any] = [
        rows[one.name].cast(one.type)
        if one.name in rows.column_names
        else pa.nulls(rows.num_rows, one.type)
        for one in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _holding(folder: Folder, fingerprint: str) -> int | None:
    """Return the last version if it has this content."""
    delta = folder.last()
    if delta is None:
        return None
    last = folder.said(delta)
    return last.version if last.digest == fingerprint else None

"""Tables that are written as a whole: each version replaces the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qua3ck.store.warehouse.columns import storable
from qua3ck.store.warehouse.files import flushed, readable
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

"""Delta tables of others as a source: what their current version holds, as one piece.

Files that are the rows as they lie there are read in the order of their names. Where a table
has deletion vectors or mapped columns, delta-rs reads it; it gives the rows in another order
each time, so they are sorted. Not its pyarrow dataset: a process that had one open sometimes
aborted at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.section import Source
from qua3ck.understand.sources.pieces import Piece

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

_ROWS_PER_GROUP = 1 << 16


def delta_piece(name: str, source: Source, root: Path, *, into: Path, place: str) -> Piece:
    """Return the rows of a Delta table's current version as a Parquet piece.

    Parameters
    ----------
    name : str
        The source's name; the piece is called so, too.
    source : Source
        ``path``: the table's folder.
    root : Path
        The project folder; relative paths start there.
    into : Path
        Gets the file.
    place : str
        The source's place in the project file.

    Returns
    -------
    Piece
        The same rows in the same files give the same bytes, whatever the version's number.

    Raises
    ------
    Qua3ckError
        If there is no Delta table, or it cannot be read whole; rows that are gone never come
        back.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from deltalake.exceptions import DeltaError

    path = root / (source.path or "")
    file = into / f"{name}.parquet"
    try:
        table = _opened(path, place)
        schema = pa.schema(table.schema().to_arrow()).remove_metadata()
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for rows in _groups(_batches(table, path, schema, into)):
                writer.write_table(rows, row_group_size=_ROWS_PER_GROUP)
    except (DeltaError, pa.ArrowException, OSError, ValueError) as problem:
        raise _unreadable(problem, place) from problem
    return Piece(name, file_digest(file), file, file.stat().st_size)


def _opened(path: Path, place: str) -> DeltaTable:
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(path)):
        raise Qua3ckError(
            f"There is no Delta table in {path}",
            where=f"{place}.path",
            fix="name the folder that holds _delta_log",
            code="U101",
        )
    return DeltaTable(str(path))


def _batches(
    table: DeltaTable, path: Path, schema: pa.Schema, into: Path
) -> Iterator[pa.RecordBatch]:
    from qua3ck.store.warehouse.files import readable

    if not readable(table):
        return _sorted(table, schema, into)
    return _in_files(table, path, schema)


def _in_files(table: DeltaTable, folder: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the version's files, one file after the other by name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    actions = pa.table(table.get_add_actions(flatten=True)).sort_by("path")
    parts = [name for name in actions.column_names if name.startswith("partition.")]
    for at, name in enumerate(actions["path"].to_pylist()):
        values = {part.removeprefix("partition."): actions[part][at] for part in parts}
        whole = folder / unquote(name)  # an absolute name stays absolute
        with pq.ParquetFile(whole, coerce_int96_timestamp_unit="us") as rows:
            for batch in rows.iter_batches(_ROWS_PER_GROUP):
                yield _fitted(batch, schema, values)


def _fitted(batch: pa.RecordBatch, schema: pa.Schema, values: dict[str, Any]) -> pa.RecordBatch:
    """Return rows of a file in the table's columns and types; the log holds the partition's."""
    import pyarrow as pa

    columns = []
    for one in schema:
        if one.name in values:
            columns.append(pa.repeat(values[one.name], batch.num_rows).cast(one.type))
        elif one.name in batch.schema.names:
            columns.append(batch.column(one.name).cast(one.type))
        else:
            columns.append(pa.nulls(batch.num_rows, one.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _sorted(table: DeltaTable, schema: pa.Schema, into: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows as delta-rs reads them, by all their columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from qua3ck.store.warehouse import Engine

    spool = into / "unsorted.parquet"
    with pq.ParquetWriter(spool, schema, compression="zstd") as writer:
        for batch in pa.RecordBatchReader.from_stream(table.scan()):
            writer.write_table(pa.table(batch).select(schema.names).cast(schema))
    with Engine(scratch=into) as engine:
        for batch in engine.batches(engine.parquet(spool), order=schema.names):
            yield from pa.Table.from_batches([batch]).cast(schema).to_batches()
    spool.unlink()


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield all rows in tables of one size, however the files are cut."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= _ROWS_PER_GROUP:
            rows = pa.Table.from_batches(waiting)
            yield rows.slice(0, _ROWS_PER_GROUP)
            count -= _ROWS_PER_GROUP
            waiting = rows.slice(_ROWS_PER_GROUP).to_batches()
    if count:
        yield pa.Table.from_batches(waiting)


def _unreadable(problem: Exception, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"The Delta table cannot be read ({type(problem).__name__})",
        where=f"{place}.path",
        fix="look whether its files are all there and its columns have types that Parquet "
        "holds; or write it again with the program that made it",
        code="U102",
    )

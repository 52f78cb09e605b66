"""Delta tables of others as a source: what their current version holds, as one piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.section import Source
from qua3ck.understand.sources.pieces import Piece

if TYPE_CHECKING:
    import pyarrow as pa

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
        The same rows in the same order give the same bytes, whatever the version's number.

    Raises
    ------
    Qua3ckError
        If there is no Delta table, or it asks for what is not read here (such as deletion
        vectors), so that rows which are gone never come back.
    """
    import pyarrow.parquet as pq

    dataset = _dataset(root / (source.path or ""), place)
    file = into / f"{name}.parquet"
    schema = dataset.schema.remove_metadata()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _groups(dataset, place):
            writer.write_table(rows.cast(schema), row_group_size=_ROWS_PER_GROUP)
    return Piece(name, file_digest(file), file, file.stat().st_size)


def _dataset(path: Path, place: str) -> Any:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    if not DeltaTable.is_deltatable(str(path)):
        raise Qua3ckError(
            f"There is no Delta table in {path}",
            where=f"{place}.path",
            fix="name the folder that holds _delta_log",
            code="U101",
        )
    try:
        return DeltaTable(str(path)).to_pyarrow_dataset()
    except (DeltaError, OSError, ValueError) as problem:
        raise _unreadable(problem, place) from problem


def _groups(dataset: Any, place: str) -> Iterator[pa.Table]:
    """Yield all rows in tables of one size, however the files are cut."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    try:
        for batch in dataset.to_batches(batch_size=_ROWS_PER_GROUP):
            waiting.append(batch)
            count += batch.num_rows
            while count >= _ROWS_PER_GROUP:
                rows = pa.Table.from_batches(waiting)
                yield rows.slice(0, _ROWS_PER_GROUP)
                count -= _ROWS_PER_GROUP
                waiting = rows.slice(_ROWS_PER_GROUP).to_batches()
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(problem, place) from problem
    if count:
        yield pa.Table.from_batches(waiting)


def _unreadable(problem: Exception, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"The Delta table cannot be read ({type(problem).__name__})",
        where=f"{place}.path",
        fix="look whether its files are all there; if it uses deletion vectors, write it again "
        "without: REORG TABLE ... APPLY (PURGE)",
        code="U102",
    )

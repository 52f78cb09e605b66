"""Typed rows into one Parquet file, written beside the reading, in groups of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.pieces import ROW, Piece, stamp

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_ROWS = 250_000  # in one row group, or
_GROUP = 1 << 26  # bytes
_REPEATED = 0.2  # share of different texts up to which a dictionary makes a column smaller


class RowFile:
    """A Parquet file that takes batches of rows; use it in a ``with`` statement.

    Texts that come again are kept once in a dictionary; for others, which is told by the first
    batch, building one would take longer than everything else here.

    Parameters
    ----------
    path : Path
        The file to write.
    piece : Piece
        Where the rows come from; see :func:`qua3ck.understand.sources.pieces.stamp`.
    place : str
        The source's place in the project file, for errors.
    """

    def __init__(self, path: Path, *, piece: Piece, place: str) -> None:
        self._path, self._piece, self._place = path, piece, place
        self._pool = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None
        self._batches: list[pa.RecordBatch] = []
        self._rows = self._bytes = self._all = 0
        self._file: Any = None

    def __enter__(self) -> RowFile:
        """Return itself."""
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        """Write what waits, unless something went wrong, and close."""
        try:
            if kind is None:
                self._flush()
                self._wait()
        finally:
            self._pool.shutdown()
            if self._file is not None:
                self._file.close()

    def add(self, names: Sequence[str], values: Sequence[pa.Array], rows: NDArray[Any]) -> None:
        """Take in rows with their numbers; they are written when there are enough of them.

        Raises
        ------
        Qua3ckError
            If the disk does not take what was handed in before.
        """
        import pyarrow as pa

        columns = dict(zip(names, values, strict=True))
        columns |= {ROW: pa.array(rows), **stamp(self._piece, len(rows))}
        batch = pa.RecordBatch.from_pydict(columns)
        self._batches.append(batch)
        self._all += batch.num_rows
        if self._piece.count is not None:
            self._piece.count(self._all)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= _ROWS or self._bytes >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._batches:
            return
        self._wait()
        table = pa.Table.from_batches(self._batches)
        self._batches, self._rows, self._bytes = [], 0, 0
        self._pending = self._pool.submit(self._write, table)

    def _write(self, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        if self._file is None:
            self._file = pq.ParquetWriter(
                self._path,
                table.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=_repeating(table),
            )
        self._file.write_table(table, row_group_size=max(table.num_rows, 1))

    def _wait(self) -> None:
        if self._pending is None:
            return
        pending, self._pending = self._pending, None
        try:
            pending.result()
        except OSError as problem:
            raise Qua3ckError(
                f"The staged rows cannot be written ({problem.strerror or 'disk error'})",
                where=self._place,
                fix=f"make room in {self._path.parent}, then load again; nothing was loaded",
                code="U101",
            ) from problem


def _repeating(table: pa.Table) -> list[str]:
    """Return the columns of text whose first cells come again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    for field in table.schema:
        head = table[field.name].chunk(0) if pa.types.is_string(field.type) else ()
        if len(head) and pc.count_distinct(head).as_py() <= max(_REPEATED * len(head), 1):
            found.append(field.name)
    return found

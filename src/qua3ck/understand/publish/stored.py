"""Rows to hand out that lie in a Parquet file, read a batch at a time: no table is too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.store.warehouse import Engine

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 122_880  # rows


@dataclass(frozen=True)
class Stored:
    """Rows in a file; asked as a :class:`pyarrow.Table` is.

    Attributes
    ----------
    path : Path
        Parquet.
    schema : pyarrow.Schema
        Its columns.
    num_rows : int
        Its rows.
    """

    path: Path
    schema: pa.Schema
    num_rows: int

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    def to_batches(self, max_chunksize: int = _GROUP) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order written."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(batch_size=max_chunksize)

    def column_batches(self, column: str) -> Iterator[pa.Array]:
        """Yield one column in parts; no other is read."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=_GROUP, columns=[column]):
                yield batch.column(0)

    def distinct(self, columns: Sequence[str]) -> int:
        """Return how many different values some columns have together; null counts as one."""
        with Engine() as engine:
            rows = engine.parquet(self.path).select(*columns).distinct()
            found = engine.rows(rows.aggregate(n=rows.count()))
        return int(found["n"][0].as_py())


def store(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> Stored:
    """Write a stream of rows to a file."""
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in _lots(batches, schema):
            writer.write_table(table)
            rows += table.num_rows
    return Stored(path, schema, rows)


def _lots(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield batches in lots that make a row group."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= _GROUP:
            yield pa.Table.from_batches(waiting, schema=schema)
            waiting, count = [], 0
    if count:
        yield pa.Table.from_batches(waiting, schema=schema)

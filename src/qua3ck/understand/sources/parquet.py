"""Parquet files, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.written import not_as_declared, stage_written

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 1 << 16  # rows read together


def stage_parquet(
    piece: Piece,
    source: Source,
    *,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Read one Parquet file as rows; its memory does not grow with the file.

    The parameters and what is returned are those of
    :func:`qua3ck.understand.sources.written.stage_written`.

    Raises
    ------
    Qua3ckError
        If it is no Parquet file (U102), a column has a type that no table holds (U134), or two
        are called alike (U133).
    """
    file = _opened(piece, place)
    batches = _batches(file, piece, place)
    return stage_written(
        file.schema_arrow, batches, piece, source, types=types, into=into, place=place
    )


def _opened(piece: Piece, place: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(piece.path)
    except (pa.ArrowException, OSError) as problem:
        raise not_as_declared(piece, "parquet", problem, place) from problem


def _batches(file: Any, piece: Piece, place: str) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    try:
        yield from file.iter_batches(batch_size=_BATCH)
    except (pa.ArrowException, OSError) as problem:
        raise not_as_declared(piece, "parquet", problem, place) from problem

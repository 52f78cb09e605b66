"""Arrow files: its file format, which Feather 2 is too, and its stream.

Read batch by batch as the file has them, never mapped: where a mapped file is cut off while
it is read, the process dies without a word. Each batch is checked before it is used, for
Arrow itself follows a damaged length wherever it leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.written import begins_as, not_as_declared, stage_written

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 1 << 16  # rows written together
_END = b"\xff\xff\xff\xff\0\0\0\0"  # of a stream


def stage_arrow(
    piece: Piece,
    source: Source,
    *,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Read one Arrow file or stream as rows; its memory is that of the file's largest batch.

    The parameters and what is returned are those of
    :func:`qua3ck.understand.sources.written.stage_written`.

    Raises
    ------
    Qua3ckError
        If it is no Arrow file, or a damaged one (U102), a column has a type that no table
        holds (U134), or two are called alike (U133).
    """
    is_file = begins_as(piece.path) == "arrow"
    with ExitStack() as closing:
        reader, handle = _opened(piece, place, closing, is_file=is_file)
        batches = _of_file(reader) if is_file else _of_stream(reader, handle, piece, place)
        checked = _checked(batches, piece, place)
        return stage_written(
            reader.schema, checked, piece, source, types=types, into=into, place=place
        )


def _opened(piece: Piece, place: str, closing: ExitStack, *, is_file: bool) -> tuple[Any, Any]:
    import pyarrow as pa

    try:
        handle = closing.enter_context(pa.OSFile(str(piece.path)))
        opened = pa.ipc.open_file(handle) if is_file else pa.ipc.open_stream(handle)
        return closing.enter_context(opened), handle
    except (pa.ArrowException, OSError) as problem:
        raise not_as_declared(piece, "arrow", problem, place) from problem


def _checked(
    batches: Iterator[pa.RecordBatch], piece: Piece, place: str
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    try:
        for batch in batches:
            batch.validate(full=True)
            for start in range(0, batch.num_rows, _BATCH):
                yield batch.slice(start, _BATCH)
    except (pa.ArrowException, OSError) as problem:
        raise not_as_declared(piece, "arrow", problem, place) from problem


def _of_file(reader: Any) -> Iterator[pa.RecordBatch]:
    for at in range(reader.num_record_batches):
        yield reader.get_batch(at)


def _of_stream(reader: Any, handle: Any, piece: Piece, place: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches up to the mark of the end; without it, more may have been there."""
    yield from reader
    read = handle.tell()
    handle.seek(max(read - len(_END), 0))
    if handle.read(len(_END)) != _END:
        says = "is cut off: the mark at the end of a stream is missing"
    elif read < piece.size:
        says = "holds more than one stream"
    else:
        return
    raise Qua3ckError(
        f"{piece.name} {says}",
        where=f"{place}.path",
        fix="bring the whole file, one stream in each, or write it in Arrow's file format",
        code="U102",
    )

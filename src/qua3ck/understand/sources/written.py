"""Rows whose file says their types: these are brought to the six that tables hold.

Objects are flattened as those of JSON are, ``address_city``; lists and maps stay in their cell
as JSON; decimals of more digits than a number keeps stay text. What no table can hold (bytes
that are no text, durations) is refused with its column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.cells import Kind, Marks, read_cells
from qua3ck.understand.sources.pieces import ROW, Piece, Staged, held_schema
from qua3ck.understand.sources.texts import refuse_twins

if TYPE_CHECKING:
    import pyarrow as pa

_PARQUET, _ARROW, _FEATHER = b"PAR1", b"ARROW1", b"FEA1"
_WHOLE, _FRACTION = 18, 15  # digits that an integer and a float of 64 bits keep


def stage_written(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    piece: Piece,
    source: Source,
    *,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Write the rows of a file in types that tables hold, one batch after the other.

    Parameters
    ----------
    schema : pyarrow.Schema
        The file's columns, also where it has no rows.
    batches : iterable of pyarrow.RecordBatch
        Its rows, in its order.
    piece : Piece
        The file.
    source : Source
        Its declaration; what it says of types counts, nothing else.
    types : mapping, optional
        What columns are held to; a value that does not fit holds its row (U033).
    into : Path
        An empty folder.
    place : str
        The source's place in the project file.

    Returns
    -------
    Staged
        ``_row`` counts the rows of the file, from 1.

    Raises
    ------
    Qua3ckError
        If a column has a type that no table holds (U134), two are called alike (U133), or a
        name is no text (U102).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = {**source.types, **(types or {})}
    try:
        empty = _flat(schema.empty_table(), place)
    except UnicodeDecodeError as problem:  # the name of a column
        raise not_as_declared(piece, source.kind, problem, place) from problem
    refuse_twins([*empty.column_names, ROW], place)
    fields = [_field(one.name, one.type, wanted) for one in empty.schema]
    made = pa.schema([*fields, pa.field(ROW, pa.int64())])
    held: list[tuple[int, str, str, str]] = []
    came = 0
    with pq.ParquetWriter(into / "rows.parquet", made, compression="zstd") as writer:
        for batch in batches:
            rows = _typed(_flat(pa.Table.from_batches([batch]), place), made, came, held)
            came += batch.num_rows
            writer.write_table(rows)
    written = {one.name: str(one.type) for one in schema}
    return Staged(into / "rows.parquet", came, _held(held), {"types as written": written})


def begins_as(path: Path) -> str:
    """Return which kind of source the first bytes of a file are those of.

    Returns
    -------
    {"parquet", "arrow", "feather 1", ""}
        Empty if they are of none of these; a stream of Arrow has no mark of its own.
    """
    with path.open("rb") as handle:
        head = handle.read(8)
    marks = {_PARQUET: "parquet", _ARROW: "arrow", _FEATHER: "feather 1"}
    return next((kind for mark, kind in marks.items() if head.startswith(mark)), "")


def not_as_declared(piece: Piece, kind: str, problem: Exception, place: str) -> Qua3ckError:
    """Return the error of a file that cannot be read as its kind (U102)."""
    found = begins_as(piece.path)
    if found == "feather 1":
        fix = "write it again as Feather 2 or Parquet: version 1 is read no more"
    elif found and found != kind:
        fix = f"its first bytes are those of another kind; declare kind: {found}"
    else:
        fix = "bring an undamaged file, or declare which kind it is: csv, json, excel ..."
    return Qua3ckError(
        f"{piece.name} cannot be read as {kind.capitalize()} ({type(problem).__name__})",
        where=f"{place}.path",
        fix=fix,
        code="U102",
    )


# -- columns that a table can hold --------------------------------------------------------


def _flat(rows: pa.Table, place: str) -> pa.Table:
    """Return the rows with each column brought to one of our types; objects flattened."""
    import pyarrow as pa

    columns: dict[str, pa.Array] = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        for inner, cells in _leaves(name, _one(column)):
            refuse_twins([*columns, inner], place)
            columns[inner] = _held_by_tables(inner, cells, place)
    return pa.table(columns)


def _leaves(name: str, cells: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(cells, pa.ExtensionArray):
        cells = cells.storage
    if pa.types.is_run_end_encoded(cells.type):
        cells = pc.run_end_decode(cells)
    if not pa.types.is_struct(cells.type):
        yield name, cells
        return
    for at, inner in enumerate(cells.flatten()):
        yield from _leaves(f"{name}_{cells.type.field(at).name}", inner)


def _held_by_tables(name: str, cells: pa.Array, place: str) -> pa.Array:
    """Return a column in one of our types."""
    import pyarrow as pa

    is_type = pa.types
    kind = cells.type
    if is_type.is_dictionary(kind):
        return _held_by_tables(name, cells.dictionary_decode(), place)
    if is_type.is_nested(kind):
        return _as_json(cells)
    if is_type.is_string_view(kind):
        return _out_of_view(cells)
    target = _target(kind)
    if target is None:
        raise _no_such_type(name, kind, place)
    if is_type.is_time(kind):
        return cells.cast(pa.time64("us")).cast(pa.string())
    try:
        return cells.cast(target, safe=not is_type.is_timestamp(kind))
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raise _no_such_type(name, kind, place) from None


def _target(kind: pa.DataType) -> pa.DataType | None:
    import pyarrow as pa

    is_type = pa.types
    if is_type.is_integer(kind):
        return pa.int64()
    if is_type.is_decimal(kind) and kind.scale == 0:
        return pa.int64() if kind.precision <= _WHOLE else pa.string()
    if is_type.is_decimal(kind) and kind.precision > _FRACTION:
        return pa.string()
    if is_type.is_floating(kind) or is_type.is_decimal(kind):
        return pa.float64()
    if is_type.is_boolean(kind):
        return pa.bool_()
    if is_type.is_date(kind):
        return pa.date32()
    if is_type.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    texts = (
        is_type.is_string,
        is_type.is_large_string,
        is_type.is_null,
        is_type.is_time,
        is_type.is_binary,
        is_type.is_large_binary,
    )
    return pa.string() if any(test(kind) for test in texts) else None


def _out_of_view(cells: pa.Array) -> pa.Array:
    """Return the texts that a column's views point to; where there is none, no view is followed.

    A cast follows those of missing cells, too, which no check of Arrow's looks at: in a damaged
    file they point anywhere. A view is 16 bytes; of zeros it is an empty text.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    _, views, *texts = cells.buffers()
    there = cells.is_valid()
    every = np.frombuffer(views, np.uint64).reshape(-1, 2)
    safe = every[cells.offset : cells.offset + len(cells)].copy()
    safe[~there.to_numpy(zero_copy_only=False)] = 0
    filled = pa.Array.from_buffers(cells.type, len(cells), [None, pa.py_buffer(safe), *texts])
    return pc.if_else(there, filled.cast(pa.string()), None)


def _as_json(cells: pa.Array) -> pa.Array:
    import json

    import pyarrow as pa

    texts = (
        None if one is None else json.dumps(one, ensure_ascii=False, default=str)
        for one in cells.to_pylist()
    )
    return pa.array(texts, pa.string())


def _no_such_type(name: str, kind: pa.DataType, place: str) -> Qua3ckError:
    return Qua3ckError(
        f'Column "{name}" has the type {kind}, which no table can hold, or bytes that are no text',
        where=f"{place}.path",
        fix="write the file without it, or turn it into text, numbers, dates or booleans first",
        code="U134",
    )


# -- held to types ----------------------------------------------------------------------------


def _field(name: str, kind: pa.DataType, wanted: Mapping[str, ColumnType]) -> pa.Field:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": kind if pa.types.is_timestamp(kind) else pa.timestamp("us"),
    }
    return pa.field(name, types[wanted[name]] if name in wanted else kind)


def _typed(
    rows: pa.Table, schema: pa.Schema, before: int, held: list[tuple[int, str, str, str]]
) -> pa.Table:
    """Return the rows that fit, with their numbers; note the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pa.array(range(before + 1, before + rows.num_rows + 1), pa.int64())
    arrays, bad = [], None
    for one in schema:
        if one.name == ROW:
            continue
        cells = _one(rows[one.name])
        values, misfits = _fitted(cells, one.type)
        arrays.append(values)
        if misfits is not None and misfits.true_count:
            bad = misfits if bad is None else pc.or_(bad, misfits)
            code = "U034" if pa.types.is_date(one.type) else "U033"
            raws = cells.filter(misfits).cast(pa.string()).to_pylist()
            for row, raw in zip(numbers.filter(misfits).to_pylist(), raws, strict=True):
                held.append((row, one.name, code, raw))
    made = pa.Table.from_arrays([*arrays, numbers], schema=schema)
    return made if bad is None else made.filter(pc.invert(bad))


def _fitted(cells: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, pa.Array | None]:
    """Return values in the type wanted, and which of them do not fit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if cells.type == wanted:
        return cells, None
    if pa.types.is_string(wanted):
        return cells.cast(pa.string()), None
    try:
        if not pa.types.is_string(cells.type):
            return cells.cast(wanted), None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass  # some do not fit: each is looked at as text
    kinds: dict[pa.DataType, Kind] = {
        pa.int64(): "integer",
        pa.float64(): "number",
        pa.bool_(): "boolean",
        pa.date32(): "date",
    }
    texts = pc.utf8_trim_whitespace(cells.cast(pa.string()))
    if pa.types.is_floating(cells.type):
        texts = pc.replace_substring_regex(texts, r"\.0$", "")
    zoned = pa.types.is_timestamp(wanted) and wanted.tz is not None
    kind = kinds.get(wanted, "zoned" if zoned else "timestamp")
    values, misfits = read_cells(texts, kind, Marks(), lenient=True)
    return values.cast(wanted), None if misfits is None else misfits.fill_null(False)


def _held(held: Sequence[tuple[int, str, str, str]]) -> pa.Table:
    import pyarrow as pa

    schema = held_schema()
    columns = list(zip(*sorted(held), strict=True)) or [()] * len(schema)
    arrays = [pa.array(cells, one.type) for cells, one in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _one(cells: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    made = cells.combine_chunks()
    return made if isinstance(made, pa.Array) else made.chunk(0)

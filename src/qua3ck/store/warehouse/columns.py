"""Which columns are kept: the few types below, and names that cannot be mistaken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    import pyarrow as pa

PIECE, ROW, KNOWN, GONE = "_piece", "_row", "_known", "_gone"
META = (PIECE, ROW, KNOWN, GONE)


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

    refuse_twins(rows.column_names, where=where)
    arrays = [
        stored(column, name, where=where)
        for name, column in zip(rows.column_names, rows.columns, strict=True)
    ]
    fields = [pa.field(n, a.type) for n, a in zip(rows.column_names, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def storable_schema(schema: pa.Schema, *, where: str) -> pa.Schema:
    """Return the schema in which rows of ``schema`` are stored.

    Raises
    ------
    Qua3ckError
        As :func:`storable`.
    """
    import pyarrow as pa

    refuse_twins(schema.names, where=where)
    return pa.schema([pa.field(f.name, kept_type(f.type, f.name, where=where)) for f in schema])


def stored(column: pa.ChunkedArray, name: str, *, where: str) -> pa.Array:
    """Return one column as :func:`storable` does."""
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
    wanted = kept_type(one.type, name, where=where)
    try:
        return one if wanted == one.type else one.cast(wanted)
    except pa.ArrowInvalid as problem:
        raise _no_such_type(name, one.type, where) from problem


def refuse_twins(names: Sequence[str], *, where: str) -> None:
    """Refuse two columns whose names differ in upper and lower case only."""
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


def kept_type(kind: pa.DataType, name: str, *, where: str) -> pa.DataType:
    """Return the type in which a column of ``kind`` is stored.

    Raises
    ------
    Qua3ckError
        If there is none.
    """
    import pyarrow as pa

    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    wanted = _stored_type(plain)
    if wanted is None:
        raise _no_such_type(name, plain, where)
    return wanted


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


def _no_such_type(name: str, kind: pa.DataType, where: str) -> Qua3ckError:
    return Qua3ckError(
        f'Column "{name}" has the type {kind}, which cannot be stored',
        where=where,
        fix="turn it into numbers, text, booleans, dates or timestamps first",
        code="S002",
    )

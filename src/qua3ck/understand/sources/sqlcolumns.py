"""From the types of databases to our six, without losing a digit.

A type is decided by what the database declares, never by the values of one slice. A cell that
does not fit it (a date 0000-00-00, an infinite moment, a text in a whole-number column of
SQLite) makes its column text in that slice; whoever reads the slice holds the cell.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.understand.section import ColumnType

if TYPE_CHECKING:
    import pyarrow as pa

EXACT = 15  # decimal digits that a 64-bit float gives back unchanged
MOST = 2**63 - 1  # that 64 bits with a sign hold
_WHOLE = 18  # decimal digits that fit 64 bits


def column_type(declared: Any, *, backend: str) -> ColumnType:
    """Return our type for a type of SQLAlchemy.

    Parameters
    ----------
    declared : sqlalchemy.types.TypeEngine
        As the database reports it.
    backend : str
        SQLAlchemy's name of the database. SQLite keeps decimals as floats anyway.

    Notes
    -----
    NUMERIC(p, s): whole up to 18 digits is an integer, up to 15 digits a number; wider or
    without a width it stays text, because a float would change its last digits.
    """
    from sqlalchemy import types

    kind = type(declared).__name__.upper()
    if isinstance(declared, types.Boolean) or (
        kind == "BIT" and (getattr(declared, "length", 1) or 1) == 1
    ):
        return "boolean"
    if isinstance(declared, types.Integer) or kind == "YEAR":
        return "integer"
    if isinstance(declared, types.Float):
        return "number"
    if isinstance(declared, types.Numeric):
        return _numeric(declared, backend)
    if isinstance(declared, types.DateTime) or kind in {"DATETIMEOFFSET", "SMALLDATETIME"}:
        return "timestamp"
    return "date" if isinstance(declared, types.Date) else "string"


def is_wide(declared: Any, *, backend: str) -> bool:
    """Whether numbers are kept as text because a float would change them."""
    from sqlalchemy import types

    numeric = isinstance(declared, types.Numeric) and not isinstance(declared, types.Float)
    return numeric and column_type(declared, backend=backend) == "string"


def is_unsigned(declared: Any) -> bool:
    """Whether a type of SQLAlchemy holds whole numbers up to 2^64, beyond what ours does."""
    return type(declared).__name__ == "BIGINT" and bool(getattr(declared, "unsigned", False))


def type_of_values(values: Sequence[Any]) -> ColumnType:
    """Return our type for what a driver returned, where nothing is declared (a query).

    Values of several types are text, except whole numbers beside others; so are decimals,
    whose width nobody declares.
    """
    found = {_type_of(value) for value in values if value is not None}
    if found == {"integer", "number"}:
        return "number"
    return found.pop() if len(found) == 1 else "string"


def is_zoned(declared: Any) -> bool:
    """Whether a type keeps moments with their zone; they become UTC."""
    return bool(getattr(declared, "timezone", False)) or type(declared).__name__ == "DATETIMEOFFSET"


def as_column(values: Sequence[Any], wanted: ColumnType, *, zoned: bool = False) -> pa.Array:
    """Return values of a driver as one column of the type wanted, or as text if one cannot be.

    Parameters
    ----------
    values : sequence, shape (n_rows,)
        As the driver returned them; None where empty.
    zoned : bool
        Whether a column without any moment counts as UTC.
    """
    import pyarrow as pa

    try:
        if zoned and all(value is None for value in values):
            return pa.nulls(len(values), pa.timestamp("us", "UTC"))
        return _MAKE[wanted](values)
    except (ValueError, TypeError, OverflowError, ArithmeticError, pa.ArrowException):
        return pa.array([_text(value) for value in values], pa.string())


def write_slice(
    rows: Sequence[Sequence[Any]],
    types: Mapping[str, ColumnType],
    path: Path,
    *,
    zoned: Collection[str] = (),
) -> None:
    """Write rows of a driver as Parquet: the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    columns = columns or [[] for _ in types]
    made = [
        as_column(values, wanted, zoned=name in zoned)
        for values, (name, wanted) in zip(columns, types.items(), strict=True)
    ]
    pq.write_table(pa.table(made, names=list(types)), path, compression="zstd")


def _type_of(value: Any) -> ColumnType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -MOST - 1 <= value <= MOST else "string"
    if isinstance(value, float):
        return "number"
    if isinstance(value, datetime):
        return "timestamp"
    return "date" if isinstance(value, date) else "string"


def _numeric(declared: Any, backend: str) -> ColumnType:
    digits, after = declared.precision, declared.scale
    if backend == "sqlite":
        return "number"
    if digits is None:
        return "string"
    if not after and digits <= _WHOLE:
        return "integer"
    return "number" if digits <= EXACT else "string"


def _integers(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array([_whole(value) for value in values], pa.int64())


def _whole(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, bool | Decimal) and value == int(value):
        return int(value)
    raise TypeError


def _numbers(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    if not all(isinstance(value, int | float | Decimal | None) for value in values):
        raise TypeError
    return pa.array([None if v is None else float(v) for v in values], pa.float64())


def _booleans(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    known = {True: True, False: False, None: None, b"\x01": True, b"\x00": False}
    if not all(isinstance(value, bool | int | bytes | None) for value in values):
        raise TypeError
    try:
        return pa.array([known[value] for value in values], pa.bool_())
    except KeyError:
        raise ValueError from None


def _dates(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    if all(isinstance(value, str | None) for value in values):
        return pa.array(values, pa.string()).cast(pa.date32())
    if any(isinstance(v, datetime) or not isinstance(v, date | None) for v in values):
        raise TypeError
    return pa.array(values, pa.date32())


def _timestamps(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    filled = [value for value in values if value is not None]
    if filled and all(isinstance(value, str) for value in filled):
        return pa.array(values, pa.string()).cast(pa.timestamp("us"))
    if not all(isinstance(value, datetime) for value in filled):
        raise TypeError
    zoned = {value.tzinfo is not None for value in filled}
    if len(zoned) > 1:
        raise TypeError
    if zoned == {True}:
        plain = [None if v is None else v.astimezone(UTC) for v in values]
        return pa.array(plain, pa.timestamp("us", "UTC"))
    return pa.array(values, pa.timestamp("us"))


def _strings(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array([_text(value) for value in values], pa.string())


_MAKE = {
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "date": _dates,
    "timestamp": _timestamps,
    "string": _strings,
}


def _text(value: Any) -> str | None:
    """Return what stands in a cell as text, every digit kept."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if isinstance(value, timedelta):
        return _clock(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=_text, ensure_ascii=False)
    return str(value)


def _clock(span: timedelta) -> str:
    """Return a span of time as servers write it: [-]HH:MM:SS, with the fraction if it has one."""
    sign = "-" if span < timedelta(0) else ""
    span = abs(span)
    minutes, seconds = divmod(span.days * 86_400 + span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06d}" if span.microseconds else ""
    return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"

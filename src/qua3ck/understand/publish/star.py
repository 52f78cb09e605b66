"""A table split into facts and dimensions, as Power BI, Superset and Excel want it.

Each distinct combination of a dimension's columns is one row of ``dim_<name>``; facts refer to
it by a key made from the values alone, so that a refresh never moves it. Dates refer to one
calendar. Keys stay below 2^53: spreadsheets hold no larger whole number exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.section import Star

if TYPE_CHECKING:
    import pyarrow as pa

DATES = "dim_date"
_BITS = 52
_UNIT = "\x1f"


@dataclass(frozen=True)
class Table:
    """One table to hand out.

    Attributes
    ----------
    name : str
        ``fact_...`` or ``dim_...``.
    rows : pyarrow.Table
        Its content.
    key : tuple of str
        The columns that tell its rows apart; empty if none are declared.
    refers : mapping
        Its columns that hold the key of another table, to that table.
    """

    name: str
    rows: pa.Table
    key: tuple[str, ...] = ()
    refers: Mapping[str, str] = field(default_factory=dict)


def split(name: str, rows: pa.Table, star: Star, *, place: str) -> tuple[Table, ...]:
    """Return the facts and the dimensions of a table, the dimensions first.

    Parameters
    ----------
    name : str
        The table's name; the facts are called ``fact_<name>``.
    rows : pyarrow.Table
        With all columns of the dimensions and of the key.
    star : Star
        What goes where.
    place : str
        Where the project file declares it.

    Raises
    ------
    Qua3ckError
        If a column does not exist, stands in two dimensions, or the key is not unique.
    """
    _refuse_strange(star, rows.column_names, place)
    rows = rows.drop_columns(list(star.leave_out))
    _refuse_repeated_key(star.key, rows, place)
    made, refers = [], {}
    for dimension, columns in star.dimensions.items():
        keys, table = _dimension(dimension, rows.select(list(columns)), place)
        kept = [column for column in columns if column in star.key]  # a key stays with its facts
        rows = rows.drop_columns([column for column in columns if column not in kept])
        rows = rows.append_column(f"{dimension}_key", keys)
        refers[f"{dimension}_key"] = f"dim_{dimension}"
        made.append(Table(f"dim_{dimension}", table, (f"{dimension}_key",), {}))
    for column in _date_columns(rows):
        rows = rows.append_column(f"{column}_key", _date_keys(rows[column]))
        refers[f"{column}_key"] = DATES
    return (*made, Table(f"fact_{name}", rows, star.key, refers))


def calendar(tables: Sequence[Table]) -> Table | None:
    """Return one row per day from the first to the last that any fact has; None without dates."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = [
        pc.min_max(table.rows[column])
        for table in tables
        for column in _date_columns(table.rows)
        if f"{column}_key" in table.rows.column_names
    ]
    days = [end[side].as_py() for end in ends for side in ("min", "max") if end[side].is_valid]
    if not days:
        return None
    span = pd.date_range(min(days), max(days), freq="D")
    iso = span.isocalendar()
    rows = pa.table(
        {
            "date_key": np.asarray(span.year * 10_000 + span.month * 100 + span.day, dtype="int64"),
            "date": pa.array(span.date, pa.date32()),
            "year": np.asarray(span.year, dtype="int64"),
            "quarter": np.asarray(span.quarter, dtype="int64"),
            "month": np.asarray(span.month, dtype="int64"),
            "iso_year": np.asarray(iso["year"], dtype="int64"),
            "iso_week": np.asarray(iso["week"], dtype="int64"),
            "weekday": np.asarray(iso["day"], dtype="int64"),
        }
    )
    return Table(DATES, rows, ("date_key",), {})


def _dimension(name: str, columns: pa.Table, place: str) -> tuple[pa.Array, pa.Table]:
    """Return each row's key, and the dimension's rows in the order of their keys."""
    import pyarrow as pa

    texts = [_texts(column) for column in columns.columns]
    combined = list(zip(*texts, strict=True))
    keys: dict[tuple[str | None, ...], int] = {}
    first: dict[tuple[str | None, ...], int] = {}
    for place_of_row, values in enumerate(combined):
        if values not in keys:
            keys[values] = _key(values)
            first[values] = place_of_row
    if len(set(keys.values())) != len(keys):
        raise Qua3ckError(
            f"Two rows of the dimension {name} have the same key",
            where=f"{place}.dimensions.{name}",
            fix="give the dimension another set of columns",
            code="U162",
        )
    order = sorted(keys, key=lambda values: keys[values])
    rows = columns.take(pa.array([first[values] for values in order], pa.int64()))
    own = pa.array([keys[values] for values in order], pa.int64())
    table = rows.add_column(0, f"{name}_key", own)
    return pa.array([keys[values] for values in combined], pa.int64()), table


def _key(values: tuple[str | None, ...]) -> int:
    """Return 0 for nothing known, else a number made from the values."""
    if all(value is None for value in values):
        return 0
    text = _UNIT.join("\x00" if value is None else value for value in values)
    made = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return (made >> (64 - _BITS)) or 1


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    import pyarrow as pa

    found: list[str | None] = column.cast(pa.string()).to_pylist()
    return found


def _date_columns(rows: pa.Table) -> list[str]:
    import pyarrow as pa

    return [field.name for field in rows.schema if pa.types.is_date(field.type)]


def _date_keys(dates: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    year, month, day = (part(dates).cast(pa.int64()) for part in (pc.year, pc.month, pc.day))
    return pc.add(pc.add(pc.multiply(year, 10_000), pc.multiply(month, 100)), day)


def _refuse_strange(star: Star, known: Sequence[str], place: str) -> None:
    seen: dict[str, str] = {}
    named = [(column, f"dimensions.{d}") for d, of in star.dimensions.items() for column in of]
    named += [(column, "key") for column in star.key]
    named += [(column, "leave_out") for column in star.leave_out]
    for column, where in named:
        if column not in known:
            raise Qua3ckError(
                f'No column "{column}"{did_you_mean(column, known)}',
                where=f"{place}.{where}",
                fix=f"use one of: {', '.join(list(known)[:25])}",
                code="U158",
            )
        if where != "key" and column in seen:
            raise Qua3ckError(
                f'The column "{column}" stands in two places: {seen[column]} and {where}',
                where=f"{place}.{where}",
                fix="leave it in one of them",
                code="U162",
            )
        if where != "key":
            seen[column] = where


def _refuse_repeated_key(key: Sequence[str], rows: pa.Table, place: str) -> None:
    if not key:
        return
    distinct = rows.select(list(key)).group_by(list(key)).aggregate([]).num_rows
    if distinct < rows.num_rows:
        raise Qua3ckError(
            f"The key is not unique: {rows.num_rows} rows, {distinct} different keys",
            where=f"{place}.key",
            fix="name all the columns that tell the rows apart, or fold the rows in the query",
            code="U162",
        )

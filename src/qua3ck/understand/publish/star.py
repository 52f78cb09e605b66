"""A table split into facts and dimensions, as Power BI, Superset and Excel want it.

Each distinct combination of a dimension's columns is one row of ``dim_<name>``; facts refer to
it by a key made from the values alone, so that a refresh never moves it. Dates refer to one
calendar. Keys stay below 2^53: spreadsheets hold no larger whole number exactly.

Facts are split as they come and lie in a file; a dimension, which is to have few rows, and the
calendar are held in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.publish.stored import Stored, store
from qua3ck.understand.section import Star

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

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
    rows : pyarrow.Table or Stored
        Its content; facts are stored, everything else is in memory.
    key : tuple of str
        The columns that tell its rows apart; empty if none are declared.
    refers : mapping
        Its columns that hold the key of another table, to that table.
    """

    name: str
    rows: pa.Table | Stored
    key: tuple[str, ...] = ()
    refers: Mapping[str, str] = field(default_factory=dict)


def split(
    name: str, rows: pa.RecordBatchReader, star: Star, *, folder: Path, place: str
) -> tuple[Table, ...]:
    """Return the facts and the dimensions of a table, the dimensions first.

    Parameters
    ----------
    name : str
        The table's name; the facts are called ``fact_<name>``.
    rows : pyarrow.RecordBatchReader
        With all columns of the dimensions and of the key.
    star : Star
        What goes where.
    folder : Path
        For the file of the facts, which must last as long as the table.
    place : str
        Where the project file declares it.

    Raises
    ------
    Qua3ckError
        If a column does not exist, stands in two dimensions, or the key is not unique.
    """
    import pyarrow as pa

    _refuse_strange(star, rows.schema.names, place)
    made = {
        dimension: _Dimension(dimension, pa.schema([rows.schema.field(c) for c in columns]))
        for dimension, columns in star.dimensions.items()
    }
    schema, refers = _facts(rows.schema, star)
    batches = (_fact(batch, schema, made, star, place) for batch in rows)
    facts = store(batches, schema, folder / f"fact_{name}.parquet")
    _refuse_repeated_key(star.key, facts, place)
    dimensions = [one.table() for one in made.values()]
    return (*dimensions, Table(f"fact_{name}", facts, star.key, refers))


def calendar(tables: Sequence[Table]) -> Table | None:
    """Return one row per day from the first to the last that any fact has; None without dates."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = [
        pc.min_max(part)
        for table in tables
        if isinstance(table.rows, Stored)
        for column in _date_columns(table.rows.schema)
        for part in table.rows.column_batches(column)
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


def _facts(schema: pa.Schema, star: Star) -> tuple[pa.Schema, dict[str, str]]:
    """Return the columns of the facts, and which of them refer to which table."""
    import pyarrow as pa

    apart = {column for columns in star.dimensions.values() for column in columns}
    apart -= set(star.key)  # a key stays with its facts
    kept = [one for one in schema if one.name not in apart and one.name not in star.leave_out]
    refers = {f"{dimension}_key": f"dim_{dimension}" for dimension in star.dimensions}
    refers |= {f"{column}_key": DATES for column in _date_columns(pa.schema(kept))}
    return pa.schema([*kept, *(pa.field(one, pa.int64()) for one in refers)]), refers


def _fact(
    batch: pa.RecordBatch,
    schema: pa.Schema,
    made: Mapping[str, _Dimension],
    star: Star,
    place: str,
) -> pa.RecordBatch:
    """Return the facts of some rows; the rows of dimensions among them are noted."""
    import pyarrow as pa

    columns = {name: batch.column(name) for name in schema.names if name in batch.schema.names}
    for dimension, one in made.items():
        columns[f"{dimension}_key"] = one.keys(
            batch.select(list(star.dimensions[dimension])), place
        )
    for column in _date_columns(batch.schema):
        if column in columns:
            columns[f"{column}_key"] = _date_keys(batch.column(column))
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


class _Dimension:
    """The rows of a dimension met so far, each once."""

    def __init__(self, name: str, schema: pa.Schema) -> None:
        self._name, self._schema = name, schema
        self._keys: dict[tuple[str | None, ...], int] = {}
        self._taken: dict[int, tuple[str | None, ...]] = {}
        self._rows: list[pa.RecordBatch] = []

    def keys(self, rows: pa.RecordBatch, place: str) -> pa.Array:
        """Return the key of each row; those not met before are kept."""
        import numpy as np
        import pyarrow as pa

        first, kinds = _different(rows)
        places = pa.array(first)
        texts = [column.take(places).cast(pa.string()).to_pylist() for column in rows.columns]
        made = np.empty(len(first), np.int64)
        new = []
        for at, values in enumerate(zip(*texts, strict=True)):
            if values not in self._keys:
                self._keys[values] = self._new(values, place)
                new.append(first[at])
            made[at] = self._keys[values]
        if new:
            self._rows.append(rows.take(pa.array(new, pa.int64())))
        return pa.array(made[kinds])

    def table(self) -> Table:
        """Return the rows in the order of their keys."""
        import pyarrow as pa

        rows = pa.Table.from_batches(self._rows, schema=self._schema)
        own = pa.array(list(self._keys.values()), pa.int64())
        column = f"{self._name}_key"
        table = rows.add_column(0, column, own).sort_by(column).combine_chunks()
        return Table(f"dim_{self._name}", table, (column,), {})

    def _new(self, values: tuple[str | None, ...], place: str) -> int:
        key = _key(values)
        if self._taken.setdefault(key, values) != values:
            raise Qua3ckError(
                f"Two rows of the dimension {self._name} have the same key",
                where=f"{place}.dimensions.{self._name}",
                fix="give the dimension another set of columns",
                code="U162",
            )
        return key


def _different(rows: pa.RecordBatch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each combination of values, and each row's combination.

    The combinations are numbered in the order in which they first come.
    """
    import numpy as np

    kinds = np.zeros(rows.num_rows, np.int64)
    for column in rows.columns:
        told = column.dictionary_encode(null_encoding="encode")
        codes = told.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        _, kinds = np.unique(kinds * max(len(told.dictionary), 1) + codes, return_inverse=True)
    _, first, kinds = np.unique(kinds, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[kinds]


def _key(values: tuple[str | None, ...]) -> int:
    """Return 0 for nothing known, else a number made from the values."""
    if all(value is None for value in values):
        return 0
    text = _UNIT.join("\x00" if value is None else value for value in values)
    made = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return (made >> (64 - _BITS)) or 1


def _date_columns(schema: pa.Schema) -> list[str]:
    import pyarrow as pa

    return [field.name for field in schema if pa.types.is_date(field.type)]


def _date_keys(dates: pa.Array) -> pa.Array:
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


def _refuse_repeated_key(key: Sequence[str], facts: Stored, place: str) -> None:
    distinct = facts.distinct(key) if key else facts.num_rows
    if distinct < facts.num_rows:
        raise Qua3ckError(
            f"The key is not unique: {facts.num_rows} rows, {distinct} different keys",
            where=f"{place}.key",
            fix="name all the columns that tell the rows apart, or fold the rows in the query",
            code="U162",
        )

"""Which columns a source has: set by its first load, and held to until somebody accepts others.

A piece fits if it has every column that is not optional, and none that is unknown. A column is
optional once a piece without it was accepted, or a piece that brought it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from qua3ck.understand.section import ColumnType

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Layout:
    """Columns in their order, with the word for their type; some of them may be absent."""

    columns: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()

    def types(self) -> dict[str, ColumnType]:
        """Return the types that a reader can be held to."""
        return {
            name: "timestamp" if kind == ZONED else cast("ColumnType", kind)
            for name, kind in self.columns.items()
        }

    def differs(
        self,
        found: Mapping[str, str],
        *,
        declared: Collection[str] = (),
        ignored: Collection[str] = (),
    ) -> Difference:
        """Return in what a piece's columns differ.

        A new column that is declared was decided on already; one that is ignored may be absent.
        """
        spared = self.optional | set(ignored)
        return Difference(
            tuple(n for n in self.columns if n not in found and n not in spared),
            {n: k for n, k in found.items() if n not in self.columns and n not in declared},
            {
                n: (self.columns[n], k)
                for n, k in found.items()
                if n in self.columns and k != self.columns[n]
                if (k, self.columns[n]) not in _MAY_BECOME
            },
        )

    def of(self, pieces: Collection[Collection[str]], found: Mapping[str, str]) -> Layout:
        """Return the layout of the pieces that make up a table.

        Parameters
        ----------
        pieces : collection of collection of str
            Each piece's columns.
        found : mapping
            Types of columns that are not in this layout yet.
        """
        types = {**found, **self.columns}
        order = dict.fromkeys([*self.columns, *(name for one in pieces for name in one)])
        there = {name for one in pieces for name in one}
        columns = {name: types[name] for name in order if name in there}
        absent = {name for name in columns if any(name not in one for one in pieces)}
        return Layout(columns, frozenset(absent))


@dataclass(frozen=True)
class Difference:
    """Columns that a piece lacks, brings beyond the layout, or has with another type."""

    gone: tuple[str, ...]
    new: Mapping[str, str]
    other: Mapping[str, tuple[str, str]]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.gone or self.new or self.other)

    def nearest(self) -> dict[str, str]:
        """Return for columns that are gone the new one whose name is most like theirs."""
        found = {}
        for name in self.gone:
            same = [new for new in self.new if new[:1].lower() == name[:1].lower()]
            near = difflib.get_close_matches(name, same, n=1, cutoff=_ALIKE)
            if near:
                found[name] = near[0]
        return found

    def says(self) -> str:
        """Return the difference as a reader would say it."""
        gone = ", ".join(f'"{name}"' for name in self.gone[:10])
        new = ", ".join(f'"{name}" ({kind})' for name, kind in list(self.new.items())[:10])
        other = ", ".join(
            f'"{name}" ({was}, now {now})' for name, (was, now) in list(self.other.items())[:10]
        )
        near = ", ".join(f'"{new}" to "{gone}"' for gone, new in list(self.nearest().items())[:10])
        parts = [
            f"vanished: {gone}" if gone else "",
            f"new: {new}" if new else "",
            f"nearest by name: {near}" if near else "",
            f"of another type: {other}" if other else "",
        ]
        return "; ".join(part for part in parts if part)


OURS = ("_piece", "_row", "_known", "_gone")  # the columns that a table keeps for itself
ZONED = "timestamp in UTC"
_IBIS = {
    "string": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp(6)",
    ZONED: "timestamp('UTC', 6)",
}
_ARROW = {
    "string": "string",
    "integer": "int64",
    "number": "double",
    "boolean": "bool",
    "date": "date32[day]",
    "timestamp": "timestamp[us]",
    ZONED: "timestamp[us, tz=UTC]",
}
_ALIKE = 0.5  # of 1; "qty" and "quantity" are
_MAY_BECOME = {("integer", "number"), ("date", "timestamp")}


def ibis_type(kind: str) -> str:
    """Return the engine's name of one of our types."""
    return _IBIS[kind]


def columns_of(rows: Path) -> dict[str, str]:
    """Return the user's columns of a staged piece with their types, from the file's footer."""
    import pyarrow.parquet as pq

    schema: pa.Schema = pq.read_schema(rows)
    return {field.name: word(field.type) for field in schema if field.name not in OURS}


def stored_as(rows: Path, columns: Mapping[str, str]) -> bool:
    """Return whether a file has exactly these columns, of the types that tables keep."""
    import pyarrow.parquet as pq

    schema: pa.Schema = pq.read_schema(rows)
    found = {field.name: str(field.type) for field in schema if field.name not in OURS}
    return found == {name: _ARROW[kind] for name, kind in columns.items()}


def word(kind: pa.DataType) -> str:
    """Return our word for an Arrow type; narrower numbers are kept as the wide ones."""
    import pyarrow as pa

    is_type = pa.types
    if is_type.is_integer(kind):
        return "integer"
    if is_type.is_floating(kind) or is_type.is_decimal(kind):
        return "number"
    if is_type.is_boolean(kind):
        return "boolean"
    if is_type.is_date(kind):
        return "date"
    if is_type.is_timestamp(kind):
        return ZONED if kind.tz else "timestamp"
    return "string"


def empty_columns(rows: Path) -> frozenset[str]:
    """Return the columns of a staged piece without a value, by the file's own statistics."""
    import pyarrow.parquet as pq

    footer = pq.ParquetFile(rows).metadata
    names = [footer.schema.column(at).name for at in range(footer.num_columns)]
    empty = set(names)
    for group in range(footer.num_row_groups):
        for at, name in enumerate(names):
            column = footer.row_group(group).column(at)
            known = column.statistics is not None and column.statistics.has_null_count
            if not known or column.statistics.null_count < column.num_values:
                empty.discard(name)
    return frozenset(empty - set(OURS))


def together(pieces: Collection[Mapping[str, str]], empty: Collection[Collection[str]]) -> Layout:
    """Return the layout of pieces that come together: the columns of the first, typed over all.

    Parameters
    ----------
    pieces : collection of mapping
        Each piece's columns and inferred types.
    empty : collection of collection of str
        Each piece's columns without any value; they say nothing about the type.
    """
    first = next(iter(pieces))
    types: dict[str, set[str]] = {name: set() for name in first}
    for columns, without in zip(pieces, empty, strict=True):
        for name, kind in columns.items():
            if name in types and name not in without:
                types[name].add(kind)
    return Layout({name: _narrowest(kinds) or first[name] for name, kinds in types.items()})


def _narrowest(kinds: set[str]) -> str:
    if len(kinds) <= 1:
        return next(iter(kinds), "")
    return next((wide for narrow, wide in _MAY_BECOME if kinds == {narrow, wide}), "string")

"""The columns of a table of text cells: what each is held to, and its cells read so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.cells import Kind, Marks, kind_of, read_all, read_cells
from qua3ck.understand.sources.dates import check_layouts, layout, read_dates

if TYPE_CHECKING:
    import pyarrow as pa


_QUICK = {"integer", "number", "boolean", "date"}


class ColumnsAbsent(Qua3ckError):
    """Something is declared about a column that is not there.

    Attributes
    ----------
    there : frozenset of str
        The columns that there are.
    """

    there: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Column:
    """What one column is held to.

    Attributes
    ----------
    name : str
        Its name.
    kind : Kind or None
        What its cells must be; None where that is inferred from them.
    lenient : bool
        Whether a person declared the type, so that leading zeros may go.
    markers : tuple of str
        Texts that stand for no value.
    layouts : tuple of str
        Of dates; then ``kind`` is date or timestamp.
    inferred : bool
        Whether ``kind`` was inferred from cells seen so far.
    """

    name: str
    kind: Kind | None = None
    lenient: bool = False
    markers: tuple[str, ...] = ()
    layouts: tuple[str, ...] = ()
    inferred: bool = False


def columns_of(
    names: Sequence[str], source: Source, types: Mapping[str, ColumnType] | None, *, place: str
) -> list[Column]:
    """Return what each column is held to.

    Parameters
    ----------
    names : sequence of str
        The columns there are.
    source : Source
        Declared types (leading zeros may go), date layouts, null markers.
    types : mapping, optional
        Types that the table has already: leading zeros do not fit a number.

    Raises
    ------
    ColumnsAbsent
        If a declared column is not there.
    Qua3ckError
        If a layout is none, or a column with layouts is declared to be no date.
    """
    check_layouts(source.dates, place=place)
    for key in ("types", "nulls", "dates"):
        _all_there(getattr(source, key), names, f"{place}.{key}")
    return [_column(name, source, types or {}, place) for name in names]


def marks_of(source: Source) -> Marks:
    """Return the declared marks of numbers.

    Raises
    ------
    Qua3ckError
        If one mark is declared for both.
    """
    if source.thousands == source.decimal:
        raise Qua3ckError(
            f'"{source.decimal}" cannot be the decimal mark and the thousands mark',
            where=f"decimal: {source.decimal}, thousands: {source.thousands}",
            fix='declare decimal: "," with thousands: ".", or the other way round',
            code="U124",
        )
    return Marks(source.decimal, source.thousands)


def with_kinds(columns: Sequence[Column], kinds: Mapping[str, Kind]) -> list[Column]:
    """Return the columns with the kinds that were inferred for them."""
    return [
        replace(one, kind=kinds[one.name], inferred=True)
        if one.kind is None or one.inferred
        else one
        for one in columns
    ]


def bare(text: pa.Array, column: Column) -> tuple[pa.Array, pa.Array]:
    """Return cells as written and trimmed, both null where blank or a null marker."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(text)
    if column.markers:
        empty = pc.is_in(trimmed, value_set=pa.array(["", *column.markers], pa.string()))
    else:
        empty = pc.equal(pc.binary_length(trimmed), 0)
    return _without(text, empty), _without(trimmed, empty)


def read_column(
    text: pa.Array, column: Column, marks: Marks
) -> tuple[pa.Array, pa.Array | None, Kind]:
    """Return a column's cells as values.

    Returns
    -------
    tuple of (array, array of bool or None, Kind)
        Values; the mask of cells that do not fit, None if all do; what the cells are where
        that was inferred and turned out otherwise, else the column's kind.
    """
    if column.kind == "string":
        return _words(text, column), None, "string"
    if column.kind in _QUICK and not column.layouts:
        values = read_all(_not_empty(text, column), column.kind, marks, lenient=column.lenient)
        if values is not None:
            return values, None, column.kind
    written, trimmed = bare(text, column)
    if column.layouts:
        values, misfits = read_dates(trimmed, column.layouts)
        return values, misfits, column.kind or "date"
    kind = kind_of(trimmed, marks) if column.kind is None else column.kind
    if kind in {"", "digits", "string"}:
        if column.inferred:
            kind = kind_of(trimmed, marks) or kind  # an empty column may begin to say something
        return written, None, kind
    values, misfits = read_cells(trimmed, kind, marks, lenient=column.lenient)
    if misfits is not None and column.inferred:
        return values, misfits, kind_of(trimmed, marks)
    return values, misfits, kind


def _words(text: pa.Array, column: Column) -> pa.Array:
    """Return cells as written, null where blank or a null marker."""
    import pyarrow.compute as pc

    if column.markers:
        return bare(text, column)[0]
    blank = pc.or_(pc.equal(pc.binary_length(text), 0), pc.utf8_is_space(text))
    return _without(text, blank)


def _not_empty(text: pa.Array, column: Column) -> pa.Array:
    """Return cells as written, null where empty or a marker: not trimmed, which costs most."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.markers:
        return _without(text, pc.is_in(text, value_set=pa.array(["", *column.markers])))
    return _without(text, pc.equal(pc.binary_length(text), 0))


def _without(text: pa.Array, empty: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(empty, pa.scalar(None, pa.string()), text) if empty.true_count else text


def _column(name: str, source: Source, types: Mapping[str, ColumnType], place: str) -> Column:
    markers = (*source.null, *source.nulls.get(name, ()))
    layouts = source.dates.get(name, ())
    wanted = types.get(name) or source.types.get(name)
    if layouts:
        clock = any(layout(one).clock for one in layouts)
        if wanted not in {None, "date", "timestamp"}:
            raise Qua3ckError(
                f'Column "{name}" has layouts of dates and is declared as {wanted}',
                where=f"{place}.dates.{name}",
                fix=f"take {name} out of dates: or out of types:",
                code="U124",
            )
        return Column(name, "timestamp" if clock else "date", True, markers, layouts)
    if wanted is None:
        return Column(name, None, False, markers)
    return Column(name, cast("Kind", wanted), name in source.types, markers)


def _all_there(declared: Mapping[str, object], names: Sequence[str], place: str) -> None:
    """Raise for a declared column that is not there; without names that may be data."""
    missing = [name for name in declared if name not in names]
    if not missing:
        return
    sure = len(missing) < len(declared) or did_you_mean(missing[0], names)
    listed = f"use one of: {', '.join(list(names)[:20])}"
    problem = ColumnsAbsent(
        f'No column "{missing[0]}"{did_you_mean(missing[0], names)}',
        where=f"{place}.{missing[0]}",
        fix=listed
        if sure
        else "look whether the first line is the header; declare header: 0 and names: if not",
        code="U102",
    )
    problem.there = frozenset(names)
    raise problem

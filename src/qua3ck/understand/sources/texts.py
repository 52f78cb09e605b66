"""Rows of text cells that come in batches; typed at the end, over all of them together.

What JSON and spreadsheets have in common once their cells are text. Batches wait on the disk,
so that a long piece does not have to fit into memory. Which text is what kind of value is
decided in :mod:`qua3ck.understand.sources.cells`, as for delimited text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.cells import (
    Kind,
    column_type,
    kind_of,
    read_cells,
    widened,
)
from qua3ck.understand.sources.columns import Column, bare, columns_of, marks_of, with_kinds
from qua3ck.understand.sources.dates import read_dates
from qua3ck.understand.sources.pieces import ROW, Staged, held_schema
from qua3ck.understand.sources.suspicions import Suspicions

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS = {"integer", "number", "digits"}
_SERIAL = r"^[0-9]{1,7}(\.[0-9]+)?$"
_DAYS_TO_1900 = 25_569  # from 30 December 1899, day 0 for serials from 61 on, to 1970
_DAYS_TO_1904 = 24_107
_MILLISECONDS = 86_400_000  # of a day; a serial is a float and tells no more


@dataclass(frozen=True)
class Reading:
    """What is particular to a format in how its texts become values.

    Attributes
    ----------
    from_1904 : bool or None
        Spreadsheets: the date system by which a number becomes a date where one is wanted.
        There a midnight comes as a date among timestamps.
    numbers, booleans : set of str or None
        The only columns that may become these without being declared so; None: any.
    optional : sequence of str
        Columns that are left out if they are empty: those without a heading.
    absent : bool
        Whether columns that are wanted and not there become empty ones.
    """

    from_1904: bool | None = None
    numbers: set[str] | None = None
    booleans: set[str] | None = None
    optional: Sequence[str] = ()
    absent: bool = False


@dataclass
class _Seen:
    """What the cells of one column turned out to be."""

    kind: Kind = ""
    filled: int = 0
    zoned: int = 0


class TextRows:
    """Takes rows in, holds what fits no column, and stages the rest.

    Parameters
    ----------
    source : Source
        Decimal and thousands marks, null markers, declared types and date layouts.
    types : mapping, optional
        What columns are held to besides.
    into : Path
        An empty folder; gets ``rows.parquet``.
    place : str
        The source's place in the project file.
    """

    def __init__(
        self,
        source: Source,
        types: Mapping[str, ColumnType] | None,
        *,
        into: Path,
        place: str,
    ) -> None:
        self._source = source
        self._types = types
        self._into = into
        self._place = place
        self._marks = marks_of(source)
        self._batches: list[Path] = []
        self._names: dict[str, None] = {}
        self._rows = 0
        self._held: list[tuple[int, str | None, str, str]] = []

    def add(self, columns: Mapping[str, Sequence[str | None]], rows: Sequence[int]) -> None:
        """Take in rows: the texts of each column, and each row's number."""
        import pyarrow as pa

        if not rows:
            return
        self._names |= dict.fromkeys(columns)
        self._rows += len(rows)
        arrays = [pa.array(cells, pa.string()) for cells in columns.values()]
        batch = pa.table([*arrays, pa.array(rows, pa.int64())], names=[*columns, ROW])
        path = self._into / f"texts-{len(self._batches):05d}.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_table(batch)
        self._batches.append(path)

    def hold(self, row: int, column: str | None, code: str, raw: str) -> None:
        """Hold a record: as a whole (no column), or for one of its cells."""
        self._held.append((row, column, code, raw))

    def finish(
        self,
        *,
        how: Mapping[str, Any],
        findings: Sequence[Finding] = (),
        reading: Reading | None = None,
    ) -> Staged:
        """Type the columns, write the rows that fit, and hold the others (U033, U034).

        Parameters
        ----------
        how : mapping
            What is known of the reading so far.
        findings : sequence of Finding
            What was noticed so far.
        reading : Reading, optional
            What is particular to the format.

        Raises
        ------
        Qua3ckError
            If a declared column is not there, or two are called alike.
        """
        reading = reading or Reading()
        columns = self._columns(reading)
        seen = {column.name: _Seen() for column in columns}
        for batch in self._read():
            for column in columns:
                if column.name in batch.column_names:
                    self._look(batch[column.name], column, seen[column.name], reading)
        kept = [c for c in columns if c.name not in reading.optional or seen[c.name].filled]
        kinds = {column.name: _settled(column, seen[column.name]) for column in kept}
        settled = with_kinds(kept, kinds)
        noticed = self._noticed(settled)
        written = self._write(settled, kinds, reading, noticed)
        told = {"types": {name: column_type(kind) for name, kind in kinds.items()}}
        return Staged(
            self._into / "rows.parquet",
            written + len({row for row, *_ in self._held}),
            self._held_table(),
            {**how, **told, **self._as_declared()},
            (*findings, *noticed.findings(self._rows)),
        )

    # -- looking ---------------------------------------------------------------------

    def _columns(self, reading: Reading) -> list[Column]:
        """Return what each column is held to; none if no row came."""
        names = list(self._names)
        if reading.absent:
            names = list(dict.fromkeys([*names, *(self._types or {}), *self._source.types]))
        if not names:
            return []
        refuse_twins([*names, ROW], self._place)
        return columns_of(names, self._source, self._types, place=self._place)

    def _read(self) -> Iterator[pa.Table]:
        import pyarrow as pa

        for path in self._batches:
            with pa.memory_map(str(path)) as stored:
                yield pa.ipc.open_file(stored).read_all().combine_chunks()

    def _look(self, cells: pa.ChunkedArray, column: Column, seen: _Seen, reading: Reading) -> None:
        """Note what kinds of values one column of one batch holds."""
        _, trimmed = bare(_one(cells), column)
        seen.filled += len(trimmed) - trimmed.null_count
        if column.kind == "timestamp" and not column.layouts:
            misfits = read_cells(trimmed, "zoned", self._marks)[1]
            wrong = trimmed.null_count + (misfits.true_count if misfits is not None else 0)
            seen.zoned += len(trimmed) - wrong
        if column.kind is not None:
            return
        kind = self._kind(trimmed, column.name, reading)
        moments = reading.from_1904 is not None and {seen.kind, kind} == {"date", "timestamp"}
        seen.kind = "timestamp" if moments else widened(seen.kind, kind)

    def _kind(self, trimmed: pa.Array, name: str, reading: Reading) -> Kind:
        kind = kind_of(trimmed, self._marks)
        if reading.numbers is not None and kind in _NUMBERS and name not in reading.numbers:
            return "string"
        if reading.booleans is not None and kind == "boolean" and name not in reading.booleans:
            return "string"
        if reading.from_1904 is not None and kind == "string":
            mixed = read_cells(trimmed, "timestamp", self._marks, lenient=True)[1]
            return kind if mixed is not None else "timestamp"
        return kind

    def _noticed(self, columns: Sequence[Column]) -> Suspicions:
        """Return what the first batch makes one suspect of text columns."""
        import pyarrow as pa

        first = next(self._read(), None)
        nothing = pa.nulls(0, pa.string())
        cells = [
            _one(first[column.name]) if first and column.name in first.column_names else nothing
            for column in columns
        ]
        return Suspicions(columns, cells, self._marks, place=self._place)

    # -- typing ----------------------------------------------------------------------

    def _write(
        self,
        columns: Sequence[Column],
        kinds: Mapping[str, Kind],
        reading: Reading,
        noticed: Suspicions,
    ) -> int:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = [(column.name, _arrow_type(kinds[column.name])) for column in columns]
        schema = pa.schema([*types, (ROW, pa.int64())])
        written = 0
        with pq.ParquetWriter(self._into / "rows.parquet", schema, compression="zstd") as writer:
            for batch in self._read():
                rows = self._typed(batch, columns, kinds, schema, reading)
                tracked = [column for column in columns if column.name in noticed.tracked]
                noticed.add(
                    {
                        column.name: noticed.count(column, _one(batch[column.name]))
                        for column in tracked
                        if column.name in batch.column_names
                    }
                )
                written += rows.num_rows
                writer.write_table(rows)
        for path in self._batches:
            path.unlink()
        return written

    def _typed(
        self,
        batch: pa.Table,
        columns: Sequence[Column],
        kinds: Mapping[str, Kind],
        schema: pa.Schema,
        reading: Reading,
    ) -> pa.Table:
        """Return the rows of one batch that fit; hold the others."""
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = _one(batch[ROW])
        arrays, bad = [], None
        for column in columns:
            wanted = schema.field(column.name).type
            if column.name not in batch.column_names:
                arrays.append(pa.nulls(batch.num_rows, wanted))
                continue
            cells = _one(batch[column.name])
            values, misfits = self._values(cells, column, kinds[column.name], reading)
            arrays.append(values if values.type == wanted else values.cast(wanted))
            if misfits is None:
                continue
            bad = misfits if bad is None else pc.or_(bad, misfits)
            wrong = (numbers.filter(misfits).to_pylist(), cells.filter(misfits).to_pylist())
            for row, raw in zip(*wrong, strict=True):
                self.hold(row, column.name, misfit_code(column), raw)
        rows = pa.Table.from_arrays([*arrays, numbers], schema=schema)
        return rows if bad is None else rows.filter(pc.invert(bad))

    def _values(
        self, cells: pa.Array, column: Column, kind: Kind, reading: Reading
    ) -> tuple[pa.Array, pa.Array | None]:
        """Return cells as values, and the mask of those that do not fit, without nulls in it."""
        written, trimmed = bare(cells, column)
        if column.layouts:
            values, misfits = read_dates(trimmed, column.layouts)
        elif column_type(kind) == "string":
            return written, None
        else:
            sheet = reading.from_1904 is not None
            if sheet and not column.inferred and kind in {"date", "timestamp"}:
                trimmed = _serials_as_dates(trimmed, kind, from_1904=bool(reading.from_1904))
            lenient = column.lenient or (sheet and kind == "timestamp")
            values, misfits = read_cells(trimmed, kind, self._marks, lenient=lenient)
        return values, None if misfits is None else misfits.fill_null(False)

    def _held_table(self) -> pa.Table:
        import pyarrow as pa

        schema = held_schema()
        held = sorted(self._held, key=lambda one: one[0])
        columns = list(zip(*held, strict=True)) or [()] * len(schema)
        arrays = [pa.array(cells, one.type) for cells, one in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _as_declared(self) -> dict[str, Any]:
        """Return the declarations that texts were read by, where they are not the usual ones."""
        source = self._source
        said = {
            "decimal": source.decimal if source.decimal != "." else None,
            "thousands": source.thousands,
            "null": list(source.null),
            "nulls": {name: list(texts) for name, texts in source.nulls.items()},
            "dates": {name: list(texts) for name, texts in source.dates.items()},
        }
        return {key: value for key, value in said.items() if value}


def misfit_code(column: Column) -> str:
    """Return the code of a cell that is not what its column is held to."""
    return "U034" if column.layouts or column.kind == "date" else "U033"


def _settled(column: Column, seen: _Seen) -> Kind:
    """Return the kind that a column is read as."""
    if column.kind == "timestamp" and 2 * seen.zoned > seen.filled:
        return "zoned"
    return column.kind or seen.kind


def _arrow_type(kind: Kind) -> pa.DataType:
    import pyarrow as pa

    return {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "zoned": pa.timestamp("us", "UTC"),
    }.get(kind, pa.string())


def _one(cells: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    made = cells.combine_chunks()
    return made if isinstance(made, pa.Array) else made.chunk(0)


def refuse_twins(names: Sequence[str], place: str) -> None:
    """Raise if two names are equal but for upper and lower case.

    Raises
    ------
    Qua3ckError
        Naming both.
    """
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin != name or list(names).count(name) > 1:
            raise Qua3ckError(
                f'Two columns are called alike: "{twin}" and "{name}"',
                where=f"{place}.path",
                fix="rename one of them; upper and lower case count as equal, and _row is ours",
                code="U133",
            )


def _serials_as_dates(trimmed: pa.Array, kind: Kind, *, from_1904: bool) -> pa.Array:
    """Return numbers that count days as ISO dates; day 60 of the 1900 system never was."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    serial = pc.match_substring_regex(trimmed, pattern=_SERIAL).fill_null(False)
    if not serial.true_count:
        return trimmed
    days = pc.if_else(serial, trimmed, pa.scalar("0")).cast(pa.float64())
    values = days.to_numpy(zero_copy_only=False)
    good = serial.to_numpy(zero_copy_only=False)
    if kind == "date":
        good = good & (values == np.floor(values))
    if from_1904:
        since_1970 = values - _DAYS_TO_1904
    else:
        good = good & (values >= 1) & (np.floor(values) != 60)
        since_1970 = values - _DAYS_TO_1900 + (values < 60)
    moments = pa.array(np.round(since_1970 * _MILLISECONDS).astype(np.int64))
    made = moments.cast(pa.timestamp("ms"))
    iso = (made.cast(pa.date32()) if kind == "date" else made).cast(pa.string())
    return pc.if_else(pa.array(good), pc.replace_substring(iso, " ", "T"), trimmed)

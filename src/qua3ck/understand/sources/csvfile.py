"""Delimited text (CSV and its kin), staged: typed rows, and every other record held with its text.

Read as a stream of blocks by all processors, in bounded memory. All cells are text first; a
column is a number, a boolean or a date only if every filled cell is one, or if it was declared
or known before, and then a cell that is none holds its record. Nothing is dropped and nothing
guessed: the records that came are the rows written and those held, or the load fails.
"""

from __future__ import annotations

import codecs
import itertools
import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.cells import Kind, Marks, column_type, kind_of, widened
from qua3ck.understand.sources.columns import (
    Column,
    bare,
    columns_of,
    marks_of,
    read_column,
    with_kinds,
)
from qua3ck.understand.sources.encoding import CHUNK, packing, unpacked, utf8_chunks, wrong_encoding
from qua3ck.understand.sources.headings import LOOKED_AT, refuse_second_heading
from qua3ck.understand.sources.layout import TOTALS, Body, header_is_data, open_body
from qua3ck.understand.sources.pieces import ROW, Piece, Staged, held_schema
from qua3ck.understand.sources.places import Lines
from qua3ck.understand.sources.records import Block, Parsed, Wrong, blocks, parse, read_records
from qua3ck.understand.sources.rowfile import RowFile
from qua3ck.understand.sources.sheet import Line
from qua3ck.understand.sources.suspicions import Suspicions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_FEW = 1000  # held records below which a share says nothing
_MANY = 200_000  # held records beyond which a file that mostly does not fit is given up
_THREADS = 4

_OURS = {ROW, "_piece", "_known", "_gone"}

_Line = tuple[int, str | None, str, str]  # record, column, code, raw


def stage_csv(
    piece: Piece,
    source: Source,
    *,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Read one delimited text into typed rows and held records.

    Parameters
    ----------
    piece : Piece
        Plain, or packed as gzip, bzip2, xz, zstd, or zip of one file.
    source : Source
        What is declared; what is not is the strictest reading: UTF-8, one header line, the
        delimiter under which all lines have equal counts of cells.
    types : mapping, optional
        Types the columns have already; a cell of another holds its record. Else inferred.
    into : Path
        An empty folder.
    place : str
        The source's place in the project file.

    Returns
    -------
    Staged
        Held: U030 another count of cells, U031 quotes that do not close, U032 bytes that
        cannot be read, U033 a cell that is not of its column's type, U034 no date by the
        declared layouts.

    Raises
    ------
    Qua3ckError
        If the file as a whole is not what was declared: damaged, empty, in another encoding,
        with another delimiter, without a header or with one of several lines that nobody
        declared, or if no record fits.

    Notes
    -----
    Blank cells and null markers are null; a quoted empty cell is one, too. Memory is bounded
    by the block (4 MB, more for wide tables) times the processors, whatever the file's size.
    Types are inferred from the first block and checked in every other; where one differs,
    the file is read again.
    """
    reading = _Reading(piece, source, types, into / "rows.parquet", place)
    outcome = reading.run(None)
    if not outcome.settled:
        outcome = reading.run(outcome.kinds)
    return reading.staged(outcome)


# -- one reading of a file -------------------------------------------------------------------


@dataclass(frozen=True)
class _Typed:
    """A block after typing: values of its good records, and what is held."""

    values: list[pa.Array]
    numbers: NDArray[np.int64]
    count: int
    held: list[_Line]
    kinds: dict[str, Kind]
    counted: dict[str, tuple[int, dict[str, int] | None]]
    wrong: Sequence[Wrong]
    beyond_ascii: int
    lines: int
    begins: NDArray[np.int64] | None


@dataclass
class _Outcome:
    """What one reading of a file came to."""

    body: Body
    columns: list[Column]
    kinds: dict[str, Kind]
    suspicions: Suspicions
    lines: Lines
    settled: bool = True
    count: int = 0
    written: int = 0
    held_records: int = 0
    unreadable: int = 0
    misplaced: int = 0
    beyond_ascii: int = 0
    blank: int = 0
    held: list[pa.Table] = field(default_factory=list)
    widths: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Reading:
    """A piece with everything that is known about it."""

    piece: Piece
    source: Source
    types: Mapping[str, ColumnType] | None
    path: Path
    place: str

    def run(self, kinds: Mapping[str, Kind] | None) -> _Outcome:
        """Read the file once; with ``kinds`` as inferred by a reading before."""
        source, file = self.source, self.piece.name
        marks = marks_of(source)
        with unpacked(self.piece.path, place=self.place) as stream:
            chunks = utf8_chunks(stream, source.encoding, file=file, place=self.place)
            body = open_body(chunks, source, file=file, place=self.place)
            _refuse_reserved(body.names, file, self.place)
            columns = columns_of(body.names, source, self.types, place=self.place)
            outcome = self._read(body, columns, marks, kinds)
        self._judge(outcome)
        return outcome

    def staged(self, outcome: _Outcome) -> Staged:
        """Return the record of a settled reading; counts must agree."""
        import pyarrow as pa

        if outcome.written + outcome.held_records != outcome.count or not outcome.settled:
            message = (
                f"{outcome.count} records came, {outcome.written} were written and "
                f"{outcome.held_records} held"
            )
            raise RuntimeError(message)
        found = [*outcome.body.findings, *outcome.suspicions.findings(outcome.count)]
        found += _blank(self.place, self.piece.name, outcome)
        held = pa.concat_tables([held_schema().empty_table(), *outcome.held])
        return Staged(self.path, outcome.count, held, self._how(outcome), tuple(found))

    def _how(self, outcome: _Outcome) -> dict[str, Any]:
        source, body = self.source, outcome.body
        with self.piece.path.open("rb") as stored:
            packed = packing(stored.read(8))
        return {
            "packed": packed,
            "encoding": source.encoding,
            "delimiter": body.dialect.delimiter,
            "quote": body.dialect.quote,
            "escape": body.dialect.escape,
            "skip": source.skip,
            "header": source.header,
            "footer": len(body.footer),
            "decimal": source.decimal,
            "thousands": source.thousands,
            "null": list(source.null),
            "dates": {name: list(one) for name, one in source.dates.items()},
            "types": {name: column_type(kind) for name, kind in outcome.kinds.items()},
            "starts": outcome.lines.starts(),
        }

    def _read(
        self,
        body: Body,
        columns: list[Column],
        marks: Marks,
        kinds: Mapping[str, Kind] | None,
    ) -> _Outcome:
        width = len(body.names)
        cut = blocks(body.chunks, body.dialect, width, file=self.piece.name, place=self.place)
        first = next(cut, None)
        parsed = parse(first or Block(b"", plain=0), body.dialect, width)
        known = dict(kinds) if kinds else _kinds(columns, parsed.cells, marks)
        columns = _zoned(with_kinds(columns, known), parsed.cells, marks)
        if not {"header", "names"} & self.source.model_fields_set and len(body.header) == 1:
            self._refuse_data_as_header(body, columns, marks)
            self._refuse_second_heading(body, columns, parsed)
        noticed = Suspicions(columns, parsed.cells, marks, place=self.place)
        known = {column.name: column.kind or "" for column in columns}
        outcome = _Outcome(body, columns, known, noticed, Lines(body.line))

        def work(block: Block) -> _Typed:
            return _typed(block, body, columns, marks, noticed)

        items = () if first is None else itertools.chain([first], cut)
        with (
            RowFile(self.path, piece=self.piece, place=self.place) as writer,
            closing(_in_order(work, items)) as results,
        ):
            for typed in results:
                self._take(outcome, typed, writer)
        return outcome

    def _take(self, outcome: _Outcome, typed: _Typed, writer: RowFile) -> None:
        """Add a block's records to those that came."""
        base = outcome.count
        outcome.count += typed.count
        outcome.beyond_ascii += typed.beyond_ascii
        outcome.lines.block(typed.count, typed.lines, typed.begins)
        outcome.suspicions.add(typed.counted)
        for name, kind in typed.kinds.items():
            outcome.kinds[name] = widened(outcome.kinds[name], kind)
            outcome.settled = False
        outcome.misplaced += len(typed.wrong)
        outcome.unreadable += sum(
            one.code == "U032" and r"\x00" not in one.raw for one in typed.wrong
        )
        outcome.codes.update(one.code for one in typed.wrong)
        outcome.widths.update(one.cells for one in typed.wrong)
        if typed.held:
            outcome.held.append(_held(typed.held, base))
            outcome.held_records += len({line[0] for line in typed.held})
            self._refuse_too_many(outcome)
        if outcome.settled:
            outcome.blank += _blank_rows(typed.values)
            outcome.written += len(typed.numbers)
            writer.add(outcome.body.names, typed.values, typed.numbers + base + 1)

    # -- what makes a file another than declared ---------------------------------------------

    def _judge(self, outcome: _Outcome) -> None:
        """Raise if the file as a whole is not what was declared."""
        file, count = self.piece.name, outcome.count
        if count == 0:
            raise Qua3ckError(
                f"{file} has a header and no rows",
                where=f"{self.place}.path",
                fix="bring a file that has rows below its header",
                code="U103",
            )
        strange = outcome.unreadable
        if strange > outcome.beyond_ascii and strange * 100 > count:
            raise self._wrong_encoding()
        bad = outcome.misplaced
        if bad == count or (bad >= _FEW and bad * 2 > count):
            raise self._departs(outcome)
        for line in outcome.body.footer:
            if self._reads_as_record(line, outcome):
                raise Qua3ckError(
                    f"{len(outcome.body.footer)} lines at the end of {file} are declared as its "
                    "footer, and one of them reads as a record",
                    where=f"{self.place}.footer",
                    fix="correct footer:, or bring the file whole",
                    code="U122",
                )

    def _departs(self, outcome: _Outcome) -> Qua3ckError:
        width = len(outcome.body.names)
        usual, times = outcome.widths.most_common(1)[0]
        code, _ = outcome.codes.most_common(1)[0]
        why = {
            "U030": f"do not have the {width} cells of its header; {times} have {usual}",
            "U031": "have quotes that do not close",
            "U032": "hold bytes that cannot be read",
        }[code]
        return Qua3ckError(
            f"{outcome.misplaced} of {outcome.count} records of {self.piece.name} {why}",
            where=self.place,
            fix="look at its delimiter, quotes and first lines; qua3ck load --propose says what "
            "they look like",
            code="U122",
        )

    def _refuse_too_many(self, outcome: _Outcome) -> None:
        if outcome.held_records > _MANY and outcome.held_records * 2 > outcome.count:
            counted: Counter[str] = Counter()
            for lines in outcome.held:
                counted.update(lines["column"].fill_null("the whole record").to_pylist())
            column, times = counted.most_common(1)[0]
            raise Qua3ckError(
                f"{outcome.held_records} of the first {outcome.count} records of "
                f"{self.piece.name} do not fit, most for {column} ({times})",
                where=self.place,
                fix="look whether the file is written in another way than those before; "
                "qua3ck load --propose says how",
                code="U122",
            )

    def _refuse_data_as_header(self, body: Body, columns: Sequence[Column], marks: Marks) -> None:
        """Raise if the first line has values where the columns below have."""
        cells = [cell.strip() for cell in body.header[0]]
        values = [
            cell
            for cell, column in zip(cells, columns, strict=True)
            if column.kind not in {None, "", "digits", "string"}
        ]
        if not values or not header_is_data(cells):
            return
        if all(cell and _is(cell, c, marks) for cell, c in _typed_cells(cells, columns)):
            raise Qua3ckError(
                f"The first line of {self.piece.name} looks like data, not like a header: "
                f"{len(values)} of its {len(cells)} cells are values as in the lines below",
                where=f"{self.place}.path, line {self.source.skip + 1} of {self.piece.name}",
                fix="declare header: 0 and names: [...] if it has no header, header: 1 if it has",
                code="U121",
            )

    def _refuse_second_heading(self, body: Body, columns: Sequence[Column], parsed: Parsed) -> None:
        """Raise if the first record has words where those below have values."""
        if parsed.numbers is not None and (not len(parsed.numbers) or parsed.numbers[0]):
            return  # the first record is held, whatever it is
        shown = [cells.slice(0, LOOKED_AT).fill_null("").to_pylist() for cells in parsed.cells]
        refuse_second_heading(
            Line(body.line - 1, body.header[0]),
            list(zip(*shown, strict=True)),
            typed=[at for at, column in enumerate(columns) if not column.inferred],
            file=self.piece.name,
            place=self.place,
        )

    def _reads_as_record(self, line: str, outcome: _Outcome) -> bool:
        body, marks = outcome.body, marks_of(self.source)
        found = read_records(line, body.dialect, len(body.names))
        if not found.rows:
            return False
        cells = [cell.strip() for cell in found.rows[0]]
        filled = [cell for cell in cells if cell]
        typed = [(cell, c) for cell, c in _typed_cells(cells, outcome.columns) if cell]
        if not typed or len(filled) * 2 < len(cells) or TOTALS.match(filled[0]):
            return False
        return all(_is(cell, column, marks) for cell, column in typed)

    def _wrong_encoding(self) -> Qua3ckError:
        encoding = self.source.encoding
        strict = codecs.getincrementaldecoder(encoding)()
        read = 0
        other = "cp1252"
        with unpacked(self.piece.path, place=self.place) as stream:
            while chunk := stream.read(CHUNK):
                kept = len(strict.getstate()[0])
                try:
                    strict.decode(chunk)
                except UnicodeDecodeError as problem:
                    read += problem.start - kept
                    break
                if 0 in chunk:
                    read, other = read + chunk.index(0), "utf-16"
                    break
                read += len(chunk)
        return wrong_encoding(self.piece.name, encoding, read, other, self.place)


# -- one block -------------------------------------------------------------------------------


def _typed(
    block: Block, body: Body, columns: Sequence[Column], marks: Marks, noticed: Suspicions
) -> _Typed:
    """Return a block's records as values; what does not fit is held."""
    import numpy as np

    parsed = parse(block, body.dialect, len(columns))
    numbers = np.arange(parsed.count) if parsed.numbers is None else parsed.numbers
    held: list[_Line] = [(one.number, None, one.code, one.raw) for one in parsed.wrong]
    kinds: dict[str, Kind] = {}
    counted = {}
    values = []
    good = np.ones(len(numbers), bool)
    for column, text in zip(columns, parsed.cells, strict=True):
        array, misfits, kind = read_column(text, column, marks)
        values.append(array)
        if column.inferred and widened(column.kind or "", kind) != column.kind:
            kinds[column.name] = kind
        elif misfits is not None:
            wrong = misfits.fill_null(False).to_numpy(zero_copy_only=False)
            good &= ~wrong
            code = "U034" if column.layouts or column.kind == "date" else "U033"
            at = np.flatnonzero(wrong)
            raws = text.take(pa_indices(at)).to_pylist()
            rows = numbers[at].tolist()
            held += [(row, column.name, code, raw) for row, raw in zip(rows, raws, strict=True)]
        if column.name in noticed.tracked:
            counted[column.name] = noticed.count(column, text)
    if not good.all():
        mask = pa_indices(good)
        values = [array.filter(mask) for array in values]
        numbers = numbers[good]
    return _Typed(
        values,
        numbers,
        parsed.count,
        held,
        kinds,
        counted,
        parsed.wrong,
        parsed.beyond_ascii,
        parsed.lines,
        parsed.begins,
    )


def pa_indices(values: NDArray[Any]) -> pa.Array:
    """Return a numpy array as an Arrow array."""
    import pyarrow as pa

    return pa.array(values)


def _kinds(columns: Sequence[Column], cells: Sequence[pa.Array], marks: Marks) -> dict[str, Kind]:
    return {
        column.name: kind_of(bare(text, column)[1], marks)
        for column, text in zip(columns, cells, strict=True)
        if column.kind is None
    }


def _zoned(columns: Sequence[Column], cells: Sequence[pa.Array], marks: Marks) -> list[Column]:
    """Return the columns with those timestamps as zoned that begin with a zone."""
    settled = []
    for column, text in zip(columns, cells, strict=True):
        zoned = column.kind == "timestamp" and not column.layouts
        if zoned and kind_of(bare(text, column)[1].drop_null().slice(0, 1), marks) == "zoned":
            settled.append(replace(column, kind="zoned"))
        else:
            settled.append(column)
    return settled


def _typed_cells(cells: Sequence[str], columns: Sequence[Column]) -> list[tuple[str, Column]]:
    return [
        (cell, column)
        for cell, column in zip(cells, columns, strict=True)
        if column.kind not in {None, "", "digits", "string"}
    ]


def _is(cell: str, column: Column, marks: Marks) -> bool:
    import pyarrow as pa

    return read_column(pa.array([cell], pa.string()), column, marks)[1] is None


def _held(lines: Sequence[_Line], base: int) -> pa.Table:
    import pyarrow as pa

    rows, columns, codes, raws = zip(*sorted(lines, key=lambda line: line[0]), strict=True)
    numbers = [row + base + 1 for row in rows]
    return pa.table([numbers, columns, codes, raws], schema=held_schema())


def _blank_rows(values: Sequence[pa.Array]) -> int:
    """Return how many rows have no value at all."""
    import pyarrow.compute as pc

    if not values or any(array.null_count == 0 for array in values):
        return 0
    empty = None
    for array in values:
        null = pc.is_null(array)
        empty = null if empty is None else pc.and_(empty, null)
        if not empty.true_count:
            return 0
    return int(empty.true_count) if empty is not None else 0


def _blank(place: str, file: str, outcome: _Outcome) -> list[Finding]:
    if not outcome.blank:
        return []
    return [
        Finding(
            "U037",
            "inform",
            f"{place}, {file}",
            f"{outcome.blank} of {outcome.count} records have no value in any column.",
            {"records": outcome.blank},
        )
    ]


def _refuse_reserved(names: Sequence[str], file: str, place: str) -> None:
    """Raise for a column that would be taken for what a table knows of each row."""
    ours = next((name for name in names if name.lower() in _OURS), None)
    if ours is not None:
        raise Qua3ckError(
            f'A column of {file} is called "{ours}", a name that is ours',
            where=f"{place}.names",
            fix="give the columns other names: names: [...], in the order of the file",
            code="U120",
        )


# -- order -------------------------------------------------------------------------------


def _in_order(
    act: Callable[[Block], _Typed], items: Iterable[Block]
) -> Generator[_Typed, None, None]:
    """Yield what ``act`` makes of each item, in order, a few of them worked on at a time."""
    workers = min(os.cpu_count() or 1, _THREADS)
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[_Typed]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(act, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

"""A report sheet, delimited text or spreadsheet, read through its ``tidy:`` steps."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.dialect import decide_delimiter
from qua3ck.understand.sources.encoding import unpacked, utf8_chunks
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.sheet import Fault, Sheet, counted
from qua3ck.understand.sources.texts import Reading, TextRows
from qua3ck.understand.sources.tidy import tidied

_LONGEST = 1 << 26  # characters of one cell


def stage_tidy(
    piece: Piece,
    source: Source,
    *,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Read a report sheet as the table that its steps make of it.

    Parameters
    ----------
    piece : Piece
        A delimited text or a workbook, by the source's kind.
    source : Source
        ``tidy``: the steps.
    types : mapping, optional
        What columns are held to; others are inferred over the piece.
    into : Path
        An empty folder.
    place : str
        The source's place in the project file.

    Returns
    -------
    Staged
        ``_row`` says the line of the sheet, after unpivot line * 100,000 + column; see
        :func:`qua3ck.understand.sources.places.place_of`. Held: cells with a formula error
        (U040), texts that a step cannot read (U041), cells that do not fit a type.

    Raises
    ------
    Qua3ckError
        If the file cannot be read, or a step cannot be done on it (U130).
    """
    report = _report(piece, source, place)
    made = tidied(
        report.sheet,
        source.tidy,
        header=source.header,
        names=source.names,
        decimal=source.decimal,
        thousands=source.thousands,
        null=source.null,
        place=place,
    )
    texts = TextRows(source, types, into=into, place=place)
    for row, column, code, raw in made.held:
        texts.hold(row, column, code, raw)
    faulty = _hold_faults(made.columns, made.rows, source, texts)
    kept = [at for at, row in enumerate(made.rows) if row not in faulty]
    columns = {name: [cells[at] for at in kept] for name, cells in made.columns.items()}
    texts.add(columns, [made.rows[at] for at in kept])
    return texts.finish(
        how={**report.how, "tidy": made.how},
        findings=(*report.findings, *made.findings),
        reading=Reading(from_1904=report.from_1904),
    )


@dataclass(frozen=True)
class _Report:
    """A sheet, how it was read, and for spreadsheets the date system."""

    sheet: Sheet
    how: Mapping[str, Any]
    findings: Sequence[Finding] = ()
    from_1904: bool | None = None


def _report(piece: Piece, source: Source, place: str) -> _Report:
    if source.kind != "excel":
        return _delimited(piece, source, place)
    from qua3ck.understand.sources.excel import open_sheet

    fates: dict[str, int] = {}
    with open_sheet(piece, source, place=place) as opened:
        lines = list(counted(opened.rows, fates, skip=source.skip, footer=source.footer))
    sheet = Sheet(lines, opened.left, opened.merged, fates)
    return _Report(sheet, opened.how, opened.findings, opened.from_1904)


def _hold_faults(
    columns: Mapping[str, list[str]], rows: list[int], source: Source, texts: TextRows
) -> set[int]:
    """Hold the rows into which a formula error was carried; return their numbers."""
    faulty = set()
    for name, cells in columns.items():
        nulls = source.nulls.get(name, ())
        for row, cell in zip(rows, cells, strict=True):
            if isinstance(cell, Fault) and cell not in nulls:
                texts.hold(row, name, "U040", str(cell))
                faulty.add(row)
    return faulty


def _delimited(piece: Piece, source: Source, place: str) -> _Report:
    fates: dict[str, int] = {}
    with unpacked(piece.path, place=place) as stream:
        chunks = utf8_chunks(stream, source.encoding, file=piece.name, place=place)
        text = _text(b"".join(chunks), piece, place)
    delimiter = source.delimiter or decide_delimiter(
        text, quote=source.quote, whole=True, file=piece.name, place=place
    )
    rows = _rows(text, delimiter, source, piece, place)
    lines = list(counted(rows, fates, skip=source.skip, footer=source.footer))
    if not lines:
        gone = f"{fates['skipped']} lines are skipped, and " if "skipped" in fates else ""
        raise Qua3ckError(
            f"{piece.name} is empty: {gone}nothing is below",
            where=f"{place}.path",
            fix="bring a file that has rows, or correct skip:; an empty one never counts as loaded",
            code="U103",
        )
    how = {"encoding": source.encoding, "delimiter": delimiter}
    return _Report(Sheet(lines, fates=fates), how)


def _text(raw: bytes, piece: Piece, place: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as problem:
        raise Qua3ckError(
            f"{piece.name} is not in the declared encoding: byte {problem.start} cannot be read",
            where=f"{place}.encoding",
            fix="declare what it is, such as: encoding: cp1252",
            code="U102",
        ) from None


def _rows(
    text: str, delimiter: str, source: Source, piece: Piece, place: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the line that a record begins in, and its cells."""
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    lines = text.splitlines(keepends=True)
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=source.quote or None,
        quoting=csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE,
        strict=True,
    )
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error:
        raise Qua3ckError(
            f"The quotes of {piece.name} do not close from line {number} on",
            where=f"{place}.path",
            fix='close the quote; inside a quoted cell write "" for a quote',
            code="U102",
        ) from None

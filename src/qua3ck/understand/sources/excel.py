"""Spreadsheets (xlsx, xlsb, xls, ods): their cells as text, then read as any text cells are.

A sheet is chosen by name or number; where only one has rows, that one is taken and it is said.
Numbers come without ``.0``, dates as ISO, text as it stands, so that ``007`` stays text. A
record with a formula error, or with a formula that was never computed, is held: calamine alone
would give an empty cell.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.extras import need
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.headings import LOOKED_AT, refuse_further_headings
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.places import Lines
from qua3ck.understand.sources.sheet import Fault, Line, Range, counted, levels, summary
from qua3ck.understand.sources.texts import Reading, TextRows
from qua3ck.understand.sources.workbook import (
    Told,
    column_number,
    format_of,
    is_locked,
    look_into,
    refuse_cut_off,
)

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook, SheetMetadata

_BATCH = 20_000  # lines typed together
_RANGE = re.compile(r"([A-Za-z]{0,3})([0-9]{0,7})(?::([A-Za-z]{0,3})([0-9]{0,7}))?")
_LAST = 1 << 40
_UNNAMED = "unnamed_"


@dataclass
class Opened:
    """A sheet that is open: its lines as text, and what else is known of it.

    ``rows`` yields (line, cells) from the first line of the sheet on, within the range chosen.
    """

    rows: Iterator[tuple[int, list[str]]]
    left: int
    merged: Sequence[Range]
    from_1904: bool
    faulty: bool
    how: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


def stage_excel(
    piece: Piece,
    source: Source,
    *,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Read one sheet of a workbook as rows.

    Parameters
    ----------
    piece : Piece
        A workbook; its content says of which format, not its name.
    source : Source
        ``sheet``, ``range``, ``skip``, ``footer``, ``header``, ``names`` and how cells are read.
    types : mapping, optional
        What columns are held to; others are inferred over the piece.
    into : Path
        An empty folder.
    place : str
        The source's place in the project file.

    Returns
    -------
    Staged
        ``_row`` counts the lines below the heading that are not blank. Held: a record with a
        formula error (U040), with cells that do not fit.

    Raises
    ------
    Qua3ckError
        If the file is locked by a password (U127), the sheet or the range is not there, or
        several sheets have rows (U128), the file is empty or damaged (U129), or one line is not
        all of the heading and nothing is declared about it (U044).
    """
    fates: dict[str, int] = {}
    texts = TextRows(source, types, into=into, place=place)
    with open_sheet(piece, source, place=place) as opened:
        lines = counted(opened.rows, fates, skip=source.skip, footer=source.footer)
        heading = list(itertools.islice(lines, source.header))
        if heading and not {"header", "names"} & source.model_fields_set:
            head = list(itertools.islice(lines, LOOKED_AT))
            lines = itertools.chain(head, lines)
            told_by = (opened.merged, opened.left)
            refuse_further_headings(heading[0], head, *told_by, file=piece.name, place=place)
        below = _below(lines, heading, opened, source, texts, place)
    if below.count == 0:
        raise _empty(f"{piece.name} has {'a heading and ' if heading else ''}no rows", place)
    told = summary(fates | {"heading": len(heading)}, below.count)
    how = {**opened.how, "lines": told, "starts": below.lines.starts()}
    staged = texts.finish(
        how=how,
        findings=opened.findings,
        reading=Reading(from_1904=opened.from_1904, optional=below.unnamed),
    )
    kept = [name for name in below.unnamed if name in staged.how["types"]]
    if not kept:
        return staged
    return replace(staged, findings=(*staged.findings, _unnamed(kept, piece)))


@contextmanager
def open_sheet(piece: Piece, source: Source, *, place: str) -> Iterator[Opened]:
    """Open the sheet that a source names.

    Raises
    ------
    Qua3ckError
        As :func:`stage_excel`.
    """
    need("python_calamine", extra="excel", what="reading Excel files")
    with _workbook(piece, place) as book:
        metadata, findings = _choose(book, source, piece, place)
        with _damage_told(piece, place):
            sheet = book.get_sheet_by_name(metadata.name)
            told = look_into(piece.path, metadata.name)
        first, last = _range(source.range, place)
        start = sheet.start or (0, 0)
        how = {
            "format": format_of(piece.path),
            "sheet": metadata.name,
            "range": source.range or "",
            "dates from": 1904 if told.from_1904 else 1900,
            "formula errors": len(told.errors),
        }
        merged = [
            ((a[0] + 1, a[1] + 1), (b[0] + 1, b[1] + 1)) for a, b in sheet.merged_cell_ranges or ()
        ]
        rows = _cells(sheet, told, first, last, source)
        left = max(first[1], start[1] + 1)
        yield Opened(rows, left, merged, told.from_1904, bool(told.errors), how, findings)


# -- the file and its sheets -----------------------------------------------------------------


@contextmanager
def _workbook(piece: Piece, place: str) -> Iterator[CalamineWorkbook]:
    from python_calamine import CalamineWorkbook

    kind = format_of(piece.path)
    if kind == "empty":
        raise _empty(f"{piece.name} is empty: 0 bytes", place)
    if kind in {"text", "unknown"}:
        raise _no_workbook(piece, kind, place)
    with piece.path.open("rb") as handle:
        with _damage_told(piece, place):
            if kind == "xls":
                refuse_cut_off(piece.path)
            book = CalamineWorkbook.from_filelike(handle)
        with book:
            yield book


@contextmanager
def _damage_told(piece: Piece, place: str) -> Iterator[None]:
    """Say in our words whatever a workbook that is not built as it should be leads to."""
    try:
        yield
    except Qua3ckError:
        raise
    except Exception as problem:
        raise _unreadable(piece, problem, place) from problem
    except BaseException as problem:
        if type(problem).__name__ != "PanicException":  # what Rust code gives up with
            raise
        raise _unreadable(piece, problem, place) from None


def _choose(
    book: CalamineWorkbook, source: Source, piece: Piece, place: str
) -> tuple[SheetMetadata, list[Finding]]:
    """Return the sheet declared, or the only visible one with rows."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    if source.sheet is not None:
        return _named(source.sheet, sheets, piece, place), []
    hidden = [one.name for one in sheets if one.visible != SheetVisibleEnum.Visible]
    seen = [one for one in sheets if one.name not in hidden]
    with _damage_told(piece, place):
        filled = [one for one in seen if book.get_sheet_by_name(one.name).start is not None]
    if not filled:
        raise _empty(f"{piece.name} has no rows in its {len(seen)} sheets{_hidden(hidden)}", place)
    if len(filled) > 1:
        names = ", ".join(f'"{one.name}"' for one in filled)
        raise Qua3ckError(
            f"{piece.name} has {len(filled)} sheets with rows: {names}{_hidden(hidden)}",
            where=f"{place}.sheet",
            fix=f'name the one that is meant, such as: sheet: "{filled[0].name}"',
            code="U128",
        )
    if len(sheets) == 1:
        return filled[0], []
    others = [one.name for one in sheets if one.name != filled[0].name]
    says = f'Of {len(sheets)} sheets only "{filled[0].name}" has rows, or is not hidden; it is read'
    evidence = {"sheet": filled[0].name, "others": others, "hidden": hidden}
    return filled[0], [
        Finding("U042", "inform", f"{place}, {piece.name}", f"{says}{_hidden(hidden)}.", evidence)
    ]


def _named(
    wanted: str | int, sheets: Sequence[SheetMetadata], piece: Piece, place: str
) -> SheetMetadata:
    names = [one.name for one in sheets]
    if isinstance(wanted, int) and 1 <= wanted <= len(sheets):
        return sheets[wanted - 1]
    for one in sheets:
        if one.name == wanted:
            return one
    near = did_you_mean(str(wanted), names)
    raise Qua3ckError(
        f"{piece.name} has no sheet {wanted if isinstance(wanted, int) else repr(wanted)}{near}",
        where=f"{place}.sheet",
        fix=f"use one of: {', '.join(names[:20])}; or a number from 1 to {len(names)}",
        code="U128",
    )


def _hidden(names: Sequence[str]) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return f" (hidden: {listed})" if names else ""


def _range(text: str | None, place: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and last (line, column) of ``B4:H200``; a part may be left open."""
    if text is None:
        return (1, 1), (_LAST, _LAST)
    match = _RANGE.fullmatch(text.replace("$", "").strip())
    if match is None or not any(match.groups()):
        raise Qua3ckError(
            f'"{text}" is no range of cells',
            where=f"{place}.range",
            fix="write first and last cell, such as: range: B4:H200, or B4:H, or B:H",
            code="U128",
        )
    letters, line, to_letters, to_line = match.groups()
    first = (int(line or 1), column_number(letters) or 1)
    last = (int(to_line or _LAST), column_number(to_letters or "") or _LAST)
    if last[0] < first[0] or last[1] < first[1]:
        raise Qua3ckError(
            f'The range "{text}" ends before it begins',
            where=f"{place}.range",
            fix="write the upper left cell first",
            code="U128",
        )
    return first, last


# -- cells to text -----------------------------------------------------------------------------


def _cells(
    sheet: CalamineSheet,
    told: Told,
    first: tuple[int, int],
    last: tuple[int, int],
    source: Source,
) -> Iterator[tuple[int, list[str]]]:
    if sheet.start is None:
        return
    top, left = sheet.start[0] + 1, sheet.start[1] + 1
    begin, end = max(first[1] - left, 0), last[1] - left + 1
    faults: dict[int, list[tuple[int, str]]] = {}
    for (line, column), text in told.errors.items():
        faults.setdefault(line, []).append((column - left, text))
    nulls = {"", *source.null}
    for line in range(first[0], top):
        yield line, []
    for line, row in enumerate(sheet.iter_rows(), top):
        if line > last[0]:
            return
        if line < first[0]:
            continue
        cells = [_text(cell, source.decimal) for cell in row]
        for column, text in faults.get(line, ()):
            if 0 <= column < len(cells) and text not in nulls:
                cells[column] = Fault(text)
        yield line, cells[begin:end]


def _text(cell: Any, decimal: str) -> str:
    """Return a cell as the text that a careful person would type."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 2**63:
            return str(int(cell))
        return repr(cell).replace(".", decimal)
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    return _span(cell) if isinstance(cell, dt.timedelta) else str(cell)


def _span(span: dt.timedelta) -> str:
    """Return a duration as hours, minutes and seconds: 255:10:10."""
    sign = "-" if span < dt.timedelta(0) else ""
    seconds, parts = divmod(abs(span), dt.timedelta(seconds=1))
    fraction = f".{parts.microseconds:06d}".rstrip("0") if parts else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


# -- the rows below the heading ----------------------------------------------------------------


@dataclass
class _Below:
    """The rows below the heading: how many, in which lines they stand, names that we gave."""

    count: int = 0
    lines: Lines = field(default_factory=Lines)
    unnamed: list[str] = field(default_factory=list)

    def next(self, line: Line) -> int:
        """Return the number of the row that stands in a line."""
        self.count += 1
        self.lines.add(self.count, line.number)
        return self.count


def _below(
    lines: Iterator[Line],
    heading: Sequence[Line],
    opened: Opened,
    source: Source,
    texts: TextRows,
    place: str,
) -> _Below:
    """Hand the rows over in batches."""
    below = _Below()
    names: list[str] = []
    while batch := list(itertools.islice(lines, _BATCH)):
        if not names:
            names = _names(heading, len(batch[0].cells), opened, source, place)
        rows, kept = [], []
        for line in batch:
            row = below.next(line)
            if opened.faulty and _hold_faults(line, row, names, source, texts):
                continue
            rows.append(row)
            kept.append(line.cells)
        columns = zip(*kept, strict=True) if kept else ()
        texts.add(dict(zip(names, columns, strict=False)), rows)
    below.unnamed = [name for name in names if name.startswith(_UNNAMED)]
    return below


def _names(
    heading: Sequence[Line], width: int, opened: Opened, source: Source, place: str
) -> list[str]:
    """Return a name for each column: declared, from the heading, or given by us."""
    given = list(source.names)
    if len(given) > width:
        raise Qua3ckError(
            f"names: has {len(given)} names, the sheet {width} columns",
            where=f"{place}.names",
            fix="name each column once, from the left",
            code="U128",
        )
    above = levels(heading, width, opened.merged, opened.left)
    found = [" ".join(dict.fromkeys(text for text in column if text)) for column in above]
    names = given + ([""] * (width - len(given)) if given else found)
    start = _UNNAMED if heading or given else "column_"
    names = [name or f"{start}{at + opened.left}" for at, name in enumerate(names)]
    twins = [name for name, times in Counter(names).items() if times > 1]
    if twins:
        raise Qua3ckError(
            f'The sheet has two columns called "{twins[0]}"',
            where=f"{place}.path, line {heading[-1].number if heading else 1}",
            fix="rename one of them in the file, or name all columns with names:",
            code="U128",
        )
    return names


def _hold_faults(
    line: Line, row: int, names: Sequence[str], source: Source, texts: TextRows
) -> bool:
    """Hold a record for each of its formula errors; return whether there are any."""
    found = False
    for name, cell in zip(names, line.cells, strict=False):
        if isinstance(cell, Fault) and cell not in source.nulls.get(name, ()):
            texts.hold(row, name, "U040", str(cell))
            found = True
    return found


# -- what is said --------------------------------------------------------------------------------


def _unreadable(piece: Piece, problem: BaseException, place: str) -> Qua3ckError:
    """Return what to say of a workbook that calamine cannot open."""
    if is_locked(piece.path):
        return Qua3ckError(
            f"{piece.name} is locked by a password",
            where=f"{place}.path",
            fix="open it, save a copy without the password (Excel: File, Info, Protect "
            "Workbook), and load the copy",
            code="U127",
        )
    return Qua3ckError(
        f"{piece.name} is damaged or no workbook ({type(problem).__name__})",
        where=f"{place}.path",
        fix="open it in Excel or LibreOffice, save it as .xlsx, and load that",
        code="U129",
    )


def _no_workbook(piece: Piece, kind: str, place: str) -> Qua3ckError:
    what = "text" if kind == "text" else "no workbook"
    return Qua3ckError(
        f"{piece.name} is {what} inside, whatever it is called",
        where=f"{place}.path",
        fix="declare kind: csv if its cells are told apart by commas or the like; else save "
        "it as .xlsx in Excel or LibreOffice",
        code="U129",
    )


def _empty(what: str, place: str) -> Qua3ckError:
    return Qua3ckError(
        what,
        where=f"{place}.path",
        fix="bring a file that has rows; an empty one never counts as loaded",
        code="U129",
    )


def _unnamed(names: Sequence[str], piece: Piece) -> Finding:
    return Finding(
        "U018",
        "inform",
        f"{piece.name}, the header",
        f"{len(names)} columns have no name; they are called {', '.join(names[:5])}.",
        {"columns": list(names)},
    )

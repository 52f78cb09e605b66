"""CSV files, read strictly: no row is dropped, no cell is guessed.

All cells are read as text first. A column becomes a number, a boolean or a date only if every
filled cell is one; leading zeros stay text, ``NA`` stays Namibia unless declared as null.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import Source
from qua3ck.understand.sources.cells import almost_number, inferred, typed
from qua3ck.understand.sources.read import Loaded, joined

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_BLOCK = 1 << 24  # bytes; a row must fit into one
_HEAD = 200_000  # characters looked at to tell the delimiter


def read_csv_files(files: Sequence[Path], source: Source, *, place: str) -> Loaded:
    """Return the rows of one or several CSV files, typed over all of them together.

    Parameters
    ----------
    files : sequence of Path
        Plain or gzip; concatenated in the order given, equal columns required.
    source : Source
        Delimiter, encoding, decimal mark, null markers and types, where declared.
    place : str
        The source's place in the project file.

    Raises
    ------
    Qua3ckError
        For a ragged row (its number and its count of cells), a wrong encoding (its byte),
        an undecidable delimiter, two columns of one name, a header without rows, or cells
        that do not fit a declared type (their row numbers).
    """
    digests = {}
    tables = []
    findings: list[Finding] = []
    for file in files:
        raw, digests[file.name] = _bytes(file, place)
        text = _text(raw, source.encoding, file.name, place)
        table, unnamed = _cells(text, source, file.name, place)
        tables.append(table)
        if unnamed:
            findings.append(_unnamed(file.name, unnamed))
    cells = joined(tables, files, place=place)
    _declared_exist(source, cells.column_names, place)
    rows, suspects = _typed_columns(cells, source, place)
    return Loaded(rows, digests, (*findings, *suspects))


def decide_delimiter(text: str, *, file: str, place: str) -> str:
    """Return the delimiter under which the head of a file has equal counts of cells.

    Raises
    ------
    Qua3ckError
        If none or several fit.
    """
    head, whole = text[:_HEAD], len(text) <= _HEAD
    counts = {mark: _cell_counts(head, mark, whole=whole) for mark in DELIMITERS}
    even = [mark for mark, seen in counts.items() if len(set(seen)) == 1 and seen[0] > 1]
    if len(even) == 1:
        return even[0]
    if not even:
        if all(set(seen) <= {1} for seen in counts.values()):
            return ","  # one column
        near = [mark for mark, seen in counts.items() if seen and seen[0] > 1]
        if len(near) == 1:
            return near[0]  # a ragged row: the strict reader will name it
    fits = " and ".join(_NAMES[mark] for mark in even) if even else "none of , ; tab |"
    raise Qua3ckError(
        f"The delimiter of {file} cannot be decided: {fits} would fit",
        where=f"{place}.delimiter",
        fix='declare it, such as: delimiter: ";"',
        code="U102",
    )


def _bytes(file: Path, place: str) -> tuple[bytes, str]:
    try:
        stored = file.read_bytes()
        name = hashlib.sha256(stored).hexdigest()
        return (gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored), name
    except (OSError, EOFError, zlib.error) as problem:
        raise Qua3ckError(
            f"{file.name} cannot be read ({type(problem).__name__})",
            where=f"{place}.path",
            fix="bring an undamaged file that you may read",
            code="U101",
        ) from problem


def _text(raw: bytes, encoding: str, file: str, place: str) -> str:
    if encoding.lower().replace("_", "-") in {"utf-8", "utf8"}:
        encoding = "utf-8-sig"
        if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise _wrong_encoding(file, 0, "utf-16", place)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as problem:
        raise _wrong_encoding(file, problem.start, "cp1252", place) from None
    except LookupError:
        raise Qua3ckError(
            f'Unknown encoding "{encoding}"',
            where=f"{place}.encoding",
            fix="write one of: utf-8, cp1252, latin-1, utf-16, or another that Python knows",
            code="U102",
        ) from None


def _cells(text: str, source: Source, file: str, place: str) -> tuple[pa.Table, list[str]]:
    """Return all cells as text, and the names given to columns without one."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if not text.strip():
        raise Qua3ckError(
            f"{file} is empty",
            where=f"{place}.path",
            fix="bring a file with a header line and rows",
            code="U103",
        )
    text = text.lstrip("\r\n")
    mark = source.delimiter or decide_delimiter(text, file=file, place=place)
    header, unnamed = _header(text, mark, file, place)
    _refuse_open_quote(text, mark, file, place)
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=arrow_csv.ReadOptions(
                column_names=header, skip_rows_after_names=1, block_size=_BLOCK
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=mark, newlines_in_values='"' in text, ignore_empty_lines=len(header) > 1
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as problem:
        raise _ragged(text, mark, len(header), file, place) from problem
    if table.num_rows == 0:
        raise Qua3ckError(
            f"{file} has a header and no rows",
            where=f"{place}.path",
            fix="bring a file that has rows below its header",
            code="U103",
        )
    return table, unnamed


def _header(text: str, mark: str, file: str, place: str) -> tuple[list[str], list[str]]:
    try:
        names = [name.strip() for name in next(_records(text, mark))]
    except csv.Error:
        raise Qua3ckError(
            f"The header of {file} cannot be read: its quotes do not close",
            where=f"{place}.path, line 1 of {file}",
            fix='close the quote; inside a quoted name write "" for a quote',
            code="U102",
        ) from None
    unnamed = [f"unnamed_{i}" for i, name in enumerate(names, 1) if not name]
    names = [name or f"unnamed_{i}" for i, name in enumerate(names, 1)]
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise Qua3ckError(
            f'{file} has two columns called "{twins[0]}"',
            where=f"{place}.path, the header of {file}",
            fix="rename one of them in the file",
            code="U102",
        )
    return names, unnamed


def _refuse_open_quote(text: str, mark: str, file: str, place: str) -> None:
    """Raise for a quote that nothing closes: the rest of the file would be one cell."""
    if text.count('"') % 2 == 0:
        return
    rows = 0
    try:
        for _ in _records(text, mark):
            rows += 1
    except csv.Error:
        raise Qua3ckError(
            f"A quote in {file} is opened and never closed; it begins at row {rows} "
            "(the row below the header is row 1)",
            where=f"{place}.path",
            fix='close the quote; inside a quoted cell write "" for a quote',
            code="U102",
        ) from None


def _ragged(text: str, mark: str, width: int, file: str, place: str) -> Qua3ckError:
    wrong: list[tuple[int, int]] = []
    try:
        for row, record in enumerate(_records(text, mark)):
            if record and len(record) != width:
                wrong.append((row, len(record)))
    except csv.Error:
        pass  # the rows before the unreadable one are reported
    if not wrong:
        return Qua3ckError(
            f"{file} cannot be read as CSV",
            where=f"{place}.path",
            fix="look for stray quotes or for a wrong delimiter",
            code="U102",
        )
    row, cells = wrong[0]
    more = f", and {len(wrong) - 1} more rows" if len(wrong) > 1 else ""
    return Qua3ckError(
        f"Row {row} of {file} has {cells} cells, the header has {width}{more} "
        "(the row below the header is row 1)",
        where=f"{place}.path",
        fix="correct the row (often a delimiter inside a cell that is not quoted); "
        "rows are never dropped",
        code="U102",
    )


def _records(text: str, mark: str) -> Iterator[list[str]]:
    limit = max(len(text), 1)
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    return csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)


def _cell_counts(head: str, mark: str, *, whole: bool) -> list[int]:
    counts: list[int] = []
    # The head may end inside quotes, or quotes may not suit this delimiter: count what came.
    with suppress(csv.Error):
        counts.extend(len(record) for record in _records(head, mark) if record)
    return counts if whole or len(counts) < 2 else counts[:-1]


def _declared_exist(source: Source, names: Sequence[str], place: str) -> None:
    for name in source.types:
        if name not in names:
            raise Qua3ckError(
                f'No column "{name}"{did_you_mean(name, names)}',
                where=f"{place}.types.{name}",
                fix=f"use one of: {', '.join(list(names)[:20])}",
                code="U102",
            )


def _typed_columns(
    cells: pa.Table, source: Source, place: str
) -> tuple[pa.Table, tuple[Finding, ...]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays: list[pa.Array] = []
    findings: list[Finding] = []
    for name in cells.column_names:
        column = cells[name].combine_chunks()
        bare = pc.utf8_trim_whitespace(column)
        markers = pa.array(["", *source.null], pa.string())
        empty = pc.is_in(bare, value_set=markers)
        bare = pc.if_else(empty, pa.scalar(None, pa.string()), bare)
        column = pc.if_else(empty, pa.scalar(None, pa.string()), column)
        if name in source.types:
            wanted = source.types[name]
            arrays.append(
                column
                if wanted == "string"
                else typed(bare, wanted, source.decimal, name=name, place=place)
            )
            continue
        made = inferred(bare, source.decimal)
        arrays.append(column if made is None else made)
        if made is None:
            found = almost_number(bare, source.decimal, name=name, place=place)
            findings.extend([found] if found else [])
    return pa.table(arrays, names=cells.column_names), tuple(findings)


def _wrong_encoding(file: str, byte: int, other: str, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"{file} is not in the declared encoding: byte {byte} cannot be read",
        where=f"{place}.encoding",
        fix=f"declare what it is, such as: encoding: {other}",
        code="U102",
    )


def _unnamed(file: str, names: Sequence[str]) -> Finding:
    return Finding(
        "U018",
        "inform",
        f"{file}, the header",
        f"{len(names)} columns have no name; they are called {', '.join(names[:5])}.",
        {"columns": list(names)},
    )

"""Published tables as Parquet, CSV and Excel files; a folder changes whole or not at all.

Text that a spreadsheet would run as a formula is written so that it stays text.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need
from qua3ck.understand.publish.star import Table
from qua3ck.understand.publish.stored import Stored

if TYPE_CHECKING:
    import pyarrow as pa

DICTIONARY = "data_dictionary"
FORMATS = ("parquet", "csv", "excel")
_EXCEL_ROWS = 1_048_576
_BATCH = 65_536  # rows written at once
_RUN_AS_FORMULA = r"^[=+\-@\t\r]"


def write_files(
    tables: Sequence[Table], words: pa.Table, *, folder: Path, kinds: Sequence[str], title: str
) -> tuple[Path, ...]:
    """Write the tables and their dictionary; return the files written.

    Parameters
    ----------
    words : pyarrow.Table
        The data dictionary.
    folder : Path
        Replaced as a whole once everything is written beside it.
    kinds : sequence of {"parquet", "csv", "excel"}
        The formats.
    title : str
        The name of the workbook.

    Raises
    ------
    Qua3ckError
        If a table does not fit into a sheet, or the folder holds files of others, is a file,
        or cannot be written.
    """
    _refuse_strangers(folder)
    if "excel" in kinds:
        refuse_long({table.name: table.rows.num_rows for table in tables})
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        _begin(beside, folder)
        (beside / ".qua3ck-published").write_text("written by qua3ck publish\n", encoding="utf-8")
        listed = (*tables, Table(DICTIONARY, words))
        for kind in kinds:
            if kind == "excel":
                _excel(listed, beside / f"{title}.xlsx")
            else:
                for table in listed:
                    _one(table, beside, kind)
        names = sorted(path.name for path in beside.iterdir() if not path.name.startswith("."))
        _swap(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuple(folder / name for name in names)


def _one(table: Table, folder: Path, kind: str) -> None:
    if kind == "parquet":
        _parquet(table, folder / f"{table.name}.parquet")
        return
    from pyarrow import csv

    with (folder / f"{table.name}.csv").open("wb") as handle:
        handle.write(b"\xef\xbb\xbf")  # without it Excel reads UTF-8 as the local code page
        with csv.CSVWriter(handle, table.rows.schema) as writer:
            for batch in table.rows.to_batches(max_chunksize=_BATCH):
                writer.write_batch(_harmless(batch))


def _parquet(table: Table, path: Path) -> None:
    import pyarrow.parquet as pq

    if isinstance(table.rows, Stored):
        shutil.copyfile(table.rows.path, path)
    else:
        pq.write_table(table.rows, path, compression="zstd")


def _harmless(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(rows.schema):
        if not pa.types.is_string(field.type):
            continue
        column = rows.column(place)
        risky = pc.match_substring_regex(column, pattern=_RUN_AS_FORMULA)
        safe = pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
        rows = rows.set_column(place, field, safe)
    return rows


def refuse_long(rows: Mapping[str, int]) -> None:
    """Refuse tables that no sheet of a workbook holds, before anything is made of them.

    Parameters
    ----------
    rows : mapping
        Each table's name to its rows.

    Raises
    ------
    Qua3ckError
        If one has too many.
    """
    for name, count in rows.items():
        if count >= _EXCEL_ROWS:
            raise Qua3ckError(
                f"{name} has {count} rows, a sheet of Excel holds {_EXCEL_ROWS - 1}; nothing was "
                "published",
                where="understand.publish.to",
                fix="publish it as parquet or csv, or fold its rows in the query",
                code="U163",
            )


def _excel(tables: Sequence[Table], path: Path) -> None:
    openpyxl = need("openpyxl", extra="excel", what="writing Excel files")
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = openpyxl.Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.name[:31])
        sheet.freeze_panes = "A2"
        sheet.append([_bold(WriteOnlyCell(sheet, name), Font) for name in table.rows.column_names])
        for batch in table.rows.to_batches(max_chunksize=5_000):
            columns = [_cells(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                sheet.append([_cell(sheet, value, WriteOnlyCell) for value in values])
    book.save(path)


def _bold(cell: object, font: type) -> object:
    cell.font = font(bold=True)  # type: ignore[attr-defined]
    return cell


def _cell(sheet: object, value: object, kind: type) -> object:
    if not isinstance(value, str):
        return value
    cell = kind(sheet, value)
    cell.data_type = "s"  # never a formula
    return cell


def _cells(column: pa.Array) -> list[object]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"))  # Excel knows no zones; ours are UTC
    found: list[object] = column.to_pylist()
    return found


def _begin(beside: Path, folder: Path) -> None:
    try:
        beside.mkdir(parents=True)
    except OSError as problem:
        raise Qua3ckError(
            f"The folder {folder.name} cannot be written ({problem.strerror or problem})",
            where=str(folder),
            fix="give back write permission, or name another folder: understand.publish.folder",
            code="U163",
        ) from problem


def _swap(beside: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _refuse_strangers(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise Qua3ckError(
            f"{folder.name} is a file, and what is published is a folder",
            where=str(folder),
            fix="name another folder: understand.publish.folder",
            code="U163",
        )
    if not folder.is_dir() or (folder / ".qua3ck-published").is_file():
        return
    if any(folder.iterdir()):
        raise Qua3ckError(
            f"The folder {folder.name} holds files that qua3ck has not written",
            where=str(folder),
            fix="name another folder: understand.publish.folder, or move these files away",
            code="U163",
        )

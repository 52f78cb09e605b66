"""Many cases at once: a template to fill in, a file handed in, what is wrong with it, answers.

A file is read as text and every cell converted by the kind of its column, so that a spreadsheet
cannot change a value on the way. One bad cell holds up the file, not only its row: whoever
hands it in is told every place at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.app.fields import Field, Value
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need

if TYPE_CHECKING:
    import pandas as pd

    from qua3ck.app.asking import Given
    from qua3ck.store.releases.model import Model
    from qua3ck.store.releases.rows import Strange

MOST_ROWS = 50_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file, in the three parts of all our errors."""

    what: str
    where: str
    fix: str


@dataclass(frozen=True)
class Notice:
    """Values that a model accepts but never saw: how many, in which column, first at which row."""

    column: str
    rows: int
    first: int


def template_csv(listed: Sequence[Field]) -> bytes:
    """Return a CSV file with the header and the typical case as an example."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([field.name for field in listed])
    writer.writerow(["" if field.typical is None else _cell(field.typical) for field in listed])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def template_excel(listed: Sequence[Field], heads: Sequence[str]) -> bytes:
    """Return a workbook: a sheet to fill in, and one that says what each column may hold.

    Parameters
    ----------
    heads : sequence of str
        The words above the second sheet's columns: name, kind, range or values.
    """
    openpyxl = need("openpyxl", extra="excel", what="writing an Excel template")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "rows"
    sheet.append([field.name for field in listed])
    sheet.append([field.typical for field in listed])
    about = book.create_sheet("columns")
    about.append(list(heads))
    for field in listed:
        about.append([field.name, field.kind, _range_words(field)])
    for each in (sheet, about):
        each.freeze_panes = "A2"
        for cell in each[1]:
            cell.font = openpyxl.styles.Font(bold=True)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def read_table(name: str, data: bytes) -> pd.DataFrame:
    """Return an uploaded table, every cell as text or as the sheet has it, None where empty.

    Raises
    ------
    Qua3ckError
        If it is neither CSV in UTF-8 nor an Excel sheet, or has too many rows (V004).
    """
    lower = name.lower()
    rows = _excel_rows(name, data) if lower.endswith((".xlsx", ".xls")) else _csv_rows(name, data)
    if not rows:
        raise _no_table(name, "it is empty", "put a header into the first row, cases below it")
    head, *body = rows
    if len(body) > MOST_ROWS:
        raise _no_table(
            name,
            f"it has {len(body):,} rows; at most {MOST_ROWS:,} are answered here",
            "split it, or have it answered with: qua3ck predict",
        )
    import pandas as pd

    names = [str(cell or "").strip() for cell in head]
    width = len(names)
    filled = [[*row[:width], *([None] * (width - len(row)))] for row in body]
    filled = [row for row in filled if any(cell not in (None, "") for cell in row)]
    return pd.DataFrame(filled, columns=names, dtype=object)


def check(table: pd.DataFrame, model: Model) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """Return the table with its cells converted, and everything that is wrong with it."""
    from qua3ck.store.releases import prelude

    spec = model.manifest.spec
    converted = table.copy()
    for column in spec["columns"]:
        name = column["name"]
        if list(table.columns).count(name) == 1:
            converted[name] = [_value(cell, column["kind"]) for cell in table[name].tolist()]
    return converted, tuple(_problem(said) for said in prelude.check(converted, spec))


def notices(table: pd.DataFrame, listed: Sequence[Field]) -> tuple[Notice, ...]:
    """Return which columns hold values outside of what training rows held."""
    found = []
    for field in listed:
        rows = [at for at, cell in enumerate(table[field.name].tolist()) if field.outside(cell)]
        if rows:
            found.append(Notice(field.name, len(rows), rows[0] + 1))
    return tuple(found)


def refusals(strange: Sequence[Strange], rows: int) -> tuple[Problem, ...]:
    """Return what is refused of rows that can be read: each kind of each column once.

    Parameters
    ----------
    strange : sequence of Strange
        What training never had and the project refuses.
    rows : int
        How many rows the file has.
    """
    grouped: dict[tuple[str, str], list[Strange]] = {}
    for one in strange:
        grouped.setdefault((one.column, one.kind), []).append(one)
    made = []
    for (column, _), found in grouped.items():
        more = "" if len(found) == 1 else f", first in row {found[0].row + 1}"
        where = f"{len(found)} of {rows} rows{more}" if more else f"row {found[0].row + 1}"
        made.append(Problem(f'Column "{column}" {found[0].says}', where, found[0].fix))
    return tuple(made)


def answered(table: pd.DataFrame, given: Given) -> pd.DataFrame:
    """Return the rows with their answer, its version and the number it is logged under."""
    beside: dict[str, Any] = {
        **given.outputs,
        "version": given.version,
        "request_id": given.request_id,
        "row": range(len(table)),
    }
    made = table.copy()
    for name, cells in beside.items():
        made[name if name not in table.columns else f"answer_{name}"] = cells
    return made


def as_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV that a spreadsheet opens rightly and never runs as formulas."""
    safe = table.copy()
    for name in safe.columns:
        if safe[name].dtype.kind not in "biuf":
            safe[name] = [_harmless(cell) for cell in safe[name].tolist()]
    return b"\xef\xbb\xbf" + safe.to_csv(index=False).encode()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _cell(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _range_words(field: Field) -> str:
    if field.choices:
        return ", ".join(field.choices)
    if field.low is None or field.high is None or field.kind == "date":
        return ""
    return f"{field.low:g} - {field.high:g}"


def _csv_rows(name: str, data: bytes) -> list[list[Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _no_table(
            name, "it is not written in UTF-8", "save it again as CSV (UTF-8) or as .xlsx"
        ) from problem
    if "\0" in text:
        raise _no_table(name, "it holds bytes that no text has", "save it as CSV or .xlsx")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return [list(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as problem:
        raise _no_table(name, f"it is no CSV: {problem}", "start from the template") from problem


def _excel_rows(name: str, data: bytes) -> list[list[Any]]:
    calamine = need("python_calamine", extra="excel", what="reading Excel files")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        return [list(row) for row in book.get_sheet_by_index(0).to_python()]
    except calamine.CalamineError as problem:
        raise _no_table(name, "it is no Excel workbook", "save it as .xlsx or CSV") from problem


def _value(cell: Any, kind: str) -> Any:
    """Return a cell as the kind of its column; what cannot be read stays as it is."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if kind == "number" and isinstance(cell, str):
        return _number(cell)
    if kind == "bool" and isinstance(cell, str):
        return {"true": True, "false": False}.get(cell.strip().lower(), cell)
    if kind in ("category", "text") and not isinstance(cell, str):
        return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return cell


def _number(cell: str) -> float | str:
    try:
        return float(cell.strip())
    except ValueError:
        return cell


def _problem(said: str) -> Problem:
    what, _, rest = said.partition(" Where: ")
    where, _, fix = rest.partition(" Fix: ")
    return Problem(what, where.rstrip("."), fix.rstrip("."))


def _no_table(name: str, why: str, fix: str) -> Qua3ckError:
    return Qua3ckError(f"This file cannot be used: {why}", where=name, fix=fix, code="V004")

"""Quarantine as a work list: what waits, shown, handed to whoever must answer, and taken back.

A sheet goes out with one line per held cell and an empty column for the answer. It comes back
only as it went: the same lines, all of them still open. What it answers is written beside the
project, and the source is loaded again.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.kit.records import write_atomic
from qua3ck.understand.contract.said import NOT_SHOWN, said_of_source
from qua3ck.understand.loading.answers import Answer, read_answers, write_answers
from qua3ck.understand.loading.held import title
from qua3ck.understand.loading.keys import differing, key_table
from qua3ck.understand.loading.past import ABOUT, in_force, listed_pieces, open_records, silver
from qua3ck.understand.loading.questions import in_types_of
from qua3ck.understand.section import Source
from qua3ck.understand.sources.places import place_of

if TYPE_CHECKING:
    from qua3ck.govern import Workspace

HEAD = ("piece", "place", "column", "problem", "value received", "answer")
_SHEET, _ABOUT = "answers", "about"
SAME = "the same row again"
_LONGEST = 32_000  # characters of a cell, as Excel holds them
_HOW = (
    "Write the right value into the column answer; leave it empty if you do not know.",
    "(empty) means that there is no value. (leave out) means that the record is not wanted.",
    "Do not change, sort or remove anything else.",
)


@dataclass(frozen=True)
class Waiting:
    """One held cell (or record, with no column) and what was received.

    ``place`` is where in its file it stands, as a person would look for it; ``problem`` is in
    words; ``tried`` an answer that was given and did not fit either; ``stays`` the piece whose
    row is current under its key until then, if one is.
    """

    piece: str
    row: int
    place: str
    column: str
    code: str
    problem: str
    received: str
    tried: str = ""
    question: str = ""
    stays: str = ""

    @property
    def said(self) -> str:
        """The problem as the sheet has it."""
        again = f'; "{self.tried}" does not fit either' if self.tried else ""
        return f"{self.code}: {self.problem}{again}"


def work_list(name: str, source: Source, workspace: Workspace) -> tuple[Waiting, ...]:
    """Return what waits of a source, by piece, record and column.

    What was received is shown only of columns that the contract does not classify as more
    than internal; a whole record only if that is so of all. Of a key that comes twice stands
    beside it in what its records differ, or that it is the same row again.
    """
    hidden, any_hidden = _classified(name, source, workspace.root)
    lines = open_records(workspace.warehouse, name).to_pylist()
    hows = {one.name: one.how for one in listed_pieces(workspace.warehouse, name)}
    stays = _standing(name, source, workspace, {line["key"] for line in lines if line["key"]})
    waiting = []
    for line in lines:
        columns = [part for part in (line["column"] or "").split(", ") if part]
        hide = any(one in hidden for one in columns) if columns else any_hidden
        waiting.append(
            Waiting(
                line["_piece"],
                line["_row"] or 0,
                place_of(line["_row"] or 0, hows.get(line["_piece"], {})),
                line["column"] or "",
                line["code"],
                title(line["code"]),
                _received(line, hidden, hide=hide)[:_LONGEST],
                "" if hide else line["answered"] or "",
                line["question"] or "",
                stays.get(line["key"] or "", ""),
            )
        )
    return tuple(sorted(waiting, key=lambda one: (one.piece, one.row, one.column, one.code)))


def _standing(
    name: str, source: Source, workspace: Workspace, keys: Collection[str]
) -> dict[str, str]:
    """Return of keys, each a list of texts in JSON, the pieces whose rows are current under them.

    Nothing if the table was made by another key than is declared now.
    """
    from qua3ck.store.warehouse import Engine

    loads = [one for one in in_force(workspace.warehouse, silver(name)) if ABOUT in one.about]
    if not keys or not loads:
        return {}
    if tuple(json.loads(loads[-1].about[ABOUT]).get("by", ())) != source.identity:
        return {}
    found: dict[str, set[str]] = {}
    with Engine() as engine:
        rows = workspace.warehouse.current_view(
            silver(name), engine=engine, by=source.identity, meta=True
        )
        for by in {source.key, source.identity}:
            told = [key for key in sorted(keys) if len(json.loads(key)) == len(by)]
            asked = in_types_of(engine, key_table(by, told), rows, by)
            met = asked.inner_join(rows.select(*by, "_piece"), list(by)).select("at", "_piece")
            for line in engine.rows(met.distinct()).to_pylist():
                found.setdefault(told[line["at"]], set()).add(line["_piece"])
    return {key: ", ".join(sorted(pieces)) for key, pieces in found.items()}


def _received(line: Mapping[str, Any], hidden: Collection[str], *, hide: bool) -> str:
    """Return what was received; of a key that comes twice also in what its records differ."""
    raw = NOT_SHOWN if hide else _printable(line["raw"] or "")
    if line["differs"] is None:
        return raw
    found = differing(line["differs"])
    cells = [
        f"{column} {NOT_SHOWN if column in hidden else _printable(cell)}"
        for column, cell in found.items()
    ]
    return f"{raw}; {', '.join(cells) or SAME}"


def _printable(text: str) -> str:
    """Return a text without the signs that no sheet can hold."""
    return "".join(sign for sign in text if sign in "\t\n" or sign >= " ").strip()


def summary(waiting: Sequence[Waiting]) -> list[tuple[str, str, str, int]]:
    """Return code, problem, column and lines, most frequent first."""
    counts = Counter((one.code, one.problem, one.column) for one in waiting)
    return [
        (*what, lines) for what, lines in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def export_list(name: str, waiting: Sequence[Waiting], path: Path, *, project: str) -> Path:
    """Write the sheet that is to be answered.

    Raises
    ------
    Qua3ckError
        If nothing waits, the file is no ``.xlsx``, holds answers or cannot be written, or the
        package for Excel files is not installed.
    """
    if path.suffix.lower() != ".xlsx":
        raise _unfit(f'"{path.name}" is no Excel file', path, "name a file that ends in .xlsx")
    if not waiting:
        raise _unfit(f"Nothing of {name} waits in quarantine", path, "there is nothing to export")
    openpyxl = need("openpyxl", extra="excel", what="writing Excel files")
    _refuse_place(name, path, openpyxl)
    from openpyxl.styles import Alignment, Font, Protection

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = _SHEET
    sheet.append(HEAD)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for one in waiting:
        values = (*_asked(one), "")
        at = sheet.max_row + 1
        for column, value in enumerate(values, 1):
            cell = sheet.cell(at, column)
            _put(cell, value)
        answer = sheet.cell(at, len(HEAD))
        answer.number_format, answer.protection = "@", Protection(locked=False)
    sheet.freeze_panes = "A2"
    sheet.protection.sheet = True
    for letter, width in zip("ABCDEF", (28, 20, 20, 44, 40, 28), strict=True):
        sheet.column_dimensions[letter].width = width
    about = book.create_sheet(_ABOUT)
    facts = {"project": project, "source": name, "list": _list_digest(waiting)}
    for line in (*([text] for text in _HOW), *map(list, facts.items())):
        about.append(line)
    about.column_dimensions["A"].width = 90
    about["A1"].alignment = Alignment(wrap_text=True)
    whole = io.BytesIO()
    book.save(whole)
    try:
        write_atomic(path, whole.getvalue())
    except OSError as problem:
        what = f"{path.name} cannot be written: {problem.strerror}"
        raise _unfit(what, path, "close it in Excel, or name another file") from problem
    return path


def _refuse_place(name: str, path: Path, openpyxl: Any) -> None:
    """Refuse a folder that is none, and to write over answers that nobody has taken yet."""
    if path.is_dir():
        raise _unfit(f"{path} is a folder", path, f"name a file in it: {path / name}.xlsx")
    if path.parent.exists() and not path.parent.is_dir():
        raise _unfit(f"{path.parent} is a file, not a folder", path, "name a file in a folder")
    if not path.parent.exists():
        what = f'There is no folder "{path.parent}"'
        raise _unfit(what, path, "make it first, or name a file in one that is")
    if not path.exists():
        return
    try:
        with path.open("rb") as there:
            rows = openpyxl.load_workbook(there, read_only=True)[_SHEET].iter_rows(
                min_row=2, min_col=len(HEAD), values_only=True
            )
            answers = sum(cell not in (None, "") for row in rows for cell in row[:1])
    except Exception:  # noqa: BLE001 - openpyxl raises whatever a foreign file leads to
        what = f"There is another file {path.name} already; it is not overwritten"
        raise _unfit(what, path, "name a file that is not there yet") from None
    if answers:
        what = f"{path.name} has {answers} answer{'' if answers == 1 else 's'} in it already"
        fix = f"take them first: qua3ck quarantine {name} --answers {path}; or name another file"
        raise _unfit(what, path, fix)


def take_answers(
    name: str, source: Source, workspace: Workspace, path: Path
) -> tuple[tuple[Answer, ...], Path]:
    """Check a sheet that came back, keep its answers, and record that in the ledger.

    Returns
    -------
    tuple
        The answers taken, and the file they are kept in.

    Raises
    ------
    Qua3ckError
        If the sheet is another, was changed beside its answers, or what it asks is not open
        any more. Nothing is taken then.
    """
    waiting = work_list(name, source, workspace)
    lines = _read_sheet(name, path, decimal=source.decimal)
    _same_list(name, waiting, lines, path)
    contents = {one.name: one.digest for one in listed_pieces(workspace.warehouse, name)}
    on, by = stamp(workspace.clock()), workspace.actor
    taken = tuple(
        Answer(
            one.piece,
            contents[one.piece],
            one.row,
            one.column,
            one.code,
            text,
            by,
            on,
            one.question,
        )
        for one, text in _answers(waiting, lines, path)
    )
    kept = write_answers(workspace.root, name, [*read_answers(workspace.root, name), *taken])
    body = {"answers": len(taken), "open": len(waiting), "mapping": file_digest(kept)}
    workspace.ledger.append("quarantine.answered", name, body)
    return taken, kept


def _answers(
    waiting: Sequence[Waiting], lines: Sequence[tuple[Any, ...]], path: Path
) -> list[tuple[Waiting, str]]:
    said = {_key(line): (at, line[-1]) for at, line in enumerate(lines, 2)}
    found = []
    for one in waiting:
        at, text = said[_asked(one)]
        if not text:
            continue
        if text != "(leave out)" and (not one.column or ", " in one.column):
            raise _unfit(
                f"Line {at} answers with one value what is about more than one cell",
                path,
                "write (leave out) there, or have the file itself corrected",
            )
        found.append((one, text))
    if not found:
        raise _unfit("No line has an answer", path, "fill in the column answer and save it")
    return found


def _read_sheet(name: str, path: Path, *, decimal: str) -> list[tuple[Any, ...]]:
    openpyxl = need("openpyxl", extra="excel", what="reading Excel files")
    if not path.exists():
        raise _unfit(f"There is no file {path.name}", path, "name the sheet that came back")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = [tuple(row) for row in book[_SHEET].iter_rows(values_only=True)]
        about = {row[0]: row[1] for row in book[_ABOUT].iter_rows(max_col=2, values_only=True)}
        book.close()
    except Exception as problem:  # noqa: BLE001 - openpyxl raises whatever a foreign file leads to
        raise _unfit(
            f"{path.name} is not a sheet that was exported ({type(problem).__name__})",
            path,
            f"export one: qua3ck quarantine {name} --export FILE.xlsx",
        ) from None
    if about.get("source") != name:
        raise _unfit(
            f'The sheet asks about "{about.get("source")}", not about "{name}"',
            path,
            f"type: qua3ck quarantine {about.get('source')} --answers {path}",
        )
    if not rows or tuple(rows[0][: len(HEAD)]) != HEAD:
        raise _unfit(
            "The head of the sheet was changed", path, f"its columns are {', '.join(HEAD)}"
        )
    filled = [row for row in rows[1:] if any(cell not in (None, "") for cell in row)]
    return [_line(row, decimal) for row in filled]


def _line(row: tuple[Any, ...], decimal: str) -> tuple[Any, ...]:
    cells = [_text(cell, decimal) for cell in row[: len(HEAD)]]
    cells += [""] * (len(HEAD) - len(cells))
    return tuple(cells)


def _same_list(
    name: str, waiting: Sequence[Waiting], lines: Sequence[tuple[Any, ...]], path: Path
) -> None:
    wanted = Counter(map(_asked, waiting))
    came = Counter(_key(line) for line in lines)
    strange = came - wanted
    missing = wanted - came
    if not strange and not missing:
        return
    first = next((at for at, line in enumerate(lines, 2) if _key(line) in strange), None)
    at = f", the first in line {first}" if first else ""
    raise _unfit(
        f"The sheet does not fit what is open: {strange.total()} of its lines are not open (any "
        f"more) or were changed{at}; {missing.total()} that are open are not in it",
        path,
        f"export it again: qua3ck quarantine {name} --export FILE.xlsx; copy the answers over",
    )


def _key(line: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(line[:-1])


def _text(cell: Any, decimal: str) -> str:
    """Return a cell as it would be written in the source; Excel turns what looks like a number."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        day = cell.date() if (cell.hour, cell.minute, cell.second) == (0, 0, 0) else None
        return day.isoformat() if day else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        plain = str(int(cell)) if cell.is_integer() else repr(cell)
        return plain.replace(".", decimal)
    return str(cell).strip()


def _put(cell: Any, value: str) -> None:
    """Write a value so that no spreadsheet takes it for a formula."""
    cell.value = value
    cell.data_type = "s"
    cell.quotePrefix = True  # also when somebody edits the cell


def _asked(one: Waiting) -> tuple[str, ...]:
    """Return a line of the sheet without its answer."""
    return (one.piece, one.place, one.column, one.said, one.received)


def _list_digest(waiting: Sequence[Waiting]) -> str:
    return digest([list(_asked(one)) for one in waiting])


def _classified(name: str, source: Source, root: Path) -> tuple[frozenset[str], bool]:
    """Return the columns whose cells are not shown, and whether there is any."""
    said = said_of_source(name, source, root)
    hidden = frozenset(column for column, one in said.items() if one.private)
    return hidden, bool(hidden)


def _unfit(what: str, path: Path, fix: str) -> Qua3ckError:
    return Qua3ckError(what, where=str(path), fix=fix, code="U150")

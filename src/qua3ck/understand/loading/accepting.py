"""The sheet of held records: handed out to whoever must answer, and its answers accepted.

Each line carries a mark: which line of the quarantine it asks about, and a digest of what it
shows. So a sheet may come back late, in another order, in part, or with columns of its own: what
is still open is taken, and nothing is taken for another line than the one that was shown. The
mark holds no digest of a value or key, which could be guessed.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.kit.records import write_atomic
from qua3ck.understand.loading.answers import Answer, read_answers, write_answers
from qua3ck.understand.loading.held import counted
from qua3ck.understand.loading.load import alone
from qua3ck.understand.loading.past import (
    GONE,
    LEFT_OUT,
    aware,
    in_force,
    listed_pieces,
    open_records,
    silver,
    tables,
)
from qua3ck.understand.loading.questions import REPEATS, in_turn
from qua3ck.understand.loading.worklist import Waiting, work_list
from qua3ck.understand.section import Source

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.store.warehouse import Warehouse

HEAD = ("piece", "place", "column", "problem", "value received", "answer")
MARK = "line"  # the column of the marks, which is not shown
_SHEET, _ABOUT = "answers", "about"
_SHOWN = len(HEAD) - 1
_TRIES = 3
_HOW = (
    "Write the right value into the column answer; leave it empty if you do not know.",
    "(empty) means that there is no value. (leave out) means that the record is not wanted.",
    "Some answers are better than none: what is not answered stays open. Do not change the "
    "other columns.",
)


@dataclass(frozen=True)
class Taken:
    """What became of a sheet that came back.

    Attributes
    ----------
    answers : tuple of Answer
        Those that were taken.
    again : int
        Answers that had been given in the same words before; nothing was done about them.
    settled : int
        Answered lines that are not open any more: they were answered or corrected meanwhile.
    otherwise : int
        Of these, those that had been settled by another answer.
    left : int
        Lines of the source that are open and were not answered by this sheet.
    """

    answers: tuple[Answer, ...]
    again: int
    settled: int
    otherwise: int
    left: int


@dataclass(frozen=True)
class _Line:
    """An answered line of the sheet: where it stands there, what it shows, what it says."""

    at: int
    shown: tuple[str, ...]
    mark: str
    text: str


@dataclass(frozen=True)
class _Asked:
    """What a line asks about: a record of a piece with these bytes, its column and question."""

    piece: str
    content: str
    row: int
    column: str
    code: str
    question: str

    @property
    def same(self) -> tuple[str, ...]:
        """What is equal wherever the same is asked: the question, else the place in the bytes."""
        if self.question:
            return (self.question,)
        return (self.piece, self.content, str(self.row), self.column, self.code)


# -- out -------------------------------------------------------------------------


def export_list(name: str, source: Source, workspace: Workspace, path: Path, *, title: str) -> Path:
    """Write the sheet that is to be answered.

    Parameters
    ----------
    title : str
        What the project is called.

    Raises
    ------
    Qua3ckError
        If nothing waits, the file is no ``.xlsx``, holds answers or cannot be written, the
        package for Excel files is not installed, or load after load is committed meanwhile.
    """
    if path.suffix.lower() != ".xlsx":
        raise _unfit(f'"{path.name}" is no Excel file', path, "name a file that ends in .xlsx")
    waiting, written = _as_it_stands(name, source, workspace)
    if not waiting:
        raise _unfit(f"Nothing of {name} waits in quarantine", path, "there is nothing to export")
    openpyxl = need("openpyxl", extra="excel", what="writing Excel files")
    _refuse_place(name, path, openpyxl)
    book = openpyxl.Workbook()
    _fill(book.active, waiting, written)
    about = book.create_sheet(_ABOUT)
    facts = {"project": title, "source": name, "list": _list_digest(waiting)}
    for line in (*([text] for text in _HOW), *map(list, facts.items())):
        about.append(line)
    about.column_dimensions["A"].width = 110
    whole = io.BytesIO()
    book.save(whole)
    try:
        write_atomic(path, whole.getvalue())
    except OSError as problem:
        what = f"{path.name} cannot be written: {problem.strerror}"
        raise _unfit(what, path, "close it in Excel, or name another file") from problem
    return path


def _as_it_stands(
    name: str, source: Source, workspace: Workspace
) -> tuple[tuple[Waiting, ...], dict[tuple[str, int], datetime]]:
    """Return what waits and when it was written, of one state of the source.

    A load that is committed in between would put the mark of one record beside another.
    """
    warehouse = workspace.warehouse
    for _ in range(_TRIES):
        before = warehouse.version(silver(name))
        found = work_list(name, source, workspace), _written(warehouse, name)
        if warehouse.version(silver(name)) == before:
            return found
    raise Qua3ckError(
        f"{name} was loaded again while the sheet was made, {_TRIES} times",
        where=f"understand.sources.{name}",
        fix="wait until nothing is loaded, then type the same again",
        code="U148",
    )


def _fill(
    sheet: Any, waiting: Sequence[Waiting], written: Mapping[tuple[str, int], datetime]
) -> None:
    from openpyxl.styles import Font, Protection

    sheet.title = _SHEET
    sheet.append((*HEAD, MARK))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for at, one in enumerate(waiting, 2):
        mark = _mark(one, written[one.piece, one.row])
        for column, value in enumerate((*_asked(one), "", mark), 1):
            _put(sheet.cell(at, column), value)
        answer = sheet.cell(at, len(HEAD))
        answer.number_format, answer.protection = "@", Protection(locked=False)
    sheet.freeze_panes = "A2"
    sheet.protection.sheet = True
    for letter, width in zip("ABCDEF", (28, 20, 20, 44, 40, 28), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.column_dimensions["G"].hidden = True


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
        rows, _ = _opened(path, openpyxl)
        at = rows[0].index(HEAD[-1])
        answers = sum(cell not in (None, "") for row in rows[1:] for cell in row[at : at + 1])
    except Exception:  # noqa: BLE001 - openpyxl raises whatever a foreign file leads to
        what = f"There is another file {path.name} already; it is not overwritten"
        raise _unfit(what, path, "name a file that is not there yet") from None
    if answers:
        what = f"{path.name} has {counted(answers, 'answer')} in it already"
        fix = f"take them first: qua3ck quarantine {name} --answers {path}; or name another file"
        raise _unfit(what, path, fix)


# -- back ------------------------------------------------------------------------


def take_answers(name: str, source: Source, workspace: Workspace, path: Path) -> Taken:
    """Keep the answers of a sheet that came back to what is still open, and put that on record.

    Raises
    ------
    Qua3ckError
        If the sheet is another, an answered line is not as it was shown or was never asked, two
        answers contradict each other, or none is given; or if a load of the source does not
        end. Nothing is taken then.
    """
    with alone(workspace.root, name):  # else a load could change what stands where
        taken, body = _taken(name, source, workspace, path)
    if body:
        workspace.ledger.append("quarantine.answered", name, body)
    return taken


def _taken(
    name: str, source: Source, workspace: Workspace, path: Path
) -> tuple[Taken, dict[str, Any]]:
    """Keep the answers; return what became of the sheet, and what the ledger is told."""
    waiting = work_list(name, source, workspace)
    lines = _read_sheet(name, waiting, workspace.warehouse, path, decimal=source.decimal)
    answered = _meant(name, workspace.warehouse, lines, path)
    _refuse_contradictions(answered, path)
    contents = {one.name: one.digest for one in listed_pieces(workspace.warehouse, name)}
    still = [
        (one, _Asked(one.piece, contents[one.piece], one.row, one.column, one.code, one.question))
        for one in waiting
    ]
    earlier = read_answers(workspace.root, name)
    before = _Before(earlier)
    said = _said(still, answered, path)
    on, by = stamp(workspace.clock()), workspace.actor
    new = tuple(
        Answer(a.piece, a.content, a.row, a.column, a.code, text, by, on, a.question)
        for a, text in said
        if before.of(a) != text
    )
    open_ones = {asked.same for _, asked in still}
    past = [(asked, line) for line, asked in answered if asked.same not in open_ones]
    otherwise = sum(before.of(asked) not in {None, line.text} for asked, line in past)
    body: dict[str, Any] = {}
    if new:
        kept = write_answers(workspace.root, name, [*earlier, *new])
        body = {"answers": len(new), "open": len(waiting), "mapping": file_digest(kept)}
    left = len(waiting) - len(said)
    return Taken(new, len(said) - len(new), len(past), otherwise, left), body


class _Before:
    """The answers that were given before: to these very bytes, else to the same question.

    Of rows that are equal each may have an answer of its own, though all ask the same.
    """

    def __init__(self, given: Sequence[Answer]) -> None:
        self._exact = {(one.piece, one.digest, one.row, one.column): one.answer for one in given}
        told = sorted(given, key=lambda one: one.on)
        several = in_turn(given)
        self._asked = {
            one.question: one.answer for one in told if one.question and one.question not in several
        }

    def of(self, asked: _Asked) -> str | None:
        at = (asked.piece, asked.content, asked.row, asked.column)
        anywhere = "" if asked.code in REPEATS else asked.question
        return self._exact.get(at, self._asked.get(anywhere))


def _said(
    still: Sequence[tuple[Waiting, _Asked]],
    answered: Sequence[tuple[_Line, _Asked]],
    path: Path,
) -> list[tuple[_Asked, str]]:
    """Return the answers to what is open: at the same place if it is asked there, else anywhere.

    Other rows of the file may have come or gone, so the same question may stand elsewhere.
    """
    there = {(asked.same, asked.piece, one.place) for one, asked in still}
    at_place = {(asked.same, asked.piece, line.shown[1]): line for line, asked in answered}
    anywhere: dict[tuple[str, ...], list[_Line]] = {}
    for place, line in at_place.items():
        if place not in there:
            anywhere.setdefault(place[0], []).append(line)
    found = []
    for one, asked in still:
        here = at_place.get((asked.same, asked.piece, one.place))
        lines = [here] if here else anywhere.get(asked.same, [])
        if not lines:
            continue
        line = lines[0]
        other = next((other for other in lines if other.text != line.text), None)
        if other:
            raise _two_answers(line, other, path)
        if not here and asked.code in REPEATS:
            lines.remove(line)
        if line.text != LEFT_OUT and (not one.column or ", " in one.column):
            raise _unfit(
                f"Line {line.at} answers with one value what is about more than one cell",
                path,
                f"write {LEFT_OUT} there, or have the file itself corrected",
            )
        found.append((asked, line.text))
    return found


def _refuse_contradictions(answered: Sequence[tuple[_Line, _Asked]], path: Path) -> None:
    """Refuse two answers about one cell of one record."""
    first: dict[tuple[Any, ...], _Line] = {}
    for line, asked in answered:
        cell = (asked.piece, asked.content, asked.row, asked.column)
        other = first.setdefault(cell, line)
        if other.text != line.text:
            raise _two_answers(other, line, path)


def _two_answers(one: _Line, other: _Line, path: Path) -> Qua3ckError:
    return _unfit(
        f"Lines {one.at} and {other.at} answer the same with different words",
        path,
        "leave one of the two answers, and save it",
    )


def _meant(
    name: str, warehouse: Warehouse, lines: Sequence[_Line], path: Path
) -> list[tuple[_Line, _Asked]]:
    """Return of answered lines what they ask about, as it stood in the quarantine then."""
    ever = _ever(warehouse, name)
    found = []
    for line in lines:
        number, code, since, check = (*line.mark.split("|"), "", "", "", "")[:4]
        asked = ever.get((line.shown[0], number, line.shown[2], code, since))
        if asked is None or check != _check(line.shown, number, code, since):
            raise _unfit(
                f"Line {line.at} has an answer, and is not as it was exported or was never asked",
                path,
                f"export it again: qua3ck quarantine {name} --export FILE.xlsx; copy the answers "
                "over",
            )
        found.append((line, asked))
    return found


def _ever(warehouse: Warehouse, name: str) -> dict[tuple[str, ...], _Asked]:
    """Return all that was ever held of a source, by what a line of a sheet says of it."""
    bronze, quarantine, rows = tables(name)
    if warehouse.version(quarantine) is None:
        return {}
    loads = {one.known for one in in_force(warehouse, rows) if one.known}
    contents: dict[str, list[tuple[datetime, str]]] = {}
    listed = warehouse.read(bronze).select(["piece", "digest", "known"]).sort_by("known")
    for line in listed.to_pylist():
        if aware(line["known"]) in loads and line["digest"] != GONE:
            contents.setdefault(line["piece"], []).append((aware(line["known"]), line["digest"]))
    found: dict[tuple[str, ...], _Asked] = {}
    for line in warehouse.read(quarantine).to_pylist():
        known = aware(line["_known"])
        piece, row, column = line["_piece"], line["_row"] or 0, line["column"] or ""
        then = [content for since, content in contents.get(piece, ()) if since <= known]
        if known in loads and then:
            at = (piece, str(row), column, line["code"], stamp(known))
            question = line.get("question") or ""
            found[at] = _Asked(piece, then[-1], row, column, line["code"], question)
    return found


def _written(warehouse: Warehouse, name: str) -> dict[tuple[str, int], datetime]:
    """Return when the open lines of each record were written."""
    lines = open_records(warehouse, name).select(["_piece", "_row", "_known"]).to_pylist()
    return {(line["_piece"], line["_row"] or 0): aware(line["_known"]) for line in lines}


# -- the sheet -------------------------------------------------------------------


def _mark(one: Waiting, written: datetime) -> str:
    """Return which line of the quarantine is asked about, and a digest of what is shown of it."""
    number, since = str(one.row), stamp(written)
    return "|".join((number, one.code, since, _check(_asked(one), number, one.code, since)))


def _check(shown: Sequence[str], *more: str) -> str:
    return digest([*shown, *more])[:16]


def _read_sheet(
    name: str, waiting: Sequence[Waiting], warehouse: Warehouse, path: Path, *, decimal: str
) -> list[_Line]:
    """Return the answered lines of a sheet."""
    openpyxl = need("openpyxl", extra="excel", what="reading Excel files")
    again = f"export one: qua3ck quarantine {name} --export FILE.xlsx"
    if not path.exists():
        raise _unfit(f"There is no file {path.name}", path, "name the sheet that came back")
    try:
        rows, about = _opened(path, openpyxl)
    except Exception as problem:  # noqa: BLE001 - openpyxl raises whatever a foreign file leads to
        what = f"{path.name} is not a sheet that was exported ({type(problem).__name__})"
        raise _unfit(what, path, again) from None
    if about.get("source") != name:
        raise _unfit(
            f'The sheet asks about "{about.get("source")}", not about "{name}"',
            path,
            f"type: qua3ck quarantine {about.get('source')} --answers {path}",
        )
    head = [_text(cell, decimal) for cell in rows[0]] if rows else []
    counts = Counter(head)
    wrong = [word for word in HEAD if counts[word] != 1]
    if wrong or counts[MARK] > 1:
        what = f"The head of the sheet was changed: {', '.join(wrong) or MARK} is to be there once"
        raise _unfit(what, path, f"its columns are {', '.join(HEAD)}")
    old: dict[tuple[str, ...], str] = {}  # marks of a sheet that was exported without them
    if MARK not in counts:
        if about.get("list") != _list_digest(waiting):
            what = "The sheet does not say which lines it asks about: its last column was removed"
            raise _unfit(f"{what}, or it is of an earlier version", path, again)
        written = _written(warehouse, name)
        old = {_asked(one): _mark(one, written[one.piece, one.row]) for one in waiting}
    lines = []
    for at, row in enumerate(rows[1:], 2):
        cells = {word: _text(cell, decimal) for word, cell in zip(head, row, strict=False)}
        if cells.get(HEAD[-1]):
            shown = tuple(cells.get(word, "") for word in HEAD[:_SHOWN])
            mark = cells.get(MARK) or old.get(shown, "")
            lines.append(_Line(at, shown, mark, cells[HEAD[-1]]))
    if not lines:
        raise _unfit("No line has an answer", path, "fill in the column answer and save it")
    return lines


def _opened(path: Path, openpyxl: Any) -> tuple[list[tuple[Any, ...]], dict[Any, Any]]:
    """Return the lines of a sheet and what it says of itself."""
    with path.open("rb") as there:
        book = openpyxl.load_workbook(there, read_only=True, data_only=True)
        rows = [tuple(row) for row in book[_SHEET].iter_rows(values_only=True)]
        about = {row[0]: row[1] for row in book[_ABOUT].iter_rows(max_col=2, values_only=True)}
    return rows, about


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
    """Return what a line of the sheet shows."""
    return (one.piece, one.place, one.column, one.said, one.received)


def _list_digest(waiting: Sequence[Waiting]) -> str:
    return digest([list(_asked(one)) for one in waiting])


def _unfit(what: str, path: Path, fix: str) -> Qua3ckError:
    return Qua3ckError(what, where=str(path), fix=fix, code="U150")

"""Whether one heading line is all there is: a second one, read as a row, makes columns of junk.

Where ``header:`` is not declared, one line is taken for the heading. That is wrong where its
cells are merged over columns, where it is a title, or where the next line has words above
numbers. None of it is put right here: it is said, and a person declares the lines.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.cells import is_known_marker
from qua3ck.understand.sources.dialect import kind_of_cell
from qua3ck.understand.sources.sheet import Line, Range
from qua3ck.understand.sources.workbook import column_letters

LOOKED_AT = 50  # lines below the heading
_FORMAL = {"number", "date"}
_MOSTLY = 0.7
_FEWEST = 2  # lines below a second heading that say what the columns hold


def refuse_further_headings(
    heading: Line,
    below: Sequence[Line],
    merged: Sequence[Range],
    left: int,
    *,
    file: str,
    place: str,
) -> None:
    """Raise if the line taken for the heading is not all of it.

    Parameters
    ----------
    heading : Line
        The first line that counts.
    below : sequence of Line
        The next :data:`LOOKED_AT`.
    merged : sequence of Range
        Merged cells, as the sheet names them.
    left : int
        The sheet's column (from 1) that the first cell of each line stands in.

    Raises
    ------
    Qua3ckError
        U044: says what was seen, and what to declare.
    """
    spans = _spans(heading, merged, left, len(heading.cells))
    seen = [f"line {heading.number} has merged cells ({', '.join(spans)})"] if spans else []
    rows = [line.cells for line in below]
    words = second_heading(heading.cells, rows)
    if words:
        letters = [column_letters(at + left) for at in words]
        seen.append(f"line {below[0].number} {_reads(letters)}")
    if seen:
        raise _not_all(heading, seen, words=bool(words), file=file, place=place)


def refuse_second_heading(
    heading: Line, rows: Sequence[Sequence[str]], *, typed: Collection[int], file: str, place: str
) -> None:
    """Raise if the record below the heading of a delimited text is a heading, too.

    Parameters
    ----------
    heading : Line
        The line taken for the heading.
    rows : sequence of sequence of str
        The next :data:`LOOKED_AT` records.
    typed : collection of int
        Columns whose type is known or declared: a word in them holds its record anyway.

    Raises
    ------
    Qua3ckError
        U044, where read as a row it would turn a column to text, or leave one without a name.
    """
    words = second_heading(heading.cells, rows)
    if words and not set(words) <= set(typed):
        seen = [f"the line below {_reads([str(at + 1) for at in words])}"]
        raise _not_all(heading, seen, words=True, file=file, place=place)


def second_heading(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the columns that show that the first of some rows is a heading, too.

    Either it has words where the others have numbers or dates, in two columns or under a
    heading with gaps; or it fills every gap of the heading, and is itself empty where the
    others are not. Markers such as ``n/a`` are no words.
    """
    if len(rows) <= _FEWEST:
        return []
    first, others = rows[0], rows[1:]
    width = min(map(len, rows))
    gaps = [at for at in range(width) if at >= len(heading) or not heading[at].strip()]
    formal = [at for at in range(width) if _is_formal([row[at] for row in others])]
    words = [at for at in formal if kind_of_cell(first[at]) == "word" and not _marker(first[at])]
    values = [at for at in formal if kind_of_cell(first[at]) in _FORMAL]
    if words and not values and (len(words) > 1 or gaps) and len(words) * 2 >= len(formal):
        return words
    open_ = [at for at in range(width) if at not in gaps and not first[at].strip()]
    missed = [at for at in open_ if _share([bool(row[at].strip()) for row in others]) >= _MOSTLY]
    return gaps if gaps and missed and all(first[at].strip() for at in gaps) else []


def _spans(heading: Line, merged: Sequence[Range], left: int, width: int) -> list[str]:
    """Return the ranges of merged cells that make one line too few, such as ``B1:D1``."""
    found = []
    for (top, first), (bottom, last) in merged:
        here = top <= heading.number <= bottom and first < left + width and last >= left
        if here and (last > first or bottom > heading.number):
            found.append(f"{column_letters(first)}{top}:{column_letters(last)}{bottom}")
    return sorted(found)[:5]


def _reads(columns: Sequence[str]) -> str:
    more = " ..." if len(columns) > 5 else ""
    word = "column" if len(columns) == 1 else "columns"
    return f"reads as a heading, too, above the values of {word} {', '.join(columns[:5])}{more}"


def _not_all(
    heading: Line, seen: Sequence[str], *, words: bool, file: str, place: str
) -> Qua3ckError:
    return Qua3ckError(
        f"The heading of {file} seems to have more than one line: {'; '.join(seen)}",
        where=f"{place}.header, line {heading.number} of {file}",
        fix=_fix(heading, words),
        code="U044",
    )


def _fix(heading: Line, words: bool) -> str:
    filled = sum(bool(cell.strip()) for cell in heading.cells)
    at = heading.number
    if filled == 1 and len(heading.cells) > 1:
        return (
            f"declare skip: {at} if line {at} is a title; header: 2 if two lines name the columns; "
            "header: 1 if this one does"
        )
    further = "or header: 1 if this line is all of it" if not words else "or header: 1 if it is not"
    return f"declare header: 2 (as many lines as name the columns), {further}"


def _is_formal(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip() and not _marker(cell)]
    return (
        len(filled) >= _FEWEST and _share([kind_of_cell(c) in _FORMAL for c in filled]) >= _MOSTLY
    )


def _marker(cell: str) -> bool:
    return is_known_marker(cell.strip())


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0

"""A sheet of text cells with its line numbers: what headings and tidy steps work on.

A spreadsheet and a delimited text that was made for eyes are the same thing here. Where lines
go is counted, so that every line of the sheet is a record, held, or left out by a named rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean

Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last (line, column) of a rectangle, both from 1."""


class Fault(str):
    """The text of a formula error in a cell: not a value, wherever it is carried to."""

    __slots__ = ()


@dataclass
class Line:
    """One line of a sheet; ``number`` counts from 1 at the top of the whole sheet."""

    number: int
    cells: list[str]


@dataclass
class Sheet:
    """The lines that count, blank ones left out.

    Attributes
    ----------
    lines : list of Line
        Trimmed cells; an empty cell is ``""``.
    left : int
        The sheet's column (from 1) that the first cell of each line stands in.
    merged : sequence of Range
        Cells that are one for the eye; only the first of them has the text.
    fates : dict
        What became of the lines that are not here: rule to count.
    """

    lines: list[Line]
    left: int = 1
    merged: Sequence[Range] = ()
    fates: dict[str, int] = field(default_factory=dict)


def counted(
    rows: Iterable[tuple[int, list[str]]], fates: dict[str, int], *, skip: int, footer: int
) -> Iterator[Line]:
    """Yield the lines between the first ``skip`` and the last ``footer``; blank ones are left out.

    Parameters
    ----------
    rows : iterable of (int, list of str)
        Line number and its cells.
    fates : dict
        Gets the counts of what is left out, by rule.
    footer : int
        Filled lines at the end that are no records; blank ones below them do not count.
    """
    waiting: list[Line] = []
    for number, row in rows:
        cells = [cell if isinstance(cell, Fault) else cell.strip() for cell in row]
        if number <= skip:
            fates["skipped"] = fates.get("skipped", 0) + 1
        elif not any(cells):
            fates["blank"] = fates.get("blank", 0) + 1
        else:
            waiting.append(Line(number, cells))
            if len(waiting) > footer:
                yield waiting.pop(0)
    if footer:
        fates["footer"] = len(waiting)


def filled_right(cells: Sequence[str], line: int, merged: Sequence[Range], left: int) -> list[str]:
    """Return a heading in which a text also stands above the columns that it spans.

    As far as the cells are merged, where the sheet says so; else up to the next text.
    """
    spans = {
        first[1] - left: last[1] - left
        for first, last in merged
        if first[0] <= line <= last[0] and last[1] > first[1]
    }
    result = list(cells)
    if spans:
        for start, end in spans.items():
            for at in range(max(start, 0), min(end + 1, len(result))):
                result[at] = result[at] or result[max(start, 0)]
        return result
    for at in range(1, len(result)):
        result[at] = result[at] or result[at - 1]
    return result


def levels(
    heading: Sequence[Line], width: int, merged: Sequence[Range], left: int
) -> list[tuple[str, ...]]:
    """Return for each column the texts above it, from the top; the last line spans nothing."""
    rows = []
    for place, line in enumerate(heading):
        cells = [*line.cells, *[""] * width][:width]
        last = place == len(heading) - 1
        rows.append(cells if last else filled_right(cells, line.number, merged, left))
    return list(zip(*rows, strict=True)) if rows else [()] * width


def known(name: str, names: Iterable[str], *, place: str) -> str:
    """Return ``name`` if it is among ``names``.

    Raises
    ------
    Qua3ckError
        Otherwise; says which it could have been.
    """
    options = list(names)
    if name in options:
        return name
    shown = ", ".join(options[:20]) + (" ..." if len(options) > 20 else "")
    raise Qua3ckError(
        f'No column "{name}"{did_you_mean(name, options)}',
        where=place,
        fix=f"use one of: {shown}",
        code="U130",
    )


def summary(fates: dict[str, int], records: int) -> dict[str, Any]:
    """Return where all lines of a sheet went, for the record of a load."""
    return {"all": sum(fates.values()) + records, **fates, "records": records}

"""Where in its file a row stands, said as a person would look for it."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qua3ck.understand.sources.frame import CELL
from qua3ck.understand.sources.workbook import column_letters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_MOST = 10_000  # stretches of which the lines are kept
_UNKNOWN = 0  # the line of what comes after them


class Lines:
    """The lines in which records begin, kept as stretches of equal distance.

    A blank line, or a record of several lines, begins a new stretch; a file in which every
    second line is blank is one. Of what follows very many stretches no line is known.
    """

    def __init__(self, first: int = 1) -> None:
        self._records, self._line = 0, first  # of the blocks so far, and the line below them
        self._starts: list[list[int]] = []

    def add(self, record: int, line: int) -> None:
        """Add a record, from 1, and the line in which it begins."""
        if len(self._starts) > _MOST:
            return
        start = self._starts[-1] if self._starts else None
        if start is not None and record == start[0] + 1:
            start[2] = line - start[1]
        elif start is None or line != start[1] + (record - start[0]) * start[2]:
            full = len(self._starts) == _MOST
            self._starts.append([record, _UNKNOWN if full else line, 1])

    def block(self, records: int, lines: int, begins: NDArray[np.int64] | None) -> None:
        """Add a block of records: how many, on how many lines, and in which each begins, from 0.

        ``None``: each record is one line, below the other.
        """
        import numpy as np

        if begins is None:
            begins = np.arange(min(records, 3))
        turns = np.flatnonzero(np.diff(begins, 2)) + 2  # another distance than the one before
        telling = np.unique(np.concatenate([np.arange(3), turns, turns + 1]))
        for at in telling[telling < begins.size].tolist():
            if len(self._starts) > _MOST:
                break
            self.add(self._records + at + 1, self._line + int(begins[at]))
        self._records, self._line = self._records + records, self._line + lines

    def starts(self) -> list[list[int]]:
        """Return record, line, and the lines from each to the next where these are not one."""
        return [start if start[2] != 1 else start[:2] for start in self._starts]


def place_of(row: int, how: Mapping[str, Any]) -> str:
    """Return ``line 7``, ``line 7, column D``, or ``record 7`` where lines are not known.

    Parameters
    ----------
    row : int
        ``_row`` of a row or of a held record.
    how : mapping
        The ``how`` of the piece that it came with.
    """
    if "row" in how.get("tidy", {}):
        line, column = divmod(row, CELL)
        return f"line {line}" + (f", column {column_letters(column)}" if column else "")
    if "tidy" in how or (how.get("layout") == "lines" and not how.get("records")):
        return f"line {row}"
    starts = how.get("starts", ())
    at = bisect.bisect_right(starts, row, key=lambda start: start[0])
    first, line, step = (*starts[at - 1], 1)[:3] if at else (row, _UNKNOWN, 1)
    return f"line {line + (row - first) * step}" if line != _UNKNOWN else f"record {row}"

"""Where in its file a row stands, said as a person would look for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qua3ck.understand.sources.frame import CELL
from qua3ck.understand.sources.workbook import column_letters


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
    starts = [(first, line) for first, line in how.get("starts", ()) if first <= row]
    return f"line {starts[-1][1] + row - starts[-1][0]}" if starts else f"record {row}"

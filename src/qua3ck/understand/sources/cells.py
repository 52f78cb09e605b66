"""What kind of value text cells are: integer, number, boolean, date, timestamp, or text.

A cell is what its spelling says, never what would be handy: ``007`` is text, ``1e3`` a number
and no integer, ``NA`` Namibia, ``31.02.`` no date. Whether a whole column fits is asked of Arrow's
casts, which are strict but for leading zeros, hexadecimals and ``nan``; only where they refuse
is each cell matched by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from qua3ck.kit.findings import Finding
from qua3ck.understand.section import ColumnType

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Kind = Literal["", "integer", "digits", "number", "boolean", "date", "timestamp", "zoned", "string"]
"""What all filled cells are. ``""``: there are none. ``digits``: whole numbers beyond 64 bits."""

DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CLOCK = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
TIMESTAMP = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}$"
ZONED = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$"
_ORDER: tuple[Kind, ...] = ("integer", "number", "boolean", "date", "timestamp", "zoned")
_BLANKS = {" ": "[ \u00a0\u202f]", "'": "['’]", ",": ",", ".": r"\."}
_KNOWN_MARKERS = {
    "?", "-", "--", ".", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "unknown", "missing",
    "#n/a", "#na", "not available", "-nan", "inf", "-inf", "nd", "n.d.", "n/d", "s/d", "s.d.",
    "k.a.", "k. a.", "#nv", "#n/d", "...", "…",
}  # fmt: skip
_EXAMPLES = 5
_TRUTHS = ("true", "false", "True", "False", "TRUE", "FALSE")
_FIRST = 1000  # cells looked at before all
_GLANCE = 50


@dataclass(frozen=True)
class Marks:
    """What separates whole numbers from fractions, and groups of three digits (None: nothing)."""

    decimal: str = "."
    thousands: str | None = None


def column_type(kind: Kind) -> ColumnType:
    """Return the type of a column whose cells are of a kind."""
    if kind in {"", "digits", "string"}:
        return "string"
    return "timestamp" if kind == "zoned" else kind  # type: ignore[return-value]


def widened(one: Kind, other: Kind) -> Kind:
    """Return the narrowest kind that cells of both kinds are."""
    if one == other or not other:
        return one
    if not one:
        return other
    numbers = {"integer", "digits", "number"}
    if {one, other} <= numbers:
        return "number" if "number" in {one, other} else "digits"
    return "string"


def kind_of(cells: pa.Array, marks: Marks) -> Kind:
    """Return what all filled cells are.

    Parameters
    ----------
    cells : array of string
        Trimmed; null where empty.
    marks : Marks
        As declared.
    """
    if cells.null_count == len(cells):
        return ""
    head = cells.slice(0, _FIRST)
    first = cells.drop_null()[0].as_py()
    for kind in _ORDER:
        if not _looks(first, kind, marks):
            continue
        if read_cells(head, kind, marks)[1] is not None:
            if kind == "integer" and _all_match(head, "integer", marks):
                return "digits" if _all_match(cells, "integer", marks) else _beyond(cells, marks)
            continue
        misfits = read_cells(cells, kind, marks)[1]
        if misfits is None:
            return kind
        if kind == "integer" and _all_match(cells, "integer", marks):
            return "digits"
    return "string"


def read_cells(
    cells: pa.Array, kind: Kind, marks: Marks, *, lenient: bool = False
) -> tuple[pa.Array, pa.Array | None]:
    """Return text cells as values of a kind, and which of them are none.

    Parameters
    ----------
    cells : array of string
        Trimmed; null where empty.
    kind : Kind
        What they should be.
    marks : Marks
        As declared.
    lenient : bool, default False
        For types that a person declared: leading zeros go, and a date is a timestamp too.

    Returns
    -------
    tuple of (array, array of bool or None)
        Values, null where a cell does not fit; the mask of these, None if all fit.
    """
    if kind in {"", "digits", "string"}:
        return cells, None
    values = read_all(cells, kind, marks, lenient=lenient)
    return (values, None) if values is not None else _each(cells, kind, marks, lenient=lenient)


def almost_number(
    counts: dict[str, int], numbers: int, rows: int, *, name: str, place: str
) -> Finding | None:
    """Return a finding if a text column would be a number but for a few markers.

    Parameters
    ----------
    counts : dict
        Cells that are no numbers, with their counts.
    numbers : int
        Filled cells that are.
    rows : int
        All cells.
    """
    others = sum(counts.values())
    filled = numbers + others
    if not others or not filled or numbers < 0.5 * filled or len(counts) > _EXAMPLES:
        return None
    known = all(token.lower() in _KNOWN_MARKERS for token in counts)
    if not known and (numbers < 0.9 * filled or _leading_zero(list(counts))):
        return None
    say = [t for t, c in counts.items() if t.lower() in _KNOWN_MARKERS or c >= 5]
    quoted = ", ".join(f'"{token}"' for token in say)
    markers = f": {quoted}" if say else ""
    fix = f"null: [{quoted}]" if say else "null: [...] for the marker"
    return Finding(
        "U017",
        "warn",
        f"{place}, column {name}, {others} of {rows} rows",
        f"The column would be a number but for {others} cells{markers}; as text it has "
        f"lost its order. Declare {fix}, or types: {{{name}: string}} if it is text.",
        {"cells": others, "kinds": len(counts), "shown": say},
    )


def is_known_marker(text: str) -> bool:
    """Whether a text is one of those that stand for "no value" in many files."""
    return text.lower() in _KNOWN_MARKERS


def _looks(text: str, kind: Kind, marks: Marks) -> bool:
    """Whether a single cell is written as a kind is: if not, the column is none."""
    flags = re.IGNORECASE if kind == "boolean" else 0
    return re.search(_pattern(kind, marks), text, flags) is not None


def _beyond(cells: pa.Array, marks: Marks) -> Kind:
    """Return the kind of cells that begin with whole numbers beyond 64 bits."""
    return "number" if read_cells(cells, "number", marks)[1] is None else "string"


def _all_match(cells: pa.Array, kind: Kind, marks: Marks) -> bool:
    import pyarrow.compute as pc

    fits = pc.match_substring_regex(cells, pattern=_pattern(kind, marks))
    return bool(fits.true_count == len(cells) - cells.null_count)


def read_all(
    cells: pa.Array, kind: Kind, marks: Marks, *, lenient: bool = False
) -> pa.Array | None:
    """Return text cells as values if every one fits, by the quickest way to be sure; else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "boolean":
        fits = pc.is_in(cells, value_set=pa.array(_TRUTHS, pa.string()), skip_nulls=True)
        if fits.true_count < len(cells) - cells.null_count:
            return None
    if kind in {"timestamp", "zoned"}:
        fits = pc.match_substring_regex(cells, pattern=_pattern(kind, marks, lenient=lenient))
        if fits.true_count < len(cells) - cells.null_count:
            return None
    if kind in {"integer", "number"} and not _plain_numbers(cells, marks):
        return None
    try:
        _plain_cast(cells.slice(0, _GLANCE), kind, marks)  # a cast that fails still reads all
        values = _plain_cast(cells, kind, marks)
    except pa.ArrowInvalid:
        return None
    if kind == "number" and not pc.all(pc.is_finite(values), min_count=0).as_py():
        return None
    return values


def _plain_numbers(cells: pa.Array, marks: Marks) -> bool:
    """Whether no cell begins like 007 or 0x1F, nor has a mark that must be looked at."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if marks.thousands is not None:
        pattern = _BLANKS[marks.thousands]
        if pc.any(pc.match_substring_regex(cells, pattern=pattern), min_count=0).as_py():
            return False
    if marks.decimal == "," and pc.any(pc.match_substring(cells, "."), min_count=0).as_py():
        return False
    doubtful = _begin_with_zero(cells)
    if not doubtful.any():
        return True
    few = cells.filter(pa.array(doubtful))
    return not pc.any(pc.match_substring_regex(few, pattern="^[+-]?0[0-9xX]"), min_count=0).as_py()


def _begin_with_zero(cells: pa.Array) -> NDArray[np.bool_]:
    """Return which cells begin with 0 and have more, a sign apart; by their bytes, for speed."""
    import numpy as np

    offsets, data = cells.buffers()[1:]
    ends = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    if not letters.size:
        return np.zeros(len(cells), bool)
    starts, longer = ends[:-1], ends[1:] - ends[:-1] > 1
    last = letters.size - 1
    first = letters[np.minimum(starts, last)]
    found = (first == ord("0")) & longer
    signed = ((first == ord("-")) | (first == ord("+"))) & longer
    if signed.any():
        found |= signed & (letters[np.minimum(starts + 1, last)] == ord("0"))
    return np.asarray(found)


def _each(
    cells: pa.Array, kind: Kind, marks: Marks, *, lenient: bool
) -> tuple[pa.Array, pa.Array | None]:
    """Return values and misfits, each cell by itself."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pattern = _pattern(kind, marks, lenient=lenient)
    fits = pc.match_substring_regex(cells, pattern=pattern, ignore_case=kind == "boolean")
    nothing = pa.scalar(None, pa.string())
    likely = pc.if_else(fits, cells, nothing)

    def cast(some: pa.Array) -> pa.Array:
        return _cast(some, kind, marks)

    try:
        values = cast(likely)
    except pa.ArrowInvalid:
        wrong = pa.array(_failing(likely.drop_null().unique(), cast), pa.string())
        values = cast(pc.if_else(pc.is_in(likely, value_set=wrong), nothing, likely))
    if kind == "number":
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))
    misfits = pc.and_(pc.is_null(values), pc.is_valid(cells))
    return values, (misfits if misfits.true_count else None)


def _failing(texts: pa.Array, cast: Callable[[pa.Array], pa.Array]) -> list[str]:
    """Return the texts that cannot be cast, by halving: mostly few."""
    import pyarrow as pa

    try:
        cast(texts)
    except pa.ArrowInvalid:
        if len(texts) == 1:
            return [texts[0].as_py()]
        half = len(texts) // 2
        return _failing(texts.slice(0, half), cast) + _failing(texts.slice(half), cast)
    return []


def _pattern(kind: Kind, marks: Marks, *, lenient: bool = False) -> str:
    mark = r"\." if marks.decimal == "." else ","
    whole = "[0-9]+" if lenient else "(0|[1-9][0-9]*)"
    if marks.thousands is not None:
        whole = f"([1-9][0-9]{{0,2}}({_BLANKS[marks.thousands]}[0-9]{{3}})+|{whole})"
    sign = "[+-]?" if lenient else "-?"
    return {
        "integer": f"^{sign}{whole}$",
        "number": rf"^[+-]?({whole}({mark}[0-9]*)?|{mark}[0-9]+)([eE][+-]?[0-9]+)?$",
        "boolean": "^(true|false)$",
        "date": DATE,
        "timestamp": f"{TIMESTAMP}|{DATE}" if lenient else TIMESTAMP,
        "zoned": ZONED,
    }[kind]


def _cast(cells: pa.Array, kind: Kind, marks: Marks) -> pa.Array:
    """Return cells that look right as values; Arrow refuses 31.02. and what 64 bits cannot hold."""
    import pyarrow.compute as pc

    plain = cells
    if kind in {"integer", "number"}:
        if marks.thousands is not None:
            plain = pc.replace_substring_regex(plain, _BLANKS[marks.thousands], "")
        plain = pc.replace_substring_regex(plain, r"^\+", "")
    return _plain_cast(plain, kind, marks)


def _plain_cast(cells: pa.Array, kind: Kind, marks: Marks) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    match kind:
        case "integer":
            return cells.cast(pa.int64())
        case "number":
            plain = pc.replace_substring(cells, ",", ".") if marks.decimal == "," else cells
            return plain.cast(pa.float64())
        case "boolean":
            return pc.equal(pc.utf8_lower(cells), "true")
        case "date":
            return cells.cast(pa.date32())
        case _:
            return cells.cast(pa.timestamp("us", "UTC" if kind == "zoned" else None))


def _leading_zero(tokens: list[str]) -> bool:
    return any(len(token) > 1 and token[0] == "0" and token[1].isdigit() for token in tokens)

"""What kind of value text cells are: integer, number, boolean, date, timestamp, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

INTEGER = r"^-?(0|[1-9][0-9]*)$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CLOCK = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
TIMESTAMP = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}$"
ZONED = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$"
_KNOWN_MARKERS = {
    "?", "-", "--", ".", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "unknown", "missing",
    "#n/a", "#na", "not available", "-nan", "inf", "-inf", "nd", "n.d.",
}  # fmt: skip
_EXAMPLES = 5


def inferred(cells: pa.Array, decimal: str) -> pa.Array | None:
    """Return the cells as the narrowest type that every filled one has; None if text.

    Parameters
    ----------
    cells : array of string
        Trimmed; null where empty.
    decimal : {".", ","}
        The decimal mark declared.
    """
    if cells.null_count == len(cells):
        return None
    for wanted in ("integer", "number", "boolean", "date", "timestamp"):
        if _fit(cells.slice(0, 1000), wanted, decimal) and _fit(cells, wanted, decimal):
            made = _cast(cells, wanted, decimal)
            if made is not None:
                return made
            if wanted == "integer":
                return None  # beyond 64 bits: digits, not a quantity
    return None


def typed(cells: pa.Array, wanted: str, decimal: str, *, name: str, place: str) -> pa.Array:
    """Return the cells as the declared type.

    Raises
    ------
    Qua3ckError
        If a cell does not fit; names the rows, never the values.
    """
    fits = _matches(cells, wanted, decimal, declared=True)
    made = _cast(cells, wanted, decimal) if fits.true_count == _filled(cells) else None
    if made is not None:
        return made
    rows = _misfits(cells, fits, wanted, decimal)
    shown = ", ".join(str(row + 1) for row in rows[:_EXAMPLES])
    raise Qua3ckError(
        f'{len(rows)} cells of column "{name}" are not of the declared type {wanted}: '
        f"rows {shown}{' ...' if len(rows) > _EXAMPLES else ''}",
        where=f"{place}.types.{name}",
        fix="correct these cells, declare their marker under null:, or declare another type",
        code="U102",
    )


def almost_number(cells: pa.Array, decimal: str, *, name: str, place: str) -> Finding | None:
    """Return a finding if a text column would be a number but for a few markers."""
    import pyarrow.compute as pc

    filled = cells.drop_null()
    if len(filled) == 0:
        return None
    fits = pc.match_substring_regex(filled, pattern=_pattern("number", decimal))
    others = filled.filter(pc.invert(fits))
    share = 1 - len(others) / len(filled)
    if share < 0.5 or len(others) == 0:
        return None
    tokens = others.value_counts()
    if len(tokens) > _EXAMPLES:
        return None
    names = tokens.field("values").to_pylist()
    counts = tokens.field("counts").to_pylist()
    known = all(token.lower() in _KNOWN_MARKERS for token in names)
    if not known and (share < 0.9 or _leading_zero(names)):
        return None
    say = [t for t, c in zip(names, counts, strict=True) if t.lower() in _KNOWN_MARKERS or c >= 5]
    quoted = ", ".join(f'"{token}"' for token in say)
    markers = f": {quoted}" if say else ""
    fix = f"null: [{quoted}]" if say else "null: [...] for the marker"
    return Finding(
        "U017",
        "warn",
        f"{place}, column {name}, {len(others)} of {len(cells)} rows",
        f"The column would be a number but for {len(others)} cells{markers}; as text it has "
        f"lost its order. Declare {fix}, or types: {{{name}: string}} if it is text.",
        {"cells": len(others), "kinds": len(tokens), "shown": say},
    )


def _fit(cells: pa.Array, wanted: str, decimal: str) -> bool:
    return bool(_matches(cells, wanted, decimal).true_count == _filled(cells))


def _filled(cells: pa.Array) -> int:
    return len(cells) - int(cells.null_count)


def _matches(
    cells: pa.Array, wanted: str, decimal: str, *, declared: bool = False
) -> pa.BooleanArray:
    import pyarrow.compute as pc

    if wanted == "timestamp":
        zoned = pc.match_substring_regex(cells, pattern=ZONED)
        if zoned.true_count == _filled(cells):
            return zoned
    pattern = _pattern(wanted, decimal)
    if declared and wanted == "integer":
        pattern = r"^[+-]?[0-9]+$"  # whoever declares it accepts that leading zeros go
    if declared and wanted == "number":
        pattern = pattern.replace("(0|[1-9][0-9]*)", "[0-9]+")
    if declared and wanted == "timestamp":
        pattern = f"{TIMESTAMP}|{DATE}"
    return pc.match_substring_regex(cells, pattern=pattern, ignore_case=wanted == "boolean")


def _pattern(wanted: str, decimal: str) -> str:
    mark = r"\." if decimal == "." else ","
    whole = "(0|[1-9][0-9]*)"
    number = rf"^[+-]?({whole}({mark}[0-9]*)?|{mark}[0-9]+)([eE][+-]?[0-9]+)?$"
    return {
        "integer": INTEGER,
        "number": number,
        "boolean": "^(true|false)$",
        "date": DATE,
        "timestamp": TIMESTAMP,
    }[wanted]


def _cast(cells: pa.Array, wanted: str, decimal: str) -> pa.Array | None:
    """Return the cells cast, or None if a value lies outside the type (such as day 31.02.)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        match wanted:
            case "integer":
                return pc.replace_substring_regex(cells, r"^\+", "").cast(pa.int64())
            case "number":
                plain = pc.replace_substring(cells, ",", ".") if decimal == "," else cells
                return pc.replace_substring_regex(plain, r"^\+", "").cast(pa.float64())
            case "boolean":
                return pc.utf8_lower(cells).cast(pa.bool_())
            case "date":
                return cells.cast(pa.date32())
            case _:
                zoned = pc.match_substring_regex(cells, pattern=ZONED)
                zone = "UTC" if zoned.true_count == _filled(cells) else None
                return cells.cast(pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        return None


def _misfits(cells: pa.Array, fits: pa.BooleanArray, wanted: str, decimal: str) -> list[int]:
    """Return the positions of cells that cannot be read, also of those that only look right."""
    rows = [
        position
        for position, (fit, cell) in enumerate(zip(fits.to_pylist(), cells, strict=True))
        if fit is False
        or (fit and _cast(cells.slice(position, 1), wanted, decimal) is None and cell.is_valid)
    ]
    return rows or [0]


def _leading_zero(tokens: list[str]) -> bool:
    return any(len(token) > 1 and token[0] == "0" and token[1].isdigit() for token in tokens)

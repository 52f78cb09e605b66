"""What a form asks for: one field per input of a model, with the ranges and values seen.

Nothing is shown that would point at few persons: values seen in fewer than ten training rows
are no choice, ranges are rounded outwards, and of a column that is personal or sensitive
neither range nor value is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from qua3ck.store.releases.rows import outwards

LEAST = 10  # rows: smaller groups are never shown
_EPOCH = date(1970, 1, 1)

Value = str | float | int | bool | None


@dataclass(frozen=True)
class Field:
    """One input of a model as a form asks for it.

    Attributes
    ----------
    name, kind : str
        Column and ``number``, ``category``, ``text``, ``date`` or ``bool``.
    whole : bool
        Whether training rows held whole numbers only.
    low, high : float or None
        Range seen in training rows, rounded outwards; of a date days since 1970.
    inner : tuple of float or None
        Between which values nine of ten training rows lie, or half of few; of a date days since
        1970. At least ten rows lie on either side: ``low`` and ``high`` are rounded outwards
        and may be nobody's.
    typical : str, number, bool or None
        Median or most frequent value of the training rows; None where it is not known.
    choices : tuple of str
        Values seen in at least ten training rows, the most frequent first.
    hidden : bool
        Whether the column is personal or sensitive: nothing about its values is told.
    """

    name: str
    kind: str
    whole: bool = False
    low: float | None = None
    high: float | None = None
    inner: tuple[float, float] | None = None
    typical: Value = None
    choices: tuple[str, ...] = ()
    hidden: bool = False

    def outside(self, value: Value) -> bool:
        """Return whether a value lies outside of what training rows held."""
        if value is None or self.hidden:
            return False
        if self.kind == "category":
            return bool(self.choices) and str(value) not in self.choices
        number = as_number(value)
        if number is None or self.low is None or self.high is None:
            return False
        return not self.low <= number <= self.high


def fields(
    columns: Sequence[Mapping[str, Any]],
    profile: Mapping[str, Mapping[str, Any]],
    *,
    hidden: frozenset[str] = frozenset(),
) -> tuple[Field, ...]:
    """Return the fields of a form.

    Parameters
    ----------
    columns : sequence of mapping
        The columns of a release's schema.
    profile : mapping
        What the training rows looked like, by column; empty where that is not known.
    hidden : frozenset of str
        Columns that are personal or sensitive.
    """
    return tuple(_field(column, profile.get(column["name"], {}), hidden) for column in columns)


def typical_row(listed: Sequence[Field]) -> dict[str, Value]:
    """Return the typical case: of each input the median or the most frequent value."""
    return {field.name: field.typical for field in listed}


def as_number(value: Value) -> float | None:
    """Return a number, or a date as days since 1970; None for what is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (read.replace(tzinfo=read.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(
        days=1
    )


def as_date(days: float) -> str:
    """Return days since 1970 as an ISO 8601 date."""
    return (_EPOCH + timedelta(days=round(days))).isoformat()


def _field(column: Mapping[str, Any], about: Mapping[str, Any], hidden: frozenset[str]) -> Field:
    name, kind = str(column["name"]), str(column["kind"])
    whole = kind == "number" and "int" in str(column.get("type", ""))
    if name in hidden:
        return Field(name, kind, whole=whole, hidden=True)
    low, high = column.get("low"), column.get("high")
    if low is not None and high is not None:
        low, high = outwards(low, high, whole=whole or kind == "date")
    return Field(
        name,
        kind,
        whole=whole,
        low=low,
        high=high,
        inner=_inner(about),
        typical=_typical(kind, about, whole=whole),
        choices=_choices(about) if kind == "category" else (),
    )


def _choices(about: Mapping[str, Any]) -> tuple[str, ...]:
    counts = about.get("top", {})
    return tuple(
        name for name, count in counts.items() if isinstance(count, int) and count >= LEAST
    )


def _inner(about: Mapping[str, Any]) -> tuple[float, float] | None:
    at, rows = about.get("quantiles", {}), sum(about.get("histogram", {}).get("counts", ()))
    for low, high in (("0.05", "0.95"), ("0.25", "0.75")):
        if low in at and high in at and float(low) * rows >= LEAST:
            return float(at[low]), float(at[high])
    return None


def _typical(kind: str, about: Mapping[str, Any], *, whole: bool) -> Value:
    if kind in ("category", "bool"):
        first = next(iter(_choices(about)), None)
        return first == "true" if kind == "bool" and first is not None else first
    middle = about.get("quantiles", {}).get("0.5")
    if middle is None:
        return None
    if kind == "date":
        return as_date(middle)
    return round(middle) if whole else _short(middle)


def _short(number: float, digits: int = 3) -> float:
    return float(f"{number:.{digits}g}")

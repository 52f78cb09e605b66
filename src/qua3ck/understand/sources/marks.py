"""Watermarks: the greatest value seen so far, and the one to ask from the next time.

Rows become visible in the order they are committed, not in the order of their timestamps, and
several rows share one timestamp. So the next load asks from ``overlap`` before the mark, border
included; rows that come twice are known by their key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from qua3ck.kit.errors import Qua3ckError

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?"
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = timedelta(hours=1)
_STEPS = Decimal(1000)


class Marks:
    """Keeps the greatest of the values it sees, in the spelling of the source.

    Attributes
    ----------
    greatest : str or None
        None as long as no value could be read.
    unreadable : int
        Values that are no number and no ISO date or moment, or of another sort than the first.
    """

    def __init__(self, greatest: str | None = None) -> None:
        self.greatest = greatest
        self.unreadable = 0
        self._value = _read(greatest)

    def see(self, values: Iterable[object]) -> None:
        """Take in more values."""
        for value in values:
            read = _read(value)
            if read is None or (self._value is not None and read[0] != self._value[0]):
                self.unreadable += 1
            elif self._value is None or read > self._value:
                self._value, self.greatest = read, str(value)


def lowered(mark: str, overlap: str | None, *, place: str) -> str:
    """Return the value to ask from: the mark less the overlap, spelled as the mark is.

    Parameters
    ----------
    mark : str
        A number, an ISO date or an ISO moment.
    overlap : str or None
        ``90s``, ``30m``, ``2h``, ``7d``, or a plain number for numbers. Without one: an hour
        for moments, a day for dates, 1000 for numbers.
    place : str
        The source's place in the project file.

    Raises
    ------
    Qua3ckError
        If the overlap is a span of time and the mark a number, or the other way round.
    """
    read = _read(mark)
    span = _span(overlap)
    if read is None or (span is not None and isinstance(span, Decimal) != (read[0] == "number")):
        raise Qua3ckError(
            f"The overlap {overlap} does not fit the watermark, which holds "
            + ("no number and no moment" if read is None else f"a {read[0]}"),
            where=f"{place}.overlap",
            fix="write a span such as 2h for moments, a plain number for numbers",
            code="U144",
        )
    value = read[1]
    if isinstance(value, Decimal):
        return str(value - (span if isinstance(span, Decimal) else _STEPS))
    days = timedelta(days=1) if len(mark) == 10 else _SPAN
    earlier = value - (span if isinstance(span, timedelta) else days)
    return _spelled(earlier, like=mark)


def longer_than(seconds: float, overlap: str | None) -> bool:
    """Whether a reading took longer than the overlap can make up for."""
    span = _span(overlap)
    return not isinstance(span, Decimal) and timedelta(seconds=seconds) > (span or _SPAN)


def back(mark: str, seconds: float) -> str:
    """Return a moment so many seconds earlier; a mark that is no moment as it is."""
    read = _read(mark)
    if read is None or isinstance(read[1], Decimal):
        return mark
    return _spelled(read[1] - timedelta(seconds=seconds), like=mark)


def _read(value: object) -> tuple[str, Decimal | datetime] | None:
    """Return the sort of a value and the value, comparable with others of that sort."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | Decimal):
        return "number", Decimal(value)
    if isinstance(value, datetime):
        return "zoned moment" if value.tzinfo else "moment", value
    if isinstance(value, date):
        return "moment", datetime(value.year, value.month, value.day)  # noqa: DTZ001
    text = str(value)
    if _NUMBER.fullmatch(text):
        return "number", Decimal(text)
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None  # such as 31 February
    return "zoned moment" if moment.tzinfo else "moment", moment


def _span(overlap: str | None) -> timedelta | Decimal | None:
    if overlap is None:
        return None
    if overlap[-1] in _UNITS:
        return timedelta(**{_UNITS[overlap[-1]]: int(overlap[:-1])})
    return Decimal(overlap)


def _spelled(moment: datetime, *, like: str) -> str:
    if len(like) == 10:
        return moment.date().isoformat()
    clock = like[11:]
    zone = re.search(r"(Z|[+-]\d{2}:?\d{2})$", clock)
    digits = re.search(r"\.(\d+)", clock)
    text = moment.strftime("%Y-%m-%d") + like[10] + moment.strftime("%H:%M:%S")
    if digits:
        text += "." + f"{moment.microsecond:06d}".ljust(9, "0")[: len(digits.group(1))]
    return text + (zone.group() if zone else "")

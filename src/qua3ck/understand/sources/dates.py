"""Dates in the layouts people write: declared by layout, read exactly, never by guess.

A layout is written as for Python's ``strptime``: ``%d.%m.%Y``. Several may be declared for one
column; a value must fit one of them, or several with the same result. A year of two digits is
1970 to 1999 (70 to 99) or 2000 to 2049 (00 to 49); 50 to 69 could be either and is refused.
A layout without a day, ``%b-%y``, is a month and stands for its first day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_MONTHS = "january february march april may june july august september october november december"
_FULL = _MONTHS.split()
_SHORT = [name[:3] for name in _FULL]
_NUMERIC = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2}
_CLOCK = set("HIMSfp")
_EARLIEST_YEAR = 1000
_CENTURY_ENDS, _CENTURY_BEGINS = 49, 70
_NEARLY = 0.9
_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class Layout:
    """One way to write a date: its pattern, and whether it has a time of day."""

    written: str
    pattern: str
    clock: bool


@lru_cache(maxsize=4096)
def layout(written: str) -> Layout:
    """Return a layout ready for use.

    Raises
    ------
    ValueError
        If it holds a directive that is not one of %Y %y %m %d %b %B %H %I %M %S %f %p, holds
        one twice, or does not tell a whole date.
    """
    parts = re.findall(r"%.|[^%]+|%$", written)
    signs = [part[1:] for part in parts if part.startswith("%") and part != "%%"]
    possible = {*_NUMERIC, "b", "B", "f", "p"}
    strange = next((sign for sign in signs if sign not in possible), None)
    if strange is not None:
        message = f"%{strange} is none of %Y %y %m %d %b %B %H %I %M %S %f %p"
        raise ValueError(message)
    months = [sign for sign in signs if sign in "mbB"]
    years = [sign for sign in signs if sign in "Yy"]
    if len(months) != 1 or len(years) != 1 or len({*signs}) < len(signs):
        message = "a layout has one year, one month, and one day (or none: the first)"
        raise ValueError(message)
    if "d" not in signs and _CLOCK & {*signs}:
        message = "a time of day needs a day"
        raise ValueError(message)
    if "I" in signs and ("p" not in signs or "H" in signs):
        message = "%I needs %p, and no %H"
        raise ValueError(message)
    pattern = "".join(_piece(parts, at) for at in range(len(parts)))
    return Layout(written, f"(?i)^{pattern}$", bool(_CLOCK & {*signs}))


def check_layouts(dates: Mapping[str, Sequence[str]], *, place: str) -> None:
    """Raise for the first declared layout that is none.

    Raises
    ------
    Qua3ckError
        Naming the column and what is possible.
    """
    for column, written in dates.items():
        for one in written:
            try:
                layout(one)
            except ValueError as problem:
                raise Qua3ckError(
                    f'"{one}" is no layout of a date: {problem}',
                    where=f"{place}.dates.{column}",
                    fix='write it as %d.%m.%Y, %m/%d/%y, "%d-%b-%Y %H:%M" or the like',
                    code="U124",
                ) from None


def read_dates(cells: pa.Array, layouts: Sequence[str]) -> tuple[pa.Array, pa.Array | None]:
    """Return texts as dates, and which of them are none.

    Parameters
    ----------
    cells : array of string
        Trimmed; null where empty.
    layouts : sequence of str
        As for ``strptime``.

    Returns
    -------
    tuple of (array, array of bool or None)
        date32, or timestamp[us] if a layout has a time of day; null where a cell fits no
        layout or several with different results. The mask of these; None if there are none.

    Notes
    -----
    Days are checked by the calendar: 31.02. is no date (Arrow's and C's ``strptime`` make it
    3 March). Equal texts are read once.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    known = [layout(one) for one in layouts]
    clock = any(one.clock for one in known)
    coded = cells.dictionary_encode()
    texts = coded.dictionary
    moments = np.zeros(len(texts), np.int64)
    fitting = np.zeros(len(texts), bool)
    twofold = np.zeros(len(texts), bool)
    for one in known:
        value, fits = _moments(texts, one)
        twofold |= fits & fitting & (value != moments)
        moments = np.where(fits, value, moments)
        fitting |= fits
    good = fitting & ~twofold
    values = pa.array(moments, pa.timestamp("us"), mask=~good)
    kept = (values if clock else values.cast(pa.date32())).take(coded.indices)
    if good.all():
        return kept, None
    return kept, pc.and_(pc.is_null(kept), pc.is_valid(cells))


def fitting_layouts(texts: pa.Array, candidates: Iterable[str]) -> tuple[list[str], int]:
    """Return the candidates that most of the texts fit, and how many that are.

    Nearly all must fit: a few may be no dates, such as 31.04.
    """
    found: dict[str, int] = {}
    for written in candidates:
        _, fits = _moments(texts, layout(written))
        found[written] = int(fits.sum())
    best = max(found.values(), default=0)
    if not best or best < _NEARLY * len(texts):
        return [], 0
    return [written for written, count in found.items() if count == best], best


def _piece(parts: Sequence[str], at: int) -> str:
    """Return the regular expression of one part of a layout."""
    part = parts[at]
    if part == "%%":
        return "%"
    if not part.startswith("%"):
        return re.sub(r"\s+", r"\\s+", re.escape(part).replace("\\ ", " "))
    sign = part[1:]
    if sign in _NUMERIC:
        beside = [parts[near] for near in (at - 1, at + 1) if 0 <= near < len(parts)]
        packed = any(near.startswith("%") and near[1:] in _NUMERIC for near in beside)
        wide = _NUMERIC[sign]
        least = wide if packed or sign in "Yy" else 1
        return f"(?P<{sign}>[0-9]{{{least},{wide}}})"
    names = {"b": _SHORT, "B": _FULL, "p": ["am", "pm"]}
    if sign in names:
        return f"(?P<{sign}>{'|'.join(names[sign])})"
    return "(?P<f>[0-9]{1,6})"


def _moments(texts: pa.Array, one: Layout) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return microseconds since 1970 and whether a text fits the layout and the calendar."""
    import numpy as np
    import pyarrow.compute as pc

    found = pc.extract_regex(texts, pattern=one.pattern)
    fits = found.is_valid().to_numpy(zero_copy_only=False)
    if not fits.any():
        return np.zeros(len(texts), np.int64), fits
    get = {part.name: cells for part, cells in zip(found.type, found.flatten(), strict=True)}
    year, likely = _year(get)
    month = _month(get)
    day = _number(get, "d") if "d" in get else np.ones(len(texts), np.int64)
    first = (year - 1970) * 12 + month - 1
    starts = np.datetime64("1970-01-01", "M") + np.stack([first, first + 1])
    begins, ends = starts.astype("datetime64[D]").astype(np.int64)
    clock, timely = _time_of_day(get, len(texts))
    fits &= likely & (month >= 1) & (month <= 12) & (day >= 1) & (day <= ends - begins) & timely
    return (begins + day - 1) * _DAY + clock, fits


def _number(get: Mapping[str, pa.Array], sign: str) -> NDArray[np.int64]:
    import pyarrow as pa

    plain = get[sign].fill_null("0")
    return _as_numpy(plain.cast(pa.int64()))


def _as_numpy(values: pa.Array) -> NDArray[np.int64]:
    import numpy as np

    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.int64)


def _year(get: Mapping[str, pa.Array]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return years and whether each is plausible and can only be that one."""
    import numpy as np

    if "Y" in get:
        year = _number(get, "Y")
        return year, year >= _EARLIEST_YEAR
    short = _number(get, "y")
    year = np.where(short <= _CENTURY_ENDS, 2000, 1900) + short
    return year, (short <= _CENTURY_ENDS) | (short >= _CENTURY_BEGINS)


def _month(get: Mapping[str, pa.Array]) -> NDArray[np.int64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if "m" in get:
        return _number(get, "m")
    names, sign = (_SHORT, "b") if "b" in get else (_FULL, "B")
    places = pc.index_in(pc.utf8_lower(get[sign]), value_set=pa.array(names))
    return _as_numpy(places.fill_null(-1).cast(pa.int64())) + 1


def _time_of_day(
    get: Mapping[str, pa.Array], rows: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return microseconds since midnight, and whether there is such a time."""
    import numpy as np
    import pyarrow.compute as pc

    zero = np.zeros(rows, np.int64)
    hour = _number(get, "H") if "H" in get else zero
    good = hour < 24
    if "I" in get:
        hour = _number(get, "I")
        good = (hour >= 1) & (hour <= 12)
        late = pc.equal(pc.utf8_lower(get["p"]), "pm").fill_null(False)
        hour = hour % 12 + 12 * late.to_numpy(zero_copy_only=False)
    minute = _number(get, "M") if "M" in get else zero
    second = _number(get, "S") if "S" in get else zero
    part = zero
    if "f" in get:
        part = _as_numpy(pc.utf8_rpad(get["f"].fill_null(""), 6, "0").cast("int64"))
    good = good & (minute < 60) & (second < 60)
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + part, good


# -- what layout texts could be in ---------------------------------------------------------------


@dataclass(frozen=True)
class Guess:
    """In which layouts some texts could be dates.

    Attributes
    ----------
    sure : tuple of str
        Layouts that some value proves, such as one with a day beyond 12.
    open : tuple of tuple of str
        For each group of texts that several layouts fit with different results: these layouts.
    dates, others : int
        Texts that fit some layout, and that fit none.
    rest : tuple of str
        The first of these others.
    proof : int
        Texts that only the sure layouts fit, as the other order of day and month does not.
    """

    sure: tuple[str, ...]
    open: tuple[tuple[str, ...], ...]
    dates: int
    others: int
    rest: tuple[str, ...]
    proof: int = 0


def guess_layouts(texts: Sequence[str]) -> Guess:
    """Return the layouts that distinct texts could be dates in.

    Texts of one shape (``9/9/99``) are taken to have one layout. The order of day and month is
    sure only if some text of that shape refutes the other order.
    """
    import pyarrow as pa

    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(_shape(text), []).append(text)
    sure: list[str] = []
    unsure: list[tuple[str, ...]] = []
    rest: list[str] = []
    proof = 0
    for shape, members in groups.items():
        cells = pa.array(members, pa.string())
        fits, count = fitting_layouts(cells, _candidates(shape))
        if not fits:
            rest += members
            continue
        misfits = read_dates(cells, fits[:1])[1]
        none = cells.slice(0, 0) if misfits is None else cells.filter(misfits)
        rest += none.to_pylist()
        other = [
            one for one in fits[1:] if one == _turned(fits[0]) or not _same(cells, fits[0], one)
        ]
        other += [one for one in _candidates(shape) if _moments(none, layout(one))[1].any()]
        if other:
            unsure.append((fits[0], *other))
        else:
            sure.append(fits[0])
            proof += _refuting(cells, fits[0], count)
    dates = sum(map(len, groups.values())) - len(rest)
    return Guess(tuple(sure), tuple(unsure), dates, len(rest), tuple(rest[:20]), proof)


_ORDERS = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y")
_NAMED = (
    *("%d{0}%b{0}%y", "%d{0}%b{0}%Y", "%d{0}%B{0}%Y", "%d{0}%B{0}%y"),
    *("%b{0}%d,{0}%Y", "%B{0}%d,{0}%Y", "%b{0}%d{0}%Y", "%B{0}%d{0}%Y"),
    *("%d.{0}%B{0}%Y", "%d.{0}%b{0}%Y"),
)
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")


_DATELIKE = re.compile(r"(a[. ]+)?9+[./ ,-]+(a[./ ,-]+)?9+([./ ,-]+9+)?([aT ]*9[0-9a: .]*)?")


def _shape(text: str) -> str:
    """Return a text with each run of digits as 9 or 9999 and each of letters as a."""
    short = re.sub(r"[0-9]+", lambda run: "9999" if len(run[0]) > 2 else "9", text)
    return re.sub(r"[^\W\d_]+", "a", short)


@lru_cache(maxsize=1024)
def _candidates(shape: str) -> tuple[str, ...]:
    """Return the layouts that texts of a shape could be in."""
    groups = re.findall("9+", shape)
    packed = shape == "9999"
    if not packed and (not 2 <= len(groups) <= 8 or _DATELIKE.fullmatch(shape) is None):
        return ()
    marks = dict.fromkeys(re.findall(r"[./ -]", shape)) or {"": None}
    days = [order.format(mark) for mark in marks for order in (*_ORDERS, *_NAMED)]
    days += ["%Y%m%d"]
    if ":" not in shape:
        return tuple(dict.fromkeys(days))
    between = "T" if "a" in shape and "9a9" in shape else " "
    return tuple(dict.fromkeys(f"{day}{between}{clock}" for day in days for clock in _CLOCKS))


def _same(cells: pa.Array, one: str, other: str) -> bool:
    return bool(read_dates(cells, [one])[0].equals(read_dates(cells, [other])[0]))


def _turned(written: str) -> str:
    """Return a layout with day and month exchanged."""
    return written.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")


def _refuting(cells: pa.Array, written: str, count: int) -> int:
    """Return how many texts the layout with day and month exchanged does not fit."""
    if "%m" not in written:
        return 0
    _, fits = _moments(cells, layout(_turned(written)))
    return max(count - int(fits.sum()), 0)

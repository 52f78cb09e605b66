"""The prelude for a process that answers requests: plain Python values in, no pandas.

A spec is compiled once; then one row or a thousand are checked and prepared with the very
functions that :mod:`prelude` reads its tables with. The prelude says what cannot be read at
all; :meth:`Rows.strange` says what can be read but was never met in training.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qua3ck.kit.errors import did_you_mean
from qua3ck.store.releases import prelude

if TYPE_CHECKING:
    import pandas as pd

Spec = Mapping[str, Any]
Given = Mapping[str, Sequence[Any]]
Kind = Literal["missing", "not_finite", "fraction", "unseen", "outside"]
_Reader = Callable[[Sequence[Any]], list[Any]]

_NAN = float("nan")
_GONE = (_NAN,) * 6
_EPOCH = dt.date(1970, 1, 1)
_DIGITS = 700  # as many stand between the largest and the smallest number there is
_LARGEST = float(np.finfo(np.float64).max)
_SOME = 8  # as many are named in a message; a request may hold thousands


class Strange(NamedTuple):
    """Something a request holds and training never had; ``row`` counts from 0.

    ``missing``: empty where no training row was. ``not_finite``: infinite, or too large for
    the model's numbers. ``fraction``: between two whole numbers, where training held those
    only. ``unseen``: a category of no training row. ``outside``: beyond the
    range of the training rows.
    """

    kind: Kind
    column: str
    row: int
    says: str
    fix: str


class Seen(NamedTuple):
    """What training rows held of a column, as it may be told to whoever asks.

    ``low`` and ``high`` are the range to the last digit, by which values are judged, and
    ``about`` is the range that is told: rounded outwards, so that no row is named by it. A
    date is written as ISO 8601; None where there is no range. ``values`` are the categories
    in alphabetical order, the rare ones too; empty where there are none, or where more were
    met than were kept.
    """

    low: float | str | None = None
    high: float | str | None = None
    values: tuple[str, ...] = ()
    about: tuple[float | str, float | str] | None = None

    @property
    def span(self) -> str:
        """The range in words, such as ``about 18 to 80``; empty where there is none."""
        if self.about is None:
            return ""
        low, high = self.about
        return f"about {_shown(low)} to {_shown(high)}"


@dataclass(frozen=True)
class Prepared:
    """Rows as the model takes them: what :func:`prelude.prepare` makes, without a table.

    ``numbers`` (n_numbers, n_held) holds NaN for empty; ``texts`` one list for each category
    or text input. A row alone is held twice, because the model must see it as one of many
    (see :mod:`runner`). ``inputs`` gives name, kind and the place in either. ``finite`` says
    that no number is NaN; ``infinite`` is true where NaN stands for an infinite number.
    """

    rows: int
    inputs: tuple[tuple[str, str, int], ...]
    numbers: NDArray[np.float32]
    texts: list[list[str]]
    finite: bool = False
    infinite: NDArray[np.bool_] | None = None

    def feed(self) -> dict[str, NDArray[Any]]:
        """Return the inputs of an ONNX graph: ``c0``, ``c1``, ... each (n_held, 1)."""
        columns = self.numbers[:, :, None]
        fed: dict[str, NDArray[Any]] = {}
        for at, (_, kind, place) in enumerate(self.inputs):
            if kind == "number":
                fed[f"c{at}"] = columns[place]
            else:
                fed[f"c{at}"] = np.array(self.texts[place], dtype=object)[:, None]
        return fed

    def cells(self) -> dict[str, NDArray[Any]]:
        """Return the inputs of a model kept in Python by name, each (n_held,)."""
        given: dict[str, NDArray[Any]] = {}
        for name, kind, place in self.inputs:
            if kind == "number":
                given[name] = self.numbers[place].astype(np.float64)
            else:
                given[name] = np.array(self.texts[place], dtype=object)
        return given

    def frame(self) -> pd.DataFrame:
        """Return the table that :func:`prelude.prepare` would."""
        import pandas as pd

        cells = self.cells().items()
        rows = self.rows  # a row alone is held twice
        return pd.DataFrame({k: pd.Series(v[:rows], dtype=v.dtype) for k, v in cells})


class Rows:
    """A spec, compiled.

    Parameters
    ----------
    spec : mapping
        The prelude's declaration, as in a release's manifest.
    hidden : frozenset of str, optional
        Columns of which no message tells a range or a category: how few rows stand behind one
        is not known here, and of a personal column it may be one person.
    """

    def __init__(self, spec: Spec, *, hidden: frozenset[str] = frozenset()) -> None:
        self.spec = spec
        self._hidden = hidden
        self.columns: tuple[str, ...] = tuple(c["name"] for c in spec["columns"])
        self.optional = frozenset(c["name"] for c in spec["columns"] if c.get("indicator"))
        self._names = frozenset(self.columns)
        self._known = frozenset({*self.columns, *spec.get("ignored", ())})
        self._inputs: list[tuple[str, str, int]] = []
        # Name, reader, column, place, and how many numbers are made of a value: 0 for a text.
        self._readers: list[tuple[str, _Reader, Mapping[str, Any], int, int]] = []
        self._flags: list[tuple[int, int]] = []
        self._required: list[tuple[int, str]] = []
        self._categories: list[_Category] = []
        self._lows: list[float] = []
        self._highs: list[float] = []
        self._owner: list[Mapping[str, Any]] = []
        self._wholes: list[int] = []
        self._words = 0
        for column in spec["columns"]:
            self._compile(column)
        self._low = np.array(self._lows, dtype=np.float32).reshape(-1, 1)
        self._high = np.array(self._highs, dtype=np.float32).reshape(-1, 1)
        ends = enumerate(zip(self._lows, self._highs, strict=True))
        self._bounds = [(at, low, high) for at, (low, high) in ends if np.isfinite(high - low)]
        self._fixed = tuple(self._inputs)
        self._pack = struct.Struct(f"={2 * len(self._lows)}f").pack
        self._whole = np.array(self._wholes, dtype=np.intp)
        self._must = np.array([place for place, _ in self._required], dtype=np.intp)
        self._flagged = np.array([flag for flag, _ in self._flags], dtype=np.intp)
        self._flag_of = np.array([source for _, source in self._flags], dtype=np.intp)

    def fits(self, given: Given) -> bool:
        """Whether the names are right; a column that may be empty may be left out."""
        names = given.keys()
        if names == self._known or names == self._names:  # noqa: PLR1714 - a set is no element
            return True
        return names <= self._known and all(n in given or n in self.optional for n in self.columns)

    def only(self, given: Given, also: frozenset[str] = frozenset()) -> Given:
        """Return the columns that the model reads, and those that somebody else does."""
        if given.keys() == self._names:
            return given
        kept = self._names | also
        return {name: cells for name, cells in given.items() if name in kept}

    def name_problems(self, names: Iterable[str]) -> list[str]:
        """Return why names do not fit; a column that may be empty may be left out."""
        given = dict.fromkeys(names)
        known = [name for name in given if name in self._known]
        unknown = [name for name in given if name not in self._known]
        left_out = [name for name in self.columns if name in self.optional and name not in given]
        listed = [*known, *left_out, *unknown[:_SOME]]
        return prelude.name_problems(listed, self.spec, rows=1)

    def problems(self, given: Given, rows: int) -> list[str]:
        """Return what :func:`prelude.check` says of the same rows, in the same words."""
        said = prelude.name_problems(list(given), self.spec, rows=rows)
        return said + self.value_problems(given, rows) if rows else said

    def value_problems(self, given: Given, rows: int) -> list[str]:
        """Return what cannot be read in the columns that are there."""
        said: list[str] = []
        for name, read, column, _, _ in self._readers:
            if name in given:
                made = read(given[name])
                said += _unreadable(made, name, column, rows) or _not_whole(made, name, column)
        return said

    def prepare(self, given: Given, rows: int) -> Prepared:
        """Return the rows as the model takes them; a column that is not there is empty.

        Parameters
        ----------
        given : mapping
            Column name to its values, each a sequence of ``rows`` Python values.
        rows : int
            How many; at least 1.

        Raises
        ------
        ValueError
            If a value cannot be read as its column's kind; :meth:`problems` says which.
        """
        cells: list[Any] = [None] * len(self._lows)
        texts: list[list[str]] = [[]] * self._words
        nothing = [None] * rows
        for name, read, _, place, parts in self._readers:
            made = read(given.get(name, nothing))
            if None in made:
                message = f"{name} cannot be read"
                raise ValueError(message)
            if parts == 1:
                cells[place] = made
            elif parts:
                cells[place : place + parts] = list(zip(*made, strict=True))[:parts]
            else:
                texts[place] = made
        for flag, _ in self._flags:
            cells[flag] = [0.0] * rows
        if rows == 1:
            return self._one(cells, texts)
        return self._prepared(cells, texts, rows)

    def strange(self, prepared: Prepared) -> list[Strange]:
        """Return what was never met in training, empty for a row like those.

        Ranges and categories are those of all training rows. Where more than 1,000
        categories were met, an unseen one cannot be told and is not.
        """
        numbers = prepared.numbers[:, : prepared.rows]
        found: list[Strange] = []
        if prepared.infinite is not None:
            found += self._all_infinite(prepared.infinite)
        if len(self._must) and not prepared.finite:
            gone = np.isnan(numbers[self._must])
            if gone.any():
                found += self._all_missing(gone, prepared.infinite)
        if prepared.rows == 1:
            row = numbers[:, 0].tolist()
            for place in self._wholes:
                if row[place] % 1 > 0:
                    found.append(self._fraction(place, 0))
            for place, low, high in self._bounds:
                if row[place] < low or row[place] > high:
                    found.append(self._outside(place, 0))
        else:
            found += self._all_fractions(numbers) + self._all_outside(numbers)
        for category in self._categories:
            texts = prepared.texts[category.place]
            if not category.usual(texts):
                found += category.strange(texts[: prepared.rows])
        return found

    def _compile(self, column: Mapping[str, Any]) -> None:
        name, kind = column["name"], column["kind"]
        if kind in ("category", "text"):
            self._readers.append((name, _text_reader(column), column, self._words, 0))
            self._inputs.append((name, kind, self._words))
            category = _Category.of(column, self._words, told=name not in self._hidden)
            self._categories.append(category)
            self._words += 1
            return
        place = len(self._lows)
        read: _Reader = _moments
        parts = 6 if column.get("time") else 5
        if kind != "date":
            read, parts = partial(_numbers, prelude.number_kind(column)), 1
        self._readers.append((name, read, column, place, parts))
        low, high = _range(column)
        for at, (given, _) in enumerate(prelude.inputs({"columns": [column]})):
            self._inputs.append((given, "number", place + at))
            self._lows.append(low if at == 0 else -np.inf)
            self._highs.append(high if at == 0 else np.inf)
            self._owner.append(column)
        if prelude.whole(column):
            self._wholes.append(place)
        if column.get("indicator"):
            self._flags.append((len(self._lows) - 1, place))
        else:
            self._required.append((place, name))

    def _one(self, cells: list[Any], texts: list[list[str]]) -> Prepared:
        """Return one row, held twice; the usual case costs no arithmetic of arrays."""
        both = [cell[0] for cell in cells for _ in range(2)]
        texts = [text * 2 for text in texts]
        total = sum(both)
        if total - total == 0:
            try:
                packed = self._pack(*both)
            except OverflowError:  # finite, and too large for a float32
                pass
            else:
                narrow = np.frombuffer(packed, dtype=np.float32).reshape(len(cells), 2)
                return Prepared(1, self._fixed, narrow, texts, finite=True)
        made = self._prepared(np.reshape(both, (len(cells), 2)), texts, 2)
        infinite = None if made.infinite is None else made.infinite[:, :1]
        return Prepared(1, self._fixed, made.numbers, texts, made.finite, infinite)

    def _prepared(self, cells: Any, texts: list[list[str]], rows: int) -> Prepared:
        # by way of float64, as the prelude does: a huge integer is rounded only once
        numbers = np.array(cells, dtype=np.float64).reshape(len(cells), rows)
        with np.errstate(over="ignore"):
            narrow = numbers.astype(np.float32)
        if np.isfinite(narrow).all():
            return Prepared(rows, self._fixed, narrow, texts, finite=True)
        infinite = np.isinf(narrow)
        narrow[infinite] = np.nan
        if len(self._flagged):
            narrow[self._flagged] = np.isnan(narrow[self._flag_of])
        held = infinite if infinite.any() else None
        return Prepared(rows, self._fixed, narrow, texts, infinite=held)

    def _all_infinite(self, infinite: NDArray[np.bool_]) -> list[Strange]:
        return [
            Strange(
                "not_finite",
                self._owner[place]["name"],
                int(row),
                "is infinite or too large for a number of the model",
                "send a finite number, or null where the column may be empty",
            )
            for place, row in np.argwhere(infinite)
        ]

    def _all_missing(
        self, gone: NDArray[np.bool_], infinite: NDArray[np.bool_] | None
    ) -> list[Strange]:
        return [
            _missing(self._required[at][1], int(row))
            for at, row in np.argwhere(gone)
            if infinite is None or not infinite[self._required[at][0], row]
        ]

    def _all_fractions(self, numbers: NDArray[np.float32]) -> list[Strange]:
        if not self._wholes:
            return []
        broken = prelude.fractions(numbers[self._whole])
        return [self._fraction(self._wholes[at], int(row)) for at, row in np.argwhere(broken)]

    def _all_outside(self, numbers: NDArray[np.float32]) -> list[Strange]:
        if not self._bounds:
            return []
        beyond = (numbers < self._low) | (numbers > self._high)
        return [self._outside(int(place), int(row)) for place, row in np.argwhere(beyond)]

    def _fraction(self, place: int, row: int) -> Strange:
        says = "is no whole number, and every training row held one"
        return Strange("fraction", self._owner[place]["name"], row, says, "send a whole number")

    def _outside(self, place: int, row: int) -> Strange:
        column = self._owner[place]
        name = column["name"]
        span = "" if name in self._hidden else f": {seen(column).span}"
        says = f"lies outside of what was seen in training{span}"
        return Strange("outside", name, row, says, "check its unit and its digits")


@dataclass(frozen=True)
class _Category:
    """One category or text input: its known values, None where they are not all known.

    ``listed`` are those that a message may name.
    """

    name: str
    place: int
    optional: bool
    empty: str
    known: frozenset[str] | None
    listed: tuple[str, ...] = ()

    @classmethod
    def of(cls, column: Mapping[str, Any], place: int, *, told: bool) -> _Category:
        empty = prelude.MISSING if column["kind"] == "category" else ""
        optional = bool(column.get("indicator"))
        listed = seen(column).values
        known = frozenset({*listed, prelude.MISSING}) if listed else None
        return cls(column["name"], place, optional, empty, known, listed if told else ())

    def usual(self, texts: list[str]) -> bool:
        return (self.optional or self.empty not in texts) and (
            self.known is None or self.known.issuperset(texts)
        )

    def strange(self, texts: list[str]) -> list[Strange]:
        found: list[Strange] = []
        for row, text in enumerate(texts):
            if text == self.empty and not self.optional:
                found.append(_missing(self.name, row))
            elif self.known is not None and text not in self.known:
                near = "" if found else did_you_mean(text, self.listed)
                says = f"is a category that no training row has{near}"
                found.append(Strange("unseen", self.name, row, says, self._fix()))
        return found

    def _fix(self) -> str:
        if not self.listed:
            return "check its spelling; what training had of this column is not told"
        some = ", ".join(f'"{word}"' for word in self.listed[:_SOME])
        more = len(self.listed) - _SOME
        return f"send one of: {some}" + (f" and {more} more" if more > 0 else "")


def seen(column: Mapping[str, Any]) -> Seen:
    """Return what training rows held of a column of a spec: its range, or its categories."""
    if column["kind"] == "category":
        listed = column.get("values") or ()
        if len(listed) < max(1, int(column.get("distinct") or 0)):
            return Seen()
        stored = str(column.get("type", ""))
        spelled = {word for value in listed if (word := _spelled(value, stored)) is not None}
        return Seen(values=tuple(sorted(spelled)))
    low, high = column.get("low"), column.get("high")
    if low is None or high is None:
        return Seen()
    if column["kind"] == "date":
        first, last = _day(low), _day(high)
        ends = outwards(low // 1, high // 1, whole=True)
        return Seen(first, last, about=(_day(ends[0], first), _day(ends[1], last)))
    return Seen(low, high, about=outwards(low, high, whole=prelude.whole(column)))


@lru_cache(maxsize=1024)
def outwards(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """Return a range rounded outwards to two digits of its width, so that no row is named.

    Parameters
    ----------
    low, high : float
        What was met; finite, ``low <= high``.
    whole : bool
        Whether only whole numbers were met: then so are the ends.

    Notes
    -----
    In decimals: in binary fractions a step of 0.1 would round an end inwards now and then.
    """
    below, above = Decimal(str(low)), Decimal(str(high))
    places = ((above - below) or abs(above) or Decimal(1)).adjusted() - 1
    step = Decimal(1).scaleb(max(places, 0) if whole else places)
    with localcontext(prec=_DIGITS):
        ends = below.quantize(step, ROUND_FLOOR), above.quantize(step, ROUND_CEILING)
    return max(float(ends[0]), -_LARGEST), min(float(ends[1]), _LARGEST)


def label_of(spec: Spec) -> Callable[[Sequence[float]], str]:
    """Return :func:`prelude.decide` for one row of scores, compiled: no array is made."""
    classes = list(spec["classes"])
    scale = 10.0**prelude.DIGITS

    def rounded(score: float) -> float:
        return round(score * scale) / scale  # as numpy does it, which decide uses

    if spec["task"] != "binary":
        return lambda scores: classes[_first_largest([rounded(score) for score in scores])]
    at = classes.index(spec["positive"])
    positive, other = classes[at], classes[1 - at]
    threshold = round(float(spec["threshold"]), prelude.DIGITS)
    return lambda scores: positive if rounded(scores[at]) >= threshold else other


def _first_largest(scores: list[float]) -> int:
    return scores.index(max(scores))


def _numbers(kind: str, values: Sequence[Any]) -> list[float | None]:
    made: list[float | None] = []
    for value in values:
        if type(value) is float:
            made.append(value)
        else:
            made.append(prelude.as_number(None if prelude.is_null(value) else value, kind))
    return made


def _moments(values: Sequence[Any]) -> list[tuple[float, ...] | None]:
    return [_GONE if prelude.is_null(value) else prelude.as_moment(value) for value in values]


def _text_reader(column: Mapping[str, Any]) -> _Reader:
    if column["kind"] == "text":
        return _words if column.get("words") else _texts
    known = prelude.only_texts(column)
    return _categories if known is None else partial(_known_categories, known)


def _categories(values: Sequence[Any]) -> list[str]:
    return [_text(value) or prelude.MISSING for value in values]


def _known_categories(known: frozenset[str], values: Sequence[Any]) -> list[str | None]:
    return [
        prelude.as_category(None if prelude.is_null(value) else value, known) for value in values
    ]


def _texts(values: Sequence[Any]) -> list[str]:
    return [_text(value) or "" for value in values]


def _words(values: Sequence[Any]) -> list[str]:
    return [prelude.as_words(_text(value) or "") for value in values]


def _text(value: Any) -> str | None:
    return None if prelude.is_null(value) else prelude.as_text(value)


def _unreadable(made: list[Any], name: str, column: Mapping[str, Any], rows: int) -> list[str]:
    if None not in made:
        return []
    whats = {"date": "date", "bool": "true or false", "category": "text"}
    kind = column["kind"]
    what = whats.get(prelude.number_kind(column) if kind == "number" else kind, "number")
    return [prelude.says(name, made.count(None), rows, made.index(None), what)]


def _not_whole(made: list[Any], name: str, column: Mapping[str, Any]) -> list[str]:
    if not prelude.whole(column):
        return []
    with np.errstate(over="ignore"):
        narrow = np.array(made, dtype=np.float64).astype(np.float32)
    narrow[~np.isfinite(narrow)] = np.nan
    return prelude.not_whole(name, prelude.fractions(narrow))


def _missing(name: str, row: int) -> Strange:
    says = "is empty, and no training row was"
    return Strange("missing", name, row, says, "send a value for it")


def _range(column: Mapping[str, Any]) -> tuple[float, float]:
    """Return the training range as the model's numbers see it; infinite where not known."""
    low, high = column.get("low"), column.get("high")
    if low is None or high is None:
        return -np.inf, np.inf
    if column["kind"] == "date":
        return float(low // 1), float(high // 1)
    with np.errstate(over="ignore"):
        return float(np.float32(low)), float(np.float32(high))


def _spelled(value: str, stored: str) -> str | None:
    """Return a listed category as the prelude spells it; numbers and dates were cast to text."""
    try:
        if stored.startswith(("float", "double", "decimal")):
            return prelude.as_text(float(value))
        if stored.startswith(("date", "timestamp")):
            return prelude.as_text(dt.datetime.fromisoformat(value))
    except ValueError:
        pass
    return prelude.as_text(value)


def _day(days: float, otherwise: str = "") -> str:
    """Return days since 1970 as ISO 8601; ``otherwise`` where no calendar has that day."""
    try:
        return (_EPOCH + dt.timedelta(days=int(days // 1))).isoformat()
    except OverflowError:
        return otherwise


def _shown(end: Any) -> str:
    return f"{end:.12g}" if isinstance(end, float) else str(end)

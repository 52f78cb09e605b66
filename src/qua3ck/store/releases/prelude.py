"""From a table as people send it to the numbers and texts a model is given.

What a model file cannot hold (nulls, dates, spelling of categories, the decision
threshold) is decided here, once, and run identically by training, judging, serving and
MLflow. This file stands alone: its text is copied into every release, so it may use
nothing but the standard library, numpy and, where a table is given, pandas: a serving
process reads single values with the same functions (``rows.py``) and never loads pandas.

A ``spec`` is plain JSON: ``task``, ``classes``, ``positive``, ``threshold``, ``columns``
(each with ``name``, ``kind``, ``indicator``, for dates ``time``, for texts ``words``; how it was
stored: ``type``; for categories ``values`` and how many there were: ``distinct``) and
``ignored``, the columns of the training table that a model is never given.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MISSING = "(missing)"
DIGITS = 6
_WORD = re.compile(r"\w\w+")
_PARTS = ("days", "year", "month", "day", "weekday")
_EPOCH = date(1970, 1, 1).toordinal()
_ISO = re.compile(
    r"(\d{4})(?:([-/. ])(\d\d?)(?:\2(\d\d?))?|(\d\d)(\d\d))?"
    r"(?:[T ](?:(\d\d?):(\d\d?)(?::(\d\d?)(?:\.\d*)?)?|(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d*)?)?)?)"
    r"(?: ?(Z)| ?([+-])(\d\d?)(?::?(\d\d))?)?)?",
    re.ASCII,
)


def prepare(table: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Return one column per model input, in the order of :func:`inputs`.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_rows, n_columns)
        Raw rows that passed :func:`check`; other columns than the spec's are not looked at.
    spec : mapping
        The prelude's declaration.

    Returns
    -------
    pandas.DataFrame, shape (n_rows, n_inputs)
        Numbers as float64 that hold exactly a float32 (so that a model trained here and a
        graph that runs in float32 see the same number), infinite and null as NaN; texts
        as Python strings, never null. The index of ``table`` is kept.

    Raises
    ------
    ValueError
        If a value cannot be read as its column's kind; :func:`check` says which.
    """
    import pandas as pd

    parts: dict[str, Any] = {}
    for column in spec["columns"]:
        for name, values in _MAKE[column["kind"]](table[column["name"]], column).items():
            kept = values.dtype == object
            parts[name] = pd.Series(values, index=table.index, dtype=object) if kept else values
    return pd.DataFrame(parts, index=table.index)


def inputs(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and kind (``number``, ``category`` or ``text``) of every model input."""
    listed: list[tuple[str, str]] = []
    for column in spec["columns"]:
        name, kind = column["name"], column["kind"]
        if kind == "date":
            listed += [(f"{name}__{part}", "number") for part in _date_parts(column)]
        else:
            listed.append((name, kind if kind in ("category", "text") else "number"))
        if column.get("indicator") and kind in ("number", "bool", "date"):
            listed.append((f"{name}__missing", "number"))
    return listed


def decide(probabilities: np.ndarray[Any, Any], spec: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Return one label per row: the positive class from the threshold on, else the likeliest.

    Parameters
    ----------
    probabilities : array, shape (n_rows, n_classes)
        Columns in the order of ``spec["classes"]``.
    spec : mapping
        The prelude's declaration.

    Returns
    -------
    array of str (object), shape (n_rows,)

    Notes
    -----
    Compared after rounding to 6 decimals: a tie (five of ten trees) is 0.5 in one runtime
    and 0.49999997 in another, and must not become two labels.
    """
    classes: np.ndarray[Any, Any] = np.array(spec["classes"], dtype=object)
    rounded = np.round(np.asarray(probabilities, dtype=np.float64), DIGITS)
    if spec["task"] != "binary":
        return np.asarray(classes[rounded.argmax(axis=1)])
    at = list(classes).index(spec["positive"])
    chosen = rounded[:, at] >= round(float(spec["threshold"]), DIGITS)
    return np.asarray(classes[np.where(chosen, at, 1 - at)])


def align(
    probabilities: np.ndarray[Any, Any], have: list[str], want: list[str]
) -> np.ndarray[Any, Any]:
    """Return the columns ``have`` in the order ``want``; a class never trained on gets 0."""
    scores = np.zeros((len(probabilities), len(want)))
    for position, name in enumerate(have):
        scores[:, want.index(name)] = probabilities[:, position]
    return scores


def check(table: pd.DataFrame, spec: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a table, each with what, where and how to cure it.

    An empty list is a table that fits. Nulls are never a problem: where training rows had
    none, the model fills in the training median (numbers, dates) or treats "(missing)" as
    an unseen category. A fraction where training held whole numbers only is one, although
    :func:`prepare` reads it: a golden row may lie between two training rows.
    """
    problems = check_names(table, spec)
    found = [str(name) for name in table.columns]
    for column in spec["columns"]:
        if found.count(column["name"]) == 1:
            problems += _wrong_type(table[column["name"]], column)
    return problems


def check_names(table: pd.DataFrame, spec: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a table's shape and column names, as :func:`check` does."""
    return name_problems([str(name) for name in table.columns], spec, rows=len(table))


def name_problems(found: list[str], spec: Mapping[str, Any], *, rows: int) -> list[str]:
    """Return what is wrong with the names of the columns found, and if there is no row."""
    if rows == 0:
        return ["The table is empty: 0 rows. Where: the input. Fix: send at least one row."]
    names = [column["name"] for column in spec["columns"]]
    known = {*names, *spec.get("ignored", ())}
    strangers = [name for name in found if name not in known]
    problems = [_missing(name, strangers) for name in names if name not in found]
    twice = sorted({name for name in found if found.count(name) > 1})
    problems += [
        f'Column "{name}" is there {found.count(name)} times. Where: the header. '
        "Fix: keep one of them."
        for name in twice
    ]
    problems += [_unknown(name, names) for name in dict.fromkeys(strangers)]
    return problems


def texts(values: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return every value as its category text, None where it is null or blank.

    Unicode NFC, outer space stripped, inner space collapsed; whole numbers without a
    decimal point however they are stored; ``true`` and ``false``; dates in ISO 8601.
    """
    memo: dict[Any, str | None] = {}
    out = np.empty(len(values), dtype=object)
    for position, value in enumerate(_objects(values)):
        key = (type(value), value)
        try:
            known = key in memo
        except TypeError:
            out[position] = as_text(str(value))
            continue
        if not known:
            memo[key] = as_text(value)
        out[position] = memo[key]
    return out


def is_null(value: Any) -> bool:
    """Whether a value counts as empty: every kind of null, NaN, and blank text."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return not value.strip() if isinstance(value, str) else bool(value != value)  # noqa: PLR0124 - NaN differs from itself


def number_kind(column: Mapping[str, Any]) -> str:
    """Return how a number or boolean is read: as ``bool`` where training held booleans."""
    return "bool" if column.get("type") == "bool" else str(column["kind"])


def whole(column: Mapping[str, Any]) -> bool:
    """Whether training held whole numbers and nothing else, as the column was stored."""
    return column["kind"] == "number" and str(column.get("type", "")).startswith(("int", "uint"))


def fractions(numbers: Any) -> np.ndarray[Any, Any]:
    """Return where float32 numbers, as a model is given them, are neither whole nor NaN."""
    return np.asarray(np.asarray(numbers, dtype=np.float32) % 1 > 0)


def as_number(value: Any, kind: str) -> float | None:
    """Return a float, NaN for None, infinity for an integer beyond it, None for no number.

    ``kind`` is that of :func:`number_kind`: true is 1 for a ``bool``, and no ``number``.
    """
    if value is None:
        return float("nan")
    if kind == "number" and isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, bool | np.bool_ | int | float | Decimal | np.integer | np.floating):
        try:
            return float(value)
        except OverflowError:
            return float("inf")
    if kind == "bool" and isinstance(value, str):
        return {"true": 1.0, "false": 0.0}.get(value.strip().lower())
    return None


def as_text(value: Any) -> str | None:
    """Return a value's category text as :func:`texts` spells it, None for None or blank."""
    if value is None:
        return None
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split()) or None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating | Decimal):
        whole = value == value // 1 if np.isfinite(float(value)) else False
        return str(int(value)) if whole else repr(float(value))
    if isinstance(value, datetime):
        day = value.hour == value.minute == value.second == value.microsecond == 0
        return value.date().isoformat() if day else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(unicodedata.normalize("NFC", str(value)).split()) or None


def only_texts(column: Mapping[str, Any]) -> frozenset[str] | None:
    """Return all categories of a column that held texts; None where not all are known, or others.

    There a number is a category only if it is spelt like one of these: of the code ``"1"``
    many a reader makes 1.
    """
    listed = column.get("values") or ()
    if column.get("type") != "string" or len(listed) < max(1, int(column.get("distinct") or 0)):
        return None
    return frozenset(word for value in listed if (word := as_text(value)) is not None)


def as_category(value: Any, known: frozenset[str] | None) -> str | None:
    """Return a category's text, :data:`MISSING` for None or blank, None for what is no text.

    ``known`` is what :func:`only_texts` says of the column.
    """
    word = as_text(value)
    if word is None or known is None or isinstance(value, str) or word in known:
        return word or MISSING
    return None


def as_words(text: str) -> str:
    """Return the words of two letters and more, in lower case, with one space between."""
    return " ".join(_WORD.findall(text.lower()))


def as_moment(value: Any) -> tuple[float, ...] | None:
    """Return days since 1970, year, month, day, weekday (Monday is 0) and hour, in UTC.

    None for what is no date. Texts are read as ISO 8601 (years 0001 to 9999; also with
    ``/``, ``.`` or a space between the parts), one by one: the same text is the same
    moment in every table. A moment without a zone is UTC.
    """
    if isinstance(value, np.datetime64):
        value = str(value)
    try:
        if isinstance(value, str):
            value = _read_iso(value.strip())
        elif isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC)
    except (ValueError, OverflowError):  # a 30th of February, hour 25, beyond year 9999
        return None
    if not isinstance(value, date):
        return None
    days, hour = value.toordinal() - _EPOCH, value.hour if isinstance(value, datetime) else 0
    weekday = (days + 3) % 7  # 1970 began on a Thursday
    return tuple(map(float, (days, value.year, value.month, value.day, weekday, hour)))


def _read_iso(text: str) -> datetime | None:
    """Return a moment in UTC without its zone, None for what is not ISO 8601."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, _, *parts = found.groups()
    month, day, month2, day2, hour, minute, second, hour2, minute2, second2, _, *zone = parts
    month, day, hour = month or month2, day or day2, hour or hour2
    if hour is not None and day is None:
        return None
    moment = datetime(  # noqa: DTZ001 - local until a zone is read below
        int(year),
        int(month or 1),
        int(day or 1),
        int(hour or 0),
        int(minute or minute2 or 0),
        int(second or second2 or 0),
    )
    sign, off, off_minutes = zone
    if sign is None:
        return moment
    if int(off) > 23 or int(off_minutes or 0) > 59:
        return None
    away = timedelta(hours=int(off), minutes=int(off_minutes or 0))
    return moment - away if sign == "+" else moment + away


def _number_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    return _with_indicator({column["name"]: _numbers(values, column)}, column["name"], column)


def _category_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    words = texts(values)
    words[[word is None for word in words]] = MISSING
    known = only_texts(column)
    if known is not None:
        given = zip(_objects(values), words, strict=True)
        bad = [not isinstance(cell, str | None) and word not in known for cell, word in given]
        if any(bad):
            raise ValueError(says(column["name"], sum(bad), len(bad), bad.index(True), "text"))
    return {column["name"]: words}


def _text_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    cells = ["" if cell is None else cell for cell in texts(values)]
    if column.get("words"):
        cells = [as_words(cell) for cell in cells]
    made = np.empty(len(cells), dtype=object)
    made[:] = cells
    return {column["name"]: made}


def _date_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    name = column["name"]
    moments, unreadable = _moments(values)
    if unreadable.any():
        first = int(np.flatnonzero(unreadable)[0])
        raise ValueError(says(name, int(unreadable.sum()), len(values), first, "date"))
    made = {f"{name}__{part}": moments[:, at] for at, part in enumerate(_date_parts(column))}
    return _with_indicator(made, name, column)


_MAKE: dict[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {
    "number": _number_column,
    "bool": _number_column,
    "category": _category_column,
    "text": _text_column,
    "date": _date_column,
}


def _with_indicator(made: dict[str, Any], name: str, column: Mapping[str, Any]) -> dict[str, Any]:
    if column.get("indicator"):
        first = next(iter(made.values()))
        made[f"{name}__missing"] = np.isnan(first).astype(np.float64)
    return made


def _numbers(values: pd.Series[Any], column: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    kind = number_kind(column)
    plain = "biuf" if kind == "bool" else "iuf"
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in plain:
        wide = values.to_numpy(dtype=np.float64)
    else:
        read = [as_number(value, kind) for value in _objects(values)]
        bad = np.array([value is None for value in read], dtype=bool)
        if bad.any():
            what = "true or false" if kind == "bool" else "number"
            first = int(np.flatnonzero(bad)[0])
            raise ValueError(says(column["name"], int(bad.sum()), len(values), first, what))
        wide = np.array(read, dtype=np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32).astype(np.float64)
    narrow[~np.isfinite(narrow)] = np.nan
    return narrow


def _moments(values: pd.Series[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the parts of :func:`as_moment`, shape (n_rows, 6), and where a value is no date."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return np.full((len(values), 6), np.nan), values.notna().to_numpy(dtype=bool)
    if values.dtype.kind == "M":
        return _stored_moments(values), np.zeros(len(values), dtype=bool)
    gone = (float("nan"),) * 6
    memo: dict[Any, tuple[float, ...] | None] = {}
    read: list[tuple[float, ...] | None] = []
    for value in _objects(values):
        if value is None:
            read.append(gone)
            continue
        try:
            if value not in memo:
                memo[value] = as_moment(value)
            read.append(memo[value])
        except TypeError:  # a list or the like: no date, and no key
            read.append(None)
    bad = np.array([moment is None for moment in read], dtype=bool)
    return np.array([moment or gone for moment in read], dtype=np.float64).reshape(-1, 6), bad


def _stored_moments(values: pd.Series[Any]) -> np.ndarray[Any, Any]:
    import pandas as pd

    moments = pd.to_datetime(values, utc=True).dt.tz_localize(None)
    day = moments.to_numpy().astype("datetime64[D]")
    days = np.where(np.isnat(day), np.nan, day.astype(np.int64).astype(np.float64))
    parts = ("year", "month", "day", "day_of_week", "hour")
    rest = [getattr(moments.dt, part).to_numpy(dtype=np.float64) for part in parts]
    return np.column_stack([days, *rest])


def _date_parts(column: Mapping[str, Any]) -> tuple[str, ...]:
    return (*_PARTS, "hour") if column.get("time") else _PARTS


def _objects(values: pd.Series[Any]) -> list[Any]:
    """Return the values as Python objects, every kind of null and blank text as None."""
    return [None if is_null(value) else value for value in values.tolist()]


def _missing(name: str, strangers: list[str]) -> str:
    near = difflib.get_close_matches(name, strangers, n=1, cutoff=0.6)
    fix = f'rename "{near[0]}" to "{name}"' if near else f'add the column "{name}"'
    return f'Column "{name}" is missing. Where: the header. Fix: {fix}.'


def _unknown(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    fix = f'rename it to "{near[0]}" or leave it out' if near else "leave it out"
    return f'Column "{name}" is not known to the model. Where: the header. Fix: {fix}.'


def _wrong_type(values: pd.Series[Any], column: Mapping[str, Any]) -> list[str]:
    kind = column["kind"]
    if kind == "text":
        return []
    try:
        if kind == "date":
            _date_column(values, column)
        elif kind == "category":
            _category_column(values, column)
        else:
            read = _numbers(values, column)
            return not_whole(column["name"], fractions(read)) if whole(column) else []
    except ValueError as problem:
        return [str(problem)]
    return []


def not_whole(name: str, bad: np.ndarray[Any, Any]) -> list[str]:
    """Return the sentence about what :func:`fractions` found; empty if that is nothing."""
    many = int(bad.sum())
    return [says(name, many, len(bad), int(bad.argmax()), "whole number")] if many else []


def says(name: str, count: int, rows: int, first: int, what: str) -> str:
    """Return the sentence about ``count`` values that are no ``what``; ``first`` from 0."""
    fix = {
        "date": "write dates as 2024-05-31 or 2024-05-31T14:00:00Z, or leave them null",
        "whole number": "send whole numbers, as all of training were, or null",
        "number": "send numbers without quotes and units, or null",
        "text": "send texts, in JSON in quotes, or null",
        "true or false": "send true, false or null",
    }[what]
    many = f"{count} values that are" if count > 1 else "1 value that is"
    return (
        f'Column "{name}" has {many} no {what}. Where: {count} of {rows} rows, '
        f"first at row {first + 1}. Fix: {fix}."
    )

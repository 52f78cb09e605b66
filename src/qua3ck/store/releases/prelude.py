"""From a table as people send it to the numbers and texts a model is given.

What a model file cannot hold (nulls, dates, spelling of categories, the decision
threshold) is decided here, once, and run identically by training, judging, serving and
MLflow. This file stands alone: its text is copied into every release, so it may use
nothing but the standard library, numpy and pandas.

A ``spec`` is plain JSON: ``task``, ``classes``, ``positive``, ``threshold``, ``columns``
(each with ``name``, ``kind``, ``indicator``, for dates ``time``, for texts ``words``) and
``ignored``, the columns of the training table that a model is never given.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

MISSING = "(missing)"
_WORD = re.compile(r"\w\w+")
_DIGITS = 6
_PARTS = ("days", "year", "month", "day", "weekday")


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
    rounded = np.round(np.asarray(probabilities, dtype=np.float64), _DIGITS)
    if spec["task"] != "binary":
        return np.asarray(classes[rounded.argmax(axis=1)])
    at = list(classes).index(spec["positive"])
    chosen = rounded[:, at] >= round(float(spec["threshold"]), _DIGITS)
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
    an unseen category.
    """
    problems = check_names(table, spec)
    found = [str(name) for name in table.columns]
    for column in spec["columns"]:
        if found.count(column["name"]) == 1:
            problems += _wrong_type(table[column["name"]], column)
    return problems


def check_names(table: pd.DataFrame, spec: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a table's shape and column names, as :func:`check` does."""
    if len(table) == 0:
        return ["The table is empty: 0 rows. Where: the input. Fix: send at least one row."]
    names = [column["name"] for column in spec["columns"]]
    found = [str(name) for name in table.columns]
    problems = [_missing(name, found) for name in names if name not in found]
    twice = sorted({name for name in found if found.count(name) > 1})
    problems += [
        f'Column "{name}" is there {found.count(name)} times. Where: the header. '
        "Fix: keep one of them."
        for name in twice
    ]
    known = {*names, *spec.get("ignored", ())}
    problems += [_unknown(name, names) for name in dict.fromkeys(found) if name not in known]
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
            out[position] = _text(str(value))
            continue
        if not known:
            memo[key] = _text(value)
        out[position] = memo[key]
    return out


def _number_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    return _with_indicator({column["name"]: _numbers(values, column)}, column["name"], column)


def _category_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    words = texts(values)
    words[[word is None for word in words]] = MISSING
    return {column["name"]: words}


def _text_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    cells = ["" if cell is None else cell for cell in texts(values)]
    if column.get("words"):
        cells = [" ".join(_WORD.findall(cell.lower())) for cell in cells]
    made = np.empty(len(cells), dtype=object)
    made[:] = cells
    return {column["name"]: made}


def _date_column(values: pd.Series[Any], column: Mapping[str, Any]) -> dict[str, Any]:
    name = column["name"]
    moments, unreadable = _dates(values)
    if unreadable.any():
        raise ValueError(_says(name, int(unreadable.sum()), len(values), unreadable, "date"))
    day = moments.to_numpy().astype("datetime64[D]")
    gone = np.isnat(day)
    parts = {
        "days": np.where(gone, np.nan, day.astype(np.int64).astype(np.float64)),
        "year": moments.dt.year.to_numpy(dtype=np.float64),
        "month": moments.dt.month.to_numpy(dtype=np.float64),
        "day": moments.dt.day.to_numpy(dtype=np.float64),
        "weekday": moments.dt.day_of_week.to_numpy(dtype=np.float64),
        "hour": moments.dt.hour.to_numpy(dtype=np.float64),
    }
    made = {f"{name}__{part}": parts[part] for part in _date_parts(column)}
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
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        wide = values.to_numpy(dtype=np.float64)
    else:
        read = [_as_number(value, column["kind"]) for value in _objects(values)]
        bad = np.array([value is None for value in read], dtype=bool)
        if bad.any():
            what = "true or false" if column["kind"] == "bool" else "number"
            raise ValueError(_says(column["name"], int(bad.sum()), len(values), bad, what))
        wide = np.array(read, dtype=np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32).astype(np.float64)
    narrow[~np.isfinite(narrow)] = np.nan
    return narrow


def _as_number(value: Any, kind: str) -> float | None:
    """Return a float, NaN for null, None for what is neither."""
    if value is None:
        return float("nan")
    if isinstance(value, bool | np.bool_ | int | float | Decimal | np.integer | np.floating):
        return float(value)
    if kind == "bool" and isinstance(value, str):
        return {"true": 1.0, "false": 0.0}.get(value.strip().lower())
    return None


def _dates(values: pd.Series[Any]) -> tuple[pd.Series[Any], np.ndarray[Any, Any]]:
    """Return moments in UTC without a zone, and where a value is there but is no date."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return pd.Series(pd.NaT, index=values.index), values.notna().to_numpy(dtype=bool)
    if values.dtype.kind == "M":
        moments = pd.to_datetime(values, utc=True)
        return moments.dt.tz_localize(None), np.zeros(len(values), dtype=bool)
    listed = _objects(values)
    there = np.array([value is not None for value in listed], dtype=bool)
    read = [_iso(value) for value in listed]
    moments = pd.to_datetime(
        pd.Series(read, index=values.index, dtype=object),
        format="ISO8601",
        utc=True,
        errors="coerce",
    ).dt.tz_localize(None)
    return moments, there & moments.isna().to_numpy(dtype=bool)


def _iso(value: Any) -> str | None:
    if isinstance(value, np.datetime64):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value.strip() if isinstance(value, str) else None


def _date_parts(column: Mapping[str, Any]) -> tuple[str, ...]:
    return (*_PARTS, "hour") if column.get("time") else _PARTS


def _objects(values: pd.Series[Any]) -> list[Any]:
    """Return the values as Python objects, every kind of null and blank text as None."""
    return [None if _is_null(value) else value for value in values.tolist()]


def _is_null(value: Any) -> bool:
    if value is None or value is pd.NA:
        return True
    return not value.strip() if isinstance(value, str) else bool(value != value)  # noqa: PLR0124


def _text(value: Any) -> str | None:
    if value is None:
        return None
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


def _missing(name: str, found: list[str]) -> str:
    near = difflib.get_close_matches(name, found, n=1, cutoff=0.6)
    fix = f'rename "{near[0]}" to "{name}"' if near else f'add the column "{name}"'
    return f'Column "{name}" is missing. Where: the header. Fix: {fix}.'


def _unknown(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    fix = f'rename it to "{near[0]}" or leave it out' if near else "leave it out"
    return f'Column "{name}" is not known to the model. Where: the header. Fix: {fix}.'


def _wrong_type(values: pd.Series[Any], column: Mapping[str, Any]) -> list[str]:
    kind = column["kind"]
    if kind in ("category", "text"):
        return []
    try:
        if kind == "date":
            _date_column(values, column)
        else:
            _numbers(values, column)
    except ValueError as problem:
        return [str(problem)]
    return []


def _says(name: str, count: int, rows: int, bad: np.ndarray[Any, Any], what: str) -> str:
    fix = {
        "date": "write dates as 2024-05-31 or 2024-05-31T14:00:00Z, or leave them null",
        "number": "send numbers without quotes and units, or null",
        "true or false": "send true, false or null",
    }[what]
    return (
        f'Column "{name}" has {count} values that are no {what}. Where: {count} of {rows} rows, '
        f"first at row {int(np.flatnonzero(bad)[0]) + 1}. Fix: {fix}."
    )

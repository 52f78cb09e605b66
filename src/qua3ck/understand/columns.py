"""What each column is, and the part it plays: given to the model, looked at, or left out."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.records import Column, Kind
from qua3ck.understand.section import Understand

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MOST_VALUES = 1000
_DAY = 86_400_000_000  # microseconds
_ID_NAME = re.compile(r"(^|[_\-. ])(id|uuid|guid|key|nr|number|index|rownames?)$", re.IGNORECASE)
_UNIT_NAME = re.compile(
    r"(^|[_\-. ])(subject|patient|participant|person|respondent|child|household|family|customer|"
    r"client|student|pupil|user|employee|animal|facility|clinic|village|plot)$",
    re.IGNORECASE,
)
_TEXT_WORDS = 4.0
_LEAST_FOR_ID = 30
_NEARLY_ALL = 0.95

Role = Literal["feature", "target", "time", "group", "entity", "sensitive", "left_out"]

NOT_KNOWN = "not known at prediction time"
IDENTIFIER = "names rows instead of describing them"
CONSTANT = "the same value in every training row"
EMPTY = "empty in every training row"
IGNORED = "declared as ignore"


def describe_columns(
    train: pa.Table, section: Understand, *, wanted: Collection[str], share: float
) -> tuple[Column, ...]:
    """Return one :class:`Column` for each column, judged on training rows alone.

    Parameters
    ----------
    train : pyarrow.Table
        Training rows.
    section : Understand
        What is declared about columns.
    wanted : collection of str
        Columns that the question slices by; never left out altogether.
    share : float
        Of rows that are sealed: gaps in a row number are no wider than that.

    Raises
    ------
    Qua3ckError
        If a declared column is not there, or its values cannot be of the declared kind.
    """
    check_declared(train.column_names, section)
    return tuple(
        _describe(name, train[name].combine_chunks(), section, wanted=wanted, share=share)
        for name in train.column_names
    )


def check_declared(
    names: Sequence[str], section: Understand, *, known: Collection[str] = ()
) -> None:
    """Raise if the section names a column that does not exist.

    ``known`` are the sources' columns: one that is declared as not known at prediction time
    may have been left out by the training function already.
    """
    excluded = section.known_at_prediction.exclude
    for place, declared, possible in (
        ("sensitive", section.sensitive, {*names}),
        ("columns", [c for c, kind in section.columns.items() if kind != "ignore"], {*names}),
        ("known_at_prediction.exclude", excluded if known else (), {*names, *known}),
    ):
        for name in declared:
            if name not in possible:
                raise Qua3ckError(
                    f'No column "{name}" in the training table{did_you_mean(name, possible)}',
                    where=f"understand.{place}",
                    fix=f"use one of: {', '.join(list(names)[:20])}",
                    code="U105",
                )


def looks_like_unit(name: str) -> bool:
    """Whether a column is called like somebody or something that is met more than once."""
    return looks_like_id(name) or _UNIT_NAME.search(name) is not None


def looks_like_id(name: str) -> bool:
    """Whether a column is called like an identifier."""
    return _ID_NAME.search(name) is not None or re.search(r"[a-z](Id|ID|UUID)$", name) is not None


def _describe(
    name: str, column: pa.Array, section: Understand, *, wanted: Collection[str], share: float
) -> Column:
    import pyarrow.compute as pc

    distinct = int(pc.count_distinct(column, mode="only_valid").as_py())
    kind = _kind(name, column, section, distinct)
    role, why = _role(name, column, section, distinct, kind, share=share)
    if role == "left_out" and name in wanted:
        role = "sensitive"  # looked at by the judge, never by the model
    low, high = _range(column, kind)
    return Column(
        name=name,
        kind=kind,
        type=str(column.type),
        role=role,
        why=why,
        indicator=column.null_count > 0,
        distinct=distinct,
        values=_values(column, kind, distinct) if role in {"feature", "sensitive"} else (),
        low=low,
        high=high,
    )


def _kind(name: str, column: pa.Array, section: Understand, distinct: int) -> Kind:
    import pyarrow as pa

    own: Kind
    if pa.types.is_boolean(column.type):
        own = "bool"
    elif pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        own = "date"
    elif pa.types.is_string(column.type):
        own = "text" if _is_prose(column, distinct) else "category"
    else:
        own = "number"
    declared = section.columns.get(name, "ignore")
    if declared in {"ignore", own}:
        return own
    possible = {
        "bool": {"category", "number"},
        "number": {"category", "bool"},
        "category": {"text"},
        "text": {"category"},
        "date": {"category"},
    }[own]
    if declared not in possible:
        raise Qua3ckError(
            f'Column "{name}" holds {column.type} and cannot be a {declared}',
            where=f"understand.columns.{name}",
            fix=f"declare one of: {', '.join(sorted({own, *possible}))}; "
            "or types: of the source, so that it is read as another type",
            code="U105",
        )
    return declared


def _is_prose(column: pa.Array, distinct: int) -> bool:
    import pyarrow.compute as pc

    filled = column.drop_null().slice(0, 5000)
    if len(filled) == 0:
        return False
    words = pc.mean(pc.add(pc.count_substring_regex(filled, pattern=r"\s+"), 1)).as_py()
    return float(words) >= _TEXT_WORDS and distinct > 0.5 * (len(column) - column.null_count)


def _role(
    name: str,
    column: pa.Array,
    section: Understand,
    distinct: int,
    kind: Kind,
    *,
    share: float,
) -> tuple[Role, str]:
    if name == section.target:
        return "target", ""
    if name == section.time and section.columns.get(name) != "date":
        return "time", "decides the split"
    if name == section.group:
        return "group", "decides the split"
    if name == section.entity:
        return "entity", "names the rows"
    if name in section.known_at_prediction.exclude:
        return "left_out", NOT_KNOWN
    if name in section.sensitive:
        return "sensitive", "declared as sensitive"
    declared = section.columns.get(name)
    if declared == "ignore":
        return "left_out", IGNORED
    if distinct == 0:
        return "left_out", EMPTY
    if distinct == 1 and column.null_count == 0:
        return "left_out", CONSTANT
    if declared is None and is_identifier(name, column, distinct, kind, share=share):
        return "left_out", IDENTIFIER
    return "feature", ""


def is_identifier(name: str, column: pa.Array, distinct: int, kind: Kind, *, share: float) -> bool:
    """Whether a column has (nearly) one value per row and names it.

    Nearly all values differ, so that a few repeated rows do not hide it. Text: and it is no
    prose. Whole numbers: and they either count the rows, gaps of the sealed ones allowed, or
    are called like an identifier. Numbers drawn from as narrow a range would repeat far more
    often: of n draws from n values 37 % are never seen.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = len(column) - column.null_count
    if filled < _LEAST_FOR_ID or distinct < _NEARLY_ALL * filled:
        return False
    if kind == "category":
        return True
    if not pa.types.is_integer(column.type):
        return False
    if looks_like_id(name):
        return True
    ends = pc.min_max(column)
    span = int(ends["max"].as_py()) - int(ends["min"].as_py()) + 1
    return bool(span <= 1.1 * filled / max(1 - share, 0.1))


def _range(column: pa.Array, kind: Kind) -> tuple[float | None, float | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind not in {"number", "date"} or column.null_count == len(column):
        return None, None
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values = as_days(column) if kind == "date" else column.cast(pa.float64(), safe=False)
    finite = values.filter(pc.is_finite(values.fill_null(0.0)))
    ends = pc.min_max(finite)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    return (None, None) if low is None else (float(low), float(high))


def as_days(column: pa.Array) -> pa.Array:
    """Return dates or timestamps as days since 1970 (float), nulls kept."""
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)))
    return pc.divide(moments.view(pa.int64()).cast(pa.float64(), safe=False), float(_DAY))


def numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a number, boolean or date column as floats, NaN where empty, shape (n_rows,)."""
    import numpy as np
    import pyarrow as pa

    one = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_date(one.type) or pa.types.is_timestamp(one.type):
        one = as_days(one)
    if pa.types.is_boolean(one.type):
        one = one.cast(pa.int8())
    made = one.cast(pa.float64(), safe=False).fill_null(float("nan"))
    return np.asarray(made.to_numpy(zero_copy_only=False), dtype=np.float64)


def _values(column: pa.Array, kind: Kind, distinct: int) -> tuple[str, ...]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind != "category" or distinct == 0:
        return ()
    text = column.drop_null().cast(pa.string())
    counts = text.value_counts()
    if len(counts) > MOST_VALUES:
        order = pc.array_sort_indices(counts.field(1), order="descending")
        counts = counts.take(order.slice(0, MOST_VALUES))
    return tuple(sorted(counts.field(0).to_pylist()))

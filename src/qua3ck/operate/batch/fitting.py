"""Which rows a version can answer: a row that does not fit is held, never answered by a guess.

The rules are those of the release's own prelude, value by value; a table is only looked at
value by value where the prelude refused it as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.store.releases import prelude
from qua3ck.store.releases.rows import Prepared, Rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

UNREADABLE, STRANGE, FLAGGED, LACKING = "O044", "O045", "O046", "O056"
NEVER = frozenset({"missing", "not_finite", "fraction"})  # no request is answered with these


@dataclass(frozen=True)
class Fitted:
    """Rows sorted by whether they can be answered.

    ``prepared`` has the rows that can; ``kept`` (n_rows,) says which these are. ``held`` are
    (row from 0, column, code) of the others, one per reason. ``strange`` (n_prepared,) names
    the columns in which a row has what no training row had, None for none.
    """

    prepared: pd.DataFrame
    kept: NDArray[np.bool_]
    held: tuple[tuple[int, str, str], ...]
    strange: NDArray[np.object_]


def fit(rows: pa.RecordBatch, known: Rows, *, refuse: bool | Sequence[str] = False) -> Fitted:
    """Sort rows by whether a version can answer them, and prepare those that it can.

    Parameters
    ----------
    rows : pyarrow.RecordBatch
        With every column of the spec.
    known : Rows
        The release's declaration, compiled.
    refuse : bool or sequence of str
        Columns in which what no training row had holds its row; true for all.
    """
    import numpy as np

    spec = known.spec
    frame = as_frame(rows, spec)
    kept = np.ones(len(frame), dtype=np.bool_)
    held: list[tuple[int, str, str]] = []
    try:
        prepared = prelude.prepare(frame, spec)
    except ValueError:
        for column in spec["columns"]:
            for at in _unreadable(frame[column["name"]], column):
                held.append((at, column["name"], UNREADABLE))
                kept[at] = False
        frame = frame[kept]
        prepared = prelude.prepare(frame, spec)
    strange, refused = _strange(prepared, frame, known, refuse)
    if refused:
        positions = np.flatnonzero(kept)
        held += [(int(positions[at]), name, code) for at, name, code in refused]
        stays = np.ones(len(prepared), dtype=np.bool_)
        stays[[at for at, _, _ in refused]] = False
        kept[positions[~stays]] = False
        prepared, strange = prepared[stays], strange[stays]
    return Fitted(prepared, kept, tuple(sorted(held)), strange)


def as_frame(rows: pa.RecordBatch, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Return the spec's columns as the prelude reads them.

    Numbers come as float64 with NaN for null: what the prelude makes of them anyway.
    """
    import pandas as pd

    return pd.DataFrame(
        {column["name"]: _series(rows[column["name"]], column) for column in spec["columns"]}
    )


def _series(values: pa.Array, column: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    kind = values.type
    if column["kind"] in {"number", "bool"}:
        if pa.types.is_boolean(kind) and prelude.number_kind(column) == "bool":
            values = values.cast(pa.int8())
        kind = values.type
        others = (pa.types.is_string, pa.types.is_temporal, pa.types.is_boolean)
        if not any(is_one(kind) for is_one in others):
            return values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values.to_pandas(integer_object_nulls=True)


def _unreadable(values: pd.Series[Any], column: Mapping[str, Any]) -> Iterator[int]:
    """Yield the positions of the values that are not of their column's kind."""
    kind = column["kind"]
    if kind == "text":
        return
    known = prelude.only_texts(column) if kind == "category" else None
    for at, value in enumerate(values.tolist()):
        if prelude.is_null(value):
            continue
        read: object
        if kind == "date":
            number = isinstance(value, int | float)
            read = None if number else prelude.as_moment(value)
        elif kind == "category":
            read = prelude.as_category(value, known)
        else:
            read = prelude.as_number(value, prelude.number_kind(column))
        if read is None:
            yield at


def _strange(
    prepared: pd.DataFrame, frame: pd.DataFrame, known: Rows, refuse: bool | Sequence[str]
) -> tuple[NDArray[np.object_], list[tuple[int, str, str]]]:
    """Return the columns in which a row is strange, and what is refused for it."""
    import numpy as np

    named: NDArray[np.object_] = np.full(len(prepared), None, dtype=object)
    refused: list[tuple[int, str, str]] = []
    for one in known.strange(_as_rows(prepared, frame, known.spec)) if len(prepared) else ():
        if one.kind in NEVER:
            code = UNREADABLE if one.kind == "fraction" else LACKING
            refused.append((one.row, one.column, code))
        elif refuse is True or (refuse is not False and one.column in refuse):
            refused.append((one.row, one.column, STRANGE))
        elif named[one.row] is None:
            named[one.row] = one.column
        elif one.column not in named[one.row].split(", "):
            named[one.row] += f", {one.column}"
    return named, refused


def _as_rows(prepared: pd.DataFrame, frame: pd.DataFrame, spec: Mapping[str, Any]) -> Prepared:
    """Return a prepared table in the form in which a request's rows are judged."""
    import numpy as np

    inputs: list[tuple[str, str, int]] = []
    numbers: list[NDArray[np.float32]] = []
    texts: list[list[str]] = []
    for name, kind in prelude.inputs(spec):
        inputs.append((name, kind, len(numbers) if kind == "number" else len(texts)))
        if kind == "number":
            numbers.append(prepared[name].to_numpy(dtype=np.float32))
        else:
            texts.append(prepared[name].tolist())
    shape = (len(numbers), len(prepared))
    stacked: NDArray[np.float32] = np.array(numbers, dtype=np.float32).reshape(shape)
    infinite: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)
    places = {name: place for name, kind, place in inputs if kind == "number"}
    for column in spec["columns"]:
        if column["kind"] == "number":
            with np.errstate(over="ignore"):
                given = np.array(_floats(frame[column["name"]]), dtype=np.float32)
            infinite[places[column["name"]]] = np.isinf(given)
    found = infinite if infinite.any() else None
    return Prepared(len(prepared), tuple(inputs), stacked, texts, infinite=found)


def _floats(values: pd.Series[Any]) -> Any:
    if values.dtype.kind == "f":
        return values.to_numpy()
    read = (None if prelude.is_null(value) else value for value in values.tolist())
    return [prelude.as_number(value, "number") for value in read]

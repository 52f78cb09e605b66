"""What the training rows look like, column by column: the later reference for drift.

Kept as JSON. Counts below five are not shown, nor any value of a column that names rows or
holds free text, so that a profile can be passed on where the rows cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qua3ck.understand.columns import IDENTIFIER, numbers
from qua3ck.understand.records import Column

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BINS = 20
TOP = 20
LEAST_SHOWN = 5
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_MOST_CLASSES = 20
_LARGEST = 1e150  # so that squares and differences stay numbers


def profile(
    rows: pa.Table,
    columns: Sequence[Column],
    *,
    truth: NDArray[np.int64] | None = None,
    classes: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the profile of a table as a JSON-able mapping.

    Parameters
    ----------
    rows : pyarrow.Table
        Training rows.
    columns : sequence of Column
        Their kinds and roles.
    truth : array of int, shape (n_rows,), optional
        Class numbers; with ``classes`` each column is also described per class.

    Returns
    -------
    dict
        ``rows``, ``classes`` (name to count) and ``columns``: per name ``kind``, ``type``,
        ``role``, ``missing``, ``distinct``, then for numbers and dates (days since 1970)
        ``range``, ``quantiles``, ``histogram``; for categories and booleans ``top``; and
        ``by_class``.
    """
    import numpy as np

    masks: dict[str, NDArray[np.bool_]] = {}
    counts: dict[str, int] = {}
    if truth is not None:
        seen = np.bincount(truth, minlength=len(classes)).tolist()
        counts = dict(zip(classes, seen, strict=True))
        if len(classes) <= _MOST_CLASSES:
            masks = {name: np.equal(truth, number) for number, name in enumerate(classes)}
    return {
        "rows": rows.num_rows,
        "classes": counts,
        "columns": {c.name: _column(rows[c.name], c, masks) for c in columns},
    }


def _column(
    values: pa.ChunkedArray, column: Column, masks: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Any]:
    about = {
        "kind": column.kind,
        "type": column.type,
        "role": column.role,
        "why": column.why,
        "missing": values.null_count,
        "distinct": column.distinct,
    }
    hidden = column.kind == "text" or column.why == IDENTIFIER or column.role == "entity"
    if hidden or column.distinct == 0:
        return about
    if column.kind in {"number", "date"}:
        return about | _numeric(numbers(values), masks)
    return about | _categories(values, masks)


def _numeric(values: NDArray[np.float64], masks: Mapping[str, NDArray[np.bool_]]) -> dict[str, Any]:
    import numpy as np

    values = np.clip(values, -_LARGEST, _LARGEST)
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return {}
    low, high = float(finite.min()), float(finite.max())
    counts, edges = np.histogram(finite, bins=_edges(low, high))
    by_class = {}
    for name, mask in masks.items():
        part = values[mask]
        part = part[np.isfinite(part)]
        if len(part) >= LEAST_SHOWN:
            by_class[name] = {
                "rows": int(mask.sum()),
                "missing": int(mask.sum()) - len(part),
                "mean": float(part.mean()),
                "quartiles": [float(q) for q in np.quantile(part, (0.25, 0.5, 0.75))],
                "histogram": np.histogram(part, bins=edges)[0].tolist(),
            }
    return {
        "range": [low, high],
        "mean": float(finite.mean()),
        "sd": float(finite.std(ddof=1)) if len(finite) > 1 else 0.0,
        "quantiles": {
            str(q): float(v) for q, v in zip(QUANTILES, np.quantile(finite, QUANTILES), strict=True)
        },
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "by_class": by_class,
    }


def _edges(low: float, high: float) -> NDArray[np.float64]:
    """Return strictly rising edges, also where the range is one value or nearly so."""
    import numpy as np

    edges = np.linspace(low, high, BINS + 1)
    if np.all(np.diff(edges) > 0) and np.isfinite(edges).all():
        return edges
    return np.array([np.nextafter(low, -np.inf), np.nextafter(high, np.inf)])


def _categories(values: pa.ChunkedArray, masks: Mapping[str, NDArray[np.bool_]]) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    coded = values.combine_chunks().cast(pa.string()).dictionary_encode()
    names = coded.dictionary.to_pylist()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes + 1, minlength=len(names) + 1)[1:]
    order = sorted(range(len(names)), key=lambda at: (-int(counts[at]), names[at]))[:TOP]
    order = [at for at in order if counts[at] >= LEAST_SHOWN]
    by_class = {
        name: {names[at]: _shown(int((codes[mask] == at).sum())) for at in order}
        for name, mask in masks.items()
    }
    other = int(counts.sum()) - int(sum(counts[at] for at in order))
    return {
        "top": {names[at]: int(counts[at]) for at in order},
        "other": _shown(other),
        "by_class": by_class,
    }


def _shown(count: int) -> int | str:
    return count if count >= LEAST_SHOWN or count == 0 else f"<{LEAST_SHOWN}"

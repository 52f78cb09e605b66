"""Where errors concentrate: parts of the data that are wrong clearly more often than the rest.

Only parts of at least 30 rows with at least 5 errors are shown: a smaller cell could point
to a person, and says little.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qua3ck.conclude.calibration import share_interval

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from qua3ck.question.outcome import Outcome
    from qua3ck.understand.records import Column

LEAST_ROWS = 30
LEAST_ERRORS = 5
MOST_SHOWN = 12
MOST_VALUES = 20
LARGE_ERROR_SHARE = 0.8


def wrong_rows(outcome: Outcome) -> NDArray[np.bool_]:
    """Return where the decision was wrong; for a regression, the worst fifth of the errors."""
    import numpy as np

    if outcome.labels is not None:
        return np.asarray(~outcome.is_right, dtype=bool)
    said = np.asarray(outcome.values, dtype=float)
    error = np.abs(outcome.truth.astype(float) - said)
    return np.asarray(error > np.quantile(error, LARGE_ERROR_SHARE), dtype=bool)


def concentrations(
    rows: pd.DataFrame,
    wrong: NDArray[np.bool_],
    columns: tuple[Column, ...],
    *,
    confidence: float = 0.95,
) -> tuple[dict[str, Any], ...]:
    """Return the parts with the highest error rates, worst first.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, ...)
        The sealed rows; a column that is not there is passed over.
    wrong : array of bool, shape (n_rows,)
    columns : tuple of Column
        The columns to look at: features and sensitive ones; free text is not looked at.
    confidence : float, default 0.95
        Coverage of each two-sided interval (Clopper-Pearson).

    Returns
    -------
    tuple of dict
        ``column``, ``part``, ``rows``, ``errors``, ``rate``, ``low``, ``high``, ``rest``
        (error rate of all other rows) and ``p``: Fisher's exact test against the rest, after
        Holm over all parts looked at.

    Notes
    -----
    Rows are treated as independent; where they come in groups or in time order the claim is
    a hint to look, not a proof.
    Source: S. Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    found = [
        _part(column.name, name, inside, wrong, confidence=confidence)
        for column in columns
        if column.name in rows and column.role in ("feature", "sensitive")
        for name, inside in _parts(rows[column.name], column)
        if LEAST_ROWS <= inside.sum() <= len(wrong) - LEAST_ROWS
    ]
    for part, p in zip(found, holm([part["p"] for part in found]), strict=True):
        part["p"] = p
    shown = [
        part for part in found if part["errors"] >= LEAST_ERRORS and part["rate"] > part["rest"]
    ]
    shown.sort(key=lambda part: (part["p"], -part["rate"], part["column"], part["part"]))
    return tuple(shown[:MOST_SHOWN])


def holm(values: list[float]) -> list[float]:
    """Return p-values adjusted for their number, in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted = [0.0] * len(values)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = worst
    return adjusted


def _parts(values: pd.Series, column: Column) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    missing = values.isna().to_numpy()
    if missing.any():
        yield "missing", missing
    if column.kind in ("number", "date"):
        yield from _ranges(values, missing, kind=column.kind)
    elif column.kind in ("category", "bool"):
        for value in values[~missing].astype(str).value_counts().index[:MOST_VALUES]:
            yield str(value), (values.astype(str) == value).to_numpy() & ~missing


def _ranges(
    values: pd.Series, missing: NDArray[np.bool_], *, kind: str
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    import numpy as np
    import pandas as pd

    if kind == "date":
        days = pd.to_datetime(values, errors="coerce", utc=True)
        numbers = days.dt.year.to_numpy(dtype=float)
        missing = np.isnan(numbers)
    else:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    if missing.all():
        return
    exact = np.quantile(numbers[~missing], [0.25, 0.5, 0.75])
    edges = np.unique([float(f"{edge:.{4 if kind == 'date' else 2}g}") for edge in exact])
    place = np.searchsorted(edges, numbers, side="right")
    named = [f"{edge:g}" for edge in edges]
    for number in range(len(edges) + 1):
        low = f"from {named[number - 1]}" if number else ""
        high = f"below {named[number]}" if number < len(edges) else ""
        yield " ".join(filter(None, (low, high))), (place == number) & ~missing


def _part(
    column: str,
    name: str,
    inside: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    *,
    confidence: float,
) -> dict[str, Any]:
    import numpy as np
    from scipy.stats import fisher_exact

    rows, errors = int(inside.sum()), int(wrong[inside].sum())
    others, other_errors = int((~inside).sum()), int(wrong[~inside].sum())
    table = np.array([[errors, rows - errors], [other_errors, others - other_errors]])
    low, high = share_interval(errors, rows, confidence=confidence)
    return {
        "column": column,
        "part": name,
        "rows": rows,
        "errors": errors,
        "rate": errors / rows,
        "low": low,
        "high": high,
        "rest": other_errors / others,
        "p": float(fisher_exact(table, alternative="two-sided").pvalue),
    }

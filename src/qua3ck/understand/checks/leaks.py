"""Columns that tell the target by themselves: derived from it, or known only afterwards.

Each column alone predicts the target on rows it was not fitted on: from the nearest rows for
numbers, from the shares of each value for categories and for numbers of few values. What one
column knows all by itself is rarely a gift: usually it was written after, or because of, the
outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding
from qua3ck.understand.checks.view import View, ranks
from qua3ck.understand.columns import NOT_KNOWN, numbers
from qua3ck.understand.records import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR_PERFECT = 0.99
DERIVED = 0.999
_SAMPLE = 5000  # rows; enough to tell 0.99 from 0.999
_LEAST = 30
_FOLDS = 3
_NEAREST = 5
_FEW_VALUES = 0.05  # of the rows
_LEAST_OF_CLASS = 5


def check_leaks(view: View, *, from_function: bool) -> Iterator[Finding]:
    """Yield columns that tell the target alone, and those declared as not known in time.

    Parameters
    ----------
    from_function : bool
        Whether a training function chose the columns: returning an excluded one is then a
        mistake, not just a column of the raw table.
    """
    sample = _sample(view)
    for column in view.columns:
        if column.why == NOT_KNOWN:
            yield _excluded(column, _alone(view, column, sample), view, by=from_function)
        elif column.role == "feature" and column.kind != "text" and view.rows >= _LEAST:
            score = _alone(view, column, sample)
            if score is not None and score >= NEAR_PERFECT:
                yield _tells(column, score, view)


def tells_alone(
    values: NDArray[Any], truth: NDArray[Any], *, classes: int, categorical: bool, seed: int
) -> float:
    """Return how well one column predicts the target on held-out rows.

    Parameters
    ----------
    values : array, shape (n_rows,)
        Numbers with NaN for empty, or whole-number codes of categories.
    truth : array, shape (n_rows,)
        Class numbers, or floats for a regression.
    classes : int
        0 for a regression.

    Returns
    -------
    float
        ROC AUC (two classes), balanced accuracy (more), or R squared, over 3 folds.
    """
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(truth))
    fold = np.empty(len(truth), dtype=int)
    fold[order] = np.arange(len(truth)) % _FOLDS
    guess = np.zeros((len(truth), max(classes, 1)))
    for held in range(_FOLDS):
        fit, out = fold != held, fold == held
        predict = _shares if categorical else _nearest
        guess[out] = predict(values[fit], truth[fit], values[out], classes)
    return _quality(guess, truth, classes)


def _sample(view: View) -> NDArray[np.int64]:
    """Return which rows are looked at; rare classes are kept as far as room goes."""
    import numpy as np

    if view.rows <= _SAMPLE:
        return np.arange(view.rows)
    order = np.random.default_rng(view.seed).permutation(view.rows)
    classes = len(view.target.classes)
    if not classes:
        return np.sort(order[:_SAMPLE])
    parts = [order[view.truth[order] == one][: _SAMPLE // classes] for one in range(classes)]
    return np.sort(np.concatenate(parts))


def _alone(view: View, column: Column, sample: NDArray[np.int64]) -> float | None:
    import numpy as np

    truth = view.truth[sample]
    if column.distinct == 0 or not _enough(truth, view):
        return None
    rows = view.train[column.name].take(sample)
    categorical = column.kind in {"category", "text", "bool"}
    if categorical:
        coded = rows.combine_chunks().dictionary_encode().indices
        values = coded.fill_null(-1).to_numpy(zero_copy_only=False)
    else:
        values = numbers(rows)
        if column.distinct <= _FEW_VALUES * view.rows:
            values = np.unique(values, return_inverse=True)[1]  # equal values: no order needed
            categorical = True
    classes = len(view.target.classes)
    return tells_alone(values, truth, classes=classes, categorical=categorical, seed=view.seed)


def _enough(truth: NDArray[Any], view: View) -> bool:
    import numpy as np

    if view.target.task == "regression":
        return bool(truth.std() > 0)
    counts = np.bincount(truth)
    return int((counts >= _LEAST_OF_CLASS).sum()) >= 2


def _nearest(
    values: NDArray[Any], truth: NDArray[Any], out: NDArray[Any], classes: int
) -> NDArray[np.float64]:
    """Predict the mean of the five rows nearest in order; empty cells are one value.

    Any function of the column, however crooked, is followed; nothing has to be chosen.
    """
    import numpy as np

    wanted = _wanted(truth, classes)
    order = np.argsort(values, kind="stable")  # NaN comes last
    sums = np.vstack([np.zeros(wanted.shape[1]), np.cumsum(wanted[order], axis=0)])
    filled = int((~np.isnan(values)).sum())
    at = np.searchsorted(values[order][:filled], out)
    low = np.clip(at - _NEAREST // 2, 0, max(filled - _NEAREST, 0))
    high = np.minimum(low + _NEAREST, filled)
    gap = np.isnan(out) if filled < len(values) else np.zeros(len(out), dtype=bool)
    low, high = np.where(gap, filled, low), np.where(gap, len(values), high)
    return np.asarray((sums[high] - sums[low]) / np.maximum(high - low, 1)[:, None])


def _shares(
    values: NDArray[Any], truth: NDArray[Any], out: NDArray[Any], classes: int
) -> NDArray[np.float64]:
    """Predict each value's class shares or mean, drawn a little towards the overall ones."""
    import numpy as np

    size = int(max(values.max(), out.max())) + 2
    wanted = _wanted(truth, classes)
    rows = np.bincount(values + 1, minlength=size)[:, None]
    sums = np.zeros((size, wanted.shape[1]))
    np.add.at(sums, values + 1, wanted)
    means = (sums + wanted.mean(axis=0)) / (rows + 1)
    return np.asarray(means[out + 1])


def _wanted(truth: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Return one column per class with a 1 where it is, or the target as one column."""
    import numpy as np

    if classes:
        return np.asarray(np.eye(classes)[truth])
    return np.asarray(truth, dtype=float)[:, None]


def _quality(guess: NDArray[np.float64], truth: NDArray[Any], classes: int) -> float:
    import numpy as np

    if not classes:
        spread = float(((truth - truth.mean()) ** 2).sum())
        return 1 - float(((truth - guess[:, 0]) ** 2).sum()) / spread if spread else 0.0
    if classes == 2:
        return _auc(guess[:, 1], truth == 1)
    right = guess.argmax(axis=1) == truth
    return float(np.mean([right[truth == one].mean() for one in np.unique(truth)]))


def _auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    hits = int(positive.sum())
    others = len(positive) - hits
    if not hits or not others:
        return 0.5
    total = float(ranks(scores)[positive].sum())
    return (total - hits * (hits + 1) / 2) / (hits * others)


def _tells(column: Column, score: float, view: View) -> Finding:
    evidence = {"column": column.name, "measure": _measure(view), "score": round(score, 4)}
    where = f"column {column.name}, {view.rows} training rows"
    if score >= DERIVED:
        return Finding(
            "U001",
            "block",
            where,
            f"{column.name} alone gives the target away ({_measure(view)} {score:.3f}): it looks "
            "derived from it. Exclude it under known_at_prediction, or accept with a reason.",
            evidence,
        )
    return Finding(
        "U002",
        "warn",
        where,
        f"{column.name} alone predicts the target almost perfectly ({_measure(view)} "
        f"{score:.3f}). Is it known before the outcome?",
        evidence,
    )


def _excluded(column: Column, score: float | None, view: View, *, by: bool) -> Finding:
    told = "" if score is None else f" Alone it would reach {_measure(view)} {score:.3f}."
    who = "The training function returns it all the same; it" if by else "It"
    return Finding(
        "U007",
        "warn" if by else "inform",
        f"column {column.name}, understand.known_at_prediction",
        f"{column.name} is declared as {NOT_KNOWN}. {who} was left out of the model.{told}",
        {
            "column": column.name,
            "measure": _measure(view),
            "score": None if score is None else round(score, 4),
        },
    )


def _measure(view: View) -> str:
    return {"binary": "AUC", "multiclass": "balanced accuracy", "regression": "R squared"}[
        view.target.task
    ]

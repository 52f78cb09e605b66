"""Which columns the candidate leans on: permutation importance on validation rows.

A column is shuffled among rows that the model was not fitted on; what the metric loses is
what the model takes from the column. Columns that say the same share their importance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qua3ck.a3.records import Influence
from qua3ck.kit.errors import NotEnoughEvidence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from qua3ck.a3.validation import Bench, Checked

_ROWS = 1_000
_MANY = 40
_COLUMNS = 200


def influences(
    bench: Bench, checked: Checked, *, confidence: float = 0.95
) -> tuple[Influence, ...]:
    """Return every feature's influence on the objective, the largest first.

    Parameters
    ----------
    bench : Bench
        Rows and folds.
    checked : Checked
        The candidate's predictions with the fitted pipeline of every fold.
    confidence : float, in (0.5, 1)
        Coverage of each bound by itself.

    Returns
    -------
    tuple of Influence
        ``drop`` in the metric's unit, above 0 where the column helps. At most 1,000 rows of
        each fold are used and 200 columns, shuffled twice (once if there are more than 40);
        empty if the metric is not defined on any of the rows.

    Notes
    -----
    Breiman (2001), Machine Learning 45. The interval is Student's over folds and repeats,
    widened for training rows that folds share (Nadeau & Bengio 2003, Machine Learning 52).
    """
    import numpy as np

    from qua3ck.a3.validation import final_threshold

    rng = np.random.default_rng(bench.seed)
    spec = {**bench.spec, "threshold": final_threshold(bench, checked)}
    inputs = _inputs(bench)
    repeats = 2 if len(inputs) <= _MANY or len(bench.folds) == 1 else 1
    drops: dict[str, list[float]] = {name: [] for name in inputs}
    for model, fold in zip(checked.models, bench.folds, strict=True):
        rows = np.sort(rng.permutation(fold.check)[:_ROWS])
        table = bench.prepared.iloc[rows]
        before = _value(bench, spec, model, rows, table)
        for _ in range(repeats):
            order = rng.permutation(len(rows))
            for name, made in inputs.items() if before is not None else ():
                after = _value(bench, spec, model, rows, _shuffled(table, made, order))
                if after is not None and before is not None:
                    drops[name].append(bench.sign * (before - after))
    found = [_summary(bench, name, values, confidence) for name, values in drops.items() if values]
    return tuple(sorted(found, key=lambda one: (-one.drop, one.column)))


def _inputs(bench: Bench) -> dict[str, tuple[str, ...]]:
    """Return each feature with the prepared columns that are made of it."""
    from qua3ck.store.releases import prelude

    made = {}
    for column in list(bench.spec["columns"])[:_COLUMNS]:
        alone = {**bench.spec, "columns": [column]}
        made[str(column["name"])] = tuple(name for name, _ in prelude.inputs(alone))
    return made


def _shuffled(table: pd.DataFrame, names: tuple[str, ...], order: NDArray[np.intp]) -> pd.DataFrame:
    made = table.copy()
    for name in names:
        made[name] = made[name].to_numpy()[order]
    return made


def _value(
    bench: Bench,
    spec: Mapping[str, Any],
    model: Any,
    rows: NDArray[np.intp],
    table: pd.DataFrame,
) -> float | None:
    """Return the objective that a fitted pipeline reaches on some rows."""
    from qua3ck.a3.validation import predict
    from qua3ck.question import score
    from qua3ck.store.releases import prelude

    guess = predict(bench, model, table)
    if guess.scores is not None:
        guess = replace(guess, labels=prelude.decide(guess.scores, spec))
    try:
        return score(bench.metric, bench.outcome(rows, guess))
    except NotEnoughEvidence:
        return None


def _summary(bench: Bench, name: str, values: list[float], confidence: float) -> Influence:
    import numpy as np
    from scipy.stats import t

    mean = float(np.mean(values))
    shared = np.mean([len(fold.check) / max(len(fold.train), 1) for fold in bench.folds])
    spread = float(np.std(values, ddof=1)) * math.sqrt(1 / len(values) + float(shared))
    half = float(t.ppf(confidence, len(values) - 1)) * spread
    return Influence(name, mean, mean - half, mean + half)

"""The sealed rows and a prediction, side by side in the shape that every metric reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from qua3ck.a3.baseline import Guess
    from qua3ck.question.outcome import Outcome
    from qua3ck.question.records import Question
    from qua3ck.store.releases.model import Prediction
    from qua3ck.understand.records import Snapshot


@dataclass(frozen=True)
class Judged:
    """One predictor's outcome on the sealed rows, its name in the record, and what it does."""

    name: str
    outcome: Outcome
    says: str = ""


def truth_only(rows: pd.DataFrame, snapshot: Snapshot, question: Question) -> Outcome:
    """Return the outcome of nobody yet: truth, classes, groups, time and sliced columns.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, ...)
        The sealed rows.
    snapshot : Snapshot
        Names target, classes, and what tells rows apart.
    question : Question
        Names the columns that slices and fairness gaps look at.
    """
    import numpy as np

    from qua3ck.a3.baseline import class_names
    from qua3ck.a3.folds import moments
    from qua3ck.question.outcome import Outcome

    target = rows[snapshot.target]
    if snapshot.classes:
        truth = class_names(target).astype(str)
    else:
        truth = target.to_numpy(dtype=np.float64)
    return Outcome(
        truth=truth,
        classes=snapshot.classes,
        positive=snapshot.positive,
        clusters=rows[snapshot.cluster].to_numpy(dtype=object) if snapshot.cluster else None,
        order=moments(snapshot, rows) if snapshot.order == "time" else None,
        slices={name: rows[name].to_numpy(dtype=object) for name in _looked_at(question)},
        costs=question.costs,
    )


def with_prediction(base: Outcome, prediction: Prediction | Guess) -> Outcome:
    """Return the outcome of one predictor on the rows of ``base``."""
    labels = None if prediction.labels is None else prediction.labels.astype(str)
    return replace(base, labels=labels, scores=prediction.scores, values=prediction.values)


def predictions_digest(outcome: Outcome) -> str:
    """Return the SHA-256 (hex) over labels, scores and values, byte for byte in row order.

    Numbers are digested as rounded to 9 significant digits, so that another processor's
    last bit is no difference.
    """
    import hashlib

    import numpy as np

    made = hashlib.sha256()
    for name in ("labels", "scores", "values"):
        part = getattr(outcome, name)
        if part is None:
            made.update(b"none;")
            continue
        texts = (
            part.astype(str).ravel()
            if part.dtype.kind not in "fiu"
            else np.char.mod("%.9g", part.astype(float).ravel())
        )
        made.update(f"{part.shape};".encode())
        made.update("\x1f".join(texts.tolist()).encode())
    return made.hexdigest()


def _looked_at(question: Question) -> list[str]:
    named = [name for kpi in question.kpis for name in (*kpi.slice_by, *(kpi.slice or {}))]
    return list(dict.fromkeys([*named, *(gap.by for gap in question.fairness)]))

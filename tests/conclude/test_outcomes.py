from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qua3ck.conclude.outcomes import predictions_digest, truth_only
from qua3ck.question.outcome import Outcome
from qua3ck.question.records import FairnessGap, Kpi, Question


@dataclass(frozen=True)
class MadeSnapshot:
    target: str = "late"
    classes: tuple[str, ...] = ("0", "1")
    positive: str = "1"
    cluster: str = ""
    time: str = ""
    order: str = "independent"


QUESTION = Question(
    asks="?", decides="x", why_now="x", risks="x", stop_if=("rows < 1",),
    kpis=(Kpi(id="acc", metric="accuracy", at_least=0.5, slice_by=("region",)),),
    fairness=(FairnessGap(id="gap", metric="accuracy_difference", by="sex", at_most=0.1),),
)  # fmt: skip
ROWS = pd.DataFrame(
    {
        "late": [0, 1, 1],
        "region": ["n", None, "s"],
        "sex": ["f", "m", "f"],
        "day": pd.to_datetime(["2021-01-03", "2021-01-01", "2021-01-02"]),
        "household": [7, 7, 8],
    }
)


def test_truth_is_named_as_in_the_snapshot_and_sliced_columns_come_along():
    made = truth_only(ROWS, MadeSnapshot(), QUESTION)
    assert made.truth.tolist() == ["0", "1", "1"]
    assert set(made.slices) == {"region", "sex"}
    assert (made.clusters, made.order) == (None, None)


def test_groups_and_time_come_along_where_they_are_declared():
    snapshot = MadeSnapshot(cluster="household", time="day", order="time")
    made = truth_only(ROWS, snapshot, QUESTION)
    assert made.clusters.tolist() == [7, 7, 8]
    assert np.argsort(made.order).tolist() == [1, 2, 0]


def test_a_digest_tells_predictions_apart_but_not_their_last_bit():
    scores = np.array([[0.25, 0.75], [0.5, 0.5]])
    made = Outcome(
        truth=np.array(["a", "b"]), labels=np.array(["b", "a"]), scores=scores, classes=("a", "b")
    )
    same = replace(made, scores=scores + 1e-15)
    other = replace(made, scores=scores + 1e-6)
    swapped = replace(made, labels=np.array(["a", "b"]))
    assert predictions_digest(made) == predictions_digest(same)
    assert len({predictions_digest(one) for one in (made, other, swapped)}) == 3

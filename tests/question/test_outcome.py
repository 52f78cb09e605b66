import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import qua3ck.question
from qua3ck.question import Outcome
from qua3ck.question.outcome import MISSING, names_of


def test_labels_are_matched_by_name_whatever_the_order_of_classes():
    outcome = Outcome(
        np.array(["b", "a", "c"]), labels=np.array(["b", "b", "z"]), classes=("c", "a", "b")
    )
    assert outcome.truth_codes.tolist() == [2, 1, 0]
    assert outcome.label_codes.tolist() == [2, 2, -1]


def test_numbers_are_matched_as_text():
    outcome = Outcome(np.array([0, 1, 1]), labels=np.array([1, 1, 0]), classes=("0", "1"))
    assert outcome.is_positive.tolist() == [False, True, True]
    assert outcome.called_positive.tolist() == [True, True, False]


@pytest.mark.parametrize(
    "column",
    [
        np.array(["a", None], dtype=object),
        np.array(["a", float("nan")], dtype=object),
        np.array(["a", pd.NA], dtype=object),
        np.array(["a", pd.NaT], dtype=object),
        pd.Series(["a", None], dtype="str").to_numpy(),
    ],
)
def test_a_missing_value_is_a_group_of_its_own(column):
    assert names_of(column).tolist() == ["a", MISSING]


def test_a_part_keeps_rows_together_and_drops_timings():
    outcome = Outcome(
        np.array(["a", "b", "a"]),
        labels=np.array(["a", "a", "a"]),
        classes=("a", "b"),
        clusters=np.array([1, 1, 2]),
        slices={"x": np.array([5, 6, 7])},
        latencies_ms=np.ones(9),
    )
    part = outcome.take(np.array([False, True, True]))
    assert part.truth.tolist() == ["b", "a"]
    assert part.clusters.tolist() == [1, 2]
    assert part.slices["x"].tolist() == [6, 7]
    assert part.latencies_ms is None


def test_the_records_are_light_and_every_promised_name_loads():
    code = "import sys, qua3ck.question.records; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    for name in qua3ck.question.__all__:
        assert getattr(qua3ck.question, name) is not None
    with pytest.raises(AttributeError):
        qua3ck.question.nothing_of_the_kind  # noqa: B018 - reading it is the test

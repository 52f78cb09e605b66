import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import qua3ck.question
from qua3ck.question import Outcome, positive_class
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


ROWS = np.array(["a", "b", "a"])


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"labels": ROWS[:2]}, "labels has 2 rows"),
        ({"values": np.ones(4)}, "values has 4 rows"),
        ({"scores": np.ones((2, 2)) / 2}, "scores has 2 rows"),
        ({"clusters": np.arange(2)}, "clusters has 2 rows"),
        ({"order": np.arange(4)}, "order has 4 rows"),
        ({"slices": {"sex": ROWS[:1]}}, r"slices\['sex'\] has 1 rows"),
        ({"scores": np.ones((3, 3)) / 3}, "classes are 2"),
        ({"scores": np.ones(3)}, "classes are 2"),
    ],
)
def test_what_does_not_line_up_with_the_truth_is_refused(more, what):
    with pytest.raises(ValueError, match=what):
        Outcome(ROWS, classes=("a", "b"), **more)


def test_timings_have_a_length_of_their_own():
    assert Outcome(ROWS, classes=("a", "b"), latencies_ms=np.ones(7)).rows == 3


def test_an_undeclared_class_is_nobodys_and_never_right():
    names = np.array(["a", "x", None], dtype=object)
    outcome = Outcome(names, labels=names, classes=("a", "b"))
    assert outcome.truth_codes.tolist() == [0, -1, -1]
    assert outcome.is_right.tolist() == [True, False, False]


def test_without_a_declared_positive_class_the_last_when_sorted_is_it():
    assert positive_class(("yes", "no")) == "yes"
    outcome = Outcome(ROWS, labels=ROWS, classes=("b", "a"))
    assert outcome.positive_index == 0
    assert outcome.is_positive.tolist() == [False, True, False]
    assert replace(outcome, positive="a").is_positive.tolist() == [True, False, True]


def test_rows_may_be_taken_twice_and_in_any_order():
    outcome = Outcome(ROWS, labels=ROWS, classes=("a", "b"), order=np.array([5, 6, 7]))
    part = outcome.take(np.array([2, 2, 0]))
    assert part.order.tolist() == [7, 7, 5]
    assert part.truth.tolist() == ["a", "a", "a"]

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from qua3ck.conclude.outcomes import Judged
from qua3ck.conclude.rivals import compare_all, compared_metrics, leading
from qua3ck.question.outcome import Outcome
from qua3ck.question.records import Kpi, Question

CLASSES = ("no", "yes")


@dataclass(frozen=True)
class MadeSnapshot:
    task: str = "binary"


def question(*metrics: str) -> Question:
    kpis = tuple(Kpi(id=f"k{n}", metric=name, at_least=0.5) for n, name in enumerate(metrics))
    return Question(asks="?", decides="x", why_now="x", risks="x", stop_if=("rows < 1",), kpis=kpis)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (("latency_p99_ms", "roc_auc", "brier"), ("roc_auc", "brier")),
        (("recall",), ("balanced_accuracy", "recall")),
        (("ece",), ("brier", "ece")),
        (("model_size_mb",), ("roc_auc",)),
    ],
)
def test_what_a_constant_answer_has_for_free_does_not_decide(asked, wanted):
    assert compared_metrics(question(*asked), MadeSnapshot()) == wanted


def outcome(truth, chance) -> Outcome:
    labels = np.where(chance >= 0.5, "yes", "no")
    return Outcome(
        truth=truth, labels=labels, scores=np.column_stack([1 - chance, chance]), classes=CLASSES,
        positive="yes",
    )  # fmt: skip


def drawn(rows: int = 400):
    random = np.random.default_rng(3)
    chance = random.uniform(size=rows)
    truth = np.where(random.uniform(size=rows) < chance, "yes", "no")
    return outcome(truth, chance), Judged("baseline", outcome(truth, np.full(rows, 0.5)))


def test_a_model_that_knows_something_is_better_than_the_baseline_beyond_doubt():
    candidate, baseline = drawn()
    first, second = compare_all(
        ("roc_auc", "accuracy"), candidate, [baseline], confidence=0.95, seed=1
    )
    assert (first.against, first.metric, first.verdict) == ("baseline", "roc_auc", "pass")
    assert 0 < first.low < first.difference < first.high
    assert first.other == pytest.approx(0.5)
    assert second.metric == "accuracy"


def test_a_model_against_itself_is_undecided():
    candidate, _ = drawn()
    (found,) = compare_all(
        ("roc_auc",), candidate, [Judged("champion", candidate)], confidence=0.95, seed=1
    )
    assert (found.verdict, found.difference) == ("undecided", 0)


def test_a_figure_that_cannot_be_had_is_undecided_and_says_why():
    candidate, baseline = drawn()
    (found,) = compare_all(("latency_p99_ms",), candidate, [baseline], confidence=0.95, seed=1)
    assert (found.verdict, found.low) == ("undecided", None)
    assert found.method


def test_the_first_comparison_with_each_rival_decides():
    candidate, baseline = drawn()
    made = compare_all(
        ("roc_auc", "accuracy"),
        candidate,
        [baseline, Judged("rule", baseline.outcome)],
        confidence=0.95,
        seed=1,
    )
    assert [(one.against, one.metric) for one in leading(made)] == [
        ("baseline", "roc_auc"),
        ("rule", "roc_auc"),
    ]

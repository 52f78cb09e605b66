from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from qua3ck.conclude.outcomes import Judged
from qua3ck.conclude.rivals import compare_all, compared_metrics, leading
from qua3ck.question.outcome import Outcome
from qua3ck.question.records import Costs, Kpi, Question

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


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (("recall",), ("cost_per_case", "recall")),
        (("roc_auc", "recall"), ("roc_auc", "recall", "cost_per_case")),
        (("ece",), ("brier", "ece", "cost_per_case")),
    ],
)
def test_declared_costs_are_compared_and_decide_where_a_constant_would_be_perfect(asked, wanted):
    asking = question(*asked).model_copy(update={"costs": Costs(false_negative=5.0)})
    assert compared_metrics(asking, MadeSnapshot()) == wanted


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


def always(word: str, truth) -> Judged:
    """Return the naive prediction that says one class to everybody, at false negatives of 5."""
    labels = np.full(len(truth), word)
    scores = np.tile([0.5, 0.5], (len(truth), 1))
    made = Outcome(
        truth=truth, labels=labels, scores=scores, classes=CLASSES, positive="yes",
        costs=Costs(false_negative=5.0, false_positive=1.0),
    )  # fmt: skip
    return Judged("baseline", made, f'always says "{word}"')


def test_for_each_metric_the_naive_prediction_that_is_strongest_at_it_is_beaten_or_not():
    truth = np.array(["no"] * 300 + ["yes"] * 100)
    random = np.random.default_rng(1)
    chance = np.clip(np.where(truth == "yes", 0.6, 0.4) + random.normal(0, 0.1, 400), 0, 1)
    candidate = replace(outcome(truth, chance), costs=Costs(false_negative=5.0))
    made = compare_all(
        ("cost_per_case", "accuracy", "recall"),
        candidate,
        [always("no", truth), always("yes", truth), Judged("rule", always("yes", truth).outcome)],
        confidence=0.95,
        seed=1,
    )
    found = {(one.against, one.metric): (one.other, one.says) for one in made}
    assert found["baseline", "cost_per_case"] == (pytest.approx(0.75), 'always says "yes"')
    assert found["baseline", "accuracy"] == (pytest.approx(0.75), 'always says "no"')
    assert ("baseline", "recall") not in found
    assert found["rule", "recall"][0] == 1.0


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

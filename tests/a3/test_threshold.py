from __future__ import annotations

import numpy as np
import pytest
from a3_project import question
from sklearn.metrics import f1_score, precision_score, recall_score

from qua3ck.a3.threshold import choose_threshold
from qua3ck.question.records import Costs


@pytest.fixture
def honest():
    """Probabilities that are right, and what happened."""
    rng = np.random.default_rng(0)
    chance = rng.beta(1.5, 4, 20_000)
    return rng.random(20_000) < chance, chance


def cost(costs, positive, called):
    missed, alarmed = positive & ~called, ~positive & called
    return missed.mean() * costs.false_negative + alarmed.mean() * costs.false_positive


@pytest.mark.parametrize("ratio", [1.0, 3.0, 5.0, 20.0])
def test_costs_lead_to_the_bayes_threshold_where_probabilities_are_right(honest, ratio):
    positive, chance = honest
    asked = question(costs=Costs(false_negative=ratio, false_positive=1.0))
    assert choose_threshold(asked, positive, chance) == pytest.approx(1 / (1 + ratio), abs=0.02)


def test_costs_lead_elsewhere_where_probabilities_are_wrong(honest):
    positive, chance = honest
    costs = Costs(false_negative=5.0, false_positive=1.0)
    skewed = chance**3
    found = choose_threshold(question(costs=costs), positive, skewed)
    bayes = cost(costs, positive, skewed >= 1 / 6)
    assert cost(costs, positive, skewed >= found) < bayes * 0.9
    assert found == pytest.approx((1 / 6) ** 3, abs=0.02)


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "brier"])
def test_one_half_where_no_kpi_asks_for_another(honest, metric):
    side = "at_most" if metric == "brier" else "at_least"
    asked = question({"id": "k", "metric": metric, side: 0.5})
    assert choose_threshold(asked, *honest) == 0.5


def test_f1_is_as_high_as_any_threshold_makes_it(honest):
    positive, chance = honest
    found = choose_threshold(
        question({"id": "f1", "metric": "f1", "at_least": 0.3}), positive, chance
    )
    best = max(f1_score(positive, chance >= t) for t in np.linspace(0.05, 0.95, 91))
    assert f1_score(positive, chance >= found) >= best - 0.003


def test_recall_alone_is_not_bought_with_everybody(honest):
    positive, chance = honest
    asked = question({"id": "recall", "metric": "recall", "at_least": 0.8})
    called = chance >= choose_threshold(asked, positive, chance)
    assert recall_score(positive, called) > 0.8
    assert called.mean() < 0.8


def test_recall_and_precision_are_both_met_where_that_is_possible(honest):
    positive, chance = honest
    asked = question(
        {"id": "auc", "metric": "roc_auc", "at_least": 0.6},
        {"id": "recall", "metric": "recall", "at_least": 0.7},
        {"id": "precision", "metric": "precision", "at_least": 0.36},
    )
    called = chance >= choose_threshold(asked, positive, chance)
    assert recall_score(positive, called) > 0.7
    assert precision_score(positive, called) > 0.36


def test_one_probability_for_all_is_no_error():
    positive = np.array([True, False] * 20)
    for asked in (
        question(costs=Costs(false_negative=3.0)),
        question({"id": "f1", "metric": "f1", "at_least": 0.3}),
    ):
        assert 0 < choose_threshold(asked, positive, np.full(40, 0.5)) < 1

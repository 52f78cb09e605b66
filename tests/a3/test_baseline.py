from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from a3_project import credit, shot
from sklearn.dummy import DummyClassifier, DummyRegressor

from qua3ck.a3.baseline import (
    Baseline,
    Rule,
    fit_baseline,
    fit_rule,
    last_before,
    naive_kinds,
)
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import as_json, from_json
from qua3ck.question.records import Costs


def test_the_majority_agrees_with_scikit_learn():
    rows = credit(200)
    made = fit_baseline("majority", shot(rows), rows).predict(rows)
    judge = DummyClassifier(strategy="prior").fit(rows[["debt"]], rows["late"])
    assert made.labels.tolist() == judge.predict(rows[["debt"]]).tolist()
    assert made.scores == pytest.approx(judge.predict_proba(rows[["debt"]]))


@pytest.mark.parametrize("kind", ["mean", "median"])
def test_mean_and_median_agree_with_scikit_learn(kind):
    rows = credit(200).assign(late=lambda t: t["debt"] ** 2)
    snapshot = shot(rows, task="regression")
    made = fit_baseline(kind, snapshot, rows).predict(rows)
    judge = DummyRegressor(strategy=kind).fit(rows[["debt"]], rows["late"])
    assert made.values == pytest.approx(judge.predict(rows[["debt"]]))


def test_the_last_value_is_that_of_the_strictly_earlier_row():
    rows = pd.DataFrame({"t": [3, 1, 2, 2, 4], "late": [30.0, 10.0, 20.0, 21.0, 40.0]})
    snapshot = shot(rows, task="regression", order="time", time="t")
    made = fit_baseline("last_value", snapshot, rows)
    said = made.predict(rows, known=rows).values
    assert said.tolist() == [21.0, pytest.approx(24.2), 10.0, 10.0, 30.0]


def test_a_later_target_is_never_used():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"t": rng.integers(0, 30, 80), "late": rng.normal(size=80)})
    snapshot = shot(rows, task="regression", order="time", time="t")
    made = fit_baseline("last_value", snapshot, rows)
    changed = rows.assign(late=np.where(rows["t"] >= 15, 1e9, rows["late"]))
    early = (rows["t"] <= 15).to_numpy()
    before, after = (made.predict(rows, known=known).values for known in (rows, changed))
    assert before[early] == pytest.approx(after[early])
    assert before[~early] != pytest.approx(after[~early])


def test_the_last_value_stays_within_its_unit():
    rows = pd.DataFrame(
        {"t": [1, 2, 3, 4], "d": ["a", "b", "a", "b"], "late": [1.0, 2.0, 3.0, 4.0]}
    )
    assert last_before(rows, rows, time="t", unit="d").tolist() == [-1, -1, 0, 1]
    assert last_before(rows, rows, time="t", unit="").tolist() == [-1, 0, 1, 2]


def test_without_known_targets_the_last_value_says_the_prior():
    rows = credit(100).assign(t=np.arange(100))
    snapshot = shot(rows, order="time", time="t")
    made = fit_baseline("last_value", snapshot, rows)
    prior = fit_baseline("majority", snapshot, rows).predict(rows)
    assert made.predict(rows).labels.tolist() == prior.labels.tolist()
    moved = made.predict(rows, known=rows)
    assert moved.labels[1:].tolist() == rows["late"][:-1].tolist()
    assert np.allclose(moved.scores.sum(axis=1), 1)
    assert (moved.scores > 0).all()


def test_where_costs_are_stated_one_decision_for_all_follows_them():
    rows = credit(300)
    costs = Costs(false_negative=20.0, false_positive=1.0)
    assert naive_kinds(shot(rows), costs) == ("majority", "cheapest")
    assert fit_baseline("majority", shot(rows), rows).label == "no"
    assert fit_baseline("cheapest", shot(rows), rows, costs=costs).label == "yes"


@pytest.mark.parametrize("kind", ["majority", "last_value"])
def test_a_baseline_survives_json(kind):
    rows = credit(100).assign(t=np.arange(100))
    made = fit_baseline(kind, shot(rows, order="time", time="t"), rows)
    again = from_json(Baseline, json.loads(json.dumps(as_json(made))))
    assert again == made
    assert made.says


def test_a_rule_is_positive_when_true_and_a_null_is_false():
    rows = credit(200)
    rule = fit_rule('debt > 1300 or home == "rent"', shot(rows), rows)
    said = rule.predict(rows)
    holds = (rows["debt"] > 1300) | (rows["home"] == "rent")
    assert (said.labels == "yes").tolist() == holds.tolist()
    assert rule.when_true > rule.when_false
    empty = rows.assign(income=np.nan)
    assert set(fit_rule("income > 0", shot(rows), rows).predict(empty).labels) == {"no"}
    assert from_json(Rule, as_json(rule)) == rule


def test_a_rule_of_a_regression_is_the_number_itself():
    rows = credit(50).assign(late=lambda t: t["debt"])
    said = fit_rule("debt * 2", shot(rows, task="regression"), rows).predict(rows)
    assert said.values == pytest.approx(rows["debt"] * 2)


@pytest.mark.parametrize("text", ["debt > 'high'", "home * 2"])
def test_a_rule_that_cannot_be_compared_says_so(text):
    rows = credit(50)
    with pytest.raises(Qua3ckError) as caught:
        fit_rule(text, shot(rows), rows)
    assert caught.value.where == "a3.rule"
    assert text in caught.value.what


def test_a_rule_that_names_nothing_known_lists_the_columns():
    rows = credit(50)
    with pytest.raises(Qua3ckError, match='did you mean "debt"'):
        fit_rule("dept > 3", shot(rows), rows)


def test_a_rule_cannot_tell_three_classes():
    rows = credit(50)
    with pytest.raises(Qua3ckError) as caught:
        fit_rule("debt > 3", shot(rows, task="multiclass"), rows)
    assert caught.value.code == "A014"

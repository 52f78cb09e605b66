from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from a3_project import bench_of, credit, question
from sklearn.metrics import roc_auc_score

from qua3ck.a3 import adapt
from qua3ck.a3.algorithms import find
from qua3ck.a3.baseline import Guess
from qua3ck.a3.folds import Fold
from qua3ck.a3.threshold import HALF
from qua3ck.a3.validation import (
    Checked,
    check,
    final_threshold,
    kpi_value,
    labelled,
    score_checked,
    score_guess,
)
from qua3ck.question.records import Costs, FairnessGap

TREE = find("decision_tree", "binary")
PLAIN = find("logistic_regression", "binary")


def checked_as(bench, chance) -> Checked:
    """Return a check whose probabilities of "yes" are given, as if a model had said them."""
    positions = np.concatenate([fold.check for fold in bench.folds])
    fold = np.repeat(np.arange(len(bench.folds)), [len(one.check) for one in bench.folds])
    scores = np.column_stack([1 - chance[positions], chance[positions]])
    return Checked(positions, fold, Guess(scores=scores), 0.0, 0.0, explainable=True)


def test_no_row_is_predicted_by_a_model_that_was_fitted_on_it(monkeypatch):
    bench = bench_of(credit(240))
    fitted_on: dict[int, set[int]] = {}
    kept, fit, scores = [], adapt.fit, adapt.scores

    def noted_fit(pipeline, prepared, target):
        kept.append(pipeline)
        fitted_on[id(pipeline)] = set(prepared.index)
        return fit(pipeline, prepared, target)

    asked: list[set[int]] = []

    def noted_scores(pipeline, prepared, spec):
        assert not fitted_on[id(pipeline)] & set(prepared.index)
        asked.append(set(prepared.index))
        return scores(pipeline, prepared, spec)

    monkeypatch.setattr(adapt, "fit", noted_fit)
    monkeypatch.setattr(adapt, "scores", noted_scores)
    checked = check(bench, TREE, TREE.defaults[0])
    assert sorted(checked.positions) == list(range(240))
    assert sum(map(len, asked)) == len(set().union(*asked)) == 240
    assert len(fitted_on) == len(bench.folds) == 3


def test_the_value_is_the_mean_of_the_folds_by_an_independent_count():
    bench = bench_of(credit(240))
    checked = check(bench, PLAIN, PLAIN.defaults[0])
    scored = score_checked(bench, checked)
    own = [
        roc_auc_score(
            bench.truth[checked.positions[checked.fold == fold]] == "yes",
            checked.guess.scores[checked.fold == fold, 1],
        )
        for fold in range(3)
    ]
    assert scored.folds == pytest.approx(own)
    assert scored.value == pytest.approx(np.mean(own))
    together = roc_auc_score(bench.truth[checked.positions] == "yes", checked.guess.scores[:, 1])
    assert scored.by_kpi["auc"] == pytest.approx(together)


def test_a_fold_of_one_class_has_no_value_and_does_not_spoil_the_mean():
    rows = credit(240)
    bench = bench_of(rows)
    no, yes = (np.flatnonzero(bench.truth == name) for name in ("no", "yes"))
    mixed = np.sort(np.concatenate([no[:40], yes[:30]]))
    folds = (
        Fold(np.setdiff1d(np.arange(240), no[-20:]), no[-20:]),
        Fold(np.setdiff1d(np.arange(240), mixed), mixed),
    )
    bench = bench.on(folds)
    scored = score_checked(bench, check(bench, PLAIN, PLAIN.defaults[0]))
    assert np.isnan(scored.folds[0])
    assert scored.value == scored.folds[1]


def test_a_watched_check_ends_when_told_and_is_not_asked_after_the_last_fold():
    bench = bench_of(credit(240))
    seen: list[tuple[float, ...]] = []

    def never(so_far):
        seen.append(so_far)
        return False

    assert check(bench, TREE, TREE.defaults[0], watch=never) is not None
    assert [len(one) for one in seen] == [1, 2]
    assert check(bench, TREE, TREE.defaults[0], watch=lambda so_far: len(so_far) == 1) is None


def test_predictions_do_not_depend_on_how_many_threads_there_are():
    forest = find("random_forest", "binary")
    bench = bench_of(credit(240))
    checked = check(bench, forest, {"n_estimators": 30}, keep=True)
    for model in checked.models:
        assert model[-1].n_jobs == 1


def test_a_model_that_keeps_its_rows_is_counted_as_large_as_it_will_ship():
    bench = bench_of(credit(300))
    near = find("k_nearest_neighbors", "binary")
    last = check(bench, near, near.defaults[0], keep=True)
    from qua3ck.a3.algorithms import size_proxy_mb

    fold = size_proxy_mb(last.models[-1])
    assert last.size_mb == pytest.approx(fold * 300 / len(bench.folds[-1].train), abs=1e-6)


def test_the_shipped_threshold_follows_costs_and_is_half_where_nothing_asks():
    rows = credit(300)
    chance = np.random.default_rng(1).random(300)
    plain = bench_of(rows)
    assert final_threshold(plain, checked_as(plain, chance)) == HALF
    costly = bench_of(rows, asked=question(costs=Costs(false_negative=9.0, false_positive=1.0)))
    truth = costly.truth == "yes"
    honest = np.where(truth, 0.55, 0.45)  # knows, but is never sure
    assert final_threshold(costly, checked_as(costly, honest)) < 0.5


def test_labels_are_the_likeliest_class_where_there_are_three():
    rows = credit(240)
    rows["late"] = np.where(rows["income"].isna(), "never", rows["late"])
    frame = bench_of(rows)
    shot = replace(frame.snapshot, task="multiclass", classes=("never", "no", "yes"), positive="")
    spec = {**frame.spec, "task": "multiclass", "classes": list(shot.classes), "positive": ""}
    bench = replace(frame, snapshot=shot, spec=spec)
    scores = np.random.default_rng(2).dirichlet([1, 1, 1], 240)
    base = checked_as(frame, np.zeros(240))
    found = labelled(bench, replace(base, guess=Guess(scores=scores)))
    assert found.labels.tolist() == [shot.classes[at] for at in scores.argmax(axis=1)]
    assert final_threshold(bench, base) == HALF


KPIS = (
    {"id": "auc", "metric": "roc_auc", "at_least": 0.6},
    {"id": "caught", "metric": "recall", "at_least": 0.8},
    {"id": "quick", "metric": "latency_p99_ms", "at_most": 2.0},
)


def violation(bench, guess, *, latency: float = 1.0, size: float = 1.0) -> float:
    checked = checked_as(bench, np.zeros(len(bench.rows)))
    measures = {"latency_ms": latency, "size_mb": size, "explainable": True}
    return score_guess(bench, checked, guess(checked), **measures).violation


def test_a_missed_promise_counts_by_how_much_of_it_is_missed_and_the_objective_does_not():
    bench = bench_of(credit(240), asked=question(*KPIS))

    def half_caught(checked: Checked) -> Guess:
        positive = np.flatnonzero(bench.truth[checked.positions] == "yes")
        labels = np.full(240, "no", dtype=object)
        labels[positive[: len(positive) // 2]] = "yes"
        return Guess(labels=labels, scores=np.tile([0.5, 0.5], (240, 1)))  # AUC 0.5: objective

    share = len(np.flatnonzero(bench.truth == "yes")) // 2 / (bench.truth == "yes").sum()
    assert violation(bench, half_caught) == pytest.approx((0.8 - share) / 0.8, abs=1e-6)
    slow = violation(bench, half_caught, latency=3.0)
    assert slow == pytest.approx((0.8 - share) / 0.8 + 0.5, abs=1e-6)

    def all_caught(checked: Checked) -> Guess:
        return Guess(labels=np.full(240, "yes"), scores=np.tile([0.5, 0.5], (240, 1)))

    assert violation(bench, all_caught) == 0.0


def test_a_gap_between_groups_is_a_limit_of_the_search():
    gap = FairnessGap(id="gap", metric="demographic_parity_difference", by="home", at_most=0.2)
    asked = question().model_copy(update={"fairness": (gap,)})
    bench = bench_of(credit(240), asked=asked)

    def only_renters(checked: Checked) -> Guess:
        renters = bench.rows["home"].to_numpy()[checked.positions] == "rent"
        labels = np.where(renters, "yes", "no")
        return Guess(labels=labels, scores=np.tile([0.5, 0.5], (240, 1)))

    assert violation(bench, only_renters) == pytest.approx((1.0 - 0.2) / 0.2)


def test_a_sliced_promise_looks_at_its_slice_and_not_at_one_that_is_missing():
    sliced = {"id": "own", "metric": "accuracy", "at_least": 0.5, "slice": {"home": "own"}}
    bench = bench_of(credit(240), asked=question(sliced))
    own = (bench.rows["home"] == "own").to_numpy()
    labels = np.where(own, bench.truth, "nobody")
    outcome = bench.outcome(np.arange(240), Guess(labels=labels, scores=np.zeros((240, 2))))
    (kpi,) = bench.question.kpis
    assert kpi_value(kpi, outcome) == 1.0
    assert kpi_value(kpi.model_copy(update={"slice": {"home": "boat"}}), outcome) is None
    assert kpi_value(kpi.model_copy(update={"slice": {"colour": "red"}}), outcome) is None


def test_where_no_promise_is_about_predictions_a_proper_score_leads_the_search():
    quick = bench_of(credit(240), asked=question(KPIS[2]))
    assert (quick.leading, quick.metric.name, quick.sign) == (None, "log_loss", -1.0)
    rows = pd.DataFrame({"x": np.arange(90.0), "late": np.arange(90.0) ** 2})
    number = bench_of(rows, task="regression", asked=question(KPIS[2]))
    assert (number.objective, number.metric.name) == ("rmse", "rmse")
    line = find("linear_regression", "regression")
    scored = score_checked(number, check(number, line, line.defaults[0]))
    assert "rmse" in scored.by_kpi

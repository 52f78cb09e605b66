from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from a3_project import bench_of, credit, question

from qua3ck.a3.algorithms import find
from qua3ck.a3.baseline import Guess, fit_baseline
from qua3ck.a3.diagnosis import Diagnosis, diagnose, findings, gain_over, next_step
from qua3ck.a3.records import Influence, Score
from qua3ck.a3.tuning import Record
from qua3ck.a3.validation import Scored, check, labelled
from qua3ck.question.records import Costs

CURVE = ((20, 0.9, 0.60), (40, 0.9, 0.65), (60, 0.9, 0.69), (80, 0.9, 0.70), (100, 0.9, 0.70))
CALM = Diagnosis(
    train_score=0.71,
    honest=0.70,
    optimistic=0.70,
    seed_sd=0.001,
    curve=CURVE,
    gain=Score(0.2, 0.15, 0.25),
)
BASE = Scored(0.5, (0.5, 0.5, 0.5), {}, 0.0)


def record(number=0, *, algorithm="logistic_regression", value=0.7, **given):
    folds = (value - 0.01, value, value + 0.01)
    return Record(number, algorithm, {"n": number}, "complete", value=value, folds=folds, **given)


@pytest.fixture
def bench():
    return bench_of(credit(240))


def codes(bench, seen=CALM, chosen=None, records=None, rule=None, *, rows=240, baseline=BASE):
    chosen = chosen or record()
    listed = findings(
        bench, seen, chosen, records or [chosen], tuned_rows=rows, rule=rule, baseline=baseline
    )
    return {finding.code: finding for finding in listed}


@pytest.mark.parametrize(
    ("given", "metric", "gain"),
    [
        ({}, "balanced_accuracy", 0.5),
        ({"costs": Costs(false_negative=5.0, false_positive=1.0)}, "cost_per_case", None),
    ],
)
def test_a_gain_in_recall_is_told_in_what_a_constant_answer_cannot_have(given, metric, gain):
    asked = question({"id": "caught", "metric": "recall", "at_least": 0.6}, **given)
    bench = bench_of(credit(240), asked=asked)
    assert bench.telling.name == metric
    at = np.arange(len(bench.rows))
    positive = bench.truth == "yes"
    right = Guess(labels=bench.truth, scores=np.column_stack([~positive, positive]).astype(float))
    yes = Guess(labels=np.full(len(at), "yes"), scores=np.tile([0.0, 1.0], (len(at), 1)))
    found = gain_over(bench, bench.outcome(at, right), bench.outcome(at, yes))
    assert found.value == pytest.approx(gain if gain else float((~positive).mean()))


def leaning(*drops: float) -> tuple[Influence, ...]:
    return tuple(Influence(f"c{n}", drop, drop - 0.01, drop + 0.01) for n, drop in enumerate(drops))


@pytest.mark.parametrize(
    ("drops", "told"),
    [
        ((0.15, 0.03), True),
        ((0.15,), True),
        ((0.15, 0.08), False),  # another one does half as much
        ((0.04, 0.001), False),  # alone it does little
        ((0.005, 0.001), False),
        ((), False),
    ],
)
def test_a_column_that_carries_the_model_is_asked_about(bench, drops, told):
    chosen = record()
    found = findings(
        bench, CALM, chosen, [chosen], tuned_rows=240, rule=None, baseline=BASE,
        influences=leaning(*drops),
    )  # fmt: skip
    assert [one.code for one in found] == (["A021"] if told else [])


def test_a_calm_candidate_has_nothing_to_say(bench):
    assert codes(bench) == {}


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("A001", {"seen": dataclasses.replace(CALM, train_score=0.74)}),
        ("A002", {"seen": dataclasses.replace(CALM, curve=(*CURVE[:4], (100, 0.9, 0.72)))}),
        ("A004", {"seen": dataclasses.replace(CALM, gain=Score(0.01, -0.01, 0.03))}),
        ("A004", {"seen": dataclasses.replace(CALM, gain=Score(0.01, None, None))}),
        ("A005", {"seen": dataclasses.replace(CALM, seed_sd=0.15)}),
        ("A006", {"rows": 100}),
        ("A007", {"chosen": record(said=("lbfgs failed to converge",))}),
        ("A008", {"records": [record(0, value=0.49), record(1, value=0.6)]}),
        ("A009", {"records": [record(), Record(1, "mine", {}, "failed", why="ValueError")]}),
        ("A015", {"chosen": record(violation=0.2)}),
        ("A016", {"rule": Score(0.01, -0.02, 0.04)}),
    ],
)
def test_what_is_wrong_is_said(bench, code, given):
    found = codes(bench, **given)
    assert set(found) == {code}
    assert found[code].severity in ("inform", "warn")


def test_what_threads_do_to_each_other_is_no_finding_of_the_candidate(bench):
    internal = "`sklearn.utils.parallel.delayed` should be used with ... of the joblib workers."
    assert codes(bench, chosen=record(said=(internal,))) == {}
    told = codes(bench, chosen=record(said=(internal, "lbfgs failed to converge")))["A007"]
    assert told.says.endswith("lbfgs failed to converge")
    assert told.evidence == {"warnings": 1}


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("A001", {"seen": dataclasses.replace(CALM, train_score=0.729)}),
        ("A008", {"records": [record(0, value=0.49)]}),
        ("A008", {"records": [record(0, value=0.55), record(1, value=0.6)]}),
        ("A016", {"rule": Score(0.1, 0.02, 0.2)}),
    ],
)
def test_what_is_well_is_not_complained_about(bench, code, given):
    assert code not in codes(bench, **given)


def test_the_optimistic_score_stands_beside_the_honest_one_where_rows_depend():
    rows = credit(240).assign(day=np.arange(240))
    late = bench_of(rows, order="time", time="day")
    rosy = dataclasses.replace(CALM, optimistic=0.8)
    assert codes(late)["A003"].severity == "inform"
    assert codes(late, rosy)["A003"].severity == "warn"


def test_an_error_without_an_upper_bound_is_judged_relative_to_itself():
    rows = credit(240).assign(late=lambda t: t["debt"])
    asked = question({"id": "mae", "metric": "mae", "at_most": 5000})
    bench = bench_of(rows, task="regression", asked=asked)
    seen = dataclasses.replace(CALM, honest=1000.0, train_score=990.0, curve=())
    assert "A001" not in codes(bench, seen)
    assert "A001" in codes(bench, dataclasses.replace(seen, train_score=900.0))


@pytest.mark.parametrize(
    ("says", "seen", "records"),
    [
        ("Enough", CALM, [record()]),
        ("Adapt features", dataclasses.replace(CALM, gain=Score(0.0, -0.1, 0.1)), [record()]),
        (
            "More rows",
            dataclasses.replace(CALM, honest=0.5, curve=((80, 0.9, 0.4), (100, 0.9, 0.5))),
            [record(value=0.5)],
        ),
        (
            "Adapt features",
            dataclasses.replace(CALM, honest=0.55),
            [record(0, value=0.55), record(1, value=0.549, algorithm="decision_tree")],
        ),
        (
            "Algorithm",
            dataclasses.replace(CALM, honest=0.55),
            [record(0, value=0.55), record(1, value=0.40, algorithm="decision_tree")],
        ),
        (
            "Adjust hyperparameters",
            dataclasses.replace(CALM, honest=0.58),
            [record(0, value=0.50), record(1, value=0.58)],
        ),
    ],
)
def test_the_next_step_names_the_a_that_helps_most(bench, says, seen, records):
    best = max(records, key=lambda one: one.value)
    assert next_step(bench, seen, best, records).startswith(says)


def test_a_candidate_that_is_worse_than_the_baseline_is_not_called_maybe_nothing(bench):
    worse = dataclasses.replace(CALM, gain=Score(-0.05, -0.07, -0.03))
    assert codes(bench, worse)["A004"].says.endswith("it is worse.")


def test_where_the_last_value_wins_in_time_earlier_outcomes_are_proposed():
    rows = credit(240).assign(day=np.arange(240))
    timed = bench_of(rows, order="time", time="day")
    nothing = dataclasses.replace(CALM, gain=Score(-0.05, -0.07, -0.03), honest=0.4)
    assert "outcomes before" in next_step(timed, nothing, record(), [record()])


def test_a_real_candidate_is_looked_at_from_all_sides():
    rows = credit(300)
    bench = bench_of(rows)
    tree = find("decision_tree", "binary")
    deep = Record(0, tree.name, {"max_depth": 12, "min_samples_leaf": 1}, "complete", value=0.7)
    checked = check(bench, tree, deep.params, keep=True)
    base = fit_baseline("majority", bench.snapshot, rows).predict(rows.iloc[checked.positions])
    seen = diagnose(bench, tree, deep, checked, bench.outcome(checked.positions, base), small=bench)
    assert seen.train_score == pytest.approx(1.0, abs=0.02)
    assert seen.honest < 0.85
    assert seen.optimistic == seen.honest
    assert [rows for rows, _, _ in seen.curve] == [40, 80, 120, 160, 200]
    assert seen.gain.low < seen.gain.value < seen.gain.high
    assert seen.gain.value == pytest.approx(seen.honest - 0.5, abs=0.08)


def test_the_gain_has_the_sign_of_better_for_errors_too():
    rows = pd.DataFrame({"x": np.arange(60.0), "late": np.arange(60.0)})
    asked = question({"id": "mae", "metric": "mae", "at_most": 5.0})
    bench = bench_of(rows, task="regression", asked=asked)
    at = np.arange(60)
    near = bench.outcome(at, Guess(values=at + 0.5))
    far = bench.outcome(at, Guess(values=np.full(60, 30.0)))
    assert gain_over(bench, near, far).value > 10
    assert gain_over(bench, far, near).value < -10


def test_labels_of_a_fold_are_decided_without_that_fold():
    rows = credit(300)
    asked = question({"id": "f1", "metric": "f1", "at_least": 0.3})
    bench = bench_of(rows, asked=asked)
    plain = find("logistic_regression", "binary")
    checked = check(bench, plain, plain.defaults[0])
    other = checked.guess.scores.copy()
    first = checked.fold == 0
    other[first] = other[first][::-1]
    moved = dataclasses.replace(checked, guess=Guess(scores=other))
    ours, theirs = labelled(bench, checked).labels, labelled(bench, moved).labels
    assert ours[first].tolist() == theirs[first][::-1].tolist()

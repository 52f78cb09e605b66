from __future__ import annotations

import dataclasses

import pytest
from a3_project import bench_of, credit

from qua3ck.a3.algorithms import Algorithm, find
from qua3ck.a3.section import Budget
from qua3ck.a3.tuning import Contest, Record, TrialLog, pick, propose, reason, tune
from qua3ck.a3.validation import Scored
from qua3ck.kit.errors import Qua3ckError

BASE = Scored(0.5, (0.5, 0.5, 0.5), {}, 0.0)


@pytest.fixture
def bench():
    return bench_of(credit(240))


@pytest.fixture
def algorithms():
    return tuple(find(name, "binary") for name in ("logistic_regression", "decision_tree"))


@pytest.fixture
def contest(bench):
    made = Contest(bench)
    made.open_with(BASE)
    return made


def broken(message="no"):
    def build(params, seed, task, weights):
        del params, seed, task, weights
        raise RuntimeError(message)

    return Algorithm(
        "features.mine", "mine", ("binary",), build, {}, ({},), explainable=False, encoding="tree"
    )


def done(number, folds, *, algorithm="decision_tree", violation=0.0, latency=1.0, size=1.0):
    return Record(
        number,
        algorithm,
        {"n": number},
        "complete",
        value=sum(folds) / len(folds),
        folds=folds,
        violation=violation,
        latency_ms=latency,
        size_mb=size,
    )


def test_nothing_is_scored_before_the_baseline(bench, algorithms):
    with pytest.raises(Qua3ckError) as caught:
        Contest(bench).run(0, algorithms[0], {"C": 1.0}, [])
    assert caught.value.code == "A011"


def test_the_good_defaults_of_every_algorithm_come_first(contest, algorithms, tmp_path):
    log = TrialLog(tmp_path / "trials.jsonl")
    seen = []
    records = tune(
        contest, algorithms, Budget(trials=7), log, on_trial=lambda one, _: seen.append(one)
    )
    assert [one.algorithm for one in records[:4]] == [a.name for a in algorithms] * 2
    assert dict(records[0].params) == dict(algorithms[0].defaults[0])
    assert dict(records[3].params) == dict(algorithms[1].defaults[1])
    assert seen == records == log.read()
    assert len({str((one.algorithm, one.params)) for one in records}) == 7


@pytest.mark.parametrize("after", [1, 4, 6])
def test_a_search_that_goes_on_proposes_what_an_undisturbed_one_did(
    contest, algorithms, tmp_path, after
):
    whole, part = TrialLog(tmp_path / "whole.jsonl"), TrialLog(tmp_path / "part.jsonl")
    tune(contest, algorithms, Budget(trials=8), whole, on_trial=lambda *_: None)
    lines = whole.path.read_bytes().splitlines(keepends=True)
    part.path.write_bytes(b"".join(lines[:after]) + lines[after][:25])
    tune(contest, algorithms, Budget(trials=8), part, on_trial=lambda *_: None)
    assert part.path.read_bytes() == whole.path.read_bytes()


def test_a_failing_trial_is_noted_and_the_others_go_on(contest, algorithms, tmp_path):
    log = TrialLog(tmp_path / "trials.jsonl")
    records = tune(
        contest, (broken(), *algorithms), Budget(trials=5), log, on_trial=lambda *_: None
    )
    assert records[0].state == "failed"
    assert "RuntimeError" in records[0].why
    assert "build in test_tuning.py, line" in records[0].why
    assert all(one.algorithm != "features.mine" for one in records[1:])
    assert any(one.state == "complete" for one in records)


def test_the_text_of_a_foreign_error_is_not_kept_because_it_may_quote_a_row(contest):
    record, _ = contest.run(0, broken("could not convert 'Erika Mustermann'"), {}, [])
    assert "Erika" not in record.why


def test_if_all_fail_function_and_line_are_named(contest, tmp_path):
    log = TrialLog(tmp_path / "trials.jsonl")
    with pytest.raises(Qua3ckError, match=r"build in test_tuning.py, line \d+") as caught:
        tune(contest, (broken(),), Budget(trials=5), log, on_trial=lambda *_: None)
    assert caught.value.code == "A012"


def test_minutes_end_the_search_but_never_before_there_is_a_choice(contest, algorithms, tmp_path):
    log = TrialLog(tmp_path / "trials.jsonl")
    budget = Budget(trials=50, minutes=1e-9)
    assert len(tune(contest, algorithms, budget, log, on_trial=lambda *_: None)) == 1


def test_a_full_disk_says_what_to_do(contest, algorithms, tmp_path):
    log = TrialLog(tmp_path / "trials.jsonl")
    log.path.mkdir()
    with pytest.raises(Qua3ckError) as caught:
        log.append(Record(0, "decision_tree", {}, "failed"))
    assert caught.value.code == "A020"


def test_a_trial_that_half_of_the_others_beat_is_given_up(contest, algorithms):
    past = [done(at, (0.99, 0.99, 0.99)) for at in range(4)]
    record, checked = contest.run(4, algorithms[1], {"max_depth": 2, "min_samples_leaf": 3}, past)
    assert record.state == "pruned"
    assert len(record.folds) == 2
    assert checked is None
    first, _ = contest.run(4, algorithms[1], algorithms[1].defaults[0], past)
    assert first.state == "complete"


def test_promises_come_before_the_score(algorithms):
    good, outside = done(0, (0.7, 0.7, 0.7)), done(1, (0.9, 0.9, 0.9), violation=0.5)
    assert pick([good, outside], algorithms, sign=1.0) is good
    assert pick([outside], algorithms, sign=1.0) is outside


def test_a_slower_model_does_not_win_by_a_hair(algorithms):
    quick = done(0, (0.80, 0.82, 0.78), latency=1.0)
    slow = done(1, (0.81, 0.815, 0.79), latency=9.0)
    assert pick([quick, slow], algorithms, sign=1.0) is quick
    clear = done(2, (0.86, 0.87, 0.85), latency=9.0)
    assert pick([quick, slow, clear], algorithms, sign=1.0) is clear


def test_between_equals_the_explainable_one_is_taken(algorithms):
    forest = find("random_forest", "binary")
    grown = done(0, (0.80, 0.82, 0.79), algorithm="random_forest")
    plain = done(1, (0.80, 0.81, 0.795), algorithm="logistic_regression", latency=3.0)
    assert pick([grown, plain], (*algorithms, forest), sign=1.0) is plain


def test_of_decisions_that_folds_cannot_tell_apart_the_surer_probabilities_are_kept(algorithms):
    lucky = dataclasses.replace(done(0, (0.9, 0.7, 0.86)), log_loss=0.9)
    sure = dataclasses.replace(done(1, (0.7, 0.9, 0.80)), log_loss=0.5)
    far = dataclasses.replace(done(2, (0.6, 0.6, 0.60)), log_loss=0.1)
    listed = [lucky, sure, far]
    assert pick(listed, algorithms, sign=1.0, decides=True) is sure
    assert pick(listed, algorithms, sign=1.0) is lucky  # a ranking is told apart well enough


def test_the_lower_is_better_where_the_metric_says_so(algorithms):
    low, high = done(0, (1.0, 1.1, 0.9)), done(1, (3.0, 3.1, 2.9))
    assert pick([high, low], algorithms, sign=-1.0) is low


def test_proposals_keep_away_from_what_breaks_a_promise(bench, algorithms):
    records = [
        done(at, (0.9, 0.9, 0.9), algorithm="decision_tree", violation=2.0)
        if at % 2
        else done(at, (0.6, 0.6, 0.6), algorithm="logistic_regression")
        for at in range(14)
    ]
    real = [
        dataclasses.replace(
            one,
            params={"max_depth": 3 + at // 2, "min_samples_leaf": 5}
            if one.algorithm == "decision_tree"
            else {**algorithms[0].defaults[0], "C": 0.1 * (at + 1)},
        )
        for at, one in enumerate(records)
    ]
    names = []
    for _ in range(6):
        algorithm, params = propose(real, algorithms, bench)
        names.append(algorithm.name)
        made = done(len(real), (0.6, 0.6, 0.6), algorithm=algorithm.name)
        real.append(dataclasses.replace(made, params=params))
    assert names.count("logistic_regression") >= 4


def test_a_reason_names_the_cause_inside_an_error_of_ours():
    def wrapped():
        try:
            broken().build({}, 0, "binary", None)
        except RuntimeError as inner:
            raise Qua3ckError("mine raised RuntimeError", where="a3", fix="correct it") from inner

    with pytest.raises(Qua3ckError) as caught:
        wrapped()
    assert "build in test_tuning.py, line" in reason(caught.value)

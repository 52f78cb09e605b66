from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.question import METRICS, Outcome, compare

RNG = np.random.default_rng(12)
N = 600
Y = RNG.integers(0, 2, N)


def predictor(strength, seed, n=N):
    rng = np.random.default_rng(seed)
    s = 1 / (1 + np.exp(-(strength * (Y[:n] - 0.5) + rng.normal(size=n))))
    return Outcome(
        Y[:n].astype(str), labels=(s > 0.5).astype(int).astype(str),
        scores=np.column_stack([1 - s, s]), classes=("0", "1"),
    )  # fmt: skip


GOOD, FAIR = predictor(3.0, 1), predictor(1.2, 2)


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "f1", "brier", "average_precision"])
def test_the_better_one_is_better_whichever_side_is_good(metric):
    found = compare(metric, GOOD, FAIR, confidence=0.95, seed=1)
    assert found.verdict == "pass"
    assert found.low < found.difference < found.high
    mirrored = compare(metric, FAIR, GOOD, confidence=0.95, seed=1)
    assert mirrored.verdict == "fail"
    assert mirrored.difference == pytest.approx(-found.difference)
    assert mirrored.low == pytest.approx(-found.high, abs=0.004)


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "f1", "brier"])
def test_a_predictor_is_not_better_than_itself(metric):
    found = compare(metric, GOOD, GOOD, confidence=0.95, seed=1)
    assert found.verdict == "undecided"
    assert found.difference == 0
    assert found.p_value == 1


def test_the_p_value_is_mcnemars():
    a, b = GOOD.labels == GOOD.truth, FAIR.labels == FAIR.truth
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    found = compare("accuracy", GOOD, FAIR, confidence=0.95, seed=1)
    assert found.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)


def test_paired_delong_agrees_with_counting_pairs():
    def parts(outcome):
        s = outcome.scores[:, 1]
        wins = s[Y == 1][:, None] > s[Y == 0][None, :]
        return wins.mean(axis=1), wins.mean(axis=0)

    (xa, ya), (xb, yb) = parts(GOOD), parts(FAIR)
    n = Y.sum()
    variance = (xa - xb).var(ddof=1) / n + (ya - yb).var(ddof=1) / (N - n)
    found = compare("roc_auc", GOOD, FAIR, confidence=0.95, seed=1)
    reach = found.difference - found.low
    assert found.difference == pytest.approx(xa.mean() - xb.mean())
    assert reach == pytest.approx(1.645 * np.sqrt(variance), rel=0.06)
    assert reach >= 1.6 * np.sqrt(variance)


def test_copies_of_rows_prove_nothing_when_grouped():
    few_a, few_b = predictor(2.0, 3, 60), predictor(1.2, 4, 60)
    copies = np.repeat(np.arange(60), 20)
    many_a, many_b = (one.take(copies) for one in (few_a, few_b))
    grouped = compare("accuracy", replace(many_a, clusters=copies), many_b, confidence=0.95, seed=1)
    naive = compare("accuracy", many_a, many_b, confidence=0.95, seed=1)
    assert grouped.n == 60
    assert grouped.high - grouped.low > 3 * (naive.high - naive.low)


def test_rows_in_time_are_compared_by_blocks():
    found = compare("brier", replace(GOOD, order=np.arange(N)), FAIR, confidence=0.95, seed=1)
    assert found.unit == "blocks"
    assert found.verdict == "pass"


def test_too_few_blocks_are_told_with_why_there_are_so_many():
    short = replace(predictor(3.0, 1, 30), order=np.arange(30))
    found = compare("brier", short, predictor(1.2, 2, 30), confidence=0.95, seed=1)
    assert found.low is None
    assert "blocks (as long as this figure's own memory) for this method" in found.reason


def test_other_rows_are_refused():
    with pytest.raises(ValueError, match="same rows"):
        compare("accuracy", GOOD, predictor(1, 1, 100), confidence=0.95, seed=1)


@pytest.mark.parametrize("metric", ["latency_p99_ms", "model_size_mb", "accuracy_difference"])
def test_what_has_no_rows_to_pair_is_refused(metric):
    with pytest.raises(NotEnoughEvidence, match="no rows to pair"):
        compare(metric, GOOD, FAIR, confidence=0.95, seed=1)


def test_too_few_rows_give_no_bounds_but_a_reason():
    found = compare("brier", predictor(2, 1, 12), predictor(1, 2, 12), confidence=0.95, seed=1)
    assert found.low is None
    assert found.verdict == "undecided"
    assert "too few rows" in found.reason


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy", "accuracy", "macro_f1"])
def test_a_flawless_prediction_beats_a_constant_one_though_nothing_varies(metric):
    s = np.where(Y == 1, 0.9, 0.1)
    flawless = Outcome(
        Y.astype(str), labels=Y.astype(str), scores=np.column_stack([1 - s, s]),
        classes=("0", "1"),
    )  # fmt: skip
    constant = replace(flawless, labels=np.full(N, "1"), scores=np.full((N, 2), 0.5))
    found = compare(metric, flawless, constant, confidence=0.95, seed=1)
    assert found.verdict == "pass"
    assert found.low < found.difference


def test_less_is_better_turns_the_sign():
    for metric in ("brier", "log_loss", "false_positive_rate"):
        found = compare(metric, GOOD, FAIR, confidence=0.95, seed=1)
        assert not METRICS[metric].higher_is_better
        assert found.a < found.b
        assert found.difference == pytest.approx(found.b - found.a)
        assert found.difference > 0


def test_recall_is_compared_on_the_positive_rows_alone():
    found = compare("recall", GOOD, FAIR, confidence=0.95, seed=1)
    positive = GOOD.is_positive
    a, b = GOOD.called_positive[positive], FAIR.called_positive[positive]
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    assert found.n == positive.sum()
    assert found.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)


@pytest.mark.parametrize("flipped", range(3, 12))
def test_bounds_of_shares_never_claim_what_mcnemar_does_not(flipped):
    truth = np.full(100, "1")
    worse = np.where(np.arange(100) < flipped, "0", "1")
    a = Outcome(truth, labels=truth, classes=("0", "1"))
    found = compare("accuracy", a, replace(a, labels=worse), confidence=0.95, seed=1)
    one_sided = mcnemar([[100 - flipped, flipped], [0, 0]], exact=True).pvalue / 2
    assert (found.verdict == "pass") == (one_sided <= 0.05)


def test_equal_predictors_are_seldom_told_apart(made):
    rng = np.random.default_rng(9)
    told = 0
    for _ in range(300):
        truth = rng.random(120) < 0.4
        shared = truth + rng.normal(size=120)
        a, b = (made.scored(truth, shared + 0.7 * rng.normal(size=120)) for _ in range(2))
        told += compare("roc_auc", a, b, confidence=0.95, seed=1).verdict == "pass"
    assert told / 300 <= 0.06 + 3 * np.sqrt(0.06 * 0.94 / 300)


def test_precision_is_compared_although_some_resamples_call_nothing(made):
    truth = np.where(np.arange(60) % 5 < 2, "yes", "no")
    few = np.where(np.isin(np.arange(60), [0, 1, 2, 3, 4, 5, 6, 7]), "yes", "no")
    others = np.where(np.isin(np.arange(60), [0, 1, 2, 10, 11, 12, 13]), "yes", "no")
    a = Outcome(truth, labels=few, classes=("no", "yes"))
    found = compare("precision", a, replace(a, labels=others), confidence=0.95, seed=1)
    assert found.low < found.difference < found.high


def test_groups_that_all_differ_alike_show_no_spread_and_prove_nothing():
    truth = np.tile(["1", "0"], 30)
    a = Outcome(truth, labels=truth, classes=("0", "1"), clusters=np.repeat(np.arange(30), 2))
    found = compare("accuracy", a, replace(a, labels=np.full(60, "1")), confidence=0.95, seed=1)
    assert found.difference == 0.5
    assert (found.low, found.high, found.verdict) == (None, None, "undecided")
    assert "no spread" in found.reason


def test_the_same_seed_gives_the_same_comparison():
    first, again = (compare("f1", GOOD, FAIR, confidence=0.95, seed=5) for _ in range(2))
    assert first == again

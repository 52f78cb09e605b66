from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, norm

from qua3ck.question import METRICS, Costs, Outcome
from qua3ck.question.bounds import interval
from qua3ck.question.shares import share_bounds


def bound(name, outcome, *, confidence=0.95, by=None):
    return interval(METRICS[name], outcome, confidence=confidence, seed=1, by=by)


# ---- coverage, each case against a true value that is worked out and not simulated

SHARE, SHIFT = 0.4, 1.5
EDGE = SHIFT / 2 - np.log(SHARE / (1 - SHARE)) / SHIFT
FOUND, ALARM = norm.sf(EDGE - SHIFT), norm.sf(EDGE)


def brier_of_two_normals():
    def at(s):
        density = SHARE * norm.pdf(s - SHIFT) + (1 - SHARE) * norm.pdf(s)
        p = expit(np.log(SHARE / (1 - SHARE)) + SHIFT * s - SHIFT**2 / 2)
        return density * p * (1 - p)

    return quad(at, -8, 10)[0]


TRUE = {
    "accuracy": SHARE * FOUND + (1 - SHARE) * (1 - ALARM),
    "recall": FOUND,
    "roc_auc": norm.cdf(SHIFT / np.sqrt(2)),
    "f1": 2 * SHARE * FOUND / (SHARE + SHARE * FOUND + (1 - SHARE) * ALARM),
    "balanced_accuracy": (FOUND + 1 - ALARM) / 2,
    "brier": brier_of_two_normals(),
    "rmse": 1.0,
    "mae": np.sqrt(2 / np.pi),
}


def holds(name, draw, *, true, repeats, at_least=0.94):
    """Whether both bounds cover, up to three standard errors of so many repeats."""
    used, missed = 0, np.zeros(2)
    for _ in range(repeats):
        found = bound(name, draw())
        if found.low is not None:
            used += 1
            missed += [found.low > true + 1e-12, found.high < true - 1e-12]
    assert used >= repeats / 2, "the method is not used where it should be"
    risk = 1 - at_least
    assert missed.max() / used <= risk + 3 * np.sqrt(risk * (1 - risk) / used), missed / used


@pytest.mark.parametrize(
    ("name", "rows", "repeats"),
    [("accuracy", 40, 600), ("recall", 60, 600), ("roc_auc", 150, 400), ("f1", 150, 300),
     ("balanced_accuracy", 100, 300), ("brier", 150, 120)],
)  # fmt: skip
def test_bounds_of_independent_rows_cover(made, name, rows, repeats):
    rng = np.random.default_rng(rows)
    holds(
        name, lambda: made.binary(rng, rows, share=SHARE, shift=SHIFT), true=TRUE[name],
        repeats=repeats,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["rmse", "mae"])
def test_bounds_of_errors_cover(name):
    rng = np.random.default_rng(5)

    def draw():
        truth = rng.gamma(8.0, 2.0, 200)
        return Outcome(truth, values=truth + rng.normal(size=200))

    holds(name, draw, true=TRUE[name], repeats=120)


def thirty_groups(rng, *, share=0.8):
    """30 groups of 10, intraclass correlation 1/3: each group's own share is beta distributed."""
    group = np.repeat(np.arange(30), 10)
    right = rng.random(300) < rng.beta(2 * share, 2 * (1 - share), 30)[group]
    return Outcome(
        np.full(300, "yes"), labels=np.where(right, "yes", "no"), classes=("no", "yes"),
        clusters=group,
    )  # fmt: skip


def test_groups_that_hang_together_are_covered_where_rows_alone_are_not():
    rng = np.random.default_rng(11)
    plain, ours, used = 0, 0, 0
    for _ in range(1000):
        outcome = thirty_groups(rng)
        hits = int((outcome.labels == "yes").sum())
        plain += float(share_bounds(hits, 300, confidence=0.95).low) <= 0.8
        found = bound("accuracy", outcome)
        assert found.unit == "groups"
        if found.low is not None:
            used += 1
            ours += found.low <= 0.8
    assert 0.74 <= plain / 1000 <= 0.83
    assert used >= 900
    assert ours / used >= 0.94


@pytest.mark.parametrize("name", ["roc_auc", "brier"])
def test_bounds_over_groups_cover(made, name):
    rng = np.random.default_rng(12)
    group = np.repeat(np.arange(60), 4)

    def draw():  # all four rows of a group share the noise, so that rows are worth a fourth
        truth = rng.random(60) < SHARE
        seen = SHIFT * truth + rng.normal(size=60)
        logit = np.log(SHARE / (1 - SHARE)) + SHIFT * seen - SHIFT**2 / 2
        return made.scored(truth[group], logit[group], clusters=group)

    holds(name, draw, true=TRUE[name], repeats=300)


def in_time(made, rng, rows, memory):
    right = made.remembering(rng, rows, memory) < norm.ppf(0.8)
    return Outcome(
        np.full(rows, "yes"), labels=np.where(right, "yes", "no"), classes=("no", "yes"),
        order=np.arange(rows),
    )  # fmt: skip


def test_neighbours_in_time_are_covered_where_rows_alone_are_not(made):
    rng = np.random.default_rng(13)
    drawn = [in_time(made, rng, 1500, 0.8) for _ in range(300)]
    plain = [
        float(share_bounds((o.labels == "yes").sum(), 1500, confidence=0.95).low) <= 0.8
        for o in drawn
    ]
    assert np.mean(plain) < 0.85
    left = iter(drawn)
    holds("accuracy", lambda: next(left), true=0.8, repeats=300)


def test_errors_with_a_memory_are_covered(made):
    rng = np.random.default_rng(14)

    def draw():
        truth = rng.gamma(8.0, 2.0, 1000)
        error = made.remembering(rng, 1000, 0.5)
        return Outcome(truth, values=truth + error, order=np.arange(1000))

    holds("rmse", draw, true=1.0, repeats=200)


def test_latencies_cover_by_the_exact_sum():
    times = np.arange(1.0, 401.0)
    outcome = Outcome(np.array(["a"]), latencies_ms=times)
    for percent in (50, 95, 99):
        found = bound(f"latency_p{percent}_ms", outcome)
        below, above = int(found.low), int(found.high)
        assert binom.sf(below - 1, 400, percent / 100) >= 0.95
        assert binom.cdf(above - 1, 400, percent / 100) >= 0.95
        assert binom.sf(below, 400, percent / 100) < 0.95, "the next one up would cover too"


# ---- whatever the rows are, and for every metric


def everything(made, kind):
    rng = np.random.default_rng(21)
    more = {
        "rows": {},
        "groups": {"clusters": np.repeat(np.arange(100), 6)},
        "blocks": {"order": np.arange(600)},
    }[kind]
    more |= {"slices": {"sex": rng.choice(["f", "m"], 600)}, "costs": Costs()}
    more |= {"latencies_ms": rng.gamma(4, 2, 600), "size_mb": 2.0, "explainable": True}
    truth = rng.gamma(8.0, 2.0, 600) + 2
    numbers = Outcome(truth, values=truth + rng.normal(size=600), **more)
    return made.binary(rng, 600, share=SHARE, **more), numbers


@pytest.mark.parametrize("kind", ["rows", "groups", "blocks"])
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_bounds_that_hold_its_value_and_its_range(made, name, kind):
    two, numbers = everything(made, kind)
    asked = METRICS[name]
    found = bound(name, numbers if "binary" not in asked.tasks else two, by="sex")
    assert not found.reason
    assert asked.low <= found.low <= found.value <= found.high <= asked.high
    if asked.family not in {"latency", "constraint"}:
        assert found.unit == kind
        assert found.low < found.high


@pytest.mark.parametrize("kind", ["rows", "groups", "blocks"])
@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "f1", "brier", "ece"])
def test_more_confidence_widens_both_bounds(made, name, kind):
    outcome, _ = everything(made, kind)
    loose, tight = (bound(name, outcome, confidence=c) for c in (0.9, 0.99))
    assert tight.low < loose.low or loose.low == 0
    assert loose.high < tight.high


def test_several_classes_have_an_auc_with_bounds(made):
    found = bound("roc_auc", made.three(np.random.default_rng(3), 300))
    assert found.low < found.value < found.high
    assert found.method == "DeLong, logit"


@pytest.mark.parametrize(
    ("name", "method"),
    [("accuracy", "Clopper-Pearson"), ("roc_auc", "DeLong, logit"), ("f1", "BCa bootstrap"),
     ("accuracy_difference", "Newcombe"), ("ece", "calibration, corrected"),
     ("latency_p95_ms", "order statistics"), ("model_size_mb", "measured")],
)  # fmt: skip
def test_the_method_is_the_one_of_the_design(made, name, method):
    assert bound(name, everything(made, "rows")[0], by="sex").method == method


def test_groups_and_time_together_give_the_wider_of_the_two(made):
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(100), 6)
    outcome = made.binary(rng, 600, clusters=group, order=rng.permutation(600))
    both = bound("accuracy", outcome)
    alone = [bound("accuracy", replace(outcome, **{gone: None})) for gone in ("clusters", "order")]
    widest = max(alone, key=lambda one: one.high - one.low)
    assert (both.low, both.high, both.unit) == (widest.low, widest.high, widest.unit)


def test_groups_and_time_together_are_undecided_if_one_of_them_is(made):
    rng = np.random.default_rng(4)
    outcome = made.binary(rng, 600, clusters=np.arange(600) % 3, order=np.arange(600))
    found = bound("accuracy", outcome)
    assert found.low is None
    assert "too few groups" in found.reason


def test_rows_written_down_twice_do_not_narrow_bounds_over_groups(made):
    rng = np.random.default_rng(6)
    once = made.binary(rng, 200, clusters=np.repeat(np.arange(50), 4))
    twice = once.take(np.repeat(np.arange(200), 2))
    for name in ("roc_auc", "f1", "brier"):
        a, b = bound(name, once), bound(name, twice)
        assert (b.low, b.high) == pytest.approx((a.low, a.high), rel=1e-6)
    a, b = bound("accuracy", once), bound("accuracy", twice)  # capped at the number of rows
    assert b.high - b.low >= 0.9 * (a.high - a.low)


# ---- where no spread is seen there are no bounds


def test_a_perfect_ranking_says_that_it_is_the_one_that_cannot_be_bounded(made):
    truth = np.arange(400) % 2 == 0
    found = bound("roc_auc", made.scored(truth, np.where(truth, 3.0, -3.0)))
    assert found.reason.startswith("too few rows for this method: the AUC is exactly 1, no pair")
    upside_down = bound("roc_auc", made.scored(truth, np.where(truth, -3.0, 3.0)))
    assert "exactly 1" not in upside_down.reason


def test_a_perfect_ranking_has_no_bounds_to_judge_by(made):
    truth = np.arange(400) % 2 == 0
    for more in ({}, {"clusters": np.repeat(np.arange(100), 4)}, {"order": np.arange(400)}):
        found = bound("roc_auc", made.scored(truth, np.where(truth, 3.0, -3.0), **more))
        assert found.value == 1.0
        assert (found.low, found.high) == (None, None)
        assert "too few" in found.reason


@pytest.mark.parametrize("name", ["f1", "brier", "log_loss"])
def test_groups_that_are_all_alike_show_no_spread_and_get_no_bounds(made, name):
    truth = np.tile([True, False], 30)
    outcome = made.scored(truth, np.full(60, 1.0), clusters=np.repeat(np.arange(30), 2))
    found = bound(name, outcome)
    assert (found.low, found.high, found.rough) == (None, None, None)
    assert "no spread" in found.reason


@pytest.mark.parametrize("miss", [0.0, 1.0])
def test_errors_that_are_all_alike_have_neither_bounds_nor_rough_ones(miss):
    truth = np.arange(50.0)
    found = bound("rmse", Outcome(truth, values=truth + miss))
    assert found.value == miss
    assert (found.low, found.high, found.rough) == (None, None, None)

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, multinomial
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from qua3ck.kit import NotEnoughEvidence
from qua3ck.question import METRICS, Outcome, score
from qua3ck.question.bounds import interval
from qua3ck.question.shares import (
    difference_bounds,
    paired_bounds,
    rows_for_share,
    share_bounds,
    wilson_bounds,
)

SHARES = (0.001, 0.02, 0.1, 0.35, 0.5, 0.8, 0.95, 0.995)
CASES = [(0, 5), (1, 5), (7, 7), (28, 30), (29, 30), (950, 1000), (0, 1), (1, 1), (3, 100_000)]


@pytest.mark.parametrize(("right", "rows"), CASES)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_share_bounds_agree_with_statsmodels(right, rows, confidence):
    wanted = proportion_confint(right, rows, alpha=2 * (1 - confidence), method="beta")
    got = share_bounds(right, rows, confidence=confidence)
    assert tuple(map(float, got)) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("rows", [1, 5, 30, 400])
def test_share_bounds_never_cover_less_than_they_say(rows):
    hits = np.arange(rows + 1)
    low, high = share_bounds(hits, rows, confidence=0.95)
    for share in SHARES:
        chance = binom.pmf(hits, rows, share)
        assert chance[low <= share].sum() >= 0.95 - 1e-12
        assert chance[high >= share].sum() >= 0.95 - 1e-12


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_hold_the_share_widen_with_confidence_and_mirror(case):
    right, rows = case
    loose, tight = (share_bounds(right, rows, confidence=c) for c in (0.9, 0.99))
    assert 0 <= tight.low <= loose.low <= right / rows <= loose.high <= tight.high <= 1
    mirrored = share_bounds(rows - right, rows, confidence=0.9)
    assert 1 - mirrored.high == pytest.approx(loose.low, abs=1e-10)


def test_more_rows_at_the_same_share_narrow_the_bounds():
    rows = np.array([10, 100, 1000, 10_000])
    low, high = share_bounds(0.9 * rows, rows, confidence=0.95)
    assert (np.diff(low) > 0).all()
    assert (np.diff(high) < 0).all()


@pytest.mark.parametrize("name", ["accuracy", "recall", "precision", "specificity"])
def test_a_share_of_nothing_is_refused_and_has_no_bounds(name):
    nobody = np.array([], dtype=str)
    empty = Outcome(nobody, labels=nobody, classes=("no", "yes"))
    with pytest.raises(NotEnoughEvidence, match="0 rows"):
        score(name, empty)
    found = interval(METRICS[name], empty, confidence=0.95, seed=0)
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)
    assert "0 rows" in found.reason


@pytest.mark.parametrize(("right", "rows"), CASES)
def test_wilson_bounds_agree_with_statsmodels(right, rows):
    wanted = proportion_confint(right, rows, alpha=0.1, method="wilson")
    got = wilson_bounds(right, rows, confidence=0.95)
    assert tuple(map(float, got)) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b"), [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((10, 10), (0, 20)), ((1, 40), (1, 400))]
)
def test_differences_agree_with_statsmodels_newcombe_when_their_parts_are_wilson(a, b):
    wanted = confint_proportions_2indep(*a, *b, method="newcomb", compare="diff", alpha=0.1)
    got = difference_bounds(*a, *b, confidence=0.95, parts=wilson_bounds)
    assert tuple(map(float, got)) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("sizes", [(10, 10), (10, 60), (30, 30), (100, 40)])
def test_differences_of_shares_cover_what_they_say(sizes):
    a, b = np.meshgrid(*(np.arange(n + 1) for n in sizes), indexing="ij")
    low, high = difference_bounds(a, sizes[0], b, sizes[1], confidence=0.95)
    for p in SHARES:
        for q in SHARES:
            chance = np.outer(binom.pmf(a[:, 0], sizes[0], p), binom.pmf(b[0], sizes[1], q))
            assert chance[low <= p - q + 1e-12].sum() >= 0.94
            assert chance[high >= p - q - 1e-12].sum() >= 0.94


def test_differences_turn_round_with_their_groups_and_stay_within_one():
    for case in ((3, 10, 9, 12), (0, 10, 12, 12), (5, 9, 5, 9)):
        there = difference_bounds(*case, confidence=0.95)
        back = difference_bounds(*case[2:], *case[:2], confidence=0.95)
        assert float(there.low) == pytest.approx(-float(back.high))
        assert -1 <= there.low <= case[0] / case[1] - case[2] / case[3] <= there.high <= 1


@pytest.mark.parametrize("chances", [(0.1, 0.1), (0.3, 0.05), (0.02, 0.0), (0.5, 0.2)])
def test_paired_differences_cover_what_they_say(chances):
    rows, (p, q) = 30, chances
    missed = np.zeros(2)
    for a in range(rows + 1):
        for b in range(rows + 1 - a):
            low, high = paired_bounds(a, b, rows, confidence=0.95)
            chance = multinomial.pmf([a, b, rows - a - b], rows, [p, q, 1 - p - q])
            missed += chance * np.array([low > p - q + 1e-12, high < p - q - 1e-12])
    assert (1 - missed >= 0.94).all()


def decided(share, rows, threshold, direction):
    low, high = share_bounds(np.floor(share * rows + 0.5), rows, confidence=0.95)
    if direction == "at_least":
        return "pass" if low >= threshold else "fail" if high < threshold else ""
    return "pass" if high <= threshold else "fail" if low > threshold else ""


@pytest.mark.parametrize(
    ("share", "rows", "threshold", "direction", "answer"),
    [
        (29 / 30, 30, 0.95, "at_least", (434, "pass")),
        (28 / 30, 30, 0.95, "at_least", (503, "fail")),
        (0.95, 40, 0.95, "at_least", (None, "")),
        (0.9500001, 40, 0.95, "at_least", (None, "")),
    ],
)
def test_rows_that_would_decide_are_those_of_the_design(share, rows, threshold, direction, answer):
    got = rows_for_share(share, rows, threshold=threshold, direction=direction, confidence=0.95)
    assert got == answer


@pytest.mark.parametrize("direction", ["at_least", "at_most"])
@pytest.mark.parametrize("share", [0.02, 0.06, 0.6, 0.96])
@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.9])
def test_rows_that_would_decide_are_the_first_that_do(share, threshold, direction):
    rows, way = rows_for_share(share, 5, threshold=threshold, direction=direction, confidence=0.95)
    assert rows is not None
    assert way == ("pass" if (share > threshold) == (direction == "at_least") else "fail")
    assert decided(share, rows, threshold, direction) == way
    earlier = [decided(share, n, threshold, direction) for n in range(6, rows)]
    assert way not in earlier


def test_rows_that_would_decide_are_more_the_nearer_the_threshold():
    needed = [
        rows_for_share(share, 5, threshold=0.8, direction="at_least", confidence=0.95)[0]
        for share in (0.95, 0.9, 0.85, 0.82)
    ]
    assert all(a < b for a, b in pairwise(needed))

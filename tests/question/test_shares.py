from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
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


@pytest.mark.parametrize(("right", "rows"), [(0, 5), (28, 30), (950, 1000), (7, 7)])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_share_bounds_agree_with_statsmodels(right, rows, confidence):
    expected = proportion_confint(right, rows, alpha=2 * (1 - confidence), method="beta")
    assert share_bounds(right, rows, confidence=confidence) == pytest.approx(expected, abs=1e-9)


@given(rows=st.integers(1, 400), share=st.floats(0.001, 0.999))
def test_share_bounds_never_cover_less_than_they_say(rows, share):
    hits = np.arange(rows + 1)
    weight = binom.pmf(hits, rows, share)
    low, high = share_bounds(hits, rows, confidence=0.95)
    assert weight[low <= share].sum() >= 0.95 - 1e-9
    assert weight[high >= share].sum() >= 0.95 - 1e-9


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (10, 20, 10, 300)])
def test_the_hybrid_with_wilson_parts_is_statsmodels_newcombe(counts):
    expected = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=0.10)
    found = difference_bounds(*counts, confidence=0.95, parts=wilson_bounds)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("rows_a", "rows_b"), [(20, 20), (20, 50), (100, 100)])
@pytest.mark.parametrize("p", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("q", [0.02, 0.5, 0.99])
def test_difference_bounds_cover_by_exact_sums(rows_a, rows_b, p, q):
    a, b = np.meshgrid(np.arange(rows_a + 1), np.arange(rows_b + 1), indexing="ij")
    weight = np.outer(binom.pmf(a[:, 0], rows_a, p), binom.pmf(b[0], rows_b, q))
    low, high = difference_bounds(a, rows_a, b, rows_b, confidence=0.95)
    assert weight[low <= p - q + 1e-12].sum() >= 0.94
    assert weight[high >= p - q - 1e-12].sum() >= 0.94


@pytest.mark.parametrize("chances", [(0.02, 0.0), (0.1, 0.05), (0.3, 0.3), (0.3, 0.05)])
@pytest.mark.parametrize("rows", [20, 60, 400])
def test_paired_bounds_cover(chances, rows):
    rng = np.random.default_rng(3)
    drawn = rng.multinomial(rows, [*chances, 1 - sum(chances)], size=3000)
    kinds, times = np.unique(drawn[:, :2], axis=0, return_counts=True)
    true = chances[0] - chances[1]
    bounds = [paired_bounds(int(a), int(b), rows, confidence=0.95) for a, b in kinds]
    low, high = np.array(bounds).T
    noise = 3 * np.sqrt(0.06 * 0.94 / 3000)
    assert times[low > true + 1e-12].sum() / 3000 <= 0.06 + noise
    assert times[high < true - 1e-12].sum() / 3000 <= 0.06 + noise


def test_rows_that_would_decide_the_textbook_iris():
    asked = {"threshold": 0.95, "direction": "at_least", "confidence": 0.95}
    assert rows_for_share(29 / 30, 30, **asked) == (434, "pass")
    assert rows_for_share(28 / 30, 30, **asked) == (503, "fail")
    assert rows_for_share(0.95, 30, **asked) == (None, "")
    assert rows_for_share(1.0, 30, **asked) == (59, "pass")


@pytest.mark.parametrize(("share", "threshold"), [(0.9, 0.85), (0.83, 0.80), (0.5, 0.6)])
def test_that_many_rows_do_decide_and_one_less_does_not(share, threshold):
    rows, way = rows_for_share(
        share, 40, threshold=threshold, direction="at_least", confidence=0.95
    )

    def decided(n):
        low, high = share_bounds(np.floor(share * n + 0.5), n, confidence=0.95)
        return low >= threshold if way == "pass" else high < threshold

    assert decided(rows)
    assert not decided(rows - 1)


def test_clopper_pearson_and_the_exact_test_say_the_same():
    low, _ = share_bounds(45, 50, confidence=0.95)
    assert binomtest(45, 50, float(low), alternative="greater").pvalue == pytest.approx(0.05)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_hold_the_share_widen_with_confidence_and_mirror(case):
    right, rows = case
    loose, tight = (share_bounds(right, rows, confidence=c) for c in (0.9, 0.99))
    assert 0 <= tight.low <= loose.low <= right / rows <= loose.high <= tight.high <= 1
    mirrored = share_bounds(rows - right, rows, confidence=0.9)
    assert 1 - mirrored.high == pytest.approx(loose.low, abs=1e-10)


@pytest.mark.parametrize("name", ["accuracy", "recall", "precision", "specificity"])
def test_a_share_of_nothing_is_refused_and_has_no_bounds(name):
    nobody = np.array([], dtype=str)
    empty = Outcome(nobody, labels=nobody, classes=("no", "yes"))
    with pytest.raises(NotEnoughEvidence, match="0 rows"):
        score(name, empty)
    found = interval(METRICS[name], empty, confidence=0.95, seed=0)
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)
    assert "0 rows" in found.reason


@pytest.mark.parametrize(("right", "rows"), [(0, 5), (28, 30), (950, 1000), (7, 7), (1, 1)])
def test_wilson_bounds_agree_with_statsmodels(right, rows):
    expected = proportion_confint(right, rows, alpha=0.1, method="wilson")
    found = wilson_bounds(right, rows, confidence=0.95)
    assert tuple(map(float, found)) == pytest.approx(expected, abs=1e-12)


def test_differences_turn_round_with_their_groups_and_stay_within_one():
    for case in ((3, 10, 9, 12), (0, 10, 12, 12), (5, 9, 5, 9)):
        there = difference_bounds(*case, confidence=0.95)
        back = difference_bounds(*case[2:], *case[:2], confidence=0.95)
        assert float(there.low) == pytest.approx(-float(back.high))
        assert -1 <= there.low <= case[0] / case[1] - case[2] / case[3] <= there.high <= 1


def first_that_decides(share, threshold, direction):
    """Try every number of rows, one after the other, with the bounds themselves."""
    rows = np.arange(6, 40_000)
    low, high = share_bounds(np.floor(share * rows + 0.5), rows, confidence=0.95)
    above = share > threshold
    if direction == "at_least":
        decided = low >= threshold if above else high < threshold
    else:
        decided = low > threshold if above else high <= threshold
    return int(rows[decided.argmax()])


@pytest.mark.parametrize("direction", ["at_least", "at_most"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.06, 0.51, 0.6, 0.905, 0.96, 1.0])
@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.9])
def test_rows_that_would_decide_are_the_first_that_do(share, threshold, direction):
    rows, way = rows_for_share(share, 5, threshold=threshold, direction=direction, confidence=0.95)
    assert rows == first_that_decides(share, threshold, direction)
    assert way == ("pass" if (share > threshold) == (direction == "at_least") else "fail")


def test_rows_that_would_decide_are_more_the_nearer_the_threshold_and_at_most_two_million():
    asked = {"threshold": 0.8, "direction": "at_least", "confidence": 0.95}
    needed = [rows_for_share(share, 5, **asked)[0] for share in (0.95, 0.9, 0.85, 0.82, 0.8005)]
    assert all(a < b for a, b in pairwise(needed))
    assert rows_for_share(0.80005, 5, **asked) == (None, "")

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

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

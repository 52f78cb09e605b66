import numpy as np
import pytest
from scipy.stats import bootstrap

from qua3ck.question.bootstrap import Draws, bca_bounds, draw_sums, resamples_for
from qua3ck.question.metrics import metric
from qua3ck.question.outcome import Outcome
from qua3ck.question.scoring import sums

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("n", [60, 500])
def test_unexpanded_bounds_agree_with_scipys_bca(n):
    truth = RNG.gamma(3, 2, n)
    errors = RNG.exponential(size=n)
    outcome = Outcome(truth, values=truth + errors)
    parts = sums(metric("rmse", where=""), outcome)
    resampled = draw_sums(parts, resamples=40_000, seed=1)
    found = bca_bounds(
        Draws(parts.value, resampled, parts.influence()), confidence=0.95, expand=False
    )
    expected = bootstrap(
        (errors,), lambda e, axis: np.sqrt((e**2).mean(axis=axis)), confidence_level=0.90,
        n_resamples=40_000, method="BCa", rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert found == pytest.approx((expected.low, expected.high), rel=0.012)


def test_counts_drawn_by_kind_are_the_rows_drawn_one_by_one():
    y, d = RNG.integers(0, 2, 300), RNG.integers(0, 2, 300)
    outcome = Outcome(y.astype(str), labels=d.astype(str), classes=("0", "1"))
    kinds = sums(metric("macro_f1", where=""), outcome)
    rows = type(kinds)(kinds.table[kinds.codes], None, kinds.formula)
    fast, slow = (draw_sums(s, resamples=8000, seed=3) for s in (kinds, rows))
    assert kinds.value == pytest.approx(rows.value)
    assert np.quantile(fast, [0.05, 0.5, 0.95]) == pytest.approx(
        np.quantile(slow, [0.05, 0.5, 0.95]), abs=0.004
    )


def test_the_same_seed_gives_the_same_bounds():
    outcome = Outcome(np.arange(50.0), values=np.arange(50.0) + RNG.normal(size=50))
    parts = sums(metric("mae", where=""), outcome)
    first, again = (draw_sums(parts, resamples=200, seed=4) for _ in range(2))
    assert (first == again).all()


def test_expanding_only_widens():
    draws = Draws(1.0, RNG.normal(1, 0.1, 5000), RNG.normal(size=30))
    plain = bca_bounds(draws, confidence=0.95, expand=False)
    wide = bca_bounds(draws, confidence=0.95)
    assert wide[0] < plain[0] < plain[1] < wide[1]


def test_a_high_confidence_leaves_enough_resamples_beyond_the_bound():
    assert resamples_for(0.95) == 2000
    assert resamples_for(0.999) * 0.001 >= 40

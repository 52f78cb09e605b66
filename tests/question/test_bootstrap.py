import numpy as np
import pytest
from scipy.stats import bootstrap

from qua3ck.question import METRICS
from qua3ck.question.bootstrap import Draws, bca_bounds, draw, draw_sums, resamples_for
from qua3ck.question.bounds import interval
from qua3ck.question.metrics import metric
from qua3ck.question.outcome import Outcome
from qua3ck.question.scoring import influence_of, sums

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


def of_mean(values):
    """Value, resampled means and influences of a plain mean."""
    rows = len(values)
    resampled = draw(lambda counts: counts @ values / rows, rows, resamples=20_000, seed=1)
    return Draws(float(values.mean()), resampled, (values - values.mean()) / rows)


@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_unexpanded_bounds_of_a_mean_agree_with_scipys_bca(kind):
    rng = np.random.default_rng(25)
    values = rng.normal(size=25) if kind == "normal" else rng.exponential(size=25)
    wanted = bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=0.9, method="BCa", rng=rng
    ).confidence_interval
    noise = values.std() / 5 * np.sqrt(0.02 * 0.98 / 20_000) / 0.048  # of the 0.98 quantile
    got = bca_bounds(of_mean(values), confidence=0.95, expand=False)
    assert got == pytest.approx(tuple(wanted), abs=4 * np.sqrt(2) * noise)


def test_bounds_widen_more_where_few_rows_carry_the_figure():
    def widened(values):
        plain, wide = (
            bca_bounds(of_mean(values), confidence=0.95, expand=expand) for expand in (False, True)
        )
        return (wide[1] - wide[0]) / (plain[1] - plain[0])

    calm = np.random.default_rng(5).normal(size=60)
    assert 1 < widened(calm) < widened(np.append(calm[:59], 12.0))


@pytest.mark.parametrize("name", ["brier", "f1", "average_precision"])
def test_the_same_seed_gives_the_same_bounds_and_another_seed_others(name, made):
    outcome = made.binary(np.random.default_rng(1), 150)
    first, again, other = (
        interval(METRICS[name], outcome, confidence=0.95, seed=seed) for seed in (7, 7, 8)
    )
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


def test_resamples_without_a_value_are_left_out():
    values = np.array([0.1, np.nan, 0.3, 0.2, np.nan])
    draws = Draws(0.2, values, np.array([-0.1, 0.0, 0.1]))
    low, high = bca_bounds(draws, confidence=0.95, expand=False)
    assert 0.1 <= low <= 0.2 <= high <= 0.3


def test_fifty_thousand_rows_are_resampled_a_part_at_a_time(made):
    outcome = made.numbers(np.random.default_rng(2), 50_000)
    asked = METRICS["mae"]
    error = np.abs(outcome.values - outcome.truth)
    at_once = []

    def values(counts):
        at_once.append(counts.nbytes)
        return counts @ error / 50_000

    resampled = draw(values, 50_000, resamples=200, seed=1)
    assert max(at_once) <= 16_000_000
    influence = influence_of(asked, outcome)
    assert resampled.std() == pytest.approx(np.sqrt((influence**2).sum()), rel=0.2)
    low, high = bca_bounds(Draws(error.mean(), resampled, influence), confidence=0.95)
    assert low < 1.0 < high


def test_fifty_thousand_rows_of_a_confusion_matrix_cost_what_a_hundred_do(made):
    outcome = made.binary(np.random.default_rng(2), 50_000)
    found = interval(METRICS["f1"], outcome, confidence=0.95, seed=1)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.02

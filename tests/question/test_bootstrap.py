import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from qua3ck.question import METRICS
from qua3ck.question.bootstrap import Draws, bca_bounds, draw, draw_sums, resamples_for
from qua3ck.question.bounds import interval
from qua3ck.question.scoring import influence_of, score, sums


def of_mean(values):
    """Value, resampled means and influences of a plain mean."""
    resampled = draw(lambda counts: counts @ values / len(values), len(values),
                     resamples=20_000, seed=1)  # fmt: skip
    influence = (values - values.mean()) / len(values)
    return Draws(float(values.mean()), resampled, influence)


@pytest.mark.parametrize("rows", [25, 80])
@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_the_textbook_bca_agrees_with_scipy(kind, rows):
    rng = np.random.default_rng(rows)
    values = rng.normal(size=rows) if kind == "normal" else rng.exponential(size=rows)
    wanted = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=0.9, method="BCa", rng=rng
    ).confidence_interval
    got = bca_bounds(of_mean(values), confidence=0.95, expand=False)
    error = 4 * np.sqrt(2) * values.std() / np.sqrt(rows) * np.sqrt(0.05 * 0.95 / 20_000) / 0.1
    assert got == pytest.approx(tuple(wanted), abs=error)


def test_the_root_mean_squared_error_agrees_with_scipy(made):
    outcome = made.numbers(np.random.default_rng(3), 60)
    error = outcome.values - outcome.truth
    wanted = stats.bootstrap(
        (error,), lambda e, axis: np.sqrt(np.mean(e**2, axis=axis)), n_resamples=20_000,
        confidence_level=0.9, method="BCa", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    asked = METRICS["rmse"]
    resampled = draw_sums(sums(asked, outcome), resamples=20_000, seed=1)
    draws = Draws(score(asked, outcome), resampled, influence_of(asked, outcome))
    got = bca_bounds(draws, confidence=0.95, expand=False)
    assert got == pytest.approx(tuple(wanted), abs=0.02)


def test_expanded_bounds_lie_outside_and_more_so_where_few_rows_carry_the_figure():
    rng = np.random.default_rng(5)

    def widened(values):
        draws = of_mean(values)
        low, high = bca_bounds(draws, confidence=0.95, expand=False)
        lower, higher = bca_bounds(draws, confidence=0.95)
        assert lower < low < draws.value < high < higher
        return (higher - lower) / (high - low)

    calm = rng.normal(size=60)
    wild = np.append(calm[:59], 12.0)
    assert 1 < widened(calm) < widened(wild)


def test_same_seed_same_bounds_and_another_seed_others(made):
    outcome = made.binary(np.random.default_rng(1), 150)
    for name in ("brier", "f1", "average_precision"):
        first, again, other = (
            interval(METRICS[name], outcome, confidence=0.95, seed=seed) for seed in (7, 7, 8)
        )
        assert first == again
        assert (first.low, first.high) != (other.low, other.high)


@pytest.mark.parametrize(
    ("confidence", "wanted"), [(0.9, 2000), (0.98, 2000), (0.99, 4000), (0.999, 40_000)]
)
def test_resamples_leave_forty_beyond_the_bound(confidence, wanted):
    assert resamples_for(confidence) == wanted


def test_cells_of_a_confusion_matrix_resample_like_their_rows(made):
    outcome = made.binary(np.random.default_rng(2), 200)
    counted = draw_sums(sums(METRICS["f1"], outcome), resamples=2000, seed=3)
    rng = np.random.default_rng(4)
    plain = []
    for _ in range(500):
        rows = rng.integers(200, size=200)
        plain.append(f1_score(outcome.is_positive[rows], outcome.called_positive[rows]))
    noise = 4 * np.std(plain) / np.sqrt(500)
    assert counted.mean() == pytest.approx(np.mean(plain), abs=1.2 * noise)
    assert counted.std() == pytest.approx(np.std(plain), abs=noise)


def test_resamples_without_a_value_are_left_out(made):
    values = np.array([0.1, np.nan, 0.3, 0.2, np.nan])
    low, high = bca_bounds(
        Draws(0.2, values, np.array([-0.1, 0.0, 0.1])), confidence=0.95, expand=False
    )
    assert 0.1 <= low <= 0.2 <= high <= 0.3


def test_fifty_thousand_rows_are_resampled_a_part_at_a_time(made):
    outcome = made.numbers(np.random.default_rng(2), 50_000)
    asked = METRICS["mae"]
    largest = 0

    def values(counts):
        nonlocal largest
        largest = max(largest, counts.nbytes)
        return counts @ np.abs(outcome.values - outcome.truth) / 50_000

    resampled = draw(values, 50_000, resamples=200, seed=1)
    assert largest <= 16_000_000
    influence = influence_of(asked, outcome)
    assert resampled.std() == pytest.approx(np.sqrt((influence**2).sum()), rel=0.2)
    low, high = bca_bounds(Draws(score(asked, outcome), resampled, influence), confidence=0.95)
    assert low < 1.0 < high
    assert high - low == pytest.approx(2 * 1.645 * np.sqrt(1 / 50_000), rel=0.2)


def test_fifty_thousand_rows_of_a_confusion_matrix_cost_what_a_hundred_do(made):
    outcome = made.binary(np.random.default_rng(2), 50_000)
    found = interval(METRICS["f1"], outcome, confidence=0.95, seed=1)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.02

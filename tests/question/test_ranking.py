import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from qua3ck.question.ranking import (
    auc,
    auc_influence,
    auc_score_bounds,
    average_precision,
    average_precision_influence,
)
from qua3ck.question.units import Units, spread


def by_pairs(positive, scores):
    """DeLong's AUC and variance the long way: every pair of rows looked at."""
    x, y = scores[positive], scores[~positive]
    wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    of_x, of_y = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(), of_x.var(ddof=1) / len(x) + of_y.var(ddof=1) / len(y)


@pytest.mark.parametrize(("n", "step"), [(40, 0), (200, 0), (200, 0.5), (1000, 0.1)])
def test_auc_and_its_spread_agree_with_counting_pairs(n, step):
    rng = np.random.default_rng(n)
    positive = rng.random(n) < 0.3
    scores = rng.normal(size=n) + positive
    if step:
        scores = np.round(scores / step) * step
    area, variance = by_pairs(positive, scores)
    influence = auc_influence(positive, scores)
    assert auc(positive, scores) == pytest.approx(area)
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    rows = Units(np.arange(n), n, "rows", in_line=False)
    assert spread(influence, rows).error == pytest.approx(np.sqrt(variance), rel=0.03)


def test_score_bounds_solve_their_equation_and_stay_inside():
    low, high = auc_score_bounds(0.99, [(25, 300)], reach=norm.ppf(0.95))
    assert 0.9 < low < 0.99 < high < 1
    assert auc_score_bounds(1.0, [(25, 300)], reach=1.645)[1] == 1.0


def drawn(seed, *, ties=False):
    rng = np.random.default_rng(seed)
    positive = rng.random(80) < 0.3
    scores = positive + rng.normal(size=80)
    return positive, np.round(scores) if ties else scores


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_influences_give_exactly_the_variance_of_delong(seed, ties):
    positive, scores = drawn(seed, ties=ties)
    area, variance = by_pairs(positive, scores)
    assert area == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    squares = auc_influence(positive, scores) ** 2
    m, n = positive.sum(), (~positive).sum()
    own = squares[positive].sum() * m / (m - 1) + squares[~positive].sum() * n / (n - 1)
    assert own == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("area", [0.5, 0.83, 0.97, 1.0])
def test_score_bounds_lie_where_the_error_taken_there_just_reaches(area):
    own, other, reach = 25, 70, 1.7
    low, high = auc_score_bounds(area, [(own, other)], reach=reach)

    def error(at):
        q1, q2 = at / (2 - at), 2 * at**2 / (1 + at)
        variance = at * (1 - at) + (own - 1) * (q1 - at**2) + (other - 1) * (q2 - at**2)
        return np.sqrt(variance / (own * other))

    assert area - low == pytest.approx(reach * error(low), abs=1e-9)
    assert high == pytest.approx(area + reach * error(high), abs=1e-9)
    assert low < area <= high <= 1


def test_score_bounds_of_several_classes_lie_between_those_of_each():
    each = [auc_score_bounds(0.8, [kind], reach=2.0)[0] for kind in ((20, 80), (50, 50))]
    both = auc_score_bounds(0.8, [(20, 80), (50, 50)], reach=2.0)[0]
    assert min(each) < both < max(each)


def test_average_precision_without_a_positive_row_is_not_a_number():
    positive, scores = drawn(1)
    got = average_precision(positive, scores, np.vstack([~positive, np.ones(80)]).astype(float))
    assert np.isnan(got[0])
    assert np.isfinite(got[1])


@pytest.mark.parametrize("ties", [False, True])
def test_influence_on_average_precision_is_what_a_weight_does(ties):
    positive, scores = drawn(2, ties=ties)
    influence = average_precision_influence(positive, scores)
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    for row in range(0, 80, 9):
        weights = np.ones((2, 80))
        weights[:, row] += [1e-6, -1e-6]
        up, down = average_precision(positive, scores, weights)
        assert influence[row] == pytest.approx((up - down) / 2e-6, abs=1e-7)

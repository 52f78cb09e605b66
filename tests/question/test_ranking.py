import numpy as np
import pytest
from scipy.stats import norm

from qua3ck.question.ranking import auc, auc_influence, auc_score_bounds
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

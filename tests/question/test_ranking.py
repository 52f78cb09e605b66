import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from qua3ck.question.ranking import (
    auc,
    auc_influence,
    auc_score_bounds,
    average_precision,
    average_precision_influence,
)
from qua3ck.question.units import Units, spread


def drawn(seed, rows=80, *, ties=False, share=0.3):
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < share
    scores = positive + rng.normal(size=rows)
    return positive, np.round(scores) if ties else scores


def delong_by_hand(positive, scores):
    """The definition: every positive row against every other, and the two variances."""
    of, others = scores[positive], scores[~positive]
    wins = (of[:, None] > others[None, :]) + 0.5 * (of[:, None] == others[None, :])
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    variance = v10.var(ddof=1) / len(of) + v01.var(ddof=1) / len(others)
    return wins.mean(), v10, v01, variance


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_auc_agrees_with_scikit_learn(seed, ties):
    positive, scores = drawn(seed, ties=ties)
    assert auc(positive, scores) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_influence_gives_the_variance_of_delong(seed, ties):
    positive, scores = drawn(seed, ties=ties)
    area, v10, v01, variance = delong_by_hand(positive, scores)
    influence = auc_influence(positive, scores)
    m, n = positive.sum(), (~positive).sum()
    assert influence[positive] * m + area == pytest.approx(v10)
    assert influence[~positive] * n + area == pytest.approx(v01)
    squares = influence**2
    own = squares[positive].sum() * m / (m - 1) + squares[~positive].sum() * n / (n - 1)
    assert own == pytest.approx(variance, rel=1e-12)
    rows = Units(np.arange(80), 80, "rows", in_line=False)
    assert spread(influence, rows).error == pytest.approx(np.sqrt(variance), rel=0.05)


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


def test_score_bounds_of_a_perfect_ranking_have_a_width():
    low, high = auc_score_bounds(1.0, [(20, 20)], reach=1.7)
    assert low < 0.95
    assert high == 1.0


def test_score_bounds_of_several_classes_lie_between_those_of_each():
    each = [auc_score_bounds(0.8, [kind], reach=2.0)[0] for kind in ((20, 80), (50, 50))]
    both = auc_score_bounds(0.8, [(20, 80), (50, 50)], reach=2.0)[0]
    assert min(each) < both < max(each)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_average_precision_agrees_with_scikit_learn_for_every_set_of_weights(seed, ties):
    positive, scores = drawn(seed, ties=ties)
    weights = np.random.default_rng(seed).integers(0, 4, size=(6, 80)).astype(float)
    got = average_precision(positive, scores, weights)
    for one, row in zip(got, weights, strict=True):
        wanted = average_precision_score(positive, scores, sample_weight=row)
        assert one == pytest.approx(wanted, abs=1e-12)


def test_average_precision_without_a_positive_row_is_not_a_number():
    positive, scores = drawn(1)
    weights = np.vstack([~positive, np.ones(80)]).astype(float)
    got = average_precision(positive, scores, weights)
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

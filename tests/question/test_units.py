import numpy as np
import pytest
import statsmodels.api as sm
from scipy.signal import lfilter

from qua3ck.question.shares import share_bounds
from qua3ck.question.units import (
    Spread,
    Units,
    blocks,
    clustered_share_bounds,
    clusters,
    memory,
    spread,
    student_bounds,
)

RNG = np.random.default_rng(5)


def remembering(n, phi):
    return lfilter([1], [1, -phi], RNG.normal(size=n))


@pytest.mark.parametrize(("phi", "time"), [(0.0, 1.0), (0.5, 3.0), (0.9, 19.0)])
def test_memory_finds_the_autocorrelation_time(phi, time):
    assert memory(remembering(200_000, phi)) == pytest.approx(time, rel=0.15)


def test_blocks_grow_with_the_memory_and_never_part_a_moment():
    moments = np.repeat(np.arange(500), 4)
    short = blocks(moments, RNG.normal(size=2000))
    long = blocks(moments, np.repeat(remembering(500, 0.9), 4))
    assert short.number > 2 * long.number
    for units in (short, long):
        for moment in (0, 77, 499):
            assert len(np.unique(units.codes[moments == moment])) == 1
        assert (np.diff(units.codes) >= 0).all()


def test_rows_as_their_own_units_give_the_plain_standard_error():
    x = RNG.normal(size=80)
    rows = Units(np.arange(80), 80, "rows", in_line=False)
    found = spread((x - x.mean()) / 80, rows)
    assert found.error == pytest.approx(x.std(ddof=1) / np.sqrt(80))


def test_copies_of_a_row_in_one_group_add_no_evidence():
    x = RNG.normal(size=50)
    copied = np.repeat((x - x.mean()) / 500, 10)
    of = spread(copied, clusters(np.repeat(np.arange(50), 10)))
    assert of.error == pytest.approx(x.std(ddof=1) / np.sqrt(50))
    assert of.units == 50


def test_a_share_of_all_hits_counts_every_group_as_one_row():
    influence = np.zeros(300)
    of = spread(influence, clusters(np.repeat(np.arange(30), 10)), about=np.ones(300, bool))
    assert clustered_share_bounds(1.0, 300, of, confidence=0.95)[0] == pytest.approx(
        float(share_bounds(30, 30, confidence=0.95).low)
    )


def test_groups_of_unlike_size_count_as_fewer():
    sizes = np.append(np.ones(20, int), 500)
    groups = np.repeat(np.arange(21), sizes)
    of = spread(RNG.normal(size=520), clusters(groups))
    assert of.units == 21
    assert of.effective < 2


def test_rows_without_a_group_are_together_one_group():
    found = clusters(np.array(["a", None, "a", None], dtype=object))
    assert found.number == 2
    assert found.codes[1] == found.codes[3]


def test_the_standard_error_over_groups_is_statsmodels_cluster_robust_one():
    group = np.sort(RNG.integers(0, 25, 300))
    x = RNG.normal(size=300) + RNG.normal(size=25)[group]
    judge = sm.OLS(x, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": group})
    found = spread((x - x.mean()) / 300, clusters(group))
    assert found.error == pytest.approx(judge.bse[0], rel=1e-9)
    assert found.units == 25


def test_blocks_see_the_error_of_a_series_with_a_memory():
    errors = []
    for _ in range(100):
        series = remembering(2000, 0.8)
        influence = (series - series.mean()) / 2000
        errors.append(spread(influence, blocks(np.arange(2000), influence)).error)
    true = 5 / np.sqrt(2000)  # kicks of 1 add up to 1 / (1 - 0.8) in the long run
    assert np.mean(errors) == pytest.approx(true, rel=0.15)


def test_a_series_in_any_order_of_rows_has_the_same_blocks():
    series = remembering(600, 0.7)
    shuffled = RNG.permutation(600)
    influence = series - series.mean()
    there = blocks(np.arange(600), influence)
    back = blocks(np.arange(600)[shuffled], influence[shuffled])
    assert back.number == there.number
    assert (back.codes == there.codes[shuffled]).all()


@pytest.mark.parametrize("series", [np.zeros(50), np.ones(3), np.full(200, 0.1)])
def test_a_series_without_movement_may_remember_everything(series):
    assert memory(series) == len(series)
    assert blocks(np.arange(len(series)), series).number == 1


@pytest.mark.parametrize(
    ("scale", "value"), [("logit", 0.97), ("log", 0.02), ("log1m", 0.9), ("plain", -3.0)]
)
def test_bounds_lie_around_the_value_and_inside_the_scale(scale, value):
    of = Spread(0.05, 30, 20.0)
    low, high = student_bounds(value, of, confidence=0.95, scale=scale)
    assert low < value < high
    edges = {"logit": (0, 1), "log": (0, np.inf), "log1m": (-np.inf, 1)}
    least, most = edges.get(scale, (-np.inf, np.inf))
    assert least < low
    assert high < most
    fewer, more = (
        student_bounds(value, of, confidence=0.95, scale=scale, freedom=f) for f in (3.0, 300.0)
    )
    assert fewer[0] < more[0]
    assert more[1] < fewer[1]


def test_groups_that_do_not_hang_together_cost_little():
    right = RNG.random(2000) < 0.8
    share = right.mean()
    of = spread((right - share) / 2000, clusters(np.repeat(np.arange(400), 5)),
                about=np.ones(2000, bool))  # fmt: skip
    low, high = clustered_share_bounds(share, 2000, of, confidence=0.95)
    alone = share_bounds(right.sum(), 2000, confidence=0.95)
    assert high - low < 1.2 * (alone.high - alone.low)

import numpy as np
import pytest
from scipy.signal import lfilter

from qua3ck.question.shares import share_bounds
from qua3ck.question.units import Units, blocks, clustered_share_bounds, clusters, memory, spread

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

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.conclude.figures import digits_for, figure, interval, verdict_figures, wanted


def test_an_interval_is_rounded_outwards():
    assert interval(0.8003, 0.9001, 2) == "[0.80, 0.91]"
    assert interval(-0.0061, 0.2899999, 2) == "[-0.01, 0.29]"


def test_a_number_that_does_not_exist_is_a_dash():
    assert figure(None, 2) == figure(float("nan"), 2) == figure(float("inf"), 2) == "–"
    assert interval(None, 0.5, 1) == "[–, 0.5]"


@pytest.mark.parametrize(
    ("low", "high", "digits"),
    [(0.76, 0.89, 2), (0.8301, 0.8342, 4), (12.0, 15.2, 1), (900, 2100, 0)],
)
def test_digits_follow_the_width_of_the_interval(low, high, digits):
    assert digits_for(None, low, high) == digits


def test_the_smallest_number_there_is_has_digits():
    assert digits_for(5e-324, 5e-324, 5e-324) == digits_for(1e-300, None, None) > 2


@given(
    st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3), st.integers(1, 99).map(lambda n: n / 100)
)
def test_rounding_never_moves_a_bound_or_value_across_the_threshold(value, low, up, limit):
    from qua3ck.kit.verdicts import Verdict

    verdict = Verdict("a", "a", value, value - low, value + up, limit, "at_least", "undecided", 9)
    shown, bounds, _ = verdict_figures(verdict)
    below, above = (float(part) for part in bounds.strip("[]").split(", "))
    if verdict.low < verdict.high:
        assert below <= verdict.low <= verdict.high <= above
    if verdict.low >= limit:
        assert below >= limit or pytest.approx(below, abs=1e-4) == limit
    if abs(value - limit) > 1e-4:
        assert (float(shown) > limit) == (value > limit)
        assert float(shown) != limit


def test_a_value_just_under_its_threshold_does_not_look_as_if_it_met_it(undecided):
    verdict = replace(undecided, value=0.7996, low=0.77, high=0.83)
    assert verdict_figures(verdict)[0] == "0.7996"


def test_the_promise_is_written_with_its_sign(undecided):
    assert wanted(undecided) == ">= 0.80"
    assert wanted(replace(undecided, threshold=500.0, direction="at_most")) == "<= 500"

from __future__ import annotations

import pytest

from qua3ck.understand.sources.patience import GivenUp, Passing, Patience


class Time:
    def __init__(self):
        self.now, self.slept = 0.0, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_waits_double_and_tries_are_counted_by_their_reason():
    time, reasons = Time(), iter(["a", "b", "a", "a", "b", "c", "d"])

    def attempt(_):
        raise Passing(next(reasons))

    with pytest.raises(GivenUp) as told:
        Patience(clock=lambda: time.now, sleep=time.sleep).last(attempt)
    assert time.slept == [1, 2, 4, 8, 16]
    assert told.value.says == "6 tries: a 3 x, b 2 x, c"


def test_it_ends_when_the_time_is_used_up_whatever_is_left_of_the_tries():
    time, left = Time(), []

    def attempt(seconds):
        left.append(seconds)
        time.now += 40
        raise Passing("time-out")

    with pytest.raises(GivenUp):
        Patience(tries=99, seconds=100, clock=lambda: time.now, sleep=time.sleep).last(attempt)
    assert left == [100, 59, 17]
    assert time.now <= 140


def test_other_failures_are_not_tried_again():
    def attempt(_):
        raise KeyError

    with pytest.raises(KeyError):
        Patience(sleep=lambda _: pytest.fail("slept")).last(attempt)

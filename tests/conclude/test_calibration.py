from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from qua3ck.conclude.calibration import calibration, share_interval

CLASSES = ("no", "yes")


def drawn(rows: int, *, shift: float = 0.0, seed: int = 1):
    random = np.random.default_rng(seed)
    chance = random.uniform(0.05, 0.75, rows)
    truth = np.where(random.uniform(size=rows) < chance + shift, "yes", "no")
    return truth, np.column_stack([1 - chance, chance])


@pytest.mark.parametrize(("hits", "rows"), [(0, 5), (28, 30), (7, 7), (50, 1000)])
def test_share_interval_agrees_with_statsmodels(hits, rows):
    wanted = proportion_confint(hits, rows, alpha=0.05, method="beta")
    assert share_interval(hits, rows, confidence=0.95) == pytest.approx(wanted)


def test_honest_probabilities_are_rarely_called_off():
    found = [
        calibration(*drawn(600, seed=seed), CLASSES, positive="yes")["off"] > 0
        for seed in range(60)
    ]
    assert sum(found) <= 8  # 5 % allowed: more than 8 of 60 has a chance of 0.2 %


def test_shifted_probabilities_are_called_off():
    found = calibration(*drawn(2000, shift=0.2), CLASSES, positive="yes")
    assert found["off"] >= 5
    assert found["ece"] == pytest.approx(0.2, abs=0.04)


def test_bins_hold_every_row_once_and_never_fewer_than_30():
    truth, scores = drawn(95)
    bins = calibration(truth, scores, CLASSES, positive="yes")["bins"]
    assert sum(each["rows"] for each in bins) == 95
    assert min(each["rows"] for each in bins) >= 30


def test_few_rows_give_no_bin_and_no_error_of_calibration():
    found = calibration(*drawn(20), CLASSES, positive="yes")
    assert (found["bins"], found["ece"], found["off"]) == ([], None, 0)


def test_equal_scores_share_a_bin():
    scores = np.tile([0.4, 0.6], (100, 1))
    found = calibration(np.repeat(["yes", "no"], [60, 40]), scores, CLASSES, positive="yes")
    (only,) = found["bins"]
    assert (only["rows"], only["observed"], only["off"]) == (100, 0.6, False)


def test_more_than_two_classes_are_judged_by_the_likeliest():
    scores = np.tile([0.7, 0.2, 0.1], (60, 1))
    truth = np.repeat(["a", "b", "c"], [42, 12, 6])
    found = calibration(truth, scores, ("a", "b", "c"), positive="")
    assert found["ece"] == pytest.approx(0.0)

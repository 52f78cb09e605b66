from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import average_precision_score

from qua3ck.question import METRICS
from qua3ck.question.bootstrap import (
    FEW_KINDS,
    MANY,
    Figure,
    bca_bounds,
    bootstrap_bounds,
    draw,
    resamples_for,
    tilted_bounds,
)
from qua3ck.question.bounds import interval
from qua3ck.question.outcome import Outcome
from qua3ck.question.scoring import figure, score

RNG = np.random.default_rng(8)


def of_mean(values):
    rows = len(values)
    influence = (values - values.mean()) / rows
    return Figure(
        float(values.mean()), np.ones(rows), influence, lambda w: w @ values / w.sum(axis=1)
    )


def plain(of, *, resamples=20_000, expand=True):
    return bca_bounds(of, draw(of, resamples=resamples, seed=1), confidence=0.95, expand=expand)


@pytest.mark.parametrize("n", [60, 500])
def test_unexpanded_bounds_agree_with_scipys_bca(n):
    truth = RNG.gamma(3, 2, n)
    errors = RNG.exponential(size=n)
    of = figure(METRICS["rmse"], Outcome(truth, values=truth + errors))
    expected = bootstrap(
        (errors,), lambda e, axis: np.sqrt((e**2).mean(axis=axis)), confidence_level=0.90,
        n_resamples=40_000, method="BCa", rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert plain(of, resamples=40_000, expand=False) == pytest.approx(tuple(expected), rel=0.012)


@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_unexpanded_bounds_of_a_mean_agree_with_scipys_bca(kind):
    rng = np.random.default_rng(25)
    values = rng.normal(size=25) if kind == "normal" else rng.exponential(size=25)
    wanted = bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=0.9, method="BCa", rng=rng
    ).confidence_interval
    noise = values.std() / 5 * np.sqrt(0.02 * 0.98 / 20_000) / 0.048  # of the 0.98 quantile
    assert plain(of_mean(values), expand=False) == pytest.approx(
        tuple(wanted), abs=4 * np.sqrt(2) * noise
    )


@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_bounds_without_resampling_agree_with_scipys_bca(kind):
    rng = np.random.default_rng(7)
    values = rng.normal(size=2500) if kind == "normal" else rng.exponential(size=2500) ** 2
    wanted = bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=0.9, method="BCa", rng=rng,
        batch=500,
    ).confidence_interval  # fmt: skip
    found = tilted_bounds(of_mean(values), confidence=0.95, seed=1, expand=False)
    assert found == pytest.approx(tuple(wanted), abs=0.06 * (wanted.high - wanted.low) / 2)


def many(made, name):
    rng = np.random.default_rng(21)
    if name in {"rmse", "mae", "r2"}:
        return made.numbers(rng, 3000)
    return made.binary(rng, 3000, share=0.15, shift=2.0)


@pytest.mark.parametrize("name", ["rmse", "mae", "r2", "brier", "log_loss", "average_precision"])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_bounds_without_resampling_are_those_of_resampling(made, name, confidence):
    of = figure(METRICS[name], many(made, name))
    resampled = draw(of, resamples=10_000, seed=1)
    slow = bca_bounds(of, resampled, confidence=confidence)
    quick = tilted_bounds(of, confidence=confidence, seed=1)
    assert quick == pytest.approx(slow, abs=0.05 * (slow[1] - slow[0]))


def test_where_few_rows_carry_a_figure_only_resampling_bounds_it():
    values = np.append(np.random.default_rng(1).normal(size=3000), [-60.0, -80.0])
    of = of_mean(values)
    assert tilted_bounds(of, confidence=0.95, seed=1) is None
    resampled = draw(of, resamples=2000, seed=1)
    assert bootstrap_bounds(of, confidence=0.95, seed=1) == bca_bounds(
        of, resampled, confidence=0.95
    )


@pytest.mark.parametrize("name", ["mae", "average_precision"])
def test_fifty_thousand_rows_are_weighed_a_few_dozen_times_and_in_parts(made, name):
    rng = np.random.default_rng(2)
    rows = made.numbers(rng, 50_000) if name == "mae" else made.binary(rng, 50_000)
    of = figure(METRICS[name], rows)
    sets, sizes = [], []

    def values(weights):
        sets.append(len(weights))
        sizes.append(weights.nbytes)
        return of.values(weights)

    low, high = bootstrap_bounds(replace(of, values=values), confidence=0.95, seed=1)
    assert low < of.value < high
    assert high - of.value == pytest.approx(1.645 * of.error, rel=0.05)
    assert sum(sets) < 100
    assert max(sizes) <= 16_000_000


def test_a_million_rows_of_a_confusion_matrix_cost_what_a_hundred_do(made):
    outcome = made.binary(np.random.default_rng(2), 50_000)
    of = figure(METRICS["f1"], outcome)
    assert len(of.rows) == 6 <= FEW_KINDS
    assert of.rows.sum() == 50_000 > MANY
    found = interval(METRICS["f1"], outcome, confidence=0.95, seed=1)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.02


def test_kinds_drawn_as_counts_are_the_rows_drawn_one_by_one(made):
    truth, labels = RNG.integers(0, 2, 300).astype(str), RNG.integers(0, 2, 300).astype(str)
    kinds = figure(METRICS["macro_f1"], Outcome(truth, labels=labels, classes=("0", "1")))

    def one_by_one(weights):
        return np.array([
            score("macro_f1", Outcome(truth.repeat(w), labels=labels.repeat(w), classes=("0", "1")))
            for w in weights.astype(int)
        ])  # fmt: skip

    rows = Figure(kinds.value, np.ones(300), np.zeros(300), one_by_one)
    fast, slow = draw(kinds, resamples=8000, seed=3), draw(rows, resamples=2000, seed=3)
    assert np.quantile(fast, [0.05, 0.5, 0.95]) == pytest.approx(
        np.quantile(slow, [0.05, 0.5, 0.95]), abs=0.008
    )


def test_rows_between_the_same_positive_ones_are_one_kind_of_the_average_precision():
    rng = np.random.default_rng(4)
    positive = rng.random(5000) < 0.01
    said = np.round(rng.normal(size=5000) + positive, 2)  # with ties
    rows = Outcome(np.where(positive, "1", "0"), scores=np.column_stack([-said, said]),
                   classes=("0", "1"))  # fmt: skip
    of = figure(METRICS["average_precision"], rows)
    assert len(of.rows) <= 4 * positive.sum() + 1 < 5000
    assert of.rows.sum() == 5000
    expected = average_precision_score(positive, said)
    assert of.values(of.rows[None]) == pytest.approx(expected)
    assert of.value == pytest.approx(expected)
    assert of.rows @ of.influence == pytest.approx(0, abs=1e-9)


def test_a_figure_that_no_row_moves_has_no_width():
    of = of_mean(np.ones(3000))
    assert of.error == of.effective == 0
    assert bootstrap_bounds(of, confidence=0.95, seed=1) == (1.0, 1.0)


@pytest.mark.parametrize("n", [50, 3000])
def test_the_same_seed_gives_the_same_bounds(n):
    of = of_mean(RNG.normal(size=n))
    first, again = (bootstrap_bounds(of, confidence=0.95, seed=4) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", ["brier", "f1", "average_precision"])
def test_another_seed_gives_other_bounds(name, made):
    outcome = made.binary(np.random.default_rng(1), 150)
    first, again, other = (
        interval(METRICS[name], outcome, confidence=0.95, seed=seed) for seed in (7, 7, 8)
    )
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


def test_bounds_widen_more_where_few_rows_carry_the_figure():
    def widened(values):
        small, wide = (plain(of_mean(values), expand=expand) for expand in (False, True))
        return (wide[1] - wide[0]) / (small[1] - small[0])

    calm = np.random.default_rng(5).normal(size=60)
    assert 1 < widened(calm) < widened(np.append(calm[:59], 12.0))


def test_a_high_confidence_leaves_enough_resamples_beyond_the_bound():
    assert resamples_for(0.95) == 2000
    assert resamples_for(0.999) * 0.001 >= 40


def test_resamples_without_a_value_are_left_out():
    resampled = np.array([0.1, np.nan, 0.3, 0.2, np.nan])
    of = Figure(0.2, np.ones(3), np.array([-0.1, 0.0, 0.1]), lambda w: w[:, 0])
    low, high = bca_bounds(of, resampled, confidence=0.95, expand=False)
    assert 0.1 <= low <= 0.2 <= high <= 0.3

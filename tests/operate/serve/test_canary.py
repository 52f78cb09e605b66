from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from qua3ck.operate.records import Canary
from qua3ck.operate.serve.canary import (
    WATCHED,
    Block,
    Errors,
    Judgement,
    Stake,
    _means,
    _one,
    _two,
    begin,
    look,
    part_of_bound,
)

USUAL = {"errors": 0.002, "slow": 0.005, "refusals": 0.03, "outcomes": 0.25}


def looks(rng, canary, champion, *, answers=10_000, share=0.1, busy=0.8):
    """Yield what comes in between looks; how many are bad goes up and down with the hour."""
    sent = 0
    while sent < answers:
        size = int(rng.integers(20, 300))
        sent += size
        a = int(rng.binomial(size, share))
        hour = 1 + busy * math.sin(sent / 1500)
        seen = {}
        for name in WATCHED:
            n, m = (a, size - a) if name != "outcomes" else (a // 5, (size - a) // 5)
            bad, worse = min(1, canary[name] * hour), min(1, champion[name] * hour)
            seen[name] = Block(n, int(rng.binomial(n, bad)), m, int(rng.binomial(m, worse)))
        yield seen


def rollout(rng, canary, champion, **more) -> tuple[Judgement, bool, int]:
    """Return the judgement when it was stopped or over, and after how many answers."""
    judgement, answers = begin(promised=True), 0
    for seen in looks(rng, canary, champion, **more):
        answers += seen["errors"].canary
        judgement = look(judgement, seen)
        if judgement.stops(0.05):
            return judgement, True, answers
    return judgement, False, answers


def expected(block: Block, p: float, q: float, factor) -> float:
    """Return the mean factor over every outcome of a block, each with its exact chance."""
    total = 0.0
    for a, b in itertools.product(range(block.canary + 1), range(block.champion + 1)):
        chance = math.comb(block.canary, a) * p**a * (1 - p) ** (block.canary - a)
        chance *= math.comb(block.champion, b) * q**b * (1 - q) ** (block.champion - b)
        total += chance * factor(Block(block.canary, a, block.champion, b))
    return total


@pytest.mark.parametrize("sizes", [(1, 1), (1, 9), (5, 5), (7, 3), (2, 12)])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("guess", [(0.01, 0.02), (0.01, 0.9), (0.3, 0.5)])
def test_whoever_bets_against_equal_shares_wins_nothing_on_average(sizes, share, guess):
    """Exact, over all outcomes: the definition of an e-variable."""
    block = Block(canary=sizes[0], champion=sizes[1])
    champion, canary = guess
    mean = expected(block, share, share, lambda b: _two(b, champion, canary))
    assert mean <= 1 + 1e-9
    better = expected(block, share / 2, share, lambda b: _two(b, champion, canary))
    assert better <= mean + 1e-9


@pytest.mark.parametrize("share", [0.0, 0.005, 0.01])
def test_whoever_bets_against_a_kept_promise_wins_nothing_on_average(share):
    block = Block(canary=12, champion=0)
    assert expected(block, share, 0.0, lambda b: _one(b, 0.01, 0.05)) <= 1 + 1e-9


def test_a_bet_on_what_is_true_wins():
    block = Block(canary=10, champion=10)
    assert expected(block, 0.5, 0.1, lambda b: _two(b, 0.1, 0.5)) > 1.5


def test_what_is_laid_is_never_more_than_there_is():
    stake = Stake()
    for _ in range(1000):
        stake = stake.bet([1.0] * 7)
    assert stake.worth == pytest.approx(1.0)


def test_good_canaries_are_stopped_no_more_often_than_declared():
    """Sixty here; a thousand in prove/canary.py. Declared 5 %; the chance of 9 is 0.2 %."""
    rng = np.random.default_rng(11)
    stopped = sum(rollout(rng, USUAL, USUAL, answers=6000)[1] for _ in range(60))
    assert stopped <= 8


def test_a_better_canary_is_left_alone():
    rng = np.random.default_rng(5)
    better = {name: share / 3 for name, share in USUAL.items()}
    assert not any(rollout(rng, better, USUAL)[1] for _ in range(10))


DEFECTS = {
    "fails always": ("errors", 1.0, 80),
    "fails one in ten": ("errors", 0.1, 250),
    "slow in one of five": ("slow", 0.2, 250),
    "refuses half": ("refusals", 0.5, 150),
    "is wrong in most": ("outcomes", 0.7, 900),
}


@pytest.mark.parametrize(("name", "share", "within"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_stopped_soon_and_blamed(name, share, within):
    rng = np.random.default_rng(3)
    for _ in range(5):
        judgement, stopped, answers = rollout(rng, {**USUAL, name: share}, USUAL, busy=0.3)
        assert stopped
        assert judgement.blames == name
        assert answers <= within


def test_a_defect_that_comes_late_is_stopped_too():
    rng = np.random.default_rng(8)
    judgement = begin(promised=True)
    for seen in looks(rng, USUAL, USUAL, answers=20_000):
        judgement = look(judgement, seen)
    assert not judgement.stops(0.05)
    answers = 0
    for seen in looks(rng, {**USUAL, "errors": 0.2}, USUAL, answers=20_000):
        judgement = look(judgement, seen)
        answers += seen["errors"].canary
        if judgement.stops(0.05):
            break
    assert judgement.stops(0.05)
    assert answers < 500


def test_slower_but_within_the_promise_is_no_reason():
    """The champion is never slow, the canary in one of two hundred; one in a hundred may be."""
    rng = np.random.default_rng(2)
    quick = {**USUAL, "slow": 0.0}
    slower = {**USUAL, "slow": 0.005}
    assert not rollout(rng, slower, quick, busy=0.0, answers=30_000, share=0.3)[1]


def test_a_machine_that_slows_both_down_accuses_nobody():
    rng = np.random.default_rng(4)
    overloaded = {**USUAL, "slow": 0.3, "errors": 0.2}
    assert not any(rollout(rng, overloaded, overloaded)[1] for _ in range(10))


def test_too_few_answers_wait_and_are_not_lost():
    judgement = begin(promised=False)
    for _ in range(4):
        judgement = look(judgement, {"errors": Block(1, 1, 100, 0)})
    assert judgement.worth == 1.0
    assert judgement.watches["errors"].total == Block(4, 4, 400, 0)
    judgement = look(judgement, {"errors": Block(1, 1, 100, 0)})
    assert judgement.watches["errors"].worth > 1


def test_nothing_seen_is_no_evidence():
    judgement = begin(promised=True)
    for _ in range(10):
        judgement = look(judgement, {})
    assert judgement.worth == 1.0
    assert not judgement.stops(0.5)


def test_a_judgement_comes_back_from_its_file(tmp_path):
    from qua3ck.kit.records import load, save

    rng = np.random.default_rng(1)
    judgement = rollout(rng, USUAL, USUAL, answers=2000)[0]
    save(judgement, tmp_path / "judgement.json")
    assert load(Judgement, tmp_path / "judgement.json") == judgement


PROMISED = 2.0
JUDGED = Canary(error="absolute", error_bound=4 * PROMISED)
SHAPES = {
    "bell": lambda rng, n: rng.normal(0, 1, n) / 0.798,
    "heavy": lambda rng, n: rng.standard_t(2.5, n) / 1.3,
    "skewed": lambda rng, n: rng.exponential(1, n),
}


def missed(rng, shape, n, size):
    """Return errors that are ``size`` promised errors large on average, as parts of the bound."""
    off = SHAPES[shape](rng, n) * PROMISED * size
    return tuple(part_of_bound(100 + one, 100, JUDGED) for one in off.tolist())


def judged_numbers(rng, shape, canary, champion, *, answers=2000, busy=0.8):
    """Return whether a rollout was stopped, and after how many outcomes of the canary."""
    judgement, sent = begin(promised=True), 0
    for number in range(answers // 50):
        hour = 1 + busy * math.sin(number / 8)
        n = int(rng.binomial(50, 0.2))
        new = missed(rng, shape, n, canary * hour), missed(rng, shape, 50 - n, champion * hour)
        sent += n
        judgement = look(judgement, {"outcomes": Errors(*new)})
        if judgement.stops(0.05):
            return True, sent
    return False, sent


@pytest.mark.parametrize("sizes", [(1, 1), (1, 9), (5, 5), (2, 7)])
@pytest.mark.parametrize("guess", [(0.01, 0.02), (0.01, 0.9), (0.2, 0.5)])
def test_whoever_bets_against_equal_mean_errors_wins_nothing_on_average(sizes, guess):
    """Exact, over all outcomes: each side takes two values of the same mean, not the same ones."""
    n, m = sizes
    sides = (((0.1, 0.5), 0.25), ((0.0, 1.0), 0.6))  # values, chance of the first: both 0.4
    champion, canary = guess
    total = 0.0
    for a, b in itertools.product(range(n + 1), range(m + 1)):
        chance, drawn = 1.0, []
        for many, low, ((small, large), first) in ((n, a, sides[0]), (m, b, sides[1])):
            chance *= math.comb(many, low) * first**low * (1 - first) ** (many - low)
            drawn.append((small,) * low + (large,) * (many - low))
        total += chance * _means(Errors(*drawn), champion, canary)
    assert total <= 1 + 1e-9


def test_of_yes_and_no_errors_are_judged_as_counts_are():
    errors = Errors((1.0, 0.0, 1.0), (0.0,) * 6 + (1.0,))
    assert _means(errors, 0.1, 0.6) == pytest.approx(_two(errors.counted, 0.1, 0.6))


@pytest.mark.parametrize("shape", SHAPES)
def test_good_canaries_are_not_stopped_by_their_numbers(shape):
    """Forty here; a thousand in prove/canary.py. Declared 5 %; the chance of 7 is 0.3 %."""
    rng = np.random.default_rng(4)
    assert sum(judged_numbers(rng, shape, 0.8, 0.8, answers=1000)[0] for _ in range(40)) <= 6
    assert not any(judged_numbers(rng, shape, 0.5, 0.8, answers=1000)[0] for _ in range(10))


@pytest.mark.parametrize(("shape", "worse", "within"), [("bell", 2, 300), ("heavy", 4, 150)])
def test_a_canary_whose_numbers_are_further_off_is_stopped(shape, worse, within):
    rng = np.random.default_rng(2)
    for _ in range(5):
        stopped, outcomes = judged_numbers(rng, shape, 0.8 * worse, 0.8, busy=0.3)
        assert stopped
        assert outcomes <= within


def test_errors_wait_for_the_other_side_and_are_bounded():
    judgement = begin(promised=True)
    for _ in range(30):
        judgement = look(judgement, {"outcomes": Errors((), (0.1,) * 100)})
    watch = judgement.watches["outcomes"]
    assert (watch.total.champion, len(watch.held.champion), judgement.worth) == (3000, 1000, 1.0)
    judgement = look(judgement, {"outcomes": Errors((0.9,) * 20)})
    assert judgement.watches["outcomes"].held == Errors()
    assert judgement.watches["outcomes"].worth > 5


@pytest.mark.parametrize(
    ("error", "said", "came", "part"),
    [
        ("absolute", 12.0, 10.0, 0.25),
        ("squared", 12.0, 10.0, 0.0625),
        ("relative", 12.0, 2.0, 0.625),
        ("relative", 0.0, 0.0, 0.0),
        ("relative", 1.0, 0.0, 1.0),
        ("absolute", 1e9, 0.0, 1.0),
        ("absolute", math.nan, 0.0, 1.0),
        ("squared", math.inf, 0.0, 1.0),
    ],
)
def test_an_error_is_a_part_of_its_bound(error, said, came, part):
    assert part_of_bound(said, came, Canary(error=error, error_bound=8.0)) == part

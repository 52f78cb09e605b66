from __future__ import annotations

import math

import numpy as np
import pytest

from qua3ck.operate.records import Canary
from qua3ck.operate.serve.canary import (
    LEVELS,
    WATCHED,
    Block,
    Firsts,
    Judgement,
    Stake,
    _laid,
    _one,
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
        seen, firsts = {}, {}
        for name in WATCHED:
            n, m = (a, size - a) if name != "outcomes" else (a // 5, (size - a) // 5)
            bad, worse = min(1, canary[name] * hour), min(1, champion[name] * hour)
            seen[name] = Block(n, int(rng.binomial(n, bad)), m, int(rng.binomial(m, worse)))
            sides = int(seen[name].canary_bad), int(seen[name].champion_bad)
            firsts[name] = [Firsts((1.0,) * sides[0], (1.0,) * sides[1])]
        yield seen, firsts


def rollout(rng, canary, champion, *, share=0.1, **more) -> tuple[Judgement, bool, int]:
    """Return the judgement when it was stopped or over, and after how many answers."""
    judgement, answers = begin(promised=True), 0
    for seen, firsts in looks(rng, canary, champion, share=share, **more):
        answers += seen["errors"].canary
        judgement = look(judgement, seen, firsts, share=share)
        if judgement.stops(0.05):
            return judgement, True, answers
    return judgement, False, answers


@pytest.mark.parametrize("share", [0.01, 0.05, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("times", [1.25, 3.0, 1000.0])
@pytest.mark.parametrize("size", [0.05, 0.5, 1.0])
def test_whoever_bets_that_the_lot_is_bent_wins_nothing_on_average(share, times, size):
    """Exact, over both sides of the coin: the definition of an e-variable."""
    won = math.exp(_laid(Firsts(canary=(size,)), share, times))
    lost = math.exp(_laid(Firsts(champion=(size,)), share, times))
    assert share * won + (1 - share) * lost == pytest.approx(1.0)
    assert lost < 1 < won


def test_a_canary_that_spares_somebody_is_blamed_less():
    """Whatever the order of things: one person less, or one who was met less hard."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        sizes = tuple(rng.uniform(0.01, 1, 6).tolist())
        whole = _laid(Firsts(sizes, sizes), 0.2, 3.0)
        assert _laid(Firsts(sizes[1:], sizes), 0.2, 3.0) < whole
        assert _laid(Firsts((sizes[0] / 2, *sizes[1:]), sizes), 0.2, 3.0) < whole
        assert _laid(Firsts(sizes, (*sizes, 0.5)), 0.2, 3.0) < whole


def expected(block: Block, p: float, factor) -> float:
    """Return the mean factor over every outcome of a block, each with its exact chance."""
    total = 0.0
    for a in range(block.canary + 1):
        chance = math.comb(block.canary, a) * p**a * (1 - p) ** (block.canary - a)
        total += chance * factor(Block(block.canary, a))
    return total


@pytest.mark.parametrize("share", [0.0, 0.005, 0.01])
def test_whoever_bets_against_a_kept_promise_wins_nothing_on_average(share):
    assert expected(Block(canary=12), share, lambda b: _one(b, 0.01, 0.05)) <= 1 + 1e-9


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


def sticky(rng, people, alike, rank, *, share=0.1, requests=6000, worse=1.0):
    """Return whether a canary was stopped where people keep their version and differ.

    They differ in how often they are refused, and by rank in how often they ask.
    """
    weight = 1 / np.arange(1, people + 1) ** rank
    refused = rng.beta(alike * 0.03, alike * 0.97, people)
    of_canary = rng.random(people) < share
    times = np.zeros(people, int)
    judgement = begin(promised=False)
    for _ in range(requests // 200):
        who = rng.choice(people, 200, p=weight / weight.sum())
        bad = rng.random(200) < refused[who] * np.where(of_canary[who], worse, 1.0)
        before = times.copy()
        np.add.at(times, who[bad], 1)
        firsts = []
        for level in LEVELS:
            met = (before < level) & (times >= level)
            one, other = int((met & of_canary).sum()), int((met & ~of_canary).sum())
            firsts.append(Firsts((1.0,) * one, (1.0,) * other))
        judgement = look(judgement, {}, {"refusals": firsts}, share=share)
        if judgement.stops(0.05):
            return True
    return False


@pytest.mark.parametrize("world", [(20, 20, 1.1), (200, 1, 0.0), (200, 20, 1.1), (2000, 1, 1.1)])
def test_one_partner_whose_every_request_is_refused_stops_nothing(world):
    """Forty of each; the evidence of single requests stopped a quarter of these."""
    rng = np.random.default_rng(6)
    assert sum(sticky(rng, *world) for _ in range(40)) <= 5
    assert sum(sticky(rng, *world, worse=0.5) for _ in range(40)) <= 5


def test_who_is_refused_again_and_again_by_the_canary_counts_again():
    """Everybody is refused once by either; ten times as often only by the canary."""
    rng = np.random.default_rng(7)
    worlds = [(200, 1e6, 0.0)] * 10
    assert all(sticky(rng, *world, worse=10.0, requests=20_000) for world in worlds)


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
    for seen, firsts in looks(rng, USUAL, USUAL, answers=20_000):
        judgement = look(judgement, seen, firsts, share=0.1)
    assert not judgement.stops(0.05)
    answers = 0
    for seen, firsts in looks(rng, {**USUAL, "errors": 0.2}, USUAL, answers=20_000):
        judgement = look(judgement, seen, firsts, share=0.1)
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


def test_too_few_answers_wait_for_what_was_promised_and_are_not_lost():
    judgement = begin(promised=True)
    slow = {"slow": [Firsts((1.0,) * 9)]}
    judgement = look(judgement, {"slow": Block(4, 4, 400, 0)}, slow, share=0.1)
    assert judgement.watches["slow"].worth == 1.0, "nothing was laid against the promise yet"
    assert judgement.watches["slow"].total == Block(4, 4, 400, 0)
    judgement = look(judgement, {"slow": Block(1, 1, 100, 0)}, {}, share=0.1)
    assert judgement.watches["slow"].worth > 1


def test_nothing_seen_is_no_evidence():
    judgement = begin(promised=True)
    for _ in range(10):
        judgement = look(judgement, {}, {}, share=0.25)
    assert judgement.worth <= 1.0
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
        judgement = look(judgement, {}, {"outcomes": [Firsts(*new)]}, share=0.2)
        if judgement.stops(0.05):
            return True, sent
    return False, sent


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

"""A thousand good canaries: stopped no more often than declared. Bad ones: stopped, and how soon.

Each rollout goes by 5 and 25 percent of 20,000 requests, with a fifth of the labels sent back.
Shares of bad answers go up and down with the hour for both sides alike, from a tenth of the
usual to nearly twice it. Declared is a false-stop chance of 5 % per rollout.

Some worlds have people who stay with their version and differ: in how often they ask (by rank,
as words do), and in how often they are refused, for the same version. A single partner whose
every request is refused, drawn into the canary's tenth, must not have a good canary stopped.

Then the same for models that answer numbers: how far each was off, in three shapes of errors,
cut off at the bound that `qua3ck serve` declares (four times the promised error).

    python prove/canary.py [--good 1000] [--bad 200]
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qua3ck.operate.records import Canary
from qua3ck.operate.serve.canary import LEVELS, WATCHED, Block, Firsts, begin, look, part_of_bound

FALSE_STOPS = 0.05
JUDGED = {
    "absolute": Canary(error="absolute", error_bound=4.0),
    "squared": Canary(error="squared", error_bound=4.0),
}
SHAPES = {  # each is off by 0.8 of the promised error on average
    "bell-shaped": lambda rng, n: rng.normal(0, 0.8 / 0.798, n),
    "heavy tails (t, 2.5)": lambda rng, n: rng.standard_t(2.5, n) * 0.8 / 1.04,
    "skewed (exponential)": lambda rng, n: rng.exponential(0.8, n),
}
USUAL = {"errors": 0.002, "slow": 0.005, "refusals": 0.03, "outcomes": 0.25}
WORLDS = {
    "as usual": USUAL,
    "nothing ever fails": {"errors": 0.0, "slow": 0.0, "refusals": 0.0, "outcomes": 0.1},
    "overloaded": {"errors": 0.2, "slow": 0.3, "refusals": 0.03, "outcomes": 0.25},
    "half of everything is bad": dict.fromkeys(WATCHED, 0.5),
}
DEFECTS = (
    ("errors", 1.0), ("errors", 0.2), ("errors", 0.05), ("errors", 0.02),
    ("slow", 0.5), ("slow", 0.1), ("slow", 0.05),
    ("refusals", 0.5), ("refusals", 0.1),
    ("outcomes", 0.6), ("outcomes", 0.4),
)  # fmt: skip


class Look(NamedTuple):
    """What comes in between two looks, and the canary's share of the traffic."""

    seen: dict[str, Block]
    firsts: dict[str, list[Firsts]]
    share: float


def looks(
    rng: np.random.Generator, canary: dict[str, float], champion: dict[str, float], start: int = 0
) -> Iterator[Look]:
    """Yield what comes in between looks; the canary goes bad after ``start`` of its answers.

    Nobody is told from anybody: every request is drawn by itself.
    """
    sent = answered = 0
    phase = rng.uniform(0, 2 * math.pi)
    while sent < 20_000:
        size = int(rng.integers(20, 400))
        share = 0.05 if sent < 10_000 else 0.25
        a = int(rng.binomial(size, share))
        sent += size
        hour = 1 + 0.9 * math.sin(sent / 3000 + phase)
        now = canary if answered >= start else champion
        answered += a
        seen, firsts = {}, {}
        for name in WATCHED:
            n, m = (a, size - a)
            if name == "outcomes":
                n, m = int(rng.binomial(n, 0.2)), int(rng.binomial(m, 0.2))
            bad = int(rng.binomial(n, min(1.0, now[name] * hour)))
            seen[name] = Block(n, bad, m, int(rng.binomial(m, min(1.0, champion[name] * hour))))
            firsts[name] = [Firsts((1.0,) * bad, (1.0,) * int(seen[name].champion_bad))]
        yield Look(seen, firsts, share)


class World(NamedTuple):
    """People who stay with their version: how many, how much they differ, who asks how often."""

    people: int
    alike: float  # the larger, the more alike they are in how often they are refused
    rank: float  # how much more often the first of them asks than the last; 0: all alike


PEOPLE = {
    "200 people, all alike": World(200, 1e6, 0.0),
    "20 people, some of them ask for most": World(20, 20.0, 1.1),
    "200 people, who differ widely": World(200, 1.0, 0.0),
    "200 people, some of them ask for most": World(200, 20.0, 1.1),
    "5,000 people, who differ widely, some of them ask for most": World(5000, 1.0, 1.1),
}


def people_looks(rng: np.random.Generator, world: World, worse: float = 1.0) -> Iterator[Look]:
    """Yield what comes in where each of so many people has the version that the lot gave them.

    ``worse`` is how many times as often the canary refuses each of them.
    """
    weight = 1 / np.arange(1, world.people + 1) ** world.rank
    weight /= weight.sum()
    refused = rng.beta(world.alike * 0.03, world.alike * 0.97, world.people)
    lot = rng.random(world.people)
    times = np.zeros(world.people, int)
    sent = 0
    while sent < 20_000:
        size = int(rng.integers(20, 400))
        share = 0.05 if sent < 10_000 else 0.25
        sent += size
        who = rng.choice(world.people, size, p=weight)
        of_canary = lot[who] < share
        bad = rng.random(size) < refused[who] * np.where(of_canary, worse, 1.0)
        before = times.copy()
        np.add.at(times, who[bad], 1)
        firsts = []
        for level in LEVELS:
            met = (before < level) & (times >= level)
            one, other = int((met & (lot < share)).sum()), int((met & (lot >= share)).sum())
            firsts.append(Firsts((1.0,) * one, (1.0,) * other))
        seen = Block(
            int(of_canary.sum()),
            int((bad & of_canary).sum()),
            int((~of_canary).sum()),
            int((bad & ~of_canary).sum()),
        )
        yield Look({"refusals": seen}, {"refusals": firsts}, share)


def rollout(coming: Iterator[Look], start: int = 0) -> tuple[bool, int, str]:
    """Return whether it was stopped, after how many answers of the canary, and what for."""
    judgement, answers = begin(promised=True), 0
    for one in coming:
        answers += max(block.canary for block in one.seen.values())
        judgement = look(judgement, one.seen, one.firsts, share=one.share)
        if judgement.stops(FALSE_STOPS):
            return True, answers - start, judgement.blames
    return False, answers - start, ""


def good(n: int) -> bool:
    """Say how often canaries that are no worse are stopped; whether that is what was declared."""
    held = True
    print(f"| good canaries, {n} each | stopped | declared |\n| --- | --- | --- |")
    for seed, (name, world) in enumerate(WORLDS.items()):
        rng = np.random.default_rng(seed)
        stopped = sum(rollout(looks(rng, world, world))[0] for _ in range(n))
        held &= stopped <= FALSE_STOPS * n + 3 * math.sqrt(FALSE_STOPS * (1 - FALSE_STOPS) * n)
        print(f"| {name} | {stopped / n:.3f} | {FALSE_STOPS} |", flush=True)
    rng = np.random.default_rng(99)
    better = {name: share / 2 for name, share in USUAL.items()}
    stopped = sum(rollout(looks(rng, better, USUAL))[0] for _ in range(n))
    print(f"| half as bad as the champion | {stopped / n:.3f} | {FALSE_STOPS} |", flush=True)
    held &= stopped <= FALSE_STOPS * n
    for name, people in PEOPLE.items():
        for worse, also in ((1.0, ""), (0.5, ", half as bad")):
            rng = np.random.default_rng(12)
            stopped = sum(rollout(people_looks(rng, people, worse))[0] for _ in range(n))
            held &= stopped <= FALSE_STOPS * n
            print(f"| {name}{also} | {stopped / n:.3f} | {FALSE_STOPS} |", flush=True)
    print()
    return held


def bad(n: int) -> bool:
    """Say how soon defects are stopped; whether every gross one is, and is blamed rightly."""
    held = True
    print(f"| defect, {n} each | from answer | stopped | answers it took: median, 90 % |")
    print("| --- | --- | --- | --- |")
    for name, share in DEFECTS:
        for start in (0, 1500):
            rng = np.random.default_rng(7)
            worse = {**USUAL, name: share}
            ends = [rollout(looks(rng, worse, USUAL, start), start) for _ in range(n)]
            took = [answers for stopped, answers, _ in ends if stopped and answers > 0]
            caught = len(took) / n
            middle, most = np.quantile(took, [0.5, 0.9]) if took else (math.nan, math.nan)
            print(
                f"| {share:g} {name} instead of {USUAL[name]:g} | {start} | {caught:.2f} |"
                f" {middle:.0f}, {most:.0f} |",
                flush=True,
            )
            gross = share >= 0.1 and (name != "outcomes") and start == 0
            blamed = [why for stopped, _, why in ends if stopped]
            held &= not gross or (caught == 1 and blamed.count(name) >= 0.95 * len(blamed))
    for name, people in PEOPLE.items():
        rng = np.random.default_rng(13)
        ends = [rollout(people_looks(rng, people, 10.0)) for _ in range(n)]
        took = [answers for stopped, answers, _ in ends if stopped]
        middle, most = np.quantile(took, [0.5, 0.9]) if took else (math.nan, math.nan)
        print(
            f"| refuses ten times as often: {name} | 0 | {len(took) / n:.2f} |"
            f" {middle:.0f}, {most:.0f} |",
            flush=True,
        )
    return held


def numbers(
    rng: np.random.Generator, shape: str, error: str, worse: float = 1.0
) -> tuple[bool, int]:
    """Return whether a rollout was stopped by its numbers, and after how many outcomes."""
    judgement, outcomes, sent = begin(promised=True), 0, 0
    phase = rng.uniform(0, 2 * math.pi)
    judged = JUDGED[error]
    while sent < 20_000:
        size = int(rng.integers(20, 400))
        sent += size
        came = int(rng.binomial(size, 0.2))
        share = 0.05 if sent < 10_000 else 0.25
        a = int(rng.binomial(came, share))
        hour = 1 + 0.9 * math.sin(sent / 3000 + phase)
        off = SHAPES[shape](rng, came) * hour
        off[:a] *= worse
        parts = tuple(part_of_bound(one, 0.0, judged) for one in off.tolist())
        firsts = {"outcomes": [Firsts(parts[:a], parts[a:])]}
        judgement = look(judgement, {}, firsts, share=share)
        outcomes += a
        if judgement.stops(FALSE_STOPS):
            return True, outcomes
    return False, outcomes


def good_numbers(n: int) -> bool:
    """Say how often canaries whose numbers are no further off are stopped."""
    held = True
    print(f"| good canaries that answer numbers, {n} each | error | stopped | declared |")
    print("| --- | --- | --- | --- |")
    for shape in SHAPES:
        for error in JUDGED:
            rng = np.random.default_rng(5)
            stopped = sum(numbers(rng, shape, error)[0] for _ in range(n))
            held &= stopped <= FALSE_STOPS * n + 3 * math.sqrt(FALSE_STOPS * (1 - FALSE_STOPS) * n)
            print(f"| {shape} | {error} | {stopped / n:.3f} | {FALSE_STOPS} |", flush=True)
    rng = np.random.default_rng(15)
    stopped = sum(numbers_of_people(rng) for _ in range(n))
    held &= stopped <= FALSE_STOPS * n
    shape = "people; rarely far off instead of always a little"
    print(f"| {shape} | absolute | {stopped / n:.3f} | {FALSE_STOPS} |", flush=True)
    return held


def numbers_of_people(rng: np.random.Generator, worse: float = 1.0) -> bool:
    """Return whether a rollout was stopped among 1,500 people who keep their version.

    The champion is always off by a twentieth of the bound, the canary by a half in one of ten
    answers and exact in the others: the same on average.
    """
    judgement = begin(promised=False)
    lot, times = rng.random(1500), np.zeros(1500, int)
    for number in range(60):
        share = 0.05 if number < 30 else 0.25
        of_canary = lot < share
        firsts = [([], []) for _ in LEVELS]
        for one in rng.integers(0, 1500, 300):
            off = (0.5 * worse if rng.random() < 0.1 else 0.0) if of_canary[one] else 0.05
            times[one] += 1
            if times[one] in LEVELS and off:
                firsts[LEVELS.index(times[one])][0 if of_canary[one] else 1].append(off)
        met = [Firsts(tuple(one), tuple(other)) for one, other in firsts]
        judgement = look(judgement, {}, {"outcomes": met}, share=share)
        if judgement.stops(FALSE_STOPS):
            return True
    return False


def bad_numbers(n: int) -> bool:
    """Say how soon errors that grew are stopped; whether the gross ones always are."""
    held = True
    print(f"\n| errors grew, {n} each | by | error | stopped | outcomes it took: median, 90 % |")
    print("| --- | --- | --- | --- | --- |")
    for shape in SHAPES:
        for error in JUDGED:
            for worse in (1.25, 1.5, 2.0, 4.0):
                rng = np.random.default_rng(6)
                ends = [numbers(rng, shape, error, worse) for _ in range(n)]
                took = [outcomes for stopped, outcomes in ends if stopped]
                middle, most = np.quantile(took, [0.5, 0.9]) if took else (math.nan, math.nan)
                print(
                    f"| {shape} | {worse:g} | {error} | {len(took) / n:.2f} |"
                    f" {middle:.0f}, {most:.0f} |",
                    flush=True,
                )
                held &= worse < 4 or len(took) == n
    return held


def main() -> int:
    """Simulate; return 1 if more is stopped than was declared, or a gross defect is not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--good", type=int, default=1000)
    parser.add_argument("--bad", type=int, default=200)
    options = parser.parse_args()
    held = good(options.good) & bad(options.bad)
    held &= good_numbers(options.good) & bad_numbers(options.bad)
    print("held" if held else "DID NOT HOLD")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

"""Is the canary worse? A test that may be looked at after every request, and stays valid.

Which people get the canary is drawn by lot: a keyed hash of their key, or chance where nobody
has one. So whoever gets a bad answer first, among those who had none before, has the canary
with a chance equal to its share, if it gives nobody one sooner than the champion would; whoever
they are, however often they ask, and however busy the hour is. That is a coin whose bias is
known, and the judge bets that it lands on the canary more often. Nobody who bets against the
truth multiplies their stake by 20 with a chance above 1/20, however long they play and whenever
they stop (Ville's inequality). So a rollout is stopped when a part of the stake alone has become
``1 / false_stops`` of the whole.

Each person counts for each watched thing once, and once more at their eighth and their 64th bad
answer, each by a stake of its own. A partner whose every request is refused counts for little
more than one that is refused once: else a single one of them, drawn into the canary's tenth,
would have a good version stopped.

The bet on one person is ``1 + size * (q / p - 1)`` where they have the canary and ``1 + size *
((1 - q) / (1 - p) - 1)`` else, with ``p`` the canary's share, ``q`` what is bet on, and
``size`` how bad the answer was: 1 for an error, a part of the promised bound for a number that
was off. Its mean is 1 whatever the size, if the size does not depend on the lot. It is the bet
on a bounded mean of I. Waudby-Smith and A. Ramdas (2024), Estimating means of bounded random
variables by betting, J. R. Stat. Soc. B 86, laid on the lot itself (R. A. Fisher's own test).
What is bet on is a mixture of how many times worse the canary is. All of it is laid at the
start: each bet grows with every person of the canary and shrinks with every one of the
champion, so a canary that spares people can only be stopped later, never sooner.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from qua3ck.operate.records import Canary

WATCHED = ("errors", "slow", "refusals", "outcomes")
LEVELS = (1, 8, 64)  # bad answers of a person at which they count

_TIMES_WORSE = (1.25, 1.5, 2.0, 3.0, 8.0, 50.0, 1000.0)
_WORSE_BY = (0.003, 0.01, 0.03, 0.1, 0.3, 0.9)
_LEAST = 5  # answers of the canary that make a look at a promised share; fewer wait
_FEW, _FEW_BAD = 20.0, 0.2  # what is assumed before anything was seen: one in a hundred
_CLIP = 1e-4
_RICH = 1e250


@dataclass(frozen=True)
class Block:
    """What came in between two looks: how many of each side, and how many of them were bad.

    Where errors of numbers are judged, their sum, as parts of the bound, stands for how many
    were bad.
    """

    canary: int = 0
    canary_bad: float = 0
    champion: int = 0
    champion_bad: float = 0

    def __add__(self, other: Block) -> Block:
        """Return both together."""
        return Block(
            self.canary + other.canary,
            self.canary_bad + other.canary_bad,
            self.champion + other.champion,
            self.champion_bad + other.champion_bad,
        )


@dataclass(frozen=True)
class Firsts:
    """Who got a first (eighth, 64th) bad answer: how bad it was, in (0, 1], by who gave it."""

    canary: tuple[float, ...] = ()
    champion: tuple[float, ...] = ()


@dataclass(frozen=True)
class Stake:
    """A stake of 1 at the start: what is kept back after so many bets, and what is in play."""

    bets: int = 0
    parts: tuple[float, ...] = ()

    @property
    def worth(self) -> float:
        """What the stake of 1 has become."""
        return _kept(self.bets) + sum(self.parts)

    def bet(self, factors: Sequence[float]) -> Stake:
        """Put a further part of what was kept back into play, and multiply each part."""
        parts = self.parts or (0.0,) * len(factors)
        more = (_kept(self.bets) - _kept(self.bets + 1)) / len(parts)
        return Stake(
            self.bets + 1,
            tuple(
                min(_RICH, (part + more) * factor)
                for part, factor in zip(parts, factors, strict=True)
            ),
        )


@dataclass(frozen=True)
class Watch:
    """The evidence about one watched thing.

    ``bets`` are the logarithms of what each bet against "no worse than the champion" has
    become, a row for each of :data:`LEVELS`; ``above`` is the stake against "no more than what
    was promised", where something was promised. Both must have won. ``total`` counts
    everything, ``people`` those who got a bad answer: of the canary, of the champion. On
    ``waiting`` no bet was laid yet.
    """

    bets: tuple[tuple[float, ...], ...] = ((0.0,) * len(_TIMES_WORSE),) * len(LEVELS)
    above: Stake | None = None
    waiting: Block = Block()
    total: Block = Block()
    people: tuple[int, int] = (0, 0)

    @property
    def worth(self) -> float:
        """What the best part of a stake of 1 has become, laid in equal parts on all levels.

        Not the sum of the parts: in each level the lots are fair for whoever sees that level
        alone, and who sees several knows some of them before. The best of several parts is as
        large as wanted at most as often as all their chances together.
        """
        against = max(sum(_exp(bet) for bet in level) / len(level) for level in self.bets)
        against /= len(LEVELS)
        return against if self.above is None else min(against, self.above.worth)


@dataclass(frozen=True)
class Judgement:
    """The evidence of one rollout so far."""

    watches: Mapping[str, Watch] = field(default_factory=dict)

    @property
    def worth(self) -> float:
        """What the best part of a stake of 1, laid in equal parts on all watched, has become."""
        return max(watch.worth for watch in self.watches.values()) / len(self.watches)

    @property
    def blames(self) -> str:
        """The watched thing that speaks most against the canary."""
        return max(self.watches, key=lambda name: self.watches[name].worth)

    def stops(self, false_stops: float) -> bool:
        """Whether the canary is to be stopped.

        Parameters
        ----------
        false_stops : float, in (0, 1)
            The chance that a canary which gives nobody bad answers sooner or more often than
            the champion would is ever stopped during this rollout.
        """
        return self.worth >= 1 / false_stops


def begin(*, promised: bool) -> Judgement:
    """Return the judgement of a rollout before its first answer.

    Parameters
    ----------
    promised : bool
        Whether a latency was promised; then slow answers count only as far as more than the
        promised share are slow.
    """
    above = {"slow": Stake()} if promised else {}
    return Judgement({name: Watch(above=above.get(name)) for name in WATCHED})


def look(
    judgement: Judgement,
    seen: Mapping[str, Block],
    firsts: Mapping[str, Sequence[Firsts]],
    *,
    share: float,
    slow_share: float = 0.01,
) -> Judgement:
    """Return the judgement after a further look.

    Parameters
    ----------
    seen : mapping
        What came in since the last look, for each watched thing; one left out saw nothing.
    firsts : mapping
        For each watched thing and each of :data:`LEVELS` the people who got their first (eighth,
        64th) bad answer of this rollout since then.
    share : float, in (0, 1)
        The canary's share of those whom canary and champion answer. Where it has just grown
        and some were still drawn by the smaller one, the bet loses by it.
    slow_share : float, default 0.01
        The promised share: at most so many answers may be slow.
    """
    return Judgement(
        {
            name: _watched(watch, seen.get(name, Block()), firsts.get(name, ()), share, slow_share)
            for name, watch in judgement.watches.items()
        }
    )


def part_of_bound(said: float, came: float, judged: Canary) -> float:
    """Return an answer's error as a share of the declared bound, in [0, 1].

    Parameters
    ----------
    said, came : float
        What was answered and what came true, in the target's unit.
    judged : Canary
        Its ``error`` and ``error_bound``; an error beyond the bound counts as the bound.
    """
    off = abs(said - came)
    if judged.error == "relative":
        off = off / abs(came) if came else off * math.inf if off else 0.0
    part = off / judged.error_bound
    part = part * part if judged.error == "squared" else part
    return part if part <= 1 else 1.0  # also where it is no number


def _watched(
    watch: Watch, new: Block, firsts: Sequence[Firsts], share: float, slow_share: float
) -> Watch:
    levels = [*firsts, *[Firsts()] * (len(LEVELS) - len(firsts))]
    bets = tuple(
        tuple(
            bet + _laid(met, share, times) for bet, times in zip(level, _TIMES_WORSE, strict=True)
        )
        for level, met in zip(watch.bets, levels, strict=True)
    )
    one, other = watch.people
    people = (one + len(levels[0].canary), other + len(levels[0].champion))
    watch = replace(watch, bets=bets, people=people)
    block = watch.waiting + new
    if watch.above is None:
        return replace(watch, total=watch.total + new)
    if block.canary < _LEAST:
        return replace(watch, waiting=block, total=watch.total + new)
    factors = [_one(block, slow_share, guess) for guess in _guesses(watch, slow_share)]
    above = watch.above.bet(factors)
    return replace(watch, above=above, waiting=Block(), total=watch.total + new)


def _laid(firsts: Firsts, share: float, times: float) -> float:
    """Return the logarithm of the factor of a bet that the canary is so many times worse."""
    bet = share * times / (1 - share + share * times)
    return _log_factor(firsts.canary, bet / share) + _log_factor(
        firsts.champion, (1 - bet) / (1 - share)
    )


def _log_factor(sizes: Sequence[float], ratio: float) -> float:
    return math.fsum(math.log1p(size * (ratio - 1)) for size in sizes)


def _guesses(watch: Watch, promised: float) -> list[float]:
    """Return how bad the canary might be: beyond the promise by so much, or as it was so far."""
    before = watch.total.canary - watch.waiting.canary
    bad = watch.total.canary_bad - watch.waiting.canary_bad
    so_far = _clipped((bad + _FEW_BAD) / (before + _FEW))
    return [_clipped(promised + worse) for worse in _WORSE_BY] + [max(promised, so_far)]


def _one(block: Block, promised: float, canary: float) -> float:
    """Return the factor of a bet that the canary's share is ``canary`` and not ``promised``."""
    if canary <= promised:
        return 1.0
    good = block.canary - block.canary_bad
    won = block.canary_bad * math.log(canary / promised)
    return _exp(won + good * math.log((1 - canary) / (1 - promised)))


def _clipped(share: float) -> float:
    return min(1 - _CLIP, max(_CLIP, share))


def _kept(bets: int) -> float:
    """Return what of a stake of 1 is kept back after so many bets, for what begins later."""
    return 1 / math.sqrt(1 + bets)


def _exp(value: float) -> float:
    return math.exp(min(value, 500.0))

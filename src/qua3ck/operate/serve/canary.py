"""Is the canary worse? A test that may be looked at after every request, and stays valid.

Errors, slow answers, refusals and wrong outcomes of the canary are held against those of the
champion in the same moments; of a model that answers numbers, how far they were off. Each
look multiplies what a bet against "the canary is no worse" has won; nobody who bets against
the truth multiplies their stake by 20 with a chance above 1/20, however long they play and
whenever they stop (Ville's inequality). So a rollout is stopped when the stake was multiplied
by ``1 / false_stops``.

The bet on one look is the e-variable of R. Turner, A. Ly and P. Grünwald (2024), Generic
E-variables for exact sequential k-sample tests that allow for optional stopping, J. Stat.
Plann. Inference 230, for two streams of yes and no: it holds whatever the common share is,
and may change from look to look, so a busy hour that slows both down accuses nobody. It also
holds where the canary is better. What is bet on (how much worse) is a mixture, and part of
the stake is kept back for a canary that goes bad later.

An error in [0, 1] takes the place of yes and no by a factor that is linear in it: then its
expectation depends on the mean alone, whatever the errors' distribution, and the proof is the
same. It is the bet on a bounded mean of I. Waudby-Smith and A. Ramdas (2024), Estimating means
of bounded random variables by betting, J. R. Stat. Soc. B 86, laid on two streams at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from qua3ck.operate.records import Canary

WATCHED = ("errors", "slow", "refusals", "outcomes")

_WORSE_BY = (0.003, 0.01, 0.03, 0.1, 0.3, 0.9)
_LEAST = 5  # answers of each side that make a look; fewer wait for the next
_MEMORY = 5000.0  # answers of the champion after which an old one weighs little
_FEW, _FEW_BAD = 20.0, 0.2  # what is assumed before anything was seen: one in a hundred
_CLIP = 1e-4
_RICH = 1e250
_HELD = 1000  # errors of one side that wait for the other; older ones are passed over


@dataclass(frozen=True)
class Block:
    """What came in between two looks: how many of each side, and how many of them were bad.

    Where errors are judged, the sum of the errors stands for how many were bad.
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
class Errors:
    """How far off the answers were of which the truth came in: each error in [0, 1]."""

    canary: tuple[float, ...] = ()
    champion: tuple[float, ...] = ()

    def __add__(self, other: Errors) -> Errors:
        """Return both together; of very many the newest, which choice looks at no error."""
        return Errors(
            (*self.canary, *other.canary)[-_HELD:], (*self.champion, *other.champion)[-_HELD:]
        )

    @property
    def counted(self) -> Block:
        """How many they are, and their sums."""
        return Block(
            len(self.canary), math.fsum(self.canary), len(self.champion), math.fsum(self.champion)
        )


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

    ``against`` is the stake against "no worse than the champion"; ``above`` that against
    "no more than what was promised", where something was promised. Both must have won.
    ``total`` counts everything; ``recent`` are the same four numbers with old ones fading.
    ``waiting`` and ``held`` are what no bet was laid on yet.
    """

    against: Stake = Stake()
    above: Stake | None = None
    waiting: Block = Block()
    held: Errors = Errors()
    total: Block = Block()
    recent: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    @property
    def worth(self) -> float:
        """What a stake of 1 has become."""
        return (
            self.against.worth if self.above is None else min(self.against.worth, self.above.worth)
        )


@dataclass(frozen=True)
class Judgement:
    """The evidence of one rollout so far."""

    watches: Mapping[str, Watch] = field(default_factory=dict)

    @property
    def worth(self) -> float:
        """What a stake of 1, laid in equal parts on everything watched, has become."""
        return sum(watch.worth for watch in self.watches.values()) / len(self.watches)

    @property
    def blames(self) -> str:
        """The watched thing that speaks most against the canary."""
        return max(self.watches, key=lambda name: self.watches[name].worth)

    def stops(self, false_stops: float) -> bool:
        """Whether the canary is to be stopped.

        Parameters
        ----------
        false_stops : float, in (0, 1)
            The chance that a canary which is no worse is ever stopped during this rollout.
        """
        return self.worth >= 1 / false_stops


def begin(champion: Mapping[str, tuple[int, int]] | None = None, *, promised: bool) -> Judgement:
    """Return the judgement of a rollout before its first answer.

    Parameters
    ----------
    champion : mapping, optional
        For each watched thing (number, bad) of the champion before the rollout: only to know
        what to bet on, not as evidence.
    promised : bool
        Whether a latency was promised; then slow answers count only as far as more than the
        promised share are slow.
    """
    known = champion or {}
    watches = {}
    for name in WATCHED:
        n, bad = known.get(name, (0, 0))
        weight = min(1.0, _MEMORY / n) if n else 0.0
        above = Stake() if name == "slow" and promised else None
        watches[name] = Watch(above=above, recent=(0.0, 0.0, n * weight, bad * weight))
    return Judgement(watches)


def look(
    judgement: Judgement, seen: Mapping[str, Block | Errors], *, slow_share: float = 0.01
) -> Judgement:
    """Return the judgement after a further look.

    Parameters
    ----------
    seen : mapping
        What came in since the last look, for each watched thing; one left out saw nothing.
    slow_share : float, default 0.01
        The promised share: at most so many answers may be slow.

    Notes
    -----
    A look that has fewer than 5 answers of either side waits for the next one: how many there
    are says nothing about how they were, so waiting for numbers spoils nothing.
    """
    return Judgement(
        {
            name: _watched(watch, seen.get(name, Block()), slow_share)
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


def _watched(watch: Watch, new: Block | Errors, slow_share: float) -> Watch:
    if isinstance(new, Errors):
        return _off(watch, new)
    block = watch.waiting + new
    total = watch.total + new
    if min(block.canary, block.champion) < _LEAST:
        return replace(watch, waiting=block, total=total)
    usual = _share(watch.recent[3], watch.recent[2])
    above = watch.above
    return Watch(
        against=watch.against.bet([_two(block, usual, p) for p in _guesses(watch, usual)]),
        above=above
        and above.bet([_one(block, slow_share, p) for p in _guesses(watch, slow_share)]),
        total=total,
        recent=_faded(watch.recent, block),
    )


def _off(watch: Watch, new: Errors) -> Watch:
    """Return the evidence after further errors of numbers."""
    held = watch.held + new
    total = watch.total + new.counted
    if min(len(held.canary), len(held.champion)) < _LEAST:
        return replace(watch, held=held, total=total)
    usual = _share(watch.recent[3], watch.recent[2])
    return Watch(
        against=watch.against.bet([_means(held, usual, p) for p in _guesses(watch, usual)]),
        total=total,
        recent=_faded(watch.recent, held.counted),
    )


def _guesses(watch: Watch, usual: float) -> list[float]:
    """Return how bad the canary might be: worse by a little or a lot, or as it was so far."""
    so_far = _share(watch.recent[1], watch.recent[0])
    return [_clipped(usual + worse) for worse in _WORSE_BY] + [max(usual, so_far)]


def _two(block: Block, champion: float, canary: float) -> float:
    """Return the factor of a bet that the canary's share is ``canary`` and not ``champion``.

    Notes
    -----
    Expected to be at most 1 if both shares are equal, whatever they are: with the mixed share
    p0 = (n_a p_a + n_b p_b) / n, the weighted mean of E[p_a/p0] and E[p_b/p0] is 1, and the
    product of their powers is at most that (arithmetic and geometric mean). Smaller still if
    the canary's share is the smaller one, since canary >= champion in the bet.
    """
    if canary <= champion:
        return 1.0
    mixed = (block.canary * canary + block.champion * champion) / (block.canary + block.champion)
    return _exp(
        _log_ratio(block.canary, block.canary_bad, canary, mixed)
        + _log_ratio(block.champion, block.champion_bad, champion, mixed)
    )


def _means(held: Errors, champion: float, canary: float) -> float:
    """Return the factor of a bet that the canary's mean error is ``canary``, not ``champion``.

    Notes
    -----
    Of yes and no it is :func:`_two`. Each side's factor has the expectation it has there for
    a share as large as the mean, so the same inequality holds.
    """
    if canary <= champion:
        return 1.0
    n, m = len(held.canary), len(held.champion)
    mixed = (n * canary + m * champion) / (n + m)
    return _exp(
        _log_linear(held.canary, canary, mixed) + _log_linear(held.champion, champion, mixed)
    )


def _log_linear(errors: Sequence[float], p: float, q: float) -> float:
    slope = (p - q) / (q * (1 - q))
    return math.fsum(math.log1p(slope * (error - q)) for error in errors)


def _one(block: Block, promised: float, canary: float) -> float:
    """Return the factor of a bet that the canary's share is ``canary`` and not ``promised``."""
    if canary <= promised:
        return 1.0
    return _exp(_log_ratio(block.canary, block.canary_bad, canary, promised))


def _log_ratio(n: int, bad: float, p: float, q: float) -> float:
    return bad * math.log(p / q) + (n - bad) * math.log((1 - p) / (1 - q))


def _faded(
    recent: tuple[float, float, float, float], block: Block
) -> tuple[float, float, float, float]:
    fade = math.exp(-block.champion / _MEMORY)
    new = (block.canary, block.canary_bad, block.champion, block.champion_bad)
    one, two, three, four = (old * fade + more for old, more in zip(recent, new, strict=True))
    return one, two, three, four


def _share(bad: float, n: float) -> float:
    return _clipped((bad + _FEW_BAD) / (n + _FEW))


def _clipped(share: float) -> float:
    return min(1 - _CLIP, max(_CLIP, share))


def _kept(bets: int) -> float:
    """Return what of a stake of 1 is kept back after so many bets, for what begins later."""
    return 1 / math.sqrt(1 + bets)


def _exp(value: float) -> float:
    return math.exp(min(value, 500.0))

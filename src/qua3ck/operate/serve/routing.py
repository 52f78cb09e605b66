"""Which version answers whom: read off the ledger's events alone, the same in every process.

A champion that was promoted by steps takes over from the one before as the ledger says that
it may: the move itself names the steps, so that a project file edited later rewrites no
history. Who gets which version is a keyed hash of the key: the same person stays with the
same version while its share grows, and another rollout draws anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from qua3ck.ledger import Entry
from qua3ck.operate.records import Arm, Fallback, Routing, ServePlan

EVENTS = frozenset({"alias.moved", "canary.stepped", "canary.stopped", "serving.off", "serving.on"})
_ALL = 2.0**64


@dataclass(frozen=True)
class Rollout:
    """A promoted champion on its way: ``share`` is what it answers now, in (0, 1].

    ``seq`` is that of the move; ``settled`` the version it takes over from; ``steps`` in
    percent; ``since`` the seq of the event that set the share.
    """

    seq: int
    version: int
    settled: int
    steps: tuple[int, ...]
    share: float
    since: int
    at: str

    @property
    def following(self) -> int | None:
        """The next step in percent; None at the last."""
        larger = [step for step in self.steps if step > round(self.share * 100)]
        return larger[0] if larger else None


@dataclass(frozen=True)
class Open:
    """What is still to be written down.

    ``cut_short`` are the moves whose rollout was replaced by another move before it ended,
    and not recorded as stopped. ``alias_ahead`` is the move of a rollout that was stopped and
    whose alias still points to the stopped version.
    """

    cut_short: tuple[int, ...]
    alias_ahead: int | None


@dataclass(frozen=True)
class _Seen:
    """What is known after some events."""

    champion: int | None = None
    champion_since: int = -1
    rollout: Rollout | None = None
    challenger: tuple[int, int] | None = None
    shadow: tuple[int, int] | None = None
    off: tuple[str, int] | None = None
    at_seq: int = -1
    champion_moved: int = -1
    stopped: frozenset[int] = frozenset()
    cut_short: tuple[int, ...] = ()


def routing(entries: Iterable[Entry], plan: ServePlan) -> Routing:
    """Return who answers, from the ledger's events and the plan.

    Parameters
    ----------
    entries : iterable of Entry
        Oldest first; others than :data:`EVENTS` are passed over.
    plan : ServePlan
        Its ``ab_share``, ``fallback``, ``project_id`` and ``actor``.

    Notes
    -----
    A challenger without ``ab_share``, and one that is the champion's own version, gets
    nothing. Shares: the challenger's first, the canary's of what is left. Where there is no
    actor, nobody here could stop a canary, so nobody gets it before the rollout has ended.
    """
    seen = _after(entries)
    if plan.tried:
        return Routing((Arm("champion", plan.tried, 1.0),), None, None, seen.at_seq)
    if not plan.actor:
        seen = replace(seen, rollout=None)
    return Routing(
        arms=_arms(seen, plan.ab_share),
        shadow=_shadow(seen),
        off=_off(seen, plan.fallback),
        at_seq=seen.at_seq,
        salt=plan.project_id,
    )


def rollout(entries: Iterable[Entry]) -> Rollout | None:
    """Return the rollout that is going on; None if none is."""
    return _after(entries).rollout


def settled(routing: Routing) -> Arm | None:
    """Return who answers whoever is in no rollout and no comparison; None before the first.

    This, and not the alias, is the version in use: the alias knows neither steps nor stops.
    """
    return routing.arms[-1] if routing.arms else None


def left_open(entries: Iterable[Entry]) -> Open:
    """Return what somebody has yet to write down about rollouts."""
    seen = _after(entries)
    stopped = seen.champion_moved in seen.stopped
    return Open(
        cut_short=tuple(seq for seq in seen.cut_short if seq not in seen.stopped),
        alias_ahead=seen.champion_moved if stopped else None,
    )


def choose(routing: Routing, key: bytes) -> Arm:
    """Return the arm that answers a key; the same for the same key and routing.

    Parameters
    ----------
    routing : Routing
        With at least one arm.
    key : bytes
        Whoever is to stay with the same version, such as an applicant's number; random
        bytes where nobody is.
    """
    left = 1.0
    arms = routing.arms
    for arm in arms[:-1]:
        if _draw(routing.salt, arm, key) * left < arm.share:
            return arm
        left -= arm.share
    return arms[-1]


def _draw(salt: str, arm: Arm, key: bytes) -> float:
    """Return a number in [0, 1) that nobody outside can aim at."""
    secret = f"{salt}/{arm.name}/{arm.since}".encode()
    drawn = hashlib.blake2b(key, digest_size=8, key=secret[:64]).digest()
    return int.from_bytes(drawn, "big") / _ALL


def _after(entries: Iterable[Entry]) -> _Seen:
    seen = _Seen()
    for entry in entries:
        if entry.event == "alias.moved":
            seen = _moved(seen, entry)
        elif entry.event in {"canary.stepped", "canary.stopped"}:
            seen = _rolled(seen, entry)
        elif entry.event == "serving.off":
            seen = replace(seen, off=(str(entry.body.get("reason", "")), entry.seq))
        elif entry.event == "serving.on":
            seen = replace(seen, off=None)
        seen = replace(seen, at_seq=entry.seq)
    return seen


def _moved(seen: _Seen, entry: Entry) -> _Seen:
    alias, version = str(entry.body["alias"]), _version(entry.body.get("version"))
    here = None if version is None else (version, entry.seq)
    if alias == "challenger":
        return replace(seen, challenger=here)
    if alias == "shadow":
        return replace(seen, shadow=here)
    if alias != "champion":
        return seen
    cut = (seen.rollout.seq,) if seen.rollout is not None else ()
    seen = replace(seen, champion_moved=entry.seq, cut_short=(*seen.cut_short, *cut))
    steps = tuple(int(step) for step in entry.body.get("steps", ()))
    before = seen.champion
    if version is None or before is None or version == before or not steps:
        return replace(seen, champion=version, champion_since=entry.seq, rollout=None)
    begun = Rollout(entry.seq, version, before, steps, steps[0] / 100, since=entry.seq, at=entry.at)
    return _settled(replace(seen, rollout=begun))


def _rolled(seen: _Seen, entry: Entry) -> _Seen:
    """Take over a step or a stop of the rollout that is going on; of another one, nothing."""
    going = seen.rollout
    if entry.event == "canary.stopped":
        seen = replace(seen, stopped=seen.stopped | {int(entry.body["rollout"])})
    if going is None or entry.body.get("rollout") != going.seq:
        return seen
    if entry.event == "canary.stopped":
        return replace(seen, rollout=None)
    share = int(entry.body["share"]) / 100
    return _settled(
        replace(seen, rollout=replace(going, share=share, since=entry.seq, at=entry.at))
    )


def _settled(seen: _Seen) -> _Seen:
    """Make the new version the champion once it answers everybody."""
    going = seen.rollout
    if going is None or going.share < 1:
        return seen
    return replace(seen, champion=going.version, champion_since=going.seq, rollout=None)


def _arms(seen: _Seen, ab_share: float) -> tuple[Arm, ...]:
    if seen.champion is None:
        return ()
    arms, left = [], 1.0
    new = seen.rollout
    taken = {seen.champion, new.version if new else None}
    if seen.challenger is not None and ab_share > 0 and seen.challenger[0] not in taken:
        version, since = seen.challenger
        arms.append(Arm("challenger", version, ab_share, since))
        left -= ab_share
    if new is not None:
        arms.append(Arm("canary", new.version, left * new.share, new.seq))
        left -= left * new.share
    return (*arms, Arm("champion", seen.champion, left, seen.champion_since))


def _shadow(seen: _Seen) -> Arm | None:
    return None if seen.shadow is None else Arm("shadow", seen.shadow[0], 1.0, seen.shadow[1])


def _off(seen: _Seen, fallback: Fallback | None) -> Fallback | None:
    if seen.off is None:
        return None
    reason, since = seen.off
    return replace(fallback or Fallback(), reason=reason, since=since)


def _version(value: object) -> int | None:
    return None if value in (None, "") else int(str(value))

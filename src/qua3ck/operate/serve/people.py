"""Who got a bad answer during a rollout, and who an eighth and a 64th, in 144 KB for a worker.

A person is one of 65,536 places, by a hash that another rollout draws anew; its secret lies in
a file of its own that only we read, so that a place in the log tells nobody who it is. Where
nobody is told from anybody, a place is drawn for each request. Nothing else of a person is
kept. Two who share a place count as one, as the first of them: that costs evidence, and favours
nobody.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from qua3ck.operate.records import Arm, Routing, ServePlan
from qua3ck.operate.serve.canary import LEVELS

PLACES = 1 << 16
KINDS = ("errors", "slow", "refusals")
SIDES = ("canary", "champion")

Kind = Literal["errors", "slow", "refusals"]

_BYTES = PLACES // 8
_HEAD = struct.Struct("<q")
_SIZE = _HEAD.size + len(SIDES) * len(KINDS) * len(LEVELS) * _BYTES


class People:
    """Who got a bad answer of one worker.

    Parameters
    ----------
    plan : ServePlan
        Says where the file lies, and from which duration on an answer is slow.
    worker : int
        The worker's number, from 0. A worker that takes over a number goes on.
    """

    def __init__(self, plan: ServePlan, worker: int) -> None:
        self._slow = plan.canary.latency_ms / 1000 or float("inf")
        self._secret = _secret(plan)
        self._map = _mapped(_folder(plan) / f"worker-{worker}.people")
        self._rollout = _HEAD.unpack_from(self._map)[0]
        self._times = {kind: bytearray(PLACES) for kind in KINDS}

    def bad(self, status: int, seconds: float) -> bool:
        """Whether an answer was an error, a refusal or a slow one."""
        return status >= 400 or seconds > self._slow

    def place(self, routing: Routing, key: bytes) -> int:
        """Return a person's place in the rollout that is on; by chance where there is no key."""
        going = canary_of(routing)
        if not key or going is None:
            return int.from_bytes(os.urandom(2), "big")
        salt = going.since.to_bytes(8, "big", signed=True)
        drawn = hashlib.blake2b(key, digest_size=2, key=self._secret, salt=salt)
        return int.from_bytes(drawn.digest(), "big")

    def note(self, routing: Routing, arm: str, place: int, status: int, seconds: float) -> None:
        """Note a bad answer, if a rollout is on.

        Parameters
        ----------
        routing : Routing
            Who answers whom.
        arm : str
            Who answered; of others than canary and champion nothing is kept.
        place : int
            Of :meth:`place`.
        status, seconds : int, float
            The HTTP status, and how long it took.
        """
        going = canary_of(routing)
        if going is None or arm not in SIDES:
            return
        if self._rollout != going.since:
            self._map[_HEAD.size :] = bytes(_SIZE - _HEAD.size)
            self._map[: _HEAD.size] = _HEAD.pack(going.since)  # last: the judge reads meanwhile
            self._rollout = going.since
            self._times = {kind: bytearray(PLACES) for kind in KINDS}
        for kind, bad in (
            ("errors", status >= 500),
            ("slow", seconds > self._slow),
            ("refusals", 400 <= status < 500),
        ):
            if bad:
                self._note(arm, kind, place)

    def _note(self, arm: str, kind: str, place: int) -> None:
        times = self._times[kind]
        if times[place] >= LEVELS[-1]:
            return
        times[place] += 1
        if times[place] in LEVELS:
            level = LEVELS.index(times[place])
            self._map[_start(arm, kind, level) + place // 8] |= 1 << place % 8

    def close(self) -> None:
        """Let go of the file; what was noted stays."""
        self._map.close()


def canary_of(routing: Routing | None) -> Arm | None:
    """Return the arm of the version that is being rolled out; None if none is."""
    arms = routing.arms if routing is not None else ()
    return next((arm for arm in arms if arm.name == "canary"), None)


def noted(plan: ServePlan, rollout: int) -> dict[tuple[str, int], tuple[int, int]]:
    """Return who got bad answers of the canary, and of the champion, as bits of two numbers.

    Parameters
    ----------
    rollout : int
        The move that began it; what was noted in another one does not count.

    Returns
    -------
    dict
        For each of :data:`KINDS` and each place in :data:`~qua3ck.operate.serve.canary.LEVELS`.
    """
    found = {(kind, level): [0, 0] for kind in KINDS for level in range(len(LEVELS))}
    for data in _files(plan):
        if _HEAD.unpack_from(data)[0] != rollout:
            continue
        for (kind, level), sides in found.items():
            for at, side in enumerate(SIDES):
                start = _start(side, kind, level)
                sides[at] |= int.from_bytes(data[start : start + _BYTES], "little")
    return {key: (canary, champion) for key, (canary, champion) in found.items()}


def met_first(now: tuple[int, int], before: int) -> tuple[int, int, int]:
    """Return how many were met by the canary and by the champion, and everybody met so far.

    Whoever was met by both since the last look counts as met by the champion: who was first
    cannot be told, and so the canary is never blamed for it.
    """
    canary, champion = now[0] & ~before, now[1] & ~before
    return (canary & ~champion).bit_count(), champion.bit_count(), before | canary | champion


def _start(side: str, kind: str, level: int) -> int:
    at = SIDES.index(side) * len(KINDS) + KINDS.index(kind)
    return _HEAD.size + (at * len(LEVELS) + level) * _BYTES


def _files(plan: ServePlan) -> Iterator[bytes]:
    for path in sorted(_folder(plan).glob("worker-*.people")):
        data = path.read_bytes()
        if len(data) == _SIZE:
            yield data


def _folder(plan: ServePlan) -> Path:
    return plan.state / "counters"


def _secret(plan: ServePlan) -> bytes:
    """Return what all workers hash people's keys with; drawn by the first of them."""
    path = plan.state / "people.secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        drawn.unlink(missing_ok=True)
        handle = os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(32))
        with suppress(FileExistsError):
            os.link(drawn, path)  # whole, or not at all
        drawn.unlink()
    return path.read_bytes()


def _mapped(path: Path) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_size != _SIZE:  # new, or of another version of this program
            os.ftruncate(handle, 0)
            os.ftruncate(handle, _SIZE)
        return mmap.mmap(handle, _SIZE)
    finally:
        os.close(handle)

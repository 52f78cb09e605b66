"""Answers given to a person at the view: as a server gives them, without a server.

The same checks, the same fallback while serving is switched off, the same golden replay and
the same log as for a request; only the arm's name says where the answer was given. A refusal
says less here: neither a range nor a category that training had, because a category of a few
rows points at somebody and a manifest does not say how many they were. Which version is asked
is the reader's choice, so nothing is drawn and no canary is judged by it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from qua3ck.govern.releases import Release
from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import Arm, Fallback, Routing, ServePlan, write_plan
from qua3ck.operate.serve.answers import Answer, Ask, Refused, Table
from qua3ck.operate.serve.compacting import Compactor
from qua3ck.operate.serve.logbook import Logbook
from qua3ck.operate.serve.predicting import Predictor, refuses
from qua3ck.operate.serve.versions import Versions
from qua3ck.store.releases.rows import Strange

_REPLAY_S = 86_400.0
_KEPT = 4  # versions, each loaded
_OPENED = itertools.count()  # each desk's own file is finished by no other desk


class _Proven(NamedTuple):
    """A version that was loaded and proven, and when it is to be proven again."""

    versions: Versions
    predictor: Predictor
    replay_at: float


class Desk:
    """Answers for one view; its threads take turns.

    Parameters
    ----------
    plan : ServePlan
        As a server of this project would be told; its log is written to.
    released : callable
        From a version's number to its release as the verified ledger has it.
    now : callable, optional
        Seconds that only go up.
    """

    def __init__(
        self,
        plan: ServePlan,
        released: Callable[[int], Release],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plan = plan
        self._released = released
        self._now = now
        self._lock = threading.Lock()
        self._proven: dict[int, _Proven] = {}
        self._logbook = Logbook(plan, f"app{os.getpid()}{next(_OPENED):04d}")
        path = plan.state / "app.json"
        write_plan(plan, path)
        self._compactor = Compactor(plan, path, now=now)

    def answer(
        self, version: int, table: Table, rows: int, *, request_id: str, off: Fallback | None = None
    ) -> Answer:
        """Return the answer to rows, logged before it is returned.

        Parameters
        ----------
        version : int
            Which one is asked.
        table : mapping
            Column to values, each of length ``rows``.
        request_id : str
            Under which the answer is logged, and what came true is sent back.
        off : Fallback, optional
            What answers instead, while serving is switched off.

        Raises
        ------
        Qua3ckError
            As a server would refuse: the rows do not fit, hold what is refused, the version
            does not answer its golden rows, or the answer cannot be logged.
        """
        began = time.perf_counter()
        with self._lock:
            proven = self._ready(version, off)
            ask = Ask(table, rows, request_id, began=began)
            try:
                made = asyncio.run(proven.predictor.answer(ask))
            except Refused as problem:
                raise Qua3ckError(problem.what, where=problem.where, fix=problem.fix) from problem
            self._compactor.step()
            return made

    def refused(self, version: int, table: Table, rows: int) -> list[Strange]:
        """Return every value that a server would refuse; of readable rows, nothing is logged."""
        with self._lock:
            self._ready(version, None)
            known = self._proven[version].versions.serving.versions[version].rows
            strange = known.strange(known.prepare(table, rows))
            return [one for one in strange if refuses(self.plan, one)]

    def close(self) -> None:
        """Close the log and give back the threads."""
        with self._lock:
            for one in self._proven.values():
                one.versions.use(Routing(()))
            self._proven.clear()
            self._logbook.close()

    def _ready(self, version: int, off: Fallback | None) -> _Proven:
        """Return what answers, its golden rows replayed at first and once a day."""
        known = self._proven.pop(version, None) or self._opened()
        known.versions.use(Routing((Arm("app", version, 1.0),), off=off))
        if self._now() >= known.replay_at:
            known.versions.replay()
            known = known._replace(replay_at=self._now() + _REPLAY_S)
        self._proven[version] = known
        while len(self._proven) > _KEPT:
            self._proven.pop(next(iter(self._proven))).versions.use(Routing(()))
        return known

    def _opened(self) -> _Proven:
        # the form beside it tells what was seen, of ten rows or more and rounded
        versions = Versions(self.plan, self._released, tells=False)
        predictor = Predictor(self.plan, versions, self._logbook)
        return _Proven(versions, predictor, self._now() + _REPLAY_S)

"""The columns that a request leaves to its keys: looked up in the online feature tables.

What the request brings itself is kept. A key that is not in a table gives nulls, as a left
join does in training, and the answer says so in a flag.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.features.reading import Features
from qua3ck.operate.features.stores import open_store
from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.answers import Ask, Flag, Refused, Table

_AGAIN_S = 5.0  # how often it is asked which tables there are; rows are always read anew


class Joining:
    """Completes requests from the project's feature store.

    Parameters
    ----------
    plan : ServePlan
        ``features``: ``""`` for the project's SQLite file, ``env:NAME`` for a Redis.
    """

    def __init__(self, plan: ServePlan) -> None:
        self._plan = plan
        self._features: Features | None = None
        self._looked = 0.0

    @property
    def keys(self) -> frozenset[str]:
        """The columns that a request may bring only to be looked up by."""
        return self._features.keys() if self._features is not None else frozenset()

    async def complete(self, ask: Ask) -> tuple[Ask, tuple[Flag, ...]]:
        """Return the request with what its keys stand for, and flags for unknown keys.

        Raises
        ------
        Refused
            With 503 if the store does not answer: no value is made up.
        """
        try:
            if self._plan.features:  # a server elsewhere: others go on meanwhile
                table, gone = await asyncio.to_thread(self._look_up, ask)
            else:
                table, gone = self._look_up(ask)
        except Qua3ckError as problem:
            raise Refused(503, problem.what, where=problem.where, fix=problem.fix) from problem
        flags = [
            Flag(row + 1, name, "no_features", f'has a key that the features "{name}" do not know')
            for name, rows in gone.items()
            for row in rows
        ]
        return replace(ask, table=table), tuple(flags)

    def _look_up(self, ask: Ask) -> tuple[Table, dict[str, list[int]]]:
        now = time.monotonic()
        if self._features is None:
            store = open_store(self._plan.folder, self._plan.project_id, self._plan.features or "")
            self._features, self._looked = Features(store), now
        elif now - self._looked > _AGAIN_S:
            self._features.refresh()
            self._looked = now
        return self._features.complete(ask.table, ask.rows)

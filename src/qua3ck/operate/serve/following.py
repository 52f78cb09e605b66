"""Follows the ledger while serving: who answers now, and of which versions that is known.

A ledger that does not verify moves nothing: the last good routing stays, the process says
that it is not ready, and why.
"""

from __future__ import annotations

from qua3ck.govern import Release, find_release
from qua3ck.kit.errors import Qua3ckError
from qua3ck.ledger import Following
from qua3ck.operate.records import Routing, ServePlan
from qua3ck.operate.serve import access as keys
from qua3ck.operate.serve.routing import EVENTS, Open, Rollout, left_open, rollout, routing

_KEPT = EVENTS | keys.EVENTS | {"release.made", "release.registered"}


class Follower:
    """Reads the ledger again and again, and gives the routing when it changed.

    Parameters
    ----------
    plan : ServePlan
        Of which project, and with what shares.
    access : Access, optional
        Is told of the keys that the ledger knows whenever it grew.
    """

    def __init__(self, plan: ServePlan, access: keys.Access | None = None) -> None:
        self._plan = plan
        self._access = access
        self._ledger = Following(plan.folder / "ledger", keep=_KEPT)
        self.routing: Routing | None = None
        self.problem: Qua3ckError | None = None

    @property
    def trusted(self) -> bool:
        """Whether the ledger verified at the last look, and there was one."""
        return self.problem is None and self.routing is not None

    def poll(self) -> Routing | None:
        """Return the routing if the ledger grew, else None; to be called about once a second.

        Never raises for a ledger that was tampered with: ``problem`` then says so, and
        ``routing`` stays the last good one.
        """
        try:
            grew = self._ledger.grown()
        except Qua3ckError as problem:
            self.problem = problem
            return None
        self.problem = None
        if not grew:
            return None
        if self._access is not None:
            self._access.use(self._ledger.entries())
        now = routing(self._ledger.entries(), self._plan)
        changed = self.routing is None or _said(now) != _said(self.routing)
        self.routing = now
        return now if changed else None

    def released(self, version: int) -> Release:
        """Return a version as the verified ledger has it.

        Raises
        ------
        Qua3ckError
            If the ledger has no such version (K005).
        """
        return find_release(self._ledger, version)

    def rollout(self) -> Rollout | None:
        """Return the rollout that is going on; None if none is."""
        return rollout(self._ledger.entries())

    def left_open(self) -> Open:
        """Return what is still to be written down about rollouts."""
        return left_open(self._ledger.entries())


def _said(routing: Routing) -> tuple[object, ...]:
    return routing.arms, routing.shadow, routing.off

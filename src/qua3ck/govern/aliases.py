"""Which version an alias such as ``champion`` points to, now and at any past moment.

The ledger is the authority; the registry is a mirror that has no history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qua3ck.kit.clock import stamp

if TYPE_CHECKING:
    from qua3ck.ledger import Ledger


@dataclass(frozen=True)
class AliasMove:
    """One move of an alias; ``version`` is None where it was taken away."""

    seq: int
    at: str
    actor: str
    alias: str
    version: int | None
    came_from: int | None
    reason: str


def alias_history(ledger: Ledger, alias: str | None = None) -> tuple[AliasMove, ...]:
    """Return every move, oldest first; of one alias if named.

    Reads events ``alias.moved`` with body ``{alias, version, from, reason}``.
    """
    return tuple(
        AliasMove(
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor,
            alias=str(entry.body["alias"]),
            version=_version(entry.body.get("version")),
            came_from=_version(entry.body.get("from")),
            reason=str(entry.body.get("reason", "")),
        )
        for entry in ledger.entries("alias.moved")
        if alias is None or entry.body["alias"] == alias
    )


def alias_at(ledger: Ledger, alias: str, moment: datetime | None = None) -> int | None:
    """Return the version an alias points to, now or at ``moment``; None if to none.

    A move counts from its very moment on. ``moment`` must know its time zone.
    """
    if moment is not None and moment.tzinfo is None:
        message = "moment needs a time zone: the ledger's times are UTC"
        raise ValueError(message)
    until = stamp(moment) if moment else None
    moves = [move for move in alias_history(ledger, alias) if until is None or move.at <= until]
    return moves[-1].version if moves else None


def _version(value: object) -> int | None:
    return None if value in (None, "") else int(str(value))

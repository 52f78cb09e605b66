"""What the ledger is told of loads: each commit once, also those that a crash kept from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from qua3ck.understand.loading.task import Load

if TYPE_CHECKING:
    from qua3ck.ledger import Ledger

LOADED, ACCEPTED = "source.loaded", "load.accepted"


def recorded_loads(ledger: Ledger, name: str) -> tuple[str, ...]:
    """Return the moments of a source's loads that the ledger tells of."""
    entries = ledger.entries(LOADED, subject=name)
    return tuple(entry.body["known"] for entry in entries if "known" in entry.body)


def record_loads(
    loads: Iterable[Load], ledger: Ledger, *, reasons: Mapping[str, str] | None = None
) -> None:
    """Write ``source.loaded`` for each commit that is not in the ledger yet.

    Notes
    -----
    What was accepted stands in front of it as ``load.accepted``, with the reason and who gave
    it; also where nothing had to be committed for it.
    """
    for load in loads:
        known = set(recorded_loads(ledger, load.source))
        bodies = [*load.unrecorded, *([load.body] if load.body else [])]
        for body in bodies:
            if body["known"] not in known:
                _accepted(load.source, body.get("accepted", {}), body["known"], ledger)
                ledger.append(LOADED, load.source, body)
        if load.accepted and not load.body:
            facts = {
                code: {"reason": (reasons or {}).get(code, ""), "by": ledger.actor, "for": what}
                for code, what in load.accepted.items()
            }
            _accepted(load.source, facts, "", ledger)


def _accepted(
    source: str, accepted: Mapping[str, Mapping[str, Any]], known: str, ledger: Ledger
) -> None:
    told = {
        (entry.body["code"], entry.body["known"])
        for entry in ledger.entries(ACCEPTED, subject=source)
        if entry.body["known"]
    }
    for code, facts in accepted.items():
        if (code, known) not in told:
            ledger.append(ACCEPTED, source, {"code": code, "known": known, **facts})

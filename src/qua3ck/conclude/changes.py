"""Thresholds that moved after a verdict had been seen; read from the ledger, never forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.ledger import Entry

_BETTER_LOW, _BETTER_HIGH = "at_most", "at_least"


@dataclass(frozen=True)
class ThresholdChange:
    """One promise that was changed when its verdict was already known.

    ``before`` and ``after`` are as written, such as ``at_least 0.80``; empty when the KPI
    was added or dropped. ``seq`` is the ledger entry of the change, ``verdict_seq`` that
    of the last verdict made before it.
    """

    id: str
    before: str
    after: str
    at: str
    actor: str
    seq: int
    verdict_seq: int


def threshold_changes(entries: Iterable[Entry]) -> tuple[ThresholdChange, ...]:
    """Return every change of a KPI or fairness gap after the first verdict, oldest first.

    A KPI that was added before it was ever judged is no such change; one that was moved,
    changed in its confidence, or dropped after a verdict is, and stays one even when it is
    moved back.
    """
    return tuple(_changes(entries))


def _changes(entries: Iterable[Entry]) -> Iterator[ThresholdChange]:
    before: dict[str, str] | None = None
    judged: set[str] = set()
    last_verdict = 0
    for entry in sorted(entries, key=lambda entry: entry.seq):
        if entry.event == "verdict.made":
            last_verdict = entry.seq
            judged |= set(before or {})
        if entry.event != "question.set":
            continue
        after = _promises(entry.body)
        for name in sorted(judged & (set(before or {}) | set(after))):
            old, new = (before or {}).get(name, ""), after.get(name, "")
            if old != new:
                yield ThresholdChange(
                    name, old, new, entry.at, entry.actor, entry.seq, last_verdict
                )
        before = after


def _promises(body: Mapping[str, Any]) -> dict[str, str]:
    named = [*body.get("kpis", ()), *body.get("fairness", ())]
    return {str(promise["id"]): _promise(promise) for promise in named}


def _promise(promise: Mapping[str, Any]) -> str:
    side = _BETTER_HIGH if promise.get(_BETTER_HIGH) is not None else _BETTER_LOW
    words = f"{promise['metric']} {side} {promise.get(side)}"
    confidence = promise.get("confidence")
    return f"{words} at confidence {confidence}" if confidence is not None else words

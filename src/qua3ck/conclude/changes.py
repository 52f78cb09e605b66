"""Promises that were changed after a verdict had been seen; read from the ledger for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.question.promises import as_written, moved

if TYPE_CHECKING:
    from qua3ck.ledger import Entry


@dataclass(frozen=True)
class ThresholdChange:
    """One promise that was changed when its verdict was already known.

    ``before`` and ``after`` are as written, such as ``recall at_least 0.80``; empty when the
    KPI was added or dropped. ``seq`` is the ledger entry of the change, ``verdict_seq`` that
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
    """Return every change of a promise after the first verdict, oldest first.

    A KPI that was added before it was ever judged is no such change; one whose number, side,
    confidence or groups were changed, or that was dropped after a verdict, is, and stays one
    even when it is moved back. So is a change of costs, positive class, risk answers, stop
    rules, or of the KPI that leads.
    """
    return tuple(_changes(entries))


def _changes(entries: Iterable[Entry]) -> Iterator[ThresholdChange]:
    before: Mapping[str, Any] | None = None
    judged: set[str] = set()
    last_verdict = 0
    for entry in sorted(entries, key=lambda entry: entry.seq):
        if entry.event == "verdict.made":
            last_verdict = entry.seq
            judged |= set(as_written(before)) if before else set()
        if entry.event != "question.set":
            continue
        if before is not None and not _same_question(before, entry.body):
            for change in moved(before, entry.body):
                if change.id in judged:
                    yield ThresholdChange(*change, entry.at, entry.actor, entry.seq, last_verdict)
        before = entry.body


def _same_question(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a question was only recorded anew, in full: its digest covers every word."""
    return before.get("digest") is not None and before["digest"] == after.get("digest")

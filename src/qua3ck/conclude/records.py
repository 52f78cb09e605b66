"""What C hands on: the verdicts of one candidate on the sealed rows, and why it was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qua3ck.kit.findings import Finding
from qua3ck.kit.verdicts import Verdict


@dataclass(frozen=True)
class Comparison:
    """The candidate against another predictor on the same sealed rows, paired.

    ``difference`` is signed so that above zero means the candidate is better; ``low`` and
    ``high`` are one-sided bounds; None where the figure cannot be had, and ``method`` then says
    why. ``verdict``: pass = better beyond doubt, fail = worse
    beyond doubt, undecided else. ``says`` is what the other one does, where it is no model.
    """

    against: str
    metric: str
    candidate: float | None
    other: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    method: str
    verdict: str
    says: str = ""


@dataclass(frozen=True)
class Conclusion:
    """The verdict on a candidate: one opening of the seal.

    ``confusion`` counts truth in rows and decision in columns, both in the order of
    ``per_class``; empty for regression. ``latency_ms`` holds ``p50``, ``p95``, ``p99`` and
    ``requests``. ``parity`` compares what ships with the pipeline as trained, on the sealed
    rows: ``rows``, ``labels_differ``, ``largest_difference``; empty where the pipeline ships
    itself. ``reread`` says that the rows had been opened for this candidate before.
    ``findings`` hold those of earlier phases too where they block. ``predictions_digest`` lets
    a reproduction prove equality without a row being kept.
    """

    candidate: str
    snapshot: str
    question: str
    opening: int
    openings: int
    rows: int
    release_allowed: bool
    kpis: tuple[Verdict, ...]
    slices: tuple[Verdict, ...]
    fairness: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    confusion: tuple[tuple[int, ...], ...]
    per_class: Mapping[str, Mapping[str, float]]
    calibration: Mapping[str, Any]
    errors: tuple[Mapping[str, Any], ...]
    latency_ms: Mapping[str, float]
    size_mb: float
    reasons: tuple[str, ...]
    risks: tuple[str, ...]
    at: str
    predictions_digest: str
    parity: Mapping[str, Any] = field(default_factory=dict)
    reread: bool = False

    def __repr__(self) -> str:
        """Return the verdict as the command line prints it."""
        from qua3ck.conclude.words import lines

        return "\n".join(lines(self))

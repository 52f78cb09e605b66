"""What A³ hands on: one candidate, packaged as the artefact that would ship, with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qua3ck.kit.findings import Finding


@dataclass(frozen=True)
class Score:
    """A validation figure: its mean over folds and an interval where one can be given."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Trial:
    """One finished trial; numbers follow the order in which the sampler saw them."""

    number: int
    algorithm: str
    params: Mapping[str, Any]
    state: str
    scores: Mapping[str, float]
    train_score: float | None
    feasible: bool
    latency_proxy_ms: float
    size_proxy_mb: float
    run_id: str = ""


@dataclass(frozen=True)
class Influence:
    """How much the first KPI's metric worsens on validation rows when a column is shuffled."""

    column: str
    drop: float
    low: float
    high: float


@dataclass(frozen=True)
class Candidate:
    """One trained pipeline, packaged under ``candidates/<digest>/``, with validation evidence.

    ``scores`` maps KPI id to its validation score (only KPIs that can be computed in the
    loop); ``baseline`` and ``rule`` likewise; ``optimistic`` is the first KPI's score on a
    random split, beside ``honest``, its score on folds that follow the declared split.
    """

    digest: str
    artefact: str
    snapshot: str
    algorithm: str
    params: Mapping[str, Any]
    model_format: str
    why_format: str
    seed: int
    scores: Mapping[str, Score]
    baseline: Mapping[str, Score]
    rule: Mapping[str, Score]
    gain: Score
    train_score: float
    honest: float
    optimistic: float
    seed_sd: float
    learning_curve: tuple[tuple[int, float, float], ...]
    trials: tuple[Trial, ...]
    influences: tuple[Influence, ...]
    next_step: str
    findings: tuple[Finding, ...]
    code_digest: str
    run_id: str = ""

    def __repr__(self) -> str:
        """Return what was kept, how it scored beside the baseline, and what to do next."""
        scores = ", ".join(
            f"{name} {score.value:.4g}"
            + (f" (baseline {self.baseline[name].value:.4g})" if name in self.baseline else "")
            for name, score in self.scores.items()
        )
        return (
            f"Candidate {self.digest[:12]}: {self.algorithm}, {self.model_format}, "
            f"{len(self.trials)} trials\non validation rows: {scores}\n{self.next_step}"
        )

"""The answer to "does the number hold": pass, fail or undecided, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["pass", "fail", "undecided"]
Direction = Literal["at_least", "at_most"]


@dataclass(frozen=True)
class Verdict:
    """One KPI, slice or fairness gap held against its threshold.

    Attributes
    ----------
    id : str
        KPI id; a slice appends ``[column=value]``.
    metric : str
        Metric name as in the project file.
    value, low, high : float or None
        Estimate and its one-sided bounds, each at ``confidence``; None where there is none.
        Where ``method`` says "rough", too few rows were there for the bounds to cover what
        they say: they are shown, and the verdict is undecided.
    threshold : float
        The declared number, in the metric's unit.
    direction : {"at_least", "at_most"}
        Which side of the threshold is good.
    verdict : {"pass", "fail", "undecided"}
        Read off the bound, never off the value.
    n : int
        How many independent units the interval rests on.
    unit : str
        What ``n`` and ``rows_needed`` count: rows, groups, blocks or requests.
    rows_needed : int or None
        How many units would decide it at the observed value; None if none would or if decided.
    rows_needed_for : {"pass", "fail", ""}
        Which way that many units would decide it.
    confidence : float
        Coverage of each bound by itself, after sharing it between openings.
    method : str
        How the bounds were made.
    says : str
        One sentence for a reader.
    """

    id: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    threshold: float
    direction: Direction
    verdict: Answer
    n: int
    unit: str = "rows"
    rows_needed: int | None = None
    rows_needed_for: str = ""
    confidence: float = 0.95
    method: str = ""
    says: str = ""

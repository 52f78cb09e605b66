"""The question as declared: who, what, why now, measured how, at what risk, when to stop."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from qua3ck.kit.hashes import digest
from qua3ck.kit.verdicts import Direction

Scalar = str | int | float | bool
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
Confidence = Annotated[float, Field(gt=0.5, le=0.9999)]
Threshold = Annotated[float, Field(ge=-1e18, le=1e18)]
Rows = Annotated[int, Field(ge=1, le=1_000_000_000)]
Cost = Annotated[float, Field(ge=0, le=1_000_000_000_000)]
_SEARCHED = ("kpis", "fairness", "positive", "costs", "stop_if")


class _Declared(BaseModel):
    """A part of the project file: frozen, and no unknown key passes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Kpi(_Declared):
    """One measurable promise: an id, a metric, and the side of the threshold that is good."""

    id: Identifier
    metric: Text
    at_least: Threshold | None = None
    at_most: Threshold | None = None
    confidence: Confidence = 0.95
    slice: dict[str, Scalar] | None = None
    slice_by: tuple[str, ...] = ()
    min_rows: Rows = 30
    why: str = ""

    @model_validator(mode="after")
    def _one_threshold(self) -> Kpi:
        if (self.at_least is None) == (self.at_most is None):
            message = "a KPI needs exactly one of at_least or at_most"
            raise ValueError(message)
        return self

    @property
    def direction(self) -> Direction:
        """Which side of the threshold is good."""
        return "at_most" if self.at_least is None else "at_least"

    @property
    def threshold(self) -> float:
        """The declared number, in the metric's unit."""
        return float(self.at_least if self.at_least is not None else self.at_most or 0.0)


class FairnessGap(_Declared):
    """A difference between groups of people that must stay small."""

    id: Identifier
    metric: Text
    by: Text
    at_most: Threshold
    min_rows: Rows = 100
    confidence: Confidence = 0.95


class Risk(_Declared):
    """The answers that give the risk class; whom a number affects is never guessed."""

    affects: Literal["people", "organisation", "nobody"] | None = None
    domain: str = "other"
    automated: bool = False


class Roles(_Declared):
    """Who answers for what, by the names enrolled under ``people/``."""

    owner: str | None = None
    approvers: tuple[str, ...] = ()
    steward: str | None = None


class Costs(_Declared):
    """What a wrong decision costs, in any one unit; a right one costs nothing."""

    false_negative: Cost = 1.0
    false_positive: Cost = 1.0


class Question(_Declared):
    """The section ``question`` of the project file."""

    asks: Text
    decides: Text
    why_now: Text
    risks: Text
    stop_if: Annotated[tuple[Text, ...], Field(min_length=1)]
    kpis: Annotated[tuple[Kpi, ...], Field(min_length=1)]
    fairness: tuple[FairnessGap, ...] = ()
    positive: Scalar | None = None
    costs: Costs | None = None
    risk: Risk = Risk()
    roles: Roles = Roles()

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of everything the question says."""
        return digest(self.model_dump(mode="json"))

    @property
    def searched(self) -> str:
        """SHA-256 (hex) of what a search for candidates reads: no texts, risk or roles."""
        read = self.model_dump(mode="json", include=set(_SEARCHED))
        for kpi in read["kpis"]:
            del kpi["why"]
        return digest(read)

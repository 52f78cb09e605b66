"""What a check has to say, in one shape for quality, leaks, fairness, drift and governance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["inform", "warn", "block"]


@dataclass(frozen=True)
class Finding:
    """One observation by a check.

    Attributes
    ----------
    code : str
        Never reused; ``qua3ck explain CODE`` shows its page.
    severity : {"inform", "warn", "block"}
        ``block`` stops a release until it is cured or accepted with a reason.
    where : str
        Table, column and how many rows of how many.
    says : str
        One sentence without a personal value in it.
    evidence : mapping
        JSON-able facts behind the sentence: counts, shares, row numbers.
    accepted : str
        The reason the project file gives for living with it; empty if none.
    """

    code: str
    severity: Severity
    where: str
    says: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    accepted: str = ""

    @property
    def blocks(self) -> bool:
        """Whether a release must wait for this finding."""
        return self.severity == "block" and not self.accepted


@dataclass(frozen=True)
class CodePage:
    """The page behind a code: what it means, an example that shows the trap, the cure."""

    code: str
    title: str
    means: str
    example: str
    cure: str

"""What a rule found, as a figure to keep and as a finding to read. Counts, never cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from qua3ck.kit.findings import Finding, Severity
from qua3ck.understand.contract.rules import Action, Dimension, Rule

RuleAnswer = Literal["pass", "fail", "not applicable"]
_SEVERITIES: dict[str, Severity] = {"inform": "inform", "hold": "warn", "block": "block"}


@dataclass(frozen=True)
class Measure:
    """One rule at one load.

    Attributes
    ----------
    rule, dimension, column, action : str
        Which, of what, and what follows; ``column`` names several with ``+``, or is empty.
    rows, failing : int
        Rows (units, expected rows, groups) looked at, and how many of them fail.
    share : float or None
        ``failing / rows``; None where nothing was looked at.
    answer : {"pass", "fail", "not applicable"}
        An empty table fails every rule; what cannot be executed never passes.
    why : str
        For an answer that the figures do not explain by themselves.
    """

    rule: str
    dimension: Dimension
    column: str
    action: Action
    rows: int
    failing: int
    share: float | None
    answer: RuleAnswer
    why: str = ""


@dataclass(frozen=True)
class Answer:
    """A rule, what it found, and the finding if it failed; ``evidence`` goes into the finding."""

    rule: Rule
    measure: Measure
    finding: Finding | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def measured(
    rule: Rule, *, rows: int, failing: int, failed: bool | None = None, why: str = ""
) -> Measure:
    """Return what a rule found; ``failed`` where it is not just that any row fails."""
    fails = failing > 0 if failed is None else failed
    return Measure(
        rule=rule.id,
        dimension=rule.dimension,
        column="+".join(rule.columns),
        action=rule.action,
        rows=rows,
        failing=failing,
        share=failing / rows if rows else None,
        answer="fail" if fails or rows == 0 else "pass",
        why=why,
    )


def not_applicable(rule: Rule, why: str) -> Measure:
    """Return that a rule could not be asked."""
    columns = "+".join(rule.columns)
    return Measure(rule.id, rule.dimension, columns, rule.action, 0, 0, None, "not applicable", why)


def finding_of(
    rule: Rule,
    measure: Measure,
    *,
    table: str,
    held: bool = False,
    evidence: Mapping[str, Any] | None = None,
) -> Finding:
    """Return the finding of a rule that failed.

    Parameters
    ----------
    held : bool
        Whether the rows that fail are held.
    evidence : mapping, optional
        Further facts, such as the numbers of the first rows that fail.
    """
    place = f"{table}.{measure.column}" if measure.column else table
    counted = f"{measure.failing} of {measure.rows}"
    said = rule.says.rstrip(".")
    if measure.why:
        says = f"{said}: {measure.why}."
    else:
        kind = {"sums": "sums", "fresh": "units", "grid": "expected rows"}.get(rule.test, "rows")
        says = f"{said}: not so in {counted} {kind}{'; they are held' if held else ''}."
    facts: dict[str, Any] = {
        "rule": rule.id,
        "dimension": rule.dimension,
        "rows": measure.rows,
        "failing": measure.failing,
        "contract": rule.where,
    }
    return Finding(
        code=rule.code,
        severity=_SEVERITIES[rule.action],
        where=f"{place}, {counted}",
        says=says,
        evidence=facts | dict(evidence or {}),
    )


def finding_of_those_not_asked(answers: Sequence[Answer], *, table: str) -> tuple[Finding, ...]:
    """Return one finding for the rules that could not be asked, if there are any."""
    skipped = [each for each in answers if each.measure.answer == "not applicable"]
    if not skipped:
        return ()
    reasons = [
        {"rule": each.rule.id, "why": each.measure.why, "contract": each.rule.where}
        for each in skipped
    ]
    more = f", and {len(skipped) - 1} more" if len(skipped) > 1 else ""
    finding = Finding(
        code="U086",
        severity="inform",
        where=f"{table}, {len(skipped)} rules",
        says=f"Not applicable, so not passed: {reasons[0]['rule']} ({reasons[0]['why']}){more}.",
        evidence={"rules": reasons},
    )
    return (finding,)

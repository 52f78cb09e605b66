"""A conclusion as lines for a terminal and as JSON for a program: the same facts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qua3ck.conclude.figures import digits_for, figure, interval, verdict_figures, wanted
from qua3ck.kit.records import as_json
from qua3ck.question.agreement import CODE as AGREEMENT

if TYPE_CHECKING:
    from qua3ck.conclude.records import Comparison, Conclusion
    from qua3ck.kit.verdicts import Verdict


def to_json(conclusion: Conclusion) -> dict[str, Any]:
    """Return what ``conclude --json`` prints.

    Returns
    -------
    dict
        ``release_allowed``, ``opening``, ``kpis``, ``slices``, ``findings`` as documented,
        and everything else the record holds. Numbers that do not exist are null.
    """
    record = as_json(conclusion)
    first = ("release_allowed", "opening", "kpis", "slices", "findings")
    ordered = {key: record[key] for key in first}
    ordered.update({key: value for key, value in record.items() if key not in first})
    cleaned: dict[str, Any] = _finite(ordered)
    return cleaned


def lines(conclusion: Conclusion) -> list[str]:
    """Return the conclusion for a terminal: results first, the next thing to type last."""
    verdicts = (*conclusion.kpis, *conclusion.slices, *conclusion.fairness)
    shown = _aligned([_row(verdict) for verdict in verdicts])
    shown += [_comparison(comparison) for comparison in _leading(conclusion.comparisons)]
    shown += [
        f"C  {finding.severity}: {finding.says} ({finding.code})"
        for finding in conclusion.findings
        if finding.severity != "inform" and finding.code not in _SAID_BY_A_ROW
        if finding.code.startswith("C")  # those of earlier phases were said there
    ]
    about = [finding for finding in conclusion.findings if finding.code == AGREEMENT]
    shown += [f"C  question: {said} ({AGREEMENT})" for f in about for said in f.evidence["said"]]
    return [*shown, *_ending(conclusion)]


def what_would_decide(verdict: Verdict) -> str:
    """Return how many rows would decide an undecided verdict and which way; else nothing."""
    if verdict.verdict != "undecided":
        return ""
    if verdict.low is None or verdict.high is None:
        return f"{verdict.says[:1].upper()}{verdict.says[1:]}." if verdict.says else ""
    if verdict.rows_needed is None or not verdict.rows_needed_for:
        return "No number of rows would decide it at this value."
    way = "pass" if verdict.rows_needed_for == "pass" else "fail"
    return f"About {verdict.rows_needed:,} {verdict.unit} at this {verdict.metric} would {way}."


_SAID_BY_A_ROW = frozenset({"C002", "C003", "C004", "C005"})


def _row(verdict: Verdict) -> list[str]:
    value, bounds, _ = verdict_figures(verdict)
    unit = verdict.unit if verdict.n != 1 else verdict.unit.removesuffix("s")
    rows = f"({verdict.n:,} {unit})"
    return [f"C  {verdict.id}", value, bounds, f"wanted {wanted(verdict)}", verdict.verdict, rows]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _leading(comparisons: tuple[Comparison, ...]) -> list[Comparison]:
    firsts: dict[str, Comparison] = {}
    for comparison in comparisons:
        firsts.setdefault(comparison.against, comparison)
    return list(firsts.values())


def _comparison(comparison: Comparison) -> str:
    digits = digits_for(comparison.difference, comparison.low, comparison.high)
    gain = figure(comparison.difference, digits)
    bounds = interval(comparison.low, comparison.high, digits)
    answer = {"pass": "yes", "fail": "no, worse", "undecided": "undecided"}[comparison.verdict]
    return f"C  better than {comparison.against}: {comparison.metric} by {gain} {bounds}  {answer}"


def _ending(conclusion: Conclusion) -> list[str]:
    if conclusion.release_allowed:
        return ["allowed: every KPI, slice and gap holds.", "next: qua3ck release"]
    verdicts = (*conclusion.kpis, *conclusion.slices, *conclusion.fairness)
    failed = [verdict for verdict in verdicts if verdict.verdict == "fail"]
    open_ones = [verdict for verdict in verdicts if verdict.verdict == "undecided"]
    others = [f for f in conclusion.findings if f.blocks and f.code not in _SAID_BY_A_ROW]
    code = next((finding.code for finding in conclusion.findings if finding.blocks), "C003")
    in_full = [*map(_missed, failed), *map(_still_open, open_ones), *(f.says for f in others)]
    short = [f"{v.id} {v.verdict}" for v in (*failed, *open_ones)] + [f.code for f in others]
    reason = in_full[0] if in_full else conclusion.reasons[-1]
    also = f" Also: {', '.join(short[1:])}." if short[1:] else ""
    return [f"blocked: {reason.rstrip('.')}.{also}", f"next: qua3ck explain {code}"]


def _missed(verdict: Verdict) -> str:
    value, bounds, _ = verdict_figures(verdict)
    return f"{verdict.id} is {value} {bounds}; wanted {wanted(verdict)}."


def _still_open(verdict: Verdict) -> str:
    if verdict.low is None or verdict.high is None or "rough" in verdict.method:
        return verdict.says or f"{verdict.id} cannot be judged on {verdict.n:,} {verdict.unit}."
    low, high = verdict_figures(verdict)[1].strip("[]").split(", ")
    worst = low if verdict.direction == "at_least" else high
    return f"{verdict.id} of {worst} would fit as well. {what_would_decide(verdict)}".strip()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value

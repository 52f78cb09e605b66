"""What the judged rows give rise to, as findings: unmet promises, no gain, parity, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qua3ck.conclude.figures import figure, verdict_figures, wanted
from qua3ck.kit.findings import Finding, Severity
from qua3ck.question.promises import NOT_ASKED, NOT_THEN

if TYPE_CHECKING:
    from qua3ck.conclude.changes import ThresholdChange
    from qua3ck.conclude.records import Comparison
    from qua3ck.kit.verdicts import Verdict

SURE = 0.05


def promise_findings(
    kpis: Sequence[Verdict], slices: Sequence[Verdict], fairness: Sequence[Verdict]
) -> tuple[Finding, ...]:
    """Return one blocking finding for every promise that is not kept beyond doubt."""
    found = [_promise(kpi, "C002" if kpi.verdict == "fail" else "C003") for kpi in kpis]
    found += [_promise(part, "C004") for part in slices]
    found += [_promise(gap, "C005") for gap in fairness]
    return tuple(finding for finding in found if finding is not None)


def comparison_findings(leading: Sequence[Comparison]) -> tuple[Finding, ...]:
    """Return findings about the first comparison with each rival; only the baseline's blocks."""
    codes: dict[str, tuple[str, Severity]] = {
        "baseline": ("C001", "block"),
        "rule": ("C008", "warn"),
        "champion": ("C009", "warn"),
    }
    found = []
    for comparison in leading:
        if comparison.verdict == "pass":
            continue
        code, severity = codes[comparison.against]
        how = "is worse than" if comparison.verdict == "fail" else "may be no better than"
        gain = f"gain {figure(comparison.difference, 4)}, at least {figure(comparison.low, 4)}"
        found.append(
            Finding(
                code,
                severity,
                f"{comparison.metric} against the {comparison.against}",
                f"The candidate {how} the {comparison.against}:"
                f" {gain if comparison.low is not None else comparison.method}.",
                {"difference": comparison.difference, "low": comparison.low},
            )
        )
    return tuple(found)


def row_findings(
    *,
    parity: Mapping[str, Any],
    calibration: Mapping[str, Any],
    per_class: Mapping[str, Mapping[str, float]],
    errors: Sequence[Mapping[str, Any]],
    rows: int,
) -> tuple[Finding, ...]:
    """Return what the sealed rows show besides the promises."""
    return tuple(_row_findings(parity, calibration, per_class, errors, rows))


def change_findings(changes: Sequence[ThresholdChange]) -> tuple[Finding, ...]:
    """Return one finding for every promise that was changed after a verdict."""
    return tuple(
        Finding(
            "C007",
            "warn",
            f"question, {change.id}, ledger entry {change.seq}",
            _changed(change),
            {"seq": change.seq, "verdict_seq": change.verdict_seq, "at": change.at},
        )
        for change in changes
    )


def _changed(change: ThresholdChange) -> str:
    """Return who changed what; of what no record was kept nobody can say that it changed."""
    before, after = change.before or NOT_ASKED, change.after or NOT_ASKED
    if before == NOT_THEN:
        return (
            f"After a verdict, {change.actor} set another question: {change.id} was {NOT_THEN};"
            f" it is {after}."
        )
    return f"After a verdict, {change.actor} changed {change.id} from {before} to {after}."


def read_again(why: str) -> Finding:
    """Return the note that no new opening was used because these rows were known to it."""
    return Finding("C014", "inform", "the seal", f"The sealed rows were read again: {why}.")


def no_champion(problem: str) -> Finding:
    """Return the warning that the version in use could not be held against the candidate."""
    return Finding("C013", "warn", "the champion", f"The champion could not be compared: {problem}")


def _promise(verdict: Verdict, code: str) -> Finding | None:
    if verdict.verdict == "pass":
        return None
    value, bounds, _ = verdict_figures(verdict)
    answer = "fails" if verdict.verdict == "fail" else "is undecided"
    return Finding(
        code,
        "block",
        f"{verdict.id}, {verdict.n} {verdict.unit}",
        f"{verdict.id} {answer}: {value} {bounds}, wanted {wanted(verdict)}.",
        {"rows_needed": verdict.rows_needed, "rows_needed_for": verdict.rows_needed_for},
    )


def _row_findings(
    parity: Mapping[str, Any],
    calibration: Mapping[str, Any],
    per_class: Mapping[str, Mapping[str, float]],
    errors: Sequence[Mapping[str, Any]],
    rows: int,
) -> Iterator[Finding]:
    if parity and not parity["holds"]:
        says = f"What ships differs from what was trained on {parity['rows']} sealed rows: "
        differ, largest = parity["labels_differ"], parity["largest_difference"]
        says += f"{differ} decisions differ, largest difference {largest}."
        yield Finding("C006", "block", f"model.onnx, {rows} rows", says, dict(parity))
    for name, figures in per_class.items():
        if not figures["support"]:
            says = f"No sealed row is {name}: nothing is known about this class."
            yield Finding("C012", "warn", f"0 of {rows} sealed rows", says)
    sure = [part for part in errors if part["p"] < SURE]
    if sure:
        yield _concentration(sure, rows)
    if calibration.get("off"):
        bins = len(calibration["bins"])
        says = f"In {calibration['off']} of {bins} bins the {calibration['of']} is off."
        yield Finding("C011", "warn", f"{rows} sealed rows", says, {"ece": calibration["ece"]})


def _concentration(parts: Sequence[Mapping[str, Any]], rows: int) -> Finding:
    """Return one finding for all parts, the surest of them in words."""
    worst = parts[0]
    where = f"{worst['column']}, {worst['part']}, {worst['rows']} of {rows} rows"
    rate, rest = figure(worst["rate"], 2), figure(worst["rest"], 2)
    more = f"; and in {len(parts) - 1} more" if len(parts) > 1 else ""
    says = f"Errors concentrate in {worst['column']}, {worst['part']}: {rate}, elsewhere {rest}"
    keys = ("column", "part", "rows", "rate", "rest", "p")
    listed = [{key: part[key] for key in keys} for part in parts]
    return Finding("C010", "warn", where, f"{says}{more}.", {"parts": listed})

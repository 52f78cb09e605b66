"""The decision record: why this candidate, what was close, and what stays open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qua3ck.conclude.figures import digits_for, figure, interval, verdict_figures, wanted
from qua3ck.conclude.words import what_would_decide

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate, Trial
    from qua3ck.conclude.records import Comparison, Conclusion
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.question.records import Kpi, Question
    from qua3ck.understand.records import Snapshot

RARE = 30
OPTIMISM = 0.02
GAP = 0.03
MOST_PARTS = 3
_SURE = {"pass": "better beyond doubt", "fail": "worse beyond doubt", "undecided": "not shown"}


def reasons(
    question: Question,
    candidate: Candidate,
    verdicts: Sequence[Verdict],
    comparisons: Sequence[Comparison],
    *,
    allowed: bool,
) -> tuple[str, ...]:
    """Return why this candidate was chosen, what was close, and why it may ship or not."""
    said = [*_why_chosen(question, candidate)]
    leading: dict[str, Comparison] = {}
    for comparison in comparisons:
        leading.setdefault(comparison.against, comparison)
    said += [_against(comparison) for comparison in leading.values()]
    missing = [verdict for verdict in verdicts if verdict.verdict != "pass"]
    said += [f"{_measured(verdict)}: {verdict.verdict}." for verdict in missing]
    if allowed:
        said.append("It may be released: every KPI, slice and gap holds and nothing blocks.")
    else:
        said.append("It may not be released: what is named above or a blocking finding stops it.")
    return tuple(said)


def risks(
    snapshot: Snapshot,
    candidate: Candidate,
    verdicts: Sequence[Verdict],
    per_class: Mapping[str, Mapping[str, float]],
    errors: Sequence[Mapping[str, Any]],
) -> tuple[str, ...]:
    """Return what stays open: undecided promises, rare parts, left-out columns, optimism."""
    said = [
        f"{_measured(verdict)}: undecided on {verdict.n:,} {verdict.unit}."
        f" {what_would_decide(verdict)}"
        for verdict in verdicts
        if verdict.verdict == "undecided"
    ]
    said += [
        f"Class {name} is rare: {figures['support']:,.0f} sealed rows."
        for name, figures in per_class.items()
        if figures["support"] < RARE
    ]
    said += [
        f"{part['column']}, {part['part']}: wrong in {figure(part['rate'], 2)} of"
        f" {part['rows']:,} sealed rows, the others in {figure(part['rest'], 2)}."
        for part in [part for part in errors if part["p"] < 0.05][:MOST_PARTS]
    ]
    left_out = [column.name for column in snapshot.columns if column.role == "left_out"]
    if left_out:
        said.append(f"Left out of the model: {', '.join(left_out)}.")
    return (*said, *_loop_risks(candidate))


def decision_record(conclusion: Conclusion, candidate: Candidate) -> str:
    """Return the decision as a short Markdown page: what, why, what is open, where to check."""
    answer = "may be released" if conclusion.release_allowed else "may not be released"
    params = ", ".join(f"{key} = {value}" for key, value in candidate.params.items())
    verdicts = (*conclusion.kpis, *conclusion.slices, *conclusion.fairness)
    lines = [
        f"# Decision: the candidate {answer}",
        f"{candidate.algorithm} ({params or 'usual settings'}), candidate {candidate.digest},"
        f" judged on {conclusion.rows:,} sealed rows of snapshot {conclusion.snapshot}, opening"
        f" {conclusion.opening} of {conclusion.openings}, at {conclusion.at}.",
        "## Promises",
        "\n".join(f"- {_measured(verdict)}: {verdict.verdict}" for verdict in verdicts),
        "## Why",
        "\n".join(f"- {reason}" for reason in conclusion.reasons),
        "## Open risks",
        "\n".join(f"- {risk}" for risk in conclusion.risks) or "None was found by the checks.",
    ]
    return "\n\n".join(lines) + "\n"


def _loop_risks(candidate: Candidate) -> list[str]:
    said = []
    optimism = candidate.optimistic - candidate.honest
    if abs(optimism) > OPTIMISM:
        said.append(
            f"A random split would have promised {figure(candidate.optimistic, 3)} instead of"
            f" {figure(candidate.honest, 3)}: rows are not as independent as they look."
        )
    if abs(candidate.train_score - candidate.honest) > GAP:
        said.append(
            f"It fits training rows better ({figure(candidate.train_score, 3)}) than validation"
            f" rows ({figure(candidate.honest, 3)})."
        )
    return said


def _why_chosen(question: Question, candidate: Candidate) -> list[str]:
    kpi = next((kpi for kpi in question.kpis if kpi.id in candidate.scores), None)
    done = [trial for trial in candidate.trials if trial.state == "complete"]
    if kpi is None:
        return [f"{candidate.algorithm} was kept after {len(done)} finished trials."]
    best = figure(candidate.scores[kpi.id].value, 4)
    said = [
        f"{candidate.algorithm} was kept among {len(done)} finished trials, with a validation"
        f" {kpi.id} of {best}. Limits come first; of those that validation cannot tell from the"
        " best, the explainable, the quicker and the smaller one is taken."
    ]
    return said + [_closeness(trial, kpi, candidate) for trial in _close(done, kpi, candidate)]


def _close(done: Sequence[Trial], kpi: Kpi, candidate: Candidate) -> list[Trial]:
    """Return the best trial of every other algorithm that came within two spreads of seeds."""
    worth = 1 if kpi.direction == "at_least" else -1
    best: dict[str, Trial] = {}
    for trial in done:
        if trial.algorithm == candidate.algorithm or kpi.id not in trial.scores:
            continue
        known = best.get(trial.algorithm)
        if known is None or worth * trial.scores[kpi.id] > worth * known.scores[kpi.id]:
            best[trial.algorithm] = trial
    reach = max(2 * candidate.seed_sd, 0.005)
    score = candidate.scores[kpi.id].value
    close = [t for t in best.values() if worth * (score - t.scores[kpi.id]) <= reach]
    return sorted(close, key=lambda trial: (-worth * trial.scores[kpi.id], trial.number))


def _closeness(trial: Trial, kpi: Kpi, candidate: Candidate) -> str:
    score = figure(trial.scores[kpi.id], 4)
    limits = "" if trial.feasible else ", but outside another limit"
    moved = f"; seeds alone move it by {figure(candidate.seed_sd, 4)}" if candidate.seed_sd else ""
    return f"Close: {trial.algorithm} ({kpi.id} {score}){limits}{moved}."


def _against(comparison: Comparison) -> str:
    digits = digits_for(comparison.difference, comparison.low, comparison.high)
    gain = figure(comparison.difference, digits)
    bounds = interval(comparison.low, comparison.high, digits)
    who = f"{comparison.against} ({comparison.says})" if comparison.says else comparison.against
    return (
        f"Against {who}: {comparison.metric} better by {gain} {bounds},"
        f" {_SURE[comparison.verdict]}."
    )


def _measured(verdict: Verdict) -> str:
    value, bounds, _ = verdict_figures(verdict)
    return f"{verdict.id} {value} {bounds}, wanted {wanted(verdict)}"

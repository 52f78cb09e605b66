"""What is wrong with a question before any row is read, and whether it says to stop."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from qua3ck.kit import rules
from qua3ck.kit.findings import Finding
from qua3ck.question.metrics import METRICS, Metric, TaskName, metric

if TYPE_CHECKING:
    from qua3ck.question.records import FairnessGap, Kpi, Question

FACTS = ("rows", "train_rows", "test_rows", "opened", "trials", "minutes", "gain")
RARE = 0.05


def check_question(
    question: Question,
    *,
    task: TaskName | None = None,
    classes: tuple[str, ...] = (),
    prevalence: float | None = None,
    sensitive: tuple[str, ...] = (),
) -> tuple[Finding, ...]:
    """Return what is wrong with a question; what needs the data only if it is given.

    Parameters
    ----------
    question : Question
        As declared.
    task : {"binary", "multiclass", "regression"}, optional
        What the target turned out to be.
    classes : tuple of str, optional
        The target's values.
    prevalence : float, in [0, 1], optional
        Share of the rows that are of the positive class, or with more than two classes of
        the rarest.
    sensitive : tuple of str, default ()
        Columns declared as attributes of persons.

    Raises
    ------
    Qua3ckError
        If a metric does not exist.
    """
    return (
        *_same_ids(question),
        *_kpis(question, task),
        *_gaps(question, task),
        *_positive(question, classes),
        *_accuracy_alone(question, prevalence),
        *_risk(question, sensitive),
    )


def check_stop_rule(question: Question, rule: str, *, where: str) -> None:
    """Refuse a ``stop_if`` rule that cannot be read or names no fact.

    Raises
    ------
    Qua3ckError
        With the names that may be used.
    """
    facts = {**dict.fromkeys(FACTS, 1.0), **{kpi.id: 1.0 for kpi in question.kpis}}
    rules.evaluate(rule, facts, where=where)


def stop(question: Question, facts: Mapping[str, float]) -> tuple[str, ...]:
    """Return the ``stop_if`` rules that say to stop, as written.

    A rule about a fact that came out as no number (NaN) cannot be answered. It stops too,
    with the reason behind it: what is not known never counts as passed.

    Parameters
    ----------
    question : Question
        Whose rules.
    facts : mapping of str to float
        What is known so far: ``rows``, ``train_rows``, ``test_rows``, ``opened``,
        ``trials``, ``minutes``, ``gain`` over the baseline, and values by KPI id. A rule
        about a fact that exists but is not known yet is left for later.

    Raises
    ------
    Qua3ckError
        If a rule names something that is no fact of any phase.
    """
    fired = []
    for i, rule in enumerate(question.stop_if):
        where = f"question.stop_if[{i}]"
        known = {**{kpi.id: 1.0 for kpi in question.kpis}, **dict.fromkeys(FACTS, 1.0), **facts}
        holds = rules.evaluate(rule, known, where=where)
        named = rules.names(rule, where=where)
        if not all(name in facts for name in named):
            continue
        if holds is None:
            unknown = ", ".join(name for name in named if math.isnan(facts[name]))
            fired.append(f"{rule} (not applicable: {unknown} is unknown)")
        elif holds:
            fired.append(rule)
    return tuple(fired)


def _same_ids(question: Question) -> Iterator[Finding]:
    ids = Counter([kpi.id for kpi in question.kpis] + [gap.id for gap in question.fairness])
    for name, times in ids.items():
        if times > 1:
            yield _finding("Q004", "block", name, f'The id "{name}" is used {times} times.')
        if name in FACTS:
            says = f'The id "{name}" is also a fact that stop_if rules use; choose another.'
            yield _finding("Q004", "block", name, says)


def _kpis(question: Question, task: TaskName | None) -> Iterator[Finding]:
    for kpi in question.kpis:
        asked = metric(kpi.metric, where=f"question.kpis, {kpi.id}")
        if asked.family == "gap":
            says = f"{asked.name} compares groups: declare it under fairness, with by."
            yield _finding("Q005", "block", kpi.id, says)
        if asked.name == "cost_per_case" and question.costs is None:
            says = "cost_per_case needs costs: {false_negative: ..., false_positive: ...}."
            yield _finding("Q005", "block", kpi.id, says)
        if (kpi.slice or kpi.slice_by) and asked.family in {"latency", "constraint"}:
            says = f"{asked.name} is measured for the whole model and has no slices."
            yield _finding("Q005", "block", kpi.id, says)
        yield from _task(kpi.id, asked, task)
        yield from _threshold(kpi, asked)


def _gaps(question: Question, task: TaskName | None) -> Iterator[Finding]:
    for gap in question.fairness:
        asked = metric(gap.metric, where=f"question.fairness, {gap.id}")
        if asked.family != "gap":
            gaps = ", ".join(m.name for m in METRICS.values() if m.family == "gap")
            says = f"{asked.name} is no difference between groups; possible are {gaps}."
            yield _finding("Q005", "block", gap.id, says)
        yield from _task(gap.id, asked, task)
        yield from _range(gap, gap.at_most, asked)


def _task(name: str, asked: Metric, task: TaskName | None) -> Iterator[Finding]:
    if task is None or task in asked.tasks:
        return
    possible = [
        m.name
        for m in METRICS.values()
        if task in m.tasks and m.needs in {"labels", "scores", "values"} and m.family != "gap"
    ]
    says = f"{asked.name} is not defined for a {task} target; possible are {', '.join(possible)}."
    yield _finding("Q006", "block", name, says)


def _threshold(kpi: Kpi, asked: Metric) -> Iterator[Finding]:
    yield from _range(kpi, kpi.threshold, asked)
    if kpi.direction != asked.direction:
        says = (
            f"{kpi.direction} stands against the sense of {asked.name}, where"
            f" {'more' if asked.higher_is_better else 'less'} is better: write"
            f" {asked.direction}: {kpi.threshold:g}."
        )
        yield _finding("Q008", "block", kpi.id, says)


def _range(kpi: Kpi | FairnessGap, threshold: float, asked: Metric) -> Iterator[Finding]:
    if asked.low <= threshold <= asked.high:
        return
    hint = ""
    if asked.high == 1 and 1 < threshold <= 100:
        hint = f" Did you mean {threshold / 100:g}?"
    says = (
        f"{threshold:g} is outside what {asked.name} can be, {asked.low:g} to {asked.high:g}.{hint}"
    )
    yield _finding("Q007", "block", kpi.id, says)


def _risk(question: Question, sensitive: tuple[str, ...]) -> Iterator[Finding]:
    affects = question.risk.affects
    if affects is None:
        says = "Nobody has said whom a wrong number hits; until then the strictest class holds."
        yield _finding("Q010", "warn", "risk", says)
    elif affects != "people" and (question.fairness or sensitive):
        persons = ", ".join([*sensitive, *dict.fromkeys(gap.by for gap in question.fairness)])
        says = f"affects: {affects} is declared, but also attributes of persons: {persons}."
        yield _finding("Q010", "warn", "risk", says)


def _positive(question: Question, classes: tuple[str, ...]) -> Iterator[Finding]:
    if question.positive is None or not classes or str(question.positive) in classes:
        return
    says = "The declared positive class is not among the target's values."
    yield _finding("Q009", "block", "positive", says, classes=list(classes))


def _accuracy_alone(question: Question, prevalence: float | None) -> Iterator[Finding]:
    about_labels = {
        kpi.metric for kpi in question.kpis if METRICS[kpi.metric].needs in {"labels", "scores"}
    }
    if prevalence is None or prevalence >= RARE or about_labels != {"accuracy"}:
        return
    says = (
        f"Accuracy is the only metric while the class that matters is {prevalence:.1%} of the"
        f" rows: calling everything the other class already gives {1 - prevalence:.1%}. Add"
        " recall, precision, balanced_accuracy or average_precision."
    )
    yield _finding("Q002", "block", "kpis", says, prevalence=prevalence)


def _finding(code: str, severity: str, name: str, says: str, **evidence: Any) -> Finding:
    level: Any = severity
    return Finding(code, level, f"question, {name}", says, evidence)

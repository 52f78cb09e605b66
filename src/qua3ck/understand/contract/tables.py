"""What is asked of a table as a whole: figures, ages, expected rows, sums, near duplicates.

Rules that only count rows are asked here as well. All of them that are single figures share
one statement with one row of answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qua3ck.store.warehouse.distinct import surely_differ
from qua3ck.understand.contract.compile import failure, figure, repeats
from qua3ck.understand.contract.freshness import is_late, latest
from qua3ck.understand.contract.measures import Answer, finding_of, measured, not_applicable
from qua3ck.understand.contract.odcs import ContractTable, may_be_named
from qua3ck.understand.contract.references import References, joined, sums_that_differ
from qua3ck.understand.contract.rules import Rule
from qua3ck.understand.contract.sqlrule import NotSaid

if TYPE_CHECKING:
    import ibis

    from qua3ck.store.warehouse.engine import Engine

SHOWN = 20
TABLE_TESTS = frozenset({"rows", "figure", "grid", "fresh", "sums", "near"})
_ROWS = "_rows"


def ask_table(
    rows: ibis.Table,
    rules: Sequence[Rule],
    table: ContractTable,
    *,
    engine: Engine,
    references: References,
    now: datetime,
    count: int,
) -> list[Answer]:
    """Return the answer of each rule over these rows.

    Parameters
    ----------
    rows : ibis.Table
        The rows that go on.
    table : ContractTable
        The table that the rules are about.
    count : int
        How many rows these are; of none, every rule fails.
    """
    if count == 0:
        return [Answer(rule, measured(rule, rows=0, failing=0)) for rule in rules]
    answers = []
    figures, reasons = _figures(rows, rules, engine, references, now)
    for rule in rules:
        if rule.id in reasons:
            answer = Answer(rule, not_applicable(rule, reasons[rule.id]))
        elif rule.id in figures:
            answer = _of_figure(rule, figures[rule.id], count)
        elif rule.test == "unique":
            answer = _of_repeats(rows, rule, engine, count)
        elif rule.test == "fresh":
            answer = _of_ages(rows, rule, table, engine, now)
        elif rule.test == "sums":
            answer = _of_sums(rows, rule, engine, references)
        elif rule.test == "grid":
            from qua3ck.understand.contract.grid import of_grid

            answer = of_grid(rows, rule, table, engine=engine, references=references)
        else:
            from qua3ck.understand.contract.duplicates import of_near_duplicates

            answer = of_near_duplicates(rows, rule, engine=engine, count=count)
        answers.append(_told(answer, table.name))
    return answers


def _told(answer: Answer, name: str) -> Answer:
    """Return the answer with its finding if the rule failed."""
    if answer.measure.answer != "fail" or answer.finding is not None:
        return answer
    finding = finding_of(answer.rule, answer.measure, table=name, evidence=answer.evidence)
    return replace(answer, finding=finding)


def _figures(
    rows: ibis.Table,
    rules: Sequence[Rule],
    engine: Engine,
    references: References,
    now: datetime,
) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Return by rule its figure, all from one statement; and why others have none."""
    by_rows = {"figure", "unique", "fresh", "sums", "grid", "near", "rows"}
    beside, reasons = joined(rows, rules, references)
    asked: dict[str, Any] = {}
    for number, rule in enumerate(rules):
        if rule.id in reasons:
            continue
        try:
            if rule.test == "rows":
                asked[rule.id] = beside.count()
            elif rule.test == "figure":
                asked[rule.id] = figure(rule, beside, now=now)
            elif rule.test not in by_rows:
                failed = failure(rule, beside, number, now=now)
                asked[rule.id] = failed.fill_null(False).sum()
        except NotSaid as problem:
            reasons[rule.id] = str(problem)
    if not asked:
        return {}, reasons
    named = {f"_f{at}": expression for at, expression in enumerate(asked.values())}
    (values,) = engine.rows(beside.aggregate(**named)).to_pylist()
    return dict(zip(asked, values.values(), strict=True)), reasons


def _of_figure(rule: Rule, value: Any, count: int) -> Answer:
    if rule.test in {"figure", "rows"}:
        share = _percent(rule, value, count)
        failed = rule.bound is not None and not rule.bound.met(share)
        shown = _short(share) if rule.given.get("shown", True) else "another"
        why = f"it is {shown}, and {rule.bound}" if failed else ""
        failing = count if failed else 0
        return Answer(rule, measured(rule, rows=count, failing=failing, failed=failed, why=why))
    failing = int(value or 0)
    if rule.bound is None:
        return Answer(rule, measured(rule, rows=count, failing=failing))
    return _bounded(rule, failing, count)


def _bounded(rule: Rule, failing: int, count: int) -> Answer:
    share = _percent(rule, failing, count)
    failed = rule.bound is not None and not rule.bound.met(share)
    unit = " percent" if rule.bound and rule.bound.percent else ""
    why = f"it is {_short(share)}{unit}, and {rule.bound}" if failed else ""
    return Answer(rule, measured(rule, rows=count, failing=failing, failed=failed, why=why))


def _percent(rule: Rule, value: Any, count: int) -> Any:
    percent = rule.bound is not None and rule.bound.percent and isinstance(value, int | float)
    return 100 * value / count if percent else value


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _of_repeats(rows: ibis.Table, rule: Rule, engine: Engine, count: int) -> Answer:
    failing = _beyond_first(rows, rule.columns, engine, count)
    if rule.bound is None:
        return Answer(rule, measured(rule, rows=count, failing=failing))
    return _bounded(rule, failing, count)


def _beyond_first(rows: ibis.Table, columns: Sequence[str], engine: Engine, count: int) -> int:
    """Return how many rows have a key that an earlier one has; their keys are listed only then."""
    keys = rows.filter(*[rows[name].notnull() for name in columns]).select(*columns)
    if surely_differ(engine, keys, rows=count):
        return 0
    found = repeats(rows, columns)
    beyond = engine.rows(found.aggregate(n=(found[_ROWS] - 1).sum()))["n"][0].as_py()
    return int(beyond or 0)


def _of_ages(
    rows: ibis.Table, rule: Rule, table: ContractTable, engine: Engine, now: datetime
) -> Answer:
    found = engine.rows(latest(rows, rule)).to_pylist()
    late = [each for each in found if is_late(each["newest"], rule, now)]
    units = rule.given["per"]
    named = units and all(may_be_named(table, unit) for unit in units)
    evidence = {"units": [[each[unit] for unit in units] for each in late[:SHOWN]]} if named else {}
    return Answer(rule, measured(rule, rows=len(found), failing=len(late)), evidence=evidence)


def _of_sums(rows: ibis.Table, rule: Rule, engine: Engine, references: References) -> Answer:
    found, why = sums_that_differ(rows, rule, references)
    if found is None:
        return Answer(rule, not_applicable(rule, why))
    (one,) = engine.rows(found).to_pylist()
    return Answer(rule, measured(rule, rows=int(one["groups"]), failing=int(one["differ"] or 0)))

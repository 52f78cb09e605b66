"""Rows that should be there and are not: every unit in every period.

A report that never came leaves no empty cell behind, so a table can be complete in every cell
and lack whole districts. The grid of units and periods is laid out, and what is missing in it
counted. A unit that never reported at all is only known if the contract says where units are
listed (``unitsIn``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import did_you_mean
from qua3ck.understand.contract.measures import Answer, measured, not_applicable
from qua3ck.understand.contract.odcs import ContractTable, may_be_named
from qua3ck.understand.contract.references import References
from qua3ck.understand.contract.rules import Rule

if TYPE_CHECKING:
    import ibis

    from qua3ck.store.warehouse.engine import Engine

_SHOWN = 20
_PERIOD = "_period"
_LETTERS: dict[str, Any] = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
_MOST_CELLS = 10_000_000
# 2024, 2024-03, 202403, 2024-03-01, 2024Q1, 2024-W07
_FORMS = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), "day"),
    (re.compile(r"(\d{4})-?(0[1-9]|1[0-2])"), "month"),
    (re.compile(r"(\d{4})-?Q([1-4])"), "quarter"),
    (re.compile(r"(\d{4})-?W(\d{1,2})"), "week"),
    (re.compile(r"(\d{4})"), "year"),
)


def of_grid(
    rows: ibis.Table, rule: Rule, table: ContractTable, *, engine: Engine, references: References
) -> Answer:
    """Return how many of the expected rows are missing."""
    seen, why = _cells(rows, rule, engine)
    units, why = _units(rule, references, seen, engine) if not why else (set(), why)
    if why:
        return Answer(rule, not_applicable(rule, why))
    periods = _periods([period for _, period in seen], rule)
    expected = len(units) * len(periods)
    if expected > _MOST_CELLS:
        reason = f"{len(units)} units by {len(periods)} periods are more than {_MOST_CELLS} rows"
        return Answer(rule, not_applicable(rule, reason))
    there = {cell for cell in seen if cell[0] in units and cell[1] in periods}
    missing = expected - len(there)
    failed = len(there) < rule.given["share"] * expected
    measure = measured(rule, rows=expected, failing=missing, failed=failed or expected == 0)
    evidence = _evidence(rule, table, units, periods, there)
    return Answer(rule, measure, evidence=evidence)


def _cells(rows: ibis.Table, rule: Rule, engine: Engine) -> tuple[set[tuple[Any, int]], str]:
    """Return the units and periods that have a row, and why they cannot be told."""
    units, period = list(rule.given["units"]), rule.given["period"]
    filled = rows.filter(*[rows[name].notnull() for name in (*units, period)])
    moment = filled[period]
    if moment.type().is_temporal():  # far fewer different values, and the engine counts them
        moment = moment.cast("date").truncate(_LETTERS[rule.given["every"]])
    pairs = engine.rows(filled.select(*units, **{_PERIOD: moment}).distinct())
    cells: set[tuple[Any, int]] = set()
    for each in pairs.to_pylist():
        number = period_number(each[_PERIOD], rule.given["every"])
        if number is None:
            return set(), f"{period} holds what is no {rule.given['every']}"
        cells.add((tuple(each[unit] for unit in units), number))
    return cells, ""


def _units(
    rule: Rule, references: References, seen: Iterable[tuple[Any, int]], engine: Engine
) -> tuple[set[Any], str]:
    """Return the units that should report: those listed elsewhere, else those that ever did."""
    listed = rule.given["listed"]
    if listed is None:
        return {unit for unit, _ in seen}, ""
    name, column = listed
    other = references(name)
    if other is None:
        return set(), f"the table {name} is not there yet"
    if column not in other.columns:
        return set(), f'{name} has no column "{column}"{did_you_mean(column, other.columns)}'
    values = engine.rows(other.filter(other[column].notnull()).select(column).distinct())
    return {(value,) for value in values[column].to_pylist()}, ""


def period_number(value: Any, every: str) -> int | None:
    """Return the period that a value lies in, as a number that counts periods; None if none.

    Parameters
    ----------
    value : date, datetime, str or int
        A moment, or a period written as 2024, 2024-03, 202403, 2024Q1 or 2024-W07.
    every : {"day", "week", "month", "quarter", "year"}
        The length of a period. A value that names a longer one has no place.
    """
    if isinstance(value, datetime | date):
        return _number(value.year, value.month, value.day, every)
    text = str(value).strip().upper()
    for form, length in _FORMS:
        found = form.fullmatch(text)
        if found is None:
            continue
        parts = [int(part) for part in found.groups()]
        return _of_parts(parts, length, every)
    return None


def _of_parts(parts: list[int], length: str, every: str) -> int | None:
    lengths = ("day", "week", "month", "quarter", "year")
    if lengths.index(length) > lengths.index(every) or (length, every) == ("week", "month"):
        return None
    year, second, third = (*parts, 1, 1)[:3]
    try:
        if length == "week":
            moment = date.fromisocalendar(year, second, 1)
            return _number(moment.year, moment.month, moment.day, every)
        month = 3 * second - 2 if length == "quarter" else second
        return _number(year, month, third, every)
    except ValueError:
        return None


def _number(year: int, month: int, day: int, every: str) -> int:
    days = date(year, month, day).toordinal()
    return {
        "day": days,
        "week": (days - 1) // 7,
        "month": 12 * year + month - 1,
        "quarter": 4 * year + (month - 1) // 3,
        "year": year,
    }[every]


def _periods(seen: list[int], rule: Rule) -> range:
    """Return the periods from the first to the last: as agreed, else as seen."""
    ends: Mapping[str, Any] = rule.given["ends"]
    every = rule.given["every"]
    first = period_number(ends["from"], every) if ends["from"] else min(seen, default=0)
    last = period_number(ends["to"], every) if ends["to"] else max(seen, default=-1)
    return range(first or 0, (last or 0) + 1)


def _evidence(
    rule: Rule, table: ContractTable, units: set[Any], periods: range, there: set[tuple[Any, int]]
) -> dict[str, Any]:
    """Return what helps to ask for what is missing; units by name only if that is allowed."""
    complete = Counter(unit for unit, _ in there)
    gaps = {unit: len(periods) - complete[unit] for unit in units if complete[unit] < len(periods)}
    silent = sum(1 for gap in gaps.values() if gap == len(periods))
    facts: dict[str, Any] = {
        "units": len(units),
        "periods": len(periods),
        "units_with_gaps": len(gaps),
        "units_without_any": silent,
    }
    if all(may_be_named(table, unit) for unit in rule.given["units"]):
        worst = sorted(gaps, key=lambda unit: (-gaps[unit], str(unit)))[:_SHOWN]
        facts["missing_by_unit"] = {" ".join(map(str, unit)): gaps[unit] for unit in worst}
    return facts

"""How old the newest row may be: of a whole table, and of each reporting unit in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import did_you_mean
from qua3ck.kit.yaml12 import Keys
from qua3ck.understand.contract.odcs import extra, extra_keys

if TYPE_CHECKING:
    import ibis
    from open_data_contract_standard.model import ServiceLevelAgreementProperty

    from qua3ck.understand.contract.rules import Rule, RuleReader

_AGES = {"freshness", "latency", "fr", "ly"}
_UNITS = {
    "seconds": ("s", "sec", "second", "seconds"),
    "minutes": ("min", "minute", "minutes"),
    "hours": ("h", "hr", "hour", "hours"),
    "days": ("d", "day", "days"),
    "weeks": ("w", "wk", "week", "weeks"),
    "months": ("mo", "month", "months"),
    "years": ("y", "yr", "year", "years"),
}
_DAYS = {"months": 31, "years": 366}  # the longest: nobody is late for a short month


def freshness_rule(reader: RuleReader, agreed: ServiceLevelAgreementProperty, keys: Keys) -> Rule:
    """Return the rule of one agreement on service; only ages can be seen in the rows."""
    element = (agreed.element or "").split(",")[0].rpartition(".")[2].strip()
    unit = agreed.unit or "d"
    aged = f"the newest {element or agreed.property} is at most {agreed.value} {unit} old"
    says = agreed.description or aged
    id_ = agreed.id or f"{element or reader.table.name}.{agreed.property}"
    if (agreed.property or "").lower() not in _AGES:
        why = "only an age can be seen in the rows: freshness or latency"
        return reader.not_here(id_, keys, says, why, dimension="timeliness")
    age = _age(reader, agreed, keys)
    if not element:
        reader.mistake(
            f"{agreed.property} does not say the age of which column",
            keys,
            "add element: table.column",
        )
    found = reader.known([element] if element else [], (*keys, "element"))
    per = extra(agreed, "per")
    units = reader.known([per], (*keys, *extra_keys(agreed, "per"))) if per else ()
    if age is None or not found or units is None:
        return reader.not_here(id_, keys, says, "it has a mistake", dimension="timeliness")
    return reader.rule(
        id_,
        "fresh",
        keys,
        says,
        columns=(*found, *units),
        action=extra(agreed, "severity"),
        moment=found[0],
        per=units,
        age=age,
    )


def latest(rows: ibis.Table, rule: Rule) -> ibis.Table:
    """Return the newest moment, one row; or one row per reporting unit."""
    moment = rows[rule.given["moment"]]
    units = list(rule.given["per"])
    if units:
        return rows.group_by(units).aggregate(newest=moment.max())
    return rows.aggregate(newest=moment.max())


def is_late(newest: Any, rule: Rule, now: datetime) -> bool:
    """Whether the newest row is older than agreed; no row at all is late.

    A date counts until its end: what was reported for a day is as new as the day.
    """
    if newest is None:
        return True
    moment = newest if isinstance(newest, datetime) else _end_of(newest)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return bool(now - moment > rule.given["age"])


def _end_of(day: Any) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(days=1)  # noqa: DTZ001


def _age(reader: RuleReader, agreed: ServiceLevelAgreementProperty, keys: Keys) -> timedelta | None:
    unit = (agreed.unit or "d").lower()
    name = next((name for name, words in _UNITS.items() if unit in words), None)
    value = agreed.value
    if name is None:
        words = [word for every in _UNITS.values() for word in every]
        reader.mistake(
            f'unit is "{agreed.unit}"{did_you_mean(unit, words)}',
            (*keys, "unit"),
            "write one of: d, h, min, w, months, y",
        )
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        reader.mistake(
            f'value of {agreed.property} is "{value}"; a number over 0 is expected',
            (*keys, "value"),
            "write value: 7 with unit: d",
        )
        return None
    days = _DAYS.get(name)
    return timedelta(days=value * days) if days else timedelta(**{name: value})

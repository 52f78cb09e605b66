"""What a question promises: all of it that moves a verdict or a gate, kept and told in words.

One record goes into the ledger when the question is set, under a signature when people agree
to it, and is held against the project file when a version is to be promoted. Texts and names
are not in it: another wording is no other promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from qua3ck.kit.hashes import decimals
from qua3ck.question.metrics import METRICS

if TYPE_CHECKING:
    from qua3ck.question.records import Kpi, Question

NOT_ASKED = "not asked"
NOT_THEN = "not on record then"
NOT_DECLARED = "not declared"
# A space keeps these apart from the ids of KPIs and gaps, which have none.
LEADING, POSITIVE, COSTS, RISK, STOP = (
    "leading KPI",
    "positive class",
    "costs of errors",
    "risk answers",
    "stop rules",
)
_KPI_FACTS = {"confidence": "confidence", "slice": "slice", "slice_by": "groups"}
_GAP_FACTS = {"confidence": "confidence", "by": "groups", "min_rows": "rows per group"}


class Moved(NamedTuple):
    """A promise that is not what it was: ``before`` and ``after`` in words.

    Either is empty where the promise was added or dropped.
    """

    id: str
    before: str
    after: str

    def __str__(self) -> str:
        """Return it as ``id: before -> after``."""
        return f"{self.id}: {self.before or NOT_ASKED} -> {self.after or NOT_ASKED}"


def promised(question: Question) -> dict[str, Any]:
    """Return the record of what a question promises, numbers as decimal text.

    Returns
    -------
    dict
        ``kpis`` and ``fairness`` in the order declared: metric, side and number, confidence,
        slices or groups, and how many rows a group needs; ``positive``, ``costs`` (each None
        if not declared), ``risk`` and ``stop_if``.
    """
    risk = question.risk
    record = {
        "kpis": [_kpi(kpi) for kpi in question.kpis],
        "fairness": [
            gap.model_dump(include={"id", "metric", "by", "at_most", "confidence", "min_rows"})
            for gap in question.fairness
        ],
        "positive": None if question.positive is None else str(question.positive),
        "costs": question.costs.model_dump() if question.costs else None,
        "risk": {"affects": risk.affects, "domain": risk.domain, "automated": risk.automated},
        "stop_if": list(question.stop_if),
    }
    kept: dict[str, Any] = decimals(record)
    return kept


def as_written(kept: Mapping[str, Any]) -> dict[str, str]:
    """Return a record in words, by id of the KPI or gap or by what else was promised.

    Parameters
    ----------
    kept : mapping
        What :func:`promised` gave, or an older ledger entry that holds less: what is not in
        it is said to be not on record then.
    """
    told = {str(one["id"]): _kpi_words(one) for one in kept.get("kpis", ())}
    told |= {str(one["id"]): _gap_words(one) for one in kept.get("fairness", ())}
    told[LEADING] = _leading(kept)
    rest: dict[str, tuple[str, Callable[[Any], str]]] = {
        "positive": (POSITIVE, str),
        "costs": (COSTS, _costs_words),
        "risk": (RISK, _risk_words),
        "stop_if": (STOP, ", ".join),
    }
    for key, (name, in_words) in rest.items():
        value = kept.get(key, NOT_THEN)
        told[name] = NOT_DECLARED if value is None else in_words(value) if key in kept else value
    return told


def moved(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Moved, ...]:
    """Return every promise in which two records differ, with both as written.

    What one of them does not hold counts as different: nobody can tell that it is the same.
    """
    before, after = as_written(then), as_written(now)
    return tuple(
        Moved(name, before.get(name, ""), after.get(name, ""))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def _kpi(kpi: Kpi) -> dict[str, Any]:
    return {
        "id": kpi.id,
        "metric": kpi.metric,
        kpi.direction: kpi.threshold,
        "confidence": kpi.confidence,
        "slice_by": kpi.slice_by,
        "slice": {key: str(value) for key, value in (kpi.slice or {}).items()},
        "min_rows": kpi.min_rows,
    }


def _kpi_words(one: Mapping[str, Any]) -> str:
    """Return a KPI; how many rows a group needs counts only where there are groups."""
    side = "at_least" if one.get("at_least") is not None else "at_most"
    parts = [f"{one.get('metric')} {side} {one.get(side)}{_confidence(one)}"]
    if one.get("slice"):
        where = sorted(one["slice"].items())
        parts.append("where " + " and ".join(f"{column} is {value}" for column, value in where))
    if one.get("slice_by"):
        parts.append(f"in every group of {', '.join(one['slice_by'])}")
    needed = dict(_KPI_FACTS)
    if one.get("slice") or one.get("slice_by"):
        parts += _rows(one)
        needed["min_rows"] = "rows per group"
    return ", ".join([*parts, *_missing(one, needed)])


def _gap_words(one: Mapping[str, Any]) -> str:
    parts = [f"{one.get('metric')} at_most {one.get('at_most')}{_confidence(one)}"]
    if "by" in one:
        parts.append(f"between groups of {one['by']}")
    return ", ".join([*parts, *_rows(one), *_missing(one, _GAP_FACTS)])


def _confidence(one: Mapping[str, Any]) -> str:
    return f" at confidence {one['confidence']}" if "confidence" in one else ""


def _rows(one: Mapping[str, Any]) -> Iterator[str]:
    if "min_rows" in one:
        yield f"each of at least {one['min_rows']} rows"


def _missing(one: Mapping[str, Any], needed: Mapping[str, str]) -> Iterator[str]:
    missing = [name for key, name in needed.items() if key not in one]
    if missing:
        yield f"{', '.join(missing)} {NOT_THEN}"


def _leading(kept: Mapping[str, Any]) -> str:
    """Return the first KPI about predictions: searched for, and compared by with the baseline."""
    for one in kept.get("kpis", ()):
        known = METRICS.get(str(one.get("metric")))
        if known is not None and known.needs in {"labels", "scores", "values"}:
            return str(one["id"])
    return "none"


def _costs_words(costs: Mapping[str, Any]) -> str:
    """Return the costs to the last digit: rounded ones could hide a change."""
    told = {name: str(cost).removesuffix(".0") for name, cost in sorted(costs.items())}
    return ", ".join(f"{name} {cost}" for name, cost in told.items())


def _risk_words(risk: Mapping[str, Any]) -> str:
    who = "decided automatically" if risk.get("automated") else "a person decides"
    return f"affects {risk.get('affects') or 'not answered'}, domain {risk.get('domain')}, {who}"

"""Other tables beside the rows: what a key refers to, what a value should equal, what sums give.

Each rule that looks into another table adds one left join on that table's distinct keys, so
that a row stays one row and all rules are still seen in one scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import did_you_mean

if TYPE_CHECKING:
    import ibis

    from qua3ck.understand.contract.rules import Rule

References = Callable[[str], "ibis.Table | None"]
THERE, VALUE, LOW = "_there", "_value", "_low"


def nothing_else(name: str) -> ibis.Table | None:
    """Return None: no other table is at hand."""
    del name
    return None


def joined(
    rows: ibis.Table, rules: Iterable[Rule], references: References
) -> tuple[ibis.Table, dict[str, str]]:
    """Return the rows with what their rules need of other tables.

    Parameters
    ----------
    rows : ibis.Table
        The rows to be judged.
    rules : iterable of Rule
        Those of test ``reference`` and ``equals`` are joined, others passed over.
    references : callable
        Gives a table by its name, or None.

    Returns
    -------
    tuple of (ibis.Table, dict)
        The rows with columns named by :func:`marker`; and by rule why it is not applicable.
    """
    why: dict[str, str] = {}
    for number, rule in enumerate(rules):
        if rule.test not in {"reference", "equals"}:
            continue
        other = references(rule.given["table"])
        reason = _unfit(rows, rule, other)
        if reason or other is None:
            why[rule.id] = reason
            continue
        theirs = _keys_of(other, rule, number)
        pairs = zip(_mine(rule), theirs.columns, strict=False)
        keys = [rows[mine].cast(theirs[key].type()) == theirs[key] for mine, key in pairs]
        added = [name for name in theirs.columns if name.startswith((THERE, VALUE, LOW))]
        rows = rows.left_join(theirs, keys).select(*rows.columns, *added)
    return rows, why


def marker(word: str, number: int) -> str:
    """Return the name of the column that the rule of this number was given."""
    return f"{word}_{number}"


def sums_that_differ(
    rows: ibis.Table, rule: Rule, references: References
) -> tuple[ibis.Table | None, str]:
    """Return one row, ``groups`` and ``differ``: how many sums are not the other table's figure.

    A group that only one of the two tables has differs. The second value says why it cannot
    be told.
    """
    import ibis

    other = references(rule.given["table"])
    reason = _unfit(rows, rule, other)
    if reason or other is None:
        return None, reason
    mine, theirs = list(rule.given["on"]), list(rule.given["on"].values())
    names = [f"_k{at}" for at in range(len(mine))]
    ours = rows.group_by(
        **{name: rows[key].cast("string") for name, key in zip(names, mine, strict=True)}
    ).aggregate(_ours=rows[rule.columns[0]].sum())
    wanted = other.group_by(
        **{name: other[key].cast("string") for name, key in zip(names, theirs, strict=True)}
    ).aggregate(_theirs=other[rule.given["theirs"]].sum())
    both = ours.outer_join(wanted, names)
    apart = (both._ours - both._theirs).abs() > rule.given["tolerance"]
    either = both._ours.isnull() | both._theirs.isnull()
    return both.aggregate(groups=both.count(), differ=ibis.coalesce(apart | either, True).sum()), ""


def _keys_of(other: ibis.Table, rule: Rule, number: int) -> ibis.Table:
    """Return the other table's keys, each once, with what is to be compared."""
    import ibis

    keys = rule.given["theirs"] if rule.test == "reference" else rule.given["on"].values()
    named = {f"_key_{number}_{at}": other[key] for at, key in enumerate(keys)}
    if rule.test == "reference":
        return (
            other.select(**named)
            .filter(*[ibis._[name].notnull() for name in named])
            .distinct()
            .mutate(**{marker(THERE, number): True})
        )
    value = other[rule.given["theirs"]]
    return other.group_by(**named).aggregate(
        **{marker(VALUE, number): value.max(), marker(LOW, number): value.min()}
    )


def _mine(rule: Rule) -> Iterable[str]:
    on: Mapping[str, str] = rule.given.get("on", {})
    return rule.columns if rule.test == "reference" else on


def _unfit(rows: ibis.Table, rule: Rule, other: ibis.Table | None) -> str:
    """Return why a rule cannot be judged against the other table; empty if it can."""
    name = rule.given["table"]
    if other is None:
        return f"the table {name} is not there yet"
    on = rule.given.get("on") or dict(zip(rule.columns, rule.given["theirs"], strict=True))
    compared = {} if rule.test == "reference" else {rule.columns[0]: rule.given["theirs"]}
    for mine, theirs in {**on, **compared}.items():
        if theirs not in other.columns:
            return f'{name} has no column "{theirs}"{did_you_mean(theirs, other.columns)}'
        if _kind(rows[mine]) != _kind(other[theirs]):
            return (
                f"{mine} is {_kind(rows[mine])} here and {theirs} is {_kind(other[theirs])} in "
                f"{name}; declare one type for both"
            )
    return ""


def _kind(column: Any) -> str:
    kind = column.type()
    if kind.is_numeric() and not kind.is_boolean():
        return "a number"
    if kind.is_temporal():
        return "a date"
    return "text" if kind.is_string() else str(kind)

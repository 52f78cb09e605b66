"""Rules as one scan: which rows fail, and the figures of the table.

Each rule is one boolean expression per row. Those that hold rows are joined by *or* into one
filter over the staged rows: what comes out are the failing rows alone, with a flag per rule
and the cells the rules look at, so that counts, codes and raw values all come from the same
pass. Rules that only count (inform, a bound of 5 percent, an average) become one row of
aggregates over the columns they need. No rule is evaluated twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from qua3ck.understand.contract.references import LOW, THERE, VALUE, marker
from qua3ck.understand.contract.sqlrule import NotSaid, expression
from qua3ck.understand.sources.pieces import ROW

if TYPE_CHECKING:
    import ibis

    from qua3ck.understand.contract.rules import Rule

REPEAT = "_repeat"
_NONE = -1  # a row's number that none has
_OF_FILLED = {"pattern", "range", "multiple", "values", "parts", "equals"}


def failing_rows(
    rows: ibis.Table, failures: Sequence[tuple[Rule, Any]]
) -> tuple[ibis.Table, dict[str, str]]:
    """Return the rows that fail, and the name of each rule's flag.

    Parameters
    ----------
    rows : ibis.Table
        The rows with what :func:`~.references.joined` added.
    failures : sequence of (Rule, boolean expression over ``rows``)
        The expression is true where the row fails.

    Returns
    -------
    tuple of (ibis.Table, dict)
        The rows' numbers, the columns that the rules look at, a flag per rule; and rule id to
        flag.
    """
    import ibis

    flags = {rule.id: f"_f{number}" for number, (rule, _) in enumerate(failures)}
    looked_at = dict.fromkeys(name for rule, _ in failures for name in rule.columns)
    chosen = rows.filter(ibis.or_(*(failure for _, failure in failures)))
    named = {flags[rule.id]: failure for rule, failure in failures}
    return chosen.select(ROW, *looked_at, **named), flags


def failure(rule: Rule, rows: ibis.Table, number: int, *, now: datetime) -> Any:
    """Return the expression that is true where a row fails the rule.

    An empty cell fails only what asks for it to be filled.

    Parameters
    ----------
    number : int
        The rule's number among those that were joined.

    Raises
    ------
    NotSaid
        If the columns' types do not fit the rule.
    """
    import ibis

    try:
        return _of_filled(rule, rows, _FAILURES[rule.test](rule, _Here(rows, number, now)))
    except (ibis.common.exceptions.IbisError, TypeError, ValueError, AttributeError) as problem:
        kinds = ", ".join(f"{name} is {rows[name].type()}" for name in rule.columns)
        raise NotSaid(f"it does not fit the columns: {kinds} ({type(problem).__name__})") from None


def repeats(rows: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Return the keys that stand in several rows: how many, and the first if rows are numbered.

    One aggregate over the key columns; rows with an empty key column are passed over.
    """
    filled = rows.filter(*[rows[name].notnull() for name in columns])
    grouped = filled.group_by(list(columns)).having(filled.count() > 1)
    numbered = {"_first": filled[ROW].min()} if ROW in rows.columns else {}
    return grouped.aggregate(_rows=filled.count(), **numbered)


def first_of_equals(rows: ibis.Table, found: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Return the repeated keys with the row that may go on: the first, if all of a key are equal.

    Rows of one key that differ contradict each other: which is right cannot be known, so none
    of them goes on (``_first`` is then before every row). They are compared by a hash of all
    their cells, and only those of repeated keys are: a table without any costs nothing more.

    Parameters
    ----------
    found : ibis.Table
        From :func:`repeats`.
    """
    import ibis

    again = rows.semi_join(found, list(columns))
    cells = {f"c{at}": again[name] for at, name in enumerate(again.columns) if name != ROW}
    hashed = again.select(*columns, ROW, _content=ibis.struct(cells).hash())
    content = hashed["_content"]
    first = ibis.ifelse(content.min() == content.max(), hashed[ROW].min(), _NONE)
    return hashed.group_by(list(columns)).aggregate(_first=first)


def with_repeats(
    rows: ibis.Table, found: ibis.Table, columns: Sequence[str], *, number: int
) -> ibis.Table:
    """Return the rows with the row of their key that may go on, where it stands in several."""
    keys = {f"_key_{number}_{at}": found[name] for at, name in enumerate(columns)}
    theirs = found.select(**keys, **{marker(REPEAT, number): found["_first"]})
    pairs = [rows[name] == theirs[key] for name, key in zip(columns, keys, strict=True)]
    return rows.left_join(theirs, pairs).select(*rows.columns, marker(REPEAT, number))


def figure(rule: Rule, rows: ibis.Table, *, now: datetime) -> Any:
    """Return the figure of a custom query as an aggregate.

    Raises
    ------
    NotSaid
        If its types do not fit.
    """
    said = rule.given["figure"]
    where = None if said.where is None else expression(said.where, rows, now=now)
    return expression(said.select, rows, now=now, where=where)


# -- one function per test -------------------------------------------------------------


def _of_filled(rule: Rule, rows: ibis.Table, failed: Any) -> Any:
    """Return the failure without cells that are not a number: they are as empty as null."""
    for name in rule.columns if rule.test in _OF_FILLED else ():
        if rows[name].type().is_floating():
            failed = failed & ~rows[name].isnan()
    return failed


class _Here(NamedTuple):
    """The rows, the rule's number among those joined, and the moment."""

    rows: ibis.Table
    number: int
    now: datetime

    def first(self, rule: Rule) -> Any:
        """Return the first column that a rule looks at."""
        return self.rows[rule.columns[0]]


def _required(rule: Rule, here: _Here) -> Any:
    column = here.first(rule)
    return column.isnull() | column.isnan() if column.type().is_floating() else column.isnull()


def _markers(rule: Rule, here: _Here) -> Any:
    column = here.first(rule)
    words = [each for each in rule.given["markers"] if each is not None]
    empty = column.isnull()
    if not words:
        return empty
    marked = column.cast("string").isin([str(word) for word in words]).fill_null(False)
    return empty | marked if None in rule.given["markers"] else marked


def _pattern(rule: Rule, here: _Here) -> Any:
    column = here.first(rule)
    text = column if column.type().is_string() else column.cast("string")
    return ~text.re_search(rule.given["pattern"])


def _range(rule: Rule, here: _Here) -> Any:
    import ibis

    column, given = here.first(rule), rule.given
    outside = []
    if "minimum" in given:
        outside.append(column < given["minimum"])
    if "exclusiveMinimum" in given:
        outside.append(column <= given["exclusiveMinimum"])
    if "maximum" in given:
        outside.append(column > given["maximum"])
    if "exclusiveMaximum" in given:
        outside.append(column >= given["exclusiveMaximum"])
    return ibis.or_(*outside)


def _multiple(rule: Rule, here: _Here) -> Any:
    column, of = here.first(rule), rule.given["of"]
    if column.type().is_integer() and isinstance(of, int):
        return (column % of) != 0
    times = column / of
    return (times - times.round()).abs() > 1e-9 * times.abs() + 1e-12


def _length(rule: Rule, here: _Here) -> Any:
    import ibis

    length = here.first(rule).length()
    outside = []
    if "minLength" in rule.given:
        outside.append(length < rule.given["minLength"])
    if "maxLength" in rule.given:
        outside.append(length > rule.given["maxLength"])
    return ibis.or_(*outside)


def _values(rule: Rule, here: _Here) -> Any:
    column = here.first(rule)
    values = [value for value in rule.given["values"] if value is not None]
    if column.type().is_string():
        values = [str(value) for value in values]
    return column.notin(values) if values else column.notnull()


def _sql(rule: Rule, here: _Here) -> Any:
    return expression(rule.given["figure"].where, here.rows, now=here.now)


def _parts(rule: Rule, here: _Here) -> Any:
    first, *others = (here.rows[name] for name in rule.given["parts"])
    together = first
    for other in others:
        together = together + other
    apart = (here.rows[rule.given["total"]] - together).abs()
    # 0.1 + 0.2 is not 0.3: a hair is left for what floats cannot hold
    return apart > rule.given["tolerance"] + 1e-9 * together.abs()


def _reference(rule: Rule, here: _Here) -> Any:
    import ibis

    filled = [here.rows[name].notnull() for name in rule.columns]
    return ibis.and_(here.rows[marker(THERE, here.number)].isnull(), *filled)


def _equals(rule: Rule, here: _Here) -> Any:
    mine, high, low = (
        here.rows[name]
        for name in (rule.columns[0], marker(VALUE, here.number), marker(LOW, here.number))
    )
    if mine.type().is_numeric():
        room = rule.given["tolerance"]
        return ((mine - high).abs() > room) | ((mine - low).abs() > room)
    return (mine != high) | (mine != low)


def _unique(rule: Rule, here: _Here) -> Any:
    import ibis

    del rule  # its columns were looked at when the repeats were found
    name = marker(REPEAT, here.number)
    if name not in here.rows.columns:
        return ibis.literal(False)
    return here.rows[name].notnull() & (here.rows[ROW] > here.rows[name])


_FAILURES: dict[str, Callable[[Rule, _Here], Any]] = {
    "required": _required,
    "markers": _markers,
    "pattern": _pattern,
    "range": _range,
    "multiple": _multiple,
    "length": _length,
    "values": _values,
    "sql": _sql,
    "parts": _parts,
    "reference": _reference,
    "equals": _equals,
    "unique": _unique,
}

"""Rules that a file's own footer proves: every block's nulls and ends say that no row fails.

Only of files that we wrote ourselves in staging. What stands in a footer leaves NaN out, so it
says nothing about a floating column being filled, and all that is needed about its range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow.parquet as pq

    from qua3ck.understand.contract.rules import Rule

_PLAIN = {"NONE", "INT"}  # what Parquet calls columns of numbers, beside their width
_MOST = 100_000  # columns times blocks
_EXACT = 2**53  # the greatest whole number up to which a float holds each


def proven(rules: Iterable[Rule], footer: pq.FileMetaData) -> frozenset[str]:
    """Return the ids of the rules that pass in every row, by the footer alone.

    Of the others it says nothing; neither of any rule if the footer is so long that looking at
    the rows is as quick.
    """
    tests = {"required": _filled, "range": _within}
    asked = [rule for rule in rules if rule.test in tests]
    if len(asked) * footer.num_row_groups > _MOST:
        return frozenset()
    places = _places(footer) if asked else {}
    return frozenset(
        rule.id
        for rule in asked
        if rule.columns[0] in places and tests[rule.test](rule, footer, places[rule.columns[0]])
    )


def _places(footer: pq.FileMetaData) -> dict[str, int]:
    """Return where the columns stand of which each cell is one value."""
    columns = ((footer.schema.column(at), at) for at in range(footer.num_columns))
    return {
        one.path: at
        for one, at in columns
        if one.max_definition_level <= 1 and not one.max_repetition_level
    }


def _filled(rule: Rule, footer: pq.FileMetaData, at: int) -> bool:
    del rule
    if footer.schema.column(at).physical_type in {"FLOAT", "DOUBLE"}:
        return False
    return all(
        said is not None and said.has_null_count and not said.null_count
        for said, _ in _blocks(footer, at)
    )


def _within(rule: Rule, footer: pq.FileMetaData, at: int) -> bool:
    one = footer.schema.column(at)
    if one.logical_type.type not in _PLAIN or not _comparable(one.physical_type, rule.given):
        return False
    return all(said is not None and _inside(said, rows, rule) for said, rows in _blocks(footer, at))


def _comparable(kind: str, bounds: Mapping[str, Any]) -> bool:
    """Return whether each bound is the same number here as it is to the engine."""
    if kind == "DOUBLE":
        return all(type(one) is float or _exact(one) for one in bounds.values())
    return kind in {"INT32", "INT64"} and all(type(one) is int for one in bounds.values())


def _exact(bound: Any) -> bool:
    return type(bound) is int and abs(bound) <= _EXACT


def _inside(said: pq.Statistics, rows: int, rule: Rule) -> bool:
    """Return whether a block's ends lie within the bounds; a block without any value does."""
    if not said.has_min_max:
        return bool(said.has_null_count and said.null_count == rows)
    tests: dict[str, Callable[[Any], bool]] = {
        "minimum": lambda bound: said.min >= bound,
        "exclusiveMinimum": lambda bound: said.min > bound,
        "maximum": lambda bound: said.max <= bound,
        "exclusiveMaximum": lambda bound: said.max < bound,
    }
    return all(tests[name](bound) for name, bound in rule.given.items())


def _blocks(footer: pq.FileMetaData, at: int) -> Iterator[tuple[pq.Statistics | None, int]]:
    """Yield what is said of a column in each block, and the block's rows."""
    for number in range(footer.num_row_groups):
        block = footer.row_group(number)
        yield block.column(at).statistics, block.num_rows

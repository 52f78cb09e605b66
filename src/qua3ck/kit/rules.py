"""One-line conditions such as ``rows < 1000 or opened > 1``, read without ``eval``.

Used for the abort criteria of a question and for the one-line rule that a model has to
beat. Names stand for values or whole columns; ``col("two words")`` reaches the others.

A comparison with a number that is not known (NaN) is neither true nor false: the answer is
then unknown, unless the rest of the rule decides it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def evaluate(rule: str, values: Mapping[str, Any], *, where: str) -> Any:
    """Return what ``rule`` gives for ``values``: one value, or an array for columns.

    None if it depends on a single value that is NaN; a NaN within a column is a row for
    which no comparison holds.

    Parameters
    ----------
    rule : str
        Comparisons, arithmetic, ``and``, ``or``, ``not``, brackets; nothing is called
        but ``col("name")``.
    values : mapping
        Name to scalar or to array of shape (n_rows,).
    where : str
        The rule's place in the project file, for the error.

    Raises
    ------
    Qua3ckError
        If the rule cannot be read, or names something that is not in ``values``.
    """
    try:
        tree = ast.parse(rule.strip(), mode="eval").body
        return _value(tree, values, rule=rule, where=where)
    except (SyntaxError, TypeError, ValueError, ArithmeticError, RecursionError) as problem:
        raise _unreadable(rule, where) from problem


def names(rule: str, *, where: str) -> tuple[str, ...]:
    """Return the names a rule uses, in the order they appear, each once."""
    try:
        tree = ast.parse(rule.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError) as problem:
        raise _unreadable(rule, where) from problem
    found = [_name(node) for node in ast.walk(tree)]
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _value(node: ast.expr, values: Mapping[str, Any], *, rule: str, where: str) -> Any:
    def inner(child: ast.expr) -> Any:
        return _value(child, values, rule=rule, where=where)

    name = _name(node)
    if name is not None:
        return _look_up(name, values, where=where)
    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return node.value
        case ast.UnaryOp(op=ast.USub()):
            return -inner(node.operand)
        case ast.UnaryOp(op=ast.Not()):
            found = inner(node.operand)
            return None if found is None else operator.eq(found, False)
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            return _ARITHMETIC[type(node.op)](inner(node.left), inner(node.right))
        case ast.BoolOp():
            either = isinstance(node.op, ast.Or)
            return reduce(partial(_join, either=either), map(inner, node.values))
        case ast.Compare() if all(type(op) in _COMPARE for op in node.ops):
            sides = [inner(node.left), *(inner(child) for child in node.comparators)]
            pairs = zip(node.ops, sides, sides[1:], strict=False)
            parts = [
                None if _unknown(left) or _unknown(right) else _COMPARE[type(op)](left, right)
                for op, left, right in pairs
            ]
            return reduce(partial(_join, either=False), parts)
    raise _unreadable(rule, where)


def _unknown(value: Any) -> bool:
    return value is None or (not getattr(value, "ndim", 0) and bool(value != value))  # noqa: PLR0124 - only NaN differs from itself


def _join(left: Any, right: Any, *, either: bool) -> Any:
    """Return ``left or right`` (or ``and``); what is unknown leaves it to the other side."""
    if left is not None and right is not None:
        return left | right if either else left & right
    known = right if left is None else left
    return known if known is not None and bool(known) is either else None


def _name(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) if name != "col":
            return name
        case ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str(name))], keywords=[]):
            return name
    return None


def _look_up(name: str, values: Mapping[str, Any], *, where: str) -> Any:
    if name in values:
        return values[name]
    raise Qua3ckError(
        f'Unknown name "{name}" in a rule{did_you_mean(name, values)}',
        where=where,
        fix=f"use one of: {', '.join(sorted(values))}",
    )


def _unreadable(rule: str, where: str) -> Qua3ckError:
    return Qua3ckError(
        f'The rule "{rule}" cannot be read',
        where=where,
        fix='write a comparison such as: rows < 1000, or: col("two words") >= 3 and age < 30',
    )

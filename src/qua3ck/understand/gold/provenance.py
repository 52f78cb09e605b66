"""A query that also says from which rows each of its rows was made.

Every table read brings a column ``__from``, a list of marks (one per row). The query is
rewritten so that each SELECT hands the marks on: joined lists where rows are joined, gathered
lists where rows are grouped. What a subquery inside an expression looks up (IN, EXISTS, a
scalar) and the neighbours in a window are not marked: the row would be the same row without
them being part of it.

Source: the rewriting of Glavic & Alonso (2009), ICDE, "Perm".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.gold.query import Columns, Query, qualified

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

FROM = "__from"


def with_marks(query: Query, columns: Columns, *, once: bool = False) -> exp.Query:
    """Return the query with one more column, ``__from``.

    Parameters
    ----------
    query : Query
        A SELECT over tables that each have the column ``__from`` (list of text).
    columns : mapping
        The tables' columns without ``__from``.
    once : bool
        Where rows are folded, gather equal lists of marks once: for marks of which there are
        few, such as one per piece, so that a total over millions of rows stays small.

    Raises
    ------
    Qua3ckError
        If it is recursive, or subtracts sets (EXCEPT, INTERSECT): which rows such a result
        comes from has no single answer.
    """
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    tree = qualified(query, columns)
    _refuse_untraceable(tree, query.place)
    for scope in traverse_scope(tree):  # inner ones first
        if _only_looked_at(scope) or not isinstance(scope.expression, exp.Select):
            continue
        _mark(scope, once=once)
    return _union_distinct(tree, once=once)


def gathered(marks: exp.Expression, *, once: bool) -> exp.Expression:
    """Return the marks of folded rows as one list."""
    from sqlglot import exp

    each = exp.Distinct(expressions=[marks]) if once else marks
    return exp.Anonymous(this="flatten", expressions=[exp.ArrayAgg(this=each)])


def _mark(scope: Scope, *, once: bool) -> None:
    """Add the marks of everything that stands in FROM and JOIN."""
    from sqlglot import exp

    select = scope.expression
    assert isinstance(select, exp.Select)  # noqa: S101 - the caller looked
    marks = _joined([_marks_of(name) for name in _sources(scope)])
    if select.args.get("distinct"):
        select.set("distinct", None)
        select.set("group", exp.Group(all=True))
    if select.args.get("group") or _aggregates(select):
        marks = gathered(marks, once=once)
    select.append("expressions", exp.alias_(marks, FROM, quoted=True))


def _sources(scope: Scope) -> list[str]:
    """Return the names in FROM and JOIN that carry marks, in their order."""
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

    return [
        name
        for name, (_, source) in scope.selected_sources.items()
        if isinstance(source, exp.Table)
        or (isinstance(source, Scope) and isinstance(source.expression, exp.Query))
    ]


def _marks_of(name: str) -> exp.Expression:
    """Return ``coalesce(name.__from, [])``: an outer join leaves null where nothing matched."""
    from sqlglot import exp

    column = exp.column(FROM, table=name, quoted=True)
    return exp.Coalesce(this=column, expressions=[exp.Array(expressions=[])])


def _joined(lists: list[exp.Expression]) -> exp.Expression:
    from sqlglot import exp

    if not lists:
        return exp.cast(exp.Array(expressions=[]), "TEXT[]", dialect="duckdb")
    made = lists[0]
    for further in lists[1:]:
        made = exp.Anonymous(this="list_concat", expressions=[made, further])
    return made


def _aggregates(select: exp.Select) -> bool:
    """Whether the SELECT itself folds rows: an aggregate that is neither a window's nor inner."""
    from sqlglot import exp

    for made in (*select.selects, *([select.args["having"]] if select.args.get("having") else [])):
        for found in made.find_all(exp.AggFunc):
            inside = found.find_ancestor(exp.Window, exp.Select)
            if inside is select:
                return True
    return False


def _only_looked_at(scope: Scope) -> bool:
    """Whether the scope is a subquery in an expression, or inside one."""
    inner: Scope | None = scope
    while inner is not None:
        if inner.is_subquery:
            return True
        inner = inner.parent
    return False


def _union_distinct(tree: exp.Query, *, once: bool) -> exp.Query:
    """Give UNION (without ALL) its folding back: equal rows are one row, with all their marks."""
    from sqlglot import exp

    for union in list(tree.find_all(exp.Union)):
        if not union.args.get("distinct") or not _carries(union):
            continue
        names = [name for name in union.left.named_selects if name != FROM]
        bare = union.copy()
        bare.set("distinct", False)
        marks = gathered(exp.column(FROM, quoted=True), once=once)
        folded = (
            exp.select(*[exp.column(name, quoted=True) for name in names])
            .select(exp.alias_(marks, FROM, quoted=True))
            .from_(bare.subquery("folded"))
            .group_by(*[exp.column(name, quoted=True) for name in names])
        )
        if union is tree:
            return folded
        union.replace(folded)
    return tree


def _carries(union: exp.Union) -> bool:
    return FROM in union.left.named_selects


def _refuse_untraceable(tree: exp.Query, place: str) -> None:
    from sqlglot import exp

    recursive = any(w.args.get("recursive") for w in tree.find_all(exp.With))
    if recursive or tree.find(exp.Except, exp.Intersect) is not None:
        raise Qua3ckError(
            "The rows of a recursive query, of EXCEPT and of INTERSECT cannot be traced one by one",
            where=place,
            fix="write it with joins (NOT EXISTS instead of EXCEPT), or trace the tables it reads",
            code="U161",
        )

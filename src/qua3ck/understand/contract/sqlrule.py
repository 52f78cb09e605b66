"""Custom SQL of a contract, as Ibis expressions: one figure over one table, nothing else.

A query is parsed, and each of its nodes is translated by name. What has no translation here
cannot be said: no second table, no subquery, no statement, no function that reaches a file, a
setting or the network. So a contract from elsewhere can be read without being trusted, and the
same rule runs on every engine that Ibis knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis
    from sqlglot import exp

_PLACE = re.compile(r"\$\{(\w+)\}|\{(\w+)\}")
_TABLE_WORDS = {"table", "object", "schema", "model"}
_COLUMN_WORDS = {"column", "property", "field"}
_DIALECTS = {
    "sqlserver": "tsql",
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "bigquery": "bigquery",
    "snowflake": "snowflake",
    "databricks": "databricks",
    "redshift": "redshift",
    "oracle": "oracle",
    "trino": "trino",
    "athena": "trino",
    "presto": "presto",
    "hive": "hive",
    "duckdb": "duckdb",
}


class NotSaid(Exception):
    """A query that is not one figure over the table; the text says what stands in the way."""


@dataclass(frozen=True)
class Figure:
    """A query as understood.

    Attributes
    ----------
    columns : tuple of str
        The columns it reads.
    select, where : sqlglot expressions
        The figure, and the condition on the rows that it is taken over.
    failing : bool
        Whether it counts rows that meet the condition: then each of them can be named.
    quotes : bool
        Whether the figure may be a cell itself (a minimum, a text): then it is not shown.
    """

    columns: tuple[str, ...]
    select: exp.Expression
    where: exp.Expression | None
    failing: bool
    quotes: bool


def dialect_of(server: str | None) -> str:
    """Return the dialect of a contract's server type, as sqlglot calls it; default DuckDB's."""
    return _DIALECTS.get(server or "", "duckdb")


def read_figure(
    query: str, *, tables: Collection[str], column: str | None, dialect: str = "duckdb"
) -> Figure:
    """Return a query as one figure over one table.

    Parameters
    ----------
    query : str
        ``SELECT figure FROM table [WHERE condition]``; ``${table}`` and ``${column}`` stand for
        the table and column that the rule belongs to.
    tables : collection of str
        What the table may be called in it.
    column : str, optional
        The column the rule belongs to.

    Raises
    ------
    NotSaid
        If it is anything else.
    """
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse(_filled(query, column), read=dialect)
    except sqlglot.errors.SqlglotError:
        raise NotSaid("it cannot be read as SQL") from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Select):
        raise NotSaid("it is not one SELECT")
    select = parsed[0]
    allowed = {"kind", "expressions", "from_", "from", "where"}
    further = sorted(name for name, value in select.args.items() if value and name not in allowed)
    if further:
        raise NotSaid(f"it has {', '.join(further)}; only SELECT, FROM and WHERE are understood")
    source = select.args.get("from_") or select.args.get("from")
    if len(select.expressions) != 1 or source is None:
        raise NotSaid("it must select one figure from the table")
    _refuse_others(source.this, tables)
    figure = select.expressions[0].unalias()
    where = select.args.get("where")
    condition = where.this if where is not None else None
    names = {node.name: None for node in select.find_all(exp.Column)}
    counts = isinstance(figure, exp.Count) and isinstance(figure.this, exp.Star)
    cells = next(figure.find_all(exp.Min, exp.Max, exp.Median), None) is not None
    read = Figure(
        tuple(names), figure, condition, failing=counts and condition is not None, quotes=cells
    )
    _refuse_unknown_nodes(read)
    return read


def expression(
    node: exp.Expression, rows: ibis.Table, *, now: datetime, where: Any = None
) -> ibis.Value:
    """Return a node of a figure as an Ibis expression over ``rows``.

    Parameters
    ----------
    where : ibis boolean, optional
        The rows that an aggregate is taken over.

    Raises
    ------
    NotSaid
        If the expression does not fit the columns' types.
    """
    import ibis

    try:
        return _Translation(rows, now, where).of(node)
    except (ibis.common.exceptions.IbisError, TypeError, AttributeError, ValueError) as problem:
        raise NotSaid(f"its types do not fit the columns ({type(problem).__name__})") from None


def _filled(query: str, column: str | None) -> str:
    def word(found: re.Match[str]) -> str:
        name = (found[1] or found[2]).lower()
        if name in _TABLE_WORDS:
            return "this_table"
        if name in _COLUMN_WORDS and column is not None:
            return '"' + column.replace('"', '""') + '"'
        raise NotSaid(f"it has a placeholder {found[0]} that nothing stands for")

    return _PLACE.sub(word, query).strip().rstrip(";")


def _refuse_others(source: exp.Expression, tables: Collection[str]) -> None:
    from sqlglot import exp

    names = {name.lower() for name in tables} | {"this_table"}
    plain = isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier)
    if not plain or source.name.lower() not in names:
        raise NotSaid("it reads something else than its own table")


def _refuse_unknown_nodes(figure: Figure) -> None:
    """Say what has no translation, before any row is read."""
    from sqlglot import exp

    silent = (exp.Identifier, exp.DataType, exp.Var, exp.Star, exp.Distinct)
    for part in (figure.select, figure.where):
        for node in part.walk() if part is not None else ():
            if not isinstance(node, silent) and type(node).__name__ not in _KNOWN:
                said = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
                raise NotSaid(f"{said} is not understood here")


_COMPARED = {"EQ": "eq", "NEQ": "ne", "LT": "lt", "LTE": "le", "GT": "gt", "GTE": "ge"}
_COUNTED = {"Add": "add", "Sub": "sub", "Mul": "mul", "Mod": "mod"}
_PLAIN: dict[str, str] = {
    "Abs": "abs", "Ceil": "ceil", "Floor": "floor", "Ln": "ln", "Sqrt": "sqrt",
    "Length": "length", "Lower": "lower", "Upper": "upper", "Trim": "strip",
}  # fmt: skip
_AGGREGATES: dict[str, Callable[[Any, Any], Any]] = {
    "Sum": lambda value, where: value.sum(where=where),
    "Avg": lambda value, where: value.mean(where=where),
    "Min": lambda value, where: value.min(where=where),
    "Max": lambda value, where: value.max(where=where),
    "Median": lambda value, where: value.median(where=where),
    "Stddev": lambda value, where: value.std(how="sample", where=where),
    "StddevSamp": lambda value, where: value.std(how="sample", where=where),
    "StddevPop": lambda value, where: value.std(how="pop", where=where),
    "Variance": lambda value, where: value.var(how="sample", where=where),
    "VariancePop": lambda value, where: value.var(how="pop", where=where),
    "LogicalAnd": lambda value, where: value.all(where=where),
    "LogicalOr": lambda value, where: value.any(where=where),
}
_CASTS = {
    "INT": "int64", "BIGINT": "int64", "SMALLINT": "int64", "DOUBLE": "float64",
    "FLOAT": "float64", "DECIMAL": "float64", "TEXT": "string", "VARCHAR": "string",
    "DATE": "date", "TIMESTAMP": "timestamp", "BOOLEAN": "boolean",
}  # fmt: skip
_PARTS = {"YEAR": "year", "MONTH": "month", "DAY": "day", "QUARTER": "quarter", "HOUR": "hour"}
_KNOWN = {
    *_COMPARED, *_COUNTED, *_PLAIN, *_AGGREGATES,
    *("And", "Or", "Not", "Paren", "Column", "Literal", "Boolean", "Null", "Is", "In", "Between"),
    *("Like", "ILike", "RegexpLike", "Neg", "Div", "DPipe", "Concat", "Coalesce", "Nullif", "Case"),
    *("If", "Cast", "TryCast", "Extract", "Substring", "Round", "Count", "CurrentDate"),
    *("CurrentTimestamp", "Year", "Month", "Day"),
}  # fmt: skip


class _Translation:
    """One walk over one expression; a method per kind of node that is not plain."""

    def __init__(self, rows: ibis.Table, now: datetime, where: Any) -> None:
        self.rows, self.now, self.where = rows, now, where

    def of(self, node: exp.Expression) -> Any:
        kind = type(node).__name__
        if kind in _COMPARED:
            return self._compared(node, _COMPARED[kind])
        if kind in _COUNTED:
            left, right = self.of(node.this), self.of(node.expression)
            return getattr(left, f"__{_COUNTED[kind]}__")(right)
        if kind in _PLAIN:
            return getattr(self.of(node.this), _PLAIN[kind])()
        if kind in _AGGREGATES:
            return _AGGREGATES[kind](self.of(node.this), self.where)
        return getattr(self, f"_{kind.lower()}")(node)

    def _compared(self, node: exp.Expression, name: str) -> Any:
        left, right = self._alike(node.this, node.expression)
        return getattr(left, f"__{name}__")(right)

    def _alike(self, *nodes: exp.Expression) -> list[Any]:
        """Return values, a text that stands beside moments read as one of them."""
        values = [self.of(node) for node in nodes]
        moments = [value.type() for value in values if value.type().is_temporal()]
        if not moments:
            return values
        return [
            self._moment(node, value, moments[0]) if value.type().is_string() else value
            for node, value in zip(nodes, values, strict=True)
        ]

    def _moment(self, node: exp.Expression, value: Any, kind: Any) -> Any:
        """Return a text as a moment: one that is written there must be one, cells may not be."""
        from sqlglot import exp

        if isinstance(node, exp.Literal):
            try:
                datetime.fromisoformat(node.this)
            except ValueError:
                raise NotSaid(f"'{node.this}' is compared with a date, and is none") from None
        return value.try_cast(kind)

    def _and(self, node: exp.Expression) -> Any:
        return self.of(node.this) & self.of(node.expression)

    def _or(self, node: exp.Expression) -> Any:
        return self.of(node.this) | self.of(node.expression)

    def _not(self, node: exp.Expression) -> Any:
        return ~self.of(node.this)

    def _paren(self, node: exp.Expression) -> Any:
        return self.of(node.this)

    def _neg(self, node: exp.Expression) -> Any:
        return -self.of(node.this)

    def _column(self, node: exp.Expression) -> Any:
        near = {name.lower(): name for name in self.rows.columns}
        name = node.name if node.name in self.rows.columns else near.get(node.name.lower())
        if name is None:
            raise NotSaid(f'there is no column "{node.name}"')
        return self.rows[name]

    def _literal(self, node: exp.Expression) -> Any:
        import ibis

        if node.is_string:
            return ibis.literal(node.this)
        return ibis.literal(float(node.this) if "." in node.this or "e" in node.this.lower()
                            else int(node.this))  # fmt: skip

    def _boolean(self, node: exp.Expression) -> Any:
        import ibis

        return ibis.literal(bool(node.this))

    def _null(self, node: exp.Expression) -> Any:
        import ibis

        del node
        return ibis.null()

    def _is(self, node: exp.Expression) -> Any:
        from sqlglot import exp

        value = self.of(node.this)
        if isinstance(node.expression, exp.Null):
            return value.isnull()
        return value.identical_to(self.of(node.expression))

    def _in(self, node: exp.Expression) -> Any:
        value, *options = self._alike(node.this, *node.expressions)
        return value.isin(options)

    def _between(self, node: exp.Expression) -> Any:
        value, low, high = self._alike(node.this, node.args["low"], node.args["high"])
        return value.between(low, high)

    def _like(self, node: exp.Expression) -> Any:
        return self.of(node.this).like(node.expression.name)

    def _ilike(self, node: exp.Expression) -> Any:
        return self.of(node.this).ilike(node.expression.name)

    def _regexplike(self, node: exp.Expression) -> Any:
        return self.of(node.this).re_search(self.of(node.expression))

    def _div(self, node: exp.Expression) -> Any:
        left, right = self.of(node.this), self.of(node.expression)
        whole = left.type().is_integer() and right.type().is_integer()
        return left // right if node.args.get("typed") and whole else left / right

    def _dpipe(self, node: exp.Expression) -> Any:
        return self.of(node.this).concat(self.of(node.expression))

    def _concat(self, node: exp.Expression) -> Any:
        first, *others = map(self.of, node.expressions)
        return first.concat(*others) if others else first

    def _coalesce(self, node: exp.Expression) -> Any:
        import ibis

        return ibis.coalesce(self.of(node.this), *map(self.of, node.expressions))

    def _nullif(self, node: exp.Expression) -> Any:
        return self.of(node.this).nullif(self.of(node.expression))

    def _case(self, node: exp.Expression) -> Any:
        import ibis

        if node.this is not None:
            raise NotSaid("CASE with a value is not understood; write CASE WHEN condition")
        branches = [(self.of(each.this), self.of(each.args["true"])) for each in node.args["ifs"]]
        default = node.args.get("default")
        return ibis.cases(*branches, else_=None if default is None else self.of(default))

    def _cast(self, node: exp.Expression) -> Any:
        wanted = _CASTS.get(node.args["to"].this.name)
        if wanted is None:
            raise NotSaid(f"CAST to {node.args['to'].this.name} is not understood")
        value = self.of(node.this)
        if wanted in {"date", "timestamp"} and value.type().is_string():
            return self._moment(node.this, value, wanted)
        return value.try_cast(wanted) if value.type().is_string() else value.cast(wanted)

    _trycast = _cast

    def _extract(self, node: exp.Expression) -> Any:
        part = _PARTS.get(node.this.name.upper())
        if part is None:
            raise NotSaid(f"EXTRACT of {node.this.name} is not understood")
        return getattr(self.of(node.expression), part)()

    def _year(self, node: exp.Expression) -> Any:
        return self.of(node.this).year()

    def _month(self, node: exp.Expression) -> Any:
        return self.of(node.this).month()

    def _day(self, node: exp.Expression) -> Any:
        return self.of(node.this).day()

    def _substring(self, node: exp.Expression) -> Any:
        start, length = node.args.get("start"), node.args.get("length")
        text, first = self.of(node.this), self.of(start) - 1 if start is not None else 0
        return text.substr(first, None if length is None else self.of(length))

    def _round(self, node: exp.Expression) -> Any:
        digits = node.args.get("decimals")
        return self.of(node.this).round(0 if digits is None else int(digits.name))

    def _currentdate(self, node: exp.Expression) -> Any:
        import ibis

        del node
        return ibis.literal(self.now.date())

    def _currenttimestamp(self, node: exp.Expression) -> Any:
        import ibis

        del node
        return ibis.literal(self.now.replace(tzinfo=None)).cast("timestamp")

    def _count(self, node: exp.Expression) -> Any:
        from sqlglot import exp

        inner = node.this
        if isinstance(inner, exp.Star):
            return self.rows.count(where=self.where)
        if isinstance(inner, exp.Distinct):
            if len(inner.expressions) != 1:
                raise NotSaid("COUNT DISTINCT of several columns is not understood")
            return self.of(inner.expressions[0]).nunique(where=self.where)
        return self.of(inner).count(where=self.where)

"""What a gold table's SQL file reads and where each of its columns comes from.

The file is one SELECT, parsed and never pasted: only declared tables are reached, functions
that read files or the network are refused, and the text can be written for another engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

DIALECT = "duckdb"
Columns = Mapping[str, Mapping[str, str]]
"""Table to its columns' types, in words of SQL."""

_META = {"_piece", "_row", "_known", "_gone"}
_REACHES_OUT = ("read_", "glob", "getenv", "sniff_", "parquet_", "which_secret", "duckdb_")


@dataclass(frozen=True)
class Query:
    """One SELECT that makes a table.

    Attributes
    ----------
    text : str
        As the user wrote it.
    reads : tuple of str
        Names of the tables it reads, sorted.
    place : str
        The file, as the user named it.
    """

    text: str
    reads: tuple[str, ...]
    place: str


@dataclass(frozen=True)
class Origin:
    """One column of one table that a column is made from."""

    table: str
    column: str


def read_query(path: Path, *, place: str) -> Query:
    """Read a SQL file.

    Parameters
    ----------
    path : Path
        The file; UTF-8, one SELECT, with or without WITH.
    place : str
        Where the project file names it.

    Raises
    ------
    Qua3ckError
        If it cannot be read or parsed (line and column), holds anything but one SELECT, or
        calls a function that reaches out of the tables.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise Qua3ckError(
            f"The query {path.name} cannot be read ({type(problem).__name__})",
            where=place,
            fix="put the file beside the project file, as UTF-8 text",
            code="U157",
        ) from problem
    tree = parsed(text, name=path.name, place=place)
    return Query(text, tuple(sorted(_tables(tree))), path.name)


def parsed(text: str, *, name: str, place: str, before: int = 0) -> exp.Query:
    """Return the one SELECT that a text holds, as a tree.

    Parameters
    ----------
    before : int
        First lines that the user has not typed; places are counted after them.

    Raises
    ------
    Qua3ckError
        As :func:`read_query`.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(text, dialect=DIALECT) if tree is not None]
    except SqlglotError as problem:
        raise _unparsable(problem, name, place, before) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise Qua3ckError(
            f"{name} is not one SELECT",
            where=f"{place}, {name}",
            fix="write one query that returns the table's rows: SELECT ... FROM ...",
            code="U157",
        )
    tree = trees[0]
    _refuse_reaching_out(tree, name, place)
    return tree


def origins(query: Query, columns: Columns) -> dict[str, tuple[Origin, ...]]:
    """Return the columns of the result, each with the columns that it is made from.

    Parameters
    ----------
    query : Query
        The SELECT.
    columns : mapping
        The tables it reads, each with its columns' types.

    Raises
    ------
    Qua3ckError
        If it names a column or table that does not exist.
    """
    from sqlglot.lineage import lineage

    tree = qualified(query, columns)
    found: dict[str, tuple[Origin, ...]] = {}
    for name in tree.named_selects:
        node = lineage(name, tree.copy(), schema=_schema(columns), dialect=DIALECT)
        leaves = {origin for leaf in node.walk() if (origin := _origin(leaf, columns)) is not None}
        found[name] = tuple(sorted(leaves, key=lambda one: (one.table, one.column)))
    return found


def qualified(query: Query, columns: Columns) -> exp.Query:
    """Return the tree with every column named by its table and every star written out.

    Raises
    ------
    Qua3ckError
        If it names a column or table that does not exist.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify

    for table in query.reads:
        if table not in columns:
            raise unknown_table(table, columns, query.place)
    tree = parsed(query.text, name=query.place, place=query.place)
    written = tree.named_selects
    try:
        made = qualify(tree, schema=_schema(columns), dialect=DIALECT)
    except SqlglotError as problem:
        raise _unknown_column(str(problem), columns, query) from None
    assert isinstance(made, exp.Query)  # noqa: S101 - the same SELECT, names filled in
    return _as_written(made, _spellings(query, columns, written))


def rule_of(query: Query, column: str, columns: Columns) -> str:
    """Return the expression that makes a column, as one line of SQL."""
    from sqlglot import exp

    tree = qualified(query, columns)
    for made in tree.selects:
        if made.alias_or_name == column:
            bare = made.unalias().copy()
            spelt = _spellings(query, columns, ())
            for word in bare.find_all(exp.Identifier):
                name = spelt.get(str(word.this), str(word.this))
                word.set("this", name)
                word.set("quoted", not name.isidentifier())  # as a person writes it
            return str(bare.sql(dialect=DIALECT))
    return ""


def sql_columns(schema: pa.Schema) -> dict[str, str]:
    """Return a table's columns and their types in SQL, without the loader's own columns."""
    return {f.name: _sql_type(f.type) for f in schema if f.name not in _META}


def _sql_type(kind: pa.DataType) -> str:
    import pyarrow as pa

    is_type = pa.types
    if is_type.is_integer(kind):
        return "BIGINT"
    if is_type.is_floating(kind):
        return "DOUBLE"
    if is_type.is_boolean(kind):
        return "BOOLEAN"
    if is_type.is_date(kind):
        return "DATE"
    return "TIMESTAMP" if is_type.is_timestamp(kind) else "TEXT"


def unknown_table(name: str, known: Iterable[str], place: str) -> Qua3ckError:
    """Return the error for a table that is neither a source nor a gold table."""
    names = sorted(known)
    return Qua3ckError(
        f'No table "{name}"{did_you_mean(name, names)}',
        where=place,
        fix=f"use a source or a table of the project file: {', '.join(names[:20])}",
        code="U158",
    )


def _tables(tree: exp.Query) -> set[str]:
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    found: set[str] = set()
    for scope in traverse_scope(tree):
        tables = (one for one in scope.sources.values() if isinstance(one, exp.Table))
        found.update(table.name for table in tables)
    return found


def _origin(leaf: object, columns: Columns) -> Origin | None:
    from sqlglot import exp

    source = getattr(leaf, "source", None)
    if not isinstance(source, exp.Table) or getattr(leaf, "downstream", None):
        return None
    column = str(getattr(leaf, "name", "")).rpartition(".")[2].strip('"')
    table = source.name
    for name in columns.get(table, {}):
        if name.lower() == column.lower():
            return Origin(table, name)
    return None


def _spellings(query: Query, columns: Columns, written: Iterable[str]) -> dict[str, str]:
    """Return names as they are spelt, by their lower case: SQL does not tell them apart."""
    known = [name for table in query.reads for name in columns[table]]
    return {name.lower(): name for name in (*known, *written)}


def _as_written(tree: exp.Query, spelt: Mapping[str, str]) -> exp.Query:
    """Give the columns of the result the spelling of the file, or of the table below."""
    from sqlglot import exp

    first = tree
    while isinstance(first, exp.SetOperation):
        left = first.left
        assert isinstance(left, exp.Query)  # noqa: S101 - sides of a set operation are queries
        first = left
    for made in first.selects:
        name = spelt.get(made.alias_or_name.lower())
        if name and isinstance(made, exp.Alias):
            made.set("alias", exp.to_identifier(name, quoted=True))
    return tree


def _schema(columns: Columns) -> dict[str, object]:
    return {f'"{table}"': {f'"{c}"': t for c, t in of.items()} for table, of in columns.items()}


def _refuse_reaching_out(tree: exp.Query, name: str, place: str) -> None:
    for called in _function_names(tree):
        if called.startswith(_REACHES_OUT):
            raise Qua3ckError(
                f"{name} calls {called}(), which reaches out of the tables of this project",
                where=f"{place}, {name}",
                fix="declare the file as a source, and read the source by its name",
                code="U157",
            )


def _function_names(tree: exp.Query) -> Iterator[str]:
    from sqlglot import exp

    for node in tree.find_all(exp.Func):
        yield (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            yield str(table.this.sql(dialect=DIALECT)).lower()
        elif "/" in table.name or table.name.endswith((".csv", ".parquet", ".json")):
            yield f"read_ {table.name}"


def _unparsable(problem: Exception, name: str, place: str, before: int) -> Qua3ckError:
    found = next(iter(getattr(problem, "errors", None) or [{}]))
    line, column = found.get("line"), found.get("col")
    spot = f", line {max(line - before, 1)}, column {column}" if line else ""
    says = str(found.get("description") or "it is not SQL").rstrip(".")
    if "<class" in says:  # the parser's own words for an operator without one of its sides
        says = "something is missing beside an operator or in a function"
    return Qua3ckError(
        f"{name} cannot be read as SQL: {says}",
        where=f"{place}, {name}{spot}",
        fix="look at this line and the one before: a missing comma, bracket or quote",
        code="U157",
    )


def _unknown_column(says: str, columns: Columns, query: Query) -> Qua3ckError:
    import re

    quoted = re.findall(r"['\"]([^'\"]+)['\"]", says)
    name = quoted[0] if quoted else ""
    known = sorted({column for table in query.reads for column in columns[table]})
    what = f'No column "{name}"{did_you_mean(name, known)}' if name else "A column is not found"
    return Qua3ckError(
        what,
        where=query.place,
        fix=f"the tables it reads have: {', '.join(known[:25])}",
        code="U158",
    )

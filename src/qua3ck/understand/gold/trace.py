"""From a row of a table back to the raw records that it was made from, and by which rule.

The table's query is run again over the very versions it was made of, rewritten so that it
carries marks (:mod:`qua3ck.understand.gold.provenance`). A table made by a function is opaque:
its rows are followed by the key columns that it shares with what it reads, and it is said
that this is what was done.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Engine
from qua3ck.understand.gold.build import Built, Input, map_input, query_of
from qua3ck.understand.gold.provenance import FROM, gathered, with_marks
from qua3ck.understand.gold.query import (
    DIALECT,
    Columns,
    Query,
    origins,
    parsed,
    rule_of,
    sql_columns,
    unknown_table,
)
from qua3ck.understand.gold.received import (
    Answered,
    Answers,
    Pieces,
    answers_of,
    pieces_of,
    read_at,
    reading_of,
)
from qua3ck.understand.section import Understand
from qua3ck.understand.sources.places import place_of

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

    from qua3ck.store.warehouse import Warehouse

PLACE = "qua3ck trace"
_WHERE = f"{PLACE} --where"
_NOT_RUN = "S005"  # the engine's word for a query that it does not run
_SHOWN = 20
_BETWEEN = "\n"  # marks are JSON, in which no line ends


@dataclass(frozen=True)
class Record:
    """One record as received: which piece of which source, and its number there.

    ``place`` says it as a person would look for it (``line 7, column D``). ``digest`` is the
    SHA-256 of the piece's bytes in the raw store; empty if the piece is not on the list of
    what was loaded. ``answers`` stand in the place of cells that those bytes have otherwise.
    """

    source: str
    piece: str
    row: int
    place: str
    digest: str = ""
    known: str = ""
    answers: tuple[Answered, ...] = ()


@dataclass(frozen=True)
class TracedRow:
    """One row, and the records it was made from."""

    values: Mapping[str, Any]
    records: tuple[Record, ...]


@dataclass(frozen=True)
class Step:
    """How one table on the way was made: its rule per column, and the columns behind each.

    Of a source it is how its pieces were read; there are no columns behind that.
    """

    table: str
    made_by: str
    rules: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """The answer to ``qua3ck trace``.

    ``matches`` counts the rows that fit; at most ``limit`` of them are in ``rows``. Of the columns
    in ``hidden`` no value is shown: a contract classifies what is behind them.
    """

    table: str
    where: str
    matches: int
    rows: tuple[TracedRow, ...]
    steps: tuple[Step, ...]
    hidden: tuple[str, ...] = ()


def trace(
    table: str,
    where: str,
    section: Understand,
    sources: Mapping[str, Input],
    built: Mapping[str, Built],
    *,
    root: Path,
    warehouse: Warehouse,
    limit: int = _SHOWN,
) -> Trace:
    """Return the rows of a table that fit a condition, each with the records behind it.

    Parameters
    ----------
    table : str
        A source or a gold table of the project file.
    where : str
        A SQL condition over its columns; empty for all rows.
    sources : mapping
        Each source's name to what is current of it; for a gold table the versions that it was
        made of count instead.
    built : mapping
        The gold tables as they stand.

    Raises
    ------
    Qua3ckError
        If the table is not known or not built, the condition cannot be read, or a query on
        the way cannot be traced.
    """
    if table not in sources and table not in built:
        raise unknown_table(table, {*sources, *built}, PLACE)
    matches = 0
    shown: list[dict[str, Any]] = []
    with _in_running(where), Engine(threads=1, reach=()) as engine:
        found, way = _marked(
            table, where, section, sources, built, root=root, warehouse=warehouse, engine=engine
        )
        for batch in found:
            matches += batch.num_rows
            shown += batch.slice(0, max(limit - len(shown), 0)).to_pylist()
    pieces = pieces_of(way.sources, warehouse)
    answers = answers_of(root, way.sources, pieces, warehouse)
    rows = tuple(_traced(row, way.columns[table], pieces, answers) for row in shown)
    steps = [_step(name, section, built, way.columns, root) for name in way.gold]
    return Trace(table, where, matches, rows, (*_read(rows, section, pieces), *steps))


@contextmanager
def _in_running(where: str) -> Iterator[None]:
    """Say of a query that does not run that its condition does not: the rest made the table."""
    try:
        yield
    except Qua3ckError as problem:
        if not where or problem.code != _NOT_RUN:
            raise
        words = problem.what.partition(": ")[2]
        told = f": {words}" if ": " in words else f" on every row ({words})"
        raise Qua3ckError(
            f"The condition cannot be run{told}",
            where=_WHERE,
            fix="""compare a column with what it holds, such as --where "id = '17'" for text or """
            """--where "age > 5" for a number; try_cast(...) takes what cast(...) does not""",
            code="U161",
        ) from None


def asked_columns(where: str, table: str, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns of which a condition tells something, by which rows fit and how many.

    Parameters
    ----------
    where : str
        The condition.
    table : str
        What the table is called in it.
    columns : mapping
        The table's columns.

    Returns
    -------
    tuple of str
        Those that are named, however deep; all of them where some are meant without a name: by
        a star, a pattern, a number, or the row as a whole.

    Raises
    ------
    Qua3ckError
        As :func:`trace`.
    """
    from sqlglot import exp

    tree = condition(where, columns)
    words = list(tree.find_all(exp.Identifier))  # all: a call as in name.upper() has no column
    rows = {word.name.lower() for word in words if word.arg_key != "table"} - set(
        map(str.lower, columns)
    )
    if table.lower() in rows or tree.find(exp.Star, exp.Columns, exp.PositionalColumn):
        return tuple(columns)
    named = {word.name.lower() for word in words}
    return tuple(name for name in columns if name.lower() in named)


def with_pieces(
    table: str,
    section: Understand,
    built: Mapping[str, Built],
    *,
    root: Path,
    warehouse: Warehouse,
    engine: Engine,
) -> pa.RecordBatchReader:
    """Return the rows of a gold table as a stream, with the pieces behind each.

    Parameters
    ----------
    engine : Engine
        What the query runs on; the stream ends with it.

    Returns
    -------
    pyarrow.RecordBatchReader
        The table's columns and, last, a text that :func:`pieces_behind` reads.

    Raises
    ------
    Qua3ckError
        If a query on the way cannot be traced.
    """
    found, _ = _marked(
        table,
        "",
        section,
        {},
        built,
        root=root,
        warehouse=warehouse,
        engine=engine,
        rows=False,
    )
    return found


def pieces_behind(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pieces (source, name) that a text of :func:`with_pieces` names, sorted."""
    return tuple(sorted({_piece(mark) for mark in text.split(_BETWEEN) if mark}))


def _piece(mark: str) -> tuple[str, str]:
    source, piece = json.loads(mark)[:2]
    return source, piece


def _marked(
    table: str,
    where: str,
    section: Understand,
    sources: Mapping[str, Input],
    built: Mapping[str, Built],
    *,
    root: Path,
    warehouse: Warehouse,
    engine: Engine,
    rows: bool = True,
) -> tuple[pa.RecordBatchReader, _Way]:
    """Return the fitting rows with their marks: one per record, or one text of all pieces."""
    way = _way(table, built)
    needed = _bases(table, way, built)
    bases = {**sources, **{one.name: one for name in way for one in built[name].made_of if one.by}}
    tables = {
        f"base {name}": map_input(bases[name], section, warehouse, engine=engine, meta=True)
        for name in needed
    }
    for name in way:
        one = built[name]
        tables[f"base {name}"] = warehouse.mapped(one.table, engine=engine, version=one.version)
    columns = {name: sql_columns(tables[f"base {name}"].schema) for name in (*needed, *way)}
    steps = _Way(way, {name: bases[name].version for name in needed}, columns, rows)
    tree = _whole(table, where, steps, section, built, root)
    return engine.asked(tree.sql(dialect="duckdb"), tables), steps


@dataclass(frozen=True)
class _Way:
    """From sources (with the version read) to a table: the gold tables in order, all columns."""

    gold: tuple[str, ...]
    sources: Mapping[str, int]
    columns: Columns
    rows: bool


def _way(table: str, built: Mapping[str, Built]) -> tuple[str, ...]:
    """Return the gold tables between the sources and ``table``, in the order of their making."""
    if table not in built:
        return ()
    way: dict[str, None] = {}
    for one in built[table].made_of:
        way.update(dict.fromkeys(_way(one.name, built)))
    return (*way, table)


def _bases(table: str, way: Sequence[str], built: Mapping[str, Built]) -> tuple[str, ...]:
    if not way:
        return (table,)
    return tuple(sorted({one.name for name in way for one in built[name].made_of if one.by}))


def _whole(
    table: str,
    where: str,
    way: _Way,
    section: Understand,
    built: Mapping[str, Built],
    root: Path,
) -> exp.Query:
    """Return one query: each table on the way as a named step, the condition at the end."""
    from sqlglot import exp

    columns = way.columns
    last = exp.select(*[exp.column(c, quoted=True) for c in columns[table]])
    marks: exp.Expression = exp.column(FROM, quoted=True)
    last = last.select(marks if way.rows else _one_text(marks)).from_(_table(table))
    if where:
        last = last.where(condition(where, columns[table]))
    for name in way.sources:
        base = _base(name, columns[name], rows=way.rows)
        last = last.with_(_quoted(name), as_=base, append=True)
    for name in way.gold:
        query = query_of(name, section.tables[name], root)
        made = (
            with_marks(_as_made(query, name, built), columns, once=not way.rows)
            if query is not None
            else _by_key(name, section.tables[name].key, built[name], way)
        )
        last = last.with_(_quoted(name), as_=made, append=True)
    return last


def _one_text(marks: exp.Expression) -> exp.Expression:
    """Return marks as one text, equal for equal marks: there are few of them."""
    from sqlglot import exp

    for called in ("list_distinct", "list_sort"):
        marks = exp.Anonymous(this=called, expressions=[marks])
    between = exp.Literal.string(_BETWEEN)
    text = exp.Anonymous(this="array_to_string", expressions=[marks, between])
    return exp.Alias(this=text, alias=exp.to_identifier(FROM, quoted=True))


def _base(name: str, columns: Mapping[str, str], *, rows: bool) -> exp.Select:
    """Return a source's rows, each marked with the record, or the piece, that it came from."""
    from sqlglot import exp

    quoted = [exp.column(c, quoted=True) for c in columns]
    parts: list[exp.Expression] = [exp.Literal.string(name), exp.column("_piece", quoted=True)]
    if rows:
        since = exp.Anonymous(this="epoch_us", expressions=[exp.column("_known", quoted=True)])
        parts += [exp.cast(exp.column("_row", quoted=True), "TEXT"), exp.cast(since, "TEXT")]
    mark = exp.Anonymous(this="to_json", expressions=[exp.Array(expressions=parts)])
    marks = exp.Array(expressions=[exp.cast(mark, "TEXT")])
    select = exp.select(*quoted).select(exp.alias_(marks, FROM, quoted=True))
    return select.from_(_table(f"base {name}"))


def _by_key(name: str, key: Sequence[str], built: Built, way: _Way) -> exp.Select:
    """Return a function's table, its rows marked with the input rows of the same key."""
    from sqlglot import exp

    columns = way.columns
    quoted = [exp.column(c, table="made", quoted=True) for c in columns[name]]
    select = exp.select(*quoted).from_(exp.alias_(_table(f"base {name}"), "made"))
    lists: list[exp.Expression] = []
    for number, one in enumerate(built.made_of):
        shared = [c for c in key if c in columns[one.name]]
        if not shared or len(shared) < len(key):
            continue
        alias = f"input_{number}"
        inner = exp.select(*[exp.column(c, quoted=True) for c in shared])
        marks = gathered(exp.column(FROM, quoted=True), once=not way.rows)
        inner = inner.select(exp.alias_(marks, FROM, quoted=True))
        inner = inner.from_(_table(one.name))
        inner = inner.group_by(*[exp.column(c, quoted=True) for c in shared])
        same = [
            exp.EQ(
                this=exp.column(c, table=alias, quoted=True),
                expression=exp.column(c, table="made", quoted=True),
            )
            for c in shared
        ]
        select = select.join(inner.subquery(alias), on=exp.and_(*same), join_type="left")
        mark = exp.column(FROM, table=alias, quoted=True)
        lists.append(exp.Coalesce(this=mark, expressions=[exp.Array(expressions=[])]))
    made: exp.Expression = exp.cast(exp.Array(expressions=[]), "TEXT[]", dialect="duckdb")
    for further in lists:
        made = exp.Anonymous(this="list_concat", expressions=[made, further])
    return select.select(exp.alias_(made, FROM, quoted=True))


def _as_made(query: Query, name: str, built: Mapping[str, Built]) -> Query:
    """Return the query if it still reads what the table was made of."""
    if tuple(one.name for one in built[name].made_of) != query.reads:
        raise Qua3ckError(
            f"{query.place} reads other tables now than when {name} was made",
            where=PLACE,
            fix="bring it up to date first: qua3ck load",
            code="U161",
        )
    return query


def condition(where: str, columns: Mapping[str, str]) -> exp.Expression:
    """Return the user's condition as a tree over the table's columns and nothing else.

    Raises
    ------
    Qua3ckError
        If it cannot be read, holds more than a condition, or names another column.
    """
    from sqlglot import exp

    if _goes_on(where):
        raise _more_than_one()
    tree = parsed(f"SELECT 1 WHERE\n{where}", name="the condition", place=_WHERE, before=1)
    said = {name for name, value in tree.args.items() if value}
    if said != {"expressions", "where"} or tree.find(exp.Table, exp.Subquery):
        raise _more_than_one()
    lower = {name.lower(): name for name in columns}
    for column in tree.find_all(exp.Column):
        if column.name.lower() not in lower:
            from qua3ck.kit.errors import did_you_mean

            raise Qua3ckError(
                f'No column "{column.name}"{did_you_mean(column.name, columns)}',
                where=_WHERE,
                fix=f"use one of: {', '.join(list(columns)[:25])}",
                code="U158",
            )
    found: exp.Expression = tree.args["where"].this
    return found


def _goes_on(where: str) -> bool:
    """Return whether something stands after a semicolon, which ends a condition."""
    from sqlglot import TokenType, tokenize
    from sqlglot.errors import SqlglotError

    try:
        words = [word.token_type for word in tokenize(where, read=DIALECT)]
    except SqlglotError:
        return False  # whoever parses it says what is wrong
    return TokenType.SEMICOLON in words[:-1]


def _more_than_one() -> Qua3ckError:
    return Qua3ckError(
        "The condition holds more than a condition",
        where=_WHERE,
        fix="""write one over the table's columns, such as --where "id = '17'" """.rstrip(),
        code="U161",
    )


def _traced(
    row: dict[str, Any],
    columns: Mapping[str, str],
    pieces: Pieces,
    answers: Mapping[str, Answers],
) -> TracedRow:
    records = []
    for mark in dict.fromkeys(row[FROM] or ()):  # once each
        source, piece, number, known = json.loads(mark)
        moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(known))
        records.append(record_of(source, piece, int(number), moment, pieces, answers))
    records.sort(key=lambda one: (one.source, one.piece, one.row))
    return TracedRow({name: _plain(row[name]) for name in columns}, tuple(records))


def record_of(
    source: str,
    piece: str,
    row: int,
    known: datetime,
    pieces: Pieces,
    answers: Mapping[str, Answers],
) -> Record:
    """Return a record with its place in the bytes received, and the answers in its cells.

    Parameters
    ----------
    known : datetime
        Since when the row is as it is: it stands in the bytes that the piece had then.
    """
    read = read_at(pieces, source, piece, known)
    if read is None:
        return Record(source, piece, row, place_of(row, {}))
    said = answers.get(source, {}).get((piece, read.known, row), ())
    place = place_of(row, read.how)
    return Record(source, piece, row, place, read.digest, read.loaded, said)


def _plain(value: Any) -> Any:
    """Return a sum of whole numbers, which the engine counts wider than any, as a number."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _read(rows: Iterable[TracedRow], section: Understand, pieces: Pieces) -> list[Step]:
    """Return how the pieces behind some rows were read: one step for each way."""
    steps: list[Step] = []
    behind = {(r.source, r.piece, r.digest, r.known) for row in rows for r in row.records}
    for source, piece, content, loaded in sorted(behind):
        hows = [
            one.how
            for one in pieces.get((source, piece), ())
            if (one.digest, one.loaded) == (content, loaded)
        ]
        made_by, rules = reading_of(section.sources[source], hows[-1] if hows else {})
        step = Step(source, made_by, rules)
        if step not in steps:
            steps.append(step)
    return steps


def _step(
    name: str, section: Understand, built: Mapping[str, Built], columns: Columns, root: Path
) -> Step:
    table = section.tables[name]
    query = query_of(name, table, root)
    if query is None:
        reads = ", ".join(one.name for one in built[name].made_of)
        shared = f"; rows followed by {', '.join(table.key)}" if table.key else "; not row by row"
        return Step(name, f"{table.function}({reads}){shared}")
    behind = {
        column: tuple(f"{one.table}.{one.column}" for one in found)
        for column, found in origins(query, columns).items()
    }
    rules = {column: rule_of(query, column, columns) for column in behind}
    return Step(name, query.place, rules, behind)


def _table(name: str) -> exp.Table:
    from sqlglot import exp

    return exp.Table(this=_quoted(name))


def _quoted(name: str) -> exp.Identifier:
    from sqlglot import exp

    return exp.to_identifier(name, quoted=True)

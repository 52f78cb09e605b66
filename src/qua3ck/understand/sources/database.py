"""Tables and queries of databases, read in slices along their key; one piece per slice.

The next slice begins behind the last key (never by OFFSET, which shifts when rows come and go),
all within one transaction that sees one moment, where the server has such. If the line breaks,
it goes on behind the last whole slice. With a watermark only changed rows are read; which rows
are gone is then told by reading the keys alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.connecting import (
    ONE_MOMENT,
    Database,
    connected,
    database_of,
    in_our_words,
    reach,
)
from qua3ck.understand.sources.fetching import (
    Fetch,
    Journal,
    Position,
    Tell,
    question,
    started_from,
)
from qua3ck.understand.sources.marks import Marks, lowered
from qua3ck.understand.sources.patience import GivenUp, Patience
from qua3ck.understand.sources.pieces import Piece
from qua3ck.understand.sources.sqlcolumns import (
    MOST,
    column_type,
    is_unsigned,
    is_wide,
    is_zoned,
    type_of_values,
    write_slice,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, Select

T = TypeVar("T")
SLICE = 50_000  # rows
_KEYS = 200_000  # rows of keys at once
_SAMPLE = 1000  # rows of a query that tell its types
_ALIAS = "asked"


def fetch_database(
    name: str,
    source: Source,
    root: Path,
    *,
    since: Position | None,
    into: Path,
    place: str,
    tell: Tell = lambda _: None,
    patience: Patience | None = None,
    env: Mapping[str, str] = os.environ,
    clock: Clock = utc_now,
    slice_rows: int = SLICE,
) -> Fetch:
    """Bring in a table or the result of a query.

    Parameters
    ----------
    name, source, root, since, into, place, tell, patience, env, clock
        As for :func:`qua3ck.understand.sources.rest.fetch_http`; ``root`` is where files of
        SQLite start.
    slice_rows : int
        Rows of a piece.

    Returns
    -------
    Fetch
        Pieces are Parquet files in the order of the key; ``types`` are those that the database
        declares. Full without a watermark and on the first load. With changes, ``keys`` tells
        which rows still exist, unless ``extract: changes`` is declared.

    Raises
    ------
    Qua3ckError
        While the pieces are taken: if the server refuses or is not to be had, the table or a
        column does not exist, or the key is not unique or has gaps.
    """
    start = started_from(source, since)
    asked = _Asked(name, source, place, start, slice_rows, tell, patience or Patience())
    return Fetch(lambda fetch: _slices(fetch, asked, root, into, env, clock), extract="full")


@dataclass(frozen=True)
class _Asked:
    name: str
    source: Source
    place: str
    start: Position | None
    slice_rows: int
    tell: Tell
    patience: Patience


@dataclass(frozen=True)
class Plan:
    """What is read, as the database has it.

    Attributes
    ----------
    origin : sqlalchemy FromClause
        The table, or the query as a subquery.
    types : mapping
        Every column in order, with the type it gets.
    zoned, wide, documents : frozenset of str
        Moments with a zone; numbers kept as text; JSON, read as the text it is.
    key : tuple of str
        Columns along which slices are cut; empty if there is none.
    """

    origin: FromClause
    types: Mapping[str, ColumnType]
    zoned: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    key: tuple[str, ...] = ()


def slice_statement(
    plan: Plan,
    *,
    behind: Sequence[Any] | None,
    at_least: tuple[str, Any] | None,
    rows: int | None,
    columns: Sequence[str] | None = None,
) -> Select[Any]:
    """Return the SELECT of one slice; every name quoted, every value a parameter.

    Parameters
    ----------
    behind : sequence or None
        The key of the last row read, in the order of ``plan.key``; None to begin.
    at_least : tuple or None
        Watermark column and the value to read from, border included; rows without a watermark
        are read too.
    rows : int or None
        At most so many; all if None.
    columns : sequence of str or None
        All of the plan if None.

    Notes
    -----
    ``a > x or (a = x and b > y)`` rather than ``(a, b) > (x, y)``: SQL Server has no row
    comparison, and the ``a >= x`` beside it lets every planner use the key's index.
    """
    import sqlalchemy as sa

    chosen = [_column(name, plan) for name in columns or plan.types]
    statement = sa.select(*chosen).select_from(plan.origin)
    if behind is not None:
        statement = statement.where(*_behind(plan.key, behind))
    if at_least is not None:
        column: ColumnElement[Any] = sa.column(at_least[0])
        statement = statement.where((column >= _value(at_least[1])) | column.is_(None))
    if plan.key:
        statement = statement.order_by(*(sa.column(name) for name in plan.key))
    return statement if rows is None else statement.limit(rows)


def table_name(written: str) -> tuple[str | None, str]:
    """Return schema and name of ``table:``; parts with a dot are written in double quotes."""
    part = r'("(?:[^"]|"")+"|[^".]+)'
    match = re.fullmatch(rf"(?:{part}\.)?{part}", written)
    if match is None:
        return None, written
    schema, name = (
        text[1:-1].replace('""', '"') if text and text[0] == '"' else text
        for text in match.groups()
    )
    return schema, name or ""


class _Session:
    """One transaction, opened again when the line breaks; ``broken`` says that it was."""

    def __init__(self, database: Database, asked: _Asked, *, broken: bool) -> None:
        self.database = database
        self.broken = broken or database.backend not in ONE_MOMENT
        self._asked = asked
        self._connection: Connection | None = None
        self._opened = False

    def do(self, act: Callable[[Connection], T]) -> T:
        """Return what ``act`` gives on the connection; tried again if the line breaks.

        Raises
        ------
        Qua3ckError
            In our words, for all that trying again does not cure.
        """

        def attempt(left: float) -> T:
            del left
            try:
                return act(self._open())
            except Exception as problem:
                self._drop()
                if not _of_the_driver(problem):
                    raise
                part = "query" if self._asked.source.query else "table"
                place = self._asked.place
                raise in_our_words(problem, self.database, place=place, part=part) from None

        try:
            return self._asked.patience.last(attempt)
        except GivenUp as problem:
            raise Qua3ckError(
                f"{self.database.shown} is not to be had in {problem.says}",
                where=f"{self._asked.place}.url",
                fix="look at host and port, and run the same command again; it goes on where it "
                "stopped",
                code="U136",
            ) from None

    def close(self) -> None:
        """End the transaction and the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _drop(self) -> None:
        """Leave a connection on which something failed; the server may be gone."""
        connection, self._connection = self._connection, None
        if connection is None or connection.invalidated:
            return
        raw = connection.connection.dbapi_connection
        connection.detach()  # SQLAlchemy would log a traceback if closing it fails
        if raw is not None:
            with suppress(Exception):  # what matters was said by the failure before this one
                raw.close()

    def _open(self) -> Connection:
        if self._connection is None:
            if self._opened:
                self.broken = True
            reach(self.database)
            self._connection = connected(self.database, place=self._asked.place)
            self._connection.begin()
            self._opened = True
        return self._connection


def _slices(
    fetch: Fetch,
    asked: _Asked,
    root: Path,
    into: Path,
    env: Mapping[str, str],
    clock: Clock,
) -> Iterator[Piece]:
    source = asked.source
    database = database_of(source.url or "", root, place=asked.place, env=env)
    start = {"mark": asked.start.mark if asked.start else None, "rows": asked.slice_rows}
    journal = Journal(into, {"question": question(source), **start}, clock=clock)
    session = _Session(database, asked, broken=bool(journal.steps))
    try:
        plan = session.do(lambda connection: _planned(connection, database, asked))
        fetch.types = plan.types
        fetch.findings += _wide(plan, asked)
        mark, since = _watermark(session, plan, asked, journal)
        fetch.extract = "full" if since is None else "changes"
        total = session.do(lambda connection: _count(connection, plan, since))
        came = 0
        reading = _keyed if plan.key else _streamed
        for piece, rows in reading(session, plan, asked, journal, since):
            came += rows
            asked.tell(f"{asked.name}: {came:,} of {total:,} rows")
            yield piece
        _settle(fetch, session, plan, asked, journal, came, total)
        fetch.after = Position(question(source), mark)
        journal.finish()
    finally:
        session.close()


def _planned(connection: Connection, database: Database, asked: _Asked) -> Plan:
    """Return what is to be read, with the columns that the database says there are."""
    source, place = asked.source, asked.place
    if (source.table is None) == (source.query is None):
        raise Qua3ckError(
            "A database needs table: or query:, one of the two",
            where=place,
            fix="write table: schema.name, or query: SELECT ...",
            code="U139",
        )
    primary: Sequence[str] = ()
    if source.query is not None:
        plan = _of_query(connection, source.query, database, place)
    else:
        plan, primary = _of_table(connection, source.table or "", database, place)
    for where, names in (
        ("key", source.key),
        ("valid_from", (source.valid_from,) if source.valid_from and source.key else ()),
        ("watermark", [source.watermark] if source.watermark else []),
        ("types", source.types),
    ):
        _refuse_unknown(names, plan.types, f"{place}.{where}")
    key = source.row_key or tuple(primary)
    types = {name: source.types.get(name, found) for name, found in plan.types.items()}
    wide = plan.wide - set(source.types)
    return Plan(plan.origin, types, plan.zoned, wide, plan.documents, key)


def _of_table(
    connection: Connection, written: str, database: Database, place: str
) -> tuple[Plan, Sequence[str]]:
    import warnings

    import sqlalchemy as sa

    schema, name = table_name(written)
    inspector = sa.inspect(connection)
    _refuse_no_table(inspector, schema, name, database, place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # types it does not know are text
        found = inspector.get_columns(name, schema)
        primary = inspector.get_pk_constraint(name, schema).get("constrained_columns", [])
    backend = database.backend
    origin = sa.table(name, *(sa.column(column["name"]) for column in found), schema=schema)
    beyond = _beyond(connection, origin, [c["name"] for c in found if is_unsigned(c["type"])])
    types = {c["name"]: column_type(c["type"], backend=backend) for c in found}
    plan = Plan(
        origin,
        {**types, **dict.fromkeys(beyond, "string")},
        frozenset(c["name"] for c in found if is_zoned(c["type"])),
        beyond | {c["name"] for c in found if is_wide(c["type"], backend=backend)},
        frozenset(c["name"] for c in found if _is_document(c["type"])),
    )
    return plan, primary


def _beyond(connection: Connection, origin: FromClause, names: Sequence[str]) -> frozenset[str]:
    """Return the columns without a sign in which a number is too great for 64 bits with one.

    The whole table is asked, not a slice: most such columns count rows and stay numbers.
    """
    import sqlalchemy as sa

    if not names:
        return frozenset()
    most = connection.execute(sa.select(*(sa.func.max(origin.c[name]) for name in names))).one()
    found = zip(names, most, strict=True)
    return frozenset(name for name, value in found if value is not None and value > MOST)


def _refuse_no_table(
    inspector: Any, schema: str | None, name: str, database: Database, place: str
) -> None:
    """Raise unless the table is among those that exist: nothing else reaches the SQL."""
    if schema is not None and schema not in inspector.get_schema_names():
        there, what, wrong = inspector.get_schema_names(), "schema", schema
    else:
        there = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
        if database.backend == "postgresql":
            there += inspector.get_materialized_view_names(schema)
        what, wrong = "table", name
    if wrong in there:
        return
    some = ", ".join(sorted(there)[:8]) + (" ..." if len(there) > 8 else "")
    raise Qua3ckError(
        f'{database.shown} has no {what} "{wrong}"{did_you_mean(wrong, there)}',
        where=f"{place}.table",
        fix=f"write one of: {some}" if there else "look whether this user may see any table",
        code="U138",
    )


def _of_query(connection: Connection, query: str, database: Database, place: str) -> Plan:
    import sqlalchemy as sa

    _refuse_no_select(query, database, place)
    plain = query.strip().rstrip(";").replace("\\", "\\\\").replace(":", r"\:")
    origin: Any = sa.text(f"(\n{plain}\n) AS {_ALIAS}")
    sample = connection.execute(sa.select(sa.text("*")).select_from(origin).limit(_SAMPLE))
    names = list(sample.keys())
    twins = {name for name in names if names.count(name) > 1}
    if twins:
        raise Qua3ckError(
            f'The query gives two columns called "{min(twins)}"',
            where=f"{place}.query",
            fix=f"rename one of them: ... AS other_{min(twins)}",
            code="U139",
        )
    rows = sample.fetchall()
    values = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    for name, seen in values.items():
        if all(value is None for value in seen):
            column: ColumnElement[Any] = sa.column(name)
            filled = sa.select(column).select_from(origin).where(column.is_not(None)).limit(1)
            seen.append(connection.execute(filled).scalar())
    return Plan(
        origin,
        {name: type_of_values(seen) for name, seen in values.items()},
        frozenset(n for n, s in values.items() if any(getattr(v, "tzinfo", None) for v in s)),
        frozenset(n for n, s in values.items() if any(isinstance(v, Decimal) for v in s)),
    )


def _refuse_no_select(query: str, database: Database, place: str) -> None:
    import sqlglot
    from sqlglot import expressions

    dialects = {"postgresql": "postgres", "mssql": "tsql", "mariadb": "mysql"}
    try:
        found = sqlglot.parse(query, read=dialects.get(database.backend, database.backend))
    except sqlglot.errors.SqlglotError:
        return  # the database itself will say what it cannot read
    statements = [statement for statement in found if statement is not None]
    if len(statements) != 1 or not isinstance(statements[0], expressions.Query):
        raise Qua3ckError(
            "The query is not one SELECT",
            where=f"{place}.query",
            fix="write a single SELECT; nothing is ever changed in a source",
            code="U139",
        )


def _watermark(
    session: _Session, plan: Plan, asked: _Asked, journal: Journal
) -> tuple[str | None, tuple[str, Any] | None]:
    """Return the mark to remember, and the column and value to read from, if not everything.

    The mark is that of the first attempt's first moment: what changes while slices are read
    lies behind it and comes the next time.
    """
    import sqlalchemy as sa

    column, start = asked.source.watermark, asked.start
    if column is None:
        return None, None
    greatest: Select[Any] = sa.select(sa.func.max(sa.column(column))).select_from(plan.origin)
    top = session.do(lambda connection: connection.execute(greatest).scalar())
    if "mark" not in journal.notes:
        journal.note(mark=None if top is None else _spelled(top))
    mark: str | None = journal.notes["mark"]
    before = start.mark if start is not None and asked.source.extract != "full" else None
    if before is None or mark is None or Marks(before).greatest is None:
        return mark, None
    newer = Marks(before)
    newer.see([mark])
    if newer.greatest == before != mark:
        return mark, None  # the table went back in time (a restored copy): all of it is read
    since = lowered(before, asked.source.overlap, place=asked.place)
    return mark, (column, _like(since, top))


def _keyed(
    session: _Session,
    plan: Plan,
    asked: _Asked,
    journal: Journal,
    since: tuple[str, Any] | None,
) -> Iterator[tuple[Piece, int]]:
    """Yield slices along the key, those of an earlier attempt first."""
    behind: list[Any] | None = None
    for step in journal.steps:
        behind = [_unpacked(part) for part in step.state["behind"]]
        if step.piece:
            yield step.piece, step.state["rows"]
    places = [list(plan.types).index(name) for name in plan.key]
    while True:
        statement = slice_statement(plan, behind=behind, at_least=since, rows=asked.slice_rows)
        rows = session.do(_all_rows(statement))
        if not rows:
            return
        behind = [rows[-1][place] for place in places]
        if None in behind:
            raise _bad_key(asked, "is empty in some rows")
        state = {"behind": [_packed(value) for value in behind], "rows": len(rows)}
        yield _taken(journal, asked, plan, rows, state, since), len(rows)
        if len(rows) < asked.slice_rows:
            return


def _all_rows(statement: Select[Any]) -> Callable[[Connection], Sequence[Any]]:
    def read(connection: Connection) -> Sequence[Any]:
        return connection.execute(statement).fetchall()

    return read


def _streamed(
    session: _Session,
    plan: Plan,
    asked: _Asked,
    journal: Journal,
    since: tuple[str, Any] | None,
) -> Iterator[tuple[Piece, int]]:
    """Yield slices of a table without a key: in one go, and from the start if that breaks."""
    statement = slice_statement(plan, behind=None, at_least=since, rows=None)

    def read(connection: Connection) -> list[tuple[Piece, int]]:
        journal.forget()
        result = connection.execution_options(stream_results=True).execute(statement)
        made = []
        for rows in result.partitions(asked.slice_rows):
            state = {"behind": [], "rows": len(rows)}
            made.append((_taken(journal, asked, plan, rows, state, since), len(rows)))
        return made

    yield from session.do(read)


def _taken(
    journal: Journal,
    asked: _Asked,
    plan: Plan,
    rows: Sequence[Sequence[Any]],
    state: Mapping[str, Any],
    since: tuple[str, Any] | None,
) -> Piece:
    name = f"slice {len(journal.steps) + 1:06d}"
    if since is not None and asked.start is not None:
        name += f" since {asked.start.mark}"
    return journal.take(
        name, lambda path: write_slice(rows, plan.types, path, zoned=plan.zoned), state
    )


def _settle(
    fetch: Fetch,
    session: _Session,
    plan: Plan,
    asked: _Asked,
    journal: Journal,
    came: int,
    total: int,
) -> None:
    """Check the count, and find out which rows still exist where the slices do not tell."""
    if came == 0 and fetch.extract == "full":
        journal.forget()
        raise Qua3ckError(
            f'The source "{asked.name}" has columns but no rows',
            where=f"{asked.place}.{'query' if asked.source.query else 'table'}",
            fix="look at the query, or ask the database's owner; an empty table is never loaded",
            code="U103",
        )
    if not session.broken and came != total:
        journal.forget()
        raise _bad_key(asked, f"is not unique or has gaps: {total:,} rows, {came:,} of them came")
    if session.broken and plan.key:  # without a key it was one statement
        fetch.findings.append(_several_moments(asked))
        if asked.source.key:
            fetch.extract = "changes"
    if fetch.extract == "changes" and asked.source.extract != "changes":
        fetch.keys = _keys(session, plan, asked, journal.folder / "keys.parquet")


def _keys(session: _Session, plan: Plan, asked: _Asked, path: Path) -> Path:
    """Write the key columns of every row there is, read at one moment."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {name: plan.types[name] for name in plan.key}

    def read(connection: Connection) -> None:
        parts = []
        behind: list[Any] | None = None
        while True:
            statement = slice_statement(
                plan, behind=behind, at_least=None, rows=_KEYS, columns=plan.key
            )
            rows = connection.execute(statement).fetchall()
            part = path.with_suffix(".part")
            write_slice(rows, types, part, zoned=plan.zoned)
            parts.append(pq.read_table(part))
            part.unlink()
            if len(rows) < _KEYS:
                break
            behind = list(rows[-1])
        pq.write_table(pa.concat_tables(parts, promote_options="permissive"), path)

    session.do(read)
    asked.tell(f"{asked.name}: keys of all rows compared")
    return path


def _count(connection: Connection, plan: Plan, since: tuple[str, Any] | None) -> int:
    import sqlalchemy as sa

    statement = sa.select(sa.func.count()).select_from(plan.origin)
    if since is not None:
        column: ColumnElement[Any] = sa.column(since[0])
        statement = statement.where((column >= _value(since[1])) | column.is_(None))
    return int(connection.execute(statement).scalar_one())


def _behind(key: Sequence[str], values: Sequence[Any]) -> list[Any]:
    """Return the conditions that a row lies behind a key."""
    import sqlalchemy as sa

    columns: list[ColumnElement[Any]] = [sa.column(name) for name in key]
    bound = [_value(value) for value in values]
    steps = [
        sa.and_(
            *(column == value for column, value in zip(columns[:i], bound[:i], strict=True)),
            columns[i] > bound[i],
        )
        for i in range(len(key))
    ]
    return [columns[0] >= bound[0], sa.or_(*steps)] if len(key) > 1 else [sa.or_(*steps)]


def _column(name: str, plan: Plan) -> ColumnElement[Any]:
    import sqlalchemy as sa

    column: ColumnElement[Any] = sa.column(name)
    return sa.cast(column, sa.Text).label(name) if name in plan.documents else column


def _value(value: Any) -> Any:
    """Return a parameter whose type the driver decides: no cast is written around it."""
    import sqlalchemy as sa

    return sa.literal(value, sa.types.NullType())


def _is_document(declared: Any) -> bool:
    return type(declared).__name__.upper() in {"JSON", "JSONB"}


def _of_the_driver(problem: Exception) -> bool:
    import sqlalchemy as sa

    return isinstance(problem, sa.exc.DBAPIError | OSError | EOFError)


def _spelled(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _like(text: str, value: Any) -> Any:
    """Return a mark as the kind of value that the database compares it with."""
    if isinstance(value, datetime):
        return datetime.fromisoformat(text)
    if isinstance(value, date):
        return date.fromisoformat(text[:10])
    if isinstance(value, int):
        return int(Decimal(text))
    if isinstance(value, float):
        return float(text)
    return Decimal(text) if isinstance(value, Decimal) else text


_PACKED: dict[str, tuple[type, Callable[[str], Any]]] = {
    "datetime": (datetime, datetime.fromisoformat),
    "date": (date, date.fromisoformat),
    "decimal": (Decimal, Decimal),
    "uuid": (UUID, UUID),
    "bytes": (bytes, bytes.fromhex),
}


def _packed(value: Any) -> Any:
    """Return a key's value as JSON that can be read back as what it was."""
    if isinstance(value, str | int | float):
        return value
    for sort, (kind, _) in _PACKED.items():
        if isinstance(value, kind):
            text = value.hex() if isinstance(value, bytes) else _spelled(value)
            return {"sort": sort, "value": text}
    return str(value)


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return _PACKED[value["sort"]][1](value["value"])


def _refuse_unknown(
    names: Sequence[str] | Mapping[str, Any], there: Mapping[str, Any], where: str
) -> None:
    for name in names:
        if name not in there:
            raise Qua3ckError(
                f'There is no column "{name}"{did_you_mean(name, there)}',
                where=where,
                fix=f"write one of: {', '.join(list(there)[:12])}",
                code="U138",
            )


def _bad_key(asked: _Asked, says: str) -> Qua3ckError:
    key = ", ".join(asked.source.row_key) or "the primary key"
    return Qua3ckError(
        f"The key ({key}) {says}",
        where=f"{asked.place}.key",
        fix="declare key: with the columns that make a row unique and are never empty; or leave "
        "it out: a table without a primary key is then read in one go",
        code="U144",
    )


def _wide(plan: Plan, asked: _Asked) -> Iterator[Finding]:
    for name in sorted(plan.wide):
        yield Finding(
            "U054",
            "inform",
            f"{asked.place}, column {name}",
            f'"{name}" holds more digits than a number keeps, or does not say how many: it stays '
            f"text, every digit kept. If the last ones do not matter: types: {{{name}: number}}.",
            {"column": name},
        )


def _several_moments(asked: _Asked) -> Finding:
    return Finding(
        "U056",
        "inform",
        asked.place,
        "The table was not read in one go: its rows may be of different moments. Which rows are "
        "gone was read at the end, at one moment.",
        {"source": asked.name},
    )

"""Published tables in PostgreSQL: a refresh is one transaction, so a reader never sees half.

Every table gets its primary key, its references and a comment per column; the data dictionary
is a table too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need
from qua3ck.understand.publish.files import DICTIONARY
from qua3ck.understand.publish.star import DATES, Table
from qua3ck.understand.publish.stored import Stored

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = "understand.publish.to"
_NULL = "\\N"


def write_postgres(
    tables: Sequence[Table], words: pa.Table, *, variable: str, schema: str
) -> tuple[str, ...]:
    """Replace the tables of a schema; return their full names.

    Parameters
    ----------
    words : pyarrow.Table
        The data dictionary.
    variable : str
        The environment variable that holds the database's URL.
    schema : str
        Made if it is not there; tables of other names in it stay.

    Raises
    ------
    Qua3ckError
        If the variable is not set, the server does not answer or refuses; never with the URL.
    """
    sqlalchemy = need("sqlalchemy", extra="databases", what="publishing to PostgreSQL")
    engine = sqlalchemy.create_engine(_url(variable, sqlalchemy))
    listed = (*tables, Table(DICTIONARY, words))
    try:
        connection = engine.raw_connection()
        try:
            _write(connection.driver_connection, listed, words, schema)
        finally:
            connection.close()
    except Exception as problem:  # noqa: BLE001 - the driver's errors share no class with ours
        raise _refused(problem, variable) from None
    finally:
        engine.dispose()
    return tuple(f"{schema}.{table.name}" for table in listed)


def _write(connection: Any, tables: Sequence[Table], words: pa.Table, schema: str) -> None:
    meanings = {(line["table"], line["column"]): line["meaning"] for line in words.to_pylist()}
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    try:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}")
        for table in reversed(tables):  # facts refer to dimensions
            cursor.execute(f"DROP TABLE IF EXISTS {_named(schema, table.name)} CASCADE")
        for table in tables:
            cursor.execute(_create(schema, table))
            copy = f"COPY {_named(schema, table.name)} FROM STDIN WITH (FORMAT csv, NULL '{_NULL}')"
            cursor.execute(copy, stream=_lines(table.rows))
            for column in table.rows.column_names:
                meaning = meanings.get((table.name, column))
                if meaning:
                    place = f"{_named(schema, table.name)}.{_quoted(column)}"
                    cursor.execute(f"COMMENT ON COLUMN {place} IS {_text(meaning)}")
        cursor.execute("COMMIT")
    except BaseException:
        with suppress(Exception):  # a line that broke undoes it by itself
            cursor.execute("ROLLBACK")
        raise


def _create(schema: str, table: Table) -> str:
    parts = [f"{_quoted(f.name)} {_type(f.type)}" for f in table.rows.schema]
    if table.key:
        parts.append(f"PRIMARY KEY ({', '.join(map(_quoted, table.key))})")
    for column, other in table.refers.items():
        own = "date_key" if other == DATES else column
        parts.append(
            f"FOREIGN KEY ({_quoted(column)}) REFERENCES {_named(schema, other)} ({_quoted(own)})"
        )
    return f"CREATE TABLE {_named(schema, table.name)} ({', '.join(parts)})"


def _lines(rows: pa.Table | Stored) -> Iterator[bytes]:
    for batch in rows.to_batches(max_chunksize=10_000):
        columns = [_texts(column) for column in batch.columns]
        yield "".join(",".join(values) + "\n" for values in zip(*columns, strict=True)).encode()


def _texts(column: pa.Array) -> list[str]:
    """Return cells as CSV: text quoted, null as the bare marker (a quoted one is text)."""
    import pyarrow as pa

    plain = column.cast(pa.string()).to_pylist()
    if not pa.types.is_string(column.type):
        return [_NULL if value is None else value for value in plain]
    return [_NULL if value is None else '"' + value.replace('"', '""') + '"' for value in plain]


def _type(kind: pa.DataType) -> str:
    import pyarrow as pa

    is_type = pa.types
    if is_type.is_integer(kind):
        return "bigint"
    if is_type.is_floating(kind):
        return "double precision"
    if is_type.is_boolean(kind):
        return "boolean"
    if is_type.is_date(kind):
        return "date"
    if is_type.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    return "text"


def _url(variable: str, sqlalchemy: Any) -> Any:
    text = os.environ.get(variable)
    if not text:
        raise Qua3ckError(
            f"The environment variable {variable} is not set",
            where=PLACE,
            fix=f"export {variable}=postgresql://USER:PASSWORD@HOST:5432/DATABASE",
            code="U164",
        )
    try:
        url = sqlalchemy.engine.make_url(text)
    except sqlalchemy.exc.ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        raise Qua3ckError(
            f"The environment variable {variable} holds no URL of a PostgreSQL database",
            where=PLACE,
            fix="write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE",
            code="U164",
        )
    return url.set(drivername="postgresql+pg8000")


def _refused(problem: Exception, variable: str) -> Exception:
    if isinstance(problem, Qua3ckError):
        return problem
    state = problem.args[0].get("C") if problem.args and isinstance(problem.args[0], dict) else ""
    said = f", SQLSTATE {state}" if state else ""
    return Qua3ckError(
        f"The database named by {variable} did not take the tables "
        f"({type(problem).__name__}{said}); what it had is unchanged",
        where=PLACE,
        fix="look whether it answers, and whether its user may create tables in the schema",
        code="U164",
    )


def _named(schema: str, table: str) -> str:
    return f"{_quoted(schema)}.{_quoted(table)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

"""One DuckDB connection that runs Ibis expressions: bounded memory, a scratch folder, no download.

What is asked is written as Ibis expressions, so that the same expressions run elsewhere; Ibis
compiles them, this connection runs them. (Ibis 12 cannot run them itself on DuckDB 2.) No
DuckDB extension is ever installed or loaded.
"""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from qua3ck.store.warehouse.problems import bad_query, not_run

if TYPE_CHECKING:
    import duckdb
    import ibis
    import pyarrow as pa

Constant = str | int | float | bool | date | datetime | None
Setting = str | bool | int | float | list[str]
_BATCH = 122_880  # rows
_FLOATS = {"FLOAT", "DOUBLE"}


class Engine:
    """Reads files and tables as Ibis expressions and runs them; use it in a ``with`` statement.

    Parameters
    ----------
    scratch : Path, optional
        Folder for what does not fit into memory; a folder of its own is made in it and removed
        at the end. Default: the system's folder for temporary files.
    memory : str, default "700MB"
        What DuckDB may use before it writes to the scratch folder.
    threads : int, optional
        Default: all processors. 1 makes sums of floats the same on every run.
    reach : sequence of Path, optional
        The only folders that any query can read. Default: no limit; give it where SQL of a
        user is run.
    """

    def __init__(
        self,
        *,
        scratch: Path | None = None,
        memory: str = "700MB",
        threads: int | None = None,
        reach: Sequence[Path] | None = None,
    ) -> None:
        self._place, self._memory, self._threads = scratch, memory, threads
        self._reach = reach
        self._scratch: Path | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._made = 0

    def __enter__(self) -> Engine:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        del kind, problem, trace
        self.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection; made at the first use."""
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    @property
    def scratch(self) -> Path:
        """A folder for files of one's own that is removed at the end."""
        if self._scratch is None:
            if self._place is not None:
                self._place.mkdir(parents=True, exist_ok=True)
            self._scratch = Path(tempfile.mkdtemp(prefix="qua3ck-", dir=self._place))
        return self._scratch

    def close(self) -> None:
        """End the connection and remove the scratch folder."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    # -- in ---------------------------------------------------------------------

    def parquet(self, paths: Path | Iterable[Path]) -> ibis.Table:
        """Return the rows of one or several Parquet files of the same columns, in their order."""
        files = [paths] if isinstance(paths, Path) else list(paths)
        source = f"read_parquet({file_list(files)}, hive_partitioning=false)"
        columns = self.described(f"SELECT * FROM {source}")
        shown = [f"{seen(name, kind)} AS {quoted(name)}" for name, kind in columns.items()]
        return self.view(f"SELECT {', '.join(shown)} FROM {source}")

    def delimited(
        self,
        paths: Path | Iterable[Path],
        *,
        columns: Mapping[str, str],
        delimiter: str = ",",
        quote: str = '"',
        escape: str = '"',
        header: bool = True,
        skip: int = 0,
        **options: Any,
    ) -> ibis.Table:
        """Return the rows of delimited text files read with declared options, nothing sniffed.

        Parameters
        ----------
        columns : mapping
            Name to DuckDB type, in the order of the file.
        options
            Further options of DuckDB's ``read_csv``, such as ``store_rejects=True``.
        """
        files = [paths] if isinstance(paths, Path) else list(paths)
        shape = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
        given = {
            "auto_detect": False,
            "delim": delimiter,
            "quote": quote,
            "escape": escape,
            "header": header,
            "skip": skip,
            **options,
        }
        named = "".join(f", {name} = {_option(value)}" for name, value in given.items())
        return self.view(
            f"SELECT * FROM read_csv({file_list(files)}, columns = {{{shape}}}{named})"
        )

    def arrow(self, rows: pa.Table | pa.RecordBatchReader) -> ibis.Table:
        """Return an Arrow table as an expression, not copied; a reader can be read once."""
        name = self._name()
        self.connection.register(name, rows)
        return _table(name, rows.schema)

    def view(self, sql: str) -> ibis.Table:
        """Return a query of ours as an expression; for this room only.

        Values and names in it must have gone through :func:`literal` and :func:`quoted`.
        """
        name = self._name()
        self.connection.execute(f"CREATE TEMP VIEW {name} AS {sql}")
        return _table(name, self.connection.sql(f"FROM {name} LIMIT 0").to_arrow_table().schema)

    def query(self, sql: str, tables: Mapping[str, ibis.Table]) -> ibis.Table:
        """Return a SELECT of a user over named expressions as an expression.

        Raises
        ------
        Qua3ckError
            If it cannot be run; without any value of the data.
        """
        import duckdb

        try:
            found = self.connection.extract_statements(sql)
            if len(found) != 1 or found[0].type != duckdb.StatementType.SELECT:
                raise duckdb.ParserException("Parser Error: not one SELECT")
            for name, rows in tables.items():
                self.connection.execute(
                    f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {self.compiled(rows)}"
                )
            return self.view(f"SELECT * FROM ({found[0].query.strip().rstrip(';')}\n)")
        except duckdb.Error as problem:
            raise bad_query(problem) from None

    def asked(self, sql: str, tables: Mapping[str, pa.Table]) -> pa.RecordBatchReader:
        """Return what a query of a user gives over tables, as a stream that ends with the engine.

        The same rows in the same order as :func:`in_memory` gives with as many threads; what
        does not fit into memory goes to the scratch folder.

        Raises
        ------
        Qua3ckError
            If it cannot be run, also while the stream is read; without any value of the data.
        """
        import duckdb

        for name, rows in tables.items():
            self.connection.register(name, rows)
        try:
            found = self.connection.sql(sql)
        except duckdb.Error as problem:
            raise bad_query(problem) from None
        if found is None:
            raise bad_query(duckdb.ParserException("Parser Error: not one SELECT"))
        with self._told():
            reader = found.to_arrow_reader(_BATCH)
        return _reader(reader.schema, self._each(reader))

    # -- out --------------------------------------------------------------------

    def compiled(self, rows: ibis.Expr) -> str:
        """Return an expression as SQL of this engine."""
        import ibis

        return str(ibis.to_sql(rows, dialect="duckdb"))

    def rows(self, rows: ibis.Expr, *, order: Sequence[str] = ()) -> pa.Table:
        """Run an expression; return its rows, ordered if asked."""
        with self._told():
            return self.connection.sql(_ordered(self.compiled(rows), order)).to_arrow_table()

    def batches(self, rows: ibis.Table, *, order: Sequence[str] = ()) -> pa.RecordBatchReader:
        """Run an expression; return its rows as a stream, which ends with the engine."""
        return self.stream(_ordered(self.compiled(rows), order))

    def stream(self, sql: str) -> pa.RecordBatchReader:
        """Return the rows of a query of ours as a stream."""
        with self._told():
            reader = self.connection.sql(sql).to_arrow_reader(_BATCH)
        return _reader(reader.schema, self._each(reader))

    def _each(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        while True:
            with self._told():
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
            yield batch

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn an error of the engine into one without a value of the data."""
        import duckdb
        import pyarrow as pa

        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as problem:
            raise not_run(problem, self.scratch) from None

    def write_parquet(
        self,
        rows: ibis.Table,
        path: Path,
        *,
        constants: Mapping[str, Constant] | None = None,
        order: Sequence[str] = (),
    ) -> int:
        """Run an expression into a Parquet file, in bounded memory; return its rows.

        Parameters
        ----------
        constants : mapping, optional
            Columns to add with one value in every row, such as ``_piece``, ``_known`` and
            ``_gone``; a datetime becomes a timestamp in UTC.
        order : sequence of str, optional
            Columns to sort by; else the order of the expression.
        """
        added = "".join(
            f", {constant(value)} AS {quoted(name)}" for name, value in (constants or {}).items()
        )
        sql = f"SELECT *{added} FROM ({self.compiled(rows)})"
        return self.copy_out(_ordered(sql, order), path)

    def copy_out(self, sql: str, path: Path) -> int:
        """Write a query of ours to a Parquet file; return its rows."""
        with self._told():
            done = self.connection.execute(
                f"COPY ({sql}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
            ).fetchone()
        return int(done[0]) if done else 0

    def described(self, sql: str) -> dict[str, str]:
        """Return the columns of a query of ours: name to DuckDB type."""
        rows = self.connection.execute(f"DESCRIBE {sql}").fetchall()
        return {str(name): str(kind) for name, kind, *_ in rows}

    def _name(self) -> str:
        self._made += 1
        return f"view_{self._made}"

    def _connect(self) -> duckdb.DuckDBPyConnection:
        settings: dict[str, Setting] = {
            "memory_limit": self._memory,
            "temp_directory": str(self.scratch / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if self._threads is not None:
            settings["threads"] = self._threads
        made = connected(settings)
        made.execute("SET TimeZone = 'UTC'")
        if self._reach is not None:
            folders = [f"{one.resolve()}/" for one in (*self._reach, self.scratch)]
            spelt = dict.fromkeys([*folders, *map(glob.escape, folders)])  # see file_list
            made.execute(f"SET allowed_directories = [{', '.join(map(literal, spelt))}]")
            made.execute("SET enable_external_access = false")
            made.execute("SET lock_configuration = true")
        return made


def _reader(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
    import pyarrow as pa

    return pa.RecordBatchReader.from_batches(schema, batches)


def _table(name: str, schema: pa.Schema) -> ibis.Table:
    import ibis

    return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)


def _ordered(sql: str, order: Sequence[str]) -> str:
    return f"SELECT * FROM ({sql}) ORDER BY {', '.join(map(quoted, order))}" if order else sql


def in_memory(sql: str, tables: Mapping[str, pa.Table], *, threads: int | None = None) -> pa.Table:
    """See :meth:`Warehouse.query`; a connection of its own, that reaches nothing else."""
    import duckdb

    settings: dict[str, Setting] = {"enable_external_access": "false", "temp_directory": ""}
    if threads is not None:
        settings["threads"] = str(threads)
    with connected(settings) as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        try:
            return connection.sql(sql).to_arrow_table()
        except (duckdb.Error, AttributeError) as problem:
            raise bad_query(problem) from problem


def connected(settings: Mapping[str, Setting]) -> duckdb.DuckDBPyConnection:
    """Return a connection to a database in memory that writes nothing to standard output.

    DuckDB 2 draws a progress bar there after two seconds, between the lines of ``--json``.
    """
    import duckdb

    made = duckdb.connect(":memory:", config=dict(settings))
    made.execute("SET enable_progress_bar = false")
    return made


def seen(name: str, kind: str) -> str:
    """Return a column of a Parquet file so that it is looked at.

    Parquet keeps the least and the greatest value of a block without regard to NaN; DuckDB 2
    takes them for all there is, and answers ``isnan(x)``, ``x <= 10`` and ``max(x)`` from them.
    Of what comes out of a condition it knows nothing beforehand.
    """
    one = quoted(name)
    return f"CASE WHEN {one} IS NULL THEN NULL ELSE {one} END" if kind in _FLOATS else one


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def constant(value: Constant) -> str:
    """Return a value as a typed literal of SQL.

    Raises
    ------
    TypeError
        For any other type.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"CAST({value} AS BIGINT)"
    if isinstance(value, float):
        return f"CAST({literal(repr(value))} AS DOUBLE)"
    if isinstance(value, datetime):
        kind = "TIMESTAMP WITH TIME ZONE" if value.tzinfo else "TIMESTAMP"
        return f"CAST({literal(value.isoformat())} AS {kind})"
    if isinstance(value, date):
        return f"CAST({literal(value.isoformat())} AS DATE)"
    if isinstance(value, str):
        return literal(value)
    message = f"a constant of type {type(value).__name__}"
    raise TypeError(message)


def file_list(files: Sequence[Path]) -> str:
    """Return paths as a list of SQL.

    A bracket or a star in the name of a folder is no pattern: DuckDB would read other files.
    """
    return "[" + ", ".join(literal(glob.escape(str(path))) for path in files) + "]"


def _option(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_option(one) for one in value) + "]"
    return literal(str(value))

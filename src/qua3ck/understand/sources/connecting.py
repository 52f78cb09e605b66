"""Opening a database for reading, and saying in our words what goes wrong there.

Every session is read-only and sees one moment (repeatable read) where the server offers it.
What a driver says is never shown: it may quote a row or a password. Its code decides.
"""

from __future__ import annotations

import os
import re
import socket
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.extras import need
from qua3ck.understand.sources.credentials import from_environment
from qua3ck.understand.sources.patience import Passing

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

_REACH = 10  # seconds for the line to open
_ANSWER = 900  # seconds for one statement
_DRIVERS = {
    "postgresql": ("postgresql+pg8000", "pg8000", "PostgreSQL"),
    "postgres": ("postgresql+pg8000", "pg8000", "PostgreSQL"),
    "mysql": ("mysql+pymysql", "pymysql", "MySQL"),
    "mariadb": ("mariadb+pymysql", "pymysql", "MariaDB"),
    "sqlite": ("sqlite", "sqlite3", "SQLite"),
    "mssql": ("mssql+pyodbc", "pyodbc", "SQL Server"),
}
_PORTS = {"pg8000": 5432, "pymysql": 3306}
_MYSQL = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET time_zone = '+00:00'",
)
_SESSION = {
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": ("PRAGMA query_only = ON",),
}
ONE_MOMENT = frozenset(_SESSION)  # databases whose transactions see one moment

# What a code of a server means: SQLSTATE by its beginning, numbers of MySQL.
_STATES = (
    ("28", "login"),
    ("42501", "right"),
    ("3D", "database"),
    ("3F", "table"),
    ("42P01", "table"),
    ("42S02", "table"),
    ("42703", "column"),
    ("42S22", "column"),
    ("08", "passing"),
    ("57", "passing"),
    ("53", "passing"),
    ("40", "passing"),
    ("55P03", "passing"),
    ("HYT", "passing"),
)
_NUMBERS = {
    "login": {1045, 1698, 1862},
    "right": {1044, 1142, 1143, 1227, 1370},
    "database": {1049},
    "table": {1109, 1146},
    "column": {1054},
    "passing": {0, 1040, 1053, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1317, 1927}
    | {2002, 2003, 2006, 2013, 2014, 2055},
}


@dataclass(frozen=True)
class Database:
    """A database that can be opened.

    Attributes
    ----------
    engine : sqlalchemy.Engine
        Opens a connection each time, and keeps none.
    backend : str
        SQLAlchemy's name of it: postgresql, mysql, mariadb, sqlite, mssql.
    shown : str
        How messages call it: sort, host and name; no user, no password.
    variable : str
        The environment variable the URL came from, or empty.
    """

    engine: Engine
    backend: str
    shown: str
    variable: str


def database_of(
    declared: str, root: Path, *, place: str, env: Mapping[str, str] = os.environ
) -> Database:
    """Return the database of a URL; nothing is opened yet.

    Parameters
    ----------
    declared : str
        ``env:NAME``, or a URL without a password. Files of SQLite start at the project's folder.

    Raises
    ------
    Qua3ckError
        If the URL cannot be read, names another sort of database, or a package is missing.
    """
    alchemy: Any = need("sqlalchemy", extra="databases", what="reading databases")
    variable = declared.removeprefix("env:") if declared.startswith("env:") else ""
    written = from_environment(declared, place=f"{place}.url", env=env)
    try:
        url = alchemy.make_url(written)
    except (alchemy.exc.ArgumentError, ValueError):
        raise _no_url(place) from None
    sort = url.drivername.split("+")[0]
    if sort not in _DRIVERS:
        raise Qua3ckError(
            f'"{sort}" is no database that can be read{did_you_mean(sort, _DRIVERS)}',
            where=f"{place}.url",
            fix=f"use one of: {', '.join(sorted(_DRIVERS))}",
            code="U138",
        )
    drivername, module, name = _DRIVERS[sort]
    if module == "pyodbc":
        _need_pyodbc(place)
    else:
        need(module, extra="databases", what=f"reading {name}")
    url, arguments = _arguments(url.set(drivername=drivername), module, root, place=place)
    engine = alchemy.create_engine(url, poolclass=alchemy.pool.NullPool, connect_args=arguments)
    _prepare_sessions(engine)
    return Database(engine, engine.dialect.name, _shown(url, name, root), variable)


def reach(database: Database) -> None:
    """Raise :class:`Passing` if nobody answers at the address; quicker than drivers find out."""
    url = database.engine.url
    port = url.port or _PORTS.get(database.engine.driver)
    if not url.host or port is None:
        return
    try:
        socket.create_connection((url.host, port), timeout=_REACH).close()
    except OSError:
        raise Passing("no connection") from None


def connected(database: Database, *, place: str) -> Connection:
    """Open a connection.

    Raises
    ------
    Qua3ckError
        If the URL has a parameter that the driver does not know. What the server says comes as
        SQLAlchemy's errors; see :func:`in_our_words`.
    """
    try:
        return database.engine.connect()
    except TypeError:
        known = sorted(database.engine.url.query)
        raise Qua3ckError(
            f"The driver does not know a parameter of the URL; it has: {', '.join(known)}",
            where=f"{place}.url",
            fix="leave it out; of PostgreSQL's, sslmode= is understood",
            code="U135",
        ) from None


def in_our_words(
    problem: Exception, database: Database, *, place: str, part: str = "query"
) -> Exception:
    """Return the error for what a driver raised; :class:`Passing` if it may be gone next time.

    Parameters
    ----------
    part : {"query", "table"}
        The key of the declaration that names what is read.
    """
    meaning = _meaning(problem)
    name = database.variable
    account = f"the account in {name}" if name else "url:"
    match meaning:
        case "passing":
            return Passing("connection lost" if _is_lost(problem) else "server busy")
        case "login":
            what, fix = "does not accept user and password", f"correct {account}"
            return _refused(f"{database.shown} {what}", f"{place}.url", fix)
        case "right":
            what = f"{database.shown} does not let this user read that"
            fix = f"ask its administrator for: GRANT SELECT ON ... to the user of {name or 'url:'}"
            return _refused(what, f"{place}.url", fix)
        case "database":
            return _missing("has no such database", f"{place}.url", "correct its name", database)
        case "table":
            fix = "correct the table's name"
            return _missing("has no such table", f"{place}.{part}", fix, database)
        case "column":
            fix = "correct the column's name"
            return _missing("has no such column", f"{place}.{part}", fix, database)
    if _code(problem) in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
        fix = "bring an undamaged file"
        return _missing("is no database file, or damaged", f"{place}.url", fix, database)
    return Qua3ckError(
        f"{database.shown} does not understand the question ({_code(problem) or 'no code'})",
        where=f"{place}.{part}",
        fix="try it in the database's own shell",
        code="U139",
    )


def _arguments(url: URL, module: str, root: Path, *, place: str) -> tuple[URL, dict[str, Any]]:
    """Return the URL and what the driver is told besides."""
    if module == "sqlite3":
        return _sqlite(url, root, place=place), {"timeout": 30}
    if module == "pg8000":
        import ssl

        mode = str(url.query.get("sslmode", ""))
        checked = {"verify-ca", "verify-full", "require"}
        secure = {"ssl_context": ssl.create_default_context()} if mode in checked else {}
        plain = {"ssl_context": False} if mode == "disable" else {}
        further = {"timeout": _ANSWER, "application_name": "qua3ck"}
        return url.difference_update_query(["sslmode"]), {**further, **secure, **plain}
    if module == "pymysql":
        return url, {"connect_timeout": _REACH, "read_timeout": _ANSWER, "local_infile": False}
    return url, {}


def _sqlite(url: URL, root: Path, *, place: str) -> URL:
    path = root / (url.database or "")
    if not url.database or not path.is_file():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise Qua3ckError(
            f'No database file "{url.database or ""}" in {root}{did_you_mean(path.name, near)}',
            where=f"{place}.url",
            fix="write sqlite:///path/from/the/project/folder.db",
            code="U138",
        )
    quoted = urllib.parse.quote(str(path.resolve()))
    return url.set(database=f"file:{quoted}", query={"mode": "ro", "uri": "true"})


def _prepare_sessions(engine: Engine) -> None:
    """Let every session be read-only and see one moment, where the server can."""
    from sqlalchemy import event

    backend = engine.dialect.name

    def prepare(connection: Any, _: Any) -> None:
        if backend == "sqlite":
            connection.isolation_level = None  # else it begins no transaction for reading
        cursor = connection.cursor()
        for statement in _SESSION.get(backend, ()):
            cursor.execute(statement)
        cursor.close()
        if backend != "sqlite":
            connection.commit()

    event.listen(engine, "connect", prepare)
    if backend == "sqlite":
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))


def _meaning(problem: Exception) -> str:
    code = _code(problem)
    if isinstance(code, int):
        return next((sort for sort, codes in _NUMBERS.items() if code in codes), "question")
    if code.startswith("SQLITE"):
        return "passing" if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) else "question"
    if code:
        return next((sort for begins, sort in _STATES if code.startswith(begins)), "question")
    return "passing" if _is_lost(problem) else "question"


def _code(problem: Exception) -> str | int:
    """Return SQLSTATE, MySQL's number or SQLite's name of an error; empty if it has none."""
    inner = getattr(problem, "orig", None) or problem
    if isinstance(inner, OSError):
        return ""  # its number is the system's, not the server's
    name = getattr(inner, "sqlite_errorname", None)
    if isinstance(name, str):
        return name
    first = inner.args[0] if inner.args else ""
    if isinstance(first, Mapping):
        return str(first.get("C", ""))
    if isinstance(first, int):
        return first
    return first if isinstance(first, str) and re.fullmatch(r"[0-9A-Z]{5}", first) else ""


def _is_lost(problem: Exception) -> bool:
    inner = getattr(problem, "orig", None) or problem
    return (
        bool(getattr(problem, "connection_invalidated", False))
        or isinstance(inner, OSError | EOFError)
        or type(inner).__name__ in {"InterfaceError", "OperationalError"}
    )


def _need_pyodbc(place: str) -> None:
    try:
        import pyodbc  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        raise Qua3ckError(
            "Reading SQL Server needs pyodbc and Microsoft's ODBC driver, which are not installed",
            where=f"{place}.url",
            fix="python -m pip install pyodbc, and the driver from your system's packages",
            code="U138",
        ) from None


def _refused(what: str, where: str, fix: str) -> Qua3ckError:
    return Qua3ckError(what, where=where, fix=fix, code="U137")


def _missing(what: str, where: str, fix: str, database: Database) -> Qua3ckError:
    return Qua3ckError(f"{database.shown} {what}", where=where, fix=fix, code="U138")


def _no_url(place: str) -> Qua3ckError:
    return Qua3ckError(
        "The database's URL cannot be read",
        where=f"{place}.url",
        fix="write it as postgresql://user:password@host:5432/database, in a variable: env:NAME",
        code="U135",
    )


def _shown(url: URL, name: str, root: Path) -> str:
    if name == "SQLite":
        path = Path(urllib.parse.unquote((url.database or "").removeprefix("file:")))
        inside = path.is_relative_to(root.resolve())
        return f"SQLite {path.relative_to(root.resolve()) if inside else path.name}"
    port = f":{url.port}" if url.port else ""
    return f"{name} at {url.host or 'this computer'}{port}, database {url.database or '(none)'}"

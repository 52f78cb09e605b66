"""What can go wrong with a table, each as what, where and what to do."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError


def delta_error() -> type[Exception]:
    """Return the class of all errors of delta-rs, imported late."""
    from deltalake.exceptions import DeltaError

    kind: type[Exception] = DeltaError
    return kind


def busy(table: str, path: Path) -> Qua3ckError:
    """Say that another writer did not end, or kept winning."""
    return Qua3ckError(
        f"Another process keeps writing {table}",
        where=str(path),
        fix="wait until the other run has ended, then run again",
        code="S001",
    )


def unreadable(table: str, version: int | None, problem: Exception | str) -> Qua3ckError:
    """Say that there is no such table or version, or that a file of it is damaged."""
    which = "" if version is None else f" at version {version}"
    why = problem if isinstance(problem, str) else type(problem).__name__
    return Qua3ckError(
        f"The table {table}{which} cannot be read ({why})",
        where=f"warehouse/{table}",
        fix="bring the folder warehouse/ back from a copy, or load the sources again",
        code="S003",
    )


def unwritable(path: Path, problem: Exception) -> Qua3ckError:
    """Say that the disk is full or may not be written."""
    reason = problem.strerror if isinstance(problem, OSError) else None
    if reason is None:
        found = re.search(r"([A-Z][a-z ]+) \(os error \d+\)", str(problem))
        reason = found[1] if found else type(problem).__name__
    return Qua3ckError(
        f"The table cannot be written: {reason}",
        where=str(path),
        fix="make room or give yourself the right to write there, then run again; "
        "what was stored before is untouched",
        code="S004",
    )


def bad_query(problem: Exception) -> Qua3ckError:
    """Say that a user's SQL is not correct, without any value of the data."""
    first = str(problem).splitlines()[0] if str(problem) else ""
    known = ("Parser Error", "Binder Error", "Catalog Error", "Permission Error")
    words = first if first.startswith(known) else type(problem).__name__
    return Qua3ckError(
        f"The query cannot be run: {words}",
        where="a SQL query",
        fix="one SELECT over the tables that the project file names as sources",
        code="S005",
    )


def no_name(table: str) -> Qua3ckError:
    """Refuse a name that would lie outside its layer, or could not be copied elsewhere."""
    return Qua3ckError(
        f'"{table}" cannot be the name of a table',
        where="the warehouse",
        fix='write layer/name, such as silver/stock, without \\ : * ? " < > | and without a '
        "dot or an underscore in front",
        code="S010",
    )


def gone(table: str, version: int, missing: int) -> Qua3ckError:
    """Say that files of a version were removed."""
    return Qua3ckError(
        f"{missing} files of {table} at version {version} are not there: they were removed when "
        "old versions were given up, or the folder is not whole",
        where=f"warehouse/{table}",
        fix="read the last version, or bring the folder back: qua3ck restore",
        code="S011",
    )


def not_run(problem: Exception, scratch: Path) -> Qua3ckError:
    """Say why a query failed while running, without any value of the data."""
    kind = type(problem).__name__
    text = str(problem)
    if "OutOfMemory" in kind or "No space" in text or "os error 28" in text:
        return Qua3ckError(
            f"There is no room to finish a query ({kind})",
            where=str(scratch),
            fix="make room on that disk, or point TMPDIR to one that has room",
            code="S012",
        )
    return bad_query(problem)


def unfit(table: str, column: str, new: object, old: object) -> Qua3ckError:
    """Say that a column has another type than in the table."""
    return Qua3ckError(
        f'Column "{column}" comes as {new}; in the table it is {old}',
        where=f"warehouse/{table}",
        fix=f"declare one type for it, such as types: {{{column}: string}}, and load all again",
        code="S007",
    )


def too_late(table: str, known: datetime, last: datetime) -> Qua3ckError:
    """Refuse a load that says it came before the last one that is stored."""
    return Qua3ckError(
        f"A load of {table} known at {known.isoformat()} comes after one known at "
        f"{last.isoformat()}",
        where=f"warehouse/{table}",
        fix="load again: the next load gets a later moment; if it happens each time, two "
        "programs load this table at once",
        code="S006",
    )

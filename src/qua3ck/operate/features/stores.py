"""Where feature rows lie for a serving process: SQLite in the project, or Redis by URL.

Either holds whole generations. A new one is written beside the old one and becomes the one
that is read in a single step; a reader sees one of the two, never a mixture. Nothing here
needs more than the standard library, and the Redis client where a URL is given.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from qua3ck.kit.errors import Qua3ckError

FILE = "state/features.db"
_BATCH = 5_000  # rows
_LASTS = 60  # seconds that readers of an old generation have left


class Store(Protocol):
    """What holds feature rows as text by key."""

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return what each table says about itself, by name."""

    def read(self, name: str, keys: Sequence[str]) -> tuple[dict[str, Any], list[str | None]]:
        """Return a table's facts, and of each key its row or None, both of one generation."""

    def write(self, name: str, facts: Mapping[str, Any], rows: Iterable[tuple[str, str]]) -> None:
        """Write a new generation of a table and make it the one that is read."""

    def drop(self, keep: Iterable[str]) -> None:
        """Forget every table that is not named."""


def open_store(root: Path, project_id: str, declared: str = "") -> Store:
    """Return the store of a project.

    Parameters
    ----------
    root, project_id : Path, str
        The project's folder and id.
    declared : str
        ``env:NAME`` of the variable with a Redis URL; empty for SQLite in the project.

    Raises
    ------
    Qua3ckError
        If the variable is not set (O060), or the client is not installed.
    """
    if not declared:
        return Sqlite(root / FILE)
    name = declared.removeprefix("env:")
    url = os.environ.get(name, "")
    if not url:
        raise Qua3ckError(
            f"The address of the feature store is not known: {name} is not set",
            where="operate.feature_store",
            fix=f"export {name}=redis://host:6379/0",
            code="O060",
        )
    return Redis(url, f"qua3ck:{project_id}")


class Sqlite:
    """One file in WAL mode: readers are never blocked by the writer.

    Each thread reads through a connection of its own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def tables(self) -> dict[str, dict[str, Any]]:
        """See :class:`Store`."""
        if not self._path.exists():
            return {}
        found = self._reader().execute("SELECT name, facts FROM tables ORDER BY name").fetchall()
        return {name: json.loads(facts) for name, facts in found}

    def read(self, name: str, keys: Sequence[str]) -> tuple[dict[str, Any], list[str | None]]:
        """See :class:`Store`."""
        if not self._path.exists():
            raise _no_table(name)
        reader = self._reader()
        reader.execute("BEGIN")  # both statements see one state
        try:
            said = reader.execute("SELECT facts FROM tables WHERE name = ?", (name,)).fetchone()
            if said is None:
                raise _no_table(name)
            facts = json.loads(said[0])
            table = f'"rows {name} {facts["generation"]}"'
            sql = f"SELECT row FROM {table} WHERE key = ?"  # noqa: S608 - a declared name
            rows = [reader.execute(sql, (key,)).fetchone() for key in keys]
        finally:
            reader.execute("COMMIT")
        return facts, [None if row is None else row[0] for row in rows]

    def write(self, name: str, facts: Mapping[str, Any], rows: Iterable[tuple[str, str]]) -> None:
        """See :class:`Store`."""
        table = f'"rows {name} {facts["generation"]}"'
        self._path.parent.mkdir(parents=True, exist_ok=True)
        writer = sqlite3.connect(self._path, isolation_level=None, timeout=60)
        try:
            self._path.chmod(0o600)
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("PRAGMA synchronous = FULL")
            writer.execute(
                "CREATE TABLE IF NOT EXISTS tables (name TEXT PRIMARY KEY, facts TEXT NOT NULL)"
            )
            writer.execute(f"DROP TABLE IF EXISTS {table}")
            writer.execute(
                f"CREATE TABLE {table} (key TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID"
            )
            writer.execute("BEGIN")
            sql = f"INSERT INTO {table} VALUES (?, ?)"  # noqa: S608 - a declared name
            writer.executemany(sql, rows)
            writer.execute("COMMIT")
            writer.execute("BEGIN IMMEDIATE")
            writer.execute(
                "INSERT INTO tables VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET facts = excluded.facts",
                (name, json.dumps(dict(facts))),
            )
            _drop(writer, f"rows {name} ", but=table.strip('"'))
            writer.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise _twice(name) from None
        except (sqlite3.OperationalError, OSError) as problem:
            raise _not_written(problem, self._path) from None
        finally:
            writer.close()

    def drop(self, keep: Iterable[str]) -> None:
        """See :class:`Store`."""
        gone = set(self.tables()) - set(keep)
        if not gone:
            return
        writer = sqlite3.connect(self._path, isolation_level=None, timeout=60)
        try:
            writer.execute("BEGIN IMMEDIATE")
            for name in gone:
                writer.execute("DELETE FROM tables WHERE name = ?", (name,))
                _drop(writer, f"rows {name} ")
            writer.execute("COMMIT")
        finally:
            writer.close()

    def _reader(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if found is None:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            found = sqlite3.connect(address, uri=True, isolation_level=None, timeout=5)
            self._local.reader = found
        return found


class Redis:
    """One hash per table and generation, and a key that says which generation counts."""

    def __init__(self, url: str, prefix: str) -> None:
        from qua3ck.kit.extras import need

        client = need("redis", extra="redis", what="a feature store in Redis")
        self._client = client.Redis.from_url(
            url, decode_responses=True, socket_timeout=5, socket_connect_timeout=5
        )
        self._problem: type[Exception] = client.RedisError
        self._prefix = prefix

    def tables(self) -> dict[str, dict[str, Any]]:
        """See :class:`Store`."""
        try:
            found = self._client.hgetall(f"{self._prefix}:tables")
        except self._problem as problem:
            raise _no_answer(problem) from None
        return {name: json.loads(facts) for name, facts in sorted(found.items())}

    def read(self, name: str, keys: Sequence[str]) -> tuple[dict[str, Any], list[str | None]]:
        """See :class:`Store`."""
        try:
            said = self._client.hget(f"{self._prefix}:tables", name)
            if said is None:
                raise _no_table(name)
            facts = json.loads(said)
            rows = self._client.hmget(self._hash(name, facts), list(keys)) if keys else []
        except self._problem as problem:
            raise _no_answer(problem) from None
        return facts, list(rows)

    def write(self, name: str, facts: Mapping[str, Any], rows: Iterable[tuple[str, str]]) -> None:
        """See :class:`Store`."""
        where = self._hash(name, facts)
        try:
            before = self._client.hget(f"{self._prefix}:tables", name)
            self._client.delete(where)
            count, each = 0, iter(rows)
            while batch := list(itertools.islice(each, _BATCH)):
                self._client.hset(where, mapping=dict(batch))
                count += len(batch)
            if count != self._client.hlen(where):
                self._client.delete(where)
                raise _twice(name)
            self._client.hset(f"{self._prefix}:tables", name, json.dumps(dict(facts)))
            if before is not None and (old := self._hash(name, json.loads(before))) != where:
                self._client.expire(old, _LASTS)
        except self._problem as problem:
            raise _no_answer(problem) from None

    def drop(self, keep: Iterable[str]) -> None:
        """See :class:`Store`."""
        there = self.tables()
        for name in set(there) - set(keep):
            self._client.hdel(f"{self._prefix}:tables", name)
            self._client.expire(self._hash(name, there[name]), _LASTS)

    def _hash(self, name: str, facts: Mapping[str, Any]) -> str:
        return f"{self._prefix}:rows:{name}:{facts['generation']}"


def _drop(writer: sqlite3.Connection, start: str, *, but: str = "") -> None:
    found = writer.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (name,) in found:
        if name.startswith(start) and name != but:
            writer.execute(f'DROP TABLE "{name}"')


def _no_table(name: str) -> Qua3ckError:
    return Qua3ckError(
        f'The feature table "{name}" was not written yet',
        where=f"operate.features.{name}",
        fix="qua3ck publish --online",
        code="O061",
    )


def _twice(name: str) -> Qua3ckError:
    return Qua3ckError(
        "Two rows have keys that are spelt differently and mean the same",
        where=f"operate.features.{name}.key",
        fix="make the spelling one in the table: outer and double spaces do not count",
        code="O064",
    )


def _not_written(problem: Exception, path: Path) -> Qua3ckError:
    return Qua3ckError(
        f"The feature tables could not be written: {problem}; what was served before is served on",
        where=str(path),
        fix="make room or give the right to write there, then type the same again",
        code="O062",
    )


def _no_answer(problem: Exception) -> Qua3ckError:
    return Qua3ckError(
        f"The feature store does not answer: {type(problem).__name__}",
        where="operate.feature_store",
        fix="start it, or correct the address in the environment",
        code="O062",
    )

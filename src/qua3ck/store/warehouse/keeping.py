"""What keeps tables readable and small: folding, giving up old versions, going back to one."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.store.warehouse.commits import Version, metadata
from qua3ck.store.warehouse.current import parts_of
from qua3ck.store.warehouse.engine import Engine
from qua3ck.store.warehouse.files import (
    FOLD,
    OURS,
    add_action,
    flushed,
    remove_action,
    written,
)
from qua3ck.store.warehouse.folder import Folder
from qua3ck.store.warehouse.loading import split
from qua3ck.store.warehouse.ordered import in_order
from qua3ck.store.warehouse.problems import busy, gone, too_late, unwritable

if TYPE_CHECKING:
    import pyarrow as pa

RESTORED = "qua3ck.restored"  # the key under which a version tells which one it brought back
_PATIENCE = 120  # seconds to wait for a backup to end
_DAY = 86_400  # seconds; a file of another program may still be waiting for its commit


@dataclass(frozen=True)
class Sweep:
    """What giving up old versions frees.

    Attributes
    ----------
    files : tuple of str
        Names in the table's folder.
    size : int
        Their bytes.
    versions : tuple of int
        Which can no longer be read without them.
    """

    files: tuple[str, ...]
    size: int
    versions: tuple[int, ...]


@dataclass(frozen=True)
class Sizes:
    """How large a table is: rows, files and bytes of its last version, bytes of its folder."""

    version: int
    rows: int
    files: int
    size: int
    folder: int


def fold(folder: Folder, by: Sequence[str], *, beyond: float) -> int:
    """See :meth:`Warehouse.compact`; the caller holds the table's lock."""
    made: list[Any] = []

    def act() -> int:
        delta = folder.at(None)
        last = folder.said(delta)
        if _folded(folder, delta, last, by, beyond):
            return int(delta.version())
        folder.discard(folder.path / one.path for one in made)
        with Engine() as engine:
            parts = parts_of(folder, int(delta.version()), by, engine)
            stream = in_order(engine, parts, by, parts.names)
            path, rows = written(stream, parts.schema, folder.path, FOLD)
        made[:] = _folded_files(folder, path, rows, parts.schema, delta)
        moment = datetime.now(UTC)
        removes = [remove_action(file, moment) for file in folder.files(delta)]
        said = metadata("fold", known=last.known, folds=by)
        return folder.commit(delta, [*made, *removes], parts.schema, said)

    try:
        return folder.tried(act)
    except Exception:
        folder.discard(folder.path / one.path for one in made)
        raise


def _folded(folder: Folder, delta: Any, last: Version, by: Sequence[str], beyond: float) -> bool:
    """Return whether little or nothing came since the last fold for this identity."""
    if last.base is None or last.base.by not in (None, tuple(by)):
        return False
    names = folder.base_names(last)
    files = folder.files(delta)
    came = sum(file.rows or 0 for file in files if file.name not in names)
    base = sum(file.rows or 0 for file in files if file.name in names)
    return came <= beyond * base


def _folded_files(
    folder: Folder, path: Path, rows: int, schema: pa.Schema, delta: Any
) -> list[Any]:
    columns = list(delta.metadata().partition_columns)
    done: list[tuple[Path, dict[str, str | None]]] = [(path, {})]
    if not rows:
        path.unlink()
        return []
    if columns:
        done = split(folder, [path], schema, columns, "load")
        path.unlink()
    flushed(one for one, _ in done)
    return [add_action(one, values) for one, values in done]


def sweep(folder: Folder, keep_versions: Iterable[int], *, dry_run: bool) -> Sweep:
    """See :meth:`Warehouse.vacuum`; the caller holds the table's lock."""
    last = int(folder.at(None).version())
    names = {one: _names(folder, one) for one in range(_first(folder), last + 1)}
    kept: set[str] = set()
    for version in {*keep_versions, last}:
        kept |= names[version] if version in names else _names(folder, version)
    ever = set().union(*names.values())
    old = time.time() - _DAY
    lost = []
    size = 0
    for path in _data_files(folder.path):
        name, said = path.relative_to(folder.path).as_posix(), path.stat()
        waits = name not in ever and not name.startswith(OURS) and said.st_mtime > old
        if name not in kept and not waits:
            lost.append(name)
            size += said.st_size
    unread = tuple(version for version, held in names.items() if held & set(lost))
    if not dry_run:
        _remove(folder, lost)
    return Sweep(tuple(sorted(lost)), size, unread)


@contextmanager
def unswept(root: Path) -> Iterator[None]:
    """Let no table's files be removed meanwhile: while a backup copies them, or another sweep.

    Parameters
    ----------
    root : Path
        The folder of all tables.
    """
    from filelock import FileLock, Timeout

    if not root.is_dir():
        yield
        return
    lock = FileLock(root / ".sweep.lock", timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout as problem:
        raise busy("the warehouse", root) from problem
    except OSError as problem:
        raise unwritable(root, problem) from problem
    try:
        yield
    finally:
        lock.release()


def restore(folder: Folder, version: int, *, known: datetime) -> int:
    """See :meth:`Warehouse.restore`; the caller holds the table's lock."""

    def act() -> int:
        delta = folder.at(None)
        last = folder.said(delta)
        if last.known is not None and known <= last.known:
            raise too_late(folder.table, known, last.known)
        old = folder.at(version)
        missing = sum(not file.path.exists() for file in folder.files(old))
        if missing:
            raise gone(folder.table, version, missing)
        about = {RESTORED: str(version)}
        said = metadata("restore", known=known, about=about, base=folder.said(old).base)
        return folder.go_back(delta, version, said)

    return folder.tried(act)


def lost_versions(root: Path, table: str) -> frozenset[int]:
    """Return the versions of a table that cannot be read any more: files of theirs are gone.

    Parameters
    ----------
    root : Path
        The folder of all tables.
    """
    folder = Folder(root, table)
    if folder.last() is None:
        return frozenset()
    here = {path.relative_to(folder.path).as_posix() for path in _data_files(folder.path)}
    every = range(_first(folder), int(folder.at(None).version()) + 1)
    return frozenset(version for version in every if not _names(folder, version) <= here)


def sizes(folder: Folder) -> Sizes:
    """See :meth:`Warehouse.sizes`."""
    import pyarrow.parquet as pq

    delta = folder.at(None)
    files = folder.files(delta)
    rows = sum(
        pq.read_metadata(file.path).num_rows if file.rows is None else file.rows for file in files
    )
    every = (path.stat().st_size for path in folder.path.rglob("*") if path.is_file())
    return Sizes(
        int(delta.version()), rows, len(files), sum(file.size for file in files), sum(every)
    )


def _names(folder: Folder, version: int) -> set[str]:
    return {file.name for file in folder.files(folder.at(version))}


def _first(folder: Folder) -> int:
    """Return the oldest version that the log still has."""
    return min(one.version for one in folder.history())


def _data_files(folder: Path) -> list[Path]:
    found = folder.rglob("*.parquet")
    return [path for path in found if "_delta_log" not in path.relative_to(folder).parts]


def _remove(folder: Folder, names: Sequence[str]) -> None:
    try:
        for name in names:
            (folder.path / name).unlink(missing_ok=True)
        for path in folder.path.glob(".split-*"):
            shutil.rmtree(path)
    except OSError as problem:
        raise unwritable(folder.path, problem) from problem

"""A copy of a project elsewhere, checked byte by byte, and the way back.

A backup is a manifest (path, size, SHA-256 of every file) beside a store of contents under
their digests, which all backups of a place share: only what is new is copied. The manifest is
written last, so a backup that was killed leaves the ones before as they are.

Nothing is stopped meanwhile. Files are copied in the order opposite to that in which a project
writes them: the ledger before the tables that it speaks of, silver before the bronze it came
from, the log of a table before its files, tables before the raw bytes. So what is copied is
whole at the moment the ledger was copied, or ahead of it as a crash would leave it; the next
load clears that. Only the removal of old versions waits until a backup has ended.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.records import as_json, from_json
from qua3ck.store.places import Place, place_at
from qua3ck.store.warehouse import unswept

Tell = Callable[[str, int, int], None]
Hold = Callable[[], AbstractContextManager[Any]]
Look = Callable[[Path], None]

_FORMAT = 1
_CHUNK = 1 << 20  # bytes
_TRIES = 3
_RACY = 2_000_000_000  # nanoseconds; within a tick of its clock a file may change unseen
_BEFORE = ("state",)
_HELD = ("ledger", "people")
_AFTER = ("warehouse/gold", "warehouse/silver", "warehouse", "raw")
_MADE_AGAIN = frozenset({"build", "venv", "node_modules", "site-packages"})
_SQLITE = b"SQLite format 3\x00"
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Entry:
    """One file of a backup; ``path`` is from the project's folder, ``modified`` in ns."""

    path: str
    size: int
    sha256: str
    modified: int
    mode: int


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes
    ----------
    project, actor : str
        Whose it is, and who made it.
    made_at, began_ns : str, int
        When; files that changed after the beginning are read again next time.
    files : tuple of Entry
        All of them, in the order copied.
    left_out : tuple of str
        Links, which are not followed.
    """

    project: str
    actor: str
    made_at: str
    began_ns: int
    files: tuple[Entry, ...]
    left_out: tuple[str, ...]
    format: int = _FORMAT

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(one.size for one in self.files)


@dataclass(frozen=True)
class Copied:
    """A backup: its name in its place, what it holds, and how much of that was new there.

    ``moved`` is where the folder is now whose place a restored one took, if there was any.
    """

    name: str
    manifest: Manifest
    new_files: int
    new_bytes: int
    moved: Path | None = None


def silent(text: str, done: int, total: int) -> None:
    """Say nothing of progress."""
    del text, done, total


def back_up(
    root: Path,
    to: str,
    *,
    project: str,
    actor: str,
    now: datetime,
    hold: Hold = nullcontext,
    whole: bool = False,
    tell: Tell = silent,
) -> Copied:
    """Copy a project folder to a place, and read back every byte that was written.

    Parameters
    ----------
    root : Path
        The project folder. Keys are not in it; hidden files and what can be built again are
        left out.
    to : str
        A folder, or a URL such as ``s3://bucket/name``.
    now : datetime
        Names the backup.
    hold : callable, optional
        Gives what keeps the ledger still while it is copied.
    whole : bool
        Trust nothing of earlier backups: read every file, and all that is kept there, again.
        This also mends what was damaged there.
    tell : callable, optional
        Called with a text, bytes done and bytes in all.

    Raises
    ------
    Qua3ckError
        If the place cannot be used, lies in the project, or does not keep what is written.
    """
    place = place_at(to)
    if Path(str(place)).is_absolute():
        _refuse_file(Path(to).expanduser(), code="S015")
        _refuse_inside(root, place)
    last = None if whole else _last(place)
    with unswept(root / "warehouse"), tempfile.TemporaryDirectory() as scratch:
        work = _Work(root, place, last, Path(scratch), tell)
        files = tuple(work.all(hold))
    manifest = Manifest(project, actor, stamp(now), _ns(now), files, tuple(sorted(work.left_out)))
    name = _write_manifest(place, manifest)
    return Copied(name, manifest, work.new_files, work.new_bytes)


def bring_back(
    source: str,
    to: Path,
    *,
    name: str | None = None,
    replace: bool = False,
    look: Look | None = None,
    tell: Tell = silent,
) -> Copied:
    """Write a backup into a folder that is empty or does not exist, checked byte by byte.

    Parameters
    ----------
    source : str
        The folder or URL that it was made to.
    to : Path
        Appears only when everything is in it.
    name : str, optional
        Which backup, as in :func:`backups`; default: the newest.
    replace : bool
        Take the place of a project that stands there. It is renamed, never removed.
    look : callable, optional
        Called with the folder before it appears; if it raises, nothing has happened.

    Raises
    ------
    Qua3ckError
        If there is none, the folder is not empty, or a file of the backup is missing or
        damaged; it is named.
    """
    _refuse_file(to, code="S017")
    to = to.absolute()
    if not (replace and (to / "ledger").is_dir()):
        _refuse_filled(to)
    place = place_at(source)
    chosen = _chosen(place, name)
    manifest = _read_manifest(place, chosen)
    part = to.with_name(f".{to.name}.restoring")
    shutil.rmtree(part, ignore_errors=True)  # what a restore that was killed has left
    part.mkdir(parents=True)
    try:
        done = 0
        for one in manifest.files:
            tell(f"restoring: {one.path}", done, manifest.size)
            _write_back(place, one, part)
            done += one.size
        if look is not None:
            look(part)
        moved = _swapped(part, to)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return Copied(chosen, manifest, len(manifest.files), manifest.size, moved)


def brought_back(source: str, to: Path, *, name: str | None = None) -> Copied | None:
    """Return the backup that a folder was restored from; None if its ledger does not begin so."""
    place = place_at(source)
    chosen = _chosen(place, name)
    manifest = _read_manifest(place, chosen)
    chain = next((one for one in manifest.files if one.path == "ledger/chain.jsonl"), None)
    there = to / "ledger" / "chain.jsonl"
    if chain is None or not there.is_file() or _digest_of(there, chain.size) != chain.sha256:
        return None
    return Copied(chosen, manifest, len(manifest.files), manifest.size)


def _swapped(part: Path, to: Path) -> Path | None:
    """Put a restored folder where it belongs; return where what stood there is now."""
    if not to.exists() or not any(to.iterdir()):
        if to.exists():
            to.rmdir()
        part.rename(to)
        return None
    names = (f"{to.name}.before-restore{n}" for n in ("", *(f"-{n}" for n in range(2, 1000))))
    moved = next(path for path in map(to.with_name, names) if not path.exists())
    try:
        to.rename(moved)
    except OSError as problem:
        raise Qua3ckError(
            f"The project that stands there cannot be renamed ({problem.strerror or problem})",
            where=str(to),
            fix="end what uses the folder, or restore into a new one: --to NEW_FOLDER",
            code="S017",
        ) from problem
    try:
        part.rename(to)
    except BaseException:
        moved.rename(to)
        raise
    return moved


def backups(source: str) -> list[str]:
    """Return the names of the backups in a place, oldest first."""
    return _names(place_at(source))


class _Work:
    """One pass over a project: what is new is copied, and all is listed."""

    def __init__(
        self, root: Path, place: Place, last: Manifest | None, scratch: Path, tell: Tell
    ) -> None:
        self._root, self._place, self._scratch, self._tell = root, place, scratch, tell
        self._before = {one.path: one for one in last.files} if last else {}
        self._began = last.began_ns if last else 0
        self._there = {one.sha256 for one in self._before.values()}
        self._done = self._total = 0
        self.new_files = self.new_bytes = 0
        self.left_out: set[str] = set()

    def all(self, hold: Hold) -> Iterator[Entry]:
        """Copy everything, group by group; a group is listed when its turn comes."""
        self._total = sum(_size(path) for path in self._files("", ()))
        for group in _BEFORE:
            yield from self._group(group)
        with hold():  # no longer than it takes to copy them on this disk: others wait
            for group in _HELD:
                for path in self._files(group, ()):
                    name = path.relative_to(self._root)
                    (self._scratch / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, self._scratch / name)
        for group in _HELD:
            yield from self._group(group, root=self._scratch)
        yield from self._group("", but=(*_BEFORE, *_HELD, *_AFTER))
        for at, group in enumerate(_AFTER):
            yield from self._group(group, but=_AFTER[:at])

    def _group(
        self, under: str, *, but: Sequence[str] = (), root: Path | None = None
    ) -> Iterator[Entry]:
        root = root or self._root
        logs = self._files(under, but, root=root, logs=True)
        names = {path.name for path in logs}
        for path in [*logs, *self._files(under, but, root=root, logs=False)]:
            name = path.relative_to(root).as_posix()
            self._tell(f"copying: {name}", self._done, self._total)
            self._done += _size(path)
            try:
                entry = self._entry(path, name, names)
            except FileNotFoundError:
                continue  # removed since it was listed; what counts is not, see unswept()
            if entry is not None:
                yield entry

    def _entry(self, path: Path, name: str, logs: set[str]) -> Entry | None:
        said = path.stat()
        known = self._before.get(name)
        if known is not None and self._unchanged(known, said):
            return known
        if path.name == "_last_checkpoint" and not _points_into(path, logs):
            return None  # only a short cut for readers, to what came after the log was listed
        size, digest = self._kept(_still(path, self._scratch))
        return Entry(name, size, digest, said.st_mtime_ns, said.st_mode & 0o777)

    def _unchanged(self, known: Entry, said: os.stat_result) -> bool:
        same = (known.size, known.modified) == (said.st_size, said.st_mtime_ns)
        return same and said.st_mtime_ns < self._began - _RACY

    def _kept(self, path: Path) -> tuple[int, str]:
        """Have a file's bytes in the place, and read back; return their number and digest."""
        for _ in range(_TRIES):
            size = path.stat().st_size  # a file that grows is copied as long as it is now
            digest = _digest_of(path, size)
            if digest in self._there:
                return size, digest
            name = _object(digest)
            if _read_back(self._place, name) != digest:
                with path.open("rb") as handle:
                    self._place.write(name, cast("BinaryIO", _Limited(handle, size)))
                self.new_files, self.new_bytes = self.new_files + 1, self.new_bytes + size
            if _read_back(self._place, name) == digest:
                self._there.add(digest)
                return size, digest
        raise Qua3ckError(
            "The place gives back other bytes than were written, or the file keeps changing",
            where=f"{path}, kept as {name} in {self._place}",
            fix="end what writes this file; if nothing does, use another disk or bucket",
            code="S018",
        )

    def _files(
        self,
        under: str,
        but: Sequence[str],
        *,
        root: Path | None = None,
        logs: bool | None = None,
    ) -> list[Path]:
        """Return the files below a folder, sorted; logs of tables alone, or all but these."""
        root = root or self._root
        found = []
        for folder, inner, names in os.walk(root / under):
            here = Path(folder).relative_to(root)
            links = [one for one in inner if (Path(folder) / one).is_symlink()]
            inner[:] = [one for one in inner if one not in links and self._wanted(here / one, but)]
            for name in [*names, *links]:
                path = Path(folder) / name
                if not self._wanted(here / name, but):
                    continue
                if path.is_symlink():
                    self.left_out.add((here / name).as_posix())
                elif logs is None or logs == ("_delta_log" in here.parts):
                    found.append(path)
        return sorted(found)

    def _wanted(self, name: Path, but: Sequence[str]) -> bool:
        again = name.name in _MADE_AGAIN or name.name.startswith((".", "__pycache__"))
        passing = name.suffix == ".lock" or name.name.endswith(_BESIDE_SQLITE)
        return not again and not passing and name.as_posix() not in but


class _Limited:
    """The first bytes of a stream."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source, self._left = source, size

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._source.read(wanted)
        self._left -= len(data)
        return data


def _still(path: Path, scratch: Path) -> Path:
    """Return the file, or of a database a copy that nobody is writing to."""
    with path.open("rb") as handle:
        if handle.read(len(_SQLITE)) != _SQLITE:
            return path
    copy = scratch / f"database-{path.name}"
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as still:
        live.backup(still)
    return copy


def _points_into(path: Path, logs: set[str]) -> bool:
    try:
        version = int(json.loads(path.read_bytes())["version"])
    except (ValueError, KeyError, TypeError):
        return False
    return any(name.startswith(f"{version:020d}.checkpoint") for name in logs)


def _object(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}"


def _digest_of(path: Path, size: int) -> str:
    with path.open("rb") as handle:
        return _hash(cast("BinaryIO", _Limited(handle, size)))


def _hash(source: BinaryIO) -> str:
    total = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        total.update(chunk)
    return total.hexdigest()


def _read_back(place: Place, name: str) -> str:
    """Return the digest of what a place keeps; empty if it keeps nothing there."""
    try:
        with place.read(name) as stream:
            return _hash(stream)
    except FileNotFoundError:
        return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


# -- manifests ----------------------------------------------------------------------


def _write_manifest(place: Place, manifest: Manifest) -> str:
    data = json.dumps(as_json(manifest), sort_keys=True, ensure_ascii=False).encode()
    day = manifest.made_at.replace(":", "").replace("-", "")
    name = f"{day}-{hashlib.sha256(data).hexdigest()[:16]}"
    path = f"backups/{name}.json"
    place.write(path, io.BytesIO(data))
    if _read_back(place, path) != hashlib.sha256(data).hexdigest():
        raise _damaged(place, path, "the list of a backup")
    return name


def _names(place: Place) -> list[str]:
    return sorted(Path(one).stem for one in place.names("backups") if one.endswith(".json"))


def _last(place: Place) -> Manifest | None:
    names = _names(place)
    return _read_manifest(place, names[-1]) if names else None


def _chosen(place: Place, name: str | None) -> str:
    names = _names(place)
    if name is None and names:
        return names[-1]
    if name in names:
        return str(name)
    if not names:
        raise Qua3ckError(
            "There is no backup here",
            where=str(place),
            fix="name the folder or URL that was given to: qua3ck backup --to",
            code="S015",
        )
    raise Qua3ckError(
        f'There is no backup "{name}" here{did_you_mean(str(name), names)}',
        where=str(place),
        fix=f"use one of: {', '.join(names[-5:])}",
        code="S015",
    )


def _read_manifest(place: Place, name: str) -> Manifest:
    path = f"backups/{name}.json"
    with place.read(path) as stream:
        data = stream.read()
    if hashlib.sha256(data).hexdigest()[:16] != name.rsplit("-", 1)[-1]:
        raise _damaged(place, path, "the list of a backup")
    return from_json(Manifest, json.loads(data))


def _write_back(place: Place, one: Entry, folder: Path) -> None:
    name = PurePosixPath(one.path)
    if name.is_absolute() or ".." in name.parts:
        raise _damaged(place, one.path, "a path that leads outside")
    into = folder / name
    into.parent.mkdir(parents=True, exist_ok=True)
    total = hashlib.sha256()
    try:
        with place.read(_object(one.sha256)) as stream, into.open("wb") as handle:
            while chunk := stream.read(_CHUNK):
                total.update(chunk)
                handle.write(chunk)
    except FileNotFoundError:
        raise _damaged(place, _object(one.sha256), one.path) from None
    if total.hexdigest() != one.sha256:
        raise _damaged(place, _object(one.sha256), one.path)
    into.chmod(one.mode)
    os.utime(into, ns=(one.modified, one.modified))


def _damaged(place: Place, path: str, what: str) -> Qua3ckError:
    return Qua3ckError(
        f"The backup is damaged: {what} is missing there or holds other bytes",
        where=f"{path} in {place}",
        fix="restore an older backup (--name), or mend this one from the project, if it still "
        "stands: qua3ck backup --whole",
        code="S016",
    )


def _refuse_file(folder: Path, *, code: str) -> None:
    """Refuse a folder that cannot be, for a file stands in its place or above it."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if there.exists() and not there.is_dir():
        raise Qua3ckError(
            "A file stands where a folder is to be",
            where=str(folder) if there == folder else f"{folder}: {there} is a file",
            fix="name a folder instead, such as one beside it",
            code=code,
        )


def _refuse_inside(root: Path, place: Place) -> None:
    where = Path(str(place))
    if where.resolve().is_relative_to(root.resolve()):
        raise Qua3ckError(
            "A backup inside the project would be lost with it, and would copy itself",
            where=str(where),
            fix="name a folder on another disk, or a bucket such as s3://bucket/name",
            code="S015",
        )


def _refuse_filled(to: Path) -> None:
    if to.exists() and any(to.iterdir()):
        raise Qua3ckError(
            "The folder is not empty; a restore never writes over anything",
            where=str(to),
            fix="name a folder that does not exist yet; or, if a project stands there: --replace "
            "(it is renamed, not removed)",
            code="S017",
        )

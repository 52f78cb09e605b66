"""Bytes as they were received, kept once under their own digest, and checked when read.

``raw/ab/<sha256>.zst`` is compressed with zstandard; ``raw/ab/<sha256>`` is as it came, because
it is compressed already (gzip, xlsx, Parquet ...).
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from qua3ck.kit.errors import Qua3ckError

_CHUNK = 1 << 20  # bytes
_PACKED = (
    b"\x1f\x8b",  # gzip
    b"PK\x03\x04",  # zip: xlsx, xlsb, ods
    b"PAR1",
    b"\x28\xb5\x2f\xfd",  # zstandard
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
)


class RawStore:
    """The folder ``raw/`` of a project.

    Parameters
    ----------
    root : Path
        The project folder.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / "raw"

    def __repr__(self) -> str:
        """Return the place alone."""
        return f"RawStore({str(self.folder)!r})"

    def put(self, source: Path | BinaryIO) -> str:
        """Keep bytes; return their SHA-256 (hex).

        Parameters
        ----------
        source : Path or binary stream
            Read once, in bounded memory. What is kept already is written anew, which also
            heals a copy that was damaged.

        Raises
        ------
        OSError
            If the source cannot be read, or the disk is full; nothing half is kept.
        """
        if isinstance(source, Path):
            with source.open("rb") as handle:
                return self.put(handle)
        part = self.folder / f".{uuid.uuid4().hex}.part"
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            digest, packed = _written(source, part)
            into = self._path(digest, packed=packed)
            into.parent.mkdir(exist_ok=True)
            part.replace(into)
        except OSError as problem:
            problem.filename = problem.filename or str(part)  # a full disk does not say where
            raise
        finally:
            part.unlink(missing_ok=True)
        return digest

    def has(self, digest: str) -> bool:
        """Return whether bytes of this digest are kept; says nothing of damage."""
        return self._found(digest) is not None

    @contextmanager
    def open(self, digest: str) -> Iterator[BinaryIO]:
        """Give a stream of the bytes as received; damage is told when its end is reached.

        Raises
        ------
        Qua3ckError
            If they are not kept, or are not those that were put in.
        """
        path = self._found(digest)
        if path is None:
            raise _missing(digest, self.folder)
        with path.open("rb") as handle:
            checked = _Checked(_unpacked(handle, path), digest, path)
            yield cast("BinaryIO", io.BufferedReader(checked, _CHUNK))

    def copy(self, digest: str, into: Path) -> Path:
        """Write the bytes as received to a file, and return it, checked to the last byte.

        Raises
        ------
        Qua3ckError
            As :meth:`open`; no file is left then.
        """
        try:
            with self.open(digest) as stream, into.open("wb") as handle:
                shutil.copyfileobj(stream, handle, _CHUNK)
        except BaseException:
            into.unlink(missing_ok=True)
            raise
        return into

    def _path(self, digest: str, *, packed: bool) -> Path:
        return self.folder / digest[:2] / (digest if packed else f"{digest}.zst")

    def _found(self, digest: str) -> Path | None:
        spelt = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
        either = [self._path(digest, packed=packed) for packed in (True, False)] if spelt else []
        return next((path for path in either if path.exists()), None)


class _Checked(io.RawIOBase):
    """A stream that hashes what it gives, and compares at the end."""

    def __init__(self, source: Any, digest: str, path: Path) -> None:
        self._source, self._digest, self._path = source, digest, path
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._source.read(len(view))
        except (OSError, EOFError) as problem:
            raise _damaged(self._digest, self._path) from problem
        if not data and self._hash.hexdigest() != self._digest:
            raise _damaged(self._digest, self._path)
        self._hash.update(data)
        view[: len(data)] = data
        return len(data)


def _written(source: BinaryIO, part: Path) -> tuple[str, bool]:
    """Write a stream to a file and to the disk; return its digest, and whether it was packed."""
    import pyarrow as pa

    total = hashlib.sha256()
    chunk = source.read(_CHUNK)
    packed = chunk.startswith(_PACKED)
    with ExitStack() as open_files:
        out: Any = open_files.enter_context(part.open("wb"))
        if not packed:
            out = open_files.enter_context(pa.CompressedOutputStream(out, "zstd"))
        while chunk:
            total.update(chunk)
            out.write(chunk)
            chunk = source.read(_CHUNK)
    with part.open("rb") as handle:
        os.fsync(handle.fileno())
    return total.hexdigest(), packed


def _unpacked(handle: BinaryIO, path: Path) -> Any:
    if path.suffix != ".zst":
        return handle
    import pyarrow as pa

    return pa.CompressedInputStream(handle, "zstd")


def _missing(digest: str, folder: Path) -> Qua3ckError:
    return Qua3ckError(
        f"The bytes {digest[:16]}... are not kept here",
        where=str(folder),
        fix="bring raw/ back from a copy (qua3ck restore), or load the source again",
        code="S013",
    )


def _damaged(digest: str, path: Path) -> Qua3ckError:
    return Qua3ckError(
        f"What is kept as {digest[:16]}... is damaged: it is not what was received",
        where=str(path),
        fix="bring this file back from a copy (qua3ck restore), or load the source again",
        code="S014",
    )

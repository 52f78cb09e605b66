"""Where copies are kept: a folder, or a bucket behind anything that fsspec has a URL for."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need

_CHUNK = 1 << 20  # bytes
# Here making a folder would make a bucket, by a slip of the pen in its name.
_WITHOUT_FOLDERS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss"})
_URL = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Place(Protocol):
    """Files by name, each there whole or not at all."""

    def write(self, name: str, source: BinaryIO) -> None:
        """Keep a stream under a name, over what was there."""

    def read(self, name: str) -> Any:
        """Give a binary stream in a ``with`` statement; FileNotFoundError if there is none."""

    def names(self, under: str) -> list[str]:
        """Return the names below a folder, sorted; empty if there are none."""


def place_at(where: str) -> Place:
    """Return the place that a path or URL names; nothing is made yet.

    Raises
    ------
    Qua3ckError
        If a URL holds a password, or its package is not installed.
    """
    if not _URL.match(where):
        return _Folder(Path(where).expanduser().absolute())
    split = urlsplit(where)
    if split.password or "@" in split.netloc:
        raise Qua3ckError(
            "The URL holds a name or a password",
            where=f"{split.scheme}://...@{split.hostname or ''}{split.path}",
            fix="leave it out; credentials come from the environment, such as AWS_ACCESS_KEY_ID "
            "or AZURE_STORAGE_CONNECTION_STRING",
            code="S015",
        )
    need("fsspec", extra="buckets", what=f"a copy at {split.scheme}://")
    return _Bucket(where.rstrip("/"))


class _Folder:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def write(self, name: str, source: BinaryIO) -> None:
        into = self.folder / name
        part = into.with_name(f".{uuid.uuid4().hex}.part")
        try:
            into.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as handle:
                shutil.copyfileobj(source, handle, _CHUNK)
                handle.flush()
                os.fsync(handle.fileno())
                _forget_cached(handle.fileno())
            part.replace(into)
        except OSError as problem:
            raise _refused(str(into), problem) from problem
        finally:
            with suppress(OSError):  # where nothing could be written, nothing is left either
                part.unlink(missing_ok=True)

    @contextmanager
    def read(self, name: str) -> Iterator[BinaryIO]:
        with (self.folder / name).open("rb") as handle:
            yield handle

    def names(self, under: str) -> list[str]:
        folder = self.folder / under
        found = (path for path in folder.rglob("*") if path.is_file())
        return sorted(
            path.relative_to(self.folder).as_posix()
            for path in found
            if not path.name.startswith(".")
        )


class _Bucket:
    """A folder of a file system that fsspec knows."""

    def __init__(self, url: str) -> None:
        self._url = url
        with _told(url):
            from fsspec.core import url_to_fs

            self._files, self._root = url_to_fs(url, use_listings_cache=False)

    def __str__(self) -> str:
        return self._url

    def write(self, name: str, source: BinaryIO) -> None:
        path = f"{self._root}/{name}"
        try:
            with _told(f"{self._url}/{name}"):
                if self._url.split("://", 1)[0].lower() not in _WITHOUT_FOLDERS:
                    self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                with self._files.open(path, "wb") as handle:  # whole in the bucket once closed
                    shutil.copyfileobj(source, handle, _CHUNK)
        except FileNotFoundError as problem:  # no such bucket
            raise _refused(self._url, problem) from problem

    @contextmanager
    def read(self, name: str) -> Iterator[BinaryIO]:
        with _told(f"{self._url}/{name}"):
            handle = self._files.open(f"{self._root}/{name}", "rb")
        with handle:
            yield handle

    def names(self, under: str) -> list[str]:
        with _told(f"{self._url}/{under}"):
            try:
                found = self._files.find(f"{self._root}/{under}")
            except FileNotFoundError:
                return []
        start = len(self._files._strip_protocol(self._root)) + 1
        return sorted(str(name)[start:] for name in found)


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Turn what a file system raises into our error; each has exceptions of its own kind.

    That there is no such file stays what it is.
    """
    try:
        yield
    except (FileNotFoundError, Qua3ckError):
        raise
    except Exception as problem:
        raise _refused(where, problem) from problem


def _refused(where: str, problem: Exception) -> Qua3ckError:
    reason = problem.strerror if isinstance(problem, OSError) else None
    return Qua3ckError(
        f"The place for copies cannot be used: {reason or type(problem).__name__}",
        where=where,
        fix="make room or give yourself the right to write there; for a bucket, look at its "
        "name, the network, and the credentials in the environment",
        code="S015",
    )


def _forget_cached(descriptor: int) -> None:
    """Have the next read come from the disk, where the system can do that."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

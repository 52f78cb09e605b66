"""One declared source in, one table out, with the files it came from and what was noticed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.section import Source


def is_local(source: Source) -> bool:
    """Whether a source is files of this machine, not a server's and not a function's."""
    return source.path is not None and "://" not in source.path


def find_files(source: Source, root: Path, *, place: str) -> list[Path]:
    """Return the files that a source's path or pattern names, in name order.

    Of a Delta table these are the files of its log: they say which rows it has.
    """
    path = source.path or ""
    if source.kind == "delta":
        path = f"{path}/_delta_log/*.json"
    try:
        found = [root / path] if (root / path).is_file() else []
        found = found or sorted(file for file in _matching(root, path) if file.is_file())
    except (OSError, ValueError, IndexError, NotImplementedError):
        found = []  # no pattern that can name a file, such as "." or "/"
    if not found and source.kind != "delta" and (root / path).is_dir():
        raise _folder(path, source.kind, place)
    if not found:
        folder = (root / path).parent
        there = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        near = did_you_mean(Path(path).name, there)
        raise Qua3ckError(
            f'No file "{path}" in {root}{near}',
            where=f"{place}.path",
            fix="put the file there, or correct path: (it starts at the project's folder)",
            code="U101",
        )
    return found


def _matching(root: Path, pattern: str) -> Iterable[Path]:
    anchor = Path(pattern).anchor
    if anchor:
        return Path(anchor).glob(pattern[len(anchor) :])
    return root.glob(pattern) if pattern else ()


def _folder(path: str, kind: str, place: str) -> Qua3ckError:
    ending = "xlsx" if kind == "excel" else kind
    return Qua3ckError(
        f'"{path}" is a folder, and a source of kind {kind} is read from files',
        where=f"{place}.path",
        fix=f"name the file, or all that end alike: path: {path.rstrip('/')}/*.{ending}",
        code="U101",
    )

"""The folder of a version: made whole or not at all, then never changed, checked by its hashes.

``release.json`` lists the SHA-256 of every other file; its own SHA-256 is the digest of the
version, and that stands in the signed ledger. So one number covers every byte.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest

RELEASES = "releases"
MANIFEST = "release.json"
_UNFINISHED = ".making-"


@contextmanager
def whole_or_nothing(final: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes ``final`` in one step when the block ends well.

    A full disk, Ctrl-C or a kill in the middle leaves no ``final``; what a kill leaves
    behind is removed by :func:`clear_unfinished`.

    Raises
    ------
    Qua3ckError
        If the disk refuses: full, read-only, no right to write.
    """
    beside = final.with_name(f"{_UNFINISHED}{final.name}")
    try:
        beside.mkdir(parents=True)
        yield beside
        _make_lasting(beside)
        beside.rename(final)
        _sync(final.parent)
    except OSError as problem:
        raise _disk_refuses(problem, final) from problem
    finally:
        if beside.exists():
            shutil.rmtree(beside)


def clear_unfinished(releases: Path) -> None:
    """Remove what an attempt that was killed has left; such a folder never was a version."""
    for leftover in releases.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> str:
    """List every file with its SHA-256 beside ``facts`` in the manifest; return its digest."""
    listed = {name: file_digest(folder / name) for name in files_in(folder)}
    text = json.dumps({**facts, "files": listed}, indent=1, ensure_ascii=False, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return file_digest(folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a version's folder.

    Raises
    ------
    Qua3ckError
        If it is missing or cannot be read.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as problem:
        raise Qua3ckError(
            f"The manifest of version {folder.name} cannot be read",
            where=str(folder / MANIFEST),
            fix="restore the folder from a backup; qua3ck audit verify says what else is wrong",
            code="K004",
        ) from problem
    return manifest


def problems(folder: Path, digest: str) -> tuple[str, ...]:
    """Return how a version's folder differs from what was released; empty if it does not.

    Parameters
    ----------
    folder : Path
        ``releases/<version>/``.
    digest : str
        The version's digest as the ledger has it.

    Returns
    -------
    tuple of str
        One sentence for each changed, missing or added file. A changed manifest is said
        alone: its list can then not be believed.
    """
    if not folder.is_dir():
        return ("the folder is missing",)
    if not (folder / MANIFEST).is_file():
        return (f"{MANIFEST} is missing",)
    if file_digest(folder / MANIFEST) != digest:
        return (f"{MANIFEST} is not the one in the ledger",)
    listed: Mapping[str, str] = read_manifest(folder)["files"]
    found = [name for name in files_in(folder) if name != MANIFEST]
    says = [f"{name} is missing" for name in sorted(listed.keys() - set(found))]
    says += [f"{name} was added" for name in found if name not in listed]
    says += [
        f"{name} was changed"
        for name in found
        if name in listed and file_digest(folder / name) != listed[name]
    ]
    return tuple(says)


def files_in(folder: Path) -> list[str]:
    """Return the relative POSIX names of all files below ``folder``, sorted."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    )


def version_folders(root: Path) -> dict[int, Path]:
    """Return the folders below ``releases/`` whose name is a version number."""
    found = {int(path.name): path for path in (root / RELEASES).glob("*") if path.name.isdecimal()}
    return dict(sorted(found.items()))


def _make_lasting(folder: Path) -> None:
    """Bring every byte to the disk and take the right to write from every file."""
    for name in files_in(folder):
        path = folder / name
        path.chmod(0o644)
        with path.open("r+b") as handle:
            os.fsync(handle.fileno())
        path.chmod(0o444)
    _sync(folder)


def _sync(folder: Path) -> None:
    if os.name != "posix":
        return  # only POSIX lets a folder be opened and flushed
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_refuses(problem: OSError, final: Path) -> Qua3ckError:
    if isinstance(problem, shutil.Error):  # a list of (from, to, reason with both names again)
        reason = str(problem.args[0][0][2]).partition(": '")[0]
    else:
        reason = problem.strerror or type(problem).__name__
    return Qua3ckError(
        f"Version {final.name} could not be written: {reason}; nothing of it was kept",
        where=str(final.parent),
        fix="make room or give the right to write there, then type again: qua3ck release",
        code="K003",
    )

"""Digests that are the same on every machine: canonical JSON and SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Return ``value`` as JSON with sorted keys, no spaces and no floats.

    Raises
    ------
    TypeError
        If a float is inside: its text differs between writers; use :func:`decimals` first.
    """
    _refuse_floats(value)
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def decimals(value: Any) -> Any:
    """Return ``value`` with every float written as its shortest decimal text, tuples as lists."""
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): decimals(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [decimals(inner) for inner in value]
    return str(value)


def digest(value: Any) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of ``value``, floats as decimals."""
    return hashlib.sha256(canonical_json(decimals(value))).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def tree_digest(files: Iterable[Path], *, root: Path) -> str:
    """Return one SHA-256 (hex) over the relative names and bytes of several files."""
    listed = {path.relative_to(root).as_posix(): file_digest(path) for path in files}
    return digest(listed)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        message = "a float cannot be written canonically; pass it through decimals()"
        raise TypeError(message)
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)

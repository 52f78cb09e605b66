"""Frozen records to and from JSON, checked on the way in; writing that survives a crash."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

R = TypeVar("R")


def as_json(record: Any) -> Any:
    """Return a dataclass record as JSON-able dicts and lists."""
    return json.loads(json.dumps(asdict(record), default=str))


def from_json(kind: type[R], data: Any) -> R:
    """Return a record of ``kind`` from :func:`as_json`'s output.

    Raises
    ------
    pydantic.ValidationError
        If a field is missing or of another type.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(data)


def save(record: Any, path: Path) -> None:
    """Write a record as JSON, whole or not at all."""
    write_atomic(path, json.dumps(as_json(record), indent=1, ensure_ascii=False).encode())


def load(kind: type[R], path: Path) -> R:
    """Read a record that :func:`save` wrote."""
    return from_json(kind, json.loads(path.read_bytes()))


def write_atomic(path: Path, data: bytes) -> None:
    """Write bytes so that a crash leaves the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    except OSError as problem:
        problem.filename = problem.filename or str(path)  # a full disk does not say where
        raise
    finally:
        beside.unlink(missing_ok=True)

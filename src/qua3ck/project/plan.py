"""Which phases are stale: a phase is done again only when what it rests on has changed.

Each phase leaves its record with the digest of its inputs under ``state/``. The evidence is
in the ledger and the warehouse; this is only the memory of what need not be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from qua3ck.kit.clock import stamp
from qua3ck.kit.hashes import digest, tree_digest
from qua3ck.kit.records import as_json, from_json, write_atomic
from qua3ck.project.file import ProjectFile

if TYPE_CHECKING:
    from qua3ck.govern import Workspace

R = TypeVar("R")

KEPT_BY_US = frozenset(
    {
        "warehouse",
        "mlartifacts",
        "releases",
        "candidates",
        "evidence",
        "loop",
        "ledger",
        "sealed",
        "state",
        "people",
        "build",
        "raw",
        "catalog",
        "published",
    }
)


def recall_or_do(
    root: Path,
    phase: str,
    key: str,
    kind: type[R],
    do: Callable[[], R],
    *,
    state: Callable[[], Any] = lambda: None,
) -> R:
    """Return the phase's record: the one kept under ``key``, else a new one.

    A record that cannot be read any more (another version wrote it, or a crash of the disk)
    is made anew.

    Parameters
    ----------
    key : str
        The digest of what the phase rests on and does not change itself.
    state : callable, optional
        Returns the JSON-able rest, which the phase may change: it is kept as it is afterwards.
    """
    from pydantic import ValidationError

    path = root / "state" / f"{phase}.json"
    try:
        kept = json.loads(path.read_bytes())
        if kept["key"] == key and kept.get("state") == state():
            return from_json(kind, kept["record"])
    except (FileNotFoundError, ValueError, KeyError, ValidationError):
        pass  # nothing usable is remembered: the phase is simply done again
    record = do()
    facts = {"key": key, "state": state(), "record": as_json(record)}
    write_atomic(path, json.dumps(facts).encode())
    return record


def recalled(root: Path, phase: str, kind: type[R]) -> R | None:
    """Return what the phase left last, whether or not it is stale; None if it never ran."""
    path = root / "state" / f"{phase}.json"
    if not path.exists():
        return None
    return from_json(kind, json.loads(path.read_bytes())["record"])


def forget(root: Path, phase: str) -> None:
    """Drop the memory of a phase, so that it is done again."""
    (root / "state" / f"{phase}.json").unlink(missing_ok=True)


def understand_key(root: Path, file: ProjectFile) -> str:
    """Return the digest of everything a snapshot rests on."""
    return digest(
        {
            "understand": file.understand.model_dump(mode="json"),
            "test_share": file.conclude.test_share,
            "positive": file.question.positive,
            "steward": file.question.roles.steward,
            "slices": [list(kpi.slice_by) + list(kpi.slice or {}) for kpi in file.question.kpis],
            "fairness": [gap.by for gap in file.question.fairness],
            "seed": file.a3.seed,
            "files": _source_files(root, file),
            "code": code_digest(root),
            "packages": _versions(),
        }
    )


def last_loads(workspace: Workspace, file: ProjectFile) -> dict[str, str]:
    """Return the moment of each source's last load: what ``load`` and ``run`` bring forward."""
    from qua3ck.understand.loading import silver

    known = {name: workspace.warehouse.known(silver(name)) for name in file.understand.sources}
    return {name: stamp(moment) if moment else "" for name, moment in sorted(known.items())}


def loop_key(root: Path, file: ProjectFile, snapshot: str) -> str:
    """Return the digest of everything a candidate rests on."""
    return digest(
        {
            "snapshot": snapshot,
            "question": file.question.searched,
            "a3": file.a3.model_dump(mode="json"),
            "code": code_digest(root),
            "packages": _versions(),
        }
    )


def code_digest(root: Path) -> str:
    """Return the digest of the user's Python and SQL files beside the project file."""
    found = [*root.rglob("*.py"), *root.rglob("*.sql")]
    own = [path for path in found if not _kept_by_us(path.relative_to(root))]
    return tree_digest(sorted(own), root=root)


def _kept_by_us(path: Path) -> bool:
    return any(part in KEPT_BY_US or part.startswith((".", "__")) for part in path.parts[:-1])


def _source_files(root: Path, file: ProjectFile) -> dict[str, Any]:
    from qua3ck.understand.loading.choosing import beside
    from qua3ck.understand.sources.pieces import MEMORY
    from qua3ck.understand.sources.read import find_files, is_local
    from qua3ck.understand.sources.remembered import file_digests

    found: dict[str, Any] = {}
    for name, source in sorted(file.understand.sources.items()):
        files = beside(source, root, name)
        if is_local(source):
            files += find_files(source, root, place=f"understand.sources.{name}")
        if files:
            digests = file_digests(files, root / MEMORY)
            found[name] = {_named(path, root): digests[path] for path in files}
    return found


def _named(path: Path, root: Path) -> str:
    """Return a path that a moved project folder does not change."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _versions() -> dict[str, str]:
    names = ("qua3ck", "scikit-learn", "lightgbm", "numpy", "pandas", "optuna")
    return {name: metadata.version(name) for name in names}

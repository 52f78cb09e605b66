"""Where a source's pieces are found: files beside the project, a function, or a server.

Whatever it is, the loader gets local files with their digests, and is told whether what did
not come is gone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.loading.changes import Extract
from qua3ck.understand.loading.task import Task
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.pieces import Piece, local_pieces
from qua3ck.understand.sources.read import is_local

if TYPE_CHECKING:
    from qua3ck.understand.sources.fetching import Fetch, Position

ASKED = {"database", "http"}


@dataclass(frozen=True)
class Found:
    """The pieces of a source as they are now.

    Attributes
    ----------
    pieces : tuple of Piece
        With their bytes here. Of a server that sends changes, only what is new.
    extract : {"pieces", "changes", "full"}
        What the absence of a row means.
    present : frozenset of str or None
        Names of all pieces that there are, where more than those that came; else None.
    keys : Path or None
        Parquet with the keys of all rows that there are; rows with other keys are gone.
    types : mapping
        Types that the source itself declares.
    position : Position or None
        From where the next load goes on.
    findings : tuple of Finding
    remote : bool
        Whether a server was asked: pieces that did not come again are not missed.
    """

    pieces: tuple[Piece, ...]
    extract: Extract
    present: frozenset[str] | None = None
    keys: Path | None = None
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    position: Position | None = None
    findings: tuple[Finding, ...] = ()
    remote: bool = False


def find_pieces(task: Task, position: Position | None) -> Found:
    """Return the pieces that there are now; from a server, they are brought here first.

    Raises
    ------
    Qua3ckError
        If the source is not there, or its server does not answer.
    """
    source = task.source
    if source.kind == "function":
        return Found((_called(task),), extract_of(source))
    if source.kind == "delta" and is_local(source):
        from qua3ck.understand.sources.deltatable import delta_piece

        piece = delta_piece(task.name, source, task.root, into=task.into, place=task.place)
        return Found((piece,), extract_of(source))
    if source.kind in ASKED or not is_local(source):
        return _fetched(task, position)
    return Found(tuple(local_pieces(source, task.root, place=task.place)), extract_of(source))


def extract_of(source: Source) -> Extract:
    """Return what the absence of a row means in files: a file owns its rows, if not declared."""
    return source.extract or "pieces"


def forget_fetched(task: Task) -> None:
    """Remove what was brought here from a server; it is kept until its load is committed."""
    shutil.rmtree(_brought(task), ignore_errors=True)


def _brought(task: Task) -> Path:
    return task.root / "state" / "loads" / f"{task.name}.fetched"


def _called(task: Task) -> Piece:
    """Return what the declared function returns, as a piece; the same rows are the same piece."""
    import pyarrow.parquet as pq

    from qua3ck.store.warehouse import storable
    from qua3ck.understand.sources.function import call_source

    rows = call_source(task.name, task.source, task.root, place=task.place)
    path = task.into / "function.parquet"
    pq.write_table(storable(rows, where=task.place), path)
    return Piece(task.source.function or "", file_digest(path), path, path.stat().st_size)


def _fetched(task: Task, position: Position | None) -> Found:
    into = _brought(task)
    into.mkdir(parents=True, exist_ok=True)
    fetch = _fetch(task, position, into)
    pieces = []
    for piece in fetch:
        pieces.append(piece)
        task.tell(f"fetching {task.name}: {piece.name}", 0.0)
    files = task.source.kind not in ASKED
    return Found(
        tuple(pieces),
        extract_of(task.source) if files else fetch.extract,
        fetch.present,
        fetch.keys,
        fetch.types,
        fetch.after,
        tuple(fetch.findings),
        remote=True,
    )


def _fetch(task: Task, position: Position | None, into: Path) -> Fetch:
    fetch: Callable[..., Fetch]
    if task.source.kind == "database":
        from qua3ck.understand.sources.database import fetch_database

        fetch = fetch_database
    elif task.source.kind == "http":
        from qua3ck.understand.sources.rest import fetch_http

        fetch = fetch_http
    else:
        from qua3ck.understand.sources.remote import fetch_remote

        fetch = fetch_remote
    return fetch(
        task.name,
        task.source,
        task.root,
        since=position,
        into=into,
        place=task.place,
        tell=lambda text: task.tell(text, 0.0),
    )

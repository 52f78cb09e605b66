"""Backups on record: made, and rehearsed, each as an event of the ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import as_json
from qua3ck.store.backup import Copied, Tell, back_up, bring_back, silent

if TYPE_CHECKING:
    from qua3ck.govern import Workspace


@dataclass(frozen=True)
class Backup:
    """A backup that was made.

    Attributes
    ----------
    name, place : str
        What it is called, and where it lies.
    files, size : int
        All it holds, and its bytes.
    new_files, new_size : int
        What had to be copied, because no earlier backup there had it.
    left_out : tuple of str
        Links, which are not followed.
    rehearsed : bool
        Whether it was restored for a test, and the ledger in it verified.
    """

    name: str
    place: str
    files: int
    size: int
    new_files: int
    new_size: int
    left_out: tuple[str, ...]
    rehearsed: bool = False


@dataclass(frozen=True)
class Witness:
    """A copy of a ledger's head on this machine: where it lies, and how many events it saw."""

    path: str
    events: int


@dataclass(frozen=True)
class Restored:
    """A backup that was brought back.

    Attributes
    ----------
    name, folder : str
        Which backup, and where it stands now.
    files, size : int
        All of them, and their bytes.
    events : int
        In its ledger.
    ahead : tuple of Witness
        Those that have seen later events, which are lost with the old folder; until they are
        put aside, the restored ledger counts as set back (L007).
    """

    name: str
    folder: str
    files: int
    size: int
    events: int
    ahead: tuple[Witness, ...]


def make_backup(workspace: Workspace, to: str, *, rehearse: bool, whole: bool) -> Backup:
    """Copy a project, record it, and rehearse the way back if asked.

    Parameters
    ----------
    to : str
        A folder or URL outside the project.
    rehearse : bool
        Restore it into a scratch folder, compare every byte, verify the ledger there.
    whole : bool
        Read everything again, here and there, instead of what is new.

    Raises
    ------
    Qua3ckError
        If the place cannot be used, or the rehearsal finds something wrong.

    Notes
    -----
    Ledger: ``backup.made``, ``backup.rehearsed``. The backup itself ends before them.
    """
    copied = back_up(
        workspace.root,
        to,
        project=workspace.project,
        actor=workspace.actor,
        now=workspace.clock(),
        hold=workspace.ledger.locked,
        whole=whole,
        tell=_in_megabytes(workspace),
    )
    body = _body(copied, to)
    workspace.ledger.append("backup.made", copied.name, body)
    if rehearse:
        events = _rehearsed(workspace, to, copied)
        workspace.ledger.append("backup.rehearsed", copied.name, {**body, "events": events})
    return Backup(
        copied.name,
        to,
        len(copied.manifest.files),
        copied.manifest.size,
        copied.new_files,
        copied.new_bytes,
        copied.manifest.left_out,
        rehearsed=rehearse,
    )


def restore(
    source: str, to: str | Path, *, name: str | None = None, tell: Tell = silent
) -> Restored:
    """Write a backup into a new folder, checked byte by byte; needs no project and no key.

    Parameters
    ----------
    source : str
        The folder or URL that it was made to.
    to : str or Path
        A folder that is empty or does not exist; appears when everything is in it.
    name : str, optional
        Which backup; default: the newest.

    Raises
    ------
    Qua3ckError
        If there is none, the folder is not empty, or a file of the backup is damaged.
    """
    folder = Path(to).absolute()
    copied = bring_back(source, folder, name=name, tell=tell)
    chain = folder / "ledger" / "chain.jsonl"
    events = chain.read_bytes().count(b"\n") if chain.exists() else 0
    return Restored(
        copied.name,
        str(folder),
        len(copied.manifest.files),
        copied.manifest.size,
        events,
        tuple(_ahead(folder, events)),
    )


def _ahead(folder: Path, events: int) -> Iterator[Witness]:
    """Yield the witnesses on this machine that have seen more than the backup has."""
    from qua3ck.govern import open_workspace
    from qua3ck.ledger.heads import read_head

    for path in open_workspace(folder, folder.name, read_only=True).ledger.witnesses:
        head = read_head(path)
        if head is not None and head.n > events:
            yield Witness(str(path), head.n)


def _body(copied: Copied, to: str) -> dict[str, Any]:
    """Return what the ledger keeps of a backup; a path may hold a person's name, so not that."""
    return {
        "place": to if "://" in to else "a folder",
        "manifest": digest(as_json(copied.manifest)),
        "files": len(copied.manifest.files),
        "bytes": copied.manifest.size,
    }


def _rehearsed(workspace: Workspace, to: str, copied: Copied) -> int:
    """Restore a backup elsewhere and hold it against the project; return its events."""
    from qua3ck.ledger.verifying import verify_ledger

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "rehearsal"
        bring_back(to, folder, name=copied.name, tell=_in_megabytes(workspace))
        ledger = folder / "ledger"
        checked = verify_ledger(
            chain=ledger / "chain.jsonl",
            head=ledger / "head.json",
            following=ledger / "head.next.json",
            keys=workspace.ledger.keys,
            people=folder / "people",
        )
        chain = (ledger / "chain.jsonl").read_bytes() if checked.ok else b""
        now = workspace.ledger.chain.read_bytes()
        problems = [*checked.problems, *_unread(folder)]
        if checked.ok and now[: len(chain)] != chain:
            problems.append("ledger/chain.jsonl: not the beginning of the project's own")
    if problems:
        raise Qua3ckError(
            f"The rehearsal failed: {problems[0]}"
            + (f", and {len(problems) - 1} more" if len(problems) > 1 else ""),
            where=f"{copied.name} in {to}",
            fix="keep the project as it is, type: qua3ck audit verify, then back up again with "
            "--whole",
            code="S019",
        )
    return checked.events


def _in_megabytes(workspace: Workspace) -> Tell:
    def tell(text: str, done: int, total: int) -> None:
        workspace.progress("B", text, done // 1_000_000, -(-total // 1_000_000))

    return tell


def _unread(root: Path) -> Iterator[str]:
    """Yield the tables of a restored project whose last version cannot be read."""
    from qua3ck.store.warehouse import Engine, Warehouse

    house = Warehouse(root)
    for log in sorted((root / "warehouse").glob("*/*/_delta_log")):
        table = log.parent.relative_to(root / "warehouse").as_posix()
        try:
            with Engine() as engine:
                engine.rows(house.view(table, engine=engine).count())
        except Qua3ckError as problem:
            yield f"warehouse/{table}: {problem.what}"

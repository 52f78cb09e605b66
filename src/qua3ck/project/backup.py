"""Backups on record: made, and rehearsed, each as an event of the ledger."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import as_json, write_atomic
from qua3ck.kit.wording import one_line
from qua3ck.store.backup import Copied, Tell, back_up, bring_back, brought_back, silent

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.ledger import Ledger
    from qua3ck.ledger.heads import Head


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
    """A copy of a ledger's head on this machine that has seen what a backup does not have.

    Attributes
    ----------
    path : str
        Where it lies.
    events : int
        How many it has seen.
    hash : str
        Of the last of them.
    """

    path: str
    events: int
    hash: str = ""


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
        In its ledger, as the backup has it.
    ahead : tuple of Witness
        Those that have seen other or later events. Until it is said that this older state is to
        go on, the restored ledger counts as set back (L007).
    set_back : bool
        Whether that was said, and is recorded.
    moved : str
        Where the project is whose place this one took; empty if there was none.
    """

    name: str
    folder: str
    files: int
    size: int
    events: int
    ahead: tuple[Witness, ...]
    set_back: bool = False
    moved: str = ""


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
    source: str,
    to: str | Path,
    *,
    name: str | None = None,
    replace: bool = False,
    set_back: str | None = None,
    actor: str | None = None,
    clock: Clock = utc_now,
    tell: Tell = silent,
) -> Restored:
    """Write a backup into a folder, checked byte by byte; needs no project, and mostly no key.

    Parameters
    ----------
    source : str
        The folder or URL that it was made to.
    to : str or Path
        A folder that is empty or does not exist; appears when everything is in it.
    name : str, optional
        Which backup; default: the newest.
    replace : bool
        Take the place of a project that stands there; it is renamed, and kept.
    set_back : str, optional
        Why this older state is to go on although later events are known here. It is recorded
        (``ledger.set_back``), and what witnesses saw is kept beside them. Also for a folder that
        was restored before without it.
    actor : str, optional
        Who says so: an owner.

    Raises
    ------
    Qua3ckError
        If there is none, the folder is not empty, a file of the backup is damaged, the reason
        is blank, or it would undo history in the place of a project without a reason.
    """
    if set_back is not None and not one_line(set_back):
        raise Qua3ckError(
            "An older state is to go on, and nothing says why",
            where="qua3ck restore --set-back",
            fix='say it in a sentence: --set-back "the disk died"; it is kept for good',
            code="S020",
        )
    set_back = one_line(set_back or "")
    folder = Path(to).absolute()
    copied = brought_back(source, folder, name=name) if set_back else None
    if copied is None or not _ahead(folder):

        def look(part: Path) -> None:
            _refuse_undoing(part, replace=replace, set_back=set_back, actor=actor)

        copied = bring_back(source, Path(to), name=name, replace=replace, look=look, tell=tell)
    ahead = _ahead(folder)
    events = len(_lines(folder))
    if set_back and ahead:
        _go_on(folder, ahead, copied.name, set_back, actor=actor, clock=clock)
    return Restored(
        copied.name,
        str(folder),
        len(copied.manifest.files),
        copied.manifest.size,
        events,
        ahead,
        bool(set_back and ahead),
        str(copied.moved or ""),
    )


def _lines(folder: Path) -> list[bytes]:
    chain = folder / "ledger" / "chain.jsonl"
    return chain.read_bytes().split(b"\n")[:-1] if chain.exists() else []


def _ahead(folder: Path) -> tuple[Witness, ...]:
    """Return the witnesses on this machine that have seen what this ledger does not have."""
    from qua3ck.govern import open_workspace
    from qua3ck.ledger.heads import read_head

    lines = _lines(folder)
    found = []
    for path in open_workspace(folder, folder.name, read_only=True).ledger.witnesses:
        head = read_head(path)
        if head is None:
            continue
        if head.n > len(lines) or json.loads(lines[head.n - 1])["hash"] != head.hash:
            found.append(Witness(str(path), head.n, head.hash))
    return tuple(found)


def _refuse_undoing(part: Path, *, replace: bool, set_back: str, actor: str | None) -> None:
    """Refuse, before anything has happened, what could not go on afterwards."""
    ahead = _ahead(part)
    if ahead and set_back:
        _owner(part, actor)
        for one in ahead:
            _refuse_kept_by_others(Path(one.path))
    elif ahead and replace:
        raise Qua3ckError(
            f"This backup has {len(_lines(part))} events, and a witness has seen "
            f"{ahead[0].events}: the project that stands there knows more; nothing was changed",
            where=ahead[0].path,
            fix='look at the backup in a new folder first; to go on with it: --set-back "WHY"',
            code="S020",
        )


def _owner(folder: Path, actor: str | None, clock: Clock = utc_now) -> Ledger:
    """Return the restored ledger for a person who may set it back; it looks at no witness."""
    from qua3ck.govern import open_workspace, person, require
    from qua3ck.ledger import Ledger

    reader = open_workspace(folder, folder.name, actor=actor, read_only=True)
    who = person(folder, reader.actor)
    require(who.name, who.roles, "set back")
    identity = reader.keys.identity(who.name, create=False)
    if identity.public != who.public:
        raise Qua3ckError(
            f'The key of "{who.name}" in the key store is not the one enrolled in this project',
            where=f"{reader.keys.folder} against people/{who.name}.pub",
            fix="set QUA3CK_KEYS to the folder with the enrolled key",
            code="G006",
        )
    return Ledger(
        folder / "ledger",
        actor=who.name,
        sign=identity.sign,
        keys=reader.ledger.keys,
        clock=clock,
        people=folder / "people",
    )


def _refuse_kept_by_others(path: Path) -> None:
    if not os.access(path.parent, os.W_OK):
        raise Qua3ckError(
            "A witness that you cannot write has seen events that are not in this backup",
            where=str(path),
            fix="ask who keeps it to put it aside; or leave this machine's QUA3CK_WITNESS unset",
            code="S020",
        )


def _go_on(
    folder: Path,
    ahead: Sequence[Witness],
    backup: str,
    reason: str,
    *,
    actor: str | None,
    clock: Clock,
) -> None:
    """Record that an older state goes on, and have the witnesses follow it.

    What they saw is kept beside them first, then the event is written, then they are: killed in
    between, typing the same again ends the same.
    """
    from qua3ck.govern import open_workspace

    ledger = _owner(folder, actor, clock)
    checked = ledger.verify()
    if not checked.ok:
        raise Qua3ckError(
            f"The ledger in this backup does not verify: {checked.problems[0]}",
            where=str(ledger.chain),
            fix="restore an older backup: --name",
            code="S016",
        )
    for one in ahead:
        path = Path(one.path)
        _refuse_kept_by_others(path)
        kept = path.with_name(f"{path.stem}.seen-{one.events}-{one.hash[:12]}.json")
        write_atomic(kept, path.read_bytes())
    body = {
        "backup": backup,
        "events": len(_lines(folder)),
        "reason": reason,
        "seen": [{"events": one.events, "hash": one.hash} for one in ahead],
    }
    last = ledger.entries()[-1]
    if last.event != "ledger.set_back" or last.body["seen"] != body["seen"]:
        ledger.append("ledger.set_back", "ledger", body)
    for path in open_workspace(folder, folder.name, read_only=True).ledger.witnesses:
        _follow(ledger.head(), path)


def _follow(head: Head, path: Path) -> None:
    from qua3ck.ledger.heads import write_head

    write_head(head, path)


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

"""One load: pieces in, raw bytes kept, rows staged, checked, compared, committed, counted.

Order of the writes: raw bytes, then bronze and quarantine, then silver. The commit to silver
makes the load happen; what a crash left before it is swept by the next load of the source, and
what it left after it (no ledger event) is recorded then. One load of a source at a time;
different sources load at the same time.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.clock import Clock
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.loading import held as holding
from qua3ck.understand.loading.answers import read_answers
from qua3ck.understand.loading.bringing import bring
from qua3ck.understand.loading.changes import Arrival
from qua3ck.understand.loading.choosing import (
    Choice,
    choose,
    kept_pieces,
    reading_of,
    while_held,
)
from qua3ck.understand.loading.committing import carry_out
from qua3ck.understand.loading.finding import Found, find_pieces, forget_fetched
from qua3ck.understand.loading.held import Waivers
from qua3ck.understand.loading.past import (
    Past,
    note_path,
    open_records,
    quality,
    read_past,
    sweep,
    tables,
)
from qua3ck.understand.loading.questions import due_records
from qua3ck.understand.loading.silence import silence
from qua3ck.understand.loading.statistics import timed
from qua3ck.understand.loading.task import Load, Task, Tell, refused, silent
from qua3ck.understand.loading.writing import each_once
from qua3ck.understand.section import Source

if TYPE_CHECKING:
    from qua3ck.store.raw import RawStore
    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand.contract.odcs import ContractTable

_PATIENCE = 600.0  # seconds to wait for another load of the same source


def load_source(
    name: str,
    source: Source,
    root: Path,
    warehouse: Warehouse,
    *,
    raw: RawStore,
    clock: Clock,
    tell: Tell = silent,
    accepted: Mapping[str, str] | None = None,
    actor: str = "",
    recorded: Collection[str] = (),
    ignored: Collection[str] = (),
    others: Mapping[str, Source] | None = None,
) -> Load:
    """Bring one source up to date.

    Parameters
    ----------
    name, source : str, Source
        As declared.
    root : Path
        The project folder.
    raw : RawStore
        Where the bytes are kept as received.
    clock : callable
        Gives the moment of the load; a later one than the last load's is made if need be.
    tell : callable
        Called with a few words and the share done, in [0, 1].
    accepted : mapping, optional
        Finding code to the reason why it is accepted for this load.
    actor : str
        Who accepts.
    recorded : collection of str
        The moments of this source's loads that the ledger knows; see :func:`recorded_loads`.
    ignored : collection of str
        Columns that the project ignores; they may be absent.
    others : mapping, optional
        All sources by name, for contracts that refer to them.

    Returns
    -------
    Load
        Facts alone; nothing is written to the ledger here.

    Raises
    ------
    Qua3ckError
        If the source is not there or empty, nothing of it can be read, records cannot be
        accounted for, another load of it does not end, or the disk does not take it. What was
        loaded before is untouched.
    """
    from qua3ck.store.warehouse.engine import Engine

    started = time.perf_counter()
    check_name(name)
    _check_declared(name, source)
    with alone(root, name) as scratch, Engine(scratch=scratch) as engine:
        past = read_past(warehouse, name, recorded)
        sweep(warehouse, name, past.known)
        task = Task(
            name,
            source,
            root,
            warehouse,
            raw,
            engine,
            scratch,
            _moment(warehouse, name, clock()),
            reading_of(source, root),
            Waivers(dict(accepted or {}), actor),
            frozenset(ignored),
            _agreed(name, source, root),
            dict(others or {}),
            read_answers(root, name),
            tell,
        )
        done = _load(task, past)
    return replace(done, seconds=time.perf_counter() - started)


def _check_declared(name: str, source: Source) -> None:
    if source.deleted and not source.key:
        raise Qua3ckError(
            f'Rows of "{name}" say that they were deleted, and nothing says which those are',
            where=f"understand.sources.{name}.deleted",
            fix="declare key: with the columns that make a row the same row",
            code="U104",
        )


def _agreed(name: str, source: Source, root: Path) -> ContractTable | None:
    if source.contract is None:
        return None
    from qua3ck.understand.contract import read_contract

    return read_contract(root / source.contract).table(name)


def _moment(warehouse: Warehouse, name: str, now: datetime) -> datetime:
    """Return the moment of a load: now, but always later than every load before."""
    from qua3ck.store.warehouse import next_known

    written = (*tables(name), quality(name))
    return next_known(now, *(warehouse.known(table) for table in written))


def check_name(name: str) -> None:
    """Refuse a name that could not be a folder.

    Raises
    ------
    Qua3ckError
        If it has other characters than letters, digits, ``-`` and ``_``.
    """
    if name and all(letter.isalnum() or letter in "-_" for letter in name):
        return
    raise Qua3ckError(
        f'"{name}" cannot be the name of a source',
        where="understand.sources",
        fix="use letters, digits, - and _ only",
        code="U104",
    )


@contextmanager
def alone(root: Path, name: str) -> Iterator[Path]:
    """Hold a source; yield an empty folder for the load's own files.

    Raises
    ------
    Qua3ckError
        If whoever else holds it does not end.
    """
    from filelock import FileLock, Timeout

    folder = root / "state" / "loads"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock", timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise Qua3ckError(
            f'Another load of "{name}" has not ended in {_PATIENCE:.0f} seconds',
            where=str(folder / f"{name}.lock"),
            fix="wait for it, or end that process; then type the same again",
            code="U148",
        ) from None
    scratch = folder / name
    try:
        shutil.rmtree(scratch, ignore_errors=True)  # what a killed load left
        scratch.mkdir()
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        lock.release()


def _load(task: Task, past: Past) -> Load:
    with timed(task.took, "finding pieces"):
        found = find_pieces(task, past.position)
    choice, before = _choice(task, found, past), past
    if not choice.nothing and not past.binding:
        past = past.unbound()
        choice = _choice(task, found, past)
    if choice.anew and found.remote:
        found = replace(
            found, pieces=(*found.pieces, *kept_pieces(past, found, task.raw, task.into))
        )
        choice = _choice(task, found, past)
    elif found.extract == "changes" and task.source.key and past.layout is not None:
        found = _with_answered(task, found, past)
        choice = _choice(task, found, past)
    if choice.nothing:
        forget_fetched(task)
        return _nothing(task, before, choice, choice.findings)
    came, held = bring(task, choice, past)
    if not came and past.layout is None:
        raise held[0].problem(task.used)
    done = carry_out(task, past, before, choice, came, held)
    if isinstance(done, Load):
        forget_fetched(task)
        return done
    if past.layout is None and done:
        raise done[0].problem(task.used)
    choice = while_held(task.name, choice, past, done, waivers=task.waivers)
    findings = (*choice.findings, *(one.finding for one in done))
    left = tuple(refused(one.piece, one.problem(task.used)) for one in done)
    return replace(_nothing(task, before, choice, findings), held_pieces=left)


def _with_answered(task: Task, found: Found, past: Past) -> Found:
    """Return what is there, with the kept pieces of which held records have an answer now."""
    asked = Arrival({}, None, "changes", (), task.now, {}, keys=found.keys)
    came = {piece.name for piece in found.pieces}
    due = due_records(task, asked)
    task.only.update({name: rows for name, rows in due.items() if name not in came})
    again = replace(past, pieces={name: past.pieces[name] for name in task.only})
    kept = kept_pieces(again, replace(found, present=None), task.raw, task.into)
    return replace(found, pieces=(*found.pieces, *kept))


def _choice(task: Task, found: Found, past: Past) -> Choice:
    return choose(
        task.name,
        task.source,
        found,
        past,
        reading=task.reading,
        answers=task.answers,
        waivers=task.waivers,
    )


def _nothing(task: Task, past: Past, choice: Choice, findings: Sequence[Finding]) -> Load:
    """Return a load that changed nothing; it may have gone by a path of which nobody knows yet."""
    path = task.source.path
    if past.told.get("path", path) != path:
        note_path(task.warehouse, task.name, path, choice.waiting, known=task.now)
    waiting = open_records(task.warehouse, task.name)
    rows = int(past.told.get("rows", 0))
    count = holding.distinct_rows(waiting)
    kept = each_once(finding for one in past.pieces.values() for finding in one.findings)
    hows = {name: one.how for name, one in past.pieces.items()}
    still = holding.records(task.name, waiting, rows + count, hows)
    said = [*findings, *kept, *past.noticed, *still]
    silent = silence(task.name, task.source, past.known, task.now) if past.known else None
    if silent is not None:
        task.waivers.waive(silent, task.name)
        said.append(replace(silent, accepted=task.waivers.reasons.get(silent.code, "")))
    return Load(
        task.name,
        there=choice.there,
        rows=rows,
        waiting=count,
        findings=tuple(said),
        accepted=task.used,
        unrecorded=past.unrecorded,
    )

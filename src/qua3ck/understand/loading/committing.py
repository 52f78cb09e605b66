"""Carrying a load out: held against what is current, judged as a whole, written if it may be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.understand.loading import held as holding
from qua3ck.understand.loading.arrivals import Arrived, part
from qua3ck.understand.loading.bringing import answered_fitted
from qua3ck.understand.loading.changes import (
    Arrival,
    Changes,
    current_after,
    keyed_changes,
    piece_changes,
)
from qua3ck.understand.loading.choosing import Choice, differs, named, while_held
from qua3ck.understand.loading.held import HeldPiece
from qua3ck.understand.loading.keys import KeysRepeat
from qua3ck.understand.loading.layout import Layout
from qua3ck.understand.loading.past import Past, open_records, silver
from qua3ck.understand.loading.questions import answers_beyond, closed, held_keys, with_asked
from qua3ck.understand.loading.statistics import timed
from qua3ck.understand.loading.task import Load, Task
from qua3ck.understand.loading.writing import Act, Outcome, write

if TYPE_CHECKING:
    import ibis

    from qua3ck.understand.contract.measures import Measure


def carry_out(
    task: Task,
    past: Past,
    before: Past,
    choice: Choice,
    came: list[Arrived],
    held: list[HeldPiece],
) -> Load | list[HeldPiece]:
    """Compare, count and write; return the load, or the held pieces if nothing is left of it.

    Parameters
    ----------
    past, before : Past
        What binds this load, and what is listed on disk.

    Raises
    ------
    Qua3ckError
        If rows in are not rows loaded and held, or the disk does not take them.
    """
    held = list(held)
    choice = while_held(task.name, choice, past, held, waivers=task.waivers)
    while came or choice.gone or choice.found.keys:
        act = _settled(task, past, before, choice, came)
        if act.renew and held:
            raise held[0].problem(task.used)
        current = _current(task, past, act)
        try:
            changes = _compared(task, act, past, choice, came, current)
        except KeysRepeat as problem:
            finding = holding.repeating(task.name, task.source.key, problem)
            return [*held, *(HeldPiece(one.piece.name, finding) for one in came)]
        came = with_asked(task, came, changes.held)
        again = _answered_again(task, act, choice, came)
        if again is not None:
            came, more = again
            held += more
            if more and choice.found.extract == "full":
                return held
            choice = while_held(task.name, choice, past, held, waivers=task.waivers)
            continue
        measures, findings = _judged(task, choice, came, changes, current)
        wrong = _shrunk(task, past, choice, came, changes)
        wrong = wrong or _blocked(task, choice, came, findings)
        if not wrong:
            outcome = Outcome(past, act, choice, came, held, changes, measures, findings)
            return held if _nothing_new(task, outcome) else write(task, outcome)
        held += wrong
        names = {one.piece for one in wrong}
        came = [one for one in came if one.piece.name not in names]
        if not came or choice.found.extract == "full":
            return held
        choice = while_held(task.name, choice, past, held, waivers=task.waivers)
    return held


def _answered_again(
    task: Task, act: Act, choice: Choice, came: Sequence[Arrived]
) -> tuple[list[Arrived], list[HeldPiece]] | None:
    """Return the pieces read once more where an answer is about records held for their key.

    That a key comes twice is seen only when all rows of a piece are; an answer to it that was
    given for other bytes counts from here on. None if there is none.
    """
    due = {one.piece.name: answers_beyond(task.answers, one) for one in came}
    if not any(due.values()):
        return None
    fit: list[Arrived] = []
    held: list[HeldPiece] = []
    for one in came:
        more = due[one.piece.name]
        got = answered_fitted(task, one, more, act.layout, whole=choice.whole) if more else one
        if isinstance(got, Arrived):
            fit.append(got)
        else:
            held.append(got)
    return fit, held


def _nothing_new(task: Task, outcome: Outcome) -> bool:
    """Return whether there is nothing to write: what came was read only because others changed."""
    choice, came, changes = outcome.choice, outcome.came, outcome.changes
    if changes.rows or outcome.act.stale:
        return False
    if came and (not outcome.held or choice.anew or changes.closed):
        return False
    return not any(differs(one.piece, outcome.past, task.answers) for one in came)


def _settled(task: Task, past: Past, before: Past, choice: Choice, came: Sequence[Arrived]) -> Act:
    names = {one.piece.name for one in came}
    kept = [
        piece.columns
        for name, piece in past.pieces.items()
        if name not in names and name not in choice.gone
    ]
    was = past.layout.columns if past.layout else {}  # of pieces that stay as they are
    here = {name: kind for one in reversed(came) for name, kind in one.columns.items()}
    found = {**was, **here}
    earlier = Layout() if past.layout is None or choice.anew else past.layout
    layout = earlier.of([*kept, *(one.columns for one in came)], found)
    there = before.layout is not None
    renew = there and (past.layout is None or _otherwise(task, past, layout))
    stale = [name for name in before.pieces if name not in names] if renew else choice.gone
    return Act(task.now, layout, renew, tuple(stale))


def _otherwise(task: Task, past: Past, layout: Layout) -> bool:
    """Return whether what is on disk has columns of other types, or another identity."""
    types = past.told["columns"]
    retyped = any(types.get(name, kind) != kind for name, kind in layout.columns.items())
    return retyped or tuple(past.told["by"]) != task.source.identity


def _current(task: Task, past: Past, act: Act) -> ibis.Table | None:
    if past.layout is None or act.renew:
        return None
    by = task.source.identity
    return task.warehouse.current_view(silver(task.name), engine=task.engine, by=by, meta=True)


def _compared(
    task: Task,
    act: Act,
    past: Past,
    choice: Choice,
    came: Sequence[Arrived],
    current: ibis.Table | None,
) -> Changes:
    task.tell(f"comparing {task.name}", 1.0)
    if came and task.source.key:
        _require(task, act.layout.columns)
    parts = {}
    with timed(task.took, "writing rows"):
        for at, one in enumerate(came):
            parts[one.piece.name] = _part(task, act, one, task.into / f"part-{at}.parquet")
    again = {one.piece.name for one in came if one.piece.name in past.pieces}
    replaced = {*again, *choice.gone}
    found = choice.found
    ranks = _ranks(past, came, task.only, changes_only=found.extract != "pieces")
    held = held_keys(came)
    waits = [key for keys in held.values() for key in keys]
    arrival = Arrival(
        parts,
        current,
        found.extract,
        replaced,
        act.known,
        ranks,
        keys=found.keys,
        marker=task.source.deleted,
        before=int(past.told.get("rows", 0)),
        waiting=waits,
    )
    with timed(task.took, "comparing"):
        if task.source.key:
            changes = keyed_changes(task.engine, arrival, task.source.identity, into=task.into)
            lines = open_records(task.warehouse, task.name).to_pylist()
            again = replaced - set(task.only)
            before = [line for line in lines if line["_piece"] not in again]
            done = closed(task.engine, arrival, task.source.row_key, before, held)
            return replace(changes, closed=_settled_by(task, came, done))
        return piece_changes(task.engine, arrival, into=task.into)


def _require(task: Task, columns: Collection[str]) -> None:
    """Refuse to tell rows apart by columns that no piece has.

    Raises
    ------
    Qua3ckError
        At the place where the column is named.
    """
    declared = {
        "key": (task.source.key, "which is to tell rows apart"),
        "valid_from": ((task.source.valid_from,), "which is to tell rows apart"),
        "deleted": ((task.source.deleted,), "which is to say that a row was deleted"),
    }
    for key, (names, what) in declared.items():
        missing = next((name for name in names if name and name not in columns), None)
        if missing is not None:
            raise Qua3ckError(
                f'No piece has a column "{missing}", {what}{did_you_mean(missing, columns)}',
                where=f"{task.place}.{key}: {missing}",
                fix=f"name columns that are there: {', '.join(list(columns)[:25])}",
                code="U104",
            )


def _settled_by(
    task: Task, came: Sequence[Arrived], done: Sequence[tuple[str, int]]
) -> tuple[tuple[str, int], ...]:
    """Return what is settled, with records that were read again, without those held again."""
    held = {(one.piece.name, row) for one in came for row in one.held["_row"].to_pylist()}
    answered = {(name, row) for name, rows in task.only.items() for row in rows}
    read = {one.piece.name for one in came}
    answered = {(name, row) for name, row in answered if name in read}
    return tuple(sorted((answered | set(done)) - held))


def _part(task: Task, act: Act, one: Arrived, into: Path) -> Path:
    place = task.place
    return part(task.engine, one, act.layout, known=act.known, into=into, place=place)


def _ranks(
    past: Past, came: Sequence[Arrived], only: Collection[str], *, changes_only: bool
) -> dict[str, int]:
    """Return the order in which pieces came first; of a feed of changes, the last load counts."""
    names = sorted(one.piece.name for one in came)
    if changes_only:
        names.sort(key=lambda name: name not in only)  # what is read again came before
        return {name: at for at, name in enumerate(names)}
    earlier = sorted(past.pieces.values(), key=lambda piece: (piece.since, piece.name))
    order = dict.fromkeys([*(piece.name for piece in earlier), *names])
    return {name: at for at, name in enumerate(order)}


# -- the load as a whole ---------------------------------------------------------


def _judged(
    task: Task,
    choice: Choice,
    came: Sequence[Arrived],
    changes: Changes,
    current: ibis.Table | None,
) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    """Ask the table as it would be after the load what no single piece can answer."""
    if task.agreed is None or (choice.whole and came):
        return (), ()
    from qua3ck.understand.contract.check import about_the_table, check_table

    if not about_the_table(task.agreed):
        return (), ()
    rows = current_after(task.engine, changes, current, task.source.identity)
    with timed(task.took, "checking the table"):
        return check_table(
            rows,
            task.agreed,
            engine=task.engine,
            references=task.references,
            now=task.now,
            key=task.source.identity,
        )


def _blocked(
    task: Task, choice: Choice, came: Sequence[Arrived], findings: Sequence[Finding]
) -> list[HeldPiece]:
    """Return every piece as held if a finding about the whole table blocks.

    If none came, what is gone is held: it stays.
    """
    names = [one.piece.name for one in came] or [named(choice.gone) or holding.WHOLE]
    for finding in findings:
        if finding.severity == "block" and not task.waivers.waive(finding, task.name):
            return [HeldPiece(name, finding) for name in names]
    return []


def _shrunk(
    task: Task, past: Past, choice: Choice, came: Sequence[Arrived], changes: Changes
) -> list[HeldPiece]:
    """Return the pieces that lost more rows than they may, unless that is accepted."""
    if past.layout is None or choice.anew:
        return []
    limit = task.source.shrinks
    whole = choice.found.extract == "full" or choice.found.keys is not None
    lost = (
        _lost_of_all(task, past, came, changes) if whole else _lost_each(task, past, came, changes)
    )
    found = []
    for pieces, gone, rows in lost:
        if rows and gone / rows > limit:
            name = pieces[0] if len(pieces) == 1 else holding.WHOLE
            finding = holding.shrunk(task.name, name, gone, rows, limit)
            if not task.waivers.waive(finding, name):
                found += [HeldPiece(piece, finding) for piece in pieces]
    return found


def _lost_of_all(
    task: Task, past: Past, came: Sequence[Arrived], changes: Changes
) -> list[tuple[list[str], int, int]]:
    rows = int(past.told["rows"])
    gone = changes.deleted if task.source.key else rows - sum(one.good for one in came)
    return [([one.piece.name for one in came] or [""], max(gone, 0), rows)]


def _lost_each(
    task: Task, past: Past, came: Sequence[Arrived], changes: Changes
) -> list[tuple[list[str], int, int]]:
    found = []
    for one in came:
        before = past.pieces.get(one.piece.name)
        if before is not None:
            fewer = max(before.loaded - one.good, 0)
            gone = changes.gone.get(one.piece.name, 0) if task.source.key else fewer
            found.append(([one.piece.name], gone, before.loaded))
    return found

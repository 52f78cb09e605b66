"""From the pieces of a source to rows that fit its table; what does not fit is held."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading import held as holding
from qua3ck.understand.loading.answers import answered, of_piece
from qua3ck.understand.loading.arrivals import Arrived, arrived, held_back
from qua3ck.understand.loading.changes import says_deleted
from qua3ck.understand.loading.choosing import Choice
from qua3ck.understand.loading.held import HeldPiece
from qua3ck.understand.loading.layout import Layout, empty_columns, together
from qua3ck.understand.loading.past import Past
from qua3ck.understand.loading.statistics import timed
from qua3ck.understand.loading.task import Task
from qua3ck.understand.sources.pieces import Piece

if TYPE_CHECKING:
    import ibis

    from qua3ck.understand.section import ColumnType


def bring(task: Task, choice: Choice, past: Past) -> tuple[list[Arrived], list[HeldPiece]]:
    """Return the pieces that may be loaded, and those that are held.

    Each piece is kept as received before it is read. In a first load the columns are those of
    the first piece and the types fit all of them; later, what the table has.
    """
    first = past.layout is None or choice.anew
    came, held = _read(task, choice, past, first=first)
    if not came:
        return [], held
    layout = Layout(came[0].columns) if first or past.layout is None else past.layout
    fit: list[Arrived] = []
    for one in came:
        answer = _fitted(task, one, layout, whole=choice.whole)
        if isinstance(answer, Arrived):
            fit.append(answer)
        else:
            held.append(answer)
    return fit, held


def _read(
    task: Task, choice: Choice, past: Past, *, first: bool
) -> tuple[list[Arrived], list[HeldPiece]]:
    had = past.layout.types() if past.layout and not first else {}
    types: dict[str, ColumnType] = {**had, **choice.found.types, **task.agreed_types}
    came: list[Arrived] = []
    held: list[HeldPiece] = []
    total = sum(piece.size for piece in choice.read) or 1
    done = 0
    with ThreadPoolExecutor(1) as beside:  # hashing and packing leave the other processor free
        for at, piece in enumerate(choice.read):
            task.tell(f"reading {task.name}: {piece.name}", done / total)
            keeping = beside.submit(_keep, task, piece)
            try:
                staged = _staged(task, piece, types, f"{at}")
                keeping.result()
                came.append(staged)
            except Qua3ckError as problem:
                held.append(holding.unreadable(task.name, piece.name, problem))
                wait([keeping])
            done += piece.size
    return (_typed_together(task, came, types) if first else came), held


def _keep(task: Task, piece: Piece) -> None:
    """Keep a piece as received, unless these bytes are kept already."""
    with timed(task.took, "keeping the bytes"):
        if not task.raw.has(piece.digest) and task.raw.put(piece.path) != piece.digest:
            raise _changing(piece, task.place)


def _changing(piece: Piece, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"{piece.name} changed while it was being read",
        where=place,
        fix="wait until whoever writes it is done, then type the same again",
        code="U069",
    )


def _staged(task: Task, piece: Piece, types: Mapping[str, ColumnType], label: str) -> Arrived:
    from qua3ck.understand.sources.stage import stage

    into = task.into / f"staged-{label}"
    into.mkdir()
    before = piece.path.stat()
    with timed(task.took, "reading"):
        stamped = replace(piece, known=task.now)
        staged = stage(stamped, task.source, types=types or None, into=into, place=task.place)
    after = piece.path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _changing(piece, task.place)
    done = arrived(stamped, staged, place=task.place)
    answers = of_piece(task.answers, piece.name, piece.digest)
    return answered(task, done, answers, into) if answers else done


def _typed_together(
    task: Task, came: list[Arrived], types: Mapping[str, ColumnType]
) -> list[Arrived]:
    """Give pieces that come together one type per column; some are then read again."""
    if len(came) < 2:
        return came
    layout = together([one.columns for one in came], [empty_columns(one.rows) for one in came])
    settled = []
    for at, one in enumerate(came):
        shared = {name: kind for name, kind in layout.columns.items() if name in one.columns}
        fits = all(one.columns[name] == kind for name, kind in shared.items())
        again = {**Layout(shared).types(), **types}
        settled.append(one if fits else _staged(task, one.piece, again, f"{at}-again"))
    return settled


def _fitted(task: Task, one: Arrived, layout: Layout, *, whole: bool) -> Arrived | HeldPiece:
    """Return a piece after the pass of its contract; or held, for its columns or its rows."""
    name = one.piece.name
    declared = {*task.source.types, *task.agreed_columns}
    differs = layout.differs(one.columns, declared=declared, ignored=task.ignored)
    if differs:
        finding = holding.other_columns(task.name, name, differs)
        if differs.other or not task.waivers.waive(finding, name):
            return HeldPiece(name, finding)
    with timed(task.took, "checking"):
        checked = _checked(task, one, whole=whole)
    for finding in checked.blocks:
        if not task.waivers.waive(finding, name):
            return HeldPiece(name, finding)
    if holding.distinct_rows(checked.held) * 2 > checked.came:
        finding = holding.misfit(task.name, name, checked.came, checked.held)
        if not task.waivers.waive(finding, name):
            return HeldPiece(name, finding)
    return checked


def _checked(task: Task, one: Arrived, *, whole: bool) -> Arrived:
    """Return a piece after the pass of its contract; the good rows are not written yet."""
    if task.agreed is None:
        return one
    from qua3ck.understand.contract.check import judge_rows

    into = task.into / "judged" / one.rows.parent.name
    stands, deleted = _apart(task, one, into)
    judged = judge_rows(
        stands,
        task.agreed,
        engine=task.engine,
        references=task.references,
        into=into,
        now=task.now,
        whole=whole,
    )
    good = judged.good if judged.out else None
    if good is not None and deleted is not None:
        good = good.union(deleted)
    passed = held_back(one, judged.held, good, one.good - judged.out)
    findings = (*one.findings, *judged.findings)
    return replace(passed, findings=findings, blocks=judged.blocks, measures=judged.measures)


def _apart(task: Task, one: Arrived, into: Path) -> tuple[Path, ibis.Table | None]:
    """Return the file of the rows that stand, and those that say that they were deleted.

    A deleted row often has nothing but its key; no rule of the contract is about it.
    """
    marker = task.source.deleted
    if marker is None:
        return one.rows, None
    rows = task.engine.parquet(one.rows)
    deleted = says_deleted(rows[marker])
    into.mkdir(parents=True, exist_ok=True)
    stands = into / "stands.parquet"
    task.engine.write_parquet(rows.filter(~deleted), stands)
    return stands, rows.filter(deleted)

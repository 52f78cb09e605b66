"""From the pieces of a source to rows that fit its table; what does not fit is held."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading import held as holding
from qua3ck.understand.loading.answers import Answer, answered
from qua3ck.understand.loading.arrivals import Arrived, arrived, held_back
from qua3ck.understand.loading.changes import says_deleted
from qua3ck.understand.loading.choosing import Choice
from qua3ck.understand.loading.held import HeldPiece
from qua3ck.understand.loading.layout import Layout, empty_columns, together
from qua3ck.understand.loading.past import Past
from qua3ck.understand.loading.questions import (
    PUT,
    QUESTIONS,
    answers_beyond,
    answers_to,
    asked_by_rules,
    identified,
    key_texts,
    some_records,
    told_apart,
)
from qua3ck.understand.loading.statistics import timed
from qua3ck.understand.loading.task import Task
from qua3ck.understand.loading.watching import watched
from qua3ck.understand.sources.columns import ColumnsAbsent
from qua3ck.understand.sources.pieces import ROW, Piece

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from qua3ck.understand.section import ColumnType, Source


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
                table = had or (came[0].columns if came else {})
                with watched(task, piece, done=done, total=total) as counted:
                    staged = _compared(task, counted, types, f"{at}", table)
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


def _compared(
    task: Task,
    piece: Piece,
    types: Mapping[str, ColumnType],
    label: str,
    table: Collection[str],
) -> Arrived:
    """Return a staged piece, also if it lacks a column of the table about which more is declared.

    Then it differs from its table, which can be shown and accepted; only what is declared about
    a column that the table does not have either is a mistake of the declaration.
    """
    try:
        return _staged(task, piece, types, label)
    except ColumnsAbsent as absent:
        gone = {name for name in table if name not in absent.there}
        less = _without(task.source, gone)
        if less == task.source:
            raise
        return _staged(replace(task, source=less), piece, types, f"{label}-less")


def _without(source: Source, gone: Collection[str]) -> Source:
    """Return a source without what is declared about some columns."""
    keys = ("types", "nulls", "dates")
    left = {
        key: {name: said for name, said in getattr(source, key).items() if name not in gone}
        for key in keys
    }
    return source.model_copy(update=left)


def _staged(task: Task, piece: Piece, types: Mapping[str, ColumnType], label: str) -> Arrived:
    from qua3ck.understand.sources.stage import stage

    into = task.into / f"staged-{label}"
    into.mkdir()
    before = piece.path.stat()
    with timed(task.took, "reading"):
        stamped = replace(piece, known=task.now)
        staged = stage(stamped, task.source, types=types or None, into=into, place=task.place)
        if piece.name in task.only:
            staged = some_records(task, staged, task.only[piece.name], into)
    after = piece.path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _changing(piece, task.place)
    done = arrived(stamped, staged, place=task.place)
    done = replace(identified(task, done, into), partial=piece.name in task.only)
    return _answered(task, done, answers_to(task.answers, done), into)


def _answered(task: Task, plain: Arrived, answers: tuple[Answer, ...], into: Path) -> Arrived:
    """Return a piece with answers put into it, and the questions that they answer."""
    if not answers:
        return plain
    said = sorted({answer.question for answer in answers if answer.question})
    put = [[one.row, one.column, one.question] for one in answers if one.question]
    how = {**plain.how, QUESTIONS: said, PUT: put}
    done = answered(task, replace(plain, how=how), answers, into)
    return replace(done, plain=plain, given=answers)


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
        settled.append(
            one if fits else _compared(task, one.piece, again, f"{at}-again", layout.columns)
        )
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
        checked = _settled(task, one, whole=whole)
    for finding in checked.blocks:
        if not task.waivers.waive(finding, name):
            return HeldPiece(name, finding)
    if name not in task.only and holding.distinct_rows(checked.held) * 2 > checked.came:
        finding = holding.misfit(task.name, name, checked.came, checked.held, checked.how)
        if not task.waivers.waive(finding, name):
            return HeldPiece(name, finding)
    return checked


def _settled(task: Task, one: Arrived, *, whole: bool) -> Arrived:
    """Return a piece after the pass of its contract, also with answers to what that asked.

    What a rule asks is known once it was asked: only then is it seen that the same was
    answered before, in other bytes. The piece is then read with these answers, and judged
    again; each time more cells have one, so it ends.
    """
    while True:
        checked = _checked(task, one, whole=whole)
        more = answers_beyond(task.answers, checked)
        if not more:
            return checked
        one = _answered_more(task, one, more)


def answered_fitted(
    task: Task, one: Arrived, more: Sequence[Answer], layout: Layout, *, whole: bool
) -> Arrived | HeldPiece:
    """Return a piece that was judged before, read and judged again with further answers."""
    return _fitted(task, _answered_more(task, one, more), layout, whole=whole)


def _answered_more(task: Task, one: Arrived, more: Sequence[Answer]) -> Arrived:
    plain = one.plain or one
    into = task.into / f"settled-{plain.rows.parent.name}-{len(one.given)}"
    into.mkdir()
    return _answered(task, plain, (*one.given, *more), into)


def _checked(task: Task, one: Arrived, *, whole: bool) -> Arrived:
    """Return a piece after the pass of its contract; the good rows are not written yet."""
    if task.agreed is None:
        return one
    from qua3ck.understand.contract.check import judge_rows

    task.tell(f"checking {task.name}: {one.piece.name}", 1.0)
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
    keyed = replace(one, keys={**one.keys, **_keys_of(task, one, judged.held)})
    asked = {**one.asked, **asked_by_rules(task, keyed, judged.held)}
    tried = {**_tried(one, judged.held), **one.tried}
    passed = replace(passed, keys=keyed.keys, asked=asked, tried=tried, plain=one.plain or one)
    passed = replace(passed, differs=told_apart(task, one, judged.held))
    findings = (*one.findings, *judged.findings)
    return replace(passed, findings=findings, blocks=judged.blocks, measures=judged.measures)


def _tried(one: Arrived, held: pa.Table) -> dict[int, str]:
    """Return the answers that were put into records which a rule holds nevertheless."""
    said = {(answer.row, answer.column): answer.answer for answer in one.given}
    lines = held.select([ROW, "column"]).to_pylist() if said else []
    found = ((line[ROW], said.get((line[ROW], line["column"] or ""))) for line in lines)
    return {row: text for row, text in found if text is not None}


def _keys_of(task: Task, one: Arrived, held: pa.Table) -> dict[int, str]:
    """Return the keys of records that a rule of the contract holds."""
    key = task.source.row_key
    if not held.num_rows or not key or not one.columns.keys() >= {*key}:
        return {}
    rows = task.engine.parquet(one.rows).select(ROW, *key)
    wanted = task.engine.arrow(held.select([ROW]).group_by(ROW).aggregate([]))
    return key_texts(task.engine, task.engine.rows(rows.semi_join(wanted, ROW)), key)


def _apart(task: Task, one: Arrived, into: Path) -> tuple[Path, ibis.Table | None]:
    """Return the file of the rows that stand, and those that say that they were deleted.

    A deleted row often has nothing but its key; no rule of the contract is about it. In a piece
    without the column that marks them all rows stand.
    """
    marker = task.source.deleted
    if marker is None or marker not in one.columns:
        return one.rows, None
    rows = task.engine.parquet(one.rows)
    deleted = says_deleted(rows[marker])
    into.mkdir(parents=True, exist_ok=True)
    stands = into / "stands.parquet"
    task.engine.write_parquet(rows.filter(~deleted), stands)
    return stands, rows.filter(deleted)

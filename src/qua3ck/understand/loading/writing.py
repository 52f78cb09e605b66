"""Writing a load down: bronze, quarantine and quality first, then silver, whose commit it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import as_json
from qua3ck.understand.loading import held as holding
from qua3ck.understand.loading.answers import as_digest, counting
from qua3ck.understand.loading.arrivals import Arrived
from qua3ck.understand.loading.changes import Changes
from qua3ck.understand.loading.choosing import Choice
from qua3ck.understand.loading.held import HeldPiece
from qua3ck.understand.loading.layout import Layout
from qua3ck.understand.loading.past import (
    ABOUT,
    CLOSED,
    GONE,
    NOTICED,
    Past,
    bronze_schema,
    open_records,
    quality,
    quality_schema,
    quarantine_schema,
    silver,
    tables,
)
from qua3ck.understand.loading.questions import AGAIN, no_longer_asked
from qua3ck.understand.loading.statistics import TOOK, timed
from qua3ck.understand.loading.task import Counts, Load, Task, refused

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.understand.contract.measures import Measure
    from qua3ck.understand.sources.fetching import Position

_FOLD = 0.2  # of the folded rows may have come since; then reading costs more than folding
_FILES = 64
_LISTED = 200  # pieces named one by one in the ledger; beyond, their digest stands for them


@dataclass(frozen=True)
class Act:
    """What is settled before anything is written.

    Attributes
    ----------
    known : datetime
        The load's moment.
    layout : Layout
        The table's columns after it.
    renew : bool
        Whether the table is written anew as a whole: its columns' types or what tells its rows
        apart are declared otherwise, or what is there binds nobody.
    stale : tuple of str
        Pieces that are listed, and are not part of the table any more.
    """

    known: datetime
    layout: Layout
    renew: bool
    stale: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a load came to before it is written: pieces loaded and held, changes, measures.

    ``noticed`` is about the table as it will be.
    """

    past: Past
    act: Act
    choice: Choice
    came: Sequence[Arrived]
    held: Sequence[HeldPiece]
    changes: Changes
    measures: tuple[Measure, ...] = ()
    noticed: tuple[Finding, ...] = ()


def write(task: Task, outcome: Outcome) -> Load:
    """Write a load down, and say what it was.

    Raises
    ------
    Qua3ckError
        If rows in are not rows loaded and rows held: nothing is written then. Or if the disk
        does not take it: then nothing has happened.
    """
    task.tell(f"writing {task.name}", 1.0)
    act, came, past = outcome.act, outcome.came, outcome.past
    for_key = _held_for_key(outcome)
    counts = _counted(came, outcome.changes, for_key, place=task.place)
    before = 0 if act.renew else int(past.told.get("rows", 0))
    rows = before + counts.new - counts.deleted
    body = _body(task, outcome, {**asdict(counts), "rows": rows})
    with timed(task.took, "listing"):
        _list(task, outcome, for_key)
    version = _commit(task, outcome, body)
    waiting = open_records(task.warehouse, task.name)
    waits = holding.distinct_rows(waiting)
    hows = {name: one.how for name, one in past.pieces.items()}
    hows |= {one.piece.name: one.how for one in came}
    whole = [one.piece.name for one in came if one.piece.name not in task.only]
    return Load(
        task.name,
        version=version,
        known=stamp(act.known),
        there=outcome.choice.there,
        pieces=len(came),
        **asdict(counts),
        rows=rows,
        waiting=waits,
        size=_size(came),
        findings=(
            *outcome.choice.findings,
            *(one.finding for one in outcome.held),
            *no_longer_asked(
                task.name,
                [past.pieces[name].how for name in whole if name in past.pieces],
                [one.how for one in came],
            ),
            *standing(outcome),
            *holding.records(task.name, waiting, rows + waits, hows),
        ),
        held_pieces=tuple(refused(one.piece, one.problem(task.used)) for one in outcome.held),
        accepted=task.used,
        body={**body, "version": version},
        unrecorded=past.unrecorded,
    )


def standing(outcome: Outcome) -> tuple[Finding, ...]:
    """Return what was noticed in reading the pieces of the table, and about it as a whole."""
    read = {one.piece.name for one in outcome.came} | set(outcome.act.stale)
    kept = (one for name, one in outcome.past.pieces.items() if name not in read)
    each = (*(one.findings for one in kept), *(one.findings for one in outcome.came))
    return (*each_once(finding for one in each for finding in one), *outcome.noticed)


def each_once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings of which several pieces say the same only once."""
    said = {(one.code, one.where, one.says): one for one in findings}
    return tuple(said.values())


def _counted(came: Sequence[Arrived], changes: Changes, for_key: pa.Table, *, place: str) -> Counts:
    """Return the load in numbers, once they add up."""
    arrived = sum(one.came for one in came)
    kinds = (changes.new, changes.changed, changes.unchanged)
    loaded = sum((*kinds, changes.superseded, changes.withdrawn))
    held = sum(holding.distinct_rows(one.held) for one in came) + holding.distinct_rows(for_key)
    if arrived != loaded + held:
        raise Qua3ckError(
            f"{arrived} records came, but {loaded} rows and {held} held records are accounted "
            "for; nothing was loaded",
            where=place,
            fix="this should not happen: please report it",
            code="U146",
        )
    return Counts(
        arrived,
        loaded,
        held,
        changes.new,
        changes.changed,
        changes.unchanged,
        changes.superseded,
        changes.withdrawn,
        changes.deleted,
    )


def _list(task: Task, outcome: Outcome, for_key: pa.Table) -> None:
    known = outcome.act.known
    bronze, quarantine, _ = tables(task.name)
    task.warehouse.append(bronze, _bronze_rows(task, outcome, for_key), known=known)
    waiting = _quarantine_rows(outcome, for_key)
    if waiting.num_rows:
        task.warehouse.append(quarantine, waiting, known=known)
    measured = _measured(outcome)
    if measured.num_rows:
        task.warehouse.append(quality(task.name), measured, known=known)


def _commit(task: Task, outcome: Outcome, body: Mapping[str, Any]) -> int:
    act, table = outcome.act, silver(task.name)
    done = task.warehouse.append(
        table,
        _few(task, outcome.changes.rows),
        known=act.known,
        about={
            ABOUT: json.dumps(body),
            TOOK: json.dumps(_took(task, outcome)),
            NOTICED: json.dumps([as_json(one) for one in outcome.noticed]),
        },
        partition=task.source.partition,
        instead=act.renew,
        move=True,
    )
    if task.source.key:
        task.warehouse.compact(table, by=task.source.identity, beyond=_FOLD)
    return done


def _few(task: Task, rows: Sequence[Path]) -> Sequence[Path]:
    """Return the files, as one if there are so many that each costs more than its rows."""
    if len(rows) <= _FILES:
        return rows
    one = task.into / "together.parquet"
    task.engine.write_parquet(task.engine.parquet(list(rows)), one)
    return [one]


def _took(task: Task, outcome: Outcome) -> dict[str, Any]:
    folder = task.root / "warehouse" / silver(task.name)
    table = sum(file.stat().st_size for file in folder.glob("**/*.parquet"))
    return {"steps": task.took, "size": _size(outcome.came), "table": table}


def _size(came: Sequence[Arrived]) -> int:
    return sum(one.piece.size for one in came)


def _body(task: Task, outcome: Outcome, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return what the ledger is told of a load, but for the version."""
    past, act, choice, came = outcome.past, outcome.act, outcome.choice, outcome.came
    read = {one.piece.name: one.piece.digest for one in came}
    kept = {} if act.renew else {name: one.digest for name, one in past.pieces.items()}
    state = {name: found for name, found in {**kept, **read}.items() if name not in act.stale}
    moved = outcome.changes.moved or (past.told.get("moved") and not act.renew)
    position = _position(outcome)
    return {
        "table": silver(task.name),
        "known": stamp(act.known),
        "by": list(task.source.identity),
        "extract": choice.found.extract,
        **counts,
        "pieces": len(state),
        "digest": digest({"pieces": state, "reading": task.reading, "answers": _answered(task)}),
        "files": read if len(read) <= _LISTED else {},
        "files_read": len(read),
        "files_digest": digest(read),
        "taken_out": len(choice.gone),
        "waiting": list(choice.waiting),
        "answered": sum(len(one.how.get("answered", ())) for one in came),
        "reading": task.reading,
        "path": task.source.path,
        "columns": dict(act.layout.columns),
        "optional": sorted(act.layout.optional),
        "moved": bool(moved),
        "accepted": {
            code: {
                "reason": task.waivers.reasons[code],
                "by": task.waivers.by,
                "for": list(what[:_LISTED]),
            }
            for code, what in task.used.items()
        },
        "owner": task.source.owner,
        "licence": task.source.licence,
        "position": as_json(position) if position else None,
    }


def _position(outcome: Outcome) -> Position | None:
    """Return from where to ask on: not beyond pieces that are held, or they never come again."""
    after, before = outcome.choice.found.position, outcome.past.position
    if after is None or not outcome.held:
        return after
    same = before is not None and before.asked == after.asked
    held = {one.piece for one in outcome.held}
    return replace(
        after,
        mark=before.mark if before is not None and same else None,
        objects={name: version for name, version in after.objects.items() if name not in held},
    )


def _answered(task: Task) -> list[list[str]]:
    return [[one.digest, str(one.row), one.column, one.answer] for one in task.answers]


def _bronze_rows(task: Task, outcome: Outcome, for_key: pa.Table) -> pa.Table:
    import pyarrow as pa

    held_for_key = {
        line["values"]: line["counts"] for line in for_key["_piece"].value_counts().to_pylist()
    }
    known = outcome.act.known
    lines = []
    for one in outcome.came:
        if one.piece.name in task.only:
            continue  # the piece came earlier, and is listed as it came
        further = held_for_key.get(one.piece.name, 0)
        how = {
            "reading": task.reading,
            "answers": as_digest(counting(task.answers, one.piece.name, one.piece.digest, one.how)),
            "columns": list(one.columns),
            "how": dict(one.how),
            "findings": [as_json(finding) for finding in one.findings],
        }
        lines.append(
            {
                "piece": one.piece.name,
                "digest": one.piece.digest,
                "size": one.piece.size,
                "known": known,
                "came": one.came,
                "loaded": one.good - further,
                "held": one.came - one.good + further,
                "how": json.dumps(how),
            }
        )
    for name in outcome.act.stale:
        empty = {"piece": name, "digest": GONE, "size": 0, "known": known}
        lines.append({**empty, "came": 0, "loaded": 0, "held": 0, "how": "{}"})
    return pa.Table.from_pylist(lines, schema=bronze_schema())


def _held_for_key(outcome: Outcome) -> pa.Table:
    import pyarrow as pa

    schema, held = quarantine_schema(), outcome.changes.held
    if held is None:
        return schema.empty_table()
    asked = {one.piece.name: one.asked for one in outcome.came}
    lines = held.select(["_piece", "_row", "column"]).to_pylist()
    questions = [asked[one["_piece"]].get((one["_row"], one["column"])) for one in lines]
    held = held.append_column("question", pa.array(questions, pa.string()))
    there = set(held.column_names)
    columns = {
        field.name: held[field.name] if field.name in there else pa.nulls(len(held), field.type)
        for field in schema
    }
    return pa.table(columns).cast(schema)


def _quarantine_rows(outcome: Outcome, for_key: pa.Table) -> pa.Table:
    import pyarrow as pa

    schema = quarantine_schema()
    lots = [for_key]
    for one in outcome.came:
        rows = one.held.num_rows
        tried = [one.tried.get(row) for row in one.held["_row"].to_pylist()]
        added = {
            "_piece": pa.array([one.piece.name] * rows, pa.string()),
            "_known": pa.nulls(rows, schema.field("_known").type),
            "answered": pa.array(tried, pa.string()),
            "key": pa.array(
                [one.keys.get(row) for row in one.held["_row"].to_pylist()], pa.string()
            ),
            "question": pa.array(_questions(one), pa.string()),
            "differs": pa.array(_differing(one), pa.string()),
        }
        columns = {n: added[n] if n in added else one.held[n] for n in schema.names}
        lots.append(pa.table(columns, schema))
    settled = [
        {"_piece": piece, "_row": row, "code": "", "answered": CLOSED}
        for piece, row in outcome.changes.closed
    ]
    lots.append(pa.Table.from_pylist(settled, schema=schema))
    held = pa.concat_tables(lots).combine_chunks()
    known = pa.array([outcome.act.known] * held.num_rows, schema.field("_known").type)
    return held.set_column(schema.get_field_index("_known"), "_known", known)


def _differing(one: Arrived) -> list[str | None]:
    lines = one.held.select(["_row", "column", "code"]).to_pylist()
    return [
        one.differs.get((line["_row"], line["column"] or "")) if line["code"] == AGAIN else None
        for line in lines
    ]


def _questions(one: Arrived) -> list[str | None]:
    lines = one.held.select(["_row", "column"]).to_pylist()
    return [one.asked.get((line["_row"], line["column"] or "")) for line in lines]


def _measured(outcome: Outcome) -> pa.Table:
    import pyarrow as pa

    each = [(one.piece.name, measure) for one in outcome.came for measure in one.measures]
    each += [("", measure) for measure in outcome.measures]
    lines = [
        {
            "_known": outcome.act.known,
            "piece": piece,
            "rule": measure.rule,
            "dimension": measure.dimension,
            "column": measure.column,
            "action": measure.action,
            "rows": measure.rows,
            "failing": measure.failing,
            "answer": measure.answer,
            "why": measure.why,
        }
        for piece, measure in each
    ]
    return pa.Table.from_pylist(lines, schema=quality_schema())

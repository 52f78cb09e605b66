"""The act of predicting a table: choose, pin, answer part by part, commit, put on record.

Nothing is visible before the last step, and the last step is one commit; the same order over
the same rows by the same version does nothing the second time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.operate.batch.answering import Answered, Answering, Marks, taken_names
from qua3ck.operate.batch.choosing import Chosen, choose, load
from qua3ck.operate.batch.inputs import (
    PIECE,
    ROW,
    Input,
    is_file,
    memory,
    open_file,
    open_table,
    types_of,
)
from qua3ck.operate.batch.noticing import findings_of, key_findings
from qua3ck.operate.batch.outputs import Output, open_output
from qua3ck.operate.batch.parts import STAGED, WORK, Note, Work, sole, write_part
from qua3ck.operate.batch.records import Asked, Predicted

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.govern import Workspace
    from qua3ck.kit.findings import Finding
    from qua3ck.store.releases.model import Model
    from qua3ck.understand.section import Understand

PART = 131_072  # rows; eight slices
EVENT = "predictions.made"


def predict(
    asked: Asked,
    workspace: Workspace,
    section: Understand,
    *,
    refuse: bool | Sequence[str] = False,
    part: int = PART,
) -> Predicted:
    """Answer every row of a table, or hold it with a reason; rows in = answered + held.

    Parameters
    ----------
    asked : Asked
        What, where to, by which version.
    workspace : Workspace
        Ledger, warehouse, clock and who acts.
    section : Understand
        The sources and tables of the project file.
    refuse : bool or sequence of str
        Columns in which what no training row had holds its row; true for all.
    part : int
        Rows that are answered, and written, together.

    Returns
    -------
    Predicted
        The same for the same order over the same rows; only the first one is ``fresh``.

    Raises
    ------
    Blocked
        If no version may answer (O040, O041, O042, O057).
    Qua3ckError
        If the input is not there or lacks columns, the version is not itself, or the
        destination cannot be written. What was answered so far is taken up the next time.

    Notes
    -----
    Memory is that of a part and of DuckDB's share (400 MB), however many rows there are.
    """
    from qua3ck.govern import person, require
    from qua3ck.store.warehouse import Engine

    began = time.perf_counter()
    who = person(workspace.root, workspace.actor)
    require(who.name, who.roles, "run")
    chosen = choose(asked, workspace)
    output = open_output(asked.to, workspace)
    place = workspace.root / WORK / digest([asked.table, output.name])[:16]
    with ExitStack() as stack:
        stack.enter_context(sole(place))
        engine = stack.enter_context(Engine(memory=memory(), threads=1))
        model = load(chosen, workspace)
        workspace.progress("O", f"reading {asked.table}", 0, 0)
        given = _opened(asked, section, workspace, model, engine, place)
        key, notices = _key(asked, given, model, section, workspace.root)
        run = _run_of(given, chosen, key, output, refuse)
        notices = (*chosen.notices, *notices)
        order = _Order(asked, chosen, given, key, notices, output, run)
        made = _made_before(order, workspace)
        if made is None:
            work = Work(place, run)
            made = _answered(order, model, workspace, work, refuse, part)
        Work(place, run).clear()
    return replace(made, seconds=round(time.perf_counter() - began, 3))


@dataclass(frozen=True)
class _Order:
    """Everything that is settled before the first row is answered."""

    asked: Asked
    chosen: Chosen
    given: Input
    key: tuple[str, ...]
    notices: tuple[Finding, ...]
    output: Output
    run: str


def _opened(
    asked: Asked,
    section: Understand,
    workspace: Workspace,
    model: Model,
    engine: Any,
    place: Path,
) -> Input:
    if is_file(asked.table):
        path = Path(asked.table).expanduser()
        types = types_of(model.manifest.spec)
        given = open_file(path, asked, section, workspace, types, place / STAGED)
    else:
        given = open_table(asked.table, section, workspace, engine=engine)
    lacks = [name for name in model.columns if name not in given.schema.names]
    if lacks:
        near = did_you_mean(lacks[0], given.schema.names)
        more = f" (and {len(lacks) - 1} more)" if len(lacks) > 1 else ""
        raise Qua3ckError(
            f'{given.name} has no column "{lacks[0]}", which the version reads{near}{more}',
            where=given.name,
            fix=f"give a table with: {', '.join(model.columns)}; what the training function "
            "makes belongs into a gold table (qua3ck explain O051)",
            code="O051",
        )
    if given.rows == 0:
        raise Qua3ckError(
            f"{given.name} is empty: 0 rows",
            where=given.name,
            fix="look at what was loaded: qua3ck load --history",
            code="O052",
        )
    return given


def _key(
    asked: Asked, given: Input, model: Model, section: Understand, root: Path
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the columns to copy: those asked for, else the declared key unless it is personal."""
    if not asked.key:
        notices = key_findings(given, section, root)
        return (() if notices else given.key), notices
    taken = taken_names(model.manifest.outputs)
    for name in asked.key:
        if name not in given.schema.names or name in {PIECE, ROW}:
            raise Qua3ckError(
                f'{given.name} has no column "{name}"{did_you_mean(name, given.schema.names)}',
                where="--key",
                fix=f"use one of: {', '.join(n for n in given.schema.names if n[0] != '_')}",
                code="O053",
            )
        if name in taken:
            raise Qua3ckError(
                f'A column "{name}" stands beside every answer already',
                where="--key",
                fix="rename it in the table that is read",
                code="O053",
            )
    return tuple(dict.fromkeys(asked.key)), ()


def _run_of(
    given: Input,
    chosen: Chosen,
    key: Sequence[str],
    output: Output,
    refuse: bool | Sequence[str],
) -> str:
    return digest(
        {
            "source": given.name,
            "content": given.digest,
            "rows": given.rows,
            "release": chosen.release.digest,
            "key": list(key),
            "to": output.name,
            "refuse": refuse if isinstance(refuse, bool) else sorted(refuse),
        }
    )


# -- what was done already ----------------------------------------------------------------


def _made_before(order: _Order, workspace: Workspace) -> Predicted | None:
    """Return what the destination has of this very order; completes its record if need be."""
    kept = order.output.last(order.given.name)
    if kept is None or kept.facts["run"] != order.run:
        return None
    facts = kept.facts
    events = workspace.ledger.entries(EVENT, subject=order.output.name)
    if all(entry.body["run"] != order.run for entry in events):
        _record(facts, kept.version, workspace)
    return _as_predicted(order, facts, kept.version, fresh=False, taken_up=0)


def _record(facts: Mapping[str, Any], version: int | None, workspace: Workspace) -> None:
    workspace.ledger.append(EVENT, facts["to"], {**facts, "to_version": version})


def _as_predicted(
    order: _Order, facts: Mapping[str, Any], version: int | None, *, fresh: bool, taken_up: int
) -> Predicted:
    reasons = {name: list(rows) for name, rows in facts["reasons"].items()}
    chosen = order.chosen
    return Predicted(
        run=order.run,
        source=facts["source"],
        source_version=facts["source_version"],
        source_digest=facts["source_digest"],
        to=facts["to"],
        to_version=version,
        to_digest=facts["to_digest"],
        version=chosen.release.version,
        alias=facts["alias"],
        release=chosen.release.digest,
        rows=facts["rows"],
        predicted=facts["predicted"],
        held=facts["held"],
        outside=facts["strange"],
        at=facts["at"],
        key=order.key,
        left_aside=tuple(facts["left_aside"]),
        findings=(*findings_of(reasons, facts["source"], facts["rows"]), *order.notices),
        fresh=fresh,
        taken_up=taken_up,
    )


# -- answering ----------------------------------------------------------------------------


def _answered(
    order: _Order,
    model: Model,
    workspace: Workspace,
    work: Work,
    refuse: bool | Sequence[str],
    part: int,
) -> Predicted:
    begun = work.begin(order.run, stamp(workspace.clock()))
    marks = Marks(order.given.name, _fixed(order, begun.at), order.key)
    answering = Answering(model, marks, order.given.schema, refuse)
    threads = (os.cpu_count() or 1) if model.manifest.kind == "onnx" else 1
    with ThreadPoolExecutor(threads) as pool:
        notes, taken_up = _each_part(order.given, answering, work, pool, workspace, part)
    held = [work.held(note.part) for note in notes if note.held]
    if order.given.held:
        unread = work.folder / "unread.parquet"
        write_part(unread, answering.unread(order.given.held))
        held.append(unread)
    facts = _facts(order, notes, begun.at, answering.columns)
    _reconcile(facts)
    rows = [work.rows(note.part) for note in notes if note.predicted]
    version = order.output.commit(rows, held, facts, (answering.schema, answering.held_schema))
    written = order.output.bytes_digest()
    _record({**facts, "bytes": written} if written else facts, version, workspace)
    return _as_predicted(order, facts, version, fresh=True, taken_up=taken_up)


def _each_part(
    given: Input,
    answering: Answering,
    work: Work,
    pool: ThreadPoolExecutor,
    workspace: Workspace,
    part: int,
) -> tuple[list[Note], int]:
    """Answer the parts that are not noted yet; return all notes, and the rows taken up.

    A part is hashed and written while the next one is answered.
    """
    notes: list[Note] = []
    done = taken_up = 0
    began = time.perf_counter()
    waiting: Future[Note] | None = None
    with ThreadPoolExecutor(1) as writer:
        for number, rows in enumerate(_parts(given.stream(answering.columns), part)):
            note = work.note(number)
            if note is not None and note.read == _content(rows):
                notes.append(note)
                taken_up += note.rows
            else:
                made = answering.part(rows, done, pool)
                if waiting is not None:
                    notes.append(waiting.result())
                waiting = writer.submit(_kept, number, rows, made, answering.fixed, work)
            done += rows.num_rows
            speed = (done - taken_up) / max(time.perf_counter() - began, 1e-9)
            said = (
                f"predicting: {speed:,.0f} rows/s" if done > taken_up else "taking up: a run before"
            )
            workspace.progress("O", said, done, given.rows)
        if waiting is not None:
            notes.append(waiting.result())
    return sorted(notes, key=lambda note: note.part), taken_up


def _kept(number: int, rows: pa.Table, made: Answered, fixed: frozenset[str], work: Work) -> Note:
    """Bring a part to the disk; its note comes last."""
    write_part(work.rows(number), made.rows, fixed=fixed)
    if made.held.num_rows:
        write_part(work.held(number), made.held)
    said = [name for name in made.rows.column_names if name not in fixed]
    note = Note(
        part=number,
        rows=rows.num_rows,
        predicted=made.rows.num_rows,
        held=made.held_rows,
        strange=made.strange,
        read=_content(rows),
        wrote=file_digest(work.rows(number)),
        said=_content(made.rows.select(said)),
        reasons=made.reasons,
    )
    work.keep(note)
    return note


def _parts(stream: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """Yield tables of ``size`` rows, the last one of what is left."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in stream:
        waiting.append(batch)
        count += batch.num_rows
        while count >= size:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, size)
            waiting = table.slice(size).to_batches()
            count -= size
    if count:
        yield pa.Table.from_batches(waiting)


def _content(rows: pa.Table) -> str:
    from qua3ck.store.warehouse import content_digest

    return content_digest(rows)


def _fixed(order: _Order, at: str) -> dict[str, Any]:
    release, given = order.chosen.release, order.given
    return {
        "model_version": release.version,
        "model_alias": order.chosen.alias or None,
        "model_release": release.digest,
        "source_table": given.name,
        "source_version": given.version,
        "source_digest": given.digest,
        "predicted_at": datetime.fromisoformat(at),
    }


def _facts(order: _Order, notes: Sequence[Note], at: str, read: Sequence[str]) -> dict[str, Any]:
    """Return what is kept with the answers and goes to the ledger; no value of any row."""
    chosen, given = order.chosen, order.given
    unread = {at for at, _, _ in given.held}
    reasons: dict[str, list[int]] = {}
    for note in notes:
        _add(reasons, note.reasons)
    for row, column, code in given.held:
        _add(reasons, {f"{column}\t{code}": [1, row]})
    return {
        "run": order.run,
        "version": chosen.release.version,
        "alias": chosen.alias,
        **({} if chosen.while_off is None else {"while_off": chosen.while_off}),
        "release": chosen.release.digest,
        "candidate": chosen.release.candidate,
        "source": given.name,
        "source_version": given.version,
        "source_digest": given.digest,
        "to": order.output.name,
        "to_digest": digest([note.said for note in notes]),
        "rows": given.rows,
        "read": sum(note.rows for note in notes) + len(unread),
        "predicted": sum(note.predicted for note in notes),
        "held": sum(note.held for note in notes) + len(unread),
        "strange": sum(note.strange for note in notes),
        "reasons": reasons,
        "key": list(order.key),
        "left_aside": [n for n in given.schema.names if n not in read and n[0] != "_"],
        "at": at,
    }


def _add(reasons: dict[str, list[int]], more: Mapping[str, Sequence[int]]) -> None:
    for name, (count, *rows) in more.items():
        known = reasons.setdefault(name, [0])
        known[0] += count
        known += rows[: 6 - len(known)]


def _reconcile(facts: Mapping[str, Any]) -> None:
    """Refuse to commit unless every row that came is answered or held."""
    if facts["read"] == facts["rows"] == facts["predicted"] + facts["held"]:
        return
    raise Qua3ckError(
        f"{facts['rows']} rows were counted, {facts['read']} came, {facts['predicted']} were "
        f"answered and {facts['held']} held: these must agree, so nothing was written",
        where=str(facts["source"]),
        fix="type the same again; if it stays, check the table: qua3ck audit verify",
        code="O054",
    )

"""What is asked about a held record, told so that it is known again when it comes again.

A question is the column, the code, the raw value and the record: its key, or, where the table
has none or it cannot be read, a digest of the raw record. Bytes and record numbers change with
every row that is added to a file; the question does not.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest
from qua3ck.understand.loading.answers import Answer, as_texts, of_piece, typed
from qua3ck.understand.loading.held import counted
from qua3ck.understand.loading.keys import TWICE, apart, key_table
from qua3ck.understand.loading.layout import OURS
from qua3ck.understand.loading.past import LEFT_OUT, open_records
from qua3ck.understand.sources.pieces import ROW, Staged

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from qua3ck.store.warehouse.engine import Engine
    from qua3ck.understand.loading.arrivals import Arrived
    from qua3ck.understand.loading.changes import Arrival
    from qua3ck.understand.loading.task import Task

AGAIN = "U076"  # what a contract calls unique comes again
REPEATS = frozenset({TWICE, AGAIN})  # a key that comes again says nothing of which row it is
QUESTIONS = "questions"  # of a piece's how: those that were answered in reading it
PUT = "put"  # of a piece's how: record, column and question of the answers that were put into it


def identified(task: Task, one: Arrived, into: Path) -> Arrived:
    """Return a piece that says which record each of its held lines is about.

    The records are read once more, what did not fit as text: only so is a key seen.
    """
    lines = one.held.to_pylist()
    if not lines:
        return one
    misfit = {line["column"] for line in lines if line["column"]} & set(one.columns)
    rows = {line[ROW] for line in lines if line["column"] in misfit}
    key = list(task.source.row_key) if one.columns.keys() >= {*task.source.row_key} else []
    plain = bool(key) and misfit.isdisjoint(key)
    columns = [name for name in one.columns if not plain or name in misfit]
    texts = as_texts(task, one, columns, rows, into / "asked") if rows else None
    keys = _keys(task, one, texts, columns) if texts is not None and key else {}
    records = _records(texts.select([ROW, *one.columns])) if texts is not None else {}
    asked = {}
    for line in lines:
        row = line[ROW]
        record = keys.get(row) or records.get(row) or digest([line["raw"] or ""])
        said = [line["column"] or "", line["code"], line["raw"] or "", record]
        asked[row, line["column"] or ""] = digest(said)
    return replace(one, keys=keys, records=records, asked=asked)


def asked_by_rules(task: Task, one: Arrived, held: pa.Table) -> dict[tuple[int, str], str]:
    """Return the questions about records that a rule of the contract holds.

    A record is its key; where rows of one key contradict each other, and where there is no
    key, it is all of its cells as they were received. A cell that was asked about keeps its
    first question, also when the answer put into it breaks a rule again. Of several rules about
    one cell the first by its code asks.
    """
    lines = sorted(held.to_pylist(), key=lambda line: (line[ROW], line["code"]))
    whole = {line[ROW] for line in lines if line["code"] in REPEATS or line[ROW] not in one.keys}
    unread = whole - set(one.records)
    plain = _records(_rows(task, one.plain or one, unread)) if unread else {}
    records = {**plain, **one.records}
    asked: dict[tuple[int, str], str] = {}
    for line in lines:
        row, column, code = line[ROW], line["column"] or "", line["code"]
        record = records[row] if code in REPEATS or row not in one.keys else one.keys[row]
        said = [column, code, line["raw"] or "", record]
        asked.setdefault((row, column), digest(said))
    before = {(answer.row, answer.column): answer.question for answer in one.given}
    asked |= {at: question for at, question in one.asked.items() if at in asked}
    return asked | {at: question for at, question in before.items() if question and at in asked}


def told_apart(task: Task, one: Arrived, held: pa.Table) -> dict[tuple[int, str], str]:
    """Return of records that are not unique in what they differ from the others of their key.

    Returns
    -------
    dict
        Record and columns of the rule to what :func:`qua3ck.understand.loading.keys.differing`
        reads: empty for one that is equal to all others, of which the first goes on.
    """
    lines = [line for line in held.to_pylist() if line["code"] == AGAIN]
    if not lines:
        return {}
    rows = {row.pop(ROW): row for row in _rows(task, one, {n[ROW] for n in lines}).to_pylist()}
    groups: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        cells = [repr(rows[line[ROW]].get(name)) for name in line["column"].split(", ")]
        groups.setdefault((line["column"], json.dumps(cells)), []).append(line[ROW])
    found: dict[tuple[int, str], str] = {}
    for (column, _), members in groups.items():
        same = [rows[at] for at in members]
        differ = [name for name in same[0] if len({repr(row[name]) for row in same}) > 1]
        for at in members:
            found[at, column] = apart({name: rows[at][name] for name in differ})
    return found


def _rows(task: Task, one: Arrived, wanted: Collection[int]) -> pa.Table:
    """Return some rows of a piece, all columns."""
    import pyarrow as pa

    rows = task.engine.parquet(one.rows).select(ROW, *one.columns)
    few = task.engine.arrow(pa.table({ROW: pa.array(sorted(wanted), pa.int64())}))
    return task.engine.rows(rows.semi_join(few, ROW))


def _keys(task: Task, one: Arrived, texts: pa.Table, columns: Collection[str]) -> dict[int, str]:
    """Return the keys of records, as far as they can be read."""
    unread: set[int] = set()
    for name in task.source.row_key:
        if name in columns:
            values, misfits = typed(task, one, name, texts[name].to_pylist())
            unread |= set(misfits)
            texts = texts.set_column(texts.column_names.index(name), name, values)
    found = key_texts(task.engine, texts, task.source.row_key)
    skipped = {texts[ROW][at].as_py() for at in unread}
    return {row: key for row, key in found.items() if row not in skipped}


def key_texts(engine: Engine, rows: pa.Table, key: Sequence[str]) -> dict[int, str]:
    """Return the key of each row, as a list of texts in JSON; only where it is whole."""
    there = engine.arrow(rows.select([ROW, *key]))
    cells = {f"k{at}": there[name].cast("string") for at, name in enumerate(key)}
    lines = engine.rows(there.select(there[ROW], **cells)).to_pylist()
    found = {line[ROW]: [line[name] for name in cells] for line in lines}
    return {row: json.dumps(told) for row, told in found.items() if None not in told}


def _records(texts: pa.Table) -> dict[int, str]:
    return {
        line.pop(ROW): digest([None if cell is None else str(cell) for cell in line.values()])
        for line in texts.to_pylist()
    }


def answers_to(answers: Sequence[Answer], one: Arrived) -> tuple[Answer, ...]:
    """Return the answers that count for a piece: given for these bytes, or to these questions.

    Equal records ask the same. Where they were answered differently each answer goes to one of
    them; where it cannot be said which answers are theirs, they wait for one again.
    """
    piece, content = one.piece.name, one.piece.digest
    exact = of_piece(answers, piece, content)
    given = {(answer.row, answer.column): answer for answer in (*exact, *one.given)}
    asking = Counter(({at: a.question for at, a in given.items()} | dict(one.asked)).values())
    told, put = _by_question(answers), _by_question(given.values())
    turns: dict[str, Iterator[Answer]] = {}
    again = []
    for at, question in sorted(one.asked.items()):
        if at in given or question not in told:
            continue
        if question not in turns:
            turns[question] = _turns(told[question], put.get(question, ()), one, asking[question])
        answer = next(turns[question], None)
        if answer is not None:
            again.append(replace(answer, piece=piece, digest=content, row=at[0]))
    return (*exact, *again)


def _by_question(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        if answer.question:
            found.setdefault(answer.question, []).append(answer)
    return found


def _turns(
    told: Sequence[Answer], put: Sequence[Answer], one: Arrived, records: int
) -> Iterator[Answer]:
    """Return the answers to one question for the records that ask it, one after the other.

    Parameters
    ----------
    put : sequence of Answer
        Those that stand in records of the piece already.
    records : int
        How many records of the piece ask it, with these.
    """
    sets: dict[tuple[str, str], list[Answer]] = {}
    for answer in told:
        mine = answer.piece == one.piece.name
        sets.setdefault((answer.piece, answer.digest) if mine else ("", ""), []).append(answer)
    ranks = {
        at: (at == (one.piece.name, one.piece.digest), bool(at[0]), max(a.on for a in given))
        for at, given in sets.items()
    }
    repeats = any(answer.code in REPEATS for answer in told)
    count: list[Answer] = []  # later ones in the place of earlier ones
    for at in sorted(sets, key=ranks.__getitem__, reverse=True):
        if repeats or len(count) < records:
            count += sorted(sets[at], key=lambda answer: (answer.piece, answer.row))
    if not repeats:
        if len({answer.answer for answer in count}) == 1:
            return itertools.repeat(count[0])
        if one.partial or len(count) > records or len({answer.piece for answer in count}) > 1:
            return iter(())
    used = Counter(answer.answer for answer in put)
    left = []
    for answer in count:
        if used[answer.answer]:
            used[answer.answer] -= 1
        else:
            left.append(answer)
    return iter(left)


def in_turn(answers: Sequence[Answer]) -> frozenset[str]:
    """Return the questions of which each answer is for one record: they have several answers."""
    asked = _by_question(answers).items()
    return frozenset(said for said, told in asked if len({one.answer for one in told}) > 1)


def answers_beyond(answers: Sequence[Answer], one: Arrived) -> tuple[Answer, ...]:
    """Return the answers that count for a piece and were not put into it yet."""
    given = {(answer.row, answer.column) for answer in one.given}
    every = answers_to(answers, one)
    return tuple(answer for answer in every if (answer.row, answer.column) not in given)


def with_asked(task: Task, came: Sequence[Arrived], for_key: pa.Table | None) -> list[Arrived]:
    """Return the pieces with what is asked about their records that are held for their key."""
    import pyarrow.compute as pc

    if for_key is None:
        return list(came)
    found = []
    for one in came:
        lines = for_key.filter(pc.equal(for_key["_piece"], one.piece.name))
        asked = asked_by_rules(task, one, lines) if lines.num_rows else {}
        found.append(replace(one, asked={**one.asked, **asked}))
    return found


def due_records(task: Task, arrival: Arrival) -> dict[str, frozenset[int]]:
    """Return the records of the work list that have an answer nobody has tried, by piece.

    Parameters
    ----------
    arrival : Arrival
        Without parts; its keys tell which records are gone at the source.
    """
    if not task.answers:
        return {}
    asked = {one.question: one.answer for one in task.answers if one.question}
    exact = {(one.piece, one.row, one.column): one.answer for one in task.answers}
    several = in_turn(task.answers)
    lines = []
    for line in open_records(task.warehouse, task.name).to_pylist():
        at = (line["_piece"], line["_row"], line["column"] or "")
        alone = line["code"] in REPEATS or line["question"] in several
        anywhere = "" if alone else line["question"] or ""
        said = exact.get(at) or asked.get(anywhere)
        if said and not (line["answered"] and said in {line["raw"], line["answered"]}):
            lines.append(line)
    gone = set(closed(task.engine, arrival, task.source.row_key, lines, {}))
    found: dict[str, set[int]] = {}
    for line in lines:
        if (line["_piece"], line["_row"]) not in gone:
            found.setdefault(line["_piece"], set()).add(line["_row"])
    return {piece: frozenset(rows) for piece, rows in found.items()}


def some_records(task: Task, staged: Staged, rows: Collection[int], into: Path) -> Staged:
    """Return a staged piece with these records alone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    all_rows = task.engine.parquet(staged.rows)
    path = into / "some.parquet"
    names = [name for name in all_rows.columns if name == ROW or name not in OURS]
    few = all_rows.select(*names).filter(all_rows[ROW].isin(sorted(rows)))
    task.engine.write_parquet(few, path)
    wanted = pa.array(sorted(rows), pa.int64())
    held = staged.held.filter(pc.is_in(staged.held[ROW], value_set=wanted))
    return replace(staged, rows=path, came=len(rows), held=held)


def no_longer_asked(
    name: str, before: Collection[Mapping[str, Any]], now: Collection[Mapping[str, Any]]
) -> tuple[Finding, ...]:
    """Return the finding about answers that counted until now and apply to nothing any more."""
    had, has = ({one for how in hows for one in how.get(QUESTIONS, ())} for hows in (before, now))
    ended = len(had - has)
    if not ended:
        return ()
    says = (
        f"{ended} agreed {'answer applies' if ended == 1 else 'answers apply'} to nothing any "
        "more: what they answered did not come again as it was. They stay in the file of answers."
    )
    where = f"{name}, {counted(ended, 'answer')}"
    return (Finding("U171", "inform", where, says, {"answers": ended}),)


def held_keys(came: Sequence[Arrived]) -> dict[str, list[str]]:
    """Return the keys of records that wait, by piece; those that are left out do not."""
    return {
        one.piece.name: [key for row, key in one.keys.items() if one.tried.get(row) != LEFT_OUT]
        for one in came
    }


def closed(
    engine: Engine,
    arrival: Arrival,
    key: Sequence[str],
    waiting: Sequence[Mapping[str, Any]],
    held: Mapping[str, Collection[str]],
) -> tuple[tuple[str, int], ...]:
    """Return the entries (piece, record) of which a later version came, or that are gone.

    Parameters
    ----------
    waiting : sequence of mapping
        Lines of the work list that are not of pieces that come again.
    held : mapping
        Piece to the keys that it holds now.
    """
    # one held under another key than is declared now stays open until its piece comes again
    lines = [line for line in waiting if line["key"] and len(json.loads(line["key"])) == len(key)]
    if not lines:
        return ()
    table = key_table(key, [line["key"] for line in lines])
    met: list[tuple[int, str]] = []
    if arrival.parts:
        rows = engine.parquet(list(arrival.parts.values()))
        found = in_types_of(engine, table, rows, key).inner_join(
            rows.select(*key, "_piece"), list(key)
        )
        pairs = engine.rows(found.select("at", "_piece").distinct()).to_pylist()
        met = [(line["at"], line["_piece"]) for line in pairs]
    met += [
        (at, piece)
        for piece, keys in held.items()
        for at, line in enumerate(lines)
        if line["key"] in set(keys)
    ]
    ranks = arrival.ranks
    done = {
        at
        for at, piece in met
        if arrival.extract != "pieces" or ranks[piece] > ranks.get(lines[at]["_piece"], -1)
    }
    if arrival.keys is not None:
        there = engine.parquet(arrival.keys)
        gone = in_types_of(engine, table, there, key).anti_join(there, list(key))
        done |= set(engine.rows(gone.select("at"))["at"].to_pylist())
    return tuple(sorted({(lines[at]["_piece"], lines[at]["_row"]) for at in done}))


def in_types_of(
    engine: Engine, table: pa.Table, rows: ibis.Table, key: Sequence[str]
) -> ibis.Table:
    """Return keys that are told as texts with the types that they have in some rows."""
    told = engine.arrow(table)
    return told.mutate(**{name: told[name].cast(rows[name].type()) for name in key})

"""Answers to held records: kept in a file beside the project, applied when the piece is read.

``mappings/<source>.csv`` names piece, its digest, record, column and answer, and the digest of
the question. The bytes stay as received; an answer counts for the bytes it was given for, and
wherever the same question comes again (:mod:`qua3ck.understand.loading.questions`). It is read
as a cell of the source would be.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import write_atomic
from qua3ck.understand.loading.arrivals import Arrived, account, count
from qua3ck.understand.loading.past import LEFT_OUT
from qua3ck.understand.loading.task import Task
from qua3ck.understand.section import Source
from qua3ck.understand.sources.pieces import ROW, held_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.understand.section import ColumnType

EMPTY = "(empty)"  # the answer that a cell has no value
MISFIT = "U033"  # a cell that is not of its column's type, as in delimited text
_FIELDS = ("piece", "digest", "row", "column", "code", "answer", "by", "on", "question")


@dataclass(frozen=True)
class Answer:
    """What stands in a cell's place, or that a record is to be left out, and who said so."""

    piece: str
    digest: str
    row: int
    column: str
    code: str
    answer: str
    by: str = ""
    on: str = ""
    question: str = ""


def answers_file(root: Path, name: str) -> Path:
    """Return where the answers to a source's held records are kept."""
    return root / "mappings" / f"{name}.csv"


def read_answers(root: Path, name: str) -> tuple[Answer, ...]:
    """Return all answers that were ever given for a source.

    Raises
    ------
    Qua3ckError
        If the file cannot be read.
    """
    path = answers_file(root, name)
    if not path.is_file():
        return ()
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            lines = list(csv.DictReader(handle, strict=True))
        return tuple(_answer(line) for line in lines)
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as problem:
        raise Qua3ckError(
            f"The answers cannot be read ({type(problem).__name__})",
            where=str(path),
            fix=f"bring the file back as it was committed; its columns are {', '.join(_FIELDS)}",
            code="U150",
        ) from None


def _answer(line: Mapping[str, str]) -> Answer:
    rest = {field: line[field] for field in _FIELDS if field not in {"row", "question"}}
    return Answer(row=int(line["row"]), question=line.get("question") or "", **rest)


def write_answers(root: Path, name: str, answers: Sequence[Answer]) -> Path:
    """Write all answers of a source, later ones in the place of earlier ones."""
    import io

    last = {(one.piece, one.digest, one.row, one.column): one for one in answers}
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(_FIELDS)
    for one in sorted(last.values(), key=lambda one: (one.piece, one.row, one.column)):
        lines.writerow([getattr(one, field) for field in _FIELDS])
    path = answers_file(root, name)
    write_atomic(path, text.getvalue().encode())
    return path


def of_piece(answers: Sequence[Answer], name: str, content: str) -> tuple[Answer, ...]:
    """Return the answers that count for a piece with these bytes."""
    return tuple(one for one in answers if (one.piece, one.digest) == (name, content))


def counting(
    answers: Sequence[Answer], name: str, content: str, how: Mapping[str, Any]
) -> tuple[Answer, ...]:
    """Return the answers that a piece rests on, given for it or for the same question before."""
    said = set(how.get("questions", ()))
    return tuple(
        one
        for one in answers
        if (one.piece, one.digest) == (name, content) or (one.question and one.question in said)
    )


def as_digest(answers: Sequence[Answer]) -> str:
    """Return the digest of what some answers do; empty if there are none."""
    listed = sorted((one.row, one.column, one.answer) for one in answers)
    return digest([list(map(str, one)) for one in listed]) if listed else ""


def answered(task: Task, one: Arrived, answers: Sequence[Answer], into: Path) -> Arrived:
    """Return a piece with its answers in their cells' places.

    A record goes on only if every cell it was held for has an answer that fits. It is read
    once more with these columns as text; the answer is put in, and the cell read by the
    source's rules, or as ISO date and plain number.
    """
    cells: dict[int, dict[str, str]] = {}
    for answer in answers:
        cells.setdefault(answer.row, {})[answer.column] = answer.answer
    left_out = {row for row, said in cells.items() if LEFT_OUT in said.values()}
    columns = [
        name
        for name in one.columns
        if any(name in said for row, said in cells.items() if row not in left_out)
    ]
    texts = as_texts(task, one, columns, set(cells) - left_out, into / "as-text")
    good, wrong = _read(task, one, texts, columns, cells)
    codes = {answer.row: (answer.code, answer.column) for answer in answers}
    return _together(task, one, good, wrong, {row: codes[row] for row in left_out}, into)


def as_texts(
    task: Task, one: Arrived, columns: Sequence[str], rows: set[int], folder: Path
) -> pa.Table:
    """Return some records, the columns in question as text, read in a folder of its own."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from qua3ck.understand.sources.stage import stage

    folder.mkdir(parents=True)
    types = {**_types(one), **dict.fromkeys(columns, "string")}
    plain = _without(task.source, columns)
    staged = stage(one.piece, plain, types=types, into=folder, place=task.place)  # type: ignore[arg-type]  # the words are column types
    wanted = pa.array(sorted(rows), pa.int64())
    found = [
        batch.filter(pc.is_in(batch[ROW], value_set=wanted))
        for batch in pq.ParquetFile(staged.rows).iter_batches()
    ]
    return pa.Table.from_batches(found, schema=pq.read_schema(staged.rows))


def _types(one: Arrived) -> dict[str, ColumnType]:
    from qua3ck.understand.loading.layout import Layout

    return Layout(one.columns).types()


def _without(source: Source, columns: Sequence[str]) -> Source:
    """Return the declaration without what would type these columns."""
    names = set(columns)
    return source.model_copy(
        update={
            key: {name: said for name, said in getattr(source, key).items() if name not in names}
            for key in ("types", "dates")
        }
    )


def _read(
    task: Task,
    one: Arrived,
    texts: pa.Table,
    columns: Sequence[str],
    cells: Mapping[int, Mapping[str, str]],
) -> tuple[pa.Table, dict[int, list[tuple[str, str]]]]:
    """Return the records whose answers fit, and of the others the columns and answers."""
    import pyarrow as pa

    rows = texts[ROW].to_pylist()
    wrong: dict[int, list[tuple[str, str]]] = {}
    for name in columns:
        told = texts[name].to_pylist()
        put = [cells[row].get(name, text) for row, text in zip(rows, told, strict=True)]
        put = [None if text == EMPTY else text for text in put]
        values, misfits = _values(task, name, put, _types(one)[name])
        for at in misfits:
            wrong.setdefault(rows[at], []).append((name, put[at] or ""))
        texts = texts.set_column(texts.column_names.index(name), name, values)
    fits = pa.array([row not in wrong for row in rows], pa.bool_())
    return texts.filter(fits), wrong


def typed(
    task: Task, one: Arrived, name: str, cells: Sequence[str | None]
) -> tuple[pa.Array, list[int]]:
    """Return texts as values of a column of the piece, and the positions that are none."""
    return _values(task, name, cells, _types(one)[name])


def _values(
    task: Task, name: str, cells: Sequence[str | None], kind: ColumnType
) -> tuple[pa.Array, list[int]]:
    """Return texts as values of a column, and the positions of those that are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from qua3ck.understand.sources.cells import Marks, read_cells
    from qua3ck.understand.sources.columns import columns_of, marks_of, read_column

    text = pa.array(cells, pa.string())
    narrow = task.source.model_copy(
        update={
            key: {n: said for n, said in getattr(task.source, key).items() if n == name}
            for key in ("types", "dates", "nulls")
        }
    )
    column = columns_of([name], narrow, {name: kind}, place=task.place)[0]
    values, misfits, _ = read_column(text, column, marks_of(task.source))
    if misfits is None:
        return values, []
    plain, still = read_cells(pc.utf8_trim_whitespace(text), column.kind or "string", Marks())
    if values.type == plain.type:
        values = pc.if_else(misfits, plain, values)
        misfits = pc.and_(misfits, still) if still is not None else pa.array([False] * len(text))
    return values, [at for at, misfit in enumerate(misfits.to_pylist()) if misfit]


def _together(
    task: Task,
    one: Arrived,
    good: pa.Table,
    wrong: Mapping[int, Sequence[tuple[str, str]]],
    left_out: Mapping[int, tuple[str, str]],
    into: Path,
) -> Arrived:
    """Return the piece with good answers among its rows, and all else held."""
    import ibis
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = task.engine.parquet(one.rows).select(*one.columns, ROW)
    taken = [*good[ROW].to_pylist(), *wrong, *left_out]
    apart = pa.table({ROW: pa.array(taken, pa.int64())})
    schema = rows.schema()
    more = task.engine.arrow(good.select([*one.columns, ROW]))
    same = more.select(**{name: more[name].cast(schema[name]) for name in rows.columns})
    path = into / "answered.parquet"
    others = rows.anti_join(task.engine.arrow(apart), ROW)
    task.engine.write_parquet(ibis.union(others, same), path, order=[ROW])
    there = pc.is_in(one.held[ROW], value_set=apart[ROW].combine_chunks())
    lines = one.held.filter(pc.invert(there)).to_pylist()
    lines += [
        {ROW: row, "column": name, "code": MISFIT, "raw": said}
        for row, cells in wrong.items()
        for name, said in cells
    ]
    lines += [
        {ROW: row, "column": column or None, "code": code, "raw": ""}
        for row, (code, column) in left_out.items()
    ]
    held = pa.Table.from_pylist(lines, schema=held_schema())
    account(one.piece.name, one.came, count(path), held, place=task.place)
    said = {row: "; ".join(text for _, text in cells) for row, cells in wrong.items()}
    used: list[dict[str, Any]] = [{"row": row} for row in sorted(good[ROW].to_pylist())]
    return replace(
        one,
        rows=path,
        good=count(path),
        held=held,
        how={**one.how, "answered": used, "left_out": sorted(left_out)},
        tried={**said, **dict.fromkeys(left_out, LEFT_OUT)},
    )

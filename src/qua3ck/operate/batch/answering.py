"""From a part of the input to its answers: prepared, answered, and marked with where they are from.

A part is cut into slices that are answered side by side: the runtime of a graph needs no
lock, and a row's answer does not depend on the rows beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.operate.batch.fitting import FLAGGED, fit
from qua3ck.operate.batch.inputs import PIECE, ROW
from qua3ck.store.releases.rows import Rows

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.store.releases.model import Model

SLICE = 16_384  # rows; a multiple of the blocks in which a model is run
_FEW = 5


@dataclass(frozen=True)
class Marks:
    """What stands beside every answer of a run.

    ``fixed`` are columns with one value; ``key`` the columns that are copied.
    """

    source: str
    fixed: Mapping[str, Any]
    key: tuple[str, ...]


@dataclass(frozen=True)
class Answered:
    """One part: a table of answers, one of held rows, and the reasons of both kinds of notice."""

    rows: pa.Table
    held: pa.Table
    held_rows: int
    strange: int
    reasons: dict[str, list[int]]


class Answering:
    """A loaded version with what is to stand beside its answers.

    Parameters
    ----------
    model : Model
        Proven and replayed.
    marks : Marks
        Of this run.
    schema : pyarrow.Schema
        Of the input.
    refuse : bool or sequence of str
        Columns in which what no training row had holds its row.
    """

    def __init__(
        self, model: Model, marks: Marks, schema: pa.Schema, refuse: bool | Sequence[str]
    ) -> None:
        self._model, self._marks, self._refuse = model, marks, refuse
        # A row is held for its column and a code; nothing of what training had may stand there.
        self._known = Rows(model.manifest.spec, hidden=frozenset(model.columns))
        self._piece, self._row = PIECE in schema.names, ROW in schema.names
        wanted = [*marks.key, *model.columns]
        wanted += [PIECE] * self._piece + [ROW] * self._row
        self.columns = tuple(dict.fromkeys(wanted))
        self.fixed = frozenset({*_OWN, PIECE})
        self.schema = _schema(marks, schema, model.manifest.outputs, piece=self._piece)
        self.held_schema = _held_schema(marks, schema, piece=self._piece)

    def part(self, rows: pa.Table, start: int, pool: Executor) -> Answered:
        """Answer the rows of a part, the first of which is number ``start`` (from 0)."""
        import pyarrow as pa

        slices = list(_slices(rows, start))
        each = list(pool.map(self._slice, *zip(*slices, strict=True))) if slices else []
        answers = [one[0] for one in each]
        held = [one[1] for one in each]
        reasons: dict[str, list[int]] = {}
        for _, _, noticed in each:
            for at, column, code in noticed:
                count = reasons.setdefault(f"{column}\t{code}", [0])
                count[0] += 1
                if len(count) <= _FEW:
                    count.append(at)
        table = pa.Table.from_batches(answers, schema=self.schema)
        kept_back = pa.Table.from_batches(held, schema=self.held_schema)
        strange = table.num_rows - table["strange"].null_count
        return Answered(table, kept_back, rows.num_rows - table.num_rows, strange, reasons)

    def unread(self, held: Sequence[tuple[int, str, str]]) -> pa.Table:
        """Return records that could not be read at all in the form of held rows."""
        import pyarrow as pa

        count = len(held)
        given = {
            PIECE: pa.repeat(pa.scalar(self._marks.source), count),
            ROW: pa.array([at for at, _, _ in held], pa.int64()),
            "source_row": pa.array([at for at, _, _ in held], pa.int64()),
            "column": pa.array([column for _, column, _ in held], pa.string()),
            "code": pa.array([code for _, _, code in held], pa.string()),
        }
        return pa.Table.from_batches([self._filled(given, count, self.held_schema)])

    def _slice(
        self, rows: pa.RecordBatch, start: int
    ) -> tuple[pa.RecordBatch, pa.RecordBatch, list[tuple[int, str, str]]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        fitted = fit(rows, self._known, refuse=self._refuse)
        whole = bool(fitted.kept.all())
        kept = rows if whole else rows.filter(pa.array(fitted.kept))
        places = pa.array(_positions(fitted.kept) + start + 1)
        given = self._where(kept, places)
        given["strange"] = pa.array(fitted.strange, pa.string())
        given |= self._said(fitted.prepared)
        answers = self._filled(given, kept.num_rows, self.schema)
        lines = pa.array([at for at, _, _ in fitted.held], pa.int64())
        beside = self._where(rows.take(lines), pc.add(lines, start + 1))
        beside["column"] = pa.array([column for _, column, _ in fitted.held], pa.string())
        beside["code"] = pa.array([code for _, _, code in fitted.held], pa.string())
        held = self._filled(beside, len(fitted.held), self.held_schema)
        # Of a file, people look for the record; a table's rows are numbered as they are answered.
        shown = ROW if self._piece else "source_row"
        noticed = _lines(beside[shown], fitted.held)
        return answers, held, noticed + _flagged(given["strange"], given[shown])

    def _where(self, rows: pa.RecordBatch, places: pa.Array) -> dict[str, pa.Array]:
        """Return the columns that say which row it is."""
        import pyarrow as pa

        given = {name: rows[name] for name in self._marks.key}
        if self._piece:
            given["source_piece"] = rows[PIECE]
        given["source_row"] = rows[ROW].cast(pa.int64()) if self._row else places
        given[PIECE] = pa.repeat(pa.scalar(self._marks.source), len(places))
        given[ROW] = places
        return given

    def _said(self, prepared: Any) -> dict[str, pa.Array]:
        """Return what the model answers, by the names of its one output schema."""
        import pyarrow as pa

        manifest = self._model.manifest
        if not len(prepared):
            kinds = {name: self.schema.field(name).type for name in manifest.outputs}
            return {name: pa.array([], kind) for name, kind in kinds.items()}
        answer = self._model.answer(prepared)
        if answer.values is not None:
            return {"value": pa.array(answer.values)}
        made = {"label": pa.array(answer.labels, pa.string())}
        for at, name in enumerate(manifest.classes):
            made[f"p_{name}"] = pa.array(answer.figures[:, at])
        return made

    def _filled(
        self, given: Mapping[str, pa.Array], count: int, schema: pa.Schema
    ) -> pa.RecordBatch:
        import pyarrow as pa

        columns = []
        for field in schema:
            found = given.get(field.name)
            if found is None:
                value = pa.scalar(self._marks.fixed.get(field.name), field.type)
                found = pa.repeat(value, count)
            columns.append(found.cast(field.type) if found.type != field.type else found)
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def taken_names(outputs: Sequence[str]) -> frozenset[str]:
    """Return the names that a copied column cannot have."""
    return frozenset({*outputs, *_OWN, "source_piece", "source_row", "strange", "column", "code"})


_OWN = (
    "model_version",
    "model_alias",
    "model_release",
    "source_table",
    "source_version",
    "source_digest",
    "predicted_at",
)


def _schema(marks: Marks, given: pa.Schema, outputs: Sequence[str], *, piece: bool) -> pa.Schema:
    import pyarrow as pa

    said = [pa.field(name, pa.string() if name == "label" else pa.float64()) for name in outputs]
    return pa.schema(
        [*_place(marks, given, piece=piece), *said, pa.field("strange", pa.string()), *_fixed()]
    )


def _held_schema(marks: Marks, given: pa.Schema, *, piece: bool) -> pa.Schema:
    import pyarrow as pa

    why = [pa.field("column", pa.string()), pa.field("code", pa.string())]
    return pa.schema([*_place(marks, given, piece=piece), *why, *_fixed()])


def _place(marks: Marks, given: pa.Schema, *, piece: bool) -> list[pa.Field]:
    import pyarrow as pa

    first = [pa.field(name, given.field(name).type) for name in marks.key]
    where = [pa.field("source_piece", pa.string())] if piece else []
    return [*first, *where, pa.field("source_row", pa.int64())]


def _fixed() -> list[pa.Field]:
    import pyarrow as pa

    kinds = {
        "model_version": pa.int64(),
        "source_version": pa.int64(),
        "predicted_at": pa.timestamp("us", "UTC"),
    }
    own = [pa.field(name, kinds.get(name, pa.string())) for name in _OWN]
    return [*own, pa.field(PIECE, pa.string()), pa.field(ROW, pa.int64())]


def _slices(rows: pa.Table, start: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    whole = rows.combine_chunks().to_batches()
    for batch in whole:
        for at in range(0, batch.num_rows, SLICE):
            yield batch.slice(at, SLICE), start + at
        start += batch.num_rows


def _positions(kept: Any) -> Any:
    import numpy as np

    return np.flatnonzero(kept).astype(np.int64)


def _lines(rows: pa.Array, held: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    return [(row, *why) for row, (_, *why) in zip(rows.to_pylist(), held, strict=True)]


def _flagged(strange: pa.Array, places: pa.Array) -> list[tuple[int, str, str]]:
    import pyarrow.compute as pc

    if strange.null_count == len(strange):
        return []
    there = pc.is_valid(strange)
    rows, named = places.filter(there).to_pylist(), strange.filter(there).to_pylist()
    return [
        (row, column, FLAGGED)
        for row, names in zip(rows, named, strict=True)
        for column in names.split(", ")
    ]

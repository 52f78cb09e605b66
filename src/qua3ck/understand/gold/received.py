"""What stands between the bytes of a piece and its rows: how it was read, and answers given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.understand.loading.answers import Answer, read_answers
from qua3ck.understand.loading.past import aware, in_force
from qua3ck.understand.loading.questions import PUT

if TYPE_CHECKING:
    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand.section import Source

Pieces = Mapping[tuple[str, str], tuple["Received", ...]]
Answers = Mapping[tuple[str, datetime, int], tuple["Answered", ...]]
_WHOLE = ("encoding", "delimiter", "decimal", "thousands", "null", "skip", "footer", "sheet")


@dataclass(frozen=True)
class Received:
    """A piece as it was read once: how, the SHA-256 of its bytes, and when."""

    how: Mapping[str, Any]
    digest: str
    known: datetime

    @property
    def loaded(self) -> str:
        """When, to the minute, as a person reads it."""
        return f"{self.known:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Answered:
    """A cell in whose place an answer stands: the bytes as received say something else there."""

    column: str
    answer: str
    by: str
    on: str


def pieces_of(sources: Mapping[str, int | None], warehouse: Warehouse) -> Pieces:
    """Return how the pieces (source, name) of some sources were read, each time, oldest first.

    Parameters
    ----------
    sources : mapping
        Source to the version of its table that rests on the pieces; None: the last.
    """
    found: dict[tuple[str, str], tuple[Received, ...]] = {}
    for source, version in sources.items():
        if warehouse.version(f"bronze/{source}") is None:
            continue
        listed = warehouse.read(f"bronze/{source}").select(["piece", "digest", "known", "how"])
        standing = {one.known for one in in_force(warehouse, f"silver/{source}", version=version)}
        for one in sorted(listed.to_pylist(), key=lambda line: line["known"]):
            at = (source, one["piece"])
            if aware(one["known"]) in standing:
                how = json.loads(one["how"]).get("how", {})
                read = Received(how, one["digest"], aware(one["known"]))
                found[at] = (*found.get(at, ()), read)
    return found


def read_at(pieces: Pieces, source: str, piece: str, known: datetime) -> Received | None:
    """Return how a piece had been read last at a moment; None if it had not.

    A row that did not change stays as it came first: its number counts in those bytes, not in
    those that the piece has now.
    """
    reads = [one for one in pieces.get((source, piece), ()) if one.known <= known]
    return reads[-1] if reads else None


def answers_of(
    root: Path, sources: Iterable[str], pieces: Pieces, warehouse: Warehouse
) -> dict[str, Answers]:
    """Return for each source the answers that stand in its records' cells.

    Those that were given for these very bytes, and those to the same question in other bytes.

    Returns
    -------
    dict
        Source to the answers by piece, the moment it was read, and record.
    """
    return {name: _by_record(root, name, pieces, warehouse) for name in sources}


def _by_record(root: Path, name: str, pieces: Pieces, warehouse: Warehouse) -> Answers:
    given = read_answers(root, name)
    if not given:
        return {}
    found: dict[tuple[str, datetime, int], dict[str, Answered]] = {}
    exact = (
        (one.piece, read, one.row, one.column, one)
        for one in given
        for read in pieces.get((name, one.piece), ())
        if read.digest == one.digest
    )
    # what was given for these very bytes comes last, and so counts more
    for piece, read, row, column, one in (*_carried(name, given, pieces, warehouse), *exact):
        record = found.setdefault((piece, read.known, row), {})
        record[column] = Answered(column, one.answer, one.by, one.on)
    return {at: tuple(record.values()) for at, record in found.items()}


def _carried(
    name: str, given: Iterable[Answer], pieces: Pieces, warehouse: Warehouse
) -> Iterator[tuple[str, Received, int, str, Answer]]:
    """Yield piece, record, column and answer wherever an answered question came again.

    Either when the piece was read, or later: then the record had been held with that question,
    and was read once more from the bytes that were kept.
    """
    last = {one.question: one for one in sorted(given, key=lambda one: one.on) if one.question}
    for (source, piece), reads in pieces.items():
        for read in reads if source == name else ():
            for row, column, question in read.how.get(PUT, ()):
                if question in last:
                    yield piece, read, int(row), column, last[question]
    if warehouse.version(f"quarantine/{name}") is None:
        return
    held = warehouse.read(f"quarantine/{name}")
    if "question" not in held.column_names:  # written before there was such a column
        return
    for line in held.select(["_piece", "_row", "_known", "column", "question"]).to_pylist():
        when = read_at(pieces, name, line["_piece"], aware(line["_known"]))
        if when is not None and line["question"] in last:
            one = last[line["question"]]
            yield line["_piece"], when, line["_row"] or 0, line["column"] or "", one


def reading_of(source: Source, how: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return how a piece was read, as a whole and per column about which something was declared.

    Parameters
    ----------
    source : Source
        Its declaration; how the piece was read counts where it tells more.
    how : mapping
        What the list of pieces has about its reading.
    """
    declared = {"null": list(source.null), "nulls": source.nulls, "dates": source.dates}
    read = {**declared, **how}
    whole = [f"{key} {_listed(read[key])}" for key in _WHOLE if read.get(key) not in (None, [], 0)]
    columns = dict.fromkeys([*read["dates"], *read["nulls"], *source.types])
    rules = {}
    for column in columns:
        parts = [
            f"as {source.types[column]}" if column in source.types else "",
            f"date by {_listed(read['dates'][column])}" if column in read["dates"] else "",
            f"no value: {_listed(read['nulls'][column])}" if column in read["nulls"] else "",
        ]
        rules[column] = ", ".join(part for part in parts if part)
    told = f", {', '.join(whole)}" if whole else ""
    return f"reading {source.kind}{told}", rules


def _listed(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " or ".join(f'"{one}"' for one in value)
    return f'"{value}"' if isinstance(value, str) else str(value)

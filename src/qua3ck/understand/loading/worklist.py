"""Quarantine as a work list: what waits, by piece, record and column."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.understand.contract.said import NOT_SHOWN, said_of_source
from qua3ck.understand.loading.held import title
from qua3ck.understand.loading.keys import differing, key_table
from qua3ck.understand.loading.past import ABOUT, in_force, listed_pieces, open_records, silver
from qua3ck.understand.loading.questions import in_types_of
from qua3ck.understand.section import Source
from qua3ck.understand.sources.places import place_of

if TYPE_CHECKING:
    from qua3ck.govern import Workspace

SAME = "the same row again"
_LONGEST = 32_000  # characters of a cell, as Excel holds them


@dataclass(frozen=True)
class Waiting:
    """One held cell (or record, with no column) and what was received.

    ``place`` is where in its file it stands, as a person would look for it; ``problem`` is in
    words; ``tried`` an answer that was given and did not fit either; ``stays`` the piece whose
    row is current under its key until then, if one is.
    """

    piece: str
    row: int
    place: str
    column: str
    code: str
    problem: str
    received: str
    tried: str = ""
    question: str = ""
    stays: str = ""

    @property
    def said(self) -> str:
        """The problem as the sheet has it."""
        again = f'; "{self.tried}" does not fit either' if self.tried else ""
        return f"{self.code}: {self.problem}{again}"


def work_list(name: str, source: Source, workspace: Workspace) -> tuple[Waiting, ...]:
    """Return what waits of a source, by piece, record and column.

    What was received is shown only of columns that the contract does not classify as more
    than internal; a whole record only if that is so of all. Of a key that comes twice stands
    beside it in what its records differ, or that it is the same row again.
    """
    hidden, any_hidden = _classified(name, source, workspace.root)
    lines = open_records(workspace.warehouse, name).to_pylist()
    hows = {one.name: one.how for one in listed_pieces(workspace.warehouse, name)}
    stays = _standing(name, source, workspace, {line["key"] for line in lines if line["key"]})
    waiting = []
    for line in lines:
        columns = [part for part in (line["column"] or "").split(", ") if part]
        hide = any(one in hidden for one in columns) if columns else any_hidden
        waiting.append(
            Waiting(
                line["_piece"],
                line["_row"] or 0,
                place_of(line["_row"] or 0, hows.get(line["_piece"], {})),
                line["column"] or "",
                line["code"],
                title(line["code"]),
                _received(line, hidden, hide=hide)[:_LONGEST],
                "" if hide else line["answered"] or "",
                line["question"] or "",
                stays.get(line["key"] or "", ""),
            )
        )
    return tuple(sorted(waiting, key=lambda one: (one.piece, one.row, one.column, one.code)))


def _standing(
    name: str, source: Source, workspace: Workspace, keys: Collection[str]
) -> dict[str, str]:
    """Return of keys, each a list of texts in JSON, the pieces whose rows are current under them.

    Nothing if the table was made by another key than is declared now.
    """
    from qua3ck.store.warehouse import Engine

    loads = [one for one in in_force(workspace.warehouse, silver(name)) if ABOUT in one.about]
    if not keys or not loads:
        return {}
    if tuple(json.loads(loads[-1].about[ABOUT]).get("by", ())) != source.identity:
        return {}
    found: dict[str, set[str]] = {}
    with Engine() as engine:
        rows = workspace.warehouse.current_view(
            silver(name), engine=engine, by=source.identity, meta=True
        )
        for by in {source.key, source.identity}:
            told = [key for key in sorted(keys) if len(json.loads(key)) == len(by)]
            asked = in_types_of(engine, key_table(by, told), rows, by)
            met = asked.inner_join(rows.select(*by, "_piece"), list(by)).select("at", "_piece")
            for line in engine.rows(met.distinct()).to_pylist():
                found.setdefault(told[line["at"]], set()).add(line["_piece"])
    return {key: ", ".join(sorted(pieces)) for key, pieces in found.items()}


def _received(line: Mapping[str, Any], hidden: Collection[str], *, hide: bool) -> str:
    """Return what was received; of a key that comes twice also in what its records differ."""
    raw = NOT_SHOWN if hide else _printable(line["raw"] or "")
    if line["differs"] is None:
        return raw
    found = differing(line["differs"])
    cells = [
        f"{column} {NOT_SHOWN if column in hidden else _printable(cell)}"
        for column, cell in found.items()
    ]
    return f"{raw}; {', '.join(cells) or SAME}"


def _printable(text: str) -> str:
    """Return a text without the signs that no sheet can hold."""
    return "".join(sign for sign in text if sign in "\t\n" or sign >= " ").strip()


def summary(waiting: Sequence[Waiting]) -> list[tuple[str, str, str, int]]:
    """Return code, problem, column and lines, most frequent first."""
    counts = Counter((one.code, one.problem, one.column) for one in waiting)
    return [
        (*what, lines) for what, lines in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def _classified(name: str, source: Source, root: Path) -> tuple[frozenset[str], bool]:
    """Return the columns whose cells are not shown, and whether there is any."""
    said = said_of_source(name, source, root)
    hidden = frozenset(column for column, one in said.items() if one.private)
    return hidden, bool(hidden)

"""How often answers were right: what came true, held against what was answered, always.

Reads the log as it grows and keeps, in one small file, how far it has read, the answers whose
truth may still come, and the counts. Each look is one transaction, so that a process that is
killed at any moment neither loses an outcome nor counts it twice.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from qua3ck.kit.records import write_atomic
from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.metrics import counters_folder

_PIECE_BYTES = 8 * 1024 * 1024  # of the log in one look, which is one second
_MOST_BYTES = 64 * 1024 * 1024  # of answers that are remembered
_LOOKS = 3  # how often an outcome is sought: another worker's file may be read after it
_Arm = tuple[str, int]
_TABLES = """
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS answers (id TEXT NOT NULL, arm TEXT NOT NULL, version INTEGER NOT NULL,
    said TEXT NOT NULL, UNIQUE (id, arm, version));
CREATE TABLE IF NOT EXISTS waiting (id TEXT NOT NULL, line INTEGER NOT NULL, came TEXT NOT NULL,
    looks INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS counts (arm TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL,
    n INTEGER NOT NULL, total REAL NOT NULL, UNIQUE (arm, version, kind));
"""


@dataclass(frozen=True)
class Met:
    """What came true so far, by arm and version.

    ``right`` and ``wrong`` count labels; ``numbers`` has how many numbers came true and the
    sum of their absolute errors, in the target's unit. ``unmatched`` are outcomes of which no
    answer is remembered, or none that has their row.
    """

    right: Mapping[_Arm, int] = field(default_factory=dict)
    wrong: Mapping[_Arm, int] = field(default_factory=dict)
    numbers: Mapping[_Arm, tuple[int, float]] = field(default_factory=dict)
    unmatched: int = 0


class Truth:
    """Joins outcomes with answers; only one process at a time may do so for a project.

    What came true counts once for each row and arm. The newest answers are remembered, 64 MB
    of them: some 400,000 of one row each.
    """

    def __init__(self, plan: ServePlan) -> None:
        self._plan = plan
        self._base: sqlite3.Connection | None = None
        self._told: Met | None = None

    def step(self) -> None:
        """Take what was logged since the last look, at most 8 MB of it."""
        base = self._base = self._base or _opened(self._plan.state / "truth.db")
        with base:
            base.execute("BEGIN IMMEDIATE")
            grown, behind = self._take(base)
            if grown or base.execute("SELECT 1 FROM waiting LIMIT 1").fetchone():
                _join(base)
                _give_up(base, behind=behind)
                _forget_oldest(base)
        now = _counted(base)
        if now != self._told:
            write_atomic(_place(self._plan), _as_json(now))
            self._told = now

    def close(self) -> None:
        """Let go of the file."""
        if self._base is not None:
            self._base.close()
            self._base = None

    def _take(self, base: sqlite3.Connection) -> tuple[bool, bool]:
        """Read a piece of the log; return whether anything came, and whether more is there."""
        from qua3ck.operate.serve.compacting import log_files, read_whole_lines

        marks = dict(base.execute("SELECT name, at FROM marks"))
        left, behind, now = _PIECE_BYTES, False, dict[str, int]()
        for path in log_files(self._plan):
            at = now[path.name] = marks.get(path.name, 0)
            with suppress(FileNotFoundError):  # moved into the warehouse just now
                more = path.stat().st_size - at
                if more <= 0:
                    continue
                if left <= 0:
                    behind = True
                    continue
                lines, end = read_whole_lines(path, at, most=min(left, more))
                now[path.name] = end
                left -= len(lines)
                behind = behind or (end > at and end < at + more)
                _keep(base, lines)
        if now != marks:
            base.execute("DELETE FROM marks")
            base.executemany("INSERT INTO marks VALUES (?, ?)", now.items())
        return any(now[name] != marks.get(name, 0) for name in now), behind


def met(plan: ServePlan) -> Met:
    """Return what came true so far, as far as it was told; for whoever only reads."""
    try:
        said = json.loads(_place(plan).read_bytes())
        labels = {kind: {(a, int(v)): int(n) for a, v, n in said[kind]} for kind in _LABELS}
        numbers = {(a, int(v)): (int(n), float(total)) for a, v, n, total in said["numbers"]}
        return Met(labels["right"], labels["wrong"], numbers, int(said["unmatched"]))
    except (OSError, ValueError, LookupError, TypeError):
        return Met()


_LABELS = ("right", "wrong")


class _Out(msgspec.Struct):
    """Of an answer's outputs what can come true."""

    label: list[Any] | None = None
    value: list[Any] | None = None


class _Line(msgspec.Struct):
    """Of a line of the log what is needed: an answer has ``id``, an outcome ``of``."""

    id: str = ""
    v: int = 0
    arm: str = ""
    out: _Out | None = None
    rows: list[int] | None = None
    of: str = ""
    row: int = 0
    outcome: Any = None


def _opened(path: Path) -> sqlite3.Connection:
    """Return the file; one that cannot be read is begun anew, and counting with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        return _made(path)
    except sqlite3.DatabaseError:
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
        return _made(path)


def _made(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = NORMAL")
    base.executescript(_TABLES)
    return base


def _keep(base: sqlite3.Connection, lines: bytes) -> None:
    """Remember answers, and outcomes until their answer is found."""
    decode = msgspec.json.Decoder(_Line).decode
    answers: list[tuple[str, str, int, str]] = []
    came: list[tuple[str, int, str]] = []
    for line in lines.splitlines():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # the compactor tells of it
            one = decode(line)
            if one.of:
                came.append((one.of, one.row, json.dumps(one.outcome)))
            elif one.id and one.out is not None:
                said = one.out.label if one.out.value is None else one.out.value
                if said is not None:
                    kept = {"rows": one.rows, "said": said, "number": one.out.value is not None}
                    answers.append((one.id, one.arm, one.v, json.dumps(kept)))
    base.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", answers)
    base.executemany("INSERT INTO waiting (id, line, came) VALUES (?, ?, ?)", came)


def _join(base: sqlite3.Connection) -> None:
    """Hold every outcome that waits against the answers of its request, whoever gave them."""
    found = base.execute(
        "SELECT w.rowid, w.line, w.came, a.rowid, a.arm, a.version"
        " FROM waiting w JOIN answers a ON a.id = w.id ORDER BY w.rowid"
    ).fetchall()
    for number, row, came, answer, arm, version in found:
        (text,) = base.execute("SELECT said FROM answers WHERE rowid = ?", (answer,)).fetchone()
        kept = json.loads(text)
        at = _at(row, kept)
        if at is None:  # another arm's row; if no arm has it, the outcome is given up
            continue
        base.execute("DELETE FROM waiting WHERE rowid = ?", (number,))
        if kept["said"][at] is None:  # it came true before
            continue
        for kind, total in _judged(kept["said"][at], json.loads(came), number=kept["number"]):
            base.execute(
                "INSERT INTO counts VALUES (?, ?, ?, 1, ?) ON CONFLICT (arm, version, kind)"
                " DO UPDATE SET n = n + 1, total = total + excluded.total",
                (arm, version, kind, total),
            )
        kept["said"][at] = None
        base.execute("UPDATE answers SET said = ? WHERE rowid = ?", (json.dumps(kept), answer))


def _at(row: int, kept: Mapping[str, Any]) -> int | None:
    """Return where an answer has a row of its request; None if another arm answered that."""
    rows = kept["rows"]
    if rows:
        return rows.index(row) if row in rows else None
    return row if row < len(kept["said"]) else None


def _judged(said: Any, came: Any, *, number: bool) -> Iterator[tuple[str, float]]:
    """Yield the kind of count and what is added to it; nothing for what cannot be compared."""
    from qua3ck.operate.serve.outcomes import spelt

    if not number:
        yield ("right" if spelt(said) == spelt(came) else "wrong"), 0.0
        return
    with suppress(TypeError, ValueError, OverflowError):
        off = abs(float(said) - float(came))
        if math.isfinite(off):
            yield "number", off


def _give_up(base: sqlite3.Connection, *, behind: bool) -> None:
    """Count outcomes whose answer or row was not found in several looks; seek them no longer."""
    if behind:  # the answer may stand in what is not read yet
        return
    base.execute("UPDATE waiting SET looks = looks + 1")
    gone = base.execute("DELETE FROM waiting WHERE looks >= ?", (_LOOKS,)).rowcount
    if gone:
        base.execute(
            "INSERT INTO counts VALUES ('', 0, 'unmatched', ?, 0) ON CONFLICT (arm, version, kind)"
            " DO UPDATE SET n = n + excluded.n",
            (gone,),
        )


def _forget_oldest(base: sqlite3.Connection) -> None:
    """Forget the oldest tenth of the answers once they take too much room."""
    facts = ("page_count", "freelist_count", "page_size")
    pages, free, size = (base.execute(f"PRAGMA {name}").fetchone()[0] for name in facts)
    if (pages - free) * size > _MOST_BYTES:
        first, last = base.execute("SELECT min(rowid), max(rowid) FROM answers").fetchone()
        if first is not None:
            until = first + (last - first) // 10
            base.execute("DELETE FROM answers WHERE rowid <= ?", (until,))


def _counted(base: sqlite3.Connection) -> Met:
    right: dict[_Arm, int] = {}
    wrong: dict[_Arm, int] = {}
    numbers: dict[_Arm, tuple[int, float]] = {}
    unmatched = 0
    for arm, version, kind, n, total in base.execute("SELECT * FROM counts ORDER BY arm, version"):
        if kind == "unmatched":
            unmatched = n
        elif kind == "number":
            numbers[arm, version] = (n, total)
        else:
            (right if kind == "right" else wrong)[arm, version] = n
    return Met(right, wrong, numbers, unmatched)


def _as_json(met: Met) -> bytes:
    labels = {"right": met.right, "wrong": met.wrong}
    said = {kind: [[*key, n] for key, n in counts.items()] for kind, counts in labels.items()}
    numbers = [[*key, *pair] for key, pair in met.numbers.items()]
    return json.dumps({**said, "numbers": numbers, "unmatched": met.unmatched}).encode()


def _place(plan: ServePlan) -> Path:
    return counters_folder(plan) / "outcomes.json"

"""Moves logged predictions into the warehouse, in a process of its own: each line exactly once.

``python -m qua3ck.operate.serve.compacting PLAN`` reads what the workers have written since
the last time and appends it to the table ``log/serving``. How far each file is read stands
in the same commit as its rows, so a process that is killed at any moment neither loses nor
doubles a line. A file is removed once all of it is in the table and its worker has gone on to
another.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.operate.records import ServePlan, read_plan
from qua3ck.operate.serve.telling import Teller

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = "log/serving"
_NAME = re.compile(r"^(\d{8}T\d+)-w((?:app)?\d+)-(\d+)\.jsonl$")
_EVERY_S = 60.0
PIECE_BYTES = 16 * 1024 * 1024
_FOLD_EVERY = 200
_LAST = 19  # the lowest priority there is
_UNFIT = (
    ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """What one run brought into the warehouse."""

    predictions: int
    outcomes: int
    unreadable: int
    removed: int


class Compactor:
    """Has another process move the log, once a minute, if there is something to move.

    Parameters
    ----------
    plan, path : ServePlan, Path
        The plan, and where it lies, for that process.
    now : callable, optional
        Seconds that only go up.
    """

    def __init__(
        self, plan: ServePlan, path: Path, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan = plan
        self._path = path
        self._now = now
        self._due = float("-inf")
        self.process: subprocess.Popen[bytes] | None = None

    def step(self) -> None:
        """Start the process if it is due and the last one has ended."""
        from qua3ck.operate.serve.logbook import lag_bytes

        if self.process is not None and self.process.poll() is None:
            return
        if self._now() < self._due or not lag_bytes(self._plan):
            return
        self._due = self._now() + _EVERY_S
        words = [sys.executable, "-m", "qua3ck.operate.serve.compacting", str(self._path)]
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            words, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def end(self) -> None:
        """End the process that runs, if one does: what it has not moved, the next one moves."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


def compact(plan: ServePlan) -> Moved:
    """Bring everything that was logged so far into the warehouse.

    What is written meanwhile is left for the next time: under load there always is some, and a
    run that waits for a moment without would never end, and make a piece of a few lines of each.

    Raises
    ------
    Timeout
        If another process is at it (from filelock).
    """
    from filelock import FileLock

    with FileLock(plan.state / ".compacting", timeout=0):
        total = Moved(0, 0, 0, 0)
        ends = {path.name: path.stat().st_size for path in log_files(plan)}
        while (step := _step(plan, ends)) is not None:
            total = _sum(total, step)
        return _sum(total, Moved(0, 0, 0, _remove_finished(plan)))


def taken(plan: ServePlan) -> dict[str, int]:
    """Return how many bytes of each log file the warehouse has, as far as was noted.

    The note is for :func:`lag_bytes` alone; what counts are the marks in the table.
    """
    try:
        known: dict[str, int] = json.loads(_note(plan).read_bytes())
    except (OSError, ValueError):
        return {}
    return known


def log_files(plan: ServePlan) -> list[Path]:
    """Return the files of the log, oldest first."""
    from qua3ck.operate.serve.logbook import log_folder

    return sorted(path for path in log_folder(plan).glob("*.jsonl") if _NAME.match(path.name))


def read_whole_lines(path: Path, start: int, *, most: int = 0) -> tuple[bytes, int]:
    """Return whole lines of a file from a byte on, and the byte after the last one.

    At least a line, and about ``most`` bytes; 0 for a piece of 16 MB.
    """
    most = most or PIECE_BYTES
    with path.open("rb") as handle:
        handle.seek(start)
        read = handle.read(most)
        while read and b"\n" not in read and (more := handle.read(most)):
            read += more  # one line longer than a piece
    whole = read[: read.rfind(b"\n") + 1]
    return whole, start + len(whole)


def _step(plan: ServePlan, ends: Mapping[str, int]) -> Moved | None:
    """Move one piece of each file, up to where it ended; None if there was nothing to move."""
    from qua3ck.store.warehouse.once import append_once, marked

    files = [path for path in log_files(plan) if path.name in ends]
    place = _place(plan)
    at = marked(place, [path.name for path in files])
    lines: list[bytes] = []
    marks: dict[str, int] = {}
    for path in files:
        left = ends[path.name] - at[path.name]
        if left <= 0:
            continue
        read, end = read_whole_lines(path, at[path.name], most=min(left, PIECE_BYTES))
        if read:
            lines += read.splitlines()
            marks[path.name] = end
    if not marks:
        _write_note(plan, at)
        return None
    rows, table = _fitting(lines)
    version = append_once(place, table, marks)
    if version and version % _FOLD_EVERY == 0:
        _fold(place)
    _write_note(plan, {**at, **marks})
    kinds = Counter(row["kind"] for row in rows)
    return Moved(kinds["prediction"], kinds["outcome"], kinds["unreadable"], 0)


def _fitting(lines: Sequence[bytes]) -> tuple[list[Mapping[str, Any]], pa.Table]:
    """Return the rows of lines and their table; a line that does not fit is unreadable.

    One such line must not hold up the others for ever, so each is tried by itself if they do
    not fit together.
    """
    rows = [row for line in lines for row in _rows_of(line)]
    try:
        return rows, _table(rows)
    except _UNFIT:
        rows = [row for line in lines for row in _fitted(line)]
        return rows, _table(rows)


def _fitted(line: bytes) -> list[Mapping[str, Any]]:
    rows = _rows_of(line)
    try:
        _table(rows)
    except _UNFIT:
        return [_unreadable(line)]
    return rows


def _rows_of(line: bytes) -> list[Mapping[str, Any]]:
    """Return what becomes of a line: one row for each row of a request, or one for an outcome.

    A line that is none of both, or lacks something, is one row of kind ``unreadable``.
    """
    try:
        said = json.loads(line)
        if "id" in said:
            return list(_predictions(said))
        return [
            {
                "kind": "outcome",
                "id": said["of"],
                "row": said["row"],
                "at": _moment(said["at"]),
                "outcome": _text(said["outcome"]),
            }
        ]
    except _UNFIT:  # nothing is lost: the line itself is kept, counted and told
        return [_unreadable(line)]


def _unreadable(line: bytes) -> Mapping[str, Any]:
    return {"kind": "unreadable", "unreadable": line.decode(errors="replace")}


def _predictions(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    inputs, outputs = said["in"], said["out"]
    n = max((len(cells) for cells in outputs.values()), default=0)
    places = said.get("rows") or range(n)
    flags = ",".join(said.get("flags", ()))
    for at, place in enumerate(places):
        yield {
            "kind": "prediction",
            "id": said["id"],
            "row": place,
            "at": _moment(said["at"]),
            "version": said["v"],
            "arm": said["arm"],
            "inputs": _text({name: cells[at] for name, cells in inputs.items()}),
            "outputs": _text({name: cells[at] for name, cells in outputs.items()}),
            "latency_us": said["us"],
            "flags": flags,
        }


def _table(rows: list[Mapping[str, Any]]) -> pa.Table:
    """Return the rows; what went in and out is JSON, because versions differ in columns."""
    import pyarrow as pa

    texts = ("inputs", "outputs", "flags", "outcome", "unreadable")
    schema = pa.schema(
        [
            ("kind", pa.string()),
            ("id", pa.string()),
            ("row", pa.int32()),
            ("at", pa.timestamp("us", tz="UTC")),
            ("version", pa.int32()),
            ("arm", pa.string()),
            ("latency_us", pa.int64()),
            *((name, pa.string()) for name in texts),
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)


def _remove_finished(plan: ServePlan) -> int:
    """Remove files that are wholly in the table and that nobody writes to any more.

    That is: its worker has begun another, or the process that wrote it is gone.
    """
    from qua3ck.store.warehouse.once import marked

    files = log_files(plan)
    newest: dict[str, str] = {}
    gone: set[str] = set()
    for path in files:
        found = _NAME.match(path.name)
        if found is not None:
            newest[found[2]] = max(newest.get(found[2], ""), path.name)
            gone |= set() if _alive(int(found[3])) else {path.name}
    closed = [path for path in files if path.name in gone or path.name not in newest.values()]
    at = marked(_place(plan), [path.name for path in closed])
    removed = 0
    for path in closed:
        rest = path.read_bytes()[at[path.name] :]
        if b"\n" not in rest:  # what is left is half a line whose answer never went out
            path.unlink()
            removed += 1
    return removed


def _alive(pid: int) -> bool:
    """Whether a process of this number is there; if that cannot be told, it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _fold(place: Path) -> None:
    """Make few large files of many small ones; readers see the same rows."""
    from deltalake import DeltaTable

    DeltaTable(place).optimize.compact()


def _place(plan: ServePlan) -> Path:
    return plan.folder / "warehouse" / TABLE


def _note(plan: ServePlan) -> Path:
    return plan.state / "compacted.json"


def _write_note(plan: ServePlan, at: Mapping[str, int]) -> None:
    from qua3ck.kit.records import write_atomic

    there = {path.name for path in log_files(plan)}
    kept = {name: mark for name, mark in at.items() if name in there}
    write_atomic(_note(plan), json.dumps(kept).encode())


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sum(one: Moved, two: Moved) -> Moved:
    return Moved(
        one.predictions + two.predictions,
        one.outcomes + two.outcomes,
        one.unreadable + two.unreadable,
        one.removed + two.removed,
    )


def main(words: list[str] | None = None) -> int:
    """Compact once; say what was moved."""
    from filelock import Timeout

    parser = argparse.ArgumentParser(prog="qua3ck.operate.serve.compacting")
    parser.add_argument("plan", type=Path)
    plan = read_plan(parser.parse_args(words).plan)
    _yield_to_answers()
    teller = Teller("compactor")
    try:
        moved = compact(plan)
    except Timeout:
        teller.info("log.compacting_elsewhere")
        return 0
    tell = teller.warn if moved.unreadable else teller.info
    tell("log.compacted", **vars(moved))
    return 0


def _yield_to_answers() -> None:
    """Compute only when no worker wants to: an answer must not wait for the log's move.

    Where Linux shares the processor among sessions, priorities count within a session alone; the
    session of this process, which is its own, then steps back too.
    """
    if os.name != "posix":
        return
    os.setpriority(os.PRIO_PROCESS, 0, _LAST)
    session = Path("/proc/self/autogroup")
    if session.is_file():
        with suppress(OSError):  # a kernel that was built with it, and started without
            session.write_text(str(_LAST))


if __name__ == "__main__":
    sys.exit(main())

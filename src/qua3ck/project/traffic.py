"""What a serving process answered lately: counted per hour and arm, from the log of answers.

Read from the table that the log is moved into and from the lines that are not there yet. Only
counts, times and flags are looked at; what went in and out of a model is left where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from qua3ck.operate.records import ServePlan
    from qua3ck.store.warehouse.engine import Engine

MOST_BYTES = 16 * 1024 * 1024  # of lines that are not in the table yet


@dataclass(frozen=True)
class Arm:
    """What one version answered in one place; times in milliseconds, ``last`` in UTC."""

    arm: str
    version: int
    answers: int
    flagged: int
    p50_ms: float
    p99_ms: float
    last: str


@dataclass(frozen=True)
class Traffic:
    """The answers of the last hours.

    ``hours`` has each hour, also those without an answer, oldest first, as ISO 8601 in UTC
    with its number of answers. ``part`` says that the log has grown faster than it is moved
    on, so that only its newest lines were read.
    """

    hours: tuple[tuple[str, int], ...]
    arms: tuple[Arm, ...]
    part: bool = False

    @property
    def answers(self) -> int:
        """All answers of these hours."""
        return sum(count for _, count in self.hours)


def traffic(root: Path, *, now: datetime, hours: int = 24) -> Traffic:
    """Return the answers of the last hours; all zero where nothing was ever logged.

    Parameters
    ----------
    root : Path
        The project's folder; nothing more of it is needed to find its log.
    """
    from qua3ck.operate.records import ServePlan
    from qua3ck.store.warehouse.engine import Engine

    plan = ServePlan(str(root), project="", project_id="")
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    moments = [until - timedelta(hours=back) for back in reversed(range(hours))]
    fresh, part = _fresh(plan)
    with Engine() as engine:
        rows = _rows(plan, engine, fresh, since=moments[0])
        counts = _by_hour(engine, rows)
        arms = _by_arm(engine, rows)
    return Traffic(tuple((each.isoformat(), counts.get(each, 0)) for each in moments), arms, part)


def _rows(
    plan: ServePlan, engine: Engine, fresh: list[dict[str, Any]], *, since: datetime
) -> ibis.Table:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

    from qua3ck.operate.serve.compacting import TABLE

    names = [field.name for field in _schema()]
    parts = [pa.Table.from_pylist(fresh, schema=_schema())]
    place = plan.folder / "warehouse" / TABLE
    if DeltaTable.is_deltatable(str(place)):
        stored = DeltaTable(place).to_pyarrow_dataset()
        wanted = (ds.field("kind") == "prediction") & (ds.field("at") >= since)
        parts.append(stored.to_table(columns=names, filter=wanted).cast(_schema()))
    rows = engine.arrow(pa.concat_tables(parts))
    return rows.filter(rows["at"] >= since)


def _by_hour(engine: Engine, rows: ibis.Table) -> dict[datetime, int]:
    hour = rows["at"].truncate("h").name("hour")
    counted = engine.rows(rows.group_by(hour).aggregate(answers=rows.count()))
    return {one["hour"].astimezone(UTC): int(one["answers"]) for one in counted.to_pylist()}


def _by_arm(engine: Engine, rows: ibis.Table) -> tuple[Arm, ...]:
    grouped = rows.group_by(["arm", "version"]).aggregate(
        answers=rows.count(),
        flagged=(rows["flags"] != "").sum(),
        p50=rows["latency_us"].quantile(0.5),
        p99=rows["latency_us"].quantile(0.99),
        last=rows["at"].max(),
    )
    listed = engine.rows(grouped).to_pylist()
    return tuple(
        Arm(
            one["arm"],
            int(one["version"]),
            int(one["answers"]),
            int(one["flagged"] or 0),
            float(one["p50"]) / 1000,
            float(one["p99"]) / 1000,
            one["last"].astimezone(UTC).isoformat(),
        )
        for one in sorted(listed, key=lambda one: (-one["answers"], one["arm"]))
    )


def _fresh(plan: ServePlan) -> tuple[list[dict[str, Any]], bool]:
    """Return the answers that the table does not have yet, and whether some were left out."""
    from qua3ck.operate.serve.compacting import TABLE, log_files, read_whole_lines
    from qua3ck.store.warehouse.once import marked

    files = log_files(plan)
    at = marked(plan.folder / "warehouse" / TABLE, [path.name for path in files])
    rows: list[dict[str, Any]] = []
    left, part = MOST_BYTES, False
    for path in reversed(files):
        start = at[path.name]
        size = _size(path) - start
        part = part or size > left
        if left <= 0 or size <= 0:
            continue
        text, _ = read_whole_lines(path, max(start, start + size - left), most=left)
        left -= len(text)
        rows += [row for line in text.splitlines() for row in _read(line)]
    return rows, part


def _read(line: bytes) -> Iterator[dict[str, Any]]:
    import json

    try:
        said = json.loads(line)
    except ValueError:
        return  # the first line of a piece may be torn; what moves the log counts such lines
    if not isinstance(said, dict) or "id" not in said:
        return
    answers = max((len(cells) for cells in said["out"].values()), default=0)
    for _ in range(len(said.get("rows") or ()) or answers):
        yield {
            "at": datetime.fromtimestamp(said["at"] / 1e6, UTC),
            "version": said["v"],
            "arm": said["arm"],
            "latency_us": said["us"],
            "flags": ",".join(said.get("flags", ())),
        }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # moved on between the listing and the look
        return 0


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            ("at", pa.timestamp("us", tz="UTC")),
            ("version", pa.int32()),
            ("arm", pa.string()),
            ("latency_us", pa.int64()),
            ("flags", pa.string()),
        ]
    )

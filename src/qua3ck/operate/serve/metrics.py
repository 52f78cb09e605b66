"""Counters of a serving process, cheap enough to be always on, and their OpenMetrics text.

Every worker counts into a file of its own that is mapped into memory: a count is an addition
to a cell, another worker can read it at any time, and a worker that is killed takes nothing
with it. The usual client costs 18 % of the throughput; this costs about a microsecond.
"""

from __future__ import annotations

import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qua3ck.operate.records import ServePlan

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
STATUSES = (200, 400, 401, 403, 404, 405, 408, 409, 411, 413, 415, 422, 429, 500, 501, 503, 504)
BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
GAUGES = ("in_flight", "ready", "ledger_trusted", "at_seq", "beat", "golden_failed")

Gauge = Literal["in_flight", "ready", "ledger_trusted", "at_seq", "beat", "golden_failed"]

_OTHER = len(STATUSES)
_NAME = 48  # bytes of a block's name: arm, a slash, version
_BUCKET = _OTHER + 1
_SUM = _BUCKET + len(BOUNDS) + 1
_ROWS, _SLOW, _LOAD = _SUM + 1, _SUM + 2, _SUM + 3
_CELLS = _SUM + 4
_BLOCK = _NAME + 8 * _CELLS
_BLOCKS = 256
_HEAD = 8 * len(GAUGES)
_SIZE = _HEAD + _BLOCKS * _BLOCK
_AT = {status: at for at, status in enumerate(STATUSES)}


@dataclass(frozen=True)
class Counted:
    """What was counted of one arm and version since the files were made.

    ``statuses`` maps an HTTP status, 0 for any other, to requests; ``buckets`` are requests
    by duration, each bucket by itself; ``slow`` those over the promised latency.
    """

    statuses: Mapping[int, int]
    buckets: tuple[int, ...]
    seconds: float
    rows: int
    slow: int
    load_seconds: float

    @property
    def requests(self) -> int:
        """All requests."""
        return sum(self.statuses.values())

    @property
    def answered(self) -> int:
        """Requests that were answered."""
        return self.statuses.get(200, 0)

    @property
    def failed(self) -> int:
        """Requests that failed on our side."""
        return sum(n for status, n in self.statuses.items() if status >= 500)

    @property
    def refused(self) -> int:
        """Requests that were refused for what was in them."""
        return sum(n for status, n in self.statuses.items() if 400 <= status < 500)


class Metrics:
    """The counters of one worker.

    Parameters
    ----------
    plan : ServePlan
        Says where the files lie, and from which duration on an answer is slow.
    worker : int
        The worker's number, from 0. A worker that takes over a number counts on.
    """

    def __init__(self, plan: ServePlan, worker: int) -> None:
        self._folder = counters_folder(plan)
        self._plan = plan
        self._slow = plan.canary.latency_ms / 1000 or float("inf")
        self._map = _mapped(self._folder / f"worker-{worker}.counters")
        self._cells = memoryview(self._map).cast("d")
        self._places = dict(_blocks(self._map))
        for name in GAUGES:
            self.gauge(name, 0)

    def count(self, arm: str, version: int, status: int, seconds: float, *, rows: int = 1) -> None:
        """Count one request.

        Parameters
        ----------
        arm, version : str, int
            Who answered; ``""`` and 0 where nobody was chosen yet, ``"fallback"`` and 0 while
            serving is switched off.
        status : int
            The HTTP status.
        seconds : float
            From the first byte read to the answer.
        rows : int, default 1
            Rows in the request.
        """
        place = self._places.get((arm, version))
        if place is None:
            place = self._new_block(arm, version)
        cells = self._cells
        if seconds > self._slow:
            cells[place + _SLOW] += 1
        cells[place + _BUCKET + bisect_left(BOUNDS, seconds)] += 1
        cells[place + _SUM] += seconds
        cells[place + _ROWS] += rows
        cells[place + _AT.get(status, _OTHER)] += 1

    def flight(self, step: int) -> None:
        """Note that a request came in (1) or left (-1)."""
        self._cells[0] += step

    def gauge(self, name: Gauge | str, value: float) -> None:
        """Set one of :data:`GAUGES`."""
        self._cells[GAUGES.index(name)] = value

    def loaded(self, arm: str, version: int, seconds: float) -> None:
        """Note how long it took to load a version: reading, proving, golden replay, warming."""
        place = self._places.get((arm, version))
        if place is None:
            place = self._new_block(arm, version)
        self._cells[place + _LOAD] = seconds

    def render(self) -> str:
        """Return the OpenMetrics text of all workers together."""
        return render(self._plan)

    def close(self) -> None:
        """Let go of the file; what was counted stays."""
        self._cells.release()
        self._map.close()

    def _new_block(self, arm: str, version: int) -> int:
        """Begin to count an arm and version; the last block takes what has no room."""
        at = min(len(self._places), _BLOCKS - 1)
        start = _HEAD + at * _BLOCK
        name = f"{arm}/{version}".encode()[:_NAME] if at < _BLOCKS - 1 else b"other/0"
        self._map[start : start + _NAME] = name.ljust(_NAME, b"\0")
        self._places[arm, version] = place = (start + _NAME) // 8
        return place


def counters_folder(plan: ServePlan) -> Path:
    """Return where the workers count."""
    return plan.state / "counters"


def counted(plan: ServePlan) -> dict[tuple[str, int], Counted]:
    """Return what all workers counted, by arm and version."""
    sums: dict[tuple[str, int], list[float]] = {}
    for _, data in _files(plan):
        for key, place in _blocks(data):
            cells = struct.unpack_from(f"{_CELLS}d", data, place * 8)
            known = sums.setdefault(key, [0.0] * _CELLS)
            for at, value in enumerate(cells):
                known[at] = max(known[at], value) if at == _LOAD else known[at] + value
    return {key: _counted(cells) for key, cells in sums.items()}


def gauges(plan: ServePlan) -> dict[str, dict[str, float]]:
    """Return the gauges of each worker, by its name such as ``worker-0``."""
    return {
        name: dict(zip(GAUGES, struct.unpack_from(f"{len(GAUGES)}d", data, 0), strict=True))
        for name, data in _files(plan)
    }


def render(plan: ServePlan) -> str:
    """Return the OpenMetrics text of all workers together, ended by ``# EOF``."""
    from qua3ck.operate.serve.logbook import lag_bytes

    known = sorted(counted(plan).items())
    asked = [(key, one) for key, one in known if one.requests]
    lines = [*_requests(asked), *_durations(asked), *_rows(asked), *_loads(known)]
    lines += _outcomes(plan)
    lines += _gauge_lines(gauges(plan))
    lines += [
        "# TYPE qua3ck_log_lag_bytes gauge",
        "# HELP qua3ck_log_lag_bytes Logged predictions that the warehouse does not have yet.",
        f"qua3ck_log_lag_bytes {lag_bytes(plan)}",
        "# EOF",
    ]
    return "\n".join(lines) + "\n"


_Known = list[tuple[tuple[str, int], Counted]]


def _requests(known: _Known) -> Iterator[str]:
    yield "# TYPE qua3ck_requests counter"
    yield "# HELP qua3ck_requests Requests by arm, version and HTTP status."
    for (arm, version), one in known:
        for status, n in sorted(one.statuses.items()):
            if n:
                code = status or "other"
                yield f'qua3ck_requests_total{{{_labels(arm, version)},status="{code}"}} {n}'
    yield "# TYPE qua3ck_errors counter"
    yield "# HELP qua3ck_errors Requests that failed on the side of the server."
    for (arm, version), one in known:
        yield f"qua3ck_errors_total{{{_labels(arm, version)}}} {one.failed}"
    yield "# TYPE qua3ck_slow counter"
    yield "# HELP qua3ck_slow Requests that took longer than the promised latency."
    for (arm, version), one in known:
        yield f"qua3ck_slow_total{{{_labels(arm, version)}}} {one.slow}"


def _durations(known: _Known) -> Iterator[str]:
    name = "qua3ck_request_duration_seconds"
    yield f"# TYPE {name} histogram"
    yield f"# UNIT {name} seconds"
    yield f"# HELP {name} Time from the request to its answer."
    for (arm, version), one in known:
        labels, so_far = _labels(arm, version), 0
        for bound, n in zip((*BOUNDS, None), one.buckets, strict=True):
            so_far += n
            le = "+Inf" if bound is None else repr(bound)
            yield f'{name}_bucket{{{labels},le="{le}"}} {so_far}'
        yield f"{name}_count{{{labels}}} {so_far}"
        yield f"{name}_sum{{{labels}}} {one.seconds!r}"


def _rows(known: _Known) -> Iterator[str]:
    yield "# TYPE qua3ck_rows counter"
    yield "# HELP qua3ck_rows Rows in the requests."
    for (arm, version), one in known:
        yield f"qua3ck_rows_total{{{_labels(arm, version)}}} {one.rows}"


def _loads(known: _Known) -> Iterator[str]:
    yield "# TYPE qua3ck_model_load_seconds gauge"
    yield "# UNIT qua3ck_model_load_seconds seconds"
    yield "# HELP qua3ck_model_load_seconds Longest time a worker took to load a version."
    for (arm, version), one in known:
        if one.load_seconds:
            yield f"qua3ck_model_load_seconds{{{_labels(arm, version)}}} {one.load_seconds!r}"


def _outcomes(plan: ServePlan) -> Iterator[str]:
    """Yield how often answers were right; both kinds of each arm, so that a share is one of 0."""
    from qua3ck.operate.serve.truth import met

    now = met(plan)
    yield "# TYPE qua3ck_outcomes counter"
    yield "# HELP qua3ck_outcomes Answers whose truth was sent back, by whether they were right."
    for arm, version in sorted({*now.right, *now.wrong}):
        for said, counts in (("true", now.right), ("false", now.wrong)):
            n = counts.get((arm, version), 0)
            yield f'qua3ck_outcomes_total{{{_labels(arm, version)},right="{said}"}} {n}'
    yield "# TYPE qua3ck_outcome_error summary"
    yield "# HELP qua3ck_outcome_error How far answered numbers were off, without their sign."
    for (arm, version), (n, total) in sorted(now.numbers.items()):
        yield f"qua3ck_outcome_error_count{{{_labels(arm, version)}}} {n}"
        yield f"qua3ck_outcome_error_sum{{{_labels(arm, version)}}} {total!r}"
    yield "# TYPE qua3ck_outcomes_unmatched counter"
    yield "# HELP qua3ck_outcomes_unmatched Outcomes of answers or rows that are not remembered."
    yield f"qua3ck_outcomes_unmatched_total {now.unmatched}"


def _gauge_lines(known: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    helps = {
        "in_flight": "Requests being answered.",
        "ready": "Whether the worker answers with a proven version.",
        "ledger_trusted": "Whether the ledger verified at the last look.",
        "at_seq": "The last event of the ledger that the worker follows.",
        "golden_failed": "Versions that the worker does not use: their golden rows differ.",
    }
    for name, text in helps.items():
        yield f"# TYPE qua3ck_{name} gauge"
        yield f"# HELP qua3ck_{name} {text}"
        for worker, values in known.items():
            yield f'qua3ck_{name}{{worker="{worker}"}} {values[name]:g}'


def _labels(arm: str, version: int) -> str:
    return f'arm="{arm or "none"}",version="{version}"'


def _counted(cells: list[float]) -> Counted:
    statuses = {status: int(cells[at]) for status, at in _AT.items()} | {0: int(cells[_OTHER])}
    return Counted(
        statuses={status: n for status, n in statuses.items() if n},
        buckets=tuple(int(n) for n in cells[_BUCKET : _BUCKET + len(BOUNDS) + 1]),
        seconds=cells[_SUM],
        rows=int(cells[_ROWS]),
        slow=int(cells[_SLOW]),
        load_seconds=cells[_LOAD],
    )


def _files(plan: ServePlan) -> Iterator[tuple[str, bytes]]:
    for path in sorted(counters_folder(plan).glob("worker-*.counters")):
        data = path.read_bytes()
        if len(data) == _SIZE:
            yield path.stem, data


def _blocks(data: bytes | mmap.mmap) -> Iterator[tuple[tuple[str, int], int]]:
    """Yield ((arm, version), place of its first cell) for every block in use."""
    for at in range(_BLOCKS):
        start = _HEAD + at * _BLOCK
        name = data[start : start + _NAME].rstrip(b"\0").decode()
        if not name:
            return
        arm, _, version = name.rpartition("/")
        yield (arm, int(version)), (start + _NAME) // 8


def _mapped(path: Path) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with suppress(PermissionError):  # made by another user, who lets us in
            path.parent.chmod(0o700)
            path.chmod(0o600)
        if os.fstat(handle).st_size != _SIZE:  # new, or of another version of this program
            os.ftruncate(handle, 0)
            os.ftruncate(handle, _SIZE)
        return mmap.mmap(handle, _SIZE)
    finally:
        os.close(handle)

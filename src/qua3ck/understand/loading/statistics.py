"""How long loads took, how much they brought, which steps were slow, and how that goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from qua3ck.kit.clock import stamp
from qua3ck.understand.loading.held import counted
from qua3ck.understand.loading.past import ABOUT, silver

if TYPE_CHECKING:
    from qua3ck.store.warehouse import Warehouse

TOOK = "qua3ck.took"  # the key under which a commit tells how long its load had taken
_SLOW = 1.0  # seconds
_BEFORE = 10  # loads that a new one is held against
_MATTERS = 1.5  # times slower than they were


@dataclass(frozen=True)
class Took:
    """One load in figures.

    Attributes
    ----------
    source, known : str
    rows, size : int
        Records and bytes that came.
    seconds : float
        Until the commit.
    steps : mapping
        Step to seconds.
    table : int
        Bytes of the table before the load.
    trend : float or None
        Seconds per row against the median of the loads before; None with less than three.
    """

    source: str
    known: str
    rows: int
    size: int
    seconds: float
    steps: Mapping[str, float] = field(default_factory=dict)
    table: int = 0
    trend: float | None = None

    @property
    def rows_per_second(self) -> float:
        """Records per second."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def slow(self) -> tuple[str, ...]:
        """Steps that took longer than a second, the slowest first."""
        longest = sorted(self.steps.items(), key=lambda step: -step[1])
        return tuple(f"{what} {seconds:.1f} s" for what, seconds in longest if seconds >= _SLOW)

    def says(self) -> str:
        """Return the load as one line."""
        slow = f"; slow: {', '.join(self.slow)}" if self.slow else ""
        trend = f"; {self.trend:.1f} x the time per row of before" if self.grew else ""
        return (
            f"{self.known[:19]}  {self.source}: {counted(self.rows, 'row')}, "
            f"{self.size:,} bytes in {self.seconds:.2f} s, {self.rows_per_second:,.0f} rows/s, "
            f"table {self.table:,} bytes{slow}{trend}"
        )

    @property
    def grew(self) -> bool:
        """Whether it took clearly longer per row than the loads before."""
        return self.trend is not None and self.trend >= _MATTERS


@contextmanager
def timed(took: dict[str, float], step: str) -> Iterator[None]:
    """Add the time spent inside to a step."""
    started = time.perf_counter()
    try:
        yield
    finally:
        took[step] = took.get(step, 0.0) + time.perf_counter() - started


def load_history(warehouse: Warehouse, names: Sequence[str]) -> tuple[Took, ...]:
    """Return the loads of some sources in figures, oldest first within each."""
    return tuple(one for name in names for one in _history(warehouse, name))


def _history(warehouse: Warehouse, name: str) -> Iterator[Took]:
    before: list[float] = []
    for load in warehouse.loads(silver(name)):
        if TOOK not in load.about or load.known is None:
            continue
        told: dict[str, Any] = json.loads(load.about[ABOUT])
        took: dict[str, Any] = json.loads(load.about[TOOK])
        seconds = sum(took["steps"].values())
        each = seconds / max(told["came"], 1)
        typical = median(before[-_BEFORE:]) if len(before) >= 3 else None
        trend = each / typical if typical else None
        before.append(each)
        rows, size = told["came"], took["size"]
        known = stamp(load.known)
        yield Took(name, known, rows, size, seconds, took["steps"], took["table"], trend)

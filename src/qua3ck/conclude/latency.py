"""How long one row takes, through the artefact that ships, prelude included."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

REQUESTS = 1000
LEAST_REQUESTS = 500
UNASKED_REQUESTS = 300
SLOW_MS = 15.0
_WARM_UP = 30


def single_row_latencies(
    predict: Callable[[pd.DataFrame], Any], rows: pd.DataFrame, *, asked: bool = True
) -> NDArray[np.float64]:
    """Return the time in ms of each of many predictions of one row.

    Parameters
    ----------
    predict : callable
        Takes a table of one row.
    rows : DataFrame, shape (n_rows, ...)
        At least one row; taken in turn, so that the cache of one row is not measured.
    asked : bool, default True
        Whether a promise rests on it.

    Notes
    -----
    30 calls first, not counted; no garbage collection meanwhile. 1000 calls, or 500 where
    one takes longer than 15 ms; 300 where nothing was promised. One process, one caller:
    queueing is not in it.
    """
    import numpy as np

    most = REQUESTS if asked else UNASKED_REQUESTS
    singles = [rows.iloc[[number]] for number in range(min(len(rows), most))]
    warm = [_time(predict, singles[number % len(singles)]) for number in range(_WARM_UP)]
    slow = float(np.median(warm)) > SLOW_MS
    requests = min(most, LEAST_REQUESTS) if slow else most
    running = gc.isenabled()
    gc.disable()
    try:
        times = [_time(predict, singles[number % len(singles)]) for number in range(requests)]
    finally:
        if running:
            gc.enable()
    return np.asarray(times, dtype=float)


def quantiles(times: NDArray[np.float64]) -> dict[str, float]:
    """Return ``p50``, ``p95``, ``p99`` in ms as order statistics, and the number of requests.

    The p-th is the smallest measured time that at least that share of requests kept to.
    """
    import numpy as np

    ordered = np.sort(times)
    shares = {"p50": 50, "p95": 95, "p99": 99}
    found = {
        name: float(ordered[-(-len(ordered) * share // 100) - 1]) for name, share in shares.items()
    }
    return {**found, "requests": float(len(times))}


def _time(predict: Callable[[pd.DataFrame], Any], row: pd.DataFrame) -> float:
    start = perf_counter_ns()
    predict(row)
    return (perf_counter_ns() - start) / 1e6

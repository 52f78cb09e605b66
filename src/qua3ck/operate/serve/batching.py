"""Puts requests that wait for the same Python model into one call of it.

A scikit-learn pipeline takes about as long for a hundred rows as for one, and holds the
interpreter meanwhile: requests that arrive during a call are answered together by the next
one. Nobody waits for a timer, and a row's answer does not depend on its company (the runner
sees to that). An ONNX session is called directly: its call costs less than the hand-over.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qua3ck.store.releases.runner import BLOCK, Cells, Run

MOST_ROWS = BLOCK


class Batcher:
    """One model's queue and the one thread that calls it.

    Parameters
    ----------
    run : callable
        From prepared rows to the model's raw output.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: list[tuple[Cells, asyncio.Future[NDArray[np.float64]]]] = []
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")

    async def answer(self, prepared: Cells) -> NDArray[np.float64]:
        """Return the raw output for rows; they may share a call with other requests' rows."""
        done: asyncio.Future[NDArray[np.float64]] = asyncio.get_running_loop().create_future()
        self._waiting.append((prepared, done))
        if not self._busy:
            self._next()
        return await done

    def close(self) -> None:
        """Let the thread end after what it is doing; who waits is still answered."""
        if not self._busy:
            self._thread.shutdown(wait=False)

    def _next(self) -> None:
        taken: list[tuple[Cells, asyncio.Future[NDArray[np.float64]]]] = []
        rows = 0
        while self._waiting and (not taken or rows + _count(self._waiting[0][0]) <= MOST_ROWS):
            one = self._waiting.pop(0)
            if not one[1].cancelled():
                taken.append(one)
                rows += _count(one[0])
        if not taken:
            return
        self._busy = True
        future = asyncio.get_running_loop().run_in_executor(
            self._thread, self._together, [prepared for prepared, _ in taken]
        )
        future.add_done_callback(lambda made: self._finish(taken, made))

    def _together(self, tables: list[Cells]) -> NDArray[np.float64]:
        first, *others = tables
        if not others:
            return self._run(first)
        return self._run({name: np.concatenate([one[name] for one in tables]) for name in first})

    def _finish(self, taken: list[Any], made: asyncio.Future[NDArray[np.float64]]) -> None:
        problem = made.exception()
        start = 0
        for prepared, done in taken:
            end = start + _count(prepared)
            if done.cancelled():
                pass
            elif problem is not None:
                done.set_exception(problem)
            else:
                done.set_result(made.result()[start:end])
            start = end
        self._busy = False
        if self._waiting:
            self._next()


def _count(table: Cells) -> int:
    """Return the number of rows."""
    return len(next(iter(table.values())))

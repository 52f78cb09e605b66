"""Requests that wait for the same Python model share a call, and get their own rows back."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from qua3ck.operate.serve.batching import MOST_ROWS, Batcher

Cells = dict[str, np.ndarray]


def table(*numbers: float) -> Cells:
    return {"x": np.array(numbers, dtype=float), "of": np.array(["text"] * len(numbers), object)}


class Held:
    """A model that waits for leave, and notes how many rows it was given."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.leave = threading.Event()
        self.begun = threading.Event()

    def __call__(self, rows: Cells) -> np.ndarray:
        self.calls.append(len(rows["x"]))
        assert rows["of"].tolist() == ["text"] * len(rows["x"])
        self.begun.set()
        assert self.leave.wait(10)
        if (rows["x"] < 0).any():
            raise ValueError("negative")
        return rows["x"][:, None] * 2


async def begin(batcher: Batcher, model: Held, *tables: Cells) -> list[asyncio.Task]:
    """Let the first call begin, then queue the others behind it."""
    tasks = [asyncio.create_task(batcher.answer(tables[0]))]
    while not model.begun.is_set():
        await asyncio.sleep(0.001)
    tasks += [asyncio.create_task(batcher.answer(one)) for one in tables[1:]]
    await asyncio.sleep(0)
    return tasks


def test_what_waits_is_answered_together_and_told_apart():
    async def run() -> list[list[float]]:
        tasks = await begin(batcher, model, table(1), table(2), table(3, 4), table(5))
        model.leave.set()
        return [made.reshape(-1).tolist() for made in await asyncio.gather(*tasks)]

    model = Held()
    batcher = Batcher(model)
    assert asyncio.run(run()) == [[2], [4], [6, 8], [10]]
    assert model.calls == [1, 4]


def test_a_call_takes_no_more_rows_than_a_block():
    async def run() -> None:
        many = table(*range(MOST_ROWS - 1))
        tasks = await begin(batcher, model, table(1), many, table(2, 3), table(4))
        model.leave.set()
        await asyncio.gather(*tasks)

    model = Held()
    batcher = Batcher(model)
    asyncio.run(run())
    assert model.calls == [1, MOST_ROWS - 1, 3]


def test_a_failure_reaches_who_asked_and_the_next_call_goes_on():
    async def run() -> list[float]:
        tasks = await begin(batcher, model, table(-1), table(7))
        model.leave.set()
        with pytest.raises(ValueError, match="negative"):
            await tasks[0]
        return (await tasks[1]).reshape(-1).tolist()

    model = Held()
    batcher = Batcher(model)
    assert asyncio.run(run()) == [14]


def test_who_gave_up_waiting_is_passed_over():
    async def run() -> None:
        tasks = await begin(batcher, model, table(1), table(2), table(3))
        tasks[1].cancel()
        await asyncio.sleep(0)
        model.leave.set()
        assert (await tasks[2]).tolist() == [[6]]

    model = Held()
    batcher = Batcher(model)
    asyncio.run(run())
    assert model.calls == [1, 1]

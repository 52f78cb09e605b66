"""Loads as small as a test needs them, with the columns about the load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from qua3ck.store.warehouse import Warehouse, next_known

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"


@pytest.fixture
def house(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "warehouse" / TABLE


@pytest.fixture
def rows() -> Callable[..., pa.Table]:
    """Return a maker of rows: ids with one value each, as one piece would bring them."""

    def make(
        ids: Sequence[Any], value: str = "old", *, piece: str = "a.csv", gone: bool = False
    ) -> pa.Table:
        count = len(ids)
        return pa.table(
            {
                "id": pa.array(ids, pa.int64()),
                "value": pa.array([value] * count, pa.string()),
                "_piece": pa.array([piece] * count, pa.string()),
                "_row": pa.array(range(1, count + 1), pa.int64()),
                "_gone": pa.array([gone] * count, pa.bool_()),
            }
        )

    return make


@pytest.fixture
def load(house: Warehouse) -> Callable[..., datetime]:
    """Return a function that appends one load, a day after the one before; gives its moment."""

    def append(rows: Any, **options: Any) -> datetime:
        last = house.known(TABLE)
        known = next_known(START if last is None else last + timedelta(days=1), last)
        house.append(TABLE, rows, known=known, **options)
        return known

    return append


@pytest.fixture
def values(house: Warehouse) -> Callable[..., list[tuple[Any, Any]]]:
    """Return what is current as (id, value)."""

    def current(**options: Any) -> list[tuple[Any, Any]]:
        found = house.current(TABLE, **{"by": ("id",), **options})
        return list(zip(found["id"].to_pylist(), found["value"].to_pylist(), strict=True))

    return current

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from qua3ck.store.warehouse import Warehouse
from qua3ck.store.warehouse.once import append_once, marked


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "warehouse" / "log" / "serving"


def test_rows_and_marks_come_in_one_commit_and_stay_apart_by_name(place, tmp_path):
    assert marked(place, ["a", "b"]) == {"a": 0, "b": 0}
    first = append_once(place, pa.table({"x": [1, 2]}), {"a": 10})
    assert append_once(place, pa.table({"x": [3]}), {"a": 25, "b": 7}) == first + 1
    assert marked(place, ["a", "b", "c"]) == {"a": 25, "b": 7, "c": 0}
    assert sorted(Warehouse(tmp_path).read("log/serving")["x"].to_pylist()) == [1, 2, 3]


def test_a_column_that_comes_later_is_added(place, tmp_path):
    append_once(place, pa.table({"x": [1]}), {"a": 1})
    append_once(place, pa.table({"x": [2], "y": ["new"]}), {"a": 2})
    found = Warehouse(tmp_path).read("log/serving").sort_by("x").to_pylist()
    assert found == [{"x": 1, "y": None}, {"x": 2, "y": "new"}]


def test_marks_outlive_many_commits_and_folding(place):
    from deltalake import DeltaTable

    for number in range(1, 13):
        append_once(place, pa.table({"x": [number]}), {"a": number})
    DeltaTable(place).optimize.compact()
    DeltaTable(place).create_checkpoint()
    assert marked(place, ["a"]) == {"a": 12}

"""A row is incomplete for as long as a record behind it waits, and no longer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.loading import load_source
from qua3ck.understand.loading.answers import Answer, write_answers
from qua3ck.understand.loading.past import listed_pieces, open_records
from qua3ck.understand.publish.flags import arrivals
from qua3ck.understand.section import Understand

START = datetime(2026, 1, 1, tzinfo=UTC)
SECTION = Understand.model_validate_json(
    json.dumps(
        {
            "sources": {
                "stock": {
                    "kind": "csv",
                    "path": "data/*.csv",
                    "key": ["id"],
                    "types": {"id": "integer", "x": "integer", "y": "integer"},
                }
            },
            "target": "x",
        }
    )
)
TWO_CELLS_WAIT = "id,x,y\n1,5,5\n2,many,none\n"


@pytest.fixture
def load(tmp_path):
    recorded: list[str] = []
    (tmp_path / "data").mkdir()

    def load(text):
        (tmp_path / "data" / "a.csv").write_text(text)
        done = load_source(
            "stock",
            SECTION.sources["stock"],
            tmp_path,
            Warehouse(tmp_path),
            raw=RawStore(tmp_path),
            clock=lambda: START + timedelta(days=len(recorded)),
            recorded=tuple(recorded),
        )
        recorded.append(done.known or "")

    return load


def waiting(root):
    return {piece: one.held for (_, piece), one in arrivals(SECTION, Warehouse(root)).items()}


def test_a_record_waits_once_however_many_of_its_cells_do(load, tmp_path):
    load(TWO_CELLS_WAIT)
    assert waiting(tmp_path) == {"a.csv": 1}


def test_what_was_settled_makes_no_row_incomplete(load, tmp_path):
    load(TWO_CELLS_WAIT)
    warehouse = Warehouse(tmp_path)
    (piece,) = listed_pieces(warehouse, "stock")
    asked = open_records(warehouse, "stock").to_pylist()
    write_answers(
        tmp_path,
        "stock",
        [
            Answer("a.csv", piece.digest, one["_row"], one["column"], one["code"], "(leave out)")
            for one in asked
        ],
    )
    load(TWO_CELLS_WAIT)
    assert waiting(tmp_path) == {"a.csv": 0}


def test_a_load_that_was_undone_does_not_count(load, tmp_path):
    load("id,x,y\n1,5,5\n")
    warehouse = Warehouse(tmp_path)
    before = warehouse.version("silver/stock")
    load(TWO_CELLS_WAIT)
    warehouse.restore("silver/stock", before, known=START + timedelta(days=9))
    (one,) = arrivals(SECTION, Warehouse(tmp_path)).values()
    assert (one.known, one.held) == (START, 0)


def test_a_row_whose_equal_was_loaded_changes_no_figure_and_one_that_contradicts_does(
    load, tmp_path
):
    load("id,x,y\n1,5,5\n2,6,6\n2,6,6\n")
    assert waiting(tmp_path) == {"a.csv": 0}
    load("id,x,y\n1,5,5\n2,6,6\n2,6,6\n2,60,6\n")
    assert waiting(tmp_path) == {"a.csv": 3}

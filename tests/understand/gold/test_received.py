"""A trace says which cells are a person's answer, also where it was carried to later bytes."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.gold import build_tables, current_inputs, trace
from qua3ck.understand.loading import load_source
from qua3ck.understand.loading.answers import Answer, read_answers, write_answers
from qua3ck.understand.loading.past import listed_pieces, open_records
from qua3ck.understand.section import Understand

TYPES = {"types": {"id": "integer", "x": "integer"}}
HEAD = "id,x\n" + "".join(f"{i},{i}\n" for i in range(30))


@dataclass
class House:
    """A source, and a table of it; each load is a day later."""

    root: Path
    section: Understand
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    recorded: list[str] = field(default_factory=list)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.root)

    def load(self, text: str = "") -> None:
        if text:
            (self.root / "data" / "s.csv").write_text(text)
        self.now += timedelta(days=1)
        done = load_source(
            "stock",
            self.section.sources["stock"],
            self.root,
            self.warehouse,
            raw=RawStore(self.root),
            clock=lambda: self.now,
            recorded=tuple(self.recorded),
        )
        self.recorded += [done.known] if done.known else []

    def answer(self, text: str, *, by: str = "ana", on: str = "2026-01-02T00:00:00Z") -> None:
        line = open_records(self.warehouse, "stock").to_pylist()[0]
        content = {one.name: one.digest for one in listed_pieces(self.warehouse, "stock")}
        piece, row = line["_piece"], line["_row"]
        said = Answer(
            piece, content[piece], row, line["column"], line["code"], text, by, on, line["question"]
        )
        write_answers(self.root, "stock", [*read_answers(self.root, "stock"), said])

    def make(self):
        inputs = current_inputs(self.section, self.root, self.warehouse)
        made = build_tables(self.section, inputs, root=self.root, warehouse=self.warehouse)
        return inputs, {one.name: one for one in made}

    def answers(self, table: str, where: str) -> list[tuple[str, str, str, str]]:
        """Return column, answer, by whom and when, of the one row that fits."""
        found = self.trace(table, where)
        return [(a.column, a.answer, a.by, a.on) for one in found for a in one.answers]

    def records(self, table: str, where: str) -> list[tuple[str, str]]:
        """Return place and digest of the bytes of what is behind the one row that fits."""
        return [(one.place, one.digest) for one in self.trace(table, where)]

    def trace(self, table: str, where: str):
        inputs, built = self.make()
        found = trace(
            table,
            where,
            self.section,
            inputs,
            built,
            root=self.root,
            warehouse=self.warehouse,
        )
        (row,) = found.rows
        return row.records


@pytest.fixture
def house(tmp_path):
    def make(**keys) -> House:
        for name in ("data", "gold"):
            (tmp_path / name).mkdir()
        (tmp_path / "gold" / "double.sql").write_text("SELECT id, 2 * x AS twice FROM stock")
        source = {"kind": "csv", "path": "data/*.csv", **TYPES, **keys}
        section = {
            "sources": {"stock": source},
            "tables": {"double": {"sql": "gold/double.sql"}},
            "target": "twice",
        }
        return House(tmp_path, Understand.model_validate_json(json.dumps(section)))

    return make


ANAS = [("x", "12", "ana", "2026-01-02T00:00:00Z")]


@pytest.mark.parametrize("keys", [{"key": ["id"]}, {}])
def test_an_answer_is_told_of_the_bytes_it_was_given_for_and_of_later_ones(house, keys):
    stock = house(**keys)
    stock.load(HEAD + "50,twelve\n")
    stock.answer("12")
    stock.load()
    assert stock.answers("stock", "id = 50") == ANAS
    assert stock.answers("double", "twice = 24 AND id = 50") == ANAS
    stock.load("id,x\n99,1\n" + HEAD[5:] + "50,twelve\n")  # other bytes, another line
    assert stock.answers("stock", "id = 50") == ANAS
    assert stock.answers("double", "twice = 24 AND id = 50") == ANAS
    assert stock.answers("double", "id = 99") == []


def test_who_answered_two_equal_questions_is_not_mixed_up(house):
    stock = house()
    stock.load(HEAD + "50,twelve\n51,twelve\n")
    stock.answer("12")
    stock.load()
    stock.answer("12", by="ben", on="2026-01-03T00:00:00Z")
    stock.load()
    stock.load("id,x\n99,1\n" + HEAD[5:] + "50,twelve\n51,twelve\n")
    assert stock.answers("double", "id = 50") == ANAS
    assert stock.answers("double", "id = 51") == [("x", "12", "ben", "2026-01-03T00:00:00Z")]


def test_a_cell_that_came_right_later_is_no_answer_any_more(house):
    stock = house(key=["id"])
    stock.load(HEAD + "50,twelve\n")
    stock.answer("12")
    stock.load()
    stock.load(HEAD + "50,13\n")
    assert stock.answers("double", "id = 50") == []


def test_a_record_of_kept_bytes_that_was_read_again_for_its_answer_tells_it(house, tmp_path):
    base = tmp_path / "base.db"
    with sqlite3.connect(base) as server:
        server.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, at TEXT)")
        server.executemany("INSERT INTO t VALUES (?, ?, '2026-01-01')", [(1, "5"), (2, "twelve")])
    stock = house(
        kind="database",
        path=None,
        url=f"sqlite:///{base}",
        table="t",
        key=["id"],
        watermark="at",
    )
    stock.load()
    stock.answer("12")
    stock.load()
    assert stock.answers("double", "id = 2") == ANAS


def test_a_table_that_was_not_made_again_answers_for_the_bytes_it_was_made_of(house):
    stock = house(key=["id"])
    stock.load(HEAD)
    _, built = stock.make()
    before = listed_pieces(stock.warehouse, "stock")[0].digest
    stock.load("id,x\n99,1\n" + HEAD[5:])
    inputs = current_inputs(stock.section, stock.root, stock.warehouse)
    found = trace(
        "double",
        "id = 3",
        stock.section,
        inputs,
        built,
        root=stock.root,
        warehouse=stock.warehouse,
    )
    (record,) = found.rows[0].records
    assert record.digest == before, "line 5 of these bytes, not of those that came since"
    assert record.known == "2026-01-02 00:00 UTC"


def test_a_row_that_did_not_change_names_the_line_of_the_bytes_it_came_in(house):
    """With a key such a row stays as it was first; its number means nothing in later bytes."""
    stock = house(key=["id"])
    stock.load(HEAD)
    first = listed_pieces(stock.warehouse, "stock")[0].digest
    stock.load("id,x\n99,1\n" + HEAD[5:].replace("5,5\n", "5,55\n"))
    second = listed_pieces(stock.warehouse, "stock")[0].digest
    assert stock.records("double", "id = 3") == [("line 5", first)]
    assert stock.records("double", "id = 5") == [("line 8", second)]
    assert stock.records("stock", "id = 3") == [("line 5", first)]

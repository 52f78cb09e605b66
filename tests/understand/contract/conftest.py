"""A contract of a few lines, rows in a Parquet file, and both held against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.kit.findings import Finding
from qua3ck.store.warehouse.engine import Engine
from qua3ck.understand.contract.check import Checked, check_rows, check_table
from qua3ck.understand.contract.measures import Measure
from qua3ck.understand.contract.odcs import ContractTable, read_contract

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: stock
version: 1.0.0
status: active
"""
NOW = datetime(2024, 6, 30, 12, tzinfo=UTC)


@dataclass
class Seen:
    """What a contract said of some rows, easy to ask."""

    checked: Checked

    def measure(self, rule: str) -> Measure:
        """Return the measure of one rule."""
        (found,) = [each for each in self.checked.measures if each.rule == rule]
        return found

    def answers(self) -> dict[str, str]:
        """Return the answer by rule."""
        return {each.rule: each.answer for each in self.checked.measures}

    @property
    def held(self) -> list[int]:
        """The numbers of the rows that are held, each once."""
        return sorted(set(self.checked.held["_row"].to_pylist()))

    @property
    def good(self) -> list[int]:
        """The numbers of the rows that go on."""
        return sorted(pq.read_table(self.checked.rows)["_row"].to_pylist())

    @property
    def lines(self) -> list[tuple[int, str | None, str, str | None]]:
        """The lines of the work list."""
        return sorted(
            tuple(line.values())  # type: ignore[misc]
            for line in self.checked.held.to_pylist()
        )

    def found(self, code: str) -> list[Finding]:
        """Return the findings of a code, those that block among them."""
        every = (*self.checked.blocks, *self.checked.findings)
        return [finding for finding in every if finding.code == code]

    @property
    def blocks(self) -> list[str]:
        """The codes that hold the load."""
        return [finding.code for finding in self.checked.blocks]


@dataclass
class Desk:
    """Where rows are held against a contract."""

    folder: Path
    engine: Engine
    agreed: ContractTable | None = None

    def contract(self, schema: str, *, further: str = "") -> ContractTable:
        """Return the first table of a contract with this schema section."""
        path = self.folder / "stock.odcs.yaml"
        path.write_text(f"{HEAD}{further}\nschema:\n{schema}")
        return read_contract(path).tables[0]

    def columns(self, text: str, *, quality: str = "", further: str = "") -> ContractTable:
        """Return a table ``stock`` with these properties (one YAML list) and quality rules."""
        rules = f"\n    quality: {quality}" if quality else ""
        return self.contract(f"  - name: stock\n    properties: {text}{rules}\n", further=further)

    def check(
        self,
        rows: Mapping[str, Any] | pa.Table,
        table: ContractTable,
        *,
        references: Mapping[str, Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> Seen:
        """Return what the contract says of the rows; ``_row`` is added."""
        made = rows if isinstance(rows, pa.Table) else pa.table(dict(rows))
        numbered = made.append_column("_row", pa.array(range(1, made.num_rows + 1), pa.int64()))
        path = self.folder / "rows.parquet"
        pq.write_table(numbered, path)
        given = references or {}
        others = {name: self.engine.arrow(pa.table(dict(each))) for name, each in given.items()}
        checked = check_rows(
            path,
            table,
            engine=self.engine,
            references=others.get,
            into=self.folder / "checked",
            now=NOW,
            **options,
        )
        return Seen(checked)

    def whole(
        self, rows: Mapping[str, Any], table: ContractTable, **options: Any
    ) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
        """Return what a whole table is told."""
        found = self.engine.arrow(pa.table(dict(rows)))
        return check_table(found, table, engine=self.engine, now=NOW, **options)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Engine(scratch=tmp_path / "scratch") as engine:
        yield Desk(tmp_path, engine)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a contract with a head and this text below it."""

    def write(text: str, *, head: str = HEAD) -> Path:
        path = tmp_path / "stock.odcs.yaml"
        path.write_text(head + text)
        return path

    return write

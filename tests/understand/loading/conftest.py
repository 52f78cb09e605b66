"""A project folder whose one source is loaded again and again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Warehouse, content_digest
from qua3ck.understand import Source
from qua3ck.understand.loading import Load, load_source, read_current

START = datetime(2026, 1, 1, tzinfo=UTC)


def declared(**keys: Any) -> Source:
    return Source.model_validate_json(json.dumps(keys))


@dataclass
class Bench:
    """A folder, its warehouse, and a clock that moves a day with each load."""

    root: Path
    source: Source
    now: datetime = START
    recorded: list[str] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.root)

    def write(self, name: str, text: str) -> None:
        path = self.root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def remove(self, name: str) -> None:
        (self.root / "data" / name).unlink()

    def load(self, *, record: bool = True, **further: Any) -> Load:
        self.now += timedelta(days=1)
        done = load_source(
            "stock",
            self.source,
            self.root,
            self.warehouse,
            raw=RawStore(self.root),
            clock=lambda: self.now,
            recorded=tuple(self.recorded),
            **further,
        )
        if record and done.known:
            self.recorded.append(done.known)
        self.loads.append(done)
        return done

    def rows(self, **asked: Any) -> list[dict[str, Any]]:
        return self.table(**asked).to_pylist()

    def table(self, **asked: Any) -> pa.Table:
        return read_current(self.warehouse, "stock", self.source, **asked)

    def digest(self) -> str:
        return content_digest(self.table())

    def held(self) -> list[dict[str, Any]]:
        from qua3ck.understand.loading.past import open_records

        wanted = ["_piece", "_row", "column", "code", "raw"]
        return open_records(self.warehouse, "stock").select(wanted).to_pylist()


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    def make(**keys: Any) -> Bench:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        return Bench(root, declared(**({"kind": "csv", "path": "data/*.csv"} | keys)))

    return make

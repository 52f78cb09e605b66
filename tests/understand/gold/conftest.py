"""A small project: shipments whose weights refer to each other, loaded in two pieces."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.gold import Built, Input, build_tables
from qua3ck.understand.section import Understand

FIRST = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)

QUERIES = {
    "clean": "SELECT s.id, s.country, coalesce(try_cast(s.weight AS DOUBLE), "
    "try_cast(r.weight AS DOUBLE)) AS kg\n"
    "FROM shipments s LEFT JOIN shipments r ON r.id = regexp_extract(s.weight, '#([0-9]+)', 1)",
    "per_country": "SELECT country, sum(kg) AS kg, count(*) AS n FROM clean GROUP BY country",
}
FUNCTIONS = (
    "def late(tables):\n"
    "    clean = tables['clean']\n"
    "    return clean.assign(late=clean.kg > 5)[['id', 'late']]\n"
)
SECTION = {
    "sources": {"shipments": {"kind": "csv", "path": "data/*.csv", "owner": "supply team"}},
    "target": "late",
    "tables": {
        "per_country": {"sql": "gold/per_country.sql", "says": "Weight per country."},
        "clean": {"sql": "gold/clean.sql"},
        "late": {"function": "features.late", "reads": ["clean"], "key": ["id"]},
    },
}


@dataclass
class House:
    """A project folder with a warehouse, and what the tables are made of."""

    root: Path
    warehouse: Warehouse
    section: Understand
    sources: dict[str, Input]
    first: dt.datetime = FIRST

    def build(self) -> dict[str, Built]:
        made = build_tables(self.section, self.sources, root=self.root, warehouse=self.warehouse)
        return {one.name: one for one in made}

    def load(self, piece: str, rows: list[tuple[str, str, str]], *, at: dt.datetime) -> None:
        table = pa.table(
            {
                "id": [row[0] for row in rows],
                "country": [row[1] for row in rows],
                "weight": [row[2] for row in rows],
                "_piece": [piece] * len(rows),
                "_row": pa.array(range(1, len(rows) + 1), pa.int64()),
                "_gone": [False] * len(rows),
            }
        )
        version = self.warehouse.append("silver/shipments", table, known=at)
        self.warehouse.write(
            "bronze/shipments",
            pa.concat_tables([*self._listed(), _line(piece, at)]),
        )
        digest = f"{version:064d}"
        self.sources["shipments"] = Input(
            "shipments", "silver/shipments", version, digest, ("_piece",)
        )

    def _listed(self) -> list[pa.Table]:
        there = self.warehouse.version("bronze/shipments") is not None
        return [self.warehouse.read("bronze/shipments")] if there else []


def _line(piece: str, at: dt.datetime) -> pa.Table:
    held = 2 if piece == "late.csv" else 0
    return pa.table(
        {
            "piece": [piece],
            "digest": [piece.encode().hex()],
            "known": pa.array([at], pa.timestamp("us", "UTC")),
            "held": pa.array([held], pa.int64()),
            "how": ["{}"],
        }
    )


@pytest.fixture
def house(tmp_path):
    (tmp_path / "gold").mkdir()
    for name, text in QUERIES.items():
        (tmp_path / "gold" / f"{name}.sql").write_text(text)
    (tmp_path / "features.py").write_text(FUNCTIONS)
    made = House(
        tmp_path, Warehouse(tmp_path), Understand.model_validate_json(json.dumps(SECTION)), {}
    )
    made.load("early.csv", [("1", "ML", "5"), ("2", "ML", "See #1"), ("3", "NA", "7")], at=FIRST)
    return made

"""What the catalogue says is what the project file, the contracts and the warehouse say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.catalog import collect, write_site
from qua3ck.understand.gold import Built, build_tables, current_inputs
from qua3ck.understand.gold.query import sql_columns
from qua3ck.understand.loading import load_source
from qua3ck.understand.loading.answers import Answer, write_answers
from qua3ck.understand.loading.past import listed_pieces, open_records
from qua3ck.understand.section import Understand

START = datetime(2026, 1, 1, tzinfo=UTC)
STOCK = {"kind": "csv", "path": "data/*.csv", "key": ["id"], "types": {"id": "integer"}}


@dataclass
class House:
    """A project with one source and a table made of it; each load is a day later."""

    root: Path
    section: Understand
    now: datetime = START
    built: dict[str, Built] = field(default_factory=dict)
    recorded: list[str] = field(default_factory=list)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.root)

    def load(self, text: str, name: str = "a.csv") -> None:
        (self.root / "data" / name).write_text(text)
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
        inputs = current_inputs(self.section, self.root, self.warehouse)
        made = build_tables(self.section, inputs, root=self.root, warehouse=self.warehouse)
        self.built = {one.name: one for one in made}

    def facts(self, *, later: timedelta = timedelta(0)):
        columns = {
            name: sql_columns(self.warehouse.schema(table))
            for name, table in (("stock", "silver/stock"), ("total", "gold/total"))
            if self.warehouse.version(table) is not None
        }
        found = collect(
            self.section,
            self.built,
            columns,
            root=self.root,
            warehouse=self.warehouse,
            now=self.now + later,
            made_at=dict.fromkeys(self.built, "2026-01-02T08:09:10Z"),
        )
        return {one.name: one for one in found}

    def page(self, name: str, **asked) -> str:
        tables = tuple(self.facts(**asked).values())
        write_site(tables, title="Supply", made="today", folder=self.root / "catalog")
        return (self.root / "catalog" / name).read_text()


@pytest.fixture
def house(tmp_path):
    def make(**keys) -> House:
        for name in ("data", "gold"):
            (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / "gold" / "total.sql").write_text("SELECT count(*) AS n FROM stock")
        section = {
            "sources": {"stock": {**STOCK, **keys}},
            "tables": {"total": {"sql": "gold/total.sql"}},
            "target": "n",
        }
        return House(tmp_path, Understand.model_validate_json(json.dumps(section)))

    return make


TWO_WAIT = "id,x\n1,5\n2,6\n3,many\n4,none\n"


def test_held_records_are_those_that_quarantine_shows(house):
    stock = house(types={"id": "integer", "x": "integer"})
    stock.load(TWO_WAIT)
    assert stock.facts()["stock"].held == 2
    content = {one.name: one.digest for one in listed_pieces(stock.warehouse, "stock")}
    line = open_records(stock.warehouse, "stock").to_pylist()[0]
    given = Answer("a.csv", content["a.csv"], line["_row"], "x", line["code"], "(leave out)")
    write_answers(stock.root, "stock", [given])
    stock.load(TWO_WAIT)
    assert open_records(stock.warehouse, "stock").num_rows == 1
    assert stock.facts()["stock"].held == 1, "what is left out waits for nobody"


def test_a_record_held_for_two_cells_is_one_record(house):
    stock = house(types={"id": "integer", "x": "integer", "y": "integer"})
    stock.load("id,x,y\n1,5,5\n2,six,seven\n")
    assert open_records(stock.warehouse, "stock").num_rows == 2, "two questions"
    assert stock.facts()["stock"].held == 1


@pytest.mark.parametrize(
    ("cadence", "days", "fresh", "says"),
    [
        ("once", 900, "once", "comes once"),
        ("never", 900, "once", "comes once"),
        ("monthly", 3, "fresh", "within its cadence"),
        ("monthly", 90, "late", "later than its cadence"),
        ("", 900, "unknown", "no cadence declared"),
    ],
)
def test_freshness_is_held_against_what_was_promised(house, cadence, days, fresh, says):
    stock = house(cadence=cadence)
    stock.load("id,x\n1,5\n")
    later = timedelta(days=days)
    assert stock.facts(later=later)["stock"].fresh == fresh
    assert says in stock.page("table/stock.html", later=later)


def test_what_was_never_loaded_is_not_said_to_have_no_cadence(house):
    stock = house(cadence="monthly")
    assert stock.facts()["stock"].fresh == "absent"
    assert "not loaded yet" in stock.page("index.html")
    assert "no cadence declared" not in stock.page("index.html")


def test_a_table_is_as_fresh_as_what_it_is_made_of(house):
    stock = house(cadence="monthly")
    stock.load("id,x\n1,5\n")
    assert stock.facts()["total"].fresh == "fresh"
    assert stock.facts(later=timedelta(days=90))["total"].fresh == "late"
    page = stock.page("table/total.html", later=timedelta(days=90))
    assert "made from a source that is later than its cadence" in page
    assert "2026-01-02 08:09 UTC" in page
    assert "quarantine" not in page, "records wait of sources, not of tables made from them"
    assert "made from no column" in page, "a count rests on rows, not on a classified column"


CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: stock
version: 1.0.0
status: active
schema:
  - name: stock
    logicalType: object
    properties:
      - {name: id, logicalType: integer, classification: public}
      - {name: mother, logicalType: string, classification: restricted}
      - {name: remark, logicalType: string}
"""


def test_a_sample_leaves_out_what_the_contract_does_not_call_public(house, tmp_path):
    (tmp_path / "stock.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "gold").mkdir()
    stock = house(contract="stock.odcs.yaml")
    query = "SELECT id * 2 AS twice, upper(mother) AS who, concat(id, remark) AS tag FROM stock"
    (tmp_path / "gold" / "total.sql").write_text(query)
    stock.load("id,mother,remark\n21,Amina Jallow,came late\n")
    facts = stock.facts()
    assert facts["stock"].sample == ({"id": 21},)
    assert facts["total"].sample == ({"twice": 42},)
    stock.page("index.html")
    written = "".join(p.read_text() for p in (tmp_path / "catalog").rglob("*") if p.is_file())
    assert "42" in written
    assert "amina" not in written.lower()
    assert "came late" not in written


def test_records_that_no_rule_looked_at_are_said_to_be_in_no_figure(house, tmp_path):
    ruled = CONTRACT.replace("classification: public", "logicalTypeOptions: {minimum: 0}")
    (tmp_path / "stock.odcs.yaml").write_text(ruled)
    stock = house(contract="stock.odcs.yaml")
    stock.load("id,mother,remark\n" + "".join(f"{n},m,r\n" for n in range(1, 7)))
    assert "In no figure" not in stock.page("table/stock.html")
    rows = [f"{n},m,r\n" for n in (1, 2, 3, "four", 5, -6)]
    stock.load("id,mother,remark\n" + "".join(rows) + "7,m\n")
    facts = stock.facts()["stock"]
    assert (facts.held, facts.unread) == (3, 2), "the one below the minimum is in the figures"
    page = stock.page("table/stock.html")
    assert facts.quality[-1].failing == 1
    assert "In no figure: 2 records in quarantine" in page


@pytest.mark.parametrize("key", ["nope", "x"])
def test_a_key_that_was_not_loaded_yet_says_nothing_of_the_rows_there_are(key, house, tmp_path):
    stock = house()
    stock.load("id,x\n1,5\n2,6\n3,7\n")
    stock.load("id,x\n1,50\n2,6\n3,7\n")
    before = current_inputs(stock.section, stock.root, stock.warehouse)
    (tmp_path / "state" / "gold.json").unlink()  # where its digest would be remembered
    source = stock.section.sources["stock"].model_copy(update={"key": ("id", key)})
    stock.section = stock.section.model_copy(update={"sources": {"stock": source}})
    assert current_inputs(stock.section, stock.root, stock.warehouse) == before
    assert stock.facts()["stock"].rows == 3

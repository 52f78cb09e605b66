"""Gold tables are made in the order of their needs, and only what has changed is made again."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.gold import made_in_memory, read_input
from qua3ck.understand.section import Understand


def test_a_table_is_made_after_all_that_it_reads(house):
    made = house.build()
    assert next(iter(made)) == "clean"
    per_country = house.warehouse.read("gold/per_country").to_pylist()
    assert sorted(per_country, key=str) == [
        {"country": "ML", "kg": 10.0, "n": 2},
        {"country": "NA", "kg": 7.0, "n": 1},
    ]
    assert house.warehouse.read("gold/late")["late"].to_pylist() == [False, False, True]


def test_what_has_not_changed_is_not_made_again(house):
    house.build()
    again = house.build()
    assert not any(one.fresh for one in again.values())


def test_a_changed_query_makes_that_table_and_what_rests_on_it_again(house):
    house.build()
    (house.root / "gold" / "per_country.sql").write_text(
        "SELECT country, max(kg) AS kg FROM clean GROUP BY country"
    )
    assert {name: one.fresh for name, one in house.build().items()} == {
        "clean": False,
        "per_country": True,
        "late": False,
    }
    (house.root / "features.py").write_text(
        "def late(tables):\n    return tables['clean'][['id']].assign(late=True)\n"
    )
    assert house.build()["late"].fresh


def test_new_rows_make_all_again_and_a_step_that_comes_out_the_same_stops_it(house):
    house.build()
    house.load("late.csv", [("4", "NA", "1")], at=house.first + dt.timedelta(days=1))
    assert all(one.fresh for one in house.build().values())
    text = (house.root / "gold" / "clean.sql").read_text()
    (house.root / "gold" / "clean.sql").write_text(f"-- a remark\n{text}")
    made = house.build()
    assert made["clean"].fresh
    assert not made["per_country"].fresh, "what it reads has the same content"


def test_a_table_is_what_its_sources_were_at_the_version_pinned(house):
    before = house.sources["shipments"]
    house.load("late.csv", [("4", "NA", "1")], at=house.first + dt.timedelta(days=1))
    assert read_input(before, house.section, house.warehouse).num_rows == 3
    assert read_input(house.sources["shipments"], house.section, house.warehouse).num_rows == 4


def test_the_leak_test_sees_the_tables_as_other_targets_would_make_them(house):
    house.build()
    rows = read_input(house.sources["shipments"], house.section, house.warehouse)
    changed = rows.set_column(2, "weight", pa.array(["50", "See #1", "7"]))
    made = made_in_memory(
        house.section, {"shipments": changed}, root=house.root, warehouse=house.warehouse
    )
    assert made["per_country"]["kg"].to_pylist() != [10.0, 7.0]
    assert house.warehouse.version("gold/per_country") == 0, "nothing was kept"


@pytest.mark.parametrize(
    ("tables", "says", "code"),
    [
        ({"a": "SELECT * FROM b", "b": "SELECT * FROM a"}, "in a circle", "U159"),
        ({"a": "SELECT * FROM shipment"}, 'did you mean "shipments"', "U158"),
        ({"shipments": "SELECT 1 AS x"}, "is the name of a source", "U159"),
        ({"training": "SELECT 1 AS x"}, "cannot be the name of a table", "U159"),
        ({"a": "SELECT * FROM shipments WHERE false"}, "is empty: 0 rows", "U160"),
        ({"a": "SELECT * FRM shipments"}, "cannot be read as SQL", "U157"),
        ({"a": "SELECT cuntry FROM shipments"}, 'did you mean "country"', "U158"),
    ],
)
def test_what_cannot_be_made_says_why(house, tables, says, code):
    for name, text in tables.items():
        (house.root / f"{name}.sql").write_text(text)
    facts = house.section.model_dump(mode="json")
    facts["tables"] = {name: {"sql": f"{name}.sql"} for name in tables}
    house.section = Understand.model_validate_json(json.dumps(facts))
    with pytest.raises(Qua3ckError, match=says) as caught:
        house.build()
    assert caught.value.code == code
    assert caught.value.fix

"""What cannot be published is said before anything is read or written."""

from __future__ import annotations

import json

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.gold import Built
from qua3ck.understand.publish import publish
from qua3ck.understand.section import Understand

SECTION = {
    "sources": {"s": {"kind": "csv", "path": "*.csv"}},
    "target": "x",
    "tables": {"visits": {"sql": "visits.sql"}},
}


def refused(tmp_path, wanted):
    def forbidden(act, table):
        raise AssertionError(f"{act} {table}")

    section = Understand.model_validate_json(json.dumps({**SECTION, "publish": wanted}))
    built = {"visits": Built("visits", "gold/visits", 0, 1_048_576, "d", "k", ())}
    warehouse = Warehouse(tmp_path, guard=forbidden)
    with pytest.raises(Qua3ckError) as told:
        publish(section, built, {}, {}, root=tmp_path, warehouse=warehouse, title="t")
    assert not (tmp_path / "published").exists()
    return told.value


def test_a_table_too_long_for_a_sheet_stops_all_targets_before_the_first_row(tmp_path):
    told = refused(tmp_path, {"to": ["parquet", "excel"], "tables": {"visits": {}}})
    assert told.code == "U163"
    assert "visits has 1048576 rows, a sheet of Excel holds 1048575" in told.what


@pytest.mark.parametrize(
    ("wanted", "code", "says"),
    [
        (None, "U163", "Nothing is declared"),
        ({"to": ["exel"], "tables": {"visits": {}}}, "U163", 'did you mean "excel"'),
        ({"to": ["csv"], "tables": {"visit": {}}}, "U158", 'did you mean "visits"'),
    ],
)
def test_what_is_not_there_is_named(tmp_path, wanted, code, says):
    told = refused(tmp_path, wanted)
    assert told.code == code
    assert says in told.what

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
import yaml

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.contract.odcs import contract_text, read_contract
from qua3ck.understand.contract.propose import Draft, propose_contract
from qua3ck.understand.contract.rules import rules_of

SCHEMA = Path(__file__).parents[4] / "shared/data/judges/odcs/schema/odcs-json-schema-v3.1.0.json"
RANDOM = np.random.default_rng(7)
ROWS = pa.table(
    {
        "visit_id": [f"V-{n:05d}" for n in range(400)],
        "child_name": [f"Child {n}" for n in range(400)],
        "district": [f"ML{n % 30:02d}" for n in range(400)],
        "sex": ["f", "m"] * 200,
        "weight_kg": RANDOM.uniform(2.5, 19.3, 400).round(1),
        "muac": RANDOM.integers(98, 180, 400),
        "day": [date(2024, 1, 1) + timedelta(days=n % 200) for n in range(400)],
        "oedema": [True, False, None, False] * 100,
        "remark": [None if n % 4 else f"note number {n}" for n in range(400)],
        "_known": [1] * 400,
    }
)
DISTRICTS = pa.table(
    {"code": [f"ML{n:02d}" for n in range(50)], "name": [f"D {n}" for n in range(50)]}
)


@pytest.fixture(scope="module")
def draft() -> Draft:
    others = {"districts": DISTRICTS}
    return propose_contract(
        ROWS, name="visits", project="demo", others=others, about={"owner": "MoH"}
    )


@pytest.fixture(scope="module")
def columns(draft):
    return {column.name: column for column in draft.model.schema_[0].properties}


def test_types_keys_and_filled_columns_are_those_of_the_data(columns):
    assert {name: column.logicalType for name, column in columns.items()} == {
        "visit_id": "string", "child_name": "string", "district": "string", "sex": "string",
        "weight_kg": "number", "muac": "integer", "day": "date", "oedema": "boolean",
        "remark": "string",
    }  # fmt: skip
    assert [name for name, column in columns.items() if column.primaryKey] == ["visit_id"]
    assert [name for name, column in columns.items() if not column.required] == ["oedema", "remark"]


def test_codes_get_a_pattern_few_words_a_list_and_measures_a_range(columns):
    assert columns["visit_id"].logicalTypeOptions == {"pattern": "^V-[0-9]{5}$"}
    assert columns["district"].logicalTypeOptions == {"pattern": "^ML[0-9]{2}$"}
    assert columns["sex"].quality[0].arguments == {"validValues": ["f", "m"]}
    limits = columns["weight_kg"].logicalTypeOptions
    assert limits["minimum"] == 0
    assert 19 < limits["maximum"] <= 20
    assert columns["day"].logicalTypeOptions == {"minimum": "2024-01-01"}
    assert columns["remark"].logicalTypeOptions is None


def test_units_are_read_off_names_or_offered(columns, draft):
    assert columns["weight_kg"].customProperties[0].value == "kg"
    assert columns["muac"].customProperties[0].value == "mm"
    said = [
        comment
        for keys, comment in draft.comments.items()
        if keys[-3:-1] == ("customProperties", 0)
    ]
    assert said == ["by its name", "what such a column usually has: please check"]


def test_references_are_found_where_every_value_is(columns):
    assert columns["district"].relationships[0].to == "districts.code"
    assert columns["visit_id"].relationships is None


def test_personal_columns_are_marked_and_none_of_their_values_written(columns, draft, tmp_path):
    assert columns["child_name"].classification == "restricted"
    path = tmp_path / "visits.odcs.yaml"
    draft.write(path)
    assert "Child 1" not in path.read_text()
    assert "looks like a name: a guess" in path.read_text()


def test_every_figure_says_what_it_was_found_in(draft, tmp_path):
    path = tmp_path / "c" / "visits.odcs.yaml"
    draft.write(path, shown="contracts/visits.odcs.yaml")
    text = path.read_text()
    assert "required: true # filled in all 400 rows" in text
    assert "# all 2 values seen in 400 rows, the rarest 200 times" in text
    assert "in 400 rows, rounded outwards" in text
    assert "Nothing here is agreed yet" in text
    assert "contract: contracts/visits.odcs.yaml" in text
    with pytest.raises(Qua3ckError) as problem:
        draft.write(path)
    assert problem.value.code == "U154"


@pytest.mark.skipif(not SCHEMA.is_file(), reason="the standard's own files not here")
def test_a_draft_is_valid_by_the_standards_schema(draft):
    written = yaml.safe_load(contract_text(draft.model))
    validator = jsonschema.Draft201909Validator(json.loads(SCHEMA.read_text()))
    assert [error.message for error in validator.iter_errors(written)] == []


def test_the_data_keep_to_their_own_draft(desk, draft, tmp_path):
    path = tmp_path / "visits.odcs.yaml"
    draft.write(path)
    table = read_contract(path).table("visits")
    assert len(rules_of(table)) > 10
    plain = ROWS.drop_columns("_known")
    seen = desk.check(plain, table, references={"districts": DISTRICTS.to_pydict()})
    assert set(seen.answers().values()) == {"pass"}
    assert seen.checked.findings == seen.checked.blocks == ()


def test_what_a_pattern_has_in_common_is_never_a_name():
    rows = pa.table(
        {
            "field": [f"Amina Jallow {n}" for n in range(50)],
            "other": [f"AminaJallow{n:02d}" for n in range(50)],
        }
    )
    text = contract_text(propose_contract(rows, name="r").model)
    assert "Amina" not in text
    assert "Jallow" not in text
    assert "^[A-Z][a-z]{4}[A-Z][a-z]{5}[0-9]{2}$" in text


def test_two_columns_may_name_a_row_together():
    rows = pa.table(
        {"site": [f"s{n // 12}" for n in range(60)], "month": [n % 12 for n in range(60)]}
    )
    columns = propose_contract(rows, name="r").model.schema_[0].properties
    assert [(c.primaryKey, c.primaryKeyPosition) for c in columns] == [(True, 1), (True, 2)]


def test_a_few_rows_prove_no_key():
    rows = pa.table({"kg": [3.5, 3.6, 4.1], "cartons": [1, 2, 3], "code": ["a", "b", "c"]})
    columns = {c.name: c for c in propose_contract(rows, name="r").model.schema_[0].properties}
    assert [name for name, column in columns.items() if column.primaryKey or column.unique] == [
        "code"
    ]


def test_row_numbers_refer_to_nothing_by_chance():
    rows = pa.table({"cartons": list(range(1, 41)), "item": ["x"] * 40})
    others = {"sites": pa.table({"site_id": list(range(1, 100))})}
    columns = propose_contract(rows, name="r", others=others).model.schema_[0].properties
    assert all(column.relationships is None for column in columns)


def test_an_empty_column_and_nothing_but_nulls_are_no_trouble():
    rows = pa.table({"a": pa.array([None, None], pa.string()), "b": pa.array([None, 1.0])})
    columns = propose_contract(rows, name="r").model.schema_[0].properties
    assert [column.required for column in columns] == [None, None]


def test_suspect_cells_are_told_with_the_draft():
    towns = ["Bamako"] * 60 + ["Kayes"] * 39 + ["Bamxko"]
    draft = propose_contract(pa.table({"town": towns}), name="r")
    assert [finding.code for finding in draft.findings] == ["U088"]


@pytest.mark.parametrize(
    ("low", "high", "limits"),
    [
        (0.8, 39.2, (0, 40)),
        (-4.21, -1.2, (-4.3, -1.2)),
        (0, 0, (0, 0)),
        (3, 1234, (0, 1300)),
        (-0.5, 9, (-0.5, 9)),
    ],
)
def test_limits_are_rounded_outwards_and_never_past_zero(low, high, limits):
    rows = pa.table({"x": [float(low), float(high)] * 20})
    (column,) = propose_contract(rows, name="r").model.schema_[0].properties
    found = column.logicalTypeOptions
    assert (found["minimum"], found["maximum"]) == pytest.approx(limits)
    assert found["minimum"] <= low
    assert found["maximum"] >= high

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from open_data_contract_standard.model import (
    CustomProperty,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
)

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.contract.odcs import (
    ContractErrors,
    column_types,
    contract_text,
    read_contract,
    write_contract,
)

JUDGE = Path(__file__).parents[4] / "shared" / "data" / "judges" / "odcs"
SCHEMA = JUDGE / "schema" / "odcs-json-schema-v3.1.0.json"
EXAMPLES = sorted((JUDGE / "docs" / "examples").rglob("*.odcs.yaml"))
needs_judge = pytest.mark.skipif(not SCHEMA.is_file(), reason="the standard's own files not here")
SIMPLE = "schema: [{name: stock, properties: [{name: item, logicalType: string}]}]\n"


def judged(data: object) -> list[str]:
    schema = json.loads(SCHEMA.read_text())
    found = jsonschema.Draft201909Validator(schema).iter_errors(data)
    return [error.message for error in found]


@needs_judge
def test_the_standard_has_eighteen_examples():
    assert len(EXAMPLES) == 18


@needs_judge
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name.partition(".")[0])
def test_every_example_of_the_standard_is_read_and_written_again_unchanged(path):
    contract = read_contract(path)
    text = contract_text(contract.model)
    written = yaml.safe_load(text)
    assert judged(written) == []
    assert written == json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))


def test_norway_stays_norway_and_is_written_so_that_others_read_it_too(written):
    path = written(
        "schema: [{name: stock, properties: [{name: NO, description: off, examples: [NO, 1e3]}]}]"
    )
    contract = read_contract(path)
    (column,) = contract.tables[0].columns
    assert (column.name, column.model.description, column.model.examples) == (
        "NO",
        "off",
        ["NO", 1000.0],
    )
    again = yaml.safe_load(contract_text(contract.model))  # a reader of YAML 1.1
    assert again["schema"][0]["properties"][0]["name"] == "NO"
    assert again["schema"][0]["properties"][0]["description"] == "off"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_any_text_survives_writing_and_reading(text):
    model = OpenDataContractStandard(
        apiVersion="v3.1.0", kind="DataContract", id=text, version="1", status="draft"
    )
    assert yaml.safe_load(contract_text(model))["id"] == text


def test_types_are_those_of_the_project_file(written):
    kinds = ("string", "integer", "number", "boolean", "date", "timestamp", "time", "array")
    columns = ", ".join(f"{{name: c_{kind}, logicalType: {kind}}}" for kind in kinds)
    contract = read_contract(
        written(f"schema: [{{name: stock, properties: [{columns}, {{name: free}}]}}]")
    )
    types = column_types(contract, "stock")
    assert [types[f"c_{kind}"] for kind in kinds[:6]] == list(kinds[:6])
    assert types["c_time"] == types["c_array"] == "string"
    assert "free" not in types


def test_a_column_is_called_what_it_is_called_in_the_data(written):
    path = written(
        "schema: [{name: stock, physicalName: stock_1, properties: "
        "[{name: item, physicalName: ITEM_CD, logicalType: string}]}]"
    )
    table = read_contract(path).table("stock_1")
    assert table.names == ("ITEM_CD",)
    assert table.named("item") is table.named("ITEM_CD")


def test_a_contract_with_several_tables_must_have_one_of_the_sources_name(written):
    contract = read_contract(written("schema: [{name: stock}, {name: sites}]"))
    assert contract.table("sites").name == "sites"
    with pytest.raises(Qua3ckError, match='did you mean "sites"') as problem:
        contract.table("site")
    assert problem.value.code == "U155"
    with pytest.raises(Qua3ckError, match="0 tables"):
        read_contract(written("schema: []")).table("stock")


def test_one_table_serves_a_source_of_any_name(written):
    assert read_contract(written(SIMPLE)).table("whatever").name == "stock"


MISTAKES = {
    "an unknown key, however deep": (
        "schema: [{name: stock, properties: [{name: item, requird: true}]}]",
        'Unknown key "requird"; did you mean "required"?',
        "schema[0].properties[0].requird",
    ),
    "an unknown key of a rule": (
        "schema: [{name: stock, quality: [{metric: rowCount, mustBee: 3, mustBe: 3}]}]",
        'Unknown key "mustBee"',
        "quality[0].mustBee",
    ),
    "a word where yes or no belongs": (
        'schema: [{name: stock, properties: [{name: item, required: "yes"}]}]',
        'required is the text "yes"; true or false is expected',
        "schema[0].properties[0].required",
    ),
    "a number where text belongs": ("name: 3.5", "name is 3.5; text is expected", "name"),
    "an unknown type": (
        "schema: [{name: stock, properties: [{name: item, logicalType: strng}]}]",
        'did you mean "string"',
        "schema[0].properties[0].logicalType",
    ),
    "an option of another type": (
        "schema: [{name: stock, properties: "
        "[{name: item, logicalType: string, logicalTypeOptions: {minimum: 3}}]}]",
        'option of a string: "minimum" is not known',
        "logicalTypeOptions.minimum",
    ),
    "a table without a name": ("schema: [{physicalName: stock}]", '"name" is missing', "schema[0]"),
    "a column without a name": (
        "schema: [{name: stock, properties: [{logicalType: string}]}]",
        '"name" is missing',
        "schema[0].properties[0]",
    ),
    "a rule without what its figure must be": (
        "schema: [{name: stock, quality: [{metric: rowCount}]}]",
        "A rule needs one of mustBe",
        "schema[0].quality[0]",
    ),
    "a rule with two": (
        "schema: [{name: stock, quality: [{metric: rowCount, mustBe: 1, mustNotBe: 2}]}]",
        "found: mustBe, mustNotBe",
        "schema[0].quality[0]",
    ),
    "an unknown metric": (
        "schema: [{name: stock, quality: [{metric: nulValues, mustBe: 0}]}]",
        'did you mean "nullValues"',
        "quality[0].metric",
    ),
    "an unknown dimension": (
        "schema: [{name: stock, quality: [{type: text, dimension: validity}]}]",
        'dimension: "validity" is not known',
        "quality[0].dimension",
    ),
    "an unknown kind of rule": (
        "schema: [{name: stock, quality: [{type: sequel}]}]",
        'type: "sequel" is not known',
        "quality[0].type",
    ),
    "SQL without a query": (
        "schema: [{name: stock, quality: [{type: sql, mustBe: 0}]}]",
        '"query" is missing',
        "quality[0]",
    ),
    "another engine without what it should do": (
        "schema: [{name: stock, quality: [{type: custom, engine: soda}]}]",
        '"implementation" is missing',
        "quality[0]",
    ),
    "a relationship to nothing": (
        "schema: [{name: stock, properties: [{name: item, relationships: [{type: foreignKey}]}]}]",
        '"to" is missing',
        "relationships[0]",
    ),
    "a relationship of a column that says from": (
        "schema: [{name: stock, properties: "
        "[{name: item, relationships: [{from: stock.item, to: items.code}]}]}]",
        "from is given at a column",
        "relationships[0].from",
    ),
    "a relationship of two columns to one": (
        "schema: [{name: stock, relationships: [{from: [stock.a, stock.b], to: [items.code]}]}]",
        "from names 2 columns and to 1",
        "relationships[0]",
    ),
    "a custom property without a name": (
        "schema: [{name: stock, customProperties: [{value: 3}]}]",
        '"property" is missing',
        "customProperties[0]",
    ),
    "an agreement on nothing": ("slaProperties: [{value: 3}]", '"property" is missing', "slaProp"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_says_what_where_and_how_to_cure_it(written, name):
    text, what, where = MISTAKES[name]
    with pytest.raises(ContractErrors) as problem:
        read_contract(written(text))
    mistake = problem.value
    assert mistake.code == "U152"
    assert what in mistake.what
    assert where in mistake.where
    assert "line 6, column" in mistake.where
    assert mistake.fix


def test_all_mistakes_are_told_at_once(written):
    with pytest.raises(ContractErrors) as problem:
        read_contract(written("name: 3\nschema: [{nme: stock}]\nslaProperties: [{value: 3}]"))
    assert len(problem.value.all) == 2  # what the model refuses hides what comes after it
    assert str(problem.value).count("error:") == 2


HEADS = {
    "no version of the standard": ("kind: DataContract\n", '"version" is missing'),
    "an old version": ("apiVersion: v2.2.2\n", 'apiVersion is "v2.2.2"'),
    "something else": ("kind: Deployment\n", 'kind is "Deployment"'),
    "a list": ("- a\n", "a section with keys is expected"),
}


@pytest.mark.parametrize("name", HEADS)
def test_what_is_no_contract_is_told(written, name):
    text, what = HEADS[name]
    with pytest.raises(Qua3ckError, match=re.escape(what)) as problem:
        read_contract(written(text, head=""))
    assert problem.value.code == "U152"


FILES = {
    "empty": (b"", "is empty"),
    "another encoding": ("id: é".encode("latin-1"), "not UTF-8"),
    "a tab": (b"id:\n\tname: x", "cannot be read as YAML"),
    "a key twice": (b"id: a\nid: b", '"id" is there twice'),
    "an endless alias": (b"a: &a [*a]", "nested deeper"),
    "a number that YAML changes": (b"id: 012", "leading zeros"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_told(tmp_path, name):
    content, what = FILES[name]
    path = tmp_path / "bad.odcs.yaml"
    path.write_bytes(content)
    with pytest.raises(Qua3ckError, match=what) as problem:
        read_contract(path)
    assert problem.value.code == ("U152" if "number" in name else "U151")
    assert str(path) in problem.value.where


def test_a_missing_file_is_told_with_the_nearest_one(written, tmp_path):
    written(SIMPLE)
    with pytest.raises(Qua3ckError, match=r'did you mean "stock.odcs.yaml"') as problem:
        read_contract(tmp_path / "stok.odcs.yaml")
    assert problem.value.code == "U151"


def test_a_contract_is_never_overwritten_and_carries_its_comments(tmp_path, written):
    model = read_contract(written(SIMPLE)).model
    path = tmp_path / "new" / "stock.odcs.yaml"
    comments = {("schema", 0, "properties", 0, "logicalType"): "seen in 7 rows"}
    write_contract(model, path, header="Drafted.\nEdit it.", comments=comments)
    text = path.read_text()
    assert text.startswith("# Drafted.\n# Edit it.\napiVersion:")
    assert "logicalType: string # seen in 7 rows" in text
    assert read_contract(path).model == model
    with pytest.raises(Qua3ckError, match="not overwritten") as problem:
        write_contract(model, path)
    assert problem.value.code == "U154"
    assert path.read_text() == text


@needs_judge
def test_what_is_written_in_code_is_valid_too():
    unit = CustomProperty(property="unit", value=None)
    column = SchemaProperty(name="PQ #", logicalType="string", customProperties=[unit])
    given = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "a-b",
        "version": "0.1.0",
        "status": "draft",
        "schema": [SchemaObject(name="stock", properties=[column])],
    }
    model = OpenDataContractStandard(**given)
    assert judged(yaml.safe_load(contract_text(model))) == []

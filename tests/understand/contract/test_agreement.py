from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.understand.contract.agreement import compare_columns, type_name


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (pa.string(), "string"), (pa.large_string(), "string"), (pa.int64(), "integer"),
        (pa.int32(), "integer"), (pa.float64(), "number"), (pa.bool_(), "boolean"),
        (pa.date32(), "date"), (pa.timestamp("us", "UTC"), "timestamp"), (pa.binary(), "binary"),
    ],
)  # fmt: skip
def test_types_have_the_words_of_the_project_file(kind, word):
    assert type_name(kind) == word


def test_equal_columns_and_ours_say_nothing(desk):
    table = desk.columns(
        "[{name: a, logicalType: number}, {name: b, logicalType: timestamp}, {name: c}]"
    )
    schema = pa.schema({"a": pa.int64(), "b": pa.date32(), "c": pa.bool_(), "_row": pa.int64()})
    assert list(compare_columns(schema, table)) == []


def test_a_contract_without_columns_agrees_on_none(desk):
    table = desk.contract("  - {name: stock}\n")
    assert list(compare_columns(pa.schema({"a": pa.int64()}), table)) == []


def test_each_kind_of_difference_is_one_finding_with_the_difference(desk):
    table = desk.columns(
        "[{name: a, logicalType: integer}, {name: b, logicalType: string}, {name: d}]"
    )
    found = list(
        compare_columns(pa.schema({"a": pa.float64(), "b": pa.string(), "x": pa.string()}), table)
    )
    assert [(f.code, f.severity) for f in found] == [
        ("U085", "block"),
        ("U085", "block"),
        ("U085", "warn"),
    ]
    assert found[0].evidence["missing"] == ["d"]
    assert found[1].evidence["types"] == {"a": {"agreed": "integer", "found": "number"}}
    assert found[2].evidence["new"] == ["x"]
    assert "stock.odcs.yaml, line" in found[0].evidence["contract"]

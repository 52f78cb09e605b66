"""What a section says, and which of its keys were declared, is the same at the other end."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from qua3ck.understand.section import Understand
from qua3ck.understand.sending import received, sent

WEB = {"licence": "CC0", "extract": "full"}
SOURCES = {
    "csv": {"kind": "csv", "path": "a.csv"},
    "csv header": {"kind": "csv", "path": "a.csv", "header": 1, "names": []},
    "csv typed": {
        "kind": "csv",
        "path": "a.csv",
        "types": {"a": "integer"},
        "dates": {"d": ["%d.%m.%Y"]},
        "nulls": {"a": ["-"]},
    },
    "excel": {"kind": "excel", "path": "a.xlsx"},
    "excel tidy": {
        "kind": "excel",
        "path": "a.xlsx",
        "sheet": 2,
        "header": 2,
        "tidy": [
            {"unpivot": {"left": ["a"], "top": ["m", None]}},
            {"split": {"column": "a", "into": ["b", "c"], "by": ";"}},
            {"gaps": {"along": "m", "by": ["b"], "fill": {"value": 0}}},
        ],
    },
    "json": {"kind": "json", "path": "a.json", "carry": {"id": "/id"}},
    "parquet": {"kind": "parquet", "path": "https://x.example/a.parquet", **WEB},
    "delta": {"kind": "delta", "path": "a"},
    "database": {"kind": "database", "url": "env:DB", "table": "t"},
    "http": {
        "kind": "http",
        "url": "https://x.example/a",
        "auth": {"token": "env:TOKEN"},
        "paging": {"style": "page", "parameter": "page"},
    },
    "function": {"kind": "function", "function": "own.rows"},
}


def keys(model: BaseModel) -> dict[str, object]:
    """Return the keys declared in a record, with those of the records in it."""
    return {name: _keys(getattr(model, name)) for name in model.model_fields_set}


def _keys(value: object) -> object:
    if isinstance(value, BaseModel):
        return keys(value)
    if isinstance(value, tuple):
        return [_keys(one) for one in value]
    return {name: _keys(one) for name, one in value.items()} if isinstance(value, dict) else None


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_arrives_with_the_keys_that_were_declared(name):
    facts = {"sources": {name: SOURCES[name]}, "target": "y", "known_at_prediction": {}}
    section = Understand.model_validate_json(json.dumps(facts))
    arrived = received(json.loads(json.dumps(sent(section))))
    assert arrived == section
    assert keys(arrived) == keys(section)
    assert arrived.sources[name].model_fields_set == set(SOURCES[name])

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from qua3ck.understand.section import Source


def declared(*steps):
    source = {"kind": "csv", "path": "a.csv", "tidy": list(steps)}
    return Source.model_validate_json(json.dumps(source))


def test_a_step_knows_what_it_does():
    steps = declared({"fill": ["a"]}, {"drop": {"a": ["", "/^Total/"]}}, {"columns": ["a"]}).tidy
    assert [step.verb for step in steps] == ["fill", "drop", "columns"]


def test_a_step_survives_being_written_down():
    source = declared({"fill": ["a"]}, {"map": {"column": "a", "values": {"x": None}}})
    told = json.dumps({"kind": "csv", "path": "a", "tidy": source.model_dump(mode="json")["tidy"]})
    assert Source.model_validate_json(told).tidy == source.tidy


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({}, "exactly one key"),
        ({"fill": ["a"], "columns": ["a"]}, "exactly one key"),
        ({"drop": None}, "exactly one key"),
        ({"melt": {}}, "not permitted"),
        ({"drop": {}}, "at least 1"),
        ({"drop": {"a": "/(/"}}, "is no regular expression"),
        ({"blocks": {"title": "a", "lines": "(("}}, "is no regular expression"),
        ({"blocks": {"title": "a", "lines": []}}, "at least 1"),
        ({"unpivot": {"left": [], "top": ["m"]}}, "at least 1"),
        ({"split": {"column": "a", "into": ["b"]}}, "one of the two"),
        ({"split": {"column": "a", "into": ["b"], "by": ";", "pattern": "(.)"}}, "one of the two"),
        ({"split": {"column": "a", "into": ["b", "c"], "pattern": "(.)"}}, "2 groups in brackets"),
        ({"map": {"column": "a", "values": {}}}, "at least 1"),
        ({"scale": {"a": "1000"}}, "valid number"),
    ],
)
def test_a_step_that_says_too_little_or_too_much_is_refused(step, says):
    with pytest.raises(ValidationError, match=says):
        declared(step)


def test_only_sheets_are_tidied():
    with pytest.raises(ValidationError, match="takes no tidy"):
        Source.model_validate_json('{"kind": "json", "path": "a", "tidy": [{"fill": ["a"]}]}')

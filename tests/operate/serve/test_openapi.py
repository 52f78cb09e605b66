"""The OpenAPI document (``protocol.openapi``) is right, and what it describes never fails."""

from __future__ import annotations

import json
import re

import pytest
from asgi import ROW, Client
from openapi_spec_validator import validate

from qua3ck.operate.records import Limits, Log


def test_the_document_is_valid_and_names_every_column(steady: Client):
    said = steady.ask("/openapi.json").json()
    validate(said)
    row = said["components"]["schemas"]["Row"]
    assert list(row["properties"]) == list(ROW)
    kinds = {name: one["type"] for name, one in row["properties"].items()}
    assert kinds == {"income": ["number", "null"], "age": "integer", "home": "string"}
    assert row["required"] == ["age", "home"]
    assert "/v2/models/shop/infer" in said["paths"]


def test_with_keys_the_document_says_so(client_of):
    client = client_of(keys_required=True)
    assert client.ask("/openapi.json").status == 401


def test_what_training_had_is_told_and_refuses_nobody_where_it_is_only_flagged(steady: Client):
    row = steady.ask("/openapi.json").json()["components"]["schemas"]["Row"]["properties"]
    assert row["age"]["description"] == "Seen in training: about 18 to 80."
    assert row["age"]["x-seen-in-training"] == {"minimum": 18, "maximum": 80}
    assert row["home"]["x-seen-in-training"] == {"values": ["own", "parents", "rent"]}
    assert not {"minimum", "maximum", "enum"} & {key for one in row.values() for key in one}


@pytest.mark.parametrize("refuse", [True, ("age", "income", "home")])
def test_a_declared_refusal_is_in_the_schema_and_both_judge_alike(client_of, refuse):
    jsonschema = pytest.importorskip("jsonschema")
    client = client_of(refuse_outside=refuse)
    said = client.ask("/openapi.json").json()
    validate(said)
    row = said["components"]["schemas"]["Row"]
    assert (row["properties"]["age"]["minimum"], row["properties"]["age"]["maximum"]) == (18, 80)
    assert row["properties"]["home"]["enum"] == ["own", "parents", "rent"]
    judge = jsonschema.Draft202012Validator(row)
    for change in (
        {},
        {"age": 80},
        {"age": 80.0},
        {"age": 22.5},
        {"age": 81},
        {"age": 17},
        {"home": "boat"},
        {"income": None},
    ):
        asked = {**ROW, **change}
        assert judge.is_valid(asked) == (client.invoke(asked).status == 200), change


def test_a_refusal_says_what_training_had(client_of):
    client = client_of(refuse_outside=True)
    assert "seen in training: about 18 to 80" in client.invoke({**ROW, "age": 81}).json()["what"]
    assert (
        'send one of: "own", "parents", "rent"' in client.invoke({**ROW, "home": "x"}).json()["fix"]
    )


def test_of_a_personal_column_neither_range_nor_category_is_told(shop, client_of):
    shop.workspace.keys.secret("serve-test", create=True)
    place = shop.workspace.keys.folder / "secrets" / "serve-test.key"
    client = client_of(refuse_outside=True, log=Log(False, ("age", "home"), str(place)))
    row = client.ask("/openapi.json").json()["components"]["schemas"]["Row"]["properties"]
    assert row["age"] == {"type": "integer"}
    assert row["home"] == {"type": "string"}
    for change in ({"age": 81}, {"home": "rentt"}):
        said = client.invoke({**ROW, **change})
        assert said.status == 422
        told = json.dumps({**said.json(), "request_id": "drawn, so it may hold any digits"})
        assert not any(word in told for word in ("18", "80", "own", '"rent', "parents"))


def test_what_came_true_has_the_bounds_that_are_kept(client_of):
    client = client_of(limits=Limits(max_rows=3))
    came = client.ask("/openapi.json").json()["components"]["schemas"]["Outcome"]["properties"]
    assert came["outcome"]["examples"] == ["bad", "good"]
    path, last = "/v2/models/shop/outcomes", came["row"]["maximum"]
    for row, status in ((last, 200), (last + 1, 400)):
        said = client.ask(path, {"id": "x", "outcome": "bad", "row": row})
        assert said.status == status
    for ident in ("x", "x" * 128, "x" * 129, "a b", "", "\u00e4"):
        taken = client.ask(path, {"id": ident, "outcome": "bad"}).status == 200
        assert taken == bool(re.search(came["id"]["pattern"], ident)), ident

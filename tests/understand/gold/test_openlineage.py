"""Every event is valid by the standard's own schemas, and the same facts give the same events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qua3ck.understand.gold import LoadFact, events

SPEC = Path(__file__).parents[4] / "shared" / "data" / "judges" / "openlineage" / "spec"
COLUMNS = {
    "shipments": {"id": "TEXT", "country": "TEXT", "weight": "TEXT"},
    "clean": {"id": "TEXT", "country": "TEXT", "kg": "DOUBLE"},
    "per_country": {"country": "TEXT", "kg": "DOUBLE", "n": "BIGINT"},
    "late": {"id": "TEXT", "late": "BOOLEAN"},
}
LOAD = LoadFact("shipments", "2026-03-01T08:00:00Z", 0, 3, "d" * 64, {"early.csv": "a" * 64})


def made(house):
    built = [(one, "2026-03-01T08:00:05Z") for one in house.build().values()]
    return list(
        events(
            "supply",
            house.section,
            [LOAD],
            built,
            COLUMNS,
            root=house.root,
            producer="urn:qua3ck:test",
        )
    )


@pytest.mark.skipif(not SPEC.is_dir(), reason="needs the standard's schemas in ../shared/data")
def test_every_event_and_facet_is_valid_by_the_standard(house):
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry, Resource

    schemas = [
        json.loads(p.read_text()) for p in (SPEC / "OpenLineage.json", *SPEC.glob("facets/*"))
    ]
    registry = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas
    )
    whole = Draft202012Validator(schemas[0], registry=registry, format_checker=FormatChecker())
    seen = set()
    for event in made(house):
        whole.validate(event)
        for facet in _facets(event):
            one = Draft202012Validator({"$ref": facet["_schemaURL"]}, registry=registry)
            one.validate(facet)
            seen.add(facet["_schemaURL"].rpartition("/")[2])
    assert {"ColumnLineageDatasetFacet", "SchemaDatasetFacet", "SQLJobFacet"} <= seen


def _facets(node):
    if isinstance(node, dict):
        if "_schemaURL" in node:
            yield node
        for inner in node.values():
            yield from _facets(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _facets(inner)


def test_each_run_starts_and_completes_and_its_id_depends_on_the_facts_alone(house):
    first, again = made(house), made(house)
    assert first == again
    assert len(first) == 2 * 4
    runs = [event["run"]["runId"] for event in first]
    assert len(set(runs)) == 4
    assert [event["eventType"] for event in first] == ["START", "COMPLETE"] * 4


def test_columns_are_followed_in_the_events(house):
    done = {e["job"]["name"]: e for e in made(house) if e["eventType"] == "COMPLETE"}
    lineage = done["table.per_country"]["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert lineage["kg"]["inputFields"] == [
        {"namespace": "supply", "name": "gold/clean", "field": "kg"}
    ]
    assert done["load.shipments"]["inputs"][0]["name"].endswith("#early.csv")

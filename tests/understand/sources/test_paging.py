from __future__ import annotations

import pytest

from qua3ck.understand.section import Source
from qua3ck.understand.sources.paging import MISSING, at, cell, first_request


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("pager.total", 3),
        ("/pager/total", 3),
        ("pager.nothing", MISSING),
        ("pager.total.deeper", MISSING),
        ("rows", [{"a": 1}]),
        ("/rows/*/a", [{"a": 1}]),
        ("/a~1b/c~0d", 7),
        ("empty", None),
    ],
)
def test_a_place_in_an_answer_is_named_with_dots_or_slashes(pointer, found):
    content = {"pager": {"total": 3}, "rows": [{"a": 1}], "a/b": {"c~d": 7}, "empty": None}
    assert at(content, pointer) == found


def test_a_cell_is_found_where_reading_will_put_it():
    record = {
        "contact": {"uuid": "c1", "home_town": {"iso_2": "NA"}},
        "contact_name": "x",
        "a": None,
    }
    assert cell(record, "contact_uuid") == "c1"
    assert cell(record, "contact_home_town_iso_2") == "NA"
    assert cell(record, "contact_name") == "x"
    assert cell(record, "a") is None
    assert cell(record, "contact_nothing") is MISSING
    assert cell([1], "a") is MISSING


def test_parameters_with_a_mark_are_sent_only_when_there_is_one():
    source = Source(
        kind="http",
        url="https://x/",
        key=("id",),
        watermark="m",
        overlap="0s",
        parameters={
            "query": '{"_submission_time":{"$gte":"{since}"}}',
            "format": "json",
        },
    )
    assert first_request("https://x/", source, None, place="p").parameters == {"format": "json"}
    asked = first_request("https://x/", source, "2024-01-01T00:00:00", place="p")
    assert asked.parameters["query"] == '{"_submission_time":{"$gte":"2024-01-01T00:00:00"}}'

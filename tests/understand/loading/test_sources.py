"""What is asked of all sources together, before any is read."""

from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading.sources import load_sources
from qua3ck.understand.section import Understand

SECTION = Understand(sources={"stock": {"kind": "csv", "path": "data/*.csv"}}, target="out")


def refused(code):
    with pytest.raises(Qua3ckError) as told:
        load_sources(SECTION, None, accept={code: "so be it"})
    return told.value


@pytest.mark.parametrize("code", ["U060", "U068", "U069"])
def test_what_no_reason_makes_loadable_is_not_taken_for_a_slip_of_the_pen(code):
    told = refused(code)
    assert told.what == f'"{code}" cannot be accepted: nothing could be loaded by that'
    assert told.fix.startswith("correct the piece")
    assert "--accept" in told.where


def test_a_code_that_holds_nothing_is_answered_with_the_nearest_one():
    assert "no finding that holds a load; did you mean" in refused("U06").what

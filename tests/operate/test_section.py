from __future__ import annotations

import pytest
from pydantic import ValidationError

from qua3ck.operate.section import Operate, seconds

WRONG = {
    "steps that fall": ({"canary": [25, 5, 100]}, "climb"),
    "steps that do not end": ({"canary": [5, 25]}, "end with 100"),
    "a step twice": ({"canary": [5, 5, 100]}, "climb"),
    "a step of nothing": ({"canary": [0, 100]}, "greater than or equal to 1"),
    "no fallback in it": ({"fallback": {}}, "exactly one"),
    "both kinds": ({"fallback": {"answer": "a", "rule": "x < 1"}}, "exactly one"),
    "a rule without its other side": ({"fallback": {"rule": "x < 1", "then": "a"}}, "otherwise"),
    "a fixed answer with two sides": ({"fallback": {"answer": 1, "then": 2}}, "belong to a rule"),
    "a span without a unit": ({"serve": {"hold": "10"}}, "such as 10m"),
    "more than everybody": ({"serve": {"ab_share": 101}}, "less than or equal to 100"),
    "a port that is none": ({"serve": {"port": 70000}}, "65535"),
    "a word that is not there": ({"serve": {"portt": 1}}, "not permitted"),
}


@pytest.mark.parametrize(("said", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_section_is_refused_with_its_reason(said, why):
    import json

    with pytest.raises(ValidationError, match=why):
        Operate.model_validate_json(json.dumps(said))


@pytest.mark.parametrize(
    ("span", "expected"), [("90s", 90), ("10m", 600), (" 1.5 h ", 5400), ("2d", 172_800)]
)
def test_a_span_is_a_number_and_a_unit(span, expected):
    assert seconds(span) == expected

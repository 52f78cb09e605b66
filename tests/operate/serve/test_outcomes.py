"""What came true is taken only if it can be moved into the table and held against an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgi import ROW, Client

from qua3ck.operate.serve.answers import Refused
from qua3ck.operate.serve.compacting import Moved, compact
from qua3ck.operate.serve.outcomes import Expected, read

LABELS = Expected(10, {"bad": "bad", "good": "good"})
FLAGS = Expected(10, {"false": "false", "true": "true"})
DIGITS = Expected(10, {"0": "0", "1": "1"})
NUMBERS = Expected(10, numbers=True)


def took(outcome: Any, expected: Expected = LABELS, **more: Any) -> Any:
    body = json.dumps({"id": "x", "outcome": outcome, **more}).encode()
    (one,) = read(body, expected)
    return one.outcome


def refusal(body: Any, expected: Expected = LABELS) -> Refused:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Refused) as caught:
        read(data, expected)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [b"nonsense", b"[" * 50_000, 3, {"id": "x"}, {"outcome": "bad"}, {"id": 3, "outcome": "bad"},
     [[]], {"id": "x", "outcome": "bad", "row": -1}, {"id": "x", "outcome": "bad", "more": 1},
     {"id": "x", "outcome": None}, {"id": "x", "outcome": ["bad"]},
     {"id": "x", "outcome": {"a": 1}}, {"id": "x", "outcome": "bad", "row": True},
     {"id": "x", "outcome": "bad", "row": 10}, {"id": "x", "outcome": "bad", "row": 2**31},
     {"id": "x", "outcome": "bad", "row": 99999999999999999999},
     {"id": "x", "outcome": "bad", "row": 1.0}, {"id": "", "outcome": "bad"},
     {"id": "x" * 129, "outcome": "bad"}, {"id": "a\nb", "outcome": "bad"},
     {"id": "\u00e4", "outcome": "bad"}, b'{"id": "\\ud800", "outcome": "bad"}',
     b'{"id": "x", "outcome": NaN}', b'{"id": "x", "outcome": 1e999}'],
    ids=lambda body: str(body)[:60],
)  # fmt: skip
def test_an_outcome_that_cannot_be_one_is_refused_with_how_to_send_it(body):
    said = refusal(body)
    assert said.status == 400
    assert '"outcome"' in said.fix


@pytest.mark.parametrize(
    ("outcome", "expected", "is_taken_as"),
    [
        ("bad", LABELS, "bad"),
        (" bad ", LABELS, "bad"),
        (True, FLAGS, "true"),
        (False, FLAGS, "false"),
        ("true", FLAGS, "true"),
        (1, DIGITS, "1"),
        (1.0, DIGITS, "1"),
        (0, DIGITS, "0"),
        (12, NUMBERS, 12),
        (12.5, NUMBERS, 12.5),
        ("whatever", Expected(10), "whatever"),
    ],
)
def test_a_class_is_kept_as_the_target_is_spelt(outcome, expected, is_taken_as):
    kept = took(outcome, expected)
    assert (kept, type(kept)) == (is_taken_as, type(is_taken_as))


@pytest.mark.parametrize(
    ("outcome", "expected", "names"),
    [
        ("godo", LABELS, ['"bad"', '"good"']),
        (True, LABELS, ['"bad"']),
        (1, FLAGS, ['"true"']),
        ("True", FLAGS, ['"true"']),
        (True, DIGITS, ['"1"']),
        (1.5, DIGITS, ['"1"']),
        ("12", NUMBERS, ["number"]),
        (True, NUMBERS, ["number"]),
        (10**400, NUMBERS, ["number"]),
        ("x" * 5000, Expected(10), ["class"]),
    ],
    ids=lambda part: str(part)[:30],
)
def test_what_no_version_in_use_could_answer_is_refused_naming_what_it_could(
    outcome, expected, names
):
    said = refusal({"id": "x", "outcome": outcome}, expected)
    assert said.status == 422
    assert all(name in said.fix for name in names)


def test_of_versions_that_differ_the_classes_of_both_are_taken():
    both = Expected(10, {"bad": "bad"}, numbers=True)
    assert took("bad", both) == "bad"
    assert took(3.5, both) == 3.5


def test_a_server_takes_only_rows_and_classes_that_it_could_have_answered(client: Client):
    path = "/v2/models/shop/outcomes"
    ident = client.invoke(ROW).headers["x-request-id"]
    for row in (1000, 2**31, 99999999999999999999):
        assert client.ask(path, {"id": ident, "outcome": "good", "row": row}).status == 400
    said = client.ask(path, {"id": ident, "outcome": "goood"})
    assert (said.status, "good" in said.json()["fix"]) == (422, True)
    assert client.ask(path, {"id": ident, "outcome": "good", "row": 999}).status == 200
    assert compact(client.app._plan) == Moved(1, 1, 0, 0)

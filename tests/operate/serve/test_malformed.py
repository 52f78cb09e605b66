"""A thousand malformed requests (``app``): each is refused with what, where and fix; none is a 500.

A generator with a seed starts from right requests and breaks each in one or several ways.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import Any

import pytest
from asgi import ROW, Client, tensors

from qua3ck.operate.serve.protocol import v2

REQUESTS = 1000
INFER = "/v2/models/shop/infer"
JSON_TYPE = "application/json"
JUNK: list[Any] = [
    {}, [], [[]], {"a": 1}, -1, 1.5, 10**40, "", "\u0000", "x" * 3000, True, [None], "NaN", "1,5",
]  # fmt: skip


def broken_bytes(draw: random.Random, body: bytes) -> bytes:
    """Cut a JSON body off, or put a byte in that JSON has no place for."""
    at = draw.randrange(1, len(body) - 1)
    return draw.choice(
        [
            body[:at],
            body[:at] + b"\xff" + body[at:],
            body + b"}",
            b"{" * draw.randrange(1, 40_000),
            body.replace(
                b"33.5", draw.choice([b"NaN", b"Infinity", b"-", b"1e999", b"0x1F", b"01"])
            ),
            b"",
        ]
    )


def infer_case(draw: random.Random) -> tuple[str, bytes, dict[str, str]]:
    inputs = tensors(ROW, ROW)
    one = draw.choice(inputs)
    what = draw.randrange(12)
    if what == 0:
        one["name"] = draw.choice(["incom", "", "x" * 5000, "\u0000", "label"])
    elif what == 1:
        one["shape"] = draw.choice([[], [1], [3], [2, 2], [-1], [2, 1, 1], [10**9], "2", [2.5]])
    elif what == 2:
        one["datatype"] = draw.choice(["FP128", "", "float", 3, None, "BOOL", "BF16"])
    elif what == 3:
        one["data"] = draw.choice([None, [1], [1, 2, 3], [[1, 2]], {}, 5, "ab", [JUNK[0], JUNK[1]]])
    elif what == 4:
        one["data"] = [draw.choice(JUNK[:4]), one["data"][1]]
    elif what == 5:
        inputs.append(dict(one))
    elif what == 6:
        inputs.remove(next(each for each in inputs if each["name"] == "age"))
    elif what == 7:
        one["parameters"] = {"binary_data_size": draw.choice([-1, 5, "8", 10**12, 1.5])}
    elif what == 8:
        return (
            INFER,
            json.dumps({"inputs": draw.choice([{}, 3, "x", [3], [{}], [[]], []])}).encode(),
            {},
        )
    elif what == 11:
        one["datatype"] = "BOOL" if one["name"] != "home" else draw.choice(["BOOL", "FP64"])
        wrong = [draw.random() < 0.5, True] if one["datatype"] == "BOOL" else [5, 1.5]
        one["data"] = wrong
    elif what == 9:
        body = {"inputs": inputs, "outputs": draw.choice([[{"name": "nothing"}], [{}], 3, [""]])}
        return INFER, json.dumps(body).encode(), {}
    else:
        body = {"inputs": inputs, draw.choice(["id", "parameters"]): draw.choice([[], 3, [1]])}
        return INFER, json.dumps(body).encode(), {}
    return INFER, json.dumps({"inputs": inputs}).encode(), {}


def row_case(draw: random.Random) -> tuple[str, bytes, dict[str, str]]:
    row = dict(ROW)
    what = draw.randrange(6)
    if what == 0:
        row["age"] = draw.choice(["x", "12", "", None, [1], {"a": 1}, 1e300, True, False])
    elif what == 1:
        row["home"] = draw.choice([None, "", "  ", ["own"], {}, 5, 2.5, True, False])
    elif what == 2:
        row[draw.choice(["incom", "Age", "home ", "p_bad"])] = 1
    elif what == 3:
        del row[draw.choice(["age", "home"])]
    elif what == 4:
        row["income"] = draw.choice(["1.234,5", "12 EUR", [], "--", 1e39, True, False])
    else:
        row = {draw.choice(["a", "b"]): draw.choice(JUNK) for _ in range(3)}
    form = draw.choice(["dataframe_records", "instances", "inputs"])
    return "/invocations", json.dumps({form: [ROW, row]}).encode(), {}


def form_case(draw: random.Random) -> tuple[str, bytes, dict[str, str]]:
    split = {"columns": list(ROW), "data": [list(ROW.values())]}
    junk = draw.choice(JUNK)
    body: Any = draw.choice(
        [
            {},
            junk,
            {"dataframe_split": junk},
            {"dataframe_split": {**split, "columns": junk}},
            {"dataframe_split": {**split, "data": junk}},
            {"dataframe_split": {**split, "data": [[1]]}},
            {"dataframe_split": {**split, "columns": ["age", "age", "home"]}},
            {"dataframe_split": {**split, "more": 1}},
            {"dataframe_records": junk},
            {"dataframe_records": []},
            {"instances": [junk]},
            {"instances": [list(ROW.values())]},
            {"inputs": junk},
            {"inputs": {"age": [1], "home": ["own", "rent"]}},
            {"inputs": {}},
            {"dataframe_split": split, "instances": [ROW]},
            {"dataframe_split": split, "params": {"temperature": 1}},
            {"dataframe_split": split, "params": [1]},
            {"dataframe_split": split, "other": 1},
        ]
    )
    return "/invocations", json.dumps(body).encode(), {}


def csv_case(draw: random.Random) -> tuple[str, bytes, dict[str, str]]:
    text = draw.choice(
        [
            "income,age,home\n1,x,own",
            "income,age,home",
            "income,age,home\n1,2",
            "income,age,age\n1,2,3",
            'income,age,home\n1,2,"own',
            "income;age;home\n1;2;own",
            "",
            "\n\n\n",
            "income,age,home\n1,,own",
            "income,age,home\n1,2_0,own",
            "a,b\n\x00,1",
        ]
    )
    data = text.encode(draw.choice(["utf-8", "utf-16"])) if text else b"\n"
    return "/invocations", data, {"content-type": "text/csv"}


def transport_case(draw: random.Random) -> tuple[str, bytes, dict[str, str]]:
    good = json.dumps({"inputs": tensors(ROW)}).encode()
    path = draw.choice(["/v2/models/shop/versions/7/infer", "/v2/models/x/infer", "/v2/infer", "//", "/v2/models/", "/v2/models/shop/versions//infer", "/INVOCATIONS", "/" + "y" * 4000])  # noqa: E501  # fmt: skip
    kind = draw.choice(["text/plain", "application/xml", "application/json; charset=latin-1", "x"])
    length = draw.choice(["0", "-1", "1000000", "abc", str(len(good) + 1)])
    return draw.choice(
        [
            (path, good, {}),
            (INFER, good, {"content-type": kind}),
            (INFER, good, {"content-encoding": draw.choice(["gzip", "br", "deflate, gzip"])}),
            (INFER, good, {"inference-header-content-length": length}),
            (INFER, good, {"content-length": str(10**9)}),
            (INFER, broken_bytes(draw, good), {}),
            ("/invocations", broken_bytes(draw, b'{"instances": [{"income": 33.5}]}'), {}),
        ]
    )


CASES = (infer_case, infer_case, row_case, form_case, csv_case, transport_case)


def test_a_thousand_malformed_requests_are_each_refused_with_a_reason(steady: Client):
    draw = random.Random(4)  # noqa: S311
    before = len(steady.logged())
    made = [draw.choice(CASES)(draw) for _ in range(REQUESTS)]

    async def send() -> list[Any]:
        given = [{"content-type": JSON_TYPE, **headers} for _, _, headers in made]
        return [
            await steady.asks(path, body, method="POST", headers=own)
            for (path, body, _), own in zip(made, given, strict=True)
        ]

    statuses: Counter[int] = Counter()
    for (path, body, headers), said in zip(made, asyncio.run(send()), strict=True):
        told = said.json()
        case = f"{path[:60]} {headers} {body[:300]!r} -> {said.status} {told}"
        assert 400 <= said.status < 500, case
        assert all(told[part] for part in ("what", "where", "fix", "request_id")), case
        assert len(said.body) < 5000, case
        statuses[said.status] += 1
    assert steady.failures == []
    assert len(steady.logged()) == before
    assert {400, 404, 413, 415, 422} <= statuses.keys()


@pytest.mark.parametrize(
    ("column", "datatype", "cell"),
    [("income", "BOOL", True), ("age", "BOOL", False), ("home", "BOOL", True),
     ("home", "INT64", 5), ("home", "FP64", 2.5)],
)  # fmt: skip
def test_what_is_of_another_kind_is_refused_and_not_flagged(
    steady: Client, column: str, datatype: str, cell: Any
):
    inputs = tensors(ROW)
    wrong = next(each for each in inputs if each["name"] == column)
    wrong.update(datatype=datatype, data=[cell])
    blob = v2.pack(datatype, [cell])
    for said in (
        steady.invoke({**ROW, column: cell}),
        steady.ask(INFER, {"inputs": inputs}),
        _in_binary(steady, inputs, wrong, blob),
    ):
        told = said.json()
        assert said.status == 422, told
        assert column in told["what"]
        assert all(told[part] for part in ("what", "where", "fix"))


def _in_binary(client: Client, inputs: list[Any], wrong: Any, blob: bytes) -> Any:
    sent = [each for each in inputs if each is not wrong]
    lengths = {"binary_data_size": len(blob)}
    packed = {key: value for key, value in wrong.items() if key != "data"}
    text = json.dumps({"inputs": [*sent, {**packed, "parameters": lengths}]}).encode()
    headers = {"inference-header-content-length": str(len(text))}
    return client.ask(INFER, text + blob, headers=headers)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_every_other_method_is_refused(steady: Client, method: str):
    said = steady.ask(INFER, b"{}", method=method)
    assert said.status == 405
    assert "POST" in said.headers["allow"]

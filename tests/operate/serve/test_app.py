"""What an HTTP client is told, from health to the refusal of everything that is wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgi import ROW, Client, tensors

from qua3ck.operate.records import Fallback, Limits
from qua3ck.operate.serve.metrics import counted

JSON_HEADERS = {"content-type": "application/json"}
INFER = "/v2/models/shop/infer"
GOOD = json.dumps({"inputs": tensors(ROW)}).encode()


def test_one_row_is_answered_alike_in_both_protocols(steady: Client):
    line = steady.invoke(ROW).json()["predictions"][0]
    outputs = {one["name"]: one["data"][0] for one in steady.infer(ROW).json()["outputs"]}
    assert line == outputs
    assert list(line) == ["label", "p_bad", "p_good"]
    assert line["p_bad"] + line["p_good"] == pytest.approx(1)


def test_answers_as_the_model_that_was_judged(client: Client, shop):
    import pandas as pd

    from qua3ck.store.releases.artefact import artefact_digest
    from qua3ck.store.releases.model import load_model

    rows = [{**ROW, "income": income} for income in (1.5, None, 70.25, 100)] * 6
    folder = shop.root / "releases" / "1" / "model"
    model = load_model(folder, digest=artefact_digest(folder))
    table = pd.DataFrame(rows, dtype=object)
    wanted = model.predict(table).frame(model.manifest).to_dict("records")
    assert client.invoke(*rows).json()["predictions"] == wanted
    assert [client.invoke(row).json()["predictions"][0] for row in rows] == wanted


@pytest.mark.parametrize(
    "path", ["/v2/health/live", "/v2/health/ready", "/v2/models/shop/ready", "/ping", "/health"]
)
def test_health_says_so(steady: Client, path: str):
    assert steady.ask(path).status == 200
    assert steady.ask(path, method="HEAD").body == b""


def test_tells_about_itself(steady: Client):
    assert steady.ask("/v2").json()["name"] == "qua3ck"
    model = steady.ask("/v2/models/shop").json()
    assert [one["name"] for one in model["inputs"]] == ["income", "age", "home"]
    assert [one["datatype"] for one in model["inputs"]] == ["FP64", "INT64", "BYTES"]
    assert model["versions"] == ["1"]
    assert steady.ask("/v2/models/shop/versions/1").json() == model
    assert steady.ask("/version").body.count(b".") == 2
    assert b"qua3ck_requests" in steady.ask("/metrics").body


def test_is_not_ready_before_a_version_is_promoted(shop, plan_of):
    from asgi import open_client

    client = open_client(plan_of(shop))
    said = client.ask("/v2/health/ready")
    assert said.status == 503
    assert "champion" in said.json()["what"]
    assert client.ask("/v2/health/live").status == 200
    refused = client.invoke(ROW)
    assert (refused.status, "qua3ck promote" in refused.json()["fix"]) == (503, True)


@pytest.mark.parametrize(
    "path", ["/v2/health/ready", "/v2/models/shop/ready", "/v2/models/shop/versions/1/ready",
             "/ping", "/health"],
)  # fmt: skip
@pytest.mark.parametrize("fallback", [None, Fallback(otherwise="good")])
def test_switched_off_it_is_ready_where_a_fallback_answers(client_of, shop, path, fallback):
    client = client_of(fallback=fallback)
    shop.append("serving.off", reason="it discriminates")
    client.follow()
    ready, asked = client.ask(path), client.invoke(ROW)
    assert ready.status == asked.status == (503 if fallback is None else 200)
    assert client.ask("/v2/health/live").status == 200
    if fallback is None:
        told = ready.json()
        assert told["ready"] is False
        assert "it discriminates" in told["what"]
        assert "qua3ck off --on" in told["fix"]
    shop.append("serving.on")
    client.follow()
    assert client.ask(path).status == client.invoke(ROW).status == 200


def test_every_answer_has_an_id_and_safe_headers(steady: Client):
    for said in (steady.invoke(ROW), steady.ask("/nowhere"), steady.ask("/v2")):
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["cache-control"] == "no-store"
        assert said.headers["content-length"] == str(len(said.body))
    first, second = steady.invoke(ROW), steady.invoke(ROW)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    own = steady.invoke(ROW, headers={**JSON_HEADERS, "x-request-id": "visit-17"})
    assert own.headers["x-request-id"] == "visit-17"
    assert steady.logged()[-1]["id"] == "visit-17"


@pytest.mark.parametrize("bad", ["a b", "x" * 200, "\u00e9"])
def test_a_request_id_that_may_not_stand_in_a_log_is_replaced(steady: Client, bad: str):
    said = steady.invoke(ROW, headers={**JSON_HEADERS, "x-request-id": bad})
    assert said.headers["x-request-id"] != bad


WRONG = {
    "no JSON": (INFER, b"{", {}, 400, "no JSON"),
    "NaN in JSON": (INFER, GOOD.replace(b"33.5", b"NaN"), {}, 400, "no JSON"),
    "not UTF-8": (INFER, GOOD.replace(b"rent", b"\xff\xfe"), {}, 400, "no JSON"),
    "nested without end": ("/invocations", b"[" * 50_000, {}, 400, "no JSON"),
    "another shape": (INFER, b'{"inputs": 3}', {}, 400, "shape"),
    "no input": (INFER, b'{"inputs": []}', {}, 400, "no input"),
    "wrong content type": (INFER, GOOD, {"content-type": "text/html"}, 415, "type"),
    "wrong charset": (
        "/invocations",
        b"{}",
        {"content-type": "application/json; charset=utf-16"},
        415,
        "encoding",
    ),
    "compressed": (INFER, GOOD, {"content-encoding": "gzip"}, 415, "compressed"),
    "too large": (INFER, GOOD, {"content-length": "99999999"}, 413, "bytes"),
    "unknown model": ("/v2/models/shopp/infer", GOOD, {}, 404, 'did you mean "shop"'),
    "unknown version": ("/v2/models/shop/versions/9/infer", GOOD, {}, 404, "not in use"),
    "a version that is no number": (
        "/v2/models/shop/versions/x/infer",
        GOOD,
        {},
        404,
        "not in use",
    ),
    "unknown path": ("/v2/modls", GOOD, {}, 404, "no such path"),
    "unknown column": (INFER, GOOD.replace(b"income", b"incom"), {}, 422, '"incom" is not known'),
    "missing column": (
        "/invocations",
        b'{"inputs": {"home": ["own"]}}',
        {},
        422,
        '"age" is missing',
    ),
    "missing value": (INFER, GOOD.replace(b"[22]", b"[null]"), {}, 422, "is empty"),
    "wrong type": (
        "/invocations",
        b'{"inputs": {"age": ["x"], "home": ["own"]}}',
        {},
        422,
        "no number",
    ),
    "a fraction": (
        "/invocations",
        b'{"inputs": {"age": [22, 3.5], "home": ["own", "own"]}}',
        {},
        422,
        "no whole number",
    ),
    "a fraction as a tensor": (
        INFER,
        GOOD.replace(b"INT64", b"FP64").replace(b"[22]", b"[22.5]"),
        {},
        422,
        "no whole number",
    ),
    "a fraction in a CSV": (
        "/invocations",
        b"age,home\n3.5,own",
        {"content-type": "text/csv"},
        422,
        "no whole number",
    ),
    "wrong datatype": (INFER, GOOD.replace(b"[22]", b"[2.5]"), {}, 400, "no INT64"),
    "wrong length": (INFER, GOOD.replace(b"[22]", b"[22, 23]"), {}, 400, "2 cells"),
    "a matrix": (INFER, GOOD.replace(b'"shape": [1]', b'"shape": [1, 3]'), {}, 400, "no column"),
    "too many rows": (
        "/invocations",
        json.dumps({"dataframe_records": [ROW] * 1001}).encode(),
        {},
        413,
        "1001 rows",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_says_what_is_wrong_where_and_how_to_cure_it(steady: Client, case: str):
    path, body, headers, status, words = WRONG[case]
    before = steady.logged()
    said = steady.ask(path, body, headers=headers)
    told = said.json()
    assert said.status == status, told
    assert words in told["what"]
    assert told["where"]
    assert told["fix"]
    assert told["request_id"] == said.headers["x-request-id"]
    assert told["error"].startswith(told["what"])
    assert steady.logged() == before
    assert steady.failures == []


def test_a_whole_number_may_be_written_with_a_point(steady: Client):
    body = json.dumps({"inputs": {**ROW, "age": 22}}).encode()
    said = steady.ask("/invocations", body.replace(b": 22", b": 22.0"))
    assert (said.status, said.json()) == (200, steady.ask("/invocations", body).json())


def test_a_question_ends_with_its_own_mark(steady: Client):
    said = steady.ask("/v2/models/shup", method="GET").json()
    assert said["error"].startswith('There is no such model; did you mean "shop"? Where: ')


@pytest.mark.parametrize(("path", "method"), [(INFER, "GET"), ("/v2", "POST"), ("/ping", "DELETE")])
def test_a_method_that_is_not_taken_is_named(steady: Client, path: str, method: str):
    said = steady.ask(path, GOOD, method=method)
    assert said.status == 405
    assert said.headers["allow"] in said.json()["fix"]


def test_no_value_of_a_request_is_repeated(steady: Client):
    for row in ({**ROW, "age": "Ada Lovelace"}, {**ROW, "home": "Ada Lovelace", "x": 1}):
        assert b"Ada" not in steady.invoke(row).body


def test_a_body_in_parts_is_put_together_and_a_large_one_refused(client: Client, client_of):
    parts = [GOOD[:20], b"", GOOD[20:]]
    assert client.ask(INFER, None, parts=parts, headers=JSON_HEADERS).status == 200
    small = client_of(limits=Limits(max_bytes=50))
    said = small.ask(INFER, None, parts=parts, headers={**JSON_HEADERS, "content-length": ""})
    assert said.status == 413
    assert said.headers["connection"] == "close"


def test_a_body_that_never_ends_is_given_up(client_of):
    client = client_of(limits=Limits(timeout_s=0.0001))

    async def slow() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": INFER, "headers": [(b"content-type", b"application/json")]}  # noqa: E501  # fmt: skip
        task = asyncio.create_task(client.app(scope, receive, send))
        while not task.done():
            client.app.sweep()
            await asyncio.sleep(0.001)
        return sent

    sent = asyncio.run(slow())
    assert sent[0]["status"] == 408


def test_who_hangs_up_gets_no_answer(steady: Client):
    async def gone() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": INFER, "headers": [(b"content-type", b"application/json")]}  # noqa: E501  # fmt: skip
        await steady.app(scope, receive, send)
        return sent

    before = steady.logged()
    assert asyncio.run(gone()) == []
    assert steady.logged() == before


def test_our_own_mistake_is_a_500_without_its_reason(client: Client, monkeypatch):
    def broken(ask: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(client.app.predictor, "answer", broken)
    said = client.invoke(ROW)
    assert said.status == 500
    assert b"secret" not in said.body
    assert [str(problem) for problem in client.failures] == ["a secret"]


def test_every_request_is_counted_by_arm_version_and_status(client: Client, shop, plan_of):
    client.invoke(ROW)
    client.invoke(ROW, ROW)
    client.invoke({**ROW, "age": "x"})
    client.ask("/nowhere")
    client.ask("/v2/health/live")
    found = counted(plan_of(shop))
    assert found["champion", 1].statuses == {200: 2, 422: 1}
    assert found["champion", 1].rows == 4
    assert found["", 0].statuses == {404: 1}


def test_what_came_true_is_kept_beside_the_answers(client: Client):
    path = "/v2/models/shop/outcomes"
    ident = client.invoke(ROW).headers["x-request-id"]
    said = client.ask(path, {"id": ident, "outcome": "good"})
    assert (said.status, said.json()) == (200, {"taken": 1})
    assert client.logged()[-1]["of"] == ident
    for body in (b"{", b"[" * 50_000, b"3", b'{"id": 3}', b'[{"id": "a", "outcome": null}]'):
        refused = client.ask(path, body)
        assert (refused.status, bool(refused.json()["fix"])) == (400, True)
    assert client.ask(path, b"{}", headers={"content-type": "text/csv"}).status == 415


def test_asks_for_a_key_only_where_the_plan_does(client_of):
    client = client_of(keys_required=True)
    said = client.invoke(ROW)
    assert said.status == 401
    assert said.headers["www-authenticate"] == "Bearer"
    assert client.ask("/v2/health/live").status == 200
    assert client.ask("/metrics").status == 401


def test_with_tls_browsers_are_told_to_stay_with_it(client_of):
    from qua3ck.operate.records import Tls

    said = client_of(tls=Tls("cert.pem", "key.pem")).ask("/v2/health/live")
    assert "max-age" in said.headers["strict-transport-security"]

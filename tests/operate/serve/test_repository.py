"""The model repository extension: which versions are in use, and to look at the ledger now."""

from __future__ import annotations

import asyncio

import pytest
from asgi import ROW, Client, open_client

from qua3ck.operate.serve.access import new_key

INDEX, LOAD = "/v2/repository/index", "/v2/repository/models/shop/load"


def test_the_index_says_who_is_in_use_and_why_another_is_not(shop, plan_of):
    shop.move(1)
    shop.move(2, "shadow")
    (shop.root / "releases" / "2" / "model" / "model.onnx").unlink()
    client = open_client(plan_of(shop))
    said = client.ask(INDEX, {})
    assert said.status == 200
    first, second = said.json()
    assert first == {"name": "shop", "version": "1", "state": "READY", "reason": ""}
    assert (second["version"], second["state"]) == ("2", "UNAVAILABLE")
    assert "model.onnx" in second["reason"]
    assert client.ask(INDEX, {"ready": True}).json() == [first]
    assert client.ask(INDEX, b"", method="POST").json() == [first, second]


def test_before_a_promotion_the_index_is_empty(shop, plan_of):
    assert open_client(plan_of(shop)).ask(INDEX, {}).json() == []


def test_load_looks_at_the_ledger_at_once_and_loads_what_it_promoted(client: Client, shop):
    shop.move(2)
    assert client.ask(LOAD, {}).json() == {"ready": True}
    assert client.invoke(ROW).headers["x-qua3ck-version"] == "2"


def test_load_says_why_it_could_not(client: Client, shop):
    (shop.root / "releases" / "2" / "model" / "model.onnx").unlink()
    shop.move(2)
    said = client.ask(LOAD, {})
    assert (said.status, said.json()["ready"]) == (503, False)
    assert "model.onnx" in said.json()["what"]
    assert client.invoke(ROW).headers["x-qua3ck-version"] == "1"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [(LOAD, b"{", 400), (LOAD, b"[]", 400), (INDEX, b"3", 400), (INDEX, {"ready": 3}, 400),
     (LOAD, {"parameters": {"config": "{}"}}, 400), (LOAD.replace("shop", "shup"), {}, 404),
     (LOAD.replace("load", "unload"), {}, 404), (INDEX, b" " * 5_000_000, 413)],
)  # fmt: skip
def test_what_is_no_request_of_the_extension_is_refused(steady: Client, path, body, status):
    said = steady.ask(path, body)
    assert said.status == status
    assert all(said.json()[part] for part in ("what", "where", "fix"))


ALLOWED = {"predict": {"/invocations"}, "read": {INDEX, "/v2/models/shop"}, "operate": {LOAD}}


@pytest.mark.parametrize("scope", ALLOWED)
def test_every_scope_opens_what_it_is_for_and_nothing_else(client_of, shop, scope):
    client = client_of(keys_required=True)
    key, ident, hashed = new_key("desk")
    shop.append("key.added", "desk", id=ident, name="desk", scopes=[scope], hash=hashed)
    client.follow()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    bodies = {"/invocations": {"dataframe_records": [ROW]}, INDEX: {}, LOAD: {}}
    for path in set().union(*ALLOWED.values()):
        said = client.ask(path, bodies.get(path), headers=headers)
        assert said.status == (200 if path in ALLOWED[scope] else 403), path
        if said.status == 403:
            assert "--scope" in said.json()["fix"]


def test_a_worker_tries_again_at_once_what_it_had_refused(shop, plan_of, monkeypatch):
    from qua3ck.operate.serve import worker as working

    monkeypatch.setattr(working, "_tidy", lambda: None)  # it is for a process of its own
    shop.move(1)
    model = shop.root / "releases" / "1" / "model" / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(b"x")
    worker = working.Worker(plan_of(shop), 0, now=lambda: 0.0)
    client = Client(worker.app, worker.versions, worker.follower, worker.metrics, worker.logbook)

    async def asked() -> list[int]:
        await worker.look_beside()
        first = await client.asks(LOAD, {})
        model.write_bytes(whole)
        await worker.look_beside()  # the next try would come after half a minute
        before = await client.asks("/v2/health/ready")
        return [first.status, before.status, (await client.asks(LOAD, {})).status]

    assert asyncio.run(asked()) == [503, 503, 200]
    assert client.invoke(ROW).status == 200

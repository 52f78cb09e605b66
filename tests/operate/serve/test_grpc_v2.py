"""What the calls of gRPC say while the model is switched off, asked without a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgi import ROW, Client, open_client, tensors

from qua3ck.operate.records import Fallback, ServePlan
from qua3ck.operate.serve.answers import Refused

pytest.importorskip("google.protobuf")

from qua3ck.operate.serve.protocol import messages
from qua3ck.operate.serve.protocol.grpc_v2 import Service


class Context:
    """A call's circumstances: it came without any header."""

    def invocation_metadata(self) -> tuple[()]:
        return ()


def call(client: Client, plan: ServePlan, name: str, /, **said: Any) -> Any:
    request = messages.classes()[f"{name}Request"](**said)
    step = {"ServerReady": "server_ready", "ModelReady": "model_ready", "ModelInfer": "model_infer"}
    return asyncio.run(getattr(Service(plan, client.app), step[name])(request, Context()))


def row() -> dict[str, Any]:
    """Return the row as the protocol's tensors."""
    inputs = []
    for one in tensors(ROW):
        cells = [cell.encode() if isinstance(cell, str) else cell for cell in one.pop("data")]
        inputs.append({**one, "contents": {messages.CONTENTS[one["datatype"]]: cells}})
    return {"model_name": "shop", "inputs": inputs}


@pytest.mark.parametrize("fallback", [None, Fallback(otherwise="good")])
def test_switched_off_it_is_ready_where_a_fallback_answers(shop, plan_of, fallback):
    shop.move(1)
    plan = plan_of(shop, fallback=fallback)
    client = open_client(plan)
    shop.append("serving.off", reason="it discriminates")
    client.follow()
    answers = fallback is not None
    assert call(client, plan, "ServerReady").ready is answers
    assert call(client, plan, "ModelReady", name="shop").ready is answers
    if answers:
        (label,) = call(client, plan, "ModelInfer", **row()).outputs[0].contents.bytes_contents
        assert label == b"good"
    else:
        with pytest.raises(Refused, match="it discriminates") as caught:
            call(client, plan, "ModelInfer", **row())
        assert caught.value.status == 503


def test_the_fallback_answers_although_nothing_can_be_loaded(shop, plan_of):
    shop.move(1)
    (shop.root / "releases" / "1" / "model" / "model.onnx").unlink()
    plan = plan_of(shop, fallback=Fallback(otherwise="good"))
    client = open_client(plan)
    shop.append("serving.off", reason="wrong")
    client.follow()
    assert call(client, plan, "ServerReady").ready
    assert call(client, plan, "ModelInfer", **row()).parameters["arm"].string_param == "fallback"

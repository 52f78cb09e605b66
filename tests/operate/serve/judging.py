"""Sends the recorded requests of ``mlserver.json`` to a server, and gives what comes back."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any


def over_http(place: str, case: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a request and its JSON; of a refusal only which keys it has."""
    connection = http.client.HTTPConnection(place, timeout=20)
    try:
        body = case.get("body")
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        kind = {} if body is None else {"content-type": "application/json"}
        connection.request(case["method"], case["path"], text, kind)
        answer = connection.getresponse()
        read = answer.read()
    finally:
        connection.close()
    said = json.loads(read) if read.startswith((b"{", b"[")) else None
    if answer.status == 200:
        return {"status": 200, "body": said}
    return {"status": answer.status, "keys": sorted(said or {})}


def over_grpc(place: str, case: dict[str, Any]) -> dict[str, Any]:
    """Return code and answer of one call; the messages are tritonclient's."""
    import grpc
    from google.protobuf import json_format
    from tritonclient.grpc import service_pb2, service_pb2_grpc

    with grpc.insecure_channel(place) as channel:
        call = getattr(service_pb2_grpc.GRPCInferenceServiceStub(channel), case["call"])
        request = getattr(service_pb2, f"{case['call']}Request")()
        json_format.ParseDict(case["request"], request)
        try:
            answer = call(request, timeout=20)
        except grpc.RpcError as problem:
            return {"code": problem.code().name, "answer": None}
    said = json_format.MessageToDict(answer, preserving_proto_field_name=True)
    return {"code": "OK", "answer": said}


def columns(outputs: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the cells of every output of an HTTP answer."""
    return {one["name"]: one["data"] for one in outputs}


def cells(answer: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the cells of every output of a gRPC answer, typed or raw."""
    import numpy as np
    from tritonclient.utils import deserialize_bytes_tensor

    raw = [base64.b64decode(one) for one in answer.get("raw_output_contents", [])]
    found: dict[str, list[Any]] = {}
    for at, one in enumerate(answer["outputs"]):
        if raw and one["datatype"] == "BYTES":
            found[one["name"]] = [text.decode() for text in deserialize_bytes_tensor(raw[at])]
        elif raw:
            found[one["name"]] = np.frombuffer(raw[at], "<f8").tolist()
        elif one["datatype"] == "BYTES":
            sent = one["contents"]["bytes_contents"]
            found[one["name"]] = [base64.b64decode(text).decode() for text in sent]
        else:
            found[one["name"]] = one["contents"]["fp64_contents"]
    return found

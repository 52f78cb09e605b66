"""The tensors of protocol v2 (``protocol.v2``), in JSON and in bytes."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from asgi import ROW, Client, tensors
from hypothesis import given, settings
from hypothesis import strategies as st

from qua3ck.operate.serve.answers import Refused
from qua3ck.operate.serve.protocol import v2

INFER = "/v2/models/shop/infer"


def binary(inputs: list[dict[str, Any]], blobs: list[bytes], **more: Any) -> tuple[bytes, str]:
    header = json.dumps({"inputs": inputs, **more}).encode()
    return header + b"".join(blobs), str(len(header))


def as_bytes(row: dict[str, Any]) -> tuple[list[dict[str, Any]], list[bytes]]:
    blobs = [
        struct.pack("<d", row["income"]),
        struct.pack("<q", row["age"]),
        v2.pack("BYTES", [row["home"]]),
    ]
    inputs = tensors(row)
    for one, blob in zip(inputs, blobs, strict=True):
        del one["data"]
        one["parameters"] = {"binary_data_size": len(blob)}
    return inputs, blobs


def test_bytes_and_json_say_the_same(steady: Client):
    body, length = binary(*as_bytes(ROW), parameters={"binary_data_output": True})
    said = steady.ask(INFER, body, headers={"inference-header-content-length": length})
    assert said.status == 200, said.body
    size = int(said.headers["inference-header-content-length"])
    head, rest = json.loads(said.body[:size]), said.body[size:]
    wanted = {one["name"]: one["data"] for one in steady.infer(ROW).json()["outputs"]}
    for one in head["outputs"]:
        part, rest = (
            rest[: one["parameters"]["binary_data_size"]],
            rest[one["parameters"]["binary_data_size"] :],
        )
        assert v2.unpack(one["datatype"], part, one["name"], 1) == wanted[one["name"]]
    assert rest == b""


def test_only_the_outputs_asked_for_come_back_in_the_form_asked_for(steady: Client):
    outputs = [{"name": "p_bad", "parameters": {"binary_data": False}}]
    said = steady.infer(ROW, outputs=outputs, id="visit-1").json()
    assert [one["name"] for one in said["outputs"]] == ["p_bad"]
    assert said["id"] == "visit-1"


@pytest.mark.parametrize(
    "shape", [[1], [1, 1]], ids=["a vector", "a column"]
)  # fmt: skip
def test_a_column_may_be_a_vector_or_a_matrix_of_one_column(steady: Client, shape: list[int]):
    inputs = tensors(ROW)
    for one in inputs:
        one["shape"] = shape
        one["data"] = one["data"] if len(shape) == 1 else [one["data"]]
    assert steady.ask(INFER, {"inputs": inputs}).status == 200


@pytest.mark.parametrize("kind", ["FP32", "INT32", "UINT8", "FP16", "FP64"])
def test_any_numeric_datatype_that_holds_the_value_is_taken(steady: Client, kind: str):
    inputs = tensors({**ROW, "income": 33})
    inputs[0]["datatype"] = kind
    said = steady.ask(INFER, {"inputs": inputs})
    assert said.json()["outputs"] == steady.infer({**ROW, "income": 33}).json()["outputs"]


def test_what_training_never_had_is_flagged(steady: Client):
    said = steady.infer({**ROW, "age": 99}).json()
    (flag,) = json.loads(said["parameters"]["flags"])
    assert (flag["row"], flag["column"], flag["kind"]) == (1, "age", "outside")
    assert said["parameters"]["arm"] == "champion"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda i, b: (i, [*b, b"x"]), "follow the last tensor"),
        (lambda i, b: (i, [b[0][:-1], *b[1:]]), "bytes"),
        (lambda i, b: (i, [*b[:2], b"\x09\x00\x00\x00ab"]), "texts in UTF-8"),
        (lambda i, b: (i, [*b[:2], b"\x02\x00\x00\x00\xff\xff"]), "texts in UTF-8"),
    ],
)
def test_bytes_that_do_not_add_up_are_refused(steady: Client, change: Any, words: str):
    inputs, blobs = change(*as_bytes(ROW))
    if len(blobs) == 3:
        for one, blob in zip(inputs, blobs, strict=True):
            one["parameters"] = {"binary_data_size": len(blob)}
    body, length = binary(inputs, blobs)
    said = steady.ask(INFER, body, headers={"inference-header-content-length": length})
    assert said.status == 400
    assert words in said.json()["what"]


def test_nan_in_bytes_is_empty_and_refused_where_training_had_no_gap(steady: Client):
    for name, status in (("income", 200), ("age", 422)):
        row = {**ROW, "age": 22}
        inputs, blobs = as_bytes(row)
        at = list(row).index(name)
        inputs[at]["datatype"], blobs[at] = "FP64", struct.pack("<d", float("nan"))
        body, length = binary(inputs, blobs)
        said = steady.ask(INFER, body, headers={"inference-header-content-length": length})
        assert said.status == status
    blobs[0] = struct.pack("<d", float("inf"))
    blobs[1] = struct.pack("<d", 22)
    body, length = binary(inputs, blobs)
    said = steady.ask(INFER, body, headers={"inference-header-content-length": length})
    assert (said.status, "infinite" in said.json()["what"]) == (422, True)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(v2._SIZES)), st.data())
def test_packs_numbers_as_numpy_does(kind: str, data: st.DataObject):
    names = {"BOOL": "?", "FP16": "f2", "FP32": "f4", "FP64": "f8"}
    code = names.get(kind) or kind.replace("UINT", "u").replace("INT", "i")
    dtype = np.dtype(f"<{code if kind in names else code[0] + str(int(code[1:]) // 8)}")
    raw = data.draw(st.binary(min_size=8, max_size=64))
    raw = raw[: len(raw) // dtype.itemsize * dtype.itemsize]
    if kind == "BOOL":
        raw = bytes(byte % 2 for byte in raw)
    count = len(raw) // dtype.itemsize
    cells = v2.unpack(kind, raw, "x", count)
    np.testing.assert_array_equal(np.frombuffer(raw, dtype), np.array(cells, dtype=dtype))


@given(st.lists(st.text(max_size=5)))
def test_texts_come_back_as_they_went(texts: list[str]):
    assert v2.unpack("BYTES", v2.pack("BYTES", texts), "x", len(texts)) == texts


@pytest.mark.parametrize(
    "own", ["x" * 129, "with space", "Stra\u00dfe", "line\n"]
)  # fmt: skip
def test_an_id_that_may_not_stand_in_a_log_is_refused(own: str):
    with pytest.raises(Refused, match="id"):
        v2.checked_id(own)

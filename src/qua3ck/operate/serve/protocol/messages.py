"""The messages of the Open Inference Protocol v2 over gRPC, built when they are needed.

The numbers and types are the public protocol's; written down here and turned into message
classes at run time, so that no generated file has to match an installed protobuf. They live
in a pool of their own: a client library in the same process keeps its own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"
METHODS = (
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "ModelMetadata",
    "ModelInfer",
)
_PARAMETERS = "map InferParameter parameters"
_MESSAGES = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "bool live 1",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "bool ready 1",
    "ModelReadyRequest": "string name 1, string version 2",
    "ModelReadyResponse": "bool ready 1",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "string name 1, string version 2, repeated string extensions 3",
    "ModelMetadataRequest": "string name 1, string version 2",
    "ModelMetadataResponse": "string name 1, repeated string versions 2, string platform 3, "
    "repeated ModelMetadataResponse.TensorMetadata inputs 4, "
    "repeated ModelMetadataResponse.TensorMetadata outputs 5",
    "ModelMetadataResponse.TensorMetadata": "string name 1, string datatype 2, "
    "repeated int64 shape 3",
    "InferParameter": "one bool bool_param 1, one int64 int64_param 2, one string string_param 3, "
    "one double double_param 4, one uint64 uint64_param 5",
    "InferTensorContents": "repeated bool bool_contents 1, repeated int32 int_contents 2, "
    "repeated int64 int64_contents 3, repeated uint32 uint_contents 4, "
    "repeated uint64 uint64_contents 5, repeated float fp32_contents 6, "
    "repeated double fp64_contents 7, repeated bytes bytes_contents 8",
    "ModelInferRequest": f"string model_name 1, string model_version 2, string id 3, "
    f"{_PARAMETERS} 4, repeated ModelInferRequest.InferInputTensor inputs 5, "
    "repeated ModelInferRequest.InferRequestedOutputTensor outputs 6, "
    "repeated bytes raw_input_contents 7",
    "ModelInferRequest.InferInputTensor": "string name 1, string datatype 2, "
    f"repeated int64 shape 3, {_PARAMETERS} 4, InferTensorContents contents 5",
    "ModelInferRequest.InferRequestedOutputTensor": f"string name 1, {_PARAMETERS} 2",
    "ModelInferResponse": f"string model_name 1, string model_version 2, string id 3, "
    f"{_PARAMETERS} 4, repeated ModelInferResponse.InferOutputTensor outputs 5, "
    "repeated bytes raw_output_contents 6",
    "ModelInferResponse.InferOutputTensor": "string name 1, string datatype 2, "
    f"repeated int64 shape 3, {_PARAMETERS} 4, InferTensorContents contents 5",
}
CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


@cache
def classes() -> dict[str, Any]:
    """Return the message classes by name."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="qua3ck/inference.proto", package=PACKAGE, syntax="proto3"
    )
    made: dict[str, Any] = {}
    for name, fields in _MESSAGES.items():
        outer, _, inner = name.rpartition(".")
        message = (made[outer].nested_type if outer else file.message_type).add(name=inner)
        made[name] = message
        for field in filter(None, fields.split(", ")):
            _add_field(message, name, field.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in _MESSAGES
    }


def _add_field(message: Any, full_name: str, words: list[str]) -> None:
    """Add a field such as ``repeated int64 shape 3`` to a message's descriptor."""
    label = words[0] if words[0] in ("repeated", "one", "map") else ""
    kind, name, number = words[-3:]
    field = message.field.add(name=name, number=int(number))
    field.label = field.LABEL_REPEATED if label in ("repeated", "map") else field.LABEL_OPTIONAL
    if label == "one":
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
    if label == "map":
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add_field(entry, "", ["string", "key", "1"])
        _add_field(entry, "", [kind, "value", "2"])
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{full_name}.{entry.name}"
    elif kind in _MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")

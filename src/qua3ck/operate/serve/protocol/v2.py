"""The Open Inference Protocol v2 over HTTP: JSON, and its binary tensor extension.

One tensor is one column of the model, of shape [rows] or [rows, 1]. Nothing is guessed from
positions: a matrix without column names is refused.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from qua3ck.operate.serve.answers import Answer, Ask, Refused
from qua3ck.store.releases.artefact import Manifest
from qua3ck.store.releases.prelude import whole

LENGTH = b"inference-header-content-length"
EXTENSIONS = ("binary_tensor_data", "model_versions", "model_repository")
_SIZES = {
    "BOOL": ("?", 1),
    "UINT8": ("B", 1),
    "UINT16": ("H", 2),
    "UINT32": ("I", 4),
    "UINT64": ("Q", 8),
    "INT8": ("b", 1),
    "INT16": ("h", 2),
    "INT32": ("i", 4),
    "INT64": ("q", 8),
    "FP16": ("e", 2),
    "FP32": ("f", 4),
    "FP64": ("d", 8),
}
_LONGEST_ID = 128
DATATYPES = (*_SIZES, "BYTES")
_LEAST = {f"INT{bits}": -(2 ** (bits - 1)) for bits in (8, 16, 32, 64)}
_MOST = {
    **{f"INT{bits}": 2 ** (bits - 1) - 1 for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": 2**bits - 1 for bits in (8, 16, 32, 64)},
}


class Tensor(msgspec.Struct):
    """One input: a column of the model."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] | None = None
    data: list[Any] | None = None


class Wanted(msgspec.Struct):
    """One output asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class Inference(msgspec.Struct):
    """A request of ``/infer``."""

    inputs: list[Tensor]
    id: str = ""
    parameters: dict[str, Any] | None = None
    outputs: list[Wanted] | None = None


_DECODE = msgspec.json.Decoder(Inference)
_ENCODE = msgspec.json.Encoder()


def read(body: bytes, header_length: int | None) -> tuple[Inference, memoryview]:
    """Return a request and the binary part behind its JSON.

    Raises
    ------
    Refused
        400 for what is no JSON or not of the protocol's shape.
    """
    if header_length is not None and not 0 < header_length <= len(body):
        raise _bad(
            f"The JSON part is said to have {header_length} bytes, the body has {len(body)}",
            where="the header Inference-Header-Content-Length",
            fix="give the length of the JSON part in bytes",
        )
    text = body if header_length is None else body[:header_length]
    rest = memoryview(body)[len(text) :]
    return decode(text, _DECODE), rest


def decode(text: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Return decoded JSON; 400 for what is none, or has another shape, and where it breaks."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as problem:
        said, _, place = str(problem).partition(" - at ")
        raise _bad(
            f"The JSON has not the shape that is asked for: {said[:1].lower()}{said[1:]}",
            where=place.strip("`") or "the body",
            fix="see the request's schema in /openapi.json",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        said = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise _bad(
            f"The body is no JSON: {said[:160]}",
            where="the body",
            fix="send JSON in UTF-8; NaN and Infinity are no JSON, write null for an empty value",
        ) from None


def ask_of(
    inference: Inference, binary: memoryview, *, request_id: str, version: int | None, began: float
) -> Ask:
    """Return the rows of a request.

    Raises
    ------
    Refused
        400 for tensors whose shape, datatype and data do not go together.
    """
    table: dict[str, Sequence[Any]] = {}
    rows = -1
    start = 0
    for tensor in inference.inputs:
        name = tensor.name
        count = _rows(tensor)
        if rows not in (-1, count):
            raise _bad(
                f'Input "{name}" has {count} rows, the inputs before it {rows}',
                where=f'input "{name}", shape',
                fix="send the same number of rows in every input",
            )
        if name in table:
            raise _bad(f'Input "{name}" is there twice', where="inputs", fix="keep one of them")
        rows = count
        size = (tensor.parameters or {}).get("binary_data_size")
        if size is None:
            table[name] = _plain(tensor, count)
        else:
            table[name] = _binary(tensor, binary[start : start + _length(tensor, size)], count)
            start += size
    if rows < 0:
        raise _bad("There is no input", where="inputs", fix="send one tensor for each column")
    if start != len(binary):
        raise _bad(
            f"{len(binary) - start} bytes follow the last tensor",
            where="the binary part of the body",
            fix="give each binary input its binary_data_size",
        )
    key = (inference.parameters or {}).get("key", "")
    return Ask(table, rows, checked_id(inference.id) or request_id, str(key), version, began)


def render(
    answer: Answer, inference: Inference, *, model: str, request_id: str
) -> tuple[bytes, int | None]:
    """Return the answer's body, and the length of its JSON part if a binary part follows."""
    binary = bool((inference.parameters or {}).get("binary_data_output"))
    wanted = _wanted(inference, answer)
    outputs: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for name, as_binary in wanted:
        cells = answer.outputs[name]
        kind = datatype_of(name)
        output: dict[str, Any] = {"name": name, "datatype": kind, "shape": [len(cells)]}
        if binary if as_binary is None else as_binary:
            blob = pack(kind, cells)
            output["parameters"] = {"binary_data_size": len(blob)}
            blobs.append(blob)
        else:
            output["data"] = cells
        outputs.append(output)
    said = {
        "model_name": model,
        "model_version": str(answer.version),
        "id": inference.id or request_id,
        "parameters": parameters_of(answer),
        "outputs": outputs,
    }
    text = _ENCODE.encode(said)
    if not blobs:
        return text, None
    return b"".join([text, *blobs]), len(text)


def check_outputs(asked: Sequence[Wanted], known: Sequence[str]) -> None:
    """Refuse outputs that the model does not give, before anything is predicted."""
    for at, one in enumerate(asked):
        if one.name not in known:
            raise _bad(
                "An output is asked for that the model does not give",
                where=f"outputs, entry {at + 1}",
                fix=f"ask for some of: {', '.join(known)}",
            )
        if "classification" in (one.parameters or {}):
            raise _bad(
                "The classification extension is not offered",
                where=f"outputs, entry {at + 1}",
                fix="leave it out; label and p_<class> are outputs of their own",
            )


def parameters_of(answer: Answer) -> dict[str, str]:
    """Return why this version answered, and what training never had (as JSON text)."""
    if not answer.flags:
        return {"arm": answer.arm}
    listed = [
        {"row": flag.row, "column": flag.column, "kind": flag.kind, "says": flag.says}
        for flag in answer.flags
    ]
    return {"arm": answer.arm, "flags": _ENCODE.encode(listed).decode()}


def checked_id(own: str) -> str:
    """Return the id that a request gives itself; 400 for one that may not stand in a log."""
    if own and not id_in_log(own.encode()):
        raise _bad(
            "The id is too long, or holds more than visible ASCII",
            where="id",
            fix="send at most 128 letters, digits and signs without spaces, or no id",
        )
    return own


def id_in_log(given: bytes) -> str:
    """Return an id that may stand in a log, empty for any other."""
    if 0 < len(given) <= _LONGEST_ID and given.isascii() and given.decode().isprintable():
        return "" if b" " in given else given.decode()
    return ""


def server_metadata(version: str) -> dict[str, Any]:
    """Return the answer of ``/v2``."""
    return {"name": "qua3ck", "version": version, "extensions": list(EXTENSIONS)}


def model_metadata(name: str, versions: Sequence[int], manifest: Manifest) -> dict[str, Any]:
    """Return the answer of ``/v2/models/NAME``: every column and output as a tensor."""
    return {
        "name": name,
        "versions": [str(number) for number in versions],
        "platform": "onnxruntime" if manifest.kind == "onnx" else "scikit-learn",
        "inputs": [
            {"name": column["name"], "datatype": column_datatype(column), "shape": [-1]}
            for column in manifest.spec["columns"]
        ],
        "outputs": [
            {"name": output, "datatype": datatype_of(output), "shape": [-1]}
            for output in manifest.outputs
        ],
    }


def column_datatype(column: Mapping[str, Any]) -> str:
    """Return the tensor type that a column is announced with; others that fit are taken too."""
    if column["kind"] == "bool":
        return "BOOL"
    if column["kind"] == "number":
        return "INT64" if whole(column) else "FP64"
    return "BYTES"


def datatype_of(output: str) -> str:
    """Return the tensor type of an output."""
    return "BYTES" if output == "label" else "FP64"


def pack(kind: str, cells: Sequence[Any]) -> bytes:
    """Return cells as a binary tensor: little endian, texts behind their length."""
    if kind == "BYTES":
        texts = [str(cell).encode() for cell in cells]
        return b"".join([part for text in texts for part in (struct.pack("<I", len(text)), text)])
    return struct.pack(f"<{len(cells)}{_SIZES[kind][0]}", *cells)


def unpack(kind: str, data: bytes | memoryview, name: str, count: int) -> list[Any]:
    """Return the cells of a binary tensor; 400 if its bytes are not that many cells."""
    where = f'input "{name}", datatype {kind}'
    if kind == "BYTES":
        return _texts(bytes(data), name, count)
    letter, size = _SIZES[kind]
    if len(data) != size * count:
        raise _bad(
            f'Input "{name}" has {len(data)} bytes, {count} cells of {kind} are {size * count}',
            where=where,
            fix="let shape, datatype and the number of bytes agree",
        )
    return list(struct.unpack(f"<{count}{letter}", data))


def check_datatype(kind: str, name: str) -> None:
    """Refuse a datatype that is none, or that no column is made of."""
    if kind not in _SIZES and kind != "BYTES":
        raise _bad(
            f'Input "{name}" has a datatype that is not known here',
            where=f'input "{name}", datatype',
            fix=f"use one of: {', '.join(DATATYPES)}",
        )


def rows_of(shape: Sequence[int], name: str) -> int:
    """Return the rows of a tensor's shape, which is [rows] or [rows, 1]; 400 for others."""
    wrong = len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1) or shape[0] < 0
    if wrong:
        raise _bad(
            f'Input "{name}" has a shape that is no column',
            where=f'input "{name}", shape',
            fix="send one tensor for each column, its shape [rows] or [rows, 1]",
        )
    return shape[0]


def _rows(tensor: Tensor) -> int:
    check_datatype(tensor.datatype, tensor.name)
    return rows_of(tensor.shape, tensor.name)


def _length(tensor: Tensor, size: Any) -> int:
    if type(size) is not int or size < 0 or tensor.data is not None:
        raise _bad(
            f'Input "{tensor.name}" has both data and bytes, or a size that is none',
            where=f'input "{tensor.name}", parameters.binary_data_size',
            fix="give either data, or the number of its bytes",
        )
    return size


def _plain(tensor: Tensor, count: int) -> list[Any]:
    cells = tensor.data
    if cells is None:
        raise _bad(
            f'Input "{tensor.name}" has no data',
            where=f'input "{tensor.name}"',
            fix="add data, or binary_data_size and the header Inference-Header-Content-Length",
        )
    if len(tensor.shape) == 2 and cells and type(cells[0]) is list:
        cells = _flat(cells, tensor.name)
    if len(cells) != count:
        raise _bad(
            f'Input "{tensor.name}" has {len(cells)} cells, its shape says {count}',
            where=f'input "{tensor.name}", data',
            fix="let shape and data agree",
        )
    check = _CHECKS[tensor.datatype]
    for at, cell in enumerate(cells):
        if cell is not None and not check(cell):
            raise _bad(
                f'Input "{tensor.name}" holds something that is no {tensor.datatype}',
                where=f'input "{tensor.name}", row {at + 1}',
                fix="send values of the datatype, or name the datatype that they have",
            )
    return cells


def _flat(cells: list[Any], name: str) -> list[Any]:
    if any(type(cell) is not list or len(cell) != 1 for cell in cells):
        raise _bad(
            f'Input "{name}" holds lists that are not of one cell each',
            where=f'input "{name}", data',
            fix="send data as one list of cells",
        )
    return [cell[0] for cell in cells]


def _binary(tensor: Tensor, data: memoryview, count: int) -> list[Any]:
    return unpack(tensor.datatype, data, tensor.name, count)


def _texts(data: bytes, name: str, count: int) -> list[str]:
    cells: list[str] = []
    at = 0
    try:
        while at < len(data):
            (length,) = struct.unpack_from("<I", data, at)
            (text,) = struct.unpack_from(f"{length}s", data, at + 4)
            cells.append(text.decode())
            at += 4 + length
    except (ValueError, struct.error):
        raise _bad(
            f'Input "{name}" holds bytes that are no texts in UTF-8 behind their lengths',
            where=f'input "{name}", text {len(cells) + 1}',
            fix="write each text as its length (4 bytes, little endian) and its bytes in UTF-8",
        ) from None
    if len(cells) != count:
        raise _bad(
            f'Input "{name}" has {len(cells)} texts, its shape says {count}',
            where=f'input "{name}", datatype BYTES',
            fix="let shape and data agree",
        )
    return cells


def _wanted(inference: Inference, answer: Answer) -> list[tuple[str, bool | None]]:
    """Return the outputs asked for, each with whether it is wanted in binary (None: not said).

    One that the declared fallback does not give is left out.
    """
    if not inference.outputs:
        return [(name, None) for name in answer.outputs]
    wanted: list[tuple[str, bool | None]] = []
    for one in inference.outputs:
        said = (one.parameters or {}).get("binary_data")
        if one.name in answer.outputs:
            wanted.append((one.name, said if isinstance(said, bool) else None))
    return wanted


def _whole(kind: str) -> Callable[[Any], bool]:
    least, most = _LEAST.get(kind, 0), _MOST[kind]
    return lambda cell: type(cell) is int and least <= cell <= most


def _is_number(cell: Any) -> bool:
    return type(cell) in (float, int) and (type(cell) is int or math.isfinite(cell))


_CHECKS: dict[str, Callable[[Any], bool]] = {
    **{kind: _whole(kind) for kind in _MOST},
    **dict.fromkeys(("FP16", "FP32", "FP64"), _is_number),
    "BOOL": lambda cell: type(cell) is bool,
    "BYTES": lambda cell: type(cell) is str,
}


def _bad(what: str, *, where: str, fix: str) -> Refused:
    return Refused(400, what, where=where, fix=fix)

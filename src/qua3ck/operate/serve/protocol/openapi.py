"""The OpenAPI document of a serving process, made from the release that answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.protocol.invocations import FORMS
from qua3ck.operate.serve.protocol.v2 import DATATYPES, EXTENSIONS
from qua3ck.store.releases.artefact import Manifest
from qua3ck.store.releases.prelude import whole
from qua3ck.store.releases.rows import seen

Json = dict[str, Any]
_REFUSED = {
    400: "The body cannot be read: no JSON, a wrong shape, a wrong datatype.",
    408: "The body did not come in time.",
    413: "The body, or the number of rows, is too large.",
    415: "The body is of a type that is not taken.",
    422: "The rows do not fit the model: the answer says which column, which row, and the cure.",
    503: "No version can answer now.",
}
_CAME_REFUSED = "What came true is nothing that a version in use could have answered."
_GUARDED = {
    401: "No API key, or one that is not known.",
    403: "The API key may not do this.",
    429: "Too many requests with this API key.",
}


def document(plan: ServePlan, manifest: Manifest, *, version: str) -> Json:
    """Return the OpenAPI 3.1 document.

    Parameters
    ----------
    plan : ServePlan
        The model's name, whether API keys are asked for, which columns are refused outside of
        what training had, and of which it is not told.
    manifest : Manifest
        Of the version that answers: its columns and outputs are described.
    version : str
        Of this package.

    Notes
    -----
    A range that is refused outside of is ``minimum`` and ``maximum``, categories an ``enum``;
    what is only flagged stands under ``x-seen-in-training``, where no validator refuses by it.
    """
    model, keys = plan.project, plan.keys_required
    path = f"/v2/models/{model}"
    infer = _post("infer", "Predict", "Inference", "InferenceAnswer", keys=keys)
    invoke = _post("invocations", "Predict, as MLflow does", "Invocation", "Predictions", keys=keys)
    csv = {"schema": {"type": "string"}, "example": _csv(manifest)}
    invoke["requestBody"]["content"]["text/csv"] = csv
    outcomes = _post("outcomes", "Say what came true", "Outcomes", "Taken", keys=keys)
    outcomes["responses"]["422"]["description"] = _CAME_REFUSED
    paths: Json = {
        f"{path}/infer": {"post": infer},
        f"{path}/outcomes": {"post": outcomes},
        "/invocations": {"post": invoke},
        "/": {"get": _get("index", "Where to find what", keys=False)},
        "/v2": {"get": _get("server", "The server and its extensions", keys=keys)},
        "/v2/health/live": {"get": _get("live", "Whether the process runs", keys=False)},
        path: {"get": _get("model", "The model's inputs and outputs", keys=keys, model=True)},
        "/openapi.json": {"get": _get("openapi", "This document", keys=keys, model=True)},
        "/version": {"get": _text("version", "The package's version", "text/plain", keys=False)},
        "/metrics": {
            "get": _text("metrics", "Counters", "application/openmetrics-text", keys=keys)
        },
    }
    paths.update(_repository_paths(model, keys=keys))
    for name in ("/v2/health/ready", f"{path}/ready", "/ping", "/health"):
        word = "ready" + "".join(part.capitalize() for part in name.split("/") if part)
        ready = _get(word, "Whether the promoted version answers", keys=False)
        ready["responses"]["503"] = _json("Not ready, and why", _ref("NotReady"))
        paths[name] = {"get": ready}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": model,
            "version": version,
            "description": f"Open Inference Protocol v2 ({', '.join(EXTENSIONS)}) and MLflow's "
            "/invocations. Every refusal says what, where and how to cure it.",
        },
        "paths": paths,
        "components": {"schemas": _schemas(plan, manifest), **(_security() if keys else {})},
        **({"security": [{"key": []}]} if keys else {}),
    }


def _schemas(plan: ServePlan, manifest: Manifest) -> Json:
    columns = manifest.spec["columns"]
    row = {
        "type": "object",
        "properties": {column["name"]: _column(column, plan) for column in columns},
        "required": [column["name"] for column in columns if not column.get("indicator")],
    }
    records: Json = {"type": "array", "items": _ref("Row"), "minItems": 1}
    texts: Json = {"type": "array", "items": {"type": "string"}}
    split = _object(
        {"columns": texts, "data": {"type": "array", "items": {"type": "array"}, "minItems": 1}},
        ["columns", "data"],
    )
    table = {"type": "object", "additionalProperties": {"type": "array"}}
    shapes = dict(zip(FORMS, (split, records, records, {"anyOf": [table, records]}), strict=True))
    return {
        "Row": row,
        "Invocation": {"oneOf": [_object({name: one}, [name]) for name, one in shapes.items()]},
        "Predictions": _predictions(),
        "Answer": _object(
            {
                name: {"type": "string" if name == "label" else "number"}
                for name in manifest.outputs
            },
            [],
        ),
        "Tensor": _tensor(),
        "Inference": _object(
            {
                "id": {"type": "string"},
                "parameters": {"type": "object"},
                "inputs": {"type": "array", "items": _ref("Tensor"), "minItems": 1},
                "outputs": {
                    "type": "array",
                    "items": _object({"name": {"type": "string"}}, ["name"]),
                },
            },
            ["inputs"],
        ),
        "InferenceAnswer": _object(
            {
                "model_name": {"type": "string"},
                "model_version": {"type": "string"},
                "id": {"type": "string"},
                "parameters": {"type": "object"},
                "outputs": {"type": "array", "items": _ref("Tensor")},
            },
            ["model_name", "outputs"],
        ),
        "Outcome": _outcome(plan, manifest),
        "Outcomes": {"anyOf": [_ref("Outcome"), {"type": "array", "items": _ref("Outcome")}]},
        "Taken": _object({"taken": {"type": "integer"}}, ["taken"]),
        "Refusal": _refusal({}),
        "RepositoryIndex": _repository_index(),
        "Ready": _object({"ready": {"const": True}}, ["ready"]),
        "NotReady": _refusal({"ready": {"const": False}}),
    }


def _outcome(plan: ServePlan, manifest: Manifest) -> Json:
    last = plan.limits.max_rows - 1
    came: Json = {"type": ["string", "number", "boolean"], "description": "The number"}
    if manifest.classes:
        came["description"] = "One of the classes; true and 1 are read as the target is spelt"
        came["examples"] = list(manifest.classes[:8])
    return _object(
        {
            "id": {
                "type": "string",
                "pattern": "^[!-~]{1,128}$",
                "description": "The x-request-id of the answer",
            },
            "row": {"type": "integer", "minimum": 0, "maximum": last, "default": 0},
            "outcome": came,
        },
        ["id", "outcome"],
    )


def _column(column: Mapping[str, Any], plan: ServePlan) -> Json:
    kinds = {"number": "number", "bool": "boolean"}
    optional = bool(column.get("indicator"))
    kind = "integer" if whole(column) else kinds.get(column["kind"], "string")
    made: Json = {"type": [kind, "null"] if optional else kind}
    says = ["ISO 8601, such as 2024-05-31."] if column["kind"] == "date" else []
    if column["name"] not in plan.hidden and column["kind"] != "bool":
        says += _told(made, column, refused=plan.refuses_outside(column["name"]))
    if says:
        made["description"] = " ".join(says)
    return made


def _told(made: Json, column: Mapping[str, Any], *, refused: bool) -> list[str]:
    """Add what training had of a column to its schema; return it in words."""
    had = seen(column)
    if had.values:
        made["examples"] = list(had.values[:8])
        if refused:
            made["enum"] = [*had.values, *([None] if column.get("indicator") else [])]
        else:
            made["x-seen-in-training"] = {"values": list(had.values)}
        return [f"Seen in training: {len(had.values)} categories."]
    if had.about is None:
        return []
    if refused and column["kind"] == "number":  # a schema is the rule itself, to the last digit
        made.update({"minimum": had.low, "maximum": had.high})
    else:  # JSON Schema has no range of dates
        low, high = had.about
        made["x-seen-in-training"] = {"minimum": low, "maximum": high}
    return [f"Seen in training: {had.span}."]


def _tensor() -> Json:
    return _object(
        {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "datatype": {"enum": list(DATATYPES)},
            "parameters": {"type": "object"},
            "data": {"type": "array"},
        },
        ["name", "shape", "datatype"],
    )


def _flags() -> Json:
    text = {"type": "string"}
    one = {"row": {"type": "integer"}, "column": text, "kind": text, "says": text}
    return {"type": "array", "items": _object(one, list(one))}


def _predictions() -> Json:
    return _object(
        {
            "predictions": {"type": "array", "items": _ref("Answer")},
            "flags": _flags(),
            "arm": {"const": "fallback", "description": "There where no model answered"},
        },
        ["predictions"],
    )


def _repository_index() -> Json:
    text = {"type": "string"}
    one = {"name": text, "version": text, "state": {"enum": ["READY", "UNAVAILABLE"]}}
    return {"type": "array", "items": _object({**one, "reason": text}, [*one, "reason"])}


def _refusal(more: Json) -> Json:
    names = ("error", "what", "where", "fix", "request_id")
    return _object({**{name: {"type": "string"} for name in names}, **more}, [*names, *more])


def _post(name: str, summary: str, body: str, answer: str, *, keys: bool) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(body)}},
        },
        "responses": {"200": _json("The answer", _ref(answer)), **_refusals(_REFUSED, keys)},
    }


def _repository_paths(model: str, *, keys: bool) -> Json:
    load = _repository("Load", "Ready", keys=keys)
    load["responses"]["503"] = _json("Not ready, and why", _ref("NotReady"))
    return {
        "/v2/repository/index": {"post": _repository("Index", "RepositoryIndex", keys=keys)},
        f"/v2/repository/models/{model}/load": {"post": load},
    }


def _repository(name: str, answer: str, *, keys: bool) -> Json:
    summaries = {
        "Index": "The versions in use, and those that cannot be (scope read)",
        "Load": "Look at the ledger now and load what it promoted, nothing else (scope operate)",
    }
    bodies: Json = {"Index": _object({"ready": {"type": "boolean"}}, []), "Load": _object({}, [])}
    known = {status: _REFUSED[status] for status in (400, 408, 413)}
    return {
        "operationId": f"repository{name}",
        "summary": summaries[name],
        "requestBody": {"content": {"application/json": {"schema": bodies[name]}}},
        "responses": {"200": _json("The answer", _ref(answer)), **_refusals(known, keys)},
    }


def _get(name: str, summary: str, *, keys: bool, model: bool = False) -> Json:
    known = {503: _REFUSED[503]} if model else {}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": _json("The answer", {"type": "object"}), **_refusals(known, keys)},
        **({} if keys else {"security": []}),
    }


def _text(name: str, summary: str, kind: str, *, keys: bool) -> Json:
    made = _get(name, summary, keys=keys)
    made["responses"]["200"]["content"] = {kind: {"schema": {"type": "string"}}}
    return made


def _refusals(known: Mapping[int, str], keys: bool) -> Json:
    every = {**known, **(_GUARDED if keys else {})}
    return {str(status): _json(text, _ref("Refusal")) for status, text in every.items()}


def _csv(manifest: Manifest) -> str:
    return ",".join(column["name"] for column in manifest.spec["columns"]) + "\n..."


def _security() -> Json:
    return {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}


def _json(text: str, schema: Json) -> Json:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}

"""The Open Inference Protocol v2 over gRPC: the same checks and answers as over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from qua3ck.kit.extras import need
from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.answers import Answer, Ask, Refused
from qua3ck.operate.serve.protocol import messages, v2

if TYPE_CHECKING:
    from qua3ck.operate.serve.app import App

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "RESOURCE_EXHAUSTED",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class Service:
    """Answers the calls of the protocol with an application's parts.

    Parameters
    ----------
    plan : ServePlan
        The model's name and the limits.
    app : App
        What answers HTTP; it does the work here too.
    """

    def __init__(self, plan: ServePlan, app: App) -> None:
        self._plan = plan
        self._app = app
        self._make = messages.classes()

    async def server_live(self, request: Any, context: Any) -> Any:
        """Say that the process runs."""
        del request, context
        return self._make["ServerLiveResponse"](live=True)

    async def server_ready(self, request: Any, context: Any) -> Any:
        """Say whether the promoted version answers."""
        del request, context
        return self._make["ServerReadyResponse"](ready=not self._app.problem())

    async def model_ready(self, request: Any, context: Any) -> Any:
        """Say whether a model answers."""
        del context
        self._app.version_of(request.name, request.version)
        return self._make["ModelReadyResponse"](ready=not self._app.problem())

    async def server_metadata(self, request: Any, context: Any) -> Any:
        """Say what this server is."""
        del request
        self._let_in(context, "read")
        said = v2.server_metadata(installed("qua3ck"))
        return self._make["ServerMetadataResponse"](**said)

    async def model_metadata(self, request: Any, context: Any) -> Any:
        """Say what goes into the model and what comes out."""
        self._let_in(context, "read")
        said = self._app.described(self._app.version_of(request.name, request.version))
        tensor = self._make["ModelMetadataResponse.TensorMetadata"]
        parts = {key: [tensor(**one) for one in said[key]] for key in ("inputs", "outputs")}
        return self._make["ModelMetadataResponse"](**{**said, **parts})

    async def model_infer(self, request: Any, context: Any) -> Any:
        """Predict."""
        began = time.perf_counter()
        ask: Ask | None = None
        try:
            self._let_in(context, "predict")
            version = self._app.version_of(request.model_name, request.model_version)
            asked = [v2.Wanted(one.name) for one in request.outputs]
            if asked:
                v2.check_outputs(asked, self._app.champion().manifest.outputs)
            ask = self._ask(request, version, began)
            answer = await self._app.answer(ask)
            made = self._rendered(request, answer, ask)
        except Exception as problem:
            # what fails is counted where it failed
            arm, number = ask.met[-1] if ask is not None and ask.met else ("", 0)
            status = problem.status if isinstance(problem, Refused) else 500
            self._app.count(arm, number, status, began, ask)
            raise
        self._app.count(answer.arm, answer.version, 200, began, ask)
        await self._app.shadow(ask)
        return made

    def _ask(self, request: Any, version: int | None, began: float) -> Ask:
        raw = list(request.raw_input_contents)
        if raw and len(raw) != len(request.inputs):
            raise Refused(
                400,
                f"There are {len(request.inputs)} inputs and {len(raw)} raw contents",
                where="raw_input_contents",
                fix="send the raw contents of every input, or of none",
            )
        table: dict[str, Sequence[Any]] = {}
        rows = set()
        for at, tensor in enumerate(request.inputs):
            v2.check_datatype(tensor.datatype, tensor.name)
            count = v2.rows_of(list(tensor.shape), tensor.name)
            rows.add(count)
            if tensor.name in table or len(rows) > 1:
                raise Refused(
                    400,
                    f'Input "{tensor.name}" is there twice, or has another number of rows',
                    where="inputs",
                    fix="send each column once, all with the same number of rows",
                )
            table[tensor.name] = _cells(tensor, raw[at] if raw else None, count)
        if not table:
            raise Refused(400, "There is no input", where="inputs", fix="send one for each column")
        key = request.parameters["key"].string_param if "key" in request.parameters else ""
        own = v2.checked_id(request.id) or self._app.next_id()
        return Ask(table, rows.pop(), own, key, version, began)

    def _rendered(self, request: Any, answer: Answer, ask: Ask) -> Any:
        names = [one.name for one in request.outputs] or list(answer.outputs)
        made = self._make["ModelInferResponse"](
            model_name=self._plan.project, model_version=str(answer.version), id=ask.request_id
        )
        for name in filter(answer.outputs.__contains__, names):
            cells = answer.outputs[name]
            kind = v2.datatype_of(name)
            output = made.outputs.add(name=name, datatype=kind, shape=[len(cells)])
            if request.raw_input_contents:
                made.raw_output_contents.append(v2.pack(kind, cells))
            else:
                sent = [cell.encode() for cell in cells] if kind == "BYTES" else cells
                getattr(output.contents, messages.CONTENTS[kind]).extend(sent)
        for name, text in v2.parameters_of(answer).items():
            made.parameters[name].string_param = text
        return made

    def _let_in(self, context: Any, right: Any) -> None:
        headers = [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in context.invocation_metadata() or ()
        ]
        self._app.let_in(headers, right)


async def start(plan: ServePlan, app: App) -> Any:
    """Start to answer at the plan's gRPC port and return the server.

    Raises
    ------
    Qua3ckError
        If the extra ``grpc`` is not installed.
    """
    grpc = need("grpc", extra="grpc", what="the gRPC protocol")
    need("google.protobuf", extra="grpc", what="the gRPC protocol")
    most = plan.limits.max_bytes
    server = grpc.aio.server(
        options=[("grpc.max_receive_message_length", most), ("grpc.so_reuseport", 1)]
    )
    service = Service(plan, app)
    made = messages.classes()
    calls = {
        name: grpc.unary_unary_rpc_method_handler(
            _guarded(grpc, getattr(service, _snake(name)), app),
            request_deserializer=made[f"{name}Request"].FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )
        for name in messages.METHODS
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(messages.SERVICE, calls),)
    )
    place = f"{plan.host}:{plan.grpc_port}"
    if plan.tls is None:
        server.add_insecure_port(place)
    else:
        with open(plan.tls.key, "rb") as key, open(plan.tls.cert, "rb") as chain:  # noqa: PTH123
            pair = (key.read(), chain.read())
        server.add_secure_port(place, grpc.ssl_server_credentials([pair]))
    await server.start()
    return server


def _guarded(grpc: Any, call: Callable[..., Any], app: App) -> Callable[..., Any]:
    """Return a call whose refusals become status codes, and whose faults say nothing."""

    async def guarded(request: Any, context: Any) -> Any:
        try:
            return await call(request, context)
        except Refused as refused:
            code = getattr(grpc.StatusCode, _CODES.get(refused.status, "UNKNOWN"))
            await context.abort(code, refused.body("")["error"])
        except Exception as problem:  # noqa: BLE001 - the last line of defence
            app.told(problem)
            await context.abort(grpc.StatusCode.INTERNAL, "The server failed at this request")

    return guarded


def _cells(tensor: Any, raw: bytes | None, count: int) -> list[Any]:
    kind = tensor.datatype
    if raw is not None:
        return v2.unpack(kind, raw, tensor.name, count)
    field = messages.CONTENTS.get(kind)
    cells = list(getattr(tensor.contents, field)) if field else []
    if len(cells) != count:
        raise Refused(
            400,
            f'Input "{tensor.name}" has {len(cells)} cells of {kind}, its shape says {count}',
            where=f'input "{tensor.name}", contents',
            fix="fill the contents of the tensor's own datatype, one cell for each row",
        )
    if kind != "BYTES":
        return cells
    try:
        return [cell.decode() for cell in cells]
    except UnicodeDecodeError:
        raise Refused(
            400,
            f'Input "{tensor.name}" holds bytes that are no text in UTF-8',
            where=f'input "{tensor.name}", contents',
            fix="send texts in UTF-8",
        ) from None


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]

"""The ASGI application: paths, limits, request ids and headers; no framework between.

A request passes here on its way to :mod:`predicting` and back. Whatever is wrong with it
comes back as JSON that says what, where and how to cure it; nothing it held is repeated.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from qua3ck.kit.errors import did_you_mean
from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve import outcomes
from qua3ck.operate.serve.answers import Answer, Ask, Refused
from qua3ck.operate.serve.bodies import Bodies, Gone, Receive
from qua3ck.operate.serve.predicting import Predictor, cure, in_time, switched_off
from qua3ck.operate.serve.protocol import invocations, openapi, repository, v2
from qua3ck.operate.serve.versions import Version, Versions

if TYPE_CHECKING:
    from qua3ck.operate.serve.access import Access, Refusal
    from qua3ck.operate.serve.logbook import Logbook
    from qua3ck.operate.serve.metrics import Metrics
    from qua3ck.operate.serve.people import People

Scope = MutableMapping[str, Any]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Right = Literal["predict", "read", "operate"]
Headers = list[tuple[bytes, bytes]]

JSON = b"application/json"
_ENCODE = msgspec.json.Encoder()
_PLAIN = b"text/plain; charset=utf-8"
_METRICS = b"application/openmetrics-text; version=1.0.0; charset=utf-8"
_SAFE: Headers = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]
_TLS: Headers = [(b"strict-transport-security", b"max-age=31536000")]
_INFER_TYPES = frozenset({b"", JSON, b"application/octet-stream"})
_INVOKE_TYPES = frozenset({JSON, b"text/csv"})


@dataclass(slots=True)
class Request:
    """One request: what its headers say, and what became of it for the counters."""

    scope: Scope
    receive: Receive
    began: float
    request_id: str
    content_type: bytes = b""
    charset: bytes = b""
    encoding: bytes = b""
    length: int = -1
    header_length: int | None = None
    key: str = ""
    arm: str = ""
    version: int = 0
    counted: bool = True
    flying: bool = False
    ask: Ask | None = None
    asked: Ask | None = None


class Reply(NamedTuple):
    """What goes back."""

    status: int
    body: bytes
    content_type: bytes = JSON
    extra: Headers = []  # noqa: RUF012 - never changed


Handler = Callable[[Request], Awaitable[Reply]]


class App:
    """Answers HTTP requests; built by :func:`make_app`."""

    def __init__(
        self,
        plan: ServePlan,
        versions: Versions,
        log: Logbook,
        metrics: Metrics,
        access: Access,
        people: People,
        *,
        problem: Callable[[], str],
        failed: Callable[[str, BaseException], None],
        look: Callable[[], Awaitable[None]],
    ) -> None:
        self.predictor = Predictor(plan, versions, log, people)
        self._plan = plan
        self._log = log
        self._versions = versions
        self._metrics = metrics
        self._access = access
        self._people = people
        self._problem = problem
        self._failed = failed
        self._look = look
        self._safe = _SAFE + (_TLS if plan.tls else [])
        self._ids = _ids()
        self._bodies = Bodies(plan)
        self.sweep = self._bodies.sweep
        self._paths = self._routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI asks."""
        if scope["type"] != "http":
            await _not_http(scope, receive, send)
            return
        request = self._request(scope, receive)
        try:
            reply = await self._reply(request)
        except Refused as refused:
            reply = _refusal(refused, request.request_id)
        except Gone:
            self._count(request, 499)
            return
        except Exception as problem:  # noqa: BLE001 - the last line of defence
            self._failed(request.request_id, problem)
            reply = _refusal(_ours(), request.request_id)
        self._count(request, reply.status)
        await self._send(request, reply, send)
        if request.ask is not None:
            await self.shadow(request.ask)

    def problem(self) -> str:
        """Return why this process is not ready, empty if it is."""
        refused = self._off_for_all()
        if refused is not None:
            return refused.what
        serving = self._versions.serving
        off = serving.routing is not None and serving.routing.off is not None
        if not off and not self._versions.ready:
            return serving.problem or "no version is loaded yet"
        return self._problem() or self._log.problem

    def _off_for_all(self) -> Refused | None:
        """Return what everybody is told while serving is off and no fallback is declared."""
        routing = self._versions.serving.routing
        off = routing.off if routing is not None else None
        return None if off is None or off.declared else switched_off(off)

    def let_in(self, headers: Iterable[tuple[bytes, bytes]], right: Right) -> None:
        """Refuse whoever may not ask for this."""
        refusal = self._access.allow(headers, right)
        if refusal is not None:
            raise _declined(refusal)

    def version_of(self, name: str, version: str) -> int | None:
        """Return the version asked for, None for whichever is in use; 404 for all others."""
        if name != self._plan.project:
            raise Refused(
                404,
                f"There is no such model{did_you_mean(name[:200], [self._plan.project])}",
                where="the model's name",
                fix=f"ask for {self._plan.project}",
            )
        if not version:
            return None
        number, serving = _number(version), self._versions.serving
        if number not in serving.versions:
            used = ", ".join(str(n) for n in sorted(serving.versions)) or "none"
            raise Refused(
                404,
                "That version is not in use",
                where=f"the version; in use: {used}",
                fix="name one of them, or none for whichever is in use",
            )
        return number

    def described(self, number: int | None = None) -> dict[str, Any]:
        """Return the metadata of a version, of the champion if none is named."""
        versions = self._versions.serving.versions
        shown = versions[number] if number is not None else self.champion()
        return v2.model_metadata(self._plan.project, sorted(versions), shown.manifest)

    def next_id(self) -> str:
        """Return a new request id."""
        return str(next(self._ids))

    def count(
        self, arm: str, version: int, status: int, began: float, ask: Ask | None = None
    ) -> None:
        """Count one request; of a rollout also who it was that got a bad answer."""
        seconds = time.perf_counter() - began
        self._metrics.count(arm, version, status, seconds, rows=0 if ask is None else ask.rows)
        routing = self._versions.serving.routing
        if ask is not None and routing is not None and self._people.bad(status, seconds):
            place = self.predictor.place(ask, routing)
            if place is not None:
                self._people.note(routing, arm, place, status, seconds)

    def told(self, problem: BaseException) -> None:
        """Say that something of ours failed."""
        self._failed("", problem)

    async def _reply(self, request: Request) -> Reply:
        path, method = request.scope["path"], request.scope["method"]
        found = self._paths.get(path)
        if found is None:
            found = self._version_paths(path)
        method = "GET" if method == "HEAD" else method
        if method not in found:
            raise _not_allowed(found)
        right, handler = found[method]
        if right is not None:
            self.let_in(request.scope["headers"], right)
        request.counted = right == "predict"
        return await handler(request)

    def _routes(self) -> dict[str, dict[str, tuple[Right | None, Handler]]]:
        model = f"/v2/models/{self._plan.project}"
        read: Right = "read"
        predict: Right = "predict"
        return {
            "/": {"GET": (None, self._index)},
            "/v2": {"GET": (read, self._server)},
            "/v2/": {"GET": (read, self._server)},
            "/v2/health/live": {"GET": (None, self._live)},
            "/v2/health/ready": {"GET": (None, self._ready)},
            model: {"GET": (read, self._model)},
            f"{model}/ready": {"GET": (None, self._ready)},
            f"{model}/infer": {"POST": (predict, self._infer)},
            f"{model}/outcomes": {"POST": (predict, self._outcomes)},
            "/invocations": {"POST": (predict, self._invocations)},
            "/v2/repository/index": {"POST": (read, self._repository)},
            f"/v2/repository/models/{self._plan.project}/load": {"POST": ("operate", self._load)},
            "/ping": {"GET": (None, self._ready)},
            "/health": {"GET": (None, self._ready)},
            "/version": {"GET": (None, self._version)},
            "/metrics": {"GET": (read, self._metrics_text)},
            "/openapi.json": {"GET": (read, self._openapi)},
        }

    def _version_paths(self, path: str) -> dict[str, tuple[Right | None, Handler]]:
        """Return what a path with a version's number answers; 404 for every other path."""
        parts = path.split("/")
        if parts[1:3] != ["v2", "models"] or len(parts) < 4:
            raise self._no_path(path)
        if len(parts) < 6 or parts[4] != "versions":
            self.version_of(parts[3], "")
            raise self._no_path(path)
        number = self.version_of(parts[3], parts[5] or "0")
        rest = parts[6:]
        if not rest:
            return {"GET": ("read", lambda request: self._model(request, number))}
        if rest == ["ready"]:
            return {"GET": (None, self._ready)}
        if rest == ["infer"]:
            return {"POST": ("predict", lambda request: self._infer(request, number))}
        raise self._no_path(path)

    def _no_path(self, path: str) -> Refused:
        near = did_you_mean(path, self._paths) if len(path) < 200 else ""
        return Refused(
            404, f"There is no such path{near}", where="the path", fix="see /openapi.json"
        )

    async def _infer(self, request: Request, version: int | None = None) -> Reply:
        self._begin(request)
        _check_type(request, _INFER_TYPES, "application/json")
        body = await self._body(request)
        inference, binary = v2.read(body, request.header_length)
        if inference.outputs:
            v2.check_outputs(inference.outputs, self.champion().manifest.outputs)
        ask = v2.ask_of(
            inference,
            binary,
            request_id=request.request_id,
            version=version,
            began=request.began,
        )
        if request.key:
            ask = Ask(ask.table, ask.rows, ask.request_id, request.key, version, ask.began)
        answer = await self._answer(request, ask)
        made, length = v2.render(
            answer, inference, model=self._plan.project, request_id=request.request_id
        )
        if length is None:
            return Reply(200, made)
        return Reply(200, made, b"application/octet-stream", [(v2.LENGTH, b"%d" % length)])

    async def _invocations(self, request: Request) -> Reply:
        self._begin(request)
        _check_type(request, _INVOKE_TYPES, "application/json, or text/csv")
        body = await self._body(request)
        as_csv = request.content_type == b"text/csv"
        kinds = self._kinds() if as_csv else {}
        table, rows = invocations.read(body, kinds, csv_text=as_csv)
        ask = Ask(table, rows, request.request_id, request.key, None, request.began)
        answer = await self._answer(request, ask)
        extra = [
            (b"x-qua3ck-version", b"%d" % answer.version),
            (b"x-qua3ck-arm", answer.arm.encode()),
        ]
        return Reply(200, invocations.render(answer), JSON, extra)

    async def _outcomes(self, request: Request) -> Reply:
        """Keep what came true for earlier answers; whoever judges a rollout reads it there."""
        request.counted = False
        _check_type(request, frozenset({JSON}), "application/json")
        manifests = [one.manifest for one in self._versions.serving.versions.values()]
        expected = outcomes.Expected.of(manifests, rows=self._plan.limits.max_rows)
        taken = outcomes.keep(await self._body(request), self._log, expected)
        return _json({"taken": taken})

    async def _answer(self, request: Request, ask: Ask) -> Answer:
        request.asked = ask
        try:
            answer = await self.answer(ask)
        except BaseException:
            if ask.met:  # what fails is counted where it failed: a canary is judged by it
                request.arm, request.version = ask.met[-1]
            raise
        request.arm, request.version = answer.arm, answer.version
        request.ask = ask
        return answer

    async def answer(self, ask: Ask) -> Answer:
        """Return the answer to rows, logged, within the plan's time."""
        work = self.predictor.answer(ask)
        if self._versions.serving.waits:
            return await in_time(self._plan.limits.timeout_s, work)
        return await work

    async def shadow(self, ask: Ask) -> None:
        """Score rows that were answered with the shadow, if there is one."""
        routing = self._versions.serving.routing
        if routing is None or routing.shadow is None:
            return
        began = time.perf_counter()
        try:
            made = await self.predictor.shadow(ask)
        except Exception as problem:  # noqa: BLE001 - a shadow never harms an answer
            self._failed(ask.request_id, problem)
            return
        if made is not None:
            took = time.perf_counter() - began
            self._metrics.count("shadow", made.version, 200, took, rows=ask.rows)

    async def _index(self, request: Request) -> Reply:
        del request
        return _json(_where_to(self._plan.project))

    async def _server(self, request: Request) -> Reply:
        del request
        return _json(v2.server_metadata(installed("qua3ck")))

    async def _live(self, request: Request) -> Reply:
        del request
        return _json({"live": True})

    async def _ready(self, request: Request) -> Reply:
        problem = self.problem()
        if not problem:
            return _json({"ready": True})
        refused = self._off_for_all() or Refused(
            503,
            problem,
            where="this server",
            fix="look at its log; answers may still come from the version before",
        )
        return _json({"ready": False, **refused.body(request.request_id)}, 503)

    async def _repository(self, request: Request) -> Reply:
        body = await self._body(request)
        return _json(repository.index(body, self._plan.project, self._versions))

    async def _load(self, request: Request) -> Reply:
        """Look at the ledger now instead of within a second, and say whether we are ready."""
        repository.check_load(await self._body(request))
        await self._look()
        return await self._ready(request)

    async def _model(self, request: Request, number: int | None = None) -> Reply:
        del request
        return _json(self.described(number))

    async def _version(self, request: Request) -> Reply:
        del request
        return Reply(200, installed("qua3ck").encode(), _PLAIN)

    async def _metrics_text(self, request: Request) -> Reply:
        del request
        return Reply(200, self._metrics.render().encode(), _METRICS)

    async def _openapi(self, request: Request) -> Reply:
        del request
        manifest = self.champion().manifest
        return _json(openapi.document(self._plan, manifest, version=installed("qua3ck")))

    def champion(self) -> Version:
        """Return the version that the promoted alias points to; 503 if there is none."""
        serving = self._versions.serving
        if serving.routing is None or not serving.routing.arms:
            raise Refused(
                503,
                "No version can answer yet" + (f": {serving.problem}" if serving.problem else ""),
                where="this server",
                fix=cure(serving.problem),
            )
        return serving.versions[serving.routing.arms[-1].version]

    def _kinds(self) -> dict[str, str]:
        return invocations.kinds_of(self.champion().manifest.spec["columns"])

    def _begin(self, request: Request) -> None:
        request.flying = True
        self._metrics.flight(1)

    def _count(self, request: Request, status: int) -> None:
        """Count predictions and what was sent to no path; who looks after health is not."""
        if request.flying:
            self._metrics.flight(-1)
        if request.counted:
            self.count(request.arm, request.version, status, request.began, request.asked)

    def _request(self, scope: Scope, receive: Receive) -> Request:
        request = Request(scope, receive, time.perf_counter(), "")
        given = b""
        for name, value in scope["headers"]:
            if name == b"content-type":
                kind, _, more = value.partition(b";")
                request.content_type = kind.strip().lower()
                request.charset = more.strip().lower()
            elif name == b"content-length":
                request.length = int(value) if value.isdigit() else -1
            elif name == v2.LENGTH:
                request.header_length = int(value) if value.isdigit() else -1
            elif name == b"x-request-id":
                given = value
            elif name == b"content-encoding":
                request.encoding = value.strip().lower()
            elif name == b"x-qua3ck-key":
                request.key = value.decode("latin-1")
        request.request_id = v2.id_in_log(given) or next(self._ids)
        return request

    async def _body(self, request: Request) -> bytes:
        return await self._bodies.read(request.receive, length=request.length, began=request.began)

    async def _send(self, request: Request, reply: Reply, send: Send) -> None:
        headers = [
            (b"content-type", reply.content_type),
            (b"content-length", b"%d" % len(reply.body)),
            (b"x-request-id", request.request_id.encode()),
            *self._safe,
            *reply.extra,
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if request.scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})


def make_app(
    plan: ServePlan,
    versions: Versions,
    logbook: Logbook,
    metrics: Metrics,
    access: Access,
    people: People,
    *,
    problem: Callable[[], str] = lambda: "",
    failed: Callable[[str, BaseException], None] = lambda _, __: None,
    look: Callable[[], Awaitable[None]],
) -> App:
    """Return the ASGI application of a serving process.

    Parameters
    ----------
    plan : ServePlan
        What the process was told.
    versions : Versions
        What is loaded, and who answers whom.
    logbook, metrics, access, people
        Where answers are kept, requests counted, keys checked, and who got bad answers noted.
    problem : callable, optional
        Returns why the process is not ready although a version is, such as a ledger that
        does not verify; empty if nothing is wrong.
    failed : callable, optional
        Told of an error on our side: the request's id and the exception.
    look : callable
        Looks at the ledger now, and loads what it promoted.
    """
    return App(
        plan, versions, logbook, metrics, access, people,
        problem=problem, failed=failed, look=look,
    )  # fmt: skip


def _ids() -> Any:
    """Return request ids: a draw for this process, and a count."""
    drawn = os.urandom(8).hex()
    return (f"{drawn}-{at:x}" for at in itertools.count(1))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _where_to(project: str) -> dict[str, Any]:
    """Return what stands at the root: where to ask for what."""
    return {
        "name": project,
        "predict": [f"/v2/models/{project}/infer", "/invocations"],
        "describes": "/openapi.json",
        "health": ["/v2/health/live", "/v2/health/ready"],
        "metrics": "/metrics",
    }


def _json(said: Any, status: int = 200) -> Reply:
    return Reply(status, _ENCODE.encode(said))


def _refusal(refused: Refused, request_id: str) -> Reply:
    extra: Headers = []
    if refused.status in (408, 413):
        extra.append((b"connection", b"close"))
    return Reply(
        refused.status, _ENCODE.encode(refused.body(request_id)), JSON, [*extra, *refused.headers]
    )


def _check_type(request: Request, taken: frozenset[bytes], shown: str) -> None:
    if request.encoding not in (b"", b"identity"):
        raise Refused(
            415,
            "A compressed body is not taken",
            where="the header content-encoding",
            fix="send the body as it is",
        )
    if request.content_type not in taken:
        raise Refused(
            415,
            "The body is of a type that is not taken here",
            where="the header content-type",
            fix=f"send content-type: {shown}",
        )
    charset = request.charset.partition(b"charset=")[2].strip(b"\"' ")
    if charset and charset not in (b"utf-8", b"utf8", b"us-ascii"):
        raise Refused(
            415,
            "The body is in an encoding that is not taken here",
            where="the header content-type",
            fix="send UTF-8",
        )


def _not_allowed(found: Mapping[str, Any]) -> Refused:
    allowed = ", ".join([*found, *(["HEAD"] if "GET" in found else [])])
    refused = Refused(
        405,
        "This path does not take that method",
        where="the method",
        fix=f"use {allowed}",
    )
    refused.headers = [(b"allow", allowed.encode())]
    return refused


def _declined(refusal: Refusal) -> Refused:
    refused = Refused(refusal.status, refusal.what, where=refusal.where, fix=refusal.fix)
    if refusal.status == 401:
        refused.headers = [(b"www-authenticate", b"Bearer")]
    elif refusal.retry_after_s:
        refused.headers = [(b"retry-after", b"%d" % max(1, round(refusal.retry_after_s + 0.5)))]
    return refused


def _ours() -> Refused:
    return Refused(
        500,
        "The server failed at this request; that is our mistake, not yours",
        where="this server",
        fix="tell whoever runs it the request id",
    )


async def _not_http(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "websocket.close", "code": 1003})

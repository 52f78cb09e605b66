"""Asks an application as a server would, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.access import Access
from qua3ck.operate.serve.app import App, make_app
from qua3ck.operate.serve.following import Follower
from qua3ck.operate.serve.logbook import Logbook
from qua3ck.operate.serve.metrics import Metrics
from qua3ck.operate.serve.people import People
from qua3ck.operate.serve.versions import Versions

ROW = {"income": 33.5, "age": 22, "home": "rent"}
TYPES = {"income": "FP64", "age": "INT64", "home": "BYTES"}


@dataclass
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """An application and its parts."""

    app: App
    versions: Versions
    follower: Follower
    metrics: Metrics
    logbook: Logbook
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def follow(self) -> None:
        """Take over what the ledger says now."""
        routing = self.follower.poll()
        if routing is not None:
            self.versions.use(routing)

    def ask(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "",
        headers: dict[str, str] | None = None,
        parts: Iterable[bytes] = (),
    ) -> Said:
        return asyncio.run(self.asks(path, body, method=method, headers=headers, parts=parts))

    async def asks(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "",
        headers: dict[str, str] | None = None,
        parts: Iterable[bytes] = (),
    ) -> Said:
        data = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        pieces = list(parts) or [data]
        given = {"content-length": str(len(data)), **(headers or {})}
        if data and "content-type" not in given:
            given["content-type"] = "application/json"
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            part = pieces.pop(0) if pieces else b""
            return {"type": "http.request", "body": part, "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method or ("GET" if body is None and not parts else "POST"),
            "path": path,
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in given.items() if v],
        }
        await self.app(scope, receive, send)
        start, last = sent
        headers_back = {k.decode(): v.decode() for k, v in start["headers"]}
        return Said(start["status"], headers_back, last["body"])

    def invoke(self, *rows: dict[str, Any], **more: Any) -> Said:
        return self.ask("/invocations", {"dataframe_records": list(rows)}, **more)

    def infer(self, row: dict[str, Any], **more: Any) -> Said:
        return self.ask("/v2/models/shop/infer", {"inputs": tensors(row), **more})

    def logged(self) -> list[dict[str, Any]]:
        """Return the lines that the log has by now."""
        return [json.loads(line) for line in self.logbook.path.read_text().splitlines()]


def tensors(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Return rows as tensors, one a column."""
    return [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": TYPES.get(name, "BYTES"),
            "data": [row[name] for row in rows],
        }
        for name in rows[0]
    ]


def open_client(plan: ServePlan) -> Client:
    """Return an application by a plan, with what the ledger says loaded."""
    access = Access(plan)
    follower = Follower(plan, access=access)
    events: list[Any] = []
    failures: list[BaseException] = []
    versions = Versions(
        plan, follower.released, events=lambda event, facts: events.append((event, dict(facts)))
    )
    metrics, logbook = Metrics(plan, 0), Logbook(plan, 0)
    app = make_app(
        plan,
        versions,
        logbook,
        metrics,
        access,
        People(plan, 0),
        problem=lambda: follower.problem.what if follower.problem else "",
        failed=lambda _, problem: failures.append(problem),
        look=lambda: asyncio.to_thread(client.follow),
    )
    client = Client(app, versions, follower, metrics, logbook, events, failures)
    client.follow()
    return client

"""A server of its own process for a shop, and what one asks of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qua3ck.operate.records import ServePlan, write_plan

PATIENCE_S = 40.0


def until(true: Callable[[], Any], *, within: float = PATIENCE_S, why: str = "") -> Any:
    """Return the first true answer; fail if there is none in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            if found := true():
                return found
        time.sleep(0.02)
    raise AssertionError(why or "it did not come in time")


@dataclass
class Server:
    """A running supervisor and where it answers."""

    plan: ServePlan
    process: subprocess.Popen[bytes]
    errors: Path
    url: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """Return what the supervisor wrote about itself."""
        found: dict[str, Any] = json.loads((self.plan.state / "running.json").read_bytes())
        return found

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        return list(self.state()["workers"].values())

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of one event so far."""
        lines = self.errors.read_text().splitlines()
        facts = [json.loads(line) for line in lines if line.startswith("{")]
        return [one for one in facts if one["event"] == event]

    def ask(
        self, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and JSON of one request on a connection of its own."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            return self.on(connection, path, body, headers=headers)
        finally:
            connection.close()

    def on(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], Any]:
        """Return the same, on a connection that stays open."""
        data = None if body is None else json.dumps(body)
        given = {"content-type": "application/json", **(headers or {})}
        connection.request("GET" if data is None else "POST", path, data, given)
        answer = connection.getresponse()
        read = answer.read()
        kind = answer.headers.get("content-type", "")
        said = json.loads(read) if kind.startswith("application/json") else read.decode()
        return answer.status, dict(answer.headers), said

    def predict(self, row: dict[str, Any], **more: Any) -> tuple[int, dict[str, str], Any]:
        """Ask for the answer to one row."""
        body = {"inputs": {name: [cell] for name, cell in row.items()}}
        return self.ask("/invocations", body, **more)

    def ready(self) -> bool:
        """Whether a worker says that it is ready."""
        return self.ask("/v2/health/ready")[0] == 200

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)


@contextlib.contextmanager
def serving(plan: ServePlan, folder: Path, *, ready: bool = True) -> Iterator[Server]:
    """Run a supervisor by a plan until the block ends."""
    path = plan.state / "plan.json"
    write_plan(plan, path)
    errors = folder / f"server-{time.monotonic_ns()}.log"
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "qua3ck.operate.serve", str(path)],
            stderr=stream,
            start_new_session=True,
        )
        server = Server(plan, process, errors)
        try:
            server.url = until(
                lambda: server.state()["url"] if server.state()["pid"] == process.pid else None,
                why="no supervisor",
            )
            if ready:
                until(server.ready, why="nobody is ready")
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=PATIENCE_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

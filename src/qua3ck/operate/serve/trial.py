"""A version tried where it would serve: started, asked under load on this machine, ended.

The server is the one that ``qua3ck serve`` starts, with supervisor, workers, checks, log and
TLS, on a free port of 127.0.0.1. It keeps its counters and its log in a folder of its own, so
that nothing of it counts as a prediction, and it writes nothing into the ledger. What is asked
are the version's golden rows: of these it is known what must be answered.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qua3ck.govern.releases import Release, model_folder
from qua3ck.operate.records import ServePlan, write_plan
from qua3ck.operate.serve.predicting import refuses
from qua3ck.store.releases import golden
from qua3ck.store.releases.artefact import read_manifest
from qua3ck.store.releases.rows import Rows

HOST = "127.0.0.1"
_LINKED = ("ledger", "people", "releases", "state/features.db")  # what a server only reads
_READY_S = 60.0
_NOT_READY_S = 3.0  # a server that says for so long that it is not ready will not be
_GRACE_S = 5.0
_AGAIN_S = 0.05
_BROKEN = (OSError, EOFError, ValueError, IndexError, TimeoutError)


@dataclass(frozen=True)
class Load:
    """What came of asking at so many connections, each with one request of one row at a time.

    ``times_ms`` are those of answered requests, from the first byte sent to the last one read.
    """

    connections: int
    seconds: float
    times_ms: array[float]
    errors: int
    wrong: int


@dataclass(frozen=True)
class Tried:
    """What was seen of a version in its runtime.

    ``problem`` says why it could not be asked, empty if it could. ``memory_mb`` is the most
    that any worker took, None where the system does not tell.
    """

    version: int
    golden_rows: int = 0
    ready_s: float = 0.0
    memory_mb: float | None = None
    loads: tuple[Load, ...] = ()
    problem: str = ""


def try_version(
    plan: ServePlan, release: Release, *, seconds: float, connections: Sequence[int]
) -> Tried:
    """Serve a version on a free port of 127.0.0.1, ask it, end the server, and say what was seen.

    Parameters
    ----------
    plan : ServePlan
        What a server of this project is told. Host, port, gRPC, API keys and who writes to the
        ledger are not taken from it.
    release : Release
        The version; it need not be promoted.
    seconds : float
        How long it is asked, all together.
    connections : sequence of int
        Asked one after the other, for an equal time each.
    """
    state = plan.state.parent
    state.mkdir(parents=True, exist_ok=True)  # on the disk on which the log would lie
    _sweep(state)
    with tempfile.TemporaryDirectory(prefix=f"{_here()}{os.getpid()}-", dir=state) as folder:
        own = _own_plan(plan, release, Path(folder))
        with _server(own, Path(folder)) as process:
            began = time.perf_counter()
            place, problem = _ready(own, process, Path(folder) / "server.log")
            if problem:
                return Tried(release.version, problem=problem)
            ready_s = time.perf_counter() - began
            asked = _Asked.of(place, own, model_folder(plan.folder, release))
            loads = _loads(asked, seconds=seconds / len(connections), connections=connections)
            return Tried(
                release.version, len(asked.requests), ready_s, _memory_mb(own), tuple(loads)
            )


@dataclass
class _Asked:
    """What is asked where, and what must be answered; ``known`` are bodies found to be right."""

    place: str
    tls: ssl.SSLContext | None
    patience_s: float
    requests: list[bytes]
    expected: list[dict[str, Any]]
    known: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, place: str, plan: ServePlan, model: Path) -> _Asked:
        """Return the golden rows of a model as requests of one row each.

        Some of them are odd on purpose, a category that nobody has, or nothing but nulls. A
        server refuses those, so they are left to the replay that every worker begins with.
        """
        manifest = read_manifest(model)
        rows, expected = golden.stored(model)
        wanted = _wanted(expected, manifest.classes, len(rows))
        reader = Rows(manifest.spec)
        taken = [at for at, row in enumerate(rows) if _is_taken(row, reader, plan)]
        wanted = [wanted[at] for at in taken]
        bodies = [json.dumps({"inputs": {k: [v] for k, v in rows[at].items()}}) for at in taken]
        head = "POST /invocations HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n"
        requests = [
            f"{head.format(place)}content-length: {len(body)}\r\n\r\n{body}".encode()
            for body in bodies  # json.dumps gives ASCII: as many bytes as letters
        ]
        patience = plan.limits.timeout_s + _GRACE_S
        return cls(place, _context(plan), patience, requests, wanted, [b""] * len(taken))

    def right(self, at: int, body: bytes) -> bool:
        """Whether a body answers a row as it must be answered."""
        if body == self.known[at]:
            return True
        said = json.loads(body)["predictions"]
        same = len(said) == 1 and _same(said[0], self.expected[at])
        if same:
            self.known[at] = body
        return same

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a new connection."""
        host, _, port = self.place.rpartition(":")
        return await asyncio.open_connection(host, int(port), ssl=self.tls)


@dataclass
class _Seen:
    """What the connections of one load have seen so far."""

    times_ms: array[float] = field(default_factory=lambda: array("d"))
    errors: int = 0
    wrong: int = 0


def _loads(asked: _Asked, *, seconds: float, connections: Sequence[int]) -> Iterator[Load]:
    """Yield what came of each number of connections; no garbage collection meanwhile."""
    asyncio.run(_load(asked, _Seen(), 1, seconds=0.0))  # every golden row once, not counted
    for n in connections:
        seen, running = _Seen(), gc.isenabled()
        gc.disable()
        began = time.perf_counter()
        try:
            asyncio.run(_load(asked, seen, n, seconds=seconds))
        finally:
            if running:
                gc.enable()
        took = time.perf_counter() - began
        yield Load(n, took, seen.times_ms, seen.errors, seen.wrong)


async def _load(asked: _Asked, seen: _Seen, connections: int, *, seconds: float) -> None:
    until = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(_keep_asking(asked, seen, first=number, until=until))


async def _keep_asking(asked: _Asked, seen: _Seen, *, first: int, until: float) -> None:
    """Ask row after row, each at least once; a connection that breaks is an error, and renewed."""
    at, last = first, first + len(asked.requests)

    def goes_on() -> bool:
        return time.perf_counter() < until or (at < last and not seen.errors)

    while goes_on():
        left = max(0.0, until - time.perf_counter())
        try:
            async with asyncio.timeout(left + asked.patience_s):
                reader, writer = await asked.opened()
                try:
                    while goes_on():
                        at += 1
                        await _ask(asked, seen, at % len(asked.requests), reader, writer)
                finally:
                    writer.close()
        except _BROKEN:
            seen.errors += 1
            await asyncio.sleep(_AGAIN_S)


async def _ask(
    asked: _Asked,
    seen: _Seen,
    row: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    began = time.perf_counter()
    writer.write(asked.requests[row])
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    body = await reader.readexactly(int(head.split(b"content-length:", 1)[1].split(b"\r", 1)[0]))
    took = time.perf_counter() - began
    if not head.startswith(b"http/1.1 200"):
        seen.errors += 1
        return
    seen.times_ms.append(took * 1000)
    if not asked.right(row, body):
        seen.wrong += 1


def _here() -> str:
    """Return how the folders of this machine's trials begin; then comes the process's number."""
    return f"trial-{socket.gethostname()}-"


def _sweep(state: Path) -> None:
    """Remove what trials left behind that were killed; never what their folders link to.

    Of another machine's process, on a shared disk or in a container, nobody can tell.
    """
    for folder in state.glob("trial-*"):
        number = folder.name.removeprefix(_here()).partition("-")[0]
        if number.isdecimal() and not folder.is_symlink() and _is_gone(int(number)):
            shutil.rmtree(folder, ignore_errors=True)  # takes links away, and follows none


def _is_gone(pid: int) -> bool:
    """Whether no process has this number; if that cannot be told, one has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _own_plan(plan: ServePlan, release: Release, folder: Path) -> ServePlan:
    """Return the plan of a server that reads the project, and keeps what it writes in a folder."""
    for name in _LINKED:
        if (plan.folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(plan.folder / name)
    return replace(
        plan,
        root=str(folder),
        tried=release.version,
        host=HOST,
        port=0,
        grpc_port=0,
        keys_required=False,
        actor="",
        may_promote=False,
    )


@contextmanager
def _server(plan: ServePlan, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    path = plan.state / "plan.json"
    write_plan(plan, path)
    words = [str(path), "--parent", str(os.getpid())]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "qua3ck.operate.serve", *words],
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=plan.limits.timeout_s + 2 * _GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(plan: ServePlan, process: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    """Wait until it answers with the version; return where, and why not if it never does."""
    until = time.monotonic() + _READY_S
    refused_at = 0.0
    while time.monotonic() < until:
        if process.poll() is not None:
            return "", f"the server ended: {_last_words(log)}"
        with suppress(*_BROKEN, http.client.HTTPException):
            place = urlsplit(_running(plan)["url"]).netloc
            status, said = _health(place, plan)
            if status == 200:
                return place, ""
            refused_at = refused_at or time.monotonic()
            if time.monotonic() - refused_at > _NOT_READY_S:
                return "", str(said["what"])
        time.sleep(_AGAIN_S)
    return "", f"the server was not ready after {_READY_S:.0f} seconds"


def _health(place: str, plan: ServePlan) -> tuple[int, Mapping[str, Any]]:
    context = _context(plan)
    connection = (
        http.client.HTTPConnection(place, timeout=_GRACE_S)
        if context is None
        else http.client.HTTPSConnection(place, timeout=_GRACE_S, context=context)
    )
    try:
        connection.request("GET", "/v2/health/ready")
        answer = connection.getresponse()
        said: Mapping[str, Any] = json.loads(answer.read())
        return answer.status, said
    finally:
        connection.close()


def _context(plan: ServePlan) -> ssl.SSLContext | None:
    """Return what a connection to our own server needs; its certificate names another host."""
    if plan.tls is None:
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _running(plan: ServePlan) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((plan.state / "running.json").read_bytes())
    return found


def _memory_mb(plan: ServePlan) -> float | None:
    """Return the most that any worker has taken so far; None where /proc does not tell."""
    most = 0
    with suppress(OSError, ValueError):
        for pid in _running(plan)["workers"].values():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    most = max(most, int(line.split()[1]))
    return most / 1024 if most else None


def _last_words(log: Path) -> str:
    """Return what a server that ended had to say, but for its lines of facts."""
    lines = log.read_text(errors="replace").splitlines()
    plain = [line.strip() for line in lines if line.strip() and not line.startswith("{")]
    return "; ".join(plain[:3]) or "it said nothing"


def _is_taken(row: Mapping[str, Any], reader: Rows, plan: ServePlan) -> bool:
    """Whether a server by this plan answers a row, and does not refuse it."""
    prepared = reader.prepare({name: [cell] for name, cell in row.items()}, 1)
    return not any(refuses(plan, one) for one in reader.strange(prepared))


def _wanted(expected: Mapping[str, Any], classes: Sequence[str], rows: int) -> list[dict[str, Any]]:
    """Return the recorded answers row by row, as a server names them."""
    made: list[dict[str, Any]] = [{} for _ in range(rows)]
    for at, one in enumerate(made):
        if "values" in expected:
            one["value"] = expected["values"][at]
            continue
        one["label"] = expected["labels"][at]
        one |= {f"p_{c}": p for c, p in zip(classes, expected["scores"][at], strict=True)}
    return made


def _same(said: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if said.keys() != wanted.keys():
        return False
    return all(
        abs(said[name] - cell) <= golden.TOLERANCE * max(1.0, abs(cell))
        if isinstance(cell, float)
        else said[name] == cell
        for name, cell in wanted.items()
    )

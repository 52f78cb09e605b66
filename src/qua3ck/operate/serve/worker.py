"""``python -m qua3ck.operate.serve.worker PLAN --fd N --number N``: one process that answers.

It holds no key that signs, loads nothing that trains, and follows the ledger: a version is
loaded and proven in a thread beside, then takes over between two requests. The supervisor
owns the socket; when it is gone, so is the worker.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need
from qua3ck.operate.records import ServePlan, read_plan
from qua3ck.operate.serve.access import Access
from qua3ck.operate.serve.following import Follower
from qua3ck.operate.serve.logbook import Logbook
from qua3ck.operate.serve.metrics import Metrics
from qua3ck.operate.serve.people import People
from qua3ck.operate.serve.telling import Teller
from qua3ck.operate.serve.versions import Versions
from qua3ck.operate.serve.writing import one_write

POLL_S = 1.0
REPLAY_S = 86_400.0
AGAIN_S = 30.0
_KEEP_ALIVE_S = 75


class Worker:
    """One process's parts, joined.

    Parameters
    ----------
    plan : ServePlan
        What to serve.
    number : int
        The worker's number, from 0.
    now : callable, optional
        Seconds that only ever grow.
    """

    def __init__(
        self, plan: ServePlan, number: int, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        import msgspec

        from qua3ck.operate.serve.app import make_app

        self.plan = plan
        self.teller = Teller(f"worker-{number}")
        self.metrics = Metrics(plan, number)
        self.access = Access(plan)
        self.follower = Follower(plan, access=self.access)
        self.versions = Versions(plan, self.follower.released, events=self._event)
        self.logbook = Logbook(plan, number, encode=msgspec.json.Encoder().encode)
        self.app = make_app(
            plan,
            self.versions,
            self.logbook,
            self.metrics,
            self.access,
            People(plan, number),
            problem=self._distrust,
            failed=self._failed,
            look=self.load,
        )
        self.parent = os.getppid()
        self._looking = asyncio.Lock()
        self._now = now
        self._replay_at = now() + REPLAY_S
        self._again_at = now() + AGAIN_S
        self.metrics.gauge("ready", 0.0)  # what an earlier process left says nothing of this one

    def look(self) -> None:
        """Read the ledger, load and prove what is new, and say how things stand."""
        routing = self.follower.poll()
        if routing is not None:
            self.versions.use(routing)
            _tidy()
        elif self._now() >= self._again_at:
            self.versions.use_again()
        if routing is not None or self._now() >= self._again_at:
            self._again_at = self._now() + AGAIN_S
        if self._now() >= self._replay_at:
            self._replay_at = self._now() + REPLAY_S
            self.versions.replay()
        known = self.versions.serving.routing
        self.metrics.gauge("ready", float(not self.app.problem()))
        self.metrics.gauge("ledger_trusted", float(self.follower.trusted))
        self.metrics.gauge("at_seq", float(known.at_seq if known else -1))

    async def follow(self, server: Any) -> None:
        """Look again every second until the server ends; end it when the supervisor is gone."""
        while not server.should_exit:
            await asyncio.sleep(POLL_S)
            await self.look_beside()
            if os.getppid() != self.parent:
                server.should_exit = True

    async def look_beside(self) -> None:
        """Look in a thread, while requests are answered; what fails is said."""
        async with self._looking:
            try:
                await asyncio.to_thread(self.look)
            except Exception as problem:  # noqa: BLE001 - answers go on with what is loaded
                self._failed("", problem)

    async def load(self) -> None:
        """Look now, and try again now what was refused: somebody asks for it."""
        self._again_at = self._now()
        await self.look_beside()

    async def beat(self) -> None:
        """Do every second what must not wait until a version is loaded: say that it is alive."""
        while True:
            self.metrics.gauge("beat", time.time())
            self.app.sweep()
            await asyncio.sleep(POLL_S)

    def _distrust(self) -> str:
        problem = self.follower.problem
        return problem.what if problem is not None else ""

    def _event(self, event: str, facts: Mapping[str, Any]) -> None:
        if event == "version.refused":
            self.teller.error(event, **facts)
        else:
            self.teller.info(event, **facts)
        if event == "version.loaded":
            self.metrics.loaded("", int(facts["version"]), float(facts["seconds"]))
        self.metrics.gauge("golden_failed", float(len(self.versions.refused)))

    def _failed(self, request_id: str, problem: BaseException) -> None:
        """Say where it broke; the message of an exception may quote a row, so it stays out."""
        frames = traceback.extract_tb(problem.__traceback__)
        at = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:]]
        kind = type(problem).__name__
        self.teller.error("request.failed", request_id=request_id, kind=kind, at=at)


def _tidy() -> None:
    """Give back what loading a model took: half of what a forest's graph needs while it is read.

    What is left is looked at by no collection again.
    """
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:  # glibc alone has it
        trim(0)


class _Told(logging.Handler):
    """What the HTTP server has to say, as one of our lines."""

    def __init__(self, teller: Teller) -> None:
        super().__init__(logging.WARNING)
        self._teller = teller

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record's message without its traceback."""
        self._teller.warn("http", says=record.getMessage())


def main(words: list[str] | None = None) -> int:
    """Answer until SIGTERM, then finish what was begun; return the exit code."""
    parser = argparse.ArgumentParser(prog="qua3ck.operate.serve.worker")
    parser.add_argument("plan", type=Path)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--parent", type=int, default=0, help="the supervisor's process")
    options = parser.parse_args(words)
    try:
        for module in ("uvicorn", "httptools", "msgspec"):
            need(module, extra="serve", what="serving")
        worker = Worker(read_plan(options.plan), options.number)
        worker.parent = options.parent or worker.parent
    except Qua3ckError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    listener = socket.socket(fileno=options.fd)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(worker, listener))
    return 0


async def _serve(worker: Worker, listener: socket.socket) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # the signals are ours

    log = logging.getLogger("uvicorn.error")
    log.addHandler(_Told(worker.teller))
    log.propagate = False
    tls, seconds = worker.plan.tls, worker.plan.limits.timeout_s
    server = Server(
        uvicorn.Config(
            worker.app,
            http=one_write(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(seconds)),
            ssl_certfile=tls.cert if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
    )
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, setattr, server, "should_exit", True)
    beside = [asyncio.create_task(worker.beat())]
    await worker.look_beside()  # nobody is let in before: other workers take what comes
    beside.append(asyncio.create_task(worker.follow(server)))
    rpc = await _rpc(worker) if worker.plan.grpc_port else None
    await server.serve(sockets=[listener])
    if rpc is not None:
        await rpc.stop(grace=seconds)
    for task in beside:
        task.cancel()
    worker.teller.info("worker.ended")


async def _rpc(worker: Worker) -> Any:
    from qua3ck.operate.serve.protocol import grpc_v2

    return await grpc_v2.start(worker.plan, worker.app)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ModuleNotFoundError:  # Windows has none
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())

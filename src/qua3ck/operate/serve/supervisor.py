"""Keeps the workers alive: binds the socket, starts them, restarts the dead, drains on a signal.

The listening socket is the supervisor's and every worker accepts from it: while a worker is
being replaced nobody is turned away, and what waits in its queue is answered by another. The
supervisor itself answers nothing, and loads no model.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import write_atomic
from qua3ck.operate.records import ServePlan, Tls
from qua3ck.operate.serve.metrics import counters_folder, gauges
from qua3ck.operate.serve.telling import Teller

_BACKLOG = 2048
_TICK_S = 0.1
_FIRST_WAIT_S, _LONGEST_WAIT_S, _LIVED_S = 0.1, 30.0, 10.0
_GRACE_S = 5.0
_SILENT_S = 30.0

Act = Callable[[], object]


@dataclass
class _Worker:
    """One number among the workers, and the process that has it now."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    not_before: float = 0.0


@dataclass
class Supervisor:
    """The process that ``qua3ck serve`` becomes.

    Attributes
    ----------
    plan : ServePlan
        What to serve, where, with how many workers.
    path : Path
        Where the plan lies, for the workers.
    beside, after : tuple of callables
        Called once when the workers were started, and once when they have ended: the keeper
        begins and ends with them.
    """

    plan: ServePlan
    path: Path
    teller: Teller = field(default_factory=lambda: Teller("supervisor"))
    beside: tuple[Act, ...] = ()
    after: tuple[Act, ...] = ()
    now: Callable[[], float] = time.monotonic
    _workers: list[_Worker] = field(default_factory=list)
    _asked: str = ""
    _told: bool = False
    _began: float = field(default_factory=time.time)

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return 0 if everything in flight was answered.

        Raises
        ------
        Qua3ckError
            If the port is taken (O001), another process serves this project (O002), or the
            files for TLS cannot be used (O010).
        """
        if self.plan.tls is not None:
            refuse_unusable(self.plan.tls)
        with only_one(self.plan), self._listening() as listener, self._signals():
            self._workers = [_Worker(number) for number in range(self.plan.workers)]
            self._say_where(listener)
            self._look_after(listener)
            for act in self.beside:
                act()
            try:
                while not self._asked:
                    time.sleep(_TICK_S)
                    self._look_after(listener)
                listener.close()
                return self._drain()
            finally:
                for act in self.after:
                    act()

    def _look_after(self, listener: socket.socket) -> None:
        for worker in self._workers:
            process = worker.process
            if process is not None and process.poll() is not None:
                self._died(worker, process.returncode)
            if worker.process is None and self.now() >= worker.not_before:
                self._start(worker, listener)
        self._end_silent()
        now = gauges(self.plan).values()
        if not self._told and any(one["ready"] and one["beat"] >= self._began for one in now):
            self._told = True
            self.teller.info("serving.ready", url=url(self.plan, listener))

    def _start(self, worker: _Worker, listener: socket.socket) -> None:
        handle = listener.fileno()
        words = [str(self.path), "--fd", str(handle), "--number", str(worker.number)]
        words += ["--parent", str(os.getpid())]  # it may be gone before the worker has begun
        worker.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "qua3ck.operate.serve.worker", *words],
            pass_fds=(handle,),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which drains
        )
        worker.started = self.now()
        self.teller.info("worker.started", worker=worker.number, pid=worker.process.pid)
        self._write_state(listener)

    def _died(self, worker: _Worker, code: int) -> None:
        lived = self.now() - worker.started
        worker.deaths = 0 if lived > _LIVED_S else worker.deaths + 1
        wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** max(0, worker.deaths - 1))
        worker.not_before = self.now() + (wait if worker.deaths else 0.0)
        worker.process = None
        self.teller.warn(
            "worker.died", worker=worker.number, code=code, lived_s=round(lived, 1),
            again_in_s=wait if worker.deaths else 0,
        )  # fmt: skip

    def _end_silent(self) -> None:
        """Kill a worker that has not said for long that it is alive."""
        beats = gauges(self.plan)
        for worker in self._workers:
            beat = beats.get(f"worker-{worker.number}", {}).get("beat", 0)
            process = worker.process
            if process is None or not beat or self.now() - worker.started < _SILENT_S:
                continue
            if time.time() - beat > _SILENT_S:
                self.teller.error("worker.silent", worker=worker.number, pid=process.pid)
                process.kill()

    def _drain(self) -> int:
        """Have the workers finish what they have begun; end those that take too long."""
        running = [w.process for w in self._workers if w.process is not None]
        self.teller.info("serving.draining", signal=self._asked, workers=len(running))
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        until = self.now() + self.plan.limits.timeout_s + _GRACE_S
        late = 0
        for process in running:
            try:
                process.wait(timeout=max(0.0, until - self.now()))
            except subprocess.TimeoutExpired:
                late += 1
                process.kill()
                process.wait()
        (self.plan.state / "running.json").unlink(missing_ok=True)
        self.teller.info("serving.ended", late=late)
        return 1 if late else 0

    @contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        listener = bound(self.plan)
        try:
            yield listener
        finally:
            listener.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def ask(number: int, frame: FrameType | None) -> None:
            del frame
            self._asked = signal.Signals(number).name

        before = {one: signal.signal(one, ask) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _say_where(self, listener: socket.socket) -> None:
        for old in counters_folder(self.plan).glob("worker-*.*"):
            number = old.stem.removeprefix("worker-")
            if not number.isdigit() or int(number) >= self.plan.workers:
                old.unlink()  # of an earlier start with more workers
        self._write_state(listener)
        self.teller.info(
            "serving.started", url=url(self.plan, listener), pid=os.getpid(),
            workers=self.plan.workers,
        )  # fmt: skip

    def _write_state(self, listener: socket.socket) -> None:
        facts = {
            "pid": os.getpid(),
            "url": url(self.plan, listener),
            "workers": {w.number: w.process.pid for w in self._workers if w.process is not None},
        }
        write_atomic(self.plan.state / "running.json", json.dumps(facts).encode())


def bound(plan: ServePlan) -> socket.socket:
    """Return a listening socket at the plan's place.

    Raises
    ------
    Qua3ckError
        If the port is taken, or the host is none of this machine (O001).
    """
    family = socket.AF_INET6 if ":" in plan.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((plan.host, plan.port))
        listener.listen(_BACKLOG)
    except OSError as problem:
        listener.close()
        raise Qua3ckError(
            f"Nothing can be served at {plan.host}:{plan.port}: {problem.strerror or problem}",
            where="operate.serve.host and operate.serve.port",
            fix="end what listens there, or take another port: qua3ck serve --port 8081",
            code="O001",
        ) from problem
    listener.setblocking(False)
    return listener


def refuse_unusable(tls: Tls) -> None:
    """Refuse a certificate and key that no connection could be made with.

    Raises
    ------
    Qua3ckError
        If either is not there or no PEM, the key has a passphrase, or they are no pair (O010).
    """
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.cert, tls.key, password="")
    except (OSError, ValueError) as problem:
        why = "one of them is no PEM, or the key has a passphrase"
        if getattr(problem, "reason", "") == "KEY_VALUES_MISMATCH":
            why = "the key does not belong to the certificate"
        elif isinstance(problem, OSError) and not isinstance(problem, ssl.SSLError):
            why = str(problem.strerror)
        raise Qua3ckError(
            f"The certificate and key for TLS cannot be used: {why}",
            where=f"{tls.cert} and {tls.key}",
            fix="name a certificate chain and its own key, both in PEM, the key without passphrase",
            code="O010",
        ) from problem


def url(plan: ServePlan, listener: socket.socket) -> str:
    """Return where a listener can be reached from this machine."""
    host, port = listener.getsockname()[:2]
    return address(host, port, tls=plan.tls is not None)


def address(host: str, port: int, *, tls: bool) -> str:
    """Return the URL of a place to listen at, as this machine can ask it."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - said, not listened at
    shown = everywhere.get(host, f"[{host}]" if ":" in host else host)
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def running(state: Path) -> Mapping[str, Any]:
    """Return what the supervisor of a project says of itself; empty if it says nothing."""
    try:
        facts: dict[str, Any] = json.loads((state / "running.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return facts


@contextmanager
def only_one(plan: ServePlan) -> Iterator[None]:
    """Hold the project against a second supervisor: they would count into the same files.

    Raises
    ------
    Qua3ckError
        If there is one already (O002).
    """
    from filelock import FileLock, Timeout

    plan.state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(plan.state / ".lock", timeout=0):
            yield
    except Timeout as problem:
        raise Qua3ckError(
            "This project is being served already",
            where=_running(plan),
            fix="end that process first (it drains on SIGTERM), or serve a copy of the folder",
            code="O002",
        ) from problem


def _running(plan: ServePlan) -> str:
    facts = running(plan.state)
    return f"process {facts.get('pid')}, {facts.get('url')}" if facts else str(plan.state)

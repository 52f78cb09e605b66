"""Load on a server while its champion moves and its workers are killed, and what came of it.

Every answer is held against what the version that it names answers when asked directly. A
request that failed must have been on a connection to a process that was killed: whose each
connection is stands in ``/proc`` once it was accepted, and nothing is sent before. In the end the
log, wherever its lines are by then, must have every answer once.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from running import Server, until
from small_shop import Shop, applications

from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.compacting import compact
from qua3ck.store.releases.artefact import artefact_digest
from qua3ck.store.releases.model import load_model

_FOLLOWED_S = 6.0


@dataclass(frozen=True)
class Answer:
    """What one request got."""

    request_id: str
    row: int
    version: int
    label: str
    score: float
    sent: float
    came: float


@dataclass(frozen=True)
class Failure:
    """A request that got no answer, or another one than 200; ``pid`` is whose connection it was."""

    pid: int
    sent: float
    came: float
    what: str
    status: int = 0


@dataclass
class Load:
    """What clients asked, and what they got or did not."""

    answers: list[Answer] = field(default_factory=list)
    errors: list[Failure] = field(default_factory=list)
    moves: list[tuple[float, int]] = field(default_factory=list)
    kills: list[tuple[float, int]] = field(default_factory=list)

    def unexplained(self) -> list[Failure]:
        """Return the failures that no kill of that very process explains."""
        killed = {pid: at for at, pid in self.kills}
        return [
            one for one in self.errors
            if one.status or one.pid not in killed or one.came < killed[one.pid]
        ]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What is wrong after all, if anything; each list is empty where nothing is."""

    answers: int
    wrong: list[Answer]
    late: list[Answer]
    errors: list[Failure]
    unexplained: list[Failure]
    not_logged: list[str]
    logged_twice: list[str]
    logged_otherwise: list[str]
    logged_more: int
    versions: Counter[int]


def rows() -> pd.DataFrame:
    """Return the rows that are asked about."""
    return applications(rows=200, seed=99).drop(columns=["applicant", "status"])


def truths(shop: Shop, table: pd.DataFrame) -> dict[int, tuple[list[str], np.ndarray]]:
    """Return labels and scores that each version gives when it is asked directly."""
    found = {}
    for folder in sorted((shop.root / "releases").iterdir()):
        model = load_model(folder / "model", digest=artefact_digest(folder / "model"))
        said = model.predict(table)
        found[int(folder.name)] = (list(said.labels), said.scores[:, 0])
    return found


def under_load(
    shop: Shop, server: Server, *, seconds: float, moves: int, kills: int, clients: int = 4
) -> Load:
    """Ask without a pause from several connections; move and kill at times spread evenly."""
    load, ended = Load(), threading.Event()
    table = rows()
    asked = json.loads(table.to_json(orient="records"))
    load.moves.append((time.monotonic(), 1))
    threads = [
        threading.Thread(target=_ask, args=(server, asked, load, ended, seed), daemon=True)
        for seed in range(clients)
    ]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    acts = [(seconds * (n + 0.5) / moves, "move") for n in range(moves)]
    acts += [(seconds * (n + 0.8) / kills, "kill") for n in range(kills)]
    rng, version = np.random.default_rng(5), 1
    for at, act in sorted(acts):
        time.sleep(max(0.0, began + at - time.monotonic()))
        if act == "move":
            version = version % 3 + 1
            shop.move(version)
            load.moves.append((time.monotonic(), version))
        else:
            until(lambda: len(set(server.workers())) == server.plan.workers)
            pid = int(rng.choice(server.workers()))
            load.kills.append((time.monotonic(), pid))
            os.kill(pid, signal.SIGKILL)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    ended.set()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive(), "a client hangs"
    return load


def judged(load: Load, shop: Shop, plan: ServePlan) -> Outcome:
    """Hold every answer against its version, and the log against every answer."""
    truth = truths(shop, rows())
    wrong = [a for a in load.answers if not _right(a, truth)]
    late = [a for a in load.answers if not _in_use(a, load.moves)]
    logged = _logged(plan)
    counted = Counter(request_id for request_id, _, _ in logged)
    by_id = {request_id: (version, label) for request_id, version, label in logged}
    answered = {a.request_id: (a.version, a.label) for a in load.answers}
    return Outcome(
        answers=len(load.answers),
        wrong=wrong,
        late=late,
        errors=load.errors,
        unexplained=load.unexplained(),
        not_logged=[one for one in answered if one not in by_id],
        logged_twice=[one for one, times in counted.items() if times > 1],
        logged_otherwise=[one for one, said in answered.items() if by_id.get(one, said) != said],
        logged_more=len(by_id.keys() - answered.keys()),
        versions=Counter(a.version for a in load.answers),
    )


def _ask(
    server: Server,
    asked: list[dict[str, Any]],
    load: Load,
    ended: threading.Event,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    connection, pid = _connected(server)
    while not ended.is_set():
        at = int(rng.integers(len(asked)))
        body = {"inputs": {name: [cell] for name, cell in asked[at].items()}}
        sent = time.monotonic()
        try:
            status, headers, said = server.on(connection, "/invocations", body)
        except (OSError, http.client.HTTPException) as problem:
            load.errors.append(Failure(pid, sent, time.monotonic(), repr(problem)))
            connection.close()
            connection, pid = _connected(server)
            continue
        came = time.monotonic()
        if status != 200:
            load.errors.append(Failure(pid, sent, came, str(said), status))
            continue
        one = said["predictions"][0]
        load.answers.append(
            Answer(
                headers["x-request-id"], at, int(headers["x-qua3ck-version"]),
                one["label"], one["p_bad"], sent, came,
            )
        )  # fmt: skip
    connection.close()


def _connected(server: Server) -> tuple[http.client.HTTPConnection, int]:
    """Return a new connection and the worker that accepted it.

    Nothing is sent before that is known: where the worker is killed first, there is no request
    that could fail, and another connection is made.
    """
    pid = 0
    while not pid:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.connect()
        pid = until(partial(_accepted, server, connection.sock)).pid
        if not pid:
            connection.close()
    return connection, pid


class _Accepted(NamedTuple):
    """By whom a connection was accepted; 0 where they have gone since."""

    pid: int


def _accepted(server: Server, ours: socket.socket) -> _Accepted | None:
    if _ended(ours):
        return _Accepted(0)
    pid = _owner(server, ours)
    return None if pid is None else _Accepted(pid)


def _ended(ours: socket.socket) -> bool:
    """Whether the other side has gone; nothing was asked, so it has nothing to say."""
    return bool(select.select([ours], [], [], 0)[0])


def _owner(server: Server, ours: socket.socket) -> int | None:
    """Return the worker that has the other end of a connection; None until one accepted it."""
    ends = urlsplit(server.url).port, ours.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        cells = line.split()
        if tuple(int(cell.rpartition(":")[2], 16) for cell in cells[1:3]) == ends:
            for pid in server.workers():
                if _holds(pid, f"socket:[{cells[9]}]"):
                    return pid
    return None


def _holds(pid: int, link: str) -> bool:
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if str(handle.readlink()) == link:
                return True
    return False


def _right(answer: Answer, truth: dict[int, tuple[list[str], np.ndarray]]) -> bool:
    labels, scores = truth[answer.version]
    return labels[answer.row] == answer.label and abs(scores[answer.row] - answer.score) < 1e-6


def _in_use(answer: Answer, moves: list[tuple[float, int]]) -> bool:
    """Whether the version was champion at some time shortly before the answer came."""
    ends = [at for at, _ in moves[1:]] + [float("inf")]
    return any(
        began - 1.0 <= answer.came and answer.sent <= end + _FOLLOWED_S
        for (began, version), end in zip(moves, ends, strict=True)
        if version == answer.version
    )


def _logged(plan: ServePlan) -> list[tuple[str, int, str]]:
    """Return (id, version, label) of every line, in the warehouse or still in a file."""
    from qua3ck.store.warehouse import Warehouse

    until(lambda: _compacted(plan), why="somebody else compacts for ever")
    table = Warehouse(Path(plan.root)).read("log/serving").to_pylist()
    assert {row["kind"] for row in table} <= {"prediction"}
    return [(row["id"], row["version"], json.loads(row["outputs"])["label"]) for row in table]


def _compacted(plan: ServePlan) -> bool:
    from filelock import Timeout

    try:
        compact(plan)
    except Timeout:
        return False
    return True

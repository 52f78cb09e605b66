"""Load on a server while its champion moves and its workers are killed, and what came of it.

Every answer is held against what the version that it names answers when asked directly. A
request that failed must have been on a connection to a process that was killed. In the end the
log, wherever its lines are by then, must have every answer once.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
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
_BESIDE_A_KILL_S = 3.0


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


@dataclass
class Load:
    """What clients asked, and what they got or did not."""

    answers: list[Answer] = field(default_factory=list)
    errors: list[tuple[float, float, str]] = field(default_factory=list)
    moves: list[tuple[float, int]] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What is wrong after all, if anything; each list is empty where nothing is."""

    answers: int
    wrong: list[Answer]
    late: list[Answer]
    errors: list[tuple[float, float, str]]
    unexplained: list[tuple[float, float, str]]
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
            load.kills.append(time.monotonic())
            os.kill(int(rng.choice(server.workers())), signal.SIGKILL)
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
    unexplained = [e for e in load.errors if not _beside_a_kill(e, load.kills)]
    logged = _logged(plan)
    counted = Counter(request_id for request_id, _, _ in logged)
    by_id = {request_id: (version, label) for request_id, version, label in logged}
    answered = {a.request_id: (a.version, a.label) for a in load.answers}
    return Outcome(
        answers=len(load.answers),
        wrong=wrong,
        late=late,
        errors=load.errors,
        unexplained=unexplained,
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
    rng, place = np.random.default_rng(seed), urlsplit(server.url).netloc
    connection = http.client.HTTPConnection(place, timeout=10)
    while not ended.is_set():
        at = int(rng.integers(len(asked)))
        body = {"inputs": {name: [cell] for name, cell in asked[at].items()}}
        sent = time.monotonic()
        try:
            status, headers, said = server.on(connection, "/invocations", body)
        except (OSError, http.client.HTTPException) as problem:
            load.errors.append((sent, time.monotonic(), type(problem).__name__))
            connection.close()
            continue
        came = time.monotonic()
        if status != 200:
            load.errors.append((sent, came, f"{status}: {said}"))
            continue
        one = said["predictions"][0]
        load.answers.append(
            Answer(
                headers["x-request-id"], at, int(headers["x-qua3ck-version"]),
                one["label"], one["p_bad"], sent, came,
            )
        )  # fmt: skip
    connection.close()


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


def _beside_a_kill(error: tuple[float, float, str], kills: list[float]) -> bool:
    sent, came, what = error
    return not what[:3].isdigit() and any(
        sent - _BESIDE_A_KILL_S <= at <= came + 0.1 for at in kills
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

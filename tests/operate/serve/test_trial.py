from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from qua3ck.govern import find_release
from qua3ck.operate.records import write_plan
from qua3ck.operate.serve.__main__ import main as serve
from qua3ck.operate.serve.trial import _Asked, _loads, _same, _wanted, try_version

ROW = {"label": "bad", "p_bad": 0.75, "p_good": 0.25}


def test_a_version_that_nobody_promoted_is_asked_and_leaves_no_trace(shop, plan_of):
    plan, before = plan_of(shop, workers=2, keys_required=True), shop.workspace.ledger.entries()
    tried = try_version(
        plan, find_release(shop.workspace.ledger, 2), seconds=0.2, connections=(1, 3)
    )
    assert (tried.version, tried.problem) == (2, "")
    assert [(one.connections, one.errors, one.wrong) for one in tried.loads] == [
        (1, 0, 0),
        (3, 0, 0),
    ]
    assert tried.golden_rows > 5
    for one in tried.loads:  # every connection asks every golden row
        assert len(one.times_ms) >= one.connections * tried.golden_rows
        assert min(one.times_ms) > 0
    assert shop.workspace.ledger.entries() == before
    assert not any((shop.root / "state").glob("trial-*"))
    assert not plan.state.exists()
    assert not (shop.root / "warehouse" / "log").exists()


def test_golden_rows_that_a_server_refuses_are_no_error(shop, plan_of):
    """One of them has a category that nobody had, on purpose."""
    release = find_release(shop.workspace.ledger, 1)
    every = try_version(plan_of(shop), release, seconds=0.1, connections=(1,))
    tried = try_version(plan_of(shop, refuse_outside=True), release, seconds=0.1, connections=(1,))
    assert tried.golden_rows < every.golden_rows
    assert [(one.errors, one.wrong) for one in (*every.loads, *tried.loads)] == [(0, 0)] * 2


def test_a_version_that_cannot_be_used_is_not_asked_and_it_is_said_why(shop, plan_of):
    with (shop.root / "releases" / "1" / "model" / "model.onnx").open("ab") as model:
        model.write(b"x")
    tried = try_version(
        plan_of(shop), find_release(shop.workspace.ledger, 1), seconds=0.1, connections=(1,)
    )
    assert tried.loads == ()
    assert "model.onnx" in tried.problem


def test_a_version_in_trial_is_served_to_nobody_else(shop, plan_of, tmp_path, capsys):
    path = tmp_path / "plan.json"
    write_plan(plan_of(shop, host="0.0.0.0", tried=1), path)  # noqa: S104 - refused
    assert serve([str(path)]) == 2
    assert "served to nobody else" in capsys.readouterr().err


def test_a_server_in_trial_does_not_outlive_whoever_started_it(shop, plan_of, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path = tmp_path / "plan.json"
    write_plan(plan_of(shop, tried=1), path)
    words = [sys.executable, "-m", "qua3ck.operate.serve", str(path), "--parent", str(gone.pid)]
    subprocess.run(words, timeout=40, check=False, capture_output=True)


def test_what_a_trial_that_was_killed_left_behind_is_gone_with_the_next_and_nothing_else(
    shop, plan_of
):
    """What the folder links to stays, and so does a trial that goes on, here or elsewhere."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    state, host = shop.root / "state", socket.gethostname()
    dead = state / f"trial-{host}-{gone.pid}-abc"
    kept = {state / f"trial-{host}-{os.getpid()}-abc", state / f"trial-not.here-{gone.pid}-abc"}
    kept.add(state / "trial-of-mine")
    for one in (dead, *kept):
        one.mkdir(parents=True)
    (dead / "ledger").symlink_to(shop.root / "ledger")
    linked = state / f"trial-{host}-{gone.pid}-link"
    linked.symlink_to(shop.root / "releases")
    before = sorted(shop.root.joinpath("ledger").rglob("*"))
    release = find_release(shop.workspace.ledger, 1)
    assert try_version(plan_of(shop), release, seconds=0.1, connections=(1,)).problem == ""
    assert set(state.glob("trial-*")) == {*kept, linked}
    assert sorted(shop.root.joinpath("ledger").rglob("*")) == before
    assert (shop.root / "releases" / "1").is_dir()


@contextmanager
def answering(answer: Callable[[int], tuple[int, Any]]) -> Iterator[str]:
    """Serve what ``answer`` gives for each request, from 0; yield the address."""
    seen: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen.append(1)
            status, said = answer(len(seen) - 1)
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = status == 0

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def asked(place: str, rows: int = 3) -> _Asked:
    request = f"POST / HTTP/1.1\r\nhost: {place}\r\ncontent-length: 2\r\n\r\n{{}}".encode()
    return _Asked(place, None, 5.0, [request] * rows, [ROW] * rows, [b""] * rows)


def test_an_answer_that_is_not_the_recorded_one_is_counted_and_a_refusal_is_an_error():
    other = {**ROW, "label": "good"}
    answers = {4: (200, {"predictions": [other]}), 5: (503, {"error": "busy"})}

    def answer(number: int) -> tuple[int, Any]:
        return answers.get(number, (200, {"predictions": [ROW]}))

    with answering(answer) as place:  # 0, 1, 2 are not counted
        (load,) = _loads(asked(place), seconds=0.0, connections=(1,))
    assert (load.wrong, load.errors, len(load.times_ms)) == (1, 1, 2)


def test_nobody_who_listens_is_an_error_and_no_crash():
    with answering(lambda _: (200, {"predictions": [ROW]})) as place:
        pass
    (load,) = _loads(asked(place), seconds=0.0, connections=(1,))
    assert (load.errors, len(load.times_ms)) == (1, 0)


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ({**ROW, "p_bad": 0.75 + 5e-7, "p_good": 0.25 - 5e-7}, True),
        ({**ROW, "p_bad": 0.76}, False),
        ({**ROW, "label": "good"}, False),
        ({"label": "bad"}, False),
    ],
)
def test_numbers_may_differ_by_rounding_alone(said, same):
    assert _same(said, ROW) is same


def test_golden_answers_are_named_as_a_server_names_them():
    recorded = {"labels": ["bad"], "scores": [[0.75, 0.25]]}
    assert _wanted(recorded, ["bad", "good"], 1) == [ROW]
    assert _wanted({"values": [3.5, 4.0]}, [], 2) == [{"value": 3.5}, {"value": 4.0}]

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from running import Server, serving, until

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import Fallback, Log, ServePlan, Tls
from qua3ck.operate.serve.compacting import log_files
from qua3ck.operate.serve.metrics import Metrics
from qua3ck.operate.serve.supervisor import Supervisor, _Worker, bound, only_one, url
from qua3ck.operate.serve.telling import Teller

ROW = {"income": 20.0, "age": 30, "home": "rent"}


@pytest.fixture
def plan(shop: Any, plan_of: Callable[..., ServePlan]) -> ServePlan:
    shop.move(1)
    return plan_of(shop, workers=2, actor="ana", fallback=Fallback("income < 30", "bad", "good"))


def test_a_worker_that_is_killed_is_replaced_and_nobody_is_turned_away(plan, tmp_path):
    with serving(plan, tmp_path) as server:
        before = server.workers()
        assert len(set(before)) == 2
        os.kill(before[0], signal.SIGKILL)
        statuses = [server.predict(ROW)[0] for _ in range(30)]
        assert statuses == [200] * 30
        until(lambda: len(server.workers()) == 2 and before[0] not in server.workers())
        assert server.said("worker.died")[0]["code"] == -signal.SIGKILL
        assert server.end() == 0


def test_on_sigterm_what_is_in_flight_is_answered_and_nothing_else_is_taken(plan, tmp_path):
    with serving(replace(plan, workers=1), tmp_path) as server:
        place = urlsplit(server.url)
        body = json.dumps({"inputs": {k: [v] for k, v in ROW.items()}}).encode()
        slow = socket.create_connection((place.hostname, place.port), timeout=10)
        head = (
            f"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        slow.sendall(head.encode() + body[:10])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.said("serving.draining"))
        time.sleep(0.3)
        slow.sendall(body[10:])
        answer = b""
        while part := slow.recv(4096):
            answer += part
        slow.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"label":"bad"' in answer
        assert server.process.wait(timeout=20) == 0
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system likes
            server.ask("/v2/health/live")
        assert server.said("serving.ended")[0]["late"] == 0


def test_a_move_of_the_champion_is_followed_within_seconds_and_drops_nothing(plan, shop, tmp_path):
    with serving(plan, tmp_path) as server:
        ended, answers = threading.Event(), []

        def ask() -> None:
            body = {"inputs": {name: [cell] for name, cell in ROW.items()}}
            place = urlsplit(server.url).netloc
            with contextlib.closing(http.client.HTTPConnection(place, timeout=10)) as connection:
                while not ended.is_set():
                    status, headers, said = server.on(connection, "/invocations", body)
                    answers.append((status, headers.get("x-qua3ck-version"), said))

        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(ask)
            shop.move(2)
            try:
                until(lambda: asking.done() or [a[1] for a in answers[-50:]].count("2") == 50)
            finally:
                ended.set()
            asking.result()
        assert [one for one in answers if one[0] != 200] == []
        assert {version for _, version, _ in answers} == {"1", "2"}


def test_off_answers_with_the_declared_rule_and_says_so_and_on_ends_it(plan, shop, tmp_path):
    with serving(plan, tmp_path) as server:
        shop.append("serving.off", reason="wrong limits")
        until(lambda: server.predict(ROW)[1]["x-qua3ck-arm"] == "fallback")
        poor, rich = server.predict(ROW), server.predict({**ROW, "income": 90.0})
        assert "bad" in json.dumps(poor[2])
        assert "good" in json.dumps(rich[2])
        shop.append("serving.on", reason="mended")
        until(lambda: server.predict(ROW)[1]["x-qua3ck-arm"] == "champion")


def test_tampering_while_serving_keeps_the_version_and_says_not_ready(plan, shop, tmp_path):
    with serving(replace(plan, workers=1), tmp_path) as server:
        chain = shop.workspace.ledger.chain
        stored = chain.read_bytes()
        chain.write_bytes(stored.replace(b'"version":1}', b'"version":2}'))
        until(lambda: not server.ready(), why="it is still ready")
        status, _, said = server.ask("/v2/health/ready")
        assert status == 503
        assert "ledger" in json.dumps(said)
        assert server.predict(ROW)[1]["x-qua3ck-version"] == "1"
        chain.write_bytes(stored)
        until(server.ready)


def test_what_was_answered_is_what_was_logged(plan, tmp_path):
    with serving(replace(plan, log=Log(durable=True)), tmp_path) as server:
        ids = {server.predict(ROW)[1]["x-request-id"] for _ in range(20)}
        logged = {
            json.loads(line)["id"]
            for path in log_files(plan)
            for line in path.read_text().splitlines()
        }
        assert logged == ids


def test_when_the_supervisor_is_killed_its_workers_end_too(plan, tmp_path):
    with serving(plan, tmp_path) as server:
        workers = server.workers()
        server.process.kill()
        server.process.wait()
        until(lambda: not any(alive(pid) for pid in workers), why="an orphan goes on")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_second_supervisor_of_the_same_project_is_refused(plan, tmp_path):
    with serving(plan, tmp_path) as server:
        with pytest.raises(Qua3ckError) as caught, only_one(plan):
            pass
        assert caught.value.code == "O002"
        assert str(server.process.pid) in caught.value.where


def test_a_port_that_is_taken_is_said_with_another_to_try(plan):
    with bound(plan) as listener:
        taken = replace(plan, port=listener.getsockname()[1])
        with pytest.raises(Qua3ckError) as caught:
            bound(taken)
        assert caught.value.code == "O001"
        assert "--port" in caught.value.fix


def test_where_it_listens_is_shown_as_one_would_type_it(plan):
    with bound(replace(plan, host="0.0.0.0")) as listener:  # noqa: S104
        assert url(plan, listener).startswith("http://127.0.0.1:")


def test_another_system_is_told_what_to_use_instead(monkeypatch, tmp_path, capsys):
    from qua3ck.operate.serve import __main__ as module

    monkeypatch.setattr(module, "_HANDS_SOCKETS_ON", False)
    assert module.main([str(tmp_path / "plan.json")]) == 2
    assert "(O003)" in capsys.readouterr().err


def test_a_worker_that_dies_at_once_is_started_again_ever_more_slowly(plan, tmp_path):
    """Its plan names a key of pseudonyms that is not there."""
    broken = replace(plan, workers=1, log=Log(pseudonymise=("home",), key_file="/nowhere/x.key"))
    with serving(broken, tmp_path, ready=False) as server:
        died: Server | list[dict[str, Any]] = until(
            lambda: found if len(found := server.said("worker.died")) >= 3 else None
        )
        waits = [one["again_in_s"] for one in died[:3]]
        assert waits == sorted(waits)
        assert waits[0] < waits[2]
        assert "(O008)" in server.errors.read_text()
        assert server.end() == 0


def certificate(folder: Path) -> Tls:
    """Write a certificate for 127.0.0.1 that signs itself."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *private))
    return Tls(str(folder / "cert.pem"), str(folder / "key.pem"))


def test_over_tls_a_key_lets_in_as_soon_as_it_is_made_and_no_longer_than_it_holds(
    plan, shop, tmp_path
):
    from qua3ck.operate.serve.access import new_key

    tls = certificate(tmp_path)
    context = ssl.create_default_context(cafile=tls.cert)
    with serving(
        replace(plan, workers=1, tls=tls, keys_required=True), tmp_path, ready=False
    ) as server:
        place = urlsplit(server.url)
        assert place.scheme == "https"

        def ask(key: str) -> int:
            with contextlib.closing(
                http.client.HTTPSConnection(place.netloc, timeout=10, context=context)
            ) as connection:
                given = {"authorization": f"Bearer {key}"}
                body = {"inputs": {name: [cell] for name, cell in ROW.items()}}
                return server.on(connection, "/invocations", body, headers=given)[0]

        until(lambda: ask("none") == 401)
        key, ident, hashed = new_key("desk")
        body = {"id": ident, "name": "desk", "scopes": ["predict"], "hash": hashed}
        shop.append("key.added", "desk", **body)
        until(lambda: ask(key) == 200)
        shop.append("key.revoked", "desk", id=ident)
        until(lambda: ask(key) == 401)


def test_a_worker_that_says_nothing_for_half_a_minute_is_killed_and_no_other(plan):
    from qua3ck.operate.serve.metrics import Metrics

    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(sleeping)) for _ in range(3)]
        for process in processes:
            stack.callback(process.kill)
        supervisor = Supervisor(plan, plan.state / "plan.json", now=lambda: 100.0)
        supervisor._workers = [
            _Worker(0, processes[0], started=0.0),
            _Worker(1, processes[1], started=0.0),
            _Worker(2, processes[2], started=99.0),
        ]
        for number, silent_s in ((0, 1), (1, 40), (2, 40)):
            Metrics(plan, number).gauge("beat", time.time() - silent_s)
        supervisor._end_silent()
        assert processes[1].wait(timeout=10) == -signal.SIGKILL
        assert (processes[0].poll(), processes[2].poll()) == (None, None)


def test_a_certificate_that_cannot_be_used_is_said_before_anything_is_started(plan, tmp_path):
    from qua3ck.operate.serve.supervisor import refuse_unusable

    good = certificate(tmp_path)
    refuse_unusable(good)
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "words.pem").write_text("certificate")
    for cert, key, why in (
        (tmp_path / "words.pem", good.key, "no PEM"),
        (good.cert, tmp_path / "words.pem", "no PEM"),
        (good.cert, certificate(other).key, "does not belong"),
        (good.cert, tmp_path / "gone.pem", "No such file"),
    ):
        with pytest.raises(Qua3ckError, match=why) as found:
            refuse_unusable(Tls(str(cert), str(key)))
        assert found.value.code == "O010"
        assert found.value.fix
    refused = replace(plan, tls=Tls(str(tmp_path / "words.pem"), good.key))
    with pytest.raises(Qua3ckError, match="cannot be used"):
        Supervisor(refused, tmp_path / "plan.json").run()
    assert not (plan.state / "running.json").exists()


def test_what_an_earlier_start_left_behind_is_no_readiness(plan, tmp_path, monkeypatch):
    metrics = Metrics(plan, 0)
    metrics.gauge("ready", 1.0)
    metrics.gauge("beat", time.time() - 5)
    told = io.StringIO()
    supervisor = Supervisor(plan, tmp_path / "plan.json", Teller("supervisor", stream=told))
    monkeypatch.setattr(Supervisor, "_start", lambda *_: None)
    with bound(plan) as listener:
        supervisor._look_after(listener)
        assert told.getvalue() == ""
        metrics.gauge("beat", time.time() + 1)
        supervisor._look_after(listener)
        assert "serving.ready" in told.getvalue()

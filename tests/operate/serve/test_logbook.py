from __future__ import annotations

import hmac
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import Log, ServePlan
from qua3ck.operate.serve import logbook as module
from qua3ck.operate.serve.logbook import Logbook, lag_bytes


@pytest.fixture
def plan(tmp_path: Path) -> ServePlan:
    return ServePlan(root=str(tmp_path), project="shop", project_id="ab12")


def line(book: Logbook, number: int = 1, **more: object) -> bytes:
    table = {"income": [50.5], "applicant": [f"a{number}"]}
    settings = {
        "request_id": f"r{number}", "version": 2, "arm": "champion", "table": table,
        "outputs": {"label": ["bad"], "p_bad": [0.7]}, "latency_us": 321,
    }  # fmt: skip
    return book.record(**{**settings, **more})


def test_a_line_says_who_answered_what_to_what_and_how_fast(plan):
    book = Logbook(plan, 0)
    book.write([line(book)])
    said = json.loads(book.path.read_bytes())
    assert said.pop("at") > 1.6e15
    assert said == {
        "id": "r1", "v": 2, "arm": "champion", "us": 321,
        "in": {"income": [50.5], "applicant": ["a1"]},
        "out": {"label": ["bad"], "p_bad": [0.7]},
    }  # fmt: skip


def test_personal_columns_never_reach_the_file_and_stay_joinable(plan, tmp_path):
    key = tmp_path / "keys" / "secrets" / "serve-ab12.key"
    key.parent.mkdir(parents=True, mode=0o700)
    key.parent.parent.chmod(0o700)
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    personal = replace(plan, log=Log(pseudonymise=("applicant", "income"), key_file=str(key)))
    book = Logbook(personal, 0)
    book.write([line(book), line(book), line(book, 2, table={"applicant": [None]})])
    text = book.path.read_text()
    assert '"a1"' not in text  # two letters alone come up in a pseudonym by chance
    assert "50.5" not in text
    first, second, third = (json.loads(one)["in"] for one in text.splitlines())
    assert first == second
    assert first["applicant"][0].startswith("~")
    assert third["applicant"] == [None]
    key.write_bytes(os.urandom(32))
    assert Logbook(personal, 1).pseudonym("a1") != first["applicant"][0]


def test_a_key_under_a_passphrase_is_opened_with_it_and_not_used_locked(
    plan, tmp_path, monkeypatch
):
    from qua3ck.store.keys import KeyStore

    store = KeyStore(tmp_path / "keys", passphrase=b"open sesame")
    secret = store.secret("serve-ab12", create=True)
    place = store.folder / "secrets" / "serve-ab12.key"
    assert place.read_bytes() != secret
    personal = replace(plan, log=Log(pseudonymise=("applicant",), key_file=str(place)))
    monkeypatch.setenv("QUA3CK_PASSPHRASE", "open sesame")
    expected = "~" + hmac.digest(secret, b"a1", "sha256").hex()[:24]
    assert Logbook(personal, 0).pseudonym("a1") == expected
    monkeypatch.delenv("QUA3CK_PASSPHRASE")
    with pytest.raises(Qua3ckError) as caught:
        Logbook(personal, 1)
    assert caught.value.code == "O008"


def test_without_the_key_of_the_pseudonyms_nothing_is_logged_at_all(plan):
    with pytest.raises(Qua3ckError) as caught:
        Logbook(replace(plan, log=Log(pseudonymise=("x",), key_file="/nowhere/x.key")), 0)
    assert caught.value.code == "O008"


def test_durable_has_the_line_on_the_disk_before_it_returns(plan, monkeypatch):
    synced: list[int] = []
    monkeypatch.setattr(module.os, "fsync", synced.append)
    for durable in (False, True):
        book = Logbook(replace(plan, log=Log(durable=durable)), 0)
        book.write([line(book)])
    assert len(synced) == 1


def test_each_hour_and_each_64_megabytes_begin_another_file(plan, monkeypatch):
    book = Logbook(plan, 0)
    first = book.path
    book.write([line(book)])
    monkeypatch.setattr(module, "_MOST_BYTES", 10)
    book.write([line(book)])
    second = book.path
    monkeypatch.setattr(module, "_MOST_BYTES", 10**9)
    monkeypatch.setattr(module, "_LONGEST_S", -1.0)
    book.write([line(book)])
    assert len({first, second, book.path}) == 3


def test_a_full_disk_is_said_and_the_next_line_stands_in_a_new_file(plan):
    """A real limit of the system, so that the write itself fails half way."""
    book = Logbook(plan, 0)
    first = book.path
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
        with pytest.raises(Qua3ckError) as caught:
            book.write([line(book)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert caught.value.code == "O007"
    book.write([line(book, 2)])
    assert book.path != first
    assert json.loads(book.path.read_bytes())["id"] == "r2"


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {src!r})
from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.logbook import Logbook
book = Logbook(ServePlan(root={root!r}, project="p", project_id="x"), 0)
for number in range(10_000):
    book.write([book.record(request_id=str(number), version=1, arm="champion", table={{}},
                            outputs={{"label": ["a"]}}, latency_us=1)])
    print(number, flush=True)
"""


def test_a_disk_that_stays_full_makes_no_file_for_each_line_that_is_refused(plan, monkeypatch):
    book = Logbook(plan, 0)
    write = os.write
    monkeypatch.setattr(module.os, "write", _refuse)
    for _ in range(5):
        with pytest.raises(Qua3ckError, match="No space left"):
            book.write([line(book)])
    assert "No space left" in book.problem
    monkeypatch.setattr(module.os, "write", write)
    book.write([line(book)])
    assert book.problem == ""
    assert len(list(book.path.parent.iterdir())) == 1


def test_a_log_that_was_refused_is_tried_again_after_a_while(plan, monkeypatch):
    book = Logbook(plan, 0)
    monkeypatch.setattr(module.os, "write", _refuse)
    with pytest.raises(Qua3ckError):
        book.write([line(book)])
    assert book.problem
    late = module.time.monotonic() + 11
    monkeypatch.setattr(module.time, "monotonic", lambda: late)
    assert book.problem == "", "else nobody would send anything that shows it is mended"


def _refuse(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_kill_9_loses_no_line_that_was_answered(plan, tmp_path):
    src = str(Path(module.__file__).parents[3])
    code = KILLED.format(src=src, root=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as one:
        answered = [one.stdout.readline() for _ in range(200)]
        one.kill()
        answered += one.stdout.read().splitlines()
    (path,) = (plan.state / "log").glob("*.jsonl")
    logged = [json.loads(one)["id"] for one in path.read_text().splitlines()]
    whole = [number.strip() for number in answered if number.strip()]
    assert logged[: len(whole)] == whole
    assert len(logged) - len(whole) <= 1


def test_the_lag_is_what_the_warehouse_does_not_have(plan):
    book = Logbook(plan, 0)
    assert lag_bytes(plan) == 0
    book.write([line(book)])
    assert lag_bytes(plan) == book.path.stat().st_size

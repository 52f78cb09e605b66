import json
import os
import socket
import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from qua3ck.kit import Qua3ckError
from qua3ck.project.running import beside, sole_worker

HOLD = """
import sys
import threading
from pathlib import Path
from qua3ck.project.running import sole_worker
with sole_worker(Path(sys.argv[1]), verb="run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_worker_is_told_who_is_at_work_and_a_dead_one_holds_nothing(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(Qua3ckError, match=f"qua3ck run, process {first.pid}") as refused,
            sole_worker(tmp_path, verb="loop"),
        ):
            pass
        assert refused.value.code == "P007"
        first.kill()
        first.wait()
    with sole_worker(tmp_path, verb="loop"):
        pass


def test_the_note_of_a_killed_process_is_not_taken_for_who_is_at_work(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    state = tmp_path / "state"
    state.mkdir()
    stale = {"verb": "run", "pid": gone.pid, "host": socket.gethostname(), "since": "long ago"}

    def note(holder):
        (state / "run.json").write_text(json.dumps(holder))

    with FileLock(state / "run.lock"):
        note(stale)
        late = threading.Timer(0.2, note, [{**stale, "verb": "loop", "pid": os.getpid()}])
        late.start()
        with (
            pytest.raises(Qua3ckError, match=f"qua3ck loop, process {os.getpid()}"),
            sole_worker(tmp_path, verb="run"),
        ):
            pass
        late.join()


def test_what_is_done_beside_is_done_when_the_work_is():
    met = threading.Barrier(2, timeout=10)  # broken unless both are at work at once
    done = []

    def meanwhile():
        met.wait()
        done.append("beside")

    def work():
        met.wait()
        return "made"

    assert beside(meanwhile, work) == "made"
    assert done == ["beside"]


def test_an_error_of_the_work_comes_before_one_of_what_was_beside():
    def fail(words):
        raise ValueError(words)

    with pytest.raises(ValueError, match="the work"):
        beside(lambda: fail("beside"), lambda: fail("the work"))
    with pytest.raises(ValueError, match="beside"):
        beside(lambda: fail("beside"), lambda: None)

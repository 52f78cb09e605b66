from __future__ import annotations

import os
import signal
import subprocess
import sys

from qua3ck.kit.child import answer_of, begin

ECHO = """
import json
from qua3ck.kit.child import job_given
print(json.dumps(job_given()["words"]))
"""
ASKS = """
from qua3ck.kit.child import job_given
job_given()
input()
"""
# A parent with a child that would work for ever, holding the other end of a pipe.
PARENT = """
import sys
from qua3ck.kit.child import answer_of
child = '''
import threading
from qua3ck.kit.child import job_given
held = open(job_given(), "wb", buffering=0)
held.write(b"begun")
threading.Event().wait()
'''
answer_of([sys.executable, "-c", child], sys.argv[1])
"""


def test_a_child_is_given_its_job_and_answers():
    words = ["ä", "two\nlines", "x" * 200_000]
    said, status = answer_of([sys.executable, "-c", ECHO], {"words": words})
    assert (len(said) > 200_000, status) == (True, 0)


def test_a_child_begun_ahead_waits_for_its_job():
    waiting = begin([sys.executable, "-c", ECHO])
    assert waiting.poll() is None
    assert answer_of(["never", "started"], {"words": [1]}, begun=waiting) == (b"[1]\n", 0)


def test_code_in_a_child_that_asks_for_input_is_told_that_there_is_none():
    said, status = answer_of([sys.executable, "-c", ASKS], {})
    assert (said, status) == (b"", 1)


def test_a_child_that_ends_before_it_reads_is_told_by_its_status():
    job = "x" * 1_000_000
    assert answer_of([sys.executable, "-c", "raise SystemExit(7)"], job) == (b"", 7)


def test_a_child_ends_when_its_parent_is_killed(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(pipe)])
    with pipe.open("rb", buffering=0) as held:
        assert held.read(5) == b"begun"
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert held.read(1) == b""  # would wait as long as the child lives

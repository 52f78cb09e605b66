import subprocess
import sys

import pytest

from qua3ck.kit import Qua3ckError
from qua3ck.project.running import sole_worker

HOLD = """
import sys
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

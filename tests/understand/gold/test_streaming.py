"""Tables of millions of rows are made and published in the memory of a few batches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROWS = 1_000_000
LIMIT = 340  # MB of memory of its own; the same way in memory needs 410
CHILD = Path(__file__).with_name("streaming_child.py")
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="a process's own memory is told by Linux only"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("large")
    run("make", root)
    return root


def run(act, root):
    done = subprocess.run(
        [sys.executable, str(CHILD), act, str(ROWS), str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_query_and_its_publication_stay_below_what_memory_would_need(project):
    said = run("stream", project)
    assert said["rows"] == ROWS
    assert said["built_mb"] < LIMIT
    assert said["published_mb"] < LIMIT
    assert pq.read_metadata(project / "published" / "fact_visits.parquet").num_rows == ROWS
    with (project / "published" / "fact_visits.csv").open("rb") as file:
        assert sum(1 for _ in file) == ROWS + 1
    memory = run("memory", project)
    assert memory["digest"] == said["digest"], "both ways make the same table"
    assert memory["built_mb"] > LIMIT, "else the limit above shows nothing"

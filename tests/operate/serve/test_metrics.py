from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qua3ck.operate.records import Canary, ServePlan, write_plan
from qua3ck.operate.serve.metrics import CONTENT_TYPE, Metrics, counted, gauges, render


@pytest.fixture
def plan(tmp_path: Path) -> ServePlan:
    return ServePlan(
        root=str(tmp_path), project="shop", project_id="ab12", canary=Canary(latency_ms=50.0)
    )


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read a text with the reference parser of OpenMetrics."""
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_nobody_else_on_the_machine_may_read_the_counters_or_change_them(plan):
    counters = plan.state / "counters"
    counters.mkdir(parents=True)
    counters.chmod(0o755)  # as versions before this one made it
    old = counters / "worker-1.counters"
    old.write_bytes(b"")
    old.chmod(0o644)
    for worker in (0, 1):
        Metrics(plan, worker).close()
    found = {one.name: one.stat().st_mode & 0o777 for one in (counters, *counters.iterdir())}
    assert found == {"counters": 0o700, "worker-0.counters": 0o600, "worker-1.counters": 0o600}


def test_the_reference_parser_reads_what_was_counted(plan):
    metrics = Metrics(plan, 0)
    metrics.count("champion", 3, 200, 0.004, rows=2)
    metrics.count("champion", 3, 200, 0.2, rows=1)
    metrics.count("champion", 3, 500, 3.0, rows=1)
    metrics.count("", 0, 418, 0.0001, rows=0)
    metrics.loaded("champion", 3, 0.75)
    metrics.flight(1)
    metrics.gauge("ready", 1)
    found = parsed(metrics.render())
    arm = (("arm", "champion"), ("version", "3"))
    assert found["qua3ck_requests_total", (arm[0], ("status", "200"), arm[1])] == 2
    none = (("arm", "none"), ("status", "other"), ("version", "0"))
    assert found["qua3ck_requests_total", none] == 1
    assert found["qua3ck_errors_total", arm] == 1
    assert found["qua3ck_slow_total", arm] == 2
    assert found["qua3ck_rows_total", arm] == 4
    name = "qua3ck_request_duration_seconds"
    assert found[f"{name}_count", arm] == 3
    assert found[f"{name}_sum", arm] == pytest.approx(3.204)
    assert found[f"{name}_bucket", (arm[0], ("le", "0.005"), arm[1])] == 1
    assert found[f"{name}_bucket", (arm[0], ("le", "+Inf"), arm[1])] == 3
    assert found["qua3ck_model_load_seconds", arm] == 0.75
    assert found["qua3ck_in_flight", (("worker", "worker-0"),)] == 1
    assert found["qua3ck_ready", (("worker", "worker-0"),)] == 1
    assert found["qua3ck_log_lag_bytes", ()] == 0
    assert CONTENT_TYPE.startswith("application/openmetrics-text")


def test_nothing_counted_is_a_valid_text_too(plan):
    assert parsed(render(plan))["qua3ck_log_lag_bytes", ()] == 0


def test_any_worker_answers_for_all_of_them(plan):
    one, two = Metrics(plan, 0), Metrics(plan, 1)
    for _ in range(3):
        one.count("champion", 1, 200, 0.001)
    two.count("champion", 1, 200, 0.001)
    two.count("canary", 2, 422, 0.001)
    assert one.render() == two.render()
    both = counted(plan)
    assert both["champion", 1].answered == 4
    assert (both["canary", 2].refused, both["canary", 2].failed) == (1, 0)


def test_a_worker_that_takes_over_a_number_counts_on(plan):
    first = Metrics(plan, 0)
    first.count("champion", 1, 200, 0.001)
    first.gauge("in_flight", 3)
    first.close()
    second = Metrics(plan, 0)
    second.count("champion", 1, 200, 0.001)
    assert counted(plan)["champion", 1].requests == 2
    assert gauges(plan)["worker-0"]["in_flight"] == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from qua3ck.operate.records import read_plan
from qua3ck.operate.serve.metrics import Metrics
metrics = Metrics(read_plan(Path(sys.argv[1])), 0)
for _ in range(1000):
    metrics.count("champion", 1, 200, 0.001)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_worker_takes_nothing_with_it(plan, tmp_path):
    write_plan(plan, tmp_path / "plan.json")
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "plan.json")], check=False)
    assert counted(plan)["champion", 1].requests == 1000


def test_more_versions_than_there_is_room_for_are_counted_together(plan):
    metrics = Metrics(plan, 0)
    for version in range(400):
        metrics.count("champion", version, 200, 0.001)
    known = counted(plan)
    assert sum(one.requests for one in known.values()) == 400
    assert known["other", 0].requests > 100


def test_without_a_promised_latency_nothing_is_slow(plan):
    Metrics(replace(plan, canary=Canary()), 0).count("champion", 1, 200, 100.0)
    assert counted(plan)["champion", 1].slow == 0


def test_a_file_of_another_version_of_this_program_is_begun_anew(plan):
    folder = plan.state / "counters"
    folder.mkdir(parents=True)
    (folder / "worker-0.counters").write_bytes(b"x" * 100)
    assert counted(plan) == {}
    Metrics(plan, 0).count("champion", 1, 200, 0.001)
    assert counted(plan)["champion", 1].requests == 1

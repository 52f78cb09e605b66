from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.compacting import compact
from qua3ck.operate.serve.logbook import Logbook, log_folder
from qua3ck.project.traffic import traffic

NOW = datetime(2026, 7, 14, 10, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Answers are given at ``NOW``; a real clock may pass into the next hour between lines."""
    ticks = itertools.count(int(NOW.timestamp()) * 10**9, 10**6)
    monkeypatch.setattr("qua3ck.operate.serve.logbook.time.time_ns", lambda: next(ticks))


@pytest.fixture
def plan(tmp_path):
    return ServePlan(str(tmp_path), "permits", "0" * 16)


def answered(plan, *, rows=1, version=1, arm="champion", latency_us=900, flags=()):
    book = Logbook(plan, 0)
    line = book.record(
        request_id="r",
        version=version,
        arm=arm,
        table={"area": [1.0] * rows},
        outputs={"label": ["yes"] * rows},
        latency_us=latency_us,
        flags=flags,
    )
    book.write([line])
    book.close()


def test_nothing_logged_is_nothing_answered_in_every_hour(tmp_path):
    found = traffic(tmp_path, now=NOW)
    assert (found.answers, found.arms, len(found.hours), found.part) == (0, (), 24, False)
    assert found.hours[-1][0][:13] == NOW.isoformat()[:13]


def test_rows_are_counted_by_place_and_version(plan, tmp_path):
    answered(plan, rows=3, latency_us=1000)
    answered(plan, arm="canary", version=2, latency_us=2500, flags=("outside:area",))
    found = traffic(tmp_path, now=NOW)
    assert (found.answers, found.hours[-1][1]) == (4, 4)
    first, second = found.arms
    assert (first.arm, first.version, first.answers, first.flagged) == ("champion", 1, 3, 0)
    assert (second.arm, second.version, second.flagged, second.p99_ms) == ("canary", 2, 1, 2.5)


def test_a_line_that_was_moved_is_not_counted_twice(plan, tmp_path):
    answered(plan, rows=2)
    before = traffic(tmp_path, now=NOW)
    compact(plan)
    assert traffic(tmp_path, now=NOW) == before
    answered(plan)
    assert traffic(tmp_path, now=NOW).answers == 3


def test_what_is_older_than_asked_for_is_left_out(plan, tmp_path):
    answered(plan)
    later = traffic(tmp_path, now=NOW + timedelta(hours=30))
    assert later.answers == 0
    assert traffic(tmp_path, now=NOW + timedelta(hours=30), hours=48).answers == 1


def test_torn_and_foreign_lines_are_passed_over(plan, tmp_path):
    answered(plan)
    log = next(log_folder(plan).glob("*.jsonl"))
    with log.open("ab") as handle:
        handle.write(b'{"id": "torn\n[]\n')
        handle.write(json.dumps({"of": "r", "row": 0, "at": 1, "outcome": 1}).encode() + b"\n")
        handle.write(b'{"id": "half')
    assert traffic(tmp_path, now=NOW).answers == 1


def test_of_a_log_that_grew_too_long_the_newest_lines_are_read_and_it_is_said(
    plan, tmp_path, monkeypatch
):
    for _ in range(5):
        answered(plan)
    size = next(log_folder(plan).glob("*.jsonl")).stat().st_size
    monkeypatch.setattr("qua3ck.project.traffic.MOST_BYTES", 2 * size)
    found = traffic(tmp_path, now=NOW)
    assert found.part
    assert found.answers == 2

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from running import serving, until

from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve import truth
from qua3ck.operate.serve.logbook import Logbook
from qua3ck.operate.serve.metrics import render
from qua3ck.operate.serve.truth import Met, Truth, met


@pytest.fixture
def plan(tmp_path) -> ServePlan:
    return ServePlan(str(tmp_path), "shop", "1")


class Log:
    """What two workers write."""

    def __init__(self, plan: ServePlan) -> None:
        self.books = [Logbook(plan, worker) for worker in (0, 1)]

    def answered(
        self, ident: str, *said: Any, arm: str = "champion", version: int = 1, places: Any = (),
        worker: int = 0,
    ) -> None:  # fmt: skip
        """Log an answer of classes or numbers."""
        name = "value" if isinstance(said[0], float) else "label"
        book = self.books[worker]
        table = {"income": [1.0] * len(said)}
        line = book.record(
            request_id=ident, version=version, arm=arm, table=table, outputs={name: list(said)},
            latency_us=1, places=places,
        )  # fmt: skip
        book.write([line])

    def came(self, ident: str, outcome: Any, row: int = 0, *, worker: int = 0) -> None:
        """Log an outcome."""
        book = self.books[worker]
        book.write([book.outcome(request_id=ident, row=row, outcome=outcome)])


@pytest.fixture
def log(plan) -> Log:
    return Log(plan)


def looked(plan: ServePlan, times: int = 1) -> Met:
    """Return what came true after some looks of a process that has just been started."""
    one = Truth(plan)
    for _ in range(times):
        one.step()
    one.close()
    return met(plan)


def test_each_outcome_counts_under_the_arm_and_version_that_answered(plan, log):
    log.answered("a", "good", "bad", "good", arm="canary", version=2)
    log.answered("a", "bad", "bad", "bad", arm="shadow", version=3)
    log.answered("b", "refer", arm="fallback", version=0)
    log.answered("c", "true")
    for row, came in enumerate(["good", "good", "good"]):
        log.came("a", came, row)
    log.came("b", "refer")
    log.came("c", True)
    found = looked(plan)
    assert found.right == {("canary", 2): 2, ("fallback", 0): 1, ("champion", 1): 1}
    assert found.wrong == {("canary", 2): 1, ("shadow", 3): 3}
    assert (found.numbers, found.unmatched) == ({}, 0)


def test_of_a_request_that_two_arms_answered_each_has_its_own_rows(plan, log):
    log.answered("a", "good", "bad", places=(0, 2))
    log.answered("a", "good", arm="canary", version=2, places=(1,))
    for row in (0, 1, 2):
        log.came("a", "bad", row)
    found = looked(plan)
    assert (found.right, found.wrong) == (
        {("champion", 1): 1},
        {("champion", 1): 1, ("canary", 2): 1},
    )


def test_an_outcome_of_a_row_that_no_arm_answered_is_unmatched_and_counts_once(plan, log):
    log.answered("one", "good")
    log.answered("one", "good", arm="shadow", version=3)
    log.answered("two", "good", "bad", places=(0, 2))
    log.answered("two", "good", arm="canary", version=2, places=(1,))
    log.came("one", "good", 5)
    log.came("two", "good", 3)
    log.came("two", "good", 1)
    found = looked(plan, 5)
    assert (found.right, found.wrong, found.unmatched) == ({("canary", 2): 1}, {}, 2)


def test_a_row_that_is_answered_by_an_arm_whose_line_comes_later_finds_it(plan, log):
    one = Truth(plan)
    log.answered("a", "good", places=(0,))
    log.came("a", "bad", 1)
    one.step()
    log.answered("a", "bad", arm="canary", version=2, places=(1,), worker=1)
    for _ in range(4):
        one.step()
    one.close()
    assert met(plan) == Met(right={("canary", 2): 1})


def test_of_numbers_the_error_is_summed(plan, log):
    log.answered("a", 10.0, 20.0)
    log.came("a", 7, 0)
    log.came("a", 20.5, 1)
    assert looked(plan).numbers == {("champion", 1): (2, pytest.approx(3.5))}


def test_what_came_true_counts_once_however_often_it_is_sent_or_looked_at(plan, log):
    log.answered("a", "good")
    log.came("a", "good")
    log.came("a", "bad")
    assert looked(plan, 3).right == {("champion", 1): 1}
    log.came("a", "bad")
    assert looked(plan, 5) == Met(right={("champion", 1): 1})


def test_a_label_that_comes_after_a_restart_finds_its_answer(plan, log):
    log.answered("a", "good")
    assert looked(plan) == Met()
    for path in (plan.state / "log").glob("*.jsonl"):
        path.unlink()  # the compactor has moved them
    later = Log(plan)
    later.came("a", "bad")
    assert looked(plan).wrong == {("champion", 1): 1}


def test_an_outcome_that_is_read_before_its_answer_waits_for_it(plan, log):
    one = Truth(plan)
    log.came("a", "good", worker=1)
    log.came("nobody", "good", worker=1)
    one.step()
    log.answered("a", "good")
    one.step()
    assert (met(plan).right, met(plan).unmatched) == ({("champion", 1): 1}, 0)
    one.step()
    assert met(plan).unmatched == 1
    one.step()
    assert met(plan).unmatched == 1


def test_while_it_is_behind_nothing_is_given_up(plan, log, monkeypatch):
    monkeypatch.setattr(truth, "_PIECE_BYTES", 400)
    log.came("z", "good")  # in the first file: read long before the last
    for number in range(50):
        log.answered(f"r{number}", "bad", worker=1)
    log.answered("z", "good", worker=1)
    found = looked(plan, 60)
    assert (found.right, found.unmatched) == ({("champion", 1): 1}, 0)


def dying(act: Any) -> Any:
    """Return what does the same and then fails."""

    def dies(*args: Any, **words: Any) -> None:
        act(*args, **words)
        raise ZeroDivisionError

    return dies


def test_a_process_that_dies_in_the_middle_neither_loses_nor_doubles(plan, log, monkeypatch):
    steps = ("_keep", "_judged", "_join", "_give_up", "_counted")
    expected: Counter[bool] = Counter()
    for number in range(60):
        said, came = ("good", "bad")[number % 2], ("good", "bad", "bad")[number % 3]
        log.answered(str(number), said, worker=number % 2)
        log.came(str(number), came, worker=(number + 1) % 2)
        expected[said == came] += 1
        with monkeypatch.context() as patch:
            step = steps[number % len(steps)]
            patch.setattr(truth, step, dying(getattr(truth, step)))
            one = Truth(plan)
            with pytest.raises(ZeroDivisionError):
                one.step()
            one.close()
        if number % 3 == 0:
            looked(plan)
    found = looked(plan, 2)
    assert (found.right, found.wrong) == (
        {("champion", 1): expected[True]},
        {("champion", 1): expected[False]},
    )
    assert found.unmatched == 0


def test_the_oldest_answers_are_forgotten_when_there_are_too_many(plan, log, monkeypatch):
    monkeypatch.setattr(truth, "_MOST_BYTES", 120_000)
    one = Truth(plan)
    for number in range(40):
        for part in range(50):
            log.answered(f"{number}-{part}", "good")
        one.step()
    base = sqlite3.connect(plan.state / "truth.db")
    ((kept,),) = base.execute("SELECT count(*) FROM answers").fetchall()
    base.close()
    assert 0 < kept < 2000
    log.came("0-0", "good")
    log.came("39-49", "good")
    for _ in range(4):
        one.step()
    assert (met(plan).right, met(plan).unmatched) == ({("champion", 1): 1}, 1)


def test_lines_and_files_that_cannot_be_read_hold_up_nothing(plan, log):
    book = log.books[0]
    book.write([b'{"id": "a"\n', b"\xff\xfe\n", b'{"of": 7}\n', b"[]\n"])
    log.answered("a", "good")
    log.came("a", "good")
    assert looked(plan).right == {("champion", 1): 1}
    (plan.state / "truth.db").write_bytes(b"no database" * 1000)
    assert looked(plan).right == {("champion", 1): 1}  # read again from what is still there
    (plan.state / "counters" / "outcomes.json").write_text("{")
    assert met(plan) == Met()


def test_the_metrics_tell_it_by_arm_and_version_alone(plan, log):
    log.answered("person-4711", "good", "good", arm="canary", version=2)
    log.came("person-4711", "good", 0)
    log.answered("n", 4.0)
    log.came("n", 1.5)
    looked(plan)
    lines = [line for line in render(plan).splitlines() if "outcome" in line and line[0] != "#"]
    assert lines == [
        'qua3ck_outcomes_total{arm="canary",version="2",right="true"} 1',
        'qua3ck_outcomes_total{arm="canary",version="2",right="false"} 0',
        'qua3ck_outcome_error_count{arm="champion",version="1"} 1',
        'qua3ck_outcome_error_sum{arm="champion",version="1"} 2.5',
        "qua3ck_outcomes_unmatched_total 0",
    ]
    kept = json.loads((plan.state / "counters" / "outcomes.json").read_text())
    assert "person-4711" not in json.dumps(kept)
    assert (plan.state / "truth.db").stat().st_mode & 0o077 == 0


def test_promtool_takes_it(plan, log, judge):
    log.answered("a", "good")
    log.came("a", "good")
    log.answered("n", 4.0)
    log.came("n", 1.5)
    looked(plan)
    text = render(plan)
    counters = re.findall(r"# TYPE (\w+) counter", text)  # its linter reads the older format
    text = re.sub(rf"(# (?:TYPE|HELP) (?:{'|'.join(counters)})) ", r"\1_total ", text)
    done = subprocess.run(
        [judge("promtool"), "check", "metrics"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_running_server_tells_of_it_also_after_another_start(shop, plan_of, tmp_path):
    shop.move(1)
    served, row = plan_of(shop), {"income": 20.0, "age": 30, "home": "rent"}
    for wanted in (1, 2):
        with serving(served, tmp_path) as server:
            _, headers, answer = server.predict(row)
            label = answer["predictions"][0]["label"]
            ident = {name.lower(): value for name, value in headers.items()}["x-request-id"]
            sent = {"id": ident, "outcome": label}
            assert server.ask("/v2/models/shop/outcomes", sent)[0] == 200
            line = f'qua3ck_outcomes_total{{arm="champion",version="1",right="true"}} {wanted}\n'
            until(lambda server=server, line=line: line in server.ask("/metrics")[2])
            assert server.end() == 0

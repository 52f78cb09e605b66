from __future__ import annotations

import io
import json
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qua3ck.operate.records import Arm, Canary, ServePlan, write_plan
from qua3ck.operate.serve.keeping import Keeper, Outcomes
from qua3ck.operate.serve.logbook import Logbook
from qua3ck.operate.serve.metrics import Metrics
from qua3ck.operate.serve.people import People
from qua3ck.operate.serve.telling import Teller

STEPS = (5, 25, 100)


class Bench:
    """A shop in the middle of a rollout, its keeper, and a clock that is turned by hand."""

    def __init__(self, shop: Any, plan: ServePlan, folder: Path) -> None:
        self.shop, self.plan = shop, plan
        self.path = folder / "plan.json"
        write_plan(plan, self.path)
        self.later = timedelta()
        self.ticks = 0.0
        self.told = io.StringIO()
        self.metrics, self.people = Metrics(plan, 0), People(plan, 0)
        self.keeper = self.another_keeper()

    def another_keeper(self) -> Keeper:
        teller = Teller("keeper", stream=self.told)
        return Keeper(
            self.plan, self.path, teller, clock=lambda: datetime.now(UTC) + self.later,
            now=lambda: self.ticks,
        )  # fmt: skip

    def answers(
        self, n: int, *, canary_status: int = 200, share: int = 5, people: int = 60_000
    ) -> None:
        """Count answers of both arms, ``share`` percent of them by the canary."""
        for number in range(n):
            if number % 100 < share:
                self.counted("canary", 2, canary_status, number % people)
            else:
                self.counted("champion", 1, 200, number % people)

    def counted(self, arm: str, version: int, status: int, person: int) -> None:
        """Count an answer as an application does."""
        self.keeper.follower.poll()
        routing = self.keeper.follower.routing
        self.metrics.count(arm, version, status, 0.001)
        if self.people.bad(status, 0.001):
            place = self.people.place(routing, b"%d" % person)
            self.people.note(routing, arm, place, status, 0.001)

    def judge(self) -> None:
        self.keeper.follower.poll()
        self.keeper.judge()

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        entries = self.shop.workspace.ledger.entries()
        return [(e.event, dict(e.body)) for e in entries if e.event.startswith("canary.")]

    def shares(self) -> dict[str, float]:
        self.keeper.follower.poll()
        return {arm.name: arm.share for arm in self.keeper.follower.routing.arms}

    @property
    def said(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.told.getvalue().splitlines()]


@pytest.fixture
def bench(empty_shop: Any, plan_of: Callable[..., ServePlan], tmp_path: Path) -> Bench:
    empty_shop.move(1)
    empty_shop.move(2, steps=STEPS)
    canary = Canary(hold_s=600, latency_ms=50)
    return Bench(empty_shop, plan_of(empty_shop, actor="ana", canary=canary), tmp_path)


def test_a_good_canary_goes_up_step_by_step_and_the_ledger_says_on_what_evidence(bench):
    shares = [bench.shares()]
    for step in STEPS[:-1]:
        bench.judge()
        bench.answers(4000, share=step)
        bench.judge()
        assert bench.shares() == shares[-1], "the hold is not over"
        bench.later += timedelta(minutes=11)
        bench.judge()
        shares.append(bench.shares())
    assert shares == [
        {"canary": pytest.approx(0.05), "champion": pytest.approx(0.95)},
        {"canary": pytest.approx(0.25), "champion": pytest.approx(0.75)},
        {"champion": 1.0},
    ]
    first, second = bench.events()
    assert (first[0], first[1]["share"], first[1]["at_share"]) == ("canary.stepped", 25, 5)
    assert first[1]["seen"]["errors"]["canary"] == [200, 0]
    assert second[1]["share"] == 100
    assert bench.shop.workspace.ledger.verify().ok


def test_no_step_without_answers_however_long_it_is_held(bench):
    bench.judge()
    bench.later += timedelta(days=30)
    bench.judge()
    bench.answers(1000)  # fifty of the canary
    bench.judge()
    assert bench.events() == []


def test_a_canary_that_fails_is_stopped_and_everybody_gets_the_version_before(bench):
    bench.judge()
    bench.answers(600, canary_status=500)
    bench.judge()
    ((event, body),) = bench.events()
    assert (event, body["why"], body["back_to"]) == ("canary.stopped", "errors", 1)
    assert float(body["worth"]) >= 20
    assert bench.shares() == {"champion": 1.0}
    bench.judge()
    assert len(bench.events()) == 1
    assert not (bench.plan.state / "rollout.json").exists()


def test_one_person_who_fails_again_and_again_stops_nothing(bench):
    """A partner whose every request fails, with whatever version, and who has the canary."""
    bench.judge()
    for _ in range(30):
        bench.answers(100)
        for _ in range(50):
            bench.counted("canary", 2, 422, 7)
        bench.judge()
    assert bench.events() == []
    assert bench.keeper._state.judgement.watches["refusals"].people == (1, 0)
    for person in range(20):
        bench.counted("canary", 2, 422, person)
    bench.judge()
    ((event, body),) = bench.events()
    assert (event, body["why"]) == ("canary.stopped", "refusals")
    assert body["seen"]["refusals"]["people"] == [20, 0]


def test_what_was_counted_before_the_rollout_is_no_evidence(bench):
    for _ in range(500):
        bench.metrics.count("canary", 2, 500, 0.001)
    bench.keeper.follower.poll()
    other = replace(bench.keeper.follower.routing, arms=(Arm("canary", 2, 0.05, since=1),))
    for place in range(500):
        bench.people.note(other, "canary", place, 500, 0.001)
    bench.judge()
    bench.answers(2000)
    bench.judge()
    assert bench.events() == []


def test_a_restart_goes_on_with_the_evidence(bench):
    bench.judge()
    bench.answers(400)
    bench.counted("canary", 2, 500, 1)
    bench.judge()
    before = bench.keeper._state.judgement
    assert before.worth != 1.0
    assert not before.stops(0.05)
    bench.keeper = bench.another_keeper()
    bench.judge()
    assert bench.keeper._state.judgement == before
    bench.answers(300, canary_status=500)
    bench.judge()
    assert [event for event, _ in bench.events()] == ["canary.stopped"]


def outcome(book: Logbook, number: int, arm: str, label: str, came: str) -> list[bytes]:
    version = 2 if arm == "canary" else 1
    line = book.record(
        request_id=f"r{number}", version=version, arm=arm, table={}, outputs={"label": [label]},
        latency_us=1,
    )  # fmt: skip
    return [line, book.outcome(request_id=f"r{number}", row=0, outcome=came)]


def test_a_canary_that_is_wrong_more_often_is_stopped_by_the_labels_that_were_sent(bench):
    bench.judge()
    book = Logbook(bench.plan, 0)
    for number in range(600):
        arm = "canary" if number % 4 == 0 else "champion"
        wrong = number % 8 == 0 if arm == "canary" else number % 50 == 0
        book.write(outcome(book, number, arm, "bad", "good" if wrong else "bad"))
        if number % 50 == 49:
            bench.judge()
    ((event, body),) = bench.events()
    assert (event, body["why"]) == ("canary.stopped", "outcomes")
    n, wrong = body["seen"]["outcomes"]["canary"]
    assert 0 < wrong < n <= 150


def test_outcomes_of_answers_before_the_rollout_do_not_count(bench):
    book = Logbook(bench.plan, 0)
    for number in range(100):
        book.write(outcome(book, number, "canary", "bad", "good"))
    bench.judge()
    bench.judge()
    assert bench.keeper._state.judgement.watches["outcomes"].total.canary == 0


def number(book: Logbook, ident: int, arm: str, said: float, *came: float) -> list[bytes]:
    version = 2 if arm == "canary" else 1
    line = book.record(
        request_id=f"n{ident}", version=version, arm=arm, table={}, outputs={"value": [said]},
        latency_us=1,
    )  # fmt: skip
    return [line, *(book.outcome(request_id=f"n{ident}", row=0, outcome=one) for one in came)]


def test_a_canary_whose_numbers_are_further_off_is_stopped_by_what_came_true(bench):
    judged = replace(bench.plan.canary, error="absolute", error_bound=40.0)
    bench.plan = replace(bench.plan, canary=judged)
    bench.keeper = bench.another_keeper()
    bench.judge()
    book = Logbook(bench.plan, 0)
    rng = np.random.default_rng(3)
    for ident in range(600):
        arm = "canary" if ident % 4 == 0 else "champion"
        off = float(rng.normal(0, 20 if arm == "canary" else 8))
        book.write(number(book, ident, arm, 100.0 + off, 100.0))
        if ident % 50 == 49:
            bench.judge()
    ((event, body),) = bench.events()
    assert (event, body["why"]) == ("canary.stopped", "outcomes")
    seen = body["seen"]["outcomes"]
    assert (seen["error"], seen["bound"]) == ("absolute", "40")
    assert 10 < float(seen["canary"][1]) < 20
    assert 5 < float(seen["champion"][1]) < 8
    bench.shop.workspace.ledger.verify()


def test_one_person_to_whom_answers_are_always_wrong_stops_nothing(bench):
    bench.judge()
    book = Logbook(bench.plan, 0)
    for ident in range(300):
        line, came = outcome(book, ident, "canary", "bad", "good")
        book.write([json.dumps({**json.loads(line), "who": [9]}).encode() + b"\n", came])
    bench.judge()
    watch = bench.keeper._state.judgement.watches["outcomes"]
    assert (bench.events(), watch.people, watch.total.canary_bad) == ([], (1, 0), 300)


def test_an_exact_number_is_a_persons_first_answer_as_well(bench):
    """Else people wait for their first inexact one, and a rare large error looks like many."""
    judged = replace(bench.plan.canary, error="absolute", error_bound=40.0)
    bench.plan = replace(bench.plan, canary=judged)
    bench.keeper = bench.another_keeper()
    bench.judge()
    book = Logbook(bench.plan, 0)
    for ident, came in enumerate((100.0, 60.0)):
        line, true = number(book, ident, "canary", 100.0, came)
        book.write([json.dumps({**json.loads(line), "who": [9]}).encode() + b"\n", true])
    bench.judge()
    assert bench.keeper._state.judgement.watches["outcomes"].people == (0, 0)


def test_what_came_true_counts_once_and_a_number_without_a_promise_is_not_judged(bench):
    bench.judge()
    book = Logbook(bench.plan, 0)
    for ident in range(20):
        book.write(number(book, ident, "canary", 1.0, 99.0))
        one, came = outcome(book, ident, "canary", "bad", "good")
        book.write([one, came, came, came])
    bench.judge()
    assert bench.keeper._state.judgement.watches["outcomes"].total.canary == 20


UNFIT: list[Any] = [
    {"of": "r0", "row": 999, "outcome": "good"},
    {"of": "r0", "row": -1, "outcome": "good"},
    {"of": "r0", "row": "0", "outcome": "good"},
    {"of": "r0", "outcome": "good"},
    {"of": [], "row": 0, "outcome": "good"},
    {"id": "r9", "arm": "canary", "out": []},
    {"id": "r9", "arm": ["canary"], "out": {"label": ["bad"]}},
    ["of"], 3, None,
]  # fmt: skip


def test_a_line_that_cannot_be_judged_is_passed_over_alone_and_told(bench):
    bench.judge()
    book = Logbook(bench.plan, 0)
    before, came = outcome(book, 0, "canary", "bad", "good")
    unfit = [json.dumps(line).encode() + b"\n" for line in UNFIT]
    book.write([before, *unfit, b"[" * 100_000 + b"\n", came])
    book.write(outcome(book, 1, "canary", "bad", "bad"))
    bench.judge()
    seen = bench.keeper._state.judgement.watches["outcomes"].total
    assert (seen.canary, seen.canary_bad) == (2, 1)
    assert bench.said == ["outcomes.passed_over"]
    assert json.loads(bench.told.getvalue())["lines"] == len(UNFIT) + 1
    bench.judge()
    assert len(bench.said) == 1


@pytest.mark.parametrize("line", UNFIT, ids=str)
def test_no_line_gets_out_of_the_reading(tmp_path, line):
    plan = ServePlan(root=str(tmp_path), project="shop", project_id="ab12")
    came = Outcomes(plan)
    book = Logbook(plan, 0)
    first, second = outcome(book, 0, "canary", "bad", "good")
    book.write([first, json.dumps(line).encode() + b"\n", second])
    assert came.read()["canary"] == (1, 1)
    assert came.passed_over == 1


@pytest.mark.parametrize(
    ("answered", "came", "wrong"),
    [("true", True, 0), ("false", True, 1), ("1", 1.0, 0), ("1", 1, 0), ("1", 0.0, 1),
     ("true", "true", 0), ("true", 1, 1)],
)  # fmt: skip
def test_what_came_true_is_held_against_the_answer_as_the_target_is_spelt(
    tmp_path, answered, came, wrong
):
    plan = ServePlan(root=str(tmp_path), project="shop", project_id="ab12")
    book = Logbook(plan, 0)
    book.write(outcome(book, 0, "canary", answered, came))
    assert Outcomes(plan).read()["canary"] == (1, wrong)


def test_after_a_restart_labels_still_count_for_answers_given_before_it(bench, monkeypatch):
    book = Logbook(bench.plan, 0)
    book.write(outcome(book, 0, "canary", "bad", "good"))  # before the rollout: never counts
    bench.judge()
    early, came = outcome(book, 1, "canary", "bad", "good")
    known, known_came = outcome(book, 2, "canary", "bad", "bad")
    book.write([early, known, known_came])
    bench.judge()
    assert bench.keeper._state.judgement.watches["outcomes"].total.canary == 1
    bench.keeper = bench.another_keeper()
    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.operate.serve.compacting.PIECE_BYTES", 64)  # it takes several
        bench.judge()
    assert bench.keeper._state.judgement.watches["outcomes"].total.canary == 1
    late = Logbook(bench.plan, 1)
    zero = late.outcome(request_id="r0", row=0, outcome="good")
    late.write([came, known_came, zero])
    bench.judge()
    seen = bench.keeper._state.judgement.watches["outcomes"].total
    assert (seen.canary, seen.canary_bad) == (2, 1)


def test_after_a_restart_only_so_much_of_the_log_is_read_again(bench, monkeypatch):
    bench.judge()
    book, newer = Logbook(bench.plan, 0), Logbook(bench.plan, 1)
    old, old_came = outcome(book, 1, "canary", "bad", "good")
    new, new_came = outcome(newer, 2, "canary", "bad", "good")
    book.write([old])
    newer.write([new])
    bench.judge()
    monkeypatch.setattr("qua3ck.operate.serve.keeping._AGAIN_BYTES", len(new))
    bench.keeper = bench.another_keeper()
    bench.judge()
    newer.write([old_came, new_came])
    bench.judge()
    assert bench.keeper._state.judgement.watches["outcomes"].total.canary == 1


def test_where_nobody_may_write_the_canary_stays_where_it_is_and_that_is_said(bench):
    bench.keeper.plan = replace(bench.plan, actor="")
    bench.judge()
    bench.answers(4000)
    bench.later += timedelta(hours=1)
    bench.judge()
    bench.judge()
    assert bench.events() == []
    assert bench.said == ["canary.nobody_may_write"]


def test_a_move_by_a_person_meanwhile_wins(bench, monkeypatch):
    bench.judge()
    bench.answers(600, canary_status=500)
    real = bench.keeper._open

    def meanwhile() -> Any:
        monkeypatch.setattr(bench.keeper, "_open", real)
        bench.shop.move(1, kind="rollback")
        return real()

    monkeypatch.setattr(bench.keeper, "_open", meanwhile)
    bench.judge()
    assert bench.events() == []
    assert bench.shares() == {"champion": 1.0}


def test_a_rollout_that_another_move_cut_short_is_recorded_as_stopped_once(bench):
    bench.judge()
    bench.shop.move(3, steps=STEPS)
    for _ in range(2):
        bench.keeper.follower.poll()
        bench.keeper._close_what_is_open()
    ((event, body),) = bench.events()
    assert (event, body["why"]) == ("canary.stopped", "replaced by another move")
    assert bench.shares()["canary"] == pytest.approx(0.05)


def test_who_may_not_promote_is_told_who_must(bench):
    bench.judge()
    bench.answers(600, canary_status=500)
    bench.judge()
    bench.keeper._close_what_is_open()
    bench.keeper._close_what_is_open()
    assert bench.said == ["canary.stopped", "canary.alias_ahead"]


def in_this_process(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
    from qua3ck.cli.main import main

    assert command[1:3] == ["-m", "qua3ck"]
    return subprocess.CompletedProcess(command, main(command[3:]), "", "")


def test_who_may_promote_has_the_alias_moved_back_as_well(
    shop, plan_of, tmp_path, monkeypatch, capsys
):
    """By the real command, over real folders: 1, then 2 stopped, then 3 stopped: back to 1."""
    monkeypatch.setattr("qua3ck.operate.serve.keeping.subprocess.run", in_this_process)
    # what a registry then has is told in tests/transfer/test_registry.py
    monkeypatch.setattr("qua3ck.transfer.registry.catch_up", lambda *_: None)
    shop.move(1)
    for version in (2, 3):
        seq = shop.move(version, steps=STEPS)
        shop.append("canary.stopped", rollout=seq, why="errors")
    bench = Bench(shop, plan_of(shop, actor="ana", may_promote=True), tmp_path)
    bench.keeper.follower.poll()
    bench.keeper._close_what_is_open()
    assert bench.said == ["alias.moved_back"], capsys.readouterr()
    last = shop.workspace.ledger.entries("alias.moved")[-1]
    assert (last.body["version"], last.body["kind"], last.actor) == (1, "rollback", "ana")
    assert "stopped by itself" in last.body["reason"]
    bench.ticks += 1000
    bench.keeper.follower.poll()
    bench.keeper._close_what_is_open()
    assert len(bench.said) == 1


def test_a_ledger_that_does_not_verify_stops_the_keeper_and_not_its_thread(bench):
    chain = bench.shop.workspace.ledger.chain
    chain.write_bytes(chain.read_bytes().replace(b'"version":2}', b'"version":1}'))
    bench.keeper.step()
    bench.keeper.step()
    assert bench.said == ["ledger.not_trusted"]


def test_an_error_of_one_step_does_not_end_the_keeper(bench, monkeypatch):
    monkeypatch.setattr("qua3ck.operate.serve.keeping._LOOK_S", 0.001)
    ended, steps = threading.Event(), []

    def step() -> None:
        steps.append(1)
        if len(steps) == 3:
            ended.set()
        message = "broken"
        raise RuntimeError(message)

    monkeypatch.setattr(bench.keeper, "step", step)
    bench.keeper.run(ended)
    assert len(steps) == 3
    assert bench.said == ["failed"]


def test_what_was_logged_is_moved_by_another_process_when_there_is_something(bench):
    bench.keeper.compactor.step()
    assert bench.keeper.compactor.process is None
    book = Logbook(bench.plan, 0)
    book.write(outcome(book, 1, "champion", "bad", "bad"))
    bench.keeper.compactor.step()
    first = bench.keeper.compactor.process
    assert first.wait(timeout=60) == 0
    book.write(outcome(book, 2, "champion", "bad", "bad"))
    bench.keeper.compactor.step()
    assert bench.keeper.compactor.process is first, "once a minute"
    bench.ticks += 61
    bench.keeper.compactor.step()
    assert bench.keeper.compactor.process.wait(timeout=60) == 0
    from qua3ck.operate.serve.logbook import lag_bytes

    assert lag_bytes(bench.plan) == 0


def test_the_whole_ledger_is_verified_once_an_hour(bench):
    bench.keeper._verify()
    assert bench.said == []
    bench.ticks += 3601
    bench.keeper._verify()
    bench.keeper._verify()
    assert bench.said == ["ledger.verified"]


def test_an_auditor_reads_what_happened_to_a_rollout_in_a_sentence(bench):
    from qua3ck.transfer import audit

    bench.judge()
    bench.answers(600, canary_status=500)
    bench.judge()
    bench.shop.append("serving.off", reason="wrong limits")
    bench.shop.append("key.added", "desk", id="ab", name="desk", scopes=["predict"], hash="00")
    moved, stopped, off, key = [event.says for event in audit(bench.shop.workspace).events][-4:]
    assert "by steps of 5, 25, 100 %" in moved
    assert (
        stopped == "version 2 stopped at 5 %, back to version 1: errors 30 of 30, before 0 of 570"
    )
    assert off == "the model is switched off: wrong limits"
    assert key == "API key ab of desk for predict"

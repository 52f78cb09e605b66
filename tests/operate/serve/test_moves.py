"""The server as a whole, under load: a short version of ``prove/serving_moves.py``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from moving import Failure, Load, judged, under_load
from running import serving, until

from qua3ck.operate.records import Canary


def test_only_what_was_asked_of_the_killed_process_may_fail():
    failed = [
        Failure(7, 10.0, 10.2, "RemoteDisconnected"),
        Failure(8, 10.0, 10.2, "RemoteDisconnected"),
        Failure(7, 9.5, 9.9, "RemoteDisconnected"),
        Failure(7, 10.0, 10.2, "no version can answer", status=503),
    ]
    assert Load(errors=failed, kills=[(10.1, 7)]).unexplained() == failed[1:]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc")
def test_moves_and_kills_under_load_give_no_wrong_answer_and_lose_no_line(shop, plan_of, tmp_path):
    shop.move(1)
    plan = plan_of(shop, workers=2, actor="ana")
    with serving(plan, tmp_path) as server:
        load = under_load(shop, server, seconds=9.0, moves=3, kills=2, clients=3)
        assert server.end() == 0
    found = judged(load, shop, plan)
    assert found.answers > 200
    assert (found.wrong, found.late, found.unexplained) == ([], [], [])
    assert (found.not_logged, found.logged_twice, found.logged_otherwise) == ([], [], [])
    assert found.logged_more <= len(found.errors)
    assert len(found.versions) == 3


ROW = {"income": 20.0, "age": 30, "home": "rent"}


def test_a_canary_with_a_defect_stops_itself_while_it_serves(shop, asking_more, plan_of, tmp_path):
    """The new version wants a column that callers do not send yet."""
    defective = shop.release(asking_more)
    shop.move(1)
    plan = plan_of(shop, actor="ana", canary=Canary(hold_s=1.0))
    with serving(plan, tmp_path) as server:
        shop.move(defective, steps=(20, 100))
        until(lambda: any(server.predict(ROW)[0] == 422 for _ in range(20)), why="no canary")

        def stopped() -> bool:
            for _ in range(10):
                server.predict(ROW)
            return bool(shop.workspace.ledger.entries("canary.stopped"))

        until(stopped, why="the canary goes on")
        (event,) = shop.workspace.ledger.entries("canary.stopped")
        assert (event.body["why"], event.body["back_to"]) == ("refusals", 1)
        until(lambda: all(server.predict(ROW)[0] == 200 for _ in range(20)), why="still refused")
        text = server.ask("/metrics")[2]
        assert f'qua3ck_requests_total{{arm="canary",version="{defective}",status="422"}}' in text


def test_a_good_canary_becomes_the_champion_and_labels_sent_back_are_kept(shop, plan_of, tmp_path):
    shop.move(1)
    plan = plan_of(shop, actor="ana", canary=Canary(hold_s=0.5))
    with serving(plan, tmp_path) as server:
        shop.move(2, steps=(50, 100))

        def finished() -> bool:
            answers = [server.predict(ROW) for _ in range(10)]
            ident = answers[0][1]["x-request-id"]
            said = {"id": ident, "outcome": "bad"}
            assert server.ask("/v2/models/shop/outcomes", said)[::2] == (200, {"taken": 1})
            return bool(shop.workspace.ledger.entries("canary.stepped"))

        until(finished, why="it never steps on")

        def everybody() -> bool:
            headers = [server.predict(ROW)[1] for _ in range(10)]
            found = {(h["x-qua3ck-arm"], h["x-qua3ck-version"]) for h in headers}
            return found == {("champion", "2")}

        until(everybody, why="it never is the champion")
        (event,) = shop.workspace.ledger.entries("canary.stepped")
        assert event.body["share"] == 100
        n, wrong = event.body["seen"]["outcomes"]["canary"]
        assert n > wrong

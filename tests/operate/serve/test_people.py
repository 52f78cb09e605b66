from __future__ import annotations

from dataclasses import replace

import pytest

from qua3ck.operate.records import Arm, Canary, Routing, ServePlan
from qua3ck.operate.serve.people import PLACES, People, met_first, noted

ROUTING = Routing(
    arms=(Arm("canary", 2, 0.25, since=7), Arm("champion", 1, 0.75)), at_seq=7, salt="ab12"
)


@pytest.fixture
def plan(tmp_path):
    return ServePlan(
        root=str(tmp_path), project="shop", project_id="ab12", canary=Canary(latency_ms=50)
    )


def bits(*places):
    return sum(1 << place for place in places)


def test_each_kind_of_bad_answer_is_noted_for_who_gave_it(plan):
    people = People(plan, 0)
    people.note(ROUTING, "canary", 3, 500, 0.001)
    people.note(ROUTING, "champion", PLACES - 1, 422, 0.001)
    people.note(ROUTING, "canary", 4, 503, 0.2)
    people.note(ROUTING, "challenger", 5, 500, 0.001)
    found = noted(plan, 7)
    assert found["errors", 0] == (bits(3, 4), 0)
    assert found["refusals", 0] == (0, bits(PLACES - 1))
    assert found["slow", 0] == (bits(4), 0)
    assert not people.bad(200, 0.05)
    assert people.bad(200, 0.051)
    assert people.bad(404, 0.0)


def test_a_person_counts_again_at_the_eighth_and_the_64th(plan):
    people = People(plan, 0)
    for times in range(1, 80):
        people.note(ROUTING, "canary", 9, 422, 0.001)
        levels = [noted(plan, 7)["refusals", level][0] > 0 for level in range(3)]
        assert levels == [times >= 1, times >= 8, times >= 64]


def test_all_workers_together_and_a_new_rollout_begins_with_nobody(plan):
    one, two = People(plan, 0), People(plan, 1)
    one.note(ROUTING, "canary", 1, 500, 0.001)
    two.note(ROUTING, "canary", 2, 500, 0.001)
    assert noted(plan, 7)["errors", 0] == (bits(1, 2), 0)
    later = replace(ROUTING, arms=(Arm("canary", 3, 0.05, since=9), ROUTING.arms[1]))
    two.note(later, "canary", 4, 500, 0.001)
    assert noted(plan, 9)["errors", 0] == (bits(4), 0)
    assert noted(plan, 7)["errors", 0] == (bits(1), 0), "the first worker goes on"


def test_nothing_is_noted_where_nothing_is_rolled_out(plan):
    people = People(plan, 0)
    people.note(replace(ROUTING, arms=ROUTING.arms[1:]), "champion", 1, 500, 0.001)
    assert not any(any(sides) for sides in noted(plan, -1).values())


def test_what_a_worker_noted_outlives_it(plan):
    People(plan, 0).note(ROUTING, "canary", 1, 500, 0.001)
    again = People(plan, 0)
    again.note(ROUTING, "canary", 2, 500, 0.001)
    assert noted(plan, 7)["errors", 0] == (bits(1, 2), 0)


def test_who_was_met_by_both_counts_for_the_canary():
    """Who was first cannot be told; so it is said that the champion was."""
    assert met_first((bits(1, 2, 3), bits(3, 4)), 0) == (2, 2, bits(1, 2, 3, 4))
    assert met_first((bits(1, 2, 3, 5), bits(2, 3, 4)), bits(1, 2, 3, 4)) == (
        1,
        0,
        bits(1, 2, 3, 4, 5),
    )


def test_a_key_has_one_place_in_a_rollout_and_another_in_the_next(plan):
    people, other = People(plan, 0), People(plan, 1)
    places = [people.place(ROUTING, b"%d" % key) for key in range(300)]
    assert places == [other.place(ROUTING, b"%d" % key) for key in range(300)]
    assert len(set(places)) > 290
    later = replace(ROUTING, arms=(Arm("canary", 3, 0.05, since=9), ROUTING.arms[1]))
    assert sum(people.place(later, b"%d" % key) == place for key, place in enumerate(places)) < 5


def test_whoever_has_no_key_is_somebody_else_each_time(plan):
    people = People(plan, 0)
    assert len({people.place(ROUTING, b"") for _ in range(300)}) > 250


def test_what_else_is_known_of_a_project_tells_nobodys_place(plan, tmp_path):
    """Project, ledger and plan are read by many; the secret is a file of its own."""
    secret = plan.state / "people.secret"
    place = People(plan, 0).place(ROUTING, b"customer-4711")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert People(plan, 1).place(ROUTING, b"customer-4711") == place
    places = set()
    for _ in range(5):
        secret.unlink()
        places.add(People(plan, 0).place(ROUTING, b"customer-4711"))
    assert len(places) > 1

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from qua3ck.ledger import Entry
from qua3ck.operate.records import Arm, Fallback, Routing, ServePlan
from qua3ck.operate.serve.routing import choose, rollout, routing, settled

PLAN = ServePlan(root="/nowhere", project="shop", project_id="16hexdigits", actor="ana")


def chain(*events: tuple[str, dict[str, Any]]) -> list[Entry]:
    return [
        Entry(seq, f"2026-01-01T00:00:{seq:02d}.000000Z", "ana", event, "", body, "", "")
        for seq, (event, body) in enumerate(events)
    ]


def moved(version: int | None, alias: str = "champion", **more: Any) -> tuple[str, dict[str, Any]]:
    return "alias.moved", {"alias": alias, "version": version, **more}


STEPS = {"steps": [5, 25, 100]}


def stepped(rollout: int, share: int) -> tuple[str, dict[str, Any]]:
    return "canary.stepped", {"rollout": rollout, "share": share}


def shares(now: Routing) -> dict[str, tuple[int, float]]:
    return {arm.name: (arm.version, pytest.approx(arm.share)) for arm in now.arms}


CASES = {
    "nothing was ever promoted": ([("release.made", {"version": 1})], {}),
    "a first champion takes all": ([moved(1)], {"champion": (1, 1)}),
    "a first champion has nobody to take over from": ([moved(1, **STEPS)], {"champion": (1, 1)}),
    "a move without steps is at once": ([moved(1), moved(2)], {"champion": (2, 1)}),
    "a move by steps begins with the first": (
        [moved(1), moved(2, **STEPS)],
        {"canary": (2, 0.05), "champion": (1, 0.95)},
    ),
    "a step makes the share larger": (
        [moved(1), moved(2, **STEPS), stepped(1, 25)],
        {"canary": (2, 0.25), "champion": (1, 0.75)},
    ),
    "the last step makes it the champion": (
        [moved(1), moved(2, **STEPS), stepped(1, 25), stepped(1, 100)],
        {"champion": (2, 1)},
    ),
    "a stop gives everything back, whatever the alias says": (
        [moved(1), moved(2, **STEPS), ("canary.stopped", {"rollout": 1})],
        {"champion": (1, 1)},
    ),
    "a step of another rollout moves nothing": (
        [moved(1), moved(2, **STEPS), moved(3, **STEPS), stepped(1, 100)],
        {"canary": (3, 0.05), "champion": (1, 0.95)},
    ),
    "a step after the stop moves nothing": (
        [moved(1), moved(2, **STEPS), ("canary.stopped", {"rollout": 1}), stepped(1, 100)],
        {"champion": (1, 1)},
    ),
    "a rollback needs no steps": (
        [moved(1), moved(2, **STEPS), moved(1, kind="rollback")],
        {"champion": (1, 1)},
    ),
    "back to the settled version is at once also by promotion": (
        [moved(1), moved(2, **STEPS), moved(1, **STEPS)],
        {"champion": (1, 1)},
    ),
    "an alias taken away serves nobody": ([moved(1), moved(None)], {}),
    "other aliases are not served": ([moved(1), moved(2, "staging")], {"champion": (1, 1)}),
    "one step of 100 is at once": (
        [moved(1), moved(2, steps=[100])],
        {"champion": (2, 1)},
    ),
}


@pytest.mark.parametrize(("events", "expected"), CASES.values(), ids=CASES)
def test_who_answers_is_read_off_the_events(events, expected):
    now = routing(chain(*events), PLAN)
    assert shares(now) == expected
    assert not now.arms or sum(arm.share for arm in now.arms) == pytest.approx(1)
    assert now.at_seq == len(events) - 1


def test_where_nobody_could_stop_a_canary_nobody_gets_it_until_it_is_the_champion():
    nobody = replace(PLAN, actor="")
    events = [moved(1), moved(2, **STEPS), stepped(1, 25)]
    assert shares(routing(chain(*events), nobody)) == {"champion": (1, 1)}
    assert shares(routing(chain(*events, stepped(1, 100)), nobody)) == {"champion": (2, 1)}


def test_a_challenger_takes_its_share_first_and_only_where_one_is_declared():
    events = chain(moved(1), moved(3, "challenger"), moved(2, **STEPS))
    assert shares(routing(events, PLAN)) == {"canary": (2, 0.05), "champion": (1, 0.95)}
    with_ab = routing(events, replace(PLAN, ab_share=0.2))
    assert shares(with_ab) == {
        "challenger": (3, 0.2), "canary": (2, 0.04), "champion": (1, 0.76),
    }  # fmt: skip


def test_a_challenger_that_became_the_champion_is_no_challenger():
    events = chain(moved(1), moved(2, "challenger"), moved(2))
    assert shares(routing(events, replace(PLAN, ab_share=0.5))) == {"champion": (2, 1)}


def test_a_shadow_is_scored_beside_and_answers_nobody():
    now = routing(chain(moved(1), moved(2, "shadow")), PLAN)
    assert now.shadow == Arm("shadow", 2, 1.0, 1)
    assert now.versions == {1, 2}
    assert [arm.name for arm in now.arms] == ["champion"]


def test_off_answers_with_the_declared_rule_and_says_why_until_it_is_on_again():
    plan = replace(PLAN, fallback=Fallback("income < 30", "bad", "good"))
    events = [moved(1), ("serving.off", {"reason": "wrong limits"})]
    now = routing(chain(*events), plan)
    assert now.off == Fallback("income < 30", "bad", "good", reason="wrong limits", since=1)
    assert shares(now) == {"champion": (1, 1)}
    assert not routing(chain(*events), PLAN).off.declared
    assert routing(chain(*events, ("serving.on", {})), plan).off is None


def test_a_rollout_knows_its_next_step():
    events = [moved(1), moved(2, **STEPS)]
    first = rollout(chain(*events))
    assert (first.version, first.settled, first.seq, first.following) == (2, 1, 1, 25)
    second = rollout(chain(*events, stepped(1, 25)))
    assert (second.share, second.since, second.following) == (0.25, 2, 100)
    assert rollout(chain(*events, stepped(1, 100))) is None


KEYS = [str(number).encode() for number in range(20_000)]


def test_shares_are_kept_and_who_has_the_canary_keeps_it_while_it_grows():
    plan = replace(PLAN, ab_share=0.2)
    events = [moved(1), moved(3, "challenger"), moved(2, **STEPS)]
    had: dict[str, set[bytes]] = {"canary": set(), "challenger": set()}
    for more in ([], [stepped(2, 25)]):
        now = routing(chain(*events, *more), plan)
        answered = {key: choose(now, key).name for key in KEYS}
        counted = Counter(answered.values())
        for arm in now.arms:
            assert counted[arm.name] / len(KEYS) == pytest.approx(arm.share, abs=0.01)
        has = {name: {key for key in KEYS if answered[key] == name} for name in had}
        assert all(had[name] <= has[name] for name in has)
        had = has


def test_another_rollout_draws_other_people():
    one = routing(chain(moved(1), moved(2, **STEPS)), PLAN)
    two = routing(chain(moved(1), moved(2, **STEPS), moved(1), moved(2, **STEPS)), PLAN)
    first, second = ({k for k in KEYS if choose(now, k).name == "canary"} for now in (one, two))
    assert len(first & second) < 0.2 * len(first)


def test_another_project_draws_other_people():
    events = chain(moved(1), moved(2, **STEPS))
    first, second = (
        {k for k in KEYS if choose(routing(events, plan), k).name == "canary"}
        for plan in (PLAN, replace(PLAN, project_id="another"))
    )
    assert len(first & second) < 0.2 * len(first)


def test_in_a_trial_one_version_answers_whatever_the_ledger_says():
    off = ("serving.off", {"reason": "a recall"})
    for events in ([], [moved(1), moved(2, **STEPS), moved(3, "shadow"), off]):
        now = routing(chain(*events), replace(PLAN, tried=7))
        assert shares(now) == {"champion": (7, 1)}
        assert (now.shadow, now.off) == (None, None)


def test_settled_is_who_has_the_rest_whatever_runs_beside_it():
    plan = replace(PLAN, ab_share=0.6)
    begun = [moved(1), moved(3, "challenger"), moved(2, **STEPS)]
    for events in (begun, [*begun, ("canary.stopped", {"rollout": 2})]):
        arm = settled(routing(chain(*events), plan))
        assert arm is not None
        assert (arm.name, arm.version) == ("champion", 1)
    after = settled(routing(chain(*begun, stepped(2, 100)), plan))
    assert after is not None
    assert after.version == 2
    assert settled(routing(chain(), plan)) is None

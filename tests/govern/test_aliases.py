from datetime import datetime

import pytest

from qua3ck.govern import alias_at, alias_history


@pytest.fixture
def ledger(workspace):
    moves = [("champion", 1, None), ("challenger", 2, None), ("champion", 2, 1)]
    for alias, version, before in [*moves, ("champion", None, 2)]:
        body = {"alias": alias, "version": version, "from": before, "reason": "why"}
        workspace.ledger.append("alias.moved", alias, body)
    return workspace.ledger


def _moment(entry):
    return datetime.fromisoformat(entry.at)


def test_who_was_champion_on_a_date(ledger):
    first, _, second, last = ledger.entries("alias.moved")
    assert alias_at(ledger, "champion", _moment(first)) == 1
    assert alias_at(ledger, "champion", _moment(second)) == 2
    assert alias_at(ledger, "champion", _moment(last)) is None
    assert alias_at(ledger, "champion", datetime.fromisoformat("2020-01-01T00:00:00Z")) is None
    assert alias_at(ledger, "champion") is None
    assert alias_at(ledger, "challenger") == 2
    assert alias_at(ledger, "shadow") is None


def test_a_moment_in_another_time_zone_is_the_same_moment(ledger):
    from datetime import timedelta, timezone

    first = _moment(ledger.entries("alias.moved")[0])
    assert alias_at(ledger, "champion", first.astimezone(timezone(timedelta(hours=-9)))) == 1
    with pytest.raises(ValueError, match="time zone"):
        alias_at(ledger, "champion", first.replace(tzinfo=None))


def test_the_history_names_actor_time_and_reason(ledger):
    moves = alias_history(ledger, "champion")
    assert [(move.version, move.came_from) for move in moves] == [(1, None), (2, 1), (None, 2)]
    assert {(move.actor, move.reason) for move in moves} == {("ana", "why")}
    assert len(alias_history(ledger)) == 4

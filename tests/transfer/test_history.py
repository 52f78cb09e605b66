from __future__ import annotations

from datetime import UTC, datetime

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.transfer import history
from qua3ck.understand.records import Pinned


def move(ledger, version, *, before=None, kind="promote", alias="champion"):
    body = {"alias": alias, "version": version, "from": before, "reason": "r", "kind": kind}
    ledger.append("alias.moved", alias, body)


def test_two_rollbacks_go_back_two_and_a_promotion_starts_from_there(lender):
    ledger = lender.workspace.ledger
    for version in (1, 2, 3):
        move(ledger, version)
    move(ledger, 9, alias="shadow")
    assert history.version_before(ledger, "champion") == 2
    move(ledger, 2, kind="rollback")
    assert history.version_before(ledger, "champion") == 1
    move(ledger, 4)
    assert history.version_before(ledger, "champion") == 2
    assert history.aliases_now(ledger) == {"champion": 4, "shadow": 9}


def test_an_alias_taken_away_points_nowhere_and_can_come_back(lender):
    ledger = lender.workspace.ledger
    move(ledger, 1)
    move(ledger, None, before=1)
    assert history.aliases_now(ledger) == {}
    assert history.version_before(ledger, "champion") == 1


def test_a_day_means_its_end_and_a_moment_keeps_its_zone():
    assert history.moment("2026-03-05", where="x") == datetime(
        2026, 3, 5, 23, 59, 59, 999999, tzinfo=UTC
    )
    assert history.moment("2026-03-05T14:00:00+02:00", where="x") == datetime(
        2026, 3, 5, 12, tzinfo=UTC
    )


@pytest.mark.parametrize("text", ["5/3/2026", "yesterday", "", "2026-13-01"])
def test_other_dates_are_refused(text):
    with pytest.raises(Qua3ckError, match="is not a date"):
        history.moment(text, where="--on")


def test_a_version_whose_canary_was_stopped_is_passed_over_on_the_way_back(lender):
    ledger = lender.workspace.ledger
    move(ledger, 1)
    for version in (2, 3):
        move(ledger, version)
        seq = ledger.entries("alias.moved")[-1].seq
        ledger.append("canary.stopped", "champion", {"rollout": seq, "why": "errors"})
    assert history.version_before(ledger, "champion") == 1
    move(ledger, 1, kind="rollback")
    assert history.version_before(ledger, "champion") is None
    move(ledger, 4)
    assert history.version_before(ledger, "champion") == 1


def test_what_a_version_rests_on_leaves_out_loads_that_were_undone(lender):
    ledger = lender.workspace.ledger
    for version, event, further in (
        (0, "source.loaded", {}),
        (1, "source.loaded", {}),
        (2, "table.restored", {"to": 0}),
        (4, "source.loaded", {}),
    ):
        ledger.append(event, "beds", {"table": "silver/beds", "version": version, **further})
    entries = ledger.entries()

    def behind(version):
        pinned = [Pinned("silver/beds", version, 1, "")]
        return [entry.body["version"] for entry in history.loads_behind(entries, pinned)]

    assert [behind(version) for version in range(5)] == [[0], [1], [0], [0], [4]]

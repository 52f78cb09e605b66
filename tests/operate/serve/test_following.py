from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.serve.following import Follower


def test_follows_moves_and_says_nothing_where_nothing_changed_for_serving(empty_shop, plan_of):
    follower = Follower(plan_of(empty_shop))
    first = follower.poll()
    assert first.arms == ()
    empty_shop.move(1)
    assert [arm.version for arm in follower.poll().arms] == [1]
    assert follower.poll() is None
    empty_shop.append("source.loaded", "rows", rows=1)
    assert follower.poll() is None
    empty_shop.append("serving.off", reason="wrong")
    assert follower.poll().off.reason == "wrong"
    assert follower.trusted


def test_a_version_is_known_from_the_verified_ledger_alone(shop, plan_of):
    follower = Follower(plan_of(shop))
    follower.poll()
    assert follower.released(2).path == "releases/2"
    with pytest.raises(Qua3ckError) as caught:
        follower.released(9)
    assert caught.value.code == "K005"


def test_tampering_keeps_the_last_good_routing_and_is_said(empty_shop, plan_of):
    empty_shop.move(1)
    follower = Follower(plan_of(empty_shop))
    good = follower.poll()
    chain = empty_shop.workspace.ledger.chain
    stored = chain.read_bytes()
    chain.write_bytes(stored.replace(b'"version":1}', b'"version":2}'))
    assert follower.poll() is None
    assert not follower.trusted
    assert follower.problem.code == "L006"
    assert follower.routing is good
    chain.write_bytes(stored)
    assert follower.poll() is None
    assert follower.trusted


def test_a_ledger_that_was_changed_before_the_start_serves_nobody(empty_shop, plan_of):
    empty_shop.move(1)
    chain = empty_shop.workspace.ledger.chain
    chain.write_bytes(chain.read_bytes().replace(b'"version":1}', b'"version":2}'))
    follower = Follower(plan_of(empty_shop))
    assert follower.poll() is None
    assert follower.routing is None
    assert not follower.trusted

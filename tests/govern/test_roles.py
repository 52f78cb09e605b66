import pytest

from qua3ck.govern.roles import MAY, ROLES, allowed, event_needs, require


def test_every_role_in_the_table_exists_and_the_owner_may_everything():
    assert set().union(*MAY.values()) <= set(ROLES)
    assert all("owner" in roles for roles in MAY.values())


def test_the_auditor_changes_nothing():
    assert not any(allowed(("auditor",), action) for action in MAY)


def test_whoever_builds_does_not_sign():
    for role in ("analyst", "ml_engineer", "data_engineer"):
        assert not allowed((role,), "approve")


@pytest.mark.parametrize("action", MAY)
def test_a_refusal_names_the_roles_that_may(action, refused):
    problem = refused(lambda: require("ben", ("auditor",), action), "G002")
    assert all(role in problem.what for role in MAY[action])
    require("ben", ("auditor", "owner"), action)


def test_an_event_that_is_not_listed_needs_the_right_to_run():
    assert event_needs("candidate.kept") == "run"
    assert event_needs("seal.opened") == "open the seal"
    assert event_needs("alias.moved") == "promote"

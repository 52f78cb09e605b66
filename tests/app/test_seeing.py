from __future__ import annotations

import pytest

from qua3ck.app import seeing
from qua3ck.govern.roles import MAY, ROLES


def test_whoever_has_no_role_sees_what_is_decided_and_why_and_nothing_behind_it():
    assert seeing.pages_for(()) == ("decide", "evidence")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_the_pages_in_one_order(role):
    seen = seeing.pages_for([role])
    assert list(seen) == [page for page in seeing.PAGES if page in seen]
    assert set(seen) >= {"decide", "evidence", "releases"}


def test_the_auditor_sees_everything_and_may_sign_nothing():
    assert seeing.pages_for(["auditor"]) == seeing.PAGES
    assert not seeing.may_sign(["auditor"])


def test_only_who_may_approve_may_sign():
    for role in ROLES:
        assert seeing.may_sign([role]) == (role in MAY["approve"])


def test_an_unused_version_is_tried_by_who_works_on_it_or_signs_for_it():
    assert not seeing.may_try(())
    assert all(seeing.may_try([role]) for role in ROLES)


def test_roles_that_do_not_exist_open_nothing():
    assert seeing.pages_for(["admin", "root"]) == ("decide", "evidence")

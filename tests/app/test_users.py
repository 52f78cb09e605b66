from __future__ import annotations

import json
import os
import stat

import pytest

from qua3ck.app.users import (
    LEAST,
    add_user,
    password_fits,
    read_users,
    remove_user,
    user_of_address,
)
from qua3ck.kit.errors import Qua3ckError

GOOD = "nine blue bicycles"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app" / "users.json"


def test_nobody_may_sign_in_before_somebody_was_added(path):
    assert read_users(path) == {}
    assert not password_fits({}, "rosa", GOOD)


def test_a_password_fits_only_its_user(path):
    add_user(path, "rosa", password=GOOD)
    add_user(path, "emil", password="another long sentence")
    users = read_users(path)
    assert password_fits(users, "rosa", GOOD)
    assert not password_fits(users, "emil", GOOD)
    assert not password_fits(users, "rosa", GOOD + " ")
    assert not password_fits(users, "nobody", GOOD)


def test_whoever_has_only_an_address_has_no_password_that_fits(path):
    add_user(path, "rosa", email="Rosa@Bank.example")
    users = read_users(path)
    assert not password_fits(users, "rosa", "")
    assert user_of_address(users, " rosa@bank.EXAMPLE ").name == "rosa"
    assert user_of_address(users, "") is None


def test_the_file_holds_no_password_and_is_for_its_owner_alone(path):
    add_user(path, "rosa", password=GOOD)
    assert GOOD not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = json.loads(path.read_text())[0]["hash"]
    add_user(path, "rosa", password=GOOD)
    assert json.loads(path.read_text())[0]["hash"] != first, "each time another salt"


@pytest.mark.parametrize(
    ("password", "email", "says"),
    [("", "", "neither a password nor"), ("x" * (LEAST - 1), "", f"at least {LEAST}")],
)
def test_a_weak_start_is_refused(path, password, email, says):
    with pytest.raises(Qua3ckError, match=says) as caught:
        add_user(path, "rosa", password=password, email=email)
    assert caught.value.code == "V002"
    assert not path.exists()


def test_who_is_removed_is_gone_and_the_others_stay(path):
    add_user(path, "rosa", password=GOOD)
    add_user(path, "emil", password=GOOD)
    remove_user(path, "rosa")
    assert set(read_users(path)) == {"emil"}
    with pytest.raises(Qua3ckError, match='"rosa" is no user') as caught:
        remove_user(path, "rosa")
    assert (caught.value.code, "emil" in caught.value.where) == ("V002", True)


@pytest.mark.skipif(os.name != "posix", reason="modes of files as POSIX has them")
def test_a_file_that_others_may_read_is_not_used(path):
    add_user(path, "rosa", password=GOOD)
    path.chmod(0o644)
    with pytest.raises(Qua3ckError, match="Others on this machine") as caught:
        read_users(path)
    assert (caught.value.code, caught.value.fix) == ("V003", f"chmod 600 {path}")


@pytest.mark.parametrize("text", ["{", "[1]", '[{"name": "a", "role": "owner"}]'])
def test_a_damaged_file_lets_nobody_in(path, text):
    path.parent.mkdir()
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Qua3ckError, match="damaged") as caught:
        read_users(path)
    assert caught.value.code == "V003"

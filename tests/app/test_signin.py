from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qua3ck.app import entry, signin
from qua3ck.app.signin import COOKIE, LASTS, Doorkeeper
from qua3ck.app.users import add_user, remove_user

PAGE = Path(entry.__file__).with_name("page.py")
GOOD = "nine blue bicycles"
SECRET = "secret"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def door(clock):
    return Doorkeeper(clock)


def test_a_visit_is_known_by_a_name_that_cannot_be_guessed(door):
    one, other = door.admit("rosa"), door.admit("rosa")
    assert one != other
    assert len(one) >= 40
    assert door.known(one) == "rosa"
    assert door.known("") is None


def test_a_visit_ends_by_itself_and_by_leaving(door, clock):
    one, other = door.admit("rosa"), door.admit("emil")
    door.leave(one)
    assert (door.known(one), door.known(other)) == (None, "emil")
    clock.now += LASTS + 1
    assert door.known(other) is None


def test_guessing_is_slowed_down_for_one_name_alone(door, clock):
    for _ in range(5):
        assert door.wait("rosa") == 0
        door.wrong("rosa")
    assert door.wait("rosa") > 0
    assert door.wait("emil") == 0
    clock.now += 61
    assert door.wait("rosa") == 0


def test_names_that_are_typed_once_are_not_kept_for_ever(door, clock):
    for number in range(5000):
        door.wrong(f"nobody-{number}")
    assert len(door._wrong) <= 1000
    clock.now += 61
    door.wrong("rosa")
    assert len(door._wrong) == 1


def test_many_names_do_not_let_somebody_guess_on_at_one(door):
    for _ in range(5):
        door.wrong("rosa")
    for number in range(5000):
        door.wrong(f"nobody-{number}")
    assert door.wait("rosa") > 0


def test_the_right_password_forgets_the_wrong_ones(door):
    for _ in range(4):
        door.wrong("rosa")
    door.right("rosa")
    door.wrong("rosa")
    assert door.wait("rosa") == 0


@pytest.fixture
def opened(made, monkeypatch, tmp_path):
    """Return a function that opens the view as a browser would, with these users."""
    monkeypatch.setenv("QUA3CK_KEYS", str(made.keys))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    monkeypatch.setattr(signin, "KEEPER", Doorkeeper())

    def open_(users=None, token=SECRET):
        path = tmp_path / "users.json"
        for name, password in (users or {}).items():
            add_user(path, name, password=password)
        told = {"root": str(made.root), "actor": "ana", "users": str(path), "token": token}
        monkeypatch.setenv("QUA3CK_APP", json.dumps(told))
        return AppTest.from_file(str(PAGE), default_timeout=120)

    return open_


def words(at):
    return "\n".join(html.proto.body for html in at.get("html"))


def test_without_the_link_nothing_of_the_project_is_shown(opened):
    at = opened().run()
    assert not at.exception
    assert "Open the link that was printed" in words(at)
    assert "building permits" not in words(at)
    assert not at.sidebar.selectbox


@pytest.mark.parametrize("token", ["", "secre", "secret "])
def test_a_wrong_link_is_no_link(opened, token):
    at = opened()
    at.query_params["token"] = token
    at.run()
    assert "building permits" not in words(at)


def test_no_secret_is_not_the_empty_secret(opened):
    at = opened(token="")
    at.query_params["token"] = ""
    at.run()
    assert "building permits" not in words(at)


def test_the_link_lets_in_whoever_started_it_and_the_visit_is_kept(opened):
    at = opened()
    at.query_params["token"] = SECRET
    at.run()
    assert not at.exception
    assert "building permits" in words(at)
    assert "On this machine as ana" in words(at)
    assert signin.KEEPER.known(at.session_state[COOKIE]) == "ana"
    assert "SameSite=Strict" in words(at)


def test_a_user_signs_in_with_the_roles_the_ledger_has_and_out_again(opened):
    at = opened({"dora": GOOD}).run()
    assert "building permits" not in words(at)
    at.text_input[0].input("Dora ")
    at.text_input[1].input(GOOD)
    at.button[0].click().run()
    assert not at.exception
    assert "Signed in as dora" in words(at)
    assert "Roles: audit" in words(at)
    assert not at.text_input, "the form is gone"
    next(button for button in at.sidebar.button if button.label == "Sign out").click().run()
    assert "building permits" not in words(at)


def test_who_is_removed_is_out_at_the_next_click_even_if_it_was_the_last(
    opened, tmp_path, monkeypatch
):
    at = opened({"dora": GOOD}, token="").run()
    at.text_input[0].input("dora")
    at.text_input[1].input(GOOD)
    at.button[0].click().run()
    assert "Signed in as dora" in words(at)
    remove_user(tmp_path / "users.json", "dora")
    at.run()
    assert "building permits" not in words(at)


def test_a_wrong_password_tells_nothing_and_too_many_have_to_wait(opened):
    at = opened({"dora": GOOD}).run()
    for name in ("dora", "dora", "dora", "dora", "dora", "nobody"):
        at.text_input[0].input(name)
        at.text_input[1].input("wrong password 1")
        at.button[0].click().run()
        assert at.error[0].value == "Name and password do not belong together."
    at.text_input[0].input("dora")
    at.text_input[1].input(GOOD)
    at.button[0].click().run()
    assert "Too many attempts" in at.error[0].value


def test_the_link_is_no_way_round_the_password(opened):
    at = opened({"dora": GOOD})
    at.query_params["token"] = SECRET
    at.run()
    assert "building permits" not in words(at)
    assert "Sign in" in words(at)


class Account(dict):
    """What the sign-in service tells of somebody, as Streamlit hands it on."""

    is_logged_in = True


@pytest.mark.parametrize(
    ("account", "let_in"),
    [
        ({"email": "Dora@office.example", "email_verified": True}, True),
        ({"email": "dora@office.example", "email_verified": "true"}, True),
        ({"email": "dora@office.example", "email_verified": False}, False),
        ({"email": "dora@office.example", "email_verified": "false"}, False),
        ({"email": "dora@office.example", "email_verified": 1}, False),
        ({"email": "dora@office.example", "email_verified": None}, False),
        ({"email": "dora@office.example"}, False),
        ({"email": "eve@office.example", "email_verified": True}, False),
        ({}, False),
    ],
)
def test_a_sign_in_service_lets_in_who_is_on_the_list_and_nobody_else(
    opened, monkeypatch, tmp_path, account, let_in
):
    add_user(tmp_path / "users.json", "dora", email="dora@office.example")
    monkeypatch.setattr(signin, "_service", lambda: True)
    monkeypatch.setattr("streamlit.user", Account(account))
    at = opened().run()
    assert not at.exception
    assert ("building permits" in words(at)) is let_in
    assert ("is not on the list" in words(at)) is not let_in


def test_without_a_sign_in_service_there_is_no_button_for_one(opened):
    at = opened({"dora": GOOD}).run()
    assert [button.label for button in at.button] == ["Sign in"]


def test_a_project_file_that_cannot_be_read_is_told_in_three_parts(opened, desk, monkeypatch):
    at = opened()
    told = {"root": str(desk.root), "users": "", "token": SECRET}
    monkeypatch.setenv("QUA3CK_APP", json.dumps(told))
    file = desk.root / "qua3ck.yaml"
    file.write_text(file.read_text().replace("asks:", "aks:"))
    at.query_params["token"] = SECRET
    at.run()
    assert not at.exception
    assert "aks" in words(at)
    assert "What to do" in words(at)

from __future__ import annotations

import json
import socket
import sys

import pytest

from qua3ck.app import starting
from qua3ck.app.starting import ENVIRONMENT, Told, start, users_file
from qua3ck.app.users import add_user
from qua3ck.kit.errors import Qua3ckError


@pytest.fixture
def users(tmp_path):
    return tmp_path / "users.json"


@pytest.fixture
def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def option(started, name):
    return next(w.partition("=")[2] for w in started.command if w.startswith(f"--{name}="))


def test_it_listens_on_this_machine_alone_and_tells_nobody_of_its_use(tmp_path, users, port):
    started = start(tmp_path, users=users, port=port)
    assert started.command[:3] == (sys.executable, "-m", "streamlit")
    assert option(started, "server.address") == "127.0.0.1"
    assert option(started, "browser.gatherUsageStats") == "false"
    assert option(started, "client.showErrorDetails") == "none"


def test_while_nobody_signs_in_a_secret_lets_in_and_stands_in_no_process_list(
    tmp_path, users, port
):
    first = start(tmp_path, users=users, actor="ana", port=port)
    second = start(tmp_path, users=users, port=port)
    told = Told.from_environment(first.environment)
    assert (told.root, told.actor) == (str(tmp_path), "ana")
    assert len(told.token) >= 32
    assert told.token != Told.from_environment(second.environment).token
    assert first.url == f"http://127.0.0.1:{port}/?token={told.token}"
    assert not any(told.token in word for word in first.command)


def test_where_people_sign_in_there_is_no_secret_and_others_may_reach_it(tmp_path, users, port):
    add_user(users, "rosa", password="nine blue bicycles")
    started = start(tmp_path, users=users, host="0.0.0.0", port=port)  # noqa: S104
    assert json.loads(started.environment[ENVIRONMENT])["token"] == ""
    assert started.url == f"http://0.0.0.0:{port}/"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "office.example"])  # noqa: S104
def test_others_do_not_reach_it_while_nobody_signs_in(tmp_path, users, host):
    with pytest.raises(Qua3ckError, match="nobody has to sign in") as caught:
        start(tmp_path, users=users, host=host)
    assert caught.value.code == "V001"


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path, users):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Qua3ckError, match=f"Port {port}") as caught:
            start(tmp_path, users=users, port=port)
    assert caught.value.code == "V005"
    assert str(port + 1) in caught.value.fix


@pytest.mark.parametrize(("port", "other"), [(8501, 8502), (65535, 65534)])
def test_of_a_taken_port_one_that_exists_is_named(tmp_path, users, port, other, monkeypatch):
    def taken(*_: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(socket.socket, "bind", taken)
    with pytest.raises(Qua3ckError) as caught:
        start(tmp_path, users=users, port=port)
    assert caught.value.fix.endswith(f"--port {other}")


def test_port_0_takes_a_free_one(tmp_path, users):
    started = start(tmp_path, users=users, port=0)
    assert int(option(started, "server.port")) > 0


def test_without_the_extra_the_line_that_installs_it_is_told(tmp_path, users, monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    with pytest.raises(Qua3ckError) as caught:
        start(tmp_path, users=users, port=0)
    assert 'pip install "qua3ck[app]"' in caught.value.fix


def test_users_lie_beside_the_keys_and_never_in_the_project(tmp_path, monkeypatch):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    assert users_file("38747a20fd50648d") == tmp_path / "keys" / "app" / "38747a20fd50648d.json"


def test_the_page_that_is_run_is_in_the_package():
    assert starting._PAGE.is_file()
    assert starting._PAGE.with_name("__init__.py").is_file()

from __future__ import annotations

import io
import json

import pytest

from qua3ck.app.users import password_fits, read_users
from qua3ck.cli.main import main

FILE = """\
project: permits
question:
  asks: Which permits need a second visit?
  decides: The inspector.
  why_now: Visits are due.
  risks: A late visit.
  stop_if: [rows < 50]
  kpis: [{id: right, metric: accuracy, at_least: 0.6}]
  risk: {affects: nobody, domain: other, automated: false}
understand:
  sources:
    permits: {kind: csv, path: data/permits.csv}
  target: second
"""
GOOD = "nine blue bicycles"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "qua3ck.yaml").write_text(FILE)
    return tmp_path / "project"


@pytest.fixture
def users(tmp_path):
    return lambda: read_users(tmp_path / "keys" / "app" / "permits.json")


def type_in(monkeypatch, text, *words):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return main(["app", *map(str, words)])


def test_a_user_is_added_with_a_password_from_a_pipe_and_removed_again(
    project, users, monkeypatch, capsys
):
    assert type_in(monkeypatch, f"{GOOD}\n", project, "--add-user", "rosa") == 0
    assert password_fits(users(), "rosa", GOOD)
    said = capsys.readouterr().out
    assert GOOD not in said
    assert "next: qua3ck app" in said
    assert type_in(monkeypatch, "", project, "--remove-user", "rosa") == 0
    assert users() == {}


def test_an_address_asks_for_no_password(project, users, monkeypatch):
    assert type_in(monkeypatch, "", project, "--add-user", "emil", "--email", "e@x.example") == 0
    assert users()["emil"].email == "e@x.example"


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        ("short\n", ("--add-user", "rosa"), "V002"),
        ("", ("--add-user", "rosa"), "V002"),
        (f"{GOOD}\n", ("--add-user", "Rosa M"), "G005"),
        ("", ("--remove-user", "rosa"), "V002"),
        ("", ("--host", "0.0.0.0"), "V001"),  # noqa: S104
        ("", ("--port", "many"), "--port"),
        ("", ("--port", "99999"), "--port"),
        ("", ("--port", "-1"), "--port"),
    ],
)
def test_what_cannot_be_is_told_in_three_lines_and_nothing_starts(
    project, users, monkeypatch, capsys, text, words, says
):
    assert type_in(monkeypatch, text, project, *words) == 2
    told = capsys.readouterr().err
    assert says in told
    assert "where:" in told
    assert users() == {}


def test_the_same_facts_as_json(project, monkeypatch, capsys):
    monkeypatch.setattr("os.execve", lambda *_: None)
    assert type_in(monkeypatch, "", project, "--port", "0", "--json") == 0
    assert json.loads(capsys.readouterr().out)["url"].startswith("http://127.0.0.1:")

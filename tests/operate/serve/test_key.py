"""What ``qua3ck key add`` says to type next can be typed, and is answered."""

from __future__ import annotations

import json
import shlex
from typing import Any
from urllib.parse import urlsplit

import pytest
from asgi import Client, open_client
from small_shop import Shop, make_shop

from qua3ck.cli.main import main

OPERATE = "  serve: {port: 8099, host: 0.0.0.0, api_keys: true}\n"


@pytest.fixture
def guarded(tmp_path, keys, artefacts) -> Shop:
    """A project that asks for keys; version 1 is the champion."""
    shop = make_shop(tmp_path / "guarded", artefacts[:1], operate=OPERATE)
    shop.move(1)
    return shop


def added(shop: Shop, capsys, *words: str) -> tuple[str, list[str]]:
    """Return the key that was made, and the words of the line to type next."""
    assert main(["key", "add", "desk", str(shop.root), *words]) == 0
    said = capsys.readouterr().out.splitlines()
    key = next(line for line in said if line.startswith("key: ")).removeprefix("key: ")
    return key, shlex.split(said[-1].removeprefix("next: "))


def ask(client: Client, key: str, words: list[str]) -> Any:
    """Do what curl would do with these words."""
    headers, body, method = {}, None, ""
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value.replace("KEY", key)
            case "-d":
                body = next(rest).encode()
            case "-X":
                method = next(rest)
            case _:
                path = urlsplit(word).path
    return client.ask(path, body, method=method, headers=headers)


@pytest.mark.parametrize("scopes", [[], ["read"], ["operate"], ["operate", "predict"]])
def test_the_next_line_is_answered_for_a_key_of_every_scope(guarded, plan_of, capsys, scopes):
    words = [word for scope in scopes for word in ("--scope", scope)]
    key, line = added(guarded, capsys, *words)
    assert line[0] == "curl"
    assert any(word.startswith("http://127.0.0.1:8099/") for word in line)
    client = open_client(plan_of(guarded, keys_required=True))
    said = ask(client, key, line)
    assert said.status == 200, said.body
    if "predict" in (scopes or ["predict"]):
        assert said.json()["predictions"][0]["label"] in {"bad", "good"}


def test_a_server_that_runs_elsewhere_is_asked_there(guarded, capsys):
    state = guarded.root / "state" / "serve"
    state.mkdir(parents=True, exist_ok=True)
    (state / "running.json").write_text(json.dumps({"pid": 1, "url": "http://127.0.0.1:4711"}))
    _, line = added(guarded, capsys)
    assert any(word.startswith("http://127.0.0.1:4711/") for word in line)


def test_with_tls_the_line_asks_with_it(tmp_path, keys, artefacts, capsys):
    operate = "  serve: {host: scores.example, api_keys: true, tls: {cert: c.pem, key: k.pem}}\n"
    shop = make_shop(tmp_path / "tls", artefacts[:1], operate=operate)
    shop.move(1)
    _, line = added(shop, capsys)
    assert any(word.startswith("https://scores.example:8080/") for word in line)
    assert line[line.index("--cacert") + 1] == str(shop.root / "c.pem")


def test_before_a_version_is_promoted_there_is_nobody_to_ask(tmp_path, keys, artefacts, capsys):
    shop = make_shop(tmp_path / "early", artefacts[:1], operate=OPERATE)
    _, line = added(shop, capsys)
    assert line == ["qua3ck", "promote", "1", str(shop.root)]

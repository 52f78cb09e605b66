from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from qua3ck.kit.errors import Qua3ckError
from qua3ck.project.file import read_project_file
from qua3ck.understand.section import Source

HTTP = {"kind": "http", "url": "https://field.example/api"}
FILE = """\
project: stock
question:
  asks: Which districts run out?
  decides: The supply officer.
  why_now: Now.
  risks: Some.
  stop_if: [rows < 6]
  kpis: [{id: a, metric: accuracy, at_least: 0.8}]
understand:
  sources:
    stock:
      kind: http
      url: https://field.example/api
      auth: {user: ana, password: SECRET}
  target: stockout
"""


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (HTTP | {"auth": {"user": "a", "password": "geheim"}}, "write env:NAME"),
        (HTTP | {"auth": {"user": "a", "password": 1234}}, "write env:NAME"),
        (HTTP | {"auth": {"token": "geheim"}}, "write env:NAME"),
        (HTTP | {"auth": {}}, "either user"),
        (HTTP | {"auth": {"token": "env:A", "password": "env:B", "user": "u"}}, "either user"),
        (HTTP | {"auth": {"password": "env:B"}}, "needs user"),
        (HTTP | {"url": "https://a:geheim@field.example/"}, "url holds a secret"),
        (HTTP | {"url": "https://field.example/?token=geheim"}, "url holds a secret"),
        (HTTP | {"url": "https://field.example/?api_key=geheim"}, "url holds a secret"),
        (HTTP | {"headers": {"Authorization": "Bearer geheim"}}, "write Authorization: env:NAME"),
        (HTTP | {"headers": {"X-API-Key": "geheim"}}, "write X-API-Key: env:NAME"),
        (HTTP | {"parameters": {"key": "geheim"}}, "write key: env:NAME"),
        (HTTP | {"paging": {"style": "cursor", "parameter": "c"}}, "needs next"),
        (HTTP | {"paging": {"style": "page"}}, "needs parameter"),
        (HTTP | {"paging": {"style": "link", "size": 5}}, "together"),
        (HTTP | {"watermark": "changed"}, "needs key"),
        (HTTP | {"overlap": "two hours"}, "match"),
        (HTTP | {"table": "x"}, "takes no table"),
        ({"kind": "database", "url": "postgresql://u:geheim@h/d"}, "url holds a secret"),
        ({"kind": "database", "url": "mssql://h/d?odbc_connect=geheim"}, "url holds a secret"),
        ({"kind": "database", "url": "env:DB", "paging": {"style": "link"}}, "takes no paging"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_no_secret_shown(declared, says):
    with pytest.raises(ValidationError) as told:
        Source.model_validate_json(json.dumps(declared))
    messages = [detail["msg"] for detail in told.value.errors()]
    assert says in " ".join(messages)
    assert "geheim" not in " ".join(messages)


@pytest.mark.parametrize(
    "declared",
    [
        HTTP | {"auth": {"token": "env:A", "prefix": "ApiToken"}},
        HTTP | {"headers": {"Accept-Language": "fr", "X-API-Key": "env:KEY"}},
        HTTP | {"url": "https://field.example/api?dimension=dx:a;b&sort_key=x"},
        HTTP | {"parameters": {"after": "{since}", "page_key": "no"}},
        {"kind": "database", "url": "postgresql://reader@h/d", "table": "a"},
        {"kind": "database", "url": "sqlite:///stock.db", "table": "a"},
    ],
)
def test_what_can_be_meant_is_taken(declared):
    Source.model_validate_json(json.dumps(declared))


@pytest.mark.parametrize("secret", ["geheim-7", "12345678"])
def test_the_project_file_names_the_line_and_never_the_secret(tmp_path, secret):
    path = tmp_path / "qua3ck.yaml"
    path.write_text(FILE.replace("SECRET", secret))
    with pytest.raises(Qua3ckError) as told:
        read_project_file(path)
    assert secret not in str(told.value)
    assert "line 14" in told.value.where
    assert "env:NAME" in told.value.what

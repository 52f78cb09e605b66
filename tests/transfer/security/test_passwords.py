"""Every secret is put together here from parts, so that no scanner takes this file for one."""

from __future__ import annotations

import pytest

from qua3ck.transfer.security.passwords import passwords

A = "Ab1" * 20
SECRETS = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "AWS access key": "AKIA" + "ABCDEFGH12345678",
    "GitHub token": "ghp_" + A[:36],
    "GitLab token": "glpat-" + A[:20],
    "Slack token": "xoxb-" + A[:30],
    "Google API key": "AIza" + A[:35],
    "API key": "sk-" + "proj-" + A[:48],
    "Stripe key": "sk_live_" + A[:24],
    "Hugging Face token": "hf_" + A[:34],
    "PyPI token": "pypi-AgE" + A,
    "npm token": "npm_" + A[:36],
    "Databricks token": "dapi" + "0a" * 16,
    "Azure storage key": "AccountKey=" + A + A + "==",
    "web token (JWT)": "eyJ" + A[:20] + ".eyJ" + A[:20] + "." + A[:20],
    "age key": "AGE-SECRET-KEY-1" + "Q" * 58,
    "AWS secret key": "AWS_SECRET_ACCESS_KEY=" + "wJalr/UtnFEMI+K7MDENGbPxRfiCY0EXAMPLE12a",
    "password in a connection string": "Server=db.example;Database=d;Uid=ana;" + "Pwd=s3cret9;",
    "password in a URL": "postgresql://ana:" + "s3cret9" + "@db.example/data",
}


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_is_known_by_its_shape_and_named_by_kind_and_line(what):
    (left,) = passwords(f"first line\nx = {SECRETS[what]} # so\n")
    assert (left.what, left.line, left.sure) == (what, 2, True)
    assert SECRETS[what] not in repr(left)


def test_a_key_with_hyphens_and_digits_in_its_prefix_is_known():
    (left,) = passwords("sk-" + "ant-api03-" + "Ab1-" * 12 + "_x")
    assert (left.what, left.sure) == ("API key", True)


@pytest.mark.parametrize(
    "name", ["password", "passwort", "API_KEY", "secret", "db_password", "auth_token"]
)
def test_a_text_set_to_a_name_of_a_secret_is_only_likely(name):
    (left,) = passwords(f'{name} = "{"hunter2" * 2}"')
    assert not left.sure


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "--hash=sha256:" + "0a" * 32,
        'password = "env:DB_PASSWORD"',
        "token: '${TOKEN_OF_CI}'",
        "https://user:${PASSWORD}@server/x",
        "https://user:{password}@server/x",
        "https://user:<password>@server/x",
        "https://server:8080/path@2x.png",
        "mailto:ana@example.org",
        "sqlite:///mlflow.db",
        "the risk-of-a-long-word-with-many-hyphens-in-it-and-more",
        "task-0123456789abcdef0123456789abcdef01234567",
        'tokenizer = "tfidf-bigrams"',
        "password: str = ''",
        "Server=db.example;Database=d;Uid=ana;Pwd={password};",
        "connect(server=name, password=password)",
        "the sk-ant-colony-of-the-travelling-salesman",
        "AWS_SECRET_ACCESS_KEY=env:AWS_SECRET_ACCESS_KEY",
    ],
)
def test_what_only_looks_alike_is_left_in_peace(line):
    assert passwords(line) == ()

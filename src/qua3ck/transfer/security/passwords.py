"""Private keys, tokens and passwords that were left in a text; found by their shape.

What is found is named by its kind and line, never by its value.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SHAPES: dict[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "age key": re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]{40,}"),
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "AWS secret key": re.compile(
        r"(?i)aws_?secret_?access_?key[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
    ),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})"),
    "GitLab token": re.compile(r"\bglpat-[\w-]{20,}"),
    "Slack token": re.compile(r"\bxox[abeprs]-[\w-]{10,}"),
    "Google API key": re.compile(r"\bAIza[\w-]{35}"),
    "API key": re.compile(
        r"(?<![A-Za-z0-9_-])sk-(?:(?:[a-z]+-)*[A-Za-z0-9_]{32,}|ant-(?=[\w-]*\d)[\w-]{20,})"
    ),
    "Stripe key": re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{20,}"),
    "Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "PyPI token": re.compile(r"\bpypi-AgE[\w-]{50,}"),
    "npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "Databricks token": re.compile(r"\bdapi[0-9a-f]{32}"),
    "Azure storage key": re.compile(r"AccountKey=[A-Za-z0-9+/]{60,}={0,2}"),
    "web token (JWT)": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
}
_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@\"'<>]*:(?P<value>[^\s/@\"']+)@[^\s/@\"']")
_PLACES = r"(?:server|data source|driver|dsn|host|database|initial catalog|uid|user id)="
_CONNECTS = re.compile(rf"(?i)(?:^|[^A-Za-z]){_PLACES}[^;=]+;|;{_PLACES}")
_IN_CONNECTION = re.compile(r"(?i)(?:^|[;\s\"'])(?:pwd|password)=(?P<value>[^;\s\"'()\[\]]{4,})")
_SET = re.compile(
    r"(?i)(?:^|[^A-Za-z])(?:password|passwd|passwort|kennwort|pwd|secret|secret_key|api_?key|access_?key|auth_token"
    r"|access_token|token)[\"']?\s*(?:=|:)\s*(?P<quote>[\"'])(?P<value>[^\"'\s]{8,})(?P=quote)"
)
_STANDS_FOR = re.compile(r"^(?:env:|\$|%|\{|<|\[|\*|…|x{3,}|\.{3})|\}$", re.IGNORECASE)


class Left(NamedTuple):
    """One secret: its kind, its line (from 1), and whether its shape leaves no doubt."""

    what: str
    line: int
    sure: bool


def passwords(text: str) -> tuple[Left, ...]:
    """Return the secrets in a text, in the order of lines, each kind once per line."""
    found: dict[tuple[str, int], Left] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        for what, sure in _in_line(line):
            found.setdefault((what, number), Left(what, number, sure))
    return tuple(found.values())


def _in_line(line: str) -> list[tuple[str, bool]]:
    said = [(what, True) for what, shape in _SHAPES.items() if shape.search(line)]
    if any(not _STANDS_FOR.search(hit["value"]) for hit in _IN_URL.finditer(line)):
        said.append(("password in a URL", True))
    hits = _IN_CONNECTION.finditer(line) if _CONNECTS.search(line) else ()
    if any(not _STANDS_FOR.search(hit["value"]) for hit in hits):
        said.append(("password in a connection string", True))
    if any(not _STANDS_FOR.search(hit["value"]) for hit in _SET.finditer(line)):
        said.append(("password or token set to a text", False))
    return said

"""Secrets: they come from the environment, go into the request, and nowhere else.

No message quotes one, no log line carries one, and an answer that repeats one in its own
links is written down without it.
"""

from __future__ import annotations

import logging
import os
import re
import urllib.parse
from collections.abc import Mapping

from qua3ck.kit.errors import Qua3ckError

HIDDEN = "***"
_ENV = "env:"


def from_environment(value: str, *, place: str, env: Mapping[str, str] = os.environ) -> str:
    """Return what ``env:NAME`` stands for; any other text as it is.

    Parameters
    ----------
    value : str
        As declared.
    place : str
        Its place in the project file.
    env : mapping
        The environment.

    Raises
    ------
    Qua3ckError
        If the variable is not set or empty, or holds what cannot be sent. The message names
        the variable, never its content.
    """
    if not value.startswith(_ENV):
        return value
    name = value.removeprefix(_ENV)
    found = env.get(name, "").strip("\r\n")
    if not found:
        raise Qua3ckError(
            f"The environment variable {name} is not set",
            where=place,
            fix=f"set it in the shell that runs qua3ck: export {name}=...",
            code="U135",
        )
    if not found.isprintable():
        raise Qua3ckError(
            f"The environment variable {name} holds characters that cannot be sent",
            where=place,
            fix=f"set {name} again, without line breaks or control characters",
            code="U135",
        )
    return found


class Hidden(logging.Filter):
    """Takes query parameters that hold a secret out of URLs, answers and log lines.

    Parameters
    ----------
    parameters : mapping
        Name of a query parameter to the secret it carries.

    Notes
    -----
    Only ``name=secret`` is looked for, never the secret alone: a password such as "district"
    is also a word of the data.
    """

    def __init__(self, parameters: Mapping[str, str]) -> None:
        super().__init__()
        spelled = {
            (name, form)
            for name, secret in parameters.items()
            for form in (secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret),
                         urllib.parse.quote_plus(secret))
        }  # fmt: skip
        pairs = sorted((f"{name}={form}" for name, form in spelled), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, pairs))) if pairs else None
        self._names = frozenset(parameters)

    def in_text(self, text: str) -> str:
        """Return the text with the secrets taken out."""
        return self._pattern.sub(_without_value, text) if self._pattern else text

    def in_bytes(self, body: bytes) -> bytes:
        """Return the bytes with the secrets taken out; the same object if there are none."""
        if self._pattern is None:
            return body
        text = body.decode("utf-8", "surrogateescape")
        clean = self.in_text(text)
        return body if clean == text else clean.encode("utf-8", "surrogateescape")

    def in_url(self, url: str) -> str:
        """Return the URL without the parameters that hold a secret, whatever their value."""
        parts = urllib.parse.urlsplit(url)
        if not self._names or not parts.query:
            return url
        kept = [
            pair
            for pair in parts.query.split("&")
            if urllib.parse.unquote_plus(pair.split("=")[0]) not in self._names
        ]
        return urllib.parse.urlunsplit(parts._replace(query="&".join(kept)))

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the secrets out of a log record before any handler sees it."""
        if self._pattern is not None:
            record.msg = self.in_text(record.getMessage())
            record.args = ()
        return True


def _without_value(match: re.Match[str]) -> str:
    return match.group().split("=", 1)[0] + "=" + HIDDEN

"""Who may ask: API keys by their hash from the signed ledger, scopes, and rate limits.

A key is shown once, when it is made. The ledger has its hash, so that nobody adds a key
with an editor, and what was made or revoked by whom can be audited like every decision.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import os
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.ledger import Entry
from qua3ck.operate.records import ServePlan

Scope = Literal["predict", "read", "operate"]
SCOPES: tuple[Scope, ...] = ("predict", "read", "operate")
EVENTS = frozenset({"key.added", "key.revoked"})
_PREFIX = "q3"
_MOST_KEYS = 4096


@dataclass(frozen=True)
class ApiKey:
    """A key as the ledger has it: never the key itself.

    ``hash`` is the SHA-256 (hex) of 256 random bits, so nothing can be guessed from it.
    ``per_second`` limits the rate, 0 for no limit; ``place`` is its number among all keys.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    hash: str
    per_second: float
    place: int


@dataclass(frozen=True)
class Refusal:
    """Why a request is not let in; ``retry_after_s`` is 0 where waiting does not help."""

    status: int
    what: str
    where: str
    fix: str
    retry_after_s: float = 0.0


class Access:
    """Lets requests in, or says why not.

    Parameters
    ----------
    plan : ServePlan
        Its ``keys_required``; without it everybody is let in.
    now : callable, optional
        Seconds that only ever grow, and are the same for every process of the machine.
    """

    def __init__(self, plan: ServePlan, *, now: Callable[[], float] = time.monotonic) -> None:
        self._required = plan.keys_required
        self._now = now
        self._keys: dict[str, ApiKey] = {}
        self._buckets = _buckets(plan.state / "buckets") if plan.keys_required else None

    def use(self, entries: Iterable[Entry]) -> None:
        """Take over the keys that the ledger knows now."""
        self._keys = {key.id: key for key in api_keys(entries)}

    def allow(self, headers: Iterable[tuple[bytes, bytes]], scope: Scope) -> Refusal | None:
        """Return None if the request may pass.

        Parameters
        ----------
        headers : iterable of (name, value)
            As ASGI gives them, names in small letters. The key is sought in
            ``authorization: Bearer KEY`` and in ``x-api-key: KEY``.
        scope : {"predict", "read", "operate"}
            What is asked for.
        """
        if not self._required:
            return None
        given = _given(headers)
        if given is None:
            return Refusal(
                401,
                "No API key was given",
                "the header authorization",
                "send authorization: Bearer KEY; a key is made by: qua3ck key add NAME",
            )
        key = self._known(given)
        if key is None:
            return Refusal(
                401,
                "This API key is not known, or was revoked",
                "the header authorization",
                "check that the whole key was copied, or ask for a new one: qua3ck key add NAME",
            )
        if scope not in key.scopes:
            return Refusal(
                403,
                f'The key "{key.name}" may not {scope}; it may {", ".join(key.scopes)}',
                "the header authorization",
                f"use a key with this scope: qua3ck key add NAME --scope {scope}",
            )
        return self._in_time(key)

    def _known(self, given: str) -> ApiKey | None:
        prefix, _, rest = given.partition("_")
        ident, _, secret = rest.partition("_")
        key = self._keys.get(ident) if prefix == _PREFIX else None
        # an unknown id costs the same as a known one, so that ids cannot be told by the time
        wanted = key.hash if key is not None else "0" * 64
        same = hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), wanted)
        return key if same else None

    def _in_time(self, key: ApiKey) -> Refusal | None:
        """Hold a key to its rate: a bucket of one second's requests, refilled all the time.

        One cell per key, shared by all workers: the time at which the bucket will be full
        again. Two workers that write at once may let one request too many pass.
        """
        if not key.per_second or self._buckets is None or key.place >= _MOST_KEYS:
            return None
        now = self._now()
        full_at = max(self._buckets[key.place], now) + 1 / key.per_second
        wait = full_at - now - max(1.0, 1 / key.per_second)
        if wait <= 1e-9:
            self._buckets[key.place] = full_at
            return None
        return Refusal(
            429,
            f'The key "{key.name}" has sent more than {key.per_second:g} requests a second',
            "the header authorization",
            f"wait {wait:.2f} s, or ask for a higher rate",
            retry_after_s=wait,
        )


def new_key(name: str) -> tuple[str, str, str]:
    """Return a new key, its id and its hash; the key is to be shown once and forgotten.

    Parameters
    ----------
    name : str
        Who will use it; for the message of a mistake alone.
    """
    if not name or len(name) > 64 or not name.isprintable():
        raise Qua3ckError(
            f'"{name}" cannot be the name of a key',
            where="qua3ck key add NAME",
            fix="give a name of 1 to 64 letters that says who uses it, such as loan-desk",
            code="O005",
        )
    ident, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    return f"{_PREFIX}_{ident}_{secret}", ident, hashlib.sha256(secret.encode()).hexdigest()


def api_keys(entries: Iterable[Entry]) -> tuple[ApiKey, ...]:
    """Return the keys that were made and not revoked, oldest first."""
    made: dict[str, ApiKey] = {}
    place = 0
    for entry in entries:
        body = entry.body
        if entry.event == "key.added":
            made[str(body["id"])] = ApiKey(
                id=str(body["id"]),
                name=str(body["name"]),
                scopes=tuple(str(scope) for scope in body["scopes"]),
                hash=str(body["hash"]),
                per_second=float(body.get("per_second", 0)),
                place=place,
            )
            place += 1
        elif entry.event == "key.revoked":
            made.pop(str(body["id"]), None)
    return tuple(made.values())


def known_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes, each once; predict if there are none.

    Raises
    ------
    Qua3ckError
        If one does not exist (O006).
    """
    listed = tuple(dict.fromkeys(scopes)) or ("predict",)
    for scope in listed:
        if scope not in SCOPES:
            raise Qua3ckError(
                f'Unknown scope "{scope}"{did_you_mean(scope, SCOPES)}',
                where="qua3ck key add NAME --scope",
                fix=f"use one or more of: {', '.join(SCOPES)}",
                code="O006",
            )
    return listed


def _given(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip().decode("latin-1")
        if name == b"x-api-key":
            return value.strip().decode("latin-1")
    return None


def _buckets(path: Path) -> memoryview[float]:
    """Return one cell per key that all workers share; empty again with every start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(handle, _MOST_KEYS * 8)
        return memoryview(mmap.mmap(handle, _MOST_KEYS * 8)).cast("d")
    finally:
        os.close(handle)

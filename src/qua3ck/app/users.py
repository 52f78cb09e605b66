"""Who may sign in to the view: names with hashed passwords, kept with the keys, not the project.

A name is that of an enrolled person; roles are looked up in the signed ledger, never here. So
whoever edits this file gains no role, only an entry. The file has mode 0600.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import write_atomic

LEAST = 12
_COST = {"n": 2**15, "r": 8, "p": 1}
_MEMORY = 64 * 1024 * 1024


@dataclass(frozen=True)
class User:
    """One who may sign in; ``email`` is what a sign-in service tells, empty if none is used.

    ``salt`` and ``hash`` are hexadecimal; both are empty for whoever has no password here.
    """

    name: str
    salt: str = ""
    hash: str = ""
    email: str = ""


def read_users(path: Path) -> Mapping[str, User]:
    """Return who may sign in, by name; nobody if there is no such file.

    Raises
    ------
    Qua3ckError
        If it cannot be read, or others may read it (V003).
    """
    if not path.exists():
        return {}
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Qua3ckError(
            "Others on this machine may read the file of users",
            where=str(path),
            fix=f"chmod 600 {path}",
            code="V003",
        )
    try:
        listed = json.loads(path.read_bytes())
        return {one["name"]: User(**one) for one in listed}
    except (ValueError, TypeError, KeyError) as problem:
        raise Qua3ckError(
            "The file of users is damaged",
            where=str(path),
            fix="remove it and add the users again: qua3ck app --add-user NAME",
            code="V003",
        ) from problem


def add_user(path: Path, name: str, *, password: str = "", email: str = "") -> User:
    """Add a user, or give one a new password or address.

    Raises
    ------
    Qua3ckError
        If the password is too short, or there is neither a password nor an address (V002).
    """
    users = dict(read_users(path))
    if not password and not email:
        raise _refused("There is neither a password nor an e-mail address", name)
    if password and len(password) < LEAST:
        raise _refused(f"The password has {len(password)} characters; at least {LEAST}", name)
    user = replace(users.get(name, User(name)), email=email.strip().lower())
    if password:
        salt = secrets.token_bytes(16)
        user = replace(user, salt=salt.hex(), hash=_hashed(password, salt))
    _write(path, {**users, name: user})
    return user


def remove_user(path: Path, name: str) -> None:
    """Remove a user.

    Raises
    ------
    Qua3ckError
        If there is no such user (V002).
    """
    users = dict(read_users(path))
    if name not in users:
        listed = ", ".join(users) or "nobody yet"
        raise Qua3ckError(
            f'"{name}" is no user of the view',
            where=f"{path}: {listed}",
            fix="name one of these",
            code="V002",
        )
    del users[name]
    _write(path, users)


def password_fits(users: Mapping[str, User], name: str, password: str) -> bool:
    """Return whether the password is that of the user; as slow for a name that is not there."""
    user = users.get(name)
    known = user is not None and user.hash
    salt = bytes.fromhex(user.salt) if user is not None and known else b"\0" * 16
    found = _hashed(password, salt)
    return hmac.compare_digest(found, user.hash) if user is not None and known else False


def user_of_address(users: Mapping[str, User], email: str) -> User | None:
    """Return the user with this e-mail address, as a sign-in service told it."""
    asked = email.strip().lower()
    return next((user for user in users.values() if asked and user.email == asked), None)


def _hashed(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, maxmem=_MEMORY, **_COST).hex()


def _write(path: Path, users: Mapping[str, User]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = os.umask(0o077)
    try:
        write_atomic(path, json.dumps([asdict(one) for one in users.values()], indent=1).encode())
    finally:
        os.umask(before)


def _refused(what: str, name: str) -> Qua3ckError:
    return Qua3ckError(
        what,
        where=f"qua3ck app --add-user {name}",
        fix=f"use at least {LEAST} characters, best a sentence; or add --email ADDRESS",
        code="V002",
    )

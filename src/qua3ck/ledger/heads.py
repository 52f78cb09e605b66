"""The signed head: how many events there are and the hash of the last one.

A chain by itself does not notice that its last lines were cut or that all of it was
written anew; a signed head, and a copy of it elsewhere, does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qua3ck.kit.hashes import canonical_json
from qua3ck.kit.records import write_atomic
from qua3ck.store.keys import verify


@dataclass(frozen=True)
class Head:
    """``n`` events, the ``hash`` of the last one, signed by ``signer`` (Ed25519, hex)."""

    n: int
    hash: str
    at: str
    signer: str
    signature: str

    def as_bytes(self) -> bytes:
        """Return the head as it is stored: canonical JSON."""
        return canonical_json(vars(self))

    def signed_by(self, key: bytes | None) -> bool:
        """Return whether the signature was made with the private half of ``key``."""
        if key is None:
            return False
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        if signature.hex() != self.signature:
            return False
        return verify(key, signature, head_statement(self.n, self.hash, self.at, self.signer))


def head_statement(n: int, last_hash: str, at: str, signer: str) -> bytes:
    """Return the bytes that the signature of a head covers."""
    return canonical_json(
        {"what": "qua3ck ledger head", "n": n, "hash": last_hash, "at": at, "signer": signer}
    )


def sign_head(n: int, last_hash: str, at: str, signer: str, sign: Callable[[bytes], bytes]) -> Head:
    """Return the head of ``n`` events, signed."""
    signature = sign(head_statement(n, last_hash, at, signer)).hex()
    return Head(n, last_hash, at, signer, signature)


def read_head(path: Path) -> Head | None:
    """Return the head in a file; None if it is missing, out of reach, or not exactly one head."""
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    try:
        fields = json.loads(stored)
        head = Head(
            fields["n"], fields["hash"], fields["at"], fields["signer"], fields["signature"]
        )
        exact = head.as_bytes() == stored
    except (ValueError, TypeError, KeyError):
        return None
    texts = (head.hash, head.at, head.signer, head.signature)
    typed = type(head.n) is int and head.n > 0 and all(isinstance(text, str) for text in texts)
    return head if exact and typed else None


def write_head(head: Head, path: Path) -> None:
    """Write a head, whole or not at all, and make its name survive a power cut."""
    write_atomic(path, head.as_bytes())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut, where the system can (not on Windows)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems refuse to sync a folder; files are synced
            os.fsync(handle)
    finally:
        os.close(handle)

"""One event as one line: canonical JSON with the hash of everything before it, appended last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qua3ck.kit.hashes import canonical_json, decimals

FIRST_PREV = "0" * 64
_FIELDS = {"actor": str, "at": str, "body": dict, "event": str, "prev": str, "seq": int}
_FIELDS |= {"subject": str, "hash": str}
_NAMES, _TYPES = tuple(_FIELDS), tuple(_FIELDS.values())
_read = json.JSONDecoder().raw_decode
_SUFFIX = len(b',"hash":""}') + 64


@dataclass(frozen=True)
class Entry:
    """One event; ``seq`` counts from 0, ``at`` is UTC, ``body`` holds no float."""

    seq: int
    at: str
    actor: str
    event: str
    subject: str
    body: Mapping[str, Any]
    prev: str
    hash: str


def encode(
    *, seq: int, at: str, actor: str, event: str, subject: str, body: Mapping[str, Any], prev: str
) -> tuple[Entry, bytes]:
    """Return an event and its line, newline included."""
    plain = decimals(dict(body))
    rest = canonical_json(
        {
            "seq": seq,
            "at": at,
            "actor": actor,
            "event": event,
            "subject": subject,
            "body": plain,
            "prev": prev,
        }
    )
    own = hashlib.sha256(rest).hexdigest()
    entry = Entry(seq, at, actor, event, subject, plain, prev, own)
    return entry, rest[:-1] + f',"hash":"{own}"}}\n'.encode()


def decode(line: bytes) -> dict[str, Any] | None:
    """Return the fields of a line without its newline, or None if it is not such a line.

    The hash is recomputed over the stored bytes: None also for a line of which a byte
    was changed.
    """
    return read_fields(line) if expected_suffix(line) == line[-_SUFFIX:] else None


def read_fields(line: bytes) -> dict[str, Any] | None:
    """Return the fields of a line, its hash not looked at; None if it is not an event."""
    try:
        text = line.decode()
        fields, end = _read(text)  # not json.loads: it looks for an encoding and for blanks
    except (ValueError, RecursionError):
        return None
    if end != len(text) or type(fields) is not dict or tuple(fields) != _NAMES:
        return None
    return fields if tuple(map(type, fields.values())) == _TYPES else None


def expected_suffix(line: bytes) -> bytes:
    """Return how a line must end, given what stands before its end."""
    own = hashlib.sha256(line[:-_SUFFIX] + b"}").hexdigest()
    return b',"hash":"' + own.encode() + b'"}'

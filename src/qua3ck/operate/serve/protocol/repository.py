"""The model repository extension of protocol v2: what is in use, and to look at the ledger now.

Nothing is loaded but what the ledger promoted: a request to load says when, never what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from qua3ck.operate.serve.answers import Refused
from qua3ck.operate.serve.protocol.v2 import decode
from qua3ck.operate.serve.versions import Versions


class _Index(msgspec.Struct):
    """A request of ``/v2/repository/index``."""

    ready: bool = False


class _Load(msgspec.Struct):
    """A request of ``/v2/repository/models/NAME/load``."""

    parameters: Mapping[str, Any] | None = None


_INDEX, _LOAD = msgspec.json.Decoder(_Index), msgspec.json.Decoder(_Load)


def index(body: bytes, model: str, versions: Versions) -> list[dict[str, str]]:
    """Return the versions in use and those that cannot be, by their number.

    Raises
    ------
    Refused
        400 for a body that is no request of the extension.
    """
    asked = decode(body, _INDEX) if body else _Index()
    states = dict.fromkeys(versions.serving.versions, ("READY", ""))
    if not asked.ready:
        states |= {number: ("UNAVAILABLE", why) for number, why in versions.refused.items()}
    return [
        {"name": model, "version": str(number), "state": state, "reason": why}
        for number, (state, why) in sorted(states.items())
    ]


def check_load(body: bytes) -> None:
    """Refuse a request that says what to load: that stands in the ledger."""
    asked = decode(body, _LOAD) if body else _Load()
    if asked.parameters:
        raise Refused(
            400,
            "A model cannot be sent or configured here: the ledger says what is loaded",
            where="parameters",
            fix="leave parameters out; who answers is changed by: qua3ck promote VERSION",
        )

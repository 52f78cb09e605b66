"""K, transfer: an immutable version with its evidence, its way into use and back, its audit.

Everything is loaded on first use: the section of the project file costs nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.transfer.auditing import Audit, Verified, audit, verify
    from qua3ck.transfer.promotion import promote, rollback
    from qua3ck.transfer.records import Certificate, Promotion
    from qua3ck.transfer.registry import check_registry
    from qua3ck.transfer.release import make_release
    from qua3ck.transfer.reproduction import reproduce
    from qua3ck.transfer.section import Transfer

_HOMES = {
    "Audit": "auditing",
    "Certificate": "records",
    "Promotion": "records",
    "Transfer": "section",
    "Verified": "auditing",
    "audit": "auditing",
    "check_registry": "registry",
    "make_release": "release",
    "promote": "promotion",
    "reproduce": "reproduction",
    "rollback": "promotion",
    "verify": "auditing",
}

__all__ = [
    "Audit",
    "Certificate",
    "Promotion",
    "Transfer",
    "Verified",
    "audit",
    "check_registry",
    "make_release",
    "promote",
    "reproduce",
    "rollback",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load the module that holds ``name``; no module is called like a name listed here."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List what may be imported from here."""
    return list(__all__)

"""Operation: a promoted version answers requests, under control, and what it answered is kept.

Everything is loaded on first use: a process that serves must import nothing that it spares.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.operate.records import Arm, Fallback, Routing, ServePlan
    from qua3ck.operate.section import Operate
    from qua3ck.operate.serve.metrics import counted
    from qua3ck.operate.serve.routing import Rollout, rollout, routing

_HOMES = {
    "Arm": "records",
    "Fallback": "records",
    "Operate": "section",
    "Rollout": "serve.routing",
    "Routing": "records",
    "ServePlan": "records",
    "counted": "serve.metrics",
    "rollout": "serve.routing",
    "routing": "serve.routing",
}

__all__ = [
    "Arm",
    "Fallback",
    "Operate",
    "Rollout",
    "Routing",
    "ServePlan",
    "counted",
    "rollout",
    "routing",
]


def __getattr__(name: str) -> Any:
    """Load the module that holds ``name``."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List what may be imported from here."""
    return list(__all__)

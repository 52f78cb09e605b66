"""Online features: what training joined from declared tables, served by key at request time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.operate.features.reading import Features, Told
    from qua3ck.operate.features.stores import open_store
    from qua3ck.operate.features.writing import write_features

_FROM = {
    "Features": "reading",
    "Told": "reading",
    "open_store": "stores",
    "write_features": "writing",
}

__all__ = ["Features", "Told", "open_store", "write_features"]


def __getattr__(name: str) -> Any:
    """Load on first use: a serving process must not load what writes."""
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

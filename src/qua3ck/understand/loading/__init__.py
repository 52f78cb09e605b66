"""The act that ties sources, raw store, checks and warehouse together: one load, all or nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.understand.loading.load import load_source
    from qua3ck.understand.loading.past import silver
    from qua3ck.understand.loading.reading import identity_of, map_current, read_current
    from qua3ck.understand.loading.sources import (
        as_facts,
        in_order,
        known_sources,
        load_one,
        load_sources,
        up_to_date,
    )
    from qua3ck.understand.loading.task import Load

_FROM = {
    "Load": "task",
    "as_facts": "sources",
    "identity_of": "reading",
    "in_order": "sources",
    "known_sources": "sources",
    "load_one": "sources",
    "load_source": "load",
    "load_sources": "sources",
    "map_current": "reading",
    "read_current": "reading",
    "silver": "past",
    "up_to_date": "sources",
}

__all__ = [
    "Load",
    "as_facts",
    "identity_of",
    "in_order",
    "known_sources",
    "load_one",
    "load_source",
    "load_sources",
    "map_current",
    "read_current",
    "silver",
    "up_to_date",
]


def __getattr__(name: str) -> Any:
    """Load on first use."""
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

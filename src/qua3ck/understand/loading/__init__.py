"""The act that ties sources, raw store, checks and warehouse together: one load, all or nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.understand.loading.load import load_source
    from qua3ck.understand.loading.past import silver
    from qua3ck.understand.loading.reading import read_current, version_known
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
    "in_order": "sources",
    "known_sources": "sources",
    "load_one": "sources",
    "load_source": "load",
    "load_sources": "sources",
    "read_current": "reading",
    "silver": "past",
    "up_to_date": "sources",
    "version_known": "reading",
}

__all__ = [
    "Load",
    "as_facts",
    "in_order",
    "known_sources",
    "load_one",
    "load_source",
    "load_sources",
    "read_current",
    "silver",
    "up_to_date",
    "version_known",
]


def __getattr__(name: str) -> Any:
    """Load on first use."""
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""U: a pinned, hashed snapshot of the data; its training rows in the open, its test rows sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qua3ck.understand.records import Column, Pinned, Snapshot, Split
from qua3ck.understand.section import Source, Understand

if TYPE_CHECKING:
    from qua3ck.understand.profiling import profile
    from qua3ck.understand.snapshot import (
        Opened,
        open_seal,
        reread_seal,
        take_snapshot,
        training_rows,
    )

__all__ = [
    "Column",
    "Opened",
    "Pinned",
    "Snapshot",
    "Source",
    "Split",
    "Understand",
    "open_seal",
    "profile",
    "reread_seal",
    "take_snapshot",
    "training_rows",
]

_LATER = {"Opened", "open_seal", "reread_seal", "take_snapshot", "training_rows"}


def __getattr__(name: str) -> Any:
    """Load the heavier half on first use."""
    if name == "profile":
        from qua3ck.understand.profiling import profile

        return profile
    if name in _LATER:
        from qua3ck.understand import snapshot

        return getattr(snapshot, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

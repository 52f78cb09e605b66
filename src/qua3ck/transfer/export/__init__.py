"""Hand-over: a project as files for the places where others run things, with what was not tried."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.transfer.export.kinds import KINDS
    from qua3ck.transfer.export.records import Exported, Kind
    from qua3ck.transfer.export.writing import export

_FROM = {"Exported": "records", "KINDS": "kinds", "Kind": "records", "export": "writing"}

__all__ = ["KINDS", "Exported", "Kind", "export"]


def __getattr__(name: str) -> Any:
    """Load on first use."""
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

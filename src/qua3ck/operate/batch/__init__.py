"""Batch prediction: a whole table through a promoted version, with where each answer came from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.operate.batch.act import predict
    from qua3ck.operate.batch.records import Asked, Predicted

_FROM = {"Asked": "records", "Predicted": "records", "predict": "act"}

__all__ = ["Asked", "Predicted", "predict"]


def __getattr__(name: str) -> Any:
    """Load on first use."""
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

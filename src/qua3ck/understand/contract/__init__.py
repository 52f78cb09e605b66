"""What was agreed about a table, and whether the rows that came keep to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.understand.contract.check import Checked, check_rows, check_table
    from qua3ck.understand.contract.odcs import Contract, column_types, read_contract

__all__ = [
    "Checked",
    "Contract",
    "check_rows",
    "check_table",
    "column_types",
    "read_contract",
]

_FROM = {
    "Checked": "check",
    "check_rows": "check",
    "check_table": "check",
    "Contract": "odcs",
    "column_types": "odcs",
    "read_contract": "odcs",
}


def __getattr__(name: str) -> Any:
    """Load on first use."""
    from importlib import import_module

    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""A³: the loop over algorithms, features and hyperparameters; ends with what would ship."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.a3.loop import Refitted, Rivals, hold_stop_rules, refit, rivals, run_loop
    from qua3ck.a3.records import Candidate, Influence, Score, Trial
    from qua3ck.a3.section import A3, Budget

_HOME = {
    "A3": "section",
    "Budget": "section",
    "Candidate": "records",
    "Influence": "records",
    "Refitted": "loop",
    "Rivals": "loop",
    "Score": "records",
    "Trial": "records",
    "hold_stop_rules": "loop",
    "refit": "loop",
    "rivals": "loop",
    "run_loop": "loop",
}

__all__ = [
    "A3",
    "Budget",
    "Candidate",
    "Influence",
    "Refitted",
    "Rivals",
    "Score",
    "Trial",
    "hold_stop_rules",
    "refit",
    "rivals",
    "run_loop",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that a record does not cost the libraries of training."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found

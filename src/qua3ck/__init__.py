"""Put a number into use, and be able to prove at any time why it is right and that it still is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.project import Project

__version__ = "0.1.0"
__all__ = ["Project", "__version__", "open"]


def __getattr__(name: str) -> Any:
    """Load the Python API on first use, so that ``import qua3ck`` stays light."""
    if name in {"Project", "open"}:
        from qua3ck import project

        return project.Project if name == "Project" else project.open_project
    raise AttributeError(f"module 'qua3ck' has no attribute {name!r}")

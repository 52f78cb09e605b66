"""Packages that only some projects need: a missing one says what to install, and for what."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from qua3ck.kit.errors import Qua3ckError


def need(module: str, *, extra: str, what: str) -> ModuleType:
    """Import a module of an extra.

    Parameters
    ----------
    module : str
        Its dotted name.
    extra : str
        The extra of ``pyproject.toml`` that brings it.
    what : str
        What it is needed for, such as ``reading Excel files``.

    Raises
    ------
    Qua3ckError
        If it is not installed; the cure is the line that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as problem:
        if problem.name is None or not module.startswith(problem.name):
            raise  # it is there, but something that it needs is not: not what we can name
        raise Qua3ckError(
            f"{what[:1].upper()}{what[1:]} needs a package that is not installed: {problem.name}",
            where=f"the extra {extra}",
            fix=f'python -m pip install "qua3ck[{extra}]"',
        ) from None

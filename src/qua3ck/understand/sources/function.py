"""A function of the project as a source: for tables that come with a package or an API."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.understand.section import Source
from qua3ck.understand.usercode import as_table, call, find_function

if TYPE_CHECKING:
    import pyarrow as pa


def call_source(name: str, source: Source, root: Path, *, place: str) -> pa.Table:
    """Return what the declared function returns; it is given the source's name if it asks.

    Raises
    ------
    Qua3ckError
        If there is no such function, it raises, or it returns no table.
    """
    dotted = source.function or ""
    function = find_function(dotted, root, place=f"{place}.function")
    arguments = (name,) if _wants_an_argument(function) else ()
    result = call(function, arguments, dotted=dotted, root=root, place=f"{place}.function")
    return as_table(result, dotted=dotted, place=f"{place}.function")


def _wants_an_argument(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a built-in without a signature
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(p.kind in positional and p.default is inspect.Parameter.empty for p in parameters)

"""The project's own functions: found by dotted name, called, and their mistakes told plainly.

A mistake in a user's function is never shown as a traceback, and never with the text of the
exception: that text often quotes a cell. Function, kind of exception, file and line are said.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.hashes import file_digest, tree_digest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_NOT_THE_USERS = {"site-packages", ".venv", "venv"}
_READ: dict[str, tuple[Path, str]] = {}  # module to its file and what that held when imported


def find_function(dotted: str, root: Path, *, place: str) -> Callable[..., Any]:
    """Return the function ``module.name``, looked for in the project folder first.

    Raises
    ------
    Qua3ckError
        If the module or the function does not exist, or the module cannot be imported.
    """
    module_name, _, name = dotted.rpartition(".")
    if not module_name:
        raise Qua3ckError(
            f'"{dotted}" names no module',
            where=place,
            fix=f"write file and function, such as: features.{dotted}",
            code="U104",
        )
    module = _import(module_name, dotted, root, place)
    found = getattr(module, name, None)
    if not callable(found):
        own = [key for key, value in vars(module).items() if callable(value)]
        raise Qua3ckError(
            f'There is no function "{name}" in {module_name}{did_you_mean(name, own)}',
            where=place,
            fix=f"write def {name}(...) in {module_name.replace('.', '/')}.py, or correct the name",
            code="U104",
        )
    return found  # type: ignore[no-any-return]  # getattr knows no type


def call(
    function: Callable[..., Any], arguments: Sequence[Any], *, dotted: str, root: Path, place: str
) -> Any:
    """Return ``function(*arguments)``.

    Raises
    ------
    Qua3ckError
        If it raises: names function, kind of exception and the line in the user's file.
    """
    try:
        return function(*arguments)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever a user's code raises
        raise _told(problem, dotted, root, place) from None


def as_table(result: Any, *, dotted: str, place: str) -> pa.Table:
    """Return what a function returned as an Arrow table; a named index becomes columns.

    Raises
    ------
    Qua3ckError
        If it is not a table, or a column holds values of several kinds.
    """
    import pandas as pd
    import pyarrow as pa

    if isinstance(result, pd.DataFrame):
        return _from_pandas(result, dotted, place)
    if isinstance(result, pa.Table):
        return result
    if hasattr(result, "__arrow_c_stream__") and not isinstance(result, pd.Series):
        try:
            return pa.table(result)
        except (pa.ArrowException, TypeError, ValueError):
            pass  # a stream that is not a table, such as one column: said below
    raise Qua3ckError(
        f"{dotted} returned {_kind(result)}, not a table",
        where=place,
        fix="return a pandas, polars or pyarrow table (anything with __arrow_c_stream__)",
        code="U105",
    )


def code_digest(root: Path) -> str:
    """Return one SHA-256 (hex) over the project's own modules that have been imported."""
    files = {
        Path(file).resolve()
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None))
    }
    own = sorted(file for file in files if _is_the_users(file, root) and file.is_file())
    return tree_digest(own, root=root)


def _import(module_name: str, dotted: str, root: Path, place: str) -> Any:
    _look_here_first(root)
    _forget_namesake(module_name, root)
    writes = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # a cache of the same second and size would hide an edit
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as problem:
        if problem.name is None or not module_name.startswith(problem.name):
            raise Qua3ckError(
                f"{module_name} imports {problem.name}, which is not installed",
                where=place,
                fix=f"install {problem.name} in this environment, or do not import it",
                code="U106",
            ) from None
        own = [file.stem for file in root.glob("*.py")]
        raise Qua3ckError(
            f'There is no module "{module_name}" beside the project file'
            f"{did_you_mean(module_name, own)}",
            where=place,
            fix=f"write the function in {module_name.replace('.', '/')}.py, "
            f"or correct the name {dotted}",
            code="U104",
        ) from None
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever a user's module raises
        raise _told(problem, dotted, root, place) from None
    finally:
        sys.dont_write_bytecode = writes
    _note_files(root)
    return module


def _look_here_first(root: Path) -> None:
    """Let this project's modules be found, not another's of that name, and as they are now."""
    place = str(root)
    if sys.path[:1] != [place]:
        sys.path[:] = [place, *(entry for entry in sys.path if entry != place)]
    kept = all(
        file.is_relative_to(root) and file.is_file() and file_digest(file) == content
        for file, content in _READ.values()
    )
    if not kept:  # all of them: one may have taken values from another
        for name in _READ:
            sys.modules.pop(name, None)
        _READ.clear()
    importlib.invalidate_caches()


def _forget_namesake(module_name: str, root: Path) -> None:
    """Drop a module of that name that somebody else imported from another place."""
    here = root.joinpath(*module_name.split(".")).with_suffix(".py")
    loaded = getattr(sys.modules.get(module_name), "__file__", None)
    if here.is_file() and loaded and Path(loaded).resolve() != here.resolve():
        sys.modules.pop(module_name, None)
        _READ.pop(module_name, None)


def _note_files(root: Path) -> None:
    """Remember which modules came from this project, and what they held."""
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or ".")
        if name not in _READ and file == root.joinpath(*name.split(".")).with_suffix(".py"):
            _READ[name] = (file, file_digest(file))


def _told(problem: BaseException, dotted: str, root: Path, place: str) -> Qua3ckError:
    if isinstance(problem, Qua3ckError):
        return problem
    return Qua3ckError(
        f"{dotted} raised {type(problem).__name__}{_line(problem, root)}",
        where=place,
        fix="correct the function; its message is not shown because it may quote a row",
        code="U106",
    )


def _line(problem: BaseException, root: Path) -> str:
    if isinstance(problem, SyntaxError) and problem.filename:
        return f" in {Path(problem.filename).name}, line {problem.lineno}"
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if _is_the_users(Path(frame.filename), root)]
    if not own:
        return ""
    name = Path(own[-1].filename).resolve().relative_to(root.resolve()).as_posix()
    return f" in {name}, line {own[-1].lineno}"


def _is_the_users(file: Path, root: Path) -> bool:
    file, root = file.resolve(), root.resolve()
    if not file.is_relative_to(root):
        return False
    return not _NOT_THE_USERS.intersection(file.relative_to(root).parts)


def _from_pandas(frame: pd.DataFrame, dotted: str, place: str) -> pa.Table:
    import pyarrow as pa

    named = [name for name in frame.index.names if name is not None]
    extra = [name for name in named if name not in frame.columns]
    frame = frame.reset_index(level=extra) if extra else frame
    names = [str(name) for name in frame.columns]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise Qua3ckError(
            f'{dotted} returned two columns called "{twins[0]}"',
            where=place,
            fix="rename or drop one of them before returning the table",
            code="U105",
        )
    arrays = []
    for position, name in enumerate(names):
        try:
            arrays.append(pa.array(frame.iloc[:, position], from_pandas=True))
        except (pa.ArrowException, TypeError, ValueError):
            raise Qua3ckError(
                f'{dotted} returned the column "{name}" with values of several kinds',
                where=place,
                fix=f'give it one kind, such as: table["{name}"].astype("string")',
                code="U105",
            ) from None
    return pa.table(arrays, names=names)


def _kind(result: Any) -> str:
    return "nothing" if result is None else f"an object of type {type(result).__name__}"

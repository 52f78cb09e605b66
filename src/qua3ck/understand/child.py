"""Running the child process that sees test rows, and hearing what it has to say."""

from __future__ import annotations

import json
import os
import signal
import subprocess  # our own module in a fresh interpreter, no shell
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qua3ck.kit.child import hand_over
from qua3ck.kit.errors import Blocked, Qua3ckError

if TYPE_CHECKING:
    from qua3ck.govern import Workspace

Tell = Callable[[str, float | None], None]
_WORKER = "qua3ck.understand.worker"


def run_child(
    what: str,
    job: Mapping[str, Any],
    workspace: Workspace,
    *,
    further: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Return what the worker found.

    Parameters
    ----------
    what : {"load", "tables", "take", "run changed", "run same"}
        The work.
    job : mapping
        JSON-able facts of :class:`qua3ck.understand.taking.Job`.
    further : mapping, optional
        For a load: which sources, and what is accepted. For the second runs: pinned sources,
        and where test rows come from.
    tell : callable, optional
        Called with a few words when a step begins, and the share of it that is done.

    Raises
    ------
    Qua3ckError
        What the worker raised; or that it was ended from outside.
    """
    order = {"do": what, "job": job, "further": further}
    # -P keeps the current folder off the path; the project folder is put there by the worker.
    # A fixed hash seed makes a function that walks through a set give the same rows each time.
    surroundings = os.environ | {
        "QUA3CK_KEYS": str(workspace.keys.folder),
        "PYTHONHASHSEED": "0",
    }
    with subprocess.Popen(  # noqa: S603 - our own module, nothing from the user in the command
        [sys.executable, "-P", "-m", _WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=surroundings,
    ) as process:
        try:
            return _listen(process, order, tell or _nothing)
        except BaseException:
            process.kill()
            raise


def _listen(
    process: subprocess.Popen[bytes], order: Mapping[str, Any], tell: Tell
) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    hand_over(process, order)
    for line in process.stdout:
        said = json.loads(line)
        if "progress" in said:
            tell(said["progress"], said["share"])
        elif "error" in said:
            raise _error(said["error"])
        else:
            result: dict[str, Any] = said["result"]
            process.wait()
            return result
    raise _ended(process.wait())


def _nothing(text: str, share: float | None) -> None:
    del text, share


def _error(said: Mapping[str, Any]) -> Qua3ckError:
    kind = Blocked if said["blocked"] else Qua3ckError
    return kind(said["what"], where=said["where"], fix=said["fix"], code=said["code"])


def _ended(code: int) -> Exception:
    if code in {130, -signal.SIGINT}:
        return KeyboardInterrupt()  # type: ignore[return-value]  # as if it had reached us
    if code < 0:
        return Qua3ckError(
            f"The process that makes the training table was ended ({signal.Signals(-code).name})",
            where="understand",
            fix="run again; if it was short of memory, load fewer rows or columns",
            code="U106",
        )
    return RuntimeError(f"the worker of understand ended with code {code}; see above")

"""``python -m qua3ck.operate.serve PLAN``: what ``qua3ck serve`` replaces itself by."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import read_plan

_HANDS_SOCKETS_ON = os.name == "posix"
_LOOK_S = 1.0


def main(words: list[str] | None = None) -> int:
    """Serve by a plan until a signal ends it; return the exit code."""
    parser = argparse.ArgumentParser(prog="qua3ck.operate.serve")
    parser.add_argument("plan", type=Path)
    parser.add_argument("--parent", type=int, default=0, help="ends when this process is gone")
    options = parser.parse_args(words)
    try:
        return _serve(options.plan, options.parent)
    except Qua3ckError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code


def _serve(path: Path, parent: int = 0) -> int:
    from qua3ck.operate.serve.keeping import Keeper
    from qua3ck.operate.serve.supervisor import Supervisor

    if not _HANDS_SOCKETS_ON:
        raise Qua3ckError(
            "Serving hands one socket to several processes, which this system cannot",
            where=sys.platform,
            fix="serve in a Linux container, or in the Windows Subsystem for Linux",
            code="O003",
        )
    plan = read_plan(path)
    if plan.tried and plan.host != "127.0.0.1":
        raise Qua3ckError(
            "A version that is only tried is served to nobody else",
            where=f"{path}, host {plan.host}",
            fix="try it with: qua3ck serve --trial 10; serve it after: qua3ck promote",
        )
    if parent:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    ended = threading.Event()
    keeper = threading.Thread(target=Keeper(plan, path).run, args=(ended,), name="keeper")
    supervisor = Supervisor(plan, path, beside=(keeper.start,), after=(ended.set, keeper.join))
    return supervisor.run()


def _end_with(parent: int) -> None:
    """End this process, as a signal does, once the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

"""``python -m qua3ck.operate.serve PLAN``: what ``qua3ck serve`` replaces itself by."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import read_plan

_HANDS_SOCKETS_ON = os.name == "posix"


def main(words: list[str] | None = None) -> int:
    """Serve by a plan until a signal ends it; return the exit code."""
    parser = argparse.ArgumentParser(prog="qua3ck.operate.serve")
    parser.add_argument("plan", type=Path)
    options = parser.parse_args(words)
    try:
        return _serve(options.plan)
    except Qua3ckError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code


def _serve(path: Path) -> int:
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
    ended = threading.Event()
    keeper = threading.Thread(target=Keeper(plan, path).run, args=(ended,), name="keeper")
    supervisor = Supervisor(plan, path, beside=(keeper.start,), after=(ended.set, keeper.join))
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())

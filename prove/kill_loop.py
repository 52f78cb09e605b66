"""Kill the loop with -9 at random moments; it must end as if nothing had happened.

A loop is run undisturbed once. Then it is started again and again in another folder and
killed after a random part of that time, until it was killed often enough; then it may end.
Log of trials and candidate must be the same to the byte, and the ledger must verify.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "a3"))


def run(folder: Path) -> None:
    """Run the small loop in a folder to its end."""
    from a3_project import credit, make_project

    make_project(folder, credit(200), trials=6, rule="debt > 1300").run()


def child(folder: Path) -> int:
    """Start the loop in a process of its own and return the process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        run(folder)
    except BaseException as problem:  # noqa: BLE001 - the parent reads the exit code
        sys.stderr.write(f"{problem}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def ended(pid: int, *, within: float) -> bool:
    """Wait for a process; return whether it ended by itself in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            if os.waitstatus_to_exitcode(status):
                sys.exit("the loop ended with an error")
            return True
        time.sleep(0.005)
    return False


def result(folder: Path) -> tuple[bytes, str, bool]:
    """Return the log of trials, the candidate's digest, and whether the ledger verifies."""
    from qua3ck.govern import open_workspace

    (log,) = (folder / "loop").glob("*/trials.jsonl")
    candidate = json.loads(log.with_name("candidate.json").read_bytes())["digest"]
    ledger = open_workspace(folder, "small", actor="analyst", read_only=True).ledger
    return log.read_bytes(), candidate, ledger.verify().ok


def main() -> int:
    """Print one line of JSON; return 1 if anything differs."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--kills", type=int, default=10)
    asked.add_argument("--folder", type=Path, default=None)
    asked.add_argument("--seed", type=int, default=None)
    given = asked.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # noqa: S311 - when to kill is no secret
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        os.environ["QUA3CK_KEYS"] = str(folder / "keys")
        for library in ("lightgbm", "mlflow.tracking", "optuna", "sklearn.ensemble"):
            import_module(library)  # once, before the forks

        began = time.monotonic()
        if not ended(child(folder / "calm"), within=600):
            sys.exit("the undisturbed loop did not end")
        calm, whole = result(folder / "calm"), time.monotonic() - began
        killed, place, same = 0, 0, True
        while killed < given.kills:
            pid = child(folder / f"killed{place}")
            if ended(pid, within=dice.uniform(0.02, 0.7) * whole):
                same = same and result(folder / f"killed{place}") == calm
                place += 1
                continue
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed += 1
        if not ended(child(folder / f"killed{place}"), within=600):
            sys.exit("the loop did not end after the last kill")
        same = same and calm[2] and result(folder / f"killed{place}") == calm
    said = {"killed": killed, "folders": place + 1, "seed": seed, "same": same}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())

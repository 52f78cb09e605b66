"""Kill loads with -9 at random moments; what is loaded must be as if nothing had happened.

Three sources (keyed months that are corrected, an overwritten list with a key, pieces without
one) go through a row of states. In one project each state is loaded undisturbed. In another,
three loaders at a time load two of the sources each, so that every source is wanted by two;
each loader is killed after a random part of the time a load takes, until there were kills
enough; then they may end. After each state, rows, held records, pieces and what the ledger was
told last must be equal; at the end the ledger must verify. Folding goes on in between.
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
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

ROWS = 20_000
STATES = 12
LOADERS = (("months", "list"), ("list", "parts"), ("parts", "months"))
SOURCES = {
    "months": {"kind": "csv", "path": "months/*.csv", "key": ["clinic", "month"], "shrinks": 1},
    "list": {"kind": "csv", "path": "list.csv", "key": ["id"], "shrinks": 1},
    "parts": {"kind": "csv", "path": "parts/*.csv", "shrinks": 1},
}


def section() -> Any:
    from qua3ck.understand import Understand

    facts = {"sources": SOURCES, "target": "x"}
    return Understand.model_validate_json(json.dumps(facts))


def bring(folder: Path, state: int) -> None:
    """Write the files of a state; the same for the same number."""
    dice = random.Random(state)  # noqa: S311 - data, no secret
    month = 1 + state % 4  # from the fifth state on, months are corrected
    lines = [f"{clinic},{month},{dice.randint(0, 99)}" for clinic in range(ROWS // 4)]
    write(folder / "months" / f"{month:02d}.csv", "clinic,month,x", spoilt(lines, dice))
    listed = [f"{one},{(one * 7 + (one % 50 == state) * state) % 1000}" for one in range(ROWS)]
    dice.shuffle(listed)
    write(folder / "list.csv", "id,x", spoilt(listed[: ROWS - 300 * (state % 3)], dice))
    part = [f"{state},{dice.randint(0, 9)}" for _ in range(ROWS // 2)]
    write(folder / "parts" / f"{state % 5}.csv", "state,x", spoilt(part, dice))


def spoilt(lines: list[str], dice: random.Random) -> list[str]:
    """Return lines of which a few cannot be loaded: too many cells, or an empty key."""
    for at in dice.sample(range(len(lines)), 5):
        lines[at] += ",1"
    lines[dice.randrange(len(lines))] = ",1,5" if lines[0].count(",") == 2 else ",5"
    return lines


def write(path: Path, head: str, lines: list[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text("\n".join([head, *lines]) + "\n")
    beside.replace(path)


def load(folder: Path, names: tuple[str, ...]) -> None:
    """Load sources as ``qua3ck load`` does, and record them."""
    from qua3ck.govern import open_workspace
    from qua3ck.understand.loading import load_one
    from qua3ck.understand.loading.recording import record_loads

    workspace = open_workspace(folder, "kills", actor="ana")
    for name in names:
        record_loads([load_one(name, section(), workspace)], workspace.ledger)


def child(folder: Path, names: tuple[str, ...]) -> int:
    """Start a loader in a process of its own and return the process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        load(folder, names)
    except BaseException as problem:  # noqa: BLE001 - the parent reads the exit code
        sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def disturbed(folder: Path, kills: int, dice: random.Random, span: float) -> int:
    """Load everything with three loaders at a time that are killed; return how many were."""
    killed = 0
    while killed < kills:
        running = {child(folder, names): dice.uniform(0, span) for names in LOADERS}
        begun = time.monotonic()
        while running:
            for pid, after in list(running.items()):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    refuse_failure(status)
                    del running[pid]
                elif time.monotonic() - begun > after and killed < kills:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    del running[pid]
                    killed += 1
            time.sleep(0.002)
    last = [child(folder, names) for names in LOADERS]
    for pid in last:
        refuse_failure(os.waitpid(pid, 0)[1])
    return killed


def asked_apart(ask: Callable[[Path], dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Return an answer from a process of its own: what opened a table here could not fork."""
    answer = folder.parent / "answer.json"
    pid = os.fork()
    if not pid:
        try:
            answer.write_text(json.dumps(ask(folder)))
        except BaseException as problem:  # noqa: BLE001 - the parent reads the exit code
            sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
            os._exit(1)
        os._exit(0)
    refuse_failure(os.waitpid(pid, 0)[1])
    found: dict[str, Any] = json.loads(answer.read_text())
    return found


def refuse_failure(status: int) -> None:
    if os.waitstatus_to_exitcode(status):
        sys.exit("a loader ended with an error")


def facts(folder: Path) -> dict[str, Any]:
    """Return what must be equal: rows, held records, pieces, and the ledger's last word."""
    from qua3ck.govern import open_workspace
    from qua3ck.store.warehouse import content_digest
    from qua3ck.understand.loading import read_current
    from qua3ck.understand.loading.past import listed_pieces, open_records

    workspace = open_workspace(folder, "kills", actor="ana", read_only=True)
    found: dict[str, Any] = {}
    for name, source in section().sources.items():
        rows = read_current(workspace.warehouse, name, source)
        held = open_records(workspace.warehouse, name)
        told = workspace.ledger.entries("source.loaded", subject=name)[-1].body
        found[name] = {
            "rows": rows.num_rows,
            "content": content_digest(rows),
            "told": told["rows"],
            "state": told["digest"],
            "held": sorted(
                (one["_piece"], one["_row"], one["column"] or "", one["code"], one["raw"])
                for one in held.to_pylist()
            ),
            "pieces": sorted(
                (one.name, one.digest, one.came, one.loaded, one.held)
                for one in listed_pieces(workspace.warehouse, name)
            ),
        }
    return found


def ledger(folder: Path) -> dict[str, Any]:
    """Return whether the ledger verifies, how many loads it tells of, and if all add up."""
    from qua3ck.govern import open_workspace
    from qua3ck.understand.loading import silver

    workspace = open_workspace(folder, "kills", actor="ana", read_only=True)
    told = workspace.ledger.entries("source.loaded")
    loads = [
        (name, load.version) for name in SOURCES for load in workspace.warehouse.loads(silver(name))
    ]
    folds = sum(
        version.act == "fold"
        for name in SOURCES
        for version in workspace.warehouse.loads(silver(name), every=True)
    )
    return {
        "ok": workspace.ledger.verify().ok,
        "told": len(told),
        "each once": sorted((one.subject, one.body["version"]) for one in told) == sorted(loads),
        "add up": all(one.body["came"] == one.body["loaded"] + one.body["held"] for one in told),
        "folds": folds,
    }


def main() -> int:
    """Print one line of JSON; return 1 if anything differs."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--seed", type=int, default=None)
    given = asked.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # noqa: S311 - when to kill is no secret
    killed = differ = 0
    with tempfile.TemporaryDirectory() as made:
        calm, wild = Path(made) / "calm", Path(made) / "wild"
        os.environ["QUA3CK_KEYS"] = str(Path(made) / "keys")
        for library in ("deltalake", "duckdb", "ibis", "pyarrow.parquet"):
            import_module(library)  # once, before the forks

        for state in range(STATES):
            for folder in (calm, wild):
                folder.mkdir(exist_ok=True)
                bring(folder, state)
            began = time.monotonic()
            pid = child(calm, tuple(SOURCES))
            refuse_failure(os.waitpid(pid, 0)[1])
            span = time.monotonic() - began
            due = round(given.kills * (state + 1) / STATES) - killed
            killed += disturbed(wild, due, dice, span)
            differ += asked_apart(facts, calm) != asked_apart(facts, wild)
        said = {folder.name: asked_apart(ledger, folder) for folder in (calm, wild)}
    answer = {"kills": killed, "states": STATES, "states that differ": differ, "seed": seed, **said}
    print(json.dumps(answer))
    held = all(one["ok"] and one["each once"] and one["add up"] for one in said.values())
    return 0 if held and not differ and said["wild"]["folds"] else 1


if __name__ == "__main__":
    sys.exit(main())

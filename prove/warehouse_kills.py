"""Kill writers of the warehouse with -9 at random moments; it must end as if nothing had happened.

Three processes write into the same tables at once: loads that grow a table by key, corrected
pieces, replacements, tables written as a whole, folds, removal of old versions. Each is killed
again and again and goes on where the log says that it stopped. At the end, rows and digests of
every table must be those of an undisturbed run, whatever was read as of each load must still
be there, and another reader of Delta must see the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

WRITERS = 3
ACTS = 12  # of each writer and round
KEYED, PIECES, HELD = "silver/keyed", "silver/pieces", "quarantine/keyed"
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # the clock stands still: moments must grow all the same
BUSY = {"S001"}  # another writer held the table for too long


def work(root: Path, writer: int) -> None:
    """Do what of the writer's acts is not done yet, one after the other."""
    from qua3ck.store.warehouse import Warehouse

    house = Warehouse(root)
    done = [
        int(load.about["act"])
        for table in (KEYED, PIECES)
        for load in house.loads(table)
        if load.about.get("writer") == str(writer)
    ]
    last = max(done, default=-1)
    for number in range(max(last, 0), ACTS):  # what follows the last load may not be done
        until_done(lambda number=number: act(house, writer, number, loaded=number == last))


def until_done(do: Callable[[], Any]) -> None:
    """Try again when another writer was first; give up after a minute."""
    from qua3ck.kit.errors import Qua3ckError

    deadline = time.monotonic() + 60
    while True:
        try:
            do()
        except Qua3ckError as problem:
            if problem.code not in BUSY or time.monotonic() > deadline:
                raise
        else:
            return


def act(house: Any, writer: int, number: int, *, loaded: bool) -> None:
    """Do one act; all of it may be repeated but its load."""
    dice = random.Random(writer * 1000 + number)  # noqa: S311 - the same work in every run
    table = KEYED if number % 2 else PIECES
    by = ("id",) if table == KEYED else ("_piece",)
    new = rows(writer, number, dice, keyed=table == KEYED)
    if not loaded:
        load(house, table, new, writer, number)
    if number % 3 == 0:
        held = rows(writer, number, dice, keyed=False)
        house_has(house, HELD, writer)
        house.replace(HELD, held, where={"_piece": held["_piece"][0].as_py()})
    if number % 5 == 0:
        house.compact(table, by=by)
    if number % 7 == 0:
        whole = rows(writer, number, dice, keyed=False)
        streamed = whole.to_reader(max_chunksize=500) if number % 2 else whole
        house.write(f"gold/w{writer}", streamed)
    if number % 11 == 0:
        house.vacuum(table, keep_versions=versions_of_loads(house, table))


def versions_of_loads(house: Any, table: str) -> Iterator[int]:
    """Yield what must stay readable, looked up when it is asked for."""
    for one in house.loads(table):
        yield one.version


def load(house: Any, table: str, new: Any, writer: int, number: int) -> None:
    """Append one load, from a file where the number is even."""
    import pyarrow.parquet as pq

    from qua3ck.store.warehouse import next_known

    about = {"writer": str(writer), "act": str(number)}
    if number % 4:
        house.append(table, new, known=lambda last: next_known(NOW, last), about=about)
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows.parquet"
        pq.write_table(new, path)
        house.append(table, [path], known=lambda last: next_known(NOW, last), about=about)


def house_has(house: Any, table: str, writer: int) -> None:
    """Make the table of held rows, which no load makes."""
    from qua3ck.store.warehouse import next_known

    if house.version(table) is None:
        first = rows(writer, 0, random.Random(0), keyed=False)  # noqa: S311 - made-up rows
        house.append(table, first.slice(0, 0), known=lambda last: next_known(NOW, last))


def rows(writer: int, number: int, dice: random.Random, *, keyed: bool) -> Any:
    """Return rows of one writer: its keys and pieces are no other's, but come again and again."""
    import pyarrow as pa

    count = dice.randint(1, 3000)
    piece = f"w{writer}-{number if keyed else dice.randint(0, 5)}"
    ids = sorted(dice.sample(range(4000), count)) if keyed else list(range(count))
    made = {
        "id": pa.array([one * WRITERS + writer for one in ids], pa.int64()),
        "value": pa.array([dice.random() for _ in ids]),
        "text": pa.array([f"{piece} {one}" if one % 7 else None for one in ids], pa.string()),
        "_piece": pa.array([piece] * count),
        "_row": pa.array(range(1, count + 1), pa.int64()),
        "_gone": pa.array([keyed and one % 13 == number % 13 for one in ids]),
    }
    if number > ACTS // 2:
        made["late"] = pa.array([number] * count, pa.int64())  # a column that comes later
    return pa.table(made)


def result(root: Path) -> dict[str, Any]:
    """Return rows and digest of everything, and what else must hold."""
    from deltalake import DeltaTable

    from qua3ck.store.warehouse import Warehouse, content_digest

    house = Warehouse(root)
    found: dict[str, Any] = {}
    problems: list[str] = []
    for table, by in ((KEYED, ("id",)), (PIECES, ("_piece",))):
        found[table] = house.snapshot(table, by=by)[1:]
        moments = [one.known for one in house.loads(table)]
        if len(set(moments)) < len(moments) or moments != sorted(moments):
            problems.append(f"{table}: moments of loads do not grow")
        for one in house.loads(table)[::6]:
            house.current(table, by=by, as_of=one.known)  # raises if it is not whole
        house.compact(table, by=by)
        if house.snapshot(table, by=by)[1:] != found[table]:
            problems.append(f"{table}: folding changed what is current")
        seen = DeltaTable(str(root / "warehouse" / table)).scan().read_all().num_rows
        if seen != found[table][0]:
            problems.append(f"{table}: another reader sees {seen} rows, not {found[table][0]}")
    held = (
        house.read(HELD)
        .drop_columns("_known")
        .sort_by([("_piece", "ascending"), ("_row", "ascending")])
    )
    found[HELD] = (held.num_rows, content_digest(held))
    for writer in range(WRITERS):
        gold = house.read(f"gold/w{writer}")
        found[f"gold/w{writer}"] = (gold.num_rows, content_digest(gold))
    commits = sum(len(house.loads(table, every=True)) for table in (KEYED, PIECES, HELD))
    swept = [house.vacuum(table, keep_versions=()).files for table in (KEYED, PIECES, HELD)]
    kept = {
        table: house.snapshot(table, by=by)[1:]
        for table, by in ((KEYED, ("id",)), (PIECES, ("_piece",)))
    }
    if any(kept[table] != found[table] for table in kept):
        problems.append("sweeping changed what is current")
    return {
        "tables": found,
        "problems": problems,
        "commits": commits,
        "swept": sum(map(len, swept)),
    }


# -- processes -----------------------------------------------------------------------


def child(do: Callable[[], Any], answer: Path | None = None) -> int:
    """Do something in a process of its own; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        said = do()
        if answer is not None:
            answer.write_text(json.dumps(said))
    except BaseException as problem:  # noqa: BLE001 - the parent reads the exit code
        sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def ended(pid: int, others: Iterable[int] = ()) -> bool:
    """Return whether a process has ended; an error ends everything."""
    found, status = os.waitpid(pid, os.WNOHANG)
    if found and os.waitstatus_to_exitcode(status):
        for other in set(others) - {pid}:
            os.kill(other, signal.SIGKILL)
        sys.exit("a writer ended with an error")
    return bool(found)


def answered(do: Callable[[], Any], folder: Path) -> Any:
    """Return what something says in a process of its own."""
    answer = folder / "answer.json"
    pid = child(do, answer)
    while not ended(pid):
        time.sleep(0.01)
    return json.loads(answer.read_text())


def disturbed(root: Path, dice: random.Random, kills: int) -> int:
    """Let the writers run to their end; return how often one was killed."""
    running = {writer: child(lambda writer=writer: work(root, writer)) for writer in range(WRITERS)}
    killed = 0
    while running:
        time.sleep(dice.uniform(0.05, 1.0))
        for writer, pid in list(running.items()):
            if ended(pid, running.values()):
                del running[writer]
        if running and killed < kills:
            writer = dice.choice(list(running))
            os.kill(running[writer], signal.SIGKILL)
            os.waitpid(running[writer], 0)
            killed += 1
            running[writer] = child(lambda writer=writer: work(root, writer))
    return killed


def calm(root: Path) -> dict[str, Any]:
    """Do all the work undisturbed, one writer after the other."""
    for writer in range(WRITERS):
        work(root, writer)
    return result(root)


def main() -> int:
    """Print one line of JSON; return 1 if anything differs."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--seed", type=int, default=None)
    given = asked.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # noqa: S311 - when to kill is no secret
    for library in ("deltalake", "duckdb", "pyarrow.parquet"):
        import_module(library)  # once, before the forks

    killed, rounds, commits, swept = 0, 0, 0, 0
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        expected = answered(lambda: calm(folder / "calm"), folder)
        problems += expected["problems"]
        while killed < given.kills:
            root = folder / f"round{rounds}"
            killed += disturbed(root, dice, given.kills - killed)
            found = answered(lambda root=root: result(root), folder)
            problems += found["problems"]
            for table, whole in expected["tables"].items():
                if found["tables"][table] != whole:
                    problems.append(f"round {rounds}: {table} differs")
            rounds, commits = rounds + 1, commits + found["commits"]
            swept += found["swept"]
            shutil.rmtree(root)
    said = {"killed": killed, "rounds": rounds, "writers": WRITERS, "commits": commits}
    said |= {"files_swept": swept, "seed": seed, "problems": problems[:20]}
    sys.stdout.write(json.dumps(said) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

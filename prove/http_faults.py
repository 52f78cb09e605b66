"""Everything that fails in passing, at random: the rows brought in stay the same.

First, pages: a server answers in five styles of paging and fails in a third of its answers
(429 in three forms, 500, 502 with HTML, resets, cut bodies, damaged ones), while the reading is
also ended at random between and within its steps. Then real kills: a child process reads from
the same server, or from PostgreSQL where there is one, and is killed with -9 at random moments
until it gets through. Truth is the list of rows that the server was given.
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
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "understand" / "sources"))

from standin import Reply, Standin, by_cursor, by_link, by_next, by_number, by_offset

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.database import fetch_database
from qua3ck.understand.sources.fetching import Journal
from qua3ck.understand.sources.patience import Patience
from qua3ck.understand.sources.rest import fetch_http

HALF = b'{"results": [1, 2'
FAULTS = (
    Reply(429, b"", {"retry-after": "3"}),
    Reply(429, b"", {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    Reply(429),
    Reply(500, b'{"error": 1}'),
    Reply(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}),
    Reply(200, HALF * 9, how="reset"),
    Reply(200, HALF * 9, how="cut"),
    Reply(200, HALF * 9, {"content-type": "application/json"}, how="open"),
    Reply(200, b"no gzip", {"content-encoding": "gzip"}),
)
CURSOR = {"style": "cursor", "next": "meta.cursor", "parameter": "cursor"}
POSTGRES = os.environ.get("QUA3CK_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


class Ended(BaseException):
    """The reading ends here, as if the process were gone."""


def styles(rows: list[dict[str, Any]], size: int) -> list[tuple[Any, dict[str, Any]]]:
    """Return how a server may page, and how that is declared."""
    return [
        (by_cursor(rows, size=size), {"records": "items", "paging": CURSOR}),
        (
            by_number(rows, size=size),
            {
                "records": "items",
                "count": "pager.total",
                "paging": {"style": "page", "parameter": "page"},
            },
        ),
        (
            by_offset(rows, most=size),
            {"records": "results", "paging": {"style": "offset", "parameter": "start"}},
        ),
        (by_link(rows, size=size), {"paging": {"style": "link"}}),
        (
            by_next(rows, size=size),
            {"records": "results", "paging": {"style": "next", "next": "next"}},
        ),
    ]


def one_run(dice: random.Random, folder: Path) -> tuple[bool, int, int]:
    """Read once under random faults and ends; return whether rows are right, faults, ends."""
    rows = [{"id": f"{i:05d}", "n": "NA"} for i in range(dice.randrange(1, 200))]
    script, declared = dice.choice(styles(rows, dice.randrange(3, 40)))
    faults, ends, lines = 0, 0, Journal._line
    server = Standin(script)

    def faulty(seen: Any) -> Reply:
        nonlocal faults
        if dice.random() < 0.33:
            faults += 1
            return dice.choice(FAULTS)
        return script(seen)

    def torn(self: Journal, content: Any) -> None:
        if "step" in content and dice.random() < 0.05:
            with (self.folder / "journal.jsonl").open("ab") as handle:
                handle.write(b'{"piece": "page')  # a crash in the middle of a line
            raise Ended
        lines(self, content)

    def tell(_: str) -> None:
        if dice.random() < 0.1:
            raise Ended

    server.script = faulty
    Journal._line = torn  # type: ignore[method-assign]
    source = Source.model_validate_json(
        json.dumps({"kind": "http", "url": server.url, "timeout": 5, **declared})
    )
    patience = Patience(tries=12, sleep=lambda _: None)
    try:
        while True:
            try:
                pieces = list(
                    fetch_http(
                        "rows",
                        source,
                        folder,
                        since=None,
                        into=folder / "scratch",
                        place="p",
                        tell=tell,
                        patience=patience,
                    )
                )
                break
            except (Ended, Qua3ckError) as problem:
                if isinstance(problem, Qua3ckError) and problem.code != "U136":
                    raise
                ends += 1
    finally:
        Journal._line = lines  # type: ignore[method-assign]
        server.close()
    pointer = declared.get("records")
    got = [json.loads(piece.path.read_bytes()) for piece in pieces]
    flat = [row for page in got for row in (page[pointer] if pointer else page)]
    shutil.rmtree(folder / "scratch")
    return flat == rows, faults, ends


def read_and_leave(source: Source, folder: Path, env: dict[str, str]) -> None:
    """Read to the end and write down what came; in a process of its own."""
    import pyarrow.parquet as pq

    fetch = fetch_http if source.kind == "http" else fetch_database
    more: dict[str, Any] = {"slice_rows": 500} if source.kind == "database" else {}
    brought = fetch(
        "rows", source, folder, since=None, into=folder / "scratch", place="p", env=env, **more
    )
    ids = []
    for piece in brought:
        if source.kind == "http":
            ids += [row["id"] for row in json.loads(piece.path.read_bytes())["items"]]
        else:
            ids += pq.read_table(piece.path)["id"].to_pylist()
    (folder / "done.part").write_text(json.dumps(ids))
    (folder / "done.part").replace(folder / "done.json")


def child(source: Source, folder: Path, env: dict[str, str]) -> int:
    """Start the reading in a process of its own and return the process id."""
    folder.mkdir(exist_ok=True)
    pid = os.fork()
    if pid:
        return pid
    try:
        read_and_leave(source, folder, env)
    except BaseException as problem:  # noqa: BLE001 - the parent reads the exit code
        sys.stderr.write(f"{problem!r}\n")
        os._exit(1)
    os._exit(0)


def ended(pid: int) -> bool:
    """Wait for a process; return whether it ended by itself, and not by a kill."""
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit("the reading ended with an error")
    return os.WIFEXITED(status)


def killed_until_done(
    source: Source, folder: Path, env: dict[str, str], dice: random.Random, kills: int
) -> tuple[int, int, list[list[Any]]]:
    """Kill the reading at random moments; return kills, those between pieces, and what came."""
    began = time.monotonic()
    ended(child(source, folder / "calm", env))
    whole = time.monotonic() - began
    places, done, within = [folder / "calm"], 0, 0
    place = folder / "0"
    while done < kills:
        pid = child(source, place, env)
        time.sleep(dice.uniform(0.02, 0.6) * whole)
        os.kill(pid, signal.SIGKILL)
        if ended(pid):
            places.append(place)
            place = folder / str(len(places))
            continue
        done += 1
        within += any((place / "scratch").glob("*.piece"))
    ended(child(source, place, env))
    came = [json.loads((one / "done.json").read_bytes()) for one in [*places, place]]
    return done, within, came


def http_kills(dice: random.Random, folder: Path, kills: int) -> dict[str, Any]:
    """Kill readers of pages."""
    import threading

    rows = [{"id": f"{i:05d}"} for i in range(4000)]
    truth, slow = by_cursor(rows, size=100), threading.Event()

    def answer(seen: Any) -> Reply:
        slow.wait(0.02)  # so that a kill meets a reading under way
        return truth(seen)

    server = Standin(answer)
    source = Source.model_validate_json(
        json.dumps({"kind": "http", "url": server.url, "records": "items", "paging": CURSOR})
    )
    done, within, came = killed_until_done(source, folder, {}, dice, kills)
    asked = len(server.seen)
    server.close()
    same = all(ids == [row["id"] for row in rows] for ids in came)
    readings = {"readings": len(came), "pages": 40 * len(came), "asked": asked}
    return {"kills": done, "after a piece": within, "same": same, **readings}


def database_kills(dice: random.Random, folder: Path, kills: int) -> dict[str, Any]:
    """Kill readers of a table of PostgreSQL."""
    import sqlalchemy as sa

    from qua3ck.understand.sources.connecting import database_of

    url = database_of(POSTGRES, folder, place="p").engine.url
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    name = f"qua3ck_prove_{os.getpid()}"
    try:
        engine.connect().close()
    except sa.exc.DBAPIError:
        return {"skipped": f"no server at {url.host}:{url.port}", "same": True}
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {name} AS SELECT i AS id, md5(i::text) AS t "  # noqa: S608 - a name of ours
            "FROM generate_series(1, 30000) AS i"
        )
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD PRIMARY KEY (id)")
    try:
        source = Source(kind="database", url="env:DB", table=name)
        done, within, came = killed_until_done(source, folder, {"DB": POSTGRES}, dice, kills)
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {name}")
    same = all(ids == list(range(1, 30_001)) for ids in came)
    return {"kills": done, "after a piece": within, "same": same, "readings": len(came)}


def main() -> int:
    """Print one line of JSON; return 1 if a row differs anywhere."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--runs", type=int, default=300)
    asked.add_argument("--kills", type=int, default=25)
    asked.add_argument("--seed", type=int, default=None)
    given = asked.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # noqa: S311 - when to fail is no secret
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        runs = [one_run(dice, folder) for _ in range(given.runs)]
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        pages = http_kills(dice, folder / "a", given.kills)
        table = database_kills(dice, folder / "b", given.kills)
    said = {
        "seed": seed,
        "runs": len(runs),
        "right": sum(right for right, _, _ in runs),
        "faults": sum(faults for _, faults, _ in runs),
        "ends": sum(ends for _, _, ends in runs),
        "http": pages,
        "postgres": table,
    }
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if said["right"] == len(runs) and pages["same"] and table["same"] else 1


if __name__ == "__main__":
    sys.exit(main())

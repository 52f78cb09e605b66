from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qua3ck.operate.records import ServePlan, write_plan
from qua3ck.operate.serve import compacting as module
from qua3ck.operate.serve.compacting import Moved, compact
from qua3ck.operate.serve.logbook import Logbook, lag_bytes, log_folder
from qua3ck.store.warehouse import Warehouse, once


@pytest.fixture
def plan(tmp_path: Path) -> ServePlan:
    return ServePlan(root=str(tmp_path), project="shop", project_id="ab12")


def answer(book: Logbook, request_id: str, rows: int = 1, **more: object) -> None:
    table = {"income": [float(n) for n in range(rows)]}
    outputs = {"label": ["bad"] * rows, "p_bad": [0.5] * rows}
    settings = {
        "request_id": request_id, "version": 3, "arm": "champion", "table": table,
        "outputs": outputs, "latency_us": 12,
    }  # fmt: skip
    book.write([book.record(**{**settings, **more})])


def rows(plan: ServePlan) -> list[dict[str, object]]:
    return Warehouse(plan.folder).read("log/serving").to_pylist()


def test_every_row_of_every_request_becomes_one_row_of_the_table(plan):
    book = Logbook(plan, 0)
    answer(book, "one")
    answer(book, "three", rows=3, flags=["outside:income"])
    answer(book, "part", rows=2, places=[4, 7], arm="canary")
    book.write([book.outcome(request_id="one", row=0, outcome="good")])
    assert compact(plan) == Moved(6, 1, 0, 0)
    found = rows(plan)
    assert sorted((r["id"], r["row"]) for r in found if r["kind"] == "prediction") == [
        ("one", 0), ("part", 4), ("part", 7), ("three", 0), ("three", 1), ("three", 2),
    ]  # fmt: skip
    (part,) = [r for r in found if (r["id"], r["row"]) == ("part", 7)]
    assert (part["arm"], part["version"], json.loads(part["inputs"])) == (
        "canary", 3, {"income": 1.0},
    )  # fmt: skip
    (came,) = [r for r in found if r["kind"] == "outcome"]
    assert (came["id"], came["outcome"]) == ("one", '"good"')


def test_again_brings_only_what_is_new(plan):
    book = Logbook(plan, 0)
    answer(book, "a")
    assert compact(plan).predictions == 1
    assert compact(plan) == Moved(0, 0, 0, 0)
    answer(book, "b")
    assert compact(plan).predictions == 1
    assert lag_bytes(plan) == 0
    assert sorted(str(row["id"]) for row in rows(plan)) == ["a", "b"]


def test_a_lost_note_of_how_far_it_came_doubles_nothing(plan):
    book = Logbook(plan, 0)
    answer(book, "a")
    compact(plan)
    (plan.state / "compacted.json").unlink()
    assert compact(plan).predictions == 0
    assert lag_bytes(plan) == 0


@pytest.mark.parametrize(
    "line",
    [
        {"of": "x", "row": 99999999999999999999, "at": 1, "outcome": "good"},
        {"of": "x", "row": 2**31, "at": 1, "outcome": "good"},
        {"of": "x", "row": "0", "at": 1, "outcome": "good"},
        {"of": 3, "row": 0, "at": 1, "outcome": "good"},
        {"of": "x", "row": 0, "at": 10**30, "outcome": "good"},
        {"of": "x", "row": 0, "at": "now", "outcome": "good"},
        {"of": "x", "row": 0, "at": 1, "outcome": "\ud800"},
        {"of": "x", "at": 1, "outcome": "good"},
        {"id": "x"},
        {"id": "x", "at": 1, "v": 2**40, "arm": "a", "us": 1, "in": {"a": [1]}, "out": {"l": [1]}},
        {"id": "x", "at": 1, "v": 1, "arm": "a", "us": 1, "in": {"a": []}, "out": {"l": [1]}},
        {"id": "x", "at": 1, "v": 1, "arm": "a", "us": 1, "in": [3], "out": 5},
        ["id", "of"], "id", "of", 3, None,
    ],
    ids=lambda line: json.dumps(line)[:60],
)  # fmt: skip
def test_a_line_that_does_not_fit_is_kept_as_unreadable_and_holds_up_no_other(plan, line):
    book = Logbook(plan, 0)
    answer(book, "before")
    book.write([json.dumps(line).encode() + b"\n"])
    answer(book, "after", rows=2)
    assert compact(plan) == Moved(3, 0, 1, 0)
    (kept,) = [row["unreadable"] for row in rows(plan) if row["kind"] == "unreadable"]
    assert json.loads(str(kept)) == line
    assert compact(plan) == Moved(0, 0, 0, 0)


def test_a_line_nested_beyond_reading_is_kept_as_unreadable(plan):
    book = Logbook(plan, 0)
    book.write([b'{"of": ' + b"[" * 100_000 + b"\n", b'{"of": ' + b"9" * 5000 + b"}\n"])
    answer(book, "after")
    assert compact(plan) == Moved(1, 0, 2, 0)


def test_half_a_line_waits_until_it_is_whole_and_nonsense_is_kept_as_such(plan):
    book = Logbook(plan, 0)
    answer(book, "a")
    with book.path.open("ab") as handle:
        handle.write(b'{"id": "b"')
    assert compact(plan).predictions == 1
    with book.path.open("ab") as handle:
        handle.write(b" torn\n")
    assert compact(plan) == Moved(0, 0, 1, 0)
    (torn,) = [row for row in rows(plan) if row["kind"] == "unreadable"]
    assert torn["unreadable"] == '{"id": "b" torn'


def test_a_file_goes_only_when_it_is_in_the_table_and_its_worker_went_on(plan):
    first = Logbook(plan, 0)
    answer(first, "a")
    assert compact(plan).removed == 0
    assert first.path.exists()
    time.sleep(0.001)
    second = Logbook(plan, 0)
    answer(second, "b")
    Logbook(plan, 1)
    assert compact(plan).removed == 1
    assert not first.path.exists()
    assert second.path.exists()
    assert sorted(str(row["id"]) for row in rows(plan)) == ["a", "b"]


def test_the_file_of_a_process_that_is_gone_goes_too(plan):
    book = Logbook(plan, 0)
    answer(book, "a")
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    book.path.rename(book.path.with_name(book.path.name.replace(str(os.getpid()), str(gone.pid))))
    assert compact(plan) == Moved(1, 0, 0, 1)
    assert list(log_folder(plan).iterdir()) == []


def test_two_at_once_are_one_after_the_other(plan, tmp_path, monkeypatch):
    from filelock import FileLock, Timeout

    plan.state.mkdir(parents=True)
    with FileLock(plan.state / ".compacting"), pytest.raises(Timeout):
        compact(plan)
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    monkeypatch.setattr(module, "_yield_to_answers", lambda: None)  # not this process
    assert module.main([str(path)]) == 0


DIES = """
import os, signal, sys
from pathlib import Path
from qua3ck.operate.records import read_plan
from qua3ck.operate.serve import compacting
import qua3ck.store.warehouse.once as once
plan, when = read_plan(Path(sys.argv[1])), sys.argv[2]
real = once.append_once
def dying(*words):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    made = real(*words)
    if when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return made
once.append_once = dying
if when == "note":
    compacting._write_note = lambda *words: os.kill(os.getpid(), signal.SIGKILL)
if when == "removing":
    compacting._remove_finished = lambda *words: os.kill(os.getpid(), signal.SIGKILL)
compacting.compact(plan)
"""


@pytest.mark.parametrize("when", ["before", "after", "note", "removing"])
def test_killed_at_any_step_it_neither_loses_nor_doubles_a_line(plan, tmp_path, when):
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    book = Logbook(plan, 0)
    for number in range(5):
        answer(book, str(number))
    done = subprocess.run([sys.executable, "-c", DIES, str(path), when], check=False)
    assert done.returncode == -signal.SIGKILL
    for number in range(5, 8):
        answer(book, str(number))
    compact(plan)
    assert sorted(str(row["id"]) for row in rows(plan)) == [str(n) for n in range(8)]


def test_what_is_written_meanwhile_is_left_for_the_next_time(plan, monkeypatch):
    book = Logbook(plan, 0)
    answer(book, "a")
    append, commits = once.append_once, []

    def busy(place: Path, table: object, marks: dict[str, int]) -> int:
        commits.append(marks)
        assert len(commits) < 5, "it runs for as long as somebody asks"
        answer(book, f"meanwhile {len(commits)}")
        return append(place, table, marks)

    with monkeypatch.context() as patched:
        patched.setattr(once, "append_once", busy)
        assert compact(plan).predictions == 1
    assert compact(plan).predictions == 1
    assert sorted(str(row["id"]) for row in rows(plan)) == ["a", "meanwhile 1"]


def test_a_long_log_is_moved_in_pieces_up_to_where_it_ended(plan, monkeypatch):
    monkeypatch.setattr(module, "PIECE_BYTES", 400)
    books = [Logbook(plan, number) for number in range(2)]
    for number in range(9):
        answer(books[number % 2], str(number))
    with books[0].path.open("ab") as handle:
        handle.write(b'{"id": "half a line')
    assert compact(plan).predictions == 9


def test_whoever_stops_serving_does_not_wait_for_the_log(plan, tmp_path, monkeypatch):
    answer(Logbook(plan, 0), "a")
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    slow = tmp_path / "slow.py"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    compactor = module.Compactor(plan, path)
    compactor.end()
    compactor.step()
    began = time.monotonic()
    compactor.end()
    assert time.monotonic() - began < 30
    assert compactor.process is not None
    assert compactor.process.returncode == -signal.SIGTERM
    assert compact(plan).predictions == 1


def test_it_yields_to_whoever_answers(plan, tmp_path):
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    says = (
        "import os, sys; from qua3ck.operate.serve import compacting as c;"
        "c.compact = lambda plan: print(os.getpriority(0, 0)) or c.Moved(0, 0, 0, 0);"
        "c.main(sys.argv[1:])"
    )
    words = [sys.executable, "-c", says, str(path)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert done.stdout.split()[0] == "19"


def test_a_long_line_is_taken_whole(plan, monkeypatch):
    monkeypatch.setattr(module, "PIECE_BYTES", 64)
    book = Logbook(plan, 0)
    answer(book, "x" * 500)
    answer(book, "b")
    assert compact(plan).predictions == 2


def test_the_log_is_readable_by_its_owner_alone(plan):
    book = Logbook(plan, 0)
    assert book.path.stat().st_mode & 0o777 == 0o600
    assert log_folder(plan).stat().st_mode & 0o077 == 0
    assert os.path.commonpath([book.path, plan.root]) == plan.root

"""Progress on a terminal: rows per second and the time left, also on a narrow one."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest
from rich.console import Console

from qua3ck.cli.main import main
from qua3ck.cli.terminal import bar, times
from qua3ck.understand.loading import watching
from qua3ck.understand.sources.pieces import Piece

PROJECT = """\
project: stock
question:
  asks: Which orders will be late?
  decides: The supply officer.
  why_now: Orders were late.
  risks: An order that is late.
  stop_if: [rows < 1]
  kpis: [{id: right, metric: accuracy, at_least: 0.9}]
understand: {target: x, sources: {stock: {kind: csv, path: a.csv}}}
"""


def drawn(width, *steps):
    """Return what was drawn on a terminal for (second, text, done of 100) steps."""
    now, screen = [100.0], io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=width, height=20)
    with bar(console, lambda: now[0]) as show:
        for second, text, done in steps:
            now[0] = 100.0 + second
            show("U", text, done, 100)
    return " ".join(screen.getvalue().split())  # wherever its lines end


@pytest.mark.parametrize("width", [60, 80, 160])
def test_rows_per_second_and_time_left_are_shown_whole(width):
    text = "reading stock: shipments-2024-of-all-districts.csv, 1,234,567 rows, 41,152 rows/s"
    seen = drawn(width, (0, "reading stock", 0), (30, text, 25))
    assert "25/100 0:00:30, 0:01:30 left" in seen
    assert "1,234,567 rows, 41,152 rows/s" in seen


def test_what_a_load_tells_while_it_reads_is_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "_PAUSE", 0.001)
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 1000)
    told, counted = [], threading.Event()

    def tell(text, share):
        told.append((30, text, round(100 * share)))
        if "420,000 rows" in text:
            counted.set()

    task = SimpleNamespace(name="stock", tell=tell)
    piece = Piece("a.csv", "0" * 64, path, 1000)
    with watching.watched(task, piece, done=250, total=1000) as watched:
        watched.count(420_000)
        assert counted.wait(10), told[-1:]
    seen = drawn(80, (0, "reading stock", 0), told[-1])
    assert "420,000 rows, " in seen
    assert " rows/s" in seen
    assert "0:01:30 left" in seen


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals there")
def test_a_load_on_a_terminal_draws_its_steps(tmp_path, monkeypatch):
    (tmp_path / "qua3ck.yaml").write_text(PROJECT)
    (tmp_path / "a.csv").write_text("id,x\n1,5\n")
    ours, theirs = os.openpty()
    screen: list[str] = []
    reader = threading.Thread(target=lambda: screen.extend(_read(ours)))
    reader.start()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal)
        answer = main(["load", str(tmp_path)])
    reader.join()
    os.close(ours)
    assert answer == 0
    assert "100/100" in "".join(screen)
    assert "writing" in "".join(screen)


def _read(terminal):
    with suppress(OSError):  # how Linux says that the other side is closed
        while some := os.read(terminal, 4096):
            yield some.decode(errors="replace")


def test_the_time_left_of_the_next_source_is_its_own():
    first = [(0, "reading a", 0), (50, "writing a", 100)]
    seen = drawn(80, *first, (50, "reading b", 0), (60, "reading b", 50))
    assert "50/100 0:00:10, 0:00:10 left reading b" in seen


@pytest.mark.parametrize(
    ("seconds", "done", "total", "says"),
    [
        (0.2, 1, 100, "0:00:00"),  # too early to tell
        (40, 0, 100, "0:00:40"),
        (40, 10, 0, "0:00:40"),  # nobody knows how much there is
        (40, 100, 100, "0:00:40"),
        (3 * 3600, 75, 100, "3:00:00, 1:00:00 left"),
    ],
)
def test_time_left_is_told_where_it_can_be_known(seconds, done, total, says):
    assert times(seconds, done, total) == says

"""How long loads took is kept with each of them, and what grew is said."""

from __future__ import annotations

from types import SimpleNamespace

from qua3ck.cli.main import main
from qua3ck.understand.loading import committing, statistics
from qua3ck.understand.loading.statistics import Took, load_history

PROJECT = """\
project: stock
question:
  asks: Which orders will be late?
  decides: The supply officer.
  why_now: Orders were late.
  risks: An order that is late.
  stop_if: [rows < 1]
  kpis: [{id: right, metric: accuracy, at_least: 0.9}]
understand: {target: x, sources: {stock: {kind: csv, path: data/*.csv, key: [id]}}}
"""


def test_every_load_is_in_the_history_with_its_figures(bench):
    stock = bench()
    for at in range(2):
        stock.write(f"{at}.csv", "id,x\n1,5\n2,6\n")
        stock.load()
    first, second = load_history(stock.warehouse, ["stock"])
    assert (first.rows, first.size, second.rows) == (2, 13, 2)
    assert second.table > first.table
    assert {"reading", "writing rows", "comparing"} <= set(second.steps)
    assert second.seconds > 0
    assert "2 rows, 13 bytes" in second.says()


def test_a_load_that_changed_nothing_leaves_no_figures(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    stock.load()
    stock.load()
    assert len(load_history(stock.warehouse, ["stock"])) == 1


def test_slow_steps_and_a_growing_time_per_row_are_named():
    one = Took(
        "stock", "2026-01-02T00:00:00Z", 10, 99, 4.0, {"reading": 1.5, "comparing": 2.5}, 7, 2.0
    )
    assert one.slow == ("comparing 2.5 s", "reading 1.5 s")
    assert "2.0 x the time per row of before" in one.says()
    assert not Took("s", "", 10, 9, 1.0, {}, 0, 1.2).grew


def test_a_slow_query_is_kept_with_its_load_and_shown_with_the_trend(bench, monkeypatch, capsys):
    now, taken, compare = [0.0], iter([0.5, 0.5, 0.5, 4.0]), committing.keyed_changes

    def comparing(*given, **named):
        now[0] += next(taken)
        return compare(*given, **named)

    monkeypatch.setattr(statistics, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(committing, "keyed_changes", comparing)
    stock = bench(key=["id"])
    (stock.root / "qua3ck.yaml").write_text(PROJECT)
    for at in range(4):
        stock.write(f"{at}.csv", f"id,x\n{at},5\n")
        stock.load()
    *_, before, last = load_history(stock.warehouse, ["stock"])
    assert (before.steps["comparing"], before.slow, before.grew) == (0.5, (), False)
    assert (last.steps["comparing"], last.trend) == (4.0, 8.0)
    for words in (["load", "--history"], ["warehouse"]):
        assert main([*words, str(stock.root)]) == 0
        shown = capsys.readouterr().out.splitlines()
        (line,) = [line for line in shown if "2026-01-05" in line]
        assert "slow: comparing 4.0 s; 8.0 x the time per row of before" in line

"""How long loads took is kept with each of them, and what grew is said."""

from __future__ import annotations

from qua3ck.understand.loading.statistics import Took, load_history


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

"""Going back to an earlier load: everything is as it was then, and the next load goes on there."""

from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading.past import listed_pieces, open_records
from qua3ck.understand.loading.restoring import restore_source, restored_since

KEYED = {"key": ["id"], "types": {"x": "integer"}}


def restore(stock, to, *, act=True):
    return restore_source("stock", to, stock.root, stock.warehouse, now=stock.now, act=act)


@pytest.fixture
def three(bench):
    """Three loads: two good ones, and a bad one that corrects, adds and holds."""
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    stock.load()
    stock.write("b.csv", "id,x\n3,7\n")
    stock.load()
    stock.write("a.csv", "id,x\n1,500\n2,six\n")
    stock.write("c.csv", "id,x\n9,9\n")
    stock.load(accepted={"U065": "a test"})
    return stock


def values(stock, **asked):
    return [(row["id"], row["x"]) for row in stock.rows(**asked)]


def test_what_would_be_undone_is_said_and_nothing_is_done(three):
    to, last = three.loads[1].version, three.warehouse.version("silver/stock")
    said = restore(three, to, act=False)
    assert (said.version, said.rows, said.before) == (None, 3, 4)
    assert said.pieces == ("a.csv", "c.csv")
    assert said.undone == (three.loads[2].known,)
    assert three.warehouse.version("silver/stock") == last


def test_a_restored_source_is_as_it_was_and_what_was_undone_can_still_be_read(three):
    bad = three.now
    done = restore(three, three.loads[1].version)
    assert values(three) == [(1, 5), (2, 6), (3, 7)]
    assert [one.name for one in listed_pieces(three.warehouse, "stock")] == ["a.csv", "b.csv"]
    assert open_records(three.warehouse, "stock").num_rows == 0
    assert values(three, as_of=bad) == [(1, 500), (2, 6), (3, 7), (9, 9)]
    assert [one.version for one in restored_since(three.warehouse, "stock", ())] == [done.version]
    assert restored_since(three.warehouse, "stock", (done.known,)) == []


def test_the_next_load_reads_what_was_undone_and_counts_from_what_is_there(three):
    restore(three, three.loads[1].version)
    three.remove("c.csv")
    three.write("a.csv", "id,x\n1,5\n2,8\n")
    done = three.load()
    assert (done.changed, done.new, done.deleted, done.rows) == (1, 0, 0, 3)
    assert values(three) == [(1, 5), (2, 8), (3, 7)]
    assert three.load().known == ""


def test_what_is_still_there_comes_again(three):
    restore(three, three.loads[1].version)
    done = three.load(accepted={"U065": "a test"})
    assert (done.pieces, done.held) == (2, 1)
    assert values(three) == [(1, 500), (2, 6), (3, 7), (9, 9)]


def test_going_back_can_be_taken_back(three):
    last = three.loads[2].version
    restore(three, three.loads[0].version)
    assert values(three) == [(1, 5), (2, 6)]
    restore(three, last)
    assert values(three) == [(1, 500), (2, 6), (3, 7), (9, 9)]
    assert open_records(three.warehouse, "stock").num_rows == 1
    assert three.load().known == ""


def test_a_load_that_was_killed_before_does_not_come_back_with_it(three, monkeypatch):
    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    three.write("d.csv", "id,x\n10,1\n")
    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.understand.loading.writing._commit", killed)
        with pytest.raises(KeyboardInterrupt):
            three.load()
    restore(three, three.loads[1].version)
    three.remove("d.csv")
    assert [one.name for one in listed_pieces(three.warehouse, "stock")] == ["a.csv", "b.csv"]


def test_what_cannot_be_gone_back_to_is_refused(three):
    with pytest.raises(Qua3ckError, match="Nothing was loaded after") as told:
        restore(three, three.loads[2].version)
    assert told.value.code == "U170"
    last = three.warehouse.version("silver/stock")
    for version in (77, -1, 10**30):
        with pytest.raises(
            Qua3ckError, match=f"no version {version}; possible: 0 to {last}"
        ) as told:
            restore(three, version)
        assert told.value.code == "U170"
        assert "copy" not in told.value.fix, "the warehouse is not broken"
    with pytest.raises(Qua3ckError, match="Nothing was loaded yet"):
        restore_source("beds", 0, three.root, three.warehouse, now=three.now, act=True)

"""What a load changes: the same pieces give the same rows, however and in what order they came."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Engine
from qua3ck.understand.loading import keys
from qua3ck.understand.loading.changes import says_deleted
from qua3ck.understand.loading.worklist import work_list

KEYED = {"key": ["id"]}


def test_only_new_and_changed_rows_of_a_keyed_source_are_written(bench):
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.load()
    stock.write("a.csv", "id,x\n1,5\n2,8\n3,7\n4,9\n")
    done = stock.load()
    assert (done.new, done.changed, done.unchanged, done.deleted) == (1, 1, 2, 0)
    known = {row["id"]: row["_known"] for row in stock.rows(meta=True)}
    assert known[1] == known[3] < known[2] == known[4]


def test_a_key_that_is_not_in_the_corrected_file_any_more_is_gone(bench):
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.load()
    stock.write("a.csv", "id,x\n1,5\n3,7\n")
    assert stock.load().deleted == 1
    assert [row["id"] for row in stock.rows()] == [1, 3]
    assert [row["id"] for row in stock.rows(as_of=stock.now - timedelta(hours=1))] == [1, 2, 3]
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    assert stock.load().new == 1  # and may come back
    assert [row["id"] for row in stock.rows()] == [1, 2, 3]


def test_keys_that_all_differ_are_not_counted_one_by_one(bench, monkeypatch):
    def refused(*_, **__):
        raise AssertionError

    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    stock.write("b.csv", "id,x\n3,5\n")
    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.understand.loading.keys._count", refused)
        assert stock.load().new == 3
    stock.write("c.csv", "id,x\n7,5\n7,6\n8,1\n")  # and those that come again are
    assert (stock.load().new, held_for_key(stock)) == (1, [(1, "U061", "id"), (2, "U061", "id")])


def held_for_key(stock):
    return sorted((one["_row"], one["code"], one["column"]) for one in stock.held())


def test_records_of_one_key_that_differ_are_all_held_and_so_are_those_without_one(bench):
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n1,5\n2,6\n1,7\n,8\n1,5\n3,3\n4,4\n")
    done = stock.load()
    assert (done.came, done.loaded, done.held) == (7, 3, 4)
    assert held_for_key(stock) == [
        (1, "U061", "id"),
        (3, "U061", "id"),
        (4, "U062", "id"),
        (5, "U061", "id"),
    ]
    assert [row["id"] for row in stock.rows()] == [2, 3, 4]
    said = next(one for one in done.findings if one.where.startswith("stock, id, 3 of 7"))
    assert "(U061; a.csv: line 2, line 4, line 6)" in said.says


def test_of_equal_records_of_one_key_the_first_is_loaded(bench):
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x,y\n1,5,\n2,6,\n1,5,\n")
    done = stock.load()
    assert (done.came, done.loaded, done.held) == (3, 2, 1)
    assert held_for_key(stock) == [(3, "U061", "id")]
    assert [row["id"] for row in stock.rows()] == [1, 2]


def test_what_was_loaded_under_a_key_stays_while_its_records_contradict_each_other(bench):
    for extract in ({}, {"extract": "full"}):
        stock = bench(**KEYED, **extract)
        stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
        stock.load()
        stock.write("a.csv", "id,x\n1,50\n1,500\n2,6\n3,7\n")
        done = stock.load()
        assert (done.held, done.deleted, done.waiting) == (2, 0, 2)
        assert [row["x"] for row in stock.rows()] == [5, 6, 7]
        stock.write("a.csv", "id,x\n1,50\n2,6\n3,7\n")
        assert (stock.load().changed, stock.loads[-1].waiting) == (1, 0)
        assert [row["x"] for row in stock.rows()] == [50, 6, 7]


def test_of_a_key_that_contradicts_itself_in_one_piece_another_piece_tells(bench):
    pieces = {"1.csv": "id,x\n1,5\n1,6\n2,2\n3,3\n", "2.csv": "id,x\n1,7\n2,8\n2,9\n4,4\n"}
    results = []
    for together in (False, True):
        stock = bench(**KEYED)
        shutil.rmtree(stock.root)
        for name, text in pieces.items():
            stock.write(name, text)
            if not together:
                stock.load()
        if together:
            assert stock.load().held == 4
        results.append([(row["id"], row["x"]) for row in stock.rows()])
    assert results[0] == results[1] == [(1, 7), (2, 2), (3, 3), (4, 4)]


def current(stock):
    return [(row["id"], row["x"], row["_piece"]) for row in stock.rows(meta=True)]


@pytest.mark.parametrize("rows", ["1,5\n2,6\n", "1,5\n2,six\n3,7\n"])
@pytest.mark.parametrize("before", [False, True])
def test_a_key_that_no_piece_has_is_a_mistake_and_no_crash(before, rows, bench):
    stock = bench(types={"x": "integer"})
    stock.write("a.csv", f"id,x\n{rows}")
    if before:
        stock.load()
    stock.source = stock.source.model_copy(update={"key": ("idd",)})
    with pytest.raises(
        Qua3ckError, match=r'No piece has a column "idd".* did you mean "id"'
    ) as told:
        stock.load()
    assert (told.value.code, told.value.where) == ("U104", "understand.sources.stock.key: idd")
    assert "name columns that are there: id, x" in told.value.fix


def test_keys_are_told_apart_in_parts_that_share_none(monkeypatch):
    """So memory is that of a part, however many records there are."""
    monkeypatch.setattr(keys, "_PART", 100)
    made = pa.table(
        {"a": [at % 450 for at in range(1000)], "b": [f"k{at % 9}" for at in range(1000)]}
    )
    with Engine() as engine:
        rows = engine.arrow(made)
        parts = [engine.rows(part).to_pylist() for part in keys._parts(engine, rows, ["a", "b"])]
    assert sum(map(len, parts)) == 1000
    assert max(map(len, parts)) < 150
    told = [{(row["a"], row["b"]) for row in part} for part in parts]
    assert sum(map(len, told)) == len(set().union(*told)) == 450


@pytest.mark.parametrize("part", [1, 1 << 22])
def test_what_is_held_for_its_key_does_not_depend_on_the_parts(part, bench, monkeypatch):
    monkeypatch.setattr(keys, "_PART", part)
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n1,5\n2,6\n1,7\n,8\n3,3\n3,3\n4,4\n")
    stock.write("b.csv", "id,x\n4,9\n5,1\n6,1\n6,2\n7,1\n")
    done = stock.load()
    assert (done.came, done.held, done.superseded) == (12, 6, 1)
    assert current(stock) == [
        (2, 6, "a.csv"),
        (3, 3, "a.csv"),
        (4, 9, "b.csv"),
        (5, 1, "b.csv"),
        (7, 1, "b.csv"),
    ]


@pytest.mark.parametrize("extract", [{}, {"extract": "changes"}])
@pytest.mark.parametrize("loaded_before", [False, True])
def test_where_a_later_piece_contradicts_itself_the_earlier_row_is_current_and_that_is_told(
    extract, loaded_before, bench
):
    stock = bench(**KEYED, **extract)
    stock.write("a.csv", "id,x\n1,1\n2,6\n3,3\n")
    stock.load()
    if loaded_before:
        stock.write("b.csv", "id,x\n3,4\n4,5\n2,7\n")
        stock.load()
        assert (2, 7, "b.csv") in current(stock)
    stock.write("b.csv", "id,x\n3,4\n4,5\n\n2,7\n2,9\n")
    done = stock.load()
    assert current(stock) == [(1, 1, "a.csv"), (2, 6, "a.csv"), (3, 4, "b.csv"), (4, 5, "b.csv")]
    (said,) = [one.says for one in done.findings if one.code == "U060"]
    assert "(U061; b.csv: line 5, line 6); what else stands under it stays current" in said
    desk = SimpleNamespace(warehouse=stock.warehouse, root=stock.root)
    waiting = work_list("stock", stock.source, desk)
    assert [(one.place, one.received, one.stays) for one in waiting] == [
        ("line 5", "2; x 7", "a.csv"),
        ("line 6", "2; x 9", "a.csv"),
    ]
    stock.write("b.csv", "id,x\n3,4\n4,5\n2,9\n")
    stock.load()
    assert (2, 9, "b.csv") in current(stock)
    assert not stock.held()


def test_a_held_record_under_whose_key_nothing_stands_says_so(bench):
    stock = bench(key=["a", "b"], types={"x": "integer"})
    stock.write("a.csv", "a,b,x\n1,u,5\n2,u,6\n3,,7\n9,u,1\n9,u,2\n")
    stock.load()
    stock.write("b.csv", "a,b,x\n1,u,6\n2,u,seven\n7,u,7\n8,u,8\n")
    stock.load()
    desk = SimpleNamespace(warehouse=stock.warehouse, root=stock.root)
    waiting = work_list("stock", stock.source, desk)
    assert [(one.piece, one.row, one.stays) for one in waiting] == [
        ("a.csv", 3, ""),
        ("a.csv", 4, ""),
        ("a.csv", 5, ""),
        ("b.csv", 2, "a.csv"),
    ]


def test_an_entry_of_a_contradiction_ends_when_a_later_piece_settles_it(bench):
    stock = bench(**KEYED)
    stock.write("may.csv", "id,x\n1,5\n1,6\n2,2\n3,3\n")
    assert stock.load().waiting == 2
    stock.write("next.csv", "id,x\n1,7\n")
    assert stock.load().waiting == 0
    assert [row["x"] for row in stock.rows()] == [7, 2, 3]


def test_a_first_piece_of_which_all_records_contradict_each_other_leaves_an_empty_table(bench):
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n1,5\n1,6\n")
    done = stock.load()
    assert (done.came, done.loaded, done.held, done.rows) == (2, 0, 2, 0)
    stock.write("a.csv", "id,x\n1,6\n")
    assert stock.load().rows == 1


def test_a_key_that_half_of_a_long_piece_shares_holds_it(bench):
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x\n" + "".join(f"{i // 2},{i}\n" for i in range(2002)))
    with pytest.raises(Qua3ckError, match="2002 of 2002 rows have the key"):
        stock.load()


def test_of_several_pieces_with_one_key_the_last_to_come_first_counts(bench):
    stock = bench(**KEYED)
    stock.write("may.csv", "id,x\n1,5\n2,6\n")
    stock.load()
    stock.write("june.csv", "id,x\n2,7\n")  # earlier in the alphabet, later to come
    stock.load()
    assert [row["x"] for row in stock.rows()] == [5, 7]
    stock.write("may.csv", "id,x\n1,5\n2,9\n")  # a correction of what is superseded
    done = stock.load()
    assert done.superseded == 1
    assert [row["x"] for row in stock.rows()] == [5, 7]


def test_a_key_taken_out_of_the_later_piece_falls_back_to_the_earlier_one(bench):
    stock = bench(**KEYED, shrinks=1)
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    stock.load()
    stock.write("b.csv", "id,x\n2,7\n3,8\n")
    stock.load()
    stock.write("b.csv", "id,x\n3,8\n")
    assert stock.load().pieces == 2  # both are read: only together they tell
    assert stock.rows() == [{"id": 1, "x": 5}, {"id": 2, "x": 6}, {"id": 3, "x": 8}]


def test_a_full_extract_says_what_is_gone(bench):
    stock = bench(**KEYED, extract="full")
    stock.write("2024-01.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.load()
    stock.write("2024-02.csv", "id,x\n1,5\n2,9\n")
    done = stock.load()
    assert (done.changed, done.unchanged, done.deleted) == (1, 1, 1)
    assert [row["id"] for row in stock.rows()] == [1, 2]
    stock.write("2024-01.csv", "id,x\n7,7\n")
    late = stock.load()
    assert (late.known, [one.code for one in late.findings]) == ("", ["U068"])


def test_a_full_extract_that_lost_most_of_its_rows_is_held(bench):
    stock = bench(**KEYED, extract="full")
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.load()
    stock.write("b.csv", "id,x\n8,5\n9,6\n3,7\n")  # as many rows, but others
    held = stock.load()
    assert [one.code for one in held.held_pieces] == ["U065"]
    assert [row["id"] for row in stock.rows()] == [1, 2, 3]


def test_the_newest_extract_vanishing_does_not_bring_an_older_state_back(bench):
    stock = bench(**KEYED, extract="full")
    stock.write("1.csv", "id,x\n1,5\n")
    stock.load()
    stock.write("2.csv", "id,x\n1,6\n")
    stock.load()
    stock.remove("2.csv")
    assert [one.code for one in stock.load().findings] == ["U066"]
    assert [row["x"] for row in stock.rows()] == [6]
    stock.load(accepted={"U066": "it was wrong"})
    assert [row["x"] for row in stock.rows()] == [5]


def test_a_feed_of_changes_takes_nothing_away(bench):
    stock = bench(**KEYED, extract="changes")
    stock.write("1.csv", "id,x\n1,5\n2,6\n")
    stock.load()
    stock.write("2.csv", "id,x\n2,7\n")
    done = stock.load()
    assert (done.changed, done.deleted) == (1, 0)
    assert stock.rows() == [{"id": 1, "x": 5}, {"id": 2, "x": 7}]


def test_a_key_of_several_columns_and_no_others(bench):
    stock = bench(key=["a", "b"])
    stock.write("a.csv", "a,b\n1,x\n1,y\n2,x\n")
    stock.load()
    stock.write("a.csv", "a,b\n1,x\n2,x\n2,y\n")
    done = stock.load()
    assert (done.new, done.unchanged, done.deleted) == (1, 2, 1)


def test_a_null_is_a_value_like_any_other(bench):
    stock = bench(**KEYED)
    stock.write("a.csv", "id,x,y\n1,,b\n2,a,\n3,,\n")
    stock.load()
    stock.write("a.csv", "id,x,y\n1,b,\n2,a,\n3,,\n")
    done = stock.load()
    assert (done.changed, done.unchanged) == (1, 2)


def test_a_key_that_tells_no_rows_apart_holds_the_load(bench, monkeypatch):
    monkeypatch.setattr("qua3ck.understand.loading.keys._SOME", 2)
    stock = bench(key=["month"])
    stock.write("a.csv", "id,month\n1,5\n2,5\n3,5\n4,5\n5,6\n")
    with pytest.raises(Qua3ckError, match=r"3 of 5 rows have the key \(month\)") as told:
        stock.load()
    assert told.value.code == "U064"


def test_another_key_makes_the_table_anew_and_what_was_known_stays(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n1,6\n2,7\n")
    stock.load()
    then = stock.now
    plain = stock.source
    stock.source = stock.source.model_copy(update={"key": ("id",)})
    done = stock.load()
    assert (done.loaded, done.held) == (1, 2)
    assert stock.rows() == [{"id": 2, "x": 7}]
    stock.source = plain
    assert len(stock.rows(as_of=then)) == 3


ROWS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from("abc"), ROWS | st.none()), min_size=1, max_size=4)


def replayed(order: list[str], files: dict[str, list[tuple[int, int]]]) -> list[dict[str, int]]:
    """Return what a keyed table must hold: of each key the row of the piece that came last.

    A piece that says two things of a key says nothing of it.
    """
    current: dict[int, int] = {}
    for name in order:
        rows = set(files.get(name, []))
        keys = [key for key, _ in rows]
        current |= {key: value for key, value in rows if keys.count(key) == 1}
    return [{"id": key, "x": current[key]} for key in sorted(current)]


@pytest.mark.parametrize("often", [False, True])
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(steps=STEPS)
def test_the_rows_follow_from_the_pieces_and_their_order_alone(
    often, steps, bench, tmp_path_factory
):
    stock = bench(**KEYED, shrinks=1)
    stock.root = tmp_path_factory.mktemp("project")
    stock.recorded, order, files = [], [], {}
    accept = {"U066": "it is meant to be gone", "U064": "so be it"}
    for at, (name, made) in enumerate(steps):
        if made is None and (name not in files or len(files) == 1):
            continue
        if made is None:
            del files[name]
            stock.remove(f"{name}.csv")
        else:
            said = dict(reversed(made))  # what was loaded stays while a piece contradicts itself
            files[name] = [(key, said[key]) for key, _ in made] if often else made
            text = "".join(f"{key},{value}\n" for key, value in files[name])
            stock.write(f"{name}.csv", f"id,x\n{text}")
        if not often and at + 1 < len(steps):
            continue
        order = [one for one in order if one in files]
        order += sorted(set(files) - set(order))
        stock.load(accepted=accept)
        assert stock.rows() == replayed(order, files)
        assert stock.load(accepted=accept).known == ""
    if files and not often:
        stock.load(accepted=accept)
        assert stock.rows() == replayed(sorted(files), files)


@pytest.mark.parametrize(
    ("marker", "gone"),
    [
        (pa.array([True, False, None]), [True, False, False]),
        (pa.array([1, 0, None]), [True, False, False]),
        (pa.array([1.0, 0.0, None]), [True, False, False]),
        (
            pa.array(["true", " False ", "", "0", None, "No", "x"]),
            [True, False, False, False, False, False, True],
        ),
        (pa.array([datetime(2024, 1, 1, tzinfo=UTC), None]), [True, False]),
        (pa.array([date(2024, 1, 1), None]), [True, False]),
    ],
)
def test_a_deletion_can_be_told_in_several_ways(marker, gone):
    with Engine() as engine:
        rows = engine.arrow(pa.table({"marker": marker}))
        told = engine.rows(rows.select(gone=says_deleted(rows.marker)))
    assert told["gone"].to_pylist() == gone


def test_a_day_of_validity_that_no_piece_has_is_refused_where_it_is_declared(bench):
    stock = bench(key=["id"])
    stock.source = stock.source.model_copy(update={"valid_from": "sinc"})
    stock.write("a.csv", "id,since\n1,2026-01-01\n")
    with pytest.raises(Qua3ckError, match='did you mean "since"') as told:
        stock.load()
    assert told.value.where == "understand.sources.stock.valid_from: sinc"

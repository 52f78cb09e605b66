from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Engine, Warehouse, content_digest

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"


def test_a_key_that_comes_again_replaces_its_row_and_a_tombstone_ends_it(load, rows, values):
    load(rows([1, 2, 3]))
    load(rows([2, 4], "new", piece="b.csv"))
    load(rows([3, 9], gone=True, piece="c.csv"))
    assert values() == [(1, "old"), (2, "new"), (4, "new")]
    load(rows([3], "back", piece="d.csv"))
    assert values() == [(1, "old"), (2, "new"), (3, "back"), (4, "new")]


def test_a_piece_that_comes_again_replaces_all_of_its_rows(load, rows, values):
    load(pa.concat_tables([rows([1, 2], piece="a"), rows([3], piece="b")]))
    load(rows([7], "corrected", piece="a"))
    assert values(by=("_piece",)) == [(7, "corrected"), (3, "old")]
    load(rows([0], gone=True, piece="b"))
    assert values(by=("_piece",)) == [(7, "corrected")]


def test_null_equals_null_in_a_key(load, rows, values):
    load(rows([1, None]))
    load(rows([None], "new"))
    assert values() == [(1, "old"), (None, "new")]


def test_pieces_with_long_names_that_begin_alike_are_not_one(load, rows, values):
    """Ends of texts in a log may be cut; a file is one piece only if they were not."""
    long = "the same beginning for all of them " * 20
    load(rows([1], piece=f"{long}1"))
    load(rows([2], piece=f"{long}2"))
    assert values(by=("_piece",)) == [(1, "old"), (2, "old")]


def test_the_columns_about_the_load_are_shown_only_when_asked(house, load, rows):
    known = load(rows([5]))
    assert house.current(TABLE).column_names == ["id", "value"]
    whole = house.current(TABLE, meta=True).to_pylist()
    assert whole == [
        {"id": 5, "value": "old", "_piece": "a.csv", "_row": 1, "_known": known, "_gone": False}
    ]
    assert house.current(TABLE, columns=["value", "_row"]).to_pydict() == {
        "value": ["old"],
        "_row": [1],
    }


def test_a_view_gives_the_same_rows_on_an_engine(house, load, rows):
    load(rows([1, 2]))
    load(rows([2, 3], "new"))
    with Engine() as engine:
        view = house.current_view(TABLE, engine=engine, by=("id",))
        assert engine.rows(view, order=["id"]) == house.current(TABLE, by=("id",))
        every = house.view(TABLE, engine=engine)
        assert engine.rows(every.count()).column(0).to_pylist() == [4]
        at_first = house.view(TABLE, engine=engine, version=0)
        assert engine.rows(at_first.id.max().name("m").as_table()).to_pydict() == {"m": [2]}


@pytest.mark.parametrize("ask", [{"by": ("idd",)}, {"columns": ["idd"]}])
def test_a_column_that_is_not_there_is_named_with_a_guess(house, load, rows, ask):
    load(rows([1]))
    with pytest.raises(Qua3ckError, match='did you mean "id"') as told:
        house.current(TABLE, **ask)
    assert told.value.code == "S008"


def test_a_version_whose_files_are_gone_says_so(house, folder, load, rows, values):
    load(rows([1]))
    first = next(folder.glob("*.parquet"))
    load(rows([2]))
    first.unlink()
    for act in (values, lambda: house.read(TABLE), lambda: house.snapshot(TABLE)):
        with pytest.raises(Qua3ckError, match="1 files of") as told:
            act()
        assert told.value.code == "S011"
    with pytest.raises(Qua3ckError) as told:
        house.current(TABLE, version=7)
    assert told.value.code == "S003"


def test_partitions_of_other_writers_are_read_from_the_log(house, folder):
    places = ["a b/%=", "ü+", None]
    theirs = pa.table({"place": places, "at": [1, 2, None], "id": [1, 2, 3]})
    write_deltalake(str(folder), theirs, partition_by=["place", "at"])
    found = house.current(TABLE, by=("id",))
    assert found.to_pydict() == {"place": places, "at": [1, 2, None], "id": [1, 2, 3]}
    assert house.read(TABLE).sort_by("id").to_pydict() == found.to_pydict()


def test_what_only_a_full_reader_of_delta_can_read_goes_through_one(
    house, load, rows, values, monkeypatch
):
    """Deletion vectors and column mapping: the files alone would show deleted rows."""
    load(rows([1, 2]))
    load(rows([2], "new"))
    expected = values()
    for module in ("current", "whole"):
        monkeypatch.setattr(f"qua3ck.store.warehouse.{module}.readable", lambda _: False)
    assert values() == expected
    assert house.read(TABLE).num_rows == 3


def test_tables_with_deletion_vectors_are_not_read_by_their_files(folder, rows):
    from qua3ck.store.warehouse.files import readable

    write_deltalake(str(folder), rows([1]))
    assert readable(DeltaTable(str(folder)))
    write_deltalake(
        str(folder.with_name("other")),
        rows([1]),
        configuration={"delta.enableDeletionVectors": "true"},
    )
    assert not readable(DeltaTable(str(folder.with_name("other"))))


ROW = st.tuples(st.integers(0, 5) | st.none(), st.sampled_from(["x", "y"]), st.booleans())
LOAD = st.tuples(st.sampled_from(["a", "b"]), st.lists(ROW, max_size=6))


def _formula(history, by):
    """The latest load of each identity, unless gone, straight from its definition."""
    latest: dict[tuple, int] = {}
    for row in history:
        key = tuple(row[name] for name in by)
        latest[key] = max(latest.get(key, -1), row["load"])
    kept = [
        row
        for row in history
        if row["load"] == latest[tuple(row[name] for name in by)] and not row["_gone"]
    ]
    keys = [] if by == ("_piece",) else by
    order = [*keys, "_piece", "_row", "load"]
    return sorted(kept, key=lambda row: [(row[name] is None, row[name]) for name in order])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    by=st.sampled_from([("id",), ("id", "place"), ("_piece",)]),
    loads=st.lists(st.tuples(LOAD, st.booleans()), min_size=1, max_size=4),
    apart=st.booleans(),
)
def test_current_is_what_the_formula_says_whatever_came_and_was_folded(by, loads, apart):
    with TemporaryDirectory() as place:
        house = Warehouse(Path(place))
        history: list[dict] = []
        then = []
        for number, ((piece, came), fold) in enumerate(loads):
            known = START + timedelta(days=number)
            once: dict[tuple, dict] = {}
            for at, (key, where, gone) in enumerate(came):
                row = {"id": key, "place": where, "_piece": piece, "_row": at, "_gone": gone}
                once.setdefault(tuple(row[name] for name in by) if by != ("_piece",) else at, row)
            new = list(once.values())
            house.append(TABLE, _table(new), known=known, partition=["place"] if apart else ())
            history += [{**row, "load": number} for row in new]
            then.append((known, _formula(history, by)))
            if fold:
                house.compact(TABLE, by=by)
        _, rows, digest = house.snapshot(TABLE, by=by)
        found = house.current(TABLE, by=by)
        assert (rows, digest) == (found.num_rows, content_digest(found))
        house.compact(TABLE, by=by)
        assert house.snapshot(TABLE, by=by)[1:] == (rows, digest)
        for known, expected in then:
            known_then = house.current(TABLE, by=by, as_of=known).to_pylist()
            assert known_then == [{"id": r["id"], "place": r["place"]} for r in expected]


def _table(rows):
    kinds = {
        "id": pa.int64(),
        "place": pa.string(),
        "_piece": pa.string(),
        "_row": pa.int64(),
        "_gone": pa.bool_(),
    }
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))

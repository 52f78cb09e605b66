from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.store.warehouse import Engine, Warehouse, next_known
from qua3ck.store.warehouse.folder import Folder

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"


def files(folder):
    return sorted(path for path in folder.rglob("*.parquet"))


def complete(rows, known=START):
    return rows.append_column(
        "_known", pa.array([known] * rows.num_rows, pa.timestamp("us", "UTC"))
    )


def test_a_complete_file_is_taken_in_byte_for_byte_and_is_not_the_callers_any_more(
    house, folder, rows, tmp_path
):
    mine = tmp_path / "rows.parquet"
    pq.write_table(complete(rows([1, 2])), mine)
    house.append(TABLE, mine, known=START)
    (taken,) = files(folder)
    assert file_digest(taken) == file_digest(mine)
    pq.write_table(complete(rows([9])), mine)  # the same path again, for the next piece
    assert house.current(TABLE, by=("id",))["id"].to_pylist() == [1, 2]


def test_a_file_that_is_given_away_is_moved_in_and_not_copied(house, folder, rows, tmp_path):
    mine = tmp_path / "rows.parquet"
    pq.write_table(complete(rows([1, 2])), mine)
    same = mine.stat().st_ino
    house.append(TABLE, mine, known=START, move=True)
    (taken,) = files(folder)
    assert (taken.stat().st_ino, mine.exists()) == (same, False)
    assert house.current(TABLE, by=("id",))["id"].to_pylist() == [1, 2]


def test_a_file_that_cannot_be_moved_in_is_copied(house, folder, rows, tmp_path, monkeypatch):
    def elsewhere(self, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(self), None, str(target))

    mine = tmp_path / "rows.parquet"
    pq.write_table(complete(rows([1, 2])), mine)
    monkeypatch.setattr(type(mine), "rename", elsewhere)
    house.append(TABLE, mine, known=START, move=True)
    (taken,) = files(folder)
    assert file_digest(taken) == file_digest(mine)


def test_other_readers_of_delta_see_the_same_rows_and_what_the_log_says_of_them(
    house, folder, rows, tmp_path
):
    both = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    pq.write_table(complete(rows([1, 2, None])), both[0])
    pq.write_table(complete(rows([7], piece="b.csv")), both[1])
    house.append(TABLE, both, known=START)
    delta = DeltaTable(str(folder))
    by_rust = pa.table(delta.scan().read_all())
    by_duck = duckdb.read_parquet([str(path) for path in files(folder)])
    assert sorted(by_rust["id"].to_pylist(), key=str) == [1, 2, 7, None]
    assert by_duck.aggregate("count(*), sum(id)").fetchall() == [(4, 10)]
    said = {
        line["path"]: line for line in pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    }
    for path in files(folder):
        own = pq.read_table(path)
        line = said[path.name]
        assert line["num_records"] == own.num_rows
        assert line["size_bytes"] == path.stat().st_size
        assert line["null_count.id"] == own["id"].null_count
        assert (line["min._piece"], line["max._piece"]) == (own["_piece"][0].as_py(),) * 2
        assert line["min._known"] == line["max._known"] == START
    skipped = delta.file_uris(file_pruning_predicate=[("id", ">", "5")])
    assert len(skipped) == 1  # the ends are good enough to leave a file unread


def test_a_table_or_a_stream_gets_the_moment_of_its_load(house, load, rows):
    first = load(rows([1]))
    second = load(rows([2]).to_reader())
    found = house.current(TABLE, by=("id",), meta=True)
    assert found["_known"].to_pylist() == [first, second]
    assert [one.known for one in house.loads(TABLE)] == [first, second]


def test_several_files_are_one_version(house, rows, tmp_path):
    paths = [tmp_path / f"{number}.parquet" for number in range(3)]
    for number, path in enumerate(paths):
        pq.write_table(rows([number]), path)  # without _known: decoded, and it is added
    assert house.append(TABLE, paths, known=START, about={"source": "stock"}) == 0
    assert house.loads(TABLE)[0].about == {"source": "stock"}
    assert house.current(TABLE, by=("id",)).num_rows == 3


def test_a_load_without_rows_is_still_a_version(house, load, rows):
    load(rows([1]))
    assert load([]) == house.known(TABLE)
    assert load(rows([])) == house.known(TABLE)
    nothing = pa.concat_tables([rows([]), rows([2])])  # a first chunk of no rows
    load(nothing)
    assert house.current(TABLE, by=("id",))["id"].to_pylist() == [1, 2]


def test_a_new_column_is_null_in_older_rows_and_a_missing_one_in_newer(house, load, rows):
    load(rows([1]))
    load(rows([2]).append_column("more", pa.array([0.5])))
    load(rows([3]).drop_columns("value"))
    found = house.current(TABLE, by=("id",))
    assert found.column_names == ["id", "value", "more"]
    assert found.to_pydict() == {
        "id": [1, 2, 3],
        "value": ["old", "old", None],
        "more": [None, 0.5, None],
    }
    assert house.columns(TABLE, version=0) == (*rows([]).column_names, "_known")


def test_whole_numbers_fit_into_a_column_of_decimals_and_null_fits_everywhere(house, load):
    load(pa.table({"id": [1], "share": [0.5]}))
    load(pa.table({"id": pa.array([2], pa.int32()), "share": [2]}))
    load(pa.table({"id": [3], "share": pa.nulls(1)}))
    assert sorted(house.current(TABLE, by=("id",))["share"].to_pylist(), key=str) == [0.5, 2, None]


@pytest.mark.parametrize(
    ("column", "value"),
    [("id", "1"), ("id", 0.5), ("share", "x"), ("share", 2**53 + 1), ("ID", 1)],
)
def test_a_column_of_another_type_is_refused_and_nothing_is_added(
    house, folder, load, column, value
):
    load(pa.table({"id": [1], "share": [0.5]}))
    before = files(folder)
    with pytest.raises(Qua3ckError, match=f'"{column}"') as told:
        load(pa.table({column: [value]}))
    assert told.value.code in {"S007", "S002"}
    assert (files(folder), house.version(TABLE)) == (before, 0)


def test_a_load_that_is_not_later_than_the_last_one_is_refused(house, load, rows):
    known = load(rows([1]))
    for moment in (known, known - timedelta(days=1)):
        with pytest.raises(Qua3ckError) as told:
            house.append(TABLE, rows([2]), known=moment)
        assert told.value.code == "S006"
    with pytest.raises(ValueError, match="time zone"):
        house.append(TABLE, rows([2]), known=datetime(2027, 1, 1))  # noqa: DTZ001 - on purpose


def test_rows_that_say_another_moment_than_their_load_are_refused(house, folder, rows, tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(complete(rows([1]), START - timedelta(days=1)), path)
    with pytest.raises(Qua3ckError, match="moment") as told:
        house.append(TABLE, path, known=START)
    assert told.value.code == "S007"
    assert files(folder) == []


def test_a_source_that_breaks_off_leaves_nothing(house, folder, load, rows):
    load(rows([1]))

    def broken():
        yield from rows([2]).to_batches()
        raise OSError(5, "Input/output error")

    stream = pa.RecordBatchReader.from_batches(rows([]).schema, broken())
    with pytest.raises(Qua3ckError, match="Input/output"):
        load(stream)
    assert (len(files(folder)), house.version(TABLE)) == (1, 0)


def test_a_full_disk_is_told_plainly_and_nothing_is_left(house, folder, load, rows, monkeypatch):
    load(rows([1]))

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.store.warehouse.loading.flushed", full)
        with pytest.raises(Qua3ckError, match="No space left") as told:
            load(rows([2]))
    assert told.value.code == "S004"
    assert len(files(folder)) == 1
    load(rows([3]))
    assert house.current(TABLE, by=("id",))["id"].to_pylist() == [1, 3]


def test_what_fails_after_the_log_has_the_version_does_not_undo_it(house, load, rows, monkeypatch):
    load(rows([1]))
    commit = DeltaTable.create_write_transaction

    def then_full(*args, **options):
        commit(*args, **options)
        raise OSError(28, "No space left on device")  # writing a checkpoint, say

    with monkeypatch.context() as patch:
        patch.setattr(DeltaTable, "create_write_transaction", then_full)
        load(rows([2]))
    assert house.current(TABLE, by=("id",))["id"].to_pylist() == [1, 2]


def test_when_another_program_commits_first_it_is_done_again(house, load, rows, monkeypatch):
    load(rows([1]))
    commit, lost = Folder.commit, []

    def lose_once(self, *args, **options):
        if not lost:
            lost.append(True)
            raise CommitFailedError("conflict")
        return commit(self, *args, **options)

    monkeypatch.setattr("time.sleep", lambda _: None)
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "commit", lose_once)
        load(rows([2]))
    assert house.current(TABLE, by=("id",))["id"].to_pylist() == [1, 2]

    def lose(*_, **__):
        raise CommitFailedError("conflict")

    monkeypatch.setattr(Folder, "commit", lose)
    with pytest.raises(Qua3ckError, match="Another process") as told:
        load(rows([3]))
    assert told.value.code == "S001"


def test_writers_at_the_same_time_all_succeed_and_no_two_loads_have_one_moment(tmp_path, rows):
    def write(number: int) -> None:
        house = Warehouse(tmp_path)
        house.append(TABLE, rows([number]), known=lambda last: next_known(START, last))

    Warehouse(tmp_path).append(TABLE, rows([-1]), known=START)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(6)))
    house = Warehouse(tmp_path)
    assert house.current(TABLE, by=("id",))["id"].to_pylist() == list(range(-1, 6))
    moments = [one.known for one in house.loads(TABLE)]
    assert moments == sorted(set(moments))


def test_a_partitioned_table_reads_the_same_and_lies_apart_on_disk(house, folder, load, rows):
    places = ["a b/%=+", "ü", None, "x' OR 1=1"]
    table = rows([1, 2, 3, 4]).append_column("place", pa.array(places))
    load(table, partition=["place"])
    load(rows([5]).append_column("place", pa.array(["ü"])))
    found = house.current(TABLE, by=("id",), columns=["id", "place"])
    assert found.to_pydict() == {"id": [1, 2, 3, 4, 5], "place": [*places, "ü"]}
    delta = DeltaTable(str(folder))
    assert delta.metadata().partition_columns == ["place"]
    assert sorted(pa.table(delta.scan().read_all())["place"].to_pylist(), key=str) == sorted(
        [*places, "ü"], key=str
    )
    assert len(delta.file_uris(file_pruning_predicate=[("place", "=", "ü")])) == 2
    assert not list(folder.glob(".split-*"))


@pytest.mark.parametrize(
    ("column", "says"), [(["", "x"], "empty texts"), ([0.5, 1.5], "type double")]
)
def test_what_cannot_name_a_part_is_no_partition(house, folder, rows, column, says):
    table = rows([1, 2]).append_column("part", pa.array(column))
    with pytest.raises(Qua3ckError, match=says) as told:
        house.append(TABLE, table, known=START, partition=["part"])
    assert told.value.code == "S008"
    assert files(folder) == []


def test_replace_takes_the_place_of_the_rows_that_match(house, load, rows, values):
    load(rows([1, 2]))
    load(rows([3, 4], piece="b.csv"))
    house.replace(TABLE, rows([3, 5], "new", piece="b.csv"), where={"_piece": "b.csv"})
    assert values() == [(1, "old"), (2, "old"), (3, "new"), (5, "new")]
    house.delete(TABLE, where={"id": [1, 5]})
    assert values() == [(2, "old"), (3, "new")]
    house.delete(TABLE, where={"id": 404})
    house.delete(TABLE, where={"id": []})
    assert values() == [(2, "old"), (3, "new")]


def test_deleting_by_null_and_by_moment(house, load, rows, values):
    load(rows([1, None]))
    leftover = load(rows([7], piece="b.csv"))
    house.delete(TABLE, where={"_known": [leftover]})
    assert values() == [(1, "old"), (None, "old")]
    house.delete(TABLE, where={"id": None})
    assert values() == [(1, "old")]


def test_rows_that_are_cut_out_of_the_base_leave_the_others_current(house, load, rows, values):
    """The rest of a cut file is no older than itself: the base must not be held against it."""
    load(pa.concat_tables([rows([1, 2], piece="a.csv"), rows([3], piece="b.csv")]))
    load(rows([9], piece="c.csv"))
    house.delete(TABLE, where={"id": 2})
    assert values(by=("_piece",)) == [(1, "old"), (3, "old"), (9, "old")]
    house.compact(TABLE, by=("_piece",))
    assert values(by=("_piece",)) == [(1, "old"), (3, "old"), (9, "old")]


def test_deleting_by_a_column_that_is_not_there_says_which_are(house, load, rows):
    load(rows([1]))
    with pytest.raises(Qua3ckError, match='did you mean "value"') as told:
        house.delete(TABLE, where={"valeu": 1})
    assert told.value.code == "S008"


def test_a_source_read_anew_replaces_rows_columns_and_partitions_in_one_version(
    house, load, rows, values
):
    first = load(rows([1, 2]).append_column("place", pa.array(["x", "y"])), partition=["place"])
    anew = pa.table({"id": ["a", "b"], "_piece": ["n", "n"], "_row": [1, 2]})
    load(anew, instead=True)
    assert house.version(TABLE) == 1
    assert house.current(TABLE, by=("id",)).to_pydict() == {"id": ["a", "b"]}
    assert values(as_of=first) == [(1, "old"), (2, "old")]
    load(pa.table({"id": ["b"], "_piece": ["m"], "_row": [1]}))
    found = house.current(TABLE, by=("id",), meta=True)
    assert found["_piece"].to_pylist() == ["n", "m"]


SPITE = ["x'); DROP TABLE y; --", 'say "no"', "a\nb", "Ünï", "select", "file_row_number "]


def test_names_with_quotes_and_sql_in_them_are_only_names(tmp_path):
    house = Warehouse(tmp_path)
    table = "silver/x'); DROP TABLE y; --"
    names = [*SPITE, "_piece", "_row"]
    one = pa.table({name: [number] for number, name in enumerate(names[:-2])})
    one = one.append_column("_piece", pa.array(["'; --"])).append_column("_row", pa.array([1]))
    house.append(table, one, known=START, partition=[SPITE[0]])
    house.append(table, one, known=START + timedelta(1))
    by = tuple(SPITE[1:3])
    want = {name: [number] for number, name in enumerate(SPITE)}
    assert house.current(table, by=by).to_pydict() == want
    house.compact(table, by=by)
    assert house.current(table, by=by).to_pydict() == want
    with Engine() as engine:
        view = house.current_view(table, engine=engine, by=by)
        assert engine.rows(view).to_pydict() == want
    house.delete(table, where={SPITE[1]: 1, SPITE[0]: [0]})
    assert house.current(table, by=by).num_rows == 0


@pytest.mark.parametrize(
    "name", ["stock", "../ledger/x", "a/../b", "/etc/x", "a//b", "a/b/c", ".a/b", "a/_b", "a\\b/c",
             'a/b"c', "a/b*", "a/\0"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_or_cannot_be_copied_is_refused(house, rows, name):
    for act in (
        lambda: house.append(name, rows([1]), known=START),
        lambda: house.write(name, rows([1])),
        lambda: house.read(name),
        lambda: house.known(name),
    ):
        with pytest.raises(Qua3ckError, match="name of a table") as told:
            act()
        assert told.value.code == "S010"


def test_a_place_that_cannot_be_written_is_told_plainly(tmp_path, rows):
    (tmp_path / "warehouse").write_text("a file where a folder should be")
    with pytest.raises(Qua3ckError) as told:
        Warehouse(tmp_path).append(TABLE, rows([1]), known=datetime.now(UTC))
    assert told.value.code == "S004"

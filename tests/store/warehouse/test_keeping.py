from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from filelock import FileLock

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import unswept

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"
BY = ("id",)


def parquet(folder):
    return {path.name for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts}


def test_folding_keeps_what_is_current_its_digest_and_all_that_was(house, folder, load, rows):
    first = load(rows([1, 2, 3]))
    load(rows([2], "new", piece="b.csv"))
    load(rows([3], gone=True, piece="c.csv"))
    before = house.snapshot(TABLE, by=BY)
    assert house.compact(TABLE, by=BY) == before[0] + 1
    assert house.snapshot(TABLE, by=BY)[1:] == before[1:]
    last = DeltaTable(str(folder))
    assert pa.table(last.scan().read_all()).num_rows == 2  # superseded rows and tombstones went
    assert len(last.file_uris()) == 1
    assert house.current(TABLE, by=BY, as_of=first)["value"].to_pylist() == ["old"] * 3
    assert house.compact(TABLE, by=BY) == before[0] + 1, "nothing came: no new version"


def test_a_fold_for_one_identity_is_no_base_for_another(house, load, rows, values):
    load(rows([1, 2], piece="a"))
    load(rows([2, 3], "new", piece="b"))
    house.compact(TABLE, by=BY)
    load(rows([2], "newest", piece="a"))
    assert values() == [(1, "old"), (2, "newest"), (3, "new")]
    assert values(by=("_piece",)) == [(2, "newest"), (2, "new"), (3, "new")]


def test_folding_waits_until_enough_has_come(house, load, rows):
    load(rows(range(100)))
    load(rows([1, 2]))
    assert house.compact(TABLE, by=BY, beyond=0.1) == 1
    load(rows(range(20)))
    assert house.compact(TABLE, by=BY, beyond=0.1) == 3
    assert house.loads(TABLE, every=True)[-1].act == "fold"


def test_folding_a_table_whose_rows_all_went(house, load, rows):
    load(rows([1]))
    load(rows([1], gone=True))
    house.compact(TABLE, by=BY)
    assert house.current(TABLE, by=BY).num_rows == 0
    load(rows([1], "back"))
    assert house.current(TABLE, by=BY)["value"].to_pylist() == ["back"]


def test_folding_a_partitioned_table_keeps_it_apart(house, folder, load, rows):
    place = pa.array(["x", None])
    load(rows([1, 2]).append_column("place", place), partition=["place"])
    load(rows([2, 3], "new").append_column("place", place))
    before = house.snapshot(TABLE, by=BY)
    house.compact(TABLE, by=BY)
    assert house.snapshot(TABLE, by=BY)[1:] == before[1:]
    assert len(DeltaTable(str(folder)).file_uris()) == 2


def test_giving_up_old_versions_keeps_those_that_are_pinned(house, folder, load, rows):
    load(rows([1]))
    load(rows([1, 2], "second"))
    house.compact(TABLE, by=BY)  # version 2
    load(rows([1], "third"))
    house.compact(TABLE, by=BY)  # version 4
    load(rows([9], "fifth"))
    told = house.vacuum(TABLE, keep_versions=[1], dry_run=True)
    there = parquet(folder)
    assert told.versions == (2, 3)
    assert told.size == sum((folder / name).stat().st_size for name in told.files)
    assert set(told.files) < there
    assert parquet(folder) == there, "a dry run removes nothing"
    assert house.vacuum(TABLE, keep_versions=[1]) == told
    assert parquet(folder) == there - set(told.files)
    assert house.current(TABLE, by=BY, version=1)["value"].to_pylist() == ["second"] * 2
    assert house.current(TABLE, by=BY).num_rows == 3
    with pytest.raises(Qua3ckError) as gone:
        house.current(TABLE, by=BY, version=2)
    assert gone.value.code == "S011"
    with pytest.raises(Qua3ckError) as gone:
        house.restore(TABLE, 3, known=START + timedelta(days=99))
    assert gone.value.code == "S011"
    assert house.vacuum(TABLE, keep_versions=[1]).files == ()


def test_a_pinned_version_that_does_not_exist_stops_everything(house, folder, load, rows):
    load(rows([1]))
    load(rows([1], "new"))
    house.compact(TABLE, by=BY)
    there = parquet(folder)
    with pytest.raises(Qua3ckError) as told:
        house.vacuum(TABLE, keep_versions=[77])
    assert told.value.code == "S003"
    assert parquet(folder) == there


def test_what_a_killed_writer_left_goes_but_another_programs_file_may_be_on_its_way(
    house, folder, load, rows
):
    load(rows([1]))
    ours, fresh, stale = "q3-load-leftover.parquet", "part-fresh.parquet", "part-stale.parquet"
    for name in (ours, fresh, stale):
        (folder / name).write_bytes(b"half a file")
    yesterday = time.time() - 2 * 86_400
    os.utime(folder / stale, (yesterday, yesterday))
    (folder / ".split-x").mkdir()
    told = house.vacuum(TABLE, keep_versions=())
    assert set(told.files) == {ours, stale}
    assert told.versions == ()
    assert (folder / fresh).exists()
    assert not (folder / ".split-x").exists()


def test_nothing_is_removed_while_a_backup_copies(house, load, rows, tmp_path, monkeypatch):
    load(rows([1]))
    monkeypatch.setattr("qua3ck.store.warehouse.keeping._PATIENCE", 0)
    with unswept(tmp_path / "warehouse"):
        with pytest.raises(Qua3ckError) as told:
            house.vacuum(TABLE, keep_versions=())
        load(rows([2]))  # loads go on
    assert told.value.code == "S001"
    house.vacuum(TABLE, keep_versions=())
    with unswept(tmp_path / "nowhere"):
        assert not (tmp_path / "nowhere").exists()


def test_what_may_not_be_removed_is_told(house, folder, load, rows, monkeypatch):
    load(rows([1]))
    load(rows([1], "new"))
    house.compact(TABLE, by=BY)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(Qua3ckError, match="Permission denied") as told:
        house.vacuum(TABLE, keep_versions=())
    assert told.value.code == "S004"


def test_sizes_are_those_of_the_last_version_and_of_the_folder(house, folder, load, rows):
    load(rows([1, 2]))
    load(rows([3]))
    sizes = house.sizes(TABLE)
    files = list(folder.glob("*.parquet"))
    assert (sizes.version, sizes.rows, sizes.files) == (1, 3, 2)
    assert sizes.size == sum(path.stat().st_size for path in files)
    assert sizes.folder == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    with pytest.raises(Qua3ckError) as told:
        house.sizes("a/b")
    assert told.value.code == "S003"


def test_a_writer_waits_for_the_one_before_and_then_says_who_is_in_the_way(
    house, folder, load, rows, monkeypatch
):
    load(rows([1]))
    monkeypatch.setattr("qua3ck.store.warehouse.folder._PATIENCE", 0)
    with FileLock(folder.with_name(".stock.lock")), pytest.raises(Qua3ckError) as told:
        load(rows([2]))
    assert told.value.code == "S001"


def test_every_act_is_asked_for_and_recorded(tmp_path, rows):
    from qua3ck.store.warehouse import Engine, Warehouse

    heard = []
    house = Warehouse(
        tmp_path,
        lambda act, table: heard.append(f"may {act} {table}"),
        lambda act, table: heard.append(f"did {act} {table}"),
    )
    with Engine() as engine:
        acts = {
            "write": [
                lambda: house.append(TABLE, rows([1]), known=START),
                lambda: house.delete(TABLE, where={"id": 1}),
                lambda: house.compact(TABLE, by=BY),
                lambda: house.restore(TABLE, 0, known=START + timedelta(1)),
                lambda: house.vacuum(TABLE, keep_versions=()),
            ],
            "read": [
                lambda: house.current(TABLE),
                lambda: house.current_view(TABLE, engine=engine),
                lambda: house.view(TABLE, engine=engine),
                lambda: house.snapshot(TABLE),
                lambda: house.sizes(TABLE),
            ],
        }
        for act, calls in acts.items():
            for call in calls:
                heard.clear()
                call()
                assert heard == [f"may {act} {TABLE}", f"did {act} {TABLE}"]

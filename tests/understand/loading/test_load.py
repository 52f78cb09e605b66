"""One load after the other: what came is loaded or held, once, and nothing else happens."""

from __future__ import annotations

import json
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.loading import load as load_module
from qua3ck.understand.loading import read_current
from qua3ck.understand.loading.held import shrunk
from qua3ck.understand.loading.past import silver

THREE = "id,x\n1,5\n2,6\n3,7\n"


def codes(load):
    return [finding.code for finding in load.findings]


def adds_up(load):
    assert load.came == load.loaded + load.held
    assert load.loaded == (
        load.new + load.changed + load.unchanged + load.superseded + load.withdrawn
    )


def test_rows_in_are_rows_loaded_and_rows_held(bench):
    stock = bench()
    stock.write("a.csv", THREE + "4\n")
    first = stock.load()
    adds_up(first)
    assert (first.came, first.loaded, first.held, first.rows) == (4, 3, 1, 3)
    assert stock.rows() == [{"id": 1, "x": 5}, {"id": 2, "x": 6}, {"id": 3, "x": 7}]
    assert [(one["_row"], one["raw"]) for one in stock.held()] == [(4, "4")]
    assert "U060" in codes(first)
    assert first.body["files"] == {"a.csv": file_digest(stock.root / "data" / "a.csv")}


def test_the_bytes_are_kept_as_received(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    body = stock.load().body
    with RawStore(stock.root).open(body["files"]["a.csv"]) as kept:
        assert kept.read() == THREE.encode()


def test_the_same_files_twice_change_nothing(bench):
    stock = bench()
    stock.write("a.csv", THREE + "4\n")
    stock.load()
    before = _records(stock.root)
    again = stock.load()
    assert (again.known, again.version, again.came, again.body) == ("", None, 0, {})
    assert (again.rows, again.waiting) == (3, 1)
    assert _records(stock.root) == before


def _records(root):
    """Everything that is kept as JSON, but for the memory of digests, which may be forgotten."""
    kept = (path for path in root.rglob("*.json") if path.name != "files.json")
    return {path: path.read_bytes() for path in kept}


def test_staged_rows_become_the_tables_file_without_being_copied(bench, monkeypatch):
    def refused(*_):
        raise AssertionError

    monkeypatch.setattr("qua3ck.store.warehouse.files.shutil.copyfile", refused)
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    assert stock.load().loaded == 2
    assert [row["id"] for row in stock.rows()] == [1, 2]


def test_only_new_pieces_are_read(bench, monkeypatch):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    stock.write("b.csv", "id,x\n9,9\n")
    second = stock.load()
    assert (second.pieces, second.there, second.came) == (1, 2, 1)
    assert [row["id"] for row in stock.rows()] == [1, 2, 3, 9]


def test_a_corrected_file_replaces_its_rows(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.write("b.csv", "id,x\n9,9\n")
    stock.load()
    stock.write("a.csv", "id,x\n1,5\n2,8\n")
    corrected = stock.load()
    adds_up(corrected)
    assert (corrected.new, corrected.unchanged, corrected.deleted) == (1, 1, 2)
    assert stock.rows() == [{"id": 1, "x": 5}, {"id": 2, "x": 8}, {"id": 9, "x": 9}]


def test_a_file_written_in_another_way_with_the_same_rows_changes_no_row(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    before = stock.digest()
    stock.write("a.csv", THREE.replace("\n", "\r\n"))
    again = stock.load()
    assert (again.new, again.unchanged, again.deleted) == (0, 3, 0)
    assert stock.digest() == before
    assert stock.load().known == ""  # the new bytes are known now


def test_types_are_inferred_over_all_pieces_of_the_first_load_and_then_held_to(bench):
    stock = bench()
    stock.write("a.csv", "id,x,note\n1,5,\n2,6,\n")
    stock.write("b.csv", "id,x,note\n3,7.5,late\n")
    first = stock.load()
    assert first.body["columns"] == {"id": "integer", "x": "number", "note": "string"}
    stock.write("c.csv", "id,x,note\n4,8,\n5,many,\n6,9,\n")
    third = stock.load()
    assert (third.loaded, third.held) == (2, 1)
    assert [(one["column"], one["raw"]) for one in stock.held()] == [("x", "many")]


def test_a_corrected_file_of_which_no_row_fits_is_held_for_what_does_not_fit(bench):
    stock = bench()
    stock.write("a.csv", "id,day\n1,2024-01-05\n2,2024-01-06\n")
    stock.load()
    stock.write("a.csv", "id,day\n1,05.01.2024\n2,06.01.2024\n")
    again = stock.load()
    assert "U064" in codes(again)
    assert not any("_piece" in finding.says for finding in again.findings)
    assert (again.loaded, again.deleted) == (0, 0)


def test_an_unreadable_piece_is_held_and_the_others_are_loaded(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.write("b.csv", "")
    first = stock.load()
    assert [one.piece for one in first.held_pieces] == ["b.csv"]
    assert "U069" in codes(first)
    assert first.rows == 3
    stock.write("b.csv", "id,x\n4,8\n")
    second = stock.load()
    assert (second.rows, second.held_pieces) == (4, ())


def test_a_piece_that_became_unreadable_leaves_its_rows_as_they_were(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    stock.write("a.csv", "")
    held = stock.load()
    assert held.known == ""
    assert [one.piece for one in held.held_pieces] == ["a.csv"]
    assert len(stock.rows()) == 3


def test_where_nothing_can_be_read_the_first_time_it_is_an_error(bench):
    stock = bench()
    stock.write("a.csv", "")
    with pytest.raises(Qua3ckError, match=r"a\.csv"):
        stock.load()
    assert stock.warehouse.version("silver/stock") is None


def test_other_columns_are_held_with_a_readable_difference_until_accepted(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    stock.load()
    stock.write("b.csv", "id,visits\n3,7\n")
    held = stock.load()
    says = next(finding.says for finding in held.findings if finding.code == "U063")
    assert 'vanished: "x"' in says
    assert 'new: "visits" (integer)' in says
    assert "U063" in held.held_pieces[0].fix
    accepted = stock.load(accepted={"U063": "the form was changed in May"}, actor="ana")
    assert accepted.body["accepted"] == {
        "U063": {"reason": "the form was changed in May", "by": "ana", "for": ["b.csv"]}
    }
    assert stock.rows() == [
        {"id": 1, "x": 5, "visits": None},
        {"id": 2, "x": 6, "visits": None},
        {"id": 3, "x": None, "visits": 7},
    ]
    stock.write("c.csv", "id,x\n4,8\n")  # an accepted difference is accepted from then on
    assert stock.load().held_pieces == ()


@pytest.mark.parametrize("about", [{"types": {"qty": "integer"}}, {"nulls": {"qty": ["NA"]}}])
@pytest.mark.parametrize("apart", [False, True])
def test_other_columns_are_a_difference_also_where_more_is_declared_about_them(about, apart, bench):
    stock = bench(**about)
    stock.write("a.csv", "clinic,month,qty,name\na,1,5,x\n")
    if apart:
        stock.load()
    stock.write("b.csv", "clinic,month,quantity,name,extra\nb,1,6,y,z\n")
    held = stock.load()
    (says,) = [finding.says for finding in held.findings if finding.severity == "block"]
    assert 'vanished: "qty"; new: "quantity" (integer), "extra" (string)' in says
    assert 'nearest by name: "quantity" to "qty"' in says
    stock.load(accepted={"U063": "the form was changed in May"})
    assert [(row["qty"], row["quantity"]) for row in stock.rows()] == [(5, None), (None, 6)]
    stock.write("c.csv", "clinic,month,name\nc,1,y\n")
    assert (stock.load().held_pieces, len(stock.rows())) == ((), 3)


def test_what_is_declared_about_a_column_that_no_table_has_stays_a_mistake(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    stock.load()
    stock.source = stock.source.model_copy(update={"types": {"z": "integer"}})
    stock.write("b.csv", "id\n2\n")
    assert "U102" in {one.code for one in stock.load().held_pieces}


def test_a_new_column_that_is_declared_was_decided_on_already(bench):
    stock = bench(types={"visits": "integer"})
    stock.write("a.csv", "id,visits\n1,5\n")
    stock.load()
    stock.source = stock.source.model_copy(update={"types": {}})
    stock.write("a.csv", "id,visits\n1,5\n")
    stock.load()
    stock.source = stock.source.model_copy(update={"types": {"visits": "integer"}})
    stock.write("b.csv", "id,visits\n2,6\n")
    assert stock.load().held_pieces == ()


def test_a_column_that_the_project_ignores_may_vanish(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    stock.load()
    stock.write("a.csv", "id\n1\n")
    assert stock.load(ignored={"x"}).held_pieces == ()
    assert stock.rows() == [{"id": 1}]


def test_moments_with_a_zone_do_not_join_moments_without(bench):
    stock = bench()
    stock.write("a.csv", "id,at\n1,2026-01-02 10:00\n")
    stock.load()
    stock.write("b.csv", "id,at\n2,2026-01-02T10:00:00Z\n")
    held = stock.load(accepted={"U063": "never mind"})
    assert [one.piece for one in held.held_pieces] == ["b.csv"]
    assert "at" in held.held_pieces[0].what


def test_a_piece_of_which_most_does_not_fit_is_held_as_a_whole(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    stock.write("b.csv", 'id,x\n4,"8,5"\n5,"9,5"\n6,7\n')
    held = stock.load()
    finding = next(one for one in held.findings if one.code == "U064")
    assert "2 of 3 rows" in finding.where
    assert "x" in finding.says
    assert len(stock.rows()) == 3
    taken = stock.load(accepted={"U064": "the two are being corrected"})
    assert (taken.loaded, taken.held) == (1, 2)


def test_one_row_that_does_not_fit_is_one(bench):
    stock = bench(types={"x": "integer"})
    stock.write("a.csv", THREE)
    stock.load()
    stock.write("b.csv", "id,x\n4,many\n")
    (held,) = stock.load().held_pieces
    assert held.what.startswith("1 of 1 row of b.csv does not fit: 1 in column")
    assert shrunk("stock", "b.csv", 1, 1, 0.5).says.startswith("1 of 1 row is gone (100%")


def test_of_a_piece_that_cannot_be_read_only_its_own_rows_are_said_to_stay(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    stock.remove("a.csv")
    stock.write("b.csv", "")
    done = stock.load(accepted={"U066": "it is called so now"})
    assert (done.deleted, done.rows) == (3, 0)
    (says,) = [one.says for one in done.findings if one.code == "U069"]
    assert says.endswith("The piece is held; rows that were loaded of this piece itself stay.")


def test_a_file_that_shrank_is_held_until_accepted(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    stock.write("a.csv", "id,x\n1,5\n")
    held = stock.load()
    finding = next(one for one in held.findings if one.code == "U065")
    assert "2 of 3 rows are gone (67%, held beyond 50%)" in finding.says
    assert len(stock.rows()) == 3
    accepted = stock.load(accepted={"U065": "two were tests"})
    assert accepted.deleted == 2
    assert len(stock.rows()) == 1


def test_what_may_shrink_can_be_declared(bench):
    stock = bench(shrinks=0.9)
    stock.write("a.csv", THREE)
    stock.load()
    stock.write("a.csv", "id,x\n1,5\n")
    assert stock.load().rows == 1


def test_the_rows_of_a_vanished_file_stay_until_that_is_accepted(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.write("b.csv", "id,x\n9,9\n")
    stock.load()
    stock.remove("b.csv")
    warned = stock.load()
    assert "U066" in codes(warned)
    assert len(stock.rows()) == 4
    gone = stock.load(accepted={"U066": "a copy"})
    assert (gone.deleted, gone.rows, gone.body["taken_out"]) == (1, 3, 1)
    assert len(stock.rows()) == 3
    assert "U066" not in codes(stock.load())


def test_files_of_changes_may_be_moved_away(bench):
    stock = bench(extract="changes")
    stock.write("a.csv", THREE)
    stock.write("b.csv", "id,x\n9,9\n")
    stock.load()
    stock.remove("b.csv")
    assert codes(stock.load()) == []
    assert len(stock.rows()) == 4


def test_declared_otherwise_every_piece_is_read_again(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n2,?\n")
    stock.write("b.csv", "id,x\n3,7\n")
    stock.load()
    assert [row["x"] for row in stock.rows()] == ["5", "?", "7"]
    stock.source = stock.source.model_copy(update={"null": ("?",)})
    again = stock.load()
    assert again.pieces == 2
    assert [row["x"] for row in stock.rows()] == [5, None, 7]
    assert stock.load().known == ""


def test_a_layout_that_nobody_was_told_of_binds_nobody(bench):
    stock = bench()
    stock.write("a.csv", "id,outt\n1,5\n")
    stock.load(record=False)  # what came after it failed: the ledger was told of nothing
    stock.write("a.csv", "id,out\n1,5\n2,6\n")
    assert stock.load().held_pieces == ()
    assert stock.rows() == [{"id": 1, "out": 5}, {"id": 2, "out": 6}]
    assert [one["known"] for one in stock.loads[-1].unrecorded] == [stock.loads[0].known]


def test_what_a_killed_load_left_is_swept(bench, monkeypatch):
    stock = bench()
    stock.write("a.csv", THREE + "4\n")
    stock.load()
    before = (stock.digest(), stock.held())
    stock.write("a.csv", "id,x\n1,9\n5\n6,7\n")
    monkeypatch.setattr("qua3ck.understand.loading.writing._commit", killed)
    with pytest.raises(KeyboardInterrupt):
        stock.load()
    monkeypatch.undo()
    assert (stock.digest(), stock.held()) == before
    assert stock.warehouse.read("bronze/stock").num_rows == 2
    done = stock.load()
    assert (done.came, done.loaded, done.held) == (3, 2, 1)
    assert stock.warehouse.read("bronze/stock").num_rows == 2
    assert [one["raw"] for one in stock.held()] == ["5"]


def killed(*args, **kwargs):
    raise KeyboardInterrupt


def test_records_that_are_not_accounted_for_stop_the_load(bench, monkeypatch):
    from dataclasses import replace

    from qua3ck.understand.sources import stage as staging

    read = staging.stage

    def loses_one(*args, **kwargs):
        return replace(read(*args, **kwargs), came=4)

    stock = bench()
    stock.write("a.csv", THREE)
    monkeypatch.setattr(staging, "stage", loses_one)
    with pytest.raises(Qua3ckError, match=r"4 records came in a\.csv, but 3 rows and 0") as told:
        stock.load()
    assert told.value.code == "U146"
    assert stock.warehouse.version("silver/stock") is None


def test_a_column_with_one_of_our_names_is_refused(bench):
    stock = bench(kind="parquet", path="data/*.parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    (stock.root / "data").mkdir()
    pq.write_table(pa.table({"_known": [1], "x": ["a"]}), stock.root / "data" / "a.parquet")
    with pytest.raises(Qua3ckError, match="_known") as told:
        stock.load()
    assert told.value.code in {"U147", "U131", "U126"}


def test_another_load_of_the_same_source_is_waited_for(bench, monkeypatch):
    stock = bench()
    stock.write("a.csv", THREE)
    monkeypatch.setattr(load_module, "_PATIENCE", 0.0)
    folder = stock.root / "state" / "loads"
    folder.mkdir(parents=True)
    with (
        FileLock(folder / "stock.lock"),
        pytest.raises(Qua3ckError, match="has not ended") as told,
    ):
        stock.load()
    assert told.value.code == "U148"
    assert stock.load().rows == 3


def test_a_full_disk_loses_nothing(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    before = stock.digest()
    noise = random.Random(7)  # noqa: S311 - only has to resist packing
    lines = (f"{n},{noise.getrandbits(60)}\n" for n in range(20_000))
    stock.write("b.csv", "id,x\n" + "".join(lines))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        load = stock.load()
    except (Qua3ckError, OSError):
        load = None  # it came to a stop
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    if load is not None:  # or the piece is held, and it is said why
        assert "make room" in load.held_pieces[0].fix
        assert load.known == ""
    assert stock.digest() == before
    assert stock.load().rows == 20_003


LOADER = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Warehouse
from qua3ck.understand import Source
from qua3ck.understand.loading import load_source
root, name = Path(sys.argv[1]), sys.argv[2]
source = Source.model_validate_json(json.dumps({"kind": "csv", "path": f"{name}/*.csv"}))
done = load_source(name, source, root, Warehouse(root), raw=RawStore(root),
                   clock=lambda: datetime.now(UTC))
print(done.rows)
"""


def test_three_processes_load_at_once(tmp_path):
    names = ["one", "two", "two"]  # two of them the same source: one waits for the other
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text(THREE)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", LOADER, str(tmp_path), name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    said = [process.communicate() for process in started]
    assert [
        (process.returncode, out.strip()) for process, (out, _) in zip(started, said, strict=True)
    ] == [(0, "3")] * 3, said


def test_a_moved_folder_loads_on(bench, tmp_path):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    moved = tmp_path / "elsewhere"
    shutil.move(stock.root, moved)
    stock.root = moved
    assert stock.load().known == ""
    assert len(read_current(stock.warehouse, "stock", stock.source)) == 3


def test_what_the_ledger_is_told_has_no_float_and_no_cell(bench):
    stock = bench()
    stock.write("a.csv", "id,name\n1,Amina Jallow\n2\n")
    body = stock.load().body
    from qua3ck.kit.hashes import canonical_json

    text = canonical_json(dict(body)).decode()
    assert "Amina" not in text
    assert json.loads(text)["held"] == 1


def test_a_file_that_changes_while_it_is_read_is_held(bench, monkeypatch):
    from qua3ck.understand.sources import stage as staging

    read = staging.stage

    def meanwhile(piece, *args, **kwargs):
        done = read(piece, *args, **kwargs)
        with Path(piece.path).open("a") as handle:
            handle.write("4,8\n")
        return done

    stock = bench()
    stock.write("a.csv", THREE)
    monkeypatch.setattr(staging, "stage", meanwhile)
    with pytest.raises(Qua3ckError, match="changed while it was being read"):
        stock.load()
    monkeypatch.undo()
    assert stock.load().rows == 4


def test_files_declared_elsewhere_take_the_place_of_those_before(bench):
    stock = bench(path="data/a*.csv")
    stock.write("a.csv", THREE)
    stock.load()
    stock.source = stock.source.model_copy(update={"path": "data/b*.csv"})
    stock.write("b.csv", "id,x\n9,9\n")
    assert codes(stock.load()) == []
    assert stock.rows() == [{"id": 9, "x": 9}]


def elsewhere(bench, path="data/b*.csv", **keys):
    """Return a bench with a.csv loaded, and declared to be other files from now on."""
    stock = bench(path="data/a*.csv", **keys)
    stock.write("a.csv", THREE)
    stock.load()
    stock.source = stock.source.model_copy(update={"path": path})
    return stock


@pytest.mark.parametrize("keys", [{}, {"key": ["id"]}])
@pytest.mark.parametrize("text", ["", "id,other\n1,5\n"])
def test_files_declared_elsewhere_that_are_held_take_nothing_away(bench, text, keys):
    stock = elsewhere(bench, "data/z.csv", **keys)
    before = stock.digest()
    stock.write("z.csv", text)
    held = stock.load()
    assert ([one.piece for one in held.held_pieces], held.deleted) == (["z.csv"], 0)
    assert (stock.digest(), held.rows) == (before, 3)
    (said,) = [one.says for one in held.findings if one.code == "U066"]
    assert said.startswith("Not there any more: a.csv. Its 3 rows stay while z.csv is held")
    assert stock.load().known == ""

    stock.write("z.csv", "id,x\n9,9\n")
    settled = stock.load()
    assert (settled.deleted, settled.rows, "U066" in codes(settled)) == (3, 1, False)
    assert stock.rows() == [{"id": 9, "x": 9}]


@pytest.mark.parametrize("keys", [{}, {"key": ["id"]}])
def test_while_one_of_the_files_declared_elsewhere_is_held_nothing_is_gone(bench, keys):
    stock = elsewhere(bench, **keys)
    stock.write("b1.csv", "id,x\n1,50\n")
    stock.write("b2.csv", "")
    part = stock.load()
    assert (part.deleted, part.body["taken_out"]) == (0, 0)
    assert "U066" in codes(part)
    there = [row["id"] for row in stock.rows()]
    assert there == ([1, 2, 3] if keys else [1, 2, 3, 1])
    again = stock.load()  # the path is not new any more, and the absence still waits
    assert (again.known, [one.piece for one in again.held_pieces]) == ("", ["b2.csv"])
    assert "U066" in codes(again)

    stock.write("b2.csv", "id,x\n2,60\n")
    settled = stock.load()
    assert "U066" not in codes(settled)
    assert stock.rows() == [{"id": 1, "x": 50}, {"id": 2, "x": 60}]
    assert stock.load().known == ""


@pytest.mark.parametrize("together", [True, False])
def test_that_files_are_gone_while_another_is_held_may_be_accepted(bench, together):
    stock = elsewhere(bench)
    stock.write("b1.csv", "id,x\n1,50\n")
    stock.write("b2.csv", "")
    accept = {"U066": "all of it was wrong"}
    if not together:
        stock.load()
    done = stock.load(accepted=accept)
    assert (done.deleted, [one.piece for one in done.held_pieces]) == (3, ["b2.csv"])
    assert done.accepted == {"U066": ("a.csv",)}
    assert stock.rows() == [{"id": 1, "x": 50}]


def test_a_held_file_that_is_accepted_lets_the_absence_of_others_count(bench):
    stock = elsewhere(bench)
    stock.write("b.csv", "id,other\n1,5\n")
    assert stock.load().deleted == 0
    done = stock.load(accepted={"U063": "it is called so now"})
    assert (done.deleted, done.rows, done.held_pieces) == (3, 1, ())


def test_a_load_held_as_a_whole_does_not_hide_that_files_are_not_there(bench):
    stock = elsewhere(bench, key=["id"])
    stock.write("b1.csv", "id,x\n" + "1,5\n" * 700 + "1,6\n" * 700)
    held = stock.load()
    assert held.held_pieces
    assert "U066" in codes(held)
    assert len(stock.rows()) == 3


def test_a_path_that_is_declared_back_takes_the_absence_back(bench):
    stock = elsewhere(bench)
    before = stock.digest()
    stock.write("b1.csv", "id,x\n1,50\n")
    stock.write("b2.csv", "")
    stock.load()
    stock.source = stock.source.model_copy(update={"path": "data/a*.csv"})
    stock.load()
    assert stock.digest() == before


def widened(bench, **keys):
    """Return a bench with a.csv loaded, and declared to be every file from now on."""
    stock = bench(path="data/a.csv", **keys)
    stock.write("a.csv", THREE)
    stock.load()
    stock.source = stock.source.model_copy(update={"path": "data/*.csv"})
    return stock


def vanishes(stock):
    """Take a.csv away beside a new file; return the load that meets that."""
    stock.write("b.csv", "id,x\n9,9\n")
    stock.remove("a.csv")
    return stock.load()


@pytest.mark.parametrize("keys", [{}, {"key": ["id"]}])
def test_a_path_that_brings_nothing_new_counts_from_then_on(bench, keys):
    stock = widened(bench, **keys)
    version = stock.warehouse.version(silver("stock"))
    same = stock.load()
    assert (same.known, same.version, same.body, same.rows) == ("", None, {}, 3)
    assert stock.warehouse.version(silver("stock")) == version
    listed = stock.warehouse.version("bronze/stock")
    stock.load()  # it is written down once
    assert stock.warehouse.version("bronze/stock") == listed

    done = vanishes(stock)
    assert ("U066" in codes(done), done.deleted, done.rows) == (True, 0, 4)
    assert stock.load(accepted={"U066": "a copy"}).deleted == 3


def test_a_path_that_brings_only_what_is_held_counts_from_then_on(bench):
    stock = widened(bench)
    stock.write("b.csv", "")
    held = stock.load()
    assert (held.known, [one.piece for one in held.held_pieces]) == ("", ["b.csv"])
    done = vanishes(stock)
    assert ("U066" in codes(done), done.deleted, done.rows) == (True, 0, 4)


def test_what_a_path_no_longer_names_goes_and_what_it_names_is_missed(bench):
    stock = bench()
    for name in ("a1.csv", "a2.csv", "b1.csv"):
        stock.write(name, f"id,x\n{ord(name[0]) + int(name[1])},5\n")
    stock.load()
    stock.source = stock.source.model_copy(update={"path": "data/a*.csv"})
    stock.write("a3.csv", "")
    assert stock.load().deleted == 0  # b1.csv waits for it
    stock.write("a3.csv", "id,x\n1,5\n")
    stock.remove("a2.csv")
    done = stock.load()
    assert (done.deleted, done.rows) == (1, 3)
    (said,) = [one.says for one in done.findings if one.code == "U066"]
    assert said.startswith("Not there any more: a2.csv. Its 1 row stays")


def test_the_new_path_outlives_a_load_that_is_cut_off_after_it(bench, monkeypatch):
    stock = widened(bench)
    stock.load()
    append = Warehouse.append

    def cut_off(self, table, *args, **kwargs):
        if table == silver("stock"):
            raise KeyboardInterrupt
        return append(self, table, *args, **kwargs)

    monkeypatch.setattr(Warehouse, "append", cut_off)
    stock.write("c.csv", "id,x\n8,8\n")
    with pytest.raises(KeyboardInterrupt):
        stock.load()
    monkeypatch.undo()
    done = vanishes(stock)
    assert ("U066" in codes(done), done.deleted, done.rows) == (True, 0, 5)


def test_a_held_piece_keeps_its_columns_where_all_are_read_anew(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    stock.write("b.csv", "id,x\n2,6\n")
    stock.load()
    stock.write("b.csv", "id,x,y\n2,6,7\n")
    assert stock.load(accepted={"U063": "more is known"}).held_pieces == ()
    stock.source = stock.source.model_copy(update={"null": ("?",)})
    stock.write("b.csv", "")
    assert [one.piece for one in stock.load().held_pieces] == ["b.csv"]
    assert [row["y"] for row in stock.rows()] == [None, 7]


def test_an_attempt_that_was_not_recorded_and_typed_otherwise_does_not_stand_in_the_way(bench):
    stock = bench()
    stock.write("a.csv", THREE)
    stock.load()
    stock.source = stock.source.model_copy(update={"types": {"x": "string"}})
    stock.load(record=False)
    stock.source = stock.source.model_copy(update={"types": {}})
    assert stock.load().held_pieces == ()
    assert [row["x"] for row in stock.rows()] == [5, 6, 7]


def test_a_delta_table_of_others_is_read_at_its_current_version(bench):
    import pyarrow as pa
    from deltalake import write_deltalake

    stock = bench(kind="delta", path="theirs", key=["id"])
    write_deltalake(str(stock.root / "theirs"), pa.table({"id": [1, 2], "x": ["a", "b"]}))
    assert stock.load().rows == 2
    assert stock.load().known == ""
    write_deltalake(
        str(stock.root / "theirs"), pa.table({"id": [2, 3], "x": ["c", "d"]}), mode="overwrite"
    )
    done = stock.load()
    assert (done.new, done.changed, done.deleted) == (1, 1, 1)


def test_rows_marked_as_deleted_need_a_key(bench):
    stock = bench()
    stock.source = stock.source.model_copy(update={"deleted": "gone"})
    stock.write("a.csv", "id,gone\n1,yes\n")
    with pytest.raises(Qua3ckError, match="nothing says which those are"):
        stock.load()


def test_a_marker_of_deleted_rows_that_no_piece_has_is_refused_by_its_name(bench):
    stock = bench(key=["id"])
    stock.source = stock.source.model_copy(update={"deleted": "goen"})
    stock.write("a.csv", "id,gone\n1,yes\n2,\n3,\n4,\n")
    with pytest.raises(Qua3ckError, match='No piece has a column "goen"') as refused:
        stock.load()
    assert refused.value.code == "U104"
    assert 'did you mean "gone"' in refused.value.what
    assert refused.value.where == "understand.sources.stock.deleted: goen"


def test_a_name_that_could_not_be_a_folder_is_refused():
    for name in ("a b", "../x", "", "a/b"):
        with pytest.raises(Qua3ckError, match="cannot be the name of a source"):
            load_module.check_name(name)
    load_module.check_name("stock-2_x")


def test_what_was_noticed_in_reading_is_said_for_as_long_as_it_is_so(bench):
    stock = bench()
    many = "".join(f"{n},{n}\n" for n in range(40))
    stock.write("a.csv", f"id,x\n{many}40,n/a\n41,n/a\n")
    assert "U017" in codes(stock.load())  # a number but for a marker
    assert "U017" in codes(stock.load())
    stock.write("b.csv", "id,x\n50,5\n")
    assert "U017" in codes(stock.load())
    stock.source = stock.source.model_copy(update={"null": ("n/a",)})
    assert "U017" not in codes(stock.load())
    assert "U017" not in codes(stock.load())

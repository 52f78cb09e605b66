"""The care of tables as it is typed: sizes, versions, folding, giving up, going back."""

from __future__ import annotations

import hashlib
import json

import pytest
from stock_project import FILE, Bench, as_csv, rows

from qua3ck.kit.errors import Qua3ckError
from qua3ck.project import open_project
from qua3ck.project.warehouse import pinned, ranges

KEYED = ("rows.csv}", "rows.csv, key: [clinic], shrinks: 1}")


def load(bench, table):
    bench.write(as_csv(table), "data/rows.csv")
    bench.done("load")


@pytest.fixture(scope="module")
def four_times(tmp_path_factory):
    """Four loads of one source: 160, 150, 140 and 3 rows; nobody may change it."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("four")
        bench = Bench(place / "project", place / "keys")
        patch.setenv("QUA3CK_KEYS", str(bench.keys))
        patch.setenv("QUA3CK_ACTOR", "ana")
        bench.write(FILE.replace(*KEYED))
        bench.keys.mkdir(mode=0o700)
        bench.write(as_csv(rows()), "data/rows.csv")
        bench.done("enrol", "ana", "--role", "owner")
        for count in (160, 150, 140, 3):
            load(bench, rows()[:count])
        yield bench


@pytest.fixture
def loaded(four_times, tmp_path, monkeypatch):
    bench = four_times.copy(tmp_path)
    monkeypatch.setenv("QUA3CK_KEYS", str(bench.keys))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    return bench


def versions(bench):
    return bench.facts("warehouse", "versions", "rows")["versions"]


def test_sizes_say_rows_bytes_and_how_fast_the_last_load_was(loaded):
    said = loaded.done("warehouse")
    assert "silver/rows" in said.out
    assert "bronze/rows" in said.out
    assert "last load" in said.out
    assert "rows/s" in said.out
    assert said.out.splitlines()[-1].startswith("next: qua3ck warehouse vacuum")
    (one,) = [
        table
        for table in loaded.facts("warehouse", "sizes")["tables"]
        if table["table"] == "silver/rows"
    ]
    folder = loaded.root / "warehouse" / "silver" / "rows"
    assert one["folder"] == sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    assert one["last"]["rows"] == 3
    assert one["last"]["trend"] is not None
    assert one["grown"] is not None


def test_folding_gives_nothing_up(loaded):
    before = len(versions(loaded))
    assert "folded" in loaded.done("warehouse", "compact").out
    assert all(one["readable"] for one in versions(loaded))
    assert len(versions(loaded)) >= before


@pytest.mark.parametrize("key", ["nope", "region"])
def test_folding_goes_by_the_key_that_the_rows_were_loaded_with(key, loaded):
    loaded.edit("key: [clinic]", f"key: [{key}]")
    loaded.done("warehouse", "compact")
    loaded.edit(f"key: [{key}]", "key: [clinic]")
    loaded.done("load")
    house = open_project(loaded.root).read_only().warehouse
    assert house.current("silver/rows", by=("clinic",)).num_rows == 3


def test_old_versions_go_only_with_yes_and_pinned_ones_never(loaded):
    kept = loaded.done("warehouse", "vacuum")
    assert "nothing to give up" in kept.out
    would = loaded.done("warehouse", "vacuum", "--keep-days", "0")
    assert "would remove" in would.out
    assert would.out.splitlines()[-1].endswith("--keep-days 0 --yes")
    assert all(one["readable"] for one in versions(loaded))
    assert loaded.events("history.removed") == []
    loads = [one["version"] for one in versions(loaded) if one["act"] == "load"]
    pin = {"snapshot": {"sources": [{"table": "silver/rows", "version": loads[1]}]}}
    state = loaded.root / "state" / "understand.json"
    state.write_text(json.dumps(pin))
    done = loaded.done("warehouse", "vacuum", "--keep-days", "0", "--yes")
    assert "removed" in done.out
    readable = [one["version"] for one in versions(loaded) if one["readable"]]
    assert loads[1] in readable
    assert loads[2] not in readable
    (event,) = loaded.events("history.removed")
    assert event["body"]["given_up"]["silver/rows"]["files"] > 0
    loaded.done("load")
    assert "given up" in loaded.done("warehouse", "versions", "rows").out


def test_a_source_goes_back_only_with_yes_and_the_ledger_tells(loaded):
    loads = [one["version"] for one in versions(loaded) if one["act"] == "load"]
    would = loaded.done("warehouse", "restore", "rows", "--to", str(loads[2]))
    assert "would bring back" in would.out
    assert "140 rows (before: 3); 1 load undone" in would.out
    assert "rows.csv" in would.out
    assert loaded.events("table.restored") == []
    back = loaded.done("warehouse", "restore", "rows", "--to", str(loads[2]), "--yes")
    assert back.out.splitlines()[-1].startswith("next: qua3ck load")
    (event,) = loaded.events("table.restored")
    assert (event["subject"], event["body"]["to"]) == ("rows", loads[2])
    told = versions(loaded)
    assert [one["version"] for one in told if one["undone"]] == [loads[3]]
    assert told[-1]["act"] == f"restored {loads[2]}"
    came_in = hashlib.sha256(as_csv(rows()[:160]).encode()).hexdigest()[:12]  # unchanged since
    assert came_in in loaded.done("trace", "rows", "--where", "clinic = 0").out
    load(loaded, rows()[:141])
    assert "nothing new, 141 rows" in loaded.done("load").out


def test_a_crash_before_the_ledger_knew_is_caught_up(loaded, monkeypatch):
    loads = [one["version"] for one in versions(loaded) if one["act"] == "load"]
    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.project.warehouse.WarehouseVerbs._catch_up", killed)
        with pytest.raises(KeyboardInterrupt):
            open_project(loaded.root, actor="ana").restore_table("rows", loads[0], act=True)
    assert loaded.events("table.restored") == []
    loaded.done("warehouse", "vacuum")
    assert len(loaded.events("table.restored")) == 1


def killed(*args):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("tidy",), '"tidy" is no action'),
        (("restore", "rows"), "restore needs --to"),
        (("restore", "--to", "1"), "restore is for one table; 0 are named"),
        (("compact", "--to", "1"), "compact has no --to"),
        (("sizes", "--yes"), "sizes asks for no --yes"),
        (("vacuum", "--keep-days", "-1"), "--keep-days"),
        (("versions", "rowz"), 'did you mean "rows"'),
        (("restore", "rows", "--to", "99"), "no version 99; possible: 0 to "),
        (("restore", "rows", "--to", "-1"), "'-1' is no whole number"),
        (("vacuum", "rows", "--keep-days", "99999999999"), "'99999999999' is no whole number"),
        (("vacuum", "--to", "1"), "leave it out: qua3ck warehouse vacuum"),
    ],
)
def test_words_that_do_not_fit_are_told(loaded, words, says):
    loaded.type("warehouse", *words).refused(says)


@pytest.mark.parametrize("days", [-1, 99_999_999_999])
def test_days_beyond_any_calendar_are_refused_by_the_library_too(loaded, days):
    with pytest.raises(Qua3ckError, match="possible: 0 to 36500"):
        open_project(loaded.root).vacuum(keep_days=days)


def test_a_gold_table_does_not_go_back_without_its_sources(loaded):
    loaded.edit("  target: out", "  tables:\n    few: {sql: few.sql}\n  target: out")
    loaded.write("SELECT * FROM rows WHERE stock > 50", "few.sql")
    loaded.done("load")
    assert "gold/few" in loaded.done("warehouse").out
    loaded.type("warehouse", "restore", "few", "--to", "0").refused("made from its sources", "U170")
    told = loaded.facts("warehouse", "versions", "few")["versions"]
    assert [one["act"] for one in told] == ["write"]


def test_whatever_names_a_table_with_a_version_pins_it(tmp_path):
    records = tmp_path / "releases" / "1" / "records"
    records.mkdir(parents=True)
    (records / "snapshot.json").write_text('{"gold": {"table": "gold/training", "version": 4}}')
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "gold.json").write_text('[{"made_of": [{"table": "a/b", "version": 1}]}]')
    (tmp_path / "state" / "half.json").write_text("{")
    assert pinned(tmp_path, ()) == {"gold/training": {4}, "a/b": {1}}


def test_numbers_are_said_as_ranges():
    assert ranges((0, 1, 2, 5, 7, 8)) == "0-2, 5, 7-8"


def test_who_may_not_run_may_not_go_back(loaded):
    project = open_project(loaded.root, actor="nobody")
    with pytest.raises(Qua3ckError):
        project.vacuum(act=True)

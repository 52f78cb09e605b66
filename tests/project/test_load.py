"""Loading as it is typed: what came, what is held, who accepted it; and the answers that return."""

from __future__ import annotations

import json

import openpyxl
import pytest
from stock_project import COLUMNS, PERSON, as_csv, rows


def test_a_load_says_what_came_and_the_second_that_nothing_did(at):
    bench = at("begun")
    first = bench.type("load")
    assert first.code == 0, first.err
    assert "rows: 160 rows in, 160 loaded, 0 held (160 new), now 160 rows" in first.out
    assert first.out.splitlines()[-1].startswith("next: qua3ck run")
    second = bench.type("load")
    assert "rows: nothing new, 160 rows" in second.out
    assert len(bench.events("source.loaded")) == 1
    history = bench.type("load", "--history")
    assert "160 rows" in history.out
    bench.done("understand")
    assert len(bench.events("source.loaded")) == 1  # what was loaded is not loaded again


def test_what_is_held_ends_with_1_until_somebody_accepts_it_with_a_reason(at):
    bench = at("understand")
    bench.write(as_csv(rows()[:40]), "data/rows.csv")
    held = bench.type("load")
    assert held.code == 1
    assert "120 of 160 rows are gone" in held.out
    assert held.out.splitlines()[-1] == "next: qua3ck explain U065"
    bench.type("understand", "--again").refused("120 of 160 rows are gone", "--accept U065")
    bench.type("load", "--accept", "U065").refused("nothing says why", "--reason")
    bench.type("load", "--accept", "U999", "--reason", "x").refused('"U999"', "--accept", "U105")
    bench.type("load", "--accept", "U069", "--reason", "x").refused('"U069"', "U105")
    assert bench.events("load.accepted") == []
    told = json.loads(
        bench.type("load", "--accept", "U065", "--reason", "most were tests", "--json").out
    )
    assert told["loads"][0]["deleted"] == 120
    (accepted,) = bench.events("load.accepted")
    assert (accepted["actor"], accepted["body"]["reason"]) == ("ana", "most were tests")


def test_a_source_that_fails_does_not_stop_the_others(at):
    bench = at("begun")
    bench.edit(
        "    rows: {kind: csv, path: data/rows.csv}",
        "    rows: {kind: csv, path: data/rows.csv}\n    more: {kind: csv, path: data/more.csv}",
    )
    bench.write("", "data/more.csv")
    said = bench.type("load")
    assert said.code == 2
    assert "more: not loaded" in said.out
    assert "more.csv is empty" in said.out
    assert "rows: 160 rows in" in said.out
    bench.type("load", "moore").refused('"moore"; did you mean "more"?', "U104")


def test_the_work_list_goes_out_and_comes_back(at, tmp_path):
    bench = at("begun")
    made = rows()
    made[6][COLUMNS.index("stock")] = PERSON
    made[9].append("extra")
    bench.write(as_csv(made), "data/rows.csv")
    bench.edit("rows.csv}", "rows.csv, types: {stock: number}}")
    bench.done("load")
    shown = bench.type("quarantine")
    assert "rows: 2 records wait" in shown.out
    assert f"rows.csv, row 7: {PERSON}" in shown.out
    assert "next: qua3ck quarantine" in shown.out
    sheet = tmp_path / "answers.xlsx"
    bench.done("quarantine", "--export", str(sheet))
    book = openpyxl.load_workbook(sheet)
    for line in book["answers"].iter_rows(min_row=2):
        line[5].value = "12.5" if line[2].value == "stock" else "(leave out)"
    book.save(sheet)
    taken = bench.type("quarantine", "--answers", str(sheet))
    assert "2 answers taken" in taken.out
    assert "160 rows in, 159 loaded, 1 held" in taken.out
    assert "nothing waits" in bench.type("quarantine").out
    assert bench.events("quarantine.answered")[0]["body"]["answers"] == 2
    bench.type("quarantine", "--answers", str(sheet)).refused("not open", "U150")


def test_how_files_are_written_is_proposed_with_its_evidence_and_declared(at):
    bench = at("begun")
    bench.write(as_csv(rows()).replace(",", ";"), "data/rows.csv")
    said = bench.type("load", "--propose")
    assert "delimiter: a semicolon" in said.out
    assert 'delimiter: ";"' in (bench.root / "qua3ck.yaml").read_text()
    assert bench.events("source.loaded") == []
    bench.done("load")
    assert "declared already" in bench.type("load", "--propose").out


def test_a_snapshot_of_what_was_known_then(at):
    bench = at("understand")
    first = bench.facts("understand")
    known = bench.events("source.loaded")[0]["body"]["known"]
    bench.write(as_csv(rows()[:159]), "data/rows.csv")
    later = bench.facts("understand")
    assert later["sources"][0]["rows"] == 159
    bench.edit("  target: out", f'  target: out\n  as_of: "{known[:19]}Z"')
    bench.type("understand").refused("Nothing was known")  # the load's second had not ended
    bench.edit(f'as_of: "{known[:19]}Z"', f'as_of: "{known[:10]}"')
    assert bench.facts("understand")["sources"][0]["rows"] == 159  # both came that day
    assert first["sources"][0]["rows"] == 160


@pytest.mark.parametrize("moment", ["2026-02-30", "yesterday", "1 March"])
def test_a_day_that_does_not_exist_is_refused(moment, at):
    bench = at("new")
    bench.edit("  target: out", f'  target: out\n  as_of: "{moment}"')
    bench.type("check").refused("as_of", "understand.as_of", "line 15")

"""Loading as it is typed: what came, what is held, who accepted it; and the answers that return."""

from __future__ import annotations

import json
import shlex

import openpyxl
import pytest
from stock_project import COLUMNS, PERSON, as_csv, rows

from qua3ck.cli.main import main

WHY = ("--reason", "the first line is a row")


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


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["U065"], "--accept U065 --reason 'who said so, and why'"),
        (["U065", "U063"], "--accept U065 --accept U063 --reason 'who said so, and why'"),
        (["U065=most were tests"], "--accept U065 --reason 'most were tests'"),
        (["U065: it's so"], """--accept U065 --reason 'it'"'"'s so'"""),
        (["U065=", "U063"], "--accept U065 --accept U063 --reason 'who said so, and why'"),
    ],
)
def test_what_is_to_be_typed_for_an_acceptance_can_be_typed_as_it_stands(words, wanted, at):
    bench = at("understand")
    bench.write(as_csv(rows()[:40]), "data/rows.csv")
    said = bench.type("load", "rows", *(one for word in words for one in ("--accept", word)))
    (_, _, fix), *rest = said.errors
    assert (said.code, rest) == (2, [])
    assert fix == f"qua3ck load {bench.root} rows {wanted}"
    done = main(shlex.split(fix)[1:])
    assert done == 0
    assert bench.events("load.accepted")[0]["body"]["code"] == "U065"


def test_a_code_with_its_reason_beside_it_is_no_code_even_where_a_reason_is_given(at):
    said = at("begun").type("load", "--accept", "U066=gone", "--reason", "they said so")
    said.refused('"U066=gone" is more than a code', "--accept U066 --reason 'they said so'")


def test_rows_that_go_by_an_acceptance_are_told_beside_a_piece_that_is_held(at):
    bench = at("begun")
    bench.edit("path: data/rows.csv", 'path: "data/rows*.csv"')
    bench.done("load")
    bench.write("", "data/rows_2.csv")
    (bench.root / "data" / "rows.csv").unlink()
    assert "Its 160 rows stay" in bench.type("load").out
    said = bench.type("load", "--accept", "U066", "--reason", "a copy").out.splitlines()
    assert "(160 deleted), now 0 rows" in said[0]
    assert said[1] == "    accepted U066 (a file has vanished): rows.csv; 160 rows deleted"
    assert not any("rows stay" in line for line in said)


def test_one_is_not_said_as_many(at):
    bench = at("begun")
    bench.edit("path: data/rows.csv", "path: data/one.csv")
    bench.write("clinic,out\nA,yes\n", "data/one.csv")
    assert "rows: 1 row in, 1 loaded, 0 held (1 new), now 1 row; " in bench.done("load").out
    assert "rows: nothing new, 1 row\n" in bench.done("load").out
    assert "rows  1 row fits\n" in bench.done("trace", "rows").out
    assert ": 1 row, 17 bytes in" in bench.done("load", "--history").out
    bench.edit("path: data/one.csv", 'path: "data/*.csv"')
    (bench.root / "data" / "rows.csv").unlink()
    bench.write("clinic,out\nA,no\n", "data/one.csv")
    bench.done("load")
    bench.write("clinic,out\nB,no\n", "data/two.csv")
    (bench.root / "data" / "one.csv").unlink()
    gone = bench.type("load").out
    assert "U066  rows, 1 piece: Not there any more: one.csv. Its 1 row stays until" in gone


def test_what_is_to_be_typed_names_the_project_as_it_was_typed(at, monkeypatch, capsys):
    bench = at("understand")
    bench.write(as_csv(rows()[:40]), "data/rows.csv")
    wanted = "or accept it: qua3ck load {} --accept U065 --reason TEXT"
    assert wanted.format(bench.root) in bench.type("load").out
    bench.type("understand", "--again").refused(wanted.format(bench.root))
    monkeypatch.chdir(bench.root)
    assert main(["load"]) == 1
    assert wanted.format(".").replace(" .", "") in capsys.readouterr().out


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


def test_a_changed_header_is_shown_and_the_next_step_explains_what_is_shown(at):
    bench = at("begun")
    bench.edit("rows.csv}", "rows.csv, types: {stock: number}}")
    bench.done("load")
    bench.write(as_csv(rows()).replace("stock", "stocks", 1), "data/rows.csv")
    said = bench.type("load")
    assert said.code == 1
    assert "block  U063" in said.out
    assert 'vanished: "stock"; new: "stocks" (' in said.out
    assert said.out.splitlines()[-1] == "next: qua3ck explain U063"
    bench.write("", "data/rows.csv")
    damaged = bench.type("load").out.splitlines()
    assert damaged[-1] == "next: qua3ck explain U069"
    assert any("block  U069" in line for line in damaged)


def test_what_holds_a_source_is_told_also_where_a_table_is_made_by_its_former_key(at):
    bench = at("begun")
    bench.write("SELECT region, count(*) AS n FROM rows GROUP BY region", "gold/regions.sql")
    bench.edit("  target: out", "  tables: {regions: {sql: gold/regions.sql}}\n  target: out")
    bench.done("load")
    bench.edit("rows.csv}", "rows.csv, key: [clinik]}")
    bench.write("", "data/rows.csv")
    said = bench.type("load")
    assert (said.code, said.err) == (1, "")
    assert "U069" in said.out


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
    assert f"rows.csv, line 8: {PERSON}" in shown.out
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
    again = bench.done("quarantine", "--answers", str(sheet)).out
    assert "0 answers taken, 2 were settled before\n" in again
    assert len(bench.events("quarantine.answered")) == 1


def test_an_answer_that_does_not_fit_is_shown_as_an_answer(at, tmp_path):
    bench = at("begun")
    made = rows()
    made[6][COLUMNS.index("stock")] = PERSON
    bench.write(as_csv(made), "data/rows.csv")
    bench.edit("rows.csv}", "rows.csv, types: {stock: number}}")
    bench.done("load")
    sheet = tmp_path / "answers.xlsx"
    bench.done("quarantine", "--export", str(sheet))
    book = openpyxl.load_workbook(sheet)
    book["answers"].cell(2, 6).value = "many"
    book.save(sheet)
    bench.done("quarantine", "--answers", str(sheet))
    assert 'rows.csv, line 8: the answer "many" does not fit\n' in bench.type("quarantine").out


def test_answers_tell_the_findings_that_remain_as_a_plain_load_does(at, tmp_path):
    bench = at("begun")
    made = rows()
    made[6][COLUMNS.index("stock")] = made[9][COLUMNS.index("stock")] = PERSON
    bench.write(as_csv(made), "data/rows.csv")
    bench.edit("rows.csv}", "rows.csv, types: {stock: number}}")
    bench.done("load")
    sheet = tmp_path / "answers.xlsx"
    bench.done("quarantine", "--export", str(sheet))
    book = openpyxl.load_workbook(sheet)
    book["answers"].cell(2, 6).value = "12.5"
    book.save(sheet)
    taken = bench.done("quarantine", "--answers", str(sheet)).out
    assert "1 answer taken (kept in mappings/rows.csv), 1 line without an answer\n" in taken
    assert "warn   U060" in taken
    assert "1 waits in quarantine" in taken


def test_one_record_one_answer_and_what_a_trace_says_of_it(at):
    bench = at("begun")
    made = rows()
    made[6][COLUMNS.index("stock")] = PERSON
    bench.write(as_csv(made), "data/rows.csv")
    bench.edit("rows.csv}", "rows.csv, types: {stock: number}}")
    bench.done("load")
    assert "rows: 1 record waits" in bench.type("quarantine").out
    traced = bench.done("trace", "rows", "--limit", "1").out.splitlines()
    assert traced[-1] == f"next: qua3ck quarantine {bench.root} rows"
    sheet = bench.root / "answers.xlsx"
    bench.done("quarantine", "--export", str(sheet))
    book = openpyxl.load_workbook(sheet)
    for line in book["answers"].iter_rows(min_row=2):
        line[5].value = "4711"
    book.save(sheet)
    assert "1 answer taken" in bench.type("quarantine", "--answers", str(sheet)).out
    traced = bench.done("trace", "rows", "--where", "stock = 4711").out
    assert "from rows: rows.csv, line 8" in traced
    assert "stock is an answer" in traced
    assert ": 4711; the file has something else there" in traced
    assert PERSON not in next(line for line in traced.splitlines() if "is an answer" in line)
    assert "rows by reading csv, encoding" in traced
    assert "stock: as number" in traced
    assert "quarantine" not in traced.splitlines()[-1]


def test_a_first_line_of_data_is_loaded_only_when_somebody_declares_what_it_is(at):
    bench = at("begun")
    bench.edit("csv, path: data/rows.csv", "csv, path: one.csv")
    bench.write("1,2,3\n4,5,6\n7,8,9\n", "one.csv")
    said = bench.type("load")
    assert said.code == 2
    assert "looks like data, not like a header" in said.out
    assert said.out.splitlines()[-1] == "next: qua3ck explain U121"
    bench.edit("path: one.csv", "path: one.csv, header: 1")
    assert "2 rows in, 2 loaded, 0 held" in bench.done("load").out  # taken at its word
    bench.edit("header: 1", "header: 0")
    assert "3 rows in, 3 loaded, 0 held" in bench.done("load", "--accept", "U063", *WHY).out


def test_a_heading_of_two_lines_is_held_until_somebody_declares_it(at):
    bench = at("begun")
    book = openpyxl.Workbook()
    for line in (["place", "2024", None], [None, "cases", "deaths"], ["N", 5, 1], ["S", 7, 0]):
        book.active.append(line)
    book.active.merge_cells("B1:C1")
    book.save(bench.root / "two.xlsx")
    bench.edit("csv, path: data/rows.csv", "excel, path: two.xlsx")
    said = bench.type("load")
    assert said.code == 2
    assert "line 1 has merged cells (B1:C1)" in said.out
    assert said.out.splitlines()[-1] == "next: qua3ck explain U044"
    bench.edit("two.xlsx", "two.xlsx, header: 2")
    assert "2 rows in, 2 loaded, 0 held" in bench.done("load").out


def test_how_files_are_written_is_proposed_with_its_evidence_and_declared(at):
    bench = at("begun")
    bench.write(as_csv(rows()).replace(",", ";"), "data/rows.csv")
    said = bench.type("load", "--propose")
    assert "delimiter: a semicolon" in said.out
    assert 'delimiter: ";"' in (bench.root / "qua3ck.yaml").read_text()
    assert bench.events("source.loaded") == []
    bench.done("load")
    assert "declared already" in bench.type("load", "--propose").out


def test_a_proposal_that_fails_does_not_stop_the_others_and_all_evidence_is_shown(at):
    bench = at("begun")
    rest = "".join(
        f"\n    {name}: {{kind: {kind}, path: data/{name}.{kind}}}"
        for name, kind in (("empty", "csv"), ("last", "csv"), ("forms", "json"))
    )
    bench.edit("path: data/rows.csv}", f"path: data/rows.csv}}{rest}")
    bench.write("", "data/empty.csv")
    bench.write("a;b\n1;2\n3;4\n", "data/last.csv")
    bench.write("[]", "data/forms.json")
    said = bench.type("load", "--propose")
    assert said.code == 2
    lines = said.out.splitlines()
    assert "U   rows: written into the project file" in lines
    assert "U   last: written into the project file" in lines
    assert "U   empty: not declared" in lines
    assert "empty.csv is empty" in said.out
    assert "U   forms: nothing to propose; sources of kind json are read as declared" in lines
    shown = lines.index("U   last: how it is written")
    assert shown < lines.index("U   last: written into the project file")
    assert "delimiter: a semicolon" in "".join(lines[shown : shown + 4])
    assert lines[-1].startswith("next: qua3ck explain U")
    facts = json.loads(bench.type("load", "--propose", "--json").out)
    assert facts["last"]["written"] is False
    assert "empty" in facts["empty"]["error"]["what"]


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


def test_a_piece_that_two_codes_hold_is_accepted_with_both_and_the_fix_names_them(at):
    bench = at("begun")
    bench.edit("data/rows.csv}", "data/rows.csv, key: [clinic]}")
    bench.done("load")
    bench.write(as_csv(rows()[:40]).replace("stock", "stocks", 1), "data/rows.csv")
    first = bench.type("load")
    load = f"qua3ck load {bench.root}"
    assert f"{load} --accept U063 --reason TEXT" in first.out
    second = bench.type("load", "--accept", "U063", "--reason", "they renamed it")
    assert second.code == 1
    assert "120 of 160 rows are gone" in second.out
    assert f"{load} --accept U063 --accept U065 --reason TEXT" in second.out
    both = ("--accept", "U063", "--accept", "U065", "--reason", "they renamed\nit  ")
    bench.type("load", *both[:4]).refused("U063, U065", "--accept U063 --accept U065 --reason")
    told = bench.facts("load", *both)["loads"][0]
    assert (told["deleted"], told["held_pieces"]) == (120, [])
    accepted = {one["body"]["code"]: one["body"]["reason"] for one in bench.events("load.accepted")}
    assert accepted == {"U063": "they renamed it", "U065": "they renamed it"}

"""Held records as a work list: handed out, answered, taken back, and loaded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.raw import RawStore
from qua3ck.understand.gold import pieces_of, record_of
from qua3ck.understand.loading.accepting import HEAD, export_list, take_answers
from qua3ck.understand.loading.answers import read_answers
from qua3ck.understand.loading.worklist import summary, work_list

BAD = "id,day,x\n1,2026-01-02,5\n2,2026-01-32,six\n3,2026-01-04,seven\n,2026-01-05,8\n5\n"
DECLARED = {"key": ["id"], "types": {"x": "integer", "day": "date"}}


class Desk(SimpleNamespace):
    """What the work list needs of a workspace."""

    @property
    def warehouse(self):
        return self.bench.warehouse

    @property
    def root(self) -> Path:
        return self.bench.root

    def clock(self):
        return self.bench.now


@pytest.fixture
def desk(bench):
    stock = bench(**DECLARED)
    stock.write("a.csv", BAD)
    stock.load(accepted={"U064": "to be answered"})
    events = []
    ledger = SimpleNamespace(append=lambda *event: events.append(event), events=events)
    return Desk(bench=stock, actor="ana", ledger=ledger)


def sheet(desk, path, answers):
    """Export the list, write answers beside (row, column), and return the file.

    The head is line 1: record 1 stands in line 2.
    """
    export_list("stock", desk.bench.source, desk, path, title="demo")
    book = openpyxl.load_workbook(path)
    for line in book["answers"].iter_rows(min_row=2):
        said = answers.get((int(line[1].value.split()[1]) - 1, line[2].value))
        if said is not None:
            line[5].value = said
    book.save(path)
    return path


def test_what_waits_is_listed_by_piece_record_and_problem(desk):
    waiting = work_list("stock", desk.bench.source, desk)
    assert [(one.row, one.column, one.received) for one in waiting] == [
        (2, "day", "2026-01-32"),
        (2, "x", "six"),
        (3, "x", "seven"),
        (4, "id", ""),
        (5, "", "5"),
    ]
    assert [one.place for one in waiting] == ["line 3", "line 3", "line 4", "line 5", "line 6"]
    assert sum(count for *_, count in summary(waiting)) == 5


def test_a_held_cell_of_a_report_sheet_is_named_as_the_sheet_names_it(bench, tmp_path):
    steps = [{"unpivot": {"left": ["district"], "top": ["month"], "value": "cases"}}]
    types = {"cases": "integer"}
    stock = bench(kind="excel", path="data/*.xlsx", tidy=steps, types=types)
    sheet = (book := openpyxl.Workbook()).active
    for line in (["district", "Jan", "Feb"], ["North", 5, 7], ["South", "six", 8]):
        sheet.append(line)
    (stock.root / "data").mkdir()
    book.save(stock.root / "data" / "a.xlsx")
    done = stock.load()
    assert (done.loaded, done.held) == (3, 1)
    assert "a.xlsx: line 3, column B" in next(
        one.says for one in done.findings if one.code == "U060"
    )
    desk = Desk(bench=stock, actor="ana", ledger=SimpleNamespace(append=lambda *_: None))
    (one,) = work_list("stock", stock.source, desk)
    assert (one.place, one.received) == ("line 3, column B", "six")
    path = tmp_path / "q.xlsx"
    export_list("stock", stock.source, desk, path, title="demo")
    book = openpyxl.load_workbook(path)
    assert [cell.value for cell in book["answers"][2]][:3] == [
        "a.xlsx",
        "line 3, column B",
        "cases",
    ]
    book["answers"]["F2"] = 6
    book.save(path)
    take_answers("stock", stock.source, desk, path)
    assert stock.load().held == 0
    assert sorted(row["cases"] for row in stock.rows()) == [5, 6, 7, 8]


def test_past_blank_lines_screen_sheet_and_trace_name_the_same_line(bench, tmp_path):
    stock = bench(**DECLARED)
    stock.write("a.csv", "id,day,x\n1,2026-01-02,5\n\n2,2026-01-03,six\n\n\n3,2026-01-04,7\n")
    done = stock.load()
    (said,) = [one.says for one in done.findings if one.code == "U060"]
    assert "a.csv: line 4" in said
    desk = Desk(bench=stock, actor="ana", ledger=SimpleNamespace(append=lambda *_: None))
    path = export_list("stock", stock.source, desk, tmp_path / "q.xlsx", title="demo")
    book = openpyxl.load_workbook(path)
    assert book["answers"]["B2"].value == "line 4"
    book["answers"]["F2"] = "6"
    book.save(path)
    take_answers("stock", stock.source, desk, path)
    stock.load()
    pieces = pieces_of({"stock": None}, stock.warehouse)
    found = {
        row["x"]: record_of("stock", "a.csv", row["_row"], row["_known"], pieces, {}).place
        for row in stock.rows(meta=True)
    }
    assert found == {5: "line 2", 6: "line 4", 7: "line 7"}


def test_answered_records_are_loaded_and_the_bytes_stay(desk, tmp_path):
    answers = {(2, "day"): "2026-01-03", (2, "x"): 6, (3, "x"): "(empty)", (4, "id"): 4}
    path = sheet(desk, tmp_path / "q.xlsx", answers)
    taken = take_answers("stock", desk.bench.source, desk, path)
    assert (len(taken.answers), taken.left, taken.settled) == (4, 1, 0)
    assert (desk.root / "mappings" / "stock.csv").is_file()
    assert desk.ledger.events[0][:2] == ("quarantine.answered", "stock")
    done = desk.bench.load()
    assert (done.came, done.loaded, done.held) == (5, 4, 1)
    assert [(row["id"], row["x"]) for row in desk.bench.rows()] == [
        (1, 5),
        (2, 6),
        (3, None),
        (4, 8),
    ]
    assert str(desk.bench.rows()[1]["day"]) == "2026-01-03"
    assert done.body["answered"] == 3  # records, of four cells
    with RawStore(desk.root).open(done.body["files"]["a.csv"]) as raw:
        assert raw.read() == BAD.encode()
    assert desk.bench.load().known == ""


def test_an_answer_that_does_not_fit_either_is_held_and_shown(desk, tmp_path):
    path = sheet(desk, tmp_path / "q.xlsx", {(3, "x"): "many"})
    take_answers("stock", desk.bench.source, desk, path)
    desk.bench.load(accepted={"U064": "to be answered"})
    line = next(one for one in work_list("stock", desk.bench.source, desk) if one.row == 3)
    assert (line.received, line.tried) == ("many", "many")
    assert '"many" does not fit either' in line.said


def test_a_record_of_which_one_cell_is_answered_waits_for_the_other(desk, tmp_path):
    path = sheet(desk, tmp_path / "q.xlsx", {(2, "x"): "6"})
    take_answers("stock", desk.bench.source, desk, path)
    desk.bench.load(accepted={"U064": "to be answered"})
    assert [row["id"] for row in desk.bench.rows()] == [1]
    assert {(one.row, one.column) for one in work_list("stock", desk.bench.source, desk)} >= {
        (2, "day")
    }


def test_a_record_that_is_left_out_waits_no_more_and_is_still_counted(desk, tmp_path):
    path = sheet(desk, tmp_path / "q.xlsx", {(5, None): "(leave out)"})
    take_answers("stock", desk.bench.source, desk, path)
    done = desk.bench.load(accepted={"U064": "to be answered"})
    assert (done.came, done.loaded, done.held) == (5, 1, 4)
    assert 5 not in {one.row for one in work_list("stock", desk.bench.source, desk)}


def test_an_answer_counts_only_for_the_bytes_it_was_given_for(desk, tmp_path):
    path = sheet(desk, tmp_path / "q.xlsx", {(3, "x"): "7"})
    take_answers("stock", desk.bench.source, desk, path)
    desk.bench.write("a.csv", "id,day,x\n9,2026-01-02,5\n8,2026-01-03,6\n7,2026-01-04,lots\n")
    done = desk.bench.load(accepted={"U065": "another file"})
    assert (done.loaded, done.held) == (2, 1)
    assert len(read_answers(desk.root, "stock")) == 1


NEW = ("a.csv", "line 9", "x", "U033: a cell is not of its column's type", "nine")


def again(sheet, line, answer):
    """Write a line of a sheet once more below the others, with another answer."""
    cells = [cell.value for cell in sheet[line]]
    sheet.append([*cells[:5], answer, *cells[6:]])


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda book: book["answers"].cell(4, 5, "other"), "Line 4 has an answer, and is not as"),
        (lambda book: book["answers"].cell(4, 1, "b.csv"), "Line 4 has an answer, and is not as"),
        (lambda book: book["answers"].cell(4, 7, "9|U033||"), "or was never asked"),
        (lambda book: book["answers"].append([*NEW, "7"]), "Line 7 has an answer, and is not as"),
        (lambda book: again(book["answers"], 4, "8"), "Lines 4 and 7 answer the same"),
        (lambda book: book["answers"].delete_cols(3), "head of the sheet was changed: column"),
        (lambda book: book["answers"].cell(1, 1, "file"), "head of the sheet was changed: piece"),
        (lambda book: book["about"].cell(5, 2, "beds"), 'asks about "beds", not about "stock"'),
        (lambda book: book.remove(book["about"]), "not a sheet that was exported"),
        (lambda book: book["answers"].cell(6, 6, "5,2026-01-06,9"), "more than one cell"),
        (lambda book: setattr(book["answers"]["F4"], "value", None), "No line has an"),
    ],
    ids=[
        "value",
        "piece",
        "mark",
        "new line",
        "two answers",
        "column gone",
        "head",
        "source",
        "no about",
        "whole record",
        "empty",
    ],
)
def test_a_sheet_that_does_not_fit_is_refused_as_a_whole(harm, says, desk, tmp_path):
    path = sheet(desk, tmp_path / "q.xlsx", {(3, "x"): "7"})
    book = openpyxl.load_workbook(path)
    harm(book)
    book.save(path)
    with pytest.raises(Qua3ckError, match=says) as told:
        take_answers("stock", desk.bench.source, desk, path)
    assert told.value.code == "U150"
    assert read_answers(desk.root, "stock") == ()
    assert desk.ledger.events == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone/q.xlsx", 'no folder "'),
        ("file/q.xlsx", "is a file, not a folder"),
        ("folder.xlsx", "is a folder"),
        ("other.xlsx", "another file other.xlsx already"),
    ],
)
def test_a_place_where_no_sheet_can_be_is_told(name, says, desk, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.xlsx").mkdir()
    openpyxl.Workbook().save(tmp_path / "other.xlsx")
    with pytest.raises(Qua3ckError, match=says) as told:
        export_list("stock", desk.bench.source, desk, tmp_path / name, title="demo")
    assert told.value.code == "U150"
    assert "Excel" not in told.value.fix


def test_a_sheet_with_answers_is_not_written_over_and_one_without_is(desk, tmp_path):
    path = tmp_path / "q.xlsx"
    for _ in range(2):
        export_list("stock", desk.bench.source, desk, path, title="demo")
    sheet(desk, path, {(2, "x"): "6"})
    before = path.read_bytes()
    with pytest.raises(Qua3ckError, match="has 1 answer in it") as told:
        export_list("stock", desk.bench.source, desk, path, title="demo")
    assert path.read_bytes() == before
    assert "--answers" in told.value.fix
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_a_sheet_that_is_not_there_is_said_to_be_so(desk, tmp_path):
    with pytest.raises(Qua3ckError, match="There is no file q"):
        take_answers("stock", desk.bench.source, desk, tmp_path / "q.xlsx")


def test_no_cell_of_the_sheet_is_a_formula_and_only_answers_may_be_changed(bench, tmp_path):
    stock = bench(types={"x": "integer"})
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,=1+cmd\n")
    stock.load()
    desk = Desk(bench=stock, actor="ana")
    path = tmp_path / "q.xlsx"
    export_list("stock", stock.source, desk, path, title="demo")
    lines = openpyxl.load_workbook(path)["answers"]
    assert tuple(cell.value for cell in lines[1])[:6] == HEAD
    assert (lines["E2"].value, lines["E2"].data_type, lines["E2"].quotePrefix) == (
        "=1+cmd",
        "s",
        True,
    )
    assert lines.protection.sheet
    assert [cell.protection.locked for cell in lines[2]] == [True] * 5 + [False, True]


CONTRACT = """\
version: 1.0.0
apiVersion: v3.1.0
kind: DataContract
id: stock
status: active
schema:
  - name: stock
    properties:
      - {name: id, logicalType: integer}
      - {name: child, logicalType: integer, classification: confidential}
      - {name: x, logicalType: integer, classification: public}
"""


def test_what_is_classified_is_shown_to_nobody(bench):
    stock = bench(contract="stock.odcs.yaml")
    (stock.root / "stock.odcs.yaml").write_text(CONTRACT)
    stock.write("a.csv", "id,child,x\n1,7,5\n2,Amina,6\n3,8,six\n4,9,6\n5,10,6\n6,Ali,3,3\n")
    stock.load()
    waiting = work_list("stock", stock.source, Desk(bench=stock))
    shown = {(one.row, one.column): one.received for one in waiting}
    assert shown[3, "x"] == "six"
    assert shown[2, "child"] == shown[6, ""] == "(not shown: classified)"


def test_answers_that_were_edited_into_nonsense_are_told(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    (stock.root / "mappings").mkdir()
    (stock.root / "mappings" / "stock.csv").write_text("piece,row\na.csv,one\n")
    with pytest.raises(Qua3ckError, match="answers cannot be read") as told:
        stock.load()
    assert told.value.code == "U150"

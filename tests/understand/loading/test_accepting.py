"""A sheet that comes back late, in part or in another order: what is still open is taken."""

from __future__ import annotations

from types import SimpleNamespace

import openpyxl
import pytest
from filelock import FileLock, Timeout

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading import accepting
from qua3ck.understand.loading.accepting import export_list, take_answers
from qua3ck.understand.loading.answers import read_answers
from qua3ck.understand.loading.worklist import work_list

HEAD = "id,day,x\n"
ROWS = ["1,2026-01-02,5", "2,2026-01-03,six", "3,2026-01-04,seven", "4,2026-01-05,eight"]


class Desk(SimpleNamespace):
    """What a sheet needs of a workspace, and what a person does at it."""

    @property
    def warehouse(self):
        return self.bench.warehouse

    @property
    def root(self):
        return self.bench.root

    def clock(self):
        return self.bench.now

    def bring(self, rows, name="a.csv"):
        self.bench.write(name, HEAD + "".join(f"{row}\n" for row in rows))
        return self.load()

    def load(self):
        return self.bench.load(accepted={"U064": "some will be answered", "U065": "so be it"})

    def out(self, path):
        return export_list("stock", self.bench.source, self, path, title="demo")

    def back(self, path):
        return take_answers("stock", self.bench.source, self, path)

    def open(self):
        return [one.received for one in work_list("stock", self.bench.source, self)]

    def x(self):
        return {row["id"]: row["x"] for row in self.bench.rows()}


@pytest.fixture(params=[["id"], []], ids=["key", "no key"])
def desk(bench, request):
    key = {"key": request.param} if request.param else {}
    stock = bench(**key, types={"x": "integer", "day": "date"})
    events = []
    ledger = SimpleNamespace(append=lambda *event: events.append(event), events=events)
    made = Desk(bench=stock, actor="ana", ledger=ledger)
    made.bring(ROWS)
    return made


def answer(path, said, change=None):
    """Write answers beside the values received, change the sheet further, and save it."""
    book = openpyxl.load_workbook(path)
    lines = book["answers"]
    for line in lines.iter_rows(min_row=2):
        line[5].value = said.get(line[4].value)
    if change:
        change(lines)
    book.save(path)
    return path


def counts(taken):
    return len(taken.answers), taken.left, taken.settled, taken.again, taken.otherwise


def test_half_of_a_sheet_is_taken_and_the_other_half_stays_open(desk, tmp_path):
    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "6", "seven": "7"})
    assert counts(desk.back(path)) == (2, 1, 0, 0, 0)
    desk.load()
    assert (desk.x(), desk.open()) == ({1: 5, 2: 6, 3: 7}, ["eight"])
    answer(path, {"six": "6", "seven": "7", "eight": "8"})
    assert counts(desk.back(path)) == (1, 0, 2, 0, 0)
    desk.load()
    assert desk.x() == {1: 5, 2: 6, 3: 7, 4: 8}
    assert [event[2]["answers"] for event in desk.ledger.events] == [2, 1]


def test_a_sheet_that_is_taken_twice_changes_nothing_the_second_time(desk, tmp_path):
    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "6"})
    desk.back(path)
    assert counts(desk.back(path)) == (0, 2, 0, 1, 0)  # taken, and not loaded yet
    desk.load()
    kept = (desk.root / "mappings" / "stock.csv").read_bytes()
    assert counts(desk.back(path)) == (0, 2, 1, 0, 0)
    assert (desk.root / "mappings" / "stock.csv").read_bytes() == kept
    assert len(desk.ledger.events) == 1


def test_lines_that_came_later_stay_open_and_those_of_before_are_taken(desk, tmp_path):
    path = desk.out(tmp_path / "q.xlsx")
    desk.bring(["9,2026-02-01,nine"], "b.csv")
    assert counts(desk.back(answer(path, {"six": "6", "seven": "7", "eight": "8"}))) == (
        *(3, 1, 0),
        *(0, 0),
    )
    desk.load()
    assert desk.open() == ["nine"]


def test_an_answer_follows_its_record_and_never_the_line_of_the_file(desk, tmp_path):
    path = desk.out(tmp_path / "q.xlsx")
    new = ["7,2026-01-09,six", ROWS[0], ROWS[3], "8,2026-01-09,seven", ROWS[1]]
    desk.bring(new)  # where "seven" of record 3 stood is another; line 3 is not "six" any more
    assert counts(desk.back(answer(path, {"six": "6", "seven": "70"}))) == (1, 3, 1, 0, 0)
    desk.load()
    assert (desk.x(), sorted(desk.open())) == ({1: 5, 2: 6}, ["eight", "seven", "six"])


def test_the_same_line_with_the_same_value_of_another_record_is_not_answered(desk, tmp_path):
    path = desk.out(tmp_path / "q.xlsx")
    desk.bring([ROWS[0], "7,2026-01-09,six", ROWS[2], ROWS[3]])
    assert counts(desk.back(answer(path, {"six": "6"}))) == (0, 3, 1, 0, 0)
    desk.load()
    assert desk.x() == {1: 5}


def test_a_line_that_was_corrected_in_the_file_meanwhile_is_left_alone(desk, tmp_path):
    path = desk.out(tmp_path / "q.xlsx")
    desk.bring([ROWS[0], "2,2026-01-03,66", *ROWS[2:]])
    assert counts(desk.back(answer(path, {"six": "6", "seven": "7"}))) == (1, 1, 1, 0, 0)
    desk.load()
    assert desk.x() == {1: 5, 2: 66, 3: 7}


def test_another_answer_to_what_was_settled_is_told_and_not_taken(desk, tmp_path):
    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "6"})
    desk.back(path)
    desk.load()
    assert counts(desk.back(answer(path, {"six": "60", "seven": "7"}))) == (1, 1, 1, 0, 1)
    desk.load()
    assert desk.x() == {1: 5, 2: 6, 3: 7}


def test_an_answer_that_did_not_fit_is_answered_again_by_the_sheet_of_before(desk, tmp_path):
    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "many"})
    desk.back(path)
    desk.load()
    assert counts(desk.back(path)) == (0, 2, 0, 1, 0)
    assert counts(desk.back(answer(path, {"six": "6"}))) == (1, 2, 0, 0, 0)
    desk.load()
    assert desk.x() == {1: 5, 2: 6}
    assert [one.answer for one in read_answers(desk.root, "stock")] == ["6"]


def sort(lines):
    rows = [[cell.value for cell in line] for line in lines.iter_rows(min_row=2)]
    for at, row in enumerate(reversed(rows), 2):
        for column, value in enumerate(row, 1):
            lines.cell(at, column).value = value


def more(lines):
    lines.insert_cols(1)
    lines["A1"], lines["A3"] = "our number", 17
    lines.append([None, None, "a note below, without an answer"])


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (sort, 1),
        (more, 1),
        (lambda lines: lines.delete_rows(4), 1),
        (lambda lines: lines.delete_rows(2), 2),
        (lambda lines: lines.append([cell.value for cell in lines[2]]), 1),
        (lambda lines: setattr(lines["E4"], "value", "ate"), 1),
    ],
    ids=["sorted", "more columns", "line gone", "answer gone", "line twice", "not answered"],
)
def test_what_a_partner_does_to_a_sheet_takes_no_answer_away(change, left, desk, tmp_path):
    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "6", "seven": "7"}, change)
    assert counts(desk.back(path)) == (3 - left, left, 0, 0, 0)
    desk.load()
    assert desk.x() == ({1: 5, 2: 6, 3: 7} if left == 1 else {1: 5, 3: 7})


def test_one_column_sorted_by_itself_is_refused(desk, tmp_path):
    def apart(lines):
        lines["E2"].value, lines["E3"].value = lines["E3"].value, lines["E2"].value

    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "6", "seven": "7"}, apart)
    with pytest.raises(Qua3ckError, match="Line 2 has an answer, and is not as it was exported"):
        desk.back(path)
    assert read_answers(desk.root, "stock") == ()


def without_marks(lines):
    lines.delete_cols(7)


def meanwhile(monkeypatch, act, times=1):
    """Let something happen each time after what waits was read."""
    read, done = accepting.work_list, []

    def reading(*given):
        found = read(*given)
        if len(done) < times:
            done.append(act())
        return found

    monkeypatch.setattr(accepting, "work_list", reading)
    return done


OTHERS = [ROWS[0], "7,2026-01-09,six", ROWS[2]]  # where "six" of record 2 stood is another


@pytest.mark.parametrize("rows", [OTHERS, [*OTHERS, ROWS[3]], ROWS[:1]])
def test_a_load_while_the_sheet_is_made_mixes_no_two_states(rows, desk, tmp_path, monkeypatch):
    meanwhile(monkeypatch, lambda: desk.bring([*rows, "9,2026-02-01,nine"]))
    path = desk.out(tmp_path / "q.xlsx")
    lines = openpyxl.load_workbook(path)["answers"]
    assert [line[4].value for line in lines.iter_rows(min_row=2)] == desk.open()
    desk.back(answer(path, {"six": "6", "nine": "9"}))
    desk.load()
    assert desk.x() == {1: 5, 9: 9} | ({7: 6} if rows != ROWS[:1] else {})


def test_a_sheet_of_a_source_that_is_loaded_all_the_time_is_not_made(desk, tmp_path, monkeypatch):
    more = iter(range(100, 200))
    act = lambda: desk.bring([*ROWS, f"{next(more)},2026-02-01,5"])  # noqa: E731
    meanwhile(monkeypatch, act, 3)
    with pytest.raises(Qua3ckError, match="was loaded again while the sheet was made") as told:
        desk.out(tmp_path / "q.xlsx")
    assert told.value.code == "U148"
    assert not (tmp_path / "q.xlsx").exists()
    assert desk.out(tmp_path / "q.xlsx").exists()


def test_while_answers_are_taken_no_load_comes_between(desk, tmp_path, monkeypatch):
    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "6"})
    lock = FileLock(desk.root / "state" / "loads" / "stock.lock", timeout=0)

    def held():
        with pytest.raises(Timeout):
            lock.acquire()
        return True

    asked = meanwhile(monkeypatch, held)
    desk.back(path)
    assert asked == [True]
    with lock:
        assert len(desk.ledger.events) == 1


def test_a_sheet_of_an_earlier_version_is_taken_while_nothing_else_is_open(desk, tmp_path):
    path = answer(desk.out(tmp_path / "q.xlsx"), {"six": "6"}, without_marks)
    assert counts(desk.back(path)) == (1, 2, 0, 0, 0)
    desk.load()
    with pytest.raises(Qua3ckError, match="last column was removed"):
        desk.back(path)


def test_the_marks_hold_no_digest_of_a_value_or_a_question(desk, tmp_path):
    book = openpyxl.load_workbook(desk.out(tmp_path / "q.xlsx"))
    assert book["answers"].column_dimensions["G"].hidden
    every = " ".join(str(cell.value) for sheet in book for line in sheet for cell in line)
    waiting = work_list("stock", desk.bench.source, desk)
    assert all(one.question for one in waiting)
    assert not [one for one in waiting if one.question[:16] in every]


def test_one_cell_that_two_rules_ask_about_has_one_answer(bench, tmp_path):
    stock = bench(contract="stock.odcs.yaml")
    (stock.root / "stock.odcs.yaml").write_text(TWO_RULES)
    events = []
    desk = Desk(
        bench=stock, actor="ana", ledger=SimpleNamespace(append=lambda *event: events.append(event))
    )
    desk.bring(["1,2026-01-02,5", "2,2026-01-03,-77", "3,2026-01-04,7"])
    path = desk.out(tmp_path / "q.xlsx")
    lines = openpyxl.load_workbook(path)["answers"]
    assert [line[2].value for line in lines.iter_rows(min_row=2)] == ["x", "x"]
    answer(path, {"-77": "7"}, lambda lines: setattr(lines["F3"], "value", "8"))
    with pytest.raises(Qua3ckError, match="Lines 2 and 3 answer the same with different words"):
        desk.back(path)
    answer(path, {"-77": "7"})
    desk.back(path)
    desk.load()
    assert desk.x() == {1: 5, 2: 7, 3: 7}


@pytest.fixture
def keyed(bench):
    ledger = SimpleNamespace(append=lambda *event: None)
    return Desk(bench=bench(key=["id"]), actor="ana", ledger=ledger)


AGAIN = "5; the same row again"


def test_of_rows_that_are_equal_each_waits_for_its_own_answer(keyed, tmp_path):
    three = ["5,2026-01-02,9"] * 3
    keyed.bring([*three, ROWS[0]])
    path = keyed.out(tmp_path / "q.xlsx")

    def only_first(lines):
        lines["F3"].value = None

    answer(path, {AGAIN: "(leave out)"}, only_first)
    assert counts(keyed.back(path)) == (1, 1, 0, 0, 0)
    keyed.load()
    assert (keyed.x(), keyed.open()) == ({1: 5, 5: 9}, [AGAIN])
    keyed.bring([ROWS[0], *three, "6,2026-01-02,1"])  # the same rows in other bytes
    assert (keyed.x(), keyed.open()) == ({1: 5, 5: 9, 6: 1}, [AGAIN])
    assert keyed.load().known == ""
    answer(path, {AGAIN: "(leave out)"})  # the second line, after all
    keyed.back(path)
    keyed.load()
    assert (keyed.x(), keyed.open()) == ({1: 5, 5: 9, 6: 1}, [])
    keyed.bring([*three, "7,2026-01-02,1"])
    assert (keyed.x(), keyed.open()) == ({5: 9, 7: 1}, [])


def test_an_answer_about_one_of_two_equal_rows_leaves_the_other_as_it_is(keyed, tmp_path):
    differ = ["5,2026-01-02,9", "5,2026-01-02,9", "5,2026-01-02,10"]
    keyed.bring([*differ, ROWS[0]])
    path = keyed.out(tmp_path / "q.xlsx")
    assert keyed.open() == ["5; x 9", "5; x 9", "5; x 10"]
    answer(path, {}, lambda lines: setattr(lines["F2"], "value", "(leave out)"))
    keyed.back(path)
    keyed.load()
    assert (keyed.x(), keyed.open()) == ({1: 5}, ["5; x 9", "5; x 10"])
    keyed.bring([ROWS[0], *differ])
    assert (keyed.x(), keyed.open()) == ({1: 5}, ["5; x 9", "5; x 10"])


@pytest.fixture
def loose(bench):
    """Return a desk of a source without a key."""
    ledger = SimpleNamespace(append=lambda *event: None)
    return Desk(bench=bench(types={"x": "integer"}), actor="ana", ledger=ledger)


TWIN = "5,2026-01-02,many"


def each(*said):
    """Answer the lines of a sheet from above."""
    return lambda lines: [
        setattr(lines.cell(at, 6), "value", one) for at, one in enumerate(said, 2)
    ]


def values(desk):
    return sorted(row["x"] for row in desk.bench.rows())


@pytest.fixture
def twins(loose, tmp_path):
    """Return a desk where two equal records without a key were answered 6 and 7."""
    loose.bring([TWIN, TWIN, ROWS[0]])
    loose.back(answer(loose.out(tmp_path / "q.xlsx"), {}, each("6", "7")))
    loose.load()
    assert values(loose) == [5, 6, 7]
    return loose


def test_equal_records_keep_their_different_answers_in_other_bytes(twins):
    twins.bring([ROWS[0], "6,2026-01-02,1", TWIN, TWIN])
    assert (values(twins), twins.open()) == ([1, 5, 6, 7], [])
    assert twins.load().known == ""


def test_one_more_equal_record_waits_for_its_own_answer(twins, tmp_path):
    twins.bring([ROWS[0], TWIN, TWIN, TWIN])
    assert (values(twins), twins.open()) == ([5, 6, 7], ["many"])
    assert twins.load().known == ""
    assert counts(twins.back(answer(twins.out(tmp_path / "p.xlsx"), {"many": "7"})))[0] == 1
    twins.load()
    twins.bring(["6,2026-01-02,1", TWIN, TWIN, TWIN])
    assert (values(twins), twins.open()) == ([1, 6, 7, 7], [])
    twins.bring([TWIN] * 4)
    assert (values(twins), twins.open()) == ([6, 7, 7], ["many"])
    assert twins.load().known == ""


def test_of_equal_records_one_is_gone_and_the_other_is_asked_again(twins, tmp_path):
    twins.bring([ROWS[0], TWIN])
    assert (values(twins), twins.open()) == ([5], ["many"])
    assert counts(twins.back(answer(twins.out(tmp_path / "p.xlsx"), {"many": "7"})))[0] == 1
    twins.load()
    twins.bring([TWIN, ROWS[0], "6,2026-01-02,1"])
    assert (values(twins), twins.open()) == ([1, 5, 7], [])


def test_an_answer_of_another_piece_to_the_same_does_not_displace_ones_own(loose, tmp_path):
    loose.bench.write("b.csv", HEAD + TWIN + "\n" + ROWS[1].replace("six", "9") + "\n")
    loose.bring([TWIN, ROWS[0]])
    loose.back(answer(loose.out(tmp_path / "q.xlsx"), {}, each("6", "7")))
    loose.load()
    loose.bring([ROWS[0], "6,2026-01-02,1", TWIN])
    assert (values(loose), loose.open()) == ([1, 5, 6, 7, 9], [])
    loose.bring([TWIN, ROWS[0]], "c.csv")  # who would say which of the two it is
    assert (values(loose), loose.open()) == ([1, 5, 5, 6, 7, 9], ["many"])


def test_an_answer_that_did_not_fit_gives_way_to_the_later_one_in_other_bytes(loose, tmp_path):
    loose.bring([TWIN, ROWS[0]])
    loose.back(answer(loose.out(tmp_path / "q.xlsx"), {"many": "some"}))
    loose.load()
    loose.bring([ROWS[0], "6,2026-01-02,1", TWIN])
    loose.back(answer(loose.out(tmp_path / "p.xlsx"), {"some": "6"}))
    loose.load()
    loose.bring([TWIN, ROWS[0], "8,2026-01-02,2"])
    assert (values(loose), loose.open()) == ([2, 5, 6], [])


TWO_RULES = """\
version: 1.0.0
apiVersion: v3.1.0
kind: DataContract
id: stock
status: active
schema:
  - name: stock
    properties:
      - {name: id, logicalType: integer}
      - {name: day, logicalType: date}
      - name: x
        logicalType: integer
        logicalTypeOptions: {minimum: 0}
        quality:
          - {metric: invalidValues, mustBe: 0, arguments: {validValues: [5, 7, 8]}}
"""
